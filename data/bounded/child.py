"""What a child does: takes its limits, does its task, answers, ends."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import Any, Final, NoReturn

from gisgrid.errors import BadInput

_PR_SET_PDEATHSIG: Final = 1


def answer_to(order: dict[str, Any], channel: socket.socket) -> NoReturn:
    """Do one order and end the process, whatever happens. Only in a child."""
    try:
        _alone()
        _bounded(**order["limits"])
        _tell(channel, _done(order))
    except BaseException:
        os._exit(1)
    os._exit(0)


def _done(order: dict[str, Any]) -> dict[str, Any]:
    from data.bounded.tasks import TASKS

    try:
        return {"answer": TASKS[order["task"]](**order["values"])}
    except BadInput as error:
        return {"bad": error.message, "code": error.code, "details": error.details}
    except MemoryError:
        raise
    except Exception as error:  # readers of hostile files raise what they like
        return {"broke": f"{type(error).__name__}: {error}"[:500]}


def _tell(channel: socket.socket, told: dict[str, Any]) -> None:
    channel.sendall(json.dumps(told, default=str).encode() + b"\n")


def _alone() -> None:
    """Signals as a new process has them; what the readers print is for nobody."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)


def _bounded(memory: int, seconds: int, written: int) -> None:
    """The kernel's limits: address space beyond what is mapped by now, computing time, time by the clock, file size."""
    about = Path("/proc/self/statm")
    mapped = int(about.read_text().split()[0]) * resource.getpagesize() if about.exists() else 0
    resource.setrlimit(resource.RLIMIT_AS, (mapped + memory, mapped + memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (written, written))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.setitimer(signal.ITIMER_REAL, seconds)
