"""Deliveries to webhooks: the outbox, in order per webhook and report.

The oldest waiting delivery of a webhook and report is its *head*; only heads are sent. A head is claimed by locking its
row (``FOR UPDATE SKIP LOCKED``) for as long as the transaction that sends it lasts: no two senders ever have the same
one, and a sender that dies lets go of it. Delivered or given up, it makes way for the next.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from data import tables as t
from data.webhooks import find
from gisgrid.errors import BadInput
from gisgrid.limits import WEBHOOK_LANES
from gisgrid.webhooks import message_id

SENDING_SECONDS = 60
"""The longest a claim may last. A receiver that answers a byte at a time must not hold a row for ever."""
Moment = sa.ColumnElement[dt.datetime]
w, d = t.webhooks.c, t.webhook_deliveries.c
_earlier = t.webhook_deliveries.alias("earlier")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one webhook, about to be sent."""

    id: int
    webhook: int
    name: str
    url: str
    secrets: tuple[str, ...]
    report: int
    event: str
    payload: dict[str, Any]
    attempts: int
    created_at: dt.datetime

    @property
    def message(self) -> str:
        """The identifier the receiver knows repeats by."""
        return message_id(self.webhook, self.id, self.created_at)


def _heads(moment: Moment) -> sa.ColumnElement[bool]:
    """What may be sent: due, of a webhook that takes messages, and nothing of its report waits before it."""
    before = sa.select(sa.literal(1)).where(
        _earlier.c.webhook == d.webhook,
        _earlier.c.report == d.report,
        _earlier.c.state == "waiting",
        _earlier.c.id < d.id,
    )
    return sa.and_(d.state == "waiting", d.next_at <= moment, w.active, sa.not_(w.paused), ~before.exists())


def due(connection: sa.Connection, moment: Moment) -> dict[int, int]:
    """How many deliveries each webhook could be sent now, counted up to `WEBHOOK_LANES`; those with none left out."""
    some = sa.select(sa.literal(1)).select_from(t.webhook_deliveries).where(d.webhook == w.id, _heads(moment))
    counted = some.correlate(t.webhooks).limit(WEBHOOK_LANES).lateral()
    query = sa.select(w.id, sa.func.count()).select_from(t.webhooks.join(counted, sa.true())).group_by(w.id)
    return {row[0]: row[1] for row in connection.execute(query.order_by(w.id))}


def claim(connection: sa.Connection, webhook: int, moment: Moment) -> Delivery | None:
    """The next delivery of a webhook, locked for this transaction; None when there is none nobody else has."""
    connection.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = '{SENDING_SECONDS}s'")
    columns = [d.id, d.webhook, w.name, w.url, w.secret, d.report, d.event, d.payload, d.attempts, d.created_at]
    query = (
        sa.select(*columns)
        .select_from(t.webhook_deliveries.join(t.webhooks, w.id == d.webhook))
        .where(d.webhook == webhook, _heads(moment))
        .order_by(d.next_at, d.id)
        .limit(1)
        .with_for_update(of=t.webhook_deliveries, skip_locked=True)
    )
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    return Delivery(secrets=tuple(row["secret"].split()), **{name: row[name] for name in row if name != "secret"})


def delivered(connection: sa.Connection, delivery: Delivery, status: int, moment: Moment) -> None:
    """The receiver has taken it."""
    _settle(connection, delivery, state="delivered", answer_status=status, fault="", finished_at=moment)


def failed(
    connection: sa.Connection, delivery: Delivery, status: int | None, fault: str, wait: float | None, moment: Moment
) -> None:
    """The receiver has not taken it: it is tried again after ``wait`` seconds, or given up (None)."""
    told: dict[str, Any] = {"answer_status": status, "fault": fault}
    if wait is None:
        _settle(connection, delivery, state="given_up", finished_at=moment, **told)
    else:
        later = sa.cast(dt.timedelta(seconds=wait), sa.Interval)
        _settle(connection, delivery, next_at=moment + later, **told)


def gone(connection: sa.Connection, delivery: Delivery, moment: Moment) -> None:
    """The receiver wants nothing any more (410): the webhook is switched off; what waits goes on waiting."""
    connection.execute(sa.update(t.webhooks).where(w.id == delivery.webhook).values(active=False))
    fault = "the receiver answered 410 Gone; the webhook was switched off"
    _settle(connection, delivery, answer_status=410, fault=fault, next_at=moment)


def _settle(connection: sa.Connection, delivery: Delivery, **values: Any) -> None:
    change = sa.update(t.webhook_deliveries).where(d.id == delivery.id)
    connection.execute(change.values(attempts=d.attempts + 1, **values))


def listing(
    connection: sa.Connection,
    *,
    webhook: str | None = None,
    states: Sequence[str] = (),
    report: int | None = None,
    limit: int = 50,
    before: int | None = None,
) -> list[dict[str, Any]]:
    """Deliveries, newest first, payloads left out. Raises NotFound for an unknown webhook."""
    if unknown := sorted(set(states) - set(t.DELIVERY_STATES)):
        raise BadInput(f"state {unknown[0]!r} is not known; give some of {', '.join(t.DELIVERY_STATES)}")
    columns = [column for column in t.webhook_deliveries.c if column.name not in ("payload", "webhook")]
    query = sa.select(w.name.label("webhook"), *columns).join(t.webhooks, w.id == d.webhook)
    for wanted in (
        d.webhook == find(connection, webhook)["id"] if webhook is not None else None,
        d.state.in_(states) if states else None,
        d.report == report if report is not None else None,
        d.id < before if before is not None else None,
    ):
        query = query if wanted is None else query.where(wanted)
    return [dict(row) for row in connection.execute(query.order_by(d.id.desc()).limit(limit)).mappings()]


def retry(connection: sa.Connection, webhook: str, *, only: Sequence[int] = ()) -> int:
    """Put given-up deliveries back, in their old order and with all their tries before them; how many.

    ``only``: their numbers; empty: all of the webhook. Raises NotFound.
    """
    chosen = [d.webhook == find(connection, webhook)["id"], d.state == "given_up"]
    chosen += [d.id.in_(only)] if only else []
    values = {"state": "waiting", "attempts": 0, "next_at": sa.func.now(), "finished_at": None}
    return int(connection.execute(sa.update(t.webhook_deliveries).where(*chosen).values(values)).rowcount)


def sweep(connection: sa.Connection, days: float) -> int:
    """Remove deliveries that ended over ``days`` days ago; how many."""
    old = sa.func.now() - sa.cast(dt.timedelta(days=days), sa.Interval)
    done = connection.execute(sa.delete(t.webhook_deliveries).where(d.state != "waiting", d.finished_at < old))
    return int(done.rowcount)
