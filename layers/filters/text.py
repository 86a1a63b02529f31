"""CQL2 text (OGC 21-065r2, annex B): tokens, then operators by precedence; every literal ends up in the tree only."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from pygeofilter import ast

from gisgrid.errors import BadInput
from gisgrid.limits import FILTER_DEPTH_MAX
from layers.collections.crs import Crs
from layers.filters import nodes
from layers.filters.geometries import from_box, from_wkt
from layers.filters.nodes import FOLDS, SPATIAL, TEMPORAL, Node

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[^\W\d][\w:.]*)"
    r"|'(?P<text>(?:[^'\\]|''|\\.|\\$)*)'"
    r'|"(?P<quoted>(?:[^"]|"")+)"'
    r"|(?P<sign><>|!=|<=|>=|[=<>(),+\-*/%^]))",
    re.DOTALL,
)
_GEOMETRY: Final = re.compile(
    r"\s*(?:MULTI)?(?:POINT|LINESTRING|POLYGON)(?:\s*Z)?\s*\(|\s*GEOMETRYCOLLECTION(?:\s*Z)?\s*\(", re.IGNORECASE
)
_WKT: Final = re.compile(r"[\s\w.,()+-]*")
_RESERVED: Final = {"and", "or", "not", "like", "between", "in", "is", "null", "div", "true", "false"}


def parse_text(text: str, crs: Crs) -> Node:
    """The tree of a CQL2 text; geometries are in ``crs``. Raises BadInput pointing at the place."""
    parser = _Parser(text, crs)
    tree = parser.condition()
    if parser.kind != "end":
        parser.fail("expected AND, OR or the end")
    return tree


class _Parser:
    """A cursor over the text. ``kind`` and ``value`` are the token at hand; it began at ``at``."""

    def __init__(self, text: str, crs: Crs) -> None:
        self.text, self.crs = text, crs
        self.at = self.next = 0
        self.depth = 0
        self.kind, self.value = "", ""
        self.step()

    def step(self) -> None:
        """To the next token."""
        self.at = self.next
        rest = self.text[self.next :]
        if not rest.strip():
            self.kind, self.value = "end", ""
            return
        found = _TOKEN.match(self.text, self.next)
        if found is None or found.lastgroup is None:
            self.fail("cannot be read")
            raise AssertionError
        self.next, self.kind = found.end(), found.lastgroup
        self.value = found[self.kind]

    def fail(self, why: str) -> None:
        """Say where it went wrong. Raises BadInput."""
        shown = self.text[self.at : self.at + 30].strip()
        raise BadInput(
            f"filter: {why} at {shown!r} (character {self.at + 1})" if shown else f"filter: {why} at its end"
        )

    def word(self, *words: str) -> str | None:
        """The keyword at hand when it is one of these, and past it."""
        found = self.value.lower() if self.kind == "name" else None
        if found in words:
            self.step()
            return found
        return None

    def sign(self, *signs: str) -> str | None:
        """The sign at hand when it is one of these, and past it."""
        if self.kind == "sign" and self.value in signs:
            found = self.value
            self.step()
            return found
        return None

    def expect(self, sign: str) -> None:
        """Past that sign. Raises BadInput when another thing stands there."""
        if not self.sign(sign):
            self.fail(f"expected {sign!r}")

    def deeper(self, read: Callable[[], Node]) -> Node:
        """What ``read`` reads, one level down. Raises BadInput when that is too deep."""
        self.depth += 1
        if self.depth > FILTER_DEPTH_MAX:
            raise BadInput(f"filter: nested more than {FILTER_DEPTH_MAX} deep; make it flatter")
        found = read()
        self.depth -= 1
        return found

    # --- conditions -----------------------------------------------------------------------

    def condition(self) -> Node:
        """``a OR b``."""
        items = [self._all()]
        while self.word("or"):
            items.append(self._all())
        return nodes.combined(ast.Or, items)

    def _all(self) -> Node:
        items = [self._one()]
        while self.word("and"):
            items.append(self._one())
        return nodes.combined(ast.And, items)

    def _one(self) -> Node:
        if self.word("not"):
            return ast.Not(self.deeper(self._one))
        return self._predicate()

    def _predicate(self) -> Node:
        left = self._sum()
        if sign := self.sign("=", "<>", "!=", "<", "<=", ">", ">="):
            return nodes.compared(sign, left, self._sum())
        if self.word("is"):
            negated = self.word("not") is not None
            if not self.word("null"):
                self.fail("expected NULL")
            return ast.IsNull(left, negated)
        negated = self.word("not") is not None
        if self.word("like"):
            return nodes.liked(left, self._sum(), negated=negated)
        if self.word("between"):
            low = self._sum()
            if not self.word("and"):
                self.fail("expected AND of BETWEEN")
            return ast.Between(left, low, self._sum(), negated)
        if self.word("in"):
            self.expect("(")
            return ast.In(left, self._list(), negated)
        if negated:
            self.fail("expected LIKE, BETWEEN or IN after NOT")
        return left

    def _list(self) -> list[Node]:
        items = [self._sum()]
        while self.sign(","):
            items.append(self._sum())
        self.expect(")")
        return items

    # --- values ---------------------------------------------------------------------------

    def _sum(self) -> Node:
        left = self._product()
        while sign := self.sign("+", "-"):
            left = nodes.reckoned(sign, left, self._product())
        return left

    def _product(self) -> Node:
        left = self._power()
        while sign := (self.sign("*", "/", "%") or self.word("div")):
            left = nodes.reckoned(sign, left, self._power())
        return left

    def _power(self) -> Node:
        left = self._atom()
        return nodes.reckoned("^", left, self.deeper(self._power)) if self.sign("^") else left

    def _atom(self) -> Node:
        if self.sign("-"):
            value = self.deeper(self._atom)
            return -value if isinstance(value, int | float) else nodes.reckoned("*", -1, value)
        if self.sign("+"):
            return self.deeper(self._atom)
        if self.sign("("):
            inner = self.deeper(self.condition)
            self.expect(")")
            return inner
        if self.kind == "name" and _GEOMETRY.match(self.text, self.at):
            return self._geometry()
        kind, value = self.kind, self.value
        if kind == "name" and value.lower() in _RESERVED - {"true", "false"}:
            self.fail("expected a value")
        if kind not in ("number", "text", "quoted", "name"):
            self.fail("expected a value")
        self.step()
        if kind == "number":
            return nodes.number(value)
        if kind == "text":
            return re.sub(r"''|\\'", "'", value)
        if kind == "quoted":
            return ast.Attribute(value.replace('""', '"'))
        if value.lower() in ("true", "false"):
            return value.lower() == "true"
        return self._call(value) if self.sign("(") else ast.Attribute(value)

    def _call(self, name: str) -> Node:
        start = self.at
        given = self.deeper(self._list)
        known = name.lower()
        if known in SPATIAL or known in TEMPORAL or known == "t_intersects":
            return nodes.related(known, given)
        if known in FOLDS:
            return nodes.folded(known, given)
        if known in ("bbox", "envelope"):
            return from_box(given, self.crs)
        if known == "interval":
            return nodes.span(given)
        if known in ("date", "timestamp") and len(given) == 1:
            return nodes.day(given[0]) if known == "date" else nodes.moment(given[0])
        self.at = start
        raise BadInput(f"filter: there is no function {name[:60]!r}; docs/features.md lists them")

    def _geometry(self) -> Node:
        """A WKT literal, from its name to the bracket that closes it."""
        depth, start = 0, self.text.index("(", self.at)
        for end in range(start, len(self.text)):
            depth += {"(": 1, ")": -1}.get(self.text[end], 0)
            if depth > 10 or depth == 0:
                break
        wkt = self.text[self.at : end + 1].strip()
        if depth or not _WKT.fullmatch(wkt):
            self.fail("the geometry cannot be read")
        self.next = end + 1
        found = from_wkt(wkt, self.crs)
        self.step()
        return found
