"""Cleaned layers into PostGIS: everything of one import in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import pandas as pd
import shapely
import sqlalchemy as sa
from geoalchemy2 import Geometry

from data import tables as t
from data.grid_systems import GridSystem
from data.import_report import ImportReport
from data.importers import clean_layer
from data.loading import read_rows, replace_layer
from data.osm_areas import community_of
from data.plans import codes_ever_published, codes_in_force, save_plan, save_units
from data.professional_layers import fit_codes
from data.reports import INLETS
from data.retrying import retried
from gisgrid.codes import parent_code, valid_grid_code
from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from gisgrid.metrics import compactness
from gisgrid.models import Band, Progress, no_progress

ORDER = (
    *("areas", "streets", "barriers", "water", "walls", "buildings", "facilities", "addresses", "components"),
    "reports",
)
"""Areas first: others refer to them."""
_IMPORT_LOCK = 44900002
"""Imports follow each other: two of one source would otherwise both replace the rows of a third."""
NEAR_DEGREES = 0.05
"""How far outside the stored areas (about 5 km) streets and facilities are still of use."""


def clean_layers(
    layers: Mapping[str, gpd.GeoDataFrame], *, progress: Progress = no_progress
) -> tuple[dict[str, gpd.GeoDataFrame], dict[str, ImportReport]]:
    """`clean_layer` for each of several layers of one place, areas first; (rows to store, reports)."""
    rows: dict[str, gpd.GeoDataFrame] = {}
    reports: dict[str, ImportReport] = {}
    present = [name for name in ORDER if name in layers]
    for number, name in enumerate(present):
        progress(number / len(present), name)
        rows[name], reports[name] = clean_layer(layers[name], name)
    return rows, reports


@retried
def store_layers(
    engine: sa.Engine,
    layers: Mapping[str, gpd.GeoDataFrame],
    reports: Mapping[str, ImportReport],
    *,
    source: str,
    attribution: str = "",
    progress: Progress = no_progress,
) -> None:
    """Store cleaned layers under the name of their source, replacing what that source gave before.

    ``attribution`` is what the owner of the data wants said wherever it is shown.
    Buildings and addresses that name no community get the one they lie in. Raises BadInput when the database refuses
    a row; then nothing of the import is kept.
    """
    if "reports" in layers and source in INLETS:
        raise BadInput(f"source {source!r} holds the reports sent to this service; import yours under another name")
    try:
        with engine.begin() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_IMPORT_LOCK)))
            present = [name for name in ORDER if name in layers]
            for number, name in enumerate(present):
                progress(number / len(present), name)
                replace_layer(connection, name, _known_communities(connection, layers[name]), source=source)
            for table in (t.buildings, t.addresses):
                if table.name in layers or "areas" in layers:
                    _assign_communities(connection, table)
            _log(connection, reports, source, attribution)
    except (sa.exc.IntegrityError, sa.exc.DataError) as error:
        raise BadInput(f"the database refused a row: {_why(error)}; nothing was stored") from error


@retried
def store_units(engine: sa.Engine, units: gpd.GeoDataFrame, report: ImportReport, *, source: str) -> int:
    """Store a ready-made set of units; its area is the smallest one holding all their communities.

    Units that name no community get the one their inner point lies in. Raises BadInput when a community is unknown or
    the database refuses a unit.
    """
    with engine.begin() as connection:
        units = _placed(connection, units)
        area = _common_area(connection, units["community"].tolist())
        unit_set = save_units(connection, area, units, params={"source": source})
        _log(connection, {"units": report}, source)
    return unit_set


@retried
def store_grids(engine: sa.Engine, grids: gpd.GeoDataFrame, report: ImportReport, *, source: str, band: Band) -> int:
    """Store an existing grid layer as a draft plan without units, to be compared with or published.

    Grids that name no community belong to the one their code begins with, deeper ones that name no parent to the grid
    their code begins with; compactness is measured, whatever the file says. A grid with the code of one in force is
    that grid drawn anew. Raises BadInput when a community is unknown or the database refuses a grid.
    """
    community = grids["community"].where(grids["community"].notna(), grids["code"].str[:12])
    grids = grids.assign(
        community=community, parent=_parents(grids), compactness=compactness(to_metric(grids).geometry)
    )
    with engine.begin() as connection:
        area = _common_area(connection, grids["community"].tolist())
        now = codes_in_force(connection, sorted(set(grids["community"])))
        plan = save_plan(connection, area=area, name=source, band=band, grids=grids, continues=now)
        _log(connection, {"grids": report}, source)
    return plan


@retried
def store_professional(
    engine: sa.Engine, grids: gpd.GeoDataFrame, report: ImportReport, *, source: str, band: Band, system: GridSystem
) -> int:
    """Store the grids of a professional system as a draft plan of that system; its id.

    ``grids``: rows of ``clean_layer(…, "professional")``. Codes of 20 digits stay, a code in force means that grid
    drawn anew; other grids are numbered (`data.professional_layers.fit_codes`). Where the layer has no households
    they are counted from the stored buildings. Raises BadInput when a grid lies in no stored community.
    """
    with engine.begin() as connection:
        areas = read_rows(connection, t.areas)
        taken = codes_ever_published(connection, [], system=system.name)
        fitted, communities = fit_codes(grids, areas, system=system, taken=taken)
        area = _common_area(connection, communities)
        now = set(codes_in_force(connection, [], system=system.name)) & set(grids["code"])
        plan = save_plan(
            connection, area=area, name=source, band=band, grids=fitted, system=system.name, continues=now
        )  # fmt: skip
        if not fitted["households"].any():
            _count_households(connection, plan)
        _log(connection, {"grids": report}, source)
    return plan


def _parents(grids: gpd.GeoDataFrame) -> list[str | None]:
    """Parent of each grid: the one named; of a deeper grid that names none, the code it begins with; else none."""
    found: list[str | None] = []
    for code, level, parent in zip(grids["code"], grids["level"], grids["parent"], strict=True):
        named = None if pd.isna(parent) else str(parent)
        deep = level > 1 and named is None and valid_grid_code(code)
        found.append(parent_code(code) if deep else named)
    return found


def _count_households(connection: sa.Connection, plan: int) -> None:
    """Households and population of a plan's grids, from the buildings whose inner point lies in them."""
    connection.execute(
        sa.text(
            "WITH placed AS (SELECT min(g.id) AS grid, b.id, b.households, b.population FROM grids g JOIN buildings b "
            "ON g.geometry && b.geometry AND ST_Covers(g.geometry, ST_PointOnSurface(b.geometry)) "
            "WHERE g.plan = :plan GROUP BY b.id), "
            "sums AS (SELECT grid, sum(households) AS households, sum(population) AS population FROM placed "
            "GROUP BY grid) "
            "UPDATE grids SET households = sums.households, population = sums.population "
            "FROM sums WHERE grids.id = sums.grid"
        ),
        {"plan": plan},
    )


