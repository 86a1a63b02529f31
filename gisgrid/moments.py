"""Moments in time as people and programs write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, tzinfo

from gisgrid.errors import BadInput
from gisgrid.limits import PUBLISH_AHEAD_DAYS_MAX

CLOCK_SLACK = timedelta(seconds=60)
"""How far ahead of ours a caller's clock may be."""

BACK_MOST = timedelta(days=1)
"""How long ago something that is to be may be said to begin: today, in any zone."""


def parse_moment(text: str, *, name: str, zone: tzinfo) -> datetime:
    """ISO 8601 date or date and time → datetime in UTC.

    A time without an offset is one of ``zone``; a date alone means the end of that day there. Raises BadInput.
    """
    # in a URL an unescaped + of an offset arrives as a blank
    written = re.sub(r"(?<=\d) (?=\d\d:?\d\d$)", "+", text.strip())
    try:
        if len(written) > 40:
            raise ValueError("too long")
        day_only = re.fullmatch(r"\d{4}-\d\d-\d\d", written) is not None
        given = datetime.fromisoformat(written)
        if day_only:
            given = datetime.combine(given.date(), time.max)
        return (given if given.tzinfo else given.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        shown = text if len(text) <= 40 else text[:37] + "..."
        raise BadInput(f"{name}={shown!r} is no date or time; give 2026-03-01 or 2026-03-01T08:30:00+08:00") from error


def past_moment(text: str, *, name: str, zone: tzinfo, now: datetime) -> datetime:
    """`parse_moment` of something that has been; today, written as a date alone, means now. Raises BadInput."""
    moment = parse_moment(text, name=name, zone=zone)
    if moment <= now + CLOCK_SLACK:
        return moment
    if text.strip() == now.astimezone(zone).date().isoformat():
        return now
    raise BadInput(f"{name}={text.strip()} lies in the future; what will be in force then is not known yet")


def past_moment_or_number(text: str, *, name: str, zone: tzinfo, now: datetime) -> datetime | int:
    """`past_moment`, or the number of something (at most 7 digits: 8 are a date). Raises BadInput."""
    if re.fullmatch(r"[0-9]{1,7}", text.strip(), re.ASCII):
        return int(text)
    return past_moment(text, name=name, zone=zone, now=now)


def coming_moment(text: str | None, *, name: str, zone: tzinfo, now: datetime) -> datetime | None:
    """`parse_moment` of something that is to be; a date alone means the beginning of that day in ``zone``.

    None for nothing given and for what has come already: now. Raises BadInput, also for what is over
    `PUBLISH_AHEAD_DAYS_MAX` days ahead, or over a day past: a year mistyped.
    """
    if text is None or not text.strip():
        return None
    written = text.strip()
    if re.fullmatch(r"\d{4}-\d\d-\d\d", written):
        written += "T00:00:00"
    moment = parse_moment(written, name=name, zone=zone)
    if moment - now > timedelta(days=PUBLISH_AHEAD_DAYS_MAX):
        raise BadInput(f"{name}={text.strip()} is over {PUBLISH_AHEAD_DAYS_MAX:,} days ahead; give a nearer time")
    if now - moment > BACK_MOST:
        raise BadInput(f"{name}={text.strip()} has been; give a time to come, or leave it out for now")
    return None if moment <= now else moment
