"""Tasks for drawers in tests: they take time, fail, die or grow on demand."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from gisgrid.errors import BadInput

TASKS = {
    name: f"tests.fault.drawings:{name}" for name in ("who", "slow", "wrong", "broken", "stuck", "grow", "echo")
} | {"held": "builtins:str"}
_kept: list[Any] = []


def who(held: Any, layers: Any, request: Any) -> int:
    """The drawer's number."""
    return os.getpid()


def slow(held: Any, layers: Any, request: float) -> int:
    """Works so many seconds."""
    time.sleep(request)
    return os.getpid()


def echo(held: Any, layers: Any, request: Any) -> Any:
    """What was sent."""
    return request


def wrong(held: Any, layers: Any, request: Any) -> None:
    """An order that cannot be."""
    raise BadInput("width=0: give 1 or more", code="bad_width", field="width")


def broken(held: Any, layers: Any, request: Any) -> None:
    """A fault of our own."""
    raise ZeroDivisionError("a fault in a drawer")


def stuck(held: Any, layers: Any, request: Any) -> None:
    """Compiled code that never ends and heeds no handler."""
    one = np.ones((3000, 3000))
    while True:
        one @ one


def grow(held: Any, layers: Any, request: int) -> int:
    """Holds on to so many bytes."""
    _kept.append(np.ones(request, dtype=np.uint8))
    return os.getpid()
