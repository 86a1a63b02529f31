"""Where things are: areas, buildings, streets, water, walls, addresses."""

from __future__ import annotations

import sqlalchemy as sa

from data.tables.base import (
    AREA_LEVELS,
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

areas = sa.Table(
    "areas",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("level", sa.Text, nullable=False),
    sa.Column("parent", sa.Text, sa.ForeignKey("areas.code", deferrable=True, initially="DEFERRED")),
    text("name"),
    text("name_en"),
    text("source"),
    geometry("MULTIPOLYGON"),
    mercator(),
    sa.CheckConstraint("code ~ '^([0-9]{6}|[0-9]{9}|[0-9]{12})$'", name="code_digits"),
    sa.CheckConstraint(
        "length(code) = CASE level WHEN 'district' THEN 6 WHEN 'street' THEN 9 ELSE 12 END", name="code_fits_level"
    ),
    one_of("level", AREA_LEVELS),
    *sound(),
    spatial_index("areas"),
)

buildings = sa.Table(
    "buildings",
    metadata,
    serial(),
    text("source"),
    sa.Column("building_id", sa.Text, nullable=False),
    text("name"),
    text("kind", "other"),
    sa.Column("levels", sa.SmallInteger, nullable=False, server_default="1"),
    *[count(name) for name in ("households", "population", "elderly", "priority")],
    flag("estimated"),
    sa.Column("compound_id", sa.Text),
    sa.Column("community", sa.Text, sa.ForeignKey("areas.code", ondelete="SET NULL", deferrable=True)),
    geometry("MULTIPOLYGON"),
    mercator(),
    sa.UniqueConstraint("source", "building_id"),
    *not_negative("levels", "households", "population", "elderly", "priority"),
    *sound(),
    spatial_index("buildings"),
    sa.Index("buildings_community_idx", "community"),
)

streets = sa.Table(
    "streets",
    metadata,
    serial(),
    text("source"),
    sa.Column("street_id", sa.Text, nullable=False),
    text("name"),
    text("highway"),
    text("cls", "residential"),
    *[flag(name) for name in ("oneway", "bridge", "tunnel")],
    sa.Column("layer", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("foot", sa.Boolean, nullable=False, server_default=sa.true()),
    # null: not told, so the kind of street decides
    *[sa.Column(name, sa.Boolean) for name in ("bicycle", "car", "oneway_bicycle")],
    sa.Column("speed", sa.SmallInteger),
    geometry("LINESTRING"),
    mercator(),
    sa.UniqueConstraint("source", "street_id"),
    sa.CheckConstraint("speed > 0", name="speed_positive"),
    one_of("cls", ("primary", "secondary", "tertiary", "residential", "service", "foot", "rail")),
    *sound(),
    spatial_index("streets"),
    sa.Index("streets_cls_idx", "cls"),
)

barriers = sa.Table(
    "barriers",
    metadata,
    serial(),
    text("source"),
    sa.Column("barrier_id", sa.Text, nullable=False),
    text("kind", "gate"),
    # false: closed to them; null: not told
    *[sa.Column(name, sa.Boolean) for name in ("foot", "bicycle", "car")],
    geometry("POINT"),
    mercator(),
    sa.UniqueConstraint("source", "barrier_id"),
    *sound(),
    spatial_index("barriers"),
)

water = sa.Table(
    "water",
    metadata,
    serial(),
    text("source"),
    sa.Column("water_id", sa.Text, nullable=False),
    text("name"),
    text("kind", "river"),
    geometry("GEOMETRY"),
    mercator(),
    sa.UniqueConstraint("source", "water_id"),
    *sound(),
    spatial_index("water"),
)

walls = sa.Table(
    "walls",
    metadata,
    serial(),
    text("source"),
    sa.Column("wall_id", sa.Text, nullable=False),
    text("kind", "wall"),
    geometry("LINESTRING"),
    mercator(),
    sa.UniqueConstraint("source", "wall_id"),
    *sound(),
    spatial_index("walls"),
)

addresses = sa.Table(
    "addresses",
    metadata,
    serial(),
    text("source"),
    sa.Column("address_id", sa.Text, nullable=False),
    *[text(name) for name in ("full", "road", "door_number", "compound", "building", "unit", "name_en")],
    sa.Column("community", sa.Text, sa.ForeignKey("areas.code", ondelete="SET NULL", deferrable=True)),
    geometry("POINT"),
    mercator(),
    sa.UniqueConstraint("source", "address_id"),
    *sound(),
    spatial_index("addresses"),
)
