"""Units → plan → check → publish → locate on stored data, held to the database's own answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
import sqlalchemy as sa

from api.current import CurrentGrids
from data import plans
from data import tables as t
from data.in_force import read_in_force
from gisgrid.coverage import check
from gisgrid.errors import BadInput, Conflict, NotFound
from gisgrid.models import Band
from planning import workflow

pytestmark = pytest.mark.postgis
BAND = Band(300, 500)

SQL_OWNER = """
SELECT (SELECT min(g.code COLLATE "C") FROM grids g
        WHERE upper_inf(g.generations) AND g.geometry && p.point AND ST_Covers(g.geometry, p.point))
FROM unnest(CAST(:lon AS float8[]), CAST(:lat AS float8[])) WITH ORDINALITY AS q(lon, lat, n),
     LATERAL (SELECT ST_SetSRID(ST_MakePoint(q.lon, q.lat), 4490) AS point) p
ORDER BY q.n
"""


def owners_by_sql(connection: sa.Connection, lon: Any, lat: Any) -> list[str | None]:
    rows = connection.execute(sa.text(SQL_OWNER), {"lon": list(map(float, lon)), "lat": list(map(float, lat))})
    return list(rows.scalars())


def test_locate_equals_the_sql_rule_on_random_points_vertices_and_midpoints(planned: Any) -> None:
    with planned.engine.connect() as connection:
        generation = plans.current_generation(connection)
        assert generation is not None
        index = read_in_force(connection, generation, planned.settings.home).index
        shapes = plans.grids_in_force(connection, generation.id).geometry.to_numpy()
        west, south, east, north = shapely.total_bounds(shapes)
        rng = np.random.default_rng(11)
        margin = 0.002
        lon = rng.uniform(west - margin, east + margin, 10_000)
        lat = rng.uniform(south - margin, north + margin, 10_000)
        assert index.codes(lon, lat).tolist() == owners_by_sql(connection, lon, lat)
        vertices, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(shapes)), return_index=True)
        middle = ((vertices[:-1] + vertices[1:]) / 2)[ring[:-1] == ring[1:]]
        for points in (np.unique(vertices, axis=0), np.unique(middle, axis=0)):
            ours = index.codes(points[:, 0], points[:, 1]).tolist()
            assert ours == owners_by_sql(connection, points[:, 0], points[:, 1])


def test_grids_in_force_cover_the_area_once_and_keep_the_hard_rules(planned: Any) -> None:
    with planned.engine.connect() as connection:
        grids = plans.grids_of_plan(connection, planned.plan)
        communities = plans.communities_of(connection, planned.area)
        row = plans.plan_row(connection, planned.plan)
    report = check(grids, communities, band=BAND)
    assert report.ok, report.lines()
    assert report.gap_m2 + report.overlap_m2 < 1
    ordinary = grids[grids["kind"] == "ordinary"]
    assert row.feasible
    assert ordinary["households"].between(BAND.low, BAND.high).all()
    assert grids["households"].sum() == planned.district.layers["buildings"]["households"].sum()
    assert (grids["code"].str[:12] == grids["community"]).all()


def test_sql_finds_neither_gap_nor_overlap(planned: Any) -> None:
    """The same verdict from PostGIS alone, in square metres on the ellipsoid."""
    with planned.engine.connect() as connection:
        overlap = connection.scalar(
            sa.text(
                "SELECT coalesce(sum(ST_Area(ST_Transform(ST_Intersection(a.geometry, b.geometry), 4326)::geography)), 0) "
                "FROM grids a JOIN grids b ON a.id < b.id AND ST_Intersects(a.geometry, b.geometry) "
                "WHERE upper_inf(a.generations) AND upper_inf(b.generations) "
                "AND ST_Dimension(ST_Intersection(a.geometry, b.geometry)) = 2"
            )
        )
        gap = connection.scalar(
            sa.text(
                "SELECT ST_Area(ST_Transform(ST_Difference((SELECT ST_Union(geometry) FROM areas WHERE level = 'community'), "
                "(SELECT ST_Union(geometry) FROM grids WHERE upper_inf(generations))), 4326)::geography)"
            )
        )
    assert overlap < 0.5
    assert gap < 0.5


def test_every_unit_has_one_owner_whose_geometry_is_their_union(planned: Any) -> None:
    with planned.engine.connect() as connection:
        units = connection.scalar(sa.text("SELECT count(*) FROM units"))
        owned = connection.scalar(sa.text("SELECT count(*) FROM owners"))
        assert units == owned
        worst = connection.scalar(
            sa.text(
                "SELECT max(abs(ST_Area(g.geometry) - s.area) / ST_Area(g.geometry)) FROM grids g JOIN "
                "(SELECT o.grid, sum(ST_Area(u.geometry)) AS area FROM owners o JOIN units u ON u.id = o.unit GROUP BY 1) s "
                "ON s.grid = g.id"
            )
        )
    assert worst < 1e-6


def test_same_seed_gives_the_same_plan(planned_copy: Any) -> None:
    engine, area = planned_copy.engine, planned_copy.area
    found = [workflow.plan_for_area(engine, area, band=BAND, seed=3)[2] for _ in range(2)]
    assert (found[0].assignment == found[1].assignment).all()
    assert shapely.equals_exact(found[0].grids.geometry.to_numpy(), found[1].grids.geometry.to_numpy()).all()


def test_publishing_opens_a_generation_and_keeps_the_old_one_askable(planned_copy: Any) -> None:
    engine, area = planned_copy.engine, planned_copy.area
    with engine.connect() as connection:
        first = plans.current_generation(connection)
        assert first is not None
        before = set(plans.grids_in_force(connection, first.id)["code"])
    plan, _, _ = workflow.plan_for_area(engine, area, band=Band(200, 400), seed=5)
    done = workflow.publish(engine, plan, note="narrower")
    with engine.connect() as connection:
        second = plans.current_generation(connection)
        assert second is not None
        assert (second.id, second.note) == (done.generation.id, "narrower")
        now = set(plans.grids_in_force(connection, second.id)["code"])
        assert set(plans.grids_in_force(connection, first.id)["code"]) == before, "the old generation still answers"
        currents = connection.scalar(
            sa.select(sa.func.count()).select_from(t.generations).where(t.generations.c.is_current)
        )
    assert not now & before, "a retired code never names another grid"
    assert currents == 1


def test_a_plan_near_the_grids_in_force_keeps_their_codes(planned_copy: Any) -> None:
    engine, area = planned_copy.engine, planned_copy.area
    with engine.connect() as connection:
        before = workflow.read_grids_in_force(connection, area)
    lock = str(before["code"].iloc[0])
    plan, _, result = workflow.plan_for_area(engine, area, band=Band(200, 400), keep=True, locked=[lock])
    assert result.changes is not None
    assert 0 < result.changes.moved_share < 0.5
    assert result.stats["households_moved"] >= result.stats["households_moved_least"]
    workflow.publish(engine, plan)
    with engine.connect() as connection:
        after = workflow.read_grids_in_force(connection, area)
        same = connection.execute(
            sa.text(
                "SELECT a.code, ST_Equals(a.geometry, b.geometry) FROM grids a JOIN grids b USING (code) "
                "WHERE upper_inf(a.generations) AND NOT upper_inf(b.generations)"
            )
        ).all()
    assert set(after["code"]) == set(result.grids["code"])
    assert set(result.changes.heirs) == set(before["code"]) & set(after["code"])
    assert set(result.changes.births) == set(after["code"]) - set(before["code"])
    assert dict(same)[lock] is True
    again, _, second = workflow.plan_for_area(engine, area, band=Band(200, 400), keep=True)
    assert second.changes is not None
    assert second.changes.moved_households <= 0.02 * second.changes.households, "already in band: next to nobody moves"
    assert plans_of(engine, again) == set(second.grids["code"])


def plans_of(engine: Any, plan: int) -> set[str]:
    with engine.connect() as connection:
        return set(plans.grids_of_plan(connection, plan)["code"])


def test_a_draft_made_before_another_publish_gets_fresh_codes(planned_copy: Any) -> None:
    engine, area = planned_copy.engine, planned_copy.area
    drafts = [workflow.plan_for_area(engine, area, band=BAND, seed=seed)[0] for seed in (1, 2)]
    for draft in drafts:
        workflow.publish(engine, draft)
    with engine.connect() as connection:
        used = connection.execute(
            sa.text("SELECT code, count(*) FROM grids WHERE generations IS NOT NULL GROUP BY 1")
        ).all()
        generation = plans.current_generation(connection)
        assert generation is not None
        assert check(plans.grids_in_force(connection, generation.id), plans.communities_of(connection, area)).ok
    assert all(count == 1 for _, count in used)


def test_a_published_plan_is_not_published_twice(planned_copy: Any) -> None:
    with pytest.raises(Conflict, match="published already"):
        workflow.publish(planned_copy.engine, planned_copy.plan)
    with pytest.raises(NotFound):
        workflow.publish(planned_copy.engine, 12345)


def test_a_plan_with_a_hole_is_refused_and_changes_nothing(planned_copy: Any) -> None:
    engine, area = planned_copy.engine, planned_copy.area
    plan, _, _ = workflow.plan_for_area(engine, area, band=BAND, seed=9)
    with engine.begin() as connection:
        connection.execute(
            sa.text("DELETE FROM grids WHERE id = (SELECT min(id) FROM grids WHERE plan = :p)"), {"p": plan}
        )
    with pytest.raises(Conflict, match="cannot be published"):
        workflow.publish(engine, plan)
    with engine.connect() as connection:
        assert plans.plan_row(connection, plan).status == "draft"
        generation = plans.current_generation(connection)
    assert generation is not None
    assert generation.plan == planned_copy.plan


def test_the_service_notices_a_new_generation_whole(planned_copy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.current.CHECK_SECONDS", 0.0)
    current = CurrentGrids(planned_copy.engine, planned_copy.settings.home)
    first = current.get()
    plan, _, _ = workflow.plan_for_area(planned_copy.engine, planned_copy.area, band=Band(200, 400))
    workflow.publish(planned_copy.engine, plan)
    second = current.get()
    assert first is not None
    assert second is not None
    assert second.generation.id > first.generation.id
    assert len(second.index) == len(second.grids)
    assert current.get() is second, "unchanged generations are not loaded again"


def test_unknown_areas_and_empty_ones_are_named(planned_copy: Any) -> None:
    with pytest.raises(NotFound, match="999999"):
        workflow.units_for_area(planned_copy.engine, "999999")
    with planned_copy.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM buildings"))
    with pytest.raises(BadInput, match="no buildings"):
        workflow.units_for_area(planned_copy.engine, planned_copy.area)
