"""Cases for the partition benchmarks, and the one judge every plan is held against, ours or a peer's.

The city is made here: a jittered lattice of blocks, streets of four classes, a river, walled compounds, towers,
old lanes and parks.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pymetis
import shapely

from gisgrid.models import Band
from planning.graph import UnitGraph
from planning.partition.cells import components

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("GISGRID_SHARED_DATA", ROOT.parent / "shared" / "data"))

Floats = npt.NDArray[np.float64]
CRS = "EPSG:4547"
CELL = 34.0


def made_city(units: int = 20_000, seed: int = 0) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """About `units` units (an exactly noded coverage) and their streets, in a metric CRS."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(units / 9.0)))
    per_column, per_row = rng.integers(2, 5, side), rng.integers(2, 5, side)
    x, column = _fine_axis(per_column)
    y, row = _fine_axis(per_row)
    corner = rng.normal(0.0, 11.0, (2, side + 1, side + 1))
    px, py = _positions(x, y, corner)
    unit_column, unit_row = (part.ravel() for part in np.meshgrid(column, row))
    i, j = (part.ravel() for part in np.meshgrid(np.arange(len(column)), np.arange(len(row))))
    ring = np.stack([_at(px, py, i + a, j + b) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))], axis=1)
    block = unit_row * side + unit_column
    kind = rng.choice(5, side * side, p=[0.34, 0.34, 0.14, 0.11, 0.07])[block]
    compound = np.where(kind == 4, -1 - np.arange(len(block)), block)
    low, high = np.array([4, 8, 40, 0, 0])[kind], np.array([18, 34, 120, 12, 1])[kind]
    households = rng.integers(low, np.maximum(high, low + 1))
    # towers stand apart: most cells of a tower compound are green
    households = np.where((kind == 2) & (rng.random(len(kind)) < 0.5), 0, households)
    table = gpd.GeoDataFrame(
        {
            "unit_id": np.arange(len(block)).astype(str),
            "households": households,
            "compound_id": compound.astype(str),
            "kind": np.array(["walkup", "oldtown", "highrise", "commercial", "park"], dtype=object)[kind],
        },
        geometry=shapely.polygons(ring),
        crs=CRS,
    )
    return table, _streets(px, py, per_column, per_row, side)


