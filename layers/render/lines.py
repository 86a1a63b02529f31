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
        _cover(coords, parts, closed, width / 2.0, cover, touched, _table(coords, closed))
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


def _table(coords: NDArray[np.float32], closed: NDArray[np.bool_]) -> NDArray[np.int32]:
    """A table for `_new`: rings share borders, which need covering once; lines seldom do (one place: no table)."""
    return np.zeros(1 << (2 * len(coords)).bit_length() if closed.any() else 1, np.int32)


@njit(cache=True, nogil=True)
def _new(bits: Any, i: int, table: Any) -> bool:
    """Whether the segment that ends at corner ``i`` comes for the first time, whichever way round. ``bits`` (n, 2):
    the coordinates' bytes."""
    one = (np.uint64(bits[i, 0]) << np.uint64(32)) | np.uint64(bits[i, 1])
    other = (np.uint64(bits[i - 1, 0]) << np.uint64(32)) | np.uint64(bits[i - 1, 1])
    low, high = min(one, other), max(one, other)
    mixed = (low ^ (high >> np.uint64(29)) ^ (high << np.uint64(35))) * np.uint64(0x9E3779B97F4A7C15)
    slot = np.int64((mixed ^ (mixed >> np.uint64(32))) & np.uint64(len(table) - 1))
    while table[slot]:
        j = table[slot]
        a = (np.uint64(bits[j, 0]) << np.uint64(32)) | np.uint64(bits[j, 1])
        b = (np.uint64(bits[j - 1, 0]) << np.uint64(32)) | np.uint64(bits[j - 1, 1])
        if min(a, b) == low and max(a, b) == high:
            return False
        slot = (slot + 1) & (len(table) - 1)
    table[slot] = i
    return True


@njit(cache=True, nogil=True)
def _cover(coords: Any, parts: Any, closed: Any, half: float, cover: Any, touched: Any, table: Any) -> None:
    height, width = cover.shape
    bits = coords.view(np.uint32)
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
            if len(table) > 1 and i > first and not _new(bits, i, table):
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
                    # without branches: most of these pixels lie at the rim, where none can be foretold
                    share = min(peak, max(0.0, reach - np.sqrt(ox * ox + oy * oy)))
                    cover[row, column] = max(cover[row, column], np.uint8(share * 255.0 + 0.5))
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
