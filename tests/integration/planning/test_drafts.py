"""Drafts begun in every way there is, and rolling back, held to what is stored."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import sqlalchemy as sa

from data import drafts, ownership, plans, previews
from data import tables as t
from data.in_force import read_current, read_in_force
from data.restoring import rollback
from data.unit_sets import unit_set_for
from gisgrid.errors import BadInput, Conflict, NotFound
from gisgrid.models import Band
from planning import workflow, workflow_plans, workflow_publishing
from planning.workflow_plans import Order

pytestmark = pytest.mark.postgis
OWNED = """
    SELECT o.level, u.unit_id, g.code FROM owners o JOIN units u ON u.id = o.unit JOIN grids g ON g.id = o.grid
    WHERE o.plan = :plan ORDER BY 1, 2
"""


def owned(connection: sa.Connection, plan: int) -> list[tuple[int, str, str]]:
    return [tuple(row) for row in connection.execute(sa.text(OWNED), {"plan": plan})]  # type: ignore[misc]


def shapes(connection: sa.Connection, plan: int) -> dict[str, Any]:
    grids = plans.grids_of_plan(connection, plan)
    return dict(zip(grids["code"], grids.geometry, strict=True))


def random_points(connection: sa.Connection, count: int = 2_000) -> tuple[np.ndarray, np.ndarray]:
    box = shapely.total_bounds(plans.grids_in_force(connection, 1).geometry.to_numpy())
    rng = np.random.default_rng(7)
    return rng.uniform(box[0], box[2], count), rng.uniform(box[1], box[3], count)


def test_an_empty_draft_has_every_unit_and_no_grid(planned_copy: Any) -> None:
    with planned_copy.engine.begin() as connection:
        plan = workflow_plans.empty_draft(connection, planned_copy.area, author="李工")
        row = plans.plan_row(connection, plan)
        assert (row.status, row.band, row.author) == ("draft", Band(300, 500), "李工")
        assert row.unit_set == plans.latest_unit_set(connection, planned_copy.area)
        assert plans.grids_of_plan(connection, plan).empty
        units = ownership.units_of_plan(connection, row)
        assert units is not None
        assert units["grid"].isna().all()
        with pytest.raises(Conflict, match="no grids"):
            workflow_publishing.publish_within(connection, plan)
        with pytest.raises(NotFound, match="not known"):
            workflow_plans.empty_draft(connection, "110000")


def test_a_draft_of_the_published_plan_is_that_plan(planned_copy: Any) -> None:
    with planned_copy.engine.begin() as connection:
        plan = workflow_plans.draft_in_force(connection, planned_copy.area)
        assert owned(connection, plan) == owned(connection, planned_copy.plan)
        ours, theirs = shapes(connection, plan), shapes(connection, planned_copy.plan)
        assert ours.keys() == theirs.keys()
        assert all(shapely.equals_exact(ours[code], theirs[code], 0) for code in ours)
        grids = plans.grids_of_plan(connection, plan)
        assert grids["continues"].all()
    before = read_codes(planned_copy)
    done = workflow.publish(planned_copy.engine, plan)
    assert done.generation.id == 2
    assert (read_codes(planned_copy) == before).all()


def read_codes(planned: Any) -> np.ndarray:
    with planned.engine.connect() as connection:
        lon, lat = random_points(connection)
        found = read_current(connection, planned.settings.home)
    return np.array([str(code) for code in found.index.codes(lon, lat)])


def test_grids_imported_without_units_get_units_by_largest_overlap(planned_copy: Any) -> None:
    """The published grids' owners are taken away, as if a file had been imported: the draft finds them again."""
    with planned_copy.engine.begin() as connection:
        before = owned(connection, planned_copy.plan)
        connection.execute(sa.delete(t.owners).where(t.owners.c.plan == planned_copy.plan))
        plan = workflow_plans.draft_in_force(connection, planned_copy.area)
        assert owned(connection, plan) == before
        ours, theirs = shapes(connection, plan), shapes(connection, planned_copy.plan)
        for code, shape in ours.items():
            assert shapely.symmetric_difference(shape, theirs[code]).area < 1e-12


