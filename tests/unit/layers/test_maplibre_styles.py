"""MapLibre styles: every class of every style is there, with plain filters only."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygeofilter import ast

from gisgrid.errors import BadInput
from gisgrid.models import Band
from layers.catalog import BLIND_SPOTS, GRIDS, LAYERS, REPORTS_HEAT, STREETS
from layers.styles import styles, styles_of
from layers.styles.maplibre import expression, maplibre_style

KNOWN = styles(Band(300, 500))
PLAIN = {"==", "!=", "<", "<=", ">", ">=", "all", "any", "none"}
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def words(found: Any) -> set[str]:
    if not isinstance(found, list):
        return set()
    inner = found[1:] if found[0] in ("all", "any", "none") else []
    return {found[0]}.union(*(words(part) for part in inner))


def holds(found: list[Any] | None, row: dict[str, Any]) -> bool:
    """MapLibre's own reading of a filter."""
    if found is None:
        return True
    if found[0] in COMPARE:
        return COMPARE[found[0]](row[found[1]], found[2])
    parts = [holds(part, row) for part in found[1:]]
    return {"all": all(parts), "any": any(parts), "none": not any(parts)}[found[0]]


@pytest.mark.parametrize("layer", [*LAYERS.values(), BLIND_SPOTS, REPORTS_HEAT], ids=lambda layer: layer.name)
def test_every_style_of_every_layer_is_plain(layer: Any) -> None:
    for style in styles_of(layer, KNOWN):
        made = maplibre_style([(layer, style)], {"type": "vector"}, name="x", labels={"grids": "grids_labels"})
        names = [item["id"] for item in made["layers"]]
        assert len(set(names)) == len(names)
        assert {item["metadata"]["gisgrid:zh"] for item in made["layers"]} == {rule.title_zh for rule in style.rules}
        for item in made["layers"]:
            assert words(item.get("filter")) <= PLAIN
            assert item.get("minzoom", 0) < item.get("maxzoom", 25)
        kinds = [item["type"] for item in made["layers"]]
        assert kinds == sorted(kinds, key=lambda kind: kind == "symbol"), "labels over everything"


@given(st.integers(0, 2000), st.sampled_from(["normal", "special"]))
def test_a_grid_is_filled_once_by_the_class_of_its_households(households: int, kind: str) -> None:
    made = maplibre_style([(GRIDS, KNOWN["grids"])], {}, name="x")
    row = {"households": households, "kind": kind}
    fills = [item for item in made["layers"] if item["type"] == "fill" and holds(item.get("filter"), row)]
    assert len(fills) == 1
    wanted = "#cbbfe0" if kind == "special" else "#d9694f" if households >= 750 else None
    assert wanted in (None, fills[0]["paint"]["fill-color"])


def test_casings_lie_under_all_lines_and_labels_come_from_their_own_layer() -> None:
    streets = maplibre_style([(STREETS, KNOWN["streets"])], {}, name="x")["layers"]
    cased = [place for place, item in enumerate(streets) if item["id"].endswith("-casing")]
    assert cased == list(range(len(cased)))
    assert len(cased) == 5
    assert streets[-1]["layout"]["symbol-placement"] == "line"
    grids = maplibre_style([(GRIDS, KNOWN["grids"])], {}, name="x", labels={"grids": "grids_labels"})["layers"]
    assert [item["source-layer"] for item in grids if item["type"] == "symbol"] == ["grids_labels"]


def test_a_condition_without_a_plain_form_is_refused() -> None:
    with pytest.raises(BadInput, match="Like"):
        expression(
            ast.Like(
                ast.Attribute("name"), "a%", nocase=False, wildcard="%", singlechar="_", escapechar="\\", not_=False
            )
        )
