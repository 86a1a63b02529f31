"""Starting a child for one task, and its answer."""

from __future__ import annotations

import gc
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from data.bounded.child import answer_to
from gisgrid.errors import BadInput, Broken
from gisgrid.limits import (
    READ_ANSWER_BYTES_MAX,
    READ_MEMORY_BYTES_MAX,
    READ_MEMORY_BYTES_MIN,
    READ_MEMORY_FACTOR,
    READ_SECONDS_MAX,
)

log = logging.getLogger("gisgrid.bounded")
_PATIENCE_SECONDS: Final = 10.0
"""Longer than its limit a child is waited for: its own clock ends it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use: ``memory`` bytes beyond what it starts with, ``seconds`` by the clock and of computing,
    ``written`` bytes of one file."""

    memory: int
    seconds: int
    written: int


def for_file(path: Path, *, memory: int | None = None, seconds: int = READ_SECONDS_MAX) -> Limits:
    """Limits for reading a file of that size."""
    size = path.stat().st_size
    wanted = min(max(READ_MEMORY_BYTES_MIN, READ_MEMORY_FACTOR * size), READ_MEMORY_BYTES_MAX)
    allowed = memory or wanted
    return Limits(allowed, seconds, allowed)


def call(task: str, limits: Limits, *, about: str, **values: Any) -> Any:
    """What a task of `data.bounded.tasks.TASKS` answers to JSON ``values``.

    ``about``: what the file is called in errors. Raises BadInput when the task does, or when the child went over its
    limits or broke off; Broken when no child can be started.
    """
    order = {"task": task, "limits": asdict(limits), "values": {"about": about, **values}}
    try:
        # where only the main thread works the process is copied as it is: nothing has to be loaded anew
        alone = threading.current_thread() is threading.main_thread()
        told = _forked(order) if alone else _SERVERS.ask(order, limits.seconds + _PATIENCE_SECONDS)
    except OSError as error:
        raise Broken(f"no process to open files in can be started: {error.strerror or error}") from error
    if told is None:
        raise BadInput(
            f"{about}: cannot be read within {limits.memory >> 20:,} MB and {limits.seconds} s; it is damaged, or "
            "holds far more than its size says",
            code="too_much",
        )  # fmt: skip
    if "broke" in told:
        log.warning("%s: a reader broke off: %s", task, told["broke"])
        raise BadInput(f"{about}: cannot be opened", code="no_map")
    if "bad" in told:
        raise BadInput(told["bad"], code=told["code"], **told["details"])
    return told["answer"]


def _forked(order: dict[str, Any]) -> dict[str, Any] | None:
    ours, theirs = socket.socketpair()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a progress bar's thread: the child draws none
        pid = _copied()
    if pid == 0:
        ours.close()
        answer_to(order, theirs)
    try:
        theirs.close()
        with ours:
            return _received(ours)
    finally:
        _waited(pid)


def _copied() -> int:
    """`os.fork`; the child never collects what we left: taking down readers whose threads it lacks would end it."""
    collecting = gc.isenabled()
    gc.disable()
    pid = os.fork()
    if pid == 0:
        gc.freeze()
    if collecting:
        gc.enable()
    return pid


def _waited(pid: int) -> None:
    try:
        os.kill(pid, 9)  # whether it answered, or we were broken off: it has nothing more to do
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        return


def _received(channel: socket.socket) -> dict[str, Any] | None:
    """The child's answer; None when it ended without one."""
    read = b""
    while not read.endswith(b"\n") and len(read) < READ_ANSWER_BYTES_MAX:
        try:
            more = channel.recv(65_536)
        except ConnectionError:
            return None
        if not more:
            return None
        read += more
    found: dict[str, Any] = json.loads(read)
    return found


class _Servers:
    """The one process that forks children for this one, started when first needed and again when it is gone."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._owner = 0

    def ask(self, order: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """An answer, None when the child died or did not answer in time. Raises OSError."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs, self._guard:
                self._hand_over(json.dumps(order).encode(), theirs)
            ours.settimeout(seconds)
            try:
                return _received(ours)
            except TimeoutError:
                return None

    def _hand_over(self, order: bytes, channel: socket.socket) -> None:
        for attempt in range(2):
            control = self._started()
            try:
                socket.send_fds(control, [order], [channel.fileno()])
            except ConnectionError:
                self._process = None
                if attempt:
                    raise
            else:
                return

    def _started(self) -> socket.socket:
        if (
            self._owner == os.getpid()
            and self._control is not None
            and self._process is not None
            and self._process.poll() is None
        ):
            return self._control
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "data.bounded.server", str(theirs.fileno())],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True,
            )  # fmt: skip
        self._control, self._owner = ours, os.getpid()
        return ours


_SERVERS: Final = _Servers()
