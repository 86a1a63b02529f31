"""The HTTP service on a planned district: pages, filters, details, circles, one error shape."""

from __future__ import annotations

from typing import Any

import pytest
import shapely
import sqlalchemy as sa
from flask.testing import FlaskClient
from shapely.geometry import shape

pytestmark = pytest.mark.postgis


def read(client: FlaskClient, url: str, status: int = 200) -> Any:
    answer = client.get(url)
    assert answer.status_code == status, answer.get_data(as_text=True)[:500]
    return answer.get_json(force=True)


def all_pages(client: FlaskClient, url: str) -> list[dict[str, Any]]:
    features: list[dict[str, Any]] = []
    following: str | None = url
    while following:
        body = read(client, following)
        assert body["numberReturned"] == len(body["features"]) > 0, "no empty page, not even the last"
        features += body["features"]
        following = next((link["href"] for link in body["links"] if link["rel"] == "next"), None)
    return features


@pytest.mark.parametrize("limit", [1, 3, 7, 5000])
def test_pages_give_every_grid_once_in_order(client: FlaskClient, planned: Any, limit: int) -> None:
    features = all_pages(client, f"/api/v1/grids?limit={limit}")
    codes = [feature["properties"]["code"] for feature in features]
    with planned.engine.connect() as c:
        stored = c.execute(sa.text("SELECT code FROM grids WHERE upper_inf(generations) ORDER BY code")).scalars().all()
    assert codes == list(stored)
    for feature in features:
        label = shapely.Point(feature["properties"]["label_point"])
        assert shape(feature["geometry"]).buffer(1e-7).contains(label)


def test_bbox_gives_what_intersects_it(client: FlaskClient, planned: Any) -> None:
    buildings = planned.district.layers["buildings"]
    west, south, east, north = buildings.total_bounds
    box = (west, south, (west + east) / 2, (south + north) / 2)
    found = all_pages(client, f"/api/v1/buildings?limit=400&bbox={','.join(map(str, box))}")
    expected = set(buildings.loc[buildings.intersects(shapely.box(*box)), "building_id"])
    assert {feature["properties"]["building_id"] for feature in found} == expected


@pytest.mark.parametrize(
    "name", ["areas", "components", "facilities", "streets", "water", "walls", "addresses", "reports"]
)
def test_every_layer_counts_what_was_imported(client: FlaskClient, planned: Any, name: str) -> None:
    rows = planned.district.layers[name]
    body = read(client, f"/api/v1/{name}?limit=2")
    assert body["numberMatched"] == len(rows)
    assert body["numberReturned"] == min(2, len(rows))


def test_filters_pick_by_attribute(client: FlaskClient, planned: Any) -> None:
    streets = planned.district.layers["streets"]
    body = read(client, "/api/v1/streets?cls=primary,secondary&limit=1")
    assert body["numberMatched"] == int(streets["cls"].isin(["primary", "secondary"]).sum())


def test_grid_detail_counts_what_lies_in_it(client: FlaskClient, planned: Any) -> None:
    code = read(client, "/api/v1/grids?limit=1")["features"][0]["properties"]["code"]
    grid = read(client, f"/api/v1/grids/{code}")
    outline = shape(grid["geometry"])
    components = planned.district.layers["components"]
    # the written outline is rounded to a centimetre: a component on its very edge may fall either way
    certain = int(components.within(outline.buffer(-1e-6)).sum())
    possible = int(components.intersects(outline.buffer(1e-6)).sum())
    assert certain <= grid["properties"]["components"] <= possible
    assert {row["category"] for row in grid["properties"]["circles"]}


def test_clusters_lose_no_component(client: FlaskClient, planned: Any) -> None:
    components = planned.district.layers["components"]
    west, south, east, north = components.buffer(1e-3).total_bounds
    body = read(client, f"/api/v1/components/clusters?bbox={west},{south},{east},{north}&cell=0.002")
    assert sum(feature["properties"]["count"] for feature in body["features"]) == len(components)
    only = read(client, f"/api/v1/components/clusters?bbox={west},{south},{east},{north}&cell=0.002&major=02")
    assert sum(f["properties"]["count"] for f in only["features"]) == int((components["major"] == "02").sum())


def test_overview_tells_the_whole(client: FlaskClient, planned: Any) -> None:
    body = read(client, "/api/v1/overview")
    layers = planned.district.layers
    assert body["counts"]["buildings"] == len(layers["buildings"])
    assert body["counts"]["population"] == int(layers["buildings"]["population"].sum())
    assert body["band"] == {"low": 300, "high": 500}
    assert body["generation"]["id"] == 1
    assert body["circles"]["minutes"] == [5, 10, 15]
    west, south, east, north = layers["areas"].total_bounds
    assert body["bounds"] == pytest.approx([west, south, east, north])


def test_circles_by_category_and_grid_agree(client: FlaskClient) -> None:
    summary = read(client, "/api/v1/circles")
    assert len(summary["categories"]) >= 20
    for about in summary["categories"]:
        rows = read(client, f"/api/v1/circles/coverage?category={about['category']}")["rows"]
        assert sum(row["residents_covered"] for row in rows) == about["residents_covered"]
        assert sum(row["buildings"] for row in rows) == about["buildings_total"]


