"""Trees of conditions: `pygeofilter.ast` nodes, made the same way from CQL2 text and JSON, and their caps.

The parsers are ours, not pygeofilter's: its text grammar gives AND and OR one precedence, knows no ``''`` in texts and
no temporal functions in call form, and both its parsers recurse as deep as they are sent (docs/features.md).

Conventions: dates are `date`, times `datetime` with a zone, spans `values.Interval` (None: open end), geometries
`values.Geometry` (GeoJSON, EPSG:4490, longitude first). LIKE has ``%``, ``_`` and the escape ``\\``. CASEI,
ACCENTI, %, DIV and ^ are `ast.Function` named casei, accenti, mod, div, power. T_INTERSECTS is NOT T_DISJOINT.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from pygeofilter import ast, values

from gisgrid.errors import BadInput
from gisgrid.limits import FILTER_DEPTH_MAX, FILTER_NODES_MAX

Node = Any
"""A node of the tree or a literal."""

COMPARISONS: Final[dict[str, type[ast.Comparison]]] = {
    "=": ast.Equal, "<>": ast.NotEqual, "<": ast.LessThan, "<=": ast.LessEqual, ">": ast.GreaterThan,
    ">=": ast.GreaterEqual,
}  # fmt: skip
ARITHMETIC: Final[dict[str, type[ast.Arithmetic]]] = {"+": ast.Add, "-": ast.Sub, "*": ast.Mul, "/": ast.Div}
MORE_ARITHMETIC: Final = {"%": "mod", "div": "div", "^": "power"}
SPATIAL: Final[dict[str, type[ast.SpatialComparisonPredicate]]] = {
    "s_intersects": ast.GeometryIntersects, "s_equals": ast.GeometryEquals, "s_disjoint": ast.GeometryDisjoint,
    "s_touches": ast.GeometryTouches, "s_within": ast.GeometryWithin, "s_overlaps": ast.GeometryOverlaps,
    "s_crosses": ast.GeometryCrosses, "s_contains": ast.GeometryContains,
}  # fmt: skip
TEMPORAL: Final[dict[str, type[ast.TemporalPredicate]]] = {
    "t_after": ast.TimeAfter, "t_before": ast.TimeBefore, "t_contains": ast.TimeContains,
    "t_disjoint": ast.TimeDisjoint, "t_during": ast.TimeDuring, "t_equals": ast.TimeEquals,
    "t_finishedby": ast.TimeEndedBy, "t_finishes": ast.TimeEnds, "t_meets": ast.TimeMeets, "t_metby": ast.TimeMetBy,
    "t_overlappedby": ast.TimeOverlappedBy, "t_overlaps": ast.TimeOverlaps, "t_startedby": ast.TimeBegunBy,
    "t_starts": ast.TimeBegins,
}  # fmt: skip
FOLDS: Final = ("casei", "accenti")


def combined(kind: type[ast.Combination], items: Sequence[Node]) -> Node:
    """All of the items under AND or OR, as a balanced tree: a thousand of them are ten deep."""
    if len(items) == 1:
        return items[0]
    middle = len(items) // 2
    return kind(combined(kind, items[:middle]), combined(kind, items[middle:]))


def compared(sign: str, left: Node, right: Node) -> Node:
    """A comparison; ``!=`` is taken for ``<>``."""
    return COMPARISONS["<>" if sign == "!=" else sign](left, right)


def reckoned(sign: str, left: Node, right: Node) -> Node:
    """Arithmetic."""
    kind = ARITHMETIC.get(sign)
    return kind(left, right) if kind else ast.Function(MORE_ARITHMETIC[sign], [left, right])


def related(name: str, given: Sequence[Node]) -> Node:
    """A spatial or temporal predicate of two things by its CQL2 name in small letters."""
    if len(given) != 2:
        raise BadInput(f"filter: {name.upper()} takes 2 arguments, not {len(given)}")
    if name == "t_intersects":
        return ast.Not(ast.TimeDisjoint(*given))
    return (SPATIAL.get(name) or TEMPORAL[name])(*given)


def folded(name: str, given: Sequence[Node]) -> Node:
    """CASEI or ACCENTI of a text; of a literal at once."""
    if len(given) != 1:
        raise BadInput(f"filter: {name.upper()} takes one argument, not {len(given)}")
    inner = given[0]
    if isinstance(inner, str):
        return inner.lower() if name == "casei" else without_accents(inner)
    if isinstance(inner, ast.Attribute) or (isinstance(inner, ast.Function) and inner.name in FOLDS):
        return ast.Function(name, [inner])
    raise BadInput(f"filter: {name.upper()} takes a text property or a text")


def without_accents(text: str) -> str:
    """The text without combining marks (é is e)."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not "\u0300" <= c <= "\u036f")
    return unicodedata.normalize("NFC", plain)


