"""Dates and times as callers write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gisgrid.errors import BadInput
from gisgrid.moments import coming_moment, parse_moment, past_moment

CHINA = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-03-01T08:30:00+08:00", datetime(2026, 3, 1, 0, 30, tzinfo=UTC)),
        ("2026-03-01T08:30:00 08:00", datetime(2026, 3, 1, 0, 30, tzinfo=UTC)),
        ("2026-03-01T00:30:00Z", datetime(2026, 3, 1, 0, 30, tzinfo=UTC)),
        ("2026-03-01T08:30", datetime(2026, 3, 1, 0, 30, tzinfo=UTC)),
        ("2026-02-28", datetime(2026, 2, 28, 15, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_moments(text: str, wanted: datetime) -> None:
    assert parse_moment(text, name="at", zone=CHINA) == wanted


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01", "0001-01-01T00:00:00", "9999-12-31T23:59:59-12:00", "1" * 10_000]
)
def test_what_is_no_moment_is_refused_in_one_short_line(text: str) -> None:
    with pytest.raises(BadInput, match="at=") as refused:
        parse_moment(text, name="at", zone=CHINA)
    assert len(refused.value.message) < 200


def test_the_future_is_refused_but_today_means_now() -> None:
    assert past_moment("2026-03-01", name="at", zone=CHINA, now=NOW) == NOW
    assert past_moment("2026-03-01T10:00:30+08:00", name="at", zone=CHINA, now=NOW) == NOW + timedelta(seconds=30)
    for text in ("2026-03-02", "2026-03-01T11:00:00+08:00", "2999-01-01"):
        with pytest.raises(BadInput, match="future"):
            past_moment(text, name="at", zone=CHINA, now=NOW)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, None),
        ("  ", None),
        ("2026-03-01", None),  # has begun
        ("2026-03-02", datetime(2026, 3, 1, 16, 0, tzinfo=UTC)),
        ("2026-03-01T10:00:00+08:00", None),
        ("2026-03-01T10:01:00+08:00", datetime(2026, 3, 1, 2, 1, tzinfo=UTC)),
    ],
)
def test_a_day_to_come_begins_when_it_begins(text: str | None, wanted: datetime | None) -> None:
    assert coming_moment(text, name="effective_at", zone=CHINA, now=NOW) == wanted


def test_what_was_over_a_day_ago_is_no_time_to_come() -> None:
    assert coming_moment("2026-03-01", name="effective_at", zone=CHINA, now=NOW) is None  # today
    with pytest.raises(BadInput, match="has been"):
        coming_moment("2025-03-01T10:00", name="effective_at", zone=CHINA, now=NOW)


def test_what_is_too_far_ahead_is_refused() -> None:
    with pytest.raises(BadInput, match="days ahead"):
        coming_moment("2100-01-01", name="effective_at", zone=CHINA, now=NOW)
