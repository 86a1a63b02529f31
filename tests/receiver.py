"""A real HTTP receiver of webhooks: it checks signatures with the specification's own library and keeps everything."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Reply:
    """What the receiver does with a message: ``status`` None closes the connection without an answer."""

    status: int | None = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0


@dataclass(frozen=True)
class Got:
    """One message that came in, signature checked."""

    id: str
    body: dict[str, Any]
    status: int | None
    at: float

    @property
    def report(self) -> int:
        return int(self.body["data"]["report"])

    @property
    def number(self) -> int:
        return int(self.body["data"]["n"])


Answers = Callable[[dict[str, Any]], Reply]


class Receiver:
    """Listens on a port of its own while used as a context; ``got`` has the messages in the order they came."""

    def __init__(self, answers: Answers = lambda body: Reply()) -> None:
        self.answers = answers
        self.secret = ""
        self.got: list[Got] = []
        self.faults: list[str] = []
        self.busy: Counter[str] = Counter()
        self._guard = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                outer._take(self)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook?key=s3cret"

    def __enter__(self) -> Receiver:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _take(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers["content-length"])
        raw = handler.rfile.read(length)
        if len(raw) < length:  # the sender was killed before it had sent all of it: nobody got anything
            handler.close_connection = True
            return
        try:
            body = Webhook(self.secret).verify(raw, dict(handler.headers))
        except Exception as error:
            self.faults.append(f"{type(error).__name__}: {error}")
            body = {"data": {"report": 0, "n": 0}}
        key = handler.headers["webhook-id"]
        with self._guard:
            self.busy[key] += 1
            if self.busy[key] > 1:
                self.faults.append(f"{key} came twice at once")
            reply = self.answers(body)
            self.got.append(Got(key, body, reply.status, time.monotonic()))
            if reply.status is None:  # the sender stops waiting before we do
                self.busy[key] -= 1
        time.sleep(reply.seconds)
        if reply.status is not None:
            with self._guard:
                self.busy[key] -= 1
        if reply.status is None:
            handler.close_connection = True
            return
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(reply.body)))
        handler.end_headers()
        handler.wfile.write(reply.body)

    def wait(self, enough: Callable[[], bool], seconds: float = 90.0) -> None:
        """Until enough has come. Fails when that takes too long."""
        deadline = time.monotonic() + seconds
        while not enough():
            assert time.monotonic() < deadline, f"{len(self.got)} messages came; faults: {self.faults[:3]}"
            time.sleep(0.02)

    def taken(self) -> list[Got]:
        """Messages answered with 2xx, repeats included."""
        return [one for one in self.got if one.status is not None and 200 <= one.status < 300]

    def assert_in_order(self) -> None:
        """No report's event was tried before the one before it was taken, and none twice at the same time."""
        assert not self.faults, self.faults[:5]
        tried: dict[int, list[Got]] = defaultdict(list)
        for one in list(self.got):
            tried[one.report].append(one)
        for report, ones in tried.items():
            numbers = [one.number for one in ones]
            assert numbers == sorted(numbers), f"report {report}: {numbers}"
            taken = {one.number for one in ones if one.status is not None and 200 <= one.status < 300}
            assert set(numbers[:-1]) - {numbers[-1]} <= taken, f"report {report}: passed over one not taken"


def moody(seed: int, *, failing: float, hanging: float = 0.0, slow: float = 0.0) -> Answers:
    """A receiver that ``failing`` of the time answers 500 or 503, hangs up, or keeps still for ``hanging`` seconds."""
    rng = random.Random(seed)

    def answer(body: dict[str, Any]) -> Reply:
        if rng.random() >= failing:
            return Reply(seconds=slow * rng.random())
        return rng.choice([Reply(500, body=b"oh\x07 no"), Reply(503), Reply(None), Reply(None, seconds=hanging)])

    return answer
