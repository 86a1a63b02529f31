"""Gi* against its formula, p against PySAL's own permutations, rates against Marshall's."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
import shapely

from planning.heat import Span, hot_spots
from planning.heat.fdr import adjusted
from planning.heat.hotspots import permuted, touching

MONTH = Span(date(2025, 4, 1), date(2025, 4, 30))
SIDE = 12


def board() -> np.ndarray:
    made = [shapely.box(c * 100, r * 100, c * 100 + 100, r * 100 + 100) for r in range(SIDE) for c in range(SIDE)]
    return np.array(made, dtype=object)


def planted(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    households = rng.integers(250, 550, SIDE * SIDE)
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    share = np.where((row < 4) & (column < 4), 0.14, 0.04)
    return households, rng.poisson(households * share)


def test_z_is_the_formula() -> None:
    households, reports = planted()
    households[[5, 77]] = 0
    found = hot_spots(board(), households, reports, MONTH).rows
    lived = households > 0
    rate = 1000 * reports[lived] / households[lived] / MONTH.months
    shapes = board()[lived]
    weights = np.array([[float(a.distance(b) < 0.01) for b in shapes] for a in shapes])  # itself and all it touches
    n, mean = len(rate), rate.mean()
    deviation = np.sqrt((rate**2).mean() - mean**2)
    total, squares = weights.sum(axis=1), (weights**2).sum(axis=1)
    wanted = (weights @ rate - mean * total) / (deviation * np.sqrt((n * squares - total**2) / (n - 1)))
    np.testing.assert_allclose(found["z"].to_numpy()[lived], wanted, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found["rate"].to_numpy()[lived], rate)


def test_the_planted_corner_is_hot_and_nothing_far_from_it() -> None:
    households, reports = planted()
    found = hot_spots(board(), households, reports, MONTH)
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    hot = found.rows["spot"].str.startswith("hot").to_numpy()
    assert hot[(row < 4) & (column < 4)].all()
    assert not hot[(row > 5) | (column > 5)].any()
    assert found.facts["correction"] == "Benjamini-Hochberg"


def test_without_spots_few_are_called() -> None:
    called = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        households = rng.integers(250, 550, SIDE * SIDE)
        found = hot_spots(board(), households, rng.poisson(households * 0.05), MONTH, permutations=999, seed=seed).rows
        called += bool((found["q"] <= 0.05).any())
    assert called <= 5  # 1.5 expected; 5 or fewer in 99.6 % of such runs


def test_p_agrees_with_pysal() -> None:
    esda = pytest.importorskip("esda.getisord")
    weights = pytest.importorskip("libpysal.weights")
    households, reports = planted(3)
    rate, near = reports / households, touching(board())
    ours = permuted(rate, near, 4_999, 1)
    # by plain numpy: for each grid its own draws
    rng = np.random.default_rng(9)
    for row in (0, 30, 100):
        sums = np.array([rng.choice(rate, len(near[row]) + 1, replace=False).sum() for _ in range(4_000)])
        true = rate[[row, *near[row]]].sum()
        share = min((sums >= true).mean(), (sums <= true).mean())
        assert ours[row] == pytest.approx(min(1, 2 * share), abs=0.04)
    found = esda.G_Local(rate, weights.W(near, silence_warnings=True), transform="B", star=True, permutations=0)
    # rates are no normal numbers, but both put the grids in the same order
    inner = np.array([len(near[row]) == 8 for row in range(len(rate))])
    assert np.corrcoef(ours[inner], np.minimum(1, 2 * found.p_norm)[inner])[0, 1] > 0.97


def test_same_seed_same_answer() -> None:
    households, reports = planted()
    one, other = (hot_spots(board(), households, reports, MONTH, seed=7).rows for _ in range(2))
    assert one.equals(other)


def test_small_grids_are_smoothed_by_marshall() -> None:
    households, reports = planted()
    households[0], reports[0] = 4, 3
    found = hot_spots(board(), households, reports, MONTH, smooth=True).rows
    rate, mean = reports / households, reports.sum() / households.sum()
    spread = (households * (rate - mean) ** 2).sum() / households.sum() - mean / households.mean()
    share = spread / (spread + mean / households)
    wanted = 1000 * (share * rate + (1 - share) * mean) / MONTH.months
    np.testing.assert_allclose(found["smoothed"], wanted)
    assert found["smoothed"][0] < 0.2 * found["rate"][0]


def test_what_has_no_rate_is_said() -> None:
    households, reports = planted()
    households[3] = 0
    found = hot_spots(board(), households, reports, MONTH)
    assert found.rows["spot"][3] == "not_rated"
    assert np.isnan(found.rows["rate"][3])
    assert np.isnan(found.rows["z"][3])
    assert found.facts["not_rated"] == 1
    few = hot_spots(board()[:5], np.full(5, 300), np.arange(5), MONTH)
    assert few.rows["z"].isna().all()
    assert "8" in few.facts["reason"]
    even = hot_spots(board(), np.full(SIDE**2, 300), np.full(SIDE**2, 3), MONTH)
    assert even.facts["reason"] == "all grids have the same rate"


def test_corners_and_unlike_borders_are_shared() -> None:
    # a long side against two short ones, whose common vertex it lacks
    shapes = np.array(
        [shapely.box(0, 0, 1, 2), shapely.box(1, 0, 2, 1), shapely.box(1, 1, 2, 2), shapely.box(9, 9, 10, 10)]
    )
    assert touching(shapes) == {0: [1, 2], 1: [0, 2], 2: [0, 1], 3: []}


def test_q_is_benjamini_and_hochberg() -> None:
    p = np.array([0.01, 0.02, 0.03, 0.5, np.nan])
    np.testing.assert_allclose(adjusted(p)[:4], [0.04, 0.04, 0.04, 0.5])
    assert np.isnan(adjusted(p)[4])
