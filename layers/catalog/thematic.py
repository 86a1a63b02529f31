"""Thematic layers as layers of the catalogue: attributes are what their files had."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa

from data import tables as t
from data.thematic import ThematicLayer, thematic_listing
from layers.catalog.model import Attribute, Layer, Shape

_TYPES: Final[dict[str, sa.types.TypeEngine[Any]]] = {
    "boolean": sa.Boolean(),
    "integer": sa.BigInteger(),
    "number": sa.Float(),
    "date": sa.Date(),
    "date-time": sa.TIMESTAMP(timezone=True),
}
_SHAPES: Final[dict[str, Shape]] = {"point": "point", "line": "line", "polygon": "polygon", "mixed": "mixed"}


def thematic(connection: sa.Connection) -> Iterator[Layer]:
    """The stored thematic layers by name."""
    for stored in thematic_listing(connection):
        yield layer_of(stored)


def layer_of(stored: ThematicLayer) -> Layer:
    """A thematic layer as one of the catalogue."""
    f = t.thematic_features
    return Layer(
        stored.name, stored.title_zh, stored.title_en, f, f.c.id,
        tuple(_attribute(name, kind) for name, kind in stored.attributes),
        shape=_SHAPES[stored.shape], reads=("thematic_features", "thematic_layers"), where=(f.c.layer == stored.name,),
        label=stored.label or None, sld=stored.sld,
        style=f"thematic:{stored.name}" if stored.label or stored.sld else f"thematic_{stored.shape}",
        about_zh="专题图层", about_en="Thematic layer",
    )  # fmt: skip


def _attribute(name: str, kind: str) -> Attribute:
    text = t.thematic_features.c.properties[name].astext
    sql = _TYPES.get(kind)
    return Attribute(name, text if sql is None else sa.cast(text, sql), name, name)
