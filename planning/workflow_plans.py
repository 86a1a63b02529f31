"""Drafts on stored data: begun empty, from the grids in force, or by the engine; a run's best plan so far kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from data import drafts, ownership, plans
from data import tables as t
from data.previews import Preview
from data.retrying import retried
from data.unit_sets import unit_set_for
from gisgrid.crs import to_metric
from gisgrid.errors import BadInput, Conflict
from gisgrid.limits import PLAN_SECONDS_MAX, PLAN_UNITS_MAX, PLAN_WEIGHT_MAX
from gisgrid.models import Band, Progress, no_progress
from planning.carry import carried, drawn, grids_by_number, with_inner_levels
from planning.graph import noded_geometry
from planning.levels import Level, parse_levels
from planning.partition import PlanResult, Weights, old_grids_of, partition, preset_of
from planning.partition.search import Preview as Watch
from planning.workflow import (
    PlanningInput,
    in_levels,
    read_grids_in_force,
    read_planning_input,
    store_plan,
)

Stored = Callable[[sa.Connection, int, PlanResult], None]
USUAL_BAND: Final = Band(300, 500)
WEIGHTS: Final = {
    "street": ("street",), "compactness": ("compact",), "compounds": ("split",), "balance": ("balance",),
    "churn": ("churn", "border"),
}  # fmt: skip
"""What a planner may weigh, and the terms of `planning.partition.energy.Weights` each multiplies."""


# --- without the engine -----------------------------------------------------------------


def empty_draft(
    connection: sa.Connection, area: str, *, band: Band | None = None, name: str = "", note: str = "", author: str = ""
) -> int:
    """A draft with all units of an area unassigned; its id. Raises NotFound for an unknown area or one without units.

    ``band``: that of the grids in force when not given.
    """
    unit_set = _units_for(connection, area)
    band = band or band_in_force(connection)
    return drafts.create_empty(
        connection, area=area, unit_set=unit_set, band=band, name=name or f"{area} {band}", note=note, author=author
    )


def draft_in_force(
    connection: sa.Connection, area: str, *, band: Band | None = None, name: str = "", note: str = "", author: str = ""
) -> int:
    """A draft that begins as the grids in force in an area are, whatever plans they come from; its id.

    Its grids go on under their codes. Units that are those the grids were made of keep their owners; others, and all
    where grids were imported without units, get the grid that covers most of them, and grids then follow the units.
    A grid too small to get a unit is left out, and said so in the reasons. Raises NotFound for an unknown area, and
    one without units or grids in force.
    """
    unit_set = _units_for(connection, area)
    grids = read_grids_in_force(connection, area, level=None)
    generation = plans.current_generation(connection)
    assert generation is not None
    communities = [str(code) for code in plans.communities_of(connection, area)["code"]]
    known = ownership.units_in_force(connection, generation.id, communities)
    units = plans.units_of(connection, unit_set)
    found = carried(units, grids, known)
    table = grids.drop(columns=["id", "plan", "version", "continues", "locked", "generations"])
    if found.same and len(np.unique(found.owner[found.owner >= 0])) == len(grids):
        made, owner = table, found.owner
    else:
        metric = to_metric(units)
        made, owner = drawn(metric.set_geometry(noded_geometry(metric), crs=metric.crs), found.owner, table)
    lost = sorted(set(grids["code"]) - set(made["code"]))
    reasons = [
        {"code": "grid_without_units", "text": f"grid {code} covers most of no unit and is left out", "community": "",
         "units": [], "figures": {"grid": code}}
        for code in lost
    ]  # fmt: skip
    band = band or band_in_force(connection)
    return plans.save_plan(
        connection, area=area, name=name or f"{area} {band}", band=band, grids=made, unit_set=unit_set, units=units,
        assignment=owner, continues=set(made["code"]), reasons=reasons, feasible=not lost, note=note, author=author,
    )  # fmt: skip


def band_in_force(connection: sa.Connection) -> Band:
    """The band of the plan that made the comprehensive grids in force; 300:500 before the first."""
    since = plans.generation_of(connection)
    return USUAL_BAND if since is None else plans.plan_row(connection, since.plan).band


def _units_for(connection: sa.Connection, area: str) -> int:
    """The unit set of a draft. Raises NotFound, and BadInput for too many units."""
    unit_set = unit_set_for(connection, area)
    count = connection.scalar(sa.select(sa.func.count()).where(t.units.c.unit_set == unit_set)) or 0
    if count > PLAN_UNITS_MAX:
        raise BadInput(f"area {area} has {count:,} units, over {PLAN_UNITS_MAX:,}; plan its streets one by one")
    return unit_set


# --- by the engine ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Order:
    """What the engine is to do. ``weights`` multiply the preset's (`WEIGHTS`); ``keep``: stay near the grids in force,
    or near those of the draft ``plan``, whose locked grids stay as they are either way."""

    area: str
    band: Band
    levels: str = ""
    keep: bool = False
    plan: int | None = None
    time_limit: float | None = None
    preset: str | None = None
    seed: int = 0
    weights: Mapping[str, float] | None = None
    name: str = ""
    note: str = ""
    author: str = ""

    def parsed_levels(self) -> tuple[Level, ...]:
        """Levels, none where only the band counts. Raises BadInput."""
        levels = parse_levels(self.levels) if self.levels else ()
        if any(level.kind == "entrance" for level in levels):
            raise BadInput("levels: stored units are not divided by entrance; plan that level from files")
        return levels

    def usual_preset(self) -> str:
        """The preset, the usual one when none is given."""
        return self.preset or ("stable" if self.keep else "balanced")

    def energy(self) -> Weights:
        """The preset's weights, multiplied. Raises BadInput."""
        usual = preset_of(self.usual_preset()).weights
        changes: dict[str, float] = {}
        for name, factor in (self.weights or {}).items():
            if name not in WEIGHTS:
                raise BadInput(f"weights: {name!r} is no weight; give some of {', '.join(WEIGHTS)}")
            if not 0 <= factor <= PLAN_WEIGHT_MAX:
                raise BadInput(f"weights: {name}={factor}: give a factor from 0 to {PLAN_WEIGHT_MAX:g}; 1 is usual")
            changes |= {term: getattr(usual, term) * factor for term in WEIGHTS[name]}
        return replace(usual, **changes)  # type: ignore[arg-type]

    def check(self) -> None:
        """Raises BadInput for what no run could use."""
        self.parsed_levels()
        self.energy()
        if not 0 <= self.seed < 2**31:
            raise BadInput(f"seed={self.seed}: give a whole number from 0 to {2**31 - 1}")
        if self.time_limit is not None and not 1 <= self.time_limit <= PLAN_SECONDS_MAX:
            raise BadInput(f"time_limit={self.time_limit:g}: give seconds from 1 to {PLAN_SECONDS_MAX:g}")
        if not 1 <= self.band.high <= 1_000_000:
            raise BadInput(f"households={self.band}: give a band whose upper end is from 1 to 1,000,000")


