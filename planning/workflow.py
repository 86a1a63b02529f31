"""Units → plan → check → publish → circles, in PostGIS: the functions of this package on stored data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import sqlalchemy as sa

from data import plans
from data import tables as t
from data.code_tables import facility_categories
from data.loading import copy_rows, insert_one, read_rows
from gisgrid.codes import grid_codes
from gisgrid.coverage import CoverageReport, check
from gisgrid.crs import to_metric
from gisgrid.errors import BadInput, Conflict, NotFound
from gisgrid.models import Band, Progress, no_progress
from gisgrid.settings import Settings
from planning.circles import CirclesResult, service_circles
from planning.partition import PlanResult, Reason, Weights, partition
from planning.units import make_units

MARGIN_DEGREES = 0.02
"""How far beyond an area streets and facilities are read (about 2 km: more than 15 minutes on foot)."""


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did."""

    generation: plans.Generation
    report: CoverageReport


def units_for_area(
    engine: sa.Engine, area: str, *, max_households: int = 60, progress: Progress = no_progress
) -> tuple[int, gpd.GeoDataFrame]:
    """Make and store the units of an area from its buildings, streets, water and walls; (unit set, units in metres).

    Raises NotFound for an unknown area and BadInput when it has no buildings.
    """
    with engine.begin() as connection:
        communities = plans.communities_of(connection, area)
        buildings = read_rows(
            connection, t.buildings, where=[t.buildings.c.community.in_(communities["code"].tolist())]
        )
        if buildings.empty:
            raise BadInput(f"area {area} has no buildings; import them first (gisgrid import …)")
        streets, water, walls = (_around(connection, table, communities) for table in (t.streets, t.water, t.walls))
        units = make_units(
            buildings, streets, communities, water=water, walls=walls, max_households=max_households, progress=progress
        )
        unit_set = plans.save_units(connection, area, units, params={"max_households": max_households})
    return unit_set, units


def plan_for_area(
    engine: sa.Engine,
    area: str,
    *,
    band: Band,
    grids: int | None = None,
    seed: int = 0,
    time_limit: float | None = None,
    preset: str = "balanced",
    weights: Weights | None = None,
    name: str = "",
    progress: Progress = no_progress,
) -> tuple[int, gpd.GeoDataFrame, PlanResult]:
    """Partition the newest units of an area into grids, stored as a draft plan; (plan, the units, result)."""
    with engine.begin() as connection:
        communities = plans.communities_of(connection, area)
        unit_set = plans.latest_unit_set(connection, area)
        units = to_metric(plans.units_of(connection, unit_set))
        barriers = barrier_lines(*(_around(connection, table, communities) for table in (t.streets, t.water, t.walls)))
        result = partition(
            units, barriers, band=band, grids=grids, seed=seed, time_limit=time_limit, preset=preset, weights=weights,
            progress=progress,
        )  # fmt: skip
        taken = plans.codes_ever_published(connection, communities["code"].tolist())
        result = replace(result, grids=_named(_numbered(result.grids, taken), communities))
        plan = plans.save_plan(
            connection, area=area, name=name or f"{area} {band}", band=band, seed=seed, unit_set=unit_set,
            grids=result.grids, units=units, assignment=result.assignment, feasible=result.feasible,
            reasons=[reason_json(reason) for reason in result.reasons], stats=result.stats,
        )  # fmt: skip
    return plan, units, result


def publish(engine: sa.Engine, plan: int, *, note: str = "") -> Published:
    """Check a draft plan against the communities it divides and put it in force.

    Raises Conflict when grids leave gaps, overlap, fall apart or cross communities; the database is then unchanged.
    """
    with engine.begin() as connection:
        row = plans.plan_row(connection, plan)
        report = check(plans.grids_of_plan(connection, plan), plans.communities_of(connection, row.area), band=row.band)
        if not report.ok:
            raise Conflict(f"plan {plan} cannot be published: {report.lines()[1].strip()}", problems=report.as_dict())
        generation = plans.publish_plan(connection, plan, note=note)
    return Published(generation, report)


def check_in_force(engine: sa.Engine, area: str | None = None) -> CoverageReport:
    """Check the grids in force, in one area or everywhere they are. Raises NotFound before the first publish."""
    with engine.connect() as connection:
        generation = plans.current_generation(connection)
        if generation is None:
            raise NotFound("no plan is published yet; publish one first (gisgrid publish PLAN)")
        grids = plans.grids_in_force(connection, generation.id)
        if area is not None:
            inside = plans.communities_of(connection, area)["code"]
            grids = grids[grids["community"].isin(inside)]
            if grids.empty:
                raise NotFound(f"area {area} has no grids in force; publish a plan of it first (gisgrid publish PLAN)")
        communities = read_rows(connection, t.areas, where=[t.areas.c.code.in_(sorted(set(grids["community"])))])
        return check(grids, communities, band=plans.plan_row(connection, generation.plan).band)


