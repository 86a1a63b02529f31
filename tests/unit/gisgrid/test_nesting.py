"""Levels that do not nest are found: children outside their parent, parents not filled, parents that are not there."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pytest
import shapely

from gisgrid.coverage import check
from gisgrid.models import Band
from gisgrid.nesting import grid_column, layer_scheme

COMMUNITY = "370811001001"


def nested(**changes: Any) -> gpd.GeoDataFrame:
    """Two grids of 200 × 100 m side by side, each with two micro-grids; `changes`: column → {row: value}."""
    boxes = [(0, 0, 200, 100), (200, 0, 400, 100)]
    boxes += [(x, 0, x + 100, 100) for x in (0, 100, 200, 300)]
    codes = [f"{COMMUNITY}001", f"{COMMUNITY}002"]
    codes += [f"{COMMUNITY}{n}" for n in ("00101", "00102", "00201", "00202")]
    table = gpd.GeoDataFrame(
        {
            "code": codes, "level": [1, 1, 2, 2, 2, 2], "parent": [None, None, *(code[:15] for code in codes[2:])],
            "community": COMMUNITY, "kind": "ordinary", "households": [400, 400, 200, 200, 200, 200],
        },
        geometry=[shapely.box(a + 500_000, b + 4_400_000, c + 500_000, d + 4_400_000) for a, b, c, d in boxes],
        crs="EPSG:4547",
    )  # fmt: skip
    for column, values in changes.items():
        for row, value in values.items():
            table.at[row, column] = value
    return table


def test_a_nested_layer_is_sound_and_its_band_is_that_of_the_coarsest_level() -> None:
    report = check(nested(), band=Band(300, 500))
    assert report.ok, report.lines()
    assert not report.notes
    assert [note.code for note in check(nested(households={1: 900}), band=Band(300, 500)).notes] == [f"{COMMUNITY}002"]


def test_degrees_do_not_matter() -> None:
    report = check(nested().to_crs("EPSG:4490"))
    assert report.ok, report.lines()


@pytest.mark.parametrize(
    ("changes", "kind", "code", "part"),
    [
        ({"parent": {3: f"{COMMUNITY}002"}}, "outside_parent", "00102", "lies outside its parent .*002 by 10000.00 m²"),
        ({"parent": {3: f"{COMMUNITY}002"}}, "parent_not_filled", "001", "leave 10000.00 m² of it uncovered"),
        ({"parent": {4: f"{COMMUNITY}009"}}, "unknown_parent", "00201", "names a parent .*009 that is not there"),
        ({"parent": {4: None}}, "unknown_parent", "00201", "of level 2 has no parent"),
        ({"parent": {4: f"{COMMUNITY}00202"}}, "unknown_parent", "00201", "is not of a level above"),
    ],
)
def test_what_does_not_nest_is_named(changes: dict[str, Any], kind: str, code: str, part: str) -> None:
    report = check(nested(**changes))
    found = [problem for problem in report.problems if problem.kind == kind]
    assert [problem.code for problem in found] == [COMMUNITY + code]
    with pytest.raises(AssertionError, match=part):
        raise AssertionError(found[0].text)


def test_a_grid_without_children_is_not_divided_and_that_is_fine() -> None:
    assert check(nested().iloc[[0, 1, 2, 3]]).ok


def test_micro_grids_alone_need_no_parents() -> None:
    assert check(nested().iloc[2:]).ok


def test_a_level_may_have_wider_codes_but_all_of_it() -> None:
    grids = nested()
    wide = grids["code"].where(grids["level"] == 1, grids["code"].str[:15] + "0" + grids["code"].str[15:])
    assert check(grids.assign(code=wide)).ok
    assert layer_scheme(grids.assign(code=wide)).widths == (3, 3)
    report = check(grids.assign(code=[*wide[:5], grids["code"][5] + "1"]))
    assert report.counts() == {}  # 18 digits like its neighbours
    report = check(grids.assign(code=[*grids["code"][:5], wide[5]]))
    assert report.counts() == {"invalid_code": 1}


def test_units_are_held_against_each_level() -> None:
    grids = nested()
    units = grids.iloc[2:][["geometry"]].assign(
        grid=[code[:15] for code in grids["code"][2:]], grid_2=grids["code"][2:].tolist()
    )
    assert check(grids, units=units).ok
    wrong = units.assign(grid_2=[grids["code"][2], grids["code"][2], *grids["code"][4:]])
    assert check(grids, units=wrong).counts() == {"units_differ": 2}
    assert check(grids, units=units.drop(columns="grid_2")).ok
    assert [grid_column(level) for level in (1, 2, 3)] == ["grid", "grid_2", "grid_3"]


def test_levels_in_words_are_kept_apart_and_not_ordered() -> None:
    grids = nested()
    assert check(grids.assign(level=["grid"] * 2 + ["micro"] * 4)).ok
