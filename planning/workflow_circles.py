"""Service circles on stored data: read an area with what surrounds it, compute, store; its streets as a network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import sqlalchemy as sa

from data import plans
from data import tables as t
from data.circles import COUNTS, NewRun, save_run
from data.code_tables import facility_categories
from data.loading import read_rows
from data.networks import rows_around, streets_around
from data.retrying import retried
from gisgrid.boxes import Box
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import REACH_METRES_MAX, SNAP_METRES_MAX
from gisgrid.models import Progress, no_progress
from gisgrid.settings import Settings
from planning.circles import CirclesResult, service_circles
from planning.network.extent import extent_warning, streets_beyond
from planning.network.modes import KMH_RANGE
from planning.reach import Profile, profile_of
from planning.workflow_networks import REACH_METRES

USUAL_MINUTES: Final = (5, 10, 15)
"""Minutes of the polygons that are stored."""
TOLD_MINUTES: Final = 30.0
"""Minutes up to which the way to the nearest facility is kept: as far as questions to the service look."""
DISTRICT_DIGITS: Final = 6


@dataclass(frozen=True)
class CirclesInput:
    """What circles of an area are computed from, in EPSG:4490; ``generation`` the comprehensive grids are of."""

    generation: int
    grids: gpd.GeoDataFrame
    communities: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame


@dataclass(frozen=True)
class Question:
    """What a run asks for: ``minutes`` of the polygons, who moves and how fast."""

    profile: str = "adult"
    minutes: tuple[float, ...] = USUAL_MINUTES
    metres_per_second: float | None = None
    factor: float | None = None

    def mover(self) -> Profile:
        """The profile at the speed asked for. Raises BadInput for what cannot be, minutes included."""
        mover = profile_of(self.profile, metres_per_second=self.metres_per_second, factor=self.factor)
        if not self.minutes:
            raise BadInput("no minutes are given; give for example 5,10,15")
        for value in self.minutes:
            mover.limit(value)
        return mover

    @property
    def usual(self) -> bool:
        """Whether the answer is what is stored for the profile: its usual speed, the usual minutes."""
        return self.mover() == profile_of(self.profile) and self.minutes == USUAL_MINUTES


@retried
def circles_in_force(
    engine: sa.Engine,
    settings: Settings,
    *,
    minutes: tuple[int, ...] = USUAL_MINUTES,
    profile: str = "adult",
    progress: Progress = no_progress,
) -> tuple[int, CirclesResult]:
    """Compute and store who reaches what in the area of the grids in force; (run, result).

    Raises NotFound before the first publish, BadInput as `service_circles`.
    """
    question = Question(profile, minutes)
    source, result = compute_circles(engine, settings, question, progress=progress)
    with engine.begin() as connection:
        run = save_run(connection, new_run(source, result, minutes, profile))
    return run, result


def compute_circles(
    engine: sa.Engine, settings: Settings, question: Question, *, progress: Progress = no_progress
) -> tuple[CirclesInput, CirclesResult]:
    """Who reaches what in the area of the grids in force, nothing stored. No transaction is open while it computes."""
    mover = question.mover()
    progress(0.0, "reading")
    categories = facility_categories(settings)
    # one reach for what is stored and for questions put to the service, so that they agree
    reach = reach_of(mover.mode) if question.usual else max(reach_of(mover.mode), _furthest(mover, question.minutes))
    with engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        source = read_circles_input(connection, reach)
    result = service_circles(
        source.streets, source.facilities, source.buildings, grids=source.grids, areas=source.communities,
        barriers=source.barriers, categories=categories, minutes=question.minutes, profile=question.profile,
        metres_per_second=question.metres_per_second, factor=question.factor,
        told_minutes=_sure_minutes(mover, question.minutes, reach),
        progress=lambda share, note: progress(0.05 + 0.9 * share, note),
    )  # fmt: skip
    if mover.metres_per_second is not None and (said := _streets_end(source, mover, question.minutes)):
        result.report["notes"].append(said)
    return source, result


def _streets_end(source: CirclesInput, mover: Profile, minutes: Sequence[float]) -> str | None:
    """What a reader should know where the stored streets end too near the area."""
    beyond = streets_beyond(source.streets, source.grids)
    return extent_warning(beyond, _furthest(mover, minutes) - SNAP_METRES_MAX)


def _furthest(mover: Profile, minutes: Sequence[float]) -> float:
    """Metres nobody of a profile gets beyond in the longest of some minutes."""
    speed = mover.metres_per_second or KMH_RANGE[1] / 3.6
    return min(max(minutes) * 60 * speed * mover.factor, REACH_METRES_MAX) + SNAP_METRES_MAX


def _sure_minutes(mover: Profile, minutes: Sequence[float], reach: float) -> float:
    """Minutes up to which a time is sure: streets farther than ``reach`` around the area are not read.

    A way no longer than that cannot leave them. At most `TOLD_MINUTES`, at least the longest of ``minutes``.
    """
    speed = (mover.metres_per_second or KMH_RANGE[1] / 3.6) * mover.factor
    return max(*minutes, min(TOLD_MINUTES, (reach - SNAP_METRES_MAX) / speed / 60), 1.0)


def read_circles_input(connection: sa.Connection, reach: float) -> CirclesInput:
    """The comprehensive grids in force with their buildings, and streets and facilities up to ``reach`` metres around.

    Raises NotFound before the first publish, BadInput where the grids' communities have no buildings.
    """
    generation = plans.generation_of(connection)
    grids = gpd.GeoDataFrame() if generation is None else plans.grids_in_force(connection, generation.id)
    if generation is None or grids.empty:
        raise NotFound("no plan is published yet, so there are no grids to report by; publish one first")
    codes = sorted(set(grids["community"]))
    west, south, east, north = grids.total_bounds
    box = (float(west), float(south), float(east), float(north))
    streets, barriers = streets_around(connection, box, reach)
    return CirclesInput(
        generation=generation.id,
        grids=grids,
        communities=read_rows(connection, t.areas, where=[t.areas.c.code.in_(codes)]),
        buildings=read_rows(connection, t.buildings, where=[t.buildings.c.community.in_(codes)]),
        streets=streets,
        barriers=barriers,
        facilities=rows_around(connection, t.facilities, box, reach),
    )


def new_run(source: CirclesInput, result: CirclesResult, minutes: Sequence[int], profile: str) -> NewRun:
    """A result in the shape it is stored in."""
    homes = result.residences
    categories = result.coverage["category"].tolist()
    return NewRun(
        generation=source.generation,
        profile=profile,
        minutes=minutes,
        categories=plain_rows(result.coverage),
        report=plain(result.report),
        coverage=_coverage(result),
        residences=pd.DataFrame(
            {
                "building": source.buildings["id"].to_numpy(),
                "assessable": homes["assessable"].to_numpy(bool),
                "score": homes["score"].to_numpy(np.float64),
            }
        ),
        seconds=pd.DataFrame(homes)[[f"seconds_{name}" for name in categories]],
        polygons=result.isochrones,
        blind_spots=result.blind_spots,
    )


def _coverage(result: CirclesResult) -> pd.DataFrame:
    """Figures of districts, communities and grids; those of several districts are the sums of their communities'."""
    communities, districts = result.community_coverage, result.district_coverage
    if (districts["code"] == "").any():
        districts = (
            communities.assign(code=communities["code"].astype(str).str[:DISTRICT_DIGITS])
            .groupby(["code", "category"], sort=False, as_index=False)[list(COUNTS)]
            .sum()
        )
    places = {"district": districts, "community": communities, "grid": result.grid_coverage}
    return pd.concat([frame.assign(place=place) for place, frame in places.items()], ignore_index=True)


