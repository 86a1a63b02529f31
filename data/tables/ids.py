"""Numbers of areas and grids for interfaces that know places by a number (MapIt)."""

from __future__ import annotations

import sqlalchemy as sa

from data.tables.base import metadata

FIRST_MAPIT_ID = 10_000_001
"""Eight digits, so that a number is never taken for an area code (6, 9, 12 digits) or a grid code (14 and more)."""

# filled by triggers on areas and grids: a code gets its number once and keeps it
mapit_ids = sa.Table(
    "mapit_ids",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(always=True, start=FIRST_MAPIT_ID), primary_key=True),
    sa.Column("code", sa.Text, nullable=False),
    sa.UniqueConstraint("code"),
)
