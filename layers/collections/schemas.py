"""JSON Schemas of collections: what features tell, what may be asked for, what they may be sorted by.

OGC API Features Part 3 (queryables, 19-079r2) and Part 5 (schemas, 23-058r2). Sent by PUT and POST are only the
properties without ``readOnly``.
"""

from __future__ import annotations

from typing import Any, Final

from layers.catalog import Attribute, Layer
from layers.collections.editable import written_names
from layers.times import time_name

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_SHAPES: Final = {
    "point": "geometry-point", "line": "geometry-any", "polygon": "geometry-any", "mixed": "geometry-any",
}  # fmt: skip
_TYPES: Final[dict[str, dict[str, Any]]] = {
    "date": {"type": "string", "format": "date"},
    "date-time": {"type": "string", "format": "date-time"},
    "array": {"type": "array"},
}


def feature_schema(layer: Layer, language: str, address: str) -> dict[str, Any]:
    """Every property with its role."""
    own = {a.name: _property(a, language) for a in layer.attributes}
    writable = written_names(layer)
    for name, told in own.items():
        if name not in writable:
            told["readOnly"] = True
    key = next((a.name for a in layer.attributes if a.column is layer.key), None)
    if key:
        own[key]["x-ogc-role"] = "id"
    if (time := time_name(layer)) in own:
        own[time]["x-ogc-role"] = "primary-instant"
    return _schema(layer, language, address, own | {"geometry": _geometry(layer, language, role=True)})


def queryables(layer: Layer, language: str, address: str) -> dict[str, Any]:
    """What filters and query parameters may name."""
    own = {a.name: _property(a, language) for a in layer.attributes if a.kind != "array"}
    return _schema(layer, language, address, own | {"geometry": _geometry(layer, language)})


def sortables(layer: Layer, language: str, address: str) -> dict[str, Any]:
    """What sortby may name."""
    return _schema(layer, language, address, {a.name: _property(a, language) for a in sortable(layer)})


def sortable(layer: Layer) -> tuple[Attribute, ...]:
    """Attributes with an order."""
    return tuple(a for a in layer.attributes if a.kind not in ("array", "boolean"))


def _schema(layer: Layer, language: str, address: str, properties: dict[str, Any]) -> dict[str, Any]:
    title = layer.title_zh if language == "zh" else layer.title_en
    return {
        "$schema": DRAFT, "$id": address, "type": "object", "title": title, "properties": properties,
        "additionalProperties": False,
    }  # fmt: skip


def _property(attribute: Attribute, language: str) -> dict[str, Any]:
    told = {"title": attribute.title_zh if language == "zh" else attribute.title_en}
    told |= _TYPES.get(attribute.kind, {"type": attribute.kind})
    if attribute.unit:
        told |= {"x-ogc-unit": attribute.unit, "x-ogc-unitLang": "UCUM"}
    return told


def _geometry(layer: Layer, language: str, *, role: bool = False) -> dict[str, Any]:
    told = {"title": "图形" if language == "zh" else "Geometry", "format": _SHAPES[layer.shape]}
    return told | ({"x-ogc-role": "primary-geometry"} if role else {})
