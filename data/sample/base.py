"""What every module of the sample generator shares: array types, street classes, seeded random streams."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Geoms = npt.NDArray[np.object_]
Rng = np.random.Generator

PRIMARY, SECONDARY, TERTIARY, RESIDENTIAL, SERVICE, FOOT, RAIL, RIVER, CANAL = range(9)
CLS_NAMES: Final = ("primary", "secondary", "tertiary", "residential", "service", "foot", "rail", "river", "canal")
HIGHWAY: Final = ("primary", "secondary", "tertiary", "residential", "service", "footway", "rail", "river", "canal")
SETBACK: Final = np.array([24.0, 18.0, 13.0, 8.5, 4.0, 2.2, 16.0, 40.0, 16.0])
"""Metres from the centreline of a class to the property line beside it."""
CARRIAGEWAY: Final = np.array([17.0, 12.0, 8.0, 5.0, 2.6, 1.1, 8.0, 0.0, 0.0])
"""Metres from the centreline within which nothing may be built."""
GRID: Final = 0.01
"""Snap-rounding grid of every noding step, in metres."""

Name = tuple[str, str]
"""A Chinese name and its pinyin or English form."""


def rng_for(scenario: str, seed: int, stage: str) -> Rng:
    """Random stream of one stage: independent of the other stages and of the hash seed."""
    return np.random.default_rng([seed, zlib.crc32(scenario.encode()), zlib.crc32(stage.encode())])


def shares(total: int, weights: npt.ArrayLike) -> Ints:
    """Whole numbers summing to ``total`` in proportion to ``weights`` (largest remainder, ties by row order)."""
    w: Floats = np.asarray(weights, dtype=np.float64)
    if total <= 0 or w.sum() <= 0:
        return np.zeros(len(w), dtype=np.int64)
    exact = total * w / w.sum()
    out: Ints = np.floor(exact).astype(np.int64)
    rest = total - int(out.sum())
    order = np.argsort(-(exact - out), kind="stable")
    out[order[:rest]] += 1
    return out


def longest_parts(lines: Geoms) -> Geoms:
    """The longest line of each (multi)line; None where nothing is left."""
    parts, row = shapely.get_parts(lines, return_index=True)
    keep = shapely.get_dimensions(parts) == 1
    parts, row = parts[keep], row[keep]
    out: Geoms = np.full(len(lines), None, dtype=object)
    order = np.argsort(shapely.length(parts), kind="stable")
    out[row[order]] = parts[order]
    return out


def largest_parts(polygons: Geoms) -> Geoms:
    """The largest polygon of each (multi)polygon; an empty polygon where nothing is left."""
    parts, row = shapely.get_parts(polygons, return_index=True)
    keep = shapely.get_dimensions(parts) == 2
    parts, row = parts[keep], row[keep]
    out: Geoms = np.full(len(polygons), shapely.Polygon(), dtype=object)
    order = np.argsort(shapely.area(parts), kind="stable")
    out[row[order]] = parts[order]
    return out


def lines_only(geoms: Any) -> Geoms:
    """All line parts of geometries of any kind, flat."""
    parts: Geoms = shapely.get_parts(shapely.get_parts(np.atleast_1d(np.asarray(geoms, dtype=object))))
    found: Geoms = parts[(shapely.get_dimensions(parts) == 1) & (shapely.length(parts) > GRID)]
    return found


@dataclass
class LineBook:
    """Lines collected with their class and name, before they are noded together."""

    geoms: list[Any] = field(default_factory=list)
    cls: list[int] = field(default_factory=list)
    names: list[Name] = field(default_factory=list)

    def add(self, geoms: Any, cls: int | npt.NDArray[np.integer[Any]], names: Name | list[Name] = ("", "")) -> None:
        """Take lines (multi-parts are split); one class and name for all, or one for each."""
        array = np.atleast_1d(np.asarray(geoms, dtype=object))
        parts, row = shapely.get_parts(array, return_index=True)
        sub, at = shapely.get_parts(parts, return_index=True)
        row = row[at]
        keep = (shapely.get_dimensions(sub) == 1) & (shapely.length(sub) > GRID)
        sub, row = sub[keep], row[keep]
        classes = np.broadcast_to(np.asarray(cls), len(array))[row]
        self.geoms.extend(sub)
        self.cls.extend(int(c) for c in classes)
        self.names.extend(names[i] for i in row) if isinstance(names, list) else self.names.extend([names] * len(row))

    def arrays(self) -> tuple[Geoms, Ints]:
        """The lines and their classes as arrays."""
        out: Geoms = np.empty(len(self.geoms), dtype=object)
        out[:] = self.geoms
        return out, np.asarray(self.cls, dtype=np.int64)
