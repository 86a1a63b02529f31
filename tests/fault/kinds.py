"""Kinds of work that misbehave, for workers under test."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from gisgrid.errors import BadInput
from gisgrid.jobs import JobFiles, JobWork
from gisgrid.models import Progress


def steps(params: dict[str, Any], files: JobFiles, progress: Progress) -> dict[str, Any]:
    """Some steps with a pause each; every step is written down with the process that took it."""
    print("work may print what it likes")
    with Path(params["trace"]).open("a", buffering=1) as trace:
        for step in range(params["steps"]):
            trace.write(f"{os.getpid()}\n")
            progress(step / params["steps"], f"step {step}")
            time.sleep(params.get("pause", 0.05))
    (files.folder / "out.csv").write_bytes(files.input.read_bytes() if files.input else b"a,b\n1,2\n")
    return {"output": "out.csv", "steps": params["steps"]}


def deaf(params: dict[str, Any], files: JobFiles, progress: Progress) -> dict[str, Any]:
    """Holds the interpreter for ages inside C and never says how far it is; its child would outlive it."""
    child = subprocess.Popen(["sleep", "600"])
    Path(params["trace"]).write_text(f"{os.getpid()} {child.pid}")
    re.match(r"(a+)+$", "a" * 60 + "b")
    return {}


def dies_once(params: dict[str, Any], files: JobFiles, progress: Progress) -> dict[str, Any]:
    """As if the machine had run out of memory the first time."""
    mark = Path(params["trace"])
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"survived": True}


def refuses(params: dict[str, Any], files: JobFiles, progress: Progress) -> dict[str, Any]:
    """Finds fault with its input."""
    raise BadInput("row 3: lon='x' is no number", row=3)


def breaks(params: dict[str, Any], files: JobFiles, progress: Progress) -> dict[str, Any]:
    """Has a fault of its own."""
    raise ZeroDivisionError("a secret of the code")


def strays(params: dict[str, Any], files: JobFiles, progress: Progress) -> dict[str, Any]:
    """Names a file that is not its own."""
    return {"output": "../../../etc/passwd"}


def boasts(params: dict[str, Any], files: JobFiles, progress: Progress) -> dict[str, Any]:
    """Returns what belongs in a file."""
    return {"rows": ["x"] * 100_000}


WORK: dict[str, JobWork] = {
    work.__name__: work for work in (steps, deaf, dies_once, refuses, breaks, strays, boasts)
}  # fmt: skip
