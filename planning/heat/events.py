"""Reports as arrays: where (metres), when (days and hours of the place's own clock), of which class, in which grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

import numpy as np
import numpy.typing as npt

from gisgrid.errors import BadInput

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

EPOCH: Final = date(1970, 1, 1)
DAYS_A_MONTH: Final = 365.25 / 12
"""A month of rates, in days."""
QUARTER: Final = 900
"""Seconds: clocks are put forward and back on quarters of an hour."""
DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days of the place's own calendar, both ends in it."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise BadInput(f"the period {self.first} to {self.last} ends before it begins")

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.last - self.first).days + 1

    @property
    def months(self) -> float:
        """Length in months of `DAYS_A_MONTH`."""
        return self.days / DAYS_A_MONTH

    @property
    def numbers(self) -> tuple[int, int]:
        """First and last day as days since 1970-01-01."""
        return (self.first - EPOCH).days, (self.last - EPOCH).days


@dataclass(frozen=True, slots=True)
class Events:
    """Reports, column by column, all of the same length.

    ``x``, ``y``: metres. ``day``: day of the local calendar since 1970-01-01, ``hour``: 0 to 23 of the local clock.
    ``kind``: row of ``kinds``, the pairs of major and minor class. ``grid``: row of the grids, -1 for none of them.
    ``weight``: what each counts in surfaces.
    """

    x: Floats
    y: Floats
    day: Ints
    hour: Ints
    kind: Ints
    grid: Ints
    weight: Floats
    kinds: tuple[tuple[str, str], ...]

    def __len__(self) -> int:
        return len(self.x)

    def take(self, which: Flags | Ints) -> Events:
        """Some of the reports."""
        return replace(
            self, x=self.x[which], y=self.y[which], day=self.day[which], hour=self.hour[which], kind=self.kind[which],
            grid=self.grid[which], weight=self.weight[which],
        )  # fmt: skip

    def during(self, span: Span) -> Events:
        """Those of a period."""
        first, last = span.numbers
        return self.take((self.day >= first) & (self.day <= last))

    def span(self) -> Span | None:
        """From the day of the first report to the day of the last; None without reports."""
        if not len(self):
            return None
        return Span(day_of(int(self.day.min())), day_of(int(self.day.max())))

    def majors(self) -> tuple[tuple[str, ...], Ints]:
        """The major classes, sorted, and which of them each report is of."""
        names = sorted({major for major, _ in self.kinds})
        number = {name: k for k, name in enumerate(names)}
        rows = np.array([number[major] for major, _ in self.kinds], dtype=np.int64)
        return tuple(names), rows[self.kind] if len(rows) else np.zeros(0, np.int64)


def make_events(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    seconds: npt.ArrayLike,
    kind: npt.ArrayLike,
    kinds: Sequence[tuple[str, str]],
    grid: npt.ArrayLike,
    zone: tzinfo,
    *,
    weight: npt.ArrayLike | None = None,
) -> Events:
    """Events from times in seconds since 1970 UTC, told by the clock of ``zone``.

    Raises BadInput for a weight that is negative or no number.
    """
    at = np.asarray(seconds, dtype=np.int64)
    local = at + offsets(at, zone)
    weights = np.ones(len(at)) if weight is None else np.asarray(weight, dtype=np.float64)
    if len(weights) and not (np.isfinite(weights).all() and (weights >= 0).all()):
        row = int(np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))[0])
        raise BadInput(f"report {row + 1}: weight {weights[row]} cannot be used; give numbers from 0 up")
    return Events(
        np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64), local // DAY, local % DAY // 3600,
        np.asarray(kind, dtype=np.int64), np.asarray(grid, dtype=np.int64), weights, tuple(kinds),
    )  # fmt: skip


def offsets(seconds: Ints, zone: tzinfo) -> Ints:
    """Seconds the clock of ``zone`` is ahead of UTC at each time.

    The zone is asked once a day, and once a quarter of an hour on the days its clock is changed.
    """
    if not len(seconds):
        return np.zeros(0, np.int64)
    days, of_day = np.unique(seconds // DAY, return_inverse=True)
    begin = _asked(days * DAY, zone)
    ahead: Ints = begin[of_day]
    changed = (begin != _asked(days * DAY + DAY - 1, zone))[of_day]
    if changed.any():
        quarters, which = np.unique(seconds[changed] // QUARTER, return_inverse=True)
        ahead[changed] = _asked(quarters * QUARTER, zone)[which]
    return ahead


def _asked(seconds: Ints, zone: tzinfo) -> Ints:
    told = (datetime.fromtimestamp(int(at), zone).utcoffset() or timedelta() for at in seconds)
    return np.array([int(ahead.total_seconds()) for ahead in told], dtype=np.int64)


def day_of(number: int) -> date:
    """The date of a day since 1970-01-01."""
    return EPOCH + timedelta(days=number)


def months_of(days: Ints) -> Ints:
    """Month of the year, 0 to 11, of days since 1970-01-01."""
    found: Ints = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
    return found


def weekdays_of(days: Ints) -> Ints:
    """0 for Monday to 6 for Sunday of days since 1970-01-01, a Thursday."""
    found: Ints = (days + 3) % 7
    return found
