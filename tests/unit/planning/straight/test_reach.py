"""Loudspeakers in a village: figures by arithmetic, and everything that can be wrong."""

from __future__ import annotations

import json
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gisgrid.errors import BadInput
from planning.straight import StraightResult, straight_reach

CRS = "EPSG:4548"
ORIGIN = np.array([500_000.0, 3_900_000.0])


def _points(spots: Any, **columns: Any) -> gpd.GeoDataFrame:
    xy = np.asarray(spots, np.float64).reshape(-1, 2) + ORIGIN
    return gpd.GeoDataFrame(columns, geometry=shapely.points(xy), crs=CRS)


def _area(*boxes: Any, **columns: Any) -> gpd.GeoDataFrame:
    moved = [shapely.transform(shapely.box(*box), lambda xy: xy + ORIGIN) for box in boxes]
    return gpd.GeoDataFrame(columns, geometry=moved, crs=CRS)


HOMES = ((0, 0), (99, 0), (100, 0), (101, 0), (600, 0), (900, 10))


def _run(**changes: Any) -> StraightResult:
    given: dict[str, Any] = {
        "facilities": _points([(0, 0)], name=["广播1"]),
        "radius": 100.0,
        "residences": _points(HOMES, population=[1, 2, 4, 8, 16, 0], elderly=[0, 1, 0, 1, 0, 0]),
        "area": _area((-200, -200, 1000, 200)),
    } | changes
    return straight_reach(given.pop("facilities"), **given)


def test_who_is_in_reach_is_what_arithmetic_says() -> None:
    result = _run()
    report = result.report
    assert report["buildings"] == {"total": 6, "covered": 3, "share": 0.5}
    assert (report["residents"]["covered"], report["elderly"]["covered"]) == (7, 1)
    assert report["area"]["covered_square_metres"] == pytest.approx(np.pi * 1e4, abs=0.1)
    assert report["area"]["share"] == pytest.approx(np.pi * 1e4 / 480_000, abs=1e-6)
    assert result.residences is not None
    assert result.remainder is not None
    assert result.residences["covered"].tolist() == [True] * 3 + [False] * 3
    assert np.allclose(result.residences["metres"], [0, 99, 100, 101, 600, np.hypot(900, 10)], atol=0.01)
    assert result.remainder["square_metres"].sum() == pytest.approx(480_000 - np.pi * 1e4, abs=0.1)
    assert result.remainder[["buildings", "residents"]].to_numpy().tolist() == [[3, 24]]
    json.dumps(report)


def test_covered_and_remainder_make_up_the_area() -> None:
    rng = np.random.default_rng(2)
    result = _run(facilities=_points(rng.uniform(-200, 900, (40, 2)), r=rng.uniform(20, 120, 40)), radius="r")
    assert result.remainder is not None
    shapes = [result.covered.geometry.iloc[0], *result.remainder.geometry]
    assert shapely.union_all(shapes).area == pytest.approx(480_000, abs=1e-3)
    assert sum(shape.area for shape in shapes) == pytest.approx(480_000, abs=1e-3)
    assert result.remainder["rank"].tolist() == list(range(1, len(result.remainder) + 1))
    assert (np.diff(result.remainder["square_metres"]) <= 0).all()


def test_what_only_one_facility_reaches() -> None:
    result = _run(facilities=_points([(0, 0), (150, 0)]))
    assert result.facilities["residents"].tolist() == [7, 14]
    assert result.facilities["residents_alone"].tolist() == [1, 8]


def test_radii_by_column_and_by_category() -> None:
    places = _points([(0, 0), (600, 0)], category=["speaker", "hydrant"], metres=[100, 5])
    by_column = _run(facilities=places, radius="metres")
    by_name = _run(facilities=places, radius={"speaker": 100, "hydrant": 5})
    assert (
        by_column.report["residents"] == by_name.report["residents"] == {"total": 31, "covered": 23, "share": 0.741935}
    )


def test_rows_of_the_area_have_figures_of_their_own() -> None:
    area = _area((-200, -200, 100, 200), (100, -200, 1000, 200), code=["a", "b"])
    rows = _run(area=area).areas
    assert rows is not None
    assert rows["residents"].tolist() == [7, 28]
    assert rows["residents_covered"].tolist() == [7, 4], "who lives on the border counts in both"
    assert rows["covered_square_metres"].tolist() == pytest.approx([np.pi * 1e4, 0], abs=0.1)