@dataclass(frozen=True, slots=True)
class Ready:
    """An order with what it is carried out on: grids to stay near or locked (a draft's of all levels), old code of each
    unit (None: none), codes locked, codes no new grid may have."""

    source: PlanningInput
    old: gpd.GeoDataFrame | None
    old_code: npt.NDArray[np.object_] | None
    locked: tuple[str, ...]
    taken: list[str]
    going: frozenset[str]
    """Codes that are, where they go on, those of grids in force."""
    inner: npt.NDArray[np.object_] | None = None
    """Codes of each unit's grids in the draft below the first level (n, D); None where it has one level."""

    def held(self) -> set[str]:
        """Codes of locked grids and of the grids inside them."""
        if self.inner is None or self.old_code is None:
            return set(self.locked)
        inside = np.isin(self.old_code.astype(str), self.locked)
        return {*self.locked, *(str(code) for code in self.inner[inside].ravel() if code is not None)}


def check_order(connection: sa.Connection, order: Order) -> int:
    """Whether an order can be carried out on what is stored; the unit set. Raises BadInput, NotFound, Conflict."""
    order.check()
    if order.plan is None:
        unit_set = _units_for(connection, order.area)
        if order.keep:
            read_grids_in_force(connection, order.area)
        return unit_set
    row = plans.plan_row(connection, order.plan)
    if row.status != "draft" or row.unit_set is None:
        raise Conflict(f"engine.plan={order.plan}: that plan is published or has no units; give a draft made of units")
    if row.area != order.area:
        raise BadInput(f"engine.plan={order.plan} is a plan of {row.area}, not of {order.area}; give one area")
    return row.unit_set


