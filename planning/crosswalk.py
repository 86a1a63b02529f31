"""Which comprehensive grid falls in which professional grid, with which share of its ground and people.

A professional system (police, fire, sanitation …) divides the same ground again. Where each grid lies wholly in one
professional grid the two are fused: a report of the grid has one answer in that system. The crosswalk says where that
holds, and by how much where it does not.
"""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from gisgrid.overlay import Geometries, largest_part, overlaps, sound_polygons, uncovered

SLIVER_M2: Final = 1.0
SLIVER_SHARE: Final = 0.001
"""A part smaller than either is a sliver of two drawings of one border; it gets no row unless people live in it."""
WHOLE_SHARE: Final = 0.999
"""From this share of its ground on a grid counts as lying wholly in a professional grid."""
WEIGHTS: Final = ("households", "population")


def crosswalk(
    grids: gpd.GeoDataFrame,
    professional: gpd.GeoDataFrame,
    *,
    units: gpd.GeoDataFrame | None = None,
    level: int = 1,
) -> gpd.GeoDataFrame:
    """One row per grid, system and professional grid that share ground.

    grids: polygons with a unique ``code``; with a ``level`` column only those of ``level``. professional: polygons with
    ``code`` and ``system`` (one unnamed system where that is missing), codes unique in a system. units: polygons or
    points with ``households`` and maybe ``population``; a ``grid`` column says whose they are, others belong to the
    grid their largest part lies in. Any CRS; the first layer's metric one is used.

    Columns: ``grid``, ``grid_name``, ``system``, ``professional`` (null: what no professional grid covers),
    ``professional_name``, ``area_m2``, ``area_share`` of the grid; with units ``households``, ``household_share`` (null
    where nobody lives) and the same for ``population`` when the units have it: each unit counts where its largest part
    lies. ``main``: the one professional grid with most of the grid's households (most ground where nobody lives; the
    smallest code of equals). ``whole``: the share is at least `WHOLE_SHARE`. ``sliver_m2`` on the main row: ground in
    slivers without people that got no row. ``geometry``: the common ground. Shares of a grid and system add up to 1,
    slivers aside, unless professional grids overlap. Rows are sorted by grid and system, the largest share first.

    Raises BadInput for an empty layer, a missing or repeated code, a unit whose grid is not there, or bad counts.
    """
    cells = _of_level(grids, level)
    codes = _codes(cells, "grid")
    metric = to_metric(cells)
    shapes = sound_polygons(metric.geometry)
    others = _professional(professional, metric)
    people = _people(units, metric, codes, shapes)
    frames = []
    for system in sorted(others["system"].unique()):
        layer = others[others["system"] == system].sort_values("code", ignore_index=True)
        found = _of_system(shapes, sound_polygons(layer.geometry), people, layer)
        frames.append(found.assign(system=system))
    rows = pd.concat(frames, ignore_index=True)
    rows["grid"], rows["grid_name"] = codes[rows["row"]], _names(cells)[rows["row"]]
    rows = rows.sort_values(
        ["grid", "system", "area_share", "professional"], ascending=[True, True, False, True], kind="stable",
        ignore_index=True,
    )  # fmt: skip
    for weight in WEIGHTS:
        if weight in rows:
            rows[weight] = _whole(rows[weight])
    weighed = [name for weight in WEIGHTS if weight in rows for name in (weight, _share_name(weight))]
    columns = ["grid", "grid_name", "system", "professional", "professional_name", "area_m2", "area_share", *weighed]
    frame = rows[[*columns, "main", "whole", "sliver_m2", "geometry"]]
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=metric.crs)


def summary(rows: pd.DataFrame) -> dict[str, Any]:
    """Figures of a `crosswalk`, JSON-ready.

    ``systems``: per system the number of grids, how many lie wholly in one professional grid and their share, the share
    of households that live in those (when there are households), grids outside every professional grid, uncovered and
    sliver m², and ``conflicts``: grids split over several professional grids, with the parts, most people first.
    """
    systems = [_system_summary(str(name), part) for name, part in rows.groupby("system", sort=True)]
    return {"grids": int(rows["grid"].nunique()), "systems": systems}


