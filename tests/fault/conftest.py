"""Workers as processes of their own, to be stopped, killed and cut off."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from data import jobs
from gisgrid.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def until(done: Callable[[], Any], seconds: float = 90.0, what: str = "it") -> Any:
    """What ``done`` returns once that is true. Fails when it takes too long."""
    deadline = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < deadline, f"{what} takes too long"
        time.sleep(0.03)
    return found


@dataclass
class Bench:
    """A database, a home and the workers started on them."""

    settings: Settings
    engine: sa.Engine
    workers: list[subprocess.Popen[str]]

    def worker(self, concurrency: int = 1) -> subprocess.Popen[str]:
        """A worker that is ready."""
        log = (self.settings.home / f"worker{len(self.workers)}.log").open("w")
        command = [
            sys.executable,
            "-m",
            "tests.fault.run_worker",
            str(self.settings.home),
            str(self.settings.database_url),
        ]
        made = subprocess.Popen(
            [*command, str(concurrency)], stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT, start_new_session=True
        )  # fmt: skip
        self.workers.append(made)
        assert made.stdout is not None
        assert made.stdout.readline() == "ready\n", self.said()
        return made

    def said(self) -> str:
        """The logs of all workers."""
        return "\n".join(path.read_text() for path in sorted(self.settings.home.glob("worker*.log")))

    def submit(self, kind: str, *, input: bytes | None = None, **params: Any) -> int:
        """Queue a job whose trace goes to a file of its own; the file is ``trace(job)``."""
        with self.engine.begin() as connection:
            following = connection.exec_driver_sql("SELECT coalesce(max(id), 0) + 1 FROM jobs").scalar()
            params |= {"trace": str(self.settings.home / f"trace{following}")}
            job = jobs.submit(connection, kind, params, home=self.settings.home, input=input)
            assert job == following
        return job

    def trace(self, job: int) -> Path:
        return self.settings.home / f"trace{job}"

    def find(self, job: int) -> dict[str, Any]:
        with self.engine.connect() as connection:
            return jobs.find(connection, job)

    def wait(self, job: int, *states: str, seconds: float = 90.0) -> dict[str, Any]:
        """The job once it is in one of the states."""
        try:
            until(lambda: self.find(job)["state"] in states, seconds, f"job {job}: {self.find(job)}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said()}") from None
        return self.find(job)

    def running(self, job: int) -> dict[str, Any]:
        """The job once it has begun to work."""
        until(lambda: self.trace(job).exists() and self.trace(job).read_text(), 90, f"job {job}")
        return self.wait(job, "running")


@pytest.fixture
def bench(engine: sa.Engine, settings: Settings) -> Iterator[Bench]:
    made = Bench(settings, engine, [])
    yield made
    for worker in made.workers:
        if worker.poll() is None:
            worker.send_signal(signal.SIGCONT)
            worker.kill()
        worker.wait(60)
        if worker.stdout:
            worker.stdout.close()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended but was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def interrupt(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Send a signal to a worker."""
    os.kill(process.pid, number)
