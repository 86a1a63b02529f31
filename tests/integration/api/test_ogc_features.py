"""OGC API Features over HTTP on the sample district, against SQL, pyproj and shapely."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import pyproj
import pytest
import shapely
import sqlalchemy as sa
from flask.testing import FlaskClient
from shapely.geometry import shape

from data import tables as t
from layers.collections.crs import SYSTEMS

pytestmark = pytest.mark.postgis
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"


def get(client: FlaskClient, path: str, status: int = 200, **query: Any) -> Any:
    answer = client.get(f"/ogc/{path}?{urlencode({k.replace('_', '-'): v for k, v in query.items()})}")
    assert answer.status_code == status, answer.get_data(as_text=True)[:300]
    return answer.get_json(force=True)


def items(client: FlaskClient, name: str, **query: Any) -> Any:
    return get(client, f"collections/{name}/items", **query)


def following(page: Any) -> str | None:
    return next((link["href"] for link in page["links"] if link["rel"] == "next"), None)


def all_pages(client: FlaskClient, name: str, **query: Any) -> list[Any]:
    page = items(client, name, **query)
    pages = [page]
    while href := following(page):
        page = client.get(href.removeprefix("http://localhost")).get_json(force=True)
        assert page["features"], "an empty last page"
        pages.append(page)
    return [feature for page in pages for feature in page["features"]]


def scalar(planned: Any, query: Any) -> Any:
    with planned.engine.connect() as connection:
        return connection.scalar(query)


def test_the_first_page_leads_everywhere(client: FlaskClient) -> None:
    page = client.get("/ogc/").get_json()
    for link in page["links"]:
        answer = client.get(link["href"].removeprefix("http://localhost"))
        assert answer.status_code == 200, link
        assert answer.mimetype == link["type"].split(";")[0], link


def test_every_collection_pages_through_all_it_has(client: FlaskClient) -> None:
    listed = get(client, "collections")["collections"]
    assert {"grids", "buildings", "components_01", "reports", "areas_community"} <= {one["id"] for one in listed}
    assert not {"drafts", "reports_heat"} & {one["id"] for one in listed}
    for told in listed:
        found = all_pages(client, told["id"], limit=400)
        assert len({feature["id"] for feature in found}) == len(found)
        assert items(client, told["id"], limit=1)["numberMatched"] == len(found), told["id"]
        if not found:
            assert "spatial" not in told.get("extent", {})
            continue
        bounds = shapely.total_bounds([shape(feature["geometry"]) for feature in found])
        assert told["extent"]["spatial"]["bbox"][0] == pytest.approx(list(bounds), abs=1e-6)


@pytest.mark.parametrize("sortby", ["households", "-households,name", "name,-levels", "-kind"])
def test_sorted_pages_hold_every_row_once_and_in_order(client: FlaskClient, sortby: str) -> None:
    found = all_pages(client, "buildings", limit=41, sortby=sortby)
    whole = items(client, "buildings", limit=5000, sortby=sortby)["features"]
    assert [one["id"] for one in found] == [one["id"] for one in whole]
    name = sortby.split(",")[0].removeprefix("-")
    values = [one["properties"][name] for one in found if one["properties"][name] is not None]
    if not isinstance(values[0], str):  # texts follow the database's collation
        assert values == sorted(values, reverse=sortby.startswith("-"))


def test_nulls_come_last_and_none_is_lost(client: FlaskClient) -> None:
    for sign in ("", "-"):
        found = all_pages(client, "reports", limit=60, sortby=f"{sign}expected_at")
        empty = [one["properties"]["expected_at"] is None for one in found]
        assert empty == sorted(empty)
        assert len(found) == items(client, "reports", limit=1)["numberMatched"]


NEAR = [uri for uri in SYSTEMS if not uri[-4:].startswith("45") or uri[-4:] in ("4526", "4546", "4547")]
"""Systems made for the district's place; the other zones differ by their meridian alone."""


@pytest.mark.parametrize("uri", NEAR)
def test_every_crs_gives_its_own_coordinates_in_its_own_axis_order(client: FlaskClient, uri: str) -> None:
    number = uri.rsplit("/", 1)[1]
    plain = items(client, "grids", limit=3)["features"]
    answer = client.get(f"/ogc/collections/grids/items?limit=3&crs={quote(uri)}")
    assert answer.headers["Content-Crs"] == f"<{uri}>"
    official = pyproj.CRS("OGC:CRS84" if "CRS84" in uri else f"EPSG:{number}")
    transform = pyproj.Transformer.from_crs("EPSG:4490", official, always_xy=True)
    north_first = official.axis_info[0].direction == "north"
    for before, after in zip(plain, answer.get_json(force=True)["features"], strict=True):
        lonlat = shapely.get_coordinates(shape(before["geometry"]))
        x, y = transform.transform(lonlat[:, 0], lonlat[:, 1])
        found = shapely.get_coordinates(shape(after["geometry"]))
        tolerance = 1e-7 if official.is_geographic else 0.02
        assert found[:, 1 if north_first else 0] == pytest.approx(x, abs=tolerance)
        assert found[:, 0 if north_first else 1] == pytest.approx(y, abs=tolerance)


