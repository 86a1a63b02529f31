"""Styles users send: a subset of Styled Layer Descriptor 1.0 (02-070) and 1.1 (05-078r4, symbols by 05-077r4).

What is not in the subset is refused by name, never passed over, and nothing is fetched: a style that draws less than
it says would be a wrong map. Two things are hints and passed over: where a label stands (labels are placed so that
they do not touch) and VendorOption.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.etree.ElementTree import Element

from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import SLD_RULES_MAX
from layers.catalog.model import Layer
from layers.styles.model import Fill, Label, Marker, Rule, Shape, Stroke, Style, Symbol
from layers.styles.sld_filter import condition, property_of, unsupported
from layers.xml import local, parse_xml

MARKS: Final[dict[str, Shape]] = {
    "circle": "circle", "square": "square", "triangle": "triangle", "star": "star", "cross": "plus", "x": "cross",
}  # fmt: skip
"""WellKnownName of 02-070, 11.3.2, and the marker drawn for it."""
PIXELS: Final = ("", "http://www.opengeospatial.org/se/units/pixel")
_DESCRIBING: Final = {
    "Name", "Title", "Abstract", "Description", "IsDefault", "FeatureTypeName", "SemanticTypeIdentifier",
    "VendorOption", "Geometry",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Styled:
    """A layer of the document with its styles: of the user's own (`Style`), or one of ours by name."""

    layer: str
    styles: tuple[Style | str, ...]
    default: int = 0


def read_sld(text: str, layers: Mapping[str, Layer], *, name: str = "SLD_BODY") -> list[Styled]:
    """The layers and styles of a document. Raises BadInput, NotFound (LayerNotDefined)."""
    return read_sld_element(parse_xml(text, name=name), layers)


def read_sld_element(root: Element, layers: Mapping[str, Layer]) -> list[Styled]:
    """`read_sld` of a ``StyledLayerDescriptor`` element."""
    if local(root) != "StyledLayerDescriptor":
        raise BadInput(f"SLD: the document is a {local(root)[:60]!r}, no StyledLayerDescriptor")
    if root.get("version", "1.0.0") not in ("1.0.0", "1.0.20", "1.1.0"):
        raise BadInput(f"SLD: version {root.get('version', '')[:20]!r} is not known; send 1.0.0 or 1.1.0")
    if sum(local(found) == "Rule" for found in root.iter()) > SLD_RULES_MAX:
        raise BadInput(f"SLD: the document has more than {SLD_RULES_MAX} rules")
    found = [_named_layer(child, layers) for child in root if not _describes(child)]
    if not found:
        raise BadInput("SLD: the document names no layer; give NamedLayer elements")
    return found


def own_style(text: str, layer: Layer, *, name: str = "style") -> Style:
    """The one style a layer's author gives it, whatever name it has for the layer. Raises BadInput."""
    root = parse_xml(text, name=name)
    styles = [element for element in root.iter() if local(element) == "UserStyle"]
    if local(root) != "StyledLayerDescriptor" or len(styles) != 1:
        raise BadInput(f"{name}: give a StyledLayerDescriptor with one UserStyle; this has {len(styles)}")
    if sum(local(found) == "Rule" for found in root.iter()) > SLD_RULES_MAX:
        raise BadInput(f"{name}: the document has more than {SLD_RULES_MAX} rules")
    return _user_style(styles[0], layer)


def _describes(element: Element) -> bool:
    return local(element) in _DESCRIBING


def _named_layer(element: Element, layers: Mapping[str, Layer]) -> Styled:
    if local(element) != "NamedLayer":
        raise unsupported(element)
    name = _text_of(element, "Name")
    if name not in layers:  # a prefix, as other servers have them
        name = name.rpartition(":")[2]
    layer = layers.get(name)
    if layer is None:
        raise NotFound(f"SLD: there is no layer {name[:60]!r}; the capabilities list them", code="LayerNotDefined")
    styles: list[Style | str] = []
    default = 0
    for child in element:
        if local(child) == "NamedStyle":
            styles.append(_text_of(child, "Name"))
        elif local(child) == "UserStyle":
            if _child_text(child, "IsDefault") in ("1", "true"):
                default = len(styles)
            styles.append(_user_style(child, layer))
        elif not _describes(child):
            raise unsupported(child)
    return Styled(name, tuple(styles), default)


def _user_style(element: Element, layer: Layer) -> Style:
    parts = [child for child in element if not _describes(child)]
    rules: list[Rule] = []
    for part in parts:
        if local(part) != "FeatureTypeStyle":
            raise unsupported(part)
        rules += _rules(part, layer)
    if len(parts) > 1 and any(rule.otherwise for rule in rules):
        raise BadInput("SLD: ElseFilter is taken in a style with one FeatureTypeStyle only")
    name = _child_text(element, "Name")
    title = _title(element) or name or layer.title_zh
    return Style(name, title, title, tuple(rules))


