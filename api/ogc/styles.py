"""OGC API Styles: the style of every layer and of the whole map as MapLibre (Mapbox) style JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from apiflask import APIBlueprint
from flask import Response, request

from api.catalogue import Offer
from api.json import json_response
from api.ogc.tiles import base_url, form_asked, layer_asked, sources, takes, together
from api.state import state
from api.tile_source import revision_word
from gisgrid.errors import NotFound
from layers.catalog import Layer
from layers.styles import Style, styles_of
from layers.styles.maplibre import MBS, maplibre_style
from layers.tiles import MATRIX_SETS
from layers.tiles.describe import DETAILED, zoom_of_box, zooms
from layers.tiles.statement import has_labels, labels_name

bp = APIBlueprint("ogc_styles", __name__, url_prefix="/ogc", enable_openapi=False)
WHOLE: Final = "gisgrid"
"""Name of the style of all layers together."""
JSON: Final = "application/json"


@bp.get("/styles")
@takes("f")
def list_styles() -> Response:
    """The styles: of the whole map, and of each layer by the name of layer and style."""
    form_asked("json")
    offer = state().catalogue.now()
    told = [_told(WHOLE, "全部图层 All layers", f"styles/{WHOLE}")]
    for layer in offer.layers.values():
        if not layer.restricted and not layer.picture_only and layer.base is None:
            told += _of(layer, offer)
    return json_response({"default": WHOLE, "styles": told, "links": [_link("self", "styles", JSON)]})


@bp.get("/styles/<style>")
@takes("f")
def one_style(style: str) -> Response:
    """A style as MapLibre style JSON: ``gisgrid``, or ``LAYER.STYLE``."""
    form_asked("mbs")
    offer = state().catalogue.now()
    if style == WHOLE:
        layers = [a for a in offer.layers.values() if not a.restricted and not a.picture_only and a.base is None]
        return _answer(offer, [(layer, styles_of(layer, dict(offer.styles))[0]) for layer in layers], WHOLE)
    stems = [style[: dot.start()] for dot in re.finditer(r"\.", style)]  # names of layers and styles may have dots too
    name = max((stem for stem in stems if stem in offer.layers), key=len, default=style.partition(".")[0])
    return _one(offer, layer_asked(offer, name), style[len(name) + 1 :])


@bp.get("/collections/<collection>/styles")
@takes("f")
def layer_styles(collection: str) -> Response:
    """The styles of a layer, the usual one first."""
    form_asked("json")
    offer = state().catalogue.now()
    layer = layer_asked(offer, collection)
    told = _of(layer, offer)
    path = f"collections/{layer.name}/styles"
    return json_response({"default": told[0]["id"], "styles": told, "links": [_link("self", path, JSON)]})


@bp.get("/collections/<collection>/styles/<style>")
@takes("f")
def layer_style(collection: str, style: str) -> Response:
    """A style of a layer as MapLibre style JSON."""
    form_asked("mbs")
    offer = state().catalogue.now()
    layer = layer_asked(offer, collection)
    return _one(offer, layer, style.removeprefix(f"{layer.name}."))


def _one(offer: Offer, layer: Layer, wanted: str) -> Response:
    known = {style.name: style for style in styles_of(layer, dict(offer.styles))}
    if wanted not in known:
        raise NotFound(f"{layer.name} has no style {wanted[:60]!r}; it has {', '.join(known)}")
    return _answer(offer, [(layer, known[wanted])], f"{layer.name}.{wanted}")


def _answer(offer: Offer, shown: Sequence[tuple[Layer, Style]], name: str) -> Response:
    held, tiles = state(), MATRIX_SETS["WebMercatorQuad"]
    layers = [layer for layer, _ in shown]
    bounds = together([held.tiles.bounds(layer, offer) for layer in layers])
    low = min(zooms(layer, tiles)[0] for layer in layers)
    if len(layers) == 1:
        path, asked = f"collections/{layers[0].name}/tiles", {}
    else:
        path, asked = "tiles", {"collections": ",".join(layer.name for layer in layers)}
    if not any(layer.restricted for layer in layers):
        asked["v"] = revision_word(offer, *layers)
    template = f"{base_url()}/{path}/{tiles.name}/{{z}}/{{y}}/{{x}}" + (f"?{urlencode(asked)}" if asked else "")
    source: dict[str, Any] = {"type": "vector", "tiles": [template], "minzoom": low, "maxzoom": max(DETAILED, low),
                              "attribution": sources()}  # fmt: skip
    center = zoom = None
    if bounds is not None:
        source["bounds"] = list(bounds)
        center = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
        zoom = min(max(zoom_of_box(bounds), 0), 22)
    labels = {layer.name: labels_name(layer) for layer in layers if has_labels(layer)}
    told = maplibre_style(shown, source, name=name, labels=labels, center=center, zoom=zoom)
    return json_response(told, mimetype=MBS)


def _of(layer: Layer, offer: Offer) -> list[dict[str, Any]]:
    found = styles_of(layer, dict(offer.styles))
    return [
        _told(f"{layer.name}.{style.name}", f"{style.title_zh} {style.title_en}", f"styles/{layer.name}.{style.name}")
        for style in found
    ]


def _told(name: str, title: str, path: str) -> dict[str, Any]:
    return {"id": name, "title": title, "links": [_link("stylesheet", path, MBS)]}


def _link(rel: str, path: str, media: str) -> dict[str, Any]:
    return {"rel": rel, "href": f"{request.url_root.rstrip('/')}/ogc/{path}", "type": media}