def make_ready(connection: sa.Connection, order: Order) -> Ready:
    """Read what an order needs. Raises as `check_order`."""
    unit_set = check_order(connection, order)
    source = read_planning_input(connection, order.area, unit_set=unit_set)
    taken = plans.codes_ever_published(connection, source.codes)
    if order.plan is None:
        old = read_grids_in_force(connection, order.area) if order.keep else None
        code = None if old is None else old_grids_of(source.units, old)
        return Ready(source, old, code, (), taken, frozenset() if old is None else frozenset(old["code"]))
    grids = plans.grids_of_plan(connection, order.plan)
    first = grids[grids["level"] == 1]
    locked = tuple(map(str, first.loc[first["locked"], "code"]))
    units = ownership.with_codes(connection, source.units[["id", "geometry"]], t.owners.c.plan == order.plan)
    code = np.asarray(units["grid"].to_numpy(object), dtype=object)
    if not order.keep:
        code[~np.isin(code.astype(str), locked)] = None
    now = set(plans.codes_in_force(connection, source.codes))
    going = frozenset(grids.loc[grids["continues"], "code"]) & now
    held = tuple(sorted(set(locked) & {one for one in code if one}))
    taken = sorted({*taken, *first["code"]})  # a grid of the draft that ends leaves its number to no other
    names = [name for name in units if str(name).startswith("grid_")]
    inner = units[sorted(names, key=lambda name: (len(name), name))].to_numpy(object) if names else None
    return Ready(source, grids, code if held or order.keep else None, held, taken, going, inner)


def plan_by_engine(
    engine: sa.Engine,
    order: Order,
    *,
    progress: Progress = no_progress,
    watch: Watch | None = None,
    stored: Stored | None = None,
) -> tuple[int, PlanResult]:
    """Carry out an order and store the plan as a draft; (its id, the result).

    Locked grids keep units, code, name, kind and lock. ``watch`` is told the best plan so far; ``stored`` is called in
    the transaction that stores the plan. No transaction is open while the engine works.
    """
    with engine.connect() as connection:
        ready = make_ready(connection, order)
    options: dict[str, Any] = {
        "keep": ready.old_code, "locked": ready.locked, "taken": ready.taken, "band": order.band, "preview": watch,
        "time_limit": order.time_limit, "preset": order.usual_preset(), "weights": order.energy(),
    }  # fmt: skip
    levels, band = order.parsed_levels(), order.band
    if levels:
        result = in_levels(ready.source, levels, order.seed, progress, options)
        band = Band.parse(first["band"]) if (first := result.stats["levels"][0]).get("band") else band
    else:
        result = partition(ready.source.units, ready.source.barriers, seed=order.seed, progress=progress, **options)
    if ready.inner is not None and ready.locked:
        result = _locked_inside(ready, result)
    return _store(engine, order, ready, result, band, stored)


