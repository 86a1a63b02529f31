"""The items of the public OGC API Features test suite (OGC ets-ogcapi-features10), on its sister suite's Blue Lake data.

Written anew from the abstract tests of 17-069r4 (Core) and 18-058r1 (CRS); each docstring names its items, and
docs/conformance.md lists all of them. Every item runs over every collection: planned, imported and Blue Lake.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import numpy as np
import pyproj
import pytest
import shapely
from flask.testing import FlaskClient
from shapely.geometry import box, shape
from werkzeug.test import TestResponse

from tests.blue_lake import NAMES, blue_lake, store_blue_lake
from tests.integration.api.conftest import Inlet

pytestmark = pytest.mark.postgis
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
GEOJSON, JSON, HTML = "application/geo+json", "application/json", "text/html"


class Api:
    """The service under test, entered at its landing page."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client
        self.collections: list[dict[str, Any]] = self.json(self.get("/ogc/collections", JSON))["collections"]
        self.definition: dict[str, Any] = {}

    def get(self, address: str, accept: str = GEOJSON, **query: Any) -> TestResponse:
        parts = urlsplit(address)
        given = dict(parse_qsl(parts.query, keep_blank_values=True)) | query
        return self._client.get(parts.path, headers={"Accept": accept}, query_string=given)

    @staticmethod
    def json(answer: TestResponse) -> dict[str, Any]:
        assert answer.status_code == 200, f"{answer.request.path}: {answer.get_data(as_text=True)[:400]}"
        return dict(answer.get_json(force=True))

    def items(self, collection: dict[str, Any], **query: Any) -> dict[str, Any]:
        return self.json(self.get(link_to(collection, "items", GEOJSON), **query))

    @property
    def some(self) -> list[dict[str, Any]]:
        """For what needs many requests a collection: areas, lines and points, large and single, of China and of 0°."""
        wanted = {
            "grids_1", "streets", "buildings", "reports", "facilities_canteen", "cite:Lakes", "cite:Bridges",
            "cite:RoadSegments",
        }  # fmt: skip
        chosen = [collection for collection in self.collections if collection["id"] in wanted]
        assert len(chosen) >= 7
        return chosen


@pytest.fixture(scope="module")
def api(inlet: Inlet) -> Api:
    with inlet.engine.begin() as connection:
        store_blue_lake(connection)
    made = Api(inlet.client)
    landing = made.json(made.get("/ogc/", JSON))
    made.definition = made.json(made.get(link_to(landing, "service-desc"), "*/*"))
    return made


def links(resource: dict[str, Any], relation: str) -> list[dict[str, str]]:
    return [link for link in resource["links"] if link["rel"] == relation]


def link_to(resource: dict[str, Any], relation: str, media_type: str | None = None) -> str:
    found = [link["href"] for link in links(resource, relation) if media_type in (None, link["type"])]
    assert found, f"no link {relation} ({media_type}) in {resource['links']}"
    return found[0]


def well_linked(resource: dict[str, Any], own: str) -> None:
    """self, alternate in every other media type, rel and type everywhere."""
    assert all(link.get("rel") and link.get("type") and link.get("href") for link in resource["links"])
    assert [link["type"] for link in links(resource, "self")] == [own]
    assert HTML in {link["type"] for link in links(resource, "alternate")}


def in_degrees(resource: dict[str, Any]) -> None:
    for feature in resource["features"]:
        west, south, east, north = shape(feature["geometry"]).bounds
        assert -180 <= west <= east <= 180
        assert -90 <= south <= north <= 90


def well_formed(page: dict[str, Any], before: dt.datetime) -> None:
    """/conf/core/fc-response and what it is made of."""
    assert page["type"] == "FeatureCollection"
    assert isinstance(page["features"], list)
    assert all(feature["type"] == "Feature" and "id" in feature for feature in page["features"])
    well_linked(page, GEOJSON)
    made = dt.datetime.fromisoformat(page["timeStamp"])
    assert before - dt.timedelta(seconds=1) <= made <= dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)
    assert page["numberReturned"] == len(page["features"])
    in_degrees(page)


def extent(collection: dict[str, Any]) -> list[float] | None:
    boxes = collection.get("extent", {}).get("spatial", {}).get("bbox")
    return list(boxes[0]) if boxes else None


