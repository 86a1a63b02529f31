"""Reports 事件/诉求 and what happens to them. Nobody is named: neither who reported nor who works on it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from data.tables.base import (
    STAGES,
    count,
    flag,
    geometry,
    mercator,
    metadata,
    one_of,
    serial,
    sound,
    spatial_index,
    text,
)

DELIVERY_STATES = ("waiting", "delivered", "given_up")

reports = sa.Table(
    "reports",
    metadata,
    serial(),
    text("source"),
    sa.Column("report_id", sa.Text, nullable=False),
    sa.Column("reported_at", sa.TIMESTAMP(timezone=True), nullable=False),
    *[text(name) for name in ("major", "minor", "description", "channel")],
    text("stage", STAGES[0]),
    sa.Column("accuracy", sa.Float),
    # the owner, and the generation it was found in: they stay when grids change
    sa.Column("grid_code", sa.Text),
    sa.Column("generation", sa.Integer, sa.ForeignKey("generations.id")),
    *[text(name) for name in ("address", "address_id", "media_url", "status_notes")],
    # a report on a component belongs to the component's department, whatever the grid
    *[text(name) for name in ("component_code", "department")],
    sa.Column("located", pg.JSONB, nullable=False, server_default="{}"),
    # what an inlet's caller may ask the report by before it knows the number
    sa.Column("token", sa.Text, unique=True),
    sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("expected_at", sa.TIMESTAMP(timezone=True)),
    geometry("POINT"),
    mercator(),
    sa.UniqueConstraint("source", "report_id"),
    one_of("stage", STAGES),
    sa.CheckConstraint("accuracy >= 0", name="accuracy_not_negative"),
    sa.CheckConstraint("grid_code IS NULL OR generation IS NOT NULL", name="owner_has_generation"),
    *sound(),
    spatial_index("reports"),
    sa.Index("reports_reported_at_idx", "reported_at"),
    sa.Index("reports_updated_at_idx", "updated_at"),
)

report_updates = sa.Table(
    "report_updates",
    metadata,
    serial(),
    sa.Column("report", sa.BigInteger, sa.ForeignKey("reports.id", ondelete="CASCADE"), nullable=False),
    # the sender's own number of the update, so that sending twice stores once
    sa.Column("update_id", sa.Text),
    sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    text("stage", STAGES[0]),
    *[text(name) for name in ("note", "media_url", "channel")],
    sa.Column("grid_code", sa.Text),
    sa.Column("generation", sa.Integer, sa.ForeignKey("generations.id")),
    one_of("stage", STAGES),
    sa.UniqueConstraint("report", "update_id"),
    sa.Index("report_updates_at_idx", "at"),
)

webhooks = sa.Table(
    "webhooks",
    metadata,
    serial(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("url", sa.Text, nullable=False),
    # the key of the signature: the sender must have it, so it cannot be stored as a hash
    sa.Column("secret", sa.Text, nullable=False),
    # empty: every event
    sa.Column("events", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
    # code of the area whose reports are sent; empty: all
    text("area"),
    # not active: nothing is queued (the receiver answered 410 Gone); paused: queued, but not sent for now
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    flag("paused"),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
)

webhook_deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    serial(),
    sa.Column("webhook", sa.BigInteger, sa.ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    # not a foreign key: a delivery outlives the report it tells of
    sa.Column("report", sa.BigInteger, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("payload", pg.JSONB, nullable=False),
    text("state", DELIVERY_STATES[0]),
    count("attempts"),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("next_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("finished_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("answer_status", sa.SmallInteger),
    text("fault"),
    one_of("state", DELIVERY_STATES),
    sa.Index(
        "webhook_deliveries_waiting_idx", "webhook", "report", "id", postgresql_where=sa.text("state = 'waiting'")
    ),
    sa.Index("webhook_deliveries_due_idx", "webhook", "next_at", "id", postgresql_where=sa.text("state = 'waiting'")),
)

posts = sa.Table(
    "posts",
    metadata,
    serial(),
    # code of a grid or an area
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    # the post's name or number, never a person's
    sa.Column("post", sa.Text, nullable=False),
    text("department"),
    flag("first"),
    sa.UniqueConstraint("place", "role", "post"),
    sa.CheckConstraint("place ~ '^[0-9]{6,30}$'", name="place_digits"),
)