def test_units_made_anew_take_the_grid_that_covers_most_of_them(planned_copy: Any) -> None:
    workflow.units_for_area(planned_copy.engine, planned_copy.area, max_households=200)
    with planned_copy.engine.begin() as connection:
        plan = workflow_plans.draft_in_force(connection, planned_copy.area)
        row = plans.plan_row(connection, plan)
        units = ownership.units_of_plan(connection, row)
        old = plans.grids_of_plan(connection, planned_copy.plan)
    assert units is not None
    assert row.unit_set == 2
    common = gpd.overlay(units.to_crs(4547)[["unit_id", "geometry"]], old.to_crs(4547)[["code", "geometry"]])
    common["m2"] = common.area
    most = common.sort_values("m2").groupby("unit_id")["code"].last()
    assert (units.set_index("unit_id")["grid"] == most.reindex(units["unit_id"])).all()


def test_a_community_alone_has_its_units_copied_and_keeps_its_grids(planned_copy: Any) -> None:
    with planned_copy.engine.begin() as connection:
        community = str(plans.communities_of(connection, planned_copy.area)["code"].iloc[0])
        if community == planned_copy.area:
            pytest.skip("the district is one community")
        plan = workflow_plans.draft_in_force(connection, community)
        row = plans.plan_row(connection, plan)
        assert row.area == community
        assert row.unit_set != plans.plan_row(connection, planned_copy.plan).unit_set
        assert unit_set_for(connection, community) == row.unit_set
        assert owned(connection, plan) == [
            one for one in owned(connection, planned_copy.plan) if one[2][:12] == community
        ]


def test_a_copy_has_grids_owners_and_locks(planned_copy: Any) -> None:
    with planned_copy.engine.begin() as connection:
        first = workflow_plans.draft_in_force(connection, planned_copy.area)
        code = min(shapes(connection, first))
        connection.execute(
            sa.update(t.grids)
            .where(t.grids.c.plan == first, t.grids.c.code == code)
            .values(locked=True, continues=False)
        )
        copy = drafts.duplicate(connection, first, name="再来一份", author="王工")
        row = plans.plan_row(connection, copy)
        assert (row.name, row.author, row.source, row.version) == ("再来一份", "王工", first, 1)
        assert owned(connection, copy) == owned(connection, first)
        columns = ["code", "name", "level", "households", "locked", "continues", "geometry"]
        ours, theirs = (plans.grids_of_plan(connection, plan)[columns] for plan in (copy, first))
        pd.testing.assert_frame_equal(pd.DataFrame(ours), pd.DataFrame(theirs))
        of_published = drafts.duplicate(connection, planned_copy.plan, name="copy")
        assert plans.grids_of_plan(connection, of_published)["continues"].all()
        drafts.delete(connection, copy)
        assert not owned(connection, copy)
        with pytest.raises(NotFound):
            plans.plan_row(connection, copy)
        with pytest.raises(Conflict, match="published"):
            drafts.locked_draft(connection, planned_copy.plan)


def test_the_engine_leaves_locked_grids_as_they_are(planned_copy: Any) -> None:
    with planned_copy.engine.begin() as connection:
        first = workflow_plans.draft_in_force(connection, planned_copy.area)
        grids = plans.grids_of_plan(connection, first)
        kept = grids[grids["kind"] == "ordinary"]["code"].iloc[[0, 2]].tolist()
        changes = {"locked": True, "name": "锁定的网格"}
        connection.execute(
            sa.update(t.grids).where(t.grids.c.plan == first, t.grids.c.code.in_(kept)).values(**changes)
        )
        connection.execute(
            sa.update(t.grids).where(t.grids.c.plan == first, t.grids.c.code == kept[1]).values(continues=False)
        )
    seen: list[np.ndarray] = []
    order = Order(planned_copy.area, Band(250, 450), plan=first, seed=4, preset="quick", name="新方案", author="赵工")
    plan, _ = workflow_plans.plan_by_engine(planned_copy.engine, order, watch=lambda label, _: seen.append(label))
    assert seen
    with planned_copy.engine.connect() as connection:
        row, now = plans.plan_row(connection, plan), plans.grids_of_plan(connection, plan)
        assert (row.name, row.author, row.source, row.band) == ("新方案", "赵工", first, Band(250, 450))
        before, after = (
            {code: {u for _, u, c in owned(connection, one) if c == code} for code in kept} for one in (first, plan)
        )
        assert before == after
        same = now[now["code"].isin(kept)]
        assert same["locked"].all()
        assert set(same["name"]) == {"锁定的网格"}
        assert dict(zip(same["code"], same["continues"], strict=True)) == {kept[0]: True, kept[1]: False}
        assert not now[~now["code"].isin(kept)]["locked"].any()
        taken = set(plans.codes_ever_published(connection, now["community"].unique().tolist()))
        assert not set(now["code"]) - set(kept) & taken


