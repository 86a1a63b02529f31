"""Measures of a division, against shapes whose figures are known and against direct computation."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from gisgrid import metrics
from gisgrid.models import Band


def _lattice(columns: int, rows: int, side: float = 100.0) -> np.ndarray:
    x, y = np.meshgrid(np.arange(columns) * side, np.arange(rows) * side)
    return shapely.box(x.ravel(), y.ravel(), x.ravel() + side, y.ravel() + side)


def test_compactness_of_known_shapes() -> None:
    shapes = [shapely.Point(0, 0).buffer(50, quad_segs=200), shapely.box(0, 0, 10, 10), shapely.box(0, 0, 100, 1)]
    found = metrics.compactness(shapes)
    assert found[0] == pytest.approx(1, abs=1e-4)
    assert found[1] == pytest.approx(np.pi / 4)
    assert found[2] == pytest.approx(4 * np.pi * 100 / 202**2)
    assert metrics.compactness_of([0.0], [0.0]).tolist() == [0.0]


def test_balance_against_the_definition() -> None:
    households = np.array([250, 300, 410, 500, 640])
    found = metrics.balance(households, Band(300, 500))
    assert found.mean == pytest.approx(420)
    assert found.mean_deviation == pytest.approx(np.abs(households - 420).mean() / 420)
    assert found.max_deviation == pytest.approx(220 / 420)
    assert found.in_band == pytest.approx(3 / 5)
    assert found.outside_band == 50 + 140


def test_balance_of_nothing() -> None:
    assert metrics.balance([], Band(300, 500)).in_band == 1.0
    assert metrics.balance([0, 0], Band(0, 5)).max_deviation == 0


def test_boundary_on_streets_counts_each_metre_once() -> None:
    grids = _lattice(4, 3)
    streets = [shapely.LineString([(100, -50), (100, 350)]), shapely.LineString([(-50, 101.5), (450, 101.5)])]
    found = metrics.boundary_on_streets(grids, streets)
    assert found.metres == pytest.approx(3 * 300 + 2 * 400)
    assert found.on_streets == pytest.approx(300 + 400)
    assert metrics.boundary_on_streets(grids, streets, tolerance=1.0).on_streets == pytest.approx(300)
    assert metrics.boundary_on_streets(grids[:1], streets).share == 1.0
    assert metrics.boundary_on_streets(grids, []).on_streets == 0


def test_compounds_split_against_a_plain_count() -> None:
    rng = np.random.default_rng(11)
    compounds = rng.choice(np.array(["a", "b", "c", "d", None], dtype=object), 200)
    grids, households = rng.integers(0, 3, 200), rng.integers(0, 3, 200)
    grids[compounds == "d"] = 1
    high = 45.0
    fitting = split = 0
    for name in ("a", "b", "c", "d"):
        mine = (compounds == name) & (households > 0)
        if households[mine].sum() <= high:
            fitting += 1
            split += len(set(grids[mine])) > 1
    assert metrics.compounds_split(compounds, grids, households, high) == (fitting, split)
    assert fitting > split > 0
    assert metrics.compounds_split([None, None], [0, 1], [3, 3], 500) == (0, 0)
