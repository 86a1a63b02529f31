"""Mending a problem: what to assign so that it goes, nothing that must hold gets worse, or an honest no.

What must hold, in this order: every unit has a grid, grids are whole, households are in band. A fix is taken only when
none of these gets worse and its own problem gets smaller (units without a grid are assigned even where that puts
households out of band, as little as can be); locked grids stay as they are. Rebalancing is the engine's work
(`planning.partition.resolve`) on the grids named, and comes in where a simple move is not enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gisgrid import topology
from gisgrid.errors import BadInput, Conflict
from gisgrid.limits import FIX_GRIDS_MAX
from planning.figures import pieces_of, sums_of
from planning.ground import grid_shape
from planning.problems import Shown, crossings, enclaves, split_compounds

Ints = npt.NDArray[np.int64]
KINDS: Final = ("rebalance", "reconnect", "assign_neighbour", "absorb_enclave", "rejoin_compound")

POCKET: Final = 200
"""Units of a pocket that are looked at one by one."""

Engine = Callable[[Ints, Ints], Ints]
"""Divides units (rows) anew, given their grids: new numbers, those of old grids kept where most of their units stay."""


class Score(NamedTuple):
    """What must hold, most important first: each number 0 at best."""

    unassigned: int
    broken: int
    outside_band: int


@dataclass(frozen=True, slots=True)
class Bench:
    """A level to mend. ``locked`` (g): grids that stay as they are."""

    shown: Shown
    locked: npt.NDArray[np.bool_]
    engine: Engine


def fix(bench: Bench, kind: str, grids: Sequence[int], units: Ints) -> Ints:
    """Owners of all units with a problem mended; numbers from the grids' count on are new grids.

    ``grids``: those to rebalance, the broken one, the enclave; ``units``: to be assigned, of the compound or enclave.
    Raises BadInput for what names too little, Conflict (``locked``, ``nothing_better``) when it cannot be.
    """
    work = {
        "rebalance": _rebalance, "reconnect": _reconnect, "assign_neighbour": _assign_neighbour,
        "absorb_enclave": _absorb_enclave, "rejoin_compound": _rejoin_compound,
    }.get(kind)  # fmt: skip
    if work is None:
        raise BadInput(f"kind {kind!r} is not known; give one of {', '.join(KINDS)}")
    return work(bench, list(dict.fromkeys(grids)), units)


def score(shown: Shown, owner: Ints) -> Score:
    """How far a division is from what must hold."""
    now = _with(shown, owner)
    piece = pieces_of(shown.ground, owner)
    has = owner >= 0
    pieces = len(np.unique(piece[has])) - len(np.unique(owner[has]))
    outside = 0
    if shown.band is not None:
        sums = sums_of(shown.ground, owner, len(now.ordinary))
        load = sums["households"][now.ordinary & (sums["units"] > 0)]
        outside = int((np.maximum(0, shown.band.low - load) + np.maximum(0, load - shown.band.high)).sum())
    return Score(int((~has & (shown.home >= 0)).sum()), pieces, outside)


def told(shown: Shown, owner: Ints, grids: Sequence[int], codes: Sequence[str]) -> dict[str, Any]:
    """Figures of a division, of the whole level and of some grids."""
    now = _with(shown, owner)
    count = len(now.ordinary)
    sums = sums_of(shown.ground, owner, count)
    _, _, compactness = grid_shape(shown.ground, owner, count)
    return {
        **score(shown, owner)._asdict(),
        "split_compounds": sum(1 for _ in split_compounds(now)),
        "crossings": sum(1 for _ in crossings(now)),
        "grids": [
            {
                "code": codes[grid], "units": int(sums["units"][grid]), "households": int(sums["households"][grid]),
                "population": int(sums["population"][grid]), "compactness": float(compactness[grid]),
            }
            for grid in grids if sums["units"][grid]
        ],
    }  # fmt: skip


def _with(shown: Shown, owner: Ints) -> Shown:
    """The level under other owners; grids past the known ones are new, ordinary ones."""
    more = max(int(owner.max(initial=-1)) + 1 - len(shown.codes), 0)
    ordinary = np.append(shown.ordinary, np.ones(more, dtype=bool))
    return replace(shown, owner=owner, codes=[*shown.codes, *[""] * more], ordinary=ordinary)


def _taken(bench: Bench, owner: Ints, better: bool) -> Ints | None:
    """A division when nothing that must hold is worse, and its own problem is better."""
    before, after = score(bench.shown, bench.shown.owner), score(bench.shown, owner)
    worse = any(new > old for old, new in zip(before, after, strict=True))
    return owner if better and not worse else None


def _nothing(text: str) -> Conflict:
    return Conflict(f"{text}; nothing was changed, mend it by hand", code="nothing_better")


def _check_free(bench: Bench, grids: Sequence[int]) -> None:
    held = [grid for grid in grids if bench.locked[grid]]
    if held:
        raise Conflict(
            f"grid {bench.shown.codes[held[0]]} is locked; unlock it first", code="locked",
            grids=[{"level": bench.shown.level, "code": bench.shown.codes[grid]} for grid in held],
        )  # fmt: skip


# --- the engine ---


def _rebalance(bench: Bench, grids: Sequence[int], units: Ints) -> Ints:
    del units
    if not 2 <= len(grids) <= FIX_GRIDS_MAX:
        raise BadInput(f"grids: {len(grids)} named; rebalance 2 to {FIX_GRIDS_MAX} neighbouring grids")
    _check_free(bench, grids)
    special = [grid for grid in grids if not bench.shown.ordinary[grid]]
    if special:
        raise BadInput(f"grid {bench.shown.codes[special[0]]} is a special grid, which no band holds; leave it out")
    before = bench.shown.owner
    owner = _solved(bench, before, grids)
    old, new = score(bench.shown, before), score(bench.shown, owner)
    better = new < old if any(old) else not np.array_equal(owner, before)
    found = _taken(bench, owner, better)
    if found is None:
        raise _nothing(f"the engine finds no better division of these {len(grids)} grids")
    return found


def _solved(bench: Bench, owner: Ints, grids: Sequence[int]) -> Ints:
    """The grids among themselves, divided by the engine."""
    if bench.shown.band is None:
        raise BadInput(f"level {bench.shown.level} has no band to be balanced to")
    rows = np.flatnonzero(np.isin(owner, list(grids)))
    made = bench.engine(rows, owner[rows])
    out = owner.copy()
    known = np.isin(made, list(grids))
    fresh = np.unique(made[~known], return_inverse=True)[1]
    numbers = made.copy()
    numbers[~known] = len(bench.shown.codes) + fresh
    out[rows] = numbers
    return out


def _then_solved(bench: Bench, owner: Ints, grids: Sequence[int]) -> Iterator[Ints]:
    """A division, and the same with the grids it touches evened out, alone and with one more neighbour."""
    yield owner
    free = [grid for grid in grids if bench.shown.ordinary[grid] and not bench.locked[grid] and (owner == grid).any()]
    if bench.shown.band is None or not free:
        return
    if len(free) > 1:
        yield _solved(bench, owner, free[:FIX_GRIDS_MAX])
    around = [grid for grid in _neighbours(bench, owner, np.flatnonzero(np.isin(owner, free))) if grid not in free]
    around = [grid for grid in around if bench.shown.ordinary[grid]]
    if around:
        yield _solved(bench, owner, [*free, *around][: max(4, len(free) + 1)])


# --- moves ---


def _neighbours(bench: Bench, owner: Ints, units: Ints) -> list[int]:
    """Grids of the same home that units touch and that may take them, longest common border first."""
    borders = bench.shown.ground.borders
    inside = np.zeros(len(owner) + 1, dtype=bool)
    inside[units] = True
    to = owner[borders.to]
    use = inside[borders.of] & ~inside[borders.to] & (to >= 0)
    use &= bench.shown.home[borders.of] == bench.shown.home[borders.to]
    metres = np.bincount(to[use], borders.metres[use] - 0.9 * borders.barrier[use], minlength=len(bench.locked))
    found = np.unique(to[use])
    found = found[~bench.locked[found]]
    return [int(grid) for grid in found[np.lexsort((found, -metres[found]))]]


def _excess(bench: Bench, load: float) -> float:
    band = bench.shown.band
    return 0.0 if band is None else max(band.low - load, load - band.high, 0.0)


def _best_neighbour(bench: Bench, owner: Ints, units: Ints, *, not_in: int = -1) -> int | None:
    """The grid beside units that they put least out of band; of those, the one with the longest common border.

    Ordinary grids are preferred to special ones for units where people live.
    """
    ground = bench.shown.ground
    more = float(ground.households[units].sum())
    options = [grid for grid in _neighbours(bench, owner, units) if grid != not_in]
    load = np.bincount(owner[owner >= 0], ground.households[owner >= 0], minlength=len(bench.locked))

    def cost(place: int) -> tuple[bool, float, int]:
        grid = options[place]
        special = bool(more > 0 and not bench.shown.ordinary[grid])
        growth = _excess(bench, load[grid] + more) - _excess(bench, load[grid])
        return special, growth if bench.shown.ordinary[grid] else 0.0, place

    return options[min(range(len(options)), key=cost)] if options else None


def _pieces(bench: Bench, units: Ints) -> list[Ints]:
    """Units joined where they touch, inside one home."""
    ground = bench.shown.ground
    label = np.full(ground.count, -1, dtype=np.int64)
    label[units] = bench.shown.home[units]
    alone = np.where(label >= 0, label, -1 - np.arange(ground.count))
    piece = pieces_of(ground, alone)[units]
    return [units[piece == one] for one in np.unique(piece)]


def _assign_neighbour(bench: Bench, grids: Sequence[int], units: Ints) -> Ints:
    """Units without a grid join a neighbour: a pocket as a whole where it fits, else one by one."""
    del grids
    shown = bench.shown
    units = units[(shown.owner[units] < 0) & (shown.home[units] >= 0)] if units.size else units
    if not units.size:
        raise BadInput("units: name units that belong to no grid")
    owner = shown.owner.copy()
    for pocket in _pieces(bench, units):
        whole = _best_neighbour(bench, owner, pocket)
        if whole is None:
            continue
        trial = owner.copy()
        trial[pocket] = whole
        single = _one_by_one(bench, owner, pocket)
        owner = trial if score(shown, trial) <= score(shown, single) else single
    after, before = score(shown, owner), score(shown, shown.owner)
    if after.unassigned == before.unassigned:
        raise _nothing("no grid of their community that is not locked touches these units; create one for them")
    if after.broken > before.broken:
        raise _nothing("a grid would fall apart")
    return owner


def _one_by_one(bench: Bench, owner: Ints, pocket: Ints) -> Ints:
    """The units of a pocket from its rim inwards, each to the neighbour it puts least out of band; those of a large
    pocket to the one with the longest border."""
    owner = owner.copy()
    if len(pocket) > POCKET:
        return _by_border(bench, owner, pocket)
    left = pocket.tolist()
    while left:
        rest = []
        for unit in left:
            grid = _best_neighbour(bench, owner, np.array([unit]))
            if grid is None:
                rest.append(unit)
            else:
                owner[unit] = grid
        if len(rest) == len(left):
            break
        left = rest
    return owner


def _by_border(bench: Bench, owner: Ints, pocket: Ints) -> Ints:
    borders = bench.shown.ground.borders
    once = borders.of < borders.to
    shared = topology.Borders(borders.of[once], borders.to[once], borders.metres[once])
    open_to_all = np.append(~bench.locked, True)[owner]
    loose = np.zeros(len(owner), dtype=bool)
    loose[pocket] = True
    found, _ = topology.absorb(np.where(open_to_all, owner, -1), loose, shared, groups=bench.shown.home)
    owner[pocket] = found[pocket]
    return owner


def _reconnect(bench: Bench, grids: Sequence[int], units: Ints) -> Ints:
    """A broken grid: its smaller pieces join a neighbour, or the engine divides it and what is around anew."""
    del units
    if len(grids) != 1:
        raise BadInput(f"grids: {len(grids)} named; name the one that is broken")
    shown, grid = bench.shown, grids[0]
    _check_free(bench, grids)
    parts = _pieces(bench, np.flatnonzero(shown.owner == grid))
    if len(parts) < 2:
        raise BadInput(f"grid {shown.codes[grid]} is in one piece; there is nothing to reconnect")
    households = shown.ground.households
    parts.sort(
        key=lambda part: (-int(households[part].sum()), -float(shown.ground.arcs.area[part].sum()), int(part[0]))
    )
    owner, touched = shown.owner.copy(), [grid]
    for part in parts[1:]:
        to = _best_neighbour(bench, owner, part, not_in=grid)
        if to is not None:
            owner[part] = to
            touched.append(to)
    before = score(shown, shown.owner)
    # wholeness comes before the band: of what makes it whole, the least out of band
    scored = [(score(shown, one), one) for one in _then_solved(bench, owner, list(dict.fromkeys(touched)))]
    made = [pair for pair in scored if pair[0].unassigned <= before.unassigned and pair[0].broken < before.broken]
    if not made:
        raise _nothing(f"no grid that may take them touches the pieces of grid {shown.codes[grid]}")
    after, best = min(made, key=lambda pair: pair[0])
    if after.outside_band > before.outside_band:
        more = after.outside_band - before.outside_band
        raise _nothing(f"to make grid {shown.codes[grid]} whole would put {more} more households out of band")
    return best


def _absorb_enclave(bench: Bench, grids: Sequence[int], units: Ints) -> Ints:
    """A grid or piece inside another joins it, or both and a neighbour are divided anew."""
    shown = bench.shown
    found = [
        one for one in enclaves(shown, pieces_of(shown.ground, shown.owner))
        if (one.grids[0] in grids[:1]) or (units.size and np.isin(units, one.units).any())
    ]  # fmt: skip
    if not found:
        raise BadInput("neither the grids nor the units named lie wholly inside another grid; name an enclave")
    inner, around = found[0].grids
    _check_free(bench, [inner, around])
    owner = shown.owner.copy()
    owner[found[0].units] = around
    count = sum(1 for _ in enclaves(shown, pieces_of(shown.ground, shown.owner)))
    for one in (*_then_solved(bench, owner, [around]), *_then_solved(bench, shown.owner, [inner, around])):
        left = sum(1 for _ in enclaves(_with(shown, one), pieces_of(shown.ground, one)))
        if (taken := _taken(bench, one, left < count)) is not None:
            return taken
    raise _nothing(f"grid {shown.codes[around]} cannot take in grid {shown.codes[inner]} and stay in band")


def _rejoin_compound(bench: Bench, grids: Sequence[int], units: Ints) -> Ints:
    """The units of a split compound come together in the grid that has most of it and can take them, or the next."""
    shown, ground = bench.shown, bench.shown.ground
    found = [
        one for one in split_compounds(shown)
        if (units.size and ground.compounds.index(str(one.compound)) in ground.compound[units])
        or (not units.size and len(grids) > 1 and set(grids) <= set(one.grids))
    ]  # fmt: skip
    if not found:
        raise BadInput("units: name units of a compound that lies in several grids and would fit into one")
    one = found[0]
    row = ground.compounds.index(str(one.compound))
    home = shown.home[one.units[0]]
    whole = np.flatnonzero((ground.compound == row) & (shown.home == home))
    free = [grid for grid in reversed(one.grids) if not bench.locked[grid]]
    if len([grid for grid in one.grids if bench.locked[grid]]) > 1 or not free:
        _check_free(bench, one.grids)
    count = sum(1 for _ in split_compounds(shown))
    movable = whole[~bench.locked[shown.owner[whole]] | (shown.owner[whole] < 0)]
    targets = [grid for grid in reversed(one.grids) if not bench.locked[grid]]
    for target in targets:
        owner = shown.owner.copy()
        owner[movable] = target
        for trial in _then_solved(bench, owner, [target, *(grid for grid in targets if grid != target)]):
            left = sum(1 for _ in split_compounds(_with(shown, trial)))
            if (taken := _taken(bench, trial, left < count)) is not None:
                return taken
    raise _nothing(f"compound {one.compound} cannot lie in one of these grids without putting others out of band")
