"""Special grids: schools, hospitals, parks and the like that form grids of their own; and locked grids."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gisgrid import topology
from gisgrid.models import SPECIAL_KINDS, Band
from planning.graph import NO_STREET, UnitGraph
from planning.partition.cells import components, least_outside
from planning.partition.limits import Limits

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LARGE = 5.0
"""A special grid this many times the least area is set apart whatever its limits lie on."""


@dataclass(frozen=True, slots=True)
class Special:
    """Which units form special grids: kinds, least square metres, least share of their limits on streets or water."""

    kinds: Collection[str] = SPECIAL_KINDS
    min_area: float = 10_000.0
    min_street: float = 0.9


def set_apart(
    graph: UnitGraph, households: Floats, community: Ints, compound: Ints, kind: npt.NDArray[np.object_],
    locked: Ints, special: Special, limits: Limits,
) -> tuple[Ints, Ints]:  # fmt: skip
    """Special or locked grid of every unit (or -1) and piece of ordinary units (or -1).

    `locked`: number of the locked grid of each unit, or -1; locked grids come out as they are, numbered last.
    """
    source, target = graph.sources, graph.indices
    free = locked < 0
    together = (community[source] == community[target]) & free[source] & free[target]
    whole = components(graph, together)
    wanted = np.isin(kind.astype(str), sorted(special.kinds)) & (households == 0) & free
    kinds = pd.factorize(pd.Series(kind), sort=True)[0]
    alike = wanted[source] & wanted[target] & (kinds[source] == kinds[target]) & (compound[source] == compound[target])
    group = np.where(wanted, components(graph, together & alike), -1)
    # a small school stays with its neighbours, unless there are no others
    size = np.bincount(group[group >= 0], graph.area[group >= 0], minlength=len(group))
    lonely = ~np.isin(whole, np.unique(whole[~wanted]))
    small = (size < LARGE * special.min_area) & (_on_street(graph, group) < special.min_street)
    group[(group >= 0) & ((size < special.min_area) | small)[group] & ~lonely] = -1
    group = _reinstate(graph, households, group, whole, together, limits.band)
    piece = components(graph, together & (group[source] < 0) & (group[target] < 0))
    piece[group >= 0] = -1
    group = _take_pockets(graph, households, group, piece, together)
    group[~free] = len(group) + locked[~free]
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
