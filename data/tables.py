"""The tables, as SQLAlchemy Core. Rules that must always hold are constraints: the database keeps them.

Geometry is stored in CGCS2000 (EPSG:4490), longitude first. A *plan* owns units and grids; *publishing* it opens a
*generation*. A grid is in force for the generations in its ``generations`` range (empty for drafts), so a code names
one grid in any generation and old generations stay queryable.
"""

from __future__ import annotations

import sqlalchemy as sa
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql as pg

SRID = 4490
metadata = sa.MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)

AREA_LEVELS = ("district", "street", "community")
COMPREHENSIVE = "综合"
"""Name of the comprehensive system; every other value of ``system`` is a professional one."""
STATES = ("完好", "破损", "丢失", "废弃")
STAGES = ("发现上报", "指挥派遣", "处置反馈", "事件评价", "结案归档")


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def _text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def _geometry(kind: str) -> sa.Column[object]:
    return sa.Column("geometry", Geometry(kind, srid=SRID, spatial_index=False), nullable=False)


def _sound() -> list[sa.CheckConstraint]:
    """Geometry is valid and not empty."""
    return [sa.CheckConstraint("ST_IsValid(geometry) AND NOT ST_IsEmpty(geometry)", name="geometry_valid")]


def _not_negative(*names: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(f"{name} >= 0", name=f"{name}_not_negative") for name in names]


