"""What a stored plan changes: against another plan, and against the grids in force when it is published."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import sqlalchemy as sa

from data import ownership, plans, publications
from data import tables as t
from data.plans import PlanRow
from data.publishing import ended_by, new_numbers
from data.reports import BY_HAND, CLOSED
from data.tables import COMPREHENSIVE
from gisgrid.crs import to_metric
from gisgrid.errors import BadInput, Conflict
from gisgrid.locate import GridIndex
from gisgrid.models import Band
from gisgrid.nesting import grid_column
from planning.carry import carried
from planning.changes import Changes, changes
from planning.compare import Comparison
from planning.compare import compare as compare_plans
from planning.owners import owners, pieces
from planning.workflow import around, planning_lines, read_grids_in_force
from planning.workflow_publishing import checked

PUBLISHED: Final = "published"
GRID_FACTS: Final = ("code", "name", "level", "parent", "community", "kind", "households", "population")
REPORTS_AT_ONCE: Final = 50_000


# --- two plans --------------------------------------------------------------------------


def compare_stored(connection: sa.Connection, row: PlanRow, other: PlanRow | None) -> dict[str, Any]:
    """A plan beside another, None for the grids in force on its ground: `planning.compare.compare`, JSON-ready.

    Beside ``figures before changes``: ``moves``, one for each pair of grids households move along, with the label
    points of both; ``grids``, what becomes of each (``now``, ``gone``). A grid goes on where its code does when
    the plans are of one origin (`_same_codes`); else where most of its households do. Raises NotFound without grids
    in force, BadInput when a plan has no grids or the two share no ground.
    """
    grids, units = _read(connection, row)
    if other is not None:
        before, known = _read(connection, other)
    else:
        before = read_grids_in_force(connection, row.area, level=None)
        generation = plans.current_generation(connection)
        assert generation is not None
        communities = sorted(set(before["community"]))
        known = _finest(ownership.units_in_force(connection, generation.id, communities))
    lines = None
    places = plans.communities_of(connection, row.area)
    if units is not None:
        lines = planning_lines(units, *(around(connection, table, places) for table in (t.streets, t.water, t.walls)))
    same = _same_codes(row, grids, other, before)
    found = compare_plans(grids, units, before, known, lines, band=_bands(row, grids, before), same_codes=same)
    return found.as_dict() | {
        "moves": moves_with_places(connection, found.changes, _ids(before), _ids(grids)),
        "grids": _told(found),
        "estimated": found.estimated,
    }


def _same_codes(row: PlanRow, grids: gpd.GeoDataFrame, other: PlanRow | None, before: gpd.GeoDataFrame) -> bool:
    """Whether a code names the same grid in both: where one was copied from the other, or both go on from grids that
    were published, and most codes are there still. Plans made afresh bear the same numbers for different grids."""
    if other is None:
        linked = bool(grids["continues"].any()) or row.status == "published"
    else:
        sources = {row.id, row.source} & {other.id, other.source} - {None}
        linked = bool(sources) or all(
            one.status == "published" or bool(layer["continues"].any())
            for one, layer in ((row, grids), (other, before))
        )
    first = before[before["level"] == 1]["code"]
    return linked and 2 * int(first.isin(grids["code"]).sum()) >= len(first)


def _bands(row: PlanRow, *layers: gpd.GeoDataFrame) -> Band | dict[int, Band]:
    """The plan's band is that of the first level alone."""
    return {1: row.band} if any(int(layer["level"].max()) > 1 for layer in layers) else row.band


def _read(connection: sa.Connection, row: PlanRow) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame | None]:
    grids = plans.grids_of_plan(connection, row.id)
    if grids.empty:
        raise BadInput(f"plan {row.id} has no grids yet, so there is nothing to compare")
    return grids, _finest(ownership.units_of_plan(connection, row))


