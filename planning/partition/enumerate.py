"""Every connected set of atoms within limits, each exactly once, with its share of the energy.

Wernicke's ESU (2006): a set is grown from its first atom by neighbours that were not neighbours before, so no set is
met twice; a branch ends as soon as a weight is above its limit. Sets are two words of bits, atom i the i-th bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from gisgrid.limits import ATOMS_MAX
from planning.partition.atoms import Atoms
from planning.partition.energy import grid_energy
from planning.partition.state import Floats, Int32s, Rates

Words = npt.NDArray[np.uint64]

CAP = 3_000_000
"""Sets to keep at most: 24 bytes each, and as much again while they are priced."""
_VISITS = 8
"""Sets looked at for each one kept at most, those below the limits included."""

_ONE = np.uint64(1)
_ZERO = np.uint64(0)
_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_PLACE = np.zeros(64, np.int64)
for _bit in range(64):
    _PLACE[((0x03F79D71B4CB0A89 << _bit) & 0xFFFFFFFFFFFFFFFF) >> 58] = _bit


class Sets(NamedTuple):
    """s sets: atoms 0…63 in ``low``, 64…127 in ``high``; ``load`` and ``cost``, the set's share of the energy.

    The energy of a division is the sum of its sets' costs less the split weights of all compounds lived in. Sets come
    in the order of their first atom.
    """

    low: Words
    high: Words
    load: Floats
    cost: Floats


@njit(cache=True, nogil=True)
def lowest(word: np.uint64) -> int:
    """Place of the lowest bit of a word that is not 0 (de Bruijn, Leiserson et al. 1998)."""
    bit = word & (~word + _ONE)
    return int(_PLACE[(bit * _BRUIJN) >> np.uint64(58)])


@njit(cache=True, nogil=True)
def contains(low: np.uint64, high: np.uint64, atom: int) -> bool:
    """Whether the set has the atom."""
    if atom < 64:
        return bool(((low >> np.uint64(atom)) & _ONE) != _ZERO)
    return bool(((high >> np.uint64(atom - 64)) & _ONE) != _ZERO)


@njit(cache=True, nogil=True)
def atoms_in(low: np.uint64, high: np.uint64, out: Int32s) -> int:
    """Write the atoms of a set into `out`, ascending; how many they are."""
    count = 0
    while low != _ZERO:
        out[count] = lowest(low)
        low &= low - _ONE
        count += 1
    while high != _ZERO:
        out[count] = 64 + lowest(high)
        high &= high - _ONE
        count += 1
    return count


@njit(cache=True, nogil=True)
def set_cost(atoms: Atoms, rates: Rates, low: np.uint64, high: np.uint64, member: Int32s) -> float:
    """Share of one set in the energy: its own terms, half of each border it cuts, split once for each compound.

    Everything the energy of a grid is made of and this function must agree; `member` is work space (n).
    """
    count = atoms_in(low, high, member)
    load = 0.0
    area = 0.0
    perimeter = 0.0
    major = 0.0
    energy = 0.0
    for i in range(count):
        atom = member[i]
        load += atoms.load[atom]
        area += atoms.area[atom]
        perimeter += atoms.perimeter[atom]
        major += atoms.inner[atom]
        for e in range(atoms.indptr[atom], atoms.indptr[atom + 1]):
            if contains(low, high, atoms.indices[e]):
                perimeter -= atoms.border[e]
                major += 0.5 * atoms.major[e]
            else:
                energy += 0.5 * atoms.cost[e]
        compound = atoms.compound[atom]
        if compound >= 0:
            first = True
            for j in range(i):
                if atoms.compound[member[j]] == compound:
                    first = False
                    break
            if first:
                energy += atoms.split[compound]
    return energy + grid_energy(rates, load, area, perimeter, major)


@njit(cache=True, nogil=True)
def near_words(atoms: Atoms) -> tuple[Words, Words]:
    """Neighbours of every atom as bits."""
    n = atoms.load.shape[0]
    low = np.zeros(n, np.uint64)
    high = np.zeros(n, np.uint64)
    for atom in range(n):
        for e in range(atoms.indptr[atom], atoms.indptr[atom + 1]):
            other = atoms.indices[e]
            if other < 64:
                low[atom] |= _ONE << np.uint64(other)
            else:
                high[atom] |= _ONE << np.uint64(other - 64)
    return low, high


@njit(cache=True, nogil=True)
def _walk(
    atoms: Atoms, rates: Rates, low: Floats, high: Floats, weight: Floats, cap: int, visits: int, sets: Sets
) -> int:
    """Visit every connected set of `weight` (n, w) up to `high`; count, and keep in `sets` (if it has room), those from
    `low` on. -1 when there are more than `cap`, or more than `visits` were looked at."""
    n = weight.shape[0]
    kinds = weight.shape[1]
    near_low, near_high = near_words(atoms)
    keep = sets.cost.shape[0] > 0
    member = np.empty(n + 1, np.int32)
    front = np.empty((n + 1, 2), np.uint64)
    seen = np.empty((n + 1, 2), np.uint64)
    taken = np.empty((n + 1, 2), np.uint64)
    total = np.empty((n + 1, kinds))
    found = 0
    looked = 0
    for root in range(n):
        depth = 0
        front[0, 0] = _ZERO
        front[0, 1] = _ZERO
        if root < 64:
            front[0, 0] = _ONE << np.uint64(root)
        else:
            front[0, 1] = _ONE << np.uint64(root - 64)
        taken[0] = _ZERO
        # atoms before the root count as seen: sets that have them were met before
        seen[0, 0] = front[0, 0] | (front[0, 0] - _ONE) if root < 64 else ~_ZERO
        seen[0, 1] = _ZERO if root < 64 else front[0, 1] | (front[0, 1] - _ONE)
        total[0] = 0.0
        while depth >= 0:
            if front[depth, 0] != _ZERO:
                atom = lowest(front[depth, 0])
                front[depth, 0] &= front[depth, 0] - _ONE
            elif front[depth, 1] != _ZERO:
                atom = 64 + lowest(front[depth, 1])
                front[depth, 1] &= front[depth, 1] - _ONE
            else:
                depth -= 1
                continue
            fits = True
            enough = True
            for w in range(kinds):
                total[depth + 1, w] = total[depth, w] + weight[atom, w]
                if total[depth + 1, w] > high[w]:
                    fits = False
                if total[depth + 1, w] < low[w]:
                    enough = False
            if not fits:
                continue
            depth += 1
            taken[depth, 0] = taken[depth - 1, 0]
            taken[depth, 1] = taken[depth - 1, 1]
            if atom < 64:
                taken[depth, 0] |= _ONE << np.uint64(atom)
            else:
                taken[depth, 1] |= _ONE << np.uint64(atom - 64)
            front[depth, 0] = front[depth - 1, 0] | (near_low[atom] & ~seen[depth - 1, 0])
            front[depth, 1] = front[depth - 1, 1] | (near_high[atom] & ~seen[depth - 1, 1])
            seen[depth, 0] = seen[depth - 1, 0] | near_low[atom]
            seen[depth, 1] = seen[depth - 1, 1] | near_high[atom]
            looked += 1
            if looked > visits:
                return -1
            if not enough:
                continue
            if found >= cap:
                return -1
            if keep:
                sets.low[found] = taken[depth, 0]
                sets.high[found] = taken[depth, 1]
                sets.load[found] = total[depth, 0]
                sets.cost[found] = set_cost(atoms, rates, taken[depth, 0], taken[depth, 1], member)
            found += 1
    return found


def connected_sets(atoms: Atoms, rates: Rates, cap: int = CAP) -> Sets | None:
    """Every connected set of atoms within the limits of `rates`, each once; None when there are more than `cap`.

    Raises nothing; atoms beyond `ATOMS_MAX` are too many as well.
    """
    if len(atoms.load) > ATOMS_MAX:
        return None
    low, high = limits_of(rates)
    weight = np.ascontiguousarray(np.concatenate([atoms.load[:, None], atoms.more], axis=1))
    count = _walk(atoms, rates, low, high, weight, cap, _VISITS * cap, _empty(0))
    if count < 0:
        return None
    sets = _empty(count)
    if count:
        _walk(atoms, rates, low, high, weight, cap, _VISITS * cap, sets)
    return sets


def limits_of(rates: Rates) -> tuple[Floats, Floats]:
    """Lower and upper limits of a grid (1 + w): the band of the load, then those of further weights."""
    return np.append(rates.low, rates.more_low), np.append(rates.high, rates.more_high)


def _empty(count: int) -> Sets:
    return Sets(np.zeros(count, np.uint64), np.zeros(count, np.uint64), np.zeros(count), np.zeros(count))
