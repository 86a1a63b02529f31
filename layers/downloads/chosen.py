"""Which features of a layer are taken, what is told of them, and in which coordinate system."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from typing import Any, Final

import sqlalchemy as sa

from data.plans import current_generation, generation_at
from data.tables import SRID
from gisgrid.crs import STORAGE_CRS, normalise
from gisgrid.errors import BadInput, NotFound
from layers.catalog import Attribute, Layer
from layers.catalog.model import Condition
from layers.features import parse_bbox
from layers.filters.parse import parse_filter
from layers.filters.sql import to_sql
from layers.times import during, parse_datetime, time_name

SHIFTED: Final = ("gcj02", "bd09")
"""Systems map files cannot name; only texts are given in them."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Features of a layer. ``crs``: ``EPSG:n``, ``gcj02`` or ``bd09``, of the coordinates that come out (x east)."""

    layer: Layer
    attributes: tuple[Attribute, ...]
    where: tuple[Condition, ...] = ()
    crs: str = STORAGE_CRS

    @property
    def degrees(self) -> bool:
        """Whether coordinates come out as they are stored (WGS 84 and CGCS2000 are the same to us)."""
        return self.crs in (STORAGE_CRS, "EPSG:4326")

    def query(self, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
        """These columns of the features, in key order."""
        return sa.select(*columns).select_from(self.layer.table).where(*self.where).order_by(self.layer.key)

    def also(self, *where: Condition) -> Selection:
        """Fewer features."""
        return replace(self, where=(*self.where, *where))


def select(
    connection: sa.Connection,
    layer: Layer,
    *,
    crs: str | None = None,
    bbox: str | None = None,
    when: str | None = None,
    properties: str | None = None,
    filter_text: str | None = None,
    filter_language: str = "cql2-text",
    zone: tzinfo = UTC,
) -> Selection:
    """What a caller asks of a layer, as texts.

    ``bbox``: degrees, longitude first; ``when``: RFC 3339 time, day, or interval ``from/to`` with ``..`` for an open
    end (of grids: those in force at its end); ``properties``: attributes split by commas; ``filter_text``: CQL2 in
    ``filter_language`` (``cql2-text`` or ``cql2-json``), geometries longitude first; ``zone``: of days. Raises
    BadInput for what cannot be, NotFound when nothing was in force by then.
    """
    if layer.picture_only:
        raise BadInput(f"{layer.name} is a picture only; take {layer.base or 'another layer'} for its features")
    conditions: list[Condition] = []
    if filter_text is not None:
        conditions.append(to_sql(parse_filter(filter_text, filter_language), layer, zone))
    generation = current_generation(connection)
    number = generation.id if generation else None
    if when is not None:
        period, name = parse_datetime(when, zone), time_name(layer)
        if name is None:
            raise BadInput(f"{layer.name} has no times to choose by; leave datetime out")
        if name != "generation":
            conditions += during(layer, period, zone)
        elif period.end is not None:
            number = generation_at(connection, period.end).id
    if layer.at_generation is not None and number is None:
        raise NotFound("no plan is published yet; publish one first")
    if bbox is not None:
        conditions.append(sa.func.ST_Intersects(layer.geometry, sa.func.ST_MakeEnvelope(*parse_bbox(bbox), SRID)))
    return Selection(
        layer,
        _attributes(layer, properties),
        (*layer.conditions(number), *conditions),
        STORAGE_CRS if crs is None else normalise(crs),
    )


def _attributes(layer: Layer, properties: str | None) -> tuple[Attribute, ...]:
    if properties is None:
        return layer.attributes
    wanted = [name.strip() for name in properties.split(",") if name.strip()]
    for name in wanted:
        if layer.attribute(name) is None:
            known = ", ".join(a.name for a in layer.attributes)
            raise BadInput(f"properties: {layer.name} has no attribute {name[:60]!r}; it has {known}")
    return tuple(a for a in layer.attributes if a.name in wanted)
