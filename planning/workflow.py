"""Units → plan → check → publish, in PostGIS: the functions of this package on stored data."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
import sqlalchemy as sa

from data import plans
from data import tables as t
from data.loading import read_rows
from data.retrying import retried
from data.tables import COMPREHENSIVE
from gisgrid.coverage import CoverageReport
from gisgrid.crs import to_metric
from gisgrid.errors import BadInput, NotFound
from gisgrid.models import Band, Progress, no_progress
from gisgrid.numbering import grid_names, renumber
from gisgrid.overlay import largest_part
from planning.checking import check_levels
from planning.crosswalk import crosswalk
from planning.levels import Level, LevelReason, partition_levels, split_options
from planning.partition import PlanResult, Reason, old_grids_of, partition
from planning.professional import ProfessionalPlan, Within, plan_professional
from planning.units import make_units, road_axes
from planning.workflow_publishing import Published as Published
from planning.workflow_publishing import publish as publish

MARGIN_DEGREES = 0.02
"""How far beyond an area the lines are read that its units may be bounded by (about 2 km)."""


@retried
def units_for_area(
    engine: sa.Engine,
    area: str,
    *,
    max_households: int = 60,
    special_max_area: float | None = None,
    progress: Progress = no_progress,
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
        streets, water, walls = (around(connection, table, communities) for table in (t.streets, t.water, t.walls))
        units = make_units(
            buildings, streets, communities, water=water, walls=walls, max_households=max_households,
            special_max_area=special_max_area, progress=progress,
        )  # fmt: skip
        params = {"max_households": max_households, "special_max_area": special_max_area}
        unit_set = plans.save_units(connection, area, units, params=params)
    return unit_set, units


@dataclass(frozen=True, slots=True)
class PlanningInput:
    """What a plan of an area is made from: its communities, newest units (in metres), barrier lines; old grids and the
    code of each unit's, where it stays near them.
    """

    area: str
    communities: gpd.GeoDataFrame
    unit_set: int
    units: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    old: gpd.GeoDataFrame | None = None
    old_code: npt.NDArray[np.object_] | None = None

    @property
    def codes(self) -> list[str]:
        """Codes of the communities."""
        return [str(code) for code in self.communities["code"]]


def read_planning_input(connection: sa.Connection, area: str, *, unit_set: int | None = None) -> PlanningInput:
    """Read what `partition` needs for an area, of its newest units or those of a set.

    Raises NotFound for an unknown area and one without units.
    """
    communities = plans.communities_of(connection, area)
    unit_set = plans.latest_unit_set(connection, area) if unit_set is None else unit_set
    units = to_metric(plans.units_of(connection, unit_set))
    return PlanningInput(area, communities, unit_set, units, stored_lines(connection, communities, units))


def stored_lines(connection: sa.Connection, communities: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """`planning_lines` of the streets, water and walls stored in and near some communities."""
    lines = [around(connection, table, communities) for table in (t.streets, t.water, t.walls)]
    return planning_lines(units, *lines)


def read_grids_in_force(connection: sa.Connection, area: str, *, level: int | None = 1) -> gpd.GeoDataFrame:
    """Comprehensive grids in force in an area (EPSG:4490), of one level or of all. Raises NotFound."""
    generation = plans.current_generation(connection)
    if generation is None:
        raise NotFound("no plan is published yet; publish one first (gisgrid publish PLAN)")
    inside = plans.communities_of(connection, area)["code"]
    grids = plans.grids_in_force(connection, generation.id, level=level)
    grids = grids[grids["community"].isin(inside)].reset_index(drop=True)
    if grids.empty:
        raise NotFound(f"area {area} has no grids in force; publish a plan of it first (gisgrid publish PLAN)")
    return grids


def store_plan(
    connection: sa.Connection,
    source: PlanningInput,
    result: PlanResult,
    /,
    *,
    band: Band,
    seed: int = 0,
    name: str = "",
    kept: Collection[str] = (),
    fixed: Collection[str] = (),
    **about: Any,
) -> tuple[int, PlanResult]:
    """Store a plan as a draft; (its id, the result with the codes and names it is stored under).

    ``result.grids`` may hold several levels, ``result.assignment`` then has a column a level (`data.plans.save_plan`).
    ``kept``: codes of grids that go on under their code; ``fixed``: codes that stay though no grid in force has
    them (of a draft). Other grids get codes that no generation used, and names by number. ``about``: author, note …
    Raises BadInput when a kept code is not that of a grid in force here, or of no grid of the plan.
    """
    _check_kept(kept, result.grids, plans.codes_in_force(connection, source.codes))
    taken = plans.codes_ever_published(connection, source.codes)
    result = replace(result, grids=_numbered(result.grids, taken, {*kept, *fixed}, source.communities))
    plan = plans.save_plan(
        connection, area=source.area, name=name or f"{source.area} {band}", band=band, seed=seed,
        unit_set=source.unit_set, grids=result.grids, units=source.units, assignment=result.assignment,
        continues=kept, feasible=result.feasible, reasons=[reason_json(reason) for reason in result.reasons],
        stats=result.stats, **about,
    )  # fmt: skip
    return plan, result


@retried
def plan_for_area(
    engine: sa.Engine,
    area: str,
    *,
    band: Band,
    keep: bool = False,
    levels: Sequence[Level] = (),
    name: str = "",
    seed: int = 0,
    progress: Progress = no_progress,
    **options: Any,
) -> tuple[int, PlanningInput, PlanResult]:
    """Partition the newest units of an area into grids, stored as a draft plan; (plan, what it was made from, result).

    `keep`: plan against the grids in force, whose codes go on. `levels`: levels of grids inside grids, the first in
    place of `band`; the result then has the grids of all and a column of `assignment` for each. `options`: as for
    `planning.partition.partition`. Raises NotFound for an unknown area, and with `keep` when no grids are in force
    there, and BadInput for a level of entrances: the units stored are not divided so far.
    """
    if any(level.kind == "entrance" for level in levels):
        raise BadInput("levels: stored units are not divided by entrance; plan that level from files")
    with engine.begin() as connection:
        source = read_planning_input(connection, area)
        kept: set[str] = set()
        if keep:
            old = read_grids_in_force(connection, area)
            source = replace(source, old=old, old_code=old_grids_of(source.units, old))
            options["keep"] = source.old_code
            kept = set(old["code"])
        options["taken"] = plans.codes_ever_published(connection, source.codes)
        if levels:
            result = in_levels(source, levels, seed, progress, options)
            band = Band.parse(first["band"]) if (first := result.stats["levels"][0]).get("band") else band
        else:
            result = partition(source.units, source.barriers, band=band, seed=seed, progress=progress, **options)
        kept &= set(result.grids["code"])
        plan, result = store_plan(connection, source, result, band=band, seed=seed, name=name, kept=kept)
    return plan, source, result


def in_levels(
    source: PlanningInput, levels: Sequence[Level], seed: int, progress: Progress, options: dict[str, Any]
) -> PlanResult:
    """`partition_levels` in the shape of one plan: grids of all levels, a column of ``assignment`` for each."""
    found = partition_levels(
        source.units, source.barriers, levels, seed=seed, progress=progress, **split_options(options)
    )
    return replace(
        found.first, grids=found.grids, assignment=found.owners, feasible=found.feasible,
        reasons=list(found.reasons), stats=found.first.stats | found.stats,
    )  # fmt: skip


def check_in_force(engine: sa.Engine, area: str | None = None) -> CoverageReport:
    """Check the comprehensive grids in force, in one area or everywhere they are, every level.

    Raises NotFound before the first publish.
    """
    with engine.connect() as connection:
        since = plans.generation_of(connection)
        generation = plans.current_generation(connection)
        if since is None or generation is None:
            raise NotFound("no plan is published yet; publish one first (gisgrid publish PLAN)")
        if area is None:
            grids = plans.grids_in_force(connection, generation.id, level=None)
        else:
            grids = read_grids_in_force(connection, area, level=None)
        communities = read_rows(connection, t.areas, where=[t.areas.c.code.in_(sorted(set(grids["community"])))])
        return check_levels(grids, communities, band=plans.plan_row(connection, since.plan).band)


@retried
def fuse_for_area(
    engine: sa.Engine,
    area: str,
    *,
    system: str,
    object_code: str,
    band: Band,
    within: Within = "community",
    grids: int | None = None,
    seed: int = 0,
    time_limit: float | None = None,
    preset: str = "balanced",
    name: str = "",
    progress: Progress = no_progress,
) -> tuple[int, gpd.GeoDataFrame, ProfessionalPlan]:
    """Join the comprehensive grids in force of an area to professional grids, stored as a draft plan of their system.

    (Plan, the comprehensive grids, result.) Raises NotFound when the area has no grids in force.
    """
    with engine.begin() as connection:
        atoms = to_metric(read_grids_in_force(connection, area))
        communities = plans.communities_of(connection, area)
        barriers = barrier_lines(*(around(connection, table, communities) for table in (t.streets, t.water, t.walls)))
        result = plan_professional(
            atoms, barriers, system=system, object_code=object_code, band=band, within=within, grids=grids, seed=seed,
            time_limit=time_limit, preset=preset, names=plans.area_names(connection),
            taken=plans.codes_ever_published(connection, [], system=system), progress=progress,
        )  # fmt: skip
        plan = plans.save_plan(
            connection, area=area, name=name or f"{area} {system} {band}", band=band, system=system, seed=seed,
            grids=result.grids, feasible=result.feasible, stats=result.stats,
            reasons=[reason_json(reason) for reason in result.reasons],
        )  # fmt: skip
    return plan, atoms, result


def crosswalk_in_force(
    engine: sa.Engine, area: str | None = None, *, systems: Collection[str] | None = None
) -> gpd.GeoDataFrame:
    """`planning.crosswalk.crosswalk` of the comprehensive grids in force against all other systems in force, or some.

    People are counted by the units the grids were made of; where grids were imported without units, by buildings.
    Computed on demand. Raises NotFound when there is no grid of either kind.
    """
    with engine.connect() as connection:
        generation = plans.current_generation(connection)
        if generation is None:
            raise NotFound("no plan is published yet; publish one first (gisgrid publish PLAN)")
        grids = (
            plans.grids_in_force(connection, generation.id)
            if area is None
            else read_grids_in_force(connection, area)
        )  # fmt: skip
        if grids.empty:
            raise NotFound("no comprehensive grids are in force; publish a plan first (gisgrid publish PLAN)")
        others = plans.grids_in_force(connection, generation.id, system=None, level=1)
        others = others[others["system"] != COMPREHENSIVE]
        missing = sorted(set(systems or ()) - set(others["system"]))
        if missing or others.empty:
            wanted = f"of system {missing[0]} " if missing else ""
            raise NotFound(
                f"no professional grids {wanted}are in force; import them (gisgrid import layer FILE --as grids "
                "--system NAME) or make them (gisgrid fuse), then publish"
            )
        others = others if systems is None else others[others["system"].isin(systems)]
        people = _people_of(connection, generation.id, grids)
    return crosswalk(grids, others, units=people)


def _people_of(connection: sa.Connection, generation: int, grids: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Where the households of some grids live: their units, or buildings where a grid has no units."""
    units = plans.owned_units(connection, generation)
    units = units[units["grid"].isin(grids["code"])]
    without = grids[~grids["code"].isin(units["grid"])]
    columns = ["households", "population", "grid", "geometry"]
    if without.empty:
        return units[columns]
    inside = t.buildings.c.community.in_(sorted(set(without["community"])))
    houses = read_rows(connection, t.buildings, where=[inside])
    points = houses.geometry.representative_point()
    houses = houses.assign(unit_id=houses["building_id"], grid=None).set_geometry(points)
    at = largest_part(houses.geometry.to_numpy(), without.geometry.to_numpy())
    houses = houses[at >= 0].assign(grid=without["code"].to_numpy()[at[at >= 0]])
    return gpd.GeoDataFrame(pd.concat([units[columns], houses[columns]], ignore_index=True), crs=grids.crs)


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


