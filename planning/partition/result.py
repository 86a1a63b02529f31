"""From labels to the plan's grids: order, codes, names, geometry and figures."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
import shapely

from gisgrid import topology
from gisgrid.codes import COMMUNITY_DIGITS, DEFAULT, GridScheme, child_level, grid_codes
from gisgrid.errors import BadInput
from gisgrid.metrics import balance, compactness_of, compounds_split
from gisgrid.models import SPECIAL_KINDS
from planning.changes import Changes, boundary_kept, changes, heirs, least_churn
from planning.graph import CLASSES, MAJOR_CLASSES, NO_STREET
from planning.partition.limits import Limits
from planning.partition.prepare import DEFAULT_COMMUNITY, Problem

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def order_grids(
    problem: Problem, label: Ints, k: int, heir: Ints, scheme: GridScheme, taken: Collection[str] = ()
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.object_]]:
    """Grid row of every unit, rows sorted by code; and the codes: those of old grids go on with their heirs.

    `heir`: old grid each of the first grids goes on as, or -1; special and locked grids follow by ground. `taken`:
    further codes no new grid may have.
    """
    centre = shapely.get_coordinates(shapely.centroid(problem.geometry))
    area = problem.graph.area
    weight = np.bincount(label, area, minlength=k)
    x = np.bincount(label, area * centre[:, 0], minlength=k) / weight
    y = np.bincount(label, area * centre[:, 1], minlength=k) / weight
    first = np.unique(label, return_index=True)[1]
    above = np.array(problem.communities, dtype=object)[problem.community[first]]
    codes = _kept_codes(problem, _heirs_by_ground(problem, label, k, heir), above)
    new = np.flatnonzero(codes == "")
    codes[new] = grid_codes(above[new], x[new], y[new], taken=[*problem.old_codes, *taken], scheme=scheme)
    order = np.argsort(codes.astype(str), kind="stable")
    rank = np.empty(k, dtype=np.int32)
    rank[order] = np.arange(k, dtype=np.int32)
    return rank[label], codes[order]


def _heirs_by_ground(problem: Problem, label: Ints, k: int, heir: Ints) -> Ints:
    """`heir` with the special and locked grids too: of old grids that do not go on yet, by the ground they share."""
    found = np.full(k, -1, dtype=np.int64)
    found[: len(heir)] = heir
    unit = np.flatnonzero((label >= len(heir)) & (problem.old >= 0))
    unit = unit[problem.locked[unit] | ~np.isin(problem.old[unit], heir)]
    if len(unit):
        shape = (len(problem.old_codes), k)
        ground = sp.coo_matrix((problem.graph.area[unit], (problem.old[unit], label[unit])), shape=shape)
        goes_on = heirs(ground)
        old = np.flatnonzero(goes_on >= 0)
        found[goes_on[old]] = old
    return found


def _kept_codes(problem: Problem, heir: Ints, above: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Code every grid keeps, or "": a code that names another of these communities cannot go on in this one."""
    known = set(problem.communities)
    codes = np.full(len(heir), "", dtype=object)
    for grid in np.flatnonzero(heir >= 0).tolist():
        code = problem.old_codes[heir[grid]]
        named = next((code[:end] for end in range(len(code), 11, -1) if code[:end] in known), None)
        if named in (None, above[grid]):
            codes[grid] = code
    return codes


def scheme_for(problem: Problem, k: int) -> GridScheme:
    """The usual numbers; wider ones when a made-up community stands for a whole city of `k` grids."""
    digits = len(str(k))
    if problem.communities != [DEFAULT_COMMUNITY] or digits <= DEFAULT.width(1):
        return DEFAULT
    return GridScheme("wide", (digits,), deeper=2)


def grids_of(
    problem: Problem, assignment: npt.NDArray[np.int32], codes: npt.NDArray[np.object_], scheme: GridScheme
) -> gpd.GeoDataFrame:
    """The grids layer, one row per grid in code order, geometry the exact union of its units (vertices shared)."""
    k = len(codes)
    geometry = topology.dissolve(problem.geometry, assignment.astype(np.int64), k)
    first = np.unique(assignment, return_index=True)[1]
    above = np.array(problem.communities, dtype=object)[problem.community[first]]
    level = np.array([child_level(code, scheme=scheme) for code in above], dtype=np.int64)
    kind = np.where(problem.special[first] >= 0, _special_kinds(problem, assignment, k), "ordinary")
    kind[problem.locked[first] & (np.bincount(assignment, problem.households, minlength=k) > 0)] = "ordinary"
    return gpd.GeoDataFrame(
        {
            "code": codes,
            "name": [
                problem.community_names[row] + grid_name(code, scheme)
                for row, code in zip(problem.community[first].tolist(), codes, strict=True)
            ],
            "level": level,
            "parent": [code if deep else None for code, deep in zip(above, level > 1, strict=True)],
            "community": [code[:COMMUNITY_DIGITS] for code in above],
            "kind": kind.astype(object),
            "households": whole_numbers(np.bincount(assignment, problem.households, minlength=k)),
            "population": whole_numbers(np.bincount(assignment, problem.population, minlength=k)),
            "compactness": compactness_of(shapely.area(geometry), shapely.length(geometry)),
        },
        geometry=geometry,
        crs=problem.units.crs,
    )


def grid_name(code: str, scheme: GridScheme) -> str:
    """What a grid is called inside its community or parent grid: 第003网格, 第02微网格."""
    try:
        level = scheme.level(code)
    except BadInput:  # an old grid's code of some other scheme goes on as it is
        return code
    number = code[-scheme.width(level) :]
    return f"第{number}{'网格' if level == 1 else '微网格'}"


