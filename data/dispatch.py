"""Sending what is queued for webhooks.

One thread looks for due deliveries twice a second; *lanes* send them, each a thread working for one webhook with a
connection of its own. A webhook has up to `WEBHOOK_LANES` lanes while it answers and one while it fails, and failing
webhooks together have at most half of all lanes: one that hangs holds nobody up.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import orjson
import requests
import sqlalchemy as sa

from data import deliveries
from data.deliveries import Delivery, Moment
from gisgrid import __version__
from gisgrid.actors import Actor, set_at_work
from gisgrid.limits import WEBHOOK_ANSWER_BYTES_MAX, WEBHOOK_LANES, WEBHOOK_LANES_TOTAL, WEBHOOK_SECONDS
from gisgrid.webhooks import key_of, next_wait, retry_after, signature

CONNECT_SECONDS = 5.0
LOOK_SECONDS = 0.5
LANE_SECONDS = 5.0
FAULT_CHARS = 200
Clock = Callable[[], dt.datetime]
log = logging.getLogger("gisgrid.webhooks")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one try. ``status`` is None when there was no answer; ``asked``: seconds by Retry-After."""

    status: int | None
    fault: str = ""
    asked: float | None = None

    @property
    def taken(self) -> bool:
        """Whether the receiver has the message."""
        return self.status is not None and 200 <= self.status < 300


def body_of(delivery: Delivery) -> bytes:
    """The message: ``{"type", "timestamp", "data"}``, the time being that of the event."""
    when = delivery.created_at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    return orjson.dumps({"type": delivery.event, "timestamp": when, "data": delivery.payload})


def session() -> requests.Session:
    """HTTP for one lane: connections are kept open; proxies and certificates come from the environment."""
    made = requests.Session()
    made.auth = lambda request: request  # credentials in ~/.netrc are not for receivers
    return made


def send(http: requests.Session, delivery: Delivery, *, seconds: float = WEBHOOK_SECONDS) -> Answer:
    """Send one message, signed; what came of it. Redirects are not followed and little of the answer is read."""
    body = body_of(delivery)
    timestamp = int(time.time())
    headers = {
        "content-type": "application/json",
        "user-agent": f"gisgrid/{__version__}",
        "webhook-id": delivery.message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature([key_of(one) for one in delivery.secrets], delivery.message, timestamp, body),
    }
    limits = (min(CONNECT_SECONDS, seconds), seconds)
    try:
        with http.post(
            delivery.url, data=body, headers=headers, timeout=limits, allow_redirects=False, stream=True
        ) as answer:
            return _judged(answer)
    except requests.RequestException as error:
        return Answer(None, _fault(error, seconds))


def _judged(answer: requests.Response) -> Answer:
    try:
        text = answer.raw.read(WEBHOOK_ANSWER_BYTES_MAX, decode_content=True) or b""
    except Exception:  # the status has come; what the body is worth shows in nothing
        text = b""
    if 200 <= answer.status_code < 300:
        return Answer(answer.status_code)
    said = " ".join("".join(c if c.isprintable() else " " for c in text.decode("utf-8", "replace")).split())
    asked = retry_after(answer.headers.get("retry-after"), dt.datetime.now(dt.UTC))
    return Answer(answer.status_code, f"{answer.reason or ''} {said}".strip()[:FAULT_CHARS], asked)


def _fault(error: requests.RequestException, seconds: float) -> str:
    """One short line; never the address, whose query may hold a key."""
    if isinstance(error, requests.Timeout):
        return f"no answer within {seconds:g} s"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror and not isinstance(cause, requests.RequestException):
            return cause.strerror[:FAULT_CHARS]
        cause = cause.__cause__ or cause.__context__
    told = {requests.exceptions.SSLError: "TLS failed", requests.ConnectionError: "the connection broke"}
    return next((text for kind, text in told.items() if isinstance(error, kind)), type(error).__name__)


