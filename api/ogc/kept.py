"""What a process keeps of what was asked: counts, extents, whole pages; by revision, so that nothing kept is old."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from flask import current_app

from gisgrid.limits import FEATURE_COUNTS_MAX, FEATURE_PAGES_BYTES_MAX

V = TypeVar("V")


class Lru(Generic[V]):
    """The values asked for last, up to a total size; shared by threads."""

    def __init__(self, most: int, size: Callable[[V], int] = lambda _: 1) -> None:
        self._held: OrderedDict[Hashable, V] = OrderedDict()
        self._most, self._size, self._total, self._lock = most, size, 0, threading.Lock()

    def get(self, key: Hashable) -> V | None:
        """The value, None when it is not kept."""
        with self._lock:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            return self._held[key]

    def put(self, key: Hashable, value: V) -> None:
        """Keep a value, and let go of those asked for longest ago; what is too large alone is not kept."""
        size = self._size(value)
        if size > self._most // 8:
            return
        with self._lock:
            if key in self._held:
                self._total -= self._size(self._held.pop(key))
            self._held[key] = value
            self._total += size
            while self._total > self._most:
                self._total -= self._size(self._held.popitem(last=False)[1])

    def made(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value kept, or the one made now."""
        found = self.get(key)
        if found is None:
            found = make()
            self.put(key, found)
        return found


class Kept:
    """The caches of one application."""

    def __init__(self) -> None:
        self.counts: Lru[int] = Lru(8 * FEATURE_COUNTS_MAX, lambda _: 8)
        self.extents: Lru[Any] = Lru(8 * FEATURE_COUNTS_MAX, lambda _: 8)
        self.pages: Lru[bytes] = Lru(FEATURE_PAGES_BYTES_MAX, lambda page: len(page) + 500)


def kept() -> Kept:
    """The caches of the application serving this request."""
    found: Kept = current_app.extensions.setdefault("gisgrid.features", Kept())
    return found
