"""Paper, scale and where everything stands on the page. Lengths in points (1/72 inch), y downwards."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from gisgrid.errors import BadInput
from gisgrid.limits import SHEET_SCALE_MAX

Orientation = Literal["portrait", "landscape"]

MM: Final = 72.0 / 25.4
"""Points in a millimetre."""
PAPERS: Final = {"A4": (210.0, 297.0), "A3": (297.0, 420.0), "A2": (420.0, 594.0), "A1": (594.0, 841.0)}
"""Short and long side in millimetres (ISO 216)."""
LETTERS: Final = {"A4": 1.0, "A3": 1.2, "A2": 1.55, "A1": 2.0}
"""How large letters and lines are beside those on A4: larger paper hangs farther from its readers."""
SCALES: Final = (
    500, 600, 750, 1_000, 1_250, 1_500, 2_000, 2_500, 3_000, 4_000, 5_000, 6_000, 7_500, 8_000, 10_000, 12_500, 15_000,
    20_000, 25_000, 30_000, 40_000, 50_000, 60_000, 75_000, 100_000, 150_000, 200_000, 250_000,
)  # fmt: skip
"""Scales a sheet is rounded to when it shall fit the paper."""
SCALE_MIN: Final = 500
BELOW: Final = {"landscape": 52.0, "portrait": 78.0}
"""Height of what stands under the map, in mm of letters."""
ROOM: Final = 0.025
"""Part of the map's width and height kept free around the community."""


class Box(NamedTuple):
    """A rectangle on the page."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.bottom - self.top

    def inset(self, by: float) -> Box:
        """The rectangle drawn in by ``by`` on every side."""
        return Box(self.left + by, self.top + by, self.right - by, self.bottom - by)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts of a sheet stand. ``unit``: a millimetre of letters and lines, in points; ``below``: what goes
    with the map stands under it, not on its right."""

    paper: str
    orientation: Orientation
    below: bool
    unit: float
    page: Box
    title: Box
    map: Box
    side: Box
    """North arrow, scale bar, legend, table."""
    foot: Box


def layout(paper: str, orientation: Orientation, *, below: bool) -> Layout:
    """The layout of a paper. Raises BadInput for one that is not offered."""
    if paper not in PAPERS:
        raise BadInput(f"paper={paper!r}: give {', '.join(PAPERS)}", field="paper")
    if orientation not in ("portrait", "landscape"):
        raise BadInput(f"orientation={orientation!r}: give portrait or landscape", field="orientation")
    short, long = PAPERS[paper]
    wide, high = (short, long) if orientation == "portrait" else (long, short)
    unit = LETTERS[paper] * MM
    page = Box(0.0, 0.0, wide * MM, high * MM)
    inner = page.inset(max(10.0, 0.025 * short) * MM)
    title = Box(inner.left, inner.top, inner.right, inner.top + 15.0 * unit)
    foot = Box(inner.left, inner.bottom - 8.0 * unit, inner.right, inner.bottom)
    body = Box(inner.left, title.bottom, inner.right, foot.top - 1.5 * unit)
    gap = 3.0 * unit
    if not below:
        side = Box(body.right - 82.0 * unit, body.top, body.right, body.bottom)
        middle = Box(body.left, body.top, side.left - gap, body.bottom)
    else:
        side = Box(body.left, body.bottom - BELOW[orientation] * unit, body.right, body.bottom)
        middle = Box(body.left, body.top, body.right, side.top - gap)
    return Layout(paper, orientation, below, unit, page, title, middle, side, foot)


def fitting(size: tuple[float, float], paper: str, orientation: str | None, scale: int | None) -> tuple[Layout, int]:
    """The layout and the scale (1 : n) for ground of ``size`` (metres east–west, north–south).

    Without an orientation, the one that shows the ground larger; without a scale, the largest of `SCALES` that fits.
    Raises BadInput for a scale out of range or one the ground does not fit at, naming what would.
    """
    offered = [plan for plan in layouts(paper) if orientation in (None, plan.orientation)]
    # where two show the ground at the same round scale, the first stays
    best = min(offered, key=lambda plan: _rounded(least_scale(size, plan.map)))
    if scale is not None:
        best = min(offered, key=lambda plan: max(least_scale(size, plan.map), scale))
    least = least_scale(size, best.map)
    if scale is None:
        found = _rounded(least)
        if found > SHEET_SCALE_MAX:
            raise BadInput(f"the ground of {size[0]:.0f} x {size[1]:.0f} m fits no sheet up to 1:{SHEET_SCALE_MAX}")
        return best, int(found)
    if not SCALE_MIN <= scale <= SHEET_SCALE_MAX:
        raise BadInput(f"scale={scale}: give {SCALE_MIN} to {SHEET_SCALE_MAX}, as 2500 for 1:2500", field="scale")
    if scale < least:
        fits = int(min(_rounded(least), SHEET_SCALE_MAX))
        larger = [name for name in PAPERS if _fits_at(size, name, scale)]
        other = f", or paper={larger[0]}" if larger else ""
        raise BadInput(
            f"scale={scale}: the ground of {size[0]:.0f} x {size[1]:.0f} m does not fit {paper} at 1:{scale}; "
            f"give scale={fits} or smaller{other}", field="scale", fits=fits, papers=larger,
        )  # fmt: skip
    return best, scale


def _rounded(least: float) -> float:
    """The round scale at which ground fits that needs 1 : ``least``; infinite when none does."""
    return next((float(scale) for scale in SCALES if scale >= least), math.inf)


def _fits_at(size: tuple[float, float], paper: str, scale: int) -> bool:
    return any(scale >= least_scale(size, plan.map) for plan in layouts(paper))


def layouts(paper: str) -> tuple[Layout, ...]:
    """Every layout of a paper: for ground about as wide as high, for wide ground, for high ground."""
    return (
        layout(paper, "landscape", below=False), layout(paper, "landscape", below=True),
        layout(paper, "portrait", below=True),
    )  # fmt: skip


def least_scale(size: tuple[float, float], box: Box) -> float:
    """The largest scale (smallest n of 1 : n) at which the ground fits the box with some room around."""
    free = 1.0 - 2.0 * ROOM
    metre = 1000.0 * MM  # at 1 : 1
    return max(size[0] * metre / (free * box.width), size[1] * metre / (free * box.height))


def round_length(most: float) -> float:
    """The largest 1, 2 or 5 times a power of ten that is at most ``most``."""
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (5.0, 2.0, 1.0) if step * power <= most * (1 + 1e-9))
