"""The figures of a plan, per level and per grid: all that `gisgrid check` finds, every measure of `gisgrid.metrics`.

Two plans are compared by the same figures, whoever made them: a grid layer is enough; units make them exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gisgrid.cleaning import clean
from gisgrid.coverage import CoverageReport, check, row_names
from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from gisgrid.metrics import balance, compactness, compounds_split, segments
from gisgrid.models import Band
from gisgrid.nesting import finest_column
from planning.graph import (
    CLASSES,
    MAJOR_CLASSES,
    NO_STREET,
    UnitGraph,
    graph_of,
    street_classes,
    to_metric_like,
    unit_graph,
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ORDINARY_KINDS: Final = ("ordinary", "residential", "")
"""Kinds of grids the band applies to (the same as `gisgrid.coverage.check`); all others are special."""
CROSSING_METRES: Final = 20.0
"""Where only grids are known, so many metres of river or main road inside a grid make it crossed …"""
CROSSING_OFF: Final = 10.0
"""… counted farther than this from the grid's limits: a wide road's second carriageway is its limit too."""
QUANTILES: Final = (0.1, 0.25, 0.5, 0.75, 0.9)


class _Level(NamedTuple):
    """One level ready to be measured: metric rows, names, numbers per grid and the grid row of each unit (or None)."""

    level: int
    grids: gpd.GeoDataFrame
    names: npt.NDArray[np.object_]
    ordinary: npt.NDArray[np.bool_]
    households: Floats | None
    population: Floats | None
    owner: Ints | None


def figures(
    grids: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame | None = None,
    streets: gpd.GeoDataFrame | None = None,
    *,
    area: gpd.GeoDataFrame | None = None,
    band: Band | Mapping[int, Band],
    made_of_units: bool = True,
    graph: UnitGraph | None = None,
) -> dict[str, Any]:
    """JSON-ready figures of a plan: ``overall``, one entry of ``levels`` per level, ``grids`` per grid, ``check``.

    grids: polygons, any CRS; ``code``, ``level``, ``parent``, ``community``, ``kind``, ``households``, ``population``
    are used when there. units: polygons with ``grid`` (code of the finest grid they are in, unless ``grid_2`` … are
    there as `gisgrid plan` writes them; coarser levels follow ``parent``), their ``households`` and ``population`` win
    over the grids' columns; ``compound_id`` for compounds.
    streets: lines with ``cls`` or ``highway``. area: see `gisgrid.coverage.check`. band: one, or one per level.
    made_of_units: False for units of another plan, which carry numbers but not these grids' limits. graph: `unit_graph`
    of units and streets where it is at hand already.

    What cannot be told from the input is None: households without any column, boundaries on streets without
    streets, compounds without units. River or main road inside grids (``grids_crossing_major``) is read from the
    units' common borders, else from the lines. ``overall`` counts grids over all levels; its boundary, compounds and
    crossings are those of the finest level. Lengths in metres, areas in m². Raises BadInput as `check` and
    `unit_graph` do; a layer with gaps or overlaps is measured all the same (borders on a cleaned copy).
    """
    if not len(grids):
        raise BadInput("the grid layer is empty: nothing to measure")
    metric = to_metric(grids).reset_index(drop=True)
    cells = None if units is None else to_metric(units, metric.crs).reset_index(drop=True)
    if cells is not None:
        if "grid" not in cells:
            raise BadInput("the unit layer has no column grid; give the units layer that gisgrid plan wrote")
        cells["grid"] = cells[finest_column(cells, metric)]
    lines = None if streets is None or not len(streets) else to_metric_like(streets, metric)
    unit_borders = graph if cells is None or lines is None or graph is not None else unit_borders_of(cells, lines)
    found = _levels(metric, cells)
    summaries, tables, reports = [], [], []
    for level in found:
        limits = band if isinstance(band, Band) else band.get(level.level)
        report = _checked(level, cells if made_of_units and level is found[-1] else None, area, limits)
        summary, table = _measured(level, cells, lines, unit_borders, report, limits)
        summaries.append(summary)
        tables.append(table)
        reports.append(report)
    return {
        "band": str(band) if isinstance(band, Band) else {str(level): str(b) for level, b in sorted(band.items())},
        "overall": _overall(summaries, tables),
        "levels": summaries,
        "check": _merged(reports),
        "grids": [row for table in tables for row in table],
    }


# --- reading the layers -----------------------------------------------------------------


def _levels(metric: gpd.GeoDataFrame, units: gpd.GeoDataFrame | None) -> list[_Level]:
    level = metric["level"].fillna(1).astype(int) if "level" in metric else pd.Series(1, index=metric.index)
    names = row_names(metric)
    numbers = sorted(set(level.tolist()))
    owner = None if units is None else units["grid"].astype(object).where(units["grid"].notna(), "").astype(str)
    parent = _parents(metric, names)
    found: list[_Level] = []
    for number in reversed(numbers):
        rows = np.flatnonzero(level == number)
        of_level = metric.iloc[rows].reset_index(drop=True)
        row_of = {name: row for row, name in enumerate(names[rows])}
        held = None
        if owner is not None:
            held = owner.map({code: _climbed(code, row_of, parent) for code in owner.unique()}).to_numpy(np.int64)
        kind = of_level["kind"].fillna("") if "kind" in of_level else pd.Series("", index=of_level.index)
        found.append(
            _Level(
                number, of_level, names[rows], kind.isin(ORDINARY_KINDS).to_numpy(),
                _sums("households", of_level, units, held), _sums("population", of_level, units, held), held,
            )
        )  # fmt: skip
    return found[::-1]


def _climbed(code: str, row_of: Mapping[str, int], parent: Mapping[str, str]) -> int:
    """Row of the grid of this level that holds the grid a unit names, its finest; −1 for none."""
    for _ in range(len(parent) + 1):
        if code in row_of or code not in parent:
            break
        code = parent[code]
    return row_of.get(code, -1)


def at_level(codes: npt.ArrayLike, grids: gpd.GeoDataFrame, level: int) -> npt.NDArray[np.object_]:
    """Code of the grid of `level` that holds the grid each code names, "" where there is none, object (n,)."""
    names = row_names(grids)
    known = grids["level"].fillna(1).astype(int) if "level" in grids else pd.Series(1, index=grids.index)
    there = names[(known == level).to_numpy()]
    row_of = {name: row for row, name in enumerate(there)}
    parent = _parents(grids, names)
    wanted = pd.Series(np.asarray(codes, dtype=object))
    above = {code: _climbed(str(code), row_of, parent) for code in wanted.unique()}
    return np.asarray(wanted.map({code: there[row] if row >= 0 else "" for code, row in above.items()}), dtype=object)


def _parents(metric: gpd.GeoDataFrame, names: npt.NDArray[np.object_]) -> dict[str, str]:
    if "parent" not in metric:
        return {}
    known = metric["parent"].notna().to_numpy()
    return dict(zip(names[known], metric["parent"][known].astype(str), strict=True))


def _sums(column: str, grids: gpd.GeoDataFrame, units: gpd.GeoDataFrame | None, owner: Ints | None) -> Floats | None:
    """Number of each grid, summed from its units or else as its column says; None when neither does."""
    if units is not None and owner is not None and column in units and (owner >= 0).any():
        weight = pd.to_numeric(units[column], errors="coerce").fillna(0).to_numpy(float)
        sums: Floats = np.bincount(owner[owner >= 0], weight[owner >= 0], minlength=len(grids)).astype(np.float64)
        return sums
    if column in grids:
        return np.asarray(pd.to_numeric(grids[column], errors="coerce").fillna(0), dtype=np.float64)
    return None


def unit_borders_of(units: gpd.GeoDataFrame, streets: gpd.GeoDataFrame | None) -> UnitGraph | None:
    """Borders of the units with their street class; None for units that are no coverage."""
    try:
        return unit_graph(units, streets)
    except BadInput:
        return None


# --- measuring a level ------------------------------------------------------------------


def _checked(
    level: _Level, units: gpd.GeoDataFrame | None, area: gpd.GeoDataFrame | None, band: Band | None
) -> CoverageReport:
    counted = level.grids if level.households is None else level.grids.assign(households=level.households)
    return check(counted, area, units=units, band=band)


def _measured(
    level: _Level, units: gpd.GeoDataFrame | None, lines: gpd.GeoDataFrame | None, unit_borders: UnitGraph | None,
    report: CoverageReport, band: Band | None,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:  # fmt: skip
    """Summary of a level and a row for each of its grids."""
    borders = _borders(level.grids, lines)
    shape = np.nan_to_num(compactness(level.grids.geometry))
    inside = _major_metres(level, lines, unit_borders)
    crossed = None if inside is None else inside > (0.0 if unit_borders is not None else CROSSING_METRES)
    kinds = [problem.kind for problem in report.problems]
    summary: dict[str, Any] = {
        "level": level.level,
        "grids": len(level.grids),
        "ordinary_grids": int(level.ordinary.sum()),
        "special_grids": int((~level.ordinary).sum()),
        "households": _number(level.households),
        "population": _number(level.population),
        **_band_figures(level, band),
        "compactness_mean": round(float(shape.mean()), 6),
        "compactness_min": round(float(shape.min()), 6),
        "compactness_quantiles": dict(
            zip(map(str, QUANTILES), np.quantile(shape, QUANTILES).round(4).tolist(), strict=True)
        ),
        **_boundary_figures(borders, lines is not None),
        **_compound_figures(level, units, band),
        "grids_crossing_major": None if crossed is None else int(crossed.sum()),
        "major_metres_inside": None if inside is None else round(float(inside.sum()), 1),
        "gap_m2": round(report.gap_m2, 2),
        "overlap_m2": round(report.overlap_m2, 2),
        "broken": kinds.count("noncontiguous"),
        "slivers": kinds.count("sliver"),
        "problems": len(kinds),
    }
    return summary, _rows(level, shape, borders, lines is not None, inside, report, band)


def _borders(grids: gpd.GeoDataFrame, lines: gpd.GeoDataFrame | None) -> tuple[Floats, Floats]:
    """Metres of internal boundary by class of each grid, (n, 7), and over the level, (7,); a cleaned copy where needed.

    Borders are matched by equal segments, which a layer drawn by hand or kept in degrees does not have.
    """
    count = len(grids)
    shapes, rows = grids.geometry.to_numpy(), np.arange(count)
    polygon = ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes) & shapely.is_valid(shapes)
    if not polygon.all() or not shapely.coverage_is_valid(shapes):
        tidy = clean(grids[["geometry"]].assign(code=[f"{row:09d}" for row in rows]))
        shapes, rows = tidy.geometry.to_numpy(), tidy["code"].astype(int).to_numpy()
    graph = graph_of(shapes, lines)
    each = np.zeros((count, NO_STREET + 1))
    np.add.at(each, rows[graph.sources], graph.by_class.astype(np.float64))
    return each, each.sum(axis=0) / 2


def _major_metres(level: _Level, lines: gpd.GeoDataFrame | None, unit_borders: UnitGraph | None) -> Floats | None:
    """Metres of river and main road inside each grid, between its units or else along the lines."""
    if lines is None:
        return None
    inside = np.zeros(len(level.grids))
    if unit_borders is not None and level.owner is not None:
        one, two = level.owner[unit_borders.sources], level.owner[unit_borders.indices]
        within = (one == two) & (one >= 0) & (unit_borders.street < MAJOR_CLASSES)
        metres = unit_borders.by_class[:, :MAJOR_CLASSES].sum(axis=1, dtype=np.float64)
        np.add.at(inside, one[within], metres[within] / 2)
        return inside
    major = lines.geometry[street_classes(lines) < MAJOR_CLASSES]
    pieces = segments(shapely.segmentize(shapely.force_2d(major.to_numpy()), 2 * CROSSING_OFF)) if len(major) else major
    if not len(pieces):
        return inside
    shapes = level.grids.geometry.to_numpy()
    middles = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    at, grid = shapely.STRtree(shapes).query(middles, predicate="within")
    far = shapely.distance(middles[at], shapely.boundary(shapes)[grid]) > CROSSING_OFF
    np.add.at(inside, grid[far], shapely.length(pieces[at[far]]))
    return inside


def _band_figures(level: _Level, band: Band | None) -> dict[str, Any]:
    """Band and balance over ordinary grids; None without households or a band."""
    keys = ("in_band", "in_band_grids", "judged_grids", "households_outside_band", "balance")
    if level.households is None or band is None:
        return dict.fromkeys(keys)
    loads = level.households[level.ordinary]
    even = balance(loads, band)
    inside = int(((loads >= band.low) & (loads <= band.high)).sum())
    spread = {
        "mean": round(even.mean, 2), "least": _number(even.least), "most": _number(even.most),
        "mean_deviation": round(even.mean_deviation, 4), "max_deviation": round(even.max_deviation, 4),
    }  # fmt: skip
    return dict(zip(keys, (even.in_band, inside, len(loads), _number(even.outside_band), spread), strict=True))


def _boundary_figures(borders: tuple[Floats, Floats], with_streets: bool) -> dict[str, Any]:
    metres = borders[1]
    length = float(metres.sum())
    by_class = dict(zip(CLASSES, metres.round(1).tolist(), strict=True))
    # walls are seen on the ground but are no street: the share counts classes above them
    share = float(metres[: NO_STREET - 1].sum()) / length if length else 1.0
    return {
        "boundary_metres": round(length, 1),
        "boundary_by_class": by_class if with_streets else None,
        "boundary_on_streets": round(share, 6) if with_streets else None,
    }


def _compound_figures(level: _Level, units: gpd.GeoDataFrame | None, band: Band | None) -> dict[str, Any]:
    keys = ("compounds_fitting", "compounds_split")
    wanted = {"compound_id", "households"}
    if units is None or level.owner is None or band is None or not wanted <= set(units.columns):
        return dict.fromkeys(keys)
    weight = pd.to_numeric(units["households"], errors="coerce").fillna(0).to_numpy(float)
    split = compounds_split(units["compound_id"], level.owner, weight, band.high)
    return dict(zip(keys, (split.fitting, split.split), strict=True))


def _rows(
    level: _Level, shape: Floats, borders: tuple[Floats, Floats], with_streets: bool, inside: Floats | None,
    report: CoverageReport, band: Band | None,
) -> list[dict[str, Any]]:  # fmt: skip
    problems: dict[str, list[str]] = {}
    for problem in report.problems:
        problems.setdefault(problem.code, []).append(problem.kind)
    metres = borders[0].sum(axis=1)
    on = borders[0][:, : NO_STREET - 1].sum(axis=1)
    loads = level.households
    mean = float(loads[level.ordinary].mean()) if loads is not None and level.ordinary.any() else 0.0
    columns = {name: _texts(level.grids, name) for name in ("name", "parent", "community", "kind")}
    table = []
    for row, name in enumerate(level.names.tolist()):
        judged = loads is not None and band is not None and bool(level.ordinary[row])
        load = 0.0 if loads is None else float(loads[row])
        table.append({
            "code": name,
            "level": level.level,
            **{column: texts[row] for column, texts in columns.items()},
            "special": not level.ordinary[row],
            "households": _number(load) if loads is not None else None,
            "population": _number(float(level.population[row])) if level.population is not None else None,
            "in_band": band.contains(load) if judged and band is not None else None,
            "outside_band": _number(_outside(load, band)) if judged and band is not None else None,
            "deviation": round((load - mean) / mean, 4) if judged and mean > 0 else None,
            "compactness": round(float(shape[row]), 4),
            "boundary_metres": round(float(metres[row]), 1),
            "boundary_on_streets": round(float(on[row] / metres[row]), 4) if with_streets and metres[row] > 0 else None,
            "major_metres_inside": None if inside is None else round(float(inside[row]), 1),
            "problems": sorted(set(problems.get(name, []))),
        })  # fmt: skip
    return table


def _outside(load: float, band: Band) -> float:
    """Households above the band, negative when below, 0 inside."""
    return min(load - band.low, 0.0) + max(load - band.high, 0.0)


def _texts(grids: gpd.GeoDataFrame, column: str) -> list[str | None]:
    if column not in grids:
        return [None] * len(grids)
    return [None if pd.isna(value) else str(value) for value in grids[column]]


def _number(value: Any) -> Any:
    """A sum or a number as int where it is whole; None stays."""
    if value is None:
        return None
    total = float(np.sum(value))
    return int(total) if total.is_integer() else round(total, 3)


# --- over all levels --------------------------------------------------------------------


def _overall(levels: list[dict[str, Any]], tables: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """The finest level's figures, with everything that is counted per grid taken over all levels."""
    if len(levels) == 1:
        return {key: value for key, value in levels[0].items() if key != "level"}
    rows = [row for table in tables for row in table]
    judged = [row["in_band"] for row in rows if row["in_band"] is not None]
    shape = np.array([row["compactness"] for row in rows])
    summed = ("grids", "ordinary_grids", "special_grids", "gap_m2", "overlap_m2", "broken", "slivers", "problems")
    return {key: value for key, value in levels[-1].items() if key != "level"} | {
        **{key: sum(level[key] for level in levels) for key in summed},
        "households": levels[0]["households"],
        "population": levels[0]["population"],
        "in_band": float(np.mean(judged)) if judged else None,
        "in_band_grids": int(sum(judged)) if judged else None,
        "judged_grids": len(judged),
        "households_outside_band": _number(sum(abs(row["outside_band"] or 0) for row in rows)) if judged else None,
        "balance": None,
        "compactness_mean": round(float(shape.mean()), 6),
        "compactness_min": round(float(shape.min()), 6),
        "compactness_quantiles": dict(
            zip(map(str, QUANTILES), np.quantile(shape, QUANTILES).round(4).tolist(), strict=True)
        ),
    }


def _merged(reports: list[CoverageReport]) -> dict[str, Any]:
    """`CoverageReport.as_dict` over all levels."""
    parts = [report.as_dict() for report in reports]
    kinds = sorted(problem["kind"] for part in parts for problem in part["problems"])
    return {
        "ok": all(part["ok"] for part in parts),
        "grids": sum(part["grids"] for part in parts),
        "gap_m2": round(sum(part["gap_m2"] for part in parts), 4),
        "overlap_m2": round(sum(part["overlap_m2"] for part in parts), 4),
        "counts": {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)},
        "problems": [problem for part in parts for problem in part["problems"]],
        "notes": [note for part in parts for note in part["notes"]],
    }
