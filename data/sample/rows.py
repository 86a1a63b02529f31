"""Rows across a block: scan lines in the block's own frame, filled with buildings between the paths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from data.sample.base import Floats, Geoms, Ints, Rng, longest_parts


@dataclass(frozen=True)
class Frame:
    """A turned frame for each block: its centre and the angle of its rows, radians."""

    x: Floats
    y: Floats
    angle: Floats

    def local(self, geoms: Geoms) -> Geoms:
        """Geometries (row i in frame i) in their own frames."""
        xy, row = shapely.get_coordinates(geoms, return_index=True)
        dx, dy = xy[:, 0] - self.x[row], xy[:, 1] - self.y[row]
        cos, sin = np.cos(self.angle)[row], np.sin(self.angle)[row]
        turned = np.column_stack([cos * dx + sin * dy, cos * dy - sin * dx])
        out: Geoms = shapely.set_coordinates(geoms.copy(), turned)
        return out

    def world(self, row: Ints, u: Floats, v: Floats) -> tuple[Floats, Floats]:
        """Points given in the frame ``row`` back on the ground."""
        cos, sin = np.cos(self.angle)[row], np.sin(self.angle)[row]
        return self.x[row] + cos * u - sin * v, self.y[row] + sin * u + cos * v


def frames(parcels: Geoms, rng: Rng) -> Frame:
    """Frames whose rows run as east-west as the block's own axes allow; blocks turned further face south anyway."""
    box = shapely.get_coordinates(shapely.oriented_envelope(parcels)).reshape(-1, 5, 2)
    side = box[:, 1] - box[:, 0]
    angle = np.arctan2(side[:, 1], side[:, 0])
    angle = (angle + np.pi / 4) % (np.pi / 2) - np.pi / 4
    steep = np.abs(angle) > np.deg2rad(27)
    angle = np.where(steep, np.deg2rad(rng.uniform(-6, 6, len(angle))), angle)
    centre = shapely.get_coordinates(shapely.centroid(parcels))
    return Frame(centre[:, 0], centre[:, 1], angle)


def scan(polygons: Geoms, row: Ints, v: Floats, half: float | Floats = 0.0) -> tuple[Floats, Floats]:
    """Left and right end of the band of half width ``half`` at height ``v`` inside ``polygons[row]``; NaN outside."""
    bounds = shapely.bounds(polygons)[row]
    left, right = np.full(len(row), -np.inf), np.full(len(row), np.inf)
    offsets = (np.zeros(len(row)),) if np.ndim(half) == 0 and half == 0 else (-np.asarray(half), np.asarray(half))
    for offset in offsets:
        at = v + offset
        ends = np.stack([np.column_stack([bounds[:, 0] - 1, at]), np.column_stack([bounds[:, 2] + 1, at])], axis=1)
        cut = shapely.bounds(longest_parts(shapely.intersection(shapely.linestrings(ends), polygons[row])))
        left, right = np.maximum(left, cut[:, 0]), np.minimum(right, cut[:, 2])
    return left, right


def scan_up(polygons: Geoms, u: Floats) -> tuple[Floats, Floats]:
    """Lower and upper end of the vertical line at ``u`` inside each polygon; NaN outside."""
    bounds = shapely.bounds(polygons)
    ends = np.stack([np.column_stack([u, bounds[:, 1] - 1]), np.column_stack([u, bounds[:, 3] + 1])], axis=1)
    cut = shapely.bounds(longest_parts(shapely.intersection(shapely.linestrings(ends), polygons)))
    return cut[:, 1], cut[:, 3]


def fill(
    left: Floats, right: Floats, length: Floats, gap: Floats, least: float, most: float
) -> tuple[Ints, Floats, Floats]:
    """Equal pieces in each interval: (interval, centre, length). Pieces stay between ``least`` and ``most`` long."""
    room = np.where(np.isfinite(right - left), right - left, -1.0)
    count = np.floor((room + gap) / (length + gap)).astype(np.int64)
    count = np.where((count < 1) & (room >= least), 1, np.maximum(count, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.minimum((room - (count - 1) * gap) / count, most)
    row = np.repeat(np.arange(len(left)), count)
    start = np.concatenate([[0], np.cumsum(count)])[:-1]
    k = np.arange(len(row)) - start[row]
    pitch = np.where(count > 1, (room - size) / np.maximum(count - 1, 1), 0.0)
    first = np.where(count > 1, left + size / 2, (left + right) / 2)
    return row, first[row] + k * pitch[row], size[row]
