"""Masks answer as PostgreSQL does."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pygeofilter import ast

from data import embedded
from layers.columns import column_of
from layers.filters.masks import mask

TEXTS = ["a", "b", "ab", "A", "a%", "_", "", "网格", "a\\b"]
texts = st.sampled_from(TEXTS)
numbers = st.integers(-3, 3)
rows = st.lists(
    st.tuples(*(st.none() | values for values in (texts, texts, numbers, numbers, st.booleans()))), max_size=12
)
NAMES = ("s", "t", "n", "m", "b")
KINDS = ("string", "string", "integer", "integer", "boolean")
COMPARED = {
    ast.Equal: "=", ast.NotEqual: "<>", ast.LessThan: "<", ast.LessEqual: "<=", ast.GreaterThan: ">",
    ast.GreaterEqual: ">=",
}  # fmt: skip

text_sides = st.sampled_from([ast.Attribute("s"), ast.Attribute("t")]) | texts
whole = st.sampled_from([ast.Attribute("n"), ast.Attribute("m")]) | numbers
number_sides = whole | st.builds(
    lambda kind, a, b: kind(a, b), st.sampled_from([ast.Add, ast.Sub, ast.Mul]), whole, whole
)
leaves = (
    st.builds(lambda kind, a, b: kind(a, b), st.sampled_from(list(COMPARED)), text_sides, text_sides)
    | st.builds(lambda kind, a, b: kind(a, b), st.sampled_from(list(COMPARED)), number_sides, number_sides)
    | st.builds(ast.Between, number_sides, number_sides, number_sides, st.booleans())
    | st.builds(ast.In, st.just(ast.Attribute("s")), st.lists(texts, min_size=1, max_size=3), st.booleans())
    | st.builds(ast.In, st.just(ast.Attribute("n")), st.lists(numbers, min_size=1, max_size=3), st.booleans())
    | st.builds(ast.IsNull, st.sampled_from([ast.Attribute(name) for name in NAMES]), st.booleans())
    | st.builds(
        lambda pattern, nocase, negated: ast.Like(ast.Attribute("s"), pattern, nocase, "%", "_", "\\", negated),
        st.sampled_from(["a%", "%b", "_", "a\\%", "%", "", "网_", "%a%b%"]), st.booleans(), st.booleans(),
    )
    | st.just(ast.Attribute("b"))
)  # fmt: skip
conditions = st.recursive(
    leaves,
    lambda inner: st.builds(ast.And, inner, inner) | st.builds(ast.Or, inner, inner) | st.builds(ast.Not, inner),
    max_leaves=8,
)


def sql(node: Any) -> str:
    """The condition as one would write it by hand."""
    if isinstance(node, str):
        return "'" + node.replace("'", "''") + '\'::text COLLATE "C"'
    if isinstance(node, int):
        return f"({node})"
    if isinstance(node, ast.Attribute):
        return f'"{node.name}"' + (' COLLATE "C"' if node.name in "st" else "")
    negation = "NOT " if getattr(node, "not_", False) else ""
    if isinstance(node, ast.Comparison):
        return f"({sql(node.lhs)} {COMPARED[type(node)]} {sql(node.rhs)})"
    if isinstance(node, ast.Arithmetic):
        return f"({sql(node.lhs)} {node.op.value} {sql(node.rhs)})"
    if isinstance(node, ast.Between):
        return f"({sql(node.lhs)} {negation}BETWEEN {sql(node.low)} AND {sql(node.high)})"
    if isinstance(node, ast.In):
        return f"({sql(node.lhs)} {negation}IN ({', '.join(map(sql, node.sub_nodes))}))"
    if isinstance(node, ast.IsNull):
        return f"({sql(node.lhs)} IS {negation}NULL)"
    if isinstance(node, ast.Like):
        return f"(s {negation}{'I' if node.nocase else ''}LIKE '{node.pattern}')"
    if isinstance(node, ast.Not):
        return f"(NOT {sql(node.sub_node)})"
    return f"({sql(node.lhs)} {'AND' if isinstance(node, ast.And) else 'OR'} {sql(node.rhs)})"


def test_masks_are_what_postgresql_answers(cluster: embedded.Cluster) -> None:
    with psycopg.connect(host=str(cluster.socket), user=embedded.ROLE, dbname="postgres") as connection:
        connection.execute("CREATE TEMP TABLE held (k int, s text, t text, n bigint, m bigint, b boolean)")

        @settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
        @given(rows, conditions)
        def check(table: list[tuple[Any, ...]], node: ast.Node) -> None:
            connection.execute("TRUNCATE held")
            with connection.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO held VALUES (%s, %s, %s, %s, %s, %s)", [(k, *row) for k, row in enumerate(table)]
                )
                found = cursor.execute(f"SELECT k FROM held WHERE {sql(node)}").fetchall()  # type: ignore[arg-type]
            given_rows = list(zip(*table, strict=True)) if table else [()] * 5
            columns = {n: column_of(kind, v) for n, kind, v in zip(NAMES, KINDS, given_rows, strict=True)}  # type: ignore[arg-type]
            assert set(np.flatnonzero(mask(node, columns)).tolist()) == {k for (k,) in found}

        check()
