"""Children that read files: what their parent left lying about is not theirs to clear away."""

from __future__ import annotations

import gc
import os

import pytest

from data.bounded.calling import Limits, call
from data.bounded.tasks import TASKS


class Reader:
    """As readers with threads of their own are: taken down anywhere but where it was made, it ends the process."""

    def __init__(self) -> None:
        self.made_in = os.getpid()
        self.itself = self

    def __del__(self) -> None:
        if os.getpid() != self.made_in:
            os._exit(11)


def test_a_child_does_not_take_down_what_its_parent_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TASKS, "collect", lambda about: gc.collect())
    collecting = gc.isenabled()
    gc.disable()
    try:
        Reader()  # in a circle: only a collection finds it
        assert call("collect", Limits(1 << 30, 60, 1 << 20), about="nothing") >= 0
    finally:
        if collecting:
            gc.enable()
        gc.collect()
