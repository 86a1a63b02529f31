"""Changing features (OGC API Features Part 4): POST, PUT, PATCH, DELETE, with If-Match, for those with a key."""

from __future__ import annotations

from typing import Any, Final, NoReturn

import orjson
import sqlalchemy as sa
from flask import Response, request
from werkzeug.exceptions import MethodNotAllowed, PreconditionFailed, UnsupportedMediaType

from api import etag
from api.access.principal import everywhere, require
from api.ogc.answers import GEOJSON, JSON, address, found_layer, take
from api.state import state
from data.report_places import community_at
from data.retrying import retried
from gisgrid.errors import BadInput
from gisgrid.limits import FEATURE_DEPTH_MAX
from layers.catalog import Layer
from layers.collections.crs import CRS84, Crs, crs_named
from layers.collections.editable import delete, insert, merged, replace, stored_tag, table_of
from layers.collections.pages import Question, feature, has_key

PATCH_TYPE: Final = "application/merge-patch+json"


@retried
def add_item(collection: str) -> Response:
    """Store a new feature: 201 and where it is."""
    layer = _open(collection)
    sent, crs = _sent((GEOJSON, JSON)), _content_crs()
    with state().engine.begin() as connection:
        key = insert(connection, layer, sent, crs)
        _check_place(connection, layer, key)
        tag = stored_tag(connection, layer, key)
    response = Response(status=201)
    response.headers["Location"] = address("collections", layer.name, "items", key)
    response.headers["ETag"] = f'"{tag}"'
    return response


@retried
def replace_item(collection: str, key: str) -> Response:
    """Put a feature in place of the stored one."""
    layer = _open(collection)
    tag = _seen(layer, key)
    return _write(layer, key, _sent((GEOJSON, JSON)), _content_crs(), tag)


@retried
def update_item(collection: str, key: str) -> Response:
    """Change parts of a feature (RFC 7396)."""
    layer = _open(collection)
    tag = _seen(layer, key)
    patch, crs = _sent((PATCH_TYPE, GEOJSON, JSON)), _content_crs()
    if not isinstance(patch, dict):
        raise BadInput('the body is no JSON object; send what is to change, such as {"properties": {"note": "x"}}')
    moved = "geometry" in patch
    with state().engine.connect() as connection:
        stored = orjson.loads(feature(connection, Question(layer, None, crs=crs if moved else CRS84), key))
    whole = merged(stored, patch)
    return _write(layer, key, whole, crs if moved else CRS84, tag, place=moved)


@retried
def delete_item(collection: str, key: str) -> Response:
    """Delete a feature."""
    layer = _open(collection)
    tag = _seen(layer, key)
    with state().engine.begin() as connection:
        _check_place(connection, layer, key)
        if not delete(connection, layer, key, tag):
            _stale(layer, key)
    return Response(status=204)


def options_of_items(collection: str) -> Response:
    """What may be done to the features of a collection."""
    return _options(found_layer(collection), "POST")


def options_of_item(collection: str, key: str) -> Response:
    """What may be done to a feature."""
    return _options(found_layer(collection), "PUT", "PATCH", "DELETE")


def _options(layer: Layer, *changing: str) -> Response:
    take()
    response = Response(status=204)
    response.headers["Allow"] = ", ".join(("GET", "HEAD", "OPTIONS", *(changing if layer.editable else ())))
    if layer.editable and "PATCH" in changing:
        response.headers["Accept-Patch"] = PATCH_TYPE
    if layer.editable and "POST" in changing:
        response.headers["Accept-Post"] = GEOJSON
    return response


def _open(collection: str) -> Layer:
    """The collection, when it and the caller may change. Raises 401, 403, 405."""
    take()
    layer = found_layer(collection)
    if not layer.editable:
        raise MethodNotAllowed(valid_methods=["GET", "HEAD", "OPTIONS"])
    require("edit")
    return layer


def _check_place(connection: sa.Connection, layer: Layer, key: str) -> None:
    """Raises Forbidden (403), which takes all back, for a feature where the caller may not edit."""
    if everywhere("edit"):
        return
    table = table_of(layer)
    stored = sa.select(table.c.geometry).where(has_key(layer, key)).scalar_subquery()
    require("edit", community_at(connection, stored))


def _seen(layer: Layer, key: str) -> str:
    """The tag of what is stored, which If-Match must name. Raises NotFound, 428, 412."""
    with state().engine.connect() as connection:
        tag = stored_tag(connection, layer, key)
        etag.check_match(f'"{tag}"', lambda: _feature(connection, layer, key))
    return tag


def _write(layer: Layer, key: str, sent: Any, crs: Crs, tag: str, *, place: bool = True) -> Response:
    with state().engine.begin() as connection:
        _check_place(connection, layer, key)
        if not replace(connection, layer, key, sent, crs, tag, place=place):
            _stale(layer, key)
        if place:
            _check_place(connection, layer, key)  # where it has been moved to
        tag = stored_tag(connection, layer, key)
    response = Response(status=204)
    response.headers["ETag"] = f'"{tag}"'
    return response


def _stale(layer: Layer, key: str) -> NoReturn:
    """Refuse a change whose feature somebody else has changed since its tag was looked at. Raises NotFound, 412."""
    error = PreconditionFailed("it was changed by somebody else meanwhile; read it again and send your change anew")
    with state().engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        tag = stored_tag(connection, layer, key)
        etag.refuse(error, f'"{tag}"', lambda: _feature(connection, layer, key))


def _feature(connection: sa.Connection, layer: Layer, key: str) -> Any:
    """A feature as it is now, in degrees."""
    return orjson.loads(feature(connection, Question(layer, None, crs=CRS84), key))


def _sent(kinds: tuple[str, ...]) -> Any:
    """The JSON of the body. Raises BadInput, UnsupportedMediaType."""
    if request.mimetype not in kinds:
        raise UnsupportedMediaType(f"Content-Type {request.mimetype[:80]!r}: send {kinds[0]}")
    try:
        value = orjson.loads(request.get_data())
    except orjson.JSONDecodeError as error:
        raise BadInput(f"the body is no JSON: {error.msg} (character {error.pos + 1})") from None
    _check_depth(value)
    return value


def _check_depth(value: Any) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > FEATURE_DEPTH_MAX:
            raise BadInput(f"the body is nested more than {FEATURE_DEPTH_MAX} deep")
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]


def _content_crs() -> Crs:
    """The system of the body (``Content-Crs``). Raises BadInput."""
    given = request.headers.get("Content-Crs")
    return CRS84 if given is None else crs_named(given, parameter="Content-Crs")
