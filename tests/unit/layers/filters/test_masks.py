"""Conditions over columns in memory."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import numpy as np
import pytest
from pygeofilter import ast

from gisgrid.errors import BadInput
from layers.columns import column_of, joined
from layers.filters.masks import attributes_of, mask

A = ast.Attribute
COLUMNS = {
    "name": column_of("string", ["井盖", None, "a_b", "AxB", ""]),
    "n": column_of("integer", [1, 2, None, 4, 5]),
    "x": column_of("number", [0.5, None, 2.5, -1.0, float("nan")]),
    "ok": column_of("boolean", [True, False, None, True, False]),
    "day": column_of("date", [dt.date(2026, 1, 1), None, dt.date(1200, 1, 1), dt.date(2026, 1, 3), dt.date(2026, 1, 2)]),
    "at": column_of("date-time", [dt.datetime(2026, 1, k, 8, tzinfo=dt.UTC) for k in range(1, 5)] + [None]),
    "list": column_of("array", [["a"], None, [], ["b"], ["c"]]),
}  # fmt: skip


def like(pattern: str, *, nocase: bool = False, negated: bool = False) -> ast.Node:
    return ast.Like(A("name"), pattern, nocase, "%", "_", "\\", negated)


@pytest.mark.parametrize(
    ("node", "wanted"),
    [
        (ast.Equal(A("name"), "井盖"), "10000"),
        (ast.NotEqual(A("name"), "井盖"), "00111"),
        (ast.Not(ast.Equal(A("name"), "井盖")), "00111"),
        (ast.GreaterThan(A("n"), 1.5), "01011"),
        (ast.GreaterThan(5, A("n")), "11010"),
        (ast.GreaterThan(A("n"), "1"), "01011"),
        (ast.Equal(A("x"), 0.5), "10000"),
        (ast.NotEqual(A("x"), 0.5), "00110"),
        (A("ok"), "10010"),
        (ast.Not(A("ok")), "01001"),
        (ast.Equal(A("ok"), "true"), "10010"),
        (ast.Between(A("n"), 2, 4, False), "01010"),
        (ast.Between(A("n"), 2, 4, True), "10001"),
        (ast.In(A("name"), ["井盖", "AxB"], False), "10010"),
        (ast.In(A("name"), ["井盖"], True), "00111"),
        (ast.In(A("n"), [1, 5], True), "01010"),
        (ast.In(A("n"), [1, None], True), "00000"),
        (ast.IsNull(A("n"), False), "00100"),
        (ast.IsNull(A("n"), True), "11011"),
        (like("a\\_b"), "00100"),
        (like("a_b"), "00100"),
        (like("a_b", nocase=True), "00110"),
        (like("%b%", nocase=True), "00110"),
        (like("%", negated=True), "00000"),
        (like("井%"), "10000"),
        (ast.Equal(ast.Add(A("n"), ast.Mul(A("x"), 2)), 2), "10010"),
        (ast.Equal(ast.Div(A("n"), 0), 1), "00000"),
        (ast.GreaterEqual(A("day"), dt.date(2026, 1, 2)), "00011"),
        (ast.LessThan(A("day"), "1201-01-01"), "00100"),
        (ast.LessEqual(A("at"), dt.datetime(2026, 1, 2, 16, tzinfo=dt.timezone(dt.timedelta(hours=8)))), "11000"),
        (ast.TimeAfter(A("at"), dt.datetime(2026, 1, 2, 8, tzinfo=dt.UTC)), "00110"),
        (ast.Equal(A("name"), A("name")), "10111"),
        (ast.Equal(A("n"), None), "00000"),
        (ast.And(ast.IsNull(A("n"), False), ast.Equal(A("name"), "a_b")), "00100"),
        (ast.Or(ast.Equal(A("n"), 99), ast.Equal(A("x"), 2.5)), "00100"),
        (ast.Include(False), "11111"),
        (ast.Include(True), "00000"),
    ],
)
def test_a_condition_is_what_sql_makes_of_it(node: ast.Node, wanted: str) -> None:
    assert "".join(str(int(hit)) for hit in mask(node, COLUMNS)) == wanted
    rows = np.array([4, 0, 2])
    assert mask(node, COLUMNS, rows).tolist() == [wanted[row] == "1" for row in rows]


@pytest.mark.parametrize(
    ("node", "told"),
    [
        (ast.Equal(A("nothing"), 1), "nothing"),
        (ast.Equal(A("name"), 1), "compared"),
        (ast.Equal(A("n"), "many"), "many"),
        (ast.Equal(A("list"), "a"), "array"),
        (ast.Add(A("name"), 1), "string"),
        (A("n"), "condition"),
        (ast.Like(A("n"), "1%", False, "%", "_", "\\", False), "LIKE"),
        (ast.GeometryIntersects(A("geometry"), None), "GeometryIntersects"),
        (ast.Function("pg_sleep", [10]), "pg_sleep"),
        (ast.Equal(A("day"), "2026-13-01"), "date"),
    ],
)
def test_what_cannot_be_answered_is_refused(node: Any, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        mask(node, COLUMNS)


def test_deep_conditions_are_refused_and_long_ones_answered() -> None:
    node: ast.Node = ast.Equal(A("n"), 1)
    for _ in range(10_000):
        node = ast.Not(node)
    with pytest.raises(BadInput, match="parts"):
        mask(node, COLUMNS)
    with pytest.raises(BadInput, match="parts"):
        attributes_of(node)
    chain: ast.Node = ast.Equal(A("n"), 0)
    for k in range(1, 1_000):
        chain = ast.Or(chain, ast.Equal(A("n"), k))
    assert mask(chain, COLUMNS).tolist() == [True, True, False, True, True]
    assert attributes_of(chain) == {"n"}


def test_a_pattern_of_wildcards_takes_no_time() -> None:
    columns = {"name": column_of("string", ["a" * 5_000])}
    begun = time.perf_counter()
    assert not mask(ast.Like(A("name"), "%a" * 200 + "%b", False, "%", "_", "\\", False), columns)[0]
    assert time.perf_counter() - begun < 1.0


def test_joined_columns_are_the_values_of_both() -> None:
    rng = np.random.default_rng(3)
    for kind, values in (("string", ["a", "b", "ç", None, "z"]), ("integer", [1, 2, None]), ("boolean", [True, None])):
        for size in (0, 3, 500):
            first = [values[k] for k in rng.integers(0, len(values), 300)]
            first += [f"w{k}" for k in range(400)] if kind == "string" else []
            second = [values[k] for k in rng.integers(0, len(values), size)] + (["new"] if kind == "string" else [])
            both = joined((column_of(kind, first), column_of(kind, second)))
            assert both[:].tolist() == first + second
            if both.values is not None:
                assert both.values.tolist() == sorted(set(both.values))
