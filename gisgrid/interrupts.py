"""Ctrl-C and SIGTERM kept out of code they must not break off.

Python raises in the main thread, between any two steps, whatever a signal's handler raises: amid a lock's book-keeping,
or between a process having started and somebody knowing of it. `held` puts a signal off until the block is left.
"""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_depth = 0


class Held:
    """The signals that came while they were held."""

    def __init__(self) -> None:
        self._came: list[int] = []

    def note(self, number: int, frame: FrameType | None) -> None:
        """The handler meanwhile."""
        self._came.append(number)

    @property
    def came(self) -> bool:
        """Whether one waits for the end of the block."""
        return bool(self._came)

    def take(self) -> bool:
        """Whether a Ctrl-C waits; it is the caller's now and is not delivered."""
        if signal.SIGINT not in self._came:
            return False
        self._came = [number for number in self._came if number != signal.SIGINT]
        return True

    def first(self) -> int | None:
        """The one to be delivered."""
        return self._came[0] if self._came else None


def holding() -> bool:
    """Whether the main thread is in a `held` block."""
    return _depth > 0


@contextmanager
def held() -> Iterator[Held]:
    """Ctrl-C and SIGTERM come at the end of the block, not within it.

    A signal nobody handles keeps its meaning, and outside the main thread no signal comes anyway.
    """
    global _depth
    signals = Held()
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    ours = [number for number, handler in before.items() if callable(handler)]
    try:
        _depth += 1
        for number in ours:
            signal.signal(number, signals.note)
        yield signals
    finally:
        _depth -= 1
        for number in reversed(ours):
            signal.signal(number, before[number])
        late = signals.first()
        handler = before.get(signal.Signals(late)) if late is not None else None
        if late is not None and callable(handler):
            handler(late, None)


def aside(act: Callable[[], object]) -> Callable[..., None]:
    """A signal handler that has something done by a thread of its own.

    A handler runs between any two steps of the main thread: were it to take a lock the main thread is just taking (as
    setting an event does that is just waited for), both would wait for ever. A `queue.SimpleQueue` may be put to
    within itself.
    """
    came: queue.SimpleQueue[None] = queue.SimpleQueue()

    def watch() -> None:
        while True:
            came.get()
            act()

    def note(*_: object) -> None:
        came.put(None)

    threading.Thread(target=watch, name="signals", daemon=True).start()
    return note