def circles_in_force(
    engine: sa.Engine,
    settings: Settings,
    *,
    minutes: tuple[int, ...] = (5, 10, 15),
    profile: str = "adult",
    progress: Progress = no_progress,
) -> tuple[int, CirclesResult]:
    """Compute and store who reaches what in the area of the grids in force; (run, result)."""
    with engine.begin() as connection:
        generation = plans.current_generation(connection)
        if generation is None:
            raise NotFound("no plan is published yet, so there are no grids to report by; publish one first")
        grids = plans.grids_in_force(connection, generation.id)
        codes = sorted(set(grids["community"]))
        buildings = read_rows(connection, t.buildings, where=[t.buildings.c.community.in_(codes)])
        streets, facilities = (_around(connection, table, grids) for table in (t.streets, t.facilities))
        result = service_circles(
            streets, facilities, buildings, grids=grids, categories=facility_categories(settings),
            minutes=minutes, profile=profile, progress=progress,
        )  # fmt: skip
        run = _save_circles(connection, generation.id, result, minutes, profile)
    return run, result


def barrier_lines(
    streets: gpd.GeoDataFrame, water: gpd.GeoDataFrame | None = None, walls: gpd.GeoDataFrame | None = None
) -> gpd.GeoDataFrame:
    """Streets, river lines and banks, and walls as one line layer with the ``cls`` boundaries are judged by."""
    parts = [streets[["cls", "geometry"]]] if "cls" in streets else [streets]
    for lines, cls in ((water, "river"), (walls, "wall")):
        if lines is not None and len(lines):
            shape = lines.geometry.to_crs(streets.crs).to_numpy()
            shape = np.where(shapely.get_dimensions(shape) == 1, shape, shapely.boundary(shape))
            parts.append(gpd.GeoDataFrame({"cls": [cls] * len(shape)}, geometry=shape, crs=streets.crs))
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=streets.crs)


def _around(connection: sa.Connection, table: sa.Table, places: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows of a layer in and near some places."""
    west, south, east, north = places.total_bounds
    box = sa.func.ST_MakeEnvelope(
        west - MARGIN_DEGREES, south - MARGIN_DEGREES, east + MARGIN_DEGREES, north + MARGIN_DEGREES, t.SRID
    )
    return read_rows(connection, table, where=[table.c.geometry.bool_op("&&")(box)])


def _numbered(grids: gpd.GeoDataFrame, taken: list[str]) -> gpd.GeoDataFrame:
    """Grids with codes no earlier generation used: a retired code is never reused."""
    if not grids["code"].isin(taken).any():
        return grids
    centres = grids.geometry.centroid
    codes = grid_codes(grids["community"].to_numpy(), centres.x.to_numpy(), centres.y.to_numpy(), taken=taken)
    return grids.assign(code=codes)


def _named(grids: gpd.GeoDataFrame, communities: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Grids named after their community and number."""
    names = dict(zip(communities["code"], communities["name"], strict=True))
    return grids.assign(
        name=[
            f"{names.get(community, '')}第{int(code[12:15])}网格"
            for community, code in zip(grids["community"], grids["code"], strict=True)
        ]
    )


def reason_json(reason: Reason) -> dict[str, Any]:
    """A reason as JSON-ready values."""
    return {
        "code": reason.code,
        "text": reason.text,
        "community": reason.community,
        "units": list(map(str, reason.units)),
    }


def _save_circles(
    connection: sa.Connection, generation: int, result: CirclesResult, minutes: tuple[int, ...], profile: str
) -> int:
    """Store a run in place of the one this generation had for the profile."""
    runs = t.circle_runs
    connection.execute(sa.delete(runs).where(runs.c.generation == generation, runs.c.profile == profile))
    run = insert_one(
        connection, runs, generation=generation, profile=profile, minutes=list(minutes),
        categories=_plain(result.coverage), report=result.report,
    )  # fmt: skip
    copy_rows(connection, t.circle_coverage, result.grid_coverage.rename(columns={"code": "grid_code"}).assign(run=run))
    shapes = result.isochrones
    copy_rows(connection, t.circle_polygons, shapes[~shapes.geometry.is_empty].assign(run=run))
    return run


def _plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON-ready values."""
    return [
        {str(key): value.item() if isinstance(value, np.generic) else value for key, value in row.items()}
        for row in frame.to_dict("records")
    ]
