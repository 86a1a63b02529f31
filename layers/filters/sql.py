"""Trees of conditions into SQLAlchemy expressions: every value is bound, every type checked before SQL sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any, Final, Literal

import shapely
import sqlalchemy as sa
from geoalchemy2 import Geometry
from pygeofilter import ast, values
from shapely.geometry import shape

from data.tables import SRID
from gisgrid.errors import BadInput
from gisgrid.settings import CHINA_TIME
from layers.catalog import Layer
from layers.filters.nodes import FOLDS, Node
from layers.filters.sql_time import Span, related_in_time, span_of

GEOMETRY_NAME: Final = "geometry"
"""The queryable that is the shape."""
Kind = Literal["text", "number", "boolean", "date", "time", "geometry", "list"]
_KIND_OF: Final[dict[str, Kind]] = {
    "string": "text", "integer": "number", "number": "number", "boolean": "boolean", "date": "date",
    "date-time": "time", "array": "list",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Term:
    """A value in SQL and what it is."""

    kind: Kind
    sql: sa.ColumnElement[Any]
    told: str


def to_sql(node: Node, layer: Layer, zone: tzinfo = CHINA_TIME) -> sa.ColumnElement[bool]:
    """The condition on a layer's table that a tree (`layers.filters.nodes`) means.

    Nulls behave as in SQL: neither a condition on null nor its negation holds. ``zone``: where days begin when a date
    meets a time. Raises BadInput for unknown properties and types that do not fit each other.
    """
    return _Translation(layer, zone).condition(node)


class _Translation:
    """One layer's translation."""

    def __init__(self, layer: Layer, zone: tzinfo) -> None:
        self.layer, self.zone = layer, zone

    def condition(self, node: Node) -> sa.ColumnElement[bool]:
        """A condition in SQL."""
        for kind, make in _CONDITIONS:
            if isinstance(node, kind):
                return make(self, node)
        raise BadInput(f"filter: {_shown(node)} is no condition; compare it, such as {_shown(node)} = true")

    def term(self, node: Node) -> Term:
        """A value in SQL with its kind."""
        if isinstance(node, ast.Attribute):
            return self._property(node.name)
        if isinstance(node, ast.Arithmetic):
            return self._arithmetic(node.op.value, node.lhs, node.rhs)
        if isinstance(node, ast.Function):
            return self._function(node)
        if isinstance(node, ast.Node):
            raise BadInput("filter: a condition stands where a value belongs")
        return _literal(node)

    def _property(self, name: str) -> Term:
        if name == GEOMETRY_NAME:
            return Term("geometry", self.layer.geometry, name)
        found = self.layer.attribute(name)
        if found is None:
            raise BadInput(f"filter: {self.layer.name} has no property {name[:60]!r}; see its queryables")
        return Term(_KIND_OF[found.kind], found.column, name)

    def _number(self, node: Node) -> sa.ColumnElement[Any]:
        term = self.term(node)
        if term.kind != "number":
            raise BadInput(f"filter: {term.told} is no number")
        return sa.cast(term.sql, sa.Double)

    def _arithmetic(self, sign: str, left: Node, right: Node) -> Term:
        a, b = self._number(left), self._number(right)
        by = sa.func.nullif(b, sa.literal(0.0, sa.Double))  # what divides by zero is null, not an error
        made: dict[str, Callable[[], sa.ColumnElement[Any]]] = {
            "+": lambda: a + b,
            "-": lambda: a - b,
            "*": lambda: a * b,
            "/": lambda: a / by,
            "mod": lambda: sa.cast(sa.cast(a, sa.Numeric) % sa.cast(by, sa.Numeric), sa.Double),
            "div": lambda: sa.func.trunc(a / by),
            "power": lambda: sa.func.power(a, b),
        }
        return Term("number", sa.type_coerce(made[sign](), sa.Double), "a result")

    def _function(self, node: ast.Function) -> Term:
        if node.name not in FOLDS:
            return self._arithmetic(node.name, *node.arguments)
        inner = self.term(node.arguments[0])
        if inner.kind != "text":
            raise BadInput(f"filter: {node.name.upper()} takes a text, and {inner.told} is none")
        if node.name == "casei":
            return Term("text", sa.func.lower(inner.sql, type_=sa.Text), inner.told)
        marks = sa.func.regexp_replace(
            sa.func.normalize(inner.sql, sa.text("NFD")), "[\u0300-\u036f]", "", "g", type_=sa.Text
        )
        return Term("text", sa.func.normalize(marks, sa.text("NFC"), type_=sa.Text), inner.told)

    # --- conditions -------------------------------------------------------------------------

    def _not(self, node: ast.Not) -> sa.ColumnElement[bool]:
        return sa.not_(self.condition(node.sub_node))

    def _combined(self, node: ast.Combination) -> sa.ColumnElement[bool]:
        made = sa.and_ if isinstance(node, ast.And) else sa.or_
        return made(self.condition(node.lhs), self.condition(node.rhs))

    def _comparison(self, node: ast.Comparison) -> sa.ColumnElement[bool]:
        return self._compare(node.op.value, self.term(node.lhs), self.term(node.rhs))

    def _compare(self, sign: str, left: Term, right: Term) -> sa.ColumnElement[bool]:
        if {left.kind, right.kind} == {"date", "time"}:
            return self._day_and_time(sign, left, right)
        _comparable(left, right)
        if left.kind == "boolean" and sign not in ("=", "<>"):
            raise BadInput(f"filter: {left.told} is true or false; only = and <> compare it")
        if left.kind == "text" and sign not in ("=", "<>"):  # by code points, whatever the database's own order is
            return sa.collate(left.sql, "C").op(sign, is_comparison=True)(sa.collate(right.sql, "C"))
        return left.sql.op(sign, is_comparison=True)(right.sql)

    def _day_and_time(self, sign: str, left: Term, right: Term) -> sa.ColumnElement[bool]:
        """A day against a moment: the day stands for all of its time."""
        a, b = span_of(left, self.zone), span_of(right, self.zone)
        before, after = a.end < b.start, a.start > b.end
        return {
            "<": before, ">": after, "<=": sa.not_(after), ">=": sa.not_(before), "<>": sa.or_(before, after),
            "=": sa.not_(sa.or_(before, after)),
        }[sign]  # fmt: skip

    def _between(self, node: ast.Between) -> sa.ColumnElement[bool]:
        value = self.term(node.lhs)
        if value.kind not in ("number", "text", "date", "time"):
            raise BadInput(f"filter: BETWEEN compares numbers, texts and times, and {value.told} is none")
        low, high = self.term(node.low), self.term(node.high)
        inside = sa.and_(self._compare(">=", value, low), self._compare("<=", value, high))
        return sa.not_(inside) if node.not_ else inside

    def _like(self, node: ast.Like) -> sa.ColumnElement[bool]:
        value = self.term(node.lhs)
        if value.kind != "text":
            raise BadInput(f"filter: LIKE compares texts, and {value.told} is none")
        pattern = str(node.pattern)
        if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
            raise BadInput("filter: the pattern of LIKE ends with the escape \\; write \\\\ for the sign itself")
        made = value.sql.like(_text(pattern), escape="\\")
        return sa.not_(made) if node.not_ else made

    def _in(self, node: ast.In) -> sa.ColumnElement[bool]:
        value = self.term(node.lhs)
        made = sa.or_(*[self._compare("=", value, self.term(item)) for item in node.sub_nodes])
        return sa.not_(made) if node.not_ else made

    def _null(self, node: ast.IsNull) -> sa.ColumnElement[bool]:
        value = self.term(node.lhs).sql
        return value.is_not(None) if node.not_ else value.is_(None)

    def _spatial(self, node: ast.SpatialComparisonPredicate) -> sa.ColumnElement[bool]:
        left, right = self.term(node.lhs), self.term(node.rhs)
        for term in (left, right):
            if term.kind != "geometry":
                raise BadInput(f"filter: {term.told} is no geometry; the geometry of a feature is {GEOMETRY_NAME!r}")
        name = type(node).__name__.removeprefix("Geometry")
        if name == "Disjoint":  # an index finds what touches, and so what does not
            return sa.not_(sa.func.ST_Intersects(left.sql, right.sql, type_=sa.Boolean))
        made: sa.ColumnElement[bool] = getattr(sa.func, f"ST_{name}")(left.sql, right.sql, type_=sa.Boolean)
        return made

    def _temporal(self, node: ast.TemporalPredicate) -> sa.ColumnElement[bool]:
        return related_in_time(type(node), self._span(node.lhs), self._span(node.rhs))

    def _span(self, node: Node) -> Span:
        if not isinstance(node, values.Interval):
            return span_of(self.term(node), self.zone)
        ends = [None if end is None else span_of(self.term(end), self.zone) for end in (node.start, node.end)]
        return Span(
            ends[0].start if ends[0] else _infinite("-infinity"), ends[1].end if ends[1] else _infinite("infinity")
        )