def _rules(element: Element, layer: Layer) -> list[Rule]:
    found = []
    for child in element:
        if local(child) == "Rule":
            found.append(_rule(child, layer))
        elif not _describes(child):
            raise unsupported(child)
    return found


def _rule(element: Element, layer: Layer) -> Rule:
    symbols: list[Symbol] = []
    facts: dict[str, Any] = {}
    ends: dict[str, float] = {}
    for child in element:
        name = local(child)
        if name in _SYMBOLIZERS:
            if child.get("uom", "") not in PIXELS:
                raise BadInput(f"SLD: {name} has sizes in {child.get('uom', '')[:80]!r}; only pixels are supported")
            symbols += _SYMBOLIZERS[name](child, layer)
        elif name == "Filter":
            facts["where"] = condition(child, layer)
        elif name == "ElseFilter":
            facts["otherwise"] = True
        elif name in ("MinScaleDenominator", "MaxScaleDenominator"):
            ends[name] = _number(child)
        elif not _describes(child):
            raise unsupported(child)
    if "where" in facts and "otherwise" in facts:
        raise BadInput("SLD: a Rule has a Filter or an ElseFilter, not both")
    title = _title(element) or _child_text(element, "Name")
    scales = (ends.get("MinScaleDenominator"), ends.get("MaxScaleDenominator"))
    shown = any(not isinstance(symbol, Label) for symbol in symbols)
    return Rule(title, title, tuple(symbols), scales=scales, in_legend=shown, **facts)


# --- symbols ----------------------------------------------------------------------------------


def _polygon(element: Element, layer: Layer) -> list[Symbol]:
    found: list[Symbol] = []
    for child in element:
        if local(child) == "Fill":
            found.append(_fill(child))
        elif local(child) == "Stroke":
            found.append(_stroke(child))
        elif not _describes(child):
            raise unsupported(child)
    return found


def _line(element: Element, layer: Layer) -> list[Symbol]:
    found: list[Symbol] = []
    for child in element:
        if local(child) == "Stroke":
            found.append(_stroke(child))
        elif not _describes(child):
            raise unsupported(child)
    return found


def _fill(element: Element) -> Fill:
    given = _parameters(element, "fill", "fill-opacity")
    return Fill(_color(given.get("fill", "#808080")), _share(given.get("fill-opacity", "1"), "fill-opacity"))


def _stroke(element: Element) -> Stroke:
    given = _parameters(
        element, "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray", "stroke-dashoffset",
        "stroke-linecap", "stroke-linejoin",
    )  # fmt: skip
    if _size(given.get("stroke-dashoffset", "0"), "stroke-dashoffset"):
        raise BadInput("SLD: stroke-dashoffset is not supported here; docs/wms.md lists what is")
    dash = tuple(
        _size(part, "stroke-dasharray") for part in re.split(r"[\s,]+", given.get("stroke-dasharray", "")) if part
    )
    if len(dash) > 20 or (dash and not sum(dash) > 0):
        raise BadInput("SLD: stroke-dasharray is up to 20 lengths, not all of them 0")
    return Stroke(
        _color(given.get("stroke", "#000000")),
        _size(given.get("stroke-width", "1"), "stroke-width"),
        _share(given.get("stroke-opacity", "1"), "stroke-opacity"),
        dash * 2 if len(dash) % 2 else dash,  # as SVG reads an odd list
        _one_of(given.get("stroke-linecap", "butt"), "stroke-linecap", ("butt", "round", "square")),
        _one_of({"mitre": "miter"}.get(join := given.get("stroke-linejoin", "miter"), join), "stroke-linejoin",
                ("miter", "round", "bevel")),
    )  # fmt: skip


def _point(element: Element, layer: Layer) -> list[Symbol]:
    found: list[Symbol] = []
    for child in element:
        if local(child) == "Graphic":
            found.append(_graphic(child))
        elif not _describes(child):
            raise unsupported(child)
    return found


def _graphic(element: Element) -> Marker:
    look: dict[str, Any] = {"shape": "square", "color": "#808080", "outline": None, "size": 6.0}
    for child in element:
        name = local(child)
        if name == "Mark":
            look |= _mark(child)
        elif name == "Size":
            look["size"] = _size(_value(child), "Size")
        elif name == "Opacity":
            look["opacity"] = _share(_value(child), "Opacity")
        elif name == "Rotation" and _value(child).strip() and float(_size(_value(child), "Rotation")) == 0.0:
            continue
        else:
            raise unsupported(child)
    return Marker(**look)


def _mark(element: Element) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for child in element:
        name = local(child)
        if name == "WellKnownName":
            mark = (child.text or "").strip().lower()
            if mark not in MARKS:
                raise BadInput(f"SLD: WellKnownName {mark[:40]!r} is not supported; there are {', '.join(MARKS)}")
            found["shape"] = MARKS[mark]
        elif name == "Fill":
            fill = _fill(child)
            found |= {"color": fill.color, "opacity": fill.opacity}
        elif name == "Stroke":
            stroke = _stroke(child)
            found |= {"outline": stroke.color, "outline_width": stroke.width}
        else:
            raise unsupported(child)
    return found


