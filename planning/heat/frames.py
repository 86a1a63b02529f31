"""A period cut into months or weeks, for showing them one after another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from planning.heat.events import Span

STEPS: Final = ("month", "week")


@dataclass(frozen=True, slots=True)
class Frame:
    """One step of a period; ``whole``: the period holds all of its days."""

    span: Span
    whole: bool


def frames_of(span: Span, step: str) -> list[Frame]:
    """Calendar months, or weeks from Monday to Sunday, that meet a period, cut to it."""
    found, begin = [], _first(span.first, step)
    while begin <= span.last:
        end = _first(begin + timedelta(days=40), step) if step == "month" else begin + timedelta(days=7)
        end -= timedelta(days=1)
        cut = Span(max(begin, span.first), min(end, span.last))
        found.append(Frame(cut, cut == Span(begin, end)))
        begin = end + timedelta(days=1)
    return found


def _first(day: date, step: str) -> date:
    return day.replace(day=1) if step == "month" else day - timedelta(days=day.weekday())
