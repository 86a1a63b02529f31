"""Workers that are stopped, killed and cut off from the database: no job is lost, none runs twice at once."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from pathlib import Path

import pytest
import sqlalchemy as sa

from data import jobs, webhooks
from tests.fault.conftest import ROOT, Bench, interrupt, is_alive, until
from tests.receiver import Receiver, Reply, moody

pytestmark = pytest.mark.postgis


def runs(bench: Bench, job: int) -> list[int]:
    """The processes that worked on a job, in order; one that comes back after another had it would come twice."""
    return [int(pid) for pid, _ in itertools.groupby(bench.trace(job).read_text().split())]


def test_jobs_end_as_their_work_does(bench: Bench) -> None:
    bench.worker(concurrency=3)
    done = bench.submit("steps", steps=8, input=b"given\n")
    ends = {kind: bench.submit(kind) for kind in ("refuses", "breaks", "strays", "boasts", "unheard_of", "dies_once")}
    row = bench.wait(done, "done")
    assert (row["share"], row["attempts"], row["error"]) == (1, 1, None)
    assert row["result"] == {"output": "out.csv", "steps": 8}
    folder = bench.settings.home / "jobs" / str(done)
    assert (folder / "output" / "out.csv").read_bytes() == b"given\n"
    assert not (folder / "input").exists(), "what was sent is not needed any more"
    rows = {kind: bench.wait(job, "failed", "done") for kind, job in ends.items()}
    assert rows["refuses"]["error"] == {
        "status": 400, "code": "bad_input", "message": "row 3: lon='x' is no number", "details": {"row": 3},
    }  # fmt: skip
    assert rows["breaks"]["error"]["code"] == "internal_error"
    assert "secret" not in rows["breaks"]["error"]["message"]
    assert "ZeroDivisionError: a secret of the code" in bench.said()
    assert "no file the job made" in rows["strays"]["error"]["message"]
    assert "output file" in rows["boasts"]["error"]["message"]
    assert "unheard_of" in rows["unheard_of"]["error"]["message"]
    assert rows["dies_once"]["result"] == {"survived": True}
    assert rows["dies_once"]["attempts"] == 2
    with bench.engine.connect() as connection:
        until(lambda: not connection.exec_driver_sql("SELECT count(*) FROM procrastinate_jobs").scalar(), 60)


def test_cancelling_works_even_where_the_work_is_deaf(bench: Bench) -> None:
    bench.worker(concurrency=2)
    polite, deaf = bench.submit("steps", steps=1000), bench.submit("deaf")
    bench.running(polite)
    bench.running(deaf)
    heartbeat = sa.text("SELECT max(last_heartbeat) FROM procrastinate_workers")
    with bench.engine.connect() as connection:
        first = connection.scalar(heartbeat)
        connection.commit()
        time.sleep(0.8)
        assert connection.scalar(heartbeat) > first, "work that holds the interpreter stops no heartbeat"
        connection.commit()
        for job in (polite, deaf):
            assert jobs.ask_cancel(connection, job) == "running"
            connection.commit()
    asked = time.monotonic()
    bench.wait(polite, "cancelled", seconds=40)
    bench.wait(deaf, "cancelled", seconds=40)
    assert time.monotonic() - asked < 40  # the work would go on for a minute
    pids = [int(pid) for pid in bench.trace(deaf).read_text().split()]
    until(lambda: not any(is_alive(pid) for pid in pids), 60, "the end of the work and its child")
    assert not (bench.settings.home / "jobs" / str(polite) / "output").exists()


def worker_at(bench: Bench, job: int) -> subprocess.Popen[str]:
    """The worker that runs a job: the parent of its process."""
    status = Path(f"/proc/{runs(bench, job)[-1]}/status").read_text()
    parent = int(status.split("PPid:")[1].split()[0])
    return next(worker for worker in bench.workers if worker.pid == parent)


def test_a_stopped_worker_gives_its_job_to_another(bench: Bench) -> None:
    bench.worker()
    bench.worker()
    job = bench.submit("steps", steps=15, pause=0.1)
    bench.running(job)
    first = worker_at(bench, job)
    interrupt(first, signal.SIGTERM)
    assert first.wait(60) == 0
    row = bench.wait(job, "done")
    assert row["attempts"] == 2
    assert len(runs(bench, job)) == 2


def test_a_killed_workers_job_is_taken_up_by_another(bench: Bench) -> None:
    bench.worker()
    bench.worker()
    job = bench.submit("steps", steps=15, pause=0.1)
    bench.running(job)
    interrupt(worker_at(bench, job), signal.SIGKILL)
    killed = time.monotonic()
    until(lambda: not is_alive(runs(bench, job)[0]), 60, "the end of the process of the job")
    row = bench.wait(job, "done")
    assert time.monotonic() - killed < 60
    assert row["attempts"] == 2
    assert len(runs(bench, job)) == 2, "one after the other, never both"


def test_work_that_hears_nothing_ends_with_a_killed_worker(bench: Bench) -> None:
    worker = bench.worker()
    job = bench.submit("deaf")
    bench.running(job)
    work, child = (int(pid) for pid in bench.trace(job).read_text().split())
    interrupt(worker, signal.SIGKILL)
    try:
        until(lambda: not is_alive(work), 60, "the end of the work")
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_worker_that_only_seemed_dead_keeps_its_job(bench: Bench) -> None:
    bench.worker()
    bench.worker()
    job = bench.submit("steps", steps=40, pause=0.05)
    bench.running(job)
    first = worker_at(bench, job)
    interrupt(first, signal.SIGSTOP)
    until(lambda: "went silent" in bench.said(), 60, "the silence")
    time.sleep(0.5)
    interrupt(first, signal.SIGCONT)
    row = bench.wait(job, "done")
    assert row["attempts"] == 1
    assert len(runs(bench, job)) == 1


def test_two_workers_share_jobs_and_run_each_once(bench: Bench) -> None:
    made = [bench.submit("steps", steps=3, pause=0.01) for _ in range(8)]
    bench.worker(2)
    bench.worker(2)
    for job in made:
        assert bench.wait(job, "done")["attempts"] == 1
        assert len(runs(bench, job)) == 1


def test_a_worker_cut_off_from_the_database_comes_back(bench: Bench) -> None:
    bench.worker()
    job = bench.submit("steps", steps=15, pause=0.1)
    bench.running(job)
    with bench.engine.connect() as connection:
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        connection.exec_driver_sql(cut)
    bench.engine.dispose()
    row = bench.wait(job, "done")
    assert row["attempts"] == 2
    assert len(runs(bench, job)) == 2


def test_deliveries_survive_workers_killed_while_sending(bench: Bench) -> None:
    reports, events = 25, 5
    with Receiver(moody(5, failing=0.15, slow=0.02)) as receiver:
        with bench.engine.begin() as connection:
            receiver.secret = webhooks.add(connection, "dispatch", receiver.url)
            for n, report in itertools.product(range(events), range(1, reports + 1)):
                webhooks.queue_event(connection, "report.updated", report, {"report": report, "n": n})
        first, _ = bench.worker(), bench.worker()
        receiver.wait(lambda: len(receiver.taken()) > 20)
        interrupt(first, signal.SIGKILL)
        third = bench.worker()
        receiver.wait(lambda: len(receiver.taken()) > 60)
        interrupt(third, signal.SIGKILL)
        waiting = "SELECT count(*) FROM webhook_deliveries WHERE state <> 'delivered'"
        with bench.engine.connect() as connection:
            until(lambda: (connection.rollback(), not connection.exec_driver_sql(waiting).scalar())[1], 90, "the rest")  # type: ignore[func-returns-value]
    ids = {one.id for one in receiver.taken()}
    assert len(ids) == reports * events, "nothing lost"
    assert len(receiver.taken()) - len(ids) <= 2 * 4, "sent again is only what was being sent when a worker died"
    # what a killed worker had just sent may reach the receiver after another has sent it again, and more
    assert [fault for fault in receiver.faults if "twice at once" not in fault] == []
    first_taken: dict[int, list[int]] = defaultdict(list)
    for one in receiver.taken():
        if one.number not in first_taken[one.report]:
            first_taken[one.report].append(one.number)
    assert all(numbers == list(range(events)) for numbers in first_taken.values()), first_taken


def test_a_stopping_worker_finishes_what_it_is_sending(bench: Bench) -> None:
    with Receiver(lambda body: Reply(seconds=1.0)) as receiver:
        with bench.engine.begin() as connection:
            receiver.secret = webhooks.add(connection, "dispatch", receiver.url)
            webhooks.queue_event(connection, "report.created", 1, {"report": 1, "n": 0})
        worker = bench.worker()
        receiver.wait(lambda: len(receiver.got) == 1)
        interrupt(worker, signal.SIGTERM)
        assert worker.wait(60) == 0
        with bench.engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT state FROM webhook_deliveries").scalar() == "delivered"


def test_a_worker_may_be_told_to_stop_at_any_moment_of_its_start(bench: Bench) -> None:
    for seconds in (0.0, 0.02, 0.05, 0.1, 0.2, 0.4):
        worker = bench.worker()
        time.sleep(seconds)
        interrupt(worker, signal.SIGTERM)
    assert [worker.wait(60) for worker in bench.workers] == [0] * 6, bench.said()


def worker_of(server: int) -> int | None:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"worker" in words and str(server).encode() in words:
            return int(path.parent.name)
    return None


def test_the_worker_beside_a_server_is_kept_up_and_ends_with_it(bench: Bench) -> None:
    with socket.socket() as probe:  # the session's free port may be the demo's by now
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = os.environ | {
        "GISGRID_HOME": str(bench.settings.home), "GISGRID_DATABASE_URL": str(bench.settings.database_url),
    }  # fmt: skip
    command = [sys.executable, "-m", "api.cli", "serve", "--port", str(port)]
    log = (bench.settings.home / "worker-server.log").open("w")
    server = subprocess.Popen(
        command, stdout=log, stderr=log, text=True, cwd=ROOT, env=environment, start_new_session=True
    )
    try:
        worker = until(lambda: worker_of(server.pid), 90, "the worker")

        def answers() -> bool:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                    return bool(answer.status == 200)
            except OSError:
                return False

        until(answers, 90, "the server")
        os.kill(worker, signal.SIGKILL)
        again = until(lambda: (found := worker_of(server.pid)) != worker and found, 90, "a new worker")
        server.kill()
        server.wait(60)
        until(lambda: not is_alive(again), 60, "the end of the worker")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)  # the server's own processes outlive it when it is killed
        log.close()
