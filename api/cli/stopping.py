"""Ctrl-C and SIGTERM end a command, whatever they broke into.

What a handler raises may be swallowed: by a library that tries an import and takes any failure for an answer, by a
callback out of compiled code, by the end of an object. So it is looked again: as long as nobody is at work clearing up
after it, it is raised once more. What clears up is left in peace, by a second Ctrl-C too, unless it takes too long.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from gisgrid import interrupts

LOOK_SECONDS: Final = 0.5
PATIENCE: Final = 45.0
"""So long one piece of clearing up may take before it is broken off, for the next piece to have its turn."""
EXIT_SECONDS: Final = 10.0
"""So long the interpreter may take to end once everything is cleared up."""
_HEEDED: Final = (signal.SIGINT, signal.SIGTERM)


class Terminated(SystemExit):
    """A polite end: what is half done is cleared away on the way out."""


_asked: int | None = None
_raised = 0.0
_before: dict[int, Any] = {}
_hook: Callable[[Any], Any] = sys.unraisablehook


def heed() -> None:
    """Have Ctrl-C and SIGTERM end this command; a signal that has another handler is left alone."""
    global _asked
    if threading.current_thread() is not threading.main_thread():
        return
    _asked = None
    _before.clear()
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
        if signal.getsignal(number) == usual:
            _before[number] = signal.signal(number, _ask)
    sys.unraisablehook = _unraisable


def check() -> None:
    """Raise again what was swallowed."""
    if _asked is not None:
        _raise()


def asked(error: BaseException | None = None) -> int | None:
    """The signal that ends this command, or began the trouble: undoing a half-sent statement may fail in its turn."""
    return signal.SIGINT if _asked is None and _stops(error, KeyboardInterrupt) else _asked


def finish(code: int, *, process: bool) -> None:
    """Everything is cleared up. With ``process`` the process ends now, and no thread left behind keeps it."""
    sys.unraisablehook = _hook
    if threading.current_thread() is not threading.main_thread():
        return
    signal.setitimer(signal.ITIMER_REAL, 0)
    exec("")  # Python remembers a Ctrl-C amid exec("…") even if it was caught, and would end by the signal: forget it
    if not process:
        for number, handler in _before.items():
            signal.signal(number, handler)
    elif _asked is not None:
        for number in _HEEDED:
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, lambda number, frame: os._exit(code))
        signal.setitimer(signal.ITIMER_REAL, EXIT_SECONDS)
    else:
        for number in _before:
            signal.signal(number, lambda number, frame: os._exit(code))
        # at the very end Python would give signals their usual meaning again, and one more would end us by itself
        atexit.register(_ignore)


def _ignore() -> None:
    for number in _HEEDED:
        signal.signal(number, signal.SIG_IGN)


def _ask(number: int, frame: FrameType | None) -> None:
    global _asked
    if _asked is not None:
        _look(number, frame)
        return
    _asked = number
    signal.signal(signal.SIGALRM, _look)
    signal.setitimer(signal.ITIMER_REAL, LOOK_SECONDS, LOOK_SECONDS)
    _raise()


def _look(number: int, frame: FrameType | None) -> None:
    """Whether anybody heard; raise again if not."""
    clearing = _stops(sys.exception(), KeyboardInterrupt, Terminated, GeneratorExit)
    if not interrupts.holding() and (not clearing or time.monotonic() - _raised > PATIENCE):
        _raise()


def _raise() -> None:
    global _raised
    _raised = time.monotonic()
    if _asked == signal.SIGINT:
        raise KeyboardInterrupt
    raise Terminated(128 + (_asked or 0))


def _stops(error: BaseException | None, *kinds: type[BaseException]) -> bool:
    while error is not None:
        if isinstance(error, kinds):
            return True
        error = error.__cause__ or error.__context__
    return False


def _unraisable(found: Any) -> None:
    """Python tells of what it has to swallow; of ours there is nothing to tell, it is raised again."""
    if _asked is None or not _stops(found.exc_value, KeyboardInterrupt, Terminated):
        _hook(found)
