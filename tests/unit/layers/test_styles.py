"""Legends: the classes of a style cover every value once, whatever the band."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gisgrid.models import Band
from layers.styles import all_styles, grids_by_households

NUMBERED = ("grids", "coverage")


@given(low=st.integers(6, 5_000), width=st.integers(6, 5_000))
def test_every_household_count_has_exactly_one_class(low: int, width: int) -> None:
    classes = [item for item in grids_by_households(Band(low, low + width)).classes if item.value is None]
    assert classes[0].min is None
    assert classes[-1].max is None
    for before, after in itertools.pairwise(classes):
        assert before.max == after.min
    edges = [item.min for item in classes[1:]]
    assert edges == sorted(set(edges)), "no class is empty"
    assert low in edges, "the band's ends are class limits"
    assert low + width + 1 in edges


@given(low=st.integers(0, 12), width=st.integers(1, 12))
def test_a_narrow_band_has_no_class_without_a_number(low: int, width: int) -> None:
    classes = [item for item in grids_by_households(Band(low, low + width)).classes if item.value is None]
    for households in range(60):
        held = [i for i in classes if (i.min or 0) <= households and (i.max is None or households < i.max)]
        assert len(held) == 1
    assert all(item.max is None or item.max > (item.min or 0) for item in classes)
    assert not any("-" in item.label_en for item in classes)


def test_the_usual_band_reads_well() -> None:
    labels = [item.label_zh for item in grids_by_households(Band(300, 500)).classes]
    assert labels == ["少于 150", "150–299", "300–366", "367–432", "433–500", "501–749", "750 及以上", "专属网格"]


def test_coverage_holds_all_and_nothing() -> None:
    classes = [item for item in all_styles(Band(300, 500))["coverage"]["classes"] if item["value"] is None]
    for share in (0.0, 0.2, 0.999, 1.0):
        assert sum(item["min"] <= share < item["max"] for item in classes) == 1


@pytest.mark.parametrize("name", sorted(all_styles(Band(300, 500))))
def test_colours_are_hex_and_labels_are_in_both_languages(name: str) -> None:
    style = all_styles(Band(300, 500))[name]
    assert style["title_zh"]
    assert style["title_en"]
    for item in style["classes"]:
        assert re.fullmatch(r"#[0-9a-f]{6}", item["color"])
        assert item["label_zh"]
        assert item["label_en"]
    values = [item["value"] for item in style["classes"] if item["value"] is not None]
    assert len(values) == len(set(values))
