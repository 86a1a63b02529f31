"""What the tests of MapIt's interface share: generations made of the sample district, FixMyStreet's way of asking."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
import sqlalchemy as sa
from flask.testing import FlaskClient

from data.loading import read_rows
from data.plans import grids_in_force, save_plan
from data.publishing import publish_plan
from data.tables import areas as areas_table
from gisgrid.models import Band

FIRE = "消防"


def second_generation(connection: sa.Connection) -> None:
    old = grids_in_force(connection, 1).sort_values("code").reset_index(drop=True)
    beside = next(k for k in range(1, len(old)) if old.geometry[0].intersection(old.geometry[k]).length > 0)
    merged = shapely.union(old.geometry[0], old.geometry[beside])
    stays = old.drop([0, beside])
    community = old["community"][0]
    rows = [{"code": f"{community}900", "level": 1, "parent": None, "geometry": merged}]
    for code, shape in zip(stays["code"], stays.geometry, strict=True):
        rows.append({"code": code, "level": 1, "parent": None, "geometry": shape})
        middle, (west, south, east, north) = shape.centroid.x, shape.bounds
        halves = [shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)]
        for number, half in enumerate(halves, 1):
            inside = shapely.intersection(shape, half)
            rows.append({"code": f"{code}{number:02d}", "level": 2, "parent": code, "geometry": inside})
    grids = gpd.GeoDataFrame(rows, crs=4490).assign(
        community=community, name=lambda frame: "格" + frame["code"].str[-3:]
    )
    plan = save_plan(connection, area=community, name="2", band=Band(1, 2), grids=whole(grids), continues=stays["code"])
    publish_plan(connection, plan)


def professional_generation(connection: sa.Connection, system: str, subject: str) -> None:
    (area,) = read_rows(connection, areas_table, where=[areas_table.c.level == "community"]).itertuples()
    west, south, east, north = area.geometry.bounds
    middle = (west + east) / 2
    halves = [shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)]
    shapes = [shapely.intersection(area.geometry, half) for half in halves]
    codes = [f"{subject}{area.code}{number:02d}" for number in (1, 2)]
    grids = gpd.GeoDataFrame(
        {"code": codes, "community": area.code, "name": codes, "level": 1}, geometry=shapes, crs=4490
    )
    plan = save_plan(
        connection, area=area.code, name=system, band=Band(1, 2), grids=whole(grids.assign(parent=None)), system=system
    )
    publish_plan(connection, plan)


def whole(grids: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    kept = {"kind": "ordinary", "households": 1, "population": 1, "compactness": 0.5, "version": 1, "generations": None}
    return grids.assign(**kept)


def call(client: FlaskClient, url: str, params: Any = "", **opts: Any) -> Any:
    """mySociety::MaPit::call of FixMyStreet: parameters split by semicolons, a POST where the address gets long."""
    text = ",".join(map(str, params)) if isinstance(params, list) else str(params)
    first, _, after = url.partition("/")
    address = "/".join(part for part in (first, text, after) if part)
    base = "http://localhost/mapit/"
    if len(base + address) > 1024:
        opts["URL"] = text
    words = {key: ",".join(map(str, value)) if isinstance(value, list) else value for key, value in opts.items()}
    query = ";".join(f"{key}={value}" for key, value in words.items())
    form = {"data": query, "content_type": "application/x-www-form-urlencoded"}
    if len(base + address) > 1024:
        answer = client.post(base + url, **form)
    elif len(f"{base}{address}?{query}") > 1024:
        answer = client.post(base + address, **form)
    else:
        answer = client.get(f"{base}{address}?{query}" if query else base + address)
    return answer.get_json()


def places(engine: sa.Engine) -> list[tuple[float, float]]:
    """Random points in and around the district, and corners of its grids."""
    rng = np.random.default_rng(3)
    with engine.connect() as connection:
        grids = grids_in_force(connection, 1)
    west, south, east, north = grids.total_bounds
    random = np.column_stack([rng.uniform(west - 1e-3, east + 1e-3, 60), rng.uniform(south - 1e-3, north + 1e-3, 60)])
    corners = shapely.get_coordinates(grids.geometry.to_numpy())
    return [(float(x), float(y)) for x, y in np.concatenate([random, rng.choice(corners, 40, replace=False)])]


def owners(engine: sa.Engine, lon: float, lat: float, generation: int, system: str = "综合") -> str | None:
    """The smallest code that covers the point, from the table itself."""
    query = """SELECT min(code COLLATE "C") FROM grids WHERE system = :system AND level = 1 AND generations @> CAST(:generation AS integer)
               AND ST_Covers(geometry, ST_SetSRID(ST_MakePoint(:lon, :lat), 4490))"""
    with engine.connect() as connection:
        given = {"system": system, "generation": generation, "lon": lon, "lat": lat}
        found: str | None = connection.scalar(sa.text(query), given)
        return found


def codes(areas: dict[str, Any]) -> dict[str, str]:
    """Code by type; each type once."""
    found = {area["type"]: area["codes"]["gisgrid"] for area in areas.values()}
    assert len(found) == len(areas)
    return found
