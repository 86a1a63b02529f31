"""Units, plans, generations, grids and who owns what."""

from __future__ import annotations

import sqlalchemy as sa
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql as pg

from data.tables.base import (
    COMPREHENSIVE,
    SRID,
    count,
    flag,
    geometry,
    mercator,
    metadata,
    not_negative,
    one_of,
    serial,
    sound,
    spatial_index,
    text,
)

unit_sets = sa.Table(
    "unit_sets",
    metadata,
    serial(),
    sa.Column("area", sa.Text, sa.ForeignKey("areas.code"), nullable=False),
    sa.Column("made_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("params", pg.JSONB, nullable=False, server_default="{}"),
)

units = sa.Table(
    "units",
    metadata,
    serial(),
    sa.Column("unit_set", sa.BigInteger, sa.ForeignKey("unit_sets.id", ondelete="CASCADE"), nullable=False),
    sa.Column("unit_id", sa.Text, nullable=False),
    *[count(name) for name in ("households", "population", "elderly", "priority", "buildings")],
    sa.Column("compound_id", sa.Text),
    text("kind", "residential"),
    sa.Column("community", sa.Text, sa.ForeignKey("areas.code"), nullable=False),
    text("block_id"),
    geometry("MULTIPOLYGON"),
    mercator(),
    sa.UniqueConstraint("unit_set", "unit_id"),
    *not_negative("households", "population", "elderly", "priority", "buildings"),
    *sound(),
    spatial_index("units"),
)

plans = sa.Table(
    "plans",
    metadata,
    serial(),
    text("name"),
    sa.Column("area", sa.Text, sa.ForeignKey("areas.code"), nullable=False),
    text("system", COMPREHENSIVE),
    sa.Column("unit_set", sa.BigInteger, sa.ForeignKey("unit_sets.id")),
    text("status", "draft"),
    sa.Column("band_low", sa.Integer, nullable=False),
    sa.Column("band_high", sa.Integer, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("feasible", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("reasons", pg.JSONB, nullable=False, server_default="[]"),
    sa.Column("stats", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    # who made it, the plan it was copied from, what the planner wrote of it
    text("author"),
    sa.Column("source", sa.BigInteger, sa.ForeignKey("plans.id", ondelete="SET NULL")),
    text("note"),
    one_of("status", ("draft", "published")),
    sa.UniqueConstraint("id", "system"),
    sa.CheckConstraint("0 <= band_low AND band_low <= band_high", name="band_ordered"),
)

generations = sa.Table(
    "generations",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True),
    sa.Column("plan", sa.BigInteger, sa.ForeignKey("plans.id"), nullable=False),
    sa.Column("published_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("is_current", sa.Boolean, nullable=False),
    text("note"),
    text("author"),
    # the generation whose grids this one brought back
    sa.Column("restored", sa.Integer, sa.ForeignKey("generations.id")),
    # why an administrator published it though the check failed, and what the check found
    text("override"),
    sa.Column("problems", pg.JSONB),
    sa.CheckConstraint("(override = '') = (problems IS NULL)", name="override_has_problems"),
    sa.Index("generations_one_current_idx", "is_current", unique=True, postgresql_where=sa.text("is_current")),
)

grids = sa.Table(
    "grids",
    metadata,
    serial(),
    sa.Column("plan", sa.BigInteger, nullable=False),
    text("system", COMPREHENSIVE),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("level", sa.SmallInteger, nullable=False, server_default="1"),
    sa.Column("parent", sa.Text),
    # null for a professional grid over several communities
    sa.Column("community", sa.Text, sa.ForeignKey("areas.code")),
    text("name"),
    text("kind", "ordinary"),
    count("households"),
    count("population"),
    sa.Column("compactness", sa.Float, nullable=False, server_default="0"),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    # whether it is the published grid of its code, drawn anew
    flag("continues"),
    # in a draft: neither edits nor the engine change it
    flag("locked"),
    sa.Column("generations", pg.INT4RANGE, nullable=True),
    # where a label sits best: the middle of the largest circle inside
    sa.Column(
        "label_point",
        Geometry("POINT", srid=SRID, spatial_index=False),
        sa.Computed("(ST_MaximumInscribedCircle(geometry)).center", persisted=True),
    ),
    geometry("MULTIPOLYGON"),
    mercator(),
    sa.UniqueConstraint("plan", "system", "level", "code"),
    sa.UniqueConstraint("id", "plan", "level"),
    sa.ForeignKeyConstraint(["plan", "system"], ["plans.id", "plans.system"]),
    sa.CheckConstraint("code ~ '^[0-9]{14,30}$'", name="code_digits"),
    sa.CheckConstraint("level >= 1", name="level_positive"),
    # a comprehensive grid belongs to exactly one community, and its code says so
    sa.CheckConstraint(
        f"system <> '{COMPREHENSIVE}' OR (community IS NOT NULL AND left(code, 12) = community)",
        name="code_in_community",
    ),
    # object 6 + community 12 + sequence 2 (CJ/T 349-2010)
    sa.CheckConstraint(
        f"system = '{COMPREHENSIVE}' OR (code ~ '^[0-9]{{20}}$' AND level = 1 AND parent IS NULL "
        "AND (community IS NULL OR substr(code, 7, 12) = community))",
        name="professional_code",
    ),
    # over all systems: a code alone names a grid
    pg.ExcludeConstraint(
        ("code", "="),
        ("generations", "&&"),
        using="gist",
        where=sa.text("generations IS NOT NULL"),
        name="grids_code_once_a_generation",
    ),
    *not_negative("households", "population"),
    *sound(),
    spatial_index("grids"),
    sa.Index("grids_code_idx", "code"),
)

owners = sa.Table(
    "owners",
    metadata,
    sa.Column("plan", sa.BigInteger, sa.ForeignKey("plans.id", ondelete="CASCADE"), nullable=False),
    sa.Column("level", sa.SmallInteger, nullable=False, server_default="1"),
    sa.Column("unit", sa.BigInteger, sa.ForeignKey("units.id"), nullable=False),
    sa.Column("grid", sa.BigInteger, nullable=False),
    # one owner per unit and level
    sa.PrimaryKeyConstraint("plan", "level", "unit"),
    sa.ForeignKeyConstraint(["grid", "plan", "level"], ["grids.id", "grids.plan", "grids.level"], ondelete="CASCADE"),
    sa.Index("owners_grid_idx", "grid"),
)
