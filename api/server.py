"""The HTTP server of ``gisgrid serve`` and ``demo``: Granian, whose processes end when it is told to stop.

Granian's processes are forked from its main one with the main one's signal handlers, which note a wish to stop where
only the main process looks for it. Until such a process has loaded the service and set handlers of its own, a second
or more, it would not hear that it is to end, and Granian would wait for it without end.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from gisgrid.interrupts import held

THREADS = 16
"""Threads of a process."""
LEAVE_SECONDS = 10
"""So long a process may take to answer the requests it has, once the server is to stop."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def serve(host: str, port: int, processes: int, *, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM; ``ready`` is called once they are heeded."""
    # many threads, few of them at work at once: see api.gate
    server = Granian(
        "api.wsgi:create", address=host, port=port, interface=Interfaces.WSGI, workers=processes,
        blocking_threads=THREADS, backpressure=2 * THREADS, log_level=LogLevels.error,
        respawn_failed_workers=True, workers_kill_timeout=LEAVE_SECONDS,
    )  # fmt: skip
    server.on_startup(ready)
    _fork_deaf()
    try:
        server.serve(target_loader=_service, wrap_loader=False)
    except SystemExit:
        if not server.interrupt_signal:  # a process that heard the signal before the server did is no failure
            raise
    finally:
        with held():
            for process in multiprocessing.active_children():  # none, unless the server was broken off
                process.kill()
                process.join()


@functools.cache
def _fork_deaf() -> None:
    """Have forked processes end at SIGTERM from their first moment, and leave Ctrl-C to the one that forked them."""
    if sys.platform != "win32":
        os.register_at_fork(before=_wait, after_in_parent=_go_on, after_in_child=_leave_at_sigterm)


def _wait() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


def _go_on() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _leave_at_sigterm() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])


def _service() -> Any:
    """What a process serves."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # where processes are not forked
    from api.wsgi import create

    return create()
