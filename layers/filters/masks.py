"""Conditions over columns in memory, as SQL understands them: what compares with null is unknown.

The same syntax tree that `layers.filters` writes as SQL. Texts compare by code points (PostgreSQL's collation "C").
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pygeofilter import ast

from gisgrid.errors import BadInput
from gisgrid.limits import MASK_NODES_MAX
from layers.catalog.model import Kind
from layers.columns import Column, column_of, kind_of

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Truth:
    """Rows a condition is true for, and those it is unknown for (None: none)."""

    true: Any
    unknown: Any = None


@dataclass(frozen=True, slots=True)
class _Value:
    """What an expression is in every row: an array or one value. ``texts``: the different texts codes stand for."""

    kind: Kind | None
    data: Any
    nulls: Any = None
    texts: NDArray[np.object_] | None = None

    @property
    def single(self) -> bool:
        return np.ndim(self.data) == 0


def mask(node: ast.Node, columns: Mapping[str, Any], rows: NDArray[np.int64] | None = None) -> Mask:
    """Mask (k,) of the rows (None: all) a condition is true for; unknown counts as not.

    ``columns``: a `Column` or a NumPy array each. Raises BadInput for an attribute there is not, for values that cannot
    be compared, for conditions that have no meaning here (spatial ones, functions), and beyond `MASK_NODES_MAX` nodes.
    """
    first = next(iter(columns.values()), None)
    size = len(rows) if rows is not None else 0 if first is None else len(first)
    found: list[Any] = []
    for each in _from_the_leaves(node):
        if isinstance(each, ast.Attribute):
            found.append(_attribute(each.name, columns, rows))
            continue
        if not isinstance(each, ast.Node):
            found.append(_literal(each))
            continue
        many = len(_operands(each))
        operands = found[len(found) - many :]
        del found[len(found) - many :]
        found.append(_apply(each, operands))
    last = found.pop()
    truth = _as_truth(last)
    true = truth.true if truth.unknown is None else truth.true & ~np.asarray(truth.unknown)
    return np.array(np.broadcast_to(true, (size,)), bool)


def attributes_of(node: ast.Node) -> set[str]:
    """Names of the attributes a condition asks for. Raises BadInput beyond `MASK_NODES_MAX` nodes."""
    return {each.name for each in _from_the_leaves(node) if isinstance(each, ast.Attribute)}


def _from_the_leaves(root: Any) -> Iterator[Any]:
    """Nodes and literals, operands before what they belong to; without recursion, so that depth is no matter."""
    order: list[Any] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        order.append(node)
        if isinstance(node, ast.Node):
            waiting.extend(_operands(node))
        if len(order) > MASK_NODES_MAX:
            raise BadInput(f"the condition has more than {MASK_NODES_MAX} parts; ask for less at a time")
    return iter(reversed(order))


def _operands(node: ast.Node) -> list[Any]:
    if isinstance(node, ast.Attribute | ast.Include):
        return []
    if isinstance(node, ast.In | ast.Like | ast.IsNull):
        return [node.lhs]
    if isinstance(node, ast.Not | ast.And | ast.Or | ast.Comparison | ast.Between | ast.Arithmetic):
        return list(node.get_sub_nodes())
    if isinstance(node, ast.TemporalPredicate) and type(node) in _TEMPORAL:
        return [node.lhs, node.rhs]
    name = node.name if isinstance(node, ast.Function) else type(node).__name__
    raise BadInput(f"{str(name)[:60]} cannot be asked here; use comparisons, AND, OR, NOT, BETWEEN, LIKE, IN, IS NULL")


def _attribute(name: str, columns: Mapping[str, Any], rows: NDArray[np.int64] | None) -> _Value:
    column = columns.get(name)
    if column is None:
        known = ", ".join(sorted(columns)[:40])
        raise BadInput(f"there is no attribute {str(name)[:100]!r}; there are {known}")
    if not isinstance(column, Column):
        column = column_of(kind_of(column), column)
    if rows is not None:
        column = column.take(rows)
    return _Value(column.kind, column.data, column.nulls, column.values)


def _literal(value: Any) -> _Value:
    if value is None:
        return _Value(None, 0, True)
    if isinstance(value, dt.datetime):
        moment = value if value.tzinfo is None else value.astimezone(dt.UTC).replace(tzinfo=None)
        return _Value("date-time", np.datetime64(moment, "us"))
    if isinstance(value, dt.date):
        return _Value("date", np.datetime64(value, "D"))
    kind = next((kind for types, kind in _LITERALS if isinstance(value, types)), None)
    if kind is None:
        raise BadInput(f"{str(value)[:60]!r} cannot be compared here; give a number, a text, a date or true or false")
    return _Value(kind, value)


_LITERALS: Final[tuple[tuple[type, Kind], ...]] = (
    (bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (np.bool_, "boolean"),
    (np.integer, "integer"), (np.floating, "number"),
)  # fmt: skip


def _apply(node: ast.Node, operands: list[Any]) -> Any:
    if isinstance(node, ast.Include):
        return _Truth(np.bool_(not node.not_))
    if isinstance(node, ast.Not):
        truth = _as_truth(operands[0])
        return _negated(truth)
    if isinstance(node, ast.And | ast.Or):
        return _combined(*map(_as_truth, operands), every=isinstance(node, ast.And))
    if isinstance(node, ast.Comparison):
        left, right = map(_as_value, operands)
        return _compared(left, right, _OPERATORS[type(node)])
    if isinstance(node, ast.TemporalPredicate):
        left, right = map(_as_value, operands)
        return _compared(left, right, _OPERATORS[_TEMPORAL[type(node)]])
    if isinstance(node, ast.Arithmetic):
        left, right = map(_as_value, operands)
        return _calculated(node, left, right)
    if isinstance(node, ast.Between):
        value, low, high = map(_as_value, operands)
        inside = _combined(_compared(value, low, np.greater_equal), _compared(value, high, np.less_equal), every=True)
        return _negated(inside) if node.not_ else inside
    value = _as_value(operands[0])
    if isinstance(node, ast.IsNull):
        null = np.False_ if value.nulls is None else np.asarray(value.nulls)
        null = np.broadcast_to(null, np.shape(value.data)) if not value.single else null
        return _Truth(~null if node.not_ else null)
    truth = _in(value, node) if isinstance(node, ast.In) else _like(value, node)
    return _negated(truth) if node.not_ else truth


def _as_truth(found: Any) -> _Truth:
    """A condition; a boolean attribute or literal is one too."""
    if isinstance(found, _Truth):
        return found
    if found.kind is None:
        return _Truth(np.False_, np.True_)
    if found.kind != "boolean":
        raise BadInput(f"a {found.kind} stands where a condition is needed; compare it with something")
    return _Truth(np.asarray(found.data), found.nulls)


def _as_value(found: Any) -> _Value:
    if isinstance(found, _Value):
        return found
    return _Value("boolean", found.true, found.unknown)


def _negated(truth: _Truth) -> _Truth:
    return _Truth(~np.asarray(truth.true), truth.unknown)


def _combined(a: _Truth, b: _Truth, *, every: bool) -> _Truth:
    """AND (``every``) or OR in Kleene's logic."""
    true = a.true & b.true if every else a.true | b.true
    if a.unknown is None and b.unknown is None:
        return _Truth(true)
    ua = np.False_ if a.unknown is None else a.unknown
    ub = np.False_ if b.unknown is None else b.unknown
    ta, tb = a.true & ~np.asarray(ua), b.true & ~np.asarray(ub)
    if every:
        fa, fb = ~np.asarray(a.true | ua), ~np.asarray(b.true | ub)
        return _Truth(ta & tb, (ua | ub) & ~(fa | fb))
    return _Truth(ta | tb, (ua | ub) & ~(ta | tb))


