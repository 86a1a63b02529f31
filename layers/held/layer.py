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
from layers.held.boxtree import box_tree
from layers.held.cutting import cut
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
    ) -> None:
        self.layer, self.shapes, self.columns, self.keys, self.ids = layer, shapes, columns, keys, ids
        self.label_points, self.revision, self.generation = label_points, revision, generation
        self._tree = box_tree(shapes.boxes)
        self.box: Box | None = self._tree.box
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.shapes)

    @cached_property
    def nbytes(self) -> int:
        """Bytes held, levels of detail not counted."""
        columns = sum(column.nbytes for column in self.columns.values())
        keys = self.keys.nbytes + (60 * len(self.keys) if self.keys.dtype == object else 0)
        anchors = 32 * len(self)
        return self.shapes.nbytes + self._tree.nbytes + columns + keys + anchors

    def rows_in(self, box: Box) -> Rows:
        """Rows whose box meets a box in degrees, in drawing order."""
        return self._tree.search(box)

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
        found = self._tree.search(box)
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
        return Window(found, pixels, parts, features, kinds, self._anchors_in(seen, margin, found))

    def _around(self, seen: Frame, margin: float, found: Rows) -> tuple[Any, Any, Any, Any, bool]:
        """Arrays of some rows, cut well outside the picture, and whether every one of them can be drawn for sure."""
        shapes = self.shapes
        wide = np.array(seen.degrees(margin + ROUND * max(seen.view.width, seen.view.height)))
        boxes = shapes.boxes[found] if len(found) < len(shapes) else shapes.boxes
        inside = (boxes[:, :2] >= wide[:2]).all(axis=1) & (boxes[:, 2:] <= wide[2:]).all(axis=1)
        if not inside.all():
            return *cut(shapes.coords, shapes.parts, shapes.features, shapes.kinds, found, shapes.boxes, wide), False
        if len(found) == len(shapes):
            return shapes.coords, shapes.parts, shapes.features, shapes.kinds, seen.flat
        return *gathered(shapes.coords, shapes.parts, shapes.features, shapes.kinds, found), seen.flat

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
        if len(s.kinds) == len(s) == len(s.coords):  # a point each
            return s.coords
        found: NDArray[np.float64] = simple_anchors(s.coords, s.parts, s.features, s.kinds, np.arange(len(s)))
        return found

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

    def _anchors_in(self, seen: Frame, margin: float, found: Rows) -> NDArray[np.float32]:
        large = None
        if self.label_points is None and self._has_rings.any():
            box = np.array(seen.degrees(0.0))
            pixel = (box[2:] - box[:2]) / (seen.view.width, seen.view.height)
            boxes = self.shapes.boxes[found]
            large = ((boxes[:, 2:] - boxes[:, :2]) >= LARGE * pixel).any(axis=1)
        anchors: NDArray[np.float32] = seen.pixels(self.anchors(found, large))
        x, y = anchors[:, 0], anchors[:, 1]
        view = seen.view
        inside = (x >= -margin) & (y >= -margin) & (x <= view.width + margin) & (y <= view.height + margin)
        if not inside.all():
            anchors[~inside] = np.nan
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
        found = self._tree.search(frame(View(view.crs, (cx - dx, cy - dy, cx + dx, cy + dy), 1, 1)).degrees(0.5))
        if rows is not None:
            found = found[rows[found]]
        s = self.shapes
        coords, parts, features, kinds = gathered(s.coords, s.parts, s.features, s.kinds, found)
        hit = under(seen.pixels(coords, exact=True), parts, features, kinds, x, y, tolerance)
        return np.asarray(found[hit][::-1])


_EMPTY: Final = Window(
    np.zeros(0, np.int64), np.zeros((0, 2), np.float32), np.zeros(1, np.int64), np.zeros(1, np.int64),
    np.zeros(0, np.uint8), np.zeros((0, 2), np.float32),
)  # fmt: skip
