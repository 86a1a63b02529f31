"""The drawers of a server: as many processes as set, on one socket; one that ends is started again.

The socket belongs to the server's main process, so orders that wait in it outlive any drawer.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.drawing.tasks import REGISTRY
from gisgrid.interrupts import held
from gisgrid.limits import (
    DRAWER_AGAIN_SECONDS_MAX,
    DRAWER_MEMORY_MAX,
    DRAWER_PATH_BYTES_MAX,
    PICTURE_SECONDS_MAX,
    PICTURES_WAITING_MAX,
)
from gisgrid.settings import Settings

AGAIN_SECONDS = 0.1
"""Before a drawer that ended is started again; longer when it ended early, time after time."""
EARLY_SECONDS = 5.0
log = logging.getLogger("gisgrid.drawers")


@contextmanager
def drawers(
    settings: Settings, *, registry: str = REGISTRY, seconds: float = PICTURE_SECONDS_MAX,
    memory: int = DRAWER_MEMORY_MAX, waiting: int = PICTURES_WAITING_MAX,
) -> Iterator[Path | None]:  # fmt: skip
    """Have the drawers the settings ask for; the path of their socket, None when there are none.

    ``seconds``: limit of one picture; ``memory``: limit of a drawer in bytes; ``waiting``: orders that may wait.
    """
    if settings.drawers == 0 or not hasattr(socket, "AF_UNIX"):
        yield None
        return
    with _listener(settings.home, waiting) as (listener, path):
        command = [
            sys.executable, "-m", "api.drawing.drawer", str(listener.fileno()), str(os.getpid()), registry,
            str(seconds), str(memory),
        ]  # fmt: skip
        keepers = [_Keeper(command, listener.fileno()) for _ in range(settings.drawers)]
        try:
            with held():  # no process that nobody knows of
                for keeper in keepers:
                    keeper.start()
            yield path
        finally:
            with held():
                for keeper in keepers:
                    keeper.stop()


@contextmanager
def _listener(home: Path, waiting: int) -> Iterator[tuple[socket.socket, Path]]:
    """A listening socket only this account can reach."""
    folder, made = home / "run", None
    path = folder / f"drawing-{os.getpid()}.sock"
    if len(os.fsencode(path)) > DRAWER_PATH_BYTES_MAX:
        made = Path(tempfile.mkdtemp(prefix="gisgrid-"))
        path = made / "drawing.sock"
    else:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        path.unlink(missing_ok=True)  # of a server of the same number that was killed
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        try:
            before = os.umask(0o177)
            try:
                listener.bind(str(path))
            finally:
                os.umask(before)
            listener.listen(waiting)
            yield listener, path
        finally:
            path.unlink(missing_ok=True)
            if made is not None:
                shutil.rmtree(made, ignore_errors=True)


class _Keeper:
    """Keeps one drawer running."""

    def __init__(self, command: list[str], fd: int) -> None:
        self._command, self._fd = command, fd
        self._stop, self._guard = threading.Event(), threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and again whenever it ends."""
        self._begin()
        threading.Thread(target=self._keep, name="drawer", daemon=True).start()

    def stop(self) -> None:
        """End it; it has nothing to clear up."""
        with self._guard:
            self._stop.set()
            if self._process is not None:
                self._process.kill()
                self._process.wait()

    def _begin(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[self._fd],
            start_new_session=True,
        )  # fmt: skip

    def _keep(self) -> None:
        again = AGAIN_SECONDS
        while self._process is not None:
            begun = time.monotonic()
            code = self._process.wait()
            early = time.monotonic() - begun < EARLY_SECONDS
            again = min(again * 2, DRAWER_AGAIN_SECONDS_MAX) if early else AGAIN_SECONDS
            if self._stop.wait(again):
                return
            with self._guard:
                if self._stop.is_set():
                    return
                log.warning("a drawer ended (%s); it is started again", code)
                self._begin()
