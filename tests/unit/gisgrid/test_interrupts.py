"""Signals put off until a block is left."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from gisgrid.interrupts import held, holding


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not holding()
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_comes_at_the_end_of_the_outermost_block() -> None:
    steps = []

    def work() -> None:
        with held() as outer:
            with held():
                signal.raise_signal(signal.SIGINT)
                steps.append("inner")
            steps.append("outer")
            assert outer.came

    with pytest.raises(KeyboardInterrupt):
        work()
    assert steps == ["inner", "outer"]


def test_a_taken_ctrl_c_does_not_come() -> None:
    with held() as signals:
        assert not signals.take()
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert signals.take()
        assert not signals.came


def test_an_error_of_the_block_is_told_with_ctrl_c() -> None:
    def work() -> None:
        with held():
            signal.raise_signal(signal.SIGINT)
            raise ValueError

    with pytest.raises(KeyboardInterrupt) as stop:
        work()
    assert isinstance(stop.value.__context__, ValueError)


def test_other_threads_change_nothing() -> None:
    seen = []

    def work() -> None:
        with held() as signals:
            seen.append((signal.getsignal(signal.SIGINT), holding(), signals.came))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(signal.default_int_handler, False, False)]


def test_a_signal_nobody_handles_keeps_its_meaning() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with held():
            assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
