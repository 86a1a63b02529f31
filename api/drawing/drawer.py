"""A drawer: takes orders from the socket it was given, one at a time, and answers them.

``python -m api.drawing.drawer FD PARENT REGISTRY SECONDS BYTES``; the server starts it (`api.drawing.pool`). An order
that takes too long ends the process, in whatever compiled code it is: the alarm's own way is not to ask.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from pathlib import Path

from api import logs
from api.catalogue import Catalogue
from api.drawing import wire
from api.drawing.tasks import Desk
from api.processes import end_with
from data import embedded
from data.db import make_engine
from gisgrid.limits import DATABASE_SECONDS_MAX, PICTURE_REQUEST_BYTES_MAX
from gisgrid.settings import Settings

ORDER_SECONDS = 10.0
"""So long an order may take to arrive, and an answer to be taken."""
log = logging.getLogger("gisgrid.drawer")


def main(fd: int, parent: int, registry: str, seconds: float, memory: int) -> None:
    """Serve until the parent is gone or the memory limit is passed."""
    end_with(parent, signal.SIGKILL)
    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server ends us
    settings = Settings.from_env()
    engine = make_engine(
        settings.database_url or embedded.cluster_at(settings.home).url, pool=2, patience=DATABASE_SECONDS_MAX
    )
    desk = Desk(engine, Catalogue(engine), registry)
    with socket.socket(fileno=fd) as listener:
        listener.setblocking(True)
        while _resident() < memory:
            channel, _ = listener.accept()
            with channel:
                _serve(channel, desk, seconds)
    engine.dispose()


def _serve(channel: socket.socket, desk: Desk, seconds: float) -> None:
    try:
        channel.settimeout(ORDER_SECONDS)
        wire.check_peer(channel)
        channel.sendall(wire.STARTED)
        task, request = wire.receive(channel, PICTURE_REQUEST_BYTES_MAX)
    except (wire.Gone, OSError) as error:
        log.info("an order was given up: %s", error)
        return
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        answer = True, desk.do(task, request)
    except Exception as error:
        answer = False, wire.fault(error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        wire.send(channel, answer)
    except OSError as error:
        log.info("nobody took the answer: %s", error)


def _resident() -> int:
    """Bytes of memory this process holds; 0 where that is not told."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


if __name__ == "__main__":
    logs.configure(Settings.from_env(), level="warning")
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], float(sys.argv[4]), int(sys.argv[5]))
