"""Candidate grids and their probabilities, against closed forms, SciPy and a fine raster."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from scipy import special, stats

from gisgrid.errors import BadInput
from gisgrid.limits import ACCURACY_METRES_MAX
from gisgrid.locate import GridIndex, candidates
from gisgrid.locate.around import owens_t
from gisgrid.locate.sure import LEAST_SHARE, sigma_of

SQUARES = [shapely.box(i * 10, j * 10, i * 10 + 10, j * 10 + 10) for i in range(5) for j in range(5)]
CODES = [f"{n:02d}" for n in range(25)]


def raster_shares(index: GridIndex, x: float, y: float, sigma: float, step: float = 0.01) -> dict[int, float]:
    """Share of the Gaussian each grid owns, by the owner rule on a fine raster."""
    side = np.arange(-5.0, 5.0, step) + step / 2
    weight = stats.norm.pdf(side) * step
    east, north = np.meshgrid(x + side * sigma, y + side * sigma)
    rows = index.rows(east.ravel(), north.ravel())
    mass = np.outer(weight, weight).ravel()
    return {int(row): float(mass[rows == row].sum()) for row in np.unique(rows)}


def test_owens_t_equals_scipy() -> None:
    rng = np.random.default_rng(1)
    h = np.concatenate([rng.uniform(-9, 9, 2000), [0.0, 1e-300, 8.999, 9.001, 40.0]])
    a = np.concatenate([rng.normal(0, 1, 1000), rng.standard_cauchy(1000) * 100, [0.0, 1e300, 1.0, -1.0, np.inf]])
    ours = np.array([owens_t(*pair) for pair in zip(h, a, strict=True)])
    np.testing.assert_allclose(ours, special.owens_t(h, a), atol=1e-14)


def test_shares_of_squares_are_products_of_normal_distributions() -> None:
    index = GridIndex.build(SQUARES, CODES)
    rng = np.random.default_rng(2)
    x, y, accuracy = rng.uniform(-5, 55, 300), rng.uniform(-5, 55, 300), rng.uniform(0.5, 40, 300)
    found = candidates(index, x, y, accuracy, metres=False)
    sigma = sigma_of(accuracy)
    bounds = shapely.bounds(SQUARES)[found.row]
    sides = [
        stats.norm.cdf(bounds[:, 2 + axis], at[found.point], sigma[found.point])
        - stats.norm.cdf(bounds[:, axis], at[found.point], sigma[found.point])
        for axis, at in ((0, x), (1, y))
    ]
    np.testing.assert_allclose(found.probability, sides[0] * sides[1], atol=1e-12)
    assert (found.probability >= LEAST_SHARE).all()
    whole = [
        stats.norm.cdf(50, at, sigma) - stats.norm.cdf(0, at, sigma) for at in (x, y)
    ]  # the five by five squares together
    np.testing.assert_allclose(found.outside, 1 - whole[0] * whole[1], atol=1e-5)


def test_the_most_probable_come_first_and_ties_by_code() -> None:
    index = GridIndex.build(
        [shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(2, 0, 3, 1)], ["c", "b", "a"]
    )
    found = candidates(index, [1.0, 2.5], [0.5, 0.5], 0.4, metres=False)
    assert found.point.tolist() == sorted(found.point.tolist())
    first = found.row[found.point == 0]
    assert first[:2].tolist() == [1, 0], "equally probable: the smaller code first"
    assert found.row[found.point == 1][0] == 2


@pytest.mark.parametrize("turned", [False, True])
def test_holes_parts_and_any_turning_of_rings(turned: bool) -> None:
    holed = shapely.Polygon([(0, 0), (8, 0), (8, 8), (0, 8)], [[(2, 2), (2, 5), (5, 5), (5, 2)]])
    other = shapely.MultiPolygon([shapely.box(2, 2, 5, 5), shapely.box(9, 0, 12, 3)])
    shapes = [shape.reverse() if turned else shape for shape in (holed, other)]
    index = GridIndex.build(shapes, ["1", "2"])
    for x, y in ((3.0, 3.5), (8.5, 1.0), (2.0, 2.0), (-1.0, 4.0)):
        found = candidates(index, [x], [y], 3.0, metres=False)
        wanted = raster_shares(index, x, y, float(sigma_of(3.0)[0]))
        for row, share in zip(found.row, found.probability, strict=True):
            assert share == pytest.approx(wanted[int(row)], abs=2e-3)
        assert found.outside[0] == pytest.approx(wanted.get(-1, 0.0), abs=2e-3)


def test_common_ground_of_overlapping_grids_counts_for_the_smallest_code() -> None:
    shapes = [shapely.box(0, 0, 10, 10), shapely.box(5, 0, 15, 10), shapely.box(4, 4, 8, 14)]
    index = GridIndex.build(shapes, ["3", "1", "2"])
    found = candidates(index, [6.0], [5.0], 2.5, metres=False)
    wanted = raster_shares(index, 6.0, 5.0, float(sigma_of(2.5)[0]))
    assert found.probability.sum() + found.outside[0] == pytest.approx(1.0, abs=0.011)
    for row, share in zip(found.row, found.probability, strict=True):
        assert share == pytest.approx(wanted[int(row)], abs=2e-3)


def test_degrees_are_metres_on_the_ground() -> None:
    # a grid whose eastern border lies one standard deviation east of the point: Φ(1) of it is inside
    lon, lat, metres = 116.6, 35.4, 30.0
    sigma = float(sigma_of(metres)[0])
    east = 111_319.4908 * np.cos(np.radians(lat)) / np.sqrt(1 - 0.00669438 * np.sin(np.radians(lat)) ** 2)
    index = GridIndex.build([shapely.box(116.0, 35.0, lon + sigma / east, 36.0)], ["1"])
    found = candidates(index, [lon], [lat], metres)
    assert found.probability[0] == pytest.approx(stats.norm.cdf(1.0), abs=1e-5)


def test_confidence_says_what_accuracy_means() -> None:
    rng = np.random.default_rng(3)
    for confidence in (0.5, 0.68, 0.95):
        off = rng.normal(0, sigma_of(20.0, confidence)[0], (200_000, 2))
        assert np.mean(np.hypot(*off.T) <= 20.0) == pytest.approx(confidence, abs=0.005)


def test_points_that_are_nowhere_have_no_candidates() -> None:
    index = GridIndex.build(SQUARES, CODES)
    found = candidates(index, [np.nan, np.inf, 1e300, 5.0], [5.0, 5.0, 5.0, 5.0], 1.0, metres=False)
    assert set(found.point.tolist()) == {3}
    assert np.isnan(found.outside[:2]).all()
    assert found.outside[2] == 1.0


@pytest.mark.parametrize("accuracy", [0.0, -1.0, np.nan, np.inf, ACCURACY_METRES_MAX * 1.01])
def test_accuracies_that_are_none_are_refused(accuracy: Any) -> None:
    index = GridIndex.build(SQUARES, CODES)
    with pytest.raises(BadInput, match="accuracy"):
        candidates(index, [5.0], [5.0], accuracy, metres=False)


@pytest.mark.parametrize("confidence", [0.0, 1.0, np.nan, -0.5])
def test_confidences_that_are_none_are_refused(confidence: float) -> None:
    with pytest.raises(BadInput, match="confidence"):
        sigma_of(10.0, confidence)
