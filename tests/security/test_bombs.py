"""Bodies, addresses and headers meant to do harm, sent to a real server: each is refused, soon and for little memory,
by the very process that goes on to answer the next.
"""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest

from gisgrid.limits import BODY_BYTES_MAX
from tests.security import bodies
from tests.security.conftest import Server

pytestmark = [pytest.mark.postgis, pytest.mark.timeout(300)]
MB = 1 << 20
GROWTH = 640 * MB
"""Most a single request may add to the worker, at its peak: 32 MB of JSON as Python objects, four times over."""
LOCATE = "/api/v1/locate"
JSON, GEOJSON, CSV = (
    {"Content-Type": "application/json"},
    {"Content-Type": "application/geo+json"},
    {"Content-Type": "text/csv"},
)
PARQUET = {"Content-Type": "application/vnd.apache.parquet"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
XML = {"Content-Type": "text/xml"}
MAP = "/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&CRS=CRS:84&STYLES=&FORMAT=image/png&LAYERS=grids&"
ITEMS = "/ogc/collections/components/items"


@pytest.fixture(autouse=True)
def _unharmed(server: Server, record_property: Callable[[str, Any], None]) -> Iterator[None]:
    """The same worker lives, answers, and holds little more than before."""
    before, held = server.worker, server.memory()
    server.forget_peak()
    yield
    grown = server.memory(peak=True) - held
    record_property("peak_growth_mb", grown // MB)
    assert server.worker == before
    assert server.ask("GET", "/api/v1/locate?lon=112.9&lat=35.5", seconds=10).status in (200, 404)
    assert grown < GROWTH, f"{grown // MB} MB"


def refused(
    server: Server,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    *,
    seconds: float = 15,
) -> int:
    """The status, a 4xx, or 0 where the server hangs up on what is still being sent."""
    answer = server.ask(method, path, body, headers)
    assert 400 <= answer.status < 500 or answer.status == 0, f"{answer.status}: {answer.body[:300]!r}"
    assert answer.seconds < seconds, f"{answer.seconds:.1f} s"
    assert b"Traceback" not in answer.body
    return answer.status


# --- batches ----------------------------------------------------------------------------

BATCHES = {
    "lists in lists": (JSON, b"[" * 100_000),
    "objects in objects": (JSON, b'{"points":' * 100_000),
    "closed, deep": (JSON, b'{"points":' + b"[" * 2_000 + b"]" * 2_000 + b"}"),
    "ten million empty lists": (JSON, b'{"points":[' + b"[]," * 10_000_000 + b"[]]}"),
    "ten million empty objects": (JSON, b'{"points":[' + b"{}," * 10_000_000 + b"{}]}"),
    "duplicate keys": (JSON, b'{"points":1,' * 1 + b'"points":2,' * 200_000 + b'"points":3}'),
    "NaN": (JSON, b'{"points":[[NaN,1]]}'),
    "Infinity": (JSON, b'{"points":[[Infinity,-Infinity]]}'),
    "a text of 10 MB for a list": (JSON, b'{"points":"' + b"x" * (10 * MB) + b'"}'),
    "an unknown member of 10 MB": (JSON, b'{"' + b"x" * (10 * MB) + b'":1}'),
    "a crs of 10 MB": (JSON, b'{"points":[[1,1]],"crs":"' + b"x" * (10 * MB) + b'"}'),
    "no UTF-8": (JSON, b'{"points":["\xff\xfe"]}'),
    "UTF-16": (JSON, '{"points":[[1,1]]}'.encode("utf-16")),
    "nothing": (JSON, b""),
    "NUL": (CSV, b"\0" * MB),
    "a header of ten million columns": (CSV, b"a," * 10_000_000 + b"lon,lat\n1,2\n"),
    "a line of 10 MB": (CSV, b"x" * (10 * MB) + b"\n"),
    "a quote never closed": (CSV, b'name,other\n"' + b"x,\n" * 90_000),
    "collections in collections": (GEOJSON, b'{"type":"FeatureCollection","features":' + b"[" * 5_000 + b"]" * 5_000 + b"}"),
    "no parquet": (PARQUET, b"PAR1" + b"\0" * 1000 + b"PAR1"),
    "a parquet whose footer is longer than it": (PARQUET, b"PAR1" + b"\0" * 64 + b"\xff\xff\xff\x7fPAR1"),
    "a parquet that grows to 6 GB": (PARQUET, bodies.growing_parquet()),
    "a parquet of zeros, 500 MB": (PARQUET, bodies.zeros_parquet()),
    "a parquet that lies": (PARQUET, bodies.lying_parquet()),
}  # fmt: skip


@pytest.mark.parametrize("name", BATCHES)
def test_batches(server: Server, name: str) -> None:
    headers, body = BATCHES[name]
    refused(server, "POST", LOCATE, body, headers, seconds=30)


ODD = {
    "collections in collections": bodies.features(bodies.nested_collections(300)),
    "1e308": bodies.features('{"type":"Point","coordinates":[1e308,-1e308]}'),
    "a million vertices": bodies.features(bodies.polygon(1_000_000)),
    "100,000 properties": bodies.features(bodies.POINT, properties=json.dumps({f"p{k}": k for k in range(100_000)})),
    "a text of 10 MB": bodies.features(bodies.POINT, properties=json.dumps({"a": "x" * (10 * MB)})),
    "duplicate keys": bodies.features(bodies.POINT, properties="{" + '"a":1,' * 100_000 + '"a":2}'),
}


@pytest.mark.parametrize("wanted", ["application/geo+json", "text/csv", "application/vnd.apache.parquet"])
@pytest.mark.parametrize("name", ODD)
def test_features_that_are_no_points(server: Server, name: str, wanted: str) -> None:
    """Rows of a batch are answered one by one: what is no point is told as such, nothing worse happens."""
    answer = server.ask("POST", LOCATE, ODD[name], GEOJSON | {"Accept": wanted})
    assert answer.status == 200 or 400 <= answer.status < 500, answer.body[:300]
    assert answer.seconds < 20


def test_deeper_collections_are_no_json(server: Server) -> None:
    refused(server, "POST", LOCATE, bodies.features(bodies.nested_collections(2_000)), GEOJSON)


def test_damaged_tables(server: Server) -> None:
    """Random damage ends in a refusal or in an answer, never in the worker's end."""
    for body in bodies.damaged_parquets(60):
        answer = server.ask("POST", LOCATE, body, PARQUET)
        assert answer.status == 200 or 400 <= answer.status < 500, answer.body[:300]


@pytest.mark.parametrize("text", ["lon,lat\n112.9,35.5\n", "lon\tlat\n112.9\t35.5\n"])
def test_utf16_is_read(server: Server, text: str) -> None:
    answer = server.ask("POST", LOCATE, text.encode("utf-16"), CSV | {"Accept": "application/json"})
    assert (answer.status, answer.json["points"]) == (200, 1) or answer.json["points"][0]["row"] == 1


# --- sizes, encodings, pace -------------------------------------------------------------

POSTS = (
    (LOCATE, JSON), ("/api/v1/circles", JSON), ("/api/v1/circles/sites", JSON), ("/api/v1/circles/response", JSON),
    ("/api/v1/circles/straight", JSON), ("/api/v1/plans", JSON), ("/api/v1/plans/1/edits", JSON), ("/api/v1/reports", JSON),
    (ITEMS, GEOJSON), ("/open311/v2/requests.json", FORM), ("/open311/v2/requests.xml", FORM), ("/wms", XML),
    ("/mapit/point/4326/112.9,35.5", FORM), ("/mapit/areas", FORM),
)  # fmt: skip


@pytest.mark.parametrize(("path", "headers"), POSTS, ids=[path for path, _ in POSTS])
@pytest.mark.parametrize("chunked", [False, True], ids=["told", "chunked"])
def test_bodies_beyond_the_limit(server: Server, path: str, headers: dict[str, str], chunked: bool) -> None:
    piece = b" " * MB
    count = BODY_BYTES_MAX // MB + 2

    def pieces() -> Iterator[bytes]:
        for _ in range(count):
            yield piece

    body = pieces() if chunked else piece * count
    assert refused(server, "POST", path, body, headers) in (0, 400, 403, 404, 405, 413, 415)


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "zstd", "gzip, gzip"])
@pytest.mark.parametrize(("path", "headers"), POSTS, ids=[path for path, _ in POSTS])
def test_packed_bodies_are_not_taken(server: Server, path: str, headers: dict[str, str], coding: str) -> None:
    bomb = gzip.compress(b" " * (64 * MB))
    assert refused(server, "POST", path, bomb, headers | {"Content-Encoding": coding}) in (404, 405, 415)


