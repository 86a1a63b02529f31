"""``gisgrid worker``, and the worker that runs beside a server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click

from api import logs
from api.cli.output import Output, output_options
from api.processes import end_with
from data import db
from gisgrid.interrupts import held
from gisgrid.settings import Settings

AGAIN_SECONDS = 2.0
STOP_SECONDS = 15.0


@click.command("worker")
@click.option("--concurrency", default=1, show_default=True, type=click.IntRange(1, 64), help="Jobs run side by side.")
@click.option("--parent", type=int, hidden=True, help="Process this worker ends with.")
@output_options
def worker(output: Output, concurrency: int, parent: int | None) -> None:
    """Run queued jobs and send what is queued for webhooks, until stopped.

    Any number may run, on this machine and on others that share the database and GISGRID_HOME.
    """
    from api.worker import work  # brings the queue's library, which the server need not load

    if parent is not None:
        end_with(parent, signal.SIGTERM)
    settings = Settings.from_env()
    logs.configure(settings, level="warning" if output.quiet else None)
    with db.database(settings) as engine:

        def ready() -> None:
            output.result(
                {"worker": os.getpid(), "concurrency": concurrency}, ["gisgrid worker waits for jobs (Ctrl-C stops it)"]
            )
            sys.stdout.flush()

        work(settings, engine.url, concurrency=concurrency, ready=ready)


@contextmanager
def worker_beside(wanted: bool, level: str | None = None) -> Iterator[None]:
    """Have a worker as a child process for a while; one that ends by itself is started again. ``level`` of its log."""
    if not wanted:
        yield
        return
    stop, guard = threading.Event(), threading.Lock()
    current: subprocess.Popen[bytes] | None = None

    def keep(first: subprocess.Popen[bytes]) -> None:
        nonlocal current
        process = first
        while not stop.is_set():
            process.wait()
            if stop.wait(AGAIN_SECONDS):
                return
            with guard:
                if not stop.is_set():
                    click.echo(f"gisgrid: the worker ended ({process.returncode}); it is started again", err=True)
                    process = current = _start(level)

    try:
        with held():  # no process that nobody knows of
            current = _start(level)
            threading.Thread(target=keep, args=(current,), name="worker", daemon=True).start()
        yield
    finally:
        with held():
            with guard:
                stop.set()
            if current is not None:
                _end(current)


def _start(level: str | None) -> subprocess.Popen[bytes]:
    quiet = ["--quiet"] if level == "warning" else []
    command = [sys.executable, "-m", "api.cli", "worker", *quiet, "--parent", str(os.getpid())]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


COMMANDS = (worker,)
