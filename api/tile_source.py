"""Where tiles come from: memory, else PostGIS; keyed by the revision of their layer, so that none is ever stale."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence

import sqlalchemy as sa

from api.catalogue import Catalogue, Offer
from gisgrid import __version__
from gisgrid.limits import TILE_BYTES_MAX, TILE_CACHE_BYTES, TILE_FEATURES_MAX, TILE_SECONDS_MAX
from layers.catalog import Layer
from layers.extents import extent
from layers.styles import styles_of
from layers.tiles import MatrixSet
from layers.tiles.cache import Tile, TileCache
from layers.tiles.matrix_sets import Box
from layers.tiles.statement import Statement, numbers, statement
from layers.tiles.times import Moment

PLAIN_FROM = 13
"""From this zoom on a tile holds every feature, below it is thinned."""
STATEMENTS_HELD = 512
FEWEST = 500


class Tiles:
    """The tiles of a database; shared by the threads of a process."""

    def __init__(self, engine: sa.Engine, catalogue: Catalogue) -> None:
        # one statement a tile: no transaction around it
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._catalogue = catalogue
        self.cache = TileCache(TILE_CACHE_BYTES)
        self._statements: OrderedDict[tuple[object, ...], tuple[Layer, Statement]] = OrderedDict()
        self._bounds: dict[tuple[str, str], Box | None] = {}
        self._lock = threading.Lock()

    def offer(self) -> Offer:
        """What is offered, as of at most a second ago."""
        return self._catalogue.recent()

    def held(self, layer: Layer, offer: Offer, tiles: MatrixSet, place: tuple[int, int, int]) -> Tile | None:
        """A tile of now, if it is in memory."""
        return self.cache.peek(_key(layer, offer, tiles, place, None))

    def tile(
        self, layer: Layer, offer: Offer, tiles: MatrixSet, place: tuple[int, int, int], moment: Moment | None = None
    ) -> Tile:
        """A tile (zoom, row, column) of a layer, of now or of another time."""
        key = _key(layer, offer, tiles, place, moment)
        return self.cache.get(key, lambda: self._make(layer, offer, tiles, place, moment))

    def bounds(self, layer: Layer, offer: Offer) -> Box | None:
        """The box of a layer's features in degrees, None when it has none."""
        key = (layer.name, offer.revision(layer))
        if key not in self._bounds:
            with self._engine.connect() as connection:
                found = extent(connection, layer, offer.generation)
            if len(self._bounds) > STATEMENTS_HELD:
                self._bounds.clear()
            self._bounds[key] = found
        return self._bounds[key]

    def _make(
        self, layer: Layer, offer: Offer, tiles: MatrixSet, place: tuple[int, int, int], moment: Moment | None
    ) -> bytes:
        thinned = place[0] < PLAIN_FROM
        with self._engine.connect() as connection:
            if thinned:
                connection.exec_driver_sql(f"SET statement_timeout = {int(TILE_SECONDS_MAX * 1000)}")
            try:
                return self._read(connection, layer, offer, tiles, place, moment, thinned)
            finally:
                if thinned and not connection.invalidated:
                    connection.exec_driver_sql("RESET statement_timeout")

    def _read(
        self, connection: sa.Connection, layer: Layer, offer: Offer, tiles: MatrixSet, place: tuple[int, int, int],
        moment: Moment | None, thinned: bool,
    ) -> bytes:  # fmt: skip
        most = TILE_FEATURES_MAX
        while True:
            made = self._statement(layer, offer, tiles, moment, thinned)
            given = numbers(tiles, *place, most=most + 1, thinned=thinned)
            tile, number = connection.exec_driver_sql(made.sql, {**made.given, **given}).one()
            if not thinned and (number > most or len(tile) > TILE_BYTES_MAX):
                thinned = True
            elif len(tile) > TILE_BYTES_MAX and most > FEWEST:
                most //= 2
            else:
                return bytes(tile)

    def _statement(
        self, layer: Layer, offer: Offer, tiles: MatrixSet, moment: Moment | None, thinned: bool
    ) -> Statement:
        generation = offer.generation if moment is None or moment.generation is None else moment.generation
        key = (layer.name, id(layer), tiles.srid, generation, moment, thinned)
        with self._lock:
            found = self._statements.get(key)
            if found is not None:
                self._statements.move_to_end(key)
                return found[1]
        where: Sequence[sa.ColumnElement[bool]] = moment.conditions(layer) if moment is not None else ()
        drawn = styles_of(layer, dict(offer.styles))
        made = statement(layer, tiles, generation, drawn, thinned=thinned, where=where)
        with self._lock:
            self._statements[key] = layer, made  # with the layer: its id must stay its own
            while len(self._statements) > STATEMENTS_HELD:
                self._statements.popitem(last=False)
        return made


def _key(
    layer: Layer, offer: Offer, tiles: MatrixSet, place: tuple[int, int, int], moment: Moment | None
) -> tuple[object, ...]:
    return (layer.name, tiles.srid, *place, offer.revision(layer), moment)


def revision_word(offer: Offer, *layers: Layer) -> str:
    """The revision of layers as a short word for addresses: another one whenever their tiles may differ."""
    text = "|".join([__version__, *(f"{layer.name}={offer.revision(layer)}" for layer in layers)])
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
