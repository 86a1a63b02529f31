"""GeoJSON pages over HTTP: parameters in, FeatureCollection with links out."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, ParamSpec
from urllib.parse import urlencode

import sqlalchemy as sa
from apiflask import Schema
from apiflask.fields import Integer, String
from flask import Response, request
from marshmallow import RAISE

from api.json import json_bytes
from api.moments import AT_GENERATION, AT_MOMENT, reading
from gisgrid.errors import BadInput
from gisgrid.limits import PAGE_DEFAULT, PAGE_MAX
from layers.catalog import Layer
from layers.features import feature, page, parse_bbox

GEOJSON = "application/geo+json"
TOLD_OF_PAST = {"grids": AT_GENERATION, "areas": AT_MOMENT, "components": AT_MOMENT, "facilities": AT_MOMENT,
                "reports": AT_MOMENT}  # fmt: skip
"""Tables whose pages can be asked for as they were (``at``)."""
P = ParamSpec("P")


def check_parameters() -> None:
    """Refuse what no endpoint can mean: a parameter given twice, a NUL character. Runs before every request."""
    for name, values in request.args.lists():
        if len(values) > 1:
            raise BadInput(f"{name} is given {len(values)} times; give it once, several values split by commas")
        if "\x00" in name + values[0]:
            raise BadInput(f"parameter {name!r} holds a NUL character")


def no_parameters(view: Callable[P, Response]) -> Callable[P, Response]:
    """Refuse query parameters where there are none: a filter nobody reads would give a wrong answer quietly."""

    @functools.wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> Response:
        for name in request.args:
            raise BadInput(f"{request.path} takes no parameter {name!r}")
        return view(*args, **kwargs)

    return checked


class Strict(Schema):
    """Query parameters; unknown ones are refused."""

    class Meta:
        unknown = RAISE


class PageQuery(Strict):
    """Parameters of every feature page."""

    bbox = String(metadata={"description": "minx,miny,maxx,maxy in degrees, longitude first"})
    limit = Integer(load_default=PAGE_DEFAULT, metadata={"description": f"features a page, 1 to {PAGE_MAX}"})
    after = String(metadata={"description": "key of the last feature of the page before; take it from the next link"})


class AtQuery(Strict):
    """Parameters of one thing that can be asked for as it was."""

    at = String(metadata={"description": AT_MOMENT})


def _table(layer: Layer) -> sa.Table:
    """The one table a layer with pages of its own is selected from."""
    assert isinstance(layer.table, sa.Table)
    return layer.table


def page_query(layer: Layer) -> type[Schema]:
    """The parameters of one layer's pages: those of every page and the layer's own filters."""
    told = TOLD_OF_PAST.get(_table(layer).name)
    at = {} if told is None else {"at": String(metadata={"description": told})}
    own = {name: String(metadata={"description": f"{name}; several values split by commas"}) for name in layer.filters}
    return type(f"{layer.name.title()}Query", (PageQuery,), own | at)


def respond_page(
    layer: Layer,
    query: dict[str, Any],
    *,
    where: Sequence[sa.ColumnElement[bool]] = (),
    connection: sa.Connection | None = None,
) -> Response:
    """Answer a page request; with ``at``, of the layer's table as it was then."""
    query = dict(query)
    at = query.pop("at", None)
    box, limit, after = query.pop("bbox", None), query.pop("limit"), query.pop("after", None)
    filters = {name: value.split(",") for name, value in query.items()}
    bbox = parse_bbox(box) if box is not None else None
    with reading(at) if connection is None else nullcontext(connection) as opened:
        found = page(opened, layer, limit=limit, after=after, bbox=bbox, filters=filters, where=where)
    head = {"type": "FeatureCollection", "numberReturned": len(found.features), "numberMatched": found.matched}
    links = [{"rel": "self", "href": request.full_path.rstrip("?"), "type": GEOJSON}]
    if found.after is not None:
        parameters = {**request.args.to_dict(), "after": found.after}
        links.append({"rel": "next", "href": f"{request.path}?{urlencode(parameters)}", "type": GEOJSON})
    text = json_bytes(head | {"links": links})[:-1] + b',"features":[' + ",".join(found.features).encode() + b"]}"
    return Response(text, mimetype=GEOJSON)


def respond_feature(
    layer: Layer, key: str, *, where: Sequence[sa.ColumnElement[bool]] = (), at: str | None = None
) -> Response:
    """Answer a request for one feature; with ``at``, as it was then."""
    with reading(at) as connection:
        return Response(feature(connection, layer, key, where=where), mimetype=GEOJSON)
