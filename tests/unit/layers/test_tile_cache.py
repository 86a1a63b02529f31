"""The cache of tiles: bounded, each tile made once, faults told to who made it."""

from __future__ import annotations

import threading
import time

import pytest

from layers.tiles.cache import OVERHEAD, TileCache, pack


def test_a_tile_is_made_once_however_many_ask() -> None:
    cache, made = TileCache(10_000), []

    def make() -> bytes:
        made.append(1)
        time.sleep(0.05)
        return b"tile"

    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(cache.get("key", make).plain())) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [b"tile"] * 16
    assert len(made) == 1


def test_a_fault_is_not_kept_and_the_next_one_tries_again() -> None:
    cache = TileCache(10_000)

    def fail() -> bytes:
        raise ValueError("no database")

    with pytest.raises(ValueError, match="no database"):
        cache.get("key", fail)
    assert cache.get("key", lambda: b"tile").plain() == b"tile"


def test_the_budget_holds_and_what_was_used_last_stays() -> None:
    cache = TileCache(5 * (OVERHEAD + 100))
    for number in range(20):
        cache.get(number, lambda: b"x" * 100)
        cache.peek(0) if number < 3 else None
    assert cache.held <= 5 * (OVERHEAD + 100)
    assert cache.peek(19) is not None
    assert cache.peek(3) is None


def test_packing_changes_nothing_and_names_the_content() -> None:
    content = bytes(range(256)) * 40
    one, other = pack(content), pack(content)
    assert one == other
    assert one.packed
    assert one.plain() == content
    assert pack(content + b"x").etag != one.etag
    assert pack(b"").body == b""