def test_slow_bodies_hold_no_place(server: Server) -> None:
    """Forty clients that send a byte now and then: others are answered meanwhile."""
    slow = []
    for _ in range(40):
        way = socket.create_connection(("127.0.0.1", server.port))
        way.sendall(
            f"POST {LOCATE} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n[".encode()
        )
        slow.append(way)
    time.sleep(0.5)
    try:
        for path in ("/api/v1/locate?lon=112.9&lat=35.5", "/api/v1/grids?limit=1", "/healthz"):
            answer = server.ask("GET", path, seconds=30)
            assert answer.status in (200, 404)
            assert answer.seconds < 5, f"{path}: {answer.seconds:.1f} s"
    finally:
        for way in slow:
            way.close()


# --- features, forms, XML ---------------------------------------------------------------


def feature(geometry: str, **properties: Any) -> bytes:
    return f'{{"type":"Feature","properties":{json.dumps(properties)},"geometry":{geometry}}}'.encode()


SHAPES = {
    "2,000 deep": bodies.nested_collections(2_000),
    "300 deep": bodies.nested_collections(300),
    "1e308": '{"type":"Point","coordinates":[1e308,1e308]}',
    "1e999": '{"type":"Point","coordinates":[1e999,1]}',
    "NaN": '{"type":"Point","coordinates":[NaN,1]}',
    "bow-tie": '{"type":"Polygon","coordinates":[[[0,0],[1,1],[1,0],[0,1],[0,0]]]}',
    "a million vertices": bodies.polygon(1_000_000),
    "no ring": '{"type":"Polygon","coordinates":[]}',
    "two points": '{"type":"Polygon","coordinates":[[[0,0],[1,1]]]}',
    "wrong depth": '{"type":"Point","coordinates":[[[[1,2]]]]}',
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_to_be_stored(server: Server, name: str) -> None:
    refused(server, "POST", ITEMS, feature(SHAPES[name], component_code="c1", major="01", minor="01"), GEOJSON)
    refused(server, "PUT", f"{ITEMS}/1", feature(SHAPES[name]), GEOJSON | {"If-Match": '"x"'})


ENTITIES = (
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1 or str()};" * 10}">' for n in range(1, 10))
    + "]><GetMap>&a9;</GetMap>"
)
DOCUMENTS = {
    "entities in entities": ENTITIES,
    "one entity, many times": '<!DOCTYPE a [<!ENTITY a "' + "a" * 100_000 + '">]><a>' + "&a;" * 10_000 + "</a>",
    "an entity outside": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "a parameter entity": '<!DOCTYPE a [<!ENTITY % b SYSTEM "http://127.0.0.1:9/x"> %b;]><a/>',
    "deep": "<a>" * 50_000 + "</a>" * 50_000,
    "wide": "<a>" + "<b/>" * 60_000 + "</a>",
    "attributes": "<a " + " ".join(f'x{k}="1"' for k in range(20_000)) + "/>",
    "rules": "<StyledLayerDescriptor version='1.1.0'><NamedLayer><Name>grids</Name><UserStyle><FeatureTypeStyle>"
    + "<Rule><PolygonSymbolizer/></Rule>" * 2_000 + "</FeatureTypeStyle></UserStyle></NamedLayer></StyledLayerDescriptor>",
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents(server: Server, name: str) -> None:
    text = DOCUMENTS[name]
    refused(server, "POST", "/wms", text.encode(), XML)
    refused(server, "POST", "/wms", ("SERVICE=WMS&REQUEST=GetMap&SLD_BODY=" + quote(text)).encode(), FORM)
    refused(server, "POST", "/open311/v2/requests.xml", text.encode(), XML)


def test_forms(server: Server) -> None:
    for body in (
        b"&".join(b"a%d=1" % k for k in range(50_000)), b"a=" + b"%41" * 500_000, b"=" * 500_000, b"&" * 900_000,
        b"service_code=%00", b"service_code=0101&lat=1e308&long=nan", b"description=" + b"x" * 900_000,
    ):  # fmt: skip
        refused(server, "POST", "/open311/v2/requests.json", body, FORM)
    refused(
        server,
        "POST",
        "/open311/v2/requests.json",
        b"--a\r\n" * 100_000,
        {"Content-Type": "multipart/form-data; boundary=a"},
    )


# --- addresses and headers --------------------------------------------------------------

DEEP = 20_000
ADDRESSES = {
    "a filter of brackets": f"{ITEMS}?filter=" + "(" * DEEP,
    "a filter of NOT": f"{ITEMS}?filter=" + quote("NOT " * 3_000 + "state = 'a'"),
    "a filter in JSON": f"{ITEMS}?filter-lang=cql2-json&filter=" + quote('{"op":"not","args":[' * 3_000 + "]}" * 3_000),
    "wide": MAP + "BBOX=0,0,1,1&WIDTH=100000&HEIGHT=100000",
    "wider than any number": MAP + f"BBOX=0,0,1,1&WIDTH={'9' * 500}&HEIGHT=1",
    "a far box": MAP + "BBOX=-1e308,-1e308,1e308,1e308&WIDTH=10&HEIGHT=10",
    "a box of nothing": MAP + "BBOX=0,0,0,0&WIDTH=10&HEIGHT=10",
    "an address of letters": "/api/v1/locate?address=" + "a" * 100_000,
    "1 MB of query": "/api/v1/grids?bbox=" + "1" * MB,
    "1 MB of path": "/api/v1/grids/" + "1" * MB,
    "a thousand parameters": "/api/v1/grids?" + "&".join(f"p{k}=1" for k in range(1_000)),
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_addresses(server: Server, name: str) -> None:
    refused(server, "GET", ADDRESSES[name], seconds=10)


def test_patterns_take_no_time(server: Server) -> None:
    """Patterns are compared by PostgreSQL, which does not go back and forth for ever; ours are none a sender chooses."""
    for pattern in ("%a" * 2_000, "_" * 4_000, "%" * 4_000, "%a_" * 1_300):
        answer = server.ask("GET", f"{ITEMS}?filter=" + quote(f"state LIKE '{pattern}'"))
        assert answer.status in (200, 400)
        assert answer.seconds < 5


AMBIGUOUS = (
    "1" * 490, "号" * 490, "1号" * 240, "路" * 490, "一二三四五六七八九十" * 49, "幢单元室" * 120, "A" * 490, "-" * 490,
    "柳荫路1-1-1-1" * 48, " " * 490 + "x", "(" * 490, "十" * 490, "百千万亿" * 120, "东西南北" * 120, "\u0301" * 490, "号楼" * 240,
)  # fmt: skip


@pytest.mark.parametrize("text", AMBIGUOUS, ids=range(len(AMBIGUOUS)))
def test_addresses_in_words_take_no_time(server: Server, text: str) -> None:
    answer = server.ask("GET", "/api/v1/locate?address=" + quote(text[:495]))
    assert answer.status in (200, 400, 404, 409, 422), answer.body[:200]
    assert answer.seconds < 3, f"{answer.seconds:.1f} s"


def test_headers(server: Server) -> None:
    line = b"GET /api/v1/grids?limit=1 HTTP/1.1\r\nHost: a\r\n"
    floods = {
        "many": line + b"".join(b"X-A%d: b\r\n" % k for k in range(20_000)) + b"\r\n",
        "long": line + b"X-A: " + b"b" * (4 * MB) + b"\r\n\r\n",
        "never ending": line + b"X-A: " + b"b" * (4 * MB),
        "accept": line + b"Accept: " + b"a/b;q=0.1," * 6_000 + b"\r\nConnection: close\r\n\r\n",
        "ranges": line + b"If-None-Match: " + b'"a",' * 12_000 + b"\r\nConnection: close\r\n\r\n",
        "two lengths": line.replace(b"GET", b"POST") + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "length and chunks": line.replace(b"GET", b"POST")
        + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "no length": line.replace(b"GET", b"POST") + b"Content-Length: -5\r\n\r\n",
        "a chunk of 2^63": line.replace(b"GET", b"POST") + b"Transfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nab",
        "nonsense": b"\x16\x03\x01" + bytes(range(256)) * 100,
    }
    for name, sent in floods.items():
        begun = time.monotonic()
        with suppress(ConnectionError):
            got = server.raw(sent, seconds=5)
            first = got.split(b"\r\n", 1)[0]
            assert not got or (first.startswith(b"HTTP/1.1 ") and first[9:10] in b"24"), f"{name}: {first!r}"
        assert time.monotonic() - begun < 15, name


def test_connections_that_ask_nothing_keep_nobody_waiting(server: Server) -> None:
    """Browsers keep connections open: hundreds of them, each asked once, are no reason to let the next one wait."""
    idle = []
    try:
        for _ in range(300):
            way = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            idle.append(way)
            way.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert way.recv(65_536).startswith(b"HTTP/1.1 200")
        answer = server.ask("GET", "/healthz", seconds=10)
    finally:
        for way in idle:
            way.close()
    assert answer.status == 200
    assert answer.seconds < 5
