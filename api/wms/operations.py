"""Maps and what is told of a place on them: one function an operation, from a `Question` to a response."""

from __future__ import annotations

from typing import Final

from flask import Response

from api.etag import tagged, unchanged
from api.state import state
from api.wms.question import Question
from gisgrid.errors import BadInput
from gisgrid.limits import WMS_LAYERS_MAX
from layers.catalog import Layer
from layers.wms.asked import INVALID, background_of, count_of, pixel_of, refuse_fetching, view_of
from layers.wms.feature_info import told, written
from layers.wms.formats import SENT_AS, info_form, picture_form
from layers.wms.map_request import layer_of, parts_of, styled_layers
from layers.wms.picture import FindRequest, PictureRequest

PAGE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors *"
"""Of a page of feature information: map clients show it in a frame; it brings its style and nothing else."""


def get_map(q: Question) -> Response:
    """A picture. Raises BadInput and NotFound with their codes before anything is drawn."""
    refuse_fetching(q.asked)
    form = picture_form(q.asked.needed("FORMAT"))
    view = view_of(q.asked, q.version)
    color = background_of(q.asked)
    clear = q.asked.flag("TRANSPARENT") and form != "jpeg"
    styled = styled_layers(q.asked, q.offered(), sld=q.sld)
    layers = [layer for layer, _ in styled]
    parts, warnings = parts_of(styled, q.asked, q.offered(*(layer.name for layer in layers)), view)
    tag, cache = q.tag(*layers), q.cache(*layers)
    response = unchanged(tag, cache)
    if response is None:
        wanted = PictureRequest(tuple(parts), view, form, None if clear else color)
        response = Response(state().drawing.picture(wanted), content_type=SENT_AS[form])
        tagged(response, tag, cache)
    for warning in warnings:
        response.headers.add("Warning", warning)
    return response


def get_feature_info(q: Question) -> Response:
    """What lies at a pixel of a map. Raises BadInput and NotFound with their codes."""
    refuse_fetching(q.asked)
    text = q.asked.text("INFO_FORMAT") or ("text/plain" if q.version == "1.1.1" else q.asked.needed("INFO_FORMAT"))
    form, kind = info_form(text)
    view = view_of(q.asked, q.version)
    pixel, most = pixel_of(q.asked, q.version, view), count_of(q.asked)
    styled = styled_layers(q.asked, q.offered(), sld=q.sld)
    asked = _asked_layers(q)
    names = {layer.name for layer, _ in styled}
    for layer in asked:
        if layer.name not in names:
            raise BadInput(f"QUERY_LAYERS names {layer.name}, which is not on the map; add it to LAYERS",
                           code="LayerNotDefined")  # fmt: skip
    chosen = [pair for layer in asked for pair in styled if pair[0].name == layer.name]
    parts, warnings = parts_of(chosen, q.asked, q.offered(*(layer.name for layer in asked)), view)
    found = state().drawing.found(FindRequest(tuple(parts), view, pixel, most))
    with state().engine.connect() as connection:
        answers = [
            told(connection, q.layers[part.layer], part.generation, keys, form)
            for part, keys in zip(parts, found, strict=True)
        ]
    response = Response(written(answers, form, q.language), content_type=_told_as(kind))
    response.headers["Cache-Control"] = q.cache(*asked)
    if form == "html":
        response.headers["Content-Security-Policy"] = PAGE_POLICY
    response.vary.update(("Accept-Language", "Authorization"))
    for warning in warnings:
        response.headers.add("Warning", warning)
    return response


def _asked_layers(q: Question) -> list[Layer]:
    names = q.asked.names("QUERY_LAYERS")
    if not names:
        q.asked.needed("QUERY_LAYERS")
    if len(names) > WMS_LAYERS_MAX:
        raise BadInput(f"QUERY_LAYERS names {len(names)} layers; at most {WMS_LAYERS_MAX}", code=INVALID)
    layers = [layer_of(name, q.layers, "QUERY_LAYERS") for name in dict.fromkeys(names)]
    for layer in layers:
        if not layer.queryable or layer.picture_only:
            raise BadInput(f"layer {layer.name} is a picture only; nothing can be asked of it",
                           code="LayerNotQueryable")  # fmt: skip
    return layers


def _told_as(kind: str) -> str:
    return kind if kind.startswith("application/") and "json" in kind else f"{kind}; charset=utf-8"
