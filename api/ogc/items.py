"""/ogc/collections/{id}/items: features in pages and one by one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Response, request

from api import etag
from api.catalogue import Offer
from api.json import json_bytes
from api.ogc.answers import (
    GEOJSON,
    HTML,
    JSON,
    address,
    asked_address,
    cache_rule,
    form,
    found_layer,
    here,
    language,
    link,
    offered,
    page,
    take,
    title_of,
)
from api.ogc.asked import Asked, asked_crs, items_asked
from api.ogc.kept import kept
from api.ogc.sketch import sketch
from api.state import state
from layers.catalog import Layer
from layers.collections.crs import Crs
from layers.collections.editable import stored_tag
from layers.collections.pages import FeaturePage, Question, count, feature, feature_page


def list_items(collection: str) -> Response:
    """A page of features."""
    layer = found_layer(collection)
    offer = offered()
    asked = items_asked(offer, layer)
    revision = f"{offer.revision(layer)}/{asked.question.generation}"
    tag = etag.request_tag(revision, form(), language(), weak=True)

    def make() -> Response:
        key = (revision, request.url_root, layer.name, form(), language(), tuple(request.args.items()))
        body = kept().pages.made(key, lambda: _items(offer, asked))
        return _spoken(Response(body, mimetype=GEOJSON if form() == "json" else HTML), asked.question.crs)

    return etag.answered(tag, make, cache_rule(layer))


def _items(offer: Offer, asked: Asked) -> bytes:
    """The body of a page of features."""
    layer, question = asked.question.layer, asked.question
    # one statement, at most two: no transaction around them
    with state().engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        found = feature_page(connection, question, limit=asked.limit, after=asked.after)
        if asked.after is None and found.after is None:
            matched = found.returned  # the first page is the only one: counting would find the same
        else:
            known = (layer.name, offer.revision(layer), question.generation, asked.choice)
            matched = kept().counts.made(known, lambda: count(connection, question))
    head: dict[str, Any] = {
        "type": "FeatureCollection", "numberMatched": matched, "numberReturned": found.returned,
        "timeStamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "links": _links(layer, found),
    }  # fmt: skip
    text = json_bytes(head)[:-1] + b',"features":[' + found.text.encode() + b"]}"
    if form() == "json":
        return text
    value = orjson.loads(text)
    following = next((made["href"] for made in head["links"] if made["rel"] == "next"), None)
    names = [a.name for a in (layer.attributes if question.attributes is None else question.attributes)]
    titles = {a.name: a.title_zh if language() == "zh" else a.title_en for a in layer.attributes}
    drawn = sketch([item["geometry"] for item in value["features"]], question.crs)
    return page(
        "ogc/items.html", value=value, layer=layer, title=title_of(layer), next=following, names=names, titles=titles,
        sketch=drawn,
    ).encode()  # fmt: skip


def _links(layer: Layer, found: FeaturePage) -> list[dict[str, str]]:
    links = [*here(GEOJSON), link("collection", address("collections", layer.name), JSON)]
    if found.after is not None:
        kind = GEOJSON if form() == "json" else HTML
        links.append(link("next", asked_address(after=found.after), kind))
    return links


def one_item(collection: str, key: str) -> Response:
    """One feature."""
    take("crs")
    layer, crs = found_layer(collection), asked_crs()
    offer = offered()
    question = Question(layer, offer.generation, crs=crs)
    # the tag of a feature that may be edited is its own, the same for every system, so that a change can name it
    own = layer.editable and form() == "json"
    with state().engine.begin() as connection:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        text = feature(connection, question, key)
        tag = f'"{stored_tag(connection, layer, key)}"' if own else _tag(offer, layer)

    def make() -> Response:
        value = {"links": [*here(GEOJSON), link("collection", address("collections", layer.name), JSON)]}
        body = text[:-1].encode() + b"," + json_bytes(value)[1:]
        if form() == "html":
            titles = {a.name: a.title_zh if language() == "zh" else a.title_en for a in layer.attributes}
            item = orjson.loads(body)
            drawn = sketch([item["geometry"]], crs)
            body = page(
                "ogc/item.html", item=item, layer=layer, title=title_of(layer), titles=titles, sketch=drawn
            ).encode()
        return _spoken(Response(body, mimetype=GEOJSON if form() == "json" else HTML), crs)

    return etag.answered(tag, make, cache_rule(layer))


def _tag(offer: Offer, layer: Layer) -> str:
    return etag.request_tag(offer.revision(layer), form(), language(), weak=True)


def _spoken(response: Response, crs: Crs) -> Response:
    response.headers["Content-Crs"] = f"<{crs.uri}>"
    response.headers["Content-Language"] = language()
    response.vary.update(("Accept", "Accept-Language"))
    return response