# --- landing page, definition, conformance ---------------------------------------------------------


def test_the_landing_page_leads_everywhere(api: Api) -> None:
    """/conf/core/root-op, /conf/core/root-success, /conf/core/http"""
    for place in ("/ogc/", "/ogc"):
        answer = api.get(place, JSON)
        if answer.status_code in (301, 308):
            continue
        landing = api.json(answer)
    assert {"service-desc", "service-doc", "conformance", "data"} <= {link["rel"] for link in landing["links"]}
    for relation in ("service-desc", "service-doc", "conformance", "data"):
        for found in links(landing, relation):
            answer = api.get(found["href"], found["type"])
            assert answer.status_code == 200, found
            assert answer.mimetype == found["type"].partition(";")[0], found
    assert api.get("/ogc/", HTML).mimetype == HTML


def test_the_api_definition_is_openapi(api: Api) -> None:
    """/conf/core/api-definition-op, /conf/core/api-definition-success"""
    assert api.definition["openapi"].startswith("3.0")
    assert api.definition["info"]["title"]
    assert len(api.definition["paths"]) > 10


def test_conformance_is_declared(api: Api) -> None:
    """/conf/core/conformance-op, /conf/core/conformance-success"""
    declared = api.json(api.get("/ogc/conformance", JSON))["conformsTo"]
    features = "http://www.opengis.net/spec/ogcapi-features-"
    assert {f"{features}1/1.0/conf/{name}" for name in ("core", "geojson", "html", "oas30")} <= set(declared)
    assert f"{features}2/1.0/conf/crs" in declared
    assert len(declared) == len(set(declared))


# --- collections -----------------------------------------------------------------------------------


def test_the_collections(api: Api) -> None:
    """/conf/core/fc-md-op, /conf/core/fc-md-success, /conf/core/fc-md-links, /conf/core/fc-md-items,
    /conf/core/fc-md-items-links, /conf/core/fc-md-extent"""
    told = api.json(api.get("/ogc/collections", JSON))
    well_linked(told, JSON)
    names = [collection["id"] for collection in told["collections"]]
    assert len(names) == len(set(names))
    assert set(NAMES) <= set(names)
    for collection in told["collections"]:
        assert collection.get("itemType", "feature") == "feature"
        assert all(link.get("rel") and link.get("type") for link in collection["links"])
        assert {GEOJSON, HTML} <= {link["type"] for link in links(collection, "items")}
        assert collection["crs"][0] == CRS84
        if (ends := extent(collection)) is not None:
            assert ends[0] <= ends[2]
            assert ends[1] <= ends[3]
            page = api.items(collection, limit=1000)
            around = box(*ends).buffer(1e-6)
            assert all(around.covers(shape(feature["geometry"])) for feature in page["features"])
    for name, rows in blue_lake().items():
        ends = extent(next(c for c in told["collections"] if c["id"] == name))
        assert ends == pytest.approx(rows.total_bounds.tolist(), abs=1e-7)


def test_each_collection_tells_the_same_alone(api: Api) -> None:
    """/conf/core/sfc-md-op, /conf/core/sfc-md-success"""
    for collection in api.collections:
        alone = api.json(api.get(f"/ogc/collections/{collection['id']}", JSON))
        for member in ("id", "title", "description", "extent", "crs", "storageCrs"):
            assert alone.get(member) == collection.get(member), f"{collection['id']}.{member}"
        well_linked(alone, JSON)


# --- features ----------------------------------------------------------------------------------------


def test_features_are_handed_out(api: Api) -> None:
    """/conf/core/fc-op, /conf/core/fc-response, /conf/core/fc-links, /conf/core/fc-timeStamp,
    /conf/core/fc-numberReturned, /conf/core/crs84, /conf/geojson/definition, /conf/geojson/content"""
    for collection in api.collections:
        begun = dt.datetime.now(dt.UTC)
        answer = api.get(link_to(collection, "items", GEOJSON))
        assert answer.mimetype == GEOJSON
        well_formed(api.json(answer), begun)
    for name, rows in blue_lake().items():
        page = api.items(next(c for c in api.collections if c["id"] == name))
        shapes = [shape(feature["geometry"]) for feature in page["features"]]
        assert len(shapes) == len(rows) == page["numberMatched"]
        assert shapely.equals_exact(
            shapely.normalize(shapely.union_all(shapes)), shapely.normalize(rows.union_all()), 1e-7
        )
        told = sorted(str(feature["properties"].get("FID")) for feature in page["features"])
        assert "FID" not in rows or told == sorted(rows["FID"])


