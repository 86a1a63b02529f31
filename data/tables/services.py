"""Facilities and what reaches them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from data.tables.base import count, geometry, metadata, serial, sound, spatial_index, text

facility_categories = sa.Table(
    "facility_categories",
    metadata,
    sa.Column("category", sa.Text, primary_key=True),
    sa.Column("tier", sa.SmallInteger, nullable=False),
    sa.Column("minutes", sa.SmallInteger, nullable=False),
    sa.Column("metres", sa.Integer, nullable=False),
    text("name_zh"),
    text("name_en"),
    sa.CheckConstraint("minutes > 0 AND metres > 0", name="reach_positive"),
)

facilities = sa.Table(
    "facilities",
    metadata,
    serial(),
    text("source"),
    sa.Column("facility_id", sa.Text, nullable=False),
    sa.Column("category", sa.Text, sa.ForeignKey("facility_categories.category"), nullable=False),
    text("name"),
    text("name_en"),
    text("address"),
    geometry("POINT"),
    sa.UniqueConstraint("source", "facility_id", "category"),
    *sound(),
    spatial_index("facilities"),
    sa.Index("facilities_category_idx", "category"),
)

circle_runs = sa.Table(
    "circle_runs",
    metadata,
    serial(),
    sa.Column("generation", sa.Integer, sa.ForeignKey("generations.id"), nullable=False),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("minutes", pg.ARRAY(sa.SmallInteger), nullable=False),
    sa.Column("made_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("categories", pg.JSONB, nullable=False),
    sa.Column("report", pg.JSONB, nullable=False),
    sa.UniqueConstraint("generation", "profile"),
)

circle_coverage = sa.Table(
    "circle_coverage",
    metadata,
    sa.Column("run", sa.BigInteger, sa.ForeignKey("circle_runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("category", sa.Text, primary_key=True),
    sa.Column("grid_code", sa.Text, primary_key=True),
    *[count(name) for name in ("buildings", "buildings_assessed", "buildings_covered")],
    *[count(name) for name in ("residents", "residents_assessed", "residents_covered")],
)

circle_polygons = sa.Table(
    "circle_polygons",
    metadata,
    sa.Column("run", sa.BigInteger, sa.ForeignKey("circle_runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("category", sa.Text, primary_key=True),
    sa.Column("minutes", sa.SmallInteger, primary_key=True),
    geometry("MULTIPOLYGON"),
    *sound(),
)