@retried
def _store(
    engine: sa.Engine, order: Order, ready: Ready, result: PlanResult, band: Band, stored: Stored | None
) -> tuple[int, PlanResult]:
    with engine.begin() as connection:
        plan, result = _stored(connection, order, ready, result, band)
        if stored is not None:
            stored(connection, plan, result)
    return plan, result


def _locked_inside(ready: Ready, result: PlanResult) -> PlanResult:
    """The plan with the grids inside locked ones as they are in the draft."""
    assert ready.old is not None
    assert ready.inner is not None
    owner = result.assignment.reshape(len(result.assignment), -1).astype(np.int64)
    inside = np.isin(result.grids["code"].to_numpy(str)[owner[:, 0]], ready.locked)
    grids, owner = with_inner_levels(result.grids, owner, inside, ready.old[ready.old["level"] > 1], ready.inner)
    return replace(result, grids=grids, assignment=owner.astype(np.int32))


def _stored(
    connection: sa.Connection, order: Order, ready: Ready, result: PlanResult, band: Band
) -> tuple[int, PlanResult]:
    codes = set(result.grids.loc[result.grids["level"] == 1, "code"])
    codes |= ready.held()
    there = connection.scalar(sa.select(t.plans.c.id).where(t.plans.c.id == order.plan))  # it may be deleted by now
    olds = set() if ready.old is None else set(ready.old["code"]) & codes
    now = set(plans.codes_in_force(connection, ready.source.codes))
    going = olds & ready.going & now
    plan, result = store_plan(
        connection, ready.source, result, band=band, seed=order.seed, name=order.name, kept=going,
        fixed=olds - going, note=order.note, author=order.author, source=there,
    )  # fmt: skip
    if ready.old is not None:
        _as_before(connection, plan, ready, olds)
    return plan, result


def _as_before(connection: sa.Connection, plan: int, ready: Ready, codes: set[str]) -> None:
    """Give grids that go on the name they had, and locked ones their kind and lock."""
    assert ready.old is not None
    g, held = t.grids.c, ready.held()
    for row in ready.old[ready.old["code"].isin(codes)].itertuples():
        values: dict[str, Any] = {"name": row.name}
        if row.code in held:
            values |= {"locked": bool(row.locked), "kind": row.kind}
        here = sa.and_(g.plan == plan, g.level == row.level, g.code == row.code)
        connection.execute(sa.update(t.grids).where(here).values(**values))


def keep_preview(connection: sa.Connection, order: Order, preview: Preview) -> int:
    """Store the best plan so far of a run that is stopped as a draft, marked as such; its id."""
    ready = make_ready(connection, order)
    if preview.unit_set != ready.source.unit_set:
        raise Conflict("the units of the area were made anew since this run began; its plan cannot be kept")
    metric = ready.source.units
    units = metric.set_geometry(noded_geometry(metric), crs=metric.crs)
    places = dict(zip(ready.source.communities["code"], ready.source.communities["name"], strict=True))
    grids, owner, going = grids_by_number(
        units, preview.label, old_code=None if ready.old_code is None else list(ready.old_code), taken=ready.taken,
        places=places,
    )  # fmt: skip
    left = int((preview.label < 0).sum())
    text = "the run was stopped; this is the best plan it had so far" + (
        f", {left} units without a grid" if left else ""
    )
    why = {"code": "stopped", "text": text, "community": "", "units": [], "figures": {"left": left} if left else {}}
    now = set(plans.codes_in_force(connection, ready.source.codes))
    plan = plans.save_plan(
        connection, area=order.area, name=order.name or f"{order.area} {order.band}", band=order.band, grids=grids,
        unit_set=preview.unit_set, units=units, assignment=owner, continues=set(going) & ready.going & now,
        seed=order.seed, feasible=False, note=order.note, author=order.author, source=order.plan,
        reasons=[why], stats={"stopped": True},
    )  # fmt: skip
    if ready.old is not None:
        _as_before(connection, plan, ready, set(going))
    return plan
