"""Households and residents of each building, to the scenario's exact totals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from data.sample.base import Floats, Geoms, Ints, Rng, shares
from data.sample.fabric import Stock

LIVED_IN: Final = ("residential", "apartments", "house", "dormitory")


@dataclass(frozen=True)
class People:
    """Counts for each building; all zero where nobody lives."""

    households: Ints
    population: Ints
    elderly: Ints
    priority: Ints


def _by_kind(kind: Geoms, values: tuple[float, float, float, float]) -> Floats:
    return np.select([kind == name for name in LIVED_IN], values, 0.0)


def homes(stock: Stock, rng: Rng) -> Floats:
    """Occupied homes a building would have by its size: stairs, storeys and a vacancy of its own."""
    n = len(stock.kind)
    slab = 2.0 * stock.stairs * stock.levels
    tower = 4.4 * stock.levels
    house = np.where(stock.levels >= 3, 1.5, 1.0)
    dorm = 2.6 * stock.stairs * stock.levels
    full = np.select([stock.kind == name for name in LIVED_IN], [slab, tower, house, dorm], 0.0)
    lived = np.select(
        [stock.kind == name for name in LIVED_IN],
        [rng.uniform(0.72, 0.95, n), rng.uniform(0.5, 0.9, n), rng.uniform(0.75, 1.1, n), rng.uniform(0.3, 0.6, n)],
        0.0,
    )
    out: Floats = full * lived
    return out


def settle(stock: Stock, households: int, population: int, priority: int, rng: Rng) -> People:
    """Share out the totals. Every household has at least one resident; 60+ never outnumber the residents."""
    n = len(stock.kind)
    wanted = homes(stock, rng)
    hh: Ints = shares(households, wanted * rng.uniform(0.9, 1.1, n))
    size = _by_kind(stock.kind, (2.75, 2.6, 3.2, 3.4)) * rng.uniform(0.85, 1.15, n)
    people: Ints = hh + shares(population - households, hh * np.maximum(size - 1, 0.1))
    old_share = _by_kind(stock.kind, (0.25, 0.13, 0.3, 0.04)) * rng.uniform(0.6, 1.4, n)
    elderly = np.minimum(shares(round(0.215 * population), people * old_share), people)
    drawn = rng.choice(n, priority, replace=True, p=elderly / elderly.sum()) if priority else np.empty(0, np.int64)
    marked = np.bincount(drawn, minlength=n)
    spill = marked - np.minimum(marked, people)
    marked -= spill
    for _ in range(int(spill.sum())):  # a building cannot hold more of them than residents
        marked[int(np.argmax(people - marked))] += 1
    return People(hh, people, elderly, marked)
