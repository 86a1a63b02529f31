"""Webhooks: which systems are told of reports, and queueing what is to be told to them.

An event is queued in the transaction that causes it, so it is told if and only if that transaction is kept.
`data.deliveries` keeps what is queued, `data.dispatch` sends it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from data import tables as t
from gisgrid.errors import BadInput, Conflict, NotFound
from gisgrid.limits import WEBHOOKS_MAX
from gisgrid.webhooks import check_url, key_of, new_secret

EVENTS = ("report.created", "report.updated", "report.moved")
"""What can be told: a report came in; its stage, notes or owner changed; a publish gave it another owner."""
NAME = re.compile(r"[\w.-]{1,60}")
w, d = t.webhooks.c, t.webhook_deliveries.c
PUBLIC = [column for column in t.webhooks.c if column.name != "secret"]
"""What may be shown of a webhook: everything but its secret."""


def queue_event(
    connection: sa.Connection, event: str, report: int, payload: dict[str, Any], *, place: str | Sequence[str] = ""
) -> int:
    """Queue an event of a report (its row id) for every active webhook that wants it; how many those are.

    ``place``: code of the grid or community the report lies in, for webhooks limited to an area; several when it has
    left one for another, so that both hear of it. The report's row is locked first: events of one report get their
    numbers, and with them their order, one transaction after the other.
    """
    if event not in EVENTS:
        raise BadInput(f"event {event!r} is not known; give one of {', '.join(EVENTS)}")
    connection.execute(sa.select(sa.literal(1)).where(t.reports.c.id == report).with_for_update(key_share=True))
    places = [place] if isinstance(place, str) else place
    wants = sa.and_(
        w.active,
        sa.or_(w.events == [], sa.literal(event) == sa.any_(w.events)),
        sa.or_(w.area == "", *[sa.literal(code).startswith(w.area) for code in places]),
    )
    values = sa.select(w.id, sa.literal(report), sa.literal(event), sa.literal(payload, d.payload.type))
    columns = ["webhook", "report", "event", "payload"]
    queued = sa.insert(t.webhook_deliveries).from_select(columns, values.where(wants)).returning(d.id)
    return len(connection.scalars(queued).all())


def add(
    connection: sa.Connection,
    name: str,
    url: str,
    *,
    events: Sequence[str] = (),
    area: str = "",
    secret: str | None = None,
    allow_http: bool = False,
) -> str:
    """Have a system told of reports from now on; the secret its messages are signed with.

    ``events``: those wanted (empty: all); ``area``: code of an area or grid whose reports are wanted (empty: all).
    Raises BadInput, and Conflict when the name is taken.
    """
    if not NAME.fullmatch(name):
        raise BadInput(f"name {name!r} cannot be used; give up to 60 letters, digits, dots, dashes")
    if unknown := sorted(set(events) - set(EVENTS)):
        raise BadInput(f"event {unknown[0]!r} is not known; give some of {', '.join(EVENTS)}")
    if not re.fullmatch(r"[0-9]{0,30}", area):
        raise BadInput(f"area {area!r} is no code; give the digits of a district, street, community or grid")
    check_url(url, allow_http=allow_http)
    secret = new_secret() if secret is None else secret
    key_of(secret)
    if (connection.scalar(sa.select(sa.func.count()).select_from(t.webhooks)) or 0) >= WEBHOOKS_MAX:
        raise Conflict(f"there are {WEBHOOKS_MAX} webhooks already; remove one first")
    values = {"name": name, "url": url, "events": sorted(set(events)), "area": area, "secret": secret}
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(t.webhooks).values(values))
    except sa.exc.IntegrityError:
        raise Conflict(f"there is a webhook {name!r} already; remove it first or give another name") from None
    return secret


def find(connection: sa.Connection, name: str) -> dict[str, Any]:
    """One webhook without its secret. Raises NotFound."""
    row = connection.execute(sa.select(*PUBLIC).where(w.name == name)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no webhook {name!r}; 'gisgrid webhooks list' shows those there are")
    return dict(row)


def listing(connection: sa.Connection) -> list[dict[str, Any]]:
    """All webhooks without their secrets, by name, each with how many deliveries wait and were given up."""
    tally = [
        sa.select(sa.func.count()).where(d.webhook == w.id, d.state == state).scalar_subquery().label(state)
        for state in ("waiting", "given_up")
    ]
    return [dict(row) for row in connection.execute(sa.select(*PUBLIC, *tally).order_by(w.name)).mappings()]


def secrets_of(connection: sa.Connection, name: str) -> list[str]:
    """The secrets messages are signed with, the newest first. Raises NotFound."""
    find(connection, name)
    return str(connection.scalar(sa.select(w.secret).where(w.name == name))).split()


def rotate(connection: sa.Connection, name: str, *, drop_old: bool = False) -> str:
    """Give a webhook a new secret; the old one goes on signing beside it until ``drop_old`` ends that. The newest."""
    kept = secrets_of(connection, name)
    kept = kept[:1] if drop_old else [new_secret(), kept[0]]
    connection.execute(sa.update(t.webhooks).where(w.name == name).values(secret=" ".join(kept)))
    return kept[0]


def remove(connection: sa.Connection, name: str, *, force: bool = False) -> int:
    """Forget a webhook and its deliveries; how many were still waiting. Raises Conflict when some wait, unless forced.

    Waits for deliveries being sent this moment: once it returns nothing more is sent.
    """
    hook = find(connection, name)
    still = sa.select(sa.func.count()).where(d.webhook == hook["id"], d.state == "waiting")
    waiting = int(connection.scalar(still) or 0)
    if waiting and not force:
        raise Conflict(
            f"{waiting} deliveries to {name!r} still wait and would be lost; --force removes it all the same"
        )
    connection.execute(sa.delete(t.webhooks).where(w.id == hook["id"]))
    return waiting


def pause(connection: sa.Connection, name: str) -> None:
    """Send nothing for now; what happens meanwhile is queued. Raises NotFound."""
    connection.execute(sa.update(t.webhooks).where(w.id == find(connection, name)["id"]).values(paused=True))


def resume(connection: sa.Connection, name: str) -> int:
    """Send again, what waits at once and with all its tries before it; how many those are. Raises NotFound.

    Also brings back a webhook whose receiver answered 410 Gone; what happened since was not queued.
    """
    key = find(connection, name)["id"]
    connection.execute(sa.update(t.webhooks).where(w.id == key).values(active=True, paused=False))
    waiting = sa.update(t.webhook_deliveries).where(d.webhook == key, d.state == "waiting")
    return int(connection.execute(waiting.values(attempts=0, next_at=sa.func.now())).rowcount)