# --- the streets of the area as a network ---------------------------------------------------


def area_box(connection: sa.Connection) -> Box:
    """West, south, east, north of the comprehensive grids in force. Raises NotFound before the first publish."""
    generation = plans.generation_of(connection)
    if generation is not None:
        extent = sa.select(sa.func.ST_Extent(t.grids.c.geometry).label("box"))
        extent = extent.where(plans.in_force(generation.id, system=t.COMPREHENSIVE, level=1))
        box = extent.subquery().c.box
        row = connection.execute(
            sa.select(sa.func.ST_XMin(box), sa.func.ST_YMin(box), sa.func.ST_XMax(box), sa.func.ST_YMax(box))
        ).one()
        if row[0] is not None:
            return float(row[0]), float(row[1]), float(row[2]), float(row[3])
    raise NotFound("no plan is published yet, so there is no area to ask about; publish one first")


def stored_facilities(connection: sa.Connection, mode: str, box: Box) -> gpd.GeoDataFrame:
    """Facilities a traveller of the mode may reach from a box in degrees, by id."""
    return rows_around(connection, t.facilities, box, reach_of(mode))


def reach_of(mode: str) -> float:
    """Metres around an area that streets and facilities are kept, the leg to a street included."""
    return REACH_METRES[mode] + SNAP_METRES_MAX


# --- JSON -----------------------------------------------------------------------------------


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON-ready values."""
    return [{str(key): plain(value) for key, value in row.items()} for row in frame.to_dict("records")]


def plain(value: Any) -> Any:
    """A value as JSON has it: no NumPy types, null for what is no number."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(inner) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value
