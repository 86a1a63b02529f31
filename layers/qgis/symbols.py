"""Our styles in QGIS's words: rule-based renderers and labels, heat maps. Sizes in millimetres (a pixel is 0.28 mm)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from pygeofilter import ast

from layers.catalog import Shape
from layers.styles import Fill, Heat, Label, Marker, Rule, Stroke, Style, Symbol

MM: Final = 0.28
"""Millimetres of a style's pixel."""
_MARKERS: Final = {
    "circle": "circle", "square": "square", "triangle": "triangle", "diamond": "diamond", "cross": "cross2",
    "star": "star", "hexagon": "hexagon", "plus": "cross_fill", "drop": "circle", "lamp": "star", "sign": "pentagon",
    "bin": "square", "tree": "triangle", "building": "square_with_corners", "warning": "equilateral_triangle",
}  # fmt: skip
"""Forms QGIS draws itself; our symbols take the nearest."""
_CAPS: Final = {"butt": "flat", "round": "round", "square": "square"}
_SIGNS: Final[Mapping[type[ast.Node], str]] = {
    ast.Equal: "=", ast.NotEqual: "<>", ast.LessThan: "<", ast.LessEqual: "<=", ast.GreaterThan: ">",
    ast.GreaterEqual: ">=", ast.And: "AND", ast.Or: "OR",
}  # fmt: skip


def renderer(style: Style, shape: Shape, language: str) -> Element:
    """``renderer-v2`` of a style for shapes of that kind."""
    heat = next((s for rule in style.rules for s in rule.symbols if isinstance(s, Heat)), None)
    if heat is not None:
        return _heat(heat)
    made = Element("renderer-v2", {
        "type": "RuleRenderer", "forceraster": "0", "enableorderby": "0", "referencescale": "-1",
        "symbollevels": "1" if any(isinstance(s, Stroke) and s.casing for r in style.rules for s in r.symbols) else "0",
    })  # fmt: skip
    rules, symbols = SubElement(made, "rules", key="{root}"), SubElement(made, "symbols")
    for number, rule in enumerate(rule for rule in style.rules if _drawn(rule)):
        title = rule.title_zh if language == "zh" else rule.title_en
        told = _rule(rule) | {"symbol": str(number), "label": title, "key": f"{{r{number}}}"}
        SubElement(rules, "rule", told)
        symbols.append(_symbol(str(number), _drawn(rule), shape))
    return made


def labeling(style: Style, shape: Shape) -> Element | None:
    """``labeling`` of a style; None where it writes nothing."""
    labels = [(rule, s) for rule in style.rules for s in rule.symbols if isinstance(s, Label)]
    if not labels:
        return None
    made = Element("labeling", type="rule-based")
    rules = SubElement(made, "rules", key="{labels}")
    for number, (rule, label) in enumerate(labels):
        settings = SubElement(SubElement(rules, "rule", _rule(rule) | {"key": f"{{l{number}}}"}), "settings")
        text = SubElement(settings, "text-style", {
            "fieldName": label.attribute, "isExpression": "0", "fontFamily": "Noto Sans CJK SC",
            "fontSize": _mm(label.size), "fontSizeUnit": "MM", "textColor": _color(label.color),
            "fontWeight": "75" if label.bold else "50", "namedStyle": "Bold" if label.bold else "Regular",
        })  # fmt: skip
        SubElement(text, "text-buffer", {
            "bufferDraw": "1" if label.halo else "0", "bufferSize": _mm(label.halo_width), "bufferSizeUnits": "MM",
            "bufferColor": _color(label.halo or "#ffffff"), "bufferOpacity": "1", "bufferJoinStyle": "128",
        })  # fmt: skip
        # over polygons horizontally and inside, along lines, around points
        placement = {"polygon": "1", "line": "2", "mixed": "1", "point": "6"}[shape]
        SubElement(settings, "placement", {
            "placement": placement, "priority": str(min(4 + label.priority, 10)), "dist": "0.5", "distUnits": "MM",
            "centroidInside": "1", "fitInPolygonOnly": "0", "predefinedPositionOrder": "R,L,TR,BR,TL,BL,T,B",
        })  # fmt: skip
        SubElement(settings, "rendering", {"obstacle": "0", "displayAll": "0", "drawLabels": "1", "zIndex": "0"})
    return made


def expression(node: ast.Node) -> str:
    """A condition as a QGIS expression. Raises ValueError for conditions styles do not have."""
    if isinstance(node, ast.Not):
        return f"NOT ({expression(node.sub_node)})"
    sign = _SIGNS.get(type(node))
    if sign is None:
        raise ValueError(f"{type(node).__name__} has no QGIS expression")
    if isinstance(node, ast.And | ast.Or):
        return f"({expression(node.lhs)}) {sign} ({expression(node.rhs)})"
    return f"{_term(node.lhs)} {sign} {_term(node.rhs)}"


def _term(value: object) -> str:
    if isinstance(value, ast.Attribute):
        return '"' + str(value.name).replace('"', '""') + '"'
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
    return repr(value)