def liked(left: Node, pattern: Node, *, negated: bool = False) -> Node:
    """LIKE; the pattern must be a text."""
    if not isinstance(pattern, str):
        raise BadInput("filter: LIKE takes a pattern in single quotes")
    return ast.Like(left, pattern, False, "%", "_", "\\", negated)


def number(text: str) -> int | float:
    """A number literal. Raises BadInput for one that no double can hold."""
    value = float(text)
    if not math.isfinite(value):
        raise BadInput(f"filter: the number {text[:40]} is too large")
    return int(text) if text.isdecimal() else value


def day(text: Node) -> date:
    """``2026-05-01`` as a date. Raises BadInput."""
    try:
        if not isinstance(text, str) or len(text) != 10:
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(f"filter: {str(text)[:60]!r} is no date; give DATE('2026-05-01')") from None


def moment(text: Node) -> datetime:
    """An RFC 3339 time with its zone. Raises BadInput."""
    try:
        if not isinstance(text, str):
            raise ValueError
        found = datetime.fromisoformat(text)
        if found.tzinfo is None or len(text) < 11:
            raise ValueError
        found.timestamp()
    except (ValueError, OverflowError):
        told = "give TIMESTAMP('2026-05-01T08:00:00Z') with its zone"
        raise BadInput(f"filter: {str(text)[:60]!r} is no time; {told}") from None
    return found


def span(ends: Sequence[Node]) -> Node:
    """An interval of texts (``..``: open), dates, times or properties. Raises BadInput."""
    if len(ends) != 2:
        raise BadInput(f"filter: INTERVAL takes 2 ends, not {len(ends)}")
    start, end = (_end(value) for value in ends)
    if start is None and end is None:
        raise BadInput("filter: INTERVAL('..', '..') holds all of time; leave it out")
    plain = isinstance(start, date) and isinstance(end, date)
    same = isinstance(start, datetime) == isinstance(end, datetime)
    if plain and same and start > end:
        raise BadInput(f"filter: the interval ends ({end}) before it starts ({start})")
    return values.Interval(start, end)


def _end(value: Node) -> Node:
    if value == "..":
        return None
    if not isinstance(value, str):
        return value
    return day(value) if len(value) == 10 else moment(value)


def checked(tree: Node) -> Node:
    """The tree, when it is a condition within the caps. Raises BadInput."""
    level, depth, nodes = [tree], 0, 0
    while level:
        depth, nodes = depth + 1, nodes + len(level)
        if depth > FILTER_DEPTH_MAX:
            raise BadInput(f"filter: nested more than {FILTER_DEPTH_MAX} deep; make it flatter")
        if nodes > FILTER_NODES_MAX:
            raise BadInput(f"filter: has more than {FILTER_NODES_MAX} parts; make it smaller")
        level = [child for node in level for child in children(node)]
    if not isinstance(tree, ast.Condition | ast.Predicate):
        raise BadInput("filter: is no condition; compare a property with a value, such as name = 'x'")
    return tree


def children(node: Node) -> list[Node]:
    """What a node is made of."""
    if isinstance(node, values.Interval):
        return [node.start, node.end]
    return list(node.get_sub_nodes()) if isinstance(node, ast.Node) else []


def attribute_names(tree: Node) -> set[str]:
    """Names of all properties a filter speaks of."""
    found: set[str] = set()
    todo: list[Node] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Attribute):
            found.add(node.name)
        todo += children(node)
    return found
