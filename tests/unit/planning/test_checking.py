"""Soundness of nested plans and of professional layers."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from planning.checking import check_levels, check_professional

CRS = "EPSG:4548"
C = "370811001001"
X, Y = 500_000.0, 4_000_000.0


def box(west: float, east: float, *, south: float = 0, north: float = 100) -> Any:
    return shapely.box(X + west, Y + south, X + east, Y + north)


AREAS = gpd.GeoDataFrame({"code": [C], "level": ["community"]}, geometry=[box(0, 200)], crs=CRS)


def nested(*micro: Any) -> gpd.GeoDataFrame:
    """Two grids; the second is divided into the given micro-grids."""
    top = gpd.GeoDataFrame(
        {"code": [f"{C}001", f"{C}002"], "level": 1, "parent": None, "community": C},
        geometry=[box(0, 100), box(100, 200)], crs=CRS,
    )  # fmt: skip
    deep = gpd.GeoDataFrame(
        {"code": [f"{C}002{n + 1:02d}" for n in range(len(micro))], "level": 2, "parent": f"{C}002", "community": C},
        geometry=list(micro), crs=CRS,
    )  # fmt: skip
    return gpd.GeoDataFrame(pd.concat([top, deep], ignore_index=True), crs=CRS)


def test_only_grids_that_are_divided_must_be_covered_by_their_children() -> None:
    report = check_levels(nested(box(100, 150), box(150, 200)), AREAS)
    assert report.ok, report.lines()
    assert report.grids == 4


def test_a_gap_or_overlap_among_children_is_found() -> None:
    gap = check_levels(nested(box(100, 150), box(160, 200)), AREAS)
    assert gap.counts() == {"gap": 1}
    assert abs(gap.gap_m2 - 1000) < 1e-6
    overlap = check_levels(nested(box(100, 155), box(150, 200)), AREAS)
    assert overlap.counts() == {"overlap": 1}


def test_a_child_that_leaves_its_parent_is_found() -> None:
    grids = nested(box(100, 150), box(150, 200))
    third = grids.iloc[[2]].assign(code=f"{C}00101", parent=f"{C}001").set_geometry([box(0, 110)], crs=CRS)
    report = check_levels(gpd.GeoDataFrame(pd.concat([grids, third], ignore_index=True), crs=CRS), AREAS)
    assert "crosses_parent" in report.counts()
    assert any("parent grid" in problem.text for problem in report.problems)


def test_a_professional_layer_may_leave_ground_out_and_lie_apart_but_not_overlap() -> None:
    codes = [f"990200{C}01", f"990200{C}02"]
    apart = shapely.union_all([box(0, 40), box(160, 200)])
    loose = gpd.GeoDataFrame({"code": codes}, geometry=[apart, box(40, 100)], crs=CRS)
    report = check_professional(loose)
    assert report.ok
    assert {note.kind for note in report.notes} == {"noncontiguous"}
    overlap = check_professional(loose.set_geometry([apart, box(30, 100)], crs=CRS))
    assert overlap.counts() == {"overlap": 1}
    assert not check_professional(loose.assign(code=codes[0])).ok