def _label(element: Element, layer: Layer) -> list[Symbol]:
    look: dict[str, Any] = {"color": "#000000", "size": 10.0, "halo": None}
    for child in element:
        name = local(child)
        if name == "Label":
            if len(child) != 1 or (child.text or "").strip() or (child[0].tail or "").strip():
                raise BadInput("SLD: Label is one PropertyName; text of its own is not supported")
            look["attribute"] = property_of(child[0], layer).name
        elif name == "Font":
            look |= _font(child)
        elif name == "Halo":
            look |= _halo(child)
        elif name == "Fill":
            look["color"] = _fill(child).color
        elif name == "Priority":
            look["priority"] = int(_number(child))
        elif name != "LabelPlacement" and not _describes(child):
            raise unsupported(child)
    if "attribute" not in look:
        raise BadInput("SLD: TextSymbolizer has no Label with a PropertyName")
    return [Label(**look)]


def _font(element: Element) -> dict[str, Any]:
    """Size and weight. A family is passed over: one that has Chinese is used for all text."""
    given = _parameters(element, "font-family", "font-size", "font-weight", "font-style")
    _one_of(given.get("font-style", "normal"), "font-style", ("normal",))
    weight = _one_of(given.get("font-weight", "normal"), "font-weight", ("normal", "bold"))
    return {"size": _size(given.get("font-size", "10"), "font-size"), "bold": weight == "bold"}


def _halo(element: Element) -> dict[str, Any]:
    look: dict[str, Any] = {"halo": "#ffffff", "halo_width": 1.0}
    for child in element:
        if local(child) == "Radius":
            look["halo_width"] = _size(_value(child), "Radius")
        elif local(child) == "Fill":
            look["halo"] = _fill(child).color
        else:
            raise unsupported(child)
    return look


_SYMBOLIZERS: Final[dict[str, Callable[[Element, Layer], list[Symbol]]]] = {
    "PolygonSymbolizer": _polygon,
    "LineSymbolizer": _line,
    "PointSymbolizer": _point,
    "TextSymbolizer": _label,
}

# --- values -----------------------------------------------------------------------------------


def _parameters(element: Element, *known: str) -> dict[str, str]:
    """CssParameter (1.0) and SvgParameter (1.1) children by name. Raises BadInput for one that is not known."""
    found = {}
    for child in element:
        if local(child) not in ("CssParameter", "SvgParameter"):
            raise unsupported(child)
        name = child.get("name", "")
        if name not in known:
            raise BadInput(f"SLD: {name[:40]!r} is no parameter of {local(element)} here; there are {', '.join(known)}")
        found[name] = _value(child).strip()
    return found


def _value(element: Element) -> str:
    """Text of an element, written plainly or as one Literal."""
    children = list(element)
    if not children:
        return element.text or ""
    if len(children) > 1 or local(children[0]) != "Literal" or len(children[0]):
        raise unsupported(children[0])
    return children[0].text or ""


def _number(element: Element) -> float:
    return _size(_value(element), local(element))


def _size(text: str, name: str) -> float:
    """A number of pixels (or a denominator) from 0 up."""
    if not re.fullmatch(r"\d{1,12}(\.\d{0,20})?([eE][+-]?\d{1,2})?|\.\d{1,20}", text.strip(), re.ASCII):
        raise BadInput(f"SLD: {name} is {text.strip()[:40]!r}, no number from 0 up")
    value = float(text)
    if name not in ("MinScaleDenominator", "MaxScaleDenominator") and value > 1_000.0:
        raise BadInput(f"SLD: {name} is {value:g}; at most 1000")
    return value


def _share(text: str, name: str) -> float:
    value = _size(text, name)
    if value > 1.0:
        raise BadInput(f"SLD: {name} is {value:g}; give 0 to 1")
    return value


def _color(text: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise BadInput(f"SLD: {text[:40]!r} is no colour; write #rrggbb")
    return text.lower()


def _one_of(text: str, name: str, known: tuple[str, ...]) -> Any:
    if text not in known:
        raise BadInput(f"SLD: {name} is {text[:40]!r}; there are {', '.join(known)}")
    return text


def _child_text(element: Element, name: str) -> str:
    return next(((child.text or "").strip() for child in element if local(child) == name), "")


def _text_of(element: Element, name: str) -> str:
    text = _child_text(element, name)
    if not text:
        raise BadInput(f"SLD: {local(element)} has no {name}")
    return text


def _title(element: Element) -> str:
    """Title as 1.0 writes it, or inside Description as 1.1 does."""
    for child in element:
        if local(child) == "Description":
            return _child_text(child, "Title")
    return _child_text(element, "Title")
