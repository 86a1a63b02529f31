"""What the map service tells of itself: capabilities and legends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np
from flask import Response
from numpy.typing import NDArray

from api.etag import answered
from api.wms.question import Question
from gisgrid.errors import BadInput
from gisgrid.limits import PICTURE_SIDE_MAX
from layers.catalog import Layer
from layers.render import encode, legend
from layers.styles import Style, styles_of
from layers.styles.sld import read_sld
from layers.wms import capabilities as written
from layers.wms.asked import INVALID, dpi_of, number, refuse_fetching, whole
from layers.wms.formats import SENT_AS, picture_form
from layers.wms.map_request import layer_of, sent_style, style_of
from layers.wms.offer import WORLD, Service, Shown, grouped
from layers.wms.systems import offered_systems, united


def get_capabilities(q: Question) -> Response:
    """The service and its layers. Raises BadInput (CurrentUpdateSequence, InvalidUpdateSequence)."""
    sequence = _sequence(q)
    _check_sequence(q.asked.text("UPDATESEQUENCE"), sequence)

    def make() -> Response:
        styles = dict(q.offer.styles)
        shown = [
            Shown(layer, styles_of(layer, styles), q.known.box(layer, q.offer), q.known.axis(layer, q.offer))
            for layer in q.layers.values()
        ]
        box = united([item.box for item in shown if item.box is not None])
        crs = tuple(offered_systems(box or WORLD))
        service = Service(q.address, q.language, sequence, grouped(shown, q.layers), box, _legend_size(q), crs)
        kind = written.SENT_AS[q.version]
        response = Response(written.capabilities(service, q.version), content_type=f"{kind}; charset=utf-8")
        response.vary.add("Accept-Language")
        return response

    return answered(q.tag(), make, q.cache(*q.layers.values()))


def _sequence(q: Question) -> str:
    """The number of the newest change: it grows with every change of what is offered."""
    return str(max((int(text.partition("-")[0], 16) for text in q.offer.tables.values()), default=0))


def _check_sequence(text: str, current: str) -> None:
    """06-042, 7.2.3.5; 01-068r3, 7.1.3.5. What is no number is older than ours."""
    if text == current:
        raise BadInput(f"UPDATESEQUENCE={text} is the current one", code="CurrentUpdateSequence")
    if text.isascii() and text.isdecimal() and len(text) < 40 and int(text) > int(current):
        raise BadInput(f"UPDATESEQUENCE={text} is newer than the current one, {current}", code="InvalidUpdateSequence")


# --- legends ----------------------------------------------------------------------------------


def get_legend_graphic(q: Question) -> Response:
    """The legend of a layer's style, of one rule of it, or of a style sent as SLD_BODY.

    Without WIDTH and HEIGHT as large as it is; with them cut or filled up to that size. Raises BadInput, NotFound.
    """
    refuse_fetching(q.asked)
    layer = layer_of(q.asked.needed("LAYER", "LAYERS"), q.layers, "LAYER")
    form = picture_form(q.asked.text("FORMAT") or "image/png")
    style = _legend_style(q, layer)
    width, height = (_side(q, name) for name in ("WIDTH", "HEIGHT"))
    dpi, scale = dpi_of(q.asked), _scale(q)

    def make() -> Response:
        drawn = framed(legend([style], language=q.language, dpi=dpi, scale=scale), width, height)
        response = Response(encode(drawn, form), content_type=SENT_AS[form])
        response.vary.add("Accept-Language")
        return response

    return answered(q.tag(layer), make, q.cache(layer))


def _legend_style(q: Question, layer: Layer) -> Style:
    """The style asked for; with RULE only the rule of that title."""
    name, body = q.asked.text("STYLE") or q.asked.text("STYLES"), q.asked.text("SLD_BODY")
    sent = [item for item in read_sld(body, q.layers) if item.layer == layer.name] if body else []
    style = sent_style(sent[0], name, layer, q.offered()) if sent else style_of(layer, name, q.offer.styles)
    wanted = q.asked.text("RULE")
    if not wanted:
        return style
    rules = tuple(rule for rule in style.rules if wanted in (rule.title_zh, rule.title_en))
    if not rules:
        raise BadInput(f"RULE={wanted[:60]!r}: the style {style.name} has no rule of that title", code=INVALID)
    return replace(style, rules=rules)


def _side(q: Question, name: str) -> int | None:
    text = q.asked.text(name)
    return whole(text, name, 1, PICTURE_SIDE_MAX) if text else None


def _scale(q: Question) -> float | None:
    text = q.asked.text("SCALE")
    if not text:
        return None
    scale = number(text, "SCALE")
    if scale <= 0.0:
        raise BadInput(f"SCALE={scale:g}: give the denominator of a scale, over 0", code=INVALID)
    return scale


def framed(drawn: NDArray[np.uint8], width: int | None, height: int | None) -> NDArray[np.uint8]:
    """A picture (h, w, 4) in a frame of its own or a given size, at its upper left corner; empty places clear."""
    size = (height or drawn.shape[0], width or drawn.shape[1])
    if size == drawn.shape[:2]:
        return drawn
    frame = np.zeros((*size, 4), dtype=np.uint8)
    part = drawn[: size[0], : size[1]]
    frame[: part.shape[0], : part.shape[1]] = part
    return frame


_sizes: Final[dict[tuple[Any, ...], tuple[int, int]]] = {}


def _legend_size(q: Question) -> Callable[[Style], tuple[int, int]]:
    """Width and height of styles' legends, kept as long as their classes stay what they are."""

    def size(style: Style) -> tuple[int, int]:
        key = (style.name, q.offer.band, q.language)
        if key not in _sizes:
            height, width = legend([style], language=q.language).shape[:2]
            _sizes[key] = (width, height)
        return _sizes[key]

    return size
