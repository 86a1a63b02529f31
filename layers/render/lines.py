"""Solid lines with round ends and corners: how much of every pixel lies within half a width of the line.

Every segment raises the cover of the pixels along it and never adds to it, so a border drawn from both of its
neighbours, or a corner where segments meet, is no darker than the rest.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from layers.render.areas import BLOCK
from layers.render.canvas import over, shades, words

_local = threading.local()


def paint_lines(
    picture: NDArray[np.uint8],
    coords: NDArray[np.float32],
    parts: NDArray[np.int64],
    closed: NDArray[np.bool_],
    color: tuple[int, int, int],
    width: float,
    opacity: float,
) -> None:
    """Draw lines ``width`` pixels wide on ``picture`` ((h, w, 4) premultiplied). ``closed`` (p,): rings."""
    cover, touched = _scratch(picture.shape[0], picture.shape[1])
    try:
        _cover(coords, parts, closed, width / 2.0, cover, touched)
        _blend(words(picture), cover, touched, shades(color), round(opacity * 256))
    except BaseException:
        _local.cover = None
        raise


def _scratch(height: int, width: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    cover = getattr(_local, "cover", None)
    if cover is None or cover.shape != (height, width):
        cover = _local.cover = np.zeros((height, width), np.uint8)
        _local.blocks = np.zeros((height, (width + BLOCK - 1) // BLOCK), np.uint8)
    return cover, _local.blocks


@njit(cache=True, nogil=True)
def _cover(coords: Any, parts: Any, closed: Any, half: float, cover: Any, touched: Any) -> None:
    height, width = cover.shape
    reach = half + 0.5
    peak = min(1.0, 2.0 * half)
    for part in range(len(parts) - 1):
        first, last = parts[part], parts[part + 1]
        if last - first < 1:
            continue
        ax, ay = float(coords[first, 0]), float(coords[first, 1])
        start = first + 1
        if closed[part] or last - first == 1:
            ax, ay = float(coords[last - 1, 0]), float(coords[last - 1, 1])
            start = first
        for i in range(start, last):
            bx, by = float(coords[i, 0]), float(coords[i, 1])
            x0, y0, x1, y1 = ax, ay, bx, by
            ax, ay = bx, by
            if x0 == x1 and y0 == y1 and last - first > 1:
                continue
            if max(y0, y1) + reach < 0 or min(y0, y1) - reach > height:
                continue
            if max(x0, x1) + reach < 0 or min(x0, x1) - reach > width:
                continue
            dx, dy = x1 - x0, y1 - y0
            square = dx * dx + dy * dy
            inverse = 1.0 / square if square > 0.0 else 0.0
            low, high = min(x0, x1) - reach, max(x0, x1) + reach
            steep = abs(dy) > 1e-6
            lean = dx / dy if steep else 0.0
            side = reach * np.sqrt(square) / abs(dy) if steep else 0.0
            for row in range(max(0, int(min(y0, y1) - reach)), min(height, int(max(y0, y1) + reach) + 1)):
                y = row + 0.5 - y0
                left, right = low, high
                if steep:
                    middle = x0 + y * lean
                    left, right = max(left, middle - side), min(right, middle + side)
                begin, end = max(0, int(left - 0.5)), min(width, int(right + 0.5) + 1)
                if begin >= end:
                    continue
                for column in range(begin, end):
                    x = column + 0.5 - x0
                    along = (x * dx + y * dy) * inverse
                    along = min(1.0, max(0.0, along))
                    ox, oy = x - along * dx, y - along * dy
                    apart = ox * ox + oy * oy
                    if apart >= reach * reach:
                        continue
                    share = min(peak, reach - np.sqrt(apart))
                    value = np.uint8(share * 255.0 + 0.5)
                    if value > cover[row, column]:
                        cover[row, column] = value
                for block in range(begin // BLOCK, (end - 1) // BLOCK + 1):
                    touched[row, block] = 1


@njit(cache=True, nogil=True)
def _blend(pixels: Any, cover: Any, touched: Any, colors: Any, opacity: int) -> None:
    """Lay the colour where it covers, and leave the cover zeroed. ``colors`` (256,): it at every alpha."""
    height, width = cover.shape
    for row in range(height):
        for block in range(touched.shape[1]):
            if touched[row, block] == 0:
                continue
            touched[row, block] = 0
            for column in range(block * BLOCK, min(block * BLOCK + BLOCK, width)):
                value = cover[row, column]
                if value:
                    cover[row, column] = 0
                    alpha = (np.uint32(value) * np.uint32(opacity) + np.uint32(128)) >> np.uint32(8)
                    pixels[row, column] = over(colors[alpha], np.uint32(255) - alpha, pixels[row, column])
