"""Eight professional systems beside the comprehensive grids: stored, published, and held against PostGIS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import geopandas as gpd
import pandas as pd
import psycopg
import pytest
import shapely
import sqlalchemy as sa

from api.app import create_app
from data import db, embedded, plans
from data.grid_systems import professional_system
from data.importers import clean_layer
from data.in_force import read_in_force
from data.intake import clean_layers, store_grids, store_layers, store_professional
from gisgrid.errors import BadInput, Conflict, NotFound
from gisgrid.models import Band
from gisgrid.settings import Settings
from planning import workflow
from planning.crosswalk import summary

pytestmark = pytest.mark.postgis
FUSED = {"police": Band(700, 1800), "fire": Band(1500, 2200), "market": Band(1000, 2000), "justice": Band(3000, 4000)}
BROUGHT = {"sanitation": 0.0, "urban-management": 0.0009, "environment": -0.0007, "health": 0.00001}
"""Systems imported as layers, and how far (degrees) their borders lie off those of the old grids."""

SQL_AREAS = """
SELECT g.code AS grid, p.system, p.code AS professional,
       ST_Area(ST_Intersection(ST_Transform(g.geometry, :srid), ST_Transform(p.geometry, :srid))) AS m2,
       ST_Area(ST_Transform(g.geometry, :srid)) AS grid_m2
FROM grids g JOIN grids p ON ST_Intersects(g.geometry, p.geometry)
WHERE upper_inf(g.generations) AND upper_inf(p.generations) AND g.system = '综合' AND g.level = 1 AND p.system <> '综合'
"""
SQL_HOUSEHOLDS = """
WITH part AS (
  SELECT o.unit, g.code AS grid, p.system, p.code, u.households,
         ST_Area(ST_Intersection(u.geometry, p.geometry)) AS m2, ST_Area(u.geometry) AS unit_m2
  FROM owners o JOIN grids g ON g.id = o.grid JOIN units u ON u.id = o.unit
  JOIN grids p ON p.system <> '综合' AND upper_inf(p.generations) AND ST_Intersects(u.geometry, p.geometry)
  WHERE upper_inf(g.generations) AND g.system = '综合' AND o.level = 1),
