"""CQL2 in both forms makes the same trees; what cannot be meant is refused in one line, however large or deep."""

from __future__ import annotations

import json
import time

import pytest
import shapely
from pygeofilter import ast, values
from shapely.geometry import shape

from gisgrid.errors import BadInput
from layers.catalog import GRIDS, REPORTS
from layers.collections.crs import crs_named
from layers.filters.parse import parse_filter
from layers.filters.sql import to_sql

SAME = [
    ("name = 'x'", {"op": "=", "args": [{"property": "name"}, "x"]}),
    ("name <> 'it''s'", {"op": "<>", "args": [{"property": "name"}, "it's"]}),
    ("households >= 3.5e2", {"op": ">=", "args": [{"property": "households"}, 350.0]}),
    ("name LIKE '%网格_'", {"op": "like", "args": [{"property": "name"}, "%网格_"]}),
    ("NOT name IS NULL", {"op": "not", "args": [{"op": "isNull", "args": [{"property": "name"}]}]}),
    ("households BETWEEN 1 AND 2", {"op": "between", "args": [{"property": "households"}, 1, 2]}),
    ("kind IN ('a', 'b')", {"op": "in", "args": [{"property": "kind"}, ["a", "b"]]}),
    ("casei(name) = CASEI('ABC')", {"op": "=", "args": [{"op": "casei", "args": [{"property": "name"}]}, "abc"]}),
    (
        "households = 1 OR level = 2 AND level = 3",
        {"op": "or", "args": [
            {"op": "=", "args": [{"property": "households"}, 1]},
            {"op": "and", "args": [
                {"op": "=", "args": [{"property": "level"}, 2]}, {"op": "=", "args": [{"property": "level"}, 3]},
            ]},
        ]},
    ),
    (
        "S_INTERSECTS(geometry, POINT(1 2))",
        {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": [1, 2]}]},
    ),
    ("S_WITHIN(geometry, BBOX(1, 2, 3, 4))", {"op": "s_within", "args": [{"property": "geometry"}, {"bbox": [1, 2, 3, 4]}]}),
    (
        "T_DURING(reported_at, INTERVAL('2026-01-01', '..'))",
        {"op": "t_during", "args": [{"property": "reported_at"}, {"interval": ["2026-01-01", ".."]}]},
    ),
    (
        "T_AFTER(reported_at, TIMESTAMP('2026-01-01T00:00:00Z'))",
        {"op": "t_after", "args": [{"property": "reported_at"}, {"timestamp": "2026-01-01T00:00:00Z"}]},
    ),
    (
        "households * 2 + 1 > -3",
        {"op": ">", "args": [
            {"op": "+", "args": [{"op": "*", "args": [{"property": "households"}, 2]}, 1]}, -3,
        ]},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "form"), SAME)
def test_text_and_json_make_the_same_tree(text: str, form: object) -> None:
    assert parse_filter(text) == parse_filter(json.dumps(form), "cql2-json")


def test_and_binds_closer_than_or_and_not_closest() -> None:
    tree = parse_filter("NOT level = 1 AND level = 2 OR level = 3")
    assert isinstance(tree, ast.Or)
    assert isinstance(tree.lhs, ast.And)
    assert isinstance(tree.lhs.lhs, ast.Not)


def test_power_binds_to_the_right_and_minus_to_the_left() -> None:
    tree = parse_filter("households = 10 - 3 - 2 ^ 3 ^ 2")
    total = tree.rhs
    assert isinstance(total, ast.Sub)
    assert isinstance(total.lhs, ast.Sub)
    assert total.rhs == ast.Function("power", [2, ast.Function("power", [3, 2])])


@pytest.mark.parametrize("name", ["EPSG/0/4490", "EPSG/0/4326"])
def test_geometries_follow_the_axes_of_their_crs(name: str) -> None:
    crs = crs_named(f"http://www.opengis.net/def/crs/{name}")
    tree = parse_filter("S_INTERSECTS(geometry, POINT(36 117))", crs=crs)
    assert tree.rhs == values.Geometry({"type": "Point", "coordinates": (117.0, 36.0)})
    box = parse_filter("S_INTERSECTS(geometry, BBOX(36, 117, 37, 118))", crs=crs)
    assert shapely.bounds(shape(box.rhs.geometry)).tolist() == [117, 36, 118, 37]


def test_a_box_across_the_date_line_is_two() -> None:
    tree = parse_filter("S_INTERSECTS(geometry, BBOX(170, -10, -170, 10))")
    assert shape(tree.rhs.geometry).area == pytest.approx(400)


REFUSED = [
    "", " ", "name", "'a'", "1 + 1", "name = ", "name == 'x'", "= 3", "name = 'x", "(name = 'x'", "name = 'x')",
    "name LIKE 3", "name LIKE 'a\\'", "households IN ()", "households BETWEEN 1", "name IS 'x'", "NOT", "name NOT = 'x'",
    "name = 'x'; DROP TABLE grids", "name = 'x' -- y", "sleep(1) = 1", "pg_sleep(10) IS NULL", "name = \x00",
    "households = 1e999", "DATE('2026-13-01') = reported_at", "TIMESTAMP('2026-01-01') = reported_at",
    "T_AFTER(reported_at, INTERVAL('..', '..'))", "T_AFTER(reported_at, INTERVAL('2026-02-01', '2026-01-01'))",
    "S_INTERSECTS(geometry)", "S_INTERSECTS(geometry, POINT(1))", "S_INTERSECTS(geometry, POINT(200 0))",
    "S_INTERSECTS(geometry, POINT(NaN 0))", "S_INTERSECTS(geometry, BBOX(1, 2, 3))", "S_INTERSECTS(geometry, POLYGON EMPTY)",
    "S_INTERSECTS(geometry, POLYGON((0 0, 1 1, 1 0, 0 1, 0 0)))", "S_INTERSECTS(geometry, LINESTRING(0 0))",
    "casei(3) = 'x'", "AND = 3", "name = 'a' name = 'b'", "name = 'a' AND", "((((((((",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_meant_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_sql(text)
    assert "\n" not in caught.value.message


def parse_sql(text: str, language: str = "cql2-text") -> None:
    to_sql(parse_filter(text, language), REPORTS if "reported_at" in text else GRIDS)


TYPES = [
    "name = 3", "households = 'x'", "name + 1 = 2", "households LIKE 'x'", "name BETWEEN 'a' AND 2", "geometry = 3",
    "nothing = 3", "name = DATE('2026-01-01')", "casei(households) = 'x'", "name IN ('a', 3)", "geometry = geometry",
    "T_AFTER(name, DATE('2026-01-01'))", "S_INTERSECTS(name, POINT(1 2))", "S_INTERSECTS('x', geometry)",
    "households = (name = 'x')",
]  # fmt: skip


@pytest.mark.parametrize("text", TYPES)
def test_types_that_do_not_fit_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_sql(text)


@pytest.mark.parametrize(
    "payload", ["' OR 1=1 --", "'; DROP TABLE grids; --", "\\'; SELECT 1; --", "%s %(x)s {0} :x", "$$"]
)
def test_values_are_bound_and_never_part_of_the_statement(payload: str) -> None:
    form = {"op": "=", "args": [{"property": "name"}, payload]}
    compiled = to_sql(parse_filter(json.dumps(form), "cql2-json"), GRIDS).compile()
    assert payload in compiled.params.values()
    assert payload not in str(compiled)


DEEP = 10_000
BOMBS = [
    ("(" * DEEP + "level = 1" + ")" * DEEP, "cql2-text"), ("NOT " * 4000 + "level = 1", "cql2-text"),
    ("level = " + "-" * DEEP + "1", "cql2-text"), ("level = " + "1+" * 8000 + "1", "cql2-text"),
    ("level = 2" + "^2" * 8000, "cql2-text"), ("casei(" * 2500, "cql2-text"),
    ("S_INTERSECTS(geometry, GEOMETRYCOLLECTION(" + "GEOMETRYCOLLECTION(" * 800, "cql2-text"),
    ('{"op":"not","args":[' * 700 + "1" + "]}" * 700, "cql2-json"), ("[" * 16_000, "cql2-json"),
    ('{"a":' * 3000, "cql2-json"), ("level = 1 OR " * 1200 + "level = 1", "cql2-text"), ("'" + "''" * 9000, "cql2-text"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "language"), BOMBS)
def test_depth_and_size_are_capped_at_once(text: str, language: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(BadInput) as caught:
        parse_sql(text, language)
    assert len(caught.value.message) < 300
    assert time.perf_counter() - begun < 2


def test_a_filter_of_many_alternatives_is_taken() -> None:
    text = " OR ".join(f"level = {number}" for number in range(900))
    assert str(to_sql(parse_filter(text), GRIDS)).count("level") == 900
