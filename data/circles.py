"""Stored service circles: one run a profile and generation, with figures by place, times of buildings, shapes.

A run is stored whole, in place of the one its profile had in the same generation, or not at all. A newer generation
of comprehensive grids has no runs until they are computed again: figures of grids that ended are never told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from numpy.typing import NDArray

from data import tables as t
from data.loading import copy_rows, insert_one
from data.plans import generation_of, in_force
from data.tables import COMPREHENSIVE

PLACES: Final = ("district", "community", "grid")
COUNTS: Final = tuple(
    f"{who}{which}"
    for who in ("buildings", "residents", "elderly")
    for which in ("", "_assessed", "_covered", "_straight")
)
"""Figures of every place and category: all, on the network, within the minutes, within the metres as the crow flies."""
DEFAULT_PROFILE: Final = "adult"
INPUTS: Final = ("areas", "barriers", "buildings", "facilities", "streets")
"""Layers a run is computed from."""
EXACT: Final = 4e-4
"""Seconds a time kept as a 32-bit number may be off; two times that differ differ by more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run to be stored.

    ``categories`` and ``report``: JSON-ready. ``coverage``: ``place`` (one of `PLACES`), ``code``, ``category`` and
    `COUNTS`. ``residences``: ``building`` (id), ``assessable``, ``score`` and one column of seconds a category, in
    order (NaN: not reached). ``polygons``: ``category``, ``minutes``, shapes. ``blind_spots``: as the table has them.
    """

    generation: int
    profile: str
    minutes: Sequence[int]
    categories: list[dict[str, Any]]
    report: dict[str, Any]
    coverage: pd.DataFrame
    residences: pd.DataFrame
    seconds: pd.DataFrame
    polygons: gpd.GeoDataFrame
    blind_spots: gpd.GeoDataFrame


def save_run(connection: sa.Connection, new: NewRun) -> int:
    """Store a run in place of the one its generation had for the profile, in the caller's transaction; its id."""
    runs = t.circle_runs
    # two runs of one profile that end together follow each other; readers are not kept waiting
    connection.exec_driver_sql("LOCK TABLE circle_runs IN SHARE ROW EXCLUSIVE MODE")
    connection.execute(sa.delete(runs).where(runs.c.generation == new.generation, runs.c.profile == new.profile))
    run = insert_one(
        connection, runs, generation=new.generation, profile=new.profile, minutes=list(new.minutes),
        categories=new.categories, report=new.report,
    )  # fmt: skip
    copy_rows(connection, t.circle_coverage, new.coverage.assign(run=run))
    times = new.residences.assign(run=run, seconds=_arrays(whole_seconds(new.seconds.to_numpy(np.float64))))
    copy_rows(connection, t.circle_residences, times)
    shapes = new.polygons[~new.polygons.geometry.is_empty]
    copy_rows(connection, t.circle_polygons, shapes.assign(run=run))
    if len(new.blind_spots):
        copy_rows(connection, t.circle_blind_spots, _with_arrays(new.blind_spots.assign(run=run)))
    return run