_CONDITIONS: Final[tuple[tuple[type[Any], Callable[[_Translation, Any], sa.ColumnElement[bool]]], ...]] = (
    (bool, lambda _, value: sa.literal(value)),
    (ast.Not, _Translation._not),
    (ast.Combination, _Translation._combined),
    (ast.Comparison, _Translation._comparison),
    (ast.Between, _Translation._between),
    (ast.Like, _Translation._like),
    (ast.In, _Translation._in),
    (ast.IsNull, _Translation._null),
    (ast.SpatialComparisonPredicate, _Translation._spatial),
    (ast.TemporalPredicate, _Translation._temporal),
)


def geometry_literal(given: values.Geometry) -> sa.ColumnElement[Any]:
    """A geometry (EPSG:4490) as a bound value."""
    wkb = shapely.to_wkb(shape(given.geometry))
    return sa.func.ST_GeomFromWKB(sa.literal(wkb, sa.LargeBinary), SRID, type_=Geometry("GEOMETRY", srid=SRID))


def _infinite(word: str) -> sa.ColumnElement[Any]:
    return sa.cast(sa.literal(word, sa.Text), sa.TIMESTAMP(timezone=True))


def _comparable(left: Term, right: Term) -> None:
    if left.kind != right.kind or left.kind in ("geometry", "list"):
        told = f"{left.told} ({left.kind}) and {right.told} ({right.kind})"
        raise BadInput(f"filter: {told} cannot be compared")


