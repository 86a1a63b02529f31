"""What exact solving works on: units, those without load absorbed into a neighbour where they would be too many.

A set of units may grow by units without load for ever, so their number explodes. Absorbing keeps the energy exact for
every division that keeps absorbed units with their neighbour: areas, borders, costs and crossed metres are summed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from gisgrid.disjoint import root_of
from planning.partition.state import Cell, Floats, Int32s


class Atoms(NamedTuple):
    """n atoms in an order that keeps neighbours near each other, m CSR entries.

    ``border``, ``cost``, ``major`` (m) as in `Cell`; ``inner`` (n) metres of river or main road inside an atom;
    ``load`` (n) what the band is about; ``more`` (n, w) further weights; ``compound`` (n) row of ``split`` or -1.
    """

    indptr: Int32s
    indices: Int32s
    border: Floats
    cost: Floats
    major: Floats
    inner: Floats
    load: Floats
    more: Floats
    area: Floats
    perimeter: Floats
    compound: Int32s
    split: Floats


def loads_of(cell: Cell) -> tuple[Floats, Floats]:
    """The load of every unit (n) and its further weights (n, w)."""
    return cell.load, cell.more


def atoms_of(cell: Cell, *, absorb: bool) -> tuple[Atoms, Int32s]:
    """Atoms of a connected cell and the atom of every unit.

    With `absorb` each unit without load joins a neighbour: borders are taken in the order of what cutting them costs
    (so those on streets come last, rivers and main roads at the very end), then of their metres, and join what they
    part unless both sides have load; what hangs together by units without load goes along (Kruskal 1956).
    """
    load, more = loads_of(cell)
    n = len(load)
    source = np.repeat(np.arange(n, dtype=np.int32), np.diff(cell.indptr))
    group = np.arange(n, dtype=np.int32)
    if absorb:
        once = np.flatnonzero(source < cell.indices)
        once = once[np.lexsort((once, -cell.border[once], -cell.cost[once]))]
        populated = (load > 0.0) | (more > 0.0).any(axis=1)
        group = _absorbed(source[once], cell.indices[once], populated)
    atom = _near_order(cell.indptr, cell.indices, group)
    return _summed(cell, load, more, source, atom), atom


def _summed(cell: Cell, load: Floats, more: Floats, source: Int32s, atom: Int32s) -> Atoms:
    n = int(atom.max()) + 1
    one, two = atom[source], atom[cell.indices]
    cut = one != two
    pairs, which = np.unique(one[cut].astype(np.int64) * n + two[cut], return_inverse=True)
    border, cost, major = (
        np.bincount(which, values[cut], minlength=len(pairs)).astype(np.float64)
        for values in (cell.border, cell.cost, cell.major)
    )
    indptr = np.zeros(n + 1, dtype=np.int32)
    np.cumsum(np.bincount(pairs // n, minlength=n), out=indptr[1:])
    held = ~cut
    compound = np.full(n, -1, dtype=np.int32)
    compound[atom[cell.compound >= 0]] = cell.compound[cell.compound >= 0]
    return Atoms(
        indptr, (pairs % n).astype(np.int32), border, cost, major,
        np.bincount(one[held], cell.major[held], minlength=n) / 2.0,
        np.bincount(atom, load, minlength=n).astype(np.float64),
        np.stack([np.bincount(atom, more[:, w], minlength=n) for w in range(more.shape[1])], axis=1)
        if more.shape[1] else np.zeros((n, 0)),
        np.bincount(atom, cell.area, minlength=n).astype(np.float64),
        np.bincount(atom, cell.perimeter, minlength=n).astype(np.float64)
        - np.bincount(one[held], cell.border[held], minlength=n),
        compound, cell.split,
    )  # fmt: skip


def closure_of(atoms: Atoms) -> Atoms:
    """Atoms with load alone, neighbours also when joined by atoms without load; costs are left out.

    What is connected among `atoms` is connected here, so where nothing here is in band, nothing there is.
    """
    populated = (atoms.load > 0.0) | (atoms.more > 0.0).any(axis=1)
    place = np.where(populated, np.cumsum(populated) - 1, -1)
    n = int(populated.sum())
    beside = _closure(atoms.indptr, atoms.indices, populated, place.astype(np.int32), n)
    one, two = np.nonzero(beside)
    indptr = np.zeros(n + 1, dtype=np.int32)
    np.cumsum(np.bincount(one, minlength=n), out=indptr[1:])
    none, zero = np.zeros(len(one)), np.zeros(n)
    return Atoms(
        indptr, two.astype(np.int32), none, none, none, zero, atoms.load[populated],
        np.ascontiguousarray(atoms.more[populated]), zero, zero, np.full(n, -1, np.int32), np.zeros(0),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _absorbed(one: Int32s, two: Int32s, populated: npt.NDArray[np.bool_]) -> Int32s:
    """Group of every unit: pairs joined in their order unless both sides have load."""
    n = populated.shape[0]
    parent = np.arange(n).astype(np.int32)
    lived = populated.copy()
    for e in range(one.shape[0]):
        a, b = root_of(parent, one[e]), root_of(parent, two[e])
        if a != b and not (lived[a] and lived[b]):
            parent[max(a, b)] = min(a, b)
            lived[min(a, b)] = lived[a] or lived[b]
    for unit in range(n):
        parent[unit] = root_of(parent, unit)
    return parent


@njit(cache=True, nogil=True)
def _near_order(indptr: Int32s, indices: Int32s, group: Int32s) -> Int32s:
    """Number of every unit's group, by breadth from the unit farthest from the first."""
    n = group.shape[0]
    queue = np.empty(n, np.int32)
    number = np.full(n, -1, np.int32)
    start = 0
    for turn in range(2):
        seen = np.zeros(n, np.bool_)
        number[:] = -1
        count = 0
        tail = 0
        for first in range(-1, n):
            unit = start if first < 0 else first
            if seen[unit]:
                continue
            seen[unit] = True
            queue[tail] = unit
            head = tail
            tail += 1
            while head < tail:
                here = queue[head]
                head += 1
                if number[group[here]] < 0:
                    number[group[here]] = count
                    count += 1
                for e in range(indptr[here], indptr[here + 1]):
                    other = indices[e]
                    if not seen[other]:
                        seen[other] = True
                        queue[tail] = other
                        tail += 1
            if turn == 0 and first < 0:
                start = queue[tail - 1]
    atom = np.empty(n, np.int32)
    for unit in range(n):
        atom[unit] = number[group[unit]]
    return atom


@njit(cache=True, nogil=True)
def _closure(
    indptr: Int32s, indices: Int32s, populated: npt.NDArray[np.bool_], place: Int32s, n: int
) -> npt.NDArray[np.bool_]:
    beside = np.zeros((n, n), np.bool_)
    total = populated.shape[0]
    queue = np.empty(total, np.int32)
    seen = np.full(total, -1, np.int32)
    for start in range(total):
        if not populated[start]:
            continue
        queue[0] = start
        seen[start] = start
        head, tail = 0, 1
        while head < tail:
            here = queue[head]
            head += 1
            for e in range(indptr[here], indptr[here + 1]):
                other = indices[e]
                if seen[other] == start:
                    continue
                seen[other] = start
                if populated[other]:
                    beside[place[start], place[other]] = True
                else:
                    queue[tail] = other
                    tail += 1
    return beside