best AS (SELECT DISTINCT ON (unit, system) * FROM part ORDER BY unit, system, m2 DESC, code),
inside AS (SELECT unit, system, sum(m2) AS m2 FROM part GROUP BY 1, 2)
SELECT best.grid, best.system, best.code AS professional, sum(best.households) AS households
FROM best JOIN inside USING (unit, system) WHERE best.unit_m2 - inside.m2 <= best.m2
GROUP BY 1, 2, 3 HAVING sum(best.households) > 0
"""


def bring(engine: sa.Engine, grids: gpd.GeoDataFrame, key: str, **columns: Any) -> int:
    """Import polygons as the grids of a system, a draft plan."""
    system = professional_system(key)
    layer = gpd.GeoDataFrame(columns, geometry=grids.geometry.to_numpy(), crs=grids.crs)
    rows, report = clean_layer(layer, "professional")
    return store_professional(engine, rows, report, source=key, band=system.band, system=system)


def fuse(engine: sa.Engine, area: str, key: str, band: Band, **options: Any) -> int:
    system = professional_system(key)
    return workflow.fuse_for_area(
        engine, area, system=system.name, object_code=system.object_code, band=band, **options
    )[0]


def admin(cluster: embedded.Cluster, statement: str) -> None:
    with psycopg.connect(
        host=str(cluster.socket), user=embedded.ROLE, dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(statement)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def eight(planned: Any, cluster: Any) -> Iterator[Any]:
    """A copy of the planned district with eight systems in force."""
    planned.engine.dispose()  # a template must have no connections
    admin(cluster, "CREATE DATABASE eight TEMPLATE planned")
    settings = Settings(home=planned.settings.home, database_url=cluster.url_of("eight"), anonymous=("analyst",))
    with db.database(settings) as engine:
        for key, band in FUSED.items():
            workflow.publish(engine, fuse(engine, planned.area, key, band))
        old = planned.district.layers["grids"]
        for key, shift in BROUGHT.items():
            workflow.publish(engine, bring(engine, old.set_geometry(old.translate(shift, shift / 2)), key))
        yield replace(planned, settings=settings, engine=engine)
    admin(cluster, "DROP DATABASE eight WITH (FORCE)")


def test_eight_systems_are_in_force_beside_the_comprehensive_grids(eight: Any) -> None:
    with eight.engine.connect() as connection:
        generation = plans.current_generation(connection)
        assert generation is not None
        rows = plans.stored_systems(connection, generation.id)
    assert rows[0]["system"] == "综合"
    assert rows[0]["generation"] == 1
    assert len(rows) == 9
    assert {row["households"] for row in rows if row["generation"] <= 5} == {3428}


def test_areas_equal_those_of_postgis(eight: Any) -> None:
    rows = workflow.crosswalk_in_force(eight.engine, eight.area)
    srid = rows.crs.to_epsg()
    with eight.engine.connect() as connection:
        expected = pd.DataFrame(connection.execute(sa.text(SQL_AREAS), {"srid": srid}).mappings())
    share = expected["m2"] / expected["grid_m2"]
    real = expected[(expected["m2"] >= 1) & (share >= 0.001)].set_index(["grid", "system", "professional"])["m2"]
    found = rows[rows["professional"].notna()].set_index(["grid", "system", "professional"])["area_m2"]
    missing = real.index.difference(found.index)
    extra = found.index.difference(real.index)
    assert len(missing) == 0
    assert (found[extra] < 60).all(), "only slivers in which people live"
    both = found.index.intersection(real.index)
    assert len(both) > 100
    assert (found[both] - real[both]).abs().max() < 0.01
    whole = rows.groupby(["grid", "system"])["area_share"].sum()
    slivers = rows.groupby(["grid", "system"])["sliver_m2"].sum()
    ground = expected.drop_duplicates("grid").set_index("grid")["grid_m2"]
    told = whole + slivers / slivers.index.get_level_values("grid").map(ground)
    assert told.between(1 - 1e-6, 1 + 1e-6).all()


def test_households_equal_those_of_postgis(eight: Any) -> None:
    rows = workflow.crosswalk_in_force(eight.engine, eight.area)
    with eight.engine.connect() as connection:
        expected = pd.DataFrame(connection.execute(sa.text(SQL_HOUSEHOLDS)).mappings())
    key = ["grid", "system", "professional"]
    found = rows[rows["professional"].notna() & (rows["households"] > 0)].set_index(key)["households"]
    assert found.sort_index().to_dict() == expected.set_index(key)["households"].astype(int).to_dict()
    total = rows.groupby("system")["households"].sum()
    assert set(total) == {3428}
    shares = rows.groupby(["grid", "system"])["household_share"].sum(min_count=1).dropna()
    assert shares.between(1 - 1e-9, 1 + 1e-9).all()


def test_fused_systems_nest_and_shifted_ones_do_not(eight: Any) -> None:
    found = {one["system"]: one for one in summary(workflow.crosswalk_in_force(eight.engine))["systems"]}
    for key in FUSED:
        one = found[professional_system(key).name]
        assert (one["whole_share"], one["whole_household_share"], one["conflicts"]) == (1.0, 1.0, [])
    shifted = found[professional_system("urban-management").name]
    assert shifted["whole_share"] < 1
    assert shifted["conflicts"]
    assert shifted["uncovered_m2"] > 1000
    assert len(found) == 8
    only = workflow.crosswalk_in_force(eight.engine, systems=["消防"])
    assert set(only["system"]) == {"消防"}
    with pytest.raises(NotFound, match="of system 水务 are in force"):
        workflow.crosswalk_in_force(eight.engine, systems=["水务"])


def test_the_service_shows_comprehensive_grids_unless_asked(eight: Any, planned: Any) -> None:
    client = create_app(eight.settings, eight.engine).test_client()
    before = create_app(planned.settings, planned.engine).test_client()
    for url in ("/api/v1/grids?limit=100", "/api/v1/grids?level=1"):
        mine, theirs = client.get(url).get_json(), before.get(url).get_json()
        assert mine["features"] == theirs["features"]
    fire = client.get("/api/v1/grids?system=fire").get_json()
    assert fire["numberMatched"] == 2
    assert all(one["properties"]["system"] == "消防" and len(one["id"]) == 20 for one in fire["features"])
    both = client.get("/api/v1/grids?system=消防,police&limit=1").get_json()
    with eight.engine.connect() as connection:
        generation = plans.current_generation(connection)
        assert generation is not None
        police = plans.grids_in_force(connection, generation.id, system="公安")
        index = read_in_force(connection, generation, eight.settings.home)
    assert both["numberMatched"] == 2 + len(police)
    assert {grid["code"] for grid in index.grids} == {
        one["id"] for one in before.get("/api/v1/grids").get_json()["features"]
    }
    code = fire["features"][0]["id"]
    assert client.get(f"/api/v1/grids/{code}").get_json()["properties"]["system"] == "消防"
    mine, theirs = (one.get("/api/v1/overview").get_json() for one in (client, before))
    assert mine["counts"]["grids"] == theirs["counts"]["grids"]
    assert mine["band"] == theirs["band"], "a professional band is not the grids' band"
    assert mine["circles"] == theirs["circles"] is not None, "circles stay those of the comprehensive grids"
    summaries = [one.get("/api/v1/circles").get_json()["categories"] for one in (client, before)]
    assert summaries[0] == summaries[1]
    grid = before.get("/api/v1/grids").get_json()["features"][0]["id"]
    details = [one.get(f"/api/v1/grids/{grid}").get_json()["properties"]["circles"] for one in (client, before)]
    assert details[0] == details[1] != []
    assert workflow.check_in_force(eight.engine).ok


def codes_of(engine: sa.Engine, system: str) -> set[str]:
    with engine.connect() as connection:
        generation = plans.current_generation(connection)
        assert generation is not None
        return set(plans.grids_in_force(connection, generation.id, system=system, level=None)["code"])


def test_publishing_one_system_leaves_the_others_in_force(planned_copy: Any) -> None:
    engine, area = planned_copy.engine, planned_copy.area
    comprehensive = codes_of(engine, "综合")
    workflow.publish(engine, fuse(engine, area, "fire", FUSED["fire"]))
    workflow.publish(engine, fuse(engine, area, "police", FUSED["police"]))
    assert codes_of(engine, "综合") == comprehensive
    fire = codes_of(engine, "消防")
    workflow.publish(engine, workflow.plan_for_area(engine, area, band=Band(200, 400))[0])
    assert codes_of(engine, "消防") == fire
    assert not codes_of(engine, "综合") & comprehensive
    police = codes_of(engine, "公安")
    workflow.publish(engine, fuse(engine, area, "fire", FUSED["fire"]))
    again = codes_of(engine, "消防")
    assert len(again) == len(fire)
    assert not again & fire, "retired professional codes do not return either"
    assert codes_of(engine, "公安") == police


def test_a_layer_brought_again_goes_on_under_its_codes(planned_copy: Any) -> None:
    engine = planned_copy.engine
    old = planned_copy.district.layers["grids"]
    workflow.publish(engine, bring(engine, old, "sanitation"))
    codes = sorted(codes_of(engine, "环卫"))
    assert len(codes) == len(old)
    moved = old.set_geometry(old.translate(0.0002, 0))
    workflow.publish(engine, bring(engine, moved, "sanitation", code=codes))
    assert sorted(codes_of(engine, "环卫")) == codes
    workflow.publish(engine, bring(engine, moved, "sanitation"))
    assert not codes_of(engine, "环卫") & set(codes), "without codes they are new grids"
    late = bring(engine, old, "sanitation", code=codes)
    workflow.publish(engine, late)
    assert not codes_of(engine, "环卫") & set(codes), "those codes are retired"


def test_comprehensive_grids_brought_again_go_on_too(planned_copy: Any) -> None:
    engine = planned_copy.engine
    with engine.connect() as connection:
        mine = plans.grids_of_plan(connection, planned_copy.plan)[["code", "name", "households", "geometry"]]
    rows, report = clean_layer(mine, "grids")
    workflow.publish(engine, store_grids(engine, rows, report, source="edited", band=Band(300, 500)))
    assert codes_of(engine, "综合") == set(mine["code"])
    workflow.publish(engine, fuse(engine, planned_copy.area, "fire", FUSED["fire"]))
    found = workflow.crosswalk_in_force(engine)
    assert found["households"].sum() == 3428, "without units, buildings tell where people live"


def test_households_are_counted_from_buildings_where_the_layer_has_none(planned_copy: Any) -> None:
    engine = planned_copy.engine
    with engine.connect() as connection:
        outline = plans.communities_of(connection, planned_copy.area)
    plan = bring(engine, outline, "police")
    with engine.connect() as connection:
        (row,) = plans.grids_of_plan(connection, plan).to_dict("records")
    assert (row["households"], row["community"]) == (3428, outline["code"][0])
    assert row["code"] == f"990100{outline['code'][0]}00"


def test_a_layer_that_would_cut_into_grids_that_go_on_is_refused(planned_copy: Any) -> None:
    engine = planned_copy.engine
    with engine.connect() as connection:
        outline = plans.communities_of(connection, planned_copy.area)
    workflow.publish(engine, bring(engine, outline, "fire"))
    west, south, east, north = outline.total_bounds
    part = gpd.GeoDataFrame(geometry=[shapely.box(west, south, (3 * west + east) / 4, north)], crs=outline.crs)
    plan = bring(engine, part, "fire")
    with pytest.raises(Conflict, match="which would go on"):
        workflow.publish(engine, plan)
    workflow.publish(engine, bring(engine, part, "police"))
    twice = gpd.GeoDataFrame(geometry=[outline.geometry[0], outline.geometry[0].buffer(-0.0005)], crs=outline.crs)
    with pytest.raises(Conflict, match="overlap"):
        workflow.publish(engine, bring(engine, twice, "fire"))


def test_what_lies_nowhere_is_named_and_nothing_is_kept(planned_copy: Any) -> None:
    far = gpd.GeoDataFrame(geometry=[shapely.box(10, 10, 10.01, 10.01)], crs="EPSG:4490")
    with pytest.raises(BadInput, match="row 1 lies in no known community"):
        bring(planned_copy.engine, far, "fire")
    with planned_copy.engine.connect() as connection:
        assert len(plans.all_plans(connection)) == 1
    with pytest.raises(NotFound, match="no professional grids are in force"):
        workflow.crosswalk_in_force(planned_copy.engine)


def test_professional_grids_alone_answer_no_locate(engine: sa.Engine, settings: Any, small_district: Any) -> None:
    areas = {"areas": small_district.layers["areas"]}
    store_layers(engine, *clean_layers(areas), source="sample")
    community = areas["areas"][areas["areas"]["level"] == "community"]
    workflow.publish(engine, bring(engine, community, "fire"))
    client = create_app(settings, engine).test_client()
    assert client.get("/readyz").get_json()["generation"] is None
    assert client.get("/api/v1/locate?lon=120&lat=36").status_code == 404
    assert client.get("/api/v1/grids").get_json()["numberMatched"] == 0
    assert client.get("/api/v1/overview").get_json()["counts"]["grids"] == 0
    for ask in (workflow.check_in_force, workflow.crosswalk_in_force):
        with pytest.raises(NotFound):
            ask(engine)


def test_a_grid_over_several_communities_is_kept_with_its_street(engine: sa.Engine, settings: Any) -> None:
    street, west, east = "370811001", shapely.box(116.5, 35.4, 116.51, 35.41), shapely.box(116.51, 35.4, 116.52, 35.41)
    areas = gpd.GeoDataFrame(
        {"code": [street[:6], street, f"{street}001", f"{street}002"], "name": ["区", "凤凰街道", "甲社区", "乙社区"]},
        geometry=[west.union(east), west.union(east), west, east], crs="EPSG:4490",
    )  # fmt: skip
    store_layers(engine, *clean_layers({"areas": areas}), source="areas")
    across, rest = shapely.box(116.5, 35.4, 116.515, 35.41), shapely.box(116.515, 35.4, 116.52, 35.41)
    layer = gpd.GeoDataFrame(geometry=[across, rest], crs="EPSG:4490")
    plan = bring(engine, layer, "fire", name=["一号站", ""])
    workflow.publish(engine, plan)
    client = create_app(settings, engine).test_client()
    found = [one["properties"] for one in client.get("/api/v1/grids?system=fire").get_json()["features"]]
    assert [(one["code"], one["name"], one["community"]) for one in found] == [
        (f"990200{street}00201", "乙社区消防第1网格", f"{street}002"),
        (f"990200{street}60100", "一号站", None),
    ]
    with engine.connect() as connection:
        assert plans.plan_row(connection, plan).area == street
    again = bring(engine, layer, "fire")
    workflow.publish(engine, again)
    assert codes_of(engine, "消防") == {f"990200{street}00202", f"990200{street}60200"}
    with engine.connect() as connection:
        names = plans.grids_of_plan(connection, again)["name"].tolist()
    assert sorted(names) == ["乙社区消防第2网格", "凤凰街道消防第602网格"]
