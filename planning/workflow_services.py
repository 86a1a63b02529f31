"""New sites, reach by straight distance and response circles on stored data: read the area, call, give back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import geopandas as gpd
import pandas as pd
import shapely
import sqlalchemy as sa

from data import plans
from data import tables as t
from data.code_tables import facility_categories
from data.loading import read_rows
from data.networks import rows_around
from gisgrid.crs import STORAGE_CRS
from gisgrid.errors import BadInput, NotFound
from gisgrid.models import Progress, no_progress
from gisgrid.settings import Settings
from planning.reach import profile_of
from planning.response import ResponseResult, response_circles
from planning.siting import SitingResult, site_facilities
from planning.straight import StraightResult, straight_reach
from planning.workflow_circles import area_box, reach_of, read_circles_input

Asked = Mapping[str, Any]
"""What was asked for, checked, as JSON has it; points as ``{id, lon, lat}`` in degrees of EPSG:4490."""

CANDIDATES: Final = ("corners", "units")


def sites_in_force(
    engine: sa.Engine, settings: Settings, asked: Asked, *, progress: Progress = no_progress
) -> tuple[int, SitingResult]:
    """(Generation, new sites) for the area of the grids in force; ``asked`` as for `site_facilities`.

    ``points``: candidates given, else ``candidates`` says which (`CANDIDATES`): units are those without households of
    the grids in force. Raises as `site_facilities`, and NotFound before the first publish.
    """
    mover = profile_of(asked["profile"], metres_per_second=asked["speed"], factor=asked["factor"])
    with engine.connect() as connection:
        source = read_circles_input(connection, reach_of(mover.mode))
        units = None
        if asked["candidates"] == "units" and not asked["points"]:
            units = plans.owned_units(connection, source.generation)
            if units.empty:
                raise BadInput("the grids in force were imported without units; ask for corners, or give points")
    costs = None
    if asked["costs"]:
        costs = pd.DataFrame({"category": list(asked["costs"]), "cost": list(asked["costs"].values())})
    result = site_facilities(
        source.streets, source.facilities, source.buildings, categories=facility_categories(settings),
        wanted=asked["categories"], candidates=points_of(asked["points"]) if asked["points"] else asked["spacing"],
        units=units, method=asked["method"], count=asked["counts"] or asked["count"], budget=asked["budget"],
        costs=costs, importance=asked["importance"] or None, one_per_site=asked["one_per_site"],
        weight=asked["weight"], minutes=asked["minutes"], profile=asked["profile"],
        metres_per_second=asked["speed"], factor=asked["factor"], barriers=source.barriers, curve=asked["curve"],
        time_limit=asked["time_limit"], progress=progress,
    )  # fmt: skip
    return source.generation, result


def straight_in_force(
    engine: sa.Engine, settings: Settings, asked: Asked, *, progress: Progress = no_progress
) -> tuple[int, StraightResult]:
    """(Generation, reach by straight distance) in the area of the grids in force, or in the ``area`` of one code.

    The facilities are ``points``, else stored ones of some ``categories``, or city ``components`` of some classes
    (``major-minor``). Raises as `straight_reach`; NotFound for an area that is not stored and where there are none.
    """
    with engine.connect() as connection:
        source = read_circles_input(connection, 0.0)
        ground, homes = source.communities, source.buildings
        if asked["area"]:
            ground = _area(connection, asked["area"])
            homes = _inside(homes, ground)
        box = tuple(float(value) for value in ground.total_bounds)
        if asked["points"]:
            facilities = points_of(asked["points"])
        elif asked["components"]:
            facilities = _components(connection, asked["components"], box, asked["radius"])
        else:
            found = rows_around(connection, t.facilities, _box(box), asked["radius"])
            facilities = chosen(found, asked["categories"])
    result = straight_reach(
        facilities, radius=asked["radius"], residences=homes if len(homes) else None, area=ground,
        cover=asked["cover"], extra_radius=asked["extra_radius"], seconds=asked["time_limit"], progress=progress,
    )  # fmt: skip
    return source.generation, result


def response_in_force(
    engine: sa.Engine, settings: Settings, asked: Asked, *, progress: Progress = no_progress
) -> tuple[int, ResponseResult]:
    """(Generation, response circles) in the area of the grids in force; ``asked`` as for `response_circles`.

    Stations are ``points``, else stored facilities of some ``categories``. ``town``: codes of areas that are town.
    """
    with engine.connect() as connection:
        source = read_circles_input(connection, reach_of("drive"))
        town = pd.concat([_area(connection, code) for code in asked["town"]]) if asked["town"] else None
    stations = points_of(asked["points"]) if asked["points"] else chosen(source.facilities, asked["categories"])
    result = response_circles(
        source.streets, stations, source.buildings, grids=source.grids, barriers=source.barriers,
        town=None if town is None else gpd.GeoDataFrame(town, crs=STORAGE_CRS), minutes=asked["minutes"],
        outside_minutes=asked["outside_minutes"], turnout=asked["turnout"], factor=asked["factor"],
        town_density=asked["town_density"], grid_share=asked["grid_share"], progress=progress,
    )  # fmt: skip
    return source.generation, result


def points_of(rows: Sequence[Asked]) -> gpd.GeoDataFrame:
    """Points given one by one, under the names candidates and stations are known by."""
    names = [str(row["id"]) for row in rows]
    places = shapely.points([row["lon"] for row in rows], [row["lat"] for row in rows])
    columns = {"candidate_id": names, "facility_id": names}
    return gpd.GeoDataFrame(columns, geometry=places, crs=STORAGE_CRS)


def chosen(facilities: gpd.GeoDataFrame, categories: Sequence[str]) -> gpd.GeoDataFrame:
    """Facilities of some categories. Raises NotFound when there is none."""
    found = facilities[facilities["category"].isin(list(categories))].reset_index(drop=True)
    if found.empty:
        raise NotFound(f"no facility of category {', '.join(categories)} is stored here; import some, or give points")
    return found


def check_area(connection: sa.Connection, codes: Sequence[str]) -> None:
    """Raise NotFound before the first publish and for an area code that is not stored."""
    area_box(connection)
    for code in codes:
        if connection.scalar(sa.select(t.areas.c.code).where(t.areas.c.code == code)) is None:
            raise NotFound(f"area {code!r} is not stored; /api/v1/areas lists those that are")


def _area(connection: sa.Connection, code: str) -> gpd.GeoDataFrame:
    check_area(connection, [code])
    return read_rows(connection, t.areas, where=[t.areas.c.code == code])


def _inside(homes: gpd.GeoDataFrame, ground: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    points = shapely.point_on_surface(homes.geometry.to_numpy())
    held = shapely.covers(shapely.union_all(ground.geometry.to_numpy()), points)
    return homes[held].reset_index(drop=True)


def _components(
    connection: sa.Connection, classes: Sequence[str], box: tuple[float, ...], metres: float
) -> gpd.GeoDataFrame:
    """City components of classes ``major-minor`` in and near a box."""
    rows = rows_around(connection, t.components, _box(box), metres)
    wanted = rows["major"] + "-" + rows["minor"]
    found = rows[wanted.isin(list(classes)).to_numpy(bool)].reset_index(drop=True)
    if found.empty:
        raise NotFound(f"no component of class {', '.join(classes)} is stored here; import some, or give points")
    return found.assign(facility_id=found["component_code"], category=found["major"] + "-" + found["minor"])


def _box(values: tuple[float, ...]) -> tuple[float, float, float, float]:
    west, south, east, north = values
    return west, south, east, north
