"""Typefaces: one for every character, found on the system, so that no character becomes an empty box.

skia falls back on no other font by itself. A family with Chinese comes first and writes Latin letters too, so that
mixed names look of a piece; what it lacks is asked of the other families and then of the system. A letter no font has
is written as 〓, the printers' mark for a missing one, and any other sign left out; each is logged once. Letters that
join (Arabic letters of Uyghur, Tibetan, Mongolian) are shaped by HarfBuzz, which skia brings along.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, Final

import skia

from gisgrid.errors import Broken

FAMILIES: Final = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "Microsoft YaHei", "PingFang SC",
    "HarmonyOS Sans SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "SimHei", "Droid Sans Fallback",
    "AR PL UMing CN", "SimSun", "Noto Serif CJK SC", "DejaVu Sans", "Noto Sans", "Noto Sans Tibetan",
    "Noto Serif Tibetan", "Noto Sans Arabic", "Noto Naskh Arabic", "Noto Sans Mongolian", "HanaMinB", "SimSun-ExtB",
)  # fmt: skip
"""Families asked for first; any other that has the character follows."""
INSTALL: Final = "install one with Chinese, on Debian: apt install fonts-noto-cjk"
MISSING: Final = "〓"
_LOG = logging.getLogger(__name__)


@cache
def _manager() -> Any:
    return skia.FontMgr()


def _weight(bold: bool) -> Any:
    return skia.FontStyle.Bold() if bold else skia.FontStyle.Normal()


@lru_cache(maxsize=2)
def _usual(bold: bool) -> tuple[Any, ...]:
    """The families of `FAMILIES` there are."""
    found = []
    for family in FAMILIES:
        typeface = _manager().matchFamilyStyle(family, _weight(bold))
        if typeface is not None and typeface.getFamilyName() == family:
            found.append(typeface)
    if _typeface_among(found, "网", bold) is None:
        _LOG.error("no font on this system has Chinese characters: %s", INSTALL)
    return tuple(found)


def _typeface_among(usual: Any, character: str, bold: bool) -> Any:
    for typeface in usual:
        if typeface.unicharToGlyph(ord(character)):
            return typeface
    found = _manager().matchFamilyStyleCharacter("", _weight(bold), ["zh-Hans", "zh", "en"], ord(character))
    return found if found is not None and found.unicharToGlyph(ord(character)) else None


@lru_cache(maxsize=65_536)
def typeface_of(character: str, bold: bool = False) -> Any:
    """A typeface with a glyph for the character, None when the system has none."""
    return _typeface_among(_usual(bold), character, bold)


def need_font() -> None:
    """Raise Broken where this system has no font to write with."""
    if typeface_of("A") is None:
        raise Broken(f"no font on this system: {INSTALL}")


@lru_cache(maxsize=65_536)
def _written(character: str, bold: bool) -> tuple[str, Any]:
    """What is written for a character of a text, and its typeface (None: nothing)."""
    kind = unicodedata.category(character)
    if kind[0] == "Z" or character in "\t\r\n":
        character = " "
    elif kind[0] == "C":
        return "", None
    found = typeface_of(character, bold)
    if found is not None:
        return character, found
    _LOG.warning("no font has U+%04X %s", ord(character), unicodedata.name(character, ""))
    if kind[0] != "L":
        return "", None
    return MISSING, typeface_of(MISSING, bold)


def _font(typeface: Any, size: float) -> Any:
    """A font of a typeface, smooth and without hinting, so that a text is as wide anywhere."""
    made = skia.Font(typeface, size)
    made.setSubpixel(True)
    made.setEdging(skia.Font.Edging.kAntiAlias)
    made.setHinting(skia.FontHinting.kNone)
    return made


def runs(text: str, size: float, bold: bool) -> Iterator[tuple[Any, str]]:
    """Pieces of the text with the font each is written in, every character of which has a glyph in it."""
    piece, last = "", None
    for raw in unicodedata.normalize("NFC", text):
        character, typeface = _written(raw, bold)
        if typeface is None:
            continue
        # marks and blanks stay with the letters they belong to
        if last is not None and typeface.uniqueID() != last.uniqueID():
            if unicodedata.category(character)[0] in "MZ" and last.unicharToGlyph(ord(character)):
                typeface = last
            else:
                yield _font(last, size), piece
                piece = ""
        piece, last = piece + character, typeface
    if last is not None:
        yield _font(last, size), piece


@lru_cache(maxsize=8_192)
def width_of(text: str, size: float, bold: bool = False) -> float:
    """Width of a line of text in pixels."""
    return float(sum(used.measureText(piece) for used, piece in runs(text, size, bold)))


def write(canvas: Any, text: str, x: float, y: float, size: float, paint: Any, *, bold: bool = False) -> None:
    """Write a line; ``x`` where it begins, ``y`` of its base line."""
    for used, piece in runs(text, size, bold):
        if _joining(piece):
            right_to_left = any(unicodedata.bidirectional(c) in ("R", "AL") for c in piece)
            canvas.drawTextBlob(skia.TextBlob.MakeFromShapedText(piece, used, not right_to_left), x, y, paint)
        else:
            canvas.drawString(piece, x, y, used, paint)
        x += used.measureText(piece)


def _joining(piece: str) -> bool:
    """Whether letters of the piece change their form beside each other."""
    return any(0x0590 <= ord(c) <= 0x08FF or 0x0F00 <= ord(c) <= 0x0FFF or 0x1800 <= ord(c) <= 0x18AF for c in piece)
