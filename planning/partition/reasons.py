"""Why a plan is not in band: machine-readable codes and sentences that name the units."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from gisgrid.models import Band
from planning.partition.cells import components
from planning.partition.limits import Limits
from planning.partition.prepare import Problem
from planning.partition.result import more_of

Ints = npt.NDArray[np.int64]
CODES: Final = (
    "unit_above_band", "unit_above_limit", "piece_below_band", "total_fits_no_count", "weights_fit_no_count",
    "pocket_cut_off", "locks_block", "locked_outside", "locked_broken", "forced_count", "unit_in_parts", "not_found",
)  # fmt: skip
"""What `Reason.code` may be; docs/partition.md says what each means."""
_SHOWN = 8
_ISLANDS = 3
_PART_M2 = 1.0


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason a plan breaks the band: one of `CODES`, a sentence, the ids of the units it is about, and the
    community (code, or "" when it is the whole plan).

    ``figures``: what the sentence counts, by name, so that it can be said in other languages.
    """

    code: str
    text: str
    units: tuple[str, ...] = ()
    community: str = ""
    figures: Mapping[str, float | str] = field(default_factory=dict, kw_only=True, hash=False)


def reasons_for(
    problem: Problem, assignment: npt.NDArray[np.int32], table: gpd.GeoDataFrame, limits: Limits, forced: int | None
) -> list[Reason]:
    """Every reason the plan is out of its limits, in a fixed order; empty when it is feasible."""
    found: list[Reason] = []
    loads: npt.NDArray[np.float64] = np.bincount(assignment, problem.load, minlength=len(table)).astype(float)
    ordinary = (table["kind"] == "ordinary").to_numpy()
    bad = ordinary & ~limits.inside(loads, more_of(problem, assignment, len(table)))
    locked = np.unique(assignment[problem.locked])
    free = int(ordinary.sum()) - int(ordinary[locked].sum())
    if forced is not None and free != forced:
        found.append(_count_not_met(problem, forced, free))
    found += [_locked_outside(table, row, limits) for row in locked[bad[locked]].tolist()]
    found += _locked_broken(problem, assignment, table, locked)
    pieces: list[Reason] = []
    for piece in np.unique(problem.piece[bad[assignment] & (problem.piece >= 0)]).tolist():
        pieces += _piece_reasons(problem, assignment, loads, bad, piece, limits, forced)
    return found + _summed(pieces, band=limits.band) + _in_parts(problem, assignment, table, locked)


def _locked_broken(
    problem: Problem, assignment: npt.NDArray[np.int32], table: gpd.GeoDataFrame, locked: npt.NDArray[np.int32]
) -> list[Reason]:
    """Locked grids that are not connected or lie in several communities: they stay so."""
    graph = problem.graph
    part = components(graph, assignment[graph.sources] == assignment[graph.indices])
    found = []
    for row in locked.tolist():
        units = np.flatnonzero(assignment == row)
        parts, communities = len(np.unique(part[units])), len(np.unique(problem.community[units]))
        if max(parts, communities) > 1:
            what = f"in {parts} separate parts" if parts > 1 else f"in {communities} communities"
            text = f"grid {table['code'].iloc[row]} is locked and stays as it is, {what}; unlock it to mend that"
            figures: dict[str, float | str] = {
                "grid": str(table["code"].iloc[row]),
                "parts": parts,
                "communities": communities,
            }
            found.append(Reason("locked_broken", text, (), str(table["community"].iloc[row]), figures=figures))
    return found


def _summed(found: list[Reason], band: Band) -> list[Reason]:
    """The reasons, a community's many pieces below the band told as one."""
    islands = Counter(reason.community for reason in found if reason.code == "piece_below_band")
    many = {community for community, count in islands.items() if count > _ISLANDS}
    kept = [reason for reason in found if reason.code != "piece_below_band" or reason.community not in many]
    for community in sorted(many):
        parts = [one for one in found if one.code == "piece_below_band" and one.community == community]
        units = tuple(name for one in parts for name in one.units)
        text = (
            f"{len(parts)} pieces of community {community} (units {_list(np.array(units, dtype=object))}) lie apart "
            f"from each other, each with less than {band.low} households; do their units share borders exactly?"
        )
        figures = {"pieces": len(parts), "low": band.low}
        kept.append(Reason("piece_below_band", text, units, community, figures=figures))
    return kept


def _locked_outside(table: gpd.GeoDataFrame, row: int, limits: Limits) -> Reason:
    grid = table.iloc[row]
    text = (
        f"grid {grid['code']} is locked and stays as it is, with {_number(float(grid['households']))} households "
        f"outside {_limits(limits)}; unlock it to mend that"
    )
    figures: dict[str, float | str] = {"grid": str(grid["code"]), "households": float(grid["households"])}
    return Reason("locked_outside", text, (), str(grid["community"]), figures=figures)


