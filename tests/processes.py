"""Commands as processes of their own, to be stopped; one that does not end says where it stands."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[1]


def unused_port() -> int:
    """A TCP port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Command:
    """A process group of its own, as a terminal makes one."""

    def __init__(self, arguments: list[str], log: Path, env: Mapping[str, str]) -> None:
        self._log = log
        # a shell has what it starts in the background ignore Ctrl-C, and that is handed on
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        with log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT,
                start_new_session=True, env=os.environ | {"PYTHONFAULTHANDLER": "1"} | dict(env),
            )  # fmt: skip
        signal.signal(signal.SIGINT, before)

    @property
    def said(self) -> str:
        return self._log.read_text()

    def until(self, done: Callable[[], bool], seconds: float = 120) -> None:
        """Wait until something is so, or the command has ended."""
        deadline = time.monotonic() + seconds
        while not done() and self.process.poll() is None:
            if time.monotonic() > deadline:
                self._fail(f"waited {seconds:.0f} s for nothing")
            time.sleep(0.005)

    def until_said(self, words: str, seconds: float = 120) -> None:
        """Wait until it has said something, or has ended."""
        self.until(lambda: words in self.said, seconds)

    def press(self, number: signal.Signals = signal.SIGINT) -> None:
        """What a terminal does at Ctrl-C."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)

    def end(self, seconds: float = 120) -> int:
        """Its exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._fail(f"it has not ended within {seconds:.0f} s")

    def _fail(self, what: str) -> NoReturn:
        os.killpg(self.process.pid, signal.SIGABRT)  # faulthandler writes where every thread stands
        time.sleep(1)
        pytest.fail(f"{what}; it said and stood at:\n{self.said}")

    def gone(self) -> None:
        """See to it that nothing is left of it."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def command(arguments: list[str], log: Path, env: Mapping[str, str]) -> Iterator[Command]:
    """A command that does not outlive the block."""
    made = Command(arguments, log, env)
    try:
        yield made
    finally:
        made.gone()
