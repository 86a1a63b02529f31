"""Unusual rises: grids whose reports of a class in the last days are more than earlier days let expect.

The expectation. The period before the window is cut into earlier windows of the same length, back from it. A grid's
expected number is its own earlier number times what the *other* grids did meanwhile: their reports of the class in the
window over those in the earlier windows. Season, weekdays, holidays and weather move all grids alike, so they are in
the ratio and need no model. A rise of the whole area does not show in it: the area as one is tested besides, against
its own earlier windows, with days weighted by the class's weekdays.

The test. Given what a grid had earlier (b) and what its ratio r is, a Poisson count y in the window is compared by the
exact conditional test of two Poisson rates (C-test: Przyborowski and Wilenski 1940): p = I(r / (1 + r); y, b + 1), I
the regularised incomplete beta function; the same as a negative binomial prediction. Reports come in bursts: how much
more than Poisson they vary is estimated for each class from the earlier windows (Pearson's chi-square over its degrees
of freedom, never below 1), and all counts are divided by it (Rao and Scott 1992). As the ratio is itself counted
from the other grids, the dispersion is raised by 1 + expected / their number in the window. Over all tests the false
discovery rate is kept (Benjamini and Hochberg 1995). Alternatives, where series are long: EARS C1–C3 (Hutwagner et
al. 2003), Farrington (1996; Noufaily et al. 2013), scan statistics (Kulldorff 1997).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betainc

from gisgrid.errors import BadInput
from planning.heat.events import Events, Floats, Ints, Span, day_of, weekdays_of
from planning.heat.fdr import adjusted

DAYS: Final = 14
WINDOWS_MOST: Final = 26
WINDOWS_LEAST: Final = 4
"""Fewer earlier windows tell too little of what is usual."""
DAYS_RANGE: Final = (1, 92)
OBSERVED_LEAST: Final = 3
"""Fewer reports in the window are never flagged: nobody acts on one or two."""
OTHERS_LEAST: Final = 5
"""Grids needed beside one for what the others did to say anything."""
TEST: Final = "exact conditional test of two Poisson rates (C-test), counts over the class's dispersion (Rao-Scott)"


@dataclass(frozen=True, slots=True)
class Rises:
    """``rows``: one a tested grid (-1: all grids as one) and class, with observed, expected, ratio, dispersion, p, q,
    flagged. ``window``, ``earlier``: days looked at and days compared with."""

    rows: pd.DataFrame
    window: Span
    earlier: Span
    facts: dict[str, Any]


def rises(
    events: Events,
    grids: int,
    classes: npt.NDArray[np.int64],
    count: int,
    span: Span,
    *,
    days: int = DAYS,
    alpha: float = 0.05,
) -> Rises:
    """Rises in the last ``days`` of a period, by grid (0 … ``grids`` - 1) and class.

    ``classes``: (n,) class of each event, 0 … ``count`` - 1. Events in no grid count nowhere. Raises BadInput for days
    or alpha out of range, or where the period holds less than `WINDOWS_LEAST` earlier windows.
    """
    if not DAYS_RANGE[0] <= days <= DAYS_RANGE[1]:
        raise BadInput(f"days={days}: give {DAYS_RANGE[0]} to {DAYS_RANGE[1]}")
    if not 0 < alpha < 1:
        raise BadInput(f"alpha={alpha:g}: give a number above 0 and below 1")
    windows = min(span.days // days - 1, WINDOWS_MOST)
    if windows < WINDOWS_LEAST:
        raise BadInput(
            f"the period of {span.days} days holds {max(windows, 0)} windows of {days} days before the last; "
            f"{WINDOWS_LEAST} are needed: give less days or a longer period"
        )
    last = span.numbers[1]
    first = last - days * (windows + 1) + 1
    used = (events.day >= first) & (events.day <= last) & (events.grid >= 0)
    step = (last - events.day[used]) // days  # 0 for the window, then back
    flat = (classes[used] * grids + events.grid[used]) * (windows + 1) + step
    table = np.bincount(flat, minlength=count * grids * (windows + 1)).reshape(count, grids, windows + 1)
    rows = pd.concat(
        [*(_of_grids(table[c], c) for c in range(count)), _of_all(table, events, classes, used, first, days)],
        ignore_index=True,
    )
    rows["q"] = adjusted(rows["p"].to_numpy())
    rows["flagged"] = (rows["q"] <= alpha) & (rows["observed"] >= OBSERVED_LEAST)
    rows = rows.sort_values(["flagged", "p", "observed"], ascending=[False, True, False], kind="stable")
    window = Span(day_of(last - days + 1), day_of(last))
    facts = {
        "test": TEST, "correction": "Benjamini-Hochberg", "alpha": alpha, "least": OBSERVED_LEAST, "tests": len(rows),
        "windows": windows, "days": days,
    }  # fmt: skip
    return Rises(rows, window, Span(day_of(first), window.first - timedelta(days=1)), facts)


def _of_grids(table: Ints, kind: int) -> pd.DataFrame:
    """Tests of the grids of one class. ``table``: (grids, windows + 1), the window first."""
    now, before = table[:, 0].astype(float), table[:, 1:].sum(axis=1).astype(float)
    others_now, others_before = now.sum() - now, before.sum() - before
    some = (now + before > 0) & (others_now > 0) & (others_before > 0)
    # where a class is found in few grids only, the others say nothing of them
    if np.count_nonzero(table.sum(axis=1)) <= OTHERS_LEAST:
        some[:] = False
    rows = np.flatnonzero(some)
    ratio = others_now[rows] / others_before[rows]
    expected = before[rows] * ratio
    spread = dispersion(table[:, 1:]) * (1 + expected / others_now[rows])
    return _tested(rows, kind, now[rows], before[rows], ratio, spread)


def _of_all(
    table: Ints, events: Events, classes: Ints, used: npt.NDArray[np.bool_], first: int, days: int
) -> pd.DataFrame:
    """Tests of all grids as one, by class, against their own earlier windows."""
    counts = table.sum(axis=1)  # (classes, windows + 1)
    windows = counts.shape[1] - 1
    back = (np.arange(days * (windows + 1)) // days)[::-1]
    weekday = weekdays_of(first + np.arange(days * (windows + 1)))
    found = []
    for kind in np.flatnonzero(counts.sum(axis=1)):
        held = events.day[used & (classes == kind)]
        earlier = weekdays_of(held[held < first + days * windows])
        seen = np.bincount(earlier, minlength=7) / np.maximum(np.bincount(weekday[back > 0], minlength=7), 1)
        exposure = np.bincount(back, weights=seen[weekday], minlength=windows + 1)
        now, before = counts[kind, :1].astype(float), counts[kind, 1:].sum(keepdims=True).astype(float)
        if not exposure[1:].sum() > 0 or not exposure[0] > 0:
            continue
        fitted = before * exposure[1:] / exposure[1:].sum()
        spread = np.array([max(1.0, _pearson(counts[kind, 1:], fitted) / (windows - 1))])
        found.append(_tested(np.array([-1]), int(kind), now, before, exposure[:1] / exposure[1:].sum(), spread))
    return pd.concat(found, ignore_index=True) if found else _tested(*([np.zeros(0)] * 6))


def dispersion(table: Ints) -> float:
    """How much more than Poisson the cells of a table vary about what its margins tell; at least 1.

    ``table``: (grids, windows). Pearson's chi-square over its degrees of freedom.
    """
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    free = (table.shape[0] - 1) * (table.shape[1] - 1)
    if free <= 0:
        return 1.0
    fitted = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    return max(1.0, _pearson(table, fitted) / float(free))


def _pearson(counts: Any, fitted: Any) -> float:
    expected = np.asarray(fitted, dtype=np.float64)
    known = expected > 0
    return float(np.sum(np.square(np.asarray(counts)[known] - expected[known]) / expected[known]))


def _tested(rows: Any, kind: Any, now: Floats, before: Floats, ratio: Floats, spread: Floats) -> pd.DataFrame:
    p = betainc(np.maximum(now, 1e-9) / spread, before / spread + 1, ratio / (1 + ratio))
    expected = before * ratio
    return pd.DataFrame({
        "grid": np.asarray(rows, dtype=np.int64), "kind": np.full(len(now), kind, dtype=np.int64),
        "observed": now.astype(np.int64), "expected": expected, "earlier": before.astype(np.int64),
        "ratio": np.divide(now, expected, out=np.full(len(now), np.nan), where=expected > 0), "dispersion": spread,
        "p": np.where(now > 0, p, 1.0),
    })  # fmt: skip
