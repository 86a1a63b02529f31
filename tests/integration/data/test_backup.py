"""Backups: what comes back is what was there, or nothing changes."""

from __future__ import annotations

import json
import shutil
import threading
import zipfile
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from data import backup, db, embedded, jobs
from data.backup import contents
from data.backup.archive import DUMP, MANIFEST
from data.backup.put_back import check_fits, check_unused
from data.in_force import read_current
from data.layer_changes import revisions
from gisgrid.errors import BadInput, Broken, Conflict
from tests.conftest import Planned

pytestmark = pytest.mark.postgis
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def taken(planned_copy: Planned, tmp_path: Path) -> backup.Taken:
    """A backup of the planned district, with a job's files."""
    home = tmp_path / "home"
    with planned_copy.engine.begin() as connection:
        jobs.submit(connection, "locate", {"a": 1}, home=home, input=b"lon,lat\n1,2\n")
    return backup.back_up(planned_copy.engine, home, tmp_path / "a.gisgrid")


@pytest.fixture
def empty(cluster: embedded.Cluster, planned_copy: Planned) -> Iterator[sa.Engine]:
    """A database nobody has prepared."""
    with planned_copy.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as admin:
        admin.exec_driver_sql("CREATE DATABASE restored")
    made = db.make_engine(cluster.url_of("restored"))
    yield made
    made.dispose()
    with planned_copy.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as admin:
        admin.exec_driver_sql("DROP DATABASE restored WITH (FORCE)")


def content(engine: sa.Engine) -> contents.Figures:
    with engine.connect() as connection:
        return contents.figures(connection)


