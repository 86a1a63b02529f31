"""Patterns against plain counting by the calendar, on clocks that are changed too."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scipy import stats

from gisgrid.errors import BadInput
from planning.heat import Events, Span, frames_of, make_events, patterns
from planning.heat.patterns import hour_exposure

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def events(seconds: np.ndarray, zone: ZoneInfo) -> Events:
    zero = np.zeros(len(seconds))
    return make_events(zero, zero, seconds, zero, [("a", "b")], zero, zone)


@pytest.mark.parametrize("zone", [SHANGHAI, BERLIN])
def test_days_and_hours_are_those_of_the_local_clock(zone: ZoneInfo) -> None:
    rng = np.random.default_rng(1)
    begin = int(datetime(2024, 10, 1, tzinfo=UTC).timestamp())
    seconds = begin + rng.integers(0, 200 * 86_400, 800)
    found = events(seconds, zone)
    local = [datetime.fromtimestamp(int(at), zone) for at in seconds]
    assert found.hour.tolist() == [at.hour for at in local]
    assert found.day.tolist() == [(at.date() - date(1970, 1, 1)).days for at in local]


def test_rates_are_over_the_days_there_were() -> None:
    span = Span(date(2025, 1, 1), date(2025, 3, 10))  # ten weeks but a day: weekdays are not equally many
    days = [span.first + timedelta(days=k) for k in range(span.days)]
    noon = np.array([int(datetime(d.year, d.month, d.day, 12, tzinfo=SHANGHAI).timestamp()) for d in days])
    found = patterns(events(np.repeat(noon, 2), SHANGHAI), span, SHANGHAI)
    assert found["month"]["exposure"].tolist()[:4] == [31, 28, 10, 0]
    assert found["month"]["rate"].tolist()[:3] == [2, 2, 2]
    assert np.isnan(found["month"]["rate"][3])
    weekday = found["weekday"]
    assert weekday["exposure"].tolist() == [sum(d.weekday() == k for d in days) for k in range(7)]
    assert weekday["rate"].tolist() == [2.0] * 7
    assert weekday["index"].tolist() == [1.0] * 7
    assert found["hour"]["rate"][12] == 2
    assert found["hour"]["reports"].sum() == 2 * span.days


def test_a_changed_clock_has_its_hours_once_twice_or_not() -> None:
    autumn = hour_exposure(Span(date(2024, 10, 27), date(2024, 10, 27)), BERLIN)
    assert autumn.sum() == 25
    assert autumn[6, 2] == 2
    spring = hour_exposure(Span(date(2025, 3, 30), date(2025, 3, 30)), BERLIN)
    assert spring.sum() == 23
    assert spring[6, 2] == 0
    assert (hour_exposure(Span(date(2025, 6, 2), date(2025, 6, 8)), SHANGHAI) == 1).all()


def test_ranges_are_garwoods() -> None:
    span = Span(date(2025, 5, 5), date(2025, 5, 11))
    at = int(datetime(2025, 5, 7, 9, tzinfo=SHANGHAI).timestamp())
    row = patterns(events(np.full(7, at), SHANGHAI), span, SHANGHAI)["weekday"].loc[2]
    assert stats.poisson.sf(6, row["low"]) == pytest.approx(0.025)
    assert stats.poisson.cdf(7, row["high"]) == pytest.approx(0.025)
    assert patterns(events(np.full(7, at), SHANGHAI), span, SHANGHAI)["weekday"]["low"][0] == 0


def test_frames_are_calendar_months_and_weeks() -> None:
    span = Span(date(2025, 1, 15), date(2025, 3, 31))
    months = frames_of(span, "month")
    assert [(f.span.first.isoformat(), f.span.days, f.whole) for f in months] == [
        ("2025-01-15", 17, False), ("2025-02-01", 28, True), ("2025-03-01", 31, True),
    ]  # fmt: skip
    weeks = frames_of(span, "week")
    assert sum(f.span.days for f in weeks) == span.days
    assert all(f.span.first.weekday() == 0 and f.span.days == 7 for f in weeks if f.whole)


def test_what_is_no_period_or_weight_is_refused() -> None:
    with pytest.raises(BadInput, match="ends before"):
        Span(date(2025, 2, 1), date(2025, 1, 1))
    with pytest.raises(BadInput, match="report 2: weight"):
        make_events([0, 0], [0, 0], [0, 0], [0, 0], [("", "")], [0, 0], SHANGHAI, weight=[1, np.nan])
