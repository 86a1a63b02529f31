"""Requests meant to do harm, at every interface for maps: each a clean 4xx, quick, small, and nothing is changed."""

from __future__ import annotations

import json
import socket
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from tests.conftest import Planned

pytestmark = pytest.mark.postgis
ITEMS = "/ogc/collections/grids/items"
MAP = "/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&CRS=CRS:84&STYLES=&FORMAT=image/png&"
PLACE = "BBOX=112,35,113,36&WIDTH=10&HEIGHT=10&"
DEEP = 10_000


def nested_json(depth: int) -> str:
    return '{"op":"not","args":[' * depth + '{"op":"=","args":[{"property":"code"},"a"]}' + "]}" * depth


def refused(client: FlaskClient, address: str, seconds: float = 5, **more: Any) -> None:
    """A 4xx of the interface's own shape, in seconds and megabytes, with no header of the sender's making."""
    tracemalloc.start()
    begun = time.monotonic()
    answer = client.open(address, **({"method": "GET"} | more))
    spent = time.monotonic() - begun
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 400 <= answer.status_code < 500, f"{answer.status_code}: {answer.data[:300]!r}"
    if address.startswith("/wms"):
        assert b"ServiceException" in answer.data
    else:
        error = json.loads(answer.data)["error"]
        assert set(error) == {"status", "code", "message", "details"}
        assert "\n" not in error["message"]
        assert len(error["message"]) < 1000
    assert "X-Evil" not in answer.headers
    assert not any("\r" in value or "\n" in value for _, value in answer.headers)
    assert spent < seconds
    assert peak < 200e6


@pytest.fixture(autouse=True)
def unchanged(planned: Planned) -> Iterator[None]:
    """Nothing is stored or lost by any of it."""
    query = "SELECT (SELECT count(*) FROM grids), (SELECT count(*) FROM pg_class)"
    with planned.engine.connect() as connection:
        before = connection.exec_driver_sql(query).one()
    yield
    with planned.engine.connect() as connection:
        assert connection.exec_driver_sql(query).one() == before


@pytest.mark.parametrize(
    "text",
    [
        "code = 'a'; DROP TABLE grids", "code = 'a'--", "code = 'a' OR 1=1) --", "code = 'a' UNION SELECT 1",
        "code = $$a$$", "pg_sleep(10) = 1", "code = (SELECT 1)", '"code"" = 1; DROP TABLE grids; --" = 1',
        "grids.code = 'a'", "S_INTERSECTS(geometry, POINT(1 1); SELECT 1)", "code = 'a' /* */ AND", "code LIKE E'\\x27'",
        "(" * DEEP + "code = 'a'" + ")" * DEEP, "NOT " * DEEP + "code = 'a'", "code = 'a'" + " AND code = 'a'" * DEEP,
        "households = " + "-" * DEEP + "1", "households = " + "9" * DEEP, "households > 1e999",
        f"code IN ({','.join(['1'] * DEEP)})", "CASEI(" * DEEP + "code" + ")" * DEEP + " = 'a'",
        "S_INTERSECTS(geometry, POLYGON((" + ",".join(["1 1"] * 3000) + ")))", "code = '\x00'", "code = '", "\ud7ff" * 100,
    ],
)  # fmt: skip
def test_filters_as_text(client: FlaskClient, text: str) -> None:
    refused(client, f"{ITEMS}?filter={quote(text)}")
    refused(client, f"/api/v1/layers/grids/download?format=csv&filter={quote(text)}")


@pytest.mark.parametrize(
    "text",
    [
        nested_json(1000), nested_json(DEEP), "[" * DEEP, '{"op":' * DEEP, '{"op":"; DROP TABLE grids","args":[]}',
        '{"op":"=","args":[{"property":"code\\"; DROP TABLE grids; --"},1]}', "{}", "[]", "null", "1", '"a"', '{"op":"="}',
        '{"op":"=","args":{"property":"code"}}', '{"op":"=","args":[{"property":{"property":"code"}},1]}',
        '{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Polygon","coordinates":' + "[" * 500 + "]" * 500 + "}]}",
        '{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Point","coordinates":[NaN,1]}]}',
        '{"op":"in","args":[{"property":"code"},' + "[" * 1000 + "]" * 1000 + "]}",
    ],
)  # fmt: skip
def test_filters_as_json(client: FlaskClient, text: str) -> None:
    refused(client, f"{ITEMS}?filter-lang=cql2-json&filter={quote(text)}")


def test_what_looks_like_sql_in_a_text_is_text(client: FlaskClient) -> None:
    for value in ("x'' OR ''1''=''1", "'' ; DROP TABLE grids; --", "%", "_"):
        text = f"code = '{value}'"
        answer = client.get(f"{ITEMS}?filter={quote(text)}")
        assert (answer.status_code, answer.get_json(force=True)["numberMatched"]) == (200, 0), value


@pytest.mark.parametrize(
    "query",
    [
        f"limit={'9' * 400}", "limit=1e9", "limit=0x10", "limit=-1", "limit=NaN", "limit=1&limit=2", "limit=%00",
        "bbox=NaN,NaN,NaN,NaN", "bbox=inf,0,1,1", "bbox=1e999,0,1,1", "bbox=0,50,1,40", "bbox=" + "1," * DEEP, "bbox=a,b,c,d",
        "sortby=code;DROP TABLE grids", "sortby=(SELECT 1)", "sortby=" + "code," * DEEP, "sortby=%2Bcode%00",
        "properties=code,(SELECT 1)", "properties=*", "crs=http://127.0.0.1/", "crs=../../etc",
        "crs=" + "x" * DEEP, "after=AAAA", "after=" + "A" * DEEP, "after=%27%3B--", "after=%00", "offset=10", "f=../../x",
        "f=json%0d%0aX-Evil:1", "datetime=" + "9" * DEEP, "datetime=-99999-01-01T00:00:00Z", "datetime=../..",
        "bbox=1,1,2,2&bbox-crs=%0d%0aX-Evil:1", "code=a'--", "code=%00", "x" * DEEP + "=1",
    ],
)  # fmt: skip
def test_parameters_of_items(client: FlaskClient, query: str) -> None:
    # values of an attribute are compared, not understood
    if query == "code=a'--":
        assert client.get(f"{ITEMS}?{query}").get_json(force=True)["numberMatched"] == 0
        return
    refused(client, f"{ITEMS}?{query}")