def _either(a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else a | b


def _compared(left: _Value, right: _Value, operator: Callable[[Any, Any], Any]) -> _Truth:
    nulls = _either(left.nulls, right.nulls)
    if left.kind is None or right.kind is None:
        return _Truth(np.False_, np.True_)
    left, right = _alike(left, right)
    if left.texts is None and right.texts is None:
        return _Truth(_checked(operator, left.data, right.data), nulls)
    if left.texts is not None and right.texts is not None:
        return _Truth(_checked(operator, *_common_codes(left, right)), nulls)
    # one side a text: decided once for every different text
    coded, other = (left, right) if left.texts is not None else (right, left)
    texts = coded.texts
    assert texts is not None
    sides = (texts, other.data) if coded is left else (other.data, texts)
    decided = _checked(operator, *sides)
    return _Truth(_spread(np.asarray(decided, bool), coded), nulls)


def _checked(operator: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    with np.errstate(all="ignore"):
        return operator(a, b)


def _spread(decided: Mask, coded: _Value) -> Any:
    """What was decided for every text, for every row; nulls (code -1) are not true."""
    return np.append(decided, False)[coded.data]


def _common_codes(left: _Value, right: _Value) -> tuple[Any, Any]:
    """Codes of both in one list of texts, so that they order as the texts do."""
    assert left.texts is not None
    assert right.texts is not None
    texts = np.array(sorted({*left.texts, *right.texts}), object)
    place = {text: code for code, text in enumerate(texts)}
    a = np.array([*(place[text] for text in left.texts), -1])
    b = np.array([*(place[text] for text in right.texts), -1])
    return a[left.data], b[right.data]


def _alike(left: _Value, right: _Value) -> tuple[_Value, _Value]:
    """Both sides as values that compare: a text literal beside a number or a time is read as one."""
    if left.kind == right.kind and left.kind != "array":
        return left, right
    kinds = {left.kind, right.kind}
    if kinds <= {"integer", "number"} or kinds <= {"date", "date-time"}:
        return left, right
    if right.kind == "string" and right.single:
        return left, _read(str(right.data), left.kind)
    if left.kind == "string" and left.single:
        return _read(str(left.data), right.kind), right
    raise BadInput(f"a {left.kind} cannot be compared with a {right.kind}; give values of one kind")


def _read(text: str, kind: Kind | None) -> _Value:
    try:
        if kind in ("integer", "number"):
            return _Value("number", float(text)) if not re.fullmatch(r"\s*[+-]?\d{1,18}\s*", text) else _Value(
                "integer", int(text))  # fmt: skip
        if kind == "boolean":
            return _Value("boolean", {"true": True, "false": False, "1": True, "0": False}[text.strip().lower()])
        if kind in ("date", "date-time"):
            moment = dt.datetime.fromisoformat(text.strip())
            return _literal(moment.date() if len(text.strip()) == 10 else moment)
    except (ValueError, KeyError, OverflowError):
        pass
    raise BadInput(f"{text[:60]!r} is no {kind}; give one")


def _calculated(node: ast.Arithmetic, left: _Value, right: _Value) -> _Value:
    nulls = _either(left.nulls, right.nulls)
    if left.kind is None or right.kind is None:
        return _Value(None, 0, True)
    sides = []
    for side in (left, right):
        if side.kind == "string" and side.single:
            side = _read(str(side.data), "number")
        if side.kind not in ("integer", "number"):
            raise BadInput(f"a {side.kind} cannot be calculated with; give a number")
        sides.append(np.asarray(side.data, np.float64))
    a, b = sides
    with np.errstate(all="ignore"):
        data = _ARITHMETIC[type(node)](a, b)
    # PostgreSQL ends the statement at a division by zero; here such a row has no value
    return _Value("number", data, _either(nulls, ~np.isfinite(data)))


def _in(value: _Value, node: ast.In) -> _Truth:
    many = node.sub_nodes
    if len(many) > MASK_NODES_MAX:
        raise BadInput(f"IN names more than {MASK_NODES_MAX} values; ask for less at a time")
    if value.texts is not None and all(isinstance(item, str) for item in many):
        wanted = set(many)
        return _Truth(_spread(np.array([text in wanted for text in value.texts], bool), value), value.nulls)
    truth = _Truth(np.False_)
    for item in many:
        if isinstance(item, ast.Node):
            raise BadInput("IN takes single values; compare with = for anything else")
        truth = _combined(truth, _compared(value, _literal(item), np.equal), every=False)
    return truth


def _like(value: _Value, node: ast.Like) -> _Truth:
    if value.kind is None:
        return _Truth(np.False_, np.True_)
    if value.kind != "string":
        raise BadInput(f"LIKE is for texts, not for a {value.kind}; compare with = or BETWEEN")
    wanted = _pattern(node)
    if value.texts is None:
        return _Truth(np.bool_(wanted(str(value.data))), value.nulls)
    return _Truth(_spread(np.array([wanted(text) for text in value.texts], bool), value), value.nulls)


def _pattern(node: ast.Like) -> Callable[[str], bool]:
    """Whether a text is like the pattern, in time that grows with text times pattern at most."""
    if not isinstance(node.pattern, str):
        raise BadInput("LIKE takes a text as its pattern")
    many, one, escape = node.wildcard or "%", node.singlechar or "_", node.escapechar
    runs: list[str] = [""]
    pattern = node.pattern.lower() if node.nocase else node.pattern
    k = 0
    while k < len(pattern):
        letter = pattern[k]
        if escape and letter == escape and k + 1 < len(pattern):
            k += 1
            runs[-1] += re.escape(pattern[k])
        elif letter == many:
            runs.append("")
        else:
            runs[-1] += "." if letter == one else re.escape(letter)
        k += 1
    # each run is looked for behind the one before and never again: no backtracking
    found = [re.compile(run, re.DOTALL) for run in runs]
    tail = re.compile(f"(?:{runs[-1]})\\Z", re.DOTALL)

    def matches(text: str) -> bool:
        text = text.lower() if node.nocase else text
        if len(found) == 1:
            return tail.match(text) is not None
        at = found[0].match(text)
        for run in found[1:-1]:
            at = at and run.search(text, at.end())
        return at is not None and tail.search(text, at.end()) is not None

    return matches


_OPERATORS: Final[Mapping[type, Callable[[Any, Any], Any]]] = {
    ast.Equal: np.equal, ast.NotEqual: np.not_equal, ast.LessThan: np.less, ast.LessEqual: np.less_equal,
    ast.GreaterThan: np.greater, ast.GreaterEqual: np.greater_equal,
}  # fmt: skip
_TEMPORAL: Final[Mapping[type, type]] = {
    ast.TimeBefore: ast.LessThan, ast.TimeAfter: ast.GreaterThan, ast.TimeEquals: ast.Equal,
    ast.TimeDisjoint: ast.NotEqual,
}  # fmt: skip
_ARITHMETIC: Final[Mapping[type, Callable[[Any, Any], Any]]] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mul: np.multiply, ast.Div: np.divide,
}  # fmt: skip
