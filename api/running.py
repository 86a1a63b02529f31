"""Run one job: in a process of its own, its progress kept in the database, ended when it is to stop.

The thread that runs a job holds the job's advisory lock on a connection of its own and writes everything about the
job through that connection. If the connection breaks, so does the lock, and the process is ended at once: a job never
runs twice at the same time.
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from data import job_files, jobs
from gisgrid.errors import GisgridError
from gisgrid.tracing import at_work

REGISTRY = "api.work:WORK"
log = logging.getLogger("gisgrid.worker")


@dataclass(frozen=True, slots=True)
class Pace:
    """How often things are looked at, in seconds."""

    told: float = 0.25
    """Progress is written no more often than this."""
    asked: float = 0.5
    """How often a job at work is asked whether it may go on."""
    grace: float = 1.5
    """How long work may take to stop by itself once it was asked to."""


class NotRun(Exception):
    """The job goes back to the queue."""


class Stopped(NotRun):
    """The worker is to stop."""


class Taken(NotRun):
    """Another session holds the job's lock: its runner is not dead after all, or not yet."""


class Lost(NotRun):
    """The work lost the database on its way."""


class Died(NotRun):
    """The process ended without an answer."""


def run_job(
    engine: sa.Engine,
    home: Path,
    job: int,
    *,
    stop: Callable[[], bool],
    registry: str = REGISTRY,
    pace: Pace | None = None,
) -> None:
    """Take up a job and see it to its end.

    ``stop`` says that the worker is to stop: the job is given back. Raises NotRun when the job must be taken up again.
    """
    with _held(engine, job) as connection:
        run = jobs.begin(connection, job)
        if run is None:
            job_files.drop_input(home, job)
            return
        with at_work(job, run.request):
            _run(connection, home, run, stop, registry, pace or Pace())


def _run(
    connection: sa.Connection, home: Path, run: jobs.Run, stop: Callable[[], bool], registry: str, pace: Pace
) -> None:
    log.info("job %d %s: taken up (attempt %d)", run.job, run.kind, run.attempt)
    begun = time.monotonic()
    try:
        with _process(home, run, registry) as process:
            answer = _follow(connection, process, run, stop, pace)
    except NotRun as reason:
        jobs.give_back(connection, run)
        log.info("job %d %s: given back (%s)", run.job, run.kind, reason)
        raise
    state = _keep(connection, home, run, answer)
    log.info("job %d %s: %s after %.1f s", run.job, run.kind, state, time.monotonic() - begun)


@contextmanager
def _held(engine: sa.Engine, job: int) -> Iterator[sa.Connection]:
    """A connection that holds the job's lock; it is closed afterwards, never returned to the pool, lock and all."""
    connection = engine.connect()
    try:
        if not jobs.hold(connection, job):
            raise Taken(f"job {job} is still held by another session")
        yield connection
    finally:
        connection.invalidate()
        connection.close()


@contextmanager
def _process(home: Path, run: jobs.Run, registry: str) -> Iterator[subprocess.Popen[bytes]]:
    """The job's process, gone with everything it started when the block is left."""
    files = job_files.fresh(home, run.job)
    order = {
        "job": run.job, "kind": run.kind, "params": run.params, "registry": registry, "folder": str(files.folder),
        "input": str(files.input) if files.input else None, "parent": os.getpid(), "nice": 5,
        "owner": run.owner, "request": run.request,
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "api.job_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _send(process, json.dumps(order).encode())
        yield process
    finally:
        _end(process)


def _follow(
    connection: sa.Connection, process: subprocess.Popen[bytes], run: jobs.Run, stop: Callable[[], bool], pace: Pace
) -> dict[str, Any]:
    """Pass progress on until the process has answered; its answer. Raises Stopped, Lost or Died."""
    progress: dict[str, Any] | None = None
    looked = told = time.monotonic()
    asked: float | None = None  # since when the work is to stop
    for message in _messages(process, pace.told / 2):
        if message is not None and "lost" in message:
            raise Lost(message["lost"])
        if message is not None and "share" not in message:
            return message
        progress = message or progress
        now = time.monotonic()
        if stop():
            raise Stopped("the worker stops")
        if asked is not None:
            if now - asked > pace.grace:
                return {"cancelled": True}
        elif progress and now - told >= pace.told:
            looked = told = now
            if not jobs.report(connection, run, progress["share"], progress["note"]):
                asked = now
            progress = None
        elif now - looked >= pace.asked:
            looked = now
            if not jobs.may_go_on(connection, run):
                asked = now
        if asked == now:
            _send(process, b"stop")
    if asked is not None:
        return {"cancelled": True}
    raise Died(_last_words(process.pid))


def _keep(connection: sa.Connection, home: Path, run: jobs.Run, answer: dict[str, Any]) -> str:
    """End the job with the answer of its process; the state it ended in."""
    if "result" in answer and "output" in answer["result"]:
        try:
            job_files.made(home, run.job, answer["result"]["output"])
        except GisgridError as error:
            answer = {"error": {"status": 500, "code": error.code, "message": error.message, "details": {}}}
    state = "done" if "result" in answer else "cancelled" if "cancelled" in answer else "failed"
    jobs.end(connection, run, state, result=answer.get("result"), error=answer.get("error"))
    job_files.drop_input(home, run.job)
    if state != "done":
        job_files.drop_output(home, run.job)
    return state


def _messages(process: subprocess.Popen[bytes], patience: float) -> Iterator[dict[str, Any] | None]:
    """What the process tells, line by line; None whenever it told nothing for a while. Ends when its channel ends."""
    assert process.stdout is not None
    rest = b""
    with selectors.DefaultSelector() as channel:
        channel.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not channel.select(patience):
                yield None
                continue
            read = os.read(process.stdout.fileno(), 65_536)
            if not read:
                return
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                yield json.loads(line)


def _send(process: subprocess.Popen[bytes], line: bytes) -> None:
    """One line for the process; it may have died, which its channel tells."""
    assert process.stdin is not None
    try:
        process.stdin.write(line + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        log.debug("the process of the job is gone already")


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)  # whatever it started goes with it
    except ProcessLookupError:
        log.debug("the process of the job has ended")
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:
                log.debug("the process of the job took no more orders")


def _last_words(pid: int) -> str:
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # not reaped yet: its group is still to be ended
    if ended is not None and ended.si_code != os.CLD_EXITED:
        return f"its process was ended by {signal.Signals(ended.si_status).name}"
    return "its process ended without an answer"
