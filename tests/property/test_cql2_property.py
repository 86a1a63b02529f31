"""Random CQL2 filters: what PostGIS finds equals what Python and shapely find with SQL's three-valued logic."""

from __future__ import annotations

import contextlib
import operator
import re
from typing import Any

import pytest
import shapely
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from data import tables as t
from gisgrid.errors import BadInput
from layers.catalog import BUILDINGS, LAYERS
from layers.columns import column_of
from layers.filters.masks import mask
from layers.filters.nodes import SPATIAL
from layers.filters.parse import parse_filter
from layers.filters.sql import to_sql

pytestmark = pytest.mark.postgis
SIGNS = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
Row = dict[str, Any]
NUMBERS = ("households", "levels", "population")
TEXTS = ("kind", "name", "compound_id")


def texts() -> st.SearchStrategy[str]:
    """Texts to compare with. CQL2 writes a quote as '' or \\': a \\ in front of a quote has no spelling of its own."""
    found = st.text("abc'%_\\鸣", max_size=4).filter(lambda text: not re.search(r"\\('|$)", text))
    return st.sampled_from(["residential", "school", "楼", "", "it's", "a%b", "鸣凤", "1"]) | found


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


Both = tuple[str, Any]
"""A condition as CQL2 text and as a Python function of a row: True, False or None."""


def compare(name: str, sign: str, value: Any) -> Both:
    def holds(row: Row) -> bool | None:
        return None if row[name] is None else bool(SIGNS[sign](row[name], value))

    return f"{name} {sign} {shown(value)}", holds


def among(name: str, wanted: list[Any]) -> Both:
    return (
        f"{name} IN ({', '.join(map(shown, wanted))})",
        lambda row: None if row[name] is None else row[name] in wanted,
    )


def like(name: str, pattern: str) -> Both:
    escaped = pattern.replace("\\", "\\\\")
    told = "".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in pattern)
    found = re.compile(told, re.DOTALL)
    literal = quoted(escaped)
    return f"{name} LIKE {literal}", lambda row: None if row[name] is None else bool(found.fullmatch(row[name]))


def shown(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else str(value)


def between(name: str, low: Any, high: Any) -> Both:
    text = f"{name} BETWEEN {shown(low)} AND {shown(high)}"
    return text, lambda row: None if row[name] is None else low <= row[name] <= high


def empty(name: str) -> Both:
    return f"{name} IS NULL", lambda row: row[name] is None


def reckoned(name: str, factor: int, most: int) -> Both:
    def holds(row: Row) -> bool | None:
        return None if row[name] is None else row[name] * factor - 1 <= most

    return f"{name} * {factor} - 1 <= {most}", holds


def placed(name: str, corner: tuple[float, float], size: float) -> Both:
    area = box(corner[0], corner[1], corner[0] + size, corner[1] + size)
    how = getattr(shapely, name.removeprefix("s_"))
    return f"{name}(geometry, {area.wkt})", lambda row: bool(how(row["geometry"], area))


def negated(inner: Both) -> Both:
    def holds(row: Row) -> bool | None:
        found = inner[1](row)
        return None if found is None else not found

    return f"NOT ({inner[0]})", holds


def joined(word: str, parts: list[Both]) -> Both:
    decides = word == "OR"

    def holds(row: Row) -> bool | None:
        found = [part[1](row) for part in parts]
        return decides if decides in found else None if None in found else not decides

    return "(" + f" {word} ".join(part[0] for part in parts) + ")", holds


LEAVES = st.one_of(
    st.builds(compare, st.sampled_from(NUMBERS), st.sampled_from(list(SIGNS)), st.integers(-2, 70)),
    st.builds(compare, st.sampled_from(TEXTS), st.sampled_from(list(SIGNS)), texts()),
    st.builds(between, st.sampled_from(TEXTS), texts(), texts()),
    st.builds(among, st.sampled_from(TEXTS), st.lists(texts(), min_size=1, max_size=3)),
    st.builds(like, st.sampled_from(TEXTS), texts()),
    st.builds(between, st.sampled_from(NUMBERS), st.integers(0, 30), st.integers(0, 60)),
    st.builds(empty, st.sampled_from((*NUMBERS, *TEXTS))),
    st.builds(reckoned, st.sampled_from(NUMBERS), st.integers(-3, 3), st.integers(-5, 90)),
    st.builds(
        placed, st.sampled_from(sorted(SPATIAL)),
        st.tuples(st.floats(112.834, 112.845).map(lambda v: round(v, 4)), st.floats(35.4955, 35.505).map(lambda v: round(v, 4))),
        st.sampled_from([0.0005, 0.002, 0.01]),
    ),
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(negated), st.builds(joined, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=4))
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def rows(planned: Any) -> dict[int, Row]:
    """Every building as a dictionary."""
    names = (*NUMBERS, *TEXTS)
    wkb = sa.func.ST_AsBinary(t.buildings.c.geometry).label("geometry")
    query = sa.select(t.buildings.c.id, *[t.buildings.c[name] for name in names], wkb)
    with planned.engine.connect() as connection:
        found = [dict(row) for row in connection.execute(query).mappings()]
    return {row.pop("id"): row | {"geometry": shapely.from_wkb(bytes(row["geometry"]))} for row in found}


@given(tree=TREES)
@settings(max_examples=120)
def test_sql_finds_what_python_finds(planned: Any, rows: dict[int, Row], tree: Both) -> None:
    text, holds = tree
    condition = to_sql(parse_filter(text), BUILDINGS)
    with planned.engine.connect() as connection:
        found = set(connection.scalars(sa.select(t.buildings.c.id).where(condition)))
    assert found == {key for key, row in rows.items() if holds(row) is True}, text


@given(tree=TREES.filter(lambda tree: "s_" not in tree[0]))
@settings(max_examples=60)
def test_masks_find_what_sql_finds(planned: Any, rows: dict[int, Row], tree: Both) -> None:
    """The same tree over columns in memory, as maps choose features by it."""
    node = parse_filter(tree[0])
    kinds: dict[str, Any] = dict.fromkeys(NUMBERS, "integer") | dict.fromkeys(TEXTS, "string")
    columns = {name: column_of(kind, [row[name] for row in rows.values()]) for name, kind in kinds.items()}
    with planned.engine.connect() as connection:
        found = set(connection.scalars(sa.select(t.buildings.c.id).where(to_sql(node, BUILDINGS))))
    assert {key for key, yes in zip(rows, mask(node, columns), strict=True) if yes} == found, tree[0]


@given(text=st.text(max_size=60) | st.text("()'\"=<>ANDORNT_,.0123456789 \\%S", max_size=60))
@settings(max_examples=300)
def test_any_text_is_read_or_refused(text: str) -> None:

    for language in ("cql2-text", "cql2-json"):
        with contextlib.suppress(BadInput):
            to_sql(parse_filter(text, language), LAYERS["buildings"])
