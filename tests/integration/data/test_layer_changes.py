"""Notes of changes: revisions differ exactly when rows do, and late transactions are not missed."""

from __future__ import annotations

import sqlalchemy as sa

from data import drafts
from data import tables as t
from data.layer_changes import revisions, revisions_since, rows_changed_since, seen
from planning import workflow, workflow_plans
from tests.conftest import Planned

POINT = "SRID=4490;POINT(116.3 39.9)"


def add(connection: sa.Connection, barrier_id: str) -> int:
    made = sa.insert(t.barriers).values(source="test", barrier_id=barrier_id, kind="gate", geometry=POINT)
    return int(connection.scalar(made.returning(t.barriers.c.id)))


def test_rows_changed_are_named_and_revisions_differ(planned_copy: Planned) -> None:
    with planned_copy.engine.begin() as connection:
        before, first = seen(connection, "barriers"), revisions(connection, ["barriers", "walls"])
    with planned_copy.engine.begin() as connection:
        new = add(connection, "a")
    with planned_copy.engine.connect() as connection:
        now = revisions(connection, ["barriers", "walls"])
        assert now["barriers"] != first["barriers"]
        assert now["walls"] == first["walls"]
        if before.newest:
            assert rows_changed_since(connection, "barriers", before) == [new]
        between = seen(connection, "barriers")
        assert rows_changed_since(connection, "barriers", between) == []
    with planned_copy.engine.begin() as connection:
        connection.execute(sa.update(t.barriers).where(t.barriers.c.id == new).values(kind="bollard"))
        connection.execute(sa.update(t.barriers).where(t.barriers.c.id == -1).values(kind="bollard"))
    with planned_copy.engine.begin() as connection:
        connection.execute(sa.delete(t.barriers).where(t.barriers.c.id == new))
    with planned_copy.engine.connect() as connection:
        assert rows_changed_since(connection, "barriers", between) == [new]


def test_a_transaction_that_commits_late_is_seen(planned_copy: Planned) -> None:
    with planned_copy.engine.begin() as connection:
        add(connection, "zero")
    with planned_copy.engine.connect() as slow, planned_copy.engine.connect() as reader:
        late = add(slow, "late")
        with planned_copy.engine.begin() as quick:
            add(quick, "quick")
        before, revision = seen(reader, "barriers"), revisions(reader, ["barriers"])
        reader.commit()
        slow.commit()
        assert rows_changed_since(reader, "barriers", before) == [late]
        assert revisions(reader, ["barriers"]) != revision


def test_many_rows_ask_for_reading_all_anew(planned_copy: Planned) -> None:
    with planned_copy.engine.begin() as connection:
        add(connection, "zero")
        before = seen(connection, "barriers")
    with planned_copy.engine.begin() as connection:
        rows = [{"source": "test", "barrier_id": str(n), "geometry": POINT} for n in range(1100)]
        connection.execute(sa.insert(t.barriers).values(rows))
    with planned_copy.engine.connect() as connection:
        assert rows_changed_since(connection, "barriers", before) is None


def test_mercator_is_longitude_and_latitude_on_the_sphere(planned_copy: Planned) -> None:
    with planned_copy.engine.begin() as connection:
        for number, (lon, lat) in enumerate([(116.3, 39.9), (-179.5, -60.0), (10.0, 89.9)]):
            point = f"SRID=4490;POINT({lon} {lat})"
            connection.execute(sa.insert(t.barriers).values(source="m", barrier_id=str(number), geometry=point))
        query = sa.text(
            "SELECT ST_IsEmpty(mercator), ST_X(mercator), radians(ST_X(geometry)) * 6378137, ST_Y(mercator), "
            "ln(tan(pi() / 4 + radians(ST_Y(geometry)) / 2)) * 6378137 FROM barriers WHERE source = 'm' ORDER BY id"
        )
        rows = connection.execute(query).all()
    assert [row[0] for row in rows] == [False, False, True]
    for _, x, wanted_x, y, wanted_y in rows[:2]:
        assert abs(x - wanted_x) < 1e-3
        assert abs(y - wanted_y) < 1e-3


def test_revisions_are_read_again_only_after_a_transaction_ended(planned_copy: Planned) -> None:
    with planned_copy.engine.connect() as reader:
        reader = reader.execution_options(isolation_level="AUTOCOMMIT")
        first = revisions_since(reader, ["barriers", "walls"], None)
        assert revisions_since(reader, ["barriers", "walls"], first) is first
        with planned_copy.engine.begin() as late, planned_copy.engine.begin() as early:
            add(late, "late")
            add(early, "early")
            early.commit()
            second = revisions_since(reader, ["barriers", "walls"], first)
            assert second.tables["barriers"] != first.tables["barriers"]
            assert second.tables["walls"] == first.tables["walls"]
            late.commit()
            third = revisions_since(reader, ["barriers", "walls"], second)
            assert third.tables["barriers"] != second.tables["barriers"]
            assert third.tables == revisions(reader, ["barriers", "walls"])


def test_sessions_plan_for_the_values_given(planned: Planned) -> None:
    with planned.engine.connect() as connection:
        assert connection.scalar(sa.text("SHOW plan_cache_mode")) == "force_custom_plan"
        connection.rollback()
        assert connection.scalar(sa.text("SHOW plan_cache_mode")) == "force_custom_plan"


def test_what_changes_drafts_alone_leaves_what_is_in_force_as_it_was(planned_copy: Planned) -> None:
    engine, names = planned_copy.engine, ["draft_grids", "draft_plans", "grids", "plans"]

    def noted(*statements: sa.Executable) -> set[str]:
        with engine.connect() as connection:
            before = revisions(connection, names)
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(statement)
        with engine.connect() as connection:
            now = revisions(connection, names)
        return {name for name in names if now[name] != before[name]}

    g, p = t.grids, t.plans
    with engine.begin() as connection:
        plan = workflow_plans.draft_in_force(connection, planned_copy.area)
    renamed = sa.update(g).values(name=g.c.name + "改")
    assert noted(renamed.where(g.c.plan == plan)) == {"draft_grids"}
    assert noted(sa.update(p).values(note="改").where(p.c.id == plan)) == {"draft_plans"}
    assert noted(renamed.where(g.c.plan == planned_copy.plan)) == {"grids"}
    assert noted(renamed) == {"grids"}
    assert noted(sa.update(p).values(note="都改")) == {"plans"}
    with engine.begin() as connection:
        other = drafts.duplicate(connection, plan, name="另一稿")
    assert noted(sa.delete(g).where(g.c.plan == other), sa.delete(p).where(p.c.id == other)) == set(names[:2])
    assert noted(sa.text("TRUNCATE grids CASCADE")) == {"grids"}


def test_publishing_a_draft_changes_what_is_in_force(planned_copy: Planned) -> None:
    with planned_copy.engine.begin() as connection:
        plan = workflow_plans.draft_in_force(connection, planned_copy.area)
    with planned_copy.engine.connect() as connection:
        before = revisions(connection, ["grids", "plans", "generations"])
    workflow.publish(planned_copy.engine, plan)
    with planned_copy.engine.connect() as connection:
        now = revisions(connection, ["grids", "plans", "generations"])
    assert all(now[name] != before[name] for name in now)
