"""The best plan so far, told while the search goes on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gisgrid.models import Band
from planning.graph import unit_graph
from planning.levels import parse_levels, partition_levels, split_options
from planning.partition import partition, search
from planning.partition.cells import components
from planning.partition.toy import toy_units


@pytest.fixture
def every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PREVIEW_SECONDS", 0.0)


def told(**options: Any) -> tuple[list[tuple[np.ndarray, dict[str, Any]]], Any, Any]:
    units = toy_units(20, 15, households=20)
    options = {"effort": 0.2} | options
    units["community"] = np.where(np.arange(len(units)) < 140, "370811001001", "370811001002")
    seen: list[tuple[np.ndarray, dict[str, Any]]] = []
    result = partition(units, band=Band(300, 500), preview=lambda label, facts: seen.append((label, facts)), **options)
    return seen, units, result


def test_previews_are_divisions_into_connected_grids(every_time: None) -> None:
    seen, units, _ = told()
    assert seen
    graph = unit_graph(units)
    for label, facts in seen:
        assert label.shape == (len(units),)
        assert label.dtype == np.int32
        assert facts["units_left"] == (label < 0).sum()
        whole = components(graph, label[graph.sources] == label[graph.indices])
        for grid in np.unique(label[label >= 0]):
            assert len(np.unique(whole[label == grid])) == 1
            assert units["community"][label == grid].nunique() == 1
        loads = np.bincount(label[label >= 0], units["households"][label >= 0])
        loads = loads[loads > 0]
        assert facts["grids"] == len(loads)
        assert facts["in_band"] == ((loads >= 300) & (loads <= 500)).sum()
    assert seen[-1][1]["units_left"] == 0


def test_a_preview_changes_nothing(every_time: None) -> None:
    _, units, watched = told(seed=3)
    alone = partition(units, band=Band(300, 500), seed=3, effort=0.2)
    assert (watched.assignment == alone.assignment).all()


def test_locked_grids_are_in_every_preview(every_time: None) -> None:
    units = toy_units(20, 15, households=20)
    old = np.full(len(units), None, dtype=object)
    old[:24] = "379903001001007"
    seen: list[np.ndarray] = []
    partition(
        units, band=Band(300, 500), keep=old, locked=["379903001001007"], effort=0.2,
        preview=lambda label, _: seen.append(label),
    )  # fmt: skip
    assert seen
    for label in seen:
        assert len(np.unique(label[:24])) == 1
        assert not np.isin(label[24:], label[:24]).any()


def test_it_is_told_no_more_often_than_every_second() -> None:
    seen, _, result = told(effort=1.0)
    assert len(seen) <= 1 + result.stats["seconds"]


def test_levels_show_the_first(every_time: None) -> None:
    units = toy_units(20, 20, households=20)
    seen: list[np.ndarray] = []
    options = split_options({"effort": 0.2, "preview": lambda label, _: seen.append(label)})
    partition_levels(units, None, parse_levels("4/12"), **options)
    assert seen
    assert all(len(label) == len(units) for label in seen)


def test_what_a_preview_raises_ends_the_search() -> None:
    def refuse(label: np.ndarray, facts: dict[str, Any]) -> None:
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        partition(toy_units(20, 20, households=20), band=Band(300, 500), preview=refuse)