def _fine_axis(parts: npt.NDArray[np.int64]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Positions along one axis in block units, and the block of every interval."""
    block = np.repeat(np.arange(len(parts)), parts)
    within = np.concatenate([np.arange(count) for count in parts]) / np.repeat(parts, parts)
    return np.append(block + within, float(len(parts))), block


def _positions(x: Floats, y: Floats, corner: npt.NDArray[np.float64]) -> tuple[Floats, Floats]:
    """Fine lattice points: block corners are jittered, points between them interpolated."""
    side = corner.shape[1] - 1
    gx, gy = np.meshgrid(x, y)
    cx, cy = np.minimum(gx.astype(int), side - 1), np.minimum(gy.astype(int), side - 1)
    fx, fy = gx - cx, gy - cy
    shift = (
        corner[:, cy, cx] * (1 - fx) * (1 - fy) + corner[:, cy, cx + 1] * fx * (1 - fy)
        + corner[:, cy + 1, cx] * (1 - fx) * fy + corner[:, cy + 1, cx + 1] * fx * fy
    )  # fmt: skip
    pitch = CELL * 3.0
    wave = 60.0 * np.sin(gy / 9.0), 60.0 * np.sin(gx / 11.0)
    px: Floats = np.round(500_000.0 + pitch * gx + wave[0] + shift[0], 3)
    py: Floats = np.round(4_400_000.0 + pitch * gy + wave[1] + shift[1], 3)
    return px, py


def _at(px: Floats, py: Floats, i: Any, j: Any) -> Floats:
    return np.stack([px[j, i], py[j, i]], axis=-1)


def _streets(
    px: Floats, py: Floats, per_column: npt.NDArray[np.int64], per_row: npt.NDArray[np.int64], side: int
) -> gpd.GeoDataFrame:
    lines, classes = [], []
    river = side // 2 + 1
    for axis, parts in ((0, per_column), (1, per_row)):
        starts = np.concatenate([[0], np.cumsum(parts)])
        for line, start in enumerate(starts.tolist()):
            cls = next(
                (name for step, name in ((16, "primary"), (8, "secondary"), (4, "tertiary"), (2, "residential"))
                 if line % step == 0),
                "residential" if line % 3 else "wall",
            )  # fmt: skip
            if axis == 1 and line == river:
                cls = "river"
            points = (px[:, start], py[:, start]) if axis == 0 else (px[start], py[start])
            lines.append(shapely.linestrings(np.stack(points, axis=1)))
            classes.append(cls)
    return gpd.GeoDataFrame({"cls": classes}, geometry=lines, crs=CRS)


def metis_alone(graph: UnitGraph, households: Floats, k: int, seed: int) -> npt.NDArray[np.int64]:
    """What METIS gives by itself: contiguous k-way, street classes as edge weights, the best of 20 cuts.

    Loads may be a fifth off, which keeps them in band; a narrower tolerance costs METIS compactness and streets.
    """
    cost = np.array([0.02, 0.05, 0.1, 0.2, 0.3, 0.7, 1.0])
    edge = 1 + np.round(10.0 * graph.by_class @ cost).astype(np.int64)
    _, parts = pymetis.part_graph(
        k, pymetis.CSRAdjacency(graph.indptr, graph.indices), vweights=(1 + 10 * households).astype(int).tolist(),
        eweights=edge.tolist(), recursive=False, options=pymetis.Options(seed=seed, contig=1, ufactor=200, ncuts=20),
    )  # fmt: skip
    return np.asarray(parts, dtype=np.int64)


def figures(
    graph: UnitGraph, units: gpd.GeoDataFrame, label: npt.NDArray[np.integer[Any]], band: Band
) -> dict[str, float]:
    """In band, broken, compactness, boundary on streets, fitting compounds split, grids crossing rivers and main roads.

    ``broken`` counts grids that are not connected over shared border; ``split`` is a share of the compounds that fit in
    one grid, ``crossing`` one of all grids. Grids without households (parks alone) are not held to the band.
    """
    k = int(label.max()) + 1
    source, target = graph.sources, graph.indices
    same = label[source] == label[target]
    h = units["households"].to_numpy(float)
    loads = np.bincount(label, h, minlength=k)
    area = np.bincount(label, graph.area, minlength=k)
    perimeter = np.bincount(label, graph.perimeter, minlength=k)
    perimeter -= np.bincount(label[source[same]], graph.border[same], minlength=k)
    metres = graph.by_class[~same].sum(axis=0)
    lived = h > 0
    compound = units["compound_id"].to_numpy()[lived]
    totals = units[lived].groupby("compound_id")["households"].sum()
    spread = pd.DataFrame({"c": compound, "g": label[lived]}).groupby("c")["g"].nunique()
    fits = totals <= band.high
    ordinary = loads > 0
    return {
        "grids": k,
        "in_band": float(((loads >= band.low) & (loads <= band.high))[ordinary].mean()),
        "broken": len(np.unique(components(graph, same))) - k,
        "compactness": float((4 * np.pi * area / perimeter**2)[area > 0].mean()),
        "on_streets": float(metres[:5].sum() / metres.sum()),
        "split": float((spread[fits] > 1).mean()),
        "crossing": len(np.unique(label[source[same & (graph.street < 3)]])) / k,
    }


def plan_m() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame] | None:
    """The made neighbourhood of 2,433 units among the shared data; None where that is absent."""
    path = SHARED / "plan_M.gpkg"
    if not path.exists():
        return None
    return gpd.read_file(path, layer="units"), gpd.read_file(path, layer="roads")


def case(name: str, seed: int = 0) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame] | None:
    """``plan_M`` or a made city of about that many units."""
    return plan_m() if name == "plan_M" else made_city(int(name), seed)


def peak_mb() -> float:
    """Highest memory of this process so far."""
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def cpu_seconds() -> float:
    """Processor time of this process so far: unlike the clock, little changed by what else runs."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return float(used.ru_utime + used.ru_stime)


def in_own_process(script: str, arguments: Sequence[str], seconds: float | None = None) -> dict[str, Any] | None:
    """The JSON line that a script of this folder prints last; None when it is not done in time (then it is killed)."""
    folder = Path(__file__).resolve().parent
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
    begun = time.perf_counter()
    try:
        answer = subprocess.run(
            [sys.executable, str(folder / script), *arguments], capture_output=True, text=True, timeout=seconds,
            env=environment,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None
    if answer.returncode:
        return {"error": (answer.stderr.strip().splitlines() or ["no message"])[-1]}
    found: dict[str, Any] = json.loads(answer.stdout.strip().splitlines()[-1])
    return found | {"process_seconds": round(time.perf_counter() - begun, 1)}


COLUMNS = ("grids", "in_band", "broken", "compactness", "on_streets", "split", "crossing")


def row(name: str, values: dict[str, Any]) -> str:
    """One line of the table."""
    shown = "".join(
        f"{values[key]:>12.0f}" if key in ("grids", "broken") else f"{values[key]:>12.3f}" for key in COLUMNS
    )
    return f"{name:24s}{values['seconds']:>9.1f}{values['cpu']:>8.1f}{values['memory']:>8.0f}{shown}"


def heading(title: str) -> str:
    """The line above the rows."""
    return f"{title:24s}{'seconds':>9s}{'CPU s':>8s}{'MB':>8s}" + "".join(f"{key:>12s}" for key in COLUMNS)
