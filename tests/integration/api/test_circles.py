"""Service circles over HTTP on a planned district: stored figures against SQL, spot answers against the network."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
import sqlalchemy as sa
from flask.testing import FlaskClient
from shapely.geometry import shape

from api.app import create_app
from gisgrid.crs import to_metric
from planning.network import build_network
from planning.reach import nearest_metres, segment_index

pytestmark = pytest.mark.postgis
HERE = "/api/v1/circles"

# whose building stands where, and how long it takes: from the stored rows alone
FIGURES = """
    WITH told AS (
        SELECT b.*, r.assessable, about ->> 'category' AS category,
               coalesce(r.seconds[number] <= 60 * (about ->> 'minutes')::int, false) AS covered,
               CASE WHEN :by = 'district' THEN left(b.community, 6) WHEN :by = 'community' THEN b.community ELSE (
                   SELECT min(g.code COLLATE "C") FROM grids g WHERE upper_inf(g.generations) AND g.level = 1
                   AND ST_Covers(g.geometry, ST_PointOnSurface(b.geometry))) END AS code
        FROM circle_runs JOIN circle_residences r ON r.run = circle_runs.id JOIN buildings b ON b.id = r.building,
             jsonb_array_elements(categories) WITH ORDINALITY AS c (about, number)
    )
    SELECT category, code, count(*) AS buildings, sum(population) AS residents, sum(elderly) AS elderly,
           count(*) FILTER (WHERE assessable) AS buildings_assessed,
           count(*) FILTER (WHERE covered) AS buildings_covered,
           coalesce(sum(population) FILTER (WHERE covered), 0) AS residents_covered,
           coalesce(sum(elderly) FILTER (WHERE covered), 0) AS elderly_covered
    FROM told WHERE code IS NOT NULL GROUP BY category, code
