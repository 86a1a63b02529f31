"""From a units layer to what the search needs: checked columns, pieces, special grids."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from gisgrid.codes import is_digits
from gisgrid.errors import BadInput
from planning.graph import MAJOR_CLASSES, Geometries, UnitGraph, graph_of, metric_units, noded_geometry, to_metric_like
from planning.partition.keeping import old_numbers
from planning.partition.limits import Limits
from planning.partition.special import Special, set_apart

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DEFAULT_COMMUNITY = "000000000001"
"""Community code of units that come without one."""


@dataclass(frozen=True, slots=True)
class Problem:
    """n units ready to be divided.

    ``names`` what messages call them, ``compound`` row or -1, ``community`` row of ``communities`` (codes; below the
    first level, of the grids that are divided),
    ``community_names`` (empty texts when unknown), ``kind`` text, ``special`` number of the special or locked grid or
    -1, ``piece`` number of the connected part of ordinary units of one community or -1 for units set apart.
    ``load`` what the band is about, ``more`` (n, w) further weights scaled by `Limits.scale`; ``compound_share`` how
    much a compound is held together (1, ¼ above the band, 0 astride a main road); ``old`` row of ``old_codes`` or -1;
    ``locked`` (n) whether the unit's old grid must stay as it is.
    """

    units: gpd.GeoDataFrame
    geometry: Geometries
    graph: UnitGraph
    names: npt.NDArray[np.object_]
    households: Floats
    population: Floats
    load: Floats
    more: Floats
    compound: Ints
    compound_names: list[str]
    compound_share: Floats
    community: Ints
    communities: list[str]
    community_names: list[str]
    kind: npt.NDArray[np.object_]
    special: Ints
    piece: Ints
    old: Ints
    old_codes: list[str]
    locked: npt.NDArray[np.bool_]

    @property
    def old_code(self) -> npt.NDArray[np.object_]:
        """Code of every unit's old grid, "" for none."""
        return np.array([*self.old_codes, ""], dtype=object)[self.old]


@dataclass(frozen=True, slots=True)
class Kept:
    """Old grids a plan is made against: the code of each unit's (or None), and codes that must stay as they are."""

    codes: npt.ArrayLike
    locked: Collection[str] = ()


def prepare(
    units: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None,
    limits: Limits,
    special: Special,
    kept: Kept | None = None,
) -> Problem:
    """Check the columns, build the graph, set special and locked grids apart.

    Raises BadInput naming the unit and field.
    """
    metric = metric_units(units)
    names = _identifiers(metric)
    households = _counts(metric, "households", names, required=True)
    population = _counts(metric, "population", names, required=False)
    more = [_counts(metric, weight.column, names, required=True) for weight in limits.weights]
    community, communities, community_names = _communities(metric, names)
    compound, compound_names = _labels(metric, "compound_id")
    kind = (
        metric["kind"].fillna("").astype(str).to_numpy(object) if "kind" in metric else np.full(len(metric), "", object)
    )
    old, old_codes = old_numbers(kept.codes, len(metric)) if kept else (np.full(len(metric), -1, np.int64), [])
    locked = _locked(kept, old, old_codes)
    geometry = noded_geometry(metric)
    graph = graph_of(geometry, None if streets is None else to_metric_like(streets, metric))
    if streets is None or len(streets) == 0:
        special = replace(special, min_street=0.0)
    group, piece = set_apart(graph, households, community, compound, kind, np.where(locked, old, -1), special, limits)
    if not households.any() and (group < 0).any():
        raise BadInput(
            "no unit has any household; fill the households column (gisgrid units counts them from buildings)"
        )
    return Problem(
        metric, geometry, graph, names, households, population, households, _scaled(more, limits, len(metric)),
        compound, compound_names, _compound_share(graph, compound, len(compound_names), households, limits),
        community, communities, community_names, kind, group, piece, old, old_codes, locked,
    )  # fmt: skip


def _scaled(more: list[Floats], limits: Limits, count: int) -> Floats:
    return np.stack(more, axis=1) * limits.scale if more else np.zeros((count, 0))


