"""/ogc/collections: what the collections are, what their features tell and may be asked by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

import sqlalchemy as sa
from flask import Response, request

from api import etag
from api.catalogue import Offer
from api.ogc.answers import (
    GEOJSON,
    HTML,
    JSON,
    SCHEMA,
    address,
    answer,
    cache_rule,
    form,
    found_layer,
    here,
    language,
    link,
    offered,
    seen_layers,
    take,
    title_of,
)
from api.ogc.kept import kept
from api.ogc.services import REL, layer_links
from api.state import state
from data import tables as t
from layers.catalog import Layer
from layers.collections.crs import CRS84_URI, STORAGE, SYSTEMS
from layers.collections.schemas import feature_schema, queryables, sortables
from layers.extents import extent
from layers.styles import styles_of
from layers.times import time_name

Json = dict[str, Any]
GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"


def list_collections() -> Response:
    """All collections."""
    take()
    offer = offered()
    layers = seen_layers()
    tag = etag.request_tag("".join(offer.revision(layer) for layer in layers.values()), form(), language(), weak=True)

    def make() -> Response:
        with state().engine.connect() as connection:
            told = [describe(connection, offer, layer) for layer in layers.values()]
        value = {"links": here(), "crs": list(SYSTEMS), "collections": told}
        return answer(value, "ogc/collections.html", layers=layers)

    return etag.answered(tag, make)


def one_collection(collection: str) -> Response:
    """One collection."""
    take()
    layer = found_layer(collection)
    offer = offered()

    def make() -> Response:
        with state().engine.connect() as connection:
            value = describe(connection, offer, layer)
        value["links"] = here() + value["links"]
        properties = feature_schema(layer, language(), "")["properties"]
        links: dict[str, list[dict[str, str]]] = {}
        for found in value["links"]:
            links.setdefault(found["rel"], []).append(found)
        return answer(value, "ogc/collection.html", layer=layer, properties=properties, links=links, rel=REL)

    return etag.answered(_tag(offer, layer), make, cache_rule(layer))


def schema(collection: str) -> Response:
    """What the features tell, as a JSON Schema."""
    return _schema(collection, feature_schema)


def ask_by(collection: str) -> Response:
    """What may be asked by, as a JSON Schema."""
    return _schema(collection, queryables)


def sort_by(collection: str) -> Response:
    """What may be sorted by, as a JSON Schema."""
    return _schema(collection, sortables)


def describe(connection: sa.Connection, offer: Offer, layer: Layer) -> Json:
    """A collection's description."""
    about = layer.about_zh if language() == "zh" else layer.about_en
    name = layer.name
    links = [
        link("items", address("collections", name, "items"), GEOJSON, title_of(layer)),
        link("items", address("collections", name, "items", f="html"), HTML, title_of(layer)),
        link(f"{REL}/queryables", address("collections", name, "queryables"), SCHEMA),
        link(f"{REL}/sortables", address("collections", name, "sortables"), SCHEMA),
        link(f"{REL}/schema", address("collections", name, "schema"), SCHEMA),
        link("describedby", address("collections", name, "schema"), SCHEMA),
    ]
    told: Json = {
        "id": name, "title": title_of(layer), "description": about, "itemType": "feature", "crs": list(SYSTEMS),
        "storageCrs": STORAGE.uri, "links": [link("collection", address("collections", name), JSON), *links],
    }  # fmt: skip
    reach = _extent(connection, offer, layer)
    if reach:
        told["extent"] = reach
    box = reach["spatial"]["bbox"][0] if "spatial" in reach else None
    told["links"] += layer_links(layer, styles_of(layer, dict(offer.styles)), box)
    return told


def _extent(connection: sa.Connection, offer: Offer, layer: Layer) -> Json:
    def make() -> Json:
        found: Json = {}
        box = extent(connection, layer, offer.generation)
        if box is not None:
            found["spatial"] = {"bbox": [box], "crs": CRS84_URI}
        times = _times(connection, layer)
        if times is not None:
            found["temporal"] = {"interval": [times], "trs": GREGORIAN}
        return found

    made: Json = kept().extents.made((layer.name, offer.revision(layer)), make)
    return made


def _times(connection: sa.Connection, layer: Layer) -> list[str | None] | None:
    """First and last time; generations go on."""
    name = time_name(layer)
    if name is None:
        return None
    if name == "generation":
        first = connection.scalar(sa.select(sa.func.min(t.generations.c.published_at)))
        return [_utc(first), None] if first else None
    found = layer.attribute(name)
    assert found is not None
    query = sa.select(sa.func.min(found.column), sa.func.max(found.column)).select_from(layer.table)
    first, last = connection.execute(query.where(*layer.where)).one()
    return [_utc(first), _utc(last)] if first else None


def _utc(value: Any) -> str:
    if not hasattr(value, "hour"):
        return f"{value.isoformat()}T00:00:00Z"
    return str(value.astimezone(UTC).isoformat().replace("+00:00", "Z"))


def _schema(collection: str, make: Callable[[Layer, str, str], Json]) -> Response:
    take()
    layer = found_layer(collection)
    value = make(layer, language(), request.base_url)
    tag = etag.request_tag(str(value), form(), language(), weak=True)
    return etag.answered(tag, lambda: answer(value, "ogc/schema.html", kind=SCHEMA, layer=layer), cache_rule(layer))


def _tag(offer: Offer, layer: Layer) -> str:
    return etag.request_tag(offer.revision(layer), form(), language(), weak=True)
