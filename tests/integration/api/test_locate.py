"""GET /api/v1/locate: chain, posts, professional grids, components, time, candidates, and the short way to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from api.app import create_app
from data import db, embedded, plans
from data import tables as t
from data.posts import read_posts, replace_posts
from gisgrid.errors import BadInput
from gisgrid.models import Band
from gisgrid.settings import Settings
from gisgrid.shifted import wgs84_to_bd09, wgs84_to_gcj02
from planning import workflow
from planning.levels import parse_levels

pytestmark = pytest.mark.postgis

SQL_OWNER = """
SELECT g.code FROM grids g WHERE g.level = :level AND g.system = :system AND g.generations @> CAST(:generation AS int)
  AND ST_Covers(g.geometry, ST_SetSRID(ST_MakePoint(:lon, :lat), 4490)) ORDER BY g.code COLLATE "C" LIMIT 1
"""


@pytest.fixture(scope="module")
def deep(planned: Any, cluster: Any) -> Iterator[Any]:
    """A copy of the planned district with micro-grids and two professional systems: generations 1 to 4."""
    planned.engine.dispose()  # a template must have no connections
    with psycopg.connect(host=str(cluster.socket), user=embedded.ROLE, dbname="postgres", autocommit=True) as admin:
        admin.execute("CREATE DATABASE deep TEMPLATE planned")
        settings = Settings(
            home=planned.settings.home, database_url=cluster.url_of("deep"), anonymous=("analyst", "reporter")
        )
        with db.database(settings) as engine:
            levels = parse_levels("300:500/80:200")
            plan, _, _ = workflow.plan_for_area(engine, planned.area, band=Band(300, 500), seed=5, levels=levels)
            workflow.publish(engine, plan)
            for key, object_code, band in (("消防", "990200", Band(1500, 2200)), ("公安", "990100", Band(700, 1800))):
                fused = workflow.fuse_for_area(engine, planned.area, system=key, object_code=object_code, band=band)
                workflow.publish(engine, fused[0])
            yield replace(planned, settings=settings, engine=engine)
        admin.execute("DROP DATABASE deep WITH (FORCE)")


@pytest.fixture
def locate(deep: Any) -> FlaskClient:
    return create_app(deep.settings, deep.engine).test_client()


def ask(client: FlaskClient, **query: Any) -> dict[str, Any]:
    answer = client.get("/api/v1/locate", query_string=query)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.data)


def points_of(deep: Any, count: int, seed: int = 0) -> Any:
    west, south, east, north = deep.district.layers["areas"].total_bounds
    rng = np.random.default_rng(seed)
    return zip(rng.uniform(west, east, count).tolist(), rng.uniform(south, north, count).tolist(), strict=True)


def owner_by_sql(connection: sa.Connection, lon: float, lat: float, **of: Any) -> str | None:
    asked = {"level": 1, "system": "综合", "lon": lon, "lat": lat} | of
    return connection.scalar(sa.text(SQL_OWNER), asked)


def test_the_chain_runs_from_the_micro_grid_to_the_district_and_equals_sql(deep: Any, locate: FlaskClient) -> None:
    with deep.engine.connect() as connection:
        now = plans.current_generation(connection).id
        for lon, lat in points_of(deep, 60):
            told = ask(locate, lon=lon, lat=lat)
            assert told["generation"] == now
            owner = owner_by_sql(connection, lon, lat, generation=now)
            assert (told["owner"] or {}).get("code") == owner
            if owner is None:
                assert told["chain"] == []
                continue
            levels = [link["level"] for link in told["chain"]]
            micro = owner_by_sql(connection, lon, lat, generation=now, level=2)
            assert levels == ["micro-grid"] * (micro is not None) + ["grid", "community", "street", "district"]
            if micro is not None:
                assert told["chain"][0]["code"] == micro
            assert [post["place"] for post in told["posts"]] == [link["code"] for link in told["chain"]]
            for system, grid in told["professional"].items():
                wanted = owner_by_sql(connection, lon, lat, generation=now, system=system)
                assert (grid or {}).get("code") == wanted


def test_a_common_corner_has_one_chain_whose_links_lie_in_each_other(deep: Any, locate: FlaskClient) -> None:
    with deep.engine.connect() as connection:
        now = plans.current_generation(connection).id
        corners = connection.execute(
            sa.text(
                "SELECT DISTINCT ST_X(p.geom), ST_Y(p.geom) FROM grids g, ST_DumpPoints(g.geometry) p "
                "WHERE g.level = 2 AND g.generations @> CAST(:now AS int) LIMIT 80"
            ),
            {"now": now},
        ).all()
    for lon, lat in corners:
        chain = ask(locate, lon=lon, lat=lat)["chain"]
        codes = [link["code"] for link in chain]
        assert codes
        assert all(inner.startswith(outer) for inner, outer in pairwise(codes))


def test_systems_are_told_by_any_of_their_names(deep: Any, locate: FlaskClient) -> None:
    lon, lat = next(points_of(deep, 1, seed=4))
    assert set(ask(locate, lon=lon, lat=lat)["professional"]) == {"消防", "公安"}
    one = ask(locate, lon=lon, lat=lat, system="fire")["professional"]
    assert one == {"消防": ask(locate, lon=lon, lat=lat)["professional"]["消防"]}
    refused = locate.get("/api/v1/locate", query_string={"lon": lon, "lat": lat, "system": "fire,justice"})
    assert refused.status_code == 400
    assert "司法" in refused.get_json()["error"]["message"]


def test_coordinates_of_every_system_mean_the_same_place(deep: Any, locate: FlaskClient) -> None:
    for lon, lat in points_of(deep, 10, seed=6):
        plain = ask(locate, lon=lon, lat=lat)
        for crs, moved in (("gcj02", wgs84_to_gcj02), ("bd09", wgs84_to_bd09)):
            x, y = (float(value[0]) for value in moved([lon], [lat]))
            shifted = ask(locate, lon=x, lat=y, crs=crs)
            assert shifted["point"]["lon"] == pytest.approx(lon, abs=1e-8)
            assert shifted["owner"] == plain["owner"]
    x, y = 39_484_000.0, 3_929_000.0  # the zone of the sample, numbered
    answer = locate.get("/api/v1/locate", query_string={"lon": x, "lat": y, "crs": "EPSG:4527"})
    assert answer.status_code == 200


def test_a_point_that_fits_only_shifted_is_told_so(deep: Any, locate: FlaskClient) -> None:
    _, south, east, north = deep.district.layers["areas"].total_bounds
    told = 0
    for lat in np.linspace(south, north, 40):
        x, y = (float(value[0]) for value in wgs84_to_gcj02([east - 0.0005], [lat]))
        body = ask(locate, lon=x, lat=y)
        if body["place"] != "inside" and ask(locate, lon=x, lat=y, crs="gcj02")["owner"]:
            assert "crs=gcj02" in body["reason"]
            told += 1
    assert told > 3


def test_outside_the_nearest_is_told_within_the_distance_asked(deep: Any, locate: FlaskClient) -> None:
    west, south, _, _ = deep.district.layers["areas"].total_bounds
    far = ask(locate, lon=west - 0.01, lat=south, within=5000)
    assert far["place"] == "near"
    assert 500 < far["nearest"]["metres"] < 5000
    assert far["nearest"]["code"] in far["reason"]
    assert ask(locate, lon=west - 0.01, lat=south)["place"] == "outside"
    assert ask(locate, lon=west - 0.01, lat=south, within=0)["nearest"] is None


def test_near_border_and_candidates_follow_the_accuracy(deep: Any, locate: FlaskClient) -> None:
    checked = 0
    for lon, lat in points_of(deep, 30, seed=9):
        plain = ask(locate, lon=lon, lat=lat)
        if plain["owner"] is None:
            continue
        metres = plain["distance_to_boundary"]
        assert plain["near_border"] == (metres <= 10)
        wide = ask(locate, lon=lon, lat=lat, accuracy=metres + 5)
        assert wide["near_border"]
        assert sum(one["probability"] for one in wide["candidates"]) + wide["outside_probability"] <= 1.001
        assert plain["owner"]["code"] in {one["code"] for one in wide["candidates"]}
        sure = ask(locate, lon=lon, lat=lat, accuracy=max(metres / 10, 0.01))
        assert sure["candidates"][0]["code"] == plain["owner"]["code"]
        assert sure["candidates"][0]["probability"] > 0.99
        checked += 1
    assert checked > 15


def test_a_component_belongs_to_its_department(deep: Any, locate: FlaskClient) -> None:
    with deep.engine.connect() as connection:
        row = connection.execute(sa.select(t.components).order_by(t.components.c.id).limit(1)).mappings().one()
    told = ask(locate, component=row["component_code"])
    assert told["responsible"]["kind"] == "department"
    assert told["responsible"]["department"] == row["dept_maintain"]
    assert told["component"]["dept_owner"] == row["dept_owner"]
    assert told["component"]["metres"] < 0.01
    assert told["owner"] is not None
    lon, lat = next(points_of(deep, 1, seed=12))
    elsewhere = ask(locate, component=row["component_code"], lon=lon, lat=lat)
    assert elsewhere["responsible"]["department"] == row["dept_maintain"]
    assert elsewhere["component"]["metres"] > 1
    assert elsewhere["point"] == {"lon": lon, "lat": lat, "crs": "cgcs2000"}
    worded = ask(locate, component=row["component_code"], address=deep.district.layers["addresses"]["full"].iloc[0])
    assert worded["accuracy"] is None, "the place is the component's"
    assert worded["responsible"]["kind"] == "department"
    astray = ask(locate, lon=lon, lat=lat, component="nosuch")
    assert astray["component"] is None
    assert "nosuch" in astray["reason"]
    assert locate.get("/api/v1/locate?component=nosuch").status_code == 404


def test_posts_stored_take_the_place_of_the_usual_ones(deep: Any, tmp_path: Any) -> None:
    client = create_app(deep.settings, deep.engine).test_client()
    lon, lat = next(point for point in points_of(deep, 50, seed=2) if ask(client, lon=point[0], lat=point[1])["owner"])
    usual = ask(client, lon=lon, lat=lat)
    code = usual["owner"]["code"]
    file = tmp_path / "posts.csv"
    file.write_text(
        f"place,role,post,department,first\n{code},网格长,07号网格长岗,街道办,是\n{code},网格员,07号网格员岗,,\n"
    )
    try:
        with deep.engine.begin() as connection:
            replace_posts(connection, read_posts(file))
        told = ask(create_app(deep.settings, deep.engine).test_client(), lon=lon, lat=lat)
        mine = [post for post in told["posts"] if post["place"] == code]
        assert [post["post"] for post in mine] == ["07号网格长岗", "07号网格员岗"]
        assert [post for post in told["posts"] if post["place"] != code] == [
            post for post in usual["posts"] if post["place"] != code
        ]
    finally:
        with deep.engine.begin() as connection:
            replace_posts(connection, read_posts(file).iloc[:0])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("place,role\n1,2\n", "no column post"),
        ("place,role,post\nabc,a,b\n", "row 1: place 'abc'"),
        ("place,role,post\n370811,,b\n", "row 1: role"),
        ("place,role,post,first\n370811,a,b,maybe\n", "first 'maybe'"),
        ("place,role,post\n370811,a,b\n370811,a,b\n", "row 2: post 'b' is given twice"),
    ],
)
def test_posts_that_cannot_be_used_are_named(tmp_path: Any, text: str, says: str) -> None:
    (tmp_path / "posts.csv").write_text(text)
    with pytest.raises(BadInput, match=says):
        read_posts(tmp_path / "posts.csv")


def test_at_answers_from_the_generation_in_force_then(deep: Any, locate: FlaskClient) -> None:
    with deep.engine.connect() as connection:
        published = dict(connection.execute(sa.select(t.generations.c.id, t.generations.c.published_at)).all())
    for lon, lat in list(points_of(deep, 12, seed=3)):
        with deep.engine.connect() as connection:
            for number, moment in published.items():
                told = ask(locate, lon=lon, lat=lat, at=(moment + timedelta(microseconds=10)).isoformat())
                assert told["generation"] == number
                wanted = owner_by_sql(connection, lon, lat, generation=number)
                assert (told["owner"] or {}).get("code") == wanted
    before = (published[1] - timedelta(days=1)).isoformat()
    assert locate.get("/api/v1/locate", query_string={"lon": 1, "lat": 1, "at": before}).status_code == 404
    lon, lat = next(points_of(deep, 1))
    today = pd.Timestamp.now(tz=deep.settings.timezone).date().isoformat()
    assert ask(locate, lon=lon, lat=lat, at=today)["generation"] == max(published)


def test_the_short_way_and_the_view_answer_the_same_bytes_and_headers(deep: Any, locate: FlaskClient) -> None:
    for lon, lat in points_of(deep, 40, seed=8):
        for more in ("", "&crs=gcj02", "&accuracy=35.5", "&crs=bd09&accuracy=12"):
            short = locate.get(f"/api/v1/locate?lon={lon}&lat={lat}{more}")
            view = locate.get(f"/api/v1/locate?lat={lat}&lon={lon}{more}")  # turned round: not plain, so Flask's
            assert short.status_code == view.status_code
            assert json.loads(short.data) == json.loads(view.data)
            assert short.data == view.data
            assert {**short.headers, "X-Request-Id": ""} == {**view.headers, "X-Request-Id": ""}


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "lon and lat are missing"),
        ("lon=116", "lat is missing"),
        ("lon=&lat=", "lon"),
        ("lon=nan&lat=35", "lon"),
        ("lon=116&lat=inf", "lat"),
        ("lon=1e308&lat=1e308", "degrees"),
        ("lon=1e308&lat=1&crs=EPSG:3857", "EPSG:3857"),
        ("lon=x&lat=35", "lon"),
        ("lon=35.5&lat=112.84", "swapped"),
        ("lon=112.84&lat=35.5&crs=mars", "mars"),
        ("lon=112.84&lat=35.5&crs=", "coordinate system"),
        ("lon=112.84&lat=35.5&crs=mars2000", "cannot be brought"),
        ("lon=112.84&lat=35.5&colour=red", "colour"),
        ("lon=112.84&lat=35.5&lon=112", "2 times"),
        ("lon=112.84&lat=35.5&accuracy=-1", "accuracy"),
        ("lon=112.84&lat=35.5&accuracy=nan", "accuracy"),
        ("lon=112.84&lat=35.5&accuracy=1e9", "accuracy"),
        ("lon=112.84&lat=35.5&accuracy=5&confidence=1", "confidence"),
        ("lon=112.84&lat=35.5&within=-5", "within"),
        ("lon=112.84&lat=35.5&within=1e9", "within"),
        ("lon=112.84&lat=35.5&at=2999-01-01", "future"),
        ("lon=112.84&lat=35.5&at=yesterday", "at='yesterday'"),
        ("component=", "component"),
        ("component=" + "x" * 10_000, "component"),
        ("lon=112.84&lat=35.5&system=", "system"),
        ("lon=1" + "0" * 100_000 + "&lat=1", "lon"),
    ],
)
def test_what_cannot_be_asked_is_said_in_the_one_error_shape(locate: FlaskClient, query: str, says: str) -> None:
    answer = locate.get("/api/v1/locate?" + query)
    assert answer.status_code == 400, answer.text
    error = answer.get_json()["error"]
    assert error["status"] == 400
    assert says in error["message"]
    assert len(error["message"]) < 600


def test_an_address_is_a_place_and_says_how_sure_it_is(deep: Any, locate: FlaskClient) -> None:
    addresses = deep.district.layers["addresses"]
    with deep.engine.connect() as connection:
        now = plans.current_generation(connection).id
        for row in range(0, len(addresses), len(addresses) // 12):
            one = addresses.iloc[row]
            for text in (one["full"], one["name_en"], one["full"].replace("号", "號 ")):
                told = ask(locate, address=text)
                assert told["given"] == {"address": text}
                assert told["address"]["address_id"] == one["address_id"]
                assert told["accuracy"] == told["address"]["accuracy"]
                assert told["candidates"]
                wanted = owner_by_sql(connection, one.geometry.x, one.geometry.y, generation=now)
                assert told["owner"]["code"] == told["address"]["grid"] == wanted


def test_an_address_beside_a_point_is_told_with_its_distance(deep: Any, locate: FlaskClient) -> None:
    one = deep.district.layers["addresses"].iloc[5]
    lon, lat = one.geometry.x + 0.001, one.geometry.y
    told = ask(locate, lon=lon, lat=lat, address=one["full"])
    assert told["point"] == {"lon": lon, "lat": lat, "crs": "cgcs2000"}
    assert told["accuracy"] is None, "the accuracy of the address is not that of the point"
    assert 80 < told["address"]["metres"] < 100
    assert told["reason"] is None or "ask which is right" not in told["reason"]
    far = ask(locate, lon=one.geometry.x + 0.006, lat=lat, address=one["full"])
    assert "m from the point; ask which is right" in far["reason"]


def test_an_address_that_is_not_sure_makes_nobody_responsible(deep: Any, locate: FlaskClient) -> None:
    street = deep.district.layers["areas"].query("level == 'street'")["name"].iloc[0]
    told = ask(locate, address=f"{street}解放路20号")
    assert not told["address"]["confident"]
    assert told["responsible"] is None
    assert "not sure" in told["reason"]
    sent = locate.post(
        "/api/v1/reports", json={"service_code": "0101", "address": f"{street}解放路20号", "description": "x"}
    )
    assert sent.status_code == 400
    assert sent.get_json()["error"]["code"] == "unsure_address"


def test_an_address_nobody_knows_is_no_place(locate: FlaskClient) -> None:
    answer = locate.get("/api/v1/locate", query_string={"address": "不存在路9号"})
    assert answer.status_code == 404
    assert answer.get_json()["error"]["code"] == "unknown_address"
    for text in ("", "，。！", "路" * 10_000, "\x07"):
        assert locate.get("/api/v1/locate", query_string={"address": text}).status_code == 400


def test_a_report_by_address_alone_is_stored_in_its_grid(planned_copy: Any) -> None:
    client = create_app(planned_copy.settings, planned_copy.engine).test_client()
    one = planned_copy.district.layers["addresses"].iloc[7]
    sent = client.post(
        "/api/v1/reports", json={"service_code": "0101", "address": one["full"], "description": "暴露垃圾"}
    )
    assert sent.status_code == 201, sent.text
    properties = sent.get_json(force=True)["properties"]
    assert properties["grid_code"] == ask(client, lon=one.geometry.x, lat=one.geometry.y)["owner"]["code"]
    assert properties["accuracy"] <= 10
    unknown = client.post(
        "/api/v1/reports", json={"service_code": "0101", "address": "不存在路9号", "description": "x"}
    )
    assert unknown.status_code == 400
    with planned_copy.engine.connect() as connection:
        stored = sa.select(sa.func.count()).select_from(t.reports).where(t.reports.c.source == "api")
        assert connection.scalar(stored) == 1


def test_before_the_grids_are_known_a_database_that_is_away_is_503(deep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = sa.create_engine(deep.settings.database_url)
    client = create_app(deep.settings, engine).test_client()

    def gone(*_: Any) -> Any:
        raise sa.exc.OperationalError("connect", {}, Exception("gone"))

    monkeypatch.setattr(engine, "connect", gone)
    for query in ("lon=112.84&lat=35.5", "lat=35.5&lon=112.84"):
        answer = client.get("/api/v1/locate?" + query)
        assert answer.status_code == 503
        assert answer.get_json()["error"]["code"] == "database_down"
    engine.dispose()
