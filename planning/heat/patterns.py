"""How often reports come by month of the year, day of the week and hour of the day, on the place's own clock.

A period rarely holds all months, weekdays and hours equally often. Every figure is therefore a rate over its own
exposure: the days of that month or weekday, the hours of that clock hour (a day with a changed clock has one less or
one more) in the period. Ranges are exact 95 % ones of a Poisson count (Garwood 1936).
"""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import stats

from planning.heat.events import QUARTER, Events, Floats, Ints, Span, months_of, offsets, weekdays_of

SIZES: Final = {"month": 12, "weekday": 7, "hour": 24}
CONFIDENCE: Final = 0.95


def patterns(events: Events, span: Span, zone: tzinfo) -> dict[str, pd.DataFrame]:
    """``month`` (1–12), ``weekday`` (1 Monday – 7 Sunday), ``hour`` (0–23), and ``week``: hours of weekdays.

    Each with ``reports``, ``exposure`` (days; hours of the day as days too, so that rates compare), ``rate`` (reports
    a day; of an hour: reports in that hour of a day), ``low``, ``high`` and ``index`` (rate over the mean of all).
    """
    counted = events.during(span)
    days = np.arange(span.numbers[0], span.numbers[1] + 1)
    month, weekday = months_of(counted.day), weekdays_of(counted.day)
    week = hour_exposure(span, zone)
    return {
        "month": _rates(month, np.bincount(months_of(days), minlength=12), first=1),
        "weekday": _rates(weekday, np.bincount(weekdays_of(days), minlength=7), first=1),
        "hour": _rates(counted.hour, week.sum(axis=0), first=0),
        "week": _rates(weekday * 24 + counted.hour, week.ravel(), first=0),
    }


def hour_exposure(span: Span, zone: tzinfo) -> Floats:
    """(7, 24): how many hours of each weekday and clock hour a period holds."""
    begin = datetime.combine(span.first, time(), zone).timestamp()
    end = datetime.combine(span.last + timedelta(days=1), time(), zone).timestamp()
    at = np.arange(int(begin), int(end), QUARTER, dtype=np.int64)
    local = at + offsets(at, zone)
    slot = weekdays_of(local // 86_400) * 24 + local % 86_400 // 3600
    found: Floats = np.bincount(slot, minlength=168).reshape(7, 24).astype(np.float64) * (QUARTER / 3600)
    return found


def _rates(slot: Ints, exposure: Any, *, first: int) -> pd.DataFrame:
    count = np.bincount(slot, minlength=len(exposure)).astype(np.int64)
    exposure = np.asarray(exposure, dtype=np.float64)
    known = exposure > 0
    over = np.where(known, exposure, np.nan)
    tail = (1 - CONFIDENCE) / 2
    low = np.where(count > 0, stats.chi2.ppf(tail, 2 * np.maximum(count, 1)) / 2, 0.0)
    high = stats.chi2.ppf(1 - tail, 2 * (count + 1)) / 2
    mean = count.sum() / exposure.sum() if exposure.sum() else np.nan
    rate = count / over
    return pd.DataFrame({
        "key": np.arange(len(count)) + first, "reports": count, "exposure": exposure, "rate": rate,
        "low": low / over, "high": high / over, "index": rate / mean if mean else np.full(len(count), np.nan),
    })  # fmt: skip
