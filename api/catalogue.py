"""The layers this service offers, with their styles and revisions, looked up at most once a second or anew."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import sqlalchemy as sa

from data import tables as t
from data.layer_changes import Revisions, revisions_since
from data.plans import current_generation, generation_of, plan_row
from gisgrid.models import Band
from layers.catalog import READS, Layer, offered
from layers.styles import Style, styles, with_names

DEFAULT_BAND = Band(300, 500)
RECENT_SECONDS = 1.0
"""How old what `Catalogue.recent` tells may be."""
_TABLES = tuple(sorted(t.NOTES))


@dataclass(frozen=True, slots=True)
class Offer:
    """What is offered at one time. ``tables``: the revision of every name that layers' changes are noted under."""

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
        # one statement a look: no transaction around it
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._lock = threading.Lock()
        self._offer: Offer | None = None
        self._revisions: Revisions | None = None
        self._looked = float("-inf")
        self._failed: tuple[float, sa.exc.SQLAlchemyError] | None = None

    def recent(self) -> Offer:
        """The offer as of at most a second ago: for what is asked thousands of times a second."""
        offer = self._offer
        if offer is not None and time.monotonic() - self._looked < RECENT_SECONDS:
            return offer
        return self.now()

    def now(self) -> Offer:
        """The offer as of now; costs a query, more only when layers came or went."""
        came = time.monotonic()
        with self._lock:
            asked = time.monotonic()
            if self._failed is not None and self._failed[0] > came:
                raise self._failed[1]  # what came of the look this one waited for; each trying anew adds up to minutes
            with self._connected() as connection:
                found = revisions_since(connection, _TABLES, self._revisions)
                before = self._offer
                if before is None or found is not self._revisions:
                    if before is None or any(before.tables[name] != found.tables[name] for name in READS):
                        before = _offer(connection, found.tables)
                    self._offer = replace(before, tables=found.tables)
                    self._revisions = found
            self._looked = asked
            assert self._offer is not None
            return self._offer

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        """A connection; that there is none to be had is told to all who wait."""
        try:
            with self._engine.connect() as connection:
                yield connection
        except sa.exc.SQLAlchemyError as error:
            self._failed = time.monotonic(), error
            raise


def _offer(connection: sa.Connection, tables: Mapping[str, str]) -> Offer:
    generation = current_generation(connection)
    since = generation_of(connection)
    band = plan_row(connection, since.plan).band if since else DEFAULT_BAND
    layers = offered(connection)
    return Offer(layers, with_names(styles(band), layers.values()), generation.id if generation else None, band, tables)
