"""Pictures as files. PNG is written here: rows as they are, compressed quickly, which is most of a map's time."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any, Final, Literal

import numpy as np
from isal import isal_zlib
from numba import njit
from numpy.typing import NDArray
from PIL import Image

from layers.held.view import STANDARD_DPI

Form = Literal["png", "png8", "png24", "jpeg", "webp"]
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_COLORS: Final = 256
"""Colours of a palette."""
QUALITY: Final = 88
"""Of JPEG and WebP, of 100."""


def encode(picture: NDArray[np.uint8], form: Form, *, dpi: float = STANDARD_DPI) -> bytes:
    """``picture`` ((h, w, 4) red, green, blue, alpha, not premultiplied) as a file.

    ``png``: 32 bits a pixel; ``png24``: without transparency, on white; ``png8``: a palette of up to 256 colours with
    transparency; ``jpeg``: on white; ``webp``. PNG is ISO/IEC 15948, every row with filter type none.
    """
    height, width = picture.shape[:2]
    if form == "png":
        return _png(width, height, 6, _rows(picture), dpi)
    if form == "png24":
        return _png(width, height, 2, _rows(on_white(picture)), dpi)
    if form == "png8":
        palette, indices = _paletted(picture)
        return _png(width, height, 3, _rows(indices[:, :, None]), dpi, palette)
    out = BytesIO()
    if form == "jpeg":
        Image.fromarray(on_white(picture)).save(out, "JPEG", quality=QUALITY, dpi=(dpi, dpi))
    else:
        Image.fromarray(picture).save(out, "WEBP", quality=QUALITY, method=2)
    return out.getvalue()


def on_white(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w, 3): the picture laid on white."""
    alpha = picture[:, :, 3:].astype(np.uint16)
    made: NDArray[np.uint8] = ((picture[:, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return made


def _rows(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bytes of the rows, each behind its filter type."""
    height, width, bands = pixels.shape
    rows = np.zeros((height, 1 + width * bands), np.uint8)
    rows[:, 1:] = pixels.reshape(height, width * bands)
    return rows


def _png(
    width: int, height: int, kind: int, rows: NDArray[np.uint8], dpi: float, palette: NDArray[np.uint8] | None = None
) -> bytes:
    metres = round(dpi / 0.0254)
    chunks = [
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)),
        _chunk(b"pHYs", struct.pack(">IIB", metres, metres, 1)),
    ]
    if palette is not None:
        chunks.append(_chunk(b"PLTE", palette[:, :3].tobytes()))
        if (palette[:, 3] < 255).any():
            chunks.append(_chunk(b"tRNS", palette[:, 3].tobytes()))
    chunks += [_chunk(b"IDAT", isal_zlib.compress(rows, 1)), _chunk(b"IEND", b"")]
    return _SIGNATURE + b"".join(chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return b"".join(
        (struct.pack(">I", len(content)), name, content, struct.pack(">I", zlib.crc32(content, zlib.crc32(name))))
    )


def _paletted(picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """((colours, 4), (h, w) which of them). Exact up to 256 colours, else the commonest and their nearest."""
    words = np.ascontiguousarray(picture).view(np.uint32)[:, :, 0]
    words = np.where(picture[:, :, 3] == 0, np.uint32(0), words)  # all that is clear is one colour
    found, inverse = np.unique(words, return_inverse=True)
    if len(found) > _COLORS:
        # four bits a band first: what is left are colours told apart by eye
        coarse = words & np.uint32(0xF0F0F0F0)
        _, group, sizes = np.unique(coarse, return_inverse=True, return_counts=True)
        order = np.argsort(-sizes, kind="stable")[:_COLORS]
        commonest = _commonest(group.ravel(), words.ravel(), len(sizes))
        palette = np.ascontiguousarray(commonest[order]).view(np.uint8).reshape(-1, 4)
        nearest = _nearest(commonest.view(np.uint8).reshape(-1, 4), palette)
        return palette, nearest[group.reshape(words.shape)]
    return found.view(np.uint8).reshape(-1, 4), inverse.reshape(words.shape).astype(np.uint8)


@njit(cache=True, nogil=True)
def _commonest(group: Any, words: Any, count: int) -> Any:
    """A colour of every group: the one that leads a running vote (Boyer and Moore, 1981)."""
    lead = np.zeros(count, np.uint32)
    votes = np.zeros(count, np.int64)
    for i in range(len(group)):
        g = group[i]
        if votes[g] == 0:
            lead[g] = words[i]
            votes[g] = 1
        elif lead[g] == words[i]:
            votes[g] += 1
        else:
            votes[g] -= 1
    return lead


@njit(cache=True, nogil=True)
def _nearest(colors: Any, palette: Any) -> Any:
    """Which colour of the palette is nearest to each of ``colors``, all four bands alike."""
    found = np.zeros(len(colors), np.uint8)
    for i in range(len(colors)):
        best = np.int64(1 << 30)
        for j in range(len(palette)):
            apart = np.int64(0)
            for band in range(4):
                step = np.int64(colors[i, band]) - np.int64(palette[j, band])
                apart += step * step
            if apart < best:
                best = apart
                found[i] = j
    return found