def planning_lines(
    units: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    water: gpd.GeoDataFrame | None = None,
    walls: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """`barrier_lines`, and the axes of roads whose carriageways the borders of the units run between."""
    lines = barrier_lines(streets, water, walls)
    axes = road_axes(to_metric(units), streets, water, walls)
    if axes.empty:
        return lines
    return gpd.GeoDataFrame(pd.concat([lines, axes.to_crs(lines.crs)], ignore_index=True), crs=lines.crs)


def around(connection: sa.Connection, table: sa.Table, places: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows of a layer in and near some places."""
    west, south, east, north = places.total_bounds
    box = sa.func.ST_MakeEnvelope(
        west - MARGIN_DEGREES, south - MARGIN_DEGREES, east + MARGIN_DEGREES, north + MARGIN_DEGREES, t.SRID
    )
    return read_rows(connection, table, where=[table.c.geometry.bool_op("&&")(box)])


def _check_kept(kept: Collection[str], grids: gpd.GeoDataFrame, in_force: Collection[str]) -> None:
    """Raise BadInput when a code is to go on that is not in force here, or that no grid of the plan bears."""
    known, planned = set(in_force), set(grids["code"])
    for code in kept:
        if code not in known:
            raise BadInput(f"grid {code} is not in force here, so no grid can go on under its code; do not keep it")
        if code not in planned:
            raise BadInput(f"no grid of the plan has the code {code} that is to go on; do not keep it")


def _numbered(
    grids: gpd.GeoDataFrame, taken: Collection[str], kept: Collection[str], communities: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Grids with codes no earlier generation used (a retired code is never reused), named by number; kept ones stay."""
    codes, levels = grids["code"].to_numpy(object), grids["level"].to_numpy()
    parents = np.where(levels > 1, grids["parent"], grids["community"])
    centres = grids.geometry.centroid
    new = renumber(
        codes, parents, centres.x.to_numpy(), centres.y.to_numpy(), taken=taken, kept=kept, afresh=True
    )  # fmt: skip
    follow = dict(zip(codes, new, strict=True))
    above = np.array([follow.get(parent, parent) for parent in parents], dtype=object)
    places = dict(zip(communities["code"], communities["name"], strict=True))
    deeper = [code if deep else None for code, deep in zip(above, levels > 1, strict=True)]
    return grids.assign(code=new, parent=deeper, name=grid_names(new, above, places))


def reason_json(reason: Reason) -> dict[str, Any]:
    """A reason as JSON-ready values; ``level`` where a plan has several."""
    facts = {
        "code": reason.code,
        "text": reason.text,
        "community": reason.community,
        "units": list(map(str, reason.units)),
        "figures": dict(reason.figures),
    }
    return facts | {"level": reason.level} if isinstance(reason, LevelReason) else facts
