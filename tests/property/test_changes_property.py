"""Change accounting against oracles: matchings by enumeration, the churn bound by a MILP of households that move."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from planning.changes import changes, churn_bound, heirs

loads = st.lists(st.integers(0, 30), min_size=0, max_size=3)


def least_moved(old: list[int], fresh: int, count: int, low: int, high: int) -> float:
    """Flows f[i, j] of old grid i into new grid j; at most one j carries on i, and keeps f[i, j]; maximise the kept."""
    p, k = len(old), count
    sources = [*old, fresh]
    rows = p + 1
    flows, kept, links = rows * k, p * k, p * k
    size = flows + kept + links
    lines, least, most = [], [], []

    def line(entries: dict[int, float], lower: float, upper: float) -> None:
        row = np.zeros(size)
        for at, value in entries.items():
            row[at] = value
        lines.append(row)
        least.append(lower)
        most.append(upper)

    for i, load in enumerate(sources):
        line({i * k + j: 1 for j in range(k)}, load, load)
    for j in range(k):
        line({i * k + j: 1 for i in range(rows)}, low, high)
        line({flows + kept + i * k + j: 1 for i in range(p)}, 0, 1)
    for i in range(p):
        line({flows + kept + i * k + j: 1 for j in range(k)}, 0, 1)
        for j in range(k):
            at = i * k + j
            line({flows + at: 1, at: -1}, -np.inf, 0)
            line({flows + at: 1, flows + kept + at: -float(old[i])}, -np.inf, 0)
    cost = np.zeros(size)
    cost[flows : flows + kept] = -1
    whole = np.zeros(size)
    whole[flows + kept :] = 1
    upper = np.concatenate([np.full(flows + kept, np.inf), np.ones(links)])
    done = milp(
        cost, constraints=LinearConstraint(np.array(lines), least, most), bounds=Bounds(0, upper), integrality=whole
    )
    assert done.success
    return float(sum(old) + done.fun)


@settings(max_examples=150)
@given(loads, st.integers(0, 20), st.integers(1, 3), st.integers(0, 20), st.integers(1, 20))
def test_churn_bound_is_the_optimum(old: list[int], fresh: int, count: int, low: int, width: int) -> None:
    total, high = sum(old) + fresh, low + width
    bound = churn_bound(old, fresh, count, low, high)
    if count * low <= total <= count * high:
        assert bound == pytest.approx(least_moved(old, fresh, count, low, high), abs=1e-6)
    else:
        assert bound == pytest.approx(least_moved(old, fresh, count, 0, total + 1), abs=1e-6)


overlaps = st.integers(1, 4).flatmap(
    lambda p: st.integers(1, 4).flatmap(
        lambda k: st.lists(
            st.lists(st.tuples(st.sampled_from([0, 0, 1, 2, 5, 9]), st.integers(0, 3)), min_size=k, max_size=k),
            min_size=p,
            max_size=p,
        )
    )
)


@given(overlaps)
def test_heirs_are_the_heaviest_matching(table: list[list[tuple[int, int]]]) -> None:
    both = np.array(table)
    households, area = both[..., 0], both[..., 1]
    p, k = households.shape
    found = heirs(households, area)
    taken = [(i, int(j)) for i, j in enumerate(found) if j >= 0]
    assert len({j for _, j in taken}) == len(taken)
    assert all(households[pair] + area[pair] > 0 for pair in taken)
    best = max(
        (sum(households[i, j] for i, j in pairs), sum(area[i, j] for i, j in pairs))
        for order in permutations(range(max(p, k)), p)
        for pairs in [[(i, j) for i, j in enumerate(order) if j < k]]
    )
    reached = (sum(households[pair] for pair in taken), sum(area[pair] for pair in taken))
    assert reached == best


units = st.lists(
    st.tuples(st.sampled_from(["", "a", "b", "c"]), st.sampled_from(["", "1", "2", "3"]), st.integers(0, 60)),
    max_size=12,
)


@given(units, st.booleans())
def test_every_household_is_accounted_for(rows: list[tuple[str, str, int]], same_codes: bool) -> None:
    old, new, households = [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
    found = changes(old, new, households, same_codes=same_codes)
    assert found.households + found.new_households == sum(households)
    assert found.moved_households + found.kept_households == found.households
    assert sum(h for h, moves in zip(households, found.moved, strict=True) if moves) == found.moved_households
    assert found.moves["households"].sum() == found.moved_households
    assert set(found.heirs) | set(found.ends) == set(old) - {""}
    assert set(found.heirs.values()) | set(found.births) == set(new) - {""}
    for code, parts in (*found.splits, *found.merges):
        assert len(parts) > 1
        assert sum(share for *_, share in parts) <= 1 + 1e-9
        assert code in set(old) | set(new)


@given(units)
def test_nothing_moves_into_the_same_plan(rows: list[tuple[str, str, int]]) -> None:
    codes = [row[0] for row in rows]
    found = changes(codes, codes, [row[2] for row in rows])
    assert not found.moved.any()
    assert found.births == found.ends == found.splits == found.merges == ()
