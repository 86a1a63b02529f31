"""What a layer is: where its features come from, what they tell, how they are shown, in one definition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Self

import sqlalchemy as sa

Shape = Literal["point", "line", "polygon", "mixed"]
"""What the geometries of a layer are; ``mixed``: any of them."""
Kind = Literal["string", "integer", "number", "boolean", "date", "date-time", "array"]
"""Type of an attribute, in the words of JSON Schema (``date`` and ``date-time`` are formatted strings)."""
Condition = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One property of the features. ``unit``: UCUM code or a counted thing; empty for texts and codes."""

    name: str
    column: sa.ColumnElement[Any]
    title_zh: str
    title_en: str
    unit: str = ""

    @property
    def kind(self) -> Kind:
        """What its values are, from the column's type."""
        for sql, kind in _KINDS:
            if isinstance(self.column.type, sql):
                return kind
        return "string"


_KINDS: tuple[tuple[type[Any], Kind], ...] = (
    (sa.Boolean, "boolean"),
    (sa.Integer, "integer"),
    (sa.Float, "number"),
    (sa.Numeric, "number"),
    (sa.DateTime, "date-time"),
    (sa.Date, "date"),
    (sa.ARRAY, "array"),
    (sa.JSON, "array"),
)


@dataclass(frozen=True)
class Layer:
    """A layer of features.

    ``table`` is what is selected from (a table or a join of them), ``key`` tells features apart and orders pages, and
    ``where`` always holds. ``shapes``: the table of a join that has the geometry. ``reads``: the names
    (`data.tables.NOTES`) whose changes change the layer (`data.layer_changes`). ``style``: the name of its usual style;
    ``sld``: the one its author gave, as a Styled Layer Descriptor. ``scales``: smallest and largest scale denominator
    it is drawn at (None: no end). ``time``: what WMS TIME chooses by, ``generation`` (grids of the generation in force
    at that time) or the name of a date-time attribute. ``group``: the layer it is listed under. ``base``: the layer it
    is a part of. ``restricted``: only for callers with a key. ``editable``: features may be made, replaced and deleted
    over OGC API Features. ``picture_only``: drawn, but without features to hand out.
    """

    name: str
    title_zh: str
    title_en: str
    table: sa.FromClause
    key: sa.ColumnElement[Any]
    attributes: tuple[Attribute, ...]
    filter_names: tuple[str, ...] = ()
    shape: Shape = "mixed"
    shapes: sa.FromClause | None = None
    about_zh: str = ""
    about_en: str = ""
    reads: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    at_generation: Callable[[int], Condition] | None = None
    time: str | None = None
    label: str | None = None
    style: str = ""
    sld: str = ""
    scales: tuple[float | None, float | None] = (None, None)
    group: str | None = None
    base: str | None = None
    restricted: bool = False
    editable: bool = False
    queryable: bool = True
    picture_only: bool = False
    extras: Mapping[str, sa.ColumnElement[Any]] = field(default_factory=dict)

    @cached_property
    def geometry(self) -> sa.ColumnElement[Any]:
        """Shapes in storage CRS (EPSG:4490, longitude first)."""
        return self._shapes.c.geometry

    @cached_property
    def mercator(self) -> sa.ColumnElement[Any]:
        """The same shapes in Web Mercator (EPSG:3857)."""
        return self._shapes.c.mercator

    @property
    def _shapes(self) -> sa.FromClause:
        return self.table if self.shapes is None else self.shapes

    @cached_property
    def properties(self) -> dict[str, sa.ColumnElement[Any]]:
        """What a feature of ``/api/v1`` tells: the attributes and what is not one."""
        return {a.name: a.column for a in self.attributes} | dict(self.extras)

    @cached_property
    def filters(self) -> dict[str, sa.ColumnElement[Any]]:
        """Query parameters of ``/api/v1`` that choose by an attribute."""
        return {name: self.table.c[name] for name in self.filter_names}

    def attribute(self, name: str) -> Attribute | None:
        """The attribute of that name, None when there is none."""
        return next((a for a in self.attributes if a.name == name), None)

    def conditions(self, generation: int | None) -> list[Condition]:
        """What holds for the features of a generation (None: nothing is published yet)."""
        if self.at_generation is None:
            return list(self.where)
        return [*self.where, self.at_generation(generation) if generation is not None else sa.false()]

    def part(self, name: str, title_zh: str, title_en: str, *where: Condition, **changes: Any) -> Self:
        """The layer of some of its features."""
        return replace(
            self, name=name, title_zh=title_zh, title_en=title_en, where=(*self.where, *where),
            **{"base": self.base or self.name, "group": self.group or self.name} | changes,
        )  # fmt: skip