def test_what_comes_back_is_what_was_there(
    planned_copy: Planned, taken: backup.Taken, empty: sa.Engine, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    there.mkdir()
    done = backup.restore(empty, backup.Archive.verified(taken.path), there)
    before, after = content(planned_copy.engine), content(empty)
    assert taken.manifest["tables"] == before
    del before["public.layer_changes"], after["public.layer_changes"]  # counted on, lest caches take old for new
    log, was = after.pop("public.audit_log"), before.pop("public.audit_log")  # one entry more: that it was restored
    del before["public.audit_head"], after["public.audit_head"]
    assert log["rows"] == was["rows"] + 1
    assert after == before
    assert after["public.grids"]["rows"] > 0
    assert done.schema == taken.manifest["schema"] == db.known_schemas()[-1]
    assert (done.other_owners, len(taken.manifest["owners"])) == (0, contents.POINTS)
    assert sum(code is not None for *_, code in taken.manifest["owners"]) > contents.POINTS / 4
    assert (there / "jobs" / "1" / "input").read_bytes() == b"lon,lat\n1,2\n"
    assert taken.path.stat().st_mode & 0o077 == 0
    with empty.begin() as connection:  # it can be worked with: sequences, triggers, rules are there
        jobs.submit(connection, "locate", {}, home=there)
        assert connection.exec_driver_sql("SELECT max(id) FROM jobs").scalar() == 2
        with pytest.raises(sa.exc.IntegrityError):
            connection.exec_driver_sql("UPDATE units SET households = -1")


def test_revisions_of_layers_never_return(planned_copy: Planned, taken: backup.Taken) -> None:
    with planned_copy.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE buildings SET households = households")
    with planned_copy.engine.connect() as connection:
        before = dict(revisions(connection, ["buildings", "grids"]))
    planned_copy.engine.dispose()
    home = taken.path.parent / "home"
    backup.restore(planned_copy.engine, backup.Archive.verified(taken.path), home)
    with planned_copy.engine.connect() as connection:
        after = dict(revisions(connection, ["buildings", "grids"]))
    newest = {name: int(text.split("-")[0], 16) for name, text in after.items()}
    assert all(newest[name] > int(before[name].split("-")[0], 16) for name in before)


def test_the_index_of_before_is_not_used_after(planned_copy: Planned, taken: backup.Taken) -> None:
    home = taken.path.parent / "home"
    with planned_copy.engine.connect() as connection:
        read_current(connection, home)
    (folder,) = [path for path in (home / "index").iterdir() if path.is_dir()]
    (folder / "mark").touch()
    backup.restore(planned_copy.engine, backup.Archive.verified(taken.path), home)
    assert not (folder / "mark").exists()
    assert (folder / "about.json").exists()


def test_an_altered_file_is_refused(taken: backup.Taken) -> None:
    whole = taken.path.read_bytes()
    places = {"start": 6, "dump": len(whole) // 2, "manifest": whole.rfind(b'"schema"'), "seal": len(whole) - 5}
    for where, at in places.items():
        raw = bytearray(whole)
        raw[at] ^= 1
        taken.path.write_bytes(raw)
        with pytest.raises(BadInput, match=r"altered.*nothing was changed"):
            pytest.fail(f"{where}: {backup.Archive.verified(taken.path)}")


def test_a_cut_file_is_refused(taken: backup.Taken) -> None:
    whole = taken.path.read_bytes()
    for kept in (0, 1, 30, 1000, -1, -64, -200):
        taken.path.write_bytes(whole[:kept])
        with pytest.raises(BadInput, match="nothing was changed"):
            pytest.fail(f"{kept}: {backup.Archive.verified(taken.path)}")


def test_what_does_not_come_back_whole_is_not_kept(planned_copy: Planned, taken: backup.Taken) -> None:
    """A file whose seal is right and whose dump is not what its manifest says: the transaction sees it."""
    archive = backup.Archive.verified(taken.path)
    archive.manifest["tables"]["public.grids"]["digest"] = "1"
    before = content(planned_copy.engine)
    with pytest.raises(Broken, match=r"database is as it was.*grids"):
        backup.restore(planned_copy.engine, archive, taken.path.parent / "home")
    assert content(planned_copy.engine) == before


def test_a_broken_dump_changes_nothing(planned_copy: Planned, taken: backup.Taken, tmp_path: Path) -> None:
    short = tmp_path / "short.zip"
    with zipfile.ZipFile(taken.path) as source, zipfile.ZipFile(short, "w") as out:
        out.writestr(DUMP, source.read(DUMP)[:-20_000])
    archive = backup.Archive(short, taken.manifest | {"files": False})
    before = content(planned_copy.engine)
    with pytest.raises(Broken, match="database is as it was"):
        backup.restore(planned_copy.engine, archive, tmp_path / "home")
    assert content(planned_copy.engine) == before


def test_what_cannot_be_taken_is_refused(
    planned_copy: Planned, taken: backup.Taken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = backup.Archive.verified(taken.path)
    known = db.known_schemas()

    def told(**change: object) -> backup.Archive:
        return backup.Archive(archive.path, archive.manifest | change)

    check_fits(planned_copy.engine, archive, known=known, data=tmp_path)
    with pytest.raises(BadInput, match="schema 9999"):
        check_fits(planned_copy.engine, told(schema="9999"), known=known, data=None)
    with pytest.raises(BadInput, match="PostgreSQL 99"):
        check_fits(planned_copy.engine, told(server_version=99), known=known, data=None)
    with planned_copy.engine.connect() as other:
        other.exec_driver_sql("SET application_name = 'somebody else'")
        with pytest.raises(Conflict, match="sessions use the database"):
            check_unused(planned_copy.engine)
        other.invalidate()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12, 10))
    with pytest.raises(Broken, match="make room"):
        check_fits(planned_copy.engine, archive, known=known, data=tmp_path)
    with pytest.raises(Broken, match="make room"):
        backup.back_up(planned_copy.engine, tmp_path / "home", tmp_path / "b.gisgrid")
    with pytest.raises(BadInput, match="replaces no file"):
        backup.back_up(planned_copy.engine, tmp_path / "home", taken.path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gisgrid", "home"]
    assert not list((tmp_path / "home").glob(".backup-*"))


def test_a_backup_under_load_is_of_one_moment(planned_copy: Planned, tmp_path: Path, empty: sa.Engine) -> None:
    """Writers move households between two buildings, in two statements of a transaction: the sum never changes, nor
    do a report and its first update come apart."""
    sums = "SELECT sum(households)::int FROM buildings"
    with planned_copy.engine.connect() as connection:
        total = connection.exec_driver_sql(sums).scalar()
        one, other = connection.exec_driver_sql("SELECT min(id), max(id) FROM buildings WHERE households > 0").one()
    stop, moved, faults = threading.Event(), [0], list[BaseException]()

    def write() -> None:
        try:
            while not stop.is_set():
                with planned_copy.engine.begin() as connection:
                    step = 1 if moved[0] % 2 else -1
                    change = "UPDATE buildings SET households = households + %s WHERE id = %s"
                    connection.exec_driver_sql(change, (step, one))
                    connection.exec_driver_sql(change, (-step, other))
                moved[0] += 1
        except BaseException as error:
            faults.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            before = moved[0]
            taken = backup.back_up(planned_copy.engine, tmp_path, tmp_path / f"{number}.gisgrid")
            assert moved[0] > before + 1, "nobody wrote meanwhile"
    finally:
        stop.set()
        writer.join()
    assert not faults
    backup.restore(empty, backup.Archive.verified(taken.path), tmp_path)  # digests of one snapshot, so it is kept
    with empty.connect() as connection:
        assert connection.exec_driver_sql(sums).scalar() == total
    print(f"{moved[0]} transactions while three backups were taken")


def test_a_drill_leaves_nothing_behind(planned_copy: Planned, taken: backup.Taken) -> None:
    archive = backup.Archive.verified(taken.path)
    before = content(planned_copy.engine)
    done = backup.drill(planned_copy.engine, archive, taken.path.parent / "home")
    assert done.ok, done.problems
    assert (done.points, done.tables) == (contents.POINTS, len(before))
    archive.manifest["owners"][0][2] = "370000000001999"
    archive.manifest["coverage"]["grids"] += 1
    assert len(backup.drill(planned_copy.engine, archive, taken.path.parent / "home").problems) == 3
    with planned_copy.engine.connect() as connection:
        names = connection.exec_driver_sql("SELECT datname FROM pg_database WHERE datname ~ 'drill'").all()
    assert names == []
    assert content(planned_copy.engine) == before


def test_nobody_is_signed_in_after_a_restore(planned_copy: Planned, tmp_path: Path, empty: sa.Engine) -> None:
    with planned_copy.engine.begin() as connection:
        user = connection.exec_driver_sql("INSERT INTO users (login) VALUES ('a') RETURNING id").scalar()
        connection.exec_driver_sql(
            "INSERT INTO sessions (secret_hash, \"user\", expires_at) VALUES ('x', %s, now() + interval '1 day')",
            (user,),
        )
    taken = backup.back_up(planned_copy.engine, tmp_path, tmp_path / "a.gisgrid")
    backup.restore(empty, backup.Archive.verified(taken.path), tmp_path)
    with empty.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM users").scalar() == 1
        assert connection.exec_driver_sql("SELECT count(*) FROM sessions").scalar() == 0
    assert json.loads(zipfile.ZipFile(taken.path).read(MANIFEST))["left_out"] == ["sessions"]
