"""Tiles kept in memory as they are sent: compressed, within a budget, each made once however many ask for it."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from isal import igzip

OVERHEAD = 400
"""Bytes an entry takes beside its content."""
_SMALL = 200
"""Bytes that are not worth compressing."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile as it is sent. ``body`` is a gzip file when ``packed``; empty when nothing lies in the tile."""

    body: bytes
    packed: bool
    etag: str

    def plain(self) -> bytes:
        """The tile itself."""
        return bytes(igzip.decompress(self.body)) if self.packed else self.body  # type: ignore[no-untyped-call]


def pack(content: bytes) -> Tile:
    """A tile from its bytes, compressed where that pays. The same bytes make the same tile."""
    etag = f'W/"{hashlib.blake2b(content, digest_size=9).hexdigest()}"'
    if len(content) < _SMALL:
        return Tile(content, False, etag)
    return Tile(igzip.compress(content, compresslevel=2, mtime=0), True, etag)


class TileCache:
    """The tiles used last, up to ``budget`` bytes; shared by threads."""

    def __init__(self, budget: int) -> None:
        self._budget, self._held = budget, 0
        self._tiles: OrderedDict[Hashable, Tile] = OrderedDict()
        self._making: dict[Hashable, threading.Event] = {}
        self._lock = threading.Lock()

    def peek(self, key: Hashable) -> Tile | None:
        """The tile if it is held."""
        with self._lock:
            found = self._tiles.get(key)
            if found is not None:
                self._tiles.move_to_end(key)
            return found

    def get(self, key: Hashable, make: Callable[[], bytes]) -> Tile:
        """The tile, made when it is not held; who asks for it meanwhile waits for it. What ``make`` raises is raised
        for the caller that made it; the next one in line tries again."""
        while True:
            with self._lock:
                found = self._tiles.get(key)
                if found is not None:
                    self._tiles.move_to_end(key)
                    return found
                waiting = self._making.get(key)
                if waiting is None:
                    done = self._making[key] = threading.Event()
                    break
            waiting.wait()
        try:
            made = pack(make())
            with self._lock:
                self._keep(key, made)
            return made
        finally:
            with self._lock:
                del self._making[key]
            done.set()

    def _keep(self, key: Hashable, tile: Tile) -> None:
        self._tiles[key] = tile
        self._held += len(tile.body) + OVERHEAD
        while self._held > self._budget and len(self._tiles) > 1:
            _, gone = self._tiles.popitem(last=False)
            self._held -= len(gone.body) + OVERHEAD

    @property
    def held(self) -> int:
        """Bytes held."""
        return self._held
