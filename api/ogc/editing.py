"""Changing features (OGC API Features Part 4): POST, PUT, PATCH, DELETE, with If-Match, for those with a key."""

from __future__ import annotations

from typing import Any, Final

import orjson
from flask import Response, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, MethodNotAllowed, PreconditionFailed, Unauthorized, UnsupportedMediaType

from api import etag
from api.keys import editor, given_key
from api.ogc.answers import GEOJSON, JSON, address, found_layer, take
from api.state import state
from gisgrid.errors import BadInput
from gisgrid.limits import FEATURE_DEPTH_MAX
from layers.catalog import Layer
from layers.collections.crs import CRS84, Crs, crs_named
from layers.collections.editable import delete, insert, merged, replace, stored_tag
from layers.collections.pages import Question, feature

PATCH_TYPE: Final = "application/merge-patch+json"


def add_item(collection: str) -> Response:
    """Store a new feature: 201 and where it is."""
    layer = _open(collection)
    sent, crs = _sent((GEOJSON, JSON)), _content_crs()
    with state().engine.begin() as connection:
        key = insert(connection, layer, sent, crs)
        tag = stored_tag(connection, layer, key)
    response = Response(status=201)
    response.headers["Location"] = address("collections", layer.name, "items", key)
    response.headers["ETag"] = f'"{tag}"'
    return response


def replace_item(collection: str, key: str) -> Response:
    """Put a feature in place of the stored one."""
    layer = _open(collection)
    tag = _seen(layer, key)
    return _write(layer, key, _sent((GEOJSON, JSON)), _content_crs(), tag)


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


def delete_item(collection: str, key: str) -> Response:
    """Delete a feature."""
    layer = _open(collection)
    tag = _seen(layer, key)
    with state().engine.begin() as connection:
        if not delete(connection, layer, key, tag):
            raise _stale()
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
    """The collection, when it and the caller may change. Raises 401 or 403 for a missing or unknown key, 405."""
    take()
    layer = found_layer(collection)
    if not layer.editable:
        raise MethodNotAllowed(valid_methods=["GET", "HEAD", "OPTIONS"])
    try:
        editor()
    except Forbidden as error:
        if state().settings.editor_keys and not given_key():
            asked = WWWAuthenticate("basic", {"realm": "gisgrid"})
            raise Unauthorized(error.description, www_authenticate=asked) from None
        raise
    return layer


def _seen(layer: Layer, key: str) -> str:
    """The tag of what is stored, which If-Match must name. Raises NotFound, 428, 412."""
    with state().engine.connect() as connection:
        tag = stored_tag(connection, layer, key)
    etag.check_match(f'"{tag}"')
    return tag


def _write(layer: Layer, key: str, sent: Any, crs: Crs, tag: str, *, place: bool = True) -> Response:
    with state().engine.begin() as connection:
        if not replace(connection, layer, key, sent, crs, tag, place=place):
            raise _stale()
        tag = stored_tag(connection, layer, key)
    response = Response(status=204)
    response.headers["ETag"] = f'"{tag}"'
    return response


def _stale() -> PreconditionFailed:
    return PreconditionFailed("it was changed by somebody else meanwhile; read it again and send your change anew")


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
