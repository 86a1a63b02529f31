"""Classes of events 事件: what a report can be about (CJ/T 214-2007 majors, local minors)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from data.standards import table
from gisgrid.errors import NotFound


@dataclass(frozen=True, slots=True)
class EventClass:
    """One minor class with its major; reports store the two names."""

    code: str
    """Major and minor number, ``0101``."""
    major: str
    minor: str
    major_en: str


@cache
def event_classes() -> dict[str, EventClass]:
    """Every class by code, in the order of the code table."""
    rows = table("event_classes").to_dict("records")
    made = [
        EventClass(f"{row['major']}{row['minor']}", row["major_name"], row["name"], row["major_name_en"])
        for row in rows
    ]
    return {one.code: one for one in made}


def event_class(code: str) -> EventClass:
    """The class of a code. Raises NotFound."""
    found = event_classes().get(code)
    if found is None:
        raise NotFound(f"service_code {code[:40]!r} is not known; services.json lists those that are")
    return found


@cache
def _by_name() -> dict[tuple[str, str], EventClass]:
    named = {(one.major, one.minor): one for one in event_classes().values()}
    numbered = {(one.code[:2], one.code[2:]): one for one in event_classes().values()}
    return named | numbered


def class_of(major: str, minor: str) -> EventClass | None:
    """The class a stored report is of, whether it names or numbers it; None for words of an import's own."""
    return _by_name().get((major, minor))