def _finest(units: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame | None:
    """Units with the code of the finest grid each is in as ``grid``; None without units that are in any."""
    if units is None or units.empty or units["grid"].isna().all():
        return None
    columns = [name for name in units if name == "grid" or str(name).startswith("grid_")]
    code = units["grid"].to_numpy(object)
    for name in sorted(columns, key=lambda name: (len(name), name))[1:]:
        finer = units[name].to_numpy(object)
        code = np.where(pd.isna(finer), code, finer)
    return units.drop(columns=columns).assign(grid=code)


def _ids(grids: gpd.GeoDataFrame) -> dict[str, int]:
    """Row of each code in the database; codes of the levels of one plan differ in length."""
    return {str(code): int(key) for code, key in zip(grids["code"], grids["id"], strict=True)}


def _told(found: Comparison) -> dict[str, dict[str, dict[str, Any]]]:
    """What becomes of each grid: ``now`` by code, with the code it had ``before`` (None: born); ``gone`` by code."""
    old = {facts["code"]: facts for facts in found.before["grids"]}
    heir_of = {new: code for code, new in found.changes.heirs.items()}
    now = {}
    for facts in found.figures["grids"]:
        before = heir_of.get(facts["code"])
        was = old.get(before, {})
        now[facts["code"]] = {
            "name": facts["name"], "level": facts["level"], "before": before, "households": facts["households"],
            "households_before": was.get("households"), "in_band": facts["in_band"],
        }  # fmt: skip
    gone = {
        code: {name: old[code][name] for name in ("name", "level", "households")}
        for code in found.changes.ends if code in old
    }  # fmt: skip
    return {"now": now, "gone": gone}


def moves_with_places(
    connection: sa.Connection, changed: Changes, old: dict[str, int], new: dict[str, int]
) -> list[dict[str, Any]]:
    """`Changes.moves` with ``from`` and ``to``, the label points [lon, lat] of the grids households leave and join.

    old, new: ids of the grids by code. ``to`` is None where units are left without a grid.
    """
    rows = changed.moves.to_dict("records")
    wanted = {old[row["old"]] for row in rows} | {new[row["new"]] for row in rows if row["new"]}
    places = _label_points(connection, wanted)
    return [
        {
            "old": row["old"], "new": row["new"] or None, "units": int(row["units"]),
            "households": round(float(row["households"])), "population": round(float(row["population"])),
            "from": places[old[row["old"]]], "to": places[new[row["new"]]] if row["new"] else None,
        }
        for row in rows
    ]  # fmt: skip


def _label_points(connection: sa.Connection, ids: Iterable[int]) -> dict[int, list[float]]:
    point = t.grids.c.label_point
    wanted = t.grids.c.id == sa.func.any(sa.cast(sorted(ids), sa.ARRAY(sa.BigInteger)))
    query = sa.select(t.grids.c.id, sa.func.ST_X(point), sa.func.ST_Y(point)).where(wanted)
    return {key: [lon, lat] for key, lon, lat in connection.execute(query)}


# --- publishing -------------------------------------------------------------------------


def publication_preview(connection: sa.Connection, row: PlanRow) -> dict[str, Any]:
    """What publishing a draft as it is would change; nothing is changed. Codes are those it would publish under.

    ``ok`` and ``check``: whether it may be published, the problems found; ``born``, ``gone``: grids, ``going_on`` how
    many; ``moving``: households and population that change grid, open reports that get another owner; ``moves`` as
    `moves_with_places`; ``outdated``: other drafts of this ground, which then no longer start from what is in force;
    ``waiting``: the publication it waits for; ``communities``.
    """
    grids = plans.grids_of_plan(connection, row.id)
    check, ok = _checked(connection, row, grids)
    coming = _renumbered(grids, new_numbers(connection, grids, row.system)) if len(grids) else grids
    ending = _ending(connection, row)
    in_force = set(ending["code"])
    goes_on = coming["continues"].to_numpy(bool) & coming["code"].isin(in_force).to_numpy(bool)
    kept = set(coming.loc[goes_on, "code"])
    told = {
        "ok": ok,
        "check": check,
        "born": _facts(coming[~goes_on]),
        "gone": _facts(ending[~ending["code"].isin(kept)]),
        "going_on": len(kept),
        "moving": {"households": 0, "population": 0, "reports_open": 0},
        "moves": [],
        "estimated": False,
        "outdated": _outdated(connection, row),
        "waiting": publications.waiting(connection, row.id),
        "communities": sorted(set(coming["community"].dropna())),
    }
    if row.system != COMPREHENSIVE or ending.empty or coming.empty:
        return told
    changed, estimated = _moving(connection, row, grids, coming, ending)
    told["moving"] = {
        "households": round(changed.moved_households), "population": round(changed.moved_population),
        "reports_open": _reports_moving(connection, coming, ending, kept),
    }  # fmt: skip
    told["moves"] = moves_with_places(connection, changed, _ids(ending), _ids(coming))
    return told | {"estimated": estimated}


def _checked(connection: sa.Connection, row: PlanRow, grids: gpd.GeoDataFrame) -> tuple[dict[str, Any], bool]:
    """The coverage check, and whatever else keeps the plan from being published as one of its problems."""
    try:
        if row.status != "draft":
            raise Conflict(f"plan {row.id} is published already; duplicate it to change it", code="published")
        report = checked(connection, row, grids)
        ended_by(connection, row.id, row.system)
    except Conflict as error:
        problem = {"kind": error.code, "code": "", "text": error.message, "m2": 0.0}
        nothing = {"grids": len(grids), "gap_m2": 0.0, "overlap_m2": 0.0, "counts": {error.code: 1}, "notes": []}
        return {"ok": False, **nothing, "problems": [problem]}, False
    return report.as_dict(), report.ok


def _ending(connection: sa.Connection, row: PlanRow) -> gpd.GeoDataFrame:
    """Grids in force that the plan's take the place of."""
    try:
        which = ended_by(connection, row.id, row.system)
    except Conflict:
        which = sa.false()
    return ownership.grids_where(connection, which)


def _renumbered(grids: gpd.GeoDataFrame, values: dict[int, dict[str, str]]) -> gpd.GeoDataFrame:
    if not values:
        return grids
    new = pd.DataFrame.from_dict(values, orient="index").reindex(grids["id"])
    return grids.assign(
        **{name: np.where(new[name].isna(), grids[name], new[name]) for name in new.columns}
    )  # fmt: skip


def _facts(grids: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    rows = grids[list(GRID_FACTS)].astype(object)
    return [{str(k): v for k, v in row.items()} for row in rows.where(rows.notna(), None).to_dict("records")]


def _moving(
    connection: sa.Connection, row: PlanRow, grids: gpd.GeoDataFrame, coming: gpd.GeoDataFrame, ending: gpd.GeoDataFrame
) -> tuple[Changes, bool]:
    """Who changes grid of the first level, and whether that is estimated from ground because there are no units."""
    first, old = coming[coming["level"] == 1], ending[ending["level"] == 1]
    units = ownership.units_of_plan(connection, row)
    if units is None:
        parts = pieces(first, old)
        return changes(
            owners(parts, old), parts["grid"], parts["households"], parts["population"], parts.area, same_codes=True
        ), True
    generation = plans.current_generation(connection)
    assert generation is not None
    known = ownership.units_in_force(connection, generation.id, sorted(set(old["community"])))
    place = carried(units, old.reset_index(drop=True), known).owner[:, 0]
    before = np.append(old["code"].to_numpy(object), "")[place]
    # households outside the old grids' communities had none
    follow = dict(zip(grids["code"], coming["code"], strict=True))
    after = units[grid_column(1)].map(follow).fillna("")
    area = to_metric(units).area.to_numpy()
    return changes(before, after, units["households"], units["population"], area, same_codes=True), False


def _reports_moving(
    connection: sa.Connection, coming: gpd.GeoDataFrame, ending: gpd.GeoDataFrame, kept: set[str]
) -> int:
    """Open reports on the ground of either whose owner of the first level would be another.

    What a dispatcher gave to a grid that goes on (``kept``, codes) stays there.
    """
    first, old = coming[coming["level"] == 1], ending[ending["level"] == 1]
    after, before = (GridIndex.build(one.geometry.to_numpy(), one["code"].to_numpy()) for one in (first, old))
    west, south, east, north = np.vstack([first.total_bounds, old.total_bounds]).T
    box = sa.func.ST_MakeEnvelope(west.min(), south.min(), east.max(), north.max(), t.SRID)
    point = t.reports.c.geometry
    given = sa.func.coalesce(t.reports.c.grid_code, "").in_(sorted(kept))
    stays = sa.and_(t.reports.c.located.has_key(BY_HAND), given)
    query = (
        sa.select(sa.func.ST_X(point), sa.func.ST_Y(point))
        .where(t.reports.c.stage != CLOSED, point.bool_op("&&")(box), ~stays)
        .execution_options(yield_per=REPORTS_AT_ONCE)
    )
    count = 0
    for chunk in connection.execute(query).partitions():
        lon, lat = np.array(chunk, dtype=np.float64).T
        count += int((after.codes(lon, lat) != before.codes(lon, lat)).sum())
    return count


def _outdated(connection: sa.Connection, row: PlanRow) -> list[dict[str, Any]]:
    """Other drafts of the system over some of the same ground."""
    p = t.plans.c
    inside = sa.or_(p.area.startswith(row.area, autoescape=True), sa.func.starts_with(row.area, p.area))
    query = (
        sa.select(p.id, p.name, p.area, p.author, p.updated_at)
        .where(p.status == "draft", p.system == row.system, p.id != row.id, inside)
        .order_by(p.id)
    )
    return [dict(found) for found in connection.execute(query).mappings()]
