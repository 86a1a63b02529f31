"""OGC API Tiles (20-057): tile-matrix sets, tile sets, vector tiles of one layer and of several, TileJSON."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, ParamSpec
from urllib.parse import urlencode

from apiflask import APIBlueprint
from flask import Response, request

from api.access.layers import sees
from api.catalogue import Offer
from api.json import json_response
from api.overview import attribution
from api.state import state
from api.tile_shortcut import FOREVER, PRIVATE, SHORT, answered
from api.tile_source import revision_word
from data.plans import generation_at
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import TILE_LAYERS_MAX
from layers.catalog import Layer, layer_named
from layers.styles import styles_of
from layers.tiles import MATRIX_SETS, MatrixSet, matrix_set
from layers.tiles.cache import Tile
from layers.tiles.describe import MVT, tile_json, tile_set, zooms
from layers.tiles.matrix_sets import Box
from layers.tiles.times import Moment
from layers.times import parse_datetime, time_name

bp = APIBlueprint("tiles", __name__, url_prefix="/ogc", enable_openapi=False)
JSON: Final = "application/json"
REL: Final = "http://www.opengis.net/def/rel/ogc/1.0"
_COLUMN: Final = re.compile(r"([0-9]{1,9})(?:\.(?:mvt|pbf))?")
P = ParamSpec("P")


def takes(*names: str) -> Callable[[Callable[P, Response]], Callable[P, Response]]:
    """Refuse other query parameters: one nobody reads would give a wrong answer quietly."""

    def wrap(view: Callable[P, Response]) -> Callable[P, Response]:
        @functools.wraps(view)
        def checked(*args: P.args, **kwargs: P.kwargs) -> Response:
            for name in request.args:
                if name not in names:
                    raise BadInput(f"{request.path} takes no parameter {name!r}; it takes {', '.join(names) or 'none'}")
            return view(*args, **kwargs)

        return checked

    return wrap


def form_asked(*forms: str) -> str:
    """The form asked for by ``f``, the first one when it is not told."""
    form = request.args.get("f", forms[0])
    if form not in forms:
        raise BadInput(f"f={form[:40]!r} is not offered here; give {' or '.join(forms)}")
    return form


@bp.get("/tileMatrixSets")
@takes("f")
def list_matrix_sets() -> Response:
    """The tile-matrix sets tiles are offered in."""
    form_asked("json")
    told = [
        {"id": tiles.name, "title": tiles.title_en, **({"uri": tiles.uri} if tiles.uri else {}), "crs": tiles.crs,
         "links": [_link("self", f"tileMatrixSets/{tiles.name}", JSON, tiles.title_en)]}
        for tiles in MATRIX_SETS.values()
    ]  # fmt: skip
    return json_response({"tileMatrixSets": told, "links": [_link("self", "tileMatrixSets", JSON, "Tile-matrix sets")]})


@bp.get("/tileMatrixSets/<tms>")
@takes("f")
def one_matrix_set(tms: str) -> Response:
    """The definition of a tile-matrix set."""
    form_asked("json")
    found = matrix_set(tms)
    return json_response(found.definition | {"links": [_link("self", f"tileMatrixSets/{tms}", JSON, found.title_en)]})


@bp.get("/collections/<collection>/tiles")
@takes("f")
def tile_sets(collection: str) -> Response:
    """The tile sets of a layer."""
    form_asked("json")
    offer = state().catalogue.now()
    layer = layer_asked(offer, collection)
    return _tile_sets([layer], layer.title_zh, f"collections/{layer.name}/tiles", {})


@bp.get("/collections/<collection>/tiles/<tms>")
@takes("f", "datetime")
def one_tile_set(collection: str, tms: str) -> Response:
    """Metadata of one tile set of a layer, or its TileJSON (``f=tilejson``)."""
    offer = state().catalogue.now()
    layer = layer_asked(offer, collection)
    return _one_tile_set(
        [layer], offer, tms, layer.title_zh, f"collections/{layer.name}/tiles", form_asked("json", "tilejson")
    )


@bp.get("/collections/<collection>/tiles/<tms>/tilejson.json")
@takes("datetime")
def one_tile_json(collection: str, tms: str) -> Response:
    """TileJSON of a layer's tiles."""
    offer = state().catalogue.now()
    layer = layer_asked(offer, collection)
    return _one_tile_set([layer], offer, tms, layer.title_zh, f"collections/{layer.name}/tiles", "tilejson")