def near_stored_areas(engine: sa.Engine) -> gpd.GeoDataFrame | None:
    """The outline in which new rows are believable: the stored areas and `NEAR_DEGREES` around; None without areas."""
    extent = sa.cast(sa.func.ST_Extent(t.areas.c.geometry), Geometry)
    shape = sa.func.ST_AsBinary(sa.func.ST_Expand(extent, NEAR_DEGREES))
    with engine.connect() as connection:
        found = connection.scalar(sa.select(shape))
    if found is None:
        return None
    return gpd.GeoDataFrame(geometry=shapely.from_wkb([bytes(found)]), crs=f"EPSG:{t.SRID}")


def counted_twice(engine: sa.Engine, source: str) -> dict[str, int]:
    """How many buildings of a source stand where another source has one already, by that source.

    Both count towards households until one source replaces the other.
    """
    mine, other = t.buildings.alias("mine"), t.buildings.alias("other")
    stands = sa.func.ST_Intersects(other.c.geometry, sa.func.ST_PointOnSurface(mine.c.geometry))
    query = (
        sa.select(other.c.source, sa.func.count(sa.distinct(mine.c.id)))
        .select_from(mine.join(other, sa.and_(other.c.source != mine.c.source, stands)))
        .where(mine.c.source == source)
        .group_by(other.c.source)
        .order_by(other.c.source)
    )
    with engine.connect() as connection:
        return {name: int(number) for name, number in connection.execute(query)}


def _known_communities(connection: sa.Connection, rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows whose community is stored keep it; others are left for `_assign_communities` to place."""
    if "community" not in rows:
        return rows
    known = connection.scalars(sa.select(t.areas.c.code).where(t.areas.c.level == "community"))
    return rows.assign(community=rows["community"].where(rows["community"].isin(list(known)), None))


def _placed(connection: sa.Connection, units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Units with a community each, from the stored areas where they name none. Raises BadInput where there is none."""
    missing = units["community"].isna().to_numpy()
    if not missing.any():
        return units
    areas = read_rows(connection, t.areas, where=[t.areas.c.level == "community"])
    community = units["community"].to_numpy(object).copy()
    community[missing] = community_of(shapely.point_on_surface(units.geometry.to_numpy()[missing]), areas)
    lost = pd.isna(community)
    if lost.any():
        unit = units["unit_id"].to_numpy()[lost][0]
        raise BadInput(f"unit {unit!r} names no community and lies in none stored here; import the areas (--as areas)")
    return units.assign(community=community)


def _assign_communities(connection: sa.Connection, table: sa.Table) -> None:
    """The community a row's inner point lies in, where the row names none."""
    inside = sa.func.ST_Covers(t.areas.c.geometry, sa.func.ST_PointOnSurface(table.c.geometry))
    community = sa.select(sa.func.min(t.areas.c.code)).where(t.areas.c.level == "community", inside).scalar_subquery()
    connection.execute(sa.update(table).where(table.c.community.is_(None)).values(community=community))


def _common_area(connection: sa.Connection, communities: list[str]) -> str:
    """The smallest stored area holding all the communities. Raises BadInput when one of them is unknown."""
    distinct = sorted(set(communities))
    known = set(connection.scalars(sa.select(t.areas.c.code).where(t.areas.c.code.in_(distinct))))
    missing = [code for code in distinct if code not in known]
    if missing:
        raise BadInput(f"community {missing[0]!r} is not known here; import its areas first (--as areas)")
    for length in (12, 9, 6):
        stems = {code[:length] for code in distinct}
        if len(stems) == 1:
            code = stems.pop()
            if connection.scalar(sa.select(t.areas.c.code).where(t.areas.c.code == code)):
                return code
    raise BadInput(f"the rows lie in several areas ({distinct[0]} … {distinct[-1]}) with no common one; split the file")


def _log(connection: sa.Connection, reports: Mapping[str, ImportReport], source: str, attribution: str = "") -> None:
    for layer, report in reports.items():
        counts = {name: getattr(report, name) for name in ("read", "taken", "repaired", "refused", "estimated")}
        reasons = dict(report.reasons)
        about = {"source": source, "layer": layer, "attribution": attribution, "reasons": reasons}
        connection.execute(sa.insert(t.imports).values(**about, **counts))


def _why(error: sa.exc.DBAPIError) -> str:
    lines = [line.strip() for line in str(error.orig).splitlines() if line.strip()]
    return "; ".join(lines[:2])
