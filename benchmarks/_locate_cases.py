"""Layers and points made for the locate benchmarks: jagged coverages, and points all over them or in crowds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

WEST, SOUTH, CELL = 116.0, 35.0, 0.003  # degrees; a grid is about 300 m wide


def jagged_layer(count: int, rng: np.random.Generator, sub: int = 10) -> Any:
    """About `count` polygons of 4·sub corners over a square; neighbours share every vertex exactly."""
    columns = round(np.sqrt(count))
    rows = -(-count // columns)
    base = np.stack(np.meshgrid(np.arange(columns + 1.0), np.arange(rows + 1.0), indexing="ij"), -1)
    base += rng.uniform(-0.2, 0.2, base.shape)
    steps = (np.arange(sub) / sub)[:, None]

    def wavy(a: Any, b: Any) -> Any:
        line = a[..., None, :] * (1 - steps) + b[..., None, :] * steps
        line[..., 1:, :] += rng.uniform(-0.02, 0.02, line[..., 1:, :].shape)
        return line

    across, along = wavy(base[:-1], base[1:]), wavy(base[:, :-1], base[:, 1:])
    parts = [across[:, :-1], along[1:], base[1:, 1:, None], across[:, 1:, :0:-1], base[:-1, 1:, None]]
    rings = np.concatenate([*parts, along[:-1, :, :0:-1]], axis=2).reshape(columns * rows, -1, 2)
    return shapely.polygons(rings[:count] * CELL + (WEST, SOUTH))


def codes_for(count: int, rng: np.random.Generator) -> list[str]:
    """15-digit codes in an order of their own, so that the smallest code is no matter of place."""
    return [f"370811{number:09d}" for number in rng.permutation(count)]


def points_in(bounds: Any, count: int, rng: np.random.Generator, crowds: int = 0) -> Iterator[tuple[Any, Any]]:
    """Points in groups of a million: uniform over the box, or around `crowds` centres (500 m standard deviation)."""
    west, south, east, north = bounds
    centres = np.column_stack((rng.uniform(west, east, crowds), rng.uniform(south, north, crowds)))
    for begin in range(0, count, 1_000_000):
        size = min(1_000_000, count - begin)
        if not crowds:
            yield rng.uniform(west, east, size), rng.uniform(south, north, size)
            continue
        near = centres[rng.integers(0, crowds, size)] + rng.normal(0.0, 0.005, (size, 2))
        near = np.clip(near, (west, south), (east, north))
        yield np.ascontiguousarray(near[:, 0]), np.ascontiguousarray(near[:, 1])
