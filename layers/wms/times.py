"""TIME: which generation, or which stretch of time, a request means (06-042 annexes C and D, 01-068r3 annexes B, C).

Grids change with generations: a list of moments, a moment in between means the one before. Reports lie anywhere in
time: a value means the stretch it names, a day when it is written as a day. Times without a zone are of the service's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from gisgrid.errors import BadInput
from gisgrid.limits import WMS_TIMES_MAX

INVALID: Final = "InvalidDimensionValue"
Span = tuple[datetime, datetime]
"""From a moment on, up to another one (not included)."""

_MOMENT: Final = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)(?:[T ](?P<hour>\d\d)(?::(?P<minute>\d\d)"
    r"(?::(?P<second>\d\d)(?P<part>\.\d{1,6})?)?)?(?P<zone>Z|[+ -]\d\d(?::?\d\d)?)?)?)?)?",
    re.ASCII,
)
_PERIOD: Final = re.compile(
    r"P(?=.)(\d{1,6}Y)?(\d{1,6}M)?(\d{1,6}W)?(\d{1,6}D)?(T(?=.)(\d{1,6}H)?(\d{1,6}M)?(\d{1,6}(\.\d{1,6})?S)?)?",
    re.ASCII,
)
_UNITS: Final = {"hour": timedelta(hours=1), "minute": timedelta(minutes=1), "second": timedelta(seconds=1)}


@dataclass(frozen=True, slots=True)
class Generations:
    """Moments from which generations are in force, the oldest first, with their numbers."""

    values: tuple[tuple[datetime, int], ...]

    @property
    def extent(self) -> str:
        """The moments, split by commas."""
        return ",".join(written(moment) for moment, _ in self.values)

    @property
    def default(self) -> str:
        """The moment of the generation in force."""
        return written(self.values[-1][0])


@dataclass(frozen=True, slots=True)
class Days:
    """Days something was reported on, from the first to the last."""

    first: date
    last: date

    @property
    def extent(self) -> str:
        """The range of days."""
        return f"{self.first}/{self.last}/P1D"

    @property
    def default(self) -> str:
        """Everything."""
        return f"{self.first}/{self.last}"


TimeAxis = Generations | Days


@dataclass(frozen=True, slots=True)
class Chosen:
    """What of a layer a request means: a generation, or stretches of time (None: all). ``warning``: what is told when
    it is not what was literally asked for, as ``nearest`` or ``default`` and the value used."""

    generation: int | None = None
    spans: tuple[Span, ...] | None = None
    warning: tuple[str, str] | None = None


def generation_axis(published: Sequence[tuple[datetime, int]]) -> Generations | None:
    """The axis of generations ((moment, number), the oldest first), the newest hundred of them.

    A moment is told in whole milliseconds, never before the generation was there.
    """
    values: dict[datetime, int] = {}
    for moment, number in published:
        late = -moment.microsecond % 1000
        values[(moment + timedelta(microseconds=late)).astimezone(UTC)] = number
    return Generations(tuple(values.items())[-WMS_TIMES_MAX:]) if values else None


def written(moment: datetime) -> str:
    """A moment in UTC to the millisecond: ``2026-03-01T00:30:00.125Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


# --- reading ----------------------------------------------------------------------------------


def moment_of(text: str, zone: tzinfo) -> Span:
    """The stretch of time an ISO 8601 moment names: a year, month, day … or millisecond. Raises BadInput."""
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        raise _no_time(text)
    part = found.groupdict()
    try:
        whole = [int(part[name] or least) for name, least in _LEAST.items()]
        micro = int((part["part"] or ".0")[1:].ljust(6, "0"))
        start = datetime(*whole, micro, tzinfo=_zone(part["zone"], zone))  # type: ignore[arg-type,misc]
        end = _end(start, part)
        return start.astimezone(UTC), end.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _no_time(text) from error


_LEAST: Final = {"year": 1, "month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0}


def _end(start: datetime, part: dict[str, str | None]) -> datetime:
    """The moment after the stretch whose parts are given down to some unit."""
    if part["part"]:
        return start + timedelta(seconds=10.0 ** -(len(part["part"]) - 1))
    for unit in ("second", "minute", "hour"):
        if part[unit]:
            return start + _UNITS[unit]
    if part["day"]:
        return start + timedelta(days=1)
    if part["month"]:
        return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return start.replace(year=start.year + 1)


def _zone(text: str | None, default: tzinfo) -> tzinfo:
    if not text:
        return default
    if text == "Z":
        return UTC
    # in a URL an unescaped + arrives as a blank
    found = datetime.strptime(f"{text.replace(' ', '+').replace(':', ''):0<5}", "%z").tzinfo
    return found or default


def spans_of(text: str, zone: tzinfo) -> tuple[Span, ...]:
    """The stretches of time a TIME names: moments and ranges ``start/end[/period]``, split by commas.

    Raises BadInput.
    """
    if text.count(",") >= WMS_TIMES_MAX:
        raise BadInput(f"TIME names more than {WMS_TIMES_MAX} values; give a range start/end", code=INVALID)
    return tuple(_span(value, zone) for value in text.split(","))


def _span(text: str, zone: tzinfo) -> Span:
    ends = text.split("/")
    if len(ends) > 3:
        raise _no_time(text)
    if len(ends) == 3 and not (_PERIOD.fullmatch(ends[2].strip()) or ends[2].strip() == "0"):
        raise BadInput(f"TIME={text[:60]!r}: {ends[2][:20]!r} is no ISO 8601 period such as P1D", code=INVALID)
    start, end = moment_of(ends[0], zone)
    if len(ends) > 1:
        last = moment_of(ends[1], zone)
        if last[0] < start:
            raise BadInput(f"TIME={text[:60]!r} ends before it starts", code=INVALID)
        end = last[1]
    return start, end


def _no_time(text: str) -> BadInput:
    shown = text[:60]
    return BadInput(f"TIME={shown!r} is no ISO 8601 time; give 2026-03-01 or 2026-03-01T08:30:00+08:00", code=INVALID)


# --- choosing ---------------------------------------------------------------------------------


def choose_generation(text: str, axis: Generations, zone: tzinfo) -> Chosen:
    """The generation in force at a moment (its end, when it names a day or year), or at the end of a range.

    Raises BadInput for a list of several moments, and for one before the first generation.
    """
    newest, number = axis.values[-1]
    if not text:
        return Chosen(number, warning=("Default", written(newest)))
    if text.lower() == "current":
        return Chosen(number)
    spans = spans_of(text, zone)
    if len(spans) > 1:
        raise BadInput("TIME names several moments; a map of grids shows one generation: give one", code=INVALID)
    start, end = spans[0]
    before = [(moment, number) for moment, number in axis.values if moment < end]
    if not before:
        first = axis.values[0][0]
        raise BadInput(f"TIME={text[:60]!r}: the first generation is in force from {written(first)}", code=INVALID)
    moment, number = before[-1]
    return Chosen(number, warning=None if moment >= start else ("Nearest", written(moment)))


def choose_spans(text: str, axis: Days | None, zone: tzinfo) -> Chosen:
    """What was reported in stretches of time; all of it when none is named. Raises BadInput."""
    if not text:
        return Chosen(warning=("Default", axis.default) if axis else None)
    if text.lower() == "current":
        return Chosen(spans=(moment_of(str(axis.last), zone),) if axis else None)
    return Chosen(spans=spans_of(text, zone))
