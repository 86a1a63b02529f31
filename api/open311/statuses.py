"""Statuses of GeoReport v2 and of FixMyStreet's extension, and the five stages of a report 五阶段."""

from __future__ import annotations

from typing import Final

from data.reports import CLOSED
from data.tables import STAGES
from gisgrid.errors import BadInput

REPORTED, DISPATCHED, HANDLED, EVALUATED, ARCHIVED = STAGES
OPEN_STAGES: Final = STAGES[:-1]

STATUS_OF: Final = {
    REPORTED: "open",
    DISPATCHED: "action_scheduled",
    HANDLED: "in_progress",
    EVALUATED: "fixed",
    ARCHIVED: "closed",
}
"""Extended status of each stage, as updates tell it."""
STAGE_OF: Final[dict[str, str | None]] = {
    "open": None,
    "for_triage": REPORTED,
    "investigating": DISPATCHED,
    "action_scheduled": DISPATCHED,
    "internal_referral": DISPATCHED,
    "in_progress": HANDLED,
    "fixed": EVALUATED,
    "closed": ARCHIVED,
    "duplicate": ARCHIVED,
    "not_councils_responsibility": ARCHIVED,
    "no_further_action": ARCHIVED,
    "reopen": DISPATCHED,
}
"""Stage an update's status brings a report to; None: it stays where it is."""


def simple_status(stage: str) -> str:
    """``open`` or ``closed``."""
    return "closed" if stage == CLOSED else "open"


def known_status(text: str) -> str:
    """A status in small letters. Raises BadInput."""
    status = text.strip().lower().replace(" ", "_")
    if status not in STAGE_OF:
        raise BadInput(f"status={text[:40]!r} is not known; give one of {', '.join(STAGE_OF)}")
    return status


def stages_of(statuses: str) -> list[str]:
    """Stages a filter on statuses means, split by commas: ``open`` is every stage but the last. Raises BadInput."""
    found: set[str] = set()
    for text in statuses.split(","):
        status = known_status(text)
        found |= set(OPEN_STAGES) if status == "open" else {STAGE_OF[status] or REPORTED}
    return [stage for stage in STAGES if stage in found]