def _locked(kept: Kept | None, old: Ints, codes: list[str]) -> npt.NDArray[np.bool_]:
    """Which units lie in locked old grids. Raises BadInput for a locked code no unit has."""
    wanted = sorted({str(code) for code in kept.locked}) if kept else []
    unknown = [code for code in wanted if code not in codes]
    if unknown:
        raise BadInput(f"grid {unknown[0]} is to be locked, but no unit lies in an old grid of that code")
    return np.isin(old, [codes.index(code) for code in wanted])


def _compound_share(graph: UnitGraph, compound: Ints, count: int, load: Floats, limits: Limits) -> Floats:
    """How much each compound is held together: not at all where a river or main road runs through it."""
    inside = compound >= 0
    sums = np.bincount(compound[inside], load[inside], minlength=count)
    source = graph.sources
    across = (graph.street < MAJOR_CLASSES) & (compound[source] >= 0) & (compound[source] == compound[graph.indices])
    astride = np.zeros(count, dtype=bool)
    astride[compound[source[across]]] = True
    return np.where(astride, 0.0, np.where(sums <= limits.high, 1.0, 0.25))


# --- columns ----------------------------------------------------------------------------


def _identifiers(units: gpd.GeoDataFrame) -> npt.NDArray[np.object_]:
    if "unit_id" not in units.columns:
        raise BadInput("the units layer has no unit_id column; give every unit its own unit_id")
    ids = units["unit_id"]
    if ids.isna().any():
        raise BadInput(f"unit in row {int(np.flatnonzero(ids.isna())[0])} has no unit_id; give every unit its own")
    texts = ids.astype(str)
    twice = texts.duplicated()
    if twice.any():
        raise BadInput(
            f"unit_id {texts[twice].iloc[0]} is used twice ({int(twice.sum())} repeated); give every unit its own"
        )
    return np.asarray(texts, dtype=object)


def _counts(units: gpd.GeoDataFrame, column: str, names: npt.NDArray[np.object_], *, required: bool) -> Floats:
    if column not in units.columns:
        if required:
            raise BadInput(f"the units layer has no {column} column; give the {column} of every unit")
        return np.zeros(len(units))
    numbers: Floats = pd.to_numeric(units[column], errors="coerce").to_numpy(dtype=np.float64)
    if not required:
        numbers = np.where(units[column].isna(), 0.0, numbers)
    wrong = ~np.isfinite(numbers) | (numbers < 0)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        value = units[column].iloc[row]
        shown = repr(value) if isinstance(value, str) else str(value)
        raise BadInput(
            f"unit {names[row]}: {column} is {shown}; give a number of at least 0 ({int(wrong.sum())} such units)",
            row=row,
        )
    return numbers


def _labels(units: gpd.GeoDataFrame, column: str) -> tuple[Ints, list[str]]:
    if column not in units.columns:
        return np.full(len(units), -1, dtype=np.int64), []
    values: Any = units[column]
    rows, uniques = pd.factorize(values.where(values.isna(), values.astype(str)), sort=True)
    return rows.astype(np.int64), [str(value) for value in uniques]


def _communities(units: gpd.GeoDataFrame, names: npt.NDArray[np.object_]) -> tuple[Ints, list[str], list[str]]:
    rows, codes = _labels(units, "community")
    if not codes:
        return np.zeros(len(units), dtype=np.int64), [DEFAULT_COMMUNITY], [""]
    if (rows < 0).any():
        raise BadInput(
            f"unit {names[int(np.argmax(rows < 0))]} has no community ({int((rows < 0).sum())} such units); "
            "fill the community column or leave it out"
        )
    wrong = [code for code in codes if not (len(code) >= 12 and is_digits(code))]
    if wrong:
        raise BadInput(f"community {wrong[0]!r} is not a 12-digit area code ({len(wrong)} such communities)")
    labels = [""] * len(codes)
    if "community_name" in units.columns:
        first = np.unique(rows, return_index=True)[1]
        labels = units["community_name"].iloc[first].fillna("").astype(str).tolist()
    return rows, codes, labels
