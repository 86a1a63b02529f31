"""Insides of polygons: exact area of every pixel they cover, all colours of a coat in one pass.

Signed areas are summed per pixel and added up along the rows (Levien, *font-rs*, 2016; the method of FreeType's
smooth rasteriser). Neighbours that share an edge add up to exactly one, so nothing shines through between them:
painting one polygon over the other, as drawing libraries do, leaves a hairline of up to a quarter of the background.
Only blocks of pixels that an edge runs through are summed; between them a colour is laid down evenly.
"""

from __future__ import annotations

import threading
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from layers.render.canvas import over, words

BLOCK: Final = 16
"""Pixels of a row that are noted together as touched by an edge."""
SCRATCH_BYTES: Final = 16 * 1024 * 1024
"""Memory of the sums; larger pictures are painted in bands of rows."""
LOOKS: Final = 300_000
"""Corners looked at, over all bands, for which bands are made small."""
_local = threading.local()


def paint_areas(
    picture: NDArray[np.uint8],
    coords: NDArray[np.float32],
    parts: NDArray[np.int64],
    colors: NDArray[np.float32],
    color_of: NDArray[np.int64],
    opacity: float,
) -> None:
    """Lay one coat of polygons on ``picture`` ((h, w, 4) premultiplied).

    ``coords`` (n, 2) in pixels, ``parts`` (p + 1,) the rings, ``colors`` (c, 3) red, green, blue of 0 to 255,
    ``color_of`` (p,) a ring's colour and its sense: ``index + 1``, negative to turn the ring round, 0: no ring. Later
    colours cover earlier ones where polygons overlap; the coat as a whole has ``opacity``.
    """
    if not len(parts) or len(parts) == 1:
        return
    height, width = picture.shape[:2]
    band = _band_of(height, width, len(coords))
    sums, touched = _scratch(band, width)
    painted = np.column_stack([colors, np.full(len(colors), 255.0)]).astype(np.float32)
    try:
        for top in range(0, height, band):
            rows = picture[top : top + band]
            _deposit(coords, parts, color_of, painted, -1, float(top), len(rows), width, sums, touched)
            before = rows.copy() if len(colors) > 1 else None
            if _sweep(words(rows), sums, touched, opacity) and before is not None:
                rows[:] = before
                _stack(rows, coords, parts, color_of, painted, float(top), sums, touched, opacity)
    except BaseException:
        _local.sums = None
        raise