def _one_of(name: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{name} IN ({listed})", name=f"{name}_known")


def _spatial_index(table: str) -> sa.Index:
    return sa.Index(f"{table}_geometry_idx", "geometry", postgresql_using="gist")


areas = sa.Table(
    "areas",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("level", sa.Text, nullable=False),
    sa.Column("parent", sa.Text, sa.ForeignKey("areas.code", deferrable=True, initially="DEFERRED")),
    _text("name"),
    _text("name_en"),
    _text("source"),
    _geometry("MULTIPOLYGON"),
    sa.CheckConstraint("code ~ '^([0-9]{6}|[0-9]{9}|[0-9]{12})$'", name="code_digits"),
    sa.CheckConstraint(
        "length(code) = CASE level WHEN 'district' THEN 6 WHEN 'street' THEN 9 ELSE 12 END", name="code_fits_level"
    ),
    _one_of("level", AREA_LEVELS),
    *_sound(),
    _spatial_index("areas"),
)

buildings = sa.Table(
    "buildings",
    metadata,
    _id(),
    _text("source"),
    sa.Column("building_id", sa.Text, nullable=False),
    _text("name"),
    _text("kind", "other"),
    sa.Column("levels", sa.SmallInteger, nullable=False, server_default="1"),
    *[_count(name) for name in ("households", "population", "elderly", "priority")],
    _flag("estimated"),
    sa.Column("compound_id", sa.Text),
    sa.Column("community", sa.Text, sa.ForeignKey("areas.code", ondelete="SET NULL", deferrable=True)),
    _geometry("MULTIPOLYGON"),
    sa.UniqueConstraint("source", "building_id"),
    *_not_negative("levels", "households", "population", "elderly", "priority"),
    *_sound(),
    _spatial_index("buildings"),
    sa.Index("buildings_community_idx", "community"),
)

streets = sa.Table(
    "streets",
    metadata,
    _id(),
    _text("source"),
    sa.Column("street_id", sa.Text, nullable=False),
    _text("name"),
    _text("highway"),
    _text("cls", "residential"),
    *[_flag(name) for name in ("oneway", "bridge", "tunnel")],
    sa.Column("layer", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("foot", sa.Boolean, nullable=False, server_default=sa.true()),
    _geometry("LINESTRING"),
    sa.UniqueConstraint("source", "street_id"),
    _one_of("cls", ("primary", "secondary", "tertiary", "residential", "service", "foot", "rail")),
    *_sound(),
    _spatial_index("streets"),
    sa.Index("streets_cls_idx", "cls"),
)

water = sa.Table(
    "water",
    metadata,
    _id(),
    _text("source"),
    sa.Column("water_id", sa.Text, nullable=False),
    _text("name"),
    _text("kind", "river"),
    _geometry("GEOMETRY"),
    sa.UniqueConstraint("source", "water_id"),
    *_sound(),
    _spatial_index("water"),
)

walls = sa.Table(
    "walls",
    metadata,
    _id(),
    _text("source"),
    sa.Column("wall_id", sa.Text, nullable=False),
    _text("kind", "wall"),
    _geometry("LINESTRING"),
    sa.UniqueConstraint("source", "wall_id"),
    *_sound(),
    _spatial_index("walls"),
)

facility_categories = sa.Table(
    "facility_categories",
    metadata,
    sa.Column("category", sa.Text, primary_key=True),
    sa.Column("tier", sa.SmallInteger, nullable=False),
    sa.Column("minutes", sa.SmallInteger, nullable=False),
    sa.Column("metres", sa.Integer, nullable=False),
    _text("name_zh"),
    _text("name_en"),
    sa.CheckConstraint("minutes > 0 AND metres > 0", name="reach_positive"),
)

facilities = sa.Table(
    "facilities",
    metadata,
    _id(),
    _text("source"),
    sa.Column("facility_id", sa.Text, nullable=False),
    sa.Column("category", sa.Text, sa.ForeignKey("facility_categories.category"), nullable=False),
    _text("name"),
    _text("name_en"),
    _text("address"),
    _geometry("POINT"),
    sa.UniqueConstraint("source", "facility_id", "category"),
    *_sound(),
    _spatial_index("facilities"),
    sa.Index("facilities_category_idx", "category"),
)

addresses = sa.Table(
    "addresses",
    metadata,
    _id(),
    _text("source"),
    sa.Column("address_id", sa.Text, nullable=False),
    *[_text(name) for name in ("full", "road", "door_number", "compound", "building", "unit", "name_en")],
    sa.Column("community", sa.Text, sa.ForeignKey("areas.code", ondelete="SET NULL", deferrable=True)),
    _geometry("POINT"),
    sa.UniqueConstraint("source", "address_id"),
    *_sound(),
    _spatial_index("addresses"),
)

component_classes = sa.Table(
    "component_classes",
    metadata,
    sa.Column("standard", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("major", sa.Text, primary_key=True),
    sa.Column("minor", sa.Text, primary_key=True),
    _text("name"),
    _text("major_name"),
    _text("major_name_en"),
    _flag("is_local"),
)

components = sa.Table(
    "components",
    metadata,
    _id(),
    _text("source"),
    sa.Column("component_code", sa.Text, nullable=False),
    *[sa.Column(name, sa.Text, nullable=False) for name in ("standard", "kind", "major", "minor")],
    *[_text(name) for name in ("name", "dept_supervise", "dept_owner", "dept_maintain")],
    _text("state", STATES[0]),
    sa.Column("first_date", sa.Date),
    sa.Column("changed_date", sa.Date),
    _text("note"),
    _geometry("GEOMETRY"),
    sa.UniqueConstraint("component_code"),
    sa.ForeignKeyConstraint(
        ["standard", "kind", "major", "minor"],
        [f"component_classes.{name}" for name in ("standard", "kind", "major", "minor")],
        name="components_class_fkey",
    ),
    _one_of("state", STATES),
    *_sound(),
    _spatial_index("components"),
)

unit_sets = sa.Table(
    "unit_sets",
    metadata,
    _id(),
    sa.Column("area", sa.Text, sa.ForeignKey("areas.code"), nullable=False),
    sa.Column("made_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("params", pg.JSONB, nullable=False, server_default="{}"),
)

units = sa.Table(
    "units",
    metadata,
    _id(),
    sa.Column("unit_set", sa.BigInteger, sa.ForeignKey("unit_sets.id", ondelete="CASCADE"), nullable=False),
    sa.Column("unit_id", sa.Text, nullable=False),
    *[_count(name) for name in ("households", "population", "elderly", "priority", "buildings")],
    sa.Column("compound_id", sa.Text),
    _text("kind", "residential"),
    sa.Column("community", sa.Text, sa.ForeignKey("areas.code"), nullable=False),
    _text("block_id"),
    _geometry("MULTIPOLYGON"),
    sa.UniqueConstraint("unit_set", "unit_id"),
    *_not_negative("households", "population", "elderly", "priority", "buildings"),
    *_sound(),
    _spatial_index("units"),
)

plans = sa.Table(
    "plans",
    metadata,
    _id(),
    _text("name"),
    sa.Column("area", sa.Text, sa.ForeignKey("areas.code"), nullable=False),
    _text("system", COMPREHENSIVE),
    sa.Column("unit_set", sa.BigInteger, sa.ForeignKey("unit_sets.id")),
    _text("status", "draft"),
    sa.Column("band_low", sa.Integer, nullable=False),
    sa.Column("band_high", sa.Integer, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("feasible", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("reasons", pg.JSONB, nullable=False, server_default="[]"),
    sa.Column("stats", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    _one_of("status", ("draft", "published")),
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
    _text("note"),
    sa.Index("generations_one_current_idx", "is_current", unique=True, postgresql_where=sa.text("is_current")),
)

grids = sa.Table(
    "grids",
    metadata,
    _id(),
    sa.Column("plan", sa.BigInteger, nullable=False),
    _text("system", COMPREHENSIVE),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("level", sa.SmallInteger, nullable=False, server_default="1"),
    sa.Column("parent", sa.Text),
    # null for a professional grid over several communities
    sa.Column("community", sa.Text, sa.ForeignKey("areas.code")),
    _text("name"),
    _text("kind", "ordinary"),
    _count("households"),
    _count("population"),
    sa.Column("compactness", sa.Float, nullable=False, server_default="0"),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    # whether it is the published grid of its code, drawn anew
    _flag("continues"),
    sa.Column("generations", pg.INT4RANGE, nullable=True),
    # where a label sits best: the middle of the largest circle inside
    sa.Column(
        "label_point",
        Geometry("POINT", srid=SRID, spatial_index=False),
        sa.Computed("(ST_MaximumInscribedCircle(geometry)).center", persisted=True),
    ),
    _geometry("MULTIPOLYGON"),
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
    *_not_negative("households", "population"),
    *_sound(),
    _spatial_index("grids"),
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

reports = sa.Table(
    "reports",
    metadata,
    _id(),
    _text("source"),
    sa.Column("report_id", sa.Text, nullable=False),
    sa.Column("reported_at", sa.TIMESTAMP(timezone=True), nullable=False),
    *[_text(name) for name in ("major", "minor", "description", "channel")],
    _text("stage", STAGES[0]),
    sa.Column("accuracy", sa.Float),
    sa.Column("grid_code", sa.Text),
    sa.Column("generation", sa.Integer, sa.ForeignKey("generations.id")),
    _geometry("POINT"),
    sa.UniqueConstraint("source", "report_id"),
    _one_of("stage", STAGES),
    sa.CheckConstraint("accuracy >= 0", name="accuracy_not_negative"),
    sa.CheckConstraint("grid_code IS NULL OR generation IS NOT NULL", name="owner_has_generation"),
    *_sound(),
    _spatial_index("reports"),
    sa.Index("reports_reported_at_idx", "reported_at"),
)

circle_runs = sa.Table(
    "circle_runs",
    metadata,
    _id(),
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
    *[_count(name) for name in ("buildings", "buildings_assessed", "buildings_covered")],
    *[_count(name) for name in ("residents", "residents_assessed", "residents_covered")],
)

circle_polygons = sa.Table(
    "circle_polygons",
    metadata,
    sa.Column("run", sa.BigInteger, sa.ForeignKey("circle_runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("category", sa.Text, primary_key=True),
    sa.Column("minutes", sa.SmallInteger, primary_key=True),
    _geometry("MULTIPOLYGON"),
    *_sound(),
)

imports = sa.Table(
    "imports",
    metadata,
    _id(),
    sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("layer", sa.Text, nullable=False),
    _text("attribution"),
    *[_count(name) for name in ("read", "taken", "repaired", "refused", "estimated")],
    sa.Column("reasons", pg.JSONB, nullable=False, server_default="{}"),
)
