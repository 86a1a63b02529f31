"""The layers a process holds: loaded when first asked for, refreshed by notes of change, the least used let go."""

from __future__ import annotations

import ctypes
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import sqlalchemy as sa

from data.layer_changes import revisions
from data.plans import current_generation
from data.tables import NOTES
from gisgrid.limits import HELD_LAYERS_MAX
from layers.catalog.model import Layer
from layers.held.layer import HeldLayer
from layers.held.reading import Reading, read, reread

BUDGET: Final = 1024 * 1024 * 1024
"""Bytes of layers held when the settings do not say."""
RECENT_SECONDS: Final = 1.0
"""How old a held layer may be."""

GIVEN_BACK_FROM: Final = 16 * 1024 * 1024
"""After reading a layer of so many bytes what the reading took is given back."""

_Key = tuple[str, int | None, tuple[tuple[str, str], ...]]


@dataclass(slots=True)
class _Entry:
    """A layer's place: who loads holds ``loading``; ``reading`` is swapped whole."""

    loading: threading.Lock = field(default_factory=threading.Lock)
    reading: Reading | None = None
    revision: str = ""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database held at one time: the revision of every table, and the generation in force."""

    tables: Mapping[str, str]
    generation: int | None
    looked: float


class HeldLayers:
    """Layers of one database in memory, shared by the threads of a process.

    A layer is at most `RECENT_SECONDS` behind what is committed, and while one thread reads it anew the others go on
    with the one before. ``budget_bytes``: when the layers hold more, those not asked for longest go (the one just
    asked for stays, whatever its size).
    """

    def __init__(self, engine: sa.Engine, *, budget_bytes: int = BUDGET) -> None:
        # the same pool; every transaction sees one moment
        self._engine = engine.execution_options(isolation_level="REPEATABLE READ")
        self._budget = budget_bytes
        self._lock = threading.Lock()
        self._entries: OrderedDict[_Key, _Entry] = OrderedDict()
        self._known: _Known | None = None
        self._asking = threading.Lock()

    @property
    def engine(self) -> sa.Engine:
        """The database the layers are read from; every transaction sees one moment."""
        return self._engine

    def get(self, layer: Layer, generation: int | None = None, *, revision: str | None = None) -> HeldLayer:
        """The layer of a generation (None: the one in force), loaded or refreshed when it has to be.

        ``revision``: what `Offer.revision` told for it, which spares looking for changes; None: looked up, at most
        once a second.
        """
        if layer.at_generation is None:
            generation = None
        if revision is None or (layer.at_generation is not None and generation is None):
            known = self._recent()
            if layer.at_generation is not None and generation is None:
                generation = known.generation
            if revision is None:
                revision = ".".join(known.tables.get(table, "") for table in layer.reads)
        entry = self._entry((layer.name, generation, tuple((a.name, a.kind) for a in layer.attributes)))
        reading = entry.reading
        if reading is not None and entry.revision == revision:
            return reading.held
        if not entry.loading.acquire(blocking=reading is None):
            assert reading is not None
            return reading.held  # another thread is at it
        try:
            if entry.reading is None or entry.revision != revision:
                entry.reading = self._load(entry.reading, layer, generation, revision)
                entry.revision = revision
            return entry.reading.held
        finally:
            entry.loading.release()
            self._trim()

    def forget(self) -> None:
        """Hold nothing any more."""
        with self._lock:
            self._entries.clear()
        self._known = None

    @property
    def nbytes(self) -> int:
        """Bytes held now."""
        with self._lock:
            return sum(entry.reading.held.nbytes for entry in self._entries.values() if entry.reading)

    def _load(self, before: Reading | None, layer: Layer, generation: int | None, revision: str) -> Reading:
        with self._engine.connect() as connection, connection.begin():
            made = (
                reread(connection, before, layer, revision) if before else read(connection, layer, generation, revision)
            )
        if before is None and made.held.nbytes > GIVEN_BACK_FROM:
            _give_back()
        return made

    def _entry(self, key: _Key) -> _Entry:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry()
            self._entries.move_to_end(key)
            return entry

    def _recent(self) -> _Known:
        known = self._known
        if known is not None and time.monotonic() - known.looked < RECENT_SECONDS:
            return known
        with self._asking:
            known = self._known
            if known is not None and time.monotonic() - known.looked < RECENT_SECONDS:
                return known
            looked = time.monotonic()
            with self._engine.connect() as connection:
                tables = revisions(connection, list(NOTES))
                current = current_generation(connection)
            self._known = _Known(tables, current.id if current else None, looked)
            return self._known

    def _trim(self) -> None:
        with self._lock:
            held = sum(entry.reading.held.nbytes for entry in self._entries.values() if entry.reading)
            for key in list(self._entries)[:-1]:
                if held <= self._budget and len(self._entries) <= HELD_LAYERS_MAX:
                    return
                reading = self._entries[key].reading
                if reading is not None and not self._entries[key].loading.locked():
                    held -= reading.held.nbytes
                    del self._entries[key]


def _give_back() -> None:
    """Hand memory that is free again back to the system: after large layers hundreds of megabytes (glibc keeps it)."""
    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
