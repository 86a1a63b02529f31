"""Webhooks: which systems are told of reports, and what is still to be told to them.

An event is queued in the transaction that causes it, so it is told if and only if that transaction is kept.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from data import tables as t

EVENTS = ("report.created", "report.updated", "report.moved")
"""What can be told: a report came in; its stage, notes or owner changed; a publish gave it another owner."""


def queue_event(connection: sa.Connection, event: str, report: int, payload: dict[str, Any], *, place: str = "") -> int:
    """Queue an event of a report (its row id) for every active webhook that wants it; how many those are.

    ``place``: code of the grid or community the report lies in, for webhooks limited to an area.
    """
    w = t.webhooks.c
    wants = sa.and_(
        w.active,
        sa.or_(w.events == [], w.events.any(event)),
        sa.or_(w.area == "", sa.literal(place).startswith(w.area)),
    )
    values = sa.select(
        w.id, sa.literal(report), sa.literal(event), sa.literal(payload, t.webhook_deliveries.c.payload.type)
    )
    columns = ["webhook", "report", "event", "payload"]
    done = connection.execute(sa.insert(t.webhook_deliveries).from_select(columns, values.where(wants)))
    return int(done.rowcount)
