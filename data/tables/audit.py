"""The audit log: what was changed, by whom, why; each entry sealed with the hash of the one before."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from data.tables.base import metadata, serial, text

AUDITED = (
    "areas", "users", "tokens", "grants", "plans", "grids", "plan_edits", "plan_comments", "publications",
    "generations", "components", "facilities", "reports", "report_updates", "reassignments", "posts", "webhooks",
)  # fmt: skip
"""Tables whose every change is written down."""
RIGHTS = ("users", "tokens", "grants", "webhooks")
"""Those of them that only administrators read of."""
RESTORED = "database"
"""Subject of the entry that tells of a backup restored: no table's, and the one entry no trigger writes."""
NOT_TOLD = {
    "users": ("password_hash",), "tokens": ("secret_hash", "used_at"), "reports": ("token",), "webhooks": ("secret",),
}  # fmt: skip
"""Columns of them that are never written down."""
WHOLE_ROWS = 500
"""Rows an entry tells of; what is inserted in larger numbers at once is told as a digest."""

audit_log = sa.Table(
    "audit_log",
    metadata,
    serial(),
    # place in the chain, given as the transaction is committed; 1, 2, 3 …
    sa.Column("seq", sa.BigInteger, unique=True),
    # when the transaction was committed
    sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()),
    # who: the principal's key and name, as they were then
    text("principal"),
    text("name"),
    # what: the table, insert | update | delete, how many rows
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    # [{"id", "area", "before", "after"}, …], or {"digest": {…}} where a file's worth of rows was written at once
    sa.Column("changes", pg.JSONB, nullable=False),
    text("reason"),
    # request or command it came from
    text("origin"),
    sa.Column("previous", sa.LargeBinary),
    sa.Column("hash", sa.LargeBinary),
    # of the rows in changes: what entries are found by
    sa.Column("ids", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("areas", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Index("audit_log_subject_idx", "subject", "id"),
    sa.Index("audit_log_subject_at_idx", "subject", "at"),
    sa.Index("audit_log_ids_idx", "ids", postgresql_using="gin"),
)

audit_head = sa.Table(
    "audit_head",
    metadata,
    # one row: where the chain ends
    sa.Column("one", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column("seq", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    # since when changes are written down
    sa.Column("since", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint("one", name="one_row"),
)
