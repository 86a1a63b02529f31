"""From metres on the ground to points on the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
import shapely

from layers.sheets.data import Community
from layers.sheets.paper import MM, Box


@dataclass(frozen=True, slots=True)
class Frame:
    """The map's box on the page and the metres (of one projection) at its middle; ``factor``: points a metre."""

    box: Box
    x: float
    y: float
    factor: float

    @property
    def window(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the box in metres."""
        wide, high = self.box.width / self.factor / 2, self.box.height / self.factor / 2
        return self.x - wide, self.y - high, self.x + wide, self.y + high

    def drawn(self, shapes: Any, *, cut: float | None = None) -> Any:
        """Geometries on the page; ``cut``: what lies more than so many points beyond the map's box is cut off."""
        middle_x, middle_y = (self.box.left + self.box.right) / 2, (self.box.top + self.box.bottom) / 2

        def place(xy: Any) -> Any:
            return np.column_stack(
                [middle_x + (xy[:, 0] - self.x) * self.factor, middle_y - (xy[:, 1] - self.y) * self.factor]
            )

        made = shapely.transform(shapely.force_2d(np.asarray(shapes, dtype=object)), place)
        if cut is None:
            return made
        return shapely.clip_by_rect(made, *self.box.inset(-cut))


def frame_of(community: Community, box: Box, scale: int) -> Frame:
    """The community in the middle of the box at 1 : ``scale``."""
    west, south, east, north = community.bounds
    return Frame(box, (west + east) / 2, (south + north) / 2, 1000.0 * MM / scale)


def north_of(community: Community, frame: Frame) -> float:
    """Degrees clockwise from the page's upright to true north, at the middle of the map.

    The y axis of a Gauss–Krüger zone points north on its central meridian only; elsewhere the two differ by the
    convergence of the meridians. Taken from the projection itself: the direction a step north leads.
    """
    to_degrees = pyproj.Transformer.from_crs(community.crs, "EPSG:4490", always_xy=True)
    lon, lat = to_degrees.transform(frame.x, frame.y)
    x, y = to_degrees.transform([lon, lon], [lat, lat + 1e-3], direction="INVERSE")
    return float(np.rad2deg(np.arctan2(x[1] - x[0], y[1] - y[0])))


def degrees_minutes(angle: float) -> str:
    """An angle as −0°15′."""
    minutes = round(abs(angle) * 60)
    sign = "−" if angle < 0 and minutes else ""
    return f"{sign}{minutes // 60}°{minutes % 60:02d}′"