def _system_summary(name: str, rows: pd.DataFrame) -> dict[str, Any]:
    inside = rows[rows["professional"].notna()]
    grids = int(rows["grid"].nunique())
    whole = rows.loc[rows["whole"], "grid"].unique()
    parts = inside.groupby("grid")["professional"].transform("size")
    split = inside[(parts > 1).to_numpy() & ~inside["grid"].isin(whole).to_numpy()]
    found: dict[str, Any] = {
        "system": name,
        "grids": grids,
        "professional_grids": int(inside["professional"].nunique()),
        "whole": len(whole),
        "whole_share": round(len(whole) / grids, 6),
    }
    if "households" in rows:
        total = float(rows["households"].sum())
        nested = float(rows.loc[rows["grid"].isin(whole), "households"].sum())
        found["households"] = int(total) if total.is_integer() else total
        found["whole_household_share"] = round(nested / total, 6) if total else None
    found |= {
        "uncovered_grids": grids - int(inside["grid"].nunique()),
        "uncovered_m2": round(float(rows.loc[rows["professional"].isna(), "area_m2"].sum()), 2),
        "sliver_m2": round(float(rows["sliver_m2"].sum()), 2),
        "conflicts": [_conflict(str(code), part) for code, part in split.groupby("grid", sort=True)],
    }
    return found


def _conflict(code: str, parts: pd.DataFrame) -> dict[str, Any]:
    shares = [name for name in ("household_share", "area_share") if name in parts]
    ordered = parts.sort_values([*shares, "professional"], ascending=[*[False] * len(shares), True], kind="stable")
    lines = [
        {
            "professional": str(line["professional"]),
            **{name: None if pd.isna(line[name]) else round(float(line[name]), 4) for name in reversed(shares)},
        }
        for line in ordered.to_dict("records")
    ]
    return {"grid": code, "parts": lines}


# --- one system -------------------------------------------------------------------------


