"""Intensity of reports against sums over all pairs, scipy's estimate and what an edge does."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
import shapely
from scipy import stats

from gisgrid.errors import BadInput
from planning.heat import Span, bandwidth_for, breaks_of, contours, intensity, raster_for

YEAR = Span(date(2025, 1, 1), date(2025, 12, 31))
SQUARE = shapely.box(0, 0, 4_000, 3_000)


def places(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(2_000, 450, count), rng.normal(1_500, 300, count)


def centres(raster: object) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = raster.shape  # type: ignore[attr-defined]
    x0, y0, cell = raster.x0, raster.y0, raster.cell  # type: ignore[attr-defined]
    return np.meshgrid(x0 + cell * np.arange(columns), y0 + cell * np.arange(rows))


def test_quartic_is_the_sum_over_all_reports() -> None:
    x, y = places(60)
    weight = np.random.default_rng(2).uniform(0, 3, 60)
    raster = raster_for(SQUARE, "quartic", 300.0, cell=90.0, correct=False)
    px, py = centres(raster)
    square = ((px[..., None] - x) ** 2 + (py[..., None] - y) ** 2) / 300.0**2
    wanted = (np.where(square < 1, 3 / (np.pi * 300.0**2) * (1 - square) ** 2, 0) * weight).sum(axis=-1)
    found = intensity(raster, x, y, YEAR, weight=weight)
    np.testing.assert_allclose(
        found.values[raster.inside], (wanted * 1e6 / YEAR.months)[raster.inside], rtol=1e-9, atol=1e-12
    )


def test_gaussian_is_scipys_estimate() -> None:
    x, y = places(200)
    estimate = stats.gaussian_kde(np.vstack([x, y]), bw_method=0.4)
    # scipy's kernel has the covariance of the points: turn and stretch them until it is round
    turn = np.linalg.inv(np.linalg.cholesky(estimate.covariance)) * 200.0
    u, v = turn @ np.vstack([x, y])
    area = shapely.box(u.min() - 1_000, v.min() - 1_000, u.max() + 1_000, v.max() + 1_000)
    raster = raster_for(area, "gaussian", 200.0, cell=100.0, correct=False)
    px, py = centres(raster)
    back = np.linalg.inv(turn) @ np.vstack([px.ravel(), py.ravel()])
    wanted = estimate(back).reshape(px.shape) * 200 * abs(np.linalg.det(np.linalg.inv(turn))) * 1e6 / YEAR.months
    found = intensity(raster, u, v, YEAR).values
    assert np.abs(found - wanted)[raster.inside].max() < 5e-4 * wanted.max()


def test_a_corrected_edge_is_as_high_as_the_middle() -> None:
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(5, 4_000, 10.0), np.arange(5, 3_000, 10.0)))  # even
    true = 10_000 / YEAR.months
    plain = intensity(raster_for(SQUARE, "quartic", 400.0, correct=False), x, y, YEAR)
    fair = intensity(raster_for(SQUARE, "quartic", 400.0), x, y, YEAR)
    px, _ = centres(fair.raster)
    edge = fair.raster.inside & (np.minimum(px, 4_000 - px) < 60)
    assert plain.values[edge].mean() < 0.65 * true
    assert np.abs(fair.values[fair.raster.inside] / true - 1).max() < 0.01
    assert np.isnan(fair.values[~fair.raster.inside]).all()


def test_all_reports_are_counted_and_weights_count() -> None:
    x, y = places(500)
    raster = raster_for(SQUARE, "quartic", 250.0, correct=False)
    for adaptive in (False, True):
        found = intensity(raster, x, y, YEAR, adaptive=adaptive)
        total = np.nansum(found.values) * raster.cell**2 / 1e6 * YEAR.months
        assert abs(total / 500 - 1) < 0.01
    double = intensity(raster, x, y, YEAR, weight=np.full(500, 2.0))
    np.testing.assert_allclose(double.peak, 2 * intensity(raster, x, y, YEAR).peak)


def test_adaptive_is_sharper_where_reports_are_dense() -> None:
    x, y = places(2_000)
    raster = raster_for(SQUARE, "quartic", 300.0)
    assert intensity(raster, x, y, YEAR, adaptive=True).peak > 1.1 * intensity(raster, x, y, YEAR).peak


def test_silverman_by_hand() -> None:
    x, y = places(4_000, seed=5)
    spread = np.mean([min(a.std(), (np.quantile(a, 0.75) - np.quantile(a, 0.25)) / 1.34) for a in (x, y)])
    wanted = spread * 4_000 ** (-1 / 6)
    assert bandwidth_for(x, y, "gaussian") == pytest.approx(wanted, rel=2e-3)
    assert bandwidth_for(x, y, "quartic") == pytest.approx(np.sqrt(8) * wanted, rel=2e-3)
    with pytest.raises(BadInput, match="less than two"):
        bandwidth_for(x[:1], y[:1], "quartic")


def test_contours_hold_what_is_above_their_step() -> None:
    x, y = places(800)
    surface = intensity(raster_for(SQUARE, "quartic", 300.0), x, y, YEAR)
    breaks = breaks_of(surface.peak)
    assert list(breaks) == sorted(set(breaks))
    found = contours(surface, breaks, "EPSG:4527", SQUARE)
    px, py = centres(surface.raster)
    for low, high, shape in zip(found["low"], found["high"].fillna(np.inf), found.geometry, strict=True):
        inside = shapely.contains_xy(shape.buffer(-1e-6), px, py)
        values = surface.values[inside]
        assert ((values >= low - 1e-9) & (values <= high + 1e-9)).all()
    assert breaks_of(0.0) == ()


def test_contours_fill_the_area_to_its_edge() -> None:
    """A slanting edge between cells: nothing is left out, nothing lies beyond, no step over another."""
    rng = np.random.default_rng(4)
    x, y = rng.uniform(-600, 4_600, 3_000), rng.uniform(-600, 3_600, 3_000)
    lake = shapely.Point(SQUARE.centroid).buffer(170)
    area = shapely.affinity.rotate(SQUARE, 11, origin="centroid").difference(lake)
    surface = intensity(raster_for(area, "quartic", 600.0), x, y, YEAR)
    lowest = float(np.nanmin(surface.values))
    assert lowest > 0
    steps = [lowest / 2, (2 * lowest + surface.peak) / 3, (lowest + 2 * surface.peak) / 3]
    found = contours(surface, steps, "EPSG:4527", area)
    assert found.geometry.geom_type.isin(["Polygon", "MultiPolygon"]).all()
    assert found.geometry.union_all().symmetric_difference(area).area < 1e-3
    assert found.geometry.area.sum() == pytest.approx(area.area)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kernel": "cone"}, "kernel"),
        ({"bandwidth": 1.0}, "bandwidth"),
        ({"cell": 0.1}, "cells"),
        ({"cell": -1.0}, "cell"),
        ({"area": shapely.Polygon()}, "empty"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change: dict[str, object], said: str) -> None:
    asked: dict[str, object] = {"area": SQUARE, "kernel": "quartic", "bandwidth": 300.0} | change
    with pytest.raises(BadInput, match=said):
        raster_for(**asked)  # type: ignore[arg-type]
