"""Conditions of a styled layer descriptor (OGC Filter 1.0 and 1.1: 02-059, 04-095) as pygeofilter's tree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, Final
from xml.etree.ElementTree import Element

from pygeofilter import ast

from gisgrid.errors import BadInput
from layers.catalog.model import Attribute, Layer
from layers.xml import local

_COMPARED: Final[dict[str, type[ast.Comparison]]] = {
    "PropertyIsEqualTo": ast.Equal,
    "PropertyIsNotEqualTo": ast.NotEqual,
    "PropertyIsLessThan": ast.LessThan,
    "PropertyIsLessThanOrEqualTo": ast.LessEqual,
    "PropertyIsGreaterThan": ast.GreaterThan,
    "PropertyIsGreaterThanOrEqualTo": ast.GreaterEqual,
}
_TURNED: Final[dict[type[ast.Comparison], type[ast.Comparison]]] = {
    ast.LessThan: ast.GreaterThan, ast.LessEqual: ast.GreaterEqual,
    ast.GreaterThan: ast.LessThan, ast.GreaterEqual: ast.LessEqual,
}  # fmt: skip


def condition(element: Element, layer: Layer) -> ast.Node:
    """What an ``ogc:Filter`` element means. Raises BadInput naming the element that is not taken."""
    children = list(element)
    if len(children) != 1:
        raise BadInput("SLD: a Filter holds exactly one condition")
    return _node(children[0], layer)


def property_of(element: Element, layer: Layer) -> Attribute:
    """The attribute a PropertyName means; a prefix (``ns:name``) is passed over. Raises BadInput."""
    if local(element) != "PropertyName" or len(element):
        raise unsupported(element)
    name = (element.text or "").strip().rpartition(":")[2]
    found = layer.attribute(name)
    if found is None:
        raise BadInput(f"SLD: layer {layer.name} has no attribute {name[:60]!r}; see its queryables")
    return found


def unsupported(element: Element) -> BadInput:
    """The error for an element that is not taken here."""
    return BadInput(f"SLD: the element {local(element)[:60]} is not supported here; docs/wms.md lists what is")


def _node(element: Element, layer: Layer) -> ast.Node:
    name = local(element)
    if name in _COMPARED:
        return _comparison(element, _COMPARED[name], layer)
    made = _OTHERS.get(name)
    if made is None:
        raise unsupported(element)
    return made(element, layer)


def _comparison(element: Element, kind: type[ast.Comparison], layer: Layer) -> ast.Node:
    if element.get("matchCase", "true") not in ("true", "1"):
        raise BadInput(f"SLD: {local(element)} with matchCase=false is not supported; write the value as stored")
    left, right = _children(element, 2)
    if local(left) == "Literal":
        left, right, kind = right, left, _TURNED.get(kind, kind)
    attribute = property_of(left, layer)
    if local(right) == "PropertyName":
        return kind(ast.Attribute(attribute.name), ast.Attribute(property_of(right, layer).name))
    return kind(ast.Attribute(attribute.name), literal(right, attribute))


def _between(element: Element, layer: Layer) -> ast.Node:
    what, low, high = _children(element, 3)
    if local(low) != "LowerBoundary" or local(high) != "UpperBoundary":
        raise unsupported(element)
    attribute = property_of(what, layer)
    ends = [literal(_children(boundary, 1)[0], attribute) for boundary in (low, high)]
    return ast.Between(ast.Attribute(attribute.name), ends[0], ends[1], False)


def _like(element: Element, layer: Layer) -> ast.Node:
    what, pattern = _children(element, 2)
    attribute = property_of(what, layer)
    if attribute.kind != "string" or local(pattern) != "Literal":
        raise BadInput("SLD: PropertyIsLike compares an attribute that is text with a Literal")
    wild, single = element.get("wildCard", "*"), element.get("singleChar", "?")
    escape = element.get("escapeChar") or element.get("escape") or "\\"
    if any(len(mark) != 1 for mark in (wild, single, escape)) or len({wild, single, escape}) < 3:
        raise BadInput("SLD: wildCard, singleChar and escapeChar of PropertyIsLike are three different characters")
    caseless = element.get("matchCase", "true") in ("false", "0")
    text = sql_pattern(pattern.text or "", wild, single, escape)
    return ast.Like(ast.Attribute(attribute.name), text, caseless, "%", "_", "\\", False)


def sql_pattern(text: str, wild: str, single: str, escape: str) -> str:
    """A pattern with marks of one's own as SQL writes it: ``%``, ``_``, escaped by a backslash."""
    made, characters = [], iter(text)
    for character in characters:
        plain = character
        if character == escape:
            plain = next(characters, escape)
        elif character in (wild, single):
            made.append("%" if character == wild else "_")
            continue
        made.append(f"\\{plain}" if plain in "%_\\" else plain)
    return "".join(made)


def _null(element: Element, layer: Layer) -> ast.Node:
    (what,) = _children(element, 1)
    return ast.IsNull(ast.Attribute(property_of(what, layer).name), False)


def _joined(kind: type[ast.Combination]) -> Callable[[Element, Layer], ast.Node]:
    def made(element: Element, layer: Layer) -> ast.Node:
        """Halved again and again, so that a long list makes no deep tree."""
        nodes: list[Any] = [_node(child, layer) for child in element]
        if len(nodes) < 2:
            raise BadInput(f"SLD: {local(element)} joins two conditions or more")
        while len(nodes) > 1:
            pairs = [kind(*nodes[i : i + 2]) for i in range(0, len(nodes) - 1, 2)]
            nodes = [*pairs, nodes[-1]] if len(nodes) % 2 else pairs
        return nodes[0]

    return made


def _not(element: Element, layer: Layer) -> ast.Node:
    return ast.Not(_node(_children(element, 1)[0], layer))


_OTHERS: Final[dict[str, Callable[[Element, Layer], ast.Node]]] = {
    "PropertyIsBetween": _between,
    "PropertyIsLike": _like,
    "PropertyIsNull": _null,
    "And": _joined(ast.And),
    "Or": _joined(ast.Or),
    "Not": _not,
}


def _children(element: Element, count: int) -> list[Element]:
    children = list(element)
    if len(children) != count:
        raise BadInput(f"SLD: {local(element)} holds {count} elements, here {len(children)}")
    return children


def literal(element: Element, attribute: Attribute) -> Any:
    """The value a Literal means for an attribute, as its type. Raises BadInput."""
    if local(element) != "Literal" or len(element):
        raise unsupported(element)
    text = element.text or ""
    try:
        return _READ[attribute.kind](text)
    except (KeyError, ValueError, OverflowError) as error:
        shown = text[:40]
        raise BadInput(f"SLD: {attribute.name} is compared with {shown!r}, which is no {attribute.kind}") from error


def _finite(text: str) -> int | float:
    value = float(text)
    if abs(value) > 1e300 or value != value:
        raise ValueError(text)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text.strip())
    return found if found.tzinfo else found.replace(tzinfo=UTC)


_READ: Final[dict[str, Callable[[str], Any]]] = {
    "string": str,
    "integer": _finite,
    "number": _finite,
    "boolean": lambda text: {"true": True, "1": True, "false": False, "0": False}[text.strip().lower()],
    "date": lambda text: date.fromisoformat(text.strip()),
    "date-time": _moment,
}
