"""Conditional requests, compression and CORS on an application of its own."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import brotli
import pytest
from apiflask import APIFlask
from flask import Response
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from api import compression, cross_origin, errors, etag

TEXT = "网格 grids " * 500
DECODE = {"gzip": gzip.decompress, "br": brotli.decompress}


class Feature:
    """What the views tell about; ``closed``: streams whose end was noticed."""

    revision = 1
    closed = 0
    made = 0


class Stream:
    def __init__(self, feature: Feature) -> None:
        self.feature = feature

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(50):
            yield TEXT.encode()

    def close(self) -> None:
        self.feature.closed += 1


@pytest.fixture
def feature() -> Feature:
    return Feature()


@pytest.fixture
def client(feature: Feature) -> FlaskClient:
    app = APIFlask("test", openapi_blueprint_url_prefix=None)
    errors.init_app(app)
    cross_origin.init_app(app)
    compression.init_app(app)

    @app.get("/ogc/text")
    def text() -> Response:
        def make() -> Response:
            feature.made += 1
            return Response(TEXT, mimetype="application/geo+json")

        return etag.answered(etag.request_tag(str(feature.revision)), make)

    @app.get("/ogc/weak")
    def weak() -> Response:
        return etag.answered(etag.request_tag("1", weak=True), lambda: Response(TEXT, mimetype="text/html"))

    @app.get("/stream")
    def stream() -> Response:
        return Response(Stream(feature), mimetype="text/csv")

    @app.get("/small")
    def small() -> Response:
        return Response("small", mimetype="text/plain")

    @app.get("/picture")
    def picture() -> Response:
        return Response(b"\x89PNG" * 5000, mimetype="image/png")

    @app.put("/ogc/text")
    def put() -> Response:
        etag.check_match(None if feature.revision == 0 else f'"{feature.revision}"')
        feature.revision += 1
        return Response(status=204)

    return app.test_client()


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"), ("br", "br"), ("gzip, br", "gzip"), ("gzip;q=0.5, br", "br"), ("*", "gzip"),
        ("identity", None), ("", None), ("gzip;q=0", None), ("*;q=0", None), ("identity;q=1, *;q=0", None),
        ("gzip;q=0, *", "br"), ("deflate, zstd", None), ("identity, gzip;q=0.5", None), ("GZIP", "gzip"),
    ],
)  # fmt: skip
def test_the_coding_follows_the_client(client: FlaskClient, accepted: str, coding: str | None) -> None:
    answer = client.get("/ogc/text", headers={"Accept-Encoding": accepted})
    assert answer.headers.get("Content-Encoding") == coding
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert DECODE.get(coding or "", bytes)(answer.get_data()).decode() == TEXT
    assert answer.content_length == len(answer.get_data())


@given(st.lists(st.tuples(st.sampled_from(["gzip", "br", "identity", "*", "zstd"]), st.integers(0, 10)), max_size=5))
def test_no_refused_coding_is_ever_chosen(wanted: list[tuple[str, int]]) -> None:
    accepted = parse_accept_header(", ".join(f"{name};q={q / 10}" for name, q in wanted), MIMEAccept)
    found = compression.chosen(accepted)
    if found is not None:
        qualities = {name: float(q) for name, q in accepted}
        assert qualities.get(found, qualities.get("*", 0.0)) > 0


def test_small_bodies_pictures_and_head(client: FlaskClient) -> None:
    assert "Content-Encoding" not in client.get("/small", headers={"Accept-Encoding": "gzip"}).headers
    picture = client.get("/picture", headers={"Accept-Encoding": "gzip"}).headers
    assert "Content-Encoding" not in picture
    assert "Vary" not in picture
    head, whole = (getattr(client, way)("/ogc/text", headers={"Accept-Encoding": "br"}) for way in ("head", "get"))
    assert head.headers["Content-Encoding"] == "br"
    assert head.headers["ETag"] == whole.headers["ETag"]
    assert head.get_data() == b""


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_a_stream_is_compressed_as_it_comes(client: FlaskClient, feature: Feature, coding: str) -> None:
    answer = client.get("/stream", headers={"Accept-Encoding": coding}, buffered=False)
    assert answer.is_streamed
    first = next(iter(answer.response))
    assert 0 < len(first) < len(TEXT.encode())
    rest = b"".join(answer.response)
    assert DECODE[coding](first + rest).decode() == TEXT * 50
    answer.close()
    assert feature.closed == 1


def test_a_stream_nobody_reads_is_let_go(client: FlaskClient, feature: Feature) -> None:
    client.get("/stream", headers={"Accept-Encoding": "gzip"}, buffered=False).close()
    assert feature.closed == 1


@pytest.mark.parametrize("coding", ["identity", "gzip", "br"])
def test_a_tag_comes_back_as_304(client: FlaskClient, feature: Feature, coding: str) -> None:
    accept = {"Accept-Encoding": coding}
    tag = client.get("/ogc/text", headers=accept).headers["ETag"]
    assert tag.endswith('"' if coding == "identity" else f'-{coding}"')
    for given_tags in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = client.get("/ogc/text", headers=accept | {"If-None-Match": given_tags})
        assert again.status_code == 304, given_tags
        assert again.get_data() == b""
        assert "Accept-Encoding" in again.headers["Vary"]
        assert again.headers["Cache-Control"] == etag.CURRENT
        if given_tags != "*":
            assert again.headers["ETag"] == tag
    assert feature.made == 1
    assert client.get("/ogc/text?x=1", headers=accept | {"If-None-Match": tag}).status_code == 200
    feature.revision = 2
    assert client.get("/ogc/text", headers=accept | {"If-None-Match": tag}).status_code == 200
    assert client.get("/ogc/text", headers=accept | {"If-None-Match": 'nonsense, "x'}).status_code == 200


def test_codings_have_tags_of_their_own_unless_weak(client: FlaskClient) -> None:
    def tags(path: str) -> set[str]:
        codings = ("identity", "gzip", "br")
        return {client.get(path, headers={"Accept-Encoding": coding}).headers["ETag"] for coding in codings}

    assert len(tags("/ogc/text")) == 3
    (weak,) = tags("/ogc/weak")
    assert client.get("/ogc/weak", headers={"If-None-Match": weak}).status_code == 304


def test_answers_to_keys_are_not_shared(client: FlaskClient) -> None:
    answer = client.get("/ogc/text", headers={"Authorization": "Bearer x"})
    assert answer.headers["Cache-Control"] == etag.PRIVATE
    assert "Authorization" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 428), ({"If-Match": '"1"'}, 204), ({"If-Match": '"0", "1"'}, 204), ({"If-Match": "*"}, 204),
        ({"If-Match": '"2"'}, 412), ({"If-Match": 'W/"1"'}, 412), ({"If-Match": '"1-gzip"'}, 204),
        ({"If-None-Match": "*"}, 412), ({"If-None-Match": '"1"', "If-Match": '"1"'}, 412),
        ({"If-None-Match": '"5"', "If-Match": '"1"'}, 204),
    ],
)  # fmt: skip
def test_a_change_needs_the_tag_of_now(
    client: FlaskClient, feature: Feature, headers: dict[str, str], status: int
) -> None:
    answer = client.put("/ogc/text", headers=headers)
    assert answer.status_code == status
    assert feature.revision == (2 if status == 204 else 1)
    if status != 204:
        assert answer.get_json()["error"]["status"] == status


@pytest.mark.parametrize(("headers", "status"), [({"If-None-Match": "*"}, 204), ({"If-Match": "*"}, 412), ({}, 428)])
def test_making_what_is_not_there(client: FlaskClient, feature: Feature, headers: dict[str, str], status: int) -> None:
    feature.revision = 0
    assert client.put("/ogc/text", headers=headers).status_code == status


def test_how_long_answers_are_kept() -> None:
    assert etag.keeping() == etag.CURRENT == "public, no-cache"
    assert etag.keeping(seconds=60) == "public, max-age=60, must-revalidate"
    assert etag.keeping(ended=True) == "public, max-age=86400"
    assert etag.keeping(restricted=True, ended=True) == "private, no-cache"


def test_other_origins_may_read_and_not_write(client: FlaskClient) -> None:
    answer = client.get("/ogc/text", headers={"Origin": "https://maps.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    asked = {"Origin": "https://maps.example", "Access-Control-Request-Method": "PUT"}
    preflight = client.options("/ogc/text", headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert "Access-Control-Allow-Origin" not in client.put("/ogc/text").headers
    assert "Access-Control-Allow-Origin" not in client.get("/small").headers
