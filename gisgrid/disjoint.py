"""Disjoint sets in compiled code: each item points at another of its set, the root at itself (Tarjan 1975)."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(cache=True, nogil=True)
def root_of(parent: Any, item: int) -> int:
    """Root of an item's set, halving the way there for the next who asks. ``parent``: integers, shape (n,)."""
    while parent[item] != item:
        parent[item] = parent[parent[item]]
        item = parent[item]
    return item
