"""Deliveries against a real receiver: in order, signed, again after failures, nobody held up, nothing lost."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from data import deliveries, webhooks
from data import tables as t
from data.dispatch import Dispatcher
from gisgrid.errors import BadInput, Conflict, NotFound
from tests.receiver import Receiver, Reply, moody

pytestmark = pytest.mark.postgis
WAITS = (10.0, 100.0, 1000.0)
POINT = "SRID=4490;POINT(112.8 35.5)"
d = t.webhook_deliveries.c


class Clock:
    """The time, moved by hand; it begins an hour ahead so that everything queued is due."""

    def __init__(self) -> None:
        self.now = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)

    def __call__(self) -> dt.datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


Hook = Callable[..., str]


@pytest.fixture
def hook(engine: sa.Engine) -> Hook:
    def add(name: str, receiver: Receiver, **options: Any) -> str:
        with engine.begin() as connection:
            receiver.secret = webhooks.add(connection, name, receiver.url, **options)
        return receiver.secret

    return add


def queue(engine: sa.Engine, reports: int, events: int, *, place: str = "") -> None:
    """Events 0, 1, 2 … of every report, in one transaction each."""
    for n in range(events):
        with engine.begin() as connection:
            for report in range(1, reports + 1):
                webhooks.queue_event(connection, webhooks.EVENTS[0], report, {"report": report, "n": n}, place=place)


@contextmanager
def sending(
    engine: sa.Engine, clock: Clock | None = None, *, seconds: float = 2.0, waits: tuple[float, ...] = WAITS
) -> Iterator[Dispatcher]:
    made = Dispatcher(engine, waits, clock=clock, random=Random(1), seconds=seconds, look=0.02)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def rows(engine: sa.Engine, state: str | None = None) -> list[Any]:
    query = sa.select(t.webhook_deliveries).order_by(d.id)
    with engine.connect() as connection:
        return list(connection.execute(query if state is None else query.where(d.state == state)))


def until(done: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.02)


def test_an_event_is_sent_once_signed_within_about_a_second(engine: sa.Engine, hook: Hook) -> None:
    with Receiver() as receiver, sending(engine):
        hook("dispatch", receiver)
        begun = time.monotonic()
        queue(engine, 1, 1)
        receiver.wait(lambda: len(receiver.got) == 1)
        assert time.monotonic() - begun < 10
        until(lambda: len(rows(engine, "delivered")) == 1)
    (row,) = rows(engine)
    assert (row.attempts, row.answer_status, row.fault) == (1, 204, "")
    (got,) = receiver.got
    assert got.body["type"] == "report.created"
    assert got.body["data"] == {"report": 1, "n": 0}
    assert dt.datetime.fromisoformat(got.body["timestamp"]) == row.created_at
    receiver.assert_in_order()


def test_an_event_of_a_transaction_undone_is_never_told(engine: sa.Engine, hook: Hook) -> None:
    with Receiver() as receiver, sending(engine):
        hook("dispatch", receiver)
        with engine.connect() as connection:
            assert webhooks.queue_event(connection, "report.created", 1, {"report": 1, "n": 0}) == 1
            connection.rollback()
        queue(engine, 1, 1)
        receiver.wait(lambda: len(receiver.got) == 1)
        time.sleep(0.2)
    assert len(receiver.got) == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_order_holds_and_nothing_is_lost_whatever_the_receiver_does(engine: sa.Engine, hook: Hook, seed: int) -> None:
    clock = Clock()
    reports, events = 12, 6
    second = sa.create_engine(engine.url, pool_size=8, max_overflow=8)
    with Receiver(moody(seed, failing=0.35, hanging=0.4, slow=0.01)) as receiver:
        hook("dispatch", receiver)
        queue(engine, reports, events)
        # two senders, as two workers would be
        with (
            sending(engine, clock, seconds=0.3, waits=(5.0,) * 60),
            sending(second, clock, seconds=0.3, waits=(5.0,) * 60),
        ):
            until(lambda: (clock.move(2.0), not rows(engine, "waiting"))[1], 120)  # type: ignore[func-returns-value]
    second.dispose()
    assert len(rows(engine, "delivered")) == reports * events
    receiver.assert_in_order()
    taken = {(one.report, one.number) for one in receiver.taken()}
    assert taken == {(report, n) for report in range(1, reports + 1) for n in range(events)}
    assert len({one.id for one in receiver.got}) == reports * events, "a repeat has the id of what it repeats"
    assert len(receiver.got) > reports * events, "the receiver did fail"


def test_waits_grow_and_then_it_is_given_up_and_the_next_may_go(engine: sa.Engine, hook: Hook) -> None:
    clock = Clock()
    with Receiver(lambda body: Reply(500 if body["data"]["n"] == 0 else 204)) as receiver, sending(engine, clock):
        hook("dispatch", receiver)
        queue(engine, 1, 2)
        for tries, wait in enumerate(WAITS, start=1):
            until(lambda tries=tries: rows(engine)[0].attempts == tries)  # type: ignore[misc]
            ahead = (rows(engine)[0].next_at - clock()).total_seconds()
            assert wait <= ahead <= wait * 1.25
            clock.move(wait - 1)
            time.sleep(0.15)
            assert len(receiver.got) == tries, "not before its time, and nothing passes it"
            clock.move(wait * 0.25 + 1)
        until(lambda: [row.state for row in rows(engine)] == ["given_up", "delivered"])
        first = rows(engine)[0]
        assert (first.attempts, first.answer_status) == (len(WAITS) + 1, 500)
        assert first.fault.startswith("Internal Server Error")
        with engine.begin() as connection:
            receiver.answers = lambda body: Reply()
            assert deliveries.retry(connection, "dispatch") == 1
        until(lambda: not rows(engine, "waiting"))
    assert [one.number for one in receiver.got] == [0] * 4 + [1, 0]


def test_retried_deliveries_go_out_in_their_old_order(engine: sa.Engine, hook: Hook) -> None:
    clock = Clock()
    with Receiver(lambda body: Reply(404)) as receiver, sending(engine, clock, waits=()):
        hook("dispatch", receiver)
        queue(engine, 2, 4)
        until(lambda: len(rows(engine, "given_up")) == 8)
        receiver.got.clear()
        receiver.answers = lambda body: Reply()
        with engine.begin() as connection:
            assert deliveries.retry(connection, "dispatch", only=[row.id for row in rows(engine)[::2]]) == 4
            assert deliveries.retry(connection, "dispatch") == 4
        until(lambda: len(rows(engine, "delivered")) == 8)
    receiver.assert_in_order()
    assert all([one.number for one in receiver.got if one.report == report] == [0, 1, 2, 3] for report in (1, 2))


def test_retry_after_is_honoured(engine: sa.Engine, hook: Hook) -> None:
    clock = Clock()
    with Receiver(lambda body: Reply(503, {"Retry-After": "5000"})) as receiver, sending(engine, clock):
        hook("dispatch", receiver)
        queue(engine, 1, 1)
        until(lambda: rows(engine)[0].attempts == 1)
    assert (rows(engine)[0].next_at - clock()).total_seconds() == 5000


def test_a_webhook_that_hangs_or_fails_holds_nobody_up(engine: sa.Engine, hook: Hook) -> None:
    with (
        Receiver(lambda body: Reply(seconds=3)) as hanging,
        Receiver(lambda body: Reply(500)) as failing,
        Receiver() as well,
    ):
        for number in range(4):
            hook(f"hangs{number}", hanging)
        hook("fails", failing)
        queue(engine, 40, 1)
        with sending(engine, seconds=1.0):
            until(lambda: len(failing.got) > 10)
            hook("well", well)
            begun = time.monotonic()
            queue(engine, 100, 2)
            well.wait(lambda: len(well.taken()) == 200, 40)
            assert time.monotonic() - begun < 40  # one after the other they would take minutes
    well.assert_in_order()


def test_gone_switches_the_webhook_off_and_resume_sends_what_waits(engine: sa.Engine, hook: Hook) -> None:
    with Receiver(lambda body: Reply(410)) as receiver, sending(engine):
        hook("dispatch", receiver)
        with engine.begin() as connection:  # all three before the answer to the first
            for n in range(3):
                webhooks.queue_event(connection, webhooks.EVENTS[0], 1, {"report": 1, "n": n}, place="")
        until(lambda: rows(engine)[0].attempts == 1)
        time.sleep(0.2)
        assert len(receiver.got) == 1
        queue(engine, 1, 1)
        with engine.begin() as connection:
            assert webhooks.listing(connection)[0]["active"] is False
            receiver.answers = lambda body: Reply()
            assert webhooks.resume(connection, "dispatch") == 3, "what happened while it was gone was not queued"
        until(lambda: len(rows(engine, "delivered")) == 3)
    receiver.assert_in_order()


def test_a_pause_queues_and_resume_sends(engine: sa.Engine, hook: Hook) -> None:
    with Receiver() as receiver, sending(engine):
        hook("dispatch", receiver)
        with engine.begin() as connection:
            webhooks.pause(connection, "dispatch")
        queue(engine, 2, 2)
        time.sleep(0.3)
        assert not receiver.got
        with engine.begin() as connection:
            assert webhooks.resume(connection, "dispatch") == 4
        until(lambda: len(rows(engine, "delivered")) == 4)
    receiver.assert_in_order()


def test_redirects_are_not_followed_and_answers_are_cut(engine: sa.Engine, hook: Hook) -> None:
    with Receiver() as elsewhere, Receiver() as receiver, sending(engine):
        receiver.answers = lambda body: Reply(302, {"Location": elsewhere.url}, b"x" * 5_000_000)
        hook("dispatch", receiver)
        queue(engine, 1, 1)
        until(lambda: rows(engine)[0].attempts == 1)
    assert not elsewhere.got
    row = rows(engine)[0]
    assert row.answer_status == 302
    assert len(row.fault) <= 200


def test_faults_are_short_and_never_show_the_address(engine: sa.Engine) -> None:
    told = {}
    with Receiver() as closed:
        refused = closed.url
    with engine.begin() as connection:
        webhooks.add(connection, "refused", refused)
        webhooks.add(connection, "unknown", "https://no-such-host.invalid/hook?key=s3cret")
        with Receiver() as plain:
            webhooks.add(connection, "plain", plain.url.replace("http:", "https:"))
    with (
        Receiver(lambda body: Reply(None)) as broken,
        Receiver(lambda body: Reply(500, body=b"\x1b[31m\xff no\r\n" * 99)) as noisy,
    ):
        for name, receiver in (("broken", broken), ("noisy", noisy)):
            with engine.begin() as connection:
                receiver.secret = webhooks.add(connection, name, receiver.url)
        queue(engine, 1, 1)
        with sending(engine):
            until(lambda: all(row.attempts for row in rows(engine)))
    with engine.connect() as connection:
        told = {row["webhook"]: row["fault"] for row in deliveries.listing(connection)}
    assert told["refused"] == "Connection refused"
    assert all(
        fault and len(fault) <= 200 and fault.isprintable() and "s3cret" not in fault for fault in told.values()
    ), told


def test_events_reach_only_those_who_want_them(engine: sa.Engine, hook: Hook) -> None:
    with Receiver() as receiver:
        hook("all", receiver)
        hook("moved", receiver, events=["report.moved"])
        hook("here", receiver, area="140502001")
    with engine.begin() as connection:
        assert webhooks.queue_event(connection, "report.created", 1, {}, place="140502001001001") == 2
        assert webhooks.queue_event(connection, "report.moved", 1, {}, place="370811001001001") == 2
        assert webhooks.queue_event(connection, "report.created", 1, {}) == 1
        with pytest.raises(BadInput, match=r"report\.lost"):
            webhooks.queue_event(connection, "report.lost", 1, {})


def test_numbers_of_one_report_follow_the_order_of_commits(engine: sa.Engine, hook: Hook) -> None:
    """A transaction that queued first but commits last would otherwise be overtaken, or overtake."""
    with Receiver() as receiver:
        hook("dispatch", receiver)
    values = {"source": "s", "report_id": "r1", "reported_at": dt.datetime.now(dt.UTC), "geometry": POINT}
    with engine.begin() as connection:
        report = connection.scalar(sa.insert(t.reports).values(values).returning(t.reports.c.id))
    late = threading.Event()

    def other() -> None:
        with engine.begin() as connection:
            webhooks.queue_event(connection, "report.updated", report, {"n": 1})
        late.set()

    with engine.begin() as connection:
        webhooks.queue_event(connection, "report.updated", report, {"n": 0})
        thread = threading.Thread(target=other)
        thread.start()
        assert not late.wait(0.3), "the second waits for the first"
    thread.join(5)
    assert [row.payload["n"] for row in rows(engine)] == [0, 1]


def test_a_key_being_replaced_signs_beside_the_old_one(engine: sa.Engine, hook: Hook) -> None:
    with Receiver() as receiver, sending(engine):
        old = hook("dispatch", receiver)
        with engine.begin() as connection:
            new = webhooks.rotate(connection, "dispatch")
        queue(engine, 1, 1)
        receiver.wait(lambda: len(receiver.got) == 1)
        receiver.secret = new
        queue(engine, 1, 2)
        receiver.wait(lambda: len(receiver.got) == 3)
        assert not receiver.faults
        with engine.begin() as connection:
            assert webhooks.rotate(connection, "dispatch", drop_old=True) == new
        receiver.secret = old
        queue(engine, 1, 1)
        receiver.wait(lambda: len(receiver.got) == 4)
    assert len(receiver.faults) == 1, "the old key signs no longer"


def test_names_are_kept_apart_and_removal_is_not_by_accident(engine: sa.Engine, hook: Hook) -> None:
    with Receiver() as receiver:
        hook("dispatch", receiver)
        with pytest.raises(Conflict, match="already"):
            hook("dispatch", receiver)
        for bad in ("", "a b", "x" * 61, "a\n"):
            with pytest.raises(BadInput, match="name"):
                hook(bad, receiver)
        with pytest.raises(BadInput, match="area"):
            hook("other", receiver, area="14%")
        with pytest.raises(BadInput, match=r"report\.lost"):
            hook("other", receiver, events=["report.lost"])
    queue(engine, 1, 2)
    with engine.begin() as connection:
        assert "secret" not in webhooks.listing(connection)[0]
        with pytest.raises(Conflict, match="2 deliveries"):
            webhooks.remove(connection, "dispatch")
        assert webhooks.remove(connection, "dispatch", force=True) == 2
        with pytest.raises(NotFound):
            webhooks.find(connection, "dispatch")
    assert rows(engine) == []


def test_old_deliveries_are_swept_and_waiting_ones_stay(engine: sa.Engine, hook: Hook) -> None:
    with Receiver() as receiver:
        hook("dispatch", receiver)
    queue(engine, 4, 1)
    with engine.begin() as connection:
        old = sa.text(
            "UPDATE webhook_deliveries SET state = :s, finished_at = now() - make_interval(days => :d) WHERE report = :r"
        )
        for report, state, days in ((1, "delivered", 3), (2, "given_up", 3), (3, "delivered", 1)):
            connection.execute(old, {"s": state, "d": days, "r": report})
        assert deliveries.sweep(connection, 2.0) == 2
    assert [row.report for row in rows(engine)] == [3, 4]


def test_what_a_webhook_keeps_secret_is_told_nowhere(engine: sa.Engine, caplog: pytest.LogCaptureFixture) -> None:
    """Failures of every kind: neither its secret, nor the key in its address, is in a log, a delivery or the audit log."""
    key = "k3y-in-the-address"
    kinds = [Reply(500), Reply(None), Reply(302, {"Location": "https://elsewhere.example/"}), Reply(410)]
    caplog.set_level("DEBUG", "gisgrid")
    secrets = []
    for number, reply in enumerate(kinds):
        with Receiver(lambda body, reply=reply: reply) as receiver:  # type: ignore[misc]
            with engine.begin() as connection:
                address = receiver.url.replace("s3cret", key)
                receiver.secret = webhooks.add(connection, f"hook-{number}", address)
            secrets.append(receiver.secret)
            queue(engine, 1, 1)
            with sending(engine, waits=(1000.0,)):
                until(lambda: f"webhook hook-{number}:" in caplog.text)  # noqa: B023
    with engine.connect() as connection:
        kept = [*rows(engine), *connection.execute(sa.select(t.audit_log))]
    assert len(kept) > len(kinds)
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("gisgrid"))
    told = ours + "\n".join(str(row) for row in kept)
    assert "hook-0" in ours
    for secret in [*secrets, *(one.removeprefix("whsec_") for one in secrets)]:
        assert secret not in told
    assert key not in ours
    assert key not in "\n".join(str(row) for row in rows(engine))