def _of_system(
    shapes: Geometries, layer: Geometries, people: pd.DataFrame | None, about: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Rows of one system: ``row`` of the grid, ``at`` of the professional grid (−1: none), and what is told of them."""
    found = overlaps(shapes, layer)
    missing = uncovered(shapes, found)
    loose = np.flatnonzero(missing > 0)
    rows = pd.DataFrame(
        {
            "row": np.concatenate([found.row, loose]),
            "at": np.concatenate([found.at, np.full(len(loose), -1)]),
            "area_m2": np.concatenate([found.m2, missing[loose]]),
        }
    )
    rows["geometry"] = np.concatenate([found.piece, np.full(len(loose), None, object)])
    weights: list[str] = []
    if people is not None:
        rows, weights = _peopled(rows, people, layer)
    area = shapely.area(shapes)
    rows["area_share"] = rows["area_m2"] / np.where(area > 0, area, 1.0)[rows["row"]]
    rows = _without_slivers(rows, weights)
    for weight in weights:
        total = rows.groupby("row")[weight].transform("sum")
        rows[_share_name(weight)] = rows[weight] / total.where(total > 0)
    names = np.array([*about["name"], ""], dtype=object)
    codes = np.array([*about["code"], None], dtype=object)
    rows["professional"] = codes[rows["at"]]
    rows["professional_name"] = names[rows["at"]]
    rows["whole"] = (rows["area_share"] >= WHOLE_SHARE) & (rows["at"] >= 0)
    rows["main"] = _main(rows)
    rows["sliver_m2"] = np.where(_tells(rows), rows["sliver_m2"], 0.0)
    _draw_missing(rows, shapes, layer)
    return rows


def _peopled(rows: pd.DataFrame, people: pd.DataFrame, layer: Geometries) -> tuple[pd.DataFrame, list[str]]:
    """Rows with the counts of the units that lie there; a place where units lie has a row whatever its ground."""
    weights = [weight for weight in WEIGHTS if weight in people]
    placed = people.assign(at=largest_part(people["geometry"].to_numpy(object), layer))
    sums = placed.groupby(["row", "at"], sort=True, as_index=False)[weights].sum()
    sums = sums[sums[weights].sum(axis=1) > 0]
    joined = rows.merge(sums, on=["row", "at"], how="outer", sort=True)
    fill = dict.fromkeys([*weights, "area_m2"], 0.0)
    return joined.fillna(fill), weights


def _without_slivers(rows: pd.DataFrame, weights: list[str]) -> pd.DataFrame:
    """Rows without slivers, whose m² stand with their grid; the largest part of a grid always stays."""
    small = (rows["area_m2"] < SLIVER_M2) | (rows["area_share"] < SLIVER_SHARE)
    small &= rows[weights].sum(axis=1) == 0
    small &= rows.groupby("row")["area_m2"].rank(method="first", ascending=False) > 1
    lost = rows["area_m2"].where(small, 0.0).groupby(rows["row"]).sum()
    kept = rows[~small].reset_index(drop=True)
    return kept.assign(sliver_m2=kept["row"].map(lost).to_numpy(float))


def _main(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """The professional grid each grid is counted to: by households, by ground where nobody lives; then by code."""
    inside = rows["at"] >= 0
    lived = rows["households"].where(inside, 0.0) if "households" in rows else pd.Series(0.0, index=rows.index)
    most = lived.groupby(rows["row"]).transform("max")
    weight = lived.where(most > 0, rows["area_m2"].round(6))
    order = pd.DataFrame({"row": rows["row"], "out": ~inside, "weight": -weight, "at": rows["at"]})
    order = order.sort_values(["row", "out", "weight", "at"], kind="stable")
    first = np.zeros(len(rows), bool)
    first[order.drop_duplicates("row").index] = True
    return np.asarray(first & inside.to_numpy())


def _tells(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """One row of each grid: the main one, the only one of a grid outside everything."""
    order = rows.assign(last=~rows["main"]).sort_values(["row", "last"], kind="stable")
    first = np.zeros(len(rows), bool)
    first[order.drop_duplicates("row").index] = True
    return first


def _draw_missing(rows: pd.DataFrame, shapes: Geometries, layer: Geometries) -> None:
    """Geometry of what no professional grid covers, in place; other rows without ground stay empty."""
    geometry = rows["geometry"].to_numpy(object).copy()
    tree = shapely.STRtree(layer)
    for number in np.flatnonzero((rows["at"] < 0).to_numpy() & (rows["area_m2"] > 0).to_numpy()).tolist():
        shape = shapes[int(rows["row"].iloc[number])]
        geometry[number] = shapely.difference(shape, shapely.union_all(layer[tree.query(shape)]))
    rows["geometry"] = geometry


# --- input ------------------------------------------------------------------------------


def _of_level(grids: gpd.GeoDataFrame, level: int) -> gpd.GeoDataFrame:
    found = grids
    if "level" in grids:
        found = grids[pd.to_numeric(grids["level"], errors="coerce").fillna(1) == level]
    if found.empty:
        raise BadInput(f"the grid layer has no grid of level {level}: nothing to hold against professional grids")
    return found.reset_index(drop=True)


def _codes(frame: gpd.GeoDataFrame, what: str) -> NDArray[np.object_]:
    if "code" not in frame:
        raise BadInput(f"the layer of {what}s has no column code; give every {what} its code")
    missing = frame["code"].isna().to_numpy() | (frame["code"].astype(str) == "").to_numpy()
    if missing.any():
        raise BadInput(f"{what} in row {int(np.flatnonzero(missing)[0]) + 1} has no code; give every {what} its code")
    codes = frame["code"].astype(str)
    twice = codes[codes.duplicated()]
    if len(twice):
        raise BadInput(f"{what} code {twice.iloc[0]} is used twice; give every {what} its own")
    return np.asarray(codes, dtype=object)


def _names(frame: gpd.GeoDataFrame) -> NDArray[np.object_]:
    if "name" not in frame:
        return np.full(len(frame), "", object)
    return np.asarray(frame["name"].fillna("").astype(str), dtype=object)


def _professional(layer: gpd.GeoDataFrame, metric: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Professional grids with text ``code``, ``name`` and ``system``, in the metric CRS of the grids."""
    if layer.empty:
        raise BadInput("the professional layer is empty: give at least one professional grid")
    system = layer["system"].fillna("").astype(str) if "system" in layer else pd.Series("", index=layer.index)
    codes = np.full(len(layer), None, object)
    for name in sorted(system.unique()):
        mine = (system == name).to_numpy()
        codes[mine] = _codes(layer[mine], f"{name} professional grid".strip())
    moved = to_metric(layer, metric.crs)
    about = {"code": codes, "name": _names(layer), "system": system.to_numpy(object)}
    return gpd.GeoDataFrame(about, geometry=moved.geometry.to_numpy(), crs=metric.crs)


def _people(
    units: gpd.GeoDataFrame | None, metric: gpd.GeoDataFrame, codes: NDArray[np.object_], shapes: Geometries
) -> pd.DataFrame | None:
    """Units that lie in a grid: ``row`` of the grid, counts, geometry. Raises BadInput."""
    if units is None:
        return None
    if "households" not in units:
        raise BadInput("the units layer has no households column; give the households of every unit")
    geometry = sound_polygons(to_metric(units, metric.crs).geometry)
    found: dict[str, Any] = {weight: _counts(units, weight) for weight in WEIGHTS if weight in units}
    row = np.full(len(units), -1, np.int64)
    given = units["grid"].notna().to_numpy() if "grid" in units else np.zeros(len(units), bool)
    if given.any():
        names = units.loc[given, "grid"].astype(str).to_numpy(object)
        row[given] = pd.Index(codes).get_indexer(pd.Index(names))
        lost = given & (row < 0)
        if lost.any():
            number = int(np.flatnonzero(lost)[0])
            raise BadInput(
                f"unit {_unit_name(units, number)} is of grid {units['grid'].iloc[number]}, which is not in the grid "
                f"layer ({int(lost.sum())} such units); give the grids the units were assigned to"
            )
    order = np.argsort(codes.astype(str), kind="stable")
    at = largest_part(geometry[~given], shapes[order])
    row[~given] = np.where(at >= 0, order[at], -1)
    frame = pd.DataFrame({"row": row, **found})
    frame["geometry"] = geometry
    return frame[row >= 0].reset_index(drop=True)


def _counts(units: gpd.GeoDataFrame, column: str) -> NDArray[np.float64]:
    numbers = pd.to_numeric(units[column], errors="coerce").to_numpy(float)
    if column != "households":
        numbers = np.nan_to_num(numbers, nan=0.0)
    wrong = ~np.isfinite(numbers) | (numbers < 0)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        value = units[column].iloc[row]
        raise BadInput(f"unit {_unit_name(units, row)}: {column} is {value}; give a number of at least 0", row=row)
    return np.asarray(numbers)


def _whole(counts: pd.Series[Any]) -> pd.Series[Any]:
    """Counts as whole numbers when all of them are."""
    return counts.astype(np.int64) if (counts % 1 == 0).all() else counts


def _unit_name(units: gpd.GeoDataFrame, row: int) -> str:
    return str(units["unit_id"].iloc[row]) if "unit_id" in units else f"in row {row + 1}"


def _share_name(weight: str) -> str:
    return "household_share" if weight == "households" else f"{weight}_share"