def _list(names: npt.NDArray[np.object_]) -> str:
    shown = ", ".join(str(name) for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def _ids(problem: Problem, rows: npt.NDArray[np.integer]) -> tuple[str, ...]:
    return tuple(str(name) for name in problem.names[rows])


def _number(value: float) -> str:
    if value >= 1e12:
        return f"{value:.3g}"
    return f"{value:.0f}" if value == round(value) else f"{value:.1f}"


def _count_not_met(problem: Problem, forced: int, made: int) -> Reason:
    pieces = len(np.unique(problem.piece[problem.piece >= 0]))
    units = int((problem.piece >= 0).sum())
    why = (
        f"there are {pieces} separate pieces (communities, islands) and each needs a grid of its own"
        if forced < pieces
        else f"there are only {units} ordinary units"
    )
    figures = {"asked": forced, "made": made}
    return Reason("forced_count", f"{forced} grids were asked for and {made} made: {why}", figures=figures)


def _piece_reasons(
    problem: Problem, assignment: npt.NDArray[np.int32], loads: npt.NDArray[np.float64],
    bad: npt.NDArray[np.bool_], piece: int, limits: Limits, forced: int | None,
) -> list[Reason]:  # fmt: skip
    rows = np.flatnonzero(problem.piece == piece)
    band = limits.band
    community = problem.communities[problem.community[rows[0]]]
    found = _heavy_units(problem, rows, limits, community)
    load = problem.load[rows]
    total = float(load.sum())
    if total < band.low:
        return [*found, _below(problem, rows, total, band, community)]
    made = len(np.unique(assignment[rows]))
    if forced is not None and not made * band.low <= total <= made * band.high:
        text = (
            f"{made} of the {forced} grids asked for share {_number(total)} households of community {community}: "
            f"{total / made:.0f} each, outside {band}"
        )
        figures = {"asked": forced, "made": made, "households": total}
        return [*found, Reason("forced_count", text, (), community, figures=figures)]
    if (
        total > 0
        and not (load > band.high).any()
        and not len(limits.counts(total, problem.more[rows].sum(axis=0).tolist()))
    ):
        return [*found, _no_count(problem, rows, limits, community)]
    pockets = _pockets(problem, rows, band, community)
    if found or pockets:
        return found + pockets
    worst = [row for row in np.unique(assignment[rows]).tolist() if bad[row]]
    near = np.flatnonzero(np.isin(assignment, worst))
    shown = ", ".join(_loads_text(problem, assignment, loads, row, limits) for row in worst[:_SHOWN])
    more = "" if limits.weights else " households"
    text = (
        f"no division of community {community} in {_limits(limits)} was found; "
        f"{len(worst)} {'grid is' if len(worst) == 1 else 'grids are'} outside it ({shown}{more}), "
        f"units {_list(problem.names[near])}"
    )
    return [Reason("not_found", text, _ids(problem, near), community, figures={"grids": len(worst)})]


def _loads_text(
    problem: Problem, assignment: npt.NDArray[np.int32], loads: npt.NDArray[np.float64], row: int, limits: Limits
) -> str:
    """What a grid holds of the weights that are out of their limits; the bare load where there is only that."""
    if not limits.weights:
        return _number(loads[row])
    values = [("households", float(loads[row]), float(limits.band.low), float(limits.band.high))]
    for w, weight in enumerate(limits.weights):
        value = float(problem.more[assignment == row, w].sum() / limits.scale[w])
        values.append((weight.column, value, float(weight.low), float(weight.high)))
    return " and ".join(
        f"{_number(value)} {column}" for column, value, low, high in values if not low - 1e-6 <= value <= high + 1e-6
    )


def _heavy_units(problem: Problem, rows: Ints, limits: Limits, community: str) -> list[Reason]:
    """Units that are too much for any grid by themselves."""
    found = []
    columns = [("households", problem.load, limits.high)]
    for w, weight in enumerate(limits.weights):
        columns.append((weight.column, problem.more[:, w] / limits.scale[w], weight.high))
    for name, values, high in columns:
        for row in rows[values[rows] > high + 1e-9].tolist():
            text = (
                f"unit {problem.names[row]} alone has {_number(values[row])} {name}, above {_number(high)}; "
                f"split it into at least {int(np.ceil(values[row] / high))} units"
            )
            code = "unit_above_band" if name == "households" else "unit_above_limit"
            figures: dict[str, float | str] = {"column": name, "value": float(values[row]), "high": float(high)}
            figures["parts"] = int(np.ceil(values[row] / high))
            found.append(Reason(code, text, _ids(problem, np.array([row])), community, figures=figures))
    return found


def _below(problem: Problem, rows: Ints, total: float, band: Band, community: str) -> Reason:
    """A piece with too few households for one grid; whether locked grids around it are what cuts it off."""
    text = (
        f"the piece of community {community} with units {_list(problem.names[rows])} is cut off from the rest "
        f"and has {_number(total)} households, below {band.low}"
    )
    figures: dict[str, float | str] = {"households": total, "low": band.low}
    graph = problem.graph
    beside = np.isin(graph.sources, rows) & problem.locked[graph.indices]
    beside &= problem.community[graph.sources] == problem.community[graph.indices]
    locks = sorted({problem.old_codes[old] for old in problem.old[graph.indices[beside]].tolist()})
    if not locks:
        return Reason("piece_below_band", text, _ids(problem, rows), community, figures=figures)
    return Reason(
        "locks_block", f"{text}; locked grids beside it: {', '.join(locks[:_SHOWN])}; unlock one of them",
        _ids(problem, rows), community, figures=figures | {"grids": ", ".join(locks[:_SHOWN])},
    )  # fmt: skip


def _no_count(problem: Problem, rows: Ints, limits: Limits, community: str) -> Reason:
    """Totals that no number of grids can share: of the households alone, or of several weights together."""
    band = limits.band
    total = float(problem.load[rows].sum())
    place = f"community {community} (units {_list(problem.names[rows])})"
    if not len(band.feasible_counts(total)):
        text = (
            f"{_number(total)} households of {place} fit no number of grids of {band}: "
            f"{int(total // band.high)} would be too few, {int(total // band.high) + 1} too many"
        )
        figures = {"households": total, "few": int(total // band.high), "many": int(total // band.high) + 1}
        return Reason("total_fits_no_count", text, _ids(problem, rows), community, figures=figures)
    wants = [f"{_number(total)} households ({band}) {_counts_text(band.feasible_counts(total))}"]
    for w, weight in enumerate(limits.weights):
        value = float(problem.more[rows, w].sum() / limits.scale[w])
        least = max(math.ceil(value / weight.high - 1e-9), 1)
        need = f"at least {least}" if not weight.low else _counts_text(range(least, int(value // weight.low) + 1))
        wants.append(f"{_number(value)} {weight.column} ({weight}) {need}")
    return Reason(
        "weights_fit_no_count",
        f"in {place} no number of grids suits every weight, each asks for its own: {'; '.join(wants)}",
        _ids(problem, rows),
        community,
    )  # fmt: skip


def _counts_text(counts: range) -> str:
    if not len(counts):
        return "no number of grids"
    return f"{counts[0]} grids" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} grids"


def _limits(limits: Limits) -> str:
    return " and ".join([str(limits.band), *map(str, limits.weights)])


def _pockets(problem: Problem, rows: Ints, band: Band, community: str) -> list[Reason]:
    """Pockets below the band that hang on one unit too large to share a grid with them: a proof, not a guess."""
    graph = problem.graph
    found: list[Reason] = []
    inside = np.zeros(len(graph.area), dtype=bool)
    inside[rows] = True
    for unit in rows[problem.load[rows] > band.high - band.low].tolist():
        inside[unit] = False
        allowed = inside[graph.sources] & inside[graph.indices]
        part = components(graph, allowed)
        inside[unit] = True
        part[~inside] = -1
        part[unit] = -1
        sums = np.bincount(part[part >= 0], problem.load[part >= 0], minlength=1)
        near = np.unique(part[graph.neighbours(unit)])
        for number in near[near >= 0].tolist():
            pocket = np.flatnonzero(part == number)
            load = sums[number]
            if 0 < load < band.low and load + problem.load[unit] > band.high:
                text = (
                    f"units {_list(problem.names[pocket])} ({_number(load)} households) touch the rest of community "
                    f"{community} only through unit {problem.names[unit]} "
                    f"({_number(problem.load[unit])} households): alone they are below {band.low}, "
                    f"together above {band.high}"
                )
                figures: dict[str, float | str] = {"households": float(load), "unit": str(problem.names[unit])}
                figures["beside"] = float(problem.load[unit])
                found.append(Reason("pocket_cut_off", text, _ids(problem, pocket), community, figures=figures))
    return found


def _in_parts(
    problem: Problem, assignment: npt.NDArray[np.int32], table: gpd.GeoDataFrame, locked: npt.NDArray[np.int32]
) -> list[Reason]:
    """Units drawn in separate parts make a grid fall apart whatever the plan does."""
    geometry = table.geometry.to_numpy()
    parts, grid = shapely.get_parts(geometry, return_index=True)
    broken = np.bincount(grid[shapely.area(parts) > _PART_M2], minlength=len(table)) > 1
    broken[locked] = False
    if not broken.any():
        return []
    rows = np.flatnonzero((shapely.get_num_geometries(problem.geometry) > 1) & broken[assignment])
    text = (
        f"units {_list(problem.names[rows])} are drawn in separate parts, so their grids are not contiguous; split them"
    )
    return [Reason("unit_in_parts", text, _ids(problem, rows), figures={"units": len(rows)})]