@bp.get("/collections/<collection>/tiles/<tms>/<zoom>/<row>/<column>")
@takes("f", "datetime", "v")
def one_tile(collection: str, tms: str, zoom: str, row: str, column: str) -> Response:
    """A vector tile of a layer."""
    form_asked("mvt")
    offer = state().catalogue.recent()
    layer, tiles = layer_asked(offer, collection), matrix_set(tms)
    place = _place(tiles, zoom, row, column)
    low, _ = zooms(layer, tiles)
    if place[0] < low:
        raise NotFound(f"tiles of {layer.name} begin at zoom {low}")
    tile = state().tiles.tile(layer, offer, tiles, place, _moment(layer))
    return _sent(tile, offer, [layer])


@bp.get("/tiles")
@takes("f", "collections")
def dataset_tile_sets() -> Response:
    """The tile sets that hold several layers."""
    form_asked("json")
    offer = state().catalogue.now()
    return _tile_sets(_chosen(offer), "gisgrid", "tiles", _chosen_names())


@bp.get("/tiles/<tms>")
@takes("f", "collections", "datetime")
def dataset_tile_set(tms: str) -> Response:
    """Metadata or TileJSON of a tile set that holds several layers."""
    offer = state().catalogue.now()
    return _one_tile_set(_chosen(offer), offer, tms, "gisgrid", "tiles", form_asked("json", "tilejson"))


@bp.get("/tiles/<tms>/tilejson.json")
@takes("collections", "datetime")
def dataset_tile_json(tms: str) -> Response:
    """TileJSON of tiles that hold several layers."""
    offer = state().catalogue.now()
    return _one_tile_set(_chosen(offer), offer, tms, "gisgrid", "tiles", "tilejson")


@bp.get("/tiles/<tms>/<zoom>/<row>/<column>")
@takes("f", "collections", "datetime", "v")
def dataset_tile(tms: str, zoom: str, row: str, column: str) -> Response:
    """A vector tile with several layers: those named in ``collections``, else all that everybody may see."""
    form_asked("mvt")
    offer = state().catalogue.recent()
    tiles, layers = matrix_set(tms), _chosen(offer)
    place = _place(tiles, zoom, row, column)
    source = state().tiles
    shown = [(layer, _moment(layer)) for layer in layers if zooms(layer, tiles)[0] <= place[0]]

    def make() -> bytes:
        return b"".join(source.tile(layer, offer, tiles, place, moment).plain() for layer, moment in shown)

    parts = tuple((layer.name, offer.revision(layer), moment) for layer, moment in shown)
    return _sent(source.cache.get(("several", tiles.srid, *place, parts), make), offer, layers)


def layer_asked(offer: Offer, name: str) -> Layer:
    """A layer that has tiles and that the caller may see. Raises NotFound."""
    layer = layer_named(dict(offer.layers), name)
    if layer.picture_only or not sees(layer):
        layer_named({}, name)
    return layer


def _chosen(offer: Offer) -> list[Layer]:
    """The layers named in ``collections``, else those that are no part of others."""
    text = request.args.get("collections")
    if text is None:
        return [
            a for a in offer.layers.values() if not a.restricted and sees(a) and not a.picture_only and a.base is None
        ]
    names = list(dict.fromkeys(text.split(",")))
    if len(names) > TILE_LAYERS_MAX:
        raise BadInput(f"collections names {len(names)} layers; a tile holds at most {TILE_LAYERS_MAX}")
    return [layer_asked(offer, name) for name in names]


def _chosen_names() -> dict[str, str]:
    text = request.args.get("collections")
    return {} if text is None else {"collections": text}


def _place(tiles: MatrixSet, zoom: str, row: str, column: str) -> tuple[int, int, int]:
    """Zoom, row and column of a tile that can be. Raises NotFound."""
    last = _COLUMN.fullmatch(column)
    if not (re.fullmatch("[0-9]{1,2}", zoom) and re.fullmatch("[0-9]{1,9}", row) and last):
        raise NotFound("a tile is named by three whole numbers: zoom/row/column, counted from the upper left")
    place = int(zoom), int(row), int(last[1])
    tiles.check(*place)
    return place


def _moment(layer: Layer) -> Moment | None:
    """The time asked for by ``datetime``; of a layer without time everything is always handed out (20-057, 7.13)."""
    text = request.args.get("datetime")
    if text is None:
        return None
    held = state()
    zone = held.settings.timezone
    period = parse_datetime(text, zone)
    name = time_name(layer)
    if name is None:
        return None
    if name != "generation":
        return Moment(None, period, zone)
    if period.end is None:
        return None  # from some time on: now
    with held.engine.connect() as connection:
        return Moment(generation_at(connection, period.end).id)


