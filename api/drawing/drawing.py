"""Pictures for the views: drawn by the drawers when the server has some, else in this process."""

from __future__ import annotations

import logging
import socket
import threading
import time
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from api.catalogue import Catalogue
from api.drawing import wire
from api.drawing.tasks import REGISTRY, Desk
from gisgrid.errors import Broken, GisgridError
from gisgrid.limits import PICTURE_BYTES_MAX, PICTURE_SECONDS_MAX

WAIT_SECONDS: Final = 20.0
"""So long a picture may wait to be begun."""
TRIES: Final = 2
"""A picture whose drawer dies is drawn once more."""
AT_ONCE: Final = 2
"""Pictures drawn at one time in a process without drawers."""
BUSY: Final = "too many pictures are being drawn; try again in a moment"
log = logging.getLogger("gisgrid.drawing")


class Drawing:
    """Draws pictures; shared by the threads of a process."""

    def __init__(
        self, engine: sa.Engine, catalogue: Catalogue, socket_path: Path | None = None, *, registry: str = REGISTRY,
        seconds: float = PICTURE_SECONDS_MAX, wait: float = WAIT_SECONDS,
    ) -> None:  # fmt: skip
        """``socket_path``: where the drawers listen; None: draw here."""
        self._path, self._seconds, self._wait = socket_path, seconds, wait
        self._desk = Desk(engine, catalogue, registry)
        self._free = threading.BoundedSemaphore(AT_ONCE)

    def picture(self, request: Any) -> bytes:
        """The picture of a `layers.wms.picture.PictureRequest` as a file's bytes.

        Raises what drawing raises, BadInput or Broken: 503 with the code ``busy`` when too many pictures wait.
        """
        drawn: bytes = self.do("picture", request)
        return drawn

    def found(self, request: Any) -> list[list[Any]]:
        """Keys of the features at the pixel of a `layers.wms.picture.FindRequest`, by part."""
        keys: list[list[Any]] = self.do("found", request)
        return keys

    def do(self, task: str, request: Any) -> Any:
        """Do one of `api.drawing.tasks.TASKS`."""
        if self._path is None:
            return self._here(task, request)
        for left in reversed(range(TRIES)):
            begun = time.monotonic()
            try:
                return self._ordered(self._path, task, request)
            except (wire.Gone, ConnectionError) as error:
                if time.monotonic() - begun >= self._seconds:
                    break
                if not left:
                    raise Broken(
                        "the drawing process failed on this picture; ask for less of it", code="not_drawn"
                    ) from error
                log.warning("a drawer was lost: %s; the picture is drawn again", error)
        raise Broken(f"the picture takes more than {self._seconds:.0f} s; ask for a smaller part or fewer layers",
                     code="too_slow")  # fmt: skip

    def _here(self, task: str, request: Any) -> Any:
        if not self._free.acquire(timeout=self._wait):
            raise Broken(BUSY, code="busy", retry_after=1)
        try:
            return self._desk.do(task, request)
        finally:
            self._free.release()

    def _ordered(self, path: Path, task: str, request: Any) -> Any:
        """The answer of a drawer. Raises Gone or ConnectionError when it was lost."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.setblocking(False)
            try:
                channel.connect(str(path))
            except BlockingIOError:  # as many wait as may
                raise Broken(BUSY, code="busy", retry_after=1) from None
            except FileNotFoundError as error:
                raise Broken("the drawing processes are gone; restart the service", code="not_drawn") from error
            channel.settimeout(self._wait)
            wire.check_peer(channel)
            try:
                if channel.recv(1) != wire.STARTED:
                    raise wire.Gone("the drawer closed")
            except TimeoutError:
                raise Broken(BUSY, code="busy", retry_after=1) from None
            channel.settimeout(self._seconds + 5.0)  # the drawer's own limit comes first
            try:
                wire.send(channel, (task, request))
                done, answer = wire.receive(channel, PICTURE_BYTES_MAX)
            except TimeoutError as error:
                raise wire.Gone("no answer") from error
        if done:
            return answer
        if isinstance(answer, GisgridError):
            raise answer
        raise RuntimeError(f"a drawer failed:\n{answer}")