def test_zones_with_their_number_before_the_easting(client: FlaskClient) -> None:
    one = items(client, "grids", limit=1, crs=f"{EPSG}4525")["features"][0]
    north, east = shapely.get_coordinates(shape(one["geometry"]))[0]
    assert 3e6 < north < 5e6
    assert 37e6 < east < 38e6


def test_bbox_in_any_crs_finds_the_same(client: FlaskClient, planned: Any) -> None:
    west, south, east, north = 112.838, 35.498, 112.842, 35.502
    box = sa.func.ST_MakeEnvelope(west, south, east, north, 4490)
    wanted = scalar(planned, sa.select(sa.func.count()).where(sa.func.ST_Intersects(t.buildings.c.geometry, box)))
    assert 0 < wanted < 333

    def matched(bbox: str, **more: str) -> int:
        return int(items(client, "buildings", bbox=bbox, limit=1, **more)["numberMatched"])

    assert matched(f"{west},{south},{east},{north}") == wanted
    assert matched(f"{west},{south},-10,{east},{north},10") == wanted
    assert matched(f"{south},{west},{north},{east}", bbox_crs=f"{EPSG}4490") == wanted
    assert matched(f"{south},{west},{north},{east}", bbox_crs=f"{EPSG}4326") == wanted
    x, y = pyproj.Transformer.from_crs("EPSG:4490", "EPSG:3857", always_xy=True).transform([west, east], [south, north])
    assert matched(f"{x[0]},{y[0]},{x[1]},{y[1]}", bbox_crs=f"{EPSG}3857") == wanted
    assert matched("179,-10,-179,10") == 0
    assert matched("100,-10,-179,90") == 333


REFUSED = [
    "limit=0", "limit=-1", "limit=x", "limit=1.5", "bbox=1,2,3", "bbox=1,2,3,NaN", "bbox=1,2,3,inf", "bbox=1,5,3,2",
    "bbox=1,2,3,400", "crs=EPSG:1234", "crs=", "bbox-crs=x&bbox=1,2,3,4", "bbox-crs=x", "datetime=x", "datetime=../..",
    "datetime=2026-01-02/2026-01-01", "datetime=2026-01-01T00:00:00", "nothing=1", "households=x", "households=1e999",
    "sortby=geometry", "sortby=", "sortby=name,name", "properties=nothing", "skipGeometry=maybe", "after=x", "after=",
    "filter=", "filter=name", "filter-lang=cql2-text", "filter=name='x'&filter-lang=sql", "f=xml", "lang=fr", "offset=5",
    "filter=name='x'&filter-crs=EPSG:9", "limit=1&limit=2", "estimated=maybe", "name=%00",
]  # fmt: skip