def _sent(tile: Tile, offer: Offer, layers: Sequence[Layer]) -> Response:
    if any(layer.restricted for layer in layers):
        cache = PRIVATE
    else:
        named = request.args.get("v")
        cache = FOREVER if named is not None and named == revision_word(offer, *layers) else SHORT
    status, headers, body = answered(
        tile, cache, request.headers.get("Accept-Encoding", ""), request.headers.get("If-None-Match", "")
    )
    response = Response(body, status=status, headers=headers)
    if not body:
        response.headers.pop("Content-Type", None)
    return response


def _tile_sets(layers: Sequence[Layer], title: str, path: str, chosen: dict[str, str]) -> Response:
    asked = f"?{urlencode(chosen)}" if chosen else ""
    told = [
        {"title": f"{title} ({tiles.name})", "dataType": "vector", "crs": tiles.crs,
         **({"tileMatrixSetURI": tiles.uri} if tiles.uri else {}),
         "links": [
             _link("self", f"{path}/{tiles.name}{asked}", JSON, tiles.title_en),
             _link(f"{REL}/tiling-scheme", f"tileMatrixSets/{tiles.name}", JSON, tiles.title_en),
             _template(path, tiles, chosen),
         ]}
        for tiles in MATRIX_SETS.values()
    ]  # fmt: skip
    return json_response({"tilesets": told, "links": [_link("self", f"{path}{asked}", JSON, title)]})


def _one_tile_set(layers: list[Layer], offer: Offer, tms: str, title: str, path: str, form: str) -> Response:
    tiles = matrix_set(tms)
    chosen = _chosen_names()
    if (moment := request.args.get("datetime")) is not None:
        parse_datetime(moment, state().settings.timezone)
        chosen["datetime"] = moment
    bounds = together([state().tiles.bounds(layer, offer) for layer in layers])
    if form == "tilejson":
        if tiles.degrees:
            raise BadInput(f"TileJSON knows Web Mercator only; ask for WebMercatorQuad instead of {tiles.name}")
        revision = {} if any(layer.restricted for layer in layers) else {"v": revision_word(offer, *layers)}
        asked = chosen | revision
        template = f"{base_url()}/{path}/{tiles.name}/{{z}}/{{y}}/{{x}}" + (f"?{urlencode(asked)}" if asked else "")
        drawn = {layer.name: styles_of(layer, dict(offer.styles)) for layer in layers}
        about = layers[0].about_zh if len(layers) == 1 else ""
        return json_response(
            tile_json(
                layers, tiles, drawn, bounds, name=title, description=about, attribution=sources(), template=template
            )
        )
    asked_for = f"?{urlencode(chosen)}" if chosen else ""
    links = [
        _link("self", f"{path}/{tiles.name}{asked_for}", JSON, title),
        _link(f"{REL}/tiling-scheme", f"tileMatrixSets/{tiles.name}", JSON, tiles.title_en),
        _template(path, tiles, chosen),
    ]
    if not tiles.degrees:
        described = urlencode(chosen | {"f": "tilejson"})
        links.append(_link("describedby", f"{path}/{tiles.name}?{described}", JSON, "TileJSON 3.0"))
    return json_response(tile_set(layers, tiles, bounds, title=title, attribution=sources(), links=links))


def together(boxes: Sequence[Box | None]) -> Box | None:
    """The box around boxes, None when there are none."""
    known = [box for box in boxes if box is not None]
    if not known:
        return None
    return (
        min(box[0] for box in known), min(box[1] for box in known), max(box[2] for box in known),
        max(box[3] for box in known),
    )  # fmt: skip


def sources() -> str:
    """Whom the data is owed to."""
    with state().engine.connect() as connection:
        return attribution(connection)


def base_url() -> str:
    """The address of /ogc as the caller came by it."""
    return request.url_root.rstrip("/") + "/ogc"


def _link(rel: str, path: str, media: str, title: str) -> dict[str, Any]:
    return {"rel": rel, "href": f"{base_url()}/{path}", "type": media, "title": title}


def _template(path: str, tiles: MatrixSet, chosen: dict[str, str]) -> dict[str, Any]:
    asked = f"?{urlencode(chosen)}" if chosen else ""
    made = _link("item", f"{path}/{tiles.name}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}{asked}", MVT, "Vector tiles")
    return made | {"templated": True}
