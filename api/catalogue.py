"""The layers this service offers, with their styles and revisions, looked up at most once a second or anew."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from data import tables as t
from data.layer_changes import revisions
from data.plans import current_generation, generation_of, plan_row
from gisgrid.models import Band
from layers.catalog import READS, Layer, offered
from layers.styles import Style, styles, with_names

DEFAULT_BAND = Band(300, 500)
RECENT_SECONDS = 1.0
"""How old what `Catalogue.recent` tells may be."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What is offered at one time. ``tables``: the revision of every table that layers are read from."""

    layers: Mapping[str, Layer]
    styles: Mapping[str, Style]
    generation: int | None
    band: Band
    tables: Mapping[str, str]

    def revision(self, layer: Layer) -> str:
        """A text that differs whenever the features of the layer may differ."""
        return f"{self.generation or 0}:" + ".".join(self.tables[table] for table in layer.reads)


class Catalogue:
    """The offer of a database; shared by the threads of a process."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine, self._lock = engine, threading.Lock()
        self._offer: Offer | None = None
        self._looked = float("-inf")

    def recent(self) -> Offer:
        """The offer as of at most a second ago: for what is asked thousands of times a second."""
        offer = self._offer
        if offer is not None and time.monotonic() - self._looked < RECENT_SECONDS:
            return offer
        return self.now()

    def now(self) -> Offer:
        """The offer as of now; costs a query, more only when layers came or went."""
        with self._lock, self._engine.connect() as connection:
            asked = time.monotonic()
            tables = revisions(connection, sorted(table.name for table in t.NOTED))
            before = self._offer
            if before is None or any(before.tables[name] != tables[name] for name in READS if name in tables):
                before = _offer(connection, tables)
            self._offer = Offer(before.layers, before.styles, before.generation, before.band, tables)
            self._looked = asked
            return self._offer


def _offer(connection: sa.Connection, tables: Mapping[str, str]) -> Offer:
    generation = current_generation(connection)
    since = generation_of(connection)
    band = plan_row(connection, since.plan).band if since else DEFAULT_BAND
    layers = offered(connection)
    return Offer(layers, with_names(styles(band), layers.values()), generation.id if generation else None, band, tables)