def test_as_many_match_as_there_are(api: Api) -> None:
    """/conf/core/fc-numberMatched"""
    for collection in api.collections:
        page = api.items(collection, limit=400)
        matched, seen = page["numberMatched"], {feature["id"] for feature in page["features"]}
        count = len(page["features"])
        while following := links(page, "next"):
            page = api.json(api.get(following[0]["href"]))
            assert page["features"], "no page is empty"
            assert page["numberMatched"] == matched
            count += len(page["features"])
            seen |= {feature["id"] for feature in page["features"]}
        assert (count, len(seen)) == (matched, matched), collection["id"]


def test_pages_in_html(api: Api) -> None:
    """/conf/html/definition, /conf/html/content"""
    for place in ("/ogc/", "/ogc/collections", "/ogc/conformance"):
        assert api.get(place, HTML).mimetype == HTML
    for collection in api.collections:
        answer = api.get(link_to(collection, "items", HTML), HTML, limit=3)
        assert (answer.status_code, answer.mimetype) == (200, HTML)


def parameter(api: Api, name: str) -> list[dict[str, Any]]:
    """A parameter of every path of items in the definition."""
    components = api.definition.get("components", {}).get("parameters", {})
    found = []
    for path, methods in api.definition["paths"].items():
        if not re.fullmatch(r".*/collections/[^/]+/items", path):
            continue
        given = [*methods.get("parameters", []), *methods["get"].get("parameters", [])]
        resolved = [components[one["$ref"].rsplit("/", 1)[1]] if "$ref" in one else one for one in given]
        (one,) = [one for one in resolved if (one["name"], one["in"]) == (name, "query")]
        assert not one.get("required", False)
        found.append(one)
    assert found, "no path of items is defined"
    return found


def test_parameters_are_defined(api: Api) -> None:
    """/conf/core/fc-bbox-definition, /conf/core/fc-limit-definition, /conf/core/fc-time-definition"""
    for one in parameter(api, "bbox"):
        assert (one.get("style", "form"), one.get("explode", True)) == ("form", False)
        schema = one["schema"]
        assert (schema["type"], schema["items"]["type"]) == ("array", "number")
        if "oneOf" in schema:
            assert {(s["minItems"], s["maxItems"]) for s in schema["oneOf"]} == {(4, 4), (6, 6)}
        else:
            assert (schema["minItems"], schema["maxItems"]) == (4, 6)
    for one in parameter(api, "limit"):
        assert (one.get("style", "form"), one["schema"]["type"]) == ("form", "integer")
        assert 1 == one["schema"]["minimum"] <= one["schema"]["default"] <= one["schema"]["maximum"]
    for one in parameter(api, "datetime"):
        assert (one.get("style", "form"), one.get("explode", True)) == ("form", False)
        assert one["schema"]["type"] == "string"


BOXES = (
    [-1.5, 50.0, 1.5, 53.0], [-80.0, -5.0, -70.0, 5.0], [177.0, 65.0, -177.0, 70.0], [-180.0, 85.0, 180.0, 90.0],
    [-180.0, -90.0, 180.0, -85.0],
)  # fmt: skip
"""Across the meridian, the equator, 180 degrees, and over the poles, as the suite has them."""


def test_boxes(api: Api) -> None:
    """/conf/core/fc-bbox-response"""
    for collection in api.some:
        ends = extent(collection)
        for asked in [ends or [0, 0, 1, 1], *BOXES]:
            page = api.items(collection, bbox=",".join(map(str, asked)), limit=100)
            parts = (
                [box(*asked)]
                if asked[0] <= asked[2]
                else [box(asked[0], asked[1], 180, asked[3]), box(-180, asked[1], asked[2], asked[3])]
            )
            around = shapely.union_all(parts).buffer(1e-6)
            assert all(around.intersects(shape(feature["geometry"])) for feature in page["features"])
        if ends:
            whole = api.items(collection, bbox=",".join(map(str, ends)), limit=1)["numberMatched"]
            assert whole == api.items(collection, limit=1)["numberMatched"], collection["id"]
            # with heights, which features in the plane do not have
            six = [*ends[:2], -100, *ends[2:], 9000]
            assert api.items(collection, bbox=",".join(map(str, six)), limit=1)["numberMatched"] == whole


