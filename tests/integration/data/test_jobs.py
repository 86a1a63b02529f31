"""Jobs in the database: queued with the transaction or not at all, one runner at a time, swept when old."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from data import db, job_files, jobs, queue
from data import tables as t
from gisgrid.errors import BadInput, Broken, Conflict, NotFound
from gisgrid.limits import JOB_ATTEMPTS_MAX
from gisgrid.settings import Settings

pytestmark = pytest.mark.postgis
j = t.jobs.c


def submit(engine: sa.Engine, home: Path, kind: str = "made up", **options: object) -> int:
    with engine.begin() as connection:
        return jobs.submit(connection, kind, {"a": 1}, home=home, **options)  # type: ignore[arg-type]


def queued(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM procrastinate_jobs").scalar() or 0)


def find(engine: sa.Engine, job: int) -> dict[str, object]:
    with engine.connect() as connection:
        return jobs.find(connection, job)


def test_a_job_is_there_with_its_transaction_or_not_at_all(engine: sa.Engine, tmp_path: Path) -> None:
    with engine.connect() as connection:
        jobs.submit(connection, "made up", {}, home=tmp_path, input=b"abc")
        connection.rollback()
    assert queued(engine) == 0
    job = submit(engine, tmp_path, input=b"abc")
    assert queued(engine) == 1
    row = find(engine, job)
    assert (row["state"], row["share"], row["revision"], row["attempts"]) == ("queued", 0, 0, 0)
    assert (job_files.folder_of(tmp_path, job) / "input").read_bytes() == b"abc"


def test_the_callers_file_stays_the_callers(engine: sa.Engine, tmp_path: Path) -> None:
    given = tmp_path / "points.csv"
    given.write_text("x")
    job = submit(engine, tmp_path, input=given)
    given.unlink()
    assert job_files.fresh(tmp_path, job).input is not None
    job_files.drop_input(tmp_path, job)
    assert job_files.fresh(tmp_path, job).input is None


def test_what_is_too_much_is_refused_and_leaves_nothing(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_files, "JOB_INPUT_BYTES_MAX", 10)
    monkeypatch.setattr(jobs, "JOBS_QUEUED_MAX", 1)
    with pytest.raises(BadInput, match="11 bytes"):
        submit(engine, tmp_path, input=b"x" * 11)
    with pytest.raises(BadInput, match="parameters"), engine.begin() as connection:
        jobs.submit(connection, "made up", {"a": "x" * 2_000_000}, home=tmp_path)
    assert queued(engine) == 0
    assert not list((tmp_path / "jobs").glob("*"))
    submit(engine, tmp_path)
    with pytest.raises(Broken, match="1 jobs wait"):
        submit(engine, tmp_path)


def test_pages_go_through_all_jobs_newest_first(engine: sa.Engine, tmp_path: Path) -> None:
    made = [submit(engine, tmp_path, kind) for kind in ("a", "b") * 5]
    seen, before = [], None
    with engine.connect() as connection:
        while True:
            rows, before = jobs.page(connection, limit=3, before=before)
            seen += [row["id"] for row in rows]
            if before is None:
                break
        assert seen == made[::-1]
        assert [row["id"] for row in jobs.page(connection, limit=10, kinds=["b"])[0]] == made[::-1][::2]
        assert jobs.page(connection, limit=10, states=["done"]) == ([], None)
        exact, more = jobs.page(connection, limit=10)
        assert len(exact) == 10
        assert more is None, "no empty last page"


def test_cancelling(engine: sa.Engine, tmp_path: Path) -> None:
    first, second = submit(engine, tmp_path), submit(engine, tmp_path)
    with engine.connect() as connection:
        assert jobs.ask_cancel(connection, first) == "cancelled"
        connection.commit()
        with pytest.raises(Conflict, match=r"ended already \(cancelled\)"):
            jobs.ask_cancel(connection, first)
        with pytest.raises(NotFound):
            jobs.ask_cancel(connection, 999)
        connection.rollback()
        assert jobs.begin(connection, first) is None, "what was cancelled in time never begins"
        run = jobs.begin(connection, second)
        assert run is not None
        assert jobs.report(connection, run, 0.5, "half")
        assert jobs.ask_cancel(connection, second) == "running"
        connection.commit()
        assert not jobs.may_go_on(connection, run)
        assert not jobs.report(connection, run, 0.6, "more")
        assert jobs.begin(connection, second) is None, "its worker died before it could stop"
        assert jobs.find(connection, second)["state"] == "cancelled"


def test_a_runner_given_up_for_dead_changes_nothing(engine: sa.Engine, tmp_path: Path) -> None:
    job = submit(engine, tmp_path)
    with engine.connect() as connection:
        old = jobs.begin(connection, job)
        new = jobs.begin(connection, job)
        assert old is not None
        assert new is not None
        assert (old.attempt, new.attempt) == (1, 2)
        assert not jobs.report(connection, old, 0.9, "ghost")
        assert not jobs.end(connection, old, "done", result={"ghost": True})
        jobs.give_back(connection, old)
        row = jobs.find(connection, job)
        assert (row["state"], row["share"], row["result"]) == ("running", 0, None)
        assert jobs.end(connection, new, "done", result={"n": 1})
    assert find(engine, job)["result"] == {"n": 1}


def test_a_job_is_given_up_after_some_attempts(engine: sa.Engine, tmp_path: Path) -> None:
    job = submit(engine, tmp_path)
    with engine.connect() as connection:
        for _ in range(JOB_ATTEMPTS_MAX):
            assert jobs.begin(connection, job) is not None
        assert jobs.begin(connection, job) is None
        row = jobs.find(connection, job)
    assert row["state"] == "failed"
    assert row["error"]["code"] == "given_up"


def test_only_one_session_holds_a_job(engine: sa.Engine, tmp_path: Path) -> None:
    job = submit(engine, tmp_path)
    with engine.connect() as one, engine.connect() as other:
        assert jobs.hold(one, job)
        assert not jobs.hold(other, job)
        one.invalidate()
        deadline = time.monotonic() + 60
        while not jobs.hold(other, job):
            assert time.monotonic() < deadline, "a lost session lets go"
            time.sleep(0.02)
        other.invalidate()


def test_every_change_counts_the_revision_up(engine: sa.Engine, tmp_path: Path) -> None:
    job = submit(engine, tmp_path)
    seen = [find(engine, job)["revision"]]
    with engine.connect() as connection:
        run = jobs.begin(connection, job)
        assert run is not None
        for act in (
            lambda: None,
            lambda: jobs.report(connection, run, 0.5, ""),
            lambda: jobs.end(connection, run, "failed", error={}),
        ):
            act()
            seen.append(find(engine, job)["revision"])
    assert seen == [0, 1, 2, 3]


def test_eta_follows_the_share() -> None:
    row = {"state": "running", "share": 0.25, "elapsed": 10.0}
    assert jobs.eta(row) == 30.0
    for change in ({"share": 0.0}, {"state": "done"}, {"elapsed": None}, {"elapsed": 0.1}):
        assert jobs.eta(row | change) is None


def test_the_sweep_takes_old_ended_jobs_and_folders_of_nobody(engine: sa.Engine, tmp_path: Path) -> None:
    made = [submit(engine, tmp_path, input=b"x") for _ in range(3)]
    stray, young = tmp_path / "jobs" / "998", tmp_path / "jobs" / "999"
    for folder in (stray, young, tmp_path / "jobs" / "notes"):
        folder.mkdir()
    os.utime(stray, (0, 0))
    os.utime(tmp_path / "jobs" / "notes", (0, 0))
    with engine.connect() as connection:
        ended = sa.update(t.jobs).where(j.id.in_(made[:2])).values(state="done", finished_at=sa.func.now())
        connection.execute(ended)
        connection.exec_driver_sql(f"UPDATE jobs SET finished_at = now() - interval '3 days' WHERE id = {made[0]}")
        connection.commit()
        assert jobs.sweep(connection, tmp_path, 2.5) == 1
    left = {path.name for path in (tmp_path / "jobs").iterdir()}
    assert left == {str(made[1]), str(made[2]), "999", "notes"}


@pytest.mark.parametrize("name", ["../input", "/etc/passwd", "", ".", "none.csv", "folder", "link", 7, None])
def test_only_plain_files_of_the_output_folder_are_results(tmp_path: Path, name: object) -> None:
    files = job_files.fresh(tmp_path, 1)
    (files.folder / "folder").mkdir()
    (files.folder / "link").symlink_to("/etc/passwd")
    (files.folder / "fine.csv").write_text("x")
    assert job_files.made(tmp_path, 1, "fine.csv").read_text() == "x"
    with pytest.raises(BadInput):
        job_files.made(tmp_path, 1, name)


# --- the queue's own tables -------------------------------------------------------------------------------------


def applied(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return sorted(connection.scalars(sa.select(t.queue_migrations.c.name)))


def functions(engine: sa.Engine) -> dict[str, str]:
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT oid::regprocedure::text, regexp_replace(prosrc, '\\s+', ' ', 'g') FROM pg_proc "
            "WHERE starts_with(proname, 'procrastinate_')"
        )
        return {row[0]: row[1] for row in rows}


def test_an_older_queue_is_brought_up_to_the_installed_procrastinate(engine: sa.Engine, tmp_path: Path) -> None:
    newest, whole = functions(engine), applied(engine)
    older = [name for name in whole if name < "03.02"]
    with engine.begin() as connection:
        queue.drop_queue(connection)
        connection.execute(sa.delete(t.queue_migrations))
        connection.execute(sa.insert(t.queue_migrations), [{"name": name} for name in older])
    with psycopg.connect(engine.url.set(drivername="postgresql").render_as_string(hide_password=False)) as own:
        for name in older:
            own.execute((queue._folder() / name).read_bytes())
            own.commit()
    assert functions(engine) != newest
    queue.keep_in_step(engine)
    assert applied(engine) == whole
    assert set(newest) <= set(functions(engine))
    submit(engine, tmp_path)
    assert queued(engine) == 1


def test_a_queue_of_a_newer_procrastinate_is_refused(engine: sa.Engine, settings: Settings) -> None:
    with engine.begin() as connection:
        connection.execute(sa.insert(t.queue_migrations).values(name="99.00.00_01_pre_later.sql"))
    with pytest.raises(Broken, match="newer procrastinate"), db.database(settings):
        pass


def test_somebody_elses_queue_is_not_touched(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.delete(t.queue_migrations))
    before = functions(engine)
    with pytest.raises(Broken, match="not make"):
        queue.keep_in_step(engine)
    assert functions(engine) == before
    assert applied(engine) == []