def _special_kinds(problem: Problem, assignment: npt.NDArray[np.int32], k: int) -> npt.NDArray[np.object_]:
    """Kind of the largest unit of a special kind of every special grid: a lake does not name the park around it."""
    kinds = np.full(k, "", dtype=object)
    order = np.lexsort((problem.graph.area, np.isin(problem.kind.astype(str), sorted(SPECIAL_KINDS))))
    order = order[problem.special[order] >= 0]
    order = order[problem.kind[order] != ""]
    kinds[assignment[order]] = problem.kind[order]
    return kinds


def whole_numbers(sums: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Sums as integers where all of them are whole."""
    whole = np.round(sums)
    return whole.astype(np.int64) if np.array_equal(whole, sums) else sums


def more_of(problem: Problem, assignment: npt.NDArray[np.int32], k: int) -> Floats:
    """Sums of the further weights of every grid (k, w), scaled."""
    sums = [np.bincount(assignment, problem.more[:, w], minlength=k) for w in range(problem.more.shape[1])]
    return np.stack(sums, axis=1) if sums else np.zeros((k, 0))


def changes_of(problem: Problem, codes: npt.NDArray[np.object_]) -> Changes | None:
    """What changed against the old grids: `codes` the new grid of every unit; None without old grids."""
    if not problem.old_codes:
        return None
    return changes(problem.old_code, codes, problem.households, problem.population, problem.graph.area, same_codes=True)


def moves_of(
    problem: Problem, assignment: npt.NDArray[np.int32], table: gpd.GeoDataFrame, changed: Changes
) -> gpd.GeoDataFrame:
    """Ground that changes grid: the rows of `Changes.moves` with people on them, and their geometry."""
    wanted = changed.moves[changed.moves["households"] > 0].reset_index(drop=True)
    rows = np.flatnonzero(changed.moved)
    pair = pd.MultiIndex.from_arrays([problem.old_code[rows], table["code"].to_numpy()[assignment[rows]]])
    place = pd.MultiIndex.from_frame(wanted[["old", "new"]]).get_indexer(pair)
    used = place >= 0
    geometry = topology.dissolve(problem.geometry[rows[used]], place[used].astype(np.int64), len(wanted))
    return gpd.GeoDataFrame(wanted, geometry=geometry, crs=problem.units.crs)


def churn_stats(
    problem: Problem, assignment: npt.NDArray[np.int32], table: gpd.GeoDataFrame, changed: Changes, limits: Limits
) -> dict[str, Any]:
    """Households that change grid, the least that must for these numbers of grids, and the old boundary kept."""
    old = problem.old_code
    new = table["code"].to_numpy()[assignment]
    graph = problem.graph
    ordinary = problem.special < 0
    least = least_churn(
        old[ordinary], new[ordinary], problem.households[ordinary], limits.low, limits.high,
        parts=problem.piece[ordinary].astype(str),
    )  # fmt: skip
    once = graph.sources < graph.indices
    lived = max(changed.households, 1.0)
    return {
        "old_grids": len(problem.old_codes),
        "households_moved": changed.moved_households,
        "households_moved_least": round(least, 1),
        "moved_share": round(changed.moved_share, 6),
        "moved_share_least": round(least / lived, 6),
        "old_boundary_kept": boundary_kept(
            old, new, graph.sources[once], graph.indices[once], graph.border[once]
        ),
        "grids_going_on": len(changed.heirs),
        "grids_born": len(changed.births),
        "grids_ended": len(changed.ends),
    }  # fmt: skip


def stats_of(
    problem: Problem, assignment: npt.NDArray[np.int32], table: gpd.GeoDataFrame, limits: Limits
) -> dict[str, Any]:
    """Figures of the plan, from the unit graph: band, compactness, boundary by street class, compounds cut."""
    band = limits.band
    loads = np.bincount(assignment, problem.load, minlength=len(table)).astype(np.float64)
    ordinary = (table["kind"] == "ordinary").to_numpy()
    inside = limits.inside(loads, more_of(problem, assignment, len(table)))
    graph = problem.graph
    source, target = graph.sources, graph.indices
    cut = assignment[source] != assignment[target]
    metres = graph.by_class[cut].sum(axis=0, dtype=np.float64) / 2.0
    crossed = ~cut & (graph.street < MAJOR_CLASSES)
    compound = pd.Series(problem.compound).where(problem.compound >= 0)
    compounds = compounds_split(compound, assignment, problem.households, band.high)
    length = max(float(metres.sum()), 1e-9)
    return {
        "units": len(assignment),
        "grids": len(table),
        "ordinary_grids": int(ordinary.sum()),
        "special_grids": int((~ordinary).sum()),
        "households": float(problem.households.sum()),
        "in_band": float(inside[ordinary].mean()) if ordinary.any() else 1.0,
        "households_outside_band": balance(loads[ordinary], band).outside_band,
        "compactness_mean": float(table["compactness"].mean()),
        "boundary_metres": float(metres.sum()),
        "boundary_by_class": dict(zip(CLASSES, np.round(metres, 1).tolist(), strict=True)),
        "boundary_on_streets": float(metres[: NO_STREET - 1].sum() / length),
        "compounds_fitting": compounds.fitting,
        "compounds_split": compounds.split,
        "grids_crossing_major": len(np.unique(assignment[source[crossed]])),
    }