def test_what_an_order_may_not_say(planned: Any) -> None:
    with planned.engine.connect() as connection:
        for wrong, said in (
            ({"weights": {"street": 11.0}}, "factor from 0 to 10"),
            ({"weights": {"beauty": 1.0}}, "is no weight"),
            ({"preset": "best"}, "preset"),
            ({"levels": "300:500/entrance"}, "entrance"),
            ({"time_limit": 0.0}, "time_limit"),
            ({"seed": -1}, "seed"),
        ):
            with pytest.raises(BadInput, match=said):
                workflow_plans.check_order(connection, Order(planned.area, Band(300, 500), **wrong))  # type: ignore[arg-type]
        with pytest.raises(Conflict, match="published"):
            workflow_plans.check_order(connection, Order(planned.area, Band(300, 500), plan=planned.plan))


def test_a_stopped_run_is_kept_as_a_marked_draft(planned_copy: Any) -> None:
    order = Order(planned_copy.area, Band(300, 500), preset="quick")
    seen: list[np.ndarray] = []
    workflow_plans.plan_by_engine(planned_copy.engine, order, watch=lambda label, _: seen.append(label.copy()))
    label = seen[0]
    label[:5] = -1
    left = int((label < 0).sum())
    with planned_copy.engine.begin() as connection:
        unit_set = unit_set_for(connection, planned_copy.area)
        plan = workflow_plans.keep_preview(connection, order, previews.Preview(1, unit_set, {}, label))
        row = plans.plan_row(connection, plan)
        assert not row.feasible
        assert row.reasons[0]["code"] == "stopped"
        assert f"{left} units" in row.reasons[0]["text"]
        units = ownership.units_of_plan(connection, row)
        assert units is not None
        assert units["grid"].isna().sum() == left
        used = label >= 0
        assert pd.crosstab(units["grid"][used], label[used]).gt(0).to_numpy().sum() == len(np.unique(label[used]))
        sums = units[used].groupby("grid")["households"].sum()
        grids = plans.grids_of_plan(connection, plan).set_index("code")
        assert (grids["households"] == sums).all()


def test_restoring_brings_every_answer_back(planned_copy: Any) -> None:
    engine, home = planned_copy.engine, planned_copy.settings.home
    before = read_codes(planned_copy)
    second, _, _ = workflow.plan_for_area(engine, planned_copy.area, band=Band(450, 750))
    workflow.publish(engine, second)
    assert (read_codes(planned_copy) != before).any()
    with engine.connect() as connection:
        told = rollback(connection, 1)
        grids = plans.grids_in_force(connection, 1)
        assert told.back == len(grids)
        assert told.households == grids["households"].sum()
        assert told.ended == len(plans.grids_in_force(connection, 2))
    made = workflow_publishing.restore(engine, 1, note="回退", author="李工")
    assert (made.id, made.restored, made.note, made.author) == (3, 1, "回退", "李工")
    assert (read_codes(planned_copy) == before).all()
    with engine.connect() as connection:
        assert owned(connection, made.plan) == owned(connection, planned_copy.plan)
        row = plans.plan_row(connection, made.plan)
        assert (row.status, row.area, row.source) == ("published", planned_copy.area, planned_copy.plan)
        assert row.unit_set == plans.plan_row(connection, planned_copy.plan).unit_set
        lon, lat = random_points(connection)
        old = read_in_force(connection, plans.generation_by_id(connection, 2), home)
        assert (old.index.codes(lon, lat) != before).any()  # generations passed stay as they were
        assert plans.owned_units(connection, 3)["grid"].tolist() == plans.owned_units(connection, 1)["grid"].tolist()
    with pytest.raises(Conflict, match="nothing to restore"):
        workflow_publishing.restore(engine, 3)
    with pytest.raises(NotFound):
        workflow_publishing.restore(engine, 9)
    # a retired code named that grid only: a new plan may not take it, the same grid may
    workflow_publishing.restore(engine, 2)
    with engine.connect() as connection:
        codes = set(plans.grids_in_force(connection, 4)["code"])
        assert codes == set(plans.grids_in_force(connection, 2)["code"])
