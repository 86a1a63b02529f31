"""Grids inside grids: 网格 → 微网格 → building → entrance, each level planned inside the one above.

`parse_levels` reads what ``--levels`` says, `partition_levels` plans from coarse to fine: the first level is
`planning.partition.partition` as it stands; every further one divides all grids of the level above in one call of it,
each grid being an area of its own. Special grids have no households to balance and are divided by ground. A level
never changes one above it. Rows, codes and figures of the layer are made in `planning.levels.rows`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from gisgrid.codes import GridScheme
from gisgrid.errors import BadInput
from gisgrid.models import Band, Progress, no_progress
from gisgrid.nesting import grid_column
from planning.levels.atoms import Atoms, atoms_of
from planning.levels.parse import Level, band_about, check_order
from planning.levels.reasons import LevelReason, level_reasons, miscounted
from planning.levels.rows import ORDINARY, LevelRows, buildings_of, entrances_of, joined_layer, level_stats, rows_of
from planning.partition import PlanResult, partition

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SPECIAL_AREA: Final = 40_000.0
"""Square metres a micro-grid of a special grid should have: a block 200 m on a side."""
FIRST_LEVEL: Final = ("keep", "locked", "taken", "limits", "special_kinds", "preview")
"""Options of `partition` that are about the first level alone."""
_ROOMY: Final = GridScheme("children", (6,))
"""Codes of the inner calls are thrown away; they must only not run out."""


@dataclass(frozen=True)
class NestedPlan:
    """A plan of several levels.

    ``grids``: rows of all levels, sorted by level and code: code, name, level (1 …), parent (None on the first),
    community, kind, households, population, compactness, geometry (metric CRS; the grids of a level are a coverage, and
    a grid is exactly the union of its children). ``units``: the finest pieces (the units; where an entrance level was
    made, its strips in place of the units they divide), an exactly noded coverage in the same CRS. ``owners``: row of
    ``grids`` of every piece on every level, int32 (pieces, levels). ``feasible`` when every level holds its band and
    count; else ``reasons`` say why not, coarse levels first. ``stats``: ``levels`` (one dict a level) and totals.
    ``first``: the plan of the first level as `partition` gave it (with what changed against old grids).
    """

    grids: gpd.GeoDataFrame
    units: gpd.GeoDataFrame = field(repr=False)
    owners: npt.NDArray[np.int32] = field(repr=False)
    feasible: bool
    reasons: list[LevelReason]
    stats: dict[str, Any]
    first: PlanResult = field(repr=False)

    def layers(self) -> dict[str, gpd.GeoDataFrame]:
        """What ``--out`` writes: ``grids`` of all levels; ``units`` with the code of their grid on each level in
        ``grid``, ``grid_2``, ``grid_3`` …
        """
        code = self.grids["code"].to_numpy()
        owned = self.units.copy()
        for depth in range(self.owners.shape[1]):
            owned[grid_column(depth + 1)] = code[self.owners[:, depth]]
        return {"grids": self.grids, "units": owned}


# --- planning ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Task:
    """What stays the same from level to level."""

    streets: gpd.GeoDataFrame | None
    options: dict[str, Any]
    special_area: float
    deadline: float | None

    def stop(self, plan: PlanResult | None) -> _Task:
        """The task with no time left where Ctrl-C cut `plan`: levels below get what they start with."""
        return replace(self, deadline=0.0) if plan is not None and plan.stats["interrupted"] else self


def partition_levels(
    units: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None,
    levels: Sequence[Level],
    *,
    finer: gpd.GeoDataFrame | None = None,
    special_area: float = SPECIAL_AREA,
    seed: int = 0,
    time_limit: float | None = None,
    progress: Progress = no_progress,
    first_level: dict[str, Any] | None = None,
    **options: Any,
) -> NestedPlan:
    """Plan every level inside the one above it, coarse to fine.

    `units`, `streets`: as for `partition`; the units must be fine enough for the finest level (one unit per building
    for a level ``building``). `levels`: see `parse_levels`. `finer`: for a level ``entrance``, polygons that divide
    some of the units, with ``unit_id``, ``households`` and ``building_unit`` (unit_id of the unit they are part of).
    `special_area`: square metres of ground a micro-grid of a special grid should have. `time_limit`: seconds for all
    levels together. `options` (preset, weights, effort) go to `partition` on every level, `first_level` (old grids to
    keep, locks, further weights, kinds of special grids …) to that of the first alone.

    Raises BadInput for levels, units, streets or finer pieces that cannot be used. A level that cannot be met gets the
    best plan, `feasible` False and the reasons, each with its level and the parent it is about.
    """
    begun = time.monotonic()
    check_order(levels)
    if not special_area > 0:
        raise BadInput(f"special area {special_area}: give square metres above 0")
    if time_limit is not None and not time_limit >= 0:
        raise BadInput(f"time limit {time_limit}: give seconds of at least 0")
    needs_strips = any(level.kind == "entrance" for level in levels)
    if needs_strips and finer is None:
        raise BadInput("levels: entrance needs the units divided by entrance; give them or leave the level out")
    atoms = atoms_of(units, finer if needs_strips else None)
    deadline = None if time_limit is None else begun + time_limit
    task = _Task(streets, {"seed": seed, **options}, special_area, deadline)
    count = len(levels)

    def inner(depth: int) -> Progress:
        return lambda share, note: progress((depth + share) / count, f"level {depth + 1}: {note}")

    band: Band | None
    first, band = _first(atoms.units, levels[0], task, first_level or {}, count, inner(0))
    task = task.stop(first)
    table = [_first_rows(atoms, first)]
    reasons = _first_reasons(first, levels[0], first_level or {})
    reasons += miscounted(1, levels[0], len(first.grids), reasons)
    stats = [{"level": 1, "kind": "households", **_figures(atoms, table[0], band, first, time.monotonic() - begun)}]
    for depth in range(1, count):
        started = time.monotonic()
        level, above = levels[depth], table[-1]
        made, band, inside, found = _next(atoms, level, depth, above, task, count - depth, inner(depth))
        task = task.stop(inside)
        table.append(made)
        reasons += found
        stats.append(
            {"level": depth + 1, "kind": level.kind, **_figures(atoms, made, band, inside, time.monotonic() - started)}
        )
    grids, owners = joined_layer(table, atoms.pieces.crs)
    cut = any(bool(one.get("cut_by_time")) or bool(one.get("interrupted")) for one in stats)
    totals = {
        "levels": stats,
        "grids": len(grids),
        "households": float(atoms.households.sum()),
        "seconds": round(time.monotonic() - begun, 3),
        "cut_by_time": cut,
    }
    progress(1.0, "done")
    return NestedPlan(grids, atoms.pieces, owners, not reasons, reasons, totals, first)


def split_options(options: dict[str, Any]) -> dict[str, Any]:
    """Options of `partition` as `partition_levels` takes them: old grids, locks, further weights and codes taken are of
    the first level alone.
    """
    first = {name: options[name] for name in FIRST_LEVEL if name in options}
    others = {name: value for name, value in options.items() if name not in (*FIRST_LEVEL, "band", "grids")}
    return {"first_level": first, **others}


def _figures(
    atoms: Atoms, made: LevelRows, band: Band | None, plan: PlanResult | None, seconds: float
) -> dict[str, Any]:
    found = level_stats(atoms, made, band)
    if plan is not None:
        for name in ("boundary_on_streets", "compounds_split", "cut_by_time", "interrupted"):
            if name in plan.stats:
                found[name] = plan.stats[name]
    return found | {"seconds": round(seconds, 3)}


def _left(task: _Task, levels: int) -> float | None:
    """Seconds the next level may take: an even share of what is left."""
    return None if task.deadline is None else max(task.deadline - time.monotonic(), 0.0) / levels


def _first(
    units: gpd.GeoDataFrame, level: Level, task: _Task, extra: dict[str, Any], count: int, progress: Progress
) -> tuple[PlanResult, Band]:
    """The first level. A number of grids counts special and locked ones in, `partition` does not: a plan of no effort
    tells how many there are.
    """
    options = {**task.options, **extra, "progress": progress}
    if level.grids is None:
        assert level.band is not None
        return partition(units, task.streets, band=level.band, time_limit=_left(task, count), **options), level.band
    households = _households(units)
    band = level.band or band_about(households, level.grids)
    locked = sorted(extra.get("locked", ()))
    probe = partition(
        units, task.streets, band=band, time_limit=0, **{**options, "progress": no_progress, "preview": None}
    )
    fixed = _fixed(probe, locked)
    for _ in range(2):
        ordinary = max(level.grids - fixed, 1)
        band = level.band or band_about(households, ordinary)
        plan = partition(units, task.streets, band=band, grids=ordinary, time_limit=_left(task, count), **options)
        if _fixed(plan, locked) == fixed:
            break
        fixed = _fixed(plan, locked)
    return plan, band


def _first_reasons(plan: PlanResult, level: Level, extra: dict[str, Any]) -> list[LevelReason]:
    """The first level's reasons; a number of grids in them is told from the number that was asked for."""
    fixed = _fixed(plan, sorted(extra.get("locked", ())))
    told = f" (level 1 was to have {level.grids} grids, {fixed} of them special or locked)"
    return [
        LevelReason(
            one.code,
            one.text + (told if one.code == "forced_count" and fixed else ""),
            one.units,
            one.community,
            figures=one.figures,
        )
        for one in plan.reasons
    ]


