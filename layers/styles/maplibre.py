"""Our styles as MapLibre style JSON: restricted to what every reader of it draws alike.

One layer a symbol and class, chosen by plain ``==``, ``!=``, ``<``, ``<=``, ``>``, ``>=`` inside ``all``, ``any`` and
``none``; no ``match``, no ``case``. Polygons are labelled from the label-point layer of the tiles. Markers are circles
and hatches even fills: there is no sprite to fetch. Text needs glyphs, which are not served here: MapLibre draws them
from the reader's own fonts where ``glyphs`` is absent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pygeofilter import ast

from gisgrid.errors import BadInput
from layers.catalog import Layer
from layers.styles.model import Fill, Heat, Label, Marker, Rule, Stroke, Style, Symbol

MBS: Final = "application/vnd.mapbox.style+json"
FONTS: Final = ("Noto Sans CJK SC Regular", "Noto Sans Regular")
SCALE_AT_0: Final = 279_541_132.0143589
"""Scale denominator at zoom 0, whose one tile MapLibre draws 512 pixels wide."""
DASH_LEAST: Final = 0.1
_COMPARED: Final[Mapping[type[ast.Node], str]] = {
    ast.Equal: "==", ast.NotEqual: "!=", ast.LessThan: "<", ast.LessEqual: "<=", ast.GreaterThan: ">",
    ast.GreaterEqual: ">=",
}  # fmt: skip

Json = dict[str, Any]


def maplibre_style(
    shown: Sequence[tuple[Layer, Style]], source: Json, *, name: str, labels: Mapping[str, str] | None = None,
    center: tuple[float, float] | None = None, zoom: float | None = None,
) -> Json:  # fmt: skip
    """The style of layers in drawing order. ``source``: where the tiles are, as MapLibre has it; ``labels``: tile
    layers with the label points of a layer's polygons."""
    names = labels or {}
    drawn = [made for layer, style in shown for made in _layers(layer, style, names.get(layer.name))]
    symbols = [made for made in drawn if made["type"] == "symbol"]
    told: Json = {"version": 8, "name": name, "sources": {"gisgrid": source}}
    if center is not None:
        told["center"] = list(center)
    if zoom is not None:
        told["zoom"] = zoom
    # labels over everything
    return told | {"layers": [made for made in drawn if made["type"] != "symbol"] + symbols}


def expression(node: ast.Node | None) -> list[Any] | None:
    """A condition as a filter, None for none. Raises BadInput for one that has no plain form."""
    if node is None:
        return None
    if isinstance(node, ast.And | ast.Or):
        word = "all" if isinstance(node, ast.And) else "any"
        parts = [expression(node.lhs), expression(node.rhs)]
        flat: list[Any] = [word]
        for part in parts:
            assert part is not None
            flat += part[1:] if part[0] == word else [part]
        return flat
    if isinstance(node, ast.Not):
        return ["none", expression(node.sub_node)]
    word = next((word for kind, word in _COMPARED.items() if type(node) is kind), "")
    if not word or not isinstance(node.lhs, ast.Attribute) or isinstance(node.rhs, ast.Node):
        raise BadInput(f"a condition of kind {type(node).__name__} has no plain filter in MapLibre's style")
    return [word, node.lhs.name, node.rhs]


def _layers(layer: Layer, style: Style, labels: str | None) -> list[Json]:
    made: list[Json] = []
    others = [expression(rule.where) for rule in style.rules if rule.where is not None and not rule.otherwise]
    for stroke_casing in (True, False):  # casings lie under all lines of the layer
        for number, rule in enumerate(style.rules):
            where = ["none", *others] if rule.otherwise else expression(rule.where)
            for place, symbol in enumerate(rule.symbols):
                if stroke_casing:
                    if not isinstance(symbol, Stroke) or symbol.casing is None:
                        continue
                    drawn = [_casing(symbol)]
                else:
                    drawn = _drawn(layer, symbol, labels)
                for turn, part in enumerate(drawn):
                    name = f"{layer.name}-{number}-{place}-{turn}" + ("-casing" if stroke_casing else "")
                    made.append(_placed(name, layer, rule, part, where))
    return made