def test_a_box_is_answered_as_shapely_would(api: Api) -> None:
    """/conf/core/fc-bbox-response: what is left out lies outside"""
    collection = next(c for c in api.collections if c["id"] == "cite:RoadSegments")
    shapes = {f["properties"]["FID"]: shape(f["geometry"]) for f in api.items(collection)["features"]}
    for asked in ((0.0, 0.0, 0.001, 0.001), (-0.0042, -0.0024, -0.003, 0.0), (0.0038, -0.001, 0.0042, 0.0024)):
        told = {f["properties"]["FID"] for f in api.items(collection, bbox=",".join(map(str, asked)))["features"]}
        assert told == {name for name, line in shapes.items() if line.intersects(box(*asked))}


def test_limits(api: Api) -> None:
    """/conf/core/fc-limit-response"""
    (one, *_) = parameter(api, "limit")
    most = one["schema"]["maximum"]
    for collection in api.some:
        for asked in (1, 3, most, most + 1):
            answer = api.get(link_to(collection, "items", GEOJSON), limit=asked)
            page = api.json(answer)  # over the maximum: as many as the maximum (17-069r4, 7.15.3)
            assert page["numberReturned"] == min(asked, most, page["numberMatched"]), collection["id"]
    for wrong in (0, -1, "1.5", "x", ""):
        assert api.get(link_to(api.collections[0], "items", GEOJSON), limit=wrong).status_code == 400, wrong


def test_times(api: Api) -> None:
    """/conf/core/fc-time-response"""
    seen = 0
    for collection in api.some:
        place = link_to(collection, "items", GEOJSON)
        interval = collection.get("extent", {}).get("temporal", {}).get("interval")
        seen += interval is not None
        begin = (interval or [[None]])[0][0] or "2026-01-01T00:00:00Z"
        for asked in (
            begin,
            f"{begin}/..",
            f"../{begin}",
            f"{begin}/",
            f"/{begin}",
            "2018-02-12T00:00:00Z/2031-03-18T12:31:12Z",
        ):
            page = api.json(api.get(place, datetime=asked, limit=10))
            if interval is None:  # features without a time always match
                assert page["numberMatched"] == api.items(collection, limit=1)["numberMatched"]
        for wrong in ("yesterday", "2026-13-01", "2026-02-01/2026-01-01", "2026-01-01/2026-02-01/2026-03-01", "/", ""):
            assert api.get(place, datetime=wrong).status_code == 400, wrong
    assert seen, "reports have times"


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"limit": "unlimited"}, id="/conf/core/query-param-invalid"),
        pytest.param({"unknownQueryParameter12345": "1"}, id="/conf/core/query-param-unknown"),
    ],
)
def test_bad_parameters_are_refused(api: Api, query: dict[str, str]) -> None:
    for collection in api.collections:
        assert api.get(link_to(collection, "items", GEOJSON), **query).status_code == 400
        assert api.get(f"/ogc/collections/{collection['id']}", JSON, bogus="1").status_code == 400


def test_single_features(api: Api) -> None:
    """/conf/core/f-op, /conf/core/f-success, /conf/core/f-links"""
    for collection in api.collections:
        for feature in api.items(collection, limit=2)["features"]:
            answer = api.get(f"{urlsplit(link_to(collection, 'items', GEOJSON)).path}/{feature['id']}")
            assert answer.mimetype == GEOJSON
            alone = api.json(answer)
            well_linked(alone, GEOJSON)
            assert unquote(link_to(alone, "collection")).endswith(f"/collections/{collection['id']}")
            assert {k: alone[k] for k in ("type", "id", "geometry", "properties")} == {
                k: feature[k] for k in ("type", "id", "geometry", "properties")
            }
        missing = api.get(f"{urlsplit(link_to(collection, 'items', GEOJSON)).path}/987654321")
        assert missing.status_code == 404


# --- Part 2: coordinate systems ------------------------------------------------------------------------


def _systems(collection: dict[str, Any]) -> list[str]:
    return list(collection["crs"])