def _fixed(plan: PlanResult, locked: Sequence[str]) -> int:
    """Grids that do not count into the number `partition` is asked for."""
    return int(((plan.grids["kind"] != ORDINARY) | plan.grids["code"].isin(locked)).sum())


def _households(units: gpd.GeoDataFrame) -> Floats:
    return np.asarray(pd.to_numeric(units["households"], errors="coerce").fillna(0.0), dtype=np.float64)


def _first_rows(atoms: Atoms, plan: PlanResult) -> LevelRows:
    """The first level's grids as `partition` made them, owners taken to the pieces."""
    table = plan.grids.drop(columns="geometry")
    return LevelRows(plan.assignment[atoms.unit], table, plan.grids.geometry.to_numpy(), np.full(len(table), -1))


def _next(
    atoms: Atoms, level: Level, depth: int, above: LevelRows, task: _Task, levels_left: int, progress: Progress
) -> tuple[LevelRows, Band | None, PlanResult | None, list[LevelReason]]:
    """One level below the first: its rows, the band it was held to, the search's result and the reasons."""
    if level.kind != "households":
        label = buildings_of(atoms, above) if level.kind == "building" else entrances_of(atoms, above)
        return rows_of(atoms, label, above, depth + 1, level.kind), None, None, []
    parent = above.owner[atoms.first]  # households levels never cut a unit, so any piece of it speaks for it
    special = (above.table["kind"] != ORDINARY).to_numpy()[parent]
    label = np.full(len(parent), -1, dtype=np.int64)
    parts = 0
    if special.any():
        rows = np.flatnonzero(special)
        label[rows] = _by_ground(atoms.units.iloc[rows], parent[rows], task)
        parts = int(label.max()) + 1
    rows = np.flatnonzero(~special)
    households = atoms.households[rows]
    ordinary = None if level.grids is None else max(level.grids - parts, 1)
    band = level.band or band_about(households, ordinary or 1)
    if not households.any():
        label[rows] = np.unique(parent[rows], return_inverse=True)[1] + parts
        made = rows_of(atoms, label[atoms.unit], above, depth + 1, level.kind)
        return made, band, None, miscounted(depth + 1, level, len(made.table), [])
    inner = atoms.units.iloc[rows].assign(
        # a unit above the band fills a grid of its own; shown no larger than the band it does not upset the counts
        households=np.minimum(households, band.high),
        community=_stand_ins(parent[rows]),
    )
    result = partition(
        inner, task.streets, band=band, grids=ordinary, time_limit=_left(task, levels_left), special_kinds=(),
        scheme=_ROOMY, progress=progress, **task.options,
    )  # fmt: skip
    label[rows] = result.assignment + parts
    made = rows_of(atoms, label[atoms.unit], above, depth + 1, level.kind)
    reasons = level_reasons(depth + 1, atoms, rows, parent[rows], band, result, above, forced=level.grids is not None)
    reasons += miscounted(depth + 1, level, len(made.table), reasons)
    return made, band, result, reasons


def _stand_ins(parent: npt.NDArray[np.integer[Any]]) -> list[str]:
    """A 12-digit stand-in for the code of each parent: codes kept from old grids may follow any scheme."""
    return [f"{number + 1:012d}" for number in parent.tolist()]


def _by_ground(units: gpd.GeoDataFrame, parent: npt.NDArray[np.integer[Any]], task: _Task) -> Ints:
    """Division of special grids into compact connected parts of about `special_area`: area in place of households."""
    ground = units[["unit_id", "geometry"]].assign(
        households=np.maximum(units.geometry.area.to_numpy(), 1.0), community=_stand_ins(parent)
    )
    size = max(task.special_area, 2.0)
    band = Band(int(size / 2), int(size * 3 / 2))
    plan = partition(ground, task.streets, band=band, special_kinds=(), scheme=_ROOMY, **task.options)
    return plan.assignment.astype(np.int64)
