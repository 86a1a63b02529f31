"""Pictures as arrays: colours, skia canvases on them, and the way from and to premultiplied alpha."""

from __future__ import annotations

from typing import Any

import numpy as np
import skia
from numba import njit
from numpy.typing import NDArray

from gisgrid.errors import BadInput
from gisgrid.limits import PICTURE_PIXELS_MAX, PICTURE_SIDE_MAX


def rgb(color: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of ``#rrggbb``; `BadInput` for anything else."""
    if len(color) == 7 and color[0] == "#":
        try:
            return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
        except ValueError:
            pass
    raise BadInput(f"colour {color!r}: write it as #rrggbb")


def skia_color(color: str, opacity: float = 1.0) -> int:
    """The colour as skia takes it."""
    made: int = skia.ColorSetARGB(round(opacity * 255), *rgb(color))
    return made


def new_picture(width: int, height: int, background: str | None) -> NDArray[np.uint8]:
    """(h, w, 4) premultiplied picture of one colour; None: transparent. `BadInput` past the caps of pictures."""
    if width < 1 or height < 1 or max(width, height) > PICTURE_SIDE_MAX or width * height > PICTURE_PIXELS_MAX:
        raise BadInput(
            f"picture of {width} x {height} pixels: sides go up to {PICTURE_SIDE_MAX}, "
            f"the whole up to {PICTURE_PIXELS_MAX} pixels"
        )
    picture = np.zeros((height, width, 4), np.uint8)
    if background is not None:
        # whole pixels at a time: writing four bytes each takes ten times as long
        words(picture)[:] = shades(rgb(background))[255]
    return picture


def canvas_on(picture: NDArray[np.uint8]) -> Any:
    """A skia canvas that draws into ``picture`` ((h, w, 4) premultiplied, contiguous)."""
    return skia.Canvas(picture, skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType)


def straight(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same picture with colours not multiplied by alpha; changes ``picture`` in place and returns it."""
    _straighten(picture, _INVERSE)
    return picture


def _inverses() -> NDArray[np.uint32]:
    alpha = np.arange(256, dtype=np.uint32)
    alpha[0] = 1
    return (np.uint32(255 << 16) + alpha // 2) // alpha


_INVERSE = _inverses()


@njit(cache=True, nogil=True)
def _straighten(picture: Any, inverse: Any) -> None:
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            alpha = picture[row, column, 3]
            if alpha != 255 and alpha != 0:
                for band in range(3):
                    value = (picture[row, column, band] * inverse[alpha] + 32768) >> 16
                    picture[row, column, band] = np.uint8(min(value, 255))


@njit(cache=True, nogil=True)
def over(top: Any, keep: Any, under: Any) -> Any:
    """A premultiplied pixel over another, both as one number; ``keep``: 255 less the upper one's alpha.

    Two bands are multiplied at once; every product is rounded as division by 255 is.
    """
    k, two = np.uint32(keep), np.uint32(0xFF00FF)
    low = np.uint32(np.uint32(under & two) * k + np.uint32(0x800080))
    low = np.uint32(np.uint32(low + ((low >> np.uint32(8)) & two)) >> np.uint32(8)) & two
    high = np.uint32(np.uint32((under >> np.uint32(8)) & two) * k + np.uint32(0x800080))
    high = np.uint32(high + ((high >> np.uint32(8)) & two)) & np.uint32(0xFF00FF00)
    return np.uint32(top + np.uint32(low | high))


def shades(color: tuple[int, int, int]) -> NDArray[np.uint32]:
    """(256,) the colour premultiplied by every alpha, as one number each."""
    alpha = np.arange(256, dtype=np.uint32)
    bands = [(band * alpha + 127) // 255 for band in color]
    return (bands[0] | bands[1] << 8 | bands[2] << 16 | alpha << 24).astype(np.uint32)


@njit(cache=True, nogil=True)
def blit(picture: Any, stamp: Any, left: int, top: int) -> None:
    """Lay ``stamp`` over ``picture``, both (h, w) premultiplied pixels as one number each (`words`); what lies outside
    is cut off."""
    height, width = picture.shape
    for i in range(max(0, -top), min(stamp.shape[0], height - top)):
        for j in range(max(0, -left), min(stamp.shape[1], width - left)):
            pixel = stamp[i, j]
            alpha = pixel >> np.uint32(24)
            if alpha == 255:
                picture[top + i, left + j] = pixel
            elif alpha:
                picture[top + i, left + j] = over(pixel, np.uint32(255) - alpha, picture[top + i, left + j])


def words(picture: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """The same pixels (h, w, 4) as one number each: red lowest, alpha highest."""
    return picture.view("<u4")[:, :, 0]
