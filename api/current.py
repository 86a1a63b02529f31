"""The grids in force, held in memory: now, and in the generations lately asked for."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from api.outage import outage
from data import tables as t
from data.in_force import InForce, read_in_force, with_places
from data.plans import Generation, current_generation, generation_of, generation_then
from gisgrid.errors import NotFound

CHECK_SECONDS = 1.0
"""How long a new generation may go unnoticed."""
LOOK_SECONDS = 2.0
"""How long a question waits for the newest generation; one that takes longer to read, or a database that says nothing
for seconds, keeps nobody waiting."""
GENERATIONS_HELD = 4
"""Generations other than the current one kept open."""
NONE_PUBLISHED = "no plan is published yet, so no point has an owner; publish one first"
log = logging.getLogger("gisgrid.api")


class CurrentGrids:
    """Keeps the current generation open; a newer one is opened beside it and swapped in whole."""

    def __init__(self, engine: sa.Engine, home: Path) -> None:
        self._engine, self._home = engine, home
        self._lock = threading.Lock()
        self._loaded: InForce | None = None
        self._places: tuple[object, ...] = ()
        self._checked = -CHECK_SECONDS
        self._earlier: OrderedDict[int, InForce] = OrderedDict()
        self._away = self._looking = False

    def get(self) -> InForce | None:
        """The generation in force (noticed within `CHECK_SECONDS`), None before the first publish.

        While the database is away, the one known last.
        """
        if time.monotonic() - self._checked < CHECK_SECONDS:
            return self._loaded
        if not self._lock.acquire(blocking=self._loaded is None):
            return self._loaded  # another thread is looking already
        try:
            if time.monotonic() - self._checked >= CHECK_SECONDS:
                if self._loaded is None:
                    self._look()
                elif not self._looking:
                    self._looking = True
                    aside = threading.Thread(target=self._look_aside, name="generation", daemon=True)
                    aside.start()
                    if not self._away:
                        aside.join(LOOK_SECONDS)
            return self._loaded
        finally:
            self._lock.release()

    def need(self) -> InForce:
        """The generation in force. Raises NotFound before the first publish."""
        loaded = self.get()
        if loaded is None:
            raise NotFound(NONE_PUBLISHED)
        return loaded

    def at(self, when: datetime | int) -> InForce:
        """The generation of that number, or the one in force at that time. Raises NotFound."""
        with self._engine.connect() as connection:
            found = generation_then(connection, when)
        loaded = self.get()
        if loaded is not None and loaded.generation.id == found.id:
            return loaded
        with self._lock:
            held = self._earlier.pop(found.id, None)
            if held is None:
                with self._engine.connect() as connection:
                    held = read_in_force(connection, found, self._home)
            self._earlier[found.id] = held
            while len(self._earlier) > GENERATIONS_HELD:
                self._earlier.popitem(last=False)
        return held

    def _look(self) -> None:
        try:
            with self._engine.connect() as connection:
                self._refresh(connection)
            self._away = False
        except sa.exc.SQLAlchemyError as error:
            if self._loaded is None or outage(error) is None:
                raise
            if not self._away:
                log.warning("the database does not answer; generation %s goes on", self._loaded.generation.id)
            self._away = True
        self._checked = time.monotonic()

    def _look_aside(self) -> None:
        try:
            self._look()
        except Exception:
            log.exception("the generation in force could not be looked up")
        finally:
            self._looking = False

    def _refresh(self, connection: sa.Connection) -> None:
        newest, places = current_generation(connection), _places(connection)
        if newest is None or generation_of(connection) is None:  # professional grids alone own nothing
            self._loaded = None
        elif self._loaded is None or not _same(self._loaded.generation, newest):
            self._loaded = read_in_force(connection, newest, self._home)
        elif places != self._places:
            self._loaded = with_places(self._loaded, connection)
        self._places = places


def _same(one: Generation, other: Generation) -> bool:
    return (one.id, one.published_at) == (other.id, other.published_at)


def _places(connection: sa.Connection) -> tuple[object, ...]:
    """Changes when areas were imported or posts stored."""
    newest = [sa.select(sa.func.max(table.c.id)).scalar_subquery() for table in (t.imports, t.posts)]
    return tuple(connection.execute(sa.select(*newest)).one())
