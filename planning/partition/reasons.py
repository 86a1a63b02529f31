"""Why a plan is not in band: machine-readable codes and sentences that name the units."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from gisgrid.models import Band
from planning.partition.cells import components, least_outside
from planning.partition.prepare import Problem

Ints = npt.NDArray[np.int64]
_SHOWN = 8
_PART_M2 = 1.0


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason a plan breaks the band. ``units`` are unit ids, ``community`` a code or "" when it is the whole plan.

    Codes: ``unit_above_band``, ``piece_below_band``, ``total_fits_no_count``, ``pocket_cut_off``, ``forced_count``,
    ``unit_in_parts``, ``not_found``.
    """

    code: str
    text: str
    units: tuple[str, ...] = ()
    community: str = ""


def reasons_for(
    problem: Problem, assignment: npt.NDArray[np.int32], table: gpd.GeoDataFrame, band: Band, forced: int | None
) -> list[Reason]:
    """Every reason the plan is out of band, in a fixed order; empty when it is feasible."""
    found: list[Reason] = []
    loads: npt.NDArray[np.float64] = np.bincount(assignment, problem.households, minlength=len(table)).astype(float)
    ordinary = (table["kind"] == "ordinary").to_numpy()
    bad = ordinary & ((loads < band.low) | (loads > band.high))
    if forced is not None and int(ordinary.sum()) != forced:
        found.append(_count_not_met(problem, forced, int(ordinary.sum())))
    for piece in np.unique(problem.piece[bad[assignment] & (problem.piece >= 0)]).tolist():
        found += _piece_reasons(problem, assignment, loads, bad, piece, band, forced)
    return found + _in_parts(problem, assignment, table)


def _list(names: npt.NDArray[np.object_]) -> str:
    shown = ", ".join(str(name) for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def _ids(problem: Problem, rows: npt.NDArray[np.integer]) -> tuple[str, ...]:
    return tuple(str(name) for name in problem.names[rows])


def _number(value: float) -> str:
    return f"{value:.0f}" if value == round(value) else f"{value:.1f}"


def _count_not_met(problem: Problem, forced: int, made: int) -> Reason:
    pieces = len(np.unique(problem.piece[problem.piece >= 0]))
    units = int((problem.piece >= 0).sum())
    why = (
        f"there are {pieces} separate pieces (communities, islands) and each needs a grid of its own"
        if forced < pieces
        else f"there are only {units} ordinary units"
    )
    return Reason("forced_count", f"{forced} grids were asked for and {made} made: {why}")


def _piece_reasons(
    problem: Problem, assignment: npt.NDArray[np.int32], loads: npt.NDArray[np.float64],
    bad: npt.NDArray[np.bool_], piece: int, band: Band, forced: int | None,
) -> list[Reason]:  # fmt: skip
    inside = problem.piece == piece
    rows = np.flatnonzero(inside)
    community = problem.communities[problem.community[rows[0]]]
    total = float(problem.households[rows].sum())
    found = [
        Reason(
            "unit_above_band",
            f"unit {problem.names[row]} alone has {_number(problem.households[row])} households, above {band.high}; "
            f"split it into at least {int(np.ceil(problem.households[row] / band.high))} units",
            _ids(problem, np.array([row])),
            community,
        )
        for row in rows[problem.households[rows] > band.high].tolist()
    ]
    heavy = problem.households[rows][problem.households[rows] > band.high]
    if total < band.low:
        text = (
            f"the piece of community {community} with units {_list(problem.names[rows])} is cut off from the rest "
            f"and has {_number(total)} households, below {band.low}"
        )
        return [*found, Reason("piece_below_band", text, _ids(problem, rows), community)]
    made = len(np.unique(assignment[rows]))
    if forced is not None and not made * band.low <= total <= made * band.high:
        text = (
            f"{made} of the {forced} grids asked for share {_number(total)} households of community {community}: "
            f"{total / made:.0f} each, outside {band}"
        )
        return [*found, Reason("forced_count", text, (), community)]
    rest = total - float(heavy.sum())
    if rest > 0 and least_outside(rest, 0.0, 0.0, band) > 0 and not len(heavy):
        text = (
            f"{_number(total)} households of community {community} (units {_list(problem.names[rows])}) fit no number "
            f"of grids of {band}: {int(total // band.high)} would be too few, {int(total // band.high) + 1} too many"
        )
        return [*found, Reason("total_fits_no_count", text, _ids(problem, rows), community)]
    pockets = _pockets(problem, rows, band, community)
    if found or pockets:
        return found + pockets
    worst = [row for row in np.unique(assignment[rows]).tolist() if bad[row]]
    near = np.flatnonzero(np.isin(assignment, worst))
    text = (
        f"no division of community {community} in {band} was found; {len(worst)} grids are outside it "
        f"({', '.join(_number(loads[row]) for row in worst[:_SHOWN])} households), units {_list(problem.names[near])}"
    )
    return [Reason("not_found", text, _ids(problem, near), community)]


def _pockets(problem: Problem, rows: Ints, band: Band, community: str) -> list[Reason]:
    """Pockets below the band that hang on one unit too large to share a grid with them: a proof, not a guess."""
    graph = problem.graph
    found: list[Reason] = []
    inside = np.zeros(len(graph.area), dtype=bool)
    inside[rows] = True
    for unit in rows[problem.households[rows] > band.high - band.low].tolist():
        inside[unit] = False
        allowed = inside[graph.sources] & inside[graph.indices]
        part = components(graph, allowed)
        inside[unit] = True
        part[~inside] = -1
        part[unit] = -1
        sums = np.bincount(part[part >= 0], problem.households[part >= 0], minlength=1)
        near = np.unique(part[graph.neighbours(unit)])
        for number in near[near >= 0].tolist():
            pocket = np.flatnonzero(part == number)
            load = sums[number]
            if 0 < load < band.low and load + problem.households[unit] > band.high:
                text = (
                    f"units {_list(problem.names[pocket])} ({_number(load)} households) touch the rest of community "
                    f"{community} only through unit {problem.names[unit]} "
                    f"({_number(problem.households[unit])} households): alone they are below {band.low}, "
                    f"together above {band.high}"
                )
                found.append(Reason("pocket_cut_off", text, _ids(problem, pocket), community))
    return found


def _in_parts(problem: Problem, assignment: npt.NDArray[np.int32], table: gpd.GeoDataFrame) -> list[Reason]:
    """Units drawn in separate parts make a grid fall apart whatever the plan does."""
    geometry = table.geometry.to_numpy()
    parts, grid = shapely.get_parts(geometry, return_index=True)
    broken = np.bincount(grid[shapely.area(parts) > _PART_M2], minlength=len(table)) > 1
    if not broken.any():
        return []
    rows = np.flatnonzero((shapely.get_num_geometries(problem.geometry) > 1) & broken[assignment])
    text = (
        f"units {_list(problem.names[rows])} are drawn in separate parts, so their grids are not contiguous; split them"
    )
    return [Reason("unit_in_parts", text, _ids(problem, rows))]
