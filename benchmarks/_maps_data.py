"""Data of the map benchmarks: one database a case, filled through `data`, with the views other servers read.

The cases: ``a`` 900 grids as of a dense town, ``b`` 105,000 grids as of a province, both of 40 corners and published;
``c`` 48,000 city components; ``d`` a million reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import psycopg
import pyproj
import shapely
import sqlalchemy as sa

from benchmarks._locate_cases import CELL, SOUTH, WEST, jagged_layer
from data import db, embedded
from data import tables as t
from data.loading import copy_rows
from data.plans import save_plan
from data.publishing import publish_plan
from gisgrid.models import Band
from gisgrid.settings import Settings

BAND = Band(300, 500)
BLOCK = 18
"""Grids along one side of a made community."""
MAJORS = {"01": 0.5, "02": 0.2, "03": 0.1, "04": 0.14, "05": 0.03, "06": 0.03}
DISTRICT = "370811"
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Case:
    """What one case draws. ``degrees``: width of a grid, or of the square all points lie in."""

    name: str
    title: str
    layer: str
    count: int
    degrees: float

    @property
    def view(self) -> str:
        """The view other servers read."""
        return f"peer_{self.layer}"


CASES = {
    case.name: case
    for case in (
        Case("a", "900 grids", "grids", 900, 0.0015),
        Case("b", "105,000 grids", "grids", 105_000, 0.003),
        Case("c", "48,000 components", "components", 48_000, 0.08),
        Case("d", "1,000,000 reports", "reports", 1_000_000, 0.35),
    )
}
# the attributes a map's reader asks for; the key is called id, as most servers expect
VIEWS = {
    "grids": "SELECT code AS id, name, level, community, kind, households, population, compactness, {shape} FROM grids "
    "WHERE upper_inf(generations) AND level = 1 AND system = '综合'",
    "components": "SELECT component_code AS id, major, minor, name, state, {shape} FROM components",
    "reports": "SELECT id, source, major, minor, stage, reported_at, {shape} FROM reports",
}


@dataclass(frozen=True, slots=True)
class Stored:
    """A case in its database. ``box``: extent of the features in EPSG:3857, ``degrees`` in EPSG:4490."""

    case: Case
    url: str
    socket: Path
    database: str
    count: int
    box: Box
    degrees: Box


def stored(cluster: embedded.Cluster, home: Path, case: Case) -> Stored:
    """The case's database, made unless an earlier run left it."""
    name = f"maps_{case.name}"
    with psycopg.connect(host=str(cluster.socket), user=embedded.ROLE, dbname="postgres", autocommit=True) as admin:
        there = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (f"{name}_whole",)).fetchone()
        if not there:
            admin.execute(f"DROP DATABASE IF EXISTS {name}")  # type: ignore[arg-type]
            admin.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
            _fill(cluster.url_of(name), home, case)
            admin.execute(f"ALTER DATABASE {name} RENAME TO {name}_whole")  # type: ignore[arg-type]
    url = cluster.url_of(f"{name}_whole")
    with db.database(Settings(home=home, database_url=url)) as engine, engine.connect() as connection:
        count, box, degrees = connection.execute(
            sa.text(f"SELECT count(*), ST_Extent(mercator)::text, ST_Extent(geometry)::text FROM {case.layer}")
        ).one()
    return Stored(case, url, cluster.socket, f"{name}_whole", count, _box(box), _box(degrees))


def _box(text: str) -> Box:
    west, south, east, north = map(float, text[4:-1].replace(",", " ").split())
    return west, south, east, north


def _fill(url: str, home: Path, case: Case) -> None:
    make = {"grids": _grids, "components": _components, "reports": _reports}[case.layer]
    with db.database(Settings(home=home, database_url=url)) as engine:
        with engine.begin() as connection:
            make(connection, case, np.random.default_rng(6))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            query = VIEWS[case.layer]
            connection.execute(sa.text(f"CREATE VIEW {case.view} AS {query.format(shape='geometry')}"))
            connection.execute(sa.text(f"CREATE VIEW {case.view}_3857 AS {query.format(shape='mercator')}"))
            # ours finds features otherwise; without it the peers would read the whole table for every picture
            connection.execute(sa.text(f"CREATE INDEX ON {case.layer} USING gist (mercator)"))
            # pygeoapi takes the longitude of EPSG:4490 for its latitude; under this label it need not turn them either
            relabelled = "ST_SetSRID(geometry, 4326)"
            connection.execute(
                sa.text(f"CREATE VIEW {case.view}_4326 AS {query.format(shape=f'{relabelled} AS geometry')}")
            )
            connection.execute(sa.text(f"CREATE INDEX ON {case.layer} USING gist ({relabelled})"))
            connection.execute(sa.text("VACUUM ANALYZE"))


