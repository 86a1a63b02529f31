"""What GetFeatureInfo tells: attributes read by key, written as text, HTML, GML or GeoJSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from typing import Any, Final

import orjson
import sqlalchemy as sa

from layers.catalog.model import Attribute, Layer
from layers.wms.asked import Language
from layers.wms.formats import InfoForm
from layers.wms.offer import worded
from layers.xml import Markup, element

DIGITS: Final = 7
"""Decimals of a degree written: 1 cm."""
NAMESPACE: Final = "urn:gisgrid:layers"
_SHAPES: Final[dict[InfoForm, Callable[[Any], sa.ColumnElement[Any]]]] = {
    "geojson": lambda shape: sa.func.ST_AsGeoJSON(shape, DIGITS),
    "gml2": lambda shape: sa.func.ST_AsGML(2, shape, DIGITS),
    # 1: the CRS as a URN, 16: latitude first, as that CRS has it
    "gml3": lambda shape: sa.func.ST_AsGML(3, shape, DIGITS, 17),
}


@dataclass(frozen=True, slots=True)
class Told:
    """The features of one layer: of each its key, its attributes by name, its shape as the form writes it."""

    layer: Layer
    features: tuple[tuple[str, dict[str, Any], str], ...]


def told(connection: sa.Connection, layer: Layer, generation: int | None, keys: Sequence[Any], form: InfoForm) -> Told:
    """Read features by key, in the order of the keys; those that are gone by now are left out."""
    given = [key.item() if hasattr(key, "item") else key for key in keys]
    if not given:
        return Told(layer, ())
    shape = _SHAPES[form](layer.geometry) if form in _SHAPES else sa.literal("")
    columns = [attribute.column.label(f"a{i}") for i, attribute in enumerate(layer.attributes)]
    query = sa.select(layer.key.label("key"), shape.label("shape"), *columns).select_from(layer.table)
    rows = connection.execute(query.where(*layer.conditions(generation), layer.key.in_(given)))
    found = {row[0]: row for row in rows}
    names = [attribute.name for attribute in layer.attributes]
    return Told(layer, tuple(
        (str(key), dict(zip(names, found[key][2:], strict=True)), found[key][1] or "") for key in given if key in found
    ))  # fmt: skip


def written(found: Sequence[Told], form: InfoForm, language: Language) -> bytes:
    """The answer as the form writes it, UTF-8."""
    if form == "text":
        return "".join(_text(found)).encode()
    if form == "html":
        return "".join(_html(found, language)).encode()
    if form == "geojson":
        return _geojson(found)
    return _gml(found, form)


def _plain(value: Any) -> str:
    """A value as text: moments in ISO 8601, lists split by commas."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return str(value)


def _text(found: Sequence[Told]) -> Iterator[str]:
    """Lines ``name = 'value'`` below each feature, as map clients show and scripts split them."""
    yield "GetFeatureInfo results:\n"
    if not any(item.features for item in found):
        yield "\n  Search returned no results.\n"
    for item in found:
        if item.features:
            yield f"\nLayer '{item.layer.name}' ({item.layer.title_zh} {item.layer.title_en})\n"
        for key, attributes, _ in item.features:
            yield f"  Feature {_line(key)}:\n"
            for name, value in attributes.items():
                yield f"    {name} = '{'' if value is None else _line(_plain(value))}'\n"


def _line(text: str) -> str:
    """On one line."""
    return re.sub(r"[\x00-\x1f\x7f\u2028\u2029]+", " ", text)


# --- HTML -------------------------------------------------------------------------------------

_STYLE: Final = (
    "body{font:14px/1.5 'Noto Sans CJK SC','Microsoft YaHei',sans-serif;margin:8px;color:#222}"
    "table{border-collapse:collapse;margin:0 0 12px}caption{text-align:left;font-weight:bold;padding:4px 0}"
    "th,td{border:1px solid #ccd4cf;padding:2px 8px;text-align:left;vertical-align:top}th{background:#f1f5f2;"
    "font-weight:normal;color:#44524a}"
)
_NOTHING: Final = ("此处没有要素", "Nothing is here")
_YES_NO: Final = {True: ("是", "yes"), False: ("否", "no")}


