"""Dividing a whole layer of units: what goes in, the search, and the plan that comes out."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt

from gisgrid.codes import GridScheme
from gisgrid.errors import BadInput
from gisgrid.models import SPECIAL_KINDS, Band, Progress, WeightLimit, no_progress
from planning.changes import Changes
from planning.partition.anneal import Schedule
from planning.partition.divide import divide
from planning.partition.energy import Weights
from planning.partition.limits import Limits
from planning.partition.prepare import Kept, Problem, prepare
from planning.partition.presets import preset_of
from planning.partition.reasons import Reason, reasons_for
from planning.partition.result import changes_of, churn_stats, grids_of, moves_of, order_grids, scheme_for, stats_of
from planning.partition.search import Control, Preview, Search
from planning.partition.special import Special

Ints = npt.NDArray[np.int64]

SPECIAL_MIN_AREA = 10_000.0
"""A special grid covers at least this many square metres; smaller schools and parks stay with their neighbours."""
SPECIAL_MIN_STREET = 0.9
"""Share of a special grid's limits that lies on streets or water: a school walled in among houses stays with them."""
_DEFAULT_BAND = Band(300, 500)


@dataclass(frozen=True, slots=True)
class PlanResult:
    """A plan: ``assignment`` int32 (row of ``grids`` of each unit), ``grids`` (contract columns, metric CRS).

    ``feasible``: every hard rule and the band hold; otherwise ``reasons`` say why not. ``stats``: numbers about the
    plan and the search. ``geometry``: the units' polygons as used, an exactly noded coverage. ``changes``: what
    changed against the old grids the plan was made for, ``moves`` the ground of `Changes.moves`; else None.
    """

    assignment: npt.NDArray[np.int32]
    grids: gpd.GeoDataFrame
    feasible: bool
    reasons: list[Reason]
    stats: dict[str, Any]
    geometry: npt.NDArray[np.object_] = field(repr=False)
    changes: Changes | None = field(default=None, repr=False)
    moves: gpd.GeoDataFrame | None = field(default=None, repr=False)


def partition(
    units: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None = None,
    *,
    band: Band = _DEFAULT_BAND,
    limits: Sequence[WeightLimit] = (),
    grids: int | None = None,
    keep: npt.ArrayLike | None = None,
    locked: Collection[str] = (),
    taken: Collection[str] = (),
    seed: int = 0,
    time_limit: float | None = None,
    interruptible: bool = False,
    special_kinds: Collection[str] = SPECIAL_KINDS,
    special_min_area: float = SPECIAL_MIN_AREA,
    special_min_street: float = SPECIAL_MIN_STREET,
    preset: str | None = None,
    weights: Weights | None = None,
    effort: float | None = None,
    scheme: GridScheme | None = None,
    progress: Progress = no_progress,
    preview: Preview | None = None,
) -> PlanResult:
    """Divide units into contiguous grids of `band` households, each inside one community.

    `units`: polygons with ``unit_id`` and ``households``; optional ``population``, ``compound_id``, ``kind``,
    ``community`` (12 digits, or the code of the parent grid to divide), ``community_name``. `streets`: see
    `planning.graph.unit_graph`. `limits`: of further columns of the units, kept beside the band. `grids`: force that
    many ordinary grids.

    `keep`: code of the old grid of each unit, or None (n): as few households as can be change grid, old codes go on
    with their heirs; the numbers of grids follow from the households, not from the old grids. `locked`: old codes whose
    grids must stay exactly as they are (they do not count into `grids`). `taken`: codes no new grid may have.

    `time_limit`: seconds of search, after which the best so far is returned (only then the answer may differ between
    runs of one `seed`); Ctrl-C does the same when `interruptible`. Units of `special_kinds` without households form
    special grids, adjacent ones of a kind and compound together, when at least `special_min_area` m² large and no one
    is cut off by it. `preset` names weights and effort (`planning.partition.presets`; with `keep` the usual one is
    ``stable``), which `weights` and `effort` (the length of the search, 1 is usual) override. `scheme`: widths of grid
    codes, wide enough by itself when not given. `preview` is told the best plan so far now and then, by this thread.

    Raises BadInput for units or streets that cannot be used; input that admits no plan in band gets the best plan
    with `feasible` False and the reasons.
    """
    begun = time.monotonic()
    preset = preset or ("balanced" if keep is None else "stable")
    chosen = preset_of(preset)
    effort = chosen.effort if effort is None else effort
    _check(grids, seed, time_limit, special_min_area, special_min_street, effort, keep is not None or not locked)
    progress(0.0, "graph")
    allowed = Limits(band, tuple(limits))
    special = Special(special_kinds, special_min_area, special_min_street)
    problem = prepare(units, streets, allowed, special, None if keep is None else Kept(keep, locked))
    usual = Schedule()
    search = Search(
        allowed,
        chosen.weights if weights is None else weights,
        Schedule(unit_tries=usual.unit_tries * effort, split_tries=usual.split_tries * effort),
        Control(None if time_limit is None else begun + time_limit, interruptible=interruptible),
        progress,
        preview,
    )
    near_old = bool((problem.old[problem.piece >= 0] >= 0).any())
    label, k, heir, runs = divide(problem, grids, seed, search, together=chosen.together and not near_old)
    progress(0.99, "grids")
    assignment, table, changed = finished(problem, label, k, heir, scheme, taken)
    reasons = reasons_for(problem, assignment, table, allowed, grids)
    stats = stats_of(problem, assignment, table, allowed)
    if changed is not None:
        stats |= churn_stats(problem, assignment, table, changed, allowed)
    stats |= {
        **runs,
        "preset": preset,
        "seed": seed,
        "seconds": round(time.monotonic() - begun, 3),
        "cut_by_time": search.control.cut,
        "interrupted": search.control.interrupted,
    }
    progress(1.0, "done")
    moves = None if changed is None else moves_of(problem, assignment, table, changed)
    return PlanResult(assignment, table, not reasons, reasons, stats, problem.geometry, changed, moves)


def _check(
    grids: int | None, seed: int, time_limit: float | None, special_min_area: float, special_min_street: float,
    effort: float, locks_known: bool,
) -> None:  # fmt: skip
    if grids is not None and grids < 1:
        raise BadInput(f"grids {grids}: give a number of grids of at least 1")
    if seed < 0:
        raise BadInput(f"seed {seed}: give a whole number of at least 0")
    if time_limit is not None and not time_limit >= 0:
        raise BadInput(f"time limit {time_limit}: give seconds of at least 0")
    if not special_min_area >= 0:
        raise BadInput(f"special minimum area {special_min_area}: give square metres of at least 0")
    if not 0 <= special_min_street <= 1:
        raise BadInput(f"special minimum street {special_min_street}: give a share from 0 to 1")
    if not effort > 0:
        raise BadInput(f"effort {effort}: give a number above 0")
    if not locks_known:
        raise BadInput("grids are to be locked but no old grids are given; say which grids the units are in (keep)")


def finished(
    problem: Problem, label: Ints, k: int, heir: Ints, scheme: GridScheme | None, taken: Collection[str]
) -> tuple[npt.NDArray[np.int32], gpd.GeoDataFrame, Changes | None]:
    """Grid row of every unit, the grids layer in code order, and what changed against the old grids."""
    scheme = scheme or scheme_for(problem, k)
    assignment, codes = order_grids(problem, label, k, heir, scheme, taken)
    table = grids_of(problem, assignment, codes, scheme)
    return assignment, table, changes_of(problem, codes[assignment])
