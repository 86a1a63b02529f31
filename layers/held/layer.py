"""One layer in memory: geometries with a tree over their boxes, attributes, and what a picture needs of them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pygeofilter import ast

from gisgrid.boxes import Box
from layers.catalog.model import Layer
from layers.columns import Column
from layers.filters.masks import mask
from layers.held.anchors import simple_anchors, widest_places
from layers.held.boxtree import BoxTree, box_tree
from layers.held.cutting import cut
from layers.held.detail import DETAIL_FROM, STEP, kept_to, level_of, simplified
from layers.held.picking import drawable, under
from layers.held.projecting import Frame, frame
from layers.held.shapes import Shapes, gathered
from layers.held.view import View, Window

FAR: Final = 1e6
"""No coordinate of a window is further from the picture's corner, in pixels."""
ROUND: Final = 4.0
"""Geometries are cut so many picture sides around the picture: dashes and joins in it stay what they are."""
LARGE: Final = 20.0
"""Polygons at least so many pixels wide or tall carry their label at their widest place, others anywhere inside."""

Rows = NDArray[np.int64]


class HeldLayer:
    """A layer as it was at one time; never changed, so threads share it.

    ``keys`` (k,) the keys the catalogue tells features apart by, ``ids`` (k,) numbers of the rows in the database (None
    where the table has none), ``columns`` every attribute by name, ``box`` west, south, east, north in degrees of
    EPSG:4490 (None: nothing is there). Rows are numbered in drawing order.
    """

    def __init__(
        self,
        layer: Layer,
        shapes: Shapes,
        columns: Mapping[str, Column],
        keys: NDArray[Any],
        *,
        ids: Rows | None = None,
        label_points: NDArray[np.float64] | None = None,
        revision: str = "",
        generation: int | None = None,
        kept_to: NDArray[np.float32] | None = None,
        tree: BoxTree | None = None,
    ) -> None:
        self.layer, self.shapes, self.columns, self.keys, self.ids = layer, shapes, columns, keys, ids
        self.label_points, self.revision, self.generation = label_points, revision, generation
        self.tree = box_tree(shapes.boxes) if tree is None else tree
        self.box: Box | None = self.tree.box
        self.kept_to = kept_to
        """Tolerances of `layers.held.detail`; None until a picture needed them."""
        self.unsimplified = 0
        """Coordinates of changed rows, which every level keeps."""
        self._levels: dict[int, Shapes] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.shapes)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        levels = sum(s.coords.nbytes + s.parts.nbytes for s in list(self._levels.values()) if s is not self.shapes)
        return self._bytes + levels + (0 if self.kept_to is None else self.kept_to.nbytes)

    @cached_property
    def _bytes(self) -> int:
        columns = sum(column.nbytes for column in self.columns.values())
        keys = self.keys.nbytes + (60 * len(self.keys) if self.keys.dtype == object else 0)
        anchors = 32 * len(self)
        return self.shapes.nbytes + self.tree.nbytes + columns + keys + anchors

    def rows_in(self, box: Box) -> Rows:
        """Rows whose box meets a box in degrees, in drawing order."""
        return self.tree.search(box)

    def matches(self, node: ast.Node, rows: Rows | None = None) -> NDArray[np.bool_]:
        """Mask (over ``rows``, None: all) of the features a condition holds for; unknown counts as no.

        Raises BadInput for what the condition asks and this layer cannot answer.
        """
        return mask(node, self.columns, rows)

    def window(self, view: View, margin: float, rows: NDArray[np.bool_] | None = None) -> Window:
        """What lies in the view or within ``margin`` pixels around it, of the rows the mask ``rows`` (k,) leaves.

        Rings and lines that reach far beyond are cut, those PROJ has no place for left out. Raises BadInput for a view
        that shows nothing and an unknown CRS.
        """
        seen = frame(view)
        box = seen.degrees(margin)
        found = self.tree.search(box)
        if rows is not None:
            found = found[rows[found]]
        if not len(found):
            return _EMPTY
        coords, parts, features, kinds, sure = self._around(seen, margin, found)
        pixels = seen.pixels(coords)
        if not sure:
            sound = drawable(pixels, parts, features, FAR)
            if not sound.all():
                left = np.flatnonzero(sound)
                pixels, parts, features, kinds = gathered(pixels, parts, features, kinds, left)
                found = found[left]
        anchors = pixels.copy() if self._single and len(found) == len(pixels) else self._anchors_in(seen, found)
        return Window(found, pixels, parts, features, kinds, _shown(anchors, seen, margin))

    def _around(self, seen: Frame, margin: float, found: Rows) -> tuple[Any, Any, Any, Any, bool]:
        """Arrays of some rows, cut well outside the picture, and whether every one of them can be drawn for sure."""
        shapes = self._detailed(seen)
        wide = np.array(seen.degrees(margin + ROUND * max(seen.view.width, seen.view.height)))
        if not (_within(np.array([self.box]), wide) or _within(shapes.boxes[found], wide)):
            return *cut(shapes.coords, shapes.parts, shapes.features, shapes.kinds, found, shapes.boxes, wide), False
        if len(found) == len(shapes):
            return shapes.coords, shapes.parts, shapes.features, shapes.kinds, seen.flat
        return *gathered(shapes.coords, shapes.parts, shapes.features, shapes.kinds, found), seen.flat

    def _detailed(self, seen: Frame) -> Shapes:
        """The geometries with the vertices a picture of this scale can show; all while another thread makes them."""
        shapes = self.shapes
        if len(shapes.coords) < DETAIL_FROM or self._points_only:
            return shapes
        west, south, east, north = seen.degrees(0.0)
        narrow = np.cos(np.radians(min(89.0, max(abs(south), abs(north)))))
        level = level_of(min((east - west) / seen.view.width * narrow, (north - south) / seen.view.height))
        found = self._levels.get(level)
        if found is not None:
            return found
        if STEP**level * 8 < self._shortest or not self._lock.acquire(blocking=False):
            return shapes
        try:
            if self.kept_to is None:
                self.kept_to = kept_to(shapes)
            found = self._levels[level] = simplified(shapes, self.kept_to, level) or shapes
        finally:
            self._lock.release()
        return found

    @cached_property
    def _points_only(self) -> bool:
        return not self.shapes.kinds.any()

    @cached_property
    def _shortest(self) -> float:
        """A small extent of a feature, in degrees: tolerances far below it save nothing."""
        boxes = self.shapes.boxes
        extent = np.nanmax(boxes[:, 2:] - boxes[:, :2], axis=1)
        return float(np.nanmedian(extent) / max(1.0, len(self.shapes.coords) / max(1, len(self.shapes.kinds))))

    def anchors(self, rows: Rows, large: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Where labels of rows stand, in degrees (k, 2): inside polygons, on lines, the point itself. ``large`` (k,):
        those for which the widest place is looked for (None: all)."""
        if self.label_points is not None:
            return self.label_points[rows]
        found = self._simple_anchors[rows]
        wanted = np.flatnonzero(self._has_rings[rows] & (True if large is None else large))
        if not len(wanted):
            return found
        best, of = self._best_anchors, rows[wanted]
        missing = of[np.isnan(best[of, 0])]
        if len(missing):  # two threads may find the same places: they are the same
            s = self.shapes
            best[missing] = widest_places(
                s.coords, s.parts, s.features, s.kinds, missing, self._simple_anchors[missing]
            )
        found[wanted] = best[of]
        return found

    @cached_property
    def _simple_anchors(self) -> NDArray[np.float64]:
        s = self.shapes
        if self._single:
            return s.coords
        found: NDArray[np.float64] = simple_anchors(s.coords, s.parts, s.features, s.kinds, np.arange(len(s)))
        return found

    @cached_property
    def _single(self) -> bool:
        """Whether every feature is one point."""
        return len(self.shapes.coords) == len(self) and bool((np.diff(self.shapes.features) == 1).all())

    @cached_property
    def _best_anchors(self) -> NDArray[np.float64]:
        return np.full((len(self), 2), np.nan)

    @cached_property
    def _has_rings(self) -> NDArray[np.bool_]:
        has = np.zeros(len(self), bool)
        with_parts = np.diff(self.shapes.features) > 0
        if len(self.shapes.kinds):
            has[with_parts] = np.maximum.reduceat(self.shapes.kinds, self.shapes.features[:-1][with_parts]) == 2
        return has

    def _anchors_in(self, seen: Frame, found: Rows) -> NDArray[np.float32]:
        large = None
        if self.label_points is None and self._has_rings.any():
            box = np.array(seen.degrees(0.0))
            pixel = (box[2:] - box[:2]) / (seen.view.width, seen.view.height)
            boxes = self.shapes.boxes[found]
            large = ((boxes[:, 2:] - boxes[:, :2]) >= LARGE * pixel).any(axis=1)
        anchors: NDArray[np.float32] = seen.pixels(self.anchors(found, large))
        return anchors

    def at(self, view: View, x: float, y: float, tolerance: float, rows: NDArray[np.bool_] | None = None) -> Rows:
        """Rows at a place in pixels of the view (the middle of pixel 0 is 0.5), the one drawn last first.

        Polygons that hold the place, lines and points within ``tolerance`` pixels of it; original geometries, PROJ's
        own coordinates.
        """
        seen = frame(view)
        near = max(tolerance, 0.5)
        cx, cy = view.box[0] + x / seen.scale[0], view.box[3] - y / seen.scale[1]
        dx, dy = near / seen.scale[0], near / seen.scale[1]
        found = self.tree.search(frame(View(view.crs, (cx - dx, cy - dy, cx + dx, cy + dy), 1, 1)).degrees(0.5))
        if rows is not None:
            found = found[rows[found]]
        s = self.shapes
        coords, parts, features, kinds = gathered(s.coords, s.parts, s.features, s.kinds, found)
        hit = under(seen.pixels(coords, exact=True), parts, features, kinds, x, y, tolerance)
        return np.asarray(found[hit][::-1])


def _within(boxes: NDArray[np.float64], wide: NDArray[np.float64]) -> bool:
    return bool((boxes[:, :2] >= wide[:2]).all() and (boxes[:, 2:] <= wide[2:]).all())


def _shown(anchors: NDArray[np.float32], seen: Frame, margin: float) -> NDArray[np.float32]:
    """The anchors, NaN where they are further than the margin from the picture."""
    x, y = anchors[:, 0], anchors[:, 1]
    width, height = seen.view.width + margin, seen.view.height + margin
    inside = (x >= -margin) & (y >= -margin) & (x <= width) & (y <= height)
    if not inside.all():
        anchors[~inside] = np.nan
    return anchors


_EMPTY: Final = Window(
    np.zeros(0, np.int64), np.zeros((0, 2), np.float32), np.zeros(1, np.int64), np.zeros(1, np.int64),
    np.zeros(0, np.uint8), np.zeros((0, 2), np.float32),
)  # fmt: skip
