"""Households and residents of buildings that come without a count.

Floor area (footprint in m² × levels) × usable share ÷ usable area per household, by kind of building: the
dasymetric "floor area" method usual in population mapping (e.g. Lwin and Murayama 2009). The factors are
a table (`data/standards/household_factors.csv`) that settings may override. Rows filled this way are
marked ``estimated``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from importlib import resources
from io import StringIO
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from gisgrid.crs import to_metric
from gisgrid.errors import BadInput

Floats = npt.NDArray[np.float64]

BUILDING_KINDS: Final = (
    "residential",
    "apartments",
    "house",
    "dormitory",
    "commercial",
    "office",
    "school",
    "hospital",
    "industrial",
    "public",
    "other",
)
HUT_M2: Final = 25.0
"""A footprint below this holds no household: a shed, a guard box."""
SMALL_M2: Final = 120.0
"""Below this footprint a residential building of unknown height is taken to be no higher than
`SMALL_LEVELS`.
"""
SMALL_LEVELS: Final = 2
BLOCK_M2: Final = 4_000.0
"""A larger residential footprint is a whole compound drawn as one outline: only `BLOCK_COVERAGE` of it is
built over.
"""
BLOCK_COVERAGE: Final = 0.35


@dataclass(frozen=True, slots=True)
class Factor:
    """How people live in one kind of building; ``area_per_household`` (m² of usable floor) 0: nobody does."""

    area_per_household: float
    persons_per_household: float
    elderly_share: float
    default_levels: float
    usable_share: float


def load_factors(
    overrides: Mapping[str, Mapping[str, float]] | None = None, *, text: str | None = None
) -> dict[str, Factor]:
    """The factor table by building kind, with single figures overridden.

    ``overrides`` is kind → {column: figure}, as settings give it; ``text`` another table in the same CSV
    form. Raises BadInput for an unknown kind or column, or a figure that is negative or no number.
    """
    if text is None:
        text = resources.files("data.standards").joinpath("household_factors.csv").read_text(encoding="utf-8")
    table = pd.read_csv(StringIO(text), comment="#").set_index("kind")
    names = [field.name for field in fields(Factor)]
    if missing := [name for name in names if name not in table.columns]:
        raise BadInput(f"household factors: the column {missing[0]} is missing")
    factors = {
        str(kind): Factor(**{name: _figure(kind, name, row[name]) for name in names}) for kind, row in table.iterrows()
    }
    for kind, changes in (overrides or {}).items():
        if kind not in factors:
            raise BadInput(f"household factors: unknown building kind {kind!r}; known are {', '.join(factors)}")
        for name, value in changes.items():
            if name not in names:
                raise BadInput(f"household factors: unknown figure {name!r} for {kind}; known are {', '.join(names)}")
            factors[kind] = replace(factors[kind], **{name: _figure(kind, name, value)})
    return factors


def _figure(kind: Any, name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not (np.isfinite(number) and number >= 0):
        raise BadInput(f"household factors: {name} of {kind} is {value!r}; give a number of 0 or more")
    return number


def estimate_households(
    buildings: gpd.GeoDataFrame, *, factors: Mapping[str, Factor] | None = None
) -> gpd.GeoDataFrame:
    """The buildings with levels, households, population, elderly, priority (all int) and estimated filled.

    ``buildings``: polygons in any CRS with ``kind``; the other columns may be missing or null row by row.
    A given households figure is kept; from a given population alone the households follow; otherwise both
    come from the floor area. ``estimated`` is true where households were not given and somebody lives
    there. Deterministic, row by row.
    """
    table = dict(factors) if factors is not None else load_factors()
    result = buildings.copy()
    kinds = result["kind"].astype(str).where(result["kind"].isin(list(table)), "other").to_numpy(object)
    figure = {
        field.name: np.array([getattr(table[kind], field.name) for kind in kinds], dtype=float)
        for field in fields(Factor)
    }
    footprint = footprints(result)
    lived_in = figure["area_per_household"] > 0
    levels = _numbers(result, "levels")
    small = lived_in & (footprint < SMALL_M2)
    assumed = np.where(small, np.minimum(figure["default_levels"], SMALL_LEVELS), figure["default_levels"])
    levels = np.where(np.isnan(levels), np.maximum(assumed, 1), levels)

    given = _numbers(result, "households")
    population = _numbers(result, "population")
    built = np.where(footprint > BLOCK_M2, np.maximum(footprint * BLOCK_COVERAGE, BLOCK_M2), footprint)
    floor = built * levels * figure["usable_share"]
    from_floor = np.rint(np.divide(floor, figure["area_per_household"], out=np.zeros_like(floor), where=lived_in))
    from_floor = np.where(lived_in & (footprint >= HUT_M2), np.maximum(from_floor, 1), 0)
    persons = np.where(figure["persons_per_household"] > 0, figure["persons_per_household"], 2.6)
    from_population = np.ceil(population / persons)
    derived = np.where(np.isnan(population), from_floor, from_population)
    households = np.where(np.isnan(given), derived, given)
    population = np.where(np.isnan(population), np.rint(households * persons), population)
    elderly = _numbers(result, "elderly")
    elderly = np.where(np.isnan(elderly), np.rint(population * figure["elderly_share"]), elderly)
    priority = _numbers(result, "priority")

    result["levels"] = np.maximum(levels, 1).astype(np.int64)
    result["households"] = households.astype(np.int64)
    result["population"] = population.astype(np.int64)
    result["elderly"] = np.minimum(elderly, population).astype(np.int64)
    result["priority"] = np.where(np.isnan(priority), 0, priority).astype(np.int64)
    before = result["estimated"].fillna(False).to_numpy(bool) if "estimated" in result.columns else False
    result["estimated"] = (np.isnan(given) & (households > 0)) | before
    return result


def footprints(buildings: gpd.GeoDataFrame) -> Floats:
    """Ground area of each building in m², whatever the CRS of the frame."""
    if len(buildings) == 0:
        return np.zeros(0)
    return np.asarray(to_metric(buildings).geometry.area.to_numpy(), dtype=float)


def _numbers(frame: gpd.GeoDataFrame, column: str) -> Floats:
    if column not in frame.columns:
        return np.full(len(frame), np.nan)
    return np.asarray(pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan))
