"""Bodies are received before they count as work: a client that sends slowly keeps nobody else waiting.

A thread that waits for a body can do nothing else. So bodies are received in front of the gate (`api.gate`) into a
file, by some of the threads only: whoever wants to send while all of these wait is told to come back, and questions
without a body always find a thread. A body slower than `BODY_BYTES_A_SECOND` is given up.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Final

from api.errors import error_response
from gisgrid.limits import BODIES_AT_ONCE, BODY_BYTES_A_SECOND, BODY_SECONDS_MIN, LOCATE_BODY_BYTES_MAX

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_CHUNK: Final = 1 << 16
_MEMORY_BYTES: Final = 1 << 20


class Intake:
    """An application that is handed whole bodies."""

    def __init__(
        self, app: WSGIApplication, *, at_once: int = BODIES_AT_ONCE, seconds: float = BODY_SECONDS_MIN
    ) -> None:
        self._app, self._seconds = app, seconds
        self._free = threading.BoundedSemaphore(at_once)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The application's answer; 503 when too many send, 408 when the body comes too slowly."""
        told = environ.get("CONTENT_LENGTH") or ""
        length = int(told) if told.isdigit() else None
        chunked = "HTTP_TRANSFER_ENCODING" in environ
        if not (length or chunked) or (length or 0) > LOCATE_BODY_BYTES_MAX:
            return self._app(environ, start_response)  # none, or one that is refused unread
        if not self._free.acquire(blocking=False):
            answer = error_response(503, "busy", "many are sending at this moment; try again in a moment")
            return answer(environ, start_response)
        # closed by whoever reads it last: the request's end drops it
        body = tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES)  # noqa: SIM115
        try:
            whole = self._received(environ["wsgi.input"], body, length)
        finally:
            self._free.release()
        if not whole:
            answer = error_response(408, "too_slow", "the body came too slowly or broke off; send it again")
            answer.headers["Connection"] = "close"
            return answer(environ, start_response)
        environ["CONTENT_LENGTH"] = str(body.tell())
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        body.seek(0)
        environ["wsgi.input"] = body
        return self._app(environ, start_response)

    def _received(self, source: IO[bytes], body: IO[bytes], length: int | None) -> bool:
        """Whether the whole body came in time, or so much that it will be refused for its length."""
        begun, got = time.monotonic(), 0
        wanted = LOCATE_BODY_BYTES_MAX + 1 if length is None else length
        while got < wanted:
            block = source.read(min(_CHUNK, wanted - got))
            if not block:
                break
            body.write(block)
            got += len(block)
            if time.monotonic() - begun > self._seconds + got / BODY_BYTES_A_SECOND:
                return False
        return length is None or got == length
