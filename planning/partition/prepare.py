"""From a units layer to what the search needs: checked columns, pieces, special grids."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from gisgrid import topology
from gisgrid.codes import is_digits
from gisgrid.errors import BadInput
from gisgrid.models import Band
from planning.graph import NO_STREET, Geometries, UnitGraph, graph_of, metric_units, noded_geometry, to_metric_like
from planning.partition.cells import components, least_outside

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DEFAULT_COMMUNITY = "000000000001"
"""Community code of units that come without one."""
LARGE = 5.0
"""A special grid this many times the least area is set apart whatever its limits lie on."""


@dataclass(frozen=True, slots=True)
class Problem:
    """n units ready to be divided.

    ``names`` what messages call them, ``compound`` row or -1, ``community`` row of ``communities`` (codes; below the
    first level, of the grids that are divided),
    ``community_names`` (empty texts when unknown), ``kind`` text, ``special`` number of the special grid or -1,
    ``piece`` number of the connected part of ordinary units of one community or -1 for units of special grids.
    """

    units: gpd.GeoDataFrame
    geometry: Geometries
    graph: UnitGraph
    names: npt.NDArray[np.object_]
    households: Floats
    population: Floats
    compound: Ints
    compound_names: list[str]
    community: Ints
    communities: list[str]
    community_names: list[str]
    kind: npt.NDArray[np.object_]
    special: Ints
    piece: Ints


def prepare(
    units: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None,
    band: Band,
    special_kinds: Collection[str],
    special_min_area: float,
    special_min_street: float,
) -> Problem:
    """Check the columns, build the graph, set special grids apart. Raises BadInput naming the unit and field."""
    metric = metric_units(units)
    names = _identifiers(metric)
    households = _counts(metric, "households", names, required=True)
    population = _counts(metric, "population", names, required=False)
    community, communities, community_names = _communities(metric, names)
    compound, compound_names = _labels(metric, "compound_id")
    kind = (
        metric["kind"].fillna("").astype(str).to_numpy(object) if "kind" in metric else np.full(len(metric), "", object)
    )
    geometry = noded_geometry(metric)
    graph = graph_of(geometry, None if streets is None else to_metric_like(streets, metric))
    wanted = np.isin(kind.astype(str), sorted(special_kinds)) & (households == 0)
    least_street = 0.0 if streets is None or len(streets) == 0 else special_min_street
    special, piece = _set_apart(
        graph, households, community, compound, kind, wanted, special_min_area, least_street, band
    )
    if not households.any() and (special < 0).any():
        raise BadInput(
            "no unit has any household; fill the households column (gisgrid units counts them from buildings)"
        )
    return Problem(
        metric, geometry, graph, names, households, population, compound, compound_names,
        community, communities, community_names, kind, special, piece,
    )  # fmt: skip


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
        numbers = np.nan_to_num(numbers, nan=0.0)
    wrong = ~np.isfinite(numbers) | (numbers < 0)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise BadInput(
            f"unit {names[row]}: {column} is {units[column].iloc[row]!r}; give a number of at least 0 "
            f"({int(wrong.sum())} such units)",
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


# --- special grids ----------------------------------------------------------------------


def _set_apart(
    graph: UnitGraph, households: Floats, community: Ints, compound: Ints, kind: npt.NDArray[np.object_],
    wanted: npt.NDArray[np.bool_], min_area: float, min_street: float, band: Band,
) -> tuple[Ints, Ints]:  # fmt: skip
    """Special grid of every unit (or -1) and piece of ordinary units (or -1)."""
    source, target = graph.sources, graph.indices
    together = community[source] == community[target]
    whole = components(graph, together)
    kinds = pd.factorize(pd.Series(kind), sort=True)[0]
    alike = wanted[source] & wanted[target] & (kinds[source] == kinds[target]) & (compound[source] == compound[target])
    group = np.where(wanted, components(graph, together & alike), -1)
    # a small school stays with its neighbours, unless there are no others
    size = np.bincount(group[group >= 0], graph.area[group >= 0], minlength=len(group))
    lonely = ~np.isin(whole, np.unique(whole[~wanted]))
    small = (size < LARGE * min_area) & (_on_street(graph, group) < min_street)
    group[(group >= 0) & ((size < min_area) | small)[group] & ~lonely] = -1
    group = _reinstate(graph, households, group, whole, together, band)
    piece = components(graph, together & (group[source] < 0) & (group[target] < 0))
    piece[group >= 0] = -1
    group = _take_pockets(graph, households, group, piece, together)
    piece[group >= 0] = -1
    for labels in (group, piece):
        labels[labels >= 0] = np.unique(labels[labels >= 0], return_inverse=True)[1]
    return group, piece


def _on_street(graph: UnitGraph, group: Ints) -> Floats:
    """Share of each group's limits that lies on streets, water or the edge of everything (n, by group number)."""
    n = len(group)
    source, target = graph.sources, graph.indices
    cut = (group[source] >= 0) & (group[source] != group[target])
    shared = np.bincount(group[source[cut]], graph.border[cut], minlength=n)
    street = np.bincount(group[source[cut]], graph.by_class[cut, : NO_STREET - 1].sum(axis=1), minlength=n)
    inner = (group[source] >= 0) & ~cut
    whole = np.bincount(group[group >= 0], graph.perimeter[group >= 0], minlength=n)
    whole -= np.bincount(group[source[inner]], graph.border[inner], minlength=n)
    return np.asarray((whole - shared + street) / np.maximum(whole, 1e-9))


