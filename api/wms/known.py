"""Where and when the data of each layer are: looked up once for every revision of the layer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from data import tables as t
from layers.extents import Box, extent
from layers.wms.systems import roomy
from layers.wms.times import Days, TimeAxis, generation_axis

if TYPE_CHECKING:
    from datetime import tzinfo

    from api.catalogue import Offer
    from layers.catalog import Layer


class Known:
    """Boxes and axes of time of a database's layers; shared by the threads of a process."""

    def __init__(self, engine: sa.Engine, zone: tzinfo) -> None:
        self._engine, self._zone, self._lock = engine, zone, threading.Lock()
        self._found: dict[tuple[str, str], tuple[str, Any]] = {}

    def box(self, layer: Layer, offer: Offer) -> Box | None:
        """West, south, east, north in degrees of what the layer holds now, with room for symbols; None of nothing."""
        found: Box | None = self._kept(
            "box", layer.name, offer.revision(layer), lambda db: _box(db, layer, offer.generation)
        )
        return found

    def axis(self, layer: Layer, offer: Offer) -> TimeAxis | None:
        """The layer's axis of time; None of a layer without one, or while nothing lies on it."""
        if layer.time is None:
            return None
        found: TimeAxis | None
        if layer.time == "generation":
            found = self._kept("generations", "", str(offer.generation), _generations)
        else:
            found = self._kept(
                "days", layer.name, offer.revision(layer), lambda db: _days(db, layer, offer.generation, self._zone)
            )
        return found

    def _kept(self, what: str, of: str, revision: str, look: Callable[[sa.Connection], Any]) -> Any:
        name = (what, of)
        kept = self._found.get(name)
        if kept is not None and kept[0] == revision:
            return kept[1]
        with self._lock:
            kept = self._found.get(name)
            if kept is None or kept[0] != revision:
                with self._engine.connect() as connection:
                    kept = self._found[name] = (revision, look(connection))
            return kept[1]


def _box(connection: sa.Connection, layer: Layer, generation: int | None) -> Box | None:
    found = extent(connection, layer, generation)
    return None if found is None else roomy(found, symbols=layer.shape in ("point", "mixed"))


def _generations(connection: sa.Connection) -> TimeAxis | None:
    g = t.generations.c
    rows = connection.execute(sa.select(g.published_at, g.id).order_by(g.id))
    return generation_axis([(moment, number) for moment, number in rows])


def _days(connection: sa.Connection, layer: Layer, generation: int | None, zone: tzinfo) -> TimeAxis | None:
    attribute = layer.attribute(str(layer.time))
    if attribute is None:
        return None
    ends = sa.select(sa.func.min(attribute.column), sa.func.max(attribute.column)).select_from(layer.table)
    first, last = connection.execute(ends.where(*layer.conditions(generation))).one()
    return None if first is None else Days(first.astimezone(zone).date(), last.astimezone(zone).date())
