"""Answers in MapIt's shapes: areas by number, errors, outlines; and what caches are told of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from html import escape
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import Any

from flask import Response, request
from werkzeug.wsgi import FileWrapper

from api.json import json_bytes
from data.mapit import CHUNK, Row
from data.mapit_types import type_code, type_name
from gisgrid import __version__

JSON = "application/json; charset=utf-8"
MEDIA = {
    "json": JSON, "geojson": "application/geo+json; charset=utf-8", "wkt": "text/plain; charset=utf-8",
    "kml": "application/vnd.google-earth.kml+xml; charset=utf-8",
}  # fmt: skip
SPOOL_BYTES = 4 * 1024 * 1024
"""Answers up to this size stay in memory."""
STYLE = (
    '<Style id="ourPolygonStyle"><LineStyle><color>70ff0000</color><width>2</width></LineStyle>'
    "<PolyStyle><color>3dff5500</color></PolyStyle></Style>"
)


def area(row: Row, *, names: bool = False) -> dict[str, Any]:
    """One area with MapIt's members; its names by language only where MapIt gives them."""
    kind = type_code(row.level, row.system, row.code)
    spoken = {"zh": ["中文 Chinese", row.name], "en": ["英文 English", row.name_en]}
    return {
        "parent_area": row.parent,
        "generation_high": row.high,
        "all_names": {key: value for key, value in spoken.items() if value[1]} if names else {},
        "id": row.id,
        "codes": {"gisgrid": row.code},
        "name": row.name,
        "country": "",
        "type_name": type_name(kind, row.system),
        "generation_low": row.low,
        "country_name": "-",
        "type": kind,
    }


def plain(value: Any) -> Response:
    """Any value as JSON."""
    return Response(json_bytes(value), content_type=JSON)


def areas(rows: Iterator[Row]) -> Response:
    """Areas by number. Many go through a file, so that neither memory nor a connection is held while they are sent."""
    first = list(islice(rows, CHUNK))
    if len(first) < CHUNK:
        return Response(b"{" + _members(first) + b"}", content_type=JSON)
    spool = SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 - closed when the answer is sent
    spool.write(b"{" + _members(first))
    while piece := list(islice(rows, CHUNK)):
        spool.write(b"," + _members(piece))
    spool.write(b"}")
    length = spool.tell()
    spool.seek(0)
    response = Response(FileWrapper(spool, 65536), content_type=JSON)
    response.content_length = length
    response.call_on_close(spool.close)
    return response


def _members(rows: list[Row]) -> bytes:
    return b",".join(b'"%d":%b' % (row.id, json_bytes(area(row))) for row in rows)


def error(status: int, message: str) -> Response:
    """MapIt's error: its clients read the text under ``error``."""
    response = plain({"code": status, "error": message})
    response.status_code = status
    if status == 503:
        response.headers["Retry-After"] = "2"
    return response


def outline(row: Row, text: str, form: str) -> Response:
    """One outline: a bare geometry as GeoJSON or WKT, a whole document as KML."""
    return Response(_kml([(row, text)]) if form == "kml" else text, content_type=MEDIA[form])


def outlines(found: list[tuple[Row, str]], form: str) -> Response:
    """Several outlines with their names: a KML document or a GeoJSON FeatureCollection."""
    if form == "kml":
        return Response(_kml(found), content_type=MEDIA["kml"])
    features = (
        b'{"type":"Feature","properties":%b,"geometry":%b}' % (json_bytes({"name": row.name}), text.encode())
        for row, text in found
    )
    body = b'{"type":"FeatureCollection","features":[' + b",".join(features) + b"]}"
    return Response(body, content_type=MEDIA[form])


def _kml(found: list[tuple[Row, str]]) -> str:
    places = "".join(
        f"<Placemark><styleUrl>#ourPolygonStyle</styleUrl><name>{escape(row.name)}</name>{text}</Placemark>"
        for row, text in found
    )
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
    return f"{head}{STYLE}{places}</Document></kml>\n"


def tag(generation: int, revision: int) -> str:
    """What changes whenever the answer to this very request may: program, generation, imports, question."""
    asked = (__version__, generation, revision, request.path, request.query_string, request.method)
    return hashlib.sha1(repr(asked).encode(), usedforsecurity=False).hexdigest()
