"""The audit log's chain: every entry sealed with the hash of the one before it, looked at from end to end."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from data.tables import audit_head, audit_log
from gisgrid.errors import BadInput

_a, _h = audit_log.c, audit_head.c
FIRST = hashlib.sha256(b"gisgrid").digest()
"""What the first entry is sealed with."""
READ_AT_ONCE = 500
FAULTS_TOLD = 100


@dataclass(slots=True)
class Verdict:
    """What was found: entries looked at, where the chain ends, and what is wrong with it."""

    entries: int = 0
    head_seq: int = 0
    head_hash: str = ""
    since: str = ""
    seconds: float = 0.0
    faults: list[dict[str, Any]] = field(default_factory=list)
    """``seq`` (the entry, or the first of those missing), ``fault`` and ``message``; the first `FAULTS_TOLD`."""
    broken: int = 0

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.broken

    def blame(self, seq: int | None, fault: str, message: str) -> None:
        """Add a fault."""
        self.broken += 1
        if len(self.faults) < FAULTS_TOLD:
            self.faults.append({"seq": seq, "fault": fault, "message": message})


def entry_text(row: sa.Row[Any]) -> bytes:
    """The canonical text of an entry as `_entries` reads it: ``length:text`` of every field, in UTF-8.

    The database's ``audit_text`` (migration 0012) gives the same.
    """
    at: datetime = row.at.astimezone(UTC)
    fields = (
        row.seq, row.id, at.strftime("%Y-%m-%dT%H:%M:%S.%f"), row.principal, row.name, row.subject, row.action,
        row.rows, row.reason, row.origin, ",".join(row.ids), ",".join(row.areas), row.changes,
    )  # fmt: skip
    texts = [str(value).encode() for value in fields]
    return b"".join(str(len(text)).encode() + b":" + text for text in texts)


def verify(connection: sa.Connection, since: str | None = None) -> Verdict:
    """Look at every entry, in the order of the chain and in constant memory.

    ``since``: a hash noted elsewhere, in hexadecimal; what it seals is taken as looked at, and it must be in the log:
    a log that was written anew from some entry on is whole in itself. Raises BadInput for text that is no hash.
    """
    begun = time.monotonic()
    found = Verdict(since=since or "")
    ended = connection.execute(sa.select(_h.seq, _h.hash)).one_or_none()
    head_seq, head_hash = (ended.seq, bytes(ended.hash)) if ended else (0, FIRST)
    found.head_seq, found.head_hash = head_seq, head_hash.hex()
    if ended is None:
        found.blame(None, "head", "the row that says where the log ends is gone")
    start = _noted(connection, since, found) if since else (0, FIRST)
    seq, seal = _follow(connection, *start, found)
    if seq < head_seq:
        found.blame(seq + 1, "cut off", f"entries {seq + 1}–{head_seq} at the end of the log are gone")
    elif seq == head_seq and seal != head_hash:
        found.blame(seq, "head", f"entry {seq}, the last, is not the one the log ended with")
    loose = sa.select(sa.func.count()).select_from(audit_log).where(
        sa.or_(_a.seq.is_(None), _a.seq > sa.select(_h.seq).scalar_subquery(), _a.seq < 1)
    )  # fmt: skip
    if number := connection.scalar(loose):
        found.blame(None, "outside", f"{number} entries stand outside the chain: unsealed, or behind its end")
    found.seconds = time.monotonic() - begun
    return found


def _noted(connection: sa.Connection, since: str, found: Verdict) -> tuple[int, bytes]:
    """Where a noted hash stands in the log; its beginning where it does not."""
    try:
        wanted = bytes.fromhex(since)
        if len(wanted) != len(FIRST):
            raise ValueError
    except ValueError:
        raise BadInput(
            f"since={since[:80]!r} is no hash; give the 64 digits that 'gisgrid db verify' printed"
        ) from None
    if wanted == FIRST:
        return 0, FIRST
    seq = connection.scalar(sa.select(sa.func.min(_a.seq)).where(_a.hash == wanted))
    if seq is None:
        found.blame(None, "rewritten", "the hash noted is nowhere in the log: it was cut off there, or written anew")
        return 0, FIRST
    return int(seq), wanted


def _follow(connection: sa.Connection, seq: int, seal: bytes, found: Verdict) -> tuple[int, bytes]:
    """Go along the chain behind an entry; the last entry's number and hash."""
    for row in _entries(connection, seq, found.head_seq):
        if row.seq != seq + 1:
            found.blame(seq + 1, "missing", f"entries {seq + 1}–{row.seq - 1} are missing")
        elif bytes(row.previous or b"") != seal:
            found.blame(row.seq, "reordered", f"entry {row.seq} does not follow entry {seq} as it is now")
        stored = bytes(row.hash or b"")
        if hashlib.sha256(bytes(row.previous or b"") + entry_text(row)).digest() != stored:
            found.blame(row.seq, "changed", f"entry {row.seq} was changed after it was written")
        seq, seal = row.seq, stored
        found.entries += 1
    return seq, seal


def _entries(connection: sa.Connection, after: int, last: int) -> Iterator[sa.Row[Any]]:
    columns = [
        column if column.name != "changes" else sa.cast(column, sa.Text).label("changes")
        for column in audit_log.columns
    ]
    query = sa.select(*columns).where(_a.seq > after, _a.seq <= last).order_by(_a.seq)
    with connection.execute(query, execution_options={"yield_per": READ_AT_ONCE}) as rows:
        yield from rows
