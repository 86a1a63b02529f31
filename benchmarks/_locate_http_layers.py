"""Databases for the HTTP benchmark: the sample district, and a made layer of many jagged grids, both published."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import psycopg
import shapely
import sqlalchemy as sa

from benchmarks.locate import jagged_layer
from data import db, embedded
from data import tables as t
from data.intake import clean_layers, store_layers
from data.loading import copy_rows
from data.plans import save_plan
from data.publishing import publish_plan
from data.sample import make_sample
from gisgrid.models import Band
from gisgrid.settings import Settings
from planning import workflow

BAND = Band(300, 500)
BLOCK = 18
"""Grids along one side of a made community."""
Bounds = tuple[float, float, float, float]


def make(cluster: embedded.Cluster, home: Path, count: int | None) -> tuple[str, int, Bounds]:
    """A database of its own with the sample district (``count`` None) or about ``count`` made grids.

    Returns its URL, the number of grids in force and their bounds, EPSG:4490.
    """
    name = f"layer_{count or 'sample'}"
    with psycopg.connect(host=str(cluster.socket), user=embedded.ROLE, dbname="postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    url = cluster.url_of(name)
    with db.database(Settings(home=home, database_url=url)) as engine:
        _sample(engine) if count is None else _made(engine, count)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))
            grids, box = connection.execute(sa.text("SELECT count(*), ST_Extent(geometry)::text FROM grids")).one()
    west, south, east, north = map(float, box[4:-1].replace(",", " ").split())
    return url, grids, (west, south, east, north)


def _sample(engine: sa.Engine) -> None:
    district = make_sample("mingfeng", seed=1)
    store_layers(engine, *clean_layers(district.layers), source="sample")
    area = str(district.layers["areas"]["code"].min())
    workflow.units_for_area(engine, area)
    plan, _, _ = workflow.plan_for_area(engine, area, band=BAND)
    workflow.publish(engine, plan)


def _made(engine: sa.Engine, count: int) -> None:
    """Jagged grids in square communities of `BLOCK` × `BLOCK`; a street holds 300 communities."""
    side = round(np.sqrt(count))
    shapes = jagged_layer(side * side, np.random.default_rng(0))
    row, column = np.divmod(np.arange(len(shapes)), side)
    block = row // BLOCK * -(-side // BLOCK) + column // BLOCK
    community = np.array([f"370811{k // 300 + 1:03d}{k % 300 + 1:03d}" for k in block], dtype=object)
    within = row % BLOCK * BLOCK + column % BLOCK + 1
    code = np.array([f"{home}{number:03d}" for home, number in zip(community, within, strict=True)], dtype=object)
    whole = shapely.box(*shapely.total_bounds(shapes))
    places = {"370811": ("district", None, whole)}
    places |= {home[:9]: ("street", "370811", whole) for home in np.unique(community)}
    for home in np.unique(community):
        places[home] = ("community", home[:9], shapely.coverage_union_all(shapes[community == home]))
    columns = dict(zip(("level", "parent", "geometry"), zip(*places.values(), strict=True), strict=True))
    areas = gpd.GeoDataFrame(columns, crs=4490).assign(code=list(places), name=list(places), name_en="", source="made")
    facts = {"kind": "ordinary", "households": 400, "population": 1000, "compactness": 0.7, "level": 1, "parent": None}
    grids = gpd.GeoDataFrame({"code": code, "community": community, "name": code}, geometry=shapes, crs=4490)
    with engine.begin() as connection:
        copy_rows(connection, t.areas, areas)
        rows = grids.assign(**facts, version=1, generations=None)
        publish_plan(connection, save_plan(connection, area="370811", name="made", band=BAND, grids=rows))