def _reinstate(
    graph: UnitGraph, households: Floats, group: Ints, whole: Ints, together: npt.NDArray[np.bool_], band: Band
) -> Ints:
    """Give special grids back that cut ordinary units off from what they need to be in band."""
    source, target = graph.sources, graph.indices
    while (group >= 0).any():
        piece = components(graph, together & (group[source] < 0) & (group[target] < 0))
        piece[group >= 0] = -1
        sums = np.bincount(piece[piece >= 0], households[piece >= 0], minlength=len(piece)).astype(np.float64)
        heavy = np.where(households > band.high, households, 0.0)
        heavies = np.bincount(piece[piece >= 0], heavy[piece >= 0], minlength=len(piece))
        back: list[int] = []
        for number in np.unique(piece[(piece >= 0) & (sums[piece] > 0)]).tolist():
            lack = least_outside(sums[number], heavies[number], 0.0, band)
            region = whole[np.argmax(piece == number)]
            others = (whole == region) & (piece >= 0) & (piece != number) & (sums[piece] > 0)
            if lack <= 0 or not others.any():
                continue
            touch = together & (piece[source] == number) & (group[target] >= 0)
            near = np.unique(group[target[touch]])
            if not len(near):
                continue
            # of the special grids around it, the one that joins it to the most other households
            gain = [_joined(group, piece, sums, source, target, together, int(one), number) for one in near]
            back.append(int(near[int(np.argmax(gain))]))
        if not back:
            break
        group = np.where(np.isin(group, back), -1, group)
    return group


def _joined(
    group: Ints, piece: Ints, sums: Floats, source: npt.NDArray[np.int32], target: npt.NDArray[np.int32],
    together: npt.NDArray[np.bool_], one: int, number: int,
) -> float:  # fmt: skip
    touch = together & (group[source] == one) & (piece[target] >= 0)
    near = np.unique(piece[target[touch]])
    return float(sums[near[near != number]].sum())


def _take_pockets(
    graph: UnitGraph, households: Floats, group: Ints, piece: Ints, together: npt.NDArray[np.bool_]
) -> Ints:
    """Let special grids take in pockets without households that touch nothing else."""
    source, target = graph.sources, graph.indices
    sums = np.bincount(piece[piece >= 0], households[piece >= 0], minlength=len(piece))
    empty = (piece >= 0) & (sums[piece] == 0)
    once = together & (source < target)
    shared = topology.Borders(source[once].astype(np.int64), target[once].astype(np.int64), graph.border[once])
    return topology.absorb(group, empty, shared)[0]