def _drawn(rule: Rule) -> list[Symbol]:
    return [s for s in rule.symbols if not isinstance(s, Label | Heat)]


def _rule(rule: Rule) -> dict[str, str]:
    told = {}
    if rule.otherwise:
        told["filter"] = "ELSE"
    elif rule.where is not None:
        told["filter"] = expression(rule.where)
    low, high = rule.scales
    if low is not None:
        told["scalemindenom"] = f"{low:g}"
    if high is not None:
        told["scalemaxdenom"] = f"{high:.0f}"
    return told


def _symbol(name: str, drawn: list[Symbol], shape: Shape) -> Element:
    """One symbol of several layers; its kind follows the shapes."""
    markers = any(isinstance(s, Marker) for s in drawn)
    fills = any(isinstance(s, Fill) for s in drawn) or shape == "polygon"
    kind = "marker" if markers else "fill" if fills else "line"
    made = Element("symbol", {"name": name, "type": kind, "alpha": "1", "clip_to_extent": "1", "force_rhr": "0"})
    for symbol in drawn:
        if isinstance(symbol, Marker):
            made.append(_marker(symbol))
        elif isinstance(symbol, Fill):
            made.append(_hatch(symbol, name) if symbol.hatch else _fill(symbol))
        elif isinstance(symbol, Stroke):
            if symbol.casing:
                wider = Stroke(symbol.casing, symbol.width + 2, symbol.opacity, (), symbol.cap, symbol.join)
                made.append(_stroke(wider, kind, 0))
            made.append(_stroke(symbol, kind, 1 if symbol.casing else 0))
    return made


def _layer(kind: str, options: Mapping[str, str], level: int = 0) -> Element:
    made = Element("layer", {"class": kind, "enabled": "1", "locked": "0", "pass": str(level)})
    listed = SubElement(made, "Option", type="Map")
    for key, value in options.items():
        SubElement(listed, "Option", {"name": key, "type": "QString", "value": value})
    for key, value in options.items():  # what QGIS before 3.26 reads
        SubElement(made, "prop", k=key, v=value)
    return made


def _marker(marker: Marker) -> Element:
    return _layer("SimpleMarker", {
        "name": _MARKERS[marker.shape], "color": _color(marker.color, marker.opacity), "size": _mm(marker.size),
        "size_unit": "MM", "outline_color": _color(marker.outline or "#ffffff", marker.opacity),
        "outline_style": "solid" if marker.outline else "no", "outline_width": _mm(marker.outline_width / 2),
        "outline_width_unit": "MM",
    })  # fmt: skip


def _fill(fill: Fill) -> Element:
    return _layer("SimpleFill", {"color": _color(fill.color, fill.opacity), "style": "solid", "outline_style": "no"})


def _hatch(fill: Fill, name: str) -> Element:
    made = _layer("LinePatternFill", {
        "angle": "45", "distance": _mm(fill.hatch), "distance_unit": "MM", "color": _color(fill.color, fill.opacity),
        "line_width": _mm(1), "line_width_unit": "MM",
    })  # fmt: skip
    inner = SubElement(made, "symbol", {"name": f"@{name}@0", "type": "line", "alpha": "1", "clip_to_extent": "1"})
    inner.append(_stroke(Stroke(fill.color, 1.0, fill.opacity), "line", 0))
    return made


def _stroke(stroke: Stroke, kind: str, level: int) -> Element:
    return _layer("SimpleLine", {
        "line_color": _color(stroke.color, stroke.opacity), "line_width": _mm(stroke.width), "line_width_unit": "MM",
        "line_style": "solid", "capstyle": _CAPS[stroke.cap], "joinstyle": stroke.join,
        "use_custom_dash": "1" if stroke.dash else "0", "customdash_unit": "MM",
        "customdash": ";".join(_mm(length) for length in stroke.dash) or "5;2",
    }, level)  # fmt: skip


def _heat(heat: Heat) -> Element:
    made = Element("renderer-v2", {
        "type": "heatmapRenderer", "radius": _mm(heat.radius), "radius_unit": "0", "quality": "2", "max_value": "0",
        "forceraster": "0", "weight_expression": "", "enableorderby": "0",
    })  # fmt: skip
    first, last = heat.ramp[0], heat.ramp[-1]
    steps = heat.ramp[:-1]
    stops = [f"{(i + 1) / len(heat.ramp):.3f};{_color(color, heat.opacity)}" for i, color in enumerate(steps)]
    ramp = SubElement(made, "colorramp", {"name": "[source]", "type": "gradient"})
    options = {
        "color1": _color(first, 0.0), "color2": _color(last, heat.opacity), "discrete": "0", "rampType": "gradient",
        "stops": ":".join(stops),
    }  # fmt: skip
    listed = SubElement(ramp, "Option", type="Map")
    for key, value in options.items():
        SubElement(listed, "Option", {"name": key, "type": "QString", "value": value})
        SubElement(ramp, "prop", k=key, v=value)
    return made


def _mm(pixels: float) -> str:
    return f"{pixels * MM:.4g}"


def _color(color: str, opacity: float = 1.0) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"{red},{green},{blue},{round(opacity * 255)}"