NAMES = (
    "..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "..%5c..%5cwindows", "grids%00", "grids%0d%0aX-Evil:%201", "grids;ls",
    "grids'--", "%FF%FE", "x" * DEEP, "GRIDS", ".", "~root", "$(id)", "{{7*7}}", "%252e%252e%252f", "pg_catalog.pg_class",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_names_of_layers(client: FlaskClient, name: str) -> None:
    tile = "tiles/WebMercatorQuad/14/6500/13000"
    for address in (
        f"/ogc/collections/{name}/items", f"/ogc/collections/{name}/queryables", f"/ogc/collections/{name}/{tile}",
        f"/ogc/collections/grids/items/{name}", f"/ogc/collections/{name}/styles", f"/ogc/collections/grids/tiles/{name}",
        f"/api/v1/layers/{name}/download", f"/ogc/styles/{name}",
        f"{MAP}{PLACE}LAYERS={name}", f"{MAP}{PLACE}LAYERS=grids&STYLES={name}".replace("STYLES=&", ""),
    ):  # fmt: skip
        if "/." in address or "/%2e" in address:  # a client takes these steps itself: what is left is another page
            assert client.get(address).status_code < 500
            continue
        refused(client, address)


@pytest.mark.parametrize(
    "place",
    ["99999999999999999999/0/0", "-1/0/0", "14/-1/0", "14/99999/0", "1e3/0/0", "NaN/0/0", "14/0/0%00", "٣/0/0", "14/0x1/0", f"{'1' * DEEP}/0/0"],
)  # fmt: skip
def test_addresses_of_tiles(client: FlaskClient, place: str) -> None:
    refused(client, f"/ogc/collections/grids/tiles/WebMercatorQuad/{place}")
    refused(client, f"/ogc/tiles/WebMercatorQuad/{place}")


@pytest.mark.parametrize(
    "query",
    [
        "WIDTH=1000000000&HEIGHT=1000000000&BBOX=0,0,1,1", "WIDTH=-1&HEIGHT=1&BBOX=0,0,1,1", "WIDTH=1e9&HEIGHT=1&BBOX=0,0,1,1",
        "WIDTH=10&HEIGHT=10&BBOX=NaN,0,1,1", "WIDTH=10&HEIGHT=10&BBOX=1,1,0,0", "WIDTH=10&HEIGHT=10&BBOX=0,0,inf,1",
        "WIDTH=10&HEIGHT=10&BBOX=" + "0," * DEEP, PLACE + "DPI=1e9", PLACE + "DPI=NaN", PLACE + "BGCOLOR=0xZZ", PLACE + "TIME=" + "9" * DEEP,
        PLACE + "TIME=" + ",".join(["2026-01-01"] * DEEP), PLACE + "SLD_BODY=" + "<a>" * DEEP, PLACE + "FORMAT_OPTIONS=dpi:1e400",
    ],
)  # fmt: skip
def test_parameters_of_maps(client: FlaskClient, query: str) -> None:
    refused(client, f"{MAP}LAYERS=grids&{query}")


def test_ten_megabytes_of_address(client: FlaskClient) -> None:
    refused(client, f"{ITEMS}?filter={'a' * 10_000_000}", 30)
    refused(client, f"{MAP}{PLACE}LAYERS={'a' * 10_000_000}", 30)


def test_nothing_is_fetched(client: FlaskClient) -> None:
    """SLD=, REMOTE_OWS_URL=, entities and schemas of XML: nobody comes to a port that waits for them."""
    with socket.create_server(("127.0.0.1", 0)) as waiting:
        waiting.setblocking(False)
        own = f"http://127.0.0.1:{waiting.getsockname()[1]}/x"
        entity = f'<!DOCTYPE a [<!ENTITY b SYSTEM "{own}">]><StyledLayerDescriptor><NamedLayer><Name>&b;</Name></NamedLayer></StyledLayerDescriptor>'
        bomb = (
            '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
            + "".join(f'<!ENTITY a{n} "{f"&a{n - 1 or str()};" * 10}">' for n in range(1, 10))
            + "]><a>&a9;</a>"
        )
        schema = f'<StyledLayerDescriptor xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a {own}"><a/></StyledLayerDescriptor>'
        include = f'<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="{own}"/></a>'
        refused(client, f"{MAP}{PLACE}LAYERS=grids&SLD={quote(own)}")
        refused(client, f"{MAP}{PLACE}LAYERS=grids&REMOTE_OWS_TYPE=WFS&REMOTE_OWS_URL={quote(own)}")
        for text in (
            entity,
            bomb,
            schema,
            include,
            f'<!DOCTYPE a SYSTEM "{own}"><a/>',
            f'<?xml-stylesheet href="{own}"?><a/>',
        ):
            refused(client, f"{MAP}{PLACE}LAYERS=grids&SLD_BODY={quote(text)}")
            refused(client, "/wms", method="POST", data=text.encode(), content_type="text/xml")
        with pytest.raises(BlockingIOError):
            waiting.accept()