def _grids(connection: sa.Connection, case: Case, rng: np.random.Generator) -> None:
    """Jagged grids in square communities of `BLOCK` × `BLOCK`; a street holds 300 communities."""
    side = round(np.sqrt(case.count))
    origin = np.array([WEST, SOUTH])
    shapes = shapely.transform(
        jagged_layer(side * side, rng), lambda at: (at - origin) * (case.degrees / CELL) + origin
    )
    row, column = np.divmod(np.arange(len(shapes)), side)
    block = row // BLOCK * -(-side // BLOCK) + column // BLOCK
    community = np.array([f"{DISTRICT}{k // 300 + 1:03d}{k % 300 + 1:03d}" for k in block], dtype=object)
    within = row % BLOCK * BLOCK + column % BLOCK + 1
    _areas(connection, community, shapes)
    kind = rng.choice(["ordinary", "special"], len(shapes), p=[0.95, 0.05])
    households = np.clip(rng.normal(400, 120, len(shapes)).round(), 0, 900).astype(int)
    facts = {
        "code": [f"{home}{number:03d}" for home, number in zip(community, within, strict=True)],
        "community": community, "name": [f"第{number}网格" for number in within], "kind": kind,
        "households": np.where(kind == "special", 0, households), "population": households * 3,
        "compactness": rng.uniform(0.5, 0.9, len(shapes)), "level": 1, "parent": None, "version": 1,
        "generations": None,
    }  # fmt: skip
    rows = gpd.GeoDataFrame(facts, geometry=shapes, crs=4490)
    publish_plan(connection, save_plan(connection, area=DISTRICT, name="made", band=BAND, grids=rows))


def _areas(connection: sa.Connection, community: npt.NDArray[np.object_], shapes: npt.NDArray[np.object_]) -> None:
    whole = shapely.box(*shapely.total_bounds(shapes))
    places = {DISTRICT: ("district", None, whole)}
    places |= {home[:9]: ("street", DISTRICT, whole) for home in np.unique(community)}
    for home in np.unique(community):
        places[home] = ("community", home[:9], shapely.coverage_union_all(shapes[community == home]))
    columns = dict(zip(("level", "parent", "geometry"), zip(*places.values(), strict=True), strict=True))
    areas = gpd.GeoDataFrame(columns, crs=4490).assign(code=list(places), name=list(places), name_en="", source="made")
    copy_rows(connection, t.areas, areas)


def _points(case: Case, rng: np.random.Generator) -> npt.NDArray[np.object_]:
    return shapely.points(rng.uniform(0, case.degrees, (case.count, 2)) + np.array([WEST, SOUTH]))


def _components(connection: sa.Connection, case: Case, rng: np.random.Generator) -> None:
    known = pd.read_sql(sa.select(t.component_classes).where(sa.not_(t.component_classes.c.is_local)), connection)
    known = known[known["standard"] == known["standard"].min()].drop_duplicates(["major", "minor"])
    known = known[known["major"].isin(MAJORS)]
    weight = known["major"].map(MAJORS) / known.groupby("major")["major"].transform("size")
    chosen = known.iloc[rng.choice(len(known), case.count, p=weight / weight.sum())].reset_index(drop=True)
    rows = chosen[["standard", "kind", "major", "minor", "name"]].assign(
        source="made", component_code=[f"{DISTRICT}{k:010d}" for k in range(case.count)], state="完好"
    )
    copy_rows(connection, t.components, gpd.GeoDataFrame(rows, geometry=_points(case, rng), crs=4490))


def _reports(connection: sa.Connection, case: Case, rng: np.random.Generator) -> None:
    days = pd.to_timedelta(rng.integers(0, 365 * 24 * 60, case.count), unit="min")
    rows = {
        "source": "made", "report_id": np.arange(case.count).astype(str), "major": "01", "minor": "02",
        "reported_at": pd.Timestamp("2025-01-01", tz="UTC") + days,
        "stage": rng.choice(t.STAGES, case.count, p=[0.1, 0.1, 0.2, 0.1, 0.5]),
    }  # fmt: skip
    copy_rows(connection, t.reports, gpd.GeoDataFrame(rows, geometry=_points(case, rng), crs=4490))


def windows(data: Stored, features: int, count: int, ratio: float = 4 / 3, seed: int = 1) -> list[Box]:
    """Boxes in EPSG:3857 that hold about so many features each, at random places wholly inside the data."""
    west, south, east, north = data.box
    height = np.sqrt((east - west) * (north - south) * features / data.count / ratio)
    width = height * ratio
    rng = np.random.default_rng(seed)
    xs, ys = rng.uniform(west, east - width, count), rng.uniform(south, north - height, count)
    return [(x, y, x + width, y + height) for x, y in zip(xs.tolist(), ys.tolist(), strict=True)]


def whole(data: Stored, ratio: float = 4 / 3) -> Box:
    """A box in EPSG:3857 that shows everything."""
    west, south, east, north = data.box
    x, y = (west + east) / 2, (south + north) / 2
    half = max((north - south) / 2, (east - west) / 2 / ratio) * 1.02
    return x - half * ratio, y - half, x + half * ratio, y + half


def in_degrees(box: Box) -> Box:
    """An EPSG:3857 box in degrees, longitude first."""
    turn = pyproj.Transformer.from_crs(3857, 4326, always_xy=True)
    (west, east), (south, north) = turn.transform([box[0], box[2]], [box[1], box[3]])
    return west, south, east, north