def _placed(name: str, layer: Layer, rule: Rule, part: Json, where: list[Any] | None) -> Json:
    kind, filters = part.pop("only", None), [where] if where is not None else []
    if kind is not None and layer.shape == "mixed":
        filters.append(["==", "$type", kind])
    low, high = _zooms(layer, rule)
    told: Json = {
        "id": name, "type": part.pop("type"), "source": "gisgrid", "source-layer": part.pop("from", layer.name),
        "metadata": {"gisgrid:zh": rule.title_zh, "gisgrid:en": rule.title_en},
    }  # fmt: skip
    if low is not None:
        told["minzoom"] = low
    if high is not None:
        told["maxzoom"] = high
    if filters:
        told["filter"] = filters[0] if len(filters) == 1 else ["all", *filters]
    return told | part


def _zooms(layer: Layer, rule: Rule) -> tuple[float | None, float | None]:
    """Zooms of the scales both the layer and the rule are drawn at."""
    lows = [end for end in (layer.scales[0], rule.scales[0]) if end is not None]
    highs = [end for end in (layer.scales[1], rule.scales[1]) if end is not None]
    return (_zoom(min(highs)) if highs else None), (_zoom(max(lows)) if lows else None)


def _zoom(denominator: float) -> float:
    return round(min(max(math.log2(SCALE_AT_0 / denominator), 0.0), 24.0), 2)


def _drawn(layer: Layer, symbol: Symbol, labels: str | None) -> list[Json]:
    if isinstance(symbol, Fill):
        opacity = symbol.opacity / 2 if symbol.hatch else symbol.opacity
        paint = {"fill-color": symbol.color, "fill-opacity": opacity, "fill-antialias": not 0 < symbol.opacity < 1}
        return [{"type": "fill", "only": "Polygon", "paint": paint}]
    if isinstance(symbol, Stroke):
        return [_line(symbol, symbol.color, symbol.width, symbol.dash)]
    if isinstance(symbol, Marker):
        return [_circle(symbol)]
    if isinstance(symbol, Heat):
        return [_heat(symbol)]
    return [_text(layer, symbol, labels)]


def _line(symbol: Stroke, color: str, width: float, dash: Sequence[float]) -> Json:
    paint: Json = {"line-color": color, "line-width": width, "line-opacity": symbol.opacity}
    if dash:  # in widths of the line
        paint["line-dasharray"] = [round(max(part / width, DASH_LEAST), 3) for part in dash]
    return {"type": "line", "layout": {"line-cap": "butt" if dash else symbol.cap, "line-join": symbol.join},
            "paint": paint}  # fmt: skip


def _casing(symbol: Stroke) -> Json:
    return _line(symbol, symbol.casing or symbol.color, symbol.width + 2.0, ())


def _circle(symbol: Marker) -> Json:
    paint: Json = {"circle-radius": symbol.size / 2, "circle-color": symbol.color, "circle-opacity": symbol.opacity}
    if symbol.outline is not None:
        paint |= {"circle-stroke-color": symbol.outline, "circle-stroke-width": symbol.outline_width}
    return {"type": "circle", "only": "Point", "paint": paint}


def _heat(symbol: Heat) -> Json:
    steps = len(symbol.ramp)
    red, green, blue = (int(symbol.ramp[0][at : at + 2], 16) for at in (1, 3, 5))
    ramp: list[Any] = ["interpolate", ["linear"], ["heatmap-density"], 0, f"rgba({red},{green},{blue},0)"]
    for place, color in enumerate(symbol.ramp, start=1):
        ramp += [place / steps, color]
    paint = {"heatmap-radius": symbol.radius, "heatmap-opacity": symbol.opacity, "heatmap-color": ramp}
    return {"type": "heatmap", "only": "Point", "paint": paint}


def _text(layer: Layer, symbol: Label, labels: str | None) -> Json:
    layout: Json = {"text-field": f"{{{symbol.attribute}}}", "text-font": list(FONTS), "text-size": symbol.size,
                    "text-max-width": 8, "symbol-sort-key": -symbol.priority}  # fmt: skip
    told: Json = {"type": "symbol", "layout": layout}
    if labels is not None:
        told["from"] = labels
    elif layer.shape == "line":
        layout["symbol-placement"] = "line"
    else:
        layout |= {"text-anchor": "top", "text-offset": [0, 0.6], "text-optional": True}
    paint: Json = {"text-color": symbol.color}
    if symbol.halo is not None:
        paint |= {"text-halo-color": symbol.halo, "text-halo-width": symbol.halo_width}
    return told | {"paint": paint}