def whole_seconds(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Seconds rounded up, so that ``seconds <= 60 * minutes`` says of whole ones what it said of the exact ones."""
    return np.ceil(seconds - EXACT)


def _arrays(seconds: NDArray[np.float64]) -> pd.Series[Any]:
    """Rows of whole numbers as PostgreSQL writes arrays: ``{60,NULL}``."""
    if not seconds.shape[1]:
        return pd.Series(["{}"] * len(seconds))
    columns = [
        pa.array(np.nan_to_num(seconds[:, k]).astype(np.int32), mask=np.isnan(seconds[:, k])).cast(pa.string())
        for k in range(seconds.shape[1])
    ]
    joined = pc.binary_join_element_wise(*columns, ",", null_handling="replace", null_replacement="NULL")
    return pd.Series(pc.binary_join_element_wise("{", joined, "}", "").to_pandas())


def _with_arrays(spots: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Codes as PostgreSQL writes arrays."""
    codes = ["{" + ",".join(f'"{code}"' for code in row) + "}" for row in spots["communities"]]
    return spots.assign(communities=codes)


def current_run(
    connection: sa.Connection, profile: str | None = None, *, until: datetime | None = None
) -> sa.RowMapping | None:
    """The run of a profile for the comprehensive grids in force; None when it is not computed.

    Without a profile: that of `DEFAULT_PROFILE`, else of the first there is. ``outdated`` says that a layer the run
    was computed from was imported since. ``until``: among the runs that were there then.
    """
    since = generation_of(connection)
    if since is None:
        return None
    runs, imports = t.circle_runs, t.imports
    later = sa.select(imports.c.id).where(imports.c.at > runs.c.made_at, imports.c.layer.in_(INPUTS))
    query = sa.select(runs, sa.exists(later).label("outdated")).where(runs.c.generation >= since.id)
    if profile is not None:
        query = query.where(runs.c.profile == profile)
    if until is not None:
        query = query.where(runs.c.made_at <= until)
    query = query.order_by(runs.c.profile != DEFAULT_PROFILE, runs.c.profile, runs.c.id.desc()).limit(1)
    return connection.execute(query).mappings().first()


def computed_profiles(connection: sa.Connection) -> list[str]:
    """Profiles with a run for the comprehensive grids in force."""
    since = generation_of(connection)
    if since is None:
        return []
    runs = t.circle_runs
    query = sa.select(runs.c.profile).where(runs.c.generation >= since.id).distinct().order_by(runs.c.profile)
    return list(connection.scalars(query))


def coverage_rows(
    connection: sa.Connection, run: int, category: str, place: str, generation: int
) -> list[sa.RowMapping]:
    """Figures of a category for every place of a kind, by code, with the place's name."""
    covered = t.circle_coverage.c
    if place == "grid":
        named = t.grids
        known = sa.and_(named.c.code == covered.code, in_force(generation, system=COMPREHENSIVE))
    else:
        named, known = t.areas, t.areas.c.code == covered.code
    query = (
        sa.select(covered.code, sa.func.coalesce(named.c.name, "").label("name"), *[covered[name] for name in COUNTS])
        .select_from(t.circle_coverage.outerjoin(named, known))
        .where(covered.run == run, covered.category == category, covered.place == place)
        .order_by(covered.code)
    )
    return list(connection.execute(query).mappings())


def grid_shares(connection: sa.Connection, run: int, grid: str) -> list[sa.RowMapping]:
    """Figures of every category for one grid, with the category's minutes."""
    covered = t.circle_coverage
    query = (
        sa.select(covered, t.facility_categories.c.minutes)
        .join(t.facility_categories, t.facility_categories.c.category == covered.c.category)
        .where(covered.c.run == run, covered.c.place == "grid", covered.c.code == grid)
        .order_by(covered.c.category)
    )
    return list(connection.execute(query).mappings())


def polygon_texts(connection: sa.Connection, run: int, category: str) -> list[tuple[int, str]]:
    """(minutes, GeoJSON geometry) of a category, widest first."""
    shapes = t.circle_polygons.c
    query = (
        sa.select(shapes.minutes, sa.func.ST_AsGeoJSON(shapes.geometry, 6, 0))
        .where(shapes.run == run, shapes.category == category)
        .order_by(shapes.minutes.desc())
    )
    return [(int(minutes), str(text)) for minutes, text in connection.execute(query)]


def blind_spot_rows(connection: sa.Connection, run: int, category: str, limit: int) -> tuple[list[dict[str, Any]], int]:
    """The first ``limit`` blind spots of a category by rank, and how many there are.

    ``nearest`` is the facility nearest to most of the residents: id, facility_id, name; None when none is reached.
    ``text`` is the GeoJSON geometry.
    """
    spots, held = t.circle_blind_spots.c, t.facilities.c
    ours = (spots.run == run, spots.category == category)
    facility = (
        sa.select(sa.func.json_build_object("id", held.id, "name", held.name, "name_en", held.name_en))
        .where(held.facility_id == spots.nearest, held.category == spots.category)
        .order_by(held.id)
        .limit(1)
        .scalar_subquery()
    )
    names = (
        "rank", "buildings", "residents", "elderly", "square_metres", "nearest", "seconds", "extra_seconds",
        "communities",
    )  # fmt: skip
    query = (
        sa.select(
            *[spots[name] for name in names], facility.label("facility"),
            sa.func.ST_AsGeoJSON(spots.geometry, 6, 0).label("text"),
        )
        .where(*ours)
        .order_by(spots.rank)
        .limit(limit)
    )  # fmt: skip
    rows = [dict(row) for row in connection.execute(query).mappings()]
    for row in rows:
        key, facility_row = row.pop("nearest"), row.pop("facility")
        row["nearest"] = None if key is None else {"facility_id": key, **(facility_row or _GONE)}
    total = connection.scalar(sa.select(sa.func.count()).select_from(t.circle_blind_spots).where(*ours))
    return rows, int(total or 0)


_GONE: Final[dict[str, Any]] = {"id": None, "name": "", "name_en": ""}
"""A facility that was imported away since the run."""


def building_rows(
    connection: sa.Connection,
    run: int,
    number: int,
    *,
    limit: int,
    after: int | None = None,
    bbox: tuple[float, float, float, float] | None = None,
) -> tuple[list[sa.RowMapping], int, int | None]:
    """Buildings by id with their way to the nearest facility of the run's category ``number`` (from 0).

    (rows, how many match in all, id the next page starts behind or None). Buildings imported since the run are not
    among them.
    """
    found, b = t.circle_residences.c, t.buildings.c
    point = sa.func.ST_PointOnSurface(b.geometry)
    joined = t.circle_residences.join(t.buildings, b.id == found.building)
    where: list[Any] = [found.run == run]
    if bbox is not None:
        where.append(sa.func.ST_Intersects(b.geometry, sa.func.ST_MakeEnvelope(*bbox, t.SRID)))
    matched = connection.scalar(sa.select(sa.func.count()).select_from(joined).where(*where))
    if after is not None:
        where.append(found.building > after)
    query = (
        sa.select(
            b.id, b.building_id, b.name, b.kind, b.households, b.population, b.elderly, b.community, found.assessable,
            found.score, found.seconds[number + 1].label("seconds"), sa.func.ST_X(point).label("lon"),
            sa.func.ST_Y(point).label("lat"),
        )
        .select_from(joined)
        .where(*where)
        .order_by(found.building)
        .limit(limit + 1)
    )  # fmt: skip
    rows = list(connection.execute(query).mappings())
    return rows[:limit], int(matched or 0), int(rows[limit - 1]["id"]) if len(rows) > limit else None
