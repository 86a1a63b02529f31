"""What is wrong with a plan: every problem with the very units, how much, where, and a sentence in both languages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from pyproj import Transformer
from scipy.sparse.csgraph import connected_components

from gisgrid.models import Band
from planning.figures import pieces_of, sums_of
from planning.ground import CRS, Ground

Ints = npt.NDArray[np.int64]
KINDS: Final = ("out_of_band", "broken", "enclave", "split_compound", "crosses_barrier", "unassigned")


@dataclass(frozen=True, slots=True)
class Shown:
    """One level of a plan as problems are looked for. ``owner`` int64 (n): grid of every unit, −1 none; ``codes``,
    ``ordinary`` of the grids; ``home`` int64 (n): community (deeper: parent grid) of every unit, −1 where the unit
    needs no grid on this level. ``band`` None: the level has none."""

    ground: Ground
    level: int
    owner: Ints
    codes: Sequence[str]
    ordinary: npt.NDArray[np.bool_]
    home: Ints
    band: Band | None


@dataclass(frozen=True, slots=True)
class Problem:
    """``grids``: numbers, the one to blame first. ``units``: the very ones to look at. ``amount``: households beyond
    the band (out_of_band) or in the part (enclave, split_compound, unassigned), pieces (broken), metres of barrier."""

    kind: str
    level: int
    grids: tuple[int, ...]
    units: Ints
    amount: float
    text_zh: str
    text_en: str
    key: str
    compound: str | None = None

    @property
    def id(self) -> str:
        """Stable while the problem lasts."""
        return f"{self.kind}:{self.level}:{self.key}"


def problems_of(shown: Shown) -> list[Problem]:
    """Every problem of one level, kind by kind, grids in the order of their codes."""
    piece = pieces_of(shown.ground, shown.owner)
    return [
        *out_of_band(shown), *broken(shown, piece), *enclaves(shown, piece), *split_compounds(shown),
        *crossings(shown), *unassigned(shown, piece),
    ]  # fmt: skip


def out_of_band(shown: Shown) -> Iterator[Problem]:
    """Ordinary grids with fewer or more households than the band allows."""
    if shown.band is None:
        return
    sums = sums_of(shown.ground, shown.owner, len(shown.codes))
    households = sums["households"]
    low, high = shown.band.low, shown.band.high
    wrong = shown.ordinary & (sums["units"] > 0) & ((households < low) | (households > high))
    for grid in np.flatnonzero(wrong).tolist():
        number = int(households[grid])
        missing, over = low - number, number - high
        zh = f"比上限多{over}户" if over > 0 else f"比下限少{missing}户"
        en = f"{over} more than {high}" if over > 0 else f"{missing} fewer than {low}"
        code = shown.codes[grid]
        yield Problem(
            "out_of_band", shown.level, (grid,), np.flatnonzero(shown.owner == grid), float(max(over, missing)),
            f"网格{code}有{number}户，{zh}", f"Grid {code} has {number} households, {en}", code,
        )  # fmt: skip


def broken(shown: Shown, piece: Ints) -> Iterator[Problem]:
    """Grids in several pieces; the units are all but the main one (most households, then most ground)."""
    for grid, main, pieces in _in_pieces(shown, piece):
        code = shown.codes[grid]
        units = np.flatnonzero((shown.owner == grid) & (piece != main))
        yield Problem(
            "broken", shown.level, (grid,), units, float(len(pieces)), f"网格{code}分成{len(pieces)}块，不相连",
            f"Grid {code} is in {len(pieces)} pieces that do not touch", code,
        )  # fmt: skip


def _in_pieces(shown: Shown, piece: Ints) -> Iterator[tuple[int, int, list[int]]]:
    has = shown.owner >= 0
    pieces, first = np.unique(piece[has], return_index=True)
    grid_of = shown.owner[has][first]
    several = np.flatnonzero(np.bincount(grid_of, minlength=len(shown.codes)) > 1)
    households = np.bincount(piece, shown.ground.households, minlength=int(piece.max(initial=0)) + 1)
    area = np.bincount(piece, shown.ground.arcs.area, minlength=len(households))
    for grid in several.tolist():
        mine = pieces[grid_of == grid]
        main = mine[np.lexsort((mine, -area[mine], -households[mine]))[0]]
        yield grid, int(main), mine.tolist()


def enclaves(shown: Shown, piece: Ints) -> Iterator[Problem]:
    """Ordinary grids, and cut-off pieces of them, that lie wholly inside one other grid.

    Special grids inside another, as a school among houses, are as they should be.
    """
    arcs, owner = shown.ground.arcs, np.append(shown.owner, -2)
    pieces = np.append(piece, -2)
    count = int(piece.max(initial=0)) + 1
    low, high = np.full(count, np.iinfo(np.int64).max), np.full(count, -3, dtype=np.int64)
    for here, there in ((arcs.left, arcs.right), (arcs.right, arcs.left)):
        edge = pieces[here] != pieces[there]
        use = edge & (here >= 0)
        np.minimum.at(low, pieces[here[use]], owner[there[use]])
        np.maximum.at(high, pieces[here[use]], owner[there[use]])
    main = {one: grid for grid, one, _ in _in_pieces(shown, piece)}
    for one in np.flatnonzero((low == high) & (low >= 0)).tolist():
        units = np.flatnonzero(piece == one)
        grid, around = int(shown.owner[units[0]]), int(low[one])
        if grid < 0 or not shown.ordinary[grid] or one in main:
            continue
        households = int(shown.ground.households[units].sum())
        code, other = shown.codes[grid], shown.codes[around]
        yield Problem(
            "enclave", shown.level, (grid, around), units, float(households),
            f"网格{code}的{households}户全部在网格{other}之内", f"{households} households of grid {code} lie wholly "
            f"inside grid {other}", f"{code}:{int(units[0])}",
        )  # fmt: skip


def split_compounds(shown: Shown) -> Iterator[Problem]:
    """Compounds that would fit into one grid and lie in several; what lies in another community is no fault.

    As `gisgrid.metrics.compounds_split`: units without households split nothing. Deeper levels may divide compounds.
    """
    ground = shown.ground
    if shown.level > 1 or shown.band is None:
        return
    lived = np.flatnonzero((ground.compound >= 0) & (ground.households > 0) & (shown.owner >= 0))
    key = ground.compound[lived].astype(np.int64) * (len(ground.communities) + 1) + ground.community[lived]
    order = lived[np.argsort(key, kind="stable")]
    ends = np.flatnonzero(np.diff(np.sort(key))) + 1
    whole = np.bincount(ground.compound[lived], ground.households[lived], minlength=len(ground.compounds))
    for units in np.split(order, ends):
        grids = np.unique(shown.owner[units]) if units.size else units
        if len(grids) < 2 or whole[ground.compound[units[0]]] > shown.band.high:
            continue
        inside = np.bincount(shown.owner[units], ground.households[units], minlength=len(shown.codes))
        grids = grids[np.lexsort((grids, inside[grids]))]
        out = units[shown.owner[units] != grids[-1]]
        name = ground.compounds[int(ground.compound[units[0]])]
        home = ground.communities[int(ground.community[units[0]])]
        moved = int(ground.households[out].sum())
        yield Problem(
            "split_compound", shown.level, tuple(grids.tolist()), np.sort(out), float(moved),
            f"小区{name}分在{len(grids)}个网格里，{moved}户不在主要的网格",
            f"Compound {name} lies in {len(grids)} grids, {moved} households outside the main one",
            f"{name}:{home}", name,
        )  # fmt: skip


def crossings(shown: Shown) -> Iterator[Problem]:
    """Ordinary grids with a river, railway or main road between two parts that could each be divided in band alone.

    A part: units of a community joined without crossing such a barrier. Where one side cannot be in band by itself the
    community forces grids across (`planning.partition.cells` does the same); a road that ends inside divides nothing.
    """
    ground, band = shown.ground, shown.band
    if band is None or not len(shown.codes):
        return
    borders = ground.borders
    same_home = (shown.home[borders.of] == shown.home[borders.to]) & (shown.home[borders.of] >= 0)
    across = borders.barrier >= 0.5 * borders.metres
    link = same_home & ~across
    ones = np.ones(int(link.sum()), dtype=np.int8)
    graph = sp.coo_matrix((ones, (borders.of[link], borders.to[link])), shape=(ground.count, ground.count))
    cell = connected_components(graph, directed=False)[1]
    load = np.bincount(cell, ground.households)
    able = np.array([len(band.feasible_counts(households)) > 0 for households in load.tolist()], dtype=bool)
    grid = shown.owner[borders.of]
    bad = (
        across & same_home & (grid >= 0) & (grid == shown.owner[borders.to]) & (borders.of < borders.to)
        & (cell[borders.of] != cell[borders.to]) & able[cell[borders.of]] & able[cell[borders.to]]
    )  # fmt: skip
    bad[bad] = shown.ordinary[grid[bad]]
    for number in np.unique(grid[bad]).tolist():
        rows = np.flatnonzero(bad & (grid == number))
        metres = float(borders.metres[rows].sum())
        members = np.flatnonzero(shown.owner == number)
        inside = np.bincount(cell[members], ground.households[members] + 1e-6 * ground.arcs.area[members])
        sides = np.unique(np.concatenate([cell[borders.of[rows]], cell[borders.to[rows]]]))
        main = sides[np.argmax(inside[sides])]
        units = members[np.isin(cell[members], sides[sides != main])]
        code = shown.codes[number]
        yield Problem(
            "crosses_barrier", shown.level, (number,), units, round(metres, 1),
            f"网格{code}跨过河流、铁路或主干道，共{metres:.0f}米",
            f"Grid {code} lies across a river, railway or main road, {metres:.0f} m of it", code,
        )  # fmt: skip


def unassigned(shown: Shown, piece: Ints) -> Iterator[Problem]:
    """Units without a grid, joined where they touch."""
    left = np.flatnonzero((shown.owner < 0) & (shown.home >= 0))
    key = piece[left] * (int(shown.home.max(initial=0)) + 1) + shown.home[left]
    for one in np.unique(key).tolist():
        units = left[key == one]
        households = int(shown.ground.households[units].sum())
        yield Problem(
            "unassigned", shown.level, (), units, float(households), f"{len(units)}个单元（{households}户）没有网格",
            f"{len(units)} unit{'s' if len(units) > 1 else ''} without a grid, {households} households",
            str(int(units[0])),
        )  # fmt: skip


def problem_json(shown: Shown, problem: Problem) -> dict[str, Any]:
    """A problem as answers tell it: codes, bounds in degrees."""
    told: dict[str, Any] = {
        "id": problem.id, "kind": problem.kind, "level": problem.level,
        "grids": [shown.codes[grid] for grid in problem.grids], "units": problem.units,
        "amount": problem.amount, "bbox": bounds(shown.ground, problem.units), "compound": problem.compound,
        "text_zh": problem.text_zh, "text_en": problem.text_en,
    }  # fmt: skip
    return told


def bounds(ground: Ground, units: Ints) -> list[float]:
    """West, south, east, north of some units, degrees."""
    boxes = ground.boxes[units]
    (west, east), (south, north) = _degrees().transform(
        [boxes[:, 0].min(), boxes[:, 2].max()], [boxes[:, 1].min(), boxes[:, 3].max()]
    )
    return [round(value, 7) for value in (west, south, east, north)]


@cache
def _degrees() -> Transformer:
    """Made once: it takes longer than all else here."""
    return Transformer.from_crs(CRS, "EPSG:4490", always_xy=True)
