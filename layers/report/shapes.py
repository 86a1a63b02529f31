"""Geometry → SVG: one frame for all maps of a page, few and rounded coordinates, labels only where they fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely

Geometries = npt.NDArray[np.object_]

WIDTH: Final = 1000.0
"""Width of a map in its own units, drawn in tenths of them (whole numbers make short paths)."""
HEIGHT_LEAST, HEIGHT_MOST = 420.0, 1150.0
MARGIN: Final = 14.0
STRIP: Final = 50.0
"""Height of the strip below the ground for scale bar and north arrow, so that they hide nothing."""
FINE: Final = 10
"""Steps per map unit."""
SIMPLE: Final = 0.7
"""Detail below so many map units is left out."""
DIGIT: Final = 0.6
"""Width of a digit in text heights."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where metres fall on the map: x = (X − west)·scale + left, y = (north − Y)·scale + top."""

    west: float
    north: float
    scale: float
    left: float
    top: float
    height: float

    def xy(self, coordinates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Map coordinates (n, 2) of metres (n, 2)."""
        x = (coordinates[:, 0] - self.west) * self.scale + self.left
        y = (self.north - coordinates[:, 1]) * self.scale + self.top
        return np.column_stack([x, y])

    def drawn(self, geometries: Any) -> Geometries:
        """Geometries in map coordinates."""
        moved: Geometries = shapely.transform(np.asarray(geometries, dtype=object), self.xy)
        return moved

    @property
    def view_box(self) -> str:
        """``viewBox`` of the SVG."""
        return f"0 0 {WIDTH * FINE:.0f} {self.height * FINE:.0f}"


def frame_of(layers: Sequence[Any]) -> Frame:
    """The frame that holds all the geometries (metric CRS), as large as the page allows."""
    boxes = np.array([shapely.total_bounds(np.asarray(layer, dtype=object)) for layer in layers if len(layer)])
    west, south = np.nanmin(boxes[:, :2], axis=0)
    east, north = np.nanmax(boxes[:, 2:], axis=0)
    wide, high = max(float(east - west), 1.0), max(float(north - south), 1.0)
    scale = min((WIDTH - 2 * MARGIN) / wide, (HEIGHT_MOST - 2 * MARGIN) / high)
    ground = max(high * scale + 2 * MARGIN, HEIGHT_LEAST)
    return Frame(
        float(west), float(north), scale, (WIDTH - wide * scale) / 2, (ground - high * scale) / 2, ground + STRIP
    )  # fmt: skip


def simple_coverage(geometries: Any, frame: Frame) -> Geometries:
    """Polygons in map coordinates with less detail, neighbours still sharing their borders where they did.

    Source: coverage simplification after Visvalingam & Whyatt (1993), `shapely.coverage_simplify`.
    """
    shapes = frame.drawn(shapely.force_2d(np.asarray(geometries, dtype=object)))
    usable = ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes) & shapely.is_valid(shapes)
    if usable.all() and shapely.coverage_is_valid(shapes, gap_width=0.0):
        simple: Geometries = shapely.coverage_simplify(shapes, SIMPLE)
        return simple
    shapes[usable] = shapely.simplify(shapes[usable], SIMPLE / 2)
    return shapes


def path_of(geometry: Any) -> str:
    """SVG path data of a polygon or line in map coordinates, relative and in whole `FINE` steps."""
    if geometry is None or shapely.is_empty(geometry):
        return ""
    polygonal = shapely.get_dimensions(geometry) == 2
    parts = shapely.get_parts(shapely.get_rings(shapely.get_parts(geometry))) if polygonal else _lines(geometry)
    return "".join(_path(shapely.get_coordinates(part), closed=polygonal) for part in parts)


def _lines(geometry: Any) -> Geometries:
    parts = shapely.get_parts(geometry)
    found: Geometries = parts[shapely.get_dimensions(parts) == 1]
    return found


def _path(xy: npt.NDArray[np.float64], *, closed: bool) -> str:
    steps = np.round(xy * FINE).astype(np.int64)
    moves = np.diff(steps, axis=0)
    if closed:
        moves = moves[:-1]  # z draws the last side
    moves = moves[(moves != 0).any(axis=1)]
    if len(moves) < (2 if closed else 1):
        return ""
    body = " ".join(f"{dx} {dy}" for dx, dy in moves.tolist()).replace(" -", "-")
    return f"M{steps[0, 0]} {steps[0, 1]}l{body}{'z' if closed else ''}"


def merged_lines(lines: Any, frame: Frame) -> str:
    """Path data of many lines inside the frame, joined end to end and simplified."""
    shapes = frame.drawn(shapely.force_2d(np.asarray(lines, dtype=object)))
    shapes = np.where(shapely.get_dimensions(shapes) == 2, shapely.boundary(shapes), shapes)
    seen = shapely.clip_by_rect(shapes[~shapely.is_missing(shapes)], 0, 0, WIDTH, frame.height - STRIP)
    seen = seen[~shapely.is_empty(seen)]
    if not len(seen):
        return ""
    parts = _flat(seen)
    joined = shapely.line_merge(shapely.multilinestrings(parts[shapely.get_dimensions(parts) == 1]))
    return path_of(shapely.simplify(joined, SIMPLE / 2))


def _flat(shapes: Geometries) -> Geometries:
    parts: Geometries = shapely.get_parts(shapes)
    while (shapely.get_type_id(parts) > 3).any():
        parts = shapely.get_parts(parts)
    return parts


@dataclass(frozen=True, slots=True)
class Label:
    """A text placed inside its polygon: row, middle of the text, height of the first line, lines."""

    row: int
    x: float
    y: float
    size: float
    lines: tuple[str, ...]


def place_labels(shapes: Geometries, texts: Sequence[Sequence[str]], *, size: float, least: float) -> list[Label]:
    """Labels that lie wholly inside their polygon, so that no two can meet; rows too small for one are left out.

    shapes: in map coordinates; texts: one or two lines per row (the second in 0.72 of the height). Tried: all lines,
    the first alone, then smaller down to ``least``. The middle is that of the largest inscribed circle.
    """
    found: list[Label] = []
    usable = np.flatnonzero(~shapely.is_missing(shapes) & ~shapely.is_empty(shapes))
    circles = shapely.maximum_inscribed_circle(shapes[usable], tolerance=1.0)
    centres = shapely.get_point(circles, 0)
    for row, centre in zip(usable.tolist(), shapely.get_coordinates(centres), strict=True):
        shapely.prepare(shapes[row])
        for lines, high in _tries(tuple(texts[row]), size, least):
            wide, tall = box_of(lines, high)
            x, y = centre
            if shapely.contains(shapes[row], shapely.box(x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2)):
                found.append(Label(row, float(x), float(y), high, lines))
                break
    return found


def _tries(lines: tuple[str, ...], size: float, least: float) -> list[tuple[tuple[str, ...], float]]:
    first = lines[:1]
    smaller = max(size * 0.8, least)
    return [(lines, size), (lines, smaller), (first, size), (first, smaller), (first, least)]


def box_of(lines: Sequence[str], size: float) -> tuple[float, float]:
    """Width and height of a label's text."""
    heights = [size if row == 0 else 0.72 * size for row in range(len(lines))]
    wide = max(
        high * sum(DIGIT if ord(c) < 0x2E80 else 1.0 for c in line) for line, high in zip(lines, heights, strict=True)
    )
    return wide, 1.15 * sum(heights)
