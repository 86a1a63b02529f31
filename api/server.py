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
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from api.drawing.pool import drawers
from gisgrid.interrupts import aside, held
from gisgrid.limits import CONNECTIONS_MAX, SERVER_DEATHS_MAX
from gisgrid.settings import Settings

THREADS = 16
"""Threads of a process."""
LEAVE_SECONDS = 10
"""So long a process may take to answer the requests it has, once the server is to stop."""
AGAIN_SECONDS = 0.5
"""Pause before a process is started anew when another one just was."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def serve(host: str, port: int, processes: int, *, ready: Callable[[], None], level: str | None = None) -> None:
    """Serve until SIGINT or SIGTERM; ``ready`` is called once they are heeded, ``level`` is the log's.

    At SIGTERM ``/readyz`` says 503 at once, while requests are still taken for ``GISGRID_DRAIN_SECONDS``; then nothing
    new is taken, and what is being answered has `LEAVE_SECONDS` to end. A second signal ends the first wait.
    """
    settings = Settings.from_env()
    # many threads, few of them at work at once: see api.gate
    server = Granian(
        "api.wsgi:create", address=host, port=port, interface=Interfaces.WSGI, workers=processes,
        blocking_threads=THREADS, backpressure=CONNECTIONS_MAX, log_level=LogLevels.error,
        respawn_failed_workers=True, workers_kill_timeout=LEAVE_SECONDS,
    )  # fmt: skip
    server.on_startup(ready)
    _keep_up(server)
    _fork_deaf()
    try:
        with drawers(settings) as place, tempfile.TemporaryDirectory(prefix="gisgrid-serve-") as folder:
            shared = Path(folder)
            _signals_aside(server, shared / "leaving", settings.drain_seconds)
            server.serve(target_loader=functools.partial(_service, place, shared, level), wrap_loader=False)
    except SystemExit:
        if not server.interrupt_signal:  # a process that heard the signal before the server did is no failure
            raise
    finally:
        with held():
            for process in multiprocessing.active_children():  # none, unless the server was broken off
                process.kill()
                process.join()


def _signals_aside(server: Any, leaving: Path, drain: float) -> None:
    """Keep Granian's handlers from setting the very event that the code they break into is about to wait for.

    ``leaving``: file that tells the processes that the server is to stop.
    """
    reload = aside(server.signal_handler_reload)
    interrupt = aside(server.signal_handler_interrupt)
    later: list[threading.Timer] = []

    def stop(number: int = 0, *_: object) -> None:
        server.interrupt_signal = True  # at once: a process that hears the signal too may end first
        if number == signal.SIGTERM and drain > 0 and not later:
            leaving.touch()
            later.append(threading.Timer(drain, interrupt))
            later[0].daemon = True
            later[0].start()
        else:
            interrupt()

    server.signal_handler_interrupt, server.signal_handler_reload = stop, reload


def _keep_up(server: Any) -> None:
    """Have Granian start processes anew as often as they die.

    It would end the whole server when one dies twice within 5.5 seconds, as two kills for want of memory do. And of two
    that die in the same moment it may notice one: the other is looked for here. Only when they die that often within
    a minute (`SERVER_DEATHS_MAX`) is it the service itself that is at fault; then the server ends, for whoever keeps
    it up to see.
    """
    deaths: deque[float] = deque(maxlen=SERVER_DEATHS_MAX)
    respawn = server._respawn_workers

    def again(workers: list[int], *args: Any, **options: Any) -> None:
        now = time.monotonic()
        if deaths and now - deaths[-1] < AGAIN_SECONDS:
            time.sleep(AGAIN_SECONDS)
        deaths.append(time.monotonic())
        respawn(sorted(set(workers)), *args, **options)
        if len(deaths) < SERVER_DEATHS_MAX or now - deaths[0] > 60:
            server.respawned_wrks.clear()
        for process in server.wrks:
            if not process.is_alive() and process.idx not in server.interrupt_children:
                server.interrupt_children.append(process.idx)
                server.main_loop_interrupt.set()

    server._respawn_workers = again


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


def _service(drawers: Path | None, shared: Path, level: str | None) -> Any:
    """What a process serves; ``drawers``: socket of the processes that draw, ``shared``: folder of all processes."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # where processes are not forked
    from api.wsgi import create

    return create(drawers, shared, level)