class Dispatcher:
    """Sends until told to stop. Several in several processes share the work.

    ``clock`` stands in for the database's clock, which says what is due; ``random`` makes the jitter.
    """

    def __init__(
        self,
        engine: sa.Engine,
        waits: Sequence[float],
        *,
        clock: Clock | None = None,
        random: Random | None = None,
        seconds: float = WEBHOOK_SECONDS,
        look: float = LOOK_SECONDS,
    ) -> None:
        self._engine = engine
        self._waits = tuple(waits)
        self._clock = clock
        self._random = random or Random()
        self._seconds = seconds
        self._look = look
        self._stop = threading.Event()
        self._guard = threading.Lock()
        self._lanes: Counter[int] = Counter()
        self._opened: dict[int, float] = {}
        self._failing: set[int] = set()
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        """Begin sending."""
        self._thread.start()

    def stop(self, patience: float = 5.0) -> None:
        """Begin nothing new; what is being sent gets ``patience`` seconds, else it is sent again by the next sender."""
        self._stop.set()
        self._thread.join(patience)
        deadline = time.monotonic() + patience
        while self._lanes.total() and time.monotonic() < deadline:
            time.sleep(0.02)

    def _now(self) -> Moment:
        """The time in a transaction just begun; an index can be searched by it."""
        return sa.func.now() if self._clock is None else sa.literal(self._clock())

    def _after(self) -> Moment:
        """The time after a message was sent in the transaction."""
        return sa.func.clock_timestamp() if self._clock is None else sa.literal(self._clock())

    def _run(self) -> None:
        down = False
        while not self._stop.is_set():
            try:
                self._open_lanes()
                down = False
            except sa.exc.DBAPIError as error:
                if not down:
                    log.warning("webhooks wait for the database: %s", str(error.orig).splitlines()[0])
                down = True
            self._stop.wait(self._look)

    def _open_lanes(self) -> None:
        with self._engine.connect() as connection:
            found = deliveries.due(connection, self._now())
        turn = sorted(found, key=lambda webhook: self._opened.get(webhook, 0.0))  # who waited longest comes first
        for number in range(WEBHOOK_LANES):
            for webhook in turn:
                if found[webhook] > number and self._may_open(webhook, number):
                    threading.Thread(target=self._lane, args=(webhook,), name=f"webhook {webhook}", daemon=True).start()

    def _may_open(self, webhook: int, number: int) -> bool:
        """Count lane ``number`` of a webhook in, if it is not open and there is room for it."""
        with self._guard:
            if self._lanes[webhook] > number:
                return False
            failing = webhook in self._failing
            full = self._lanes[webhook] >= (1 if failing else WEBHOOK_LANES)
            stuck = sum(self._lanes[one] for one in self._failing)
            full = full or self._lanes.total() >= WEBHOOK_LANES_TOTAL
            if full or (failing and stuck >= WEBHOOK_LANES_TOTAL // 2):
                return False
            self._lanes[webhook] += 1
            self._opened[webhook] = time.monotonic()
            return True

    def _lane(self, webhook: int) -> None:
        """Send one delivery of the webhook after the other, until none is due or others should have a turn."""
        until = time.monotonic() + LANE_SECONDS
        set_at_work(Actor("worker", origin=f"webhook {webhook}"))
        try:
            with session() as http:
                while not self._stop.is_set() and time.monotonic() < until:
                    answer = self._next(http, webhook)
                    if answer is None:
                        break
                    with self._guard:
                        (self._failing.discard if answer.taken else self._failing.add)(webhook)
                        if not answer.taken and self._lanes[webhook] > 1:
                            break
        except sa.exc.DBAPIError as error:
            log.warning("a delivery is to be sent again: %s", str(error.orig).splitlines()[0])
        except Exception:
            log.exception("a lane of webhook %d ended", webhook)
        finally:
            with self._guard:
                self._lanes[webhook] -= 1

    def _next(self, http: requests.Session, webhook: int) -> Answer | None:
        """Claim, send and settle the next delivery; None when there is nothing to send."""
        with self._engine.begin() as connection:
            delivery = deliveries.claim(connection, webhook, self._now())
            if delivery is None:
                return None
            answer = send(http, delivery, seconds=self._seconds)
            self._settle(connection, delivery, answer)
            return answer

    def _settle(self, connection: sa.Connection, delivery: Delivery, answer: Answer) -> None:
        tried = delivery.attempts + 1
        if answer.taken and answer.status is not None:
            deliveries.delivered(connection, delivery, answer.status, self._after())
            return
        if answer.status == 410:
            deliveries.gone(connection, delivery, self._after())
            log.warning("webhook %s: 410 Gone; it is switched off", delivery.name)
            return
        wait = next_wait(self._waits, tried, answer.asked, self._random)
        deliveries.failed(connection, delivery, answer.status, answer.fault, wait, self._after())
        after = "given up" if wait is None else f"again in {wait:.0f} s"
        told = f"{answer.status or ''} {answer.fault}".strip()
        log.warning("webhook %s: %s of report %d failed (try %d: %s), %s", delivery.name, delivery.event,
                    delivery.report, tried, told, after)  # fmt: skip