@cache
def known(uri: str) -> pyproj.CRS:
    return pyproj.CRS("OGC:CRS84" if uri == CRS84 else f"EPSG:{uri.rsplit('/', 1)[1]}")


@cache
def move_to(uri: str) -> pyproj.Transformer:
    """From degrees, east first, to a system with its axes as the authority orders them."""
    return pyproj.Transformer.from_crs("OGC:CRS84", known(uri))


def moved(geometry: Any, uri: str) -> Any:
    to = move_to(uri)
    return shapely.transform(geometry, lambda points: np.column_stack(to.transform(points[:, 0], points[:, 1])))


def within(uri: str, ends: list[float]) -> bool:
    """Whether a box lies where the system may be used."""
    area = known(uri).area_of_use
    return area is None or box(*area.bounds).covers(box(*ends))


def test_systems_are_declared(api: Api) -> None:
    """/conf/crs/crs-uri, /conf/crs/default-crs, /conf/crs/storageCrs"""
    for collection in api.collections:
        systems = _systems(collection)
        assert all(
            re.fullmatch(r"http://www\.opengis\.net/def/crs/[A-Z]+/[0-9.]+/[A-Za-z0-9]+", uri) for uri in systems
        )
        assert systems[0] == CRS84
        assert len(systems) == len(set(systems))
        assert collection["storageCrs"] in systems


def test_coordinates_come_in_the_system_asked_for(api: Api) -> None:
    """/conf/crs/crs-parameter, /conf/crs/crs-parameter-transform, /conf/crs/crs-parameter-default"""
    for collection in api.some:
        features = api.items(collection, limit=2)["features"]
        ends = extent(collection)
        if not features or ends is None:
            continue
        place = link_to(collection, "items", GEOJSON)
        assert api.get(place, limit=2).headers["Content-Crs"] == f"<{CRS84}>"
        for uri in [uri for uri in _systems(collection) if within(uri, ends)]:
            answer = api.get(place, crs=uri, limit=2)
            assert answer.headers["Content-Crs"] == f"<{uri}>"
            tolerance = 1e-6 if known(uri).is_geographic else 0.02
            one = f"{urlsplit(place).path}/{features[0]['id']}"
            told = [*api.json(answer)["features"], api.json(api.get(one, crs=uri))]
            for feature, before in zip(told, [*features, features[0]], strict=True):
                wanted = moved(shape(before["geometry"]), uri)
                assert shape(feature["geometry"]).equals_exact(wanted, tolerance), f"{collection['id']} {uri}"


def test_systems_that_are_not_served_are_refused(api: Api) -> None:
    """/conf/crs/crs-parameter-invalid, /conf/crs/bbox-crs-parameter-invalid"""
    for collection in api.some:
        place = link_to(collection, "items", GEOJSON)
        for wrong in ("http://www.opengis.net/def/crs/0/unknown", "http://www.opengis.net/def/crs/EPSG/0/9999999", ""):
            assert api.get(place, crs=wrong).status_code == 400
            assert api.get(place, **{"bbox": "0,0,1,1", "bbox-crs": wrong}).status_code == 400


def test_boxes_in_other_systems(api: Api) -> None:
    """/conf/crs/bbox-crs-parameter, /conf/crs/bbox-crs-parameter-default"""
    for collection in api.some:
        ends = extent(collection)
        if ends is None or ends[0] == ends[2] or ends[1] == ends[3]:
            continue
        place = link_to(collection, "items", GEOJSON)
        usual = api.json(api.get(place, bbox=",".join(map(repr, ends)), limit=50))
        same = api.json(api.get(place, **{"bbox": ",".join(map(repr, ends)), "bbox-crs": CRS84, "limit": "50"}))
        keys = [feature["id"] for feature in usual["features"]]
        assert [feature["id"] for feature in same["features"]] == keys
        for uri in [uri for uri in _systems(collection) if within(uri, ends)]:
            slack = 1e-9 if known(uri).is_geographic else 1e-3
            there = moved(box(*ends), uri).buffer(slack, join_style="mitre").bounds
            page = api.json(api.get(place, **{"bbox": ",".join(map(repr, there)), "bbox-crs": uri, "limit": "50"}))
            assert [feature["id"] for feature in page["features"]] == keys, f"{collection['id']} {uri}"