@pytest.mark.parametrize(("cover", "extra"), [("residents", 2), ("buildings", 3)])
def test_the_fewest_further_ones_bring_everybody_in(cover: str, extra: int) -> None:
    result = _run(cover=cover)
    told = result.report["extra"]
    assert (told["count"], told["lower_bound"], told["proven"], told["unreached"]) == (extra, extra, True, 0)
    assert told["residents"]["share"] == 1.0
    assert told["buildings"]["covered"] == (6 if cover == "buildings" else 5)
    assert result.extra is not None
    assert len(result.extra) == extra


def test_the_whole_area_is_covered() -> None:
    told = _run(cover="area", area=_area((-100, -60, 300, 60)), seconds=5.0).report["extra"]
    assert told["remainder_square_metres"] == 0
    assert told["count"] == told["lower_bound"] == 3, (
        "the two corners in the west, and the east is longer than a circle"
    )


def test_given_candidates_are_named() -> None:
    spots = _points([(101, 50), (600, 30), (0, 900)], candidate_id=["p", "q", "r"])
    result = _run(cover="residents", candidates=spots)
    assert result.extra is not None
    assert result.extra["candidate"].tolist() == ["p", "q"]
    far = _run(cover="residents", candidates=spots.iloc[:1]).report["extra"]
    assert (far["count"], far["unreached"], far["residents"]["covered"]) == (1, 1, 15)


def test_any_coordinate_system_gives_the_same() -> None:
    moved = _run(facilities=_points([(0, 0)]).to_crs(4326), area=_area((-200, -200, 1000, 200)).to_crs(3857))
    assert moved.report["residents"] == _run().report["residents"]
    assert moved.report["area"]["square_metres"] == pytest.approx(480_000, rel=1e-5)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"radius": 0}, "radius 0 is not above 0"),
        ({"radius": -5.0}, "radius -5.0 is not above 0"),
        ({"radius": float("nan")}, "radius nan is not above 0"),
        ({"radius": 1e9}, "at most 50000 metres"),
        ({"radius": "r"}, "no column r for the radius, only name, geometry"),
        ({"radius": {"speaker": 9}}, "need facilities with a column category"),
        ({"facilities": _points([(0, 0), (1, 1)], r=[10, None]), "radius": "r"}, "facilities row 2: radius nan"),
        ({"facilities": _points([(0, 0)], category=["x"]), "radius": {"y": 1}}, "category x has no radius"),
        ({"facilities": _points([])}, "the facilities layer is empty"),
        ({"residences": _points([])}, "the residences layer is empty"),
        ({"area": _points([(0, 0)])}, "no polygon with any area"),
        ({"area": _area()}, "the area layer is empty"),
        ({"cover": "everything"}, "give one of residents, buildings, area"),
        ({"cover": "area", "area": None}, "give the area as polygons"),
        ({"cover": "residents", "residences": None}, "give the residences"),
        ({"cover": "residents", "extra_radius": 0.0}, "radius of new facilities 0.0"),
        ({"tolerance": 0.0}, "tolerance 0.0 m"),
        ({"seconds": -1.0}, "time limit -1.0 s"),
        ({"residences": _points([(0, 0)], population=[-1])}, "residences row 1: population=-1"),
        ({"facilities": _points([(0, 0), (9, 9)], r=[10, 20]), "radius": "r", "cover": "area"}, "how far new ones"),
    ],
)  # fmt: skip
def test_bad_input_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        _run(**changes)


def test_odd_input_is_used_and_told() -> None:
    places = _points([(0, 0), (0, 0), (-250, 0), (5000, 0)])
    homes = _points([(0, 0), (1e5, 0)], population=[0, 0])
    homes.loc[2] = [0, None]
    result = _run(facilities=places, residences=homes, cover="residents")
    notes = " / ".join(result.report["notes"])
    for words in (
        "1 facilities stand exactly where another one stands",
        "1 facilities stand outside the area and reach into it",
        "1 facilities stand outside the area and do not reach it",
        "1 residences have no place and cannot be assessed",
        "nobody lives in any residence",
    ):
        assert words in notes
    assert result.report["residents"] == {"total": 0, "covered": 0, "share": None}
    assert result.report["extra"]["count"] == 1, "where nobody is known to live every building counts"


def test_nothing_left_needs_nothing_more() -> None:
    everything = {"radius": 2000.0, "area": _area((0, 0, 10, 10))}
    for cover in ("residents", "buildings", "area"):
        result = _run(cover=cover, **everything)
        assert result.report["extra"]["count"] == result.report["extra"]["lower_bound"] == 0
        assert result.extra is not None
        assert not len(result.extra)
