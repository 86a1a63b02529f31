"""Plans of several levels and plans that go on from another one: stored, published, renumbered, answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from api.app import create_app
from data import plans
from data import tables as t
from data.in_force import read_in_force
from gisgrid.errors import BadInput, Conflict
from gisgrid.models import Band
from planning import workflow
from planning.partition import PlanResult, partition

pytestmark = pytest.mark.postgis
BAND = Band(300, 500)


def nested_result(source: workflow.PlanningInput, *, seed: int = 0) -> PlanResult:
    """Grids of the area, each divided into micro-grids of 100 to 260 households."""
    top = partition(source.units, source.barriers, band=BAND, seed=seed)
    owner = top.grids["code"].to_numpy()[top.assignment]
    deep = partition(source.units.assign(community=owner), source.barriers, band=Band(100, 260), seed=seed)
    assert (deep.grids["level"] == 2).all()
    grids = gpd.GeoDataFrame(pd.concat([top.grids, deep.grids], ignore_index=True), crs=top.grids.crs)
    return replace(top, grids=grids, assignment=np.column_stack([top.assignment, deep.assignment + len(top.grids)]))


def store_nested(engine: sa.Engine, area: str, **options: Any) -> tuple[int, PlanResult]:
    with engine.begin() as connection:
        source = workflow.read_planning_input(connection, area)
        return workflow.store_plan(connection, source, nested_result(source), band=BAND, **options)


def codes(engine: sa.Engine, plan: int) -> pd.DataFrame:
    with engine.connect() as connection:
        return plans.grids_of_plan(connection, plan)[["code", "level", "parent", "name", "community"]]


def test_every_unit_has_an_owner_on_each_level_and_children_lie_in_their_parent(planned_copy: Any) -> None:
    engine, area = planned_copy.engine, planned_copy.area
    plan, result = store_nested(engine, area)
    with engine.connect() as connection:
        per_level = dict(
            connection.execute(
                sa.text("SELECT level, count(DISTINCT unit) FROM owners WHERE plan = :p GROUP BY 1"), {"p": plan}
            ).all()
        )
        units = connection.scalar(sa.text("SELECT count(*) FROM units"))
        astray = connection.scalar(
            sa.text(
                "SELECT count(*) FROM owners a JOIN owners b ON a.plan = b.plan AND a.unit = b.unit AND b.level = a.level + 1 "
                "JOIN grids up ON up.id = a.grid JOIN grids down ON down.id = b.grid "
                "WHERE a.plan = :p AND (down.parent <> up.code OR left(down.code, 15) <> up.code)"
            ),
            {"p": plan},
        )
        outside = connection.scalar(
            sa.text(
                "SELECT max(ST_Area(ST_Difference(c.geometry, p.geometry)) / ST_Area(c.geometry)) FROM grids c "
                "JOIN grids p ON p.plan = c.plan AND p.code = c.parent WHERE c.plan = :p"
            ),
            {"p": plan},
        )
    assert per_level == {1: units, 2: units}
    assert astray == 0
    assert outside < 1e-9
    assert result.assignment.shape == (units, 2)


def test_publishing_puts_all_levels_in_force_and_locate_keeps_the_first(planned_copy: Any) -> None:
    engine, area = planned_copy.engine, planned_copy.area
    plan, result = store_nested(engine, area)
    done = workflow.publish(engine, plan)
    assert done.report.ok
    first = int((result.grids["level"] == 1).sum())
    with engine.connect() as connection:
        now = done.generation.id
        assert len(plans.grids_in_force(connection, now)) == first
        assert len(plans.grids_in_force(connection, now, level=None)) == len(result.grids)
        assert len(plans.grids_in_force(connection, now, level=2)) == len(result.grids) - first
        generation = plans.current_generation(connection)
        assert generation is not None
        assert len(read_in_force(connection, generation, planned_copy.settings.home).grids) == first
    assert workflow.check_in_force(engine).ok
    client = create_app(planned_copy.settings, engine).test_client()
    deep = client.get("/api/v1/grids?level=2").get_json()
    assert deep["numberMatched"] == len(result.grids) - first
    assert all(feature["properties"]["parent"] for feature in deep["features"])
    assert client.get("/api/v1/grids?level=1").get_json()["numberMatched"] == first
    assert client.get("/api/v1/overview").get_json()["counts"]["grids"] == first
    code = deep["features"][0]["id"]
    assert client.get(f"/api/v1/grids/{code}").get_json()["properties"]["level"] == 2
    before = workflow.plan_for_area(engine, area, band=BAND, seed=4)[0]
    later = workflow.publish(engine, before).generation.id
    with engine.connect() as connection:
        assert plans.grids_in_force(connection, later, level=2).empty, (
            "micro-grids end with the grids of their community"
        )
        assert len(plans.grids_in_force(connection, now, level=2)) == len(result.grids) - first


def test_children_are_renamed_with_their_parent_at_publish(planned_copy: Any) -> None:
    engine, area = planned_copy.engine, planned_copy.area
    drafts = [store_nested(engine, area)[0] for _ in range(2)]
    for draft in drafts:
        workflow.publish(engine, draft)
    one, other = (codes(engine, draft) for draft in drafts)
    assert not set(one["code"]) & set(other["code"])
    deep = other[other["level"] == 2]
    assert (deep["code"].str[:15] == deep["parent"]).all()
    assert set(deep["parent"]) <= set(other.loc[other["level"] == 1, "code"])
    for _, row in other.iterrows():
        number = int(row["code"][12:15])
        assert f"第{number}网格" in row["name"], "names follow the new number"
    assert workflow.check_in_force(engine).ok


def test_grids_that_go_on_keep_their_codes_and_retired_codes_never_return(planned_copy: Any) -> None:
    engine, area = planned_copy.engine, planned_copy.area
    with engine.begin() as connection:
        old = plans.grids_of_plan(connection, planned_copy.plan)
        source = workflow.read_planning_input(connection, area)
        result = partition(source.units, source.barriers, band=BAND, seed=2)
        going_on = old["code"].tolist()[:3]
        named = result.grids.assign(
            code=[*going_on, *(f"{old['community'][0]}9{n:02d}" for n in range(len(result.grids) - 3))]
        )
        plan, stored = workflow.store_plan(connection, source, replace(result, grids=named), band=BAND, kept=going_on)
        # and one that was made of the same grids, to be published later
        rival, _ = workflow.store_plan(connection, source, replace(result, grids=named), band=BAND, kept=going_on)
    assert set(going_on) <= set(stored.grids["code"])
    workflow.publish(engine, plan)
    assert set(going_on) <= set(codes(engine, plan)["code"])
    with engine.connect() as connection:
        used = connection.execute(
            sa.select(t.grids.c.code, t.grids.c.generations).where(
                t.grids.c.code == going_on[0], t.grids.c.generations.is_not(None)
            )
        ).all()
    assert len(used) == 2, "one row ended, one begun, under one code"
    replacing, _, _ = workflow.plan_for_area(engine, area, band=BAND, seed=7)
    workflow.publish(engine, replacing)
    workflow.publish(engine, rival)
    assert not set(going_on) & set(codes(engine, rival)["code"]), "they are retired by now"
    assert not set(codes(engine, rival)["code"]) & set(codes(engine, plan)["code"])


def test_only_grids_in_force_can_be_kept(planned_copy: Any) -> None:
    engine, area = planned_copy.engine, planned_copy.area
    with engine.connect() as connection:
        source = workflow.read_planning_input(connection, area)
        result = partition(source.units, source.barriers, band=BAND)
        real = plans.grids_of_plan(connection, planned_copy.plan)["code"].max()
        with pytest.raises(BadInput, match="999 is not in force here"):
            workflow.store_plan(connection, source, result, band=BAND, kept=[f"{result.grids['community'][0]}999"])
        other = replace(
            result, grids=result.grids.assign(code=[f"{real[:12]}8{n:02d}" for n in range(len(result.grids))])
        )
        with pytest.raises(BadInput, match=f"no grid of the plan has the code {real}"):
            workflow.store_plan(connection, source, other, band=BAND, kept=[real])


@pytest.mark.parametrize(
    ("parent", "says"), [("999999999999777", "has the parent 999999999999777"), (None, "has no parent")]
)
def test_a_parent_that_is_not_in_the_plan_is_named(planned_copy: Any, parent: str | None, says: str) -> None:
    engine, area = planned_copy.engine, planned_copy.area
    with engine.connect() as connection:
        grids = nested_result(workflow.read_planning_input(connection, area)).grids
        grids.loc[int(np.flatnonzero(grids["level"] == 2)[0]), "parent"] = parent
        with pytest.raises(BadInput, match=says):
            plans.save_plan(connection, area=area, name="x", band=BAND, grids=grids)


def test_owners_must_fit_their_level(planned_copy: Any) -> None:
    engine, area = planned_copy.engine, planned_copy.area
    with engine.connect() as connection:
        source = workflow.read_planning_input(connection, area)
        result = nested_result(source)
        wrong = result.assignment[:, ::-1]
        about: dict[str, Any] = {"area": area, "name": "x", "band": BAND, "grids": result.grids, "units": source.units}
        with pytest.raises(BadInput, match=r"unit in row 0: its level 1 grid .* is of level 2"):
            plans.save_plan(connection, assignment=wrong, **about)
        astray = result.assignment.copy()
        astray[0, 1] = next(
            row for row in result.assignment[:, 1] if result.grids["parent"][row] != result.grids["code"][astray[0, 0]]
        )
        with pytest.raises(BadInput, match="not in that grid's parent"):
            plans.save_plan(connection, assignment=astray, **about)
        partly = result.assignment.copy()
        partly[5:, 1] = -1
        plan = plans.save_plan(connection, unit_set=source.unit_set, assignment=partly, **about)
        owned = connection.scalar(sa.select(sa.func.count()).where(t.owners.c.plan == plan, t.owners.c.level == 2))
        assert owned == 5


def test_a_child_outside_its_parent_is_not_published(planned_copy: Any) -> None:
    engine, area = planned_copy.engine, planned_copy.area
    plan, _ = store_nested(engine, area)
    with engine.begin() as connection:
        connection.execute(
            sa.text("DELETE FROM grids WHERE id = (SELECT max(id) FROM grids WHERE plan = :p AND level = 2)"),
            {"p": plan},
        )
    with pytest.raises(Conflict, match="gap"):
        workflow.publish(engine, plan)