"""


@pytest.fixture(scope="module")
def asking(planned: Any) -> FlaskClient:
    return create_app(planned.settings, planned.engine).test_client()


def read(client: FlaskClient, path: str, status: int = 200) -> Any:
    answer = client.get(f"{HERE}{path}")
    assert answer.status_code == status, answer.get_data(as_text=True)[:500]
    assert b"NaN" not in answer.get_data()
    return answer.get_json(force=True)


@pytest.fixture(scope="module")
def categories(asking: FlaskClient) -> list[dict[str, Any]]:
    return list(read(asking, "")["categories"])


def test_the_summary_tells_run_and_scores(asking: FlaskClient, planned: Any) -> None:
    body = read(asking, "")
    assert (body["profile"], body["generation"], body["profiles"]) == ("adult", 1, ["adult"])
    assert body["outdated"] is False
    with planned.engine.connect() as connection:
        rows = connection.execute(sa.text(
            "SELECT score, population FROM circle_residences JOIN buildings ON id = building WHERE score IS NOT NULL"
        )).all()  # fmt: skip
    score, people = np.array(rows, float).T
    assert body["score"]["mean"] == pytest.approx(np.average(score, weights=people), abs=1e-6)
    difference = np.abs(score[:, None] - score) * people[:, None] * people
    gini = difference.sum() / (2 * people.sum() ** 2 * np.average(score, weights=people))
    assert body["score"]["gini"] == pytest.approx(gini, abs=1e-6)
    assert sum(body["score"]["histogram"]) == people.sum()
    for about in body["categories"]:
        assert sum(about["opportunity"].values()) == about["residents_assessed"]


@pytest.mark.parametrize("by", ["grid", "community", "district"])
def test_coverage_is_what_the_stored_buildings_say(
    asking: FlaskClient, planned: Any, categories: list[dict[str, Any]], by: str
) -> None:
    with planned.engine.connect() as connection:
        found = connection.execute(sa.text(FIGURES), {"by": by}).mappings()
        expected = {(row["category"], row["code"]): dict(row) for row in found}
    for about in categories:
        body = read(asking, f"/coverage?category={about['category']}&by={by}")
        assert (body["by"], body["minutes"], body["metres"]) == (by, about["minutes"], about["metres"])
        for row in body["rows"]:
            assert row["name"]
            assert row["residents_assessed"] >= row["residents_straight"] >= 0
            for name, value in expected[about["category"], row["code"]].items():
                assert name == "category" or row[name] == value, (about["category"], row["code"], name)
        assert sum(row["residents_covered"] for row in body["rows"]) == about["residents_covered"]
    assert len(body["rows"]) == len({code for _, code in expected})


def test_buildings_page_by_page(asking: FlaskClient, planned: Any, categories: list[dict[str, Any]]) -> None:
    about = categories[-1]
    pages, following = [], f"/buildings?category={about['category']}&limit=120"
    while following:
        body = read(asking, following)
        pages += body["features"]
        link = next((link["href"] for link in body["links"] if link["rel"] == "next"), "")
        following = link.removeprefix(HERE)
    layer = planned.district.layers["buildings"]
    assert [feature["id"] for feature in pages] == sorted({feature["id"] for feature in pages})
    assert len(pages) == body["numberMatched"] == len(layer)
    held = [feature["properties"] for feature in pages]
    assert sum(row["population"] for row in held if row["covered"]) == about["residents_covered"]
    west, south, east, north = layer.total_bounds
    box = (west, south, (west + east) / 2, north)
    part = read(asking, f"/buildings?category={about['category']}&limit=5000&bbox={','.join(map(str, box))}")
    inside = set(layer.loc[layer.intersects(shapely.box(*box)), "building_id"])
    assert {feature["properties"]["building_id"] for feature in part["features"]} == inside


def test_blind_spots_hold_those_not_covered(asking: FlaskClient, categories: list[dict[str, Any]]) -> None:
    for about in categories:
        body = read(asking, f"/blind-spots?category={about['category']}&limit=5000")
        spots = [feature["properties"] for feature in body["features"]]
        assert body["numberMatched"] == len(spots) == about["blind_spots"]
        assert [spot["rank"] for spot in spots] == list(range(1, len(spots) + 1))
        assert sum(spot["residents"] for spot in spots) == about["residents_assessed"] - about["residents_covered"]
    assert len(read(asking, f"/blind-spots?category={about['category']}&limit=1")["features"]) == 1
    with_nearest = next(spot for spot in spots if spot["nearest"])
    assert with_nearest["nearest"]["id"]
    assert with_nearest["extra_seconds"] == with_nearest["seconds"] - 60 * about["minutes"]


def test_nearest_of_a_building_is_what_the_run_stored(asking: FlaskClient, categories: list[dict[str, Any]]) -> None:
    stored: dict[int, dict[str, Any]] = {}
    for about in categories:
        for feature in read(asking, f"/buildings?category={about['category']}&limit=5000")["features"]:
            stored.setdefault(feature["id"], {})[about["category"]] = feature["properties"]
    for number in list(stored)[::40]:
        for row in read(asking, f"/nearest?building={number}")["nearest"]:
            kept = stored[number][row["category"]]
            assert row["covered"] is kept["covered"]
            if kept["seconds"] is None:
                assert row["seconds"] is None or row["seconds"] > 900
            else:
                assert row["seconds"] == kept["seconds"], (number, row)


def test_nearest_of_a_point_is_that_of_the_network(asking: FlaskClient, planned: Any) -> None:
    layers = planned.district.layers
    network = build_network(layers["streets"])
    index = segment_index(network)
    places = to_metric(layers["facilities"], network.crs)
    xy = np.column_stack([places.geometry.x, places.geometry.y])
    rows = {str(key): row for row, key in enumerate(places["facility_id"])}
    to_network = pyproj.Transformer.from_crs("EPSG:4490", network.crs, always_xy=True)

    def metres_to(which: Any, here: Any) -> float:
        return float(nearest_metres(network, xy[which], here, index=index)[0][0])

    for point in layers["buildings"].geometry.representative_point()[::110]:
        body = read(asking, f"/nearest?lon={point.x}&lat={point.y}&crs=cgcs2000&profile=elderly&factor=0.5&k=3")
        here = np.array([to_network.transform(point.x, point.y)])
        assert body["within_seconds"] == 1800
        told: dict[str, list[float]] = {}
        for row in body["nearest"]:
            if row["facility"] is None:
                assert not metres_to((places["category"] == row["category"]).to_numpy(), here) <= 720
                continue
            metres = metres_to([rows[row["facility"]["facility_id"]]], here)
            assert row["metres"] == pytest.approx(metres, abs=0.051)
            assert row["seconds"] == int(np.ceil(metres / 0.4 - 1e-3))
            assert row["covered"] == (metres <= 0.4 * 60 * row["minutes"] + 1e-6)
            told.setdefault(row["category"], []).append(metres)
        for category, found in told.items():
            assert found == sorted(found)
            mine = (places["category"] == category).to_numpy(bool).copy()
            assert found[0] == metres_to(mine, here)
            known = [row["facility"]["facility_id"] for row in body["nearest"] if row["category"] == category]
            mine[[rows[key] for key in known]] = False
            rest = metres_to(mine, here) if mine.any() else np.nan
            assert not rest < found[-1]
            assert len(found) == 3 or not rest <= 720


def test_routes_go_from_the_place_to_the_facility(asking: FlaskClient) -> None:
    body = read(asking, "/nearest?building=7&routes=true")
    geod, place = pyproj.Geod(ellps="GRS80"), body["place"]
    drawn = [row for row in body["nearest"] if row["facility"]]
    assert len(drawn) > 10
    for row in drawn:
        line = shape(row["route"])
        assert line.coords[0] == pytest.approx((place["lon"], place["lat"]), abs=2e-7)
        assert line.coords[-1] == pytest.approx((row["facility"]["lon"], row["facility"]["lat"]), abs=2e-7)
        assert geod.geometry_length(line) == pytest.approx(row["metres"], rel=2e-3, abs=0.5)
    assert all(row["route"] is None for row in read(asking, "/nearest?building=7")["nearest"])


def test_a_point_is_taken_in_any_system(asking: FlaskClient, planned: Any) -> None:
    point = planned.district.layers["facilities"].geometry.iloc[0]
    plain = read(asking, f"/nearest?lon={point.x}&lat={point.y}")
    x, y = pyproj.Transformer.from_crs("EPSG:4490", "EPSG:4547", always_xy=True).transform(point.x, point.y)
    projected = read(asking, f"/nearest?lon={x}&lat={y}&crs=EPSG:4547")
    assert projected["nearest"] == plain["nearest"]
    shifted = read(asking, f"/nearest?lon={point.x}&lat={point.y}&crs=gcj02")
    away = pyproj.Geod(ellps="GRS80").inv(point.x, point.y, shifted["place"]["lon"], shifted["place"]["lat"])[2]
    assert 100 < away < 1000
    far = read(asking, "/nearest?lon=100&lat=30")
    assert (far["place"]["assessable"], far["place"]["inside"]) == (False, False)
    assert "100 m" in far["place"]["reason"]
    assert {(row["facility"], row["covered"]) for row in far["nearest"]} == {(None, None)}


def test_an_isochrone_holds_who_is_near(asking: FlaskClient, categories: list[dict[str, Any]]) -> None:
    about = max((row for row in categories if row["facilities"] == 1), key=lambda row: row["buildings_covered"])
    first = read(asking, f"/nearest?building=1&category={about['category']}")["nearest"][0]
    body = read(asking, f"/isochrones?facility={first['facility']['id']}&minutes=5,10,12.5")
    assert [feature["properties"]["minutes"] for feature in body["features"]] == [12.5, 10, 5]
    assert body["direction"] == "to"
    buildings = read(asking, f"/buildings?category={about['category']}&limit=5000")["features"]
    points = gpd.GeoSeries([shape(feature["geometry"]) for feature in buildings])
    seconds = np.array([feature["properties"]["seconds"] or np.inf for feature in buildings])
    for feature in body["features"]:
        held, limit = points.within(shape(feature["geometry"])).to_numpy(), 60 * feature["properties"]["minutes"]
        near, far = seconds <= limit - 15, seconds > limit + 15  # points of buildings are drawn some metres off
        assert held[near].mean() >= 0.99
        assert not (far & held).any()
    slower = read(asking, f"/isochrones?facility={first['facility']['id']}&minutes=10&factor=0.5")["features"]
    assert shape(slower[0]["geometry"]).area < 0.6 * shape(body["features"][1]["geometry"]).area
    assert read(asking, "/isochrones?lon=100&lat=30")["features"] == []


def test_what_a_caller_holds_is_not_sent_again(asking: FlaskClient, categories: list[dict[str, Any]]) -> None:
    for path in ("coverage", "polygons"):
        url = f"{HERE}/{path}?category={categories[0]['category']}"
        first = asking.get(url)
        again = asking.get(url, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.get_data()) == (304, b"")
        assert asking.get(url, headers={"If-None-Match": '"else"'}).status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("?profile=cat", 400, "adult"), ("?profile=elderly", 404, "gisgrid circles --profile elderly"),
        ("?category=bank", 400, "category"), ("/coverage", 400, "category"),
        ("/coverage?category=bank&by=street", 400, "community"), ("/coverage?category=moonbase", 404, "moonbase"),
        ("/blind-spots?category=bank&limit=0", 400, "limit=0"), ("/blind-spots?category=bank&profile=frail", 404, "frail"),
        ("/buildings?category=bank&bbox=1,2,3", 400, "bbox"), ("/buildings?category=bank&after=x", 400, "after"),
        ("/buildings?category=bank&limit=5001", 400, "limit"), ("/nearest", 400, "building=ID or lon= and lat="),
        ("/nearest?building=1&lon=1&lat=1", 400, "one of them"), ("/nearest?lon=112", 400, "lat is missing"),
        ("/nearest?building=x", 400, "building='x'"), ("/nearest?building=999999", 404, "999999"),
        ("/nearest?building=1&speed=-1", 400, "speed -1"), ("/nearest?building=1&speed=nan", 400, "speed"),
        ("/nearest?building=1&factor=0", 400, "factor"), ("/nearest?building=1&profile=car&speed=9", 400, "factor"),
        ("/nearest?building=1&k=0", 400, "k=0"), ("/nearest?building=1&category=moonbase", 404, "moonbase"),
        ("/nearest?building=1&facility=1", 400, "facility"), ("/nearest?lon=35.3&lat=116.6", 400, "swapped"),
        ("/nearest?lon=1&lat=1&crs=mars", 400, "mars"), ("/isochrones?facility=999999", 404, "999999"),
        ("/isochrones?facility=1&minutes=0", 400, "0 minutes"), ("/isochrones?facility=1&minutes=600", 400, "600"),
        ("/isochrones?facility=1&minutes=five", 400, "minutes='five'"), ("/isochrones?facility=1&minutes=60", 400, "at most 30"),
        ("/isochrones?facility=1&minutes=1,2,3,4,5,6,7,8,9,10,11,12,13", 400, "at most 12"),
        ("/isochrones?facility=1&minutes=nan", 400, "minutes"), ("/isochrones?facility=1&direction=up", 400, "direction"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(asking: FlaskClient, path: str, status: int, says: str) -> None:
    error = read(asking, path, status)["error"]
    assert says in error["message"]
    assert "\n" not in error["message"]


@pytest.mark.parametrize("profile", ["bicycle", "car"])
def test_other_ways_of_moving_are_answered_on_the_spot(asking: FlaskClient, profile: str) -> None:
    walked = {row["category"]: row for row in read(asking, "/nearest?building=7")["nearest"]}
    body = read(asking, f"/nearest?building=7&profile={profile}&routes=true")
    assert body["profile"] == profile
    reached = [row for row in body["nearest"] if row["facility"]]
    assert len(reached) == len(body["nearest"])
    assert all(row["metres"] > 0 and row["route"] for row in reached)
    quicker = [
        row["seconds"] <= walked[row["category"]]["seconds"] for row in reached if walked[row["category"]]["seconds"]
    ]
    assert np.mean(quicker) > 0.8
    number = reached[0]["facility"]["id"]
    areas = read(asking, f"/isochrones?facility={number}&minutes=2&profile={profile}")["features"]
    assert len(areas) == 1