def test_circle_polygons_are_nested(client: FlaskClient) -> None:
    summary = read(client, "/api/v1/circles")
    category = max(summary["categories"], key=lambda about: about["facilities"])["category"]
    shapes = {
        feature["properties"]["minutes"]: shape(feature["geometry"])
        for feature in read(client, f"/api/v1/circles/polygons?category={category}")["features"]
    }
    assert set(shapes) == {5, 10, 15}
    assert shapes[5].area < shapes[10].area <= shapes[15].area
    assert shapes[5].difference(shapes[10]).area < 0.02 * shapes[5].area


def test_locate_answers_owner_and_chain(client: FlaskClient) -> None:
    grid = read(client, "/api/v1/grids?limit=1")["features"][0]["properties"]
    lon, lat = grid["label_point"]
    body = read(client, f"/api/v1/locate?lon={lon}&lat={lat}")
    assert body["owner"]["code"] == grid["code"]
    assert [step["level"] for step in body["chain"]] == ["grid", "community", "street", "district"]
    assert body["chain"][1]["code"] == grid["community"]
    assert body["generation"] == 1


def test_locate_outside_names_the_nearest_only_when_near(client: FlaskClient, planned: Any) -> None:
    west, south = planned.district.layers["areas"].total_bounds[:2]
    far = read(client, f"/api/v1/locate?lon={west - 1}&lat={south}")
    assert far["owner"] is None
    assert far["nearest"] is None
    outline = planned.district.layers["areas"].union_all()
    edge = outline.exterior.coords[0] if outline.geom_type == "Polygon" else outline.geoms[0].exterior.coords[0]
    centre = outline.centroid
    step = 1.0005
    lon, lat = centre.x + (edge[0] - centre.x) * step, centre.y + (edge[1] - centre.y) * step
    near = read(client, f"/api/v1/locate?lon={lon}&lat={lat}")
    assert near["owner"] is not None or 0 < near["nearest"]["metres"] <= 500


@pytest.mark.parametrize(
    ("url", "status", "says"),
    [
        ("/api/v1/grids?limit=0", 400, "limit=0"),
        ("/api/v1/grids?limit=1000000", 400, "limit"),
        ("/api/v1/grids?limit=x", 400, "limit"),
        ("/api/v1/grids?colour=red", 400, "colour"),
        ("/api/v1/grids?bbox=1,2,3", 400, "bbox"),
        ("/api/v1/grids?bbox=nan,0,1,1", 400, "bbox"),
        ("/api/v1/grids?bbox=10,10,0,0", 400, "turned round"),
        ("/api/v1/grids?bbox=0,0,1000,1", 400, "leaves the world"),
        ("/api/v1/buildings?after=x", 400, "after"),
        ("/api/v1/buildings?after=99999999999999999999", 400, "after"),
        ("/api/v1/grids?level=one", 400, "level"),
        ("/api/v1/grids/nothing", 404, "nothing"),
        ("/api/v1/components/%00", 400, "NUL"),
        ("/api/v1/components/clusters?bbox=0,0,1,1", 400, "cell"),
        ("/api/v1/components/clusters?bbox=0,0,1,1&cell=0.00001", 400, "cell"),
        ("/api/v1/locate", 400, "lon"),
        ("/api/v1/locate?lon=nan&lat=1", 400, "lon"),
        ("/api/v1/locate?lon=35.3&lat=116.6", 400, "swapped"),
        ("/api/v1/locate?lon=1&lat=1&crs=mars", 400, "mars"),
        ("/api/v1/circles/coverage?category=moonbase", 404, "moonbase"),
        ("/api/v1/none", 404, "/api/v1/none"),
        ("/api/v1/grids?level=1&level=2", 400, "level is given 2 times"),
        ("/api/v1/grids?level=--5", 400, "level='--5'"),
        ("/api/v1/grids?level=99999", 400, "out of range"),
        ("/api/v1/buildings?after=--5", 400, "after='--5'"),
        ("/api/v1/grids?kind=%00", 400, "NUL"),
        ("/api/v1/components/clusters?bbox=0,0,1,1&cell=1&major=%00", 400, "NUL"),
        ("/api/v1/circles/polygons?category=%00", 400, "NUL"),
        ("/api/v1/circles/polygons?category=moonbase", 404, "moonbase"),
        ("/api/v1/circles?minutes=5", 400, "minutes"),
        ("/api/v1/overview?area=1", 400, "area"),
        ("/api/v1/grids/" + "9" * 101, 400, "100 characters"),
    ],
)
def test_bad_requests_have_the_one_error_shape(client: FlaskClient, url: str, status: int, says: str) -> None:
    body = read(client, url, status)
    assert set(body) == {"error"}
    assert set(body["error"]) == {"status", "code", "message", "details"}
    assert body["error"]["status"] == status
    assert says in body["error"]["message"]
    assert "\n" not in body["error"]["message"]


def test_wrong_method_has_the_same_shape(client: FlaskClient) -> None:
    answer = client.post("/api/v1/grids")
    assert answer.status_code == 405
    assert answer.get_json()["error"]["code"] == "method_not_allowed"
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_answers_carry_security_headers(client: FlaskClient) -> None:
    answer = client.get("/api/v1/overview")
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
