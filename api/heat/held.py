"""The reports held for questions about heat, read anew when they or the grids changed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, TypeVar

from flask import current_app

from api.state import state
from planning.workflow_heat import HeatSource, read_heat

ANSWERS_HELD: Final = 64
"""Answers that took work, kept for the next to ask the same of the same reports."""
_NAME: Final = "gisgrid_heat"
_made = threading.Lock()
T = TypeVar("T")


class HeldHeat:
    """One process's reports; shared by its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._revision = ""
        self._source: HeatSource | None = None
        self._kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()

    def source(self, revision: str) -> HeatSource:
        """The reports as of a revision. Raises as `read_heat`."""
        with self._lock:
            if self._source is None or self._revision != revision:
                self._source = None  # makes room before the next is read
                self._kept.clear()
                with state().engine.connect() as connection:
                    self._source = read_heat(connection, state().settings.timezone)
                self._revision = revision
            return self._source

    def kept(self, revision: str, key: tuple[Any, ...], make: Callable[[], T]) -> T:
        """What ``make`` makes, or made before from the same reports."""
        full = (revision, *key)
        with self._lock:
            if full in self._kept:
                self._kept.move_to_end(full)
                known: T = self._kept[full]
                return known
        made = make()
        with self._lock:
            self._kept[full] = made
            while len(self._kept) > ANSWERS_HELD:
                self._kept.popitem(last=False)
        return made


def held() -> HeldHeat:
    """The reports of the application serving this request."""
    with _made:
        found: HeldHeat = current_app.extensions.setdefault(_NAME, HeldHeat())
    return found


def revision_now() -> str:
    """A text that changes with the reports and the grids in force."""
    offer = state().catalogue.recent()
    return f"{offer.generation}:{offer.tables['reports']}:{offer.tables['grids']}:{state().settings.timezone}"
