"""A picture that tells what was wrong (EXCEPTIONS=INIMAGE), or nothing (BLANK)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import numpy as np
import skia

from layers.render import encode
from layers.wms.formats import Form

SIZE: Final = 14.0
LINE: Final = 19.0
MARGIN: Final = 8.0


def notice(text: str, width: int, height: int, *, background: str | None, form: Form) -> bytes:
    """A picture of one colour (``#rrggbb``, None: transparent) with a text, broken to its width."""
    pixels = np.zeros((height, width, 4), dtype=np.uint8)
    if background is not None:
        pixels[:] = (*bytes.fromhex(background[1:]), 255)
    if text:
        letters = np.zeros_like(pixels)
        surface = skia.Surface(letters, colorType=skia.ColorType.kRGBA_8888_ColorType)  # owns the canvas
        canvas = surface.getCanvas()
        font = skia.Font(_typeface(), SIZE)
        ink = skia.Paint(Color=skia.ColorSetRGB(176, 0, 32), AntiAlias=True)
        ground = skia.Paint(Color=skia.ColorSetRGB(255, 255, 255))
        for number, line in enumerate(broken(text, font, width - 2 * MARGIN)):
            top = MARGIN + number * LINE
            if top > height:
                break
            canvas.drawRect(skia.Rect.MakeXYWH(MARGIN - 3, top, font.measureText(line) + 6, LINE), ground)
            canvas.drawString(line, MARGIN, top + SIZE, font, ink)
        surface.flushAndSubmit()
        written = letters[..., 3] > 0
        pixels[written] = letters[written]
        pixels[written, 3] = 255
    return encode(pixels, form)


def broken(text: str, font: Any, width: float) -> Iterator[str]:
    """Lines no wider than ``width``: broken after blanks where there are, else between letters."""
    line = ""
    for letter in text:
        if line and font.measureText(line + letter) > width:
            head, blank, tail = line.rpartition(" ")
            if blank:
                yield head
                line = tail
            else:
                yield line
                line = ""
        line += letter
    yield line


@lru_cache(maxsize=1)
def _typeface() -> Any:
    """A typeface of this system that has Chinese."""
    found = skia.FontMgr().matchFamilyStyleCharacter("", skia.FontStyle(), ["zh"], ord("网"))
    return found or skia.Typeface()
