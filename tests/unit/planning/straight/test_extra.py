"""The fewest further facilities, against brute force."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import shapely
from scipy.sparse import csr_array

from gisgrid.errors import BadInput
from planning.straight import extra_for_area, extra_for_points, fewest_points, planar_places, union
from planning.straight.covering import cover_points


def _least_sets(sets: Any) -> int:
    """The size of the least cover, by trying every combination of rows."""
    rows = range(len(sets))
    return next(k for k in range(1, len(sets) + 1) if any(sets[list(c)].any(axis=0).all() for c in itertools.combinations(rows, k)))  # fmt: skip


def _crossings(xy: Any, radius: float) -> Any:
    """The points and all crossings of the circles about them (Church 1984), one by one."""
    out = [*xy]
    for a, b in itertools.combinations(xy, 2):
        d = np.hypot(*(b - a))
        if 0 < d <= 2 * radius:
            side = np.array([a[1] - b[1], b[0] - a[0]]) / d * np.sqrt(max(radius**2 - d**2 / 4, 0.0))
            out += [(a + b) / 2 + side, (a + b) / 2 - side]
    return np.array(out)


def _reach(places: Any, xy: Any, radius: float) -> Any:
    return np.hypot(*(places[:, None] - xy[None]).transpose(2, 0, 1)) <= radius + 1e-6


@pytest.mark.parametrize("seed", range(60))
def test_set_covering_is_the_least_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sets = rng.random((rng.integers(1, 10), rng.integers(1, 9))) < rng.uniform(0.1, 0.6)
    sets[rng.integers(0, len(sets), sets.shape[1]), np.arange(sets.shape[1])] = True
    cover = fewest_points(csr_array(sets.astype(np.int8)))
    assert sets[cover.rows].any(axis=0).all()
    assert len(cover.rows) == cover.lower_bound == _least_sets(sets)
    assert cover.proven


def test_a_demand_nobody_reaches_is_refused() -> None:
    with pytest.raises(BadInput, match="demand 2 is reached by no candidate"):
        fewest_points(csr_array(np.array([[1, 0], [1, 0]])))


def test_without_time_the_answer_is_a_cover_with_its_bound() -> None:
    rng = np.random.default_rng(3)
    sets = rng.random((40, 60)) < 0.12
    sets[rng.integers(0, 40, 60), np.arange(60)] = True
    quick, best = (fewest_points(csr_array(sets.astype(np.int8)), seconds=time) for time in (1e-9, 60.0))
    assert sets[quick.rows].any(axis=0).all()
    assert quick.lower_bound <= best.lower_bound == len(best.rows) <= len(quick.rows)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("lattice", [False, True], ids=["scattered", "on a lattice"])
def test_places_in_the_plane_are_the_fewest(seed: int, lattice: bool) -> None:
    """On a lattice many distances are equal, some exactly twice the radius."""
    rng = np.random.default_rng(seed)
    count, radius = int(rng.integers(1, 9)), 100.0 if lattice else 120.0
    xy = rng.integers(0, 5, (count, 2)) * 100.0 if lattice else rng.uniform(0, 500, (count, 2))
    found = extra_for_points(xy, radius)
    sets = np.unique(_reach(_crossings(xy, radius), xy, radius), axis=0)
    assert _reach(found.xy, xy, radius).any(axis=0).all()
    assert len(found.xy) == found.lower_bound == _least_sets(sets)


@pytest.mark.parametrize("seed", range(6))
def test_every_set_of_points_one_place_reaches_is_found(seed: int) -> None:
    """Reaches of their own: sampled places never reach more than some candidate does."""
    rng = np.random.default_rng(seed)
    xy, reach = rng.uniform(0, 300, (7, 2)), rng.uniform(20, 160, 7)
    places = planar_places(xy, reach)
    assert places.suffice
    found = places.reaches.toarray() > 0
    away = np.hypot(*(places.xy[:, None] - xy[None]).transpose(2, 0, 1))
    assert (away[found] <= np.broadcast_to(reach, away.shape)[found] + 1e-5).all()
    tried = rng.uniform(-50, 350, (4000, 2))
    sets = np.unique(np.hypot(*(tried[:, None] - xy[None]).transpose(2, 0, 1)) <= reach, axis=0)
    assert all((found | ~one).all(axis=1).any() for one in sets)


def test_a_sample_that_grows_gives_the_least_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    xy = np.random.default_rng(8).uniform(0, 900, (60, 2))
    whole = cover_points(xy, np.full(60, 200.0), seconds=30)
    monkeypatch.setattr("planning.straight.covering.SAMPLE_FIRST", 8)
    monkeypatch.setattr("planning.straight.covering.SAMPLE_MORE", 4)
    grown = cover_points(xy, np.full(60, 200.0), seconds=30)
    assert _reach(grown.xy, xy, 200.0).any(axis=0).all()
    assert len(whole.xy) == whole.lower_bound == len(grown.xy) == grown.lower_bound


def test_given_candidates_and_what_none_of_them_reaches() -> None:
    xy = np.array([[0.0, 0.0], [100.0, 0.0], [900.0, 0.0]])
    found = extra_for_points(xy, 60.0, candidates=np.array([[0.0, 0.0], [100.0, 0.0], [50.0, 0.0]]))
    assert found.candidates is not None
    assert found.candidates.tolist() == [2]
    assert found.unreached.tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("area", "least"),
    [
        (shapely.Point(5, 5).buffer(95.0), 1),
        (shapely.box(0, 0, 140, 140), 1),
        (shapely.union(shapely.box(0, 0, 50, 50), shapely.box(900, 0, 950, 50)), 2),
        (shapely.box(0, 0, 300, 40), 2),
    ],
)
def test_areas_whose_least_cover_is_known(area: Any, least: int) -> None:
    found = extra_for_area(area, 100.0, seconds=5)
    assert len(found.xy) == found.lower_bound == least
    assert shapely.difference(area, union(found.xy, np.full(least, 100.0))).is_empty


def test_an_area_with_a_hole_is_covered_to_the_last_spot() -> None:
    area = shapely.Point(0, 0).buffer(320).difference(shapely.Point(0, 0).buffer(180))
    found = extra_for_area(area, 120.0, seconds=1)
    assert shapely.difference(area, union(found.xy, np.full(len(found.xy), 120.0))).area == 0
    assert 0 < found.lower_bound <= len(found.xy) <= 12


def test_a_large_area_takes_a_honeycomb() -> None:
    area = shapely.box(0, 0, 2400, 1600)
    found = extra_for_area(area, 60.0, seconds=0.5)
    assert shapely.difference(area, union(found.xy, np.full(len(found.xy), 60.0))).area < 1e-6
    assert found.lower_bound >= 3.84e6 / (np.pi * 3600)
    assert len(found.xy) < 1.25 * 3.84e6 / (1.5 * np.sqrt(3) * 3600), "one hexagon each, and the rim"