@pytest.mark.parametrize("query", REFUSED)
def test_what_cannot_be_meant_is_a_400(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/ogc/collections/buildings/items?{query}")
    assert answer.status_code == 400, answer.get_data(as_text=True)
    assert answer.get_json()["error"]["code"] == "bad_input"


def test_limit_above_the_most_means_the_most(client: FlaskClient) -> None:
    assert items(client, "buildings", limit=10**9)["numberReturned"] == 333


def test_a_place_of_other_pages_is_refused(client: FlaskClient) -> None:
    token = following(items(client, "buildings", limit=5)).rsplit("after=", 1)[1]  # type: ignore[union-attr]
    for path in ("buildings/items?sortby=name&after=", "streets/items?after="):
        assert client.get(f"/ogc/collections/{path}{token}").status_code == 400
    assert client.get(f"/ogc/collections/buildings/items?limit=5&after={token}").status_code == 200


def test_queryables_are_query_parameters(client: FlaskClient, planned: Any) -> None:
    b = t.buildings.c
    for query, condition in (
        ({"kind": "school"}, b.kind == "school"), ({"households": 0}, b.households == 0),
        ({"estimated": "false", "kind": "residential"}, sa.and_(~b.estimated, b.kind == "residential")),
    ):  # fmt: skip
        wanted = scalar(planned, sa.select(sa.func.count()).where(condition))
        assert wanted
        assert items(client, "buildings", limit=1, **query)["numberMatched"] == wanted
    names = set(get(client, "collections/buildings/queryables")["properties"])
    assert {"kind", "households", "geometry"} <= names


def test_filters_equal_sql(client: FlaskClient, planned: Any) -> None:
    b, r = t.buildings.c, t.reports.c
    day = sa.func.timezone("Asia/Shanghai", r.reported_at).cast(sa.Date)
    first = scalar(planned, sa.select(sa.func.min(day)))
    ring = "POLYGON((112.838 35.498, 112.842 35.498, 112.84 35.503, 112.838 35.498))"
    place = sa.func.ST_GeomFromText(ring, 4490)
    for name, text, condition in (
        ("buildings", "households > 20 OR levels = 1 AND kind = 'school'",
         (b.households > 20) | ((b.levels == 1) & (b.kind == "school"))),
        ("buildings", "NOT (kind IN ('school', 'residential'))", b.kind.not_in(["school", "residential"])),
        ("buildings", "casei(name) LIKE casei('%楼%')", b.name.like("%楼%")),
        ("buildings", "households * 2 - levels >= 30", b.households * 2 - b.levels >= 30),
        ("buildings", f"S_WITHIN(geometry, {ring})", sa.func.ST_Within(b.geometry, place)),
        ("buildings", f"S_DISJOINT(geometry, {ring})", ~sa.func.ST_Intersects(b.geometry, place)),
        ("reports", f"reported_at = DATE('{first}')", day == first),
        ("reports", f"reported_at > DATE('{first}')", day > first),
        ("reports", f"T_BEFORE(reported_at, DATE('{first}'))", day < first),
        ("reports", "expected_at IS NULL", r.expected_at.is_(None)),
    ):  # fmt: skip
        wanted = scalar(planned, sa.select(sa.func.count()).select_from(t.metadata.tables[name]).where(condition))
        found = items(client, name, filter=text, limit=5000)
        assert (found["numberMatched"], len(found["features"])) == (wanted, wanted), text


def test_datetime_chooses_reports_and_generations(client: FlaskClient, planned: Any) -> None:
    r = t.reports.c
    middle = scalar(planned, sa.select(sa.func.percentile_disc(0.5).within_group(r.reported_at)))
    stamp = middle.isoformat()
    wanted = scalar(planned, sa.select(sa.func.count()).where(r.reported_at <= middle))
    assert items(client, "reports", datetime=f"../{stamp}", limit=1)["numberMatched"] == wanted
    assert items(client, "reports", datetime=stamp, limit=1)["numberMatched"] >= 1
    now = items(client, "grids")["numberMatched"]
    assert now > 0
    assert items(client, "grids", datetime="2999-01-01")["numberMatched"] == now
    assert items(client, "grids", datetime="2001-01-01/..")["numberMatched"] == now
    assert items(client, "grids", datetime="2001-01-01")["numberMatched"] == 0
    assert items(client, "buildings", datetime="2001-01-01", limit=1)["numberMatched"] == 333


def test_chosen_properties_and_no_geometry(client: FlaskClient) -> None:
    found = items(client, "buildings", properties="name,households", skipGeometry="true", limit=2)["features"]
    assert [(set(one["properties"]), one["geometry"]) for one in found] == [({"name", "households"}, None)] * 2
    nothing = items(client, "buildings", properties="", limit=1)["features"][0]
    assert nothing["properties"] == {}


def test_conditional_requests(client: FlaskClient) -> None:
    url = "/ogc/collections/grids/items"
    first = client.get(url)
    again = client.get(url, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert client.get(f"{url}?f=html", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200
    assert client.get(f"{url}?lang=en", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_one_feature_and_what_is_not_there(client: FlaskClient) -> None:
    for name in ("grids", "buildings", "components", "circles"):
        first = items(client, name, limit=1)["features"][0]
        one = get(client, f"collections/{name}/items/{first['id']}")
        assert {key: one[key] for key in first} == first
        for key in ("nothing", "0", "999999999999999999999999", "a%00b", "%27%20OR%201=1"):
            answer = client.get(f"/ogc/collections/{name}/items/{key}")
            assert answer.status_code == 404, key
    assert client.get("/ogc/collections/nothing").status_code == 404
    assert client.get("/ogc/collections/..%2F..%2Fetc/items").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "",
        "conformance",
        "api",
        "collections",
        "collections/grids",
        "collections/grids/schema",
        "collections/grids/items?limit=3",
        "collections/streets/items",
        "collections/reports/items",
    ],
)
def test_pages_for_people_have_no_script_and_no_other_host(client: FlaskClient, path: str) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Accept-Language": "en"}
    answer = client.get(f"/ogc/{path}", headers=browser)
    text = answer.get_data(as_text=True)
    assert answer.mimetype == "text/html"
    assert 'lang="en"' in text
    assert not any(word in text for word in ("<script", "style=", "onclick", "https://"))
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    chinese = client.get(f"/ogc/{path}", headers=browser | {"Accept-Language": "zh-CN,zh;q=0.9"})
    assert 'lang="zh"' in chinese.get_data(as_text=True)


def test_every_route_is_described(client: FlaskClient) -> None:
    spec = client.get("/openapi.json").get_json()
    routes = {
        (method, rule.rule.replace("<path:", "{").replace("<", "{").replace(">", "}"))
        for rule in client.application.url_map.iter_rules()
        if rule.rule.startswith("/ogc/") and "css" not in rule.rule
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    told = {(m.upper(), path) for path, item in spec["paths"].items() if path.startswith("/ogc/") for m in item}
    assert routes == told
    limit = next(
        p for p in spec["paths"]["/ogc/collections/{collection}/items"]["get"]["parameters"] if p["name"] == "limit"
    )
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 5000, "default": 100}
