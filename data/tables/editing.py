"""What happens to plans while people work on them: edits, comments, publishing to come, engine runs to look at."""

from __future__ import annotations

import sqlalchemy as sa
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql as pg

from data.tables.base import SRID, flag, metadata, one_of, serial, text

PUBLICATION_STATES = ("waiting", "done", "refused", "cancelled")


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now())


plan_edits = sa.Table(
    "plan_edits",
    metadata,
    serial(),
    sa.Column("plan", sa.BigInteger, sa.ForeignKey("plans.id", ondelete="CASCADE"), nullable=False),
    # the plan's version once the edit was made
    sa.Column("version", sa.Integer, nullable=False),
    _now("at"),
    text("author"),
    text("note"),
    # sent by the client with the edit, so that sending twice stores once
    sa.Column("key", sa.Text),
    # operations with the codes as stored (`planning.edits`)
    sa.Column("operations", pg.JSONB, nullable=False),
    sa.UniqueConstraint("plan", "version"),
    sa.UniqueConstraint("plan", "key"),
)

plan_comments = sa.Table(
    "plan_comments",
    metadata,
    serial(),
    sa.Column("plan", sa.BigInteger, sa.ForeignKey("plans.id", ondelete="CASCADE"), nullable=False),
    _now("at"),
    text("author"),
    sa.Column("body", sa.Text, nullable=False),
    # what it is about: a grid of the plan, a place, or the whole plan
    sa.Column("grid_code", sa.Text),
    sa.Column("place", Geometry("POINT", srid=SRID, spatial_index=False)),
    flag("resolved"),
    sa.Index("plan_comments_plan_idx", "plan", "id"),
    sa.CheckConstraint("length(body) BETWEEN 1 AND 4000", name="body_length"),
)

publications = sa.Table(
    "publications",
    metadata,
    serial(),
    sa.Column("plan", sa.BigInteger, sa.ForeignKey("plans.id", ondelete="CASCADE"), nullable=False),
    # the version that was looked at when it was asked for: a plan changed since is not published unseen
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("effective_at", sa.TIMESTAMP(timezone=True), nullable=False),
    _now("asked_at"),
    text("author"),
    text("note"),
    text("state", PUBLICATION_STATES[0]),
    sa.Column("generation", sa.Integer, sa.ForeignKey("generations.id")),
    # why an administrator wants it published though the check fails
    text("override"),
    # why it was refused
    text("fault"),
    one_of("state", PUBLICATION_STATES),
    sa.Index("publications_one_waiting_idx", "plan", unique=True, postgresql_where=sa.text("state = 'waiting'")),
)

job_previews = sa.Table(
    "job_previews",
    metadata,
    sa.Column("job", sa.BigInteger, sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    _now("at"),
    # figures of the best plan so far, and the grid number of each unit (int32, little endian, in id order)
    sa.Column("figures", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("unit_set", sa.BigInteger, sa.ForeignKey("unit_sets.id", ondelete="CASCADE"), nullable=False),
    sa.Column("assignment", sa.LargeBinary, nullable=False),
)

reassignments = sa.Table(
    "reassignments",
    metadata,
    serial(),
    sa.Column("report", sa.BigInteger, sa.ForeignKey("reports.id", ondelete="CASCADE"), nullable=False),
    _now("at"),
    text("author"),
    sa.Column("from_grid", sa.Text),
    sa.Column("to_grid", sa.Text, nullable=False),
    sa.Column("generation", sa.Integer, sa.ForeignKey("generations.id"), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Index("reassignments_report_idx", "report", "id"),
    sa.CheckConstraint("length(reason) BETWEEN 1 AND 2000", name="reason_length"),
)