def _band_of(height: int, width: int, corners: int) -> int:
    """Rows of a band. Sums of few rows stay in the processor's cache; but each band looks at every corner again."""
    most = SCRATCH_BYTES // (16 * (width + BLOCK + 2))
    bands = max(1, min(height // 32, LOOKS // max(1, corners)))
    return max(16, min(most, -(-height // bands)))


def _scratch(rows: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Zeroed sums (rows, columns, 4) and touched blocks of this thread; users leave them zeroed."""
    blocks = (width + 2 + BLOCK - 1) // BLOCK
    sums = getattr(_local, "sums", None)
    if sums is None or sums.shape[0] < rows or sums.shape[1] != blocks * BLOCK:
        sums = _local.sums = np.zeros((rows, blocks * BLOCK, 4), np.float32)
        _local.touched = np.zeros((rows, blocks), np.uint8)
    return sums, _local.touched


def _stack(
    rows: Any, coords: Any, parts: Any, color_of: Any, colors: Any, top: float, sums: Any, touched: Any, opacity: float
) -> None:
    """The coat where polygons of different colours overlap: from the last colour down, each takes what is left."""
    height, width = rows.shape[:2]
    coat = np.zeros((height, width, 4), np.float32)
    for index in range(len(colors) - 1, -1, -1):
        _deposit(coords, parts, color_of, colors, index, top, height, width, sums, touched)
        _take(coat, colors[index], sums, touched)
    _lay(rows, coat, opacity)


@njit(cache=True, nogil=True)
def _deposit(
    coords: Any, parts: Any, color_of: Any, colors: Any, only: int, top: float, height: int, width: int, sums: Any,
    touched: Any,
) -> None:  # fmt: skip
    """Add the signed areas right of every edge. ``only``: one colour's rings, -1: all."""
    bottom = top + height
    right = float(width)
    for part in range(len(parts) - 1):
        code = color_of[part]
        if code == 0:
            continue
        color = abs(code) - 1
        if only >= 0 and color != only:
            continue
        sense = 1.0 if code > 0 else -1.0
        red, green, blue, alpha = colors[color, 0], colors[color, 1], colors[color, 2], colors[color, 3]
        first, last = parts[part], parts[part + 1]
        if last - first < 3:
            continue
        ax, ay = float(coords[last - 1, 0]), float(coords[last - 1, 1])
        for i in range(first, last):
            bx, by = float(coords[i, 0]), float(coords[i, 1])
            x0, y0, x1, y1, turn = ax, ay, bx, by, sense
            ax, ay = bx, by
            if y0 == y1:
                continue
            if y0 > y1:
                x0, y0, x1, y1, turn = x1, y1, x0, y0, -turn
            if y1 <= top or y0 >= bottom or (x0 >= right and x1 >= right):
                continue
            slope = (x1 - x0) / (y1 - y0)
            if y0 < top:
                x0 += (top - y0) * slope
                y0 = top
            if y1 > bottom:
                x1 = x0 + (bottom - y0) * slope
                y1 = bottom
            x = x0
            row = int(y0 - top)
            y = y0
            while y < y1 and row < height:
                after = min(top + row + 1.0, y1)
                part_of_row = after - y
                x_after = x0 + (after - y0) * slope
                lo, hi = min(x, x_after), max(x, x_after)
                weight = part_of_row * turn
                if hi <= 0.0:
                    sums[row, 0, 0] += weight * red
                    sums[row, 0, 1] += weight * green
                    sums[row, 0, 2] += weight * blue
                    sums[row, 0, 3] += weight * alpha
                    touched[row, 0] = 1
                elif lo < right:
                    span = hi - lo
                    if lo < 0.0:
                        share = weight * (-lo / span)
                        sums[row, 0, 0] += share * red
                        sums[row, 0, 1] += share * green
                        sums[row, 0, 2] += share * blue
                        sums[row, 0, 3] += share * alpha
                        touched[row, 0] = 1
                        weight -= share
                        lo = 0.0
                    if hi > right:
                        # what lies right of the picture fills nothing in it
                        weight *= (right - lo) / (hi - lo)
                        hi = right
                    cell, end = int(lo), int(np.ceil(hi))
                    for block in range(cell // BLOCK, max(end, cell + 1) // BLOCK + 1):
                        touched[row, block] = 1
                    if end <= cell + 1:
                        covered = weight * (1.0 - (0.5 * (lo + hi) - cell))
                        rest = weight - covered
                        sums[row, cell, 0] += covered * red
                        sums[row, cell, 1] += covered * green
                        sums[row, cell, 2] += covered * blue
                        sums[row, cell, 3] += covered * alpha
                        sums[row, cell + 1, 0] += rest * red
                        sums[row, cell + 1, 1] += rest * green
                        sums[row, cell + 1, 2] += rest * blue
                        sums[row, cell + 1, 3] += rest * alpha
                    else:
                        per = weight / (hi - lo)
                        before = 0.0
                        for column in range(cell, end):
                            # area right of the edge in columns up to this one
                            near, far = max(lo, float(column)), min(hi, column + 1.0)
                            total = per * (near - lo) + per * (far - near) * (column + 1.0 - 0.5 * (near + far))
                            step = total - before
                            before = total
                            sums[row, column, 0] += step * red
                            sums[row, column, 1] += step * green
                            sums[row, column, 2] += step * blue
                            sums[row, column, 3] += step * alpha
                        rest = weight - before
                        sums[row, end, 0] += rest * red
                        sums[row, end, 1] += rest * green
                        sums[row, end, 2] += rest * blue
                        sums[row, end, 3] += rest * alpha
                x = x_after
                y = after
                row += 1


@njit(cache=True, nogil=True)
def _take(coat: Any, color: Any, sums: Any, touched: Any) -> None:
    """Give a colour what is left of every pixel it covers. ``coat``: colour parts and covered share, 0 to 255."""
    height, width = coat.shape[:2]
    for row in range(height):
        total = np.float32(0.0)
        for block in range(touched.shape[1]):
            crossed = touched[row, block]
            touched[row, block] = 0
            if not crossed and total < 0.25:
                continue
            for column in range(block * BLOCK, min(block * BLOCK + BLOCK, sums.shape[1])):
                if crossed:
                    total += sums[row, column, 3]
                    sums[row, column, 0] = sums[row, column, 1] = sums[row, column, 2] = sums[row, column, 3] = (
                        np.float32(0.0)
                    )
                if column < width and total > 0.25:
                    left = 255.0 - coat[row, column, 3]
                    share = min(total, left)
                    if share > 0.0:
                        coat[row, column, 0] += color[0] * share / 255.0
                        coat[row, column, 1] += color[1] * share / 255.0
                        coat[row, column, 2] += color[2] * share / 255.0
                        coat[row, column, 3] += share


@njit(cache=True, nogil=True)
def _lay(rows: Any, coat: Any, opacity: float) -> None:
    for row in range(rows.shape[0]):
        for column in range(rows.shape[1]):
            alpha = coat[row, column, 3]
            if alpha > 0.25:
                keep = 1.0 - alpha * opacity / 255.0
                for band in range(4):
                    rows[row, column, band] = np.uint8(
                        min(255.0, coat[row, column, band] * opacity + rows[row, column, band] * keep + 0.5)
                    )


@njit(cache=True, nogil=True)
def byte(value: Any) -> Any:
    """A band's value as a byte. Halves go up even where sums are a little short: one colour is one colour."""
    return np.uint32(max(0.0, min(255.0, value + 0.504)))


@njit(cache=True, nogil=True)
def _laid(red: Any, green: Any, blue: Any, alpha: Any, opacity: Any) -> Any:
    """Sums of a pixel as one premultiplied number; where more than all of it is covered, the mean colour."""
    scale = opacity
    if alpha > 255.0:
        scale = np.float32(opacity * np.float32(255.0) / alpha)
    top = byte(alpha * scale)
    return (
        np.uint32(min(byte(red * scale), top))
        | (np.uint32(min(byte(green * scale), top)) << np.uint32(8))
        | (np.uint32(min(byte(blue * scale), top)) << np.uint32(16))
        | (np.uint32(top) << np.uint32(24))
    )


@njit(cache=True, nogil=True)
def _sweep(pixels: Any, sums: Any, touched: Any, opacity: float) -> bool:
    """Add the sums up along the rows, blend, and leave the sums zeroed; whether any pixel is covered more than once.
    ``pixels``: as one number each (`words`)."""
    height, width = pixels.shape
    share, most = np.float32(opacity), np.float32(0.0)
    for row in range(height):
        red = green = blue = alpha = np.float32(0.0)
        laid = under = blended = np.uint32(0)
        for block in range(touched.shape[1]):
            start, end = block * BLOCK, min(block * BLOCK + BLOCK, width)
            if not touched[row, block]:
                if laid == 0:
                    continue
                # the ground is mostly one colour: what was blended last is at hand
                other = np.uint32(0)
                for column in range(start, end):
                    other |= pixels[row, column] ^ under
                if other == 0:
                    for column in range(start, end):
                        pixels[row, column] = blended
                    continue
            else:
                touched[row, block] = 0
                for column in range(start, end):
                    cell = sums[row, column]
                    if cell[0] != 0.0 or cell[1] != 0.0 or cell[2] != 0.0 or cell[3] != 0.0:
                        red += cell[0]
                        green += cell[1]
                        blue += cell[2]
                        alpha += cell[3]
                        cell[0] = cell[1] = cell[2] = cell[3] = np.float32(0.0)
                        most = max(most, alpha)
                        laid = _laid(red, green, blue, alpha, share)
                        under = pixels[row, column]
                        blended = over(laid, np.uint32(255) - (laid >> np.uint32(24)), under)
                    elif pixels[row, column] != under:
                        under = pixels[row, column]
                        blended = over(laid, np.uint32(255) - (laid >> np.uint32(24)), under)
                    pixels[row, column] = blended
                if start + BLOCK > width:
                    sums[row, max(start, width) : start + BLOCK] = np.float32(0.0)
                continue
            for column in range(start, end):
                if pixels[row, column] != under:
                    under = pixels[row, column]
                    blended = over(laid, np.uint32(255) - (laid >> np.uint32(24)), under)
                pixels[row, column] = blended
    return bool(most > np.float32(257.5))


def senses(
    coords: NDArray[np.float32], parts: NDArray[np.int64], features: NDArray[np.int64], kinds: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """(p,) which way to take every ring so that a feature's rings together fill even-odd: 1 or -1; 0: no ring."""
    made: NDArray[np.int64] = _senses(coords, parts, features, kinds)
    return made


@njit(cache=True, nogil=True)
def _senses(coords: Any, parts: Any, features: Any, kinds: Any) -> Any:
    senses = np.zeros(len(parts) - 1, np.int64)
    for feature in range(len(features) - 1):
        first, last = features[feature], features[feature + 1]
        for part in range(first, last):
            if kinds[part] != 2 or parts[part + 1] - parts[part] < 3:
                continue
            way = 1 if _doubled_area(coords, parts[part], parts[part + 1]) > 0.0 else -1
            if last - first > 1:
                depth = 0
                x, y = coords[parts[part], 0], coords[parts[part], 1]
                # the middle of an edge lies on another ring less often than a corner does
                x = (x + coords[parts[part] + 1, 0]) * 0.5
                y = (y + coords[parts[part] + 1, 1]) * 0.5
                for other in range(first, last):
                    if other != part and kinds[other] == 2 and _inside(coords, parts[other], parts[other + 1], x, y):
                        depth += 1
                if depth % 2:
                    way = -way
            senses[part] = way
    return senses


@njit(cache=True, nogil=True)
def _doubled_area(coords: Any, first: int, last: int) -> float:
    total = 0.0
    ox, oy = float(coords[first, 0]), float(coords[first, 1])
    ax, ay = float(coords[last - 1, 0]) - ox, float(coords[last - 1, 1]) - oy
    for i in range(first, last):
        bx, by = float(coords[i, 0]) - ox, float(coords[i, 1]) - oy
        # the sense in which `_deposit` counts an edge that goes down as positive
        total += bx * ay - ax * by
        ax, ay = bx, by
    return total


@njit(cache=True, nogil=True)
def _inside(coords: Any, first: int, last: int, x: float, y: float) -> bool:
    inside = False
    ax, ay = coords[last - 1, 0], coords[last - 1, 1]
    for i in range(first, last):
        bx, by = coords[i, 0], coords[i, 1]
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
        ax, ay = bx, by
    return inside
