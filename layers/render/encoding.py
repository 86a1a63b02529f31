"""Pictures as files. PNG is written here: rows as they are, compressed quickly, which is most of a map's time."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any, Final, Literal

import numpy as np
from isal import isal_zlib
from numba import njit
from numpy.typing import NDArray
from PIL import Image

from gisgrid.errors import BadInput
from layers.held.view import STANDARD_DPI

Form = Literal["png", "png8", "png24", "jpeg", "webp"]
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_COLORS: Final = 256
"""Colours of a palette."""
_SLOTS: Final = 4_096
"""Places of the table colours are looked up in."""
QUALITY: Final = 88
"""Of JPEG and WebP, of 100."""


def encode(picture: NDArray[np.uint8], form: Form, *, dpi: float = STANDARD_DPI) -> bytes:
    """``picture`` ((h, w, 4) red, green, blue, alpha, not premultiplied) as a file.

    ``png``: 32 bits a pixel; ``png24``: without transparency, on white; ``png8``: a palette of up to 256 colours with
    transparency; ``jpeg``: on white; ``webp``. PNG is ISO/IEC 15948, every row with filter type none. BadInput for
    another form.
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
    elif form == "webp":
        Image.fromarray(picture).save(out, "WEBP", quality=QUALITY, method=2)
    else:
        raise BadInput(f"picture form {form!r}: use png, png8, png24, jpeg or webp")
    return out.getvalue()


def on_white(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w, 3): the picture laid on white."""
    made: NDArray[np.uint8] = _on_white(picture)
    return made


@njit(cache=True, nogil=True)
def _on_white(picture: Any) -> Any:
    height, width = picture.shape[:2]
    flat = np.empty((height, width, 3), np.uint8)
    for row in range(height):
        for column in range(width):
            alpha = np.int64(picture[row, column, 3])
            for band in range(3):
                flat[row, column, band] = (picture[row, column, band] * alpha + 255 * (255 - alpha) + 127) // 255
    return flat


def _rows(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bytes of the rows, each behind its filter type."""
    height, width, bands = pixels.shape
    rows = np.empty((height, 1 + width * bands), np.uint8)
    rows[:, 0] = 0
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
        clear = int((palette[:, 3] < 255).sum())
        if clear:
            chunks.append(_chunk(b"tRNS", palette[:clear, 3].tobytes()))
    chunks += [_chunk(b"IDAT", isal_zlib.compress(rows, 1)), _chunk(b"IEND", b"")]
    return _SIGNATURE + b"".join(chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    check = isal_zlib.crc32(content, isal_zlib.crc32(name))
    return b"".join((struct.pack(">I", len(content)), name, content, struct.pack(">I", check)))


def _paletted(picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """((colours, 4), (h, w) which of them), colours with alpha first. Exact up to 256 colours, else reduced."""
    words = np.ascontiguousarray(picture).view("<u4")[:, :, 0]
    found, rows = _exact(words)
    if not len(found):
        found, rows = _reduced(words)
    colors = np.ascontiguousarray(found).view(np.uint8).reshape(-1, 4)
    order = np.argsort(colors[:, 3] == 255, kind="stable")
    place = np.zeros(_COLORS, np.uint8)
    place[order] = np.arange(len(order))
    return colors[order], place[rows]


@njit(cache=True, nogil=True)
def _exact(words: Any) -> Any:
    """The picture's own colours in order of appearance and every pixel's number; none where there are over 256."""
    height, width = words.shape
    keys = np.zeros(_SLOTS, np.uint32)
    numbers = np.full(_SLOTS, -1, np.int64)
    palette = np.zeros(256, np.uint32)
    rows = np.zeros((height, width), np.uint8)
    count = 0
    last, last_number = np.uint32(0), -1
    for row in range(height):
        for column in range(width):
            word = words[row, column]
            if word >> 24 == 0:
                word = np.uint32(0)
            if last_number < 0 or word != last:
                slot = int((np.uint64(word) * np.uint64(2654435761)) >> np.uint64(13)) % _SLOTS
                while numbers[slot] >= 0 and keys[slot] != word:
                    slot = (slot + 1) % _SLOTS
                if numbers[slot] < 0:
                    if count == 256:
                        return palette[:0], rows
                    keys[slot] = word
                    numbers[slot] = count
                    palette[count] = word
                    count += 1
                last, last_number = word, numbers[slot]
            rows[row, column] = last_number
    return palette[:count], rows


def _reduced(words: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """256 colours by median cut (Heckbert, 1982) over 5 bits a band and 3 of alpha, weighted by pixels; colours of
    large even areas stay exactly what they are."""
    counts, first = _bins(words)
    used = np.flatnonzero(counts)
    weights = counts[used]
    means = first[used] / weights[:, None]
    boxes = [np.arange(len(used))]
    spread = [_spread(means, weights, boxes[0])]
    while len(boxes) < 256:
        worst = int(np.argmax([s[0] for s in spread]))
        if spread[worst][0] <= 0:
            break
        members, band = boxes[worst], spread[worst][1]
        members = members[np.argsort(means[members, band], kind="stable")]
        heaped = np.cumsum(weights[members])
        cut = int(np.clip(np.searchsorted(heaped, heaped[-1] / 2.0) + 1, 1, len(members) - 1))
        boxes[worst], other = members[:cut], members[cut:]
        boxes.append(other)
        spread[worst] = _spread(means, weights, boxes[worst])
        spread.append(_spread(means, weights, other))
    number = np.zeros(len(counts), np.uint8)
    palette = np.zeros((len(boxes), 4), np.uint8)
    for index, members in enumerate(boxes):
        number[used[members]] = index
        heaviest = members[np.argmax(weights[members])]
        share = weights[heaviest] / weights[members].sum()
        mean = np.average(means[members], axis=0, weights=weights[members])
        palette[index] = np.round(means[heaviest] if share > 0.6 else mean)
    return np.ascontiguousarray(palette).view("<u4")[:, 0], _numbered(words, number)


def _spread(means: Any, weights: Any, members: Any) -> tuple[float, int]:
    """How much a box would gain by a cut, and the band to cut along. Square roots keep small details' colours."""
    if len(members) < 2:
        return 0.0, 0
    width = np.ptp(means[members], axis=0)
    band = int(np.argmax(width))
    return float(width[band] * np.sqrt(np.sqrt(weights[members].sum()))), band


@njit(cache=True, nogil=True)
def _bin_of(word: Any) -> int:
    if word >> 24 == 0:
        return 0
    red, green, blue, alpha = word & 255, (word >> 8) & 255, (word >> 16) & 255, word >> 24
    return int((red >> 3) | ((green >> 3) << 5) | ((blue >> 3) << 10) | ((alpha >> 5) << 15))


@njit(cache=True, nogil=True)
def _bins(words: Any) -> Any:
    counts = np.zeros(1 << 18, np.int64)
    sums = np.zeros((1 << 18, 4), np.float64)
    for row in range(words.shape[0]):
        for column in range(words.shape[1]):
            word = words[row, column]
            index = _bin_of(word)
            counts[index] += 1
            if word >> 24:
                sums[index, 0] += word & 255
                sums[index, 1] += (word >> 8) & 255
                sums[index, 2] += (word >> 16) & 255
                sums[index, 3] += word >> 24
    return counts, sums


@njit(cache=True, nogil=True)
def _numbered(words: Any, number: Any) -> Any:
    rows = np.empty(words.shape, np.uint8)
    for row in range(words.shape[0]):
        for column in range(words.shape[1]):
            rows[row, column] = number[_bin_of(words[row, column])]
    return rows
