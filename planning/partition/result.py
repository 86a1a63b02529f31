"""From labels to the plan's grids: order, codes, names, geometry and figures."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from gisgrid import topology
from gisgrid.codes import COMMUNITY_DIGITS, DEFAULT, GridScheme, child_level, grid_codes
from gisgrid.metrics import compactness_of
from gisgrid.models import SPECIAL_KINDS, Band
from planning.graph import CLASSES, MAJOR_CLASSES, NO_STREET
from planning.partition.prepare import DEFAULT_COMMUNITY, Problem

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def order_grids(
    problem: Problem, label: Ints, k: int, scheme: GridScheme
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.object_]]:
    """Grid row of every unit, rows sorted by code; and the codes."""
    centre = shapely.get_coordinates(shapely.centroid(problem.geometry))
    area = problem.graph.area
    weight = np.bincount(label, area, minlength=k)
    x = np.bincount(label, area * centre[:, 0], minlength=k) / weight
    y = np.bincount(label, area * centre[:, 1], minlength=k) / weight
    first = np.unique(label, return_index=True)[1]
    community = np.array(problem.communities, dtype=object)[problem.community[first]]
    codes = grid_codes(community, x, y, scheme=scheme)
    order = np.argsort(codes.astype(str), kind="stable")
    rank = np.empty(k, dtype=np.int32)
    rank[order] = np.arange(k, dtype=np.int32)
    return rank[label], codes[order]


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
            "households": _whole(np.bincount(assignment, problem.households, minlength=k)),
            "population": _whole(np.bincount(assignment, problem.population, minlength=k)),
            "compactness": compactness_of(shapely.area(geometry), shapely.length(geometry)),
        },
        geometry=geometry,
        crs=problem.units.crs,
    )


def grid_name(code: str, scheme: GridScheme) -> str:
    """What a grid is called inside its community or parent grid: 第003网格, 第02微网格."""
    level = scheme.level(code)
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


def _whole(sums: npt.NDArray[Any]) -> npt.NDArray[Any]:
    whole = np.round(sums)
    return whole.astype(np.int64) if np.array_equal(whole, sums) else sums


def stats_of(
    problem: Problem, assignment: npt.NDArray[np.int32], table: gpd.GeoDataFrame, band: Band
) -> dict[str, Any]:
    """Figures of the plan, from the unit graph: band, compactness, boundary by street class, compounds cut."""
    loads = np.bincount(assignment, problem.households, minlength=len(table))
    ordinary = (table["kind"] == "ordinary").to_numpy()
    inside = (loads >= band.low) & (loads <= band.high)
    graph = problem.graph
    source, target = graph.sources, graph.indices
    cut = assignment[source] != assignment[target]
    metres = graph.by_class[cut].sum(axis=0, dtype=np.float64) / 2.0
    crossed = ~cut & (graph.street < MAJOR_CLASSES)
    compound = problem.compound
    populated = (compound >= 0) & (problem.households > 0)
    totals = np.bincount(compound[populated], problem.households[populated], minlength=len(problem.compound_names))
    pairs = np.unique(np.stack([compound[populated], assignment[populated]], axis=1), axis=0)
    spread = np.bincount(pairs[:, 0], minlength=len(problem.compound_names))
    fitting = (totals > 0) & (totals <= band.high)
    length = max(float(metres.sum()), 1e-9)
    return {
        "units": len(assignment),
        "grids": len(table),
        "ordinary_grids": int(ordinary.sum()),
        "special_grids": int((~ordinary).sum()),
        "households": float(problem.households.sum()),
        "in_band": float(inside[ordinary].mean()) if ordinary.any() else 1.0,
        "households_outside_band": float(
            (np.maximum(band.low - loads, 0) + np.maximum(loads - band.high, 0))[ordinary].sum()
        ),
        "compactness_mean": float(table["compactness"].mean()),
        "boundary_metres": float(metres.sum()),
        "boundary_by_class": dict(zip(CLASSES, np.round(metres, 1).tolist(), strict=True)),
        "boundary_on_streets": float(metres[: NO_STREET - 1].sum() / length),
        "compounds_fitting": int(fitting.sum()),
        "compounds_split": int((fitting & (spread > 1)).sum()),
        "grids_crossing_major": len(np.unique(assignment[source[crossed]])),
    }
