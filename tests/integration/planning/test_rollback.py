"""Rolling back several levels and several systems, and drafts of what several plans put in force."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import sqlalchemy as sa

from data import ownership, plans
from data import tables as t
from data.in_force import read_current
from data.restoring import rollback
from gisgrid.models import Band
from planning import workflow, workflow_plans, workflow_publishing
from tests.integration.planning.test_nested_plans import store_nested

pytestmark = pytest.mark.postgis
BAND = Band(300, 500)


def in_force(engine: sa.Engine) -> dict[tuple[str, int, str], bytes]:
    """Shape of every grid in force by system, level and code."""
    query = "SELECT system, level, code, ST_AsBinary(geometry), parent, name FROM grids WHERE upper_inf(generations) ORDER BY 1, 2, 3"
    with engine.connect() as connection:
        return {tuple(row[:3]): (bytes(row[3]), *row[4:]) for row in connection.execute(sa.text(query))}  # type: ignore[misc]


def test_all_levels_of_all_systems_come_back(planned_copy: Any) -> None:
    engine, area = planned_copy.engine, planned_copy.area
    plan, _ = store_nested(engine, area)
    workflow.publish(engine, plan)
    fire = {"system": "消防", "object_code": "010203"}
    workflow.publish(engine, workflow.fuse_for_area(engine, area, band=Band(1500, 2200), **fire)[0])
    then = in_force(engine)
    number = 3
    assert len({(system, level) for system, level, _ in then}) == 3
    workflow.publish(engine, workflow.plan_for_area(engine, area, band=Band(450, 750))[0])
    workflow.publish(engine, workflow.fuse_for_area(engine, area, band=Band(2500, 4000), **fire)[0])
    assert not then.keys() & in_force(engine).keys() - {key for key in then if key[0] == "消防"}
    with engine.connect() as connection:
        told = rollback(connection, number)
    assert told.systems == ["消防"]
    made = workflow_publishing.restore(engine, number)
    assert in_force(engine) == then
    with engine.connect() as connection:
        rows = (
            connection.execute(sa.select(t.generations).order_by(t.generations.c.id.desc()).limit(2)).mappings().all()
        )
        assert [row["restored"] for row in rows] == [number, number]
        assert [row["is_current"] for row in rows] == [True, False]
        last = plans.generation_of(connection)
        assert last is not None
        assert last.id == made.id
        assert read_current(connection, planned_copy.settings.home).professional.keys() == {"消防"}
        owned = connection.execute(
            sa.select(t.owners.c.level, sa.func.count()).where(t.owners.c.plan == made.plan).group_by(t.owners.c.level)
        ).all()
        units = connection.scalar(sa.select(sa.func.count()).select_from(t.units))
        assert dict(map(tuple, owned)) == {1: units, 2: units}  # type: ignore[arg-type]
    # before the first professional layer there was none
    workflow_publishing.restore(engine, 1)
    assert {system for system, _, _ in in_force(engine)} == {"综合"}


def test_a_draft_of_several_levels_is_the_published_plan(planned_copy: Any) -> None:
    engine, area = planned_copy.engine, planned_copy.area
    plan, _ = store_nested(engine, area)
    workflow.publish(engine, plan)
    before = in_force(engine)
    with engine.begin() as connection:
        draft = workflow_plans.draft_in_force(connection, area)
        rows = [ownership.units_of_plan(connection, plans.plan_row(connection, key)) for key in (plan, draft)]
        assert rows[0] is not None
        assert rows[1] is not None
        for column in ("grid", "grid_2"):
            assert (rows[0][column] == rows[1][column]).all()
    workflow.publish(engine, draft)
    assert in_force(engine) == before


def test_grids_inside_locked_ones_stay_too(planned_copy: Any) -> None:
    engine, area = planned_copy.engine, planned_copy.area
    nested, _ = store_nested(engine, area)
    g = t.grids.c
    with engine.begin() as connection:
        locked = plans.grids_of_plan(connection, nested)["code"].iloc[1]
        connection.execute(sa.update(t.grids).where(g.plan == nested, g.code == locked).values(locked=True, name="锁"))
        inner = sa.and_(g.plan == nested, g.parent == locked)
        connection.execute(sa.update(t.grids).where(inner).values(name=sa.func.concat("内", g.code)))
    for order in (
        workflow_plans.Order(area, BAND, plan=nested, preset="quick"),
        workflow_plans.Order(area, BAND, levels="300:500/100:260", plan=nested, preset="quick", seed=5),
    ):
        plan, _ = workflow_plans.plan_by_engine(engine, order)
        with engine.connect() as connection:
            old, new = (ownership.units_of_plan(connection, plans.plan_row(connection, key)) for key in (nested, plan))
            assert old is not None
            assert new is not None
            mine = old["grid"] == locked
            assert (new["grid"][mine] == locked).all()
            assert (new["grid_2"][mine] == old["grid_2"][mine]).all()
            assert not (new["grid"][~mine] == locked).any()
            assert new["grid_2"][~mine].notna().any() == bool(order.levels)
            columns = ["code", "name", "level", "parent", "households", "locked", "kind"]
            grids = [plans.grids_of_plan(connection, key)[columns] for key in (nested, plan)]
            before, after = (
                one[one["code"].str.startswith(locked)].sort_values("code").to_dict("records") for one in grids
            )
            assert before == after
            assert len(before) > 1
        assert workflow.publish(engine, plan).report.ok


def test_a_draft_of_what_several_plans_put_in_force(planned_copy: Any) -> None:
    """Each community published by a plan of its own, of units of its own set."""
    engine, area = planned_copy.engine, planned_copy.area
    with engine.connect() as connection:
        communities = [str(code) for code in plans.communities_of(connection, area)["code"]]
    for community in communities:
        with engine.begin() as connection:
            draft = workflow_plans.draft_in_force(connection, community)
        workflow.publish(engine, draft)
    with engine.begin() as connection:
        generation = plans.current_generation(connection)
        assert generation is not None
        assert plans.grids_in_force(connection, generation.id)["plan"].nunique() == len(communities)
        whole = workflow_plans.draft_in_force(connection, area)
        first, now = (
            ownership.units_of_plan(connection, plans.plan_row(connection, key)) for key in (planned_copy.plan, whole)
        )
        assert first is not None
        assert now is not None
        assert (first["grid"] == now["grid"]).all()
        grids = plans.grids_of_plan(connection, whole)
        old = plans.grids_of_plan(connection, planned_copy.plan)
    assert isinstance(grids, gpd.GeoDataFrame)
    assert np.array_equal(grids["code"], old["code"])
    ours, theirs = (one.geometry.to_crs(4547).area for one in (grids, old))
    assert np.allclose(ours, theirs, rtol=1e-9)
    assert grids["continues"].all()
    workflow.publish(engine, whole)
