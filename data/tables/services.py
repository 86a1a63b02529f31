"""Facilities and what reaches them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from data.tables.base import count, flag, geometry, mercator, metadata, one_of, serial, sound, spatial_index, text

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
    mercator(),
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

PLACES = ("district", "community", "grid")
"""What circle figures are summed over."""


def run_column() -> sa.Column[int]:
    """The run a row belongs to; rows go with it."""
    return sa.Column("run", sa.BigInteger, sa.ForeignKey("circle_runs.id", ondelete="CASCADE"), primary_key=True)


circle_coverage = sa.Table(
    "circle_coverage",
    metadata,
    run_column(),
    sa.Column("category", sa.Text, primary_key=True),
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, primary_key=True),
    *[
        count(f"{who}{which}")
        for who in ("buildings", "residents", "elderly")
        for which in ("", "_assessed", "_covered", "_straight")
    ],
    one_of("place", PLACES),
)

circle_residences = sa.Table(
    "circle_residences",
    metadata,
    run_column(),
    sa.Column("building", sa.BigInteger, primary_key=True),
    flag("assessable"),
    sa.Column("score", sa.REAL),
    # in the order of the run's categories; null: not within the longest minutes asked for
    sa.Column("seconds", pg.ARRAY(sa.Integer), nullable=False),
)

circle_polygons = sa.Table(
    "circle_polygons",
    metadata,
    run_column(),
    sa.Column("category", sa.Text, primary_key=True),
    sa.Column("minutes", sa.SmallInteger, primary_key=True),
    geometry("MULTIPOLYGON"),
    mercator(),
    *sound(),
)

circle_blind_spots = sa.Table(
    "circle_blind_spots",
    metadata,
    run_column(),
    sa.Column("category", sa.Text, primary_key=True),
    sa.Column("rank", sa.Integer, primary_key=True),
    *[count(name) for name in ("buildings", "residents", "elderly", "square_metres")],
    # of the residents' mean; null: no facility within reach at all
    sa.Column("nearest", sa.Text),
    sa.Column("seconds", sa.Integer),
    sa.Column("extra_seconds", sa.Integer),
    sa.Column("communities", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
    geometry("MULTIPOLYGON"),
    mercator(),
    *sound(),
    spatial_index("circle_blind_spots"),
)
