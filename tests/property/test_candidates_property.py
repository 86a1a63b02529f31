"""Probabilities of candidate grids on random divisions of the plane."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.locate import GridIndex, candidates
from gisgrid.locate.around import gaussian_share
from gisgrid.locate.sure import LEAST_SHARE, sigma_of

BOX = shapely.box(0.0, 0.0, 100.0, 100.0)
places = st.tuples(st.floats(-20, 120), st.floats(-20, 120))


def division(seed: int, count: int) -> list[shapely.Polygon]:
    """Voronoi cells of random points, cut at the box."""
    points = shapely.MultiPoint(np.random.default_rng(seed).uniform(0, 100, (count, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=BOX))
    return [cell for cell in shapely.intersection(cells, BOX) if cell.area > 1e-9]


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(2, 40), places, st.floats(0.1, 80.0))
def test_shares_of_a_division_add_up_to_that_of_the_whole(
    seed: int, count: int, place: tuple[float, float], accuracy: float
) -> None:
    cells = division(seed, count)
    index = GridIndex.build(cells, [f"{n:03d}" for n in range(len(cells))])
    found = candidates(index, [place[0]], [place[1]], accuracy, metres=False)
    sigma = float(sigma_of(accuracy)[0])
    whole = GridIndex.build([BOX], ["0"])
    inside = gaussian_share(0, *place, 1.0, 1.0, sigma, whole.rings())
    assert abs((1.0 - found.outside[0]) - inside) < 1e-5
    each = [gaussian_share(row, *place, 1.0, 1.0, sigma, index.rings()) for row in range(len(cells))]
    assert abs(sum(each) - inside) < 1e-9
    told = dict(zip(found.row.tolist(), found.probability.tolist(), strict=True))
    assert set(told) == {row for row, share in enumerate(each) if share >= LEAST_SHARE}
    assert list(told.values()) == sorted(told.values(), reverse=True)


@settings(max_examples=40)
@given(st.integers(0, 10_000), places, st.floats(0.1, 50.0), st.floats(0.1, 100.0))
def test_scale_and_accuracy_grow_together(
    seed: int, place: tuple[float, float], accuracy: float, factor: float
) -> None:
    cells = division(seed, 12)
    codes = [f"{n:03d}" for n in range(len(cells))]
    small = candidates(GridIndex.build(cells, codes), [place[0]], [place[1]], accuracy, metres=False)
    grown = [shapely.transform(cell, lambda xy: xy * factor) for cell in cells]
    if accuracy * factor > 5_000:
        return
    large = candidates(
        GridIndex.build(grown, codes), [place[0] * factor], [place[1] * factor], accuracy * factor, metres=False
    )
    np.testing.assert_allclose(small.outside, large.outside, atol=1e-6)
    shares = [dict(zip(one.row.tolist(), one.probability.tolist(), strict=True)) for one in (small, large)]
    for row in shares[0].keys() & shares[1].keys():
        assert abs(shares[0][row] - shares[1][row]) < 1e-7