def _literal(value: Any) -> Term:
    told = _shown(value)
    if isinstance(value, bool):
        return Term("boolean", sa.literal(value, sa.Boolean), told)
    if isinstance(value, int | float):
        small = isinstance(value, int) and -(2**63) <= value < 2**63
        kind: Any = sa.BigInteger() if small else sa.Numeric() if isinstance(value, int) else sa.Double()
        return Term("number", sa.literal(value, kind), told)
    if isinstance(value, str):
        return Term("text", _text(value), told)
    if isinstance(value, datetime):
        return Term("time", sa.literal(value, sa.TIMESTAMP(timezone=True)), told)
    if isinstance(value, date):
        return Term("date", sa.literal(value, sa.Date), told)
    if isinstance(value, values.Geometry):
        return Term("geometry", geometry_literal(value), told)
    raise BadInput(f"filter: {told} stands where a value belongs")


def _text(value: str) -> sa.ColumnElement[str]:
    if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise BadInput("filter: a text holds a character that cannot be stored")
    return sa.literal(value, sa.Text)


def _shown(value: Any) -> str:
    if isinstance(value, ast.Attribute):
        return str(value.name)[:60]
    if isinstance(value, values.Geometry):
        return "the geometry"
    if isinstance(value, values.Interval):
        return "the interval"
    return "the condition" if isinstance(value, ast.Node) else repr(value)[:60]
