"""A handler set aside takes no lock, so it may break into the code that holds one."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from gisgrid.interrupts import aside


def test_a_signal_amid_the_wait_for_its_own_event_does_not_lock_up() -> None:
    event, handled = threading.Event(), []

    def act() -> None:
        handled.append(threading.current_thread().name)
        event.set()

    note = aside(act)
    with event._cond:  # what `Event.set` takes: the main thread is within `Event.wait`
        note(signal.SIGINT, None)
        note(signal.SIGINT, None)
    assert event.wait(5.0)
    deadline = time.monotonic() + 5.0
    while len(handled) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert handled == ["signals", "signals"]


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="no such signal")
def test_a_real_signal_is_handled_elsewhere() -> None:
    done = threading.Event()
    before = signal.signal(signal.SIGUSR1, aside(done.set))
    try:
        signal.raise_signal(signal.SIGUSR1)
        assert done.wait(5.0)
    finally:
        signal.signal(signal.SIGUSR1, before)
