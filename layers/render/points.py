"""Points: the marker drawn once and laid on whole pixels, once a pixel; and the heat of points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from layers.render.canvas import blit, rgb, words
from layers.render.shapes import stamp
from layers.styles.model import Heat, Marker

MANY: Final = 3_000
"""Markers from which on it pays to look for the hidden ones."""


def paint_markers(
    picture: NDArray[np.uint8], groups: Sequence[tuple[NDArray[np.float32], Marker]], ratio: float
) -> None:
    """Lay markers on ``picture`` ((h, w, 4) premultiplied), group by group: places ((n, 2) pixels, NaN left out) and
    what stands on them.

    A place counts as its pixel, so neighbouring tiles show one marker alike; points of one pixel are drawn once.
    Where they are many, those that later ones hide wholly are not drawn at all: the picture is the same.
    """
    pixels = words(picture)
    stamps = [(*stamp(marker, ratio), places) for places, marker in groups if len(places)]
    height, width = picture.shape[:2]
    spots = [_spots(places, height, width, image.shape[0]) for image, _, _, places in stamps]
    seen = [np.ones(len(places), np.bool_) for places in spots]
    if sum(map(len, spots)) > MANY:
        # a marker's place may lie a marker's side outside, and the marker reach as far again
        pad = 2 * max(image.shape[0] for image, _, _, _ in stamps)
        hidden = np.ones((picture.shape[0] + 2 * pad, picture.shape[1] + 2 * pad), np.uint8)
        hidden[pad:-pad, pad:-pad] = 0
        for number in range(len(stamps) - 1, -1, -1):
            image, across, down, _ = stamps[number]
            alpha = image[:, :, 3]
            _see(
                spots[number], (alpha > 0).astype(np.uint8), (alpha == 255).astype(np.uint8), hidden, pad - across,
                pad - down, seen[number],
            )  # fmt: skip
    for (image, across, down, _), places, drawn in zip(stamps, spots, seen, strict=True):
        _stamp(pixels, places, drawn, words(image), across, down)


@njit(cache=True, nogil=True)
def _spots(places: Any, height: int, width: int, side: int) -> Any:
    """(k, 2) column and row of the pixels with places whose markers reach the picture, each once."""
    noted = np.zeros((height + 2 * side, width + 2 * side), np.uint8)
    found, count = np.empty((len(places), 2), np.int32), 0
    for i in range(len(places)):
        x, y = places[i, 0], places[i, 1]
        if not (x > -side and y > -side and x < width + side and y < height + side):
            continue
        column, row = int(np.floor(x)), int(np.floor(y))
        if noted[row + side, column + side]:
            continue
        noted[row + side, column + side] = 1
        found[count, 0], found[count, 1] = column, row
        count += 1
    return found[:count].copy()


@njit(cache=True, nogil=True)
def _see(spots: Any, inked: Any, solid: Any, hidden: Any, right: int, below: int, seen: Any) -> None:
    """Note which markers show, from the last one on, and hide what lies under their solid pixels."""
    tall, wide = inked.shape
    for k in range(len(spots) - 1, -1, -1):
        left, top = spots[k, 0] + right, spots[k, 1] + below
        shows = np.uint8(0)
        for i in range(tall):
            for j in range(wide):
                shows |= inked[i, j] & (hidden[top + i, left + j] ^ np.uint8(1))
            if shows:
                break
        seen[k] = shows != 0
        if shows:
            for i in range(tall):
                for j in range(wide):
                    hidden[top + i, left + j] |= solid[i, j]


@njit(cache=True, nogil=True)
def _stamp(picture: Any, spots: Any, drawn: Any, image: Any, across: int, down: int) -> None:
    for k in range(len(spots)):
        if drawn[k]:
            blit(picture, image, spots[k, 0] - across, spots[k, 1] - down)


def paint_heat(picture: NDArray[np.uint8], places: NDArray[np.float32], heat: Heat, ratio: float) -> None:
    """Lay the density of the places on ``picture``: colours from few to many along the ramp.

    Three box blurs stand in for a Gaussian kernel whose standard deviation is half the radius (Wells, 1986); the work
    grows with the pixels and the points, not with the radius. The densest pixel of the view takes the last colour.
    """
    height, width = picture.shape[:2]
    radius = max(1.0, heat.radius * ratio)
    margin = int(np.ceil(radius * 1.5))
    # one box of width w has variance (w² - 1) / 12; three of them add up
    half = max(1, round((float(np.sqrt(radius * radius + 1.0)) - 1.0) / 2.0))
    density = _counts(places, height, width, margin)
    for _ in range(3):
        _blur_rows(density, half)
        _blur_columns(density, half)
    density = density[margin : margin + height, margin : margin + width]
    top = float(density.max()) if density.size else 0.0
    if top <= 0.0:
        return
    # one point alone is still seen, and a single pair is no fire: the scale never starts below three points
    alone = 1.0 / (2.0 * half + 1.0) ** 2
    _lay_heat(picture, density, 255.0 / max(top, 3.0 * alone * 0.45), _table(heat))


def _table(heat: Heat) -> NDArray[np.uint8]:
    """(256, 4) premultiplied colours of shares of the densest: clear at zero, full from a fifth on."""
    stops = np.array([rgb(color) for color in heat.ramp], np.float64)
    share = np.arange(256) / 255.0
    at = np.linspace(0.0, 1.0, len(stops))
    alpha = np.clip(share / 0.2, 0.0, 1.0) * heat.opacity
    colors = np.stack([np.interp(share, at, stops[:, i]) * alpha for i in range(3)] + [255.0 * alpha], axis=1)
    table: NDArray[np.uint8] = np.round(colors).astype(np.uint8)
    return table


@njit(cache=True, nogil=True)
def _counts(places: Any, height: int, width: int, margin: int) -> Any:
    counts = np.zeros((height + 2 * margin, width + 2 * margin), np.float32)
    for i in range(len(places)):
        x, y = places[i, 0] + margin, places[i, 1] + margin
        if x >= 0 and y >= 0 and x < counts.shape[1] and y < counts.shape[0]:
            counts[int(y), int(x)] += 1.0
    return counts


@njit(cache=True, nogil=True)
def _blur_rows(values: Any, half: int) -> None:
    height, width = values.shape
    line = np.empty(width + 1, np.float64)
    share = 1.0 / (2 * half + 1)
    for row in range(height):
        line[0] = 0.0
        for column in range(width):
            line[column + 1] = line[column] + values[row, column]
        for column in range(width):
            values[row, column] = (line[min(width, column + half + 1)] - line[max(0, column - half)]) * share


@njit(cache=True, nogil=True)
def _blur_columns(values: Any, half: int) -> None:
    height, width = values.shape
    share = 1.0 / (2 * half + 1)
    sums = np.zeros(width, np.float64)
    ring = np.zeros((half + 1, width), np.float32)
    for row in range(min(half, height)):
        sums += values[row]
    for row in range(height):
        if row + half < height:
            sums += values[row + half]
        slot = row % (half + 1)
        if row - half - 1 >= 0:
            sums -= ring[slot]
        ring[slot] = values[row]
        for column in range(width):
            values[row, column] = sums[column] * share


@njit(cache=True, nogil=True)
def _lay_heat(picture: Any, density: Any, scale: float, table: Any) -> None:
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            level = int(min(255.0, density[row, column] * scale))
            alpha = np.int64(table[level, 3])
            if alpha:
                for band in range(4):
                    under = picture[row, column, band] * (255 - alpha)
                    picture[row, column, band] = np.uint8(min(255, table[level, band] + (under + 127) // 255))
