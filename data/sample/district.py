"""A whole sample district: the layers of the contract, in EPSG:4490."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from data.sample.admin import Admin, face_uses, make_admin
from data.sample.base import CLS_NAMES, FOOT, HIGHWAY, RAIL, RIVER, Geoms, rng_for
from data.sample.city import City, build_city
from data.sample.components import make_components
from data.sample.doors import Compounds, make_addresses, make_compounds, street_numbers
from data.sample.facilities import make_facilities
from data.sample.layout import make_layout
from data.sample.people import People, settle
from data.sample.province import make_province
from data.sample.reports import make_reports
from data.sample.scenarios import Scenario, scenario_of
from data.sample.uses import USE
from gisgrid.crs import metric_crs
from gisgrid.models import Progress, no_progress

LAYERS: Final = (
    "areas", "buildings", "streets", "water", "walls", "landuse", "facilities", "addresses", "components", "grids",
    "reports",
)  # fmt: skip
STORAGE: Final = "EPSG:4490"
_DIGITS: Final = 9
"""Decimals of a stored degree: a tenth of a millimetre."""


@dataclass(frozen=True)
class SampleDistrict:
    """A made district. ``layers`` are GeoDataFrames in EPSG:4490, ``summary`` counts and figures, JSON-ready."""

    scenario: str
    seed: int
    layers: dict[str, gpd.GeoDataFrame]
    summary: dict[str, Any]


def make_sample(scenario: str, *, seed: int = 1, progress: Progress = no_progress) -> SampleDistrict:
    """Make the sample district of a scenario: same scenario and seed, same layers. Raises BadInput.

    Plans are drawn in metres about the scenario's centre and stored in EPSG:4490 (longitude, latitude).
    """
    sc = scenario_of(scenario)
    if sc.key == "jiangsu":
        frames = make_province(sc, rng_for(sc.key, seed, "province"), progress)
        layers = {name: gpd.GeoDataFrame(table, geometry="geometry", crs=STORAGE) for name, table in frames.items()}
        return SampleDistrict(sc.key, seed, layers, _summary(sc, layers))

    def rng(stage: str) -> np.random.Generator:
        return rng_for(sc.key, seed, stage)

    progress(0.0, "streets and blocks")
    layout = make_layout(sc, rng("layout"))
    progress(0.2, "buildings")
    city = build_city(sc, layout, rng("city"))
    progress(0.6, "people and areas")
    people = settle(city.stock, sc.households, sc.population, sc.priority, rng("people"))
    admin = make_admin(sc, city, people, rng("areas"))
    compounds = make_compounds(sc, city, rng("compounds"))
    numbers = street_numbers(city)
    progress(0.75, "addresses and facilities")
    addresses = make_addresses(sc, city, admin, compounds, numbers)
    facilities = make_facilities(sc, city, admin, people.households, numbers, rng("facilities"))
    progress(0.85, "components and reports")
    tables = {
        "areas": admin.areas,
        "buildings": _buildings(sc, city, people, admin, compounds),
        "streets": _streets(sc, city),
        "water": _water(sc, city),
        "walls": pd.DataFrame(
            {"wall_id": _ids(sc, "W", len(city.walls)), "kind": city.wall_kind, "geometry": city.walls}
        ),
        "landuse": _landuse(sc, city),
        "facilities": facilities,
        "addresses": addresses,
        "components": make_components(sc, city, rng("components")),
        "grids": admin.grids,
        "reports": make_reports(sc, city, people.households, rng("reports")),
    }
    progress(0.95, "coordinates")
    to_degrees = _projection(sc)
    multi = {"areas", "grids", "landuse"}
    layers = {name: _stored(tables[name], to_degrees, multi=name in multi) for name in LAYERS}
    progress(1.0, "done")
    return SampleDistrict(sc.key, seed, layers, _summary(sc, layers))


def _ids(sc: Scenario, letter: str, count: int) -> list[str]:
    return [f"{sc.code}{letter}{k + 1:06d}" for k in range(count)]


def _buildings(sc: Scenario, city: City, people: People, admin: Admin, compounds: Compounds) -> pd.DataFrame:
    stock = city.stock
    compound = np.array([*compounds.ids, None], dtype=object)
    title = [*[n[0] for n in compounds.names], ""]
    names = [f"{title[c]}{k}栋" if c >= 0 else "" for c, k in zip(compounds.of, compounds.number, strict=True)]
    return pd.DataFrame(
        {
            "building_id": _ids(sc, "B", len(stock.kind)),
            "name": names,
            "kind": stock.kind,
            "levels": stock.levels,
            "households": people.households,
            "population": people.population,
            "elderly": people.elderly,
            "priority": people.priority,
            "estimated": np.zeros(len(stock.kind), dtype=np.bool_),
            "compound_id": compound[compounds.of],
            "community": np.array(admin.community_codes, dtype=object)[admin.building_community],
            "geometry": stock.geometry,
        }
    )


def _streets(sc: Scenario, city: City) -> pd.DataFrame:
    rows = np.flatnonzero(city.cls <= RAIL)
    cls = city.cls[rows]
    highway = np.array(HIGHWAY, dtype=object)[cls]
    bridge = city.bridge[rows]
    return pd.DataFrame(
        {
            "street_id": _ids(sc, "S", len(rows)),
            "name": [city.names[r][0] for r in rows],
            "highway": highway,
            "cls": np.array(CLS_NAMES, dtype=object)[cls],
            "oneway": np.zeros(len(rows), dtype=np.bool_),
            "bridge": bridge,
            "tunnel": np.zeros(len(rows), dtype=np.bool_),
            "layer": bridge.astype(np.int64),
            "foot": cls <= FOOT,
            "bicycle": cls < FOOT,
            "car": cls < FOOT,
            "geometry": city.edges[rows],
        }
    )


def _water(sc: Scenario, city: City) -> pd.DataFrame:
    terrain = city.layout.terrain
    names, kinds, shapes = [], [], []
    for corridor in terrain.corridors:
        if corridor.surface is not None:
            names.append(corridor.name[0])
            kinds.append("river" if corridor.cls == RIVER else "canal")
            shapes.append(corridor.surface)
    if terrain.lake is not None:
        names.append(sc.title_zh[:2] + "湖")
        kinds.append("lake")
        shapes.append(terrain.lake)
    names += [""] * len(city.ponds)
    kinds += ["pond"] * len(city.ponds)
    shapes += list(city.ponds)
    lines = np.flatnonzero(city.cls > RAIL)
    names += [city.names[r][0] for r in lines]
    kinds += ["river" if city.cls[r] == RIVER else "canal" for r in lines]
    geometry: Geoms = np.empty(len(shapes) + len(lines), dtype=object)
    geometry[:] = [*shapes, *city.edges[lines]]
    return pd.DataFrame({"water_id": _ids(sc, "H", len(geometry)), "name": names, "kind": kinds, "geometry": geometry})


def _landuse(sc: Scenario, city: City) -> pd.DataFrame:
    """Grounds that no building tells of: parks and the scenic area about the lake, its water and paths included."""
    use = face_uses(city)
    kinds, shapes = [], []
    for kind in ("scenic", "park"):
        joined = shapely.coverage_union_all(city.faces[use == USE[kind]])
        parts = shapely.get_parts(joined)
        kinds += [kind] * len(parts)
        shapes += list(parts)
    geometry: Geoms = np.empty(len(shapes), dtype=object)
    geometry[:] = shapes
    names = [sc.title_zh[:2] + "湖景区" if kind == "scenic" else "" for kind in kinds]
    return pd.DataFrame(
        {"landuse_id": _ids(sc, "L", len(geometry)), "name": names, "kind": kinds, "geometry": geometry}
    )


def _projection(sc: Scenario) -> Callable[[Any], Any]:
    """From metres about the centre to degrees, rounded so that the same vertex is the same everywhere."""
    metric = metric_crs((sc.lon - 0.01, sc.lat - 0.01, sc.lon + 0.01, sc.lat + 0.01))
    back = pyproj.Transformer.from_crs(metric, STORAGE, always_xy=True)
    there = pyproj.Transformer.from_crs(STORAGE, metric, always_xy=True)
    east, north = (round(v) for v in there.transform(sc.lon, sc.lat))

    def to_degrees(xy: Any) -> Any:
        lon, lat = back.transform(np.round(xy[:, 0], 4) + east, np.round(xy[:, 1], 4) + north)
        return np.round(np.column_stack([lon, lat]), _DIGITS)

    return to_degrees


def _stored(table: pd.DataFrame, to_degrees: Callable[[Any], Any], *, multi: bool) -> gpd.GeoDataFrame:
    shapes = shapely.transform(table["geometry"].to_numpy(), to_degrees)
    if multi:
        single = shapely.get_type_id(shapes) == 3
        if single.any():
            shapes[single] = shapely.multipolygons(shapes[single], indices=np.arange(int(single.sum())))
    return gpd.GeoDataFrame(table.drop(columns="geometry"), geometry=shapes, crs=STORAGE)


def _summary(sc: Scenario, layers: dict[str, gpd.GeoDataFrame]) -> dict[str, Any]:
    """Counts of each layer and the totals the scenario promises."""
    out: dict[str, Any] = {
        "title": sc.title_zh,
        "title_en": sc.title_en,
        "counts": {k: len(v) for k, v in layers.items()},
    }
    base = layers.get("buildings")
    source = base if base is not None else layers["grids"]
    for column in ("households", "population", "elderly", "priority"):
        if column in source:
            out[column] = int(source[column].sum())
    out["grids_by_level"] = {str(k): int(v) for k, v in layers["grids"]["level"].value_counts().sort_index().items()}
    out["figures"] = dict(sc.figures)
    return out