def _html(found: Sequence[Told], language: Language) -> Iterator[str]:
    yield f'<!doctype html>\n<html lang="{"en" if language == "en" else "zh-CN"}"><head><meta charset="utf-8">'
    yield f"<title>GetFeatureInfo</title><style>{_STYLE}</style></head><body>\n"
    if not any(item.features for item in found):
        yield f"<p>{worded(*_NOTHING, language)}</p>\n"
    for item in found:
        title = escape(worded(item.layer.title_zh, item.layer.title_en, language))
        for _, attributes, _ in item.features:
            rows = "".join(
                f"<tr><th>{escape(_title(attribute, language))}</th>"
                f"<td>{escape(_shown(attributes[attribute.name], language))}</td></tr>\n"
                for attribute in item.layer.attributes
                if attributes[attribute.name] not in (None, "")
            )
            yield f"<table><caption>{title}</caption>\n{rows}</table>\n"
    yield "</body></html>\n"


def _title(attribute: Attribute, language: Language) -> str:
    """The attribute's title with its unit; counted things (``{person}``) and ratios have none to show."""
    unit = attribute.unit
    shown = f" ({unit})" if unit and unit != "1" and not unit.startswith("{") else ""
    return worded(attribute.title_zh, attribute.title_en, language) + shown


def _shown(value: Any, language: Language) -> str:
    if isinstance(value, bool):
        return worded(*_YES_NO[value], language)
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    return _plain(value)


# --- GeoJSON and GML --------------------------------------------------------------------------


def _geojson(found: Sequence[Told]) -> bytes:
    features = [
        {
            "type": "Feature",
            "id": f"{item.layer.name}.{key}",
            "geometry": orjson.Fragment(shape) if shape else None,
            "properties": {name: _json(value) for name, value in attributes.items()},
        }
        for item in found
        for key, attributes, shape in item.features
    ]
    return orjson.dumps({"type": "FeatureCollection", "features": features})


def _json(value: Any) -> Any:
    known = isinstance(value, str | int | float | bool | list | datetime | date | None)
    return value if known else float(value) if hasattr(value, "as_tuple") else str(value)


def _gml(found: Sequence[Told], form: InfoForm) -> bytes:
    """A collection of feature members, as WFS 1.0 writes them: what map clients expect of this format."""
    members = [
        element("gml:featureMember", _member(item.layer, key, attributes, shape, form))
        for item in found
        for key, attributes, shape in item.features
    ]
    bounds = element("gml:boundedBy", element("gml:null" if form == "gml2" else "gml:Null", "unknown"))
    body = element("wfs:FeatureCollection", bounds, *members, attributes={
        "xmlns:wfs": "http://www.opengis.net/wfs", "xmlns:gml": "http://www.opengis.net/gml",
        "xmlns:gisgrid": NAMESPACE,
    })  # fmt: skip
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'.encode()


def _member(layer: Layer, key: str, attributes: dict[str, Any], shape: str, form: InfoForm) -> Markup:
    values = [
        element(f"gisgrid:{_xml_name(name)}", _plain(value)) for name, value in attributes.items() if value is not None
    ]
    identity = "fid" if form == "gml2" else "gml:id"
    name = _xml_name(layer.name)
    return element(
        f"gisgrid:{name}", *values, element("gisgrid:geometry", Markup(shape)) if shape else None,
        attributes={identity: f"{name}.{_xml_name(key) if form == 'gml3' else key}"},
    )  # fmt: skip


def _xml_name(text: str) -> str:
    """A name XML elements may have."""
    return re.sub(r"[^\w.-]", "_", text)
