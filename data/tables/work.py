"""What was imported, and long work that runs beside the service."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from data.tables.base import count, flag, metadata, not_negative, one_of, serial, text

JOB_STATES = ("queued", "running", "done", "failed", "cancelled")

imports = sa.Table(
    "imports",
    metadata,
    serial(),
    sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("layer", sa.Text, nullable=False),
    text("attribution"),
    *[count(name) for name in ("read", "taken", "repaired", "refused", "estimated")],
    sa.Column("reasons", pg.JSONB, nullable=False, server_default="{}"),
)

jobs = sa.Table(
    "jobs",
    metadata,
    serial(),
    sa.Column("kind", sa.Text, nullable=False),
    text("state", JOB_STATES[0]),
    sa.Column("params", pg.JSONB, nullable=False, server_default="{}"),
    # share done, 0 to 1, and what is being done
    sa.Column("share", sa.Float, nullable=False, server_default="0"),
    text("note"),
    # key of the principal who asked for it; empty: nobody in particular
    text("owner"),
    # id of the request that asked for it, which the log tells too
    text("request"),
    flag("cancel_asked"),
    sa.Column("result", pg.JSONB),
    # the one error shape's code, message and details
    sa.Column("error", pg.JSONB),
    count("attempts"),
    # counts every change, so that a reader of events can go on where it stopped
    count("revision"),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("started_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("finished_at", sa.TIMESTAMP(timezone=True)),
    one_of("state", JOB_STATES),
    sa.CheckConstraint("share BETWEEN 0 AND 1", name="share_is_one"),
    *not_negative("attempts", "revision"),
    sa.Index("jobs_state_idx", "state"),
)

queue_migrations = sa.Table(
    "queue_migrations",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
)
"""Which of procrastinate's migrations the queue's tables have had."""
