"""What a database holds, in figures that are equal if and only if the contents are: for a backup's manifest."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext

from data import tables as t
from data.in_force import InForce
from data.plans import current_generation, generation_of, grids_in_force, in_force
from data.tables import COMPREHENSIVE
from gisgrid.coverage import check

POINTS = 1_000
"""Places whose owners are kept in a backup and asked again of what was restored."""
LEFT_OUT = ("sessions",)
"""Tables whose rows a backup leaves out: whoever was signed in signs in again, and none of it opens a door later."""
SEEDED = (
    "alembic_version", "audit_head", "component_classes", "facility_categories", "queue_migrations",
    "procrastinate_workers", "layer_changes",
)  # fmt: skip
"""Tables that are filled when a database is prepared, before anybody has put anything in."""
SAME_TEXT = (
    "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 1; "
    "SET bytea_output = 'hex'"
)
"""Values as text must not depend on who asks."""
DIGEST = "SELECT count(*), coalesce(sum(('x' || substr(md5(r::text), 1, 15))::bit(60)::bigint::numeric), 0)::text FROM"
"""Number of rows, and a sum over all that no order changes; ``FROM table r`` completes it."""
OURS = """
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname !~ '^pg_|^information_schema$' AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')"""
"""Relations that no extension made."""
Figures = dict[str, dict[str, Any]]


def tables_of(connection: sa.Connection) -> list[tuple[str, str]]:
    """Schema and name of every table that no extension made, in order."""
    rows = connection.exec_driver_sql(f"SELECT n.nspname, c.relname {OURS} AND c.relkind = 'r' ORDER BY 1, 2")
    return [(str(schema), str(name)) for schema, name in rows]


def holds_anything(connection: sa.Connection) -> list[str]:
    """Tables somebody put something into."""
    asked = [(schema, name) for schema, name in tables_of(connection) if name not in SEEDED]
    return [
        name
        for schema, name in asked
        if connection.exec_driver_sql(f"SELECT EXISTS (SELECT FROM {_quoted(schema, name)})").scalar()
    ]


def figures(connection: sa.Connection) -> Figures:
    """Rows and digest of every table, by ``schema.name``; of those left out none."""
    connection.exec_driver_sql(SAME_TEXT)
    found: Figures = {}
    for schema, name in tables_of(connection):
        if name in LEFT_OUT:
            rows, digest = 0, "0"
        else:
            rows, digest = connection.exec_driver_sql(f"{DIGEST} {_quoted(schema, name)} r").one()
        found[f"{schema}.{name}"] = {"rows": int(rows), "digest": str(digest)}
    return found


def state_of(connection: sa.Connection) -> dict[str, Any]:
    """Schema version, generation in force, coverage of its grids, owners of `POINTS` places."""
    state: dict[str, Any] = {
        "schema": MigrationContext.configure(connection).get_current_revision(),
        "postgresql": str(connection.exec_driver_sql("SHOW server_version").scalar()),
        "server_version": int(connection.exec_driver_sql("SHOW server_version_num").scalar() or 0) // 10_000,
        "postgis": str(connection.exec_driver_sql("SELECT postgis_lib_version()").scalar()),
        "database_bytes": int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar() or 0),
        "generation": None, "coverage": None, "owners": [],
    }  # fmt: skip
    return state | grids_state(connection)


def grids_state(connection: sa.Connection) -> dict[str, Any]:
    """Generation in force, coverage of its comprehensive grids, owners of `POINTS` places by PostGIS."""
    now = current_generation(connection)
    if now is None:
        return {}
    told: dict[str, Any] = {"generation": {"id": now.id, "published_at": now.published_at.isoformat()}}
    if generation_of(connection) is None:
        return told
    grids = grids_in_force(connection, now.id)
    return told | {"coverage": _coverage(connection, grids), "owners": _owners(connection, grids, now.id)}


def _coverage(connection: sa.Connection, grids: gpd.GeoDataFrame) -> dict[str, Any]:
    report = check(grids)
    return {name: value for name, value in report.as_dict().items() if name in ("ok", "grids", "gap_m2", "overlap_m2")}


def _owners(connection: sa.Connection, grids: gpd.GeoDataFrame, generation: int) -> list[list[Any]]:
    """Longitude, latitude and owner of places drawn in the grids' extent, the same every time, by DESIGN's rule."""
    x0, y0, x1, y1 = grids.total_bounds
    draw = np.random.default_rng(generation)
    xs, ys = draw.uniform(x0, x1, POINTS).tolist(), draw.uniform(y0, y1, POINTS).tolist()
    points = sa.text(
        "SELECT number, ST_SetSRID(ST_MakePoint(x, y), 4490) AS point FROM unnest(:xs, :ys) "
        "WITH ORDINALITY AS given(x, y, number)"
    ).columns(number=sa.Integer, point=t.grids.c.geometry.type)
    place = points.bindparams(
        sa.bindparam("xs", xs, sa.ARRAY(sa.Float)), sa.bindparam("ys", ys, sa.ARRAY(sa.Float))
    ).subquery()
    g = t.grids.c
    covers = sa.and_(sa.func.ST_Covers(g.geometry, place.c.point), in_force(generation, system=COMPREHENSIVE, level=1))
    query = (
        sa.select(place.c.number, sa.func.min(g.code.collate("C")))
        .select_from(place.outerjoin(t.grids, covers))
        .group_by(place.c.number)
    )
    owner: dict[int, str | None] = {int(number): code for number, code in connection.execute(query)}
    return [[x, y, owner[number]] for number, (x, y) in enumerate(zip(xs, ys, strict=True), 1)]


def differing_owners(found: InForce, owners: list[list[Any]]) -> int:
    """Places whose owner by the index of what is in force is another one than is told."""
    return sum(_owner(found, x, y) != code for x, y, code in owners)


def _owner(found: InForce, x: float, y: float) -> str | None:
    row = found.index.row(x, y)
    return None if row < 0 else str(found.grids[row]["code"])


def _quoted(*names: str) -> str:
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)
