"""A picture, and what lies at a place of it: requests that can be sent to another process, and their answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pygeofilter import ast

from layers.catalog.model import Layer
from layers.held import View
from layers.render import draw_map, encode
from layers.styles import Label, Marker, Style
from layers.wms.formats import Form

if TYPE_CHECKING:
    from layers.held import HeldLayer, HeldLayers

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Part:
    """One layer of a picture: its name, how it is drawn, its generation, its revision (None: looked up), and the
    stretches of its time (end not included; None: all)."""

    layer: str
    style: Style
    generation: int | None = None
    revision: str | None = None
    spans: tuple[Span, ...] | None = None


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """A picture to draw: parts from the ground up, the frame, the form it is sent in, the colour under it
    (``#rrggbb``, None: transparent). Can be pickled."""

    parts: tuple[Part, ...]
    view: View
    form: Form = "png"
    background: str | None = None


@dataclass(frozen=True, slots=True)
class FindRequest:
    """What lies at a pixel of a picture: of each part, at most ``most`` features. Can be pickled."""

    parts: tuple[Part, ...]
    view: View
    pixel: tuple[int, int]
    most: int = 1


def picture(held: HeldLayers, layers: Mapping[str, Layer], request: PictureRequest) -> bytes:
    """The picture as a file's bytes."""
    pictured, chosen = [], []
    for part in request.parts:
        layer = held.get(layers[part.layer], part.generation, revision=part.revision)
        pictured.append((layer, part.style))
        chosen.append(_in_time(layer, layers[part.layer], part))
    background = request.background
    if background is None and request.form == "jpeg":
        background = "#ffffff"  # it knows no transparency
    rgba = draw_map(pictured, request.view, background=background, chosen=chosen)
    return encode(rgba, request.form)


def found_at(held: HeldLayers, layers: Mapping[str, Layer], request: FindRequest) -> list[list[Any]]:
    """Keys of the features at the pixel, the topmost first, of each part."""
    found = []
    for part in request.parts:
        layer = layers[part.layer]
        found.append(_found(held.get(layer, part.generation, revision=part.revision), layer, part, request))
    return found


def _found(held: HeldLayer, layer: Layer, part: Part, request: FindRequest) -> list[Any]:
    x, y = request.pixel
    reach = tolerance(part.style, layer, request.view)
    rows = np.asarray(held.at(request.view, x + 0.5, y + 0.5, reach), dtype=np.int64)
    keep = np.ones(len(rows), dtype=bool)
    for node in (_within(layer, part), drawn(part.style, request.view)):
        if node is not None and len(rows):
            keep &= held.matches(node, rows)
    return [held.keys[row] for row in rows[keep][: request.most]]


def _in_time(held: HeldLayer, layer: Layer, part: Part) -> NDArray[np.bool_] | None:
    """Which features lie in the part's stretches of time."""
    node = _within(layer, part)
    return None if node is None else held.matches(node, np.arange(len(held)))


def _within(layer: Layer, part: Part) -> ast.Node | None:
    if part.spans is None or layer.time is None:
        return None
    when = ast.Attribute(layer.time)
    nodes = [
        ast.And(ast.GreaterEqual(when, start.astimezone(UTC)), ast.LessThan(when, end.astimezone(UTC)))
        for start, end in part.spans
    ]
    return any_of(nodes)


def any_of(nodes: list[ast.Node]) -> ast.Node:
    """One condition that holds where any of these does."""
    found = nodes[0]
    for node in nodes[1:]:
        found = ast.Or(found, node)
    return found


def drawn(style: Style, view: View) -> ast.Node | None:
    """What the style draws at the picture's scale apart from labels; None: everything."""
    rules = [
        rule
        for rule in style.rules
        if rule.drawn_at(view.scale) and any(not isinstance(symbol, Label) for symbol in rule.symbols)
    ]
    if not rules or any(rule.where is None for rule in rules):
        return None
    return any_of([rule.where for rule in rules])


def tolerance(style: Style, layer: Layer, view: View) -> float:
    """How many pixels off a feature is still meant: half its symbol, a little beside a line, none beside a polygon."""
    if layer.shape == "polygon":
        return 0.0
    markers = [symbol.size / 2 for rule in style.rules for symbol in rule.symbols if isinstance(symbol, Marker)]
    return max(3.0, *markers, 3.0) * view.ratio
