"""Typefaces: one for every character, found on the system, so that no character becomes an empty box."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import skia

FAMILIES: Final = (
    "Noto Sans CJK SC", "Source Han Sans SC", "Noto Sans SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
    "Microsoft YaHei", "PingFang SC", "SimHei", "DejaVu Sans",
)  # fmt: skip
"""Families asked for first; any other that has the character follows."""
_MANAGER: Final = skia.FontMgr()


def _weight(bold: bool) -> Any:
    return skia.FontStyle.Bold() if bold else skia.FontStyle.Normal()


@lru_cache(maxsize=2)
def _usual(bold: bool) -> tuple[Any, ...]:
    """The families of `FAMILIES` there are."""
    found = []
    for family in FAMILIES:
        typeface = _MANAGER.matchFamilyStyle(family, _weight(bold))
        if typeface is not None and typeface.getFamilyName() == family:
            found.append(typeface)
    return tuple(found)


@lru_cache(maxsize=65_536)
def _typeface_of(character: str, bold: bool) -> Any:
    """A typeface with a glyph for the character, None when the system has none."""
    for typeface in _usual(bold):
        if typeface.unicharToGlyph(ord(character)):
            return typeface
    found = _MANAGER.matchFamilyStyleCharacter("", _weight(bold), ["zh-Hans", "zh", "en"], ord(character))
    return found if found is not None and found.unicharToGlyph(ord(character)) else None


def _font(typeface: Any, size: float) -> Any:
    """A font of a typeface, smooth and without hinting, so that a text is as wide anywhere."""
    made = skia.Font(typeface, size)
    made.setSubpixel(True)
    made.setEdging(skia.Font.Edging.kAntiAlias)
    made.setHinting(skia.FontHinting.kNone)
    return made


def runs(text: str, size: float, bold: bool) -> Iterator[tuple[Any, str]]:
    """Pieces of the text with the font each is written in. Characters the system has no glyph for are left out."""
    piece, last = "", None
    for character in text:
        if not character.isprintable():
            continue
        typeface = _typeface_of(character, bold)
        if typeface is None:
            continue
        if last is not None and typeface.uniqueID() != last.uniqueID():
            yield _font(last, size), piece
            piece = ""
        piece, last = piece + character, typeface
    if last is not None:
        yield _font(last, size), piece


def readable(text: str, *, bold: bool = False) -> bool:
    """Whether the system has a glyph for every character."""
    return all(_typeface_of(character, bold) is not None for character in text if character.isprintable())


def width_of(text: str, size: float, bold: bool = False) -> float:
    """Width of a line of text in pixels."""
    return float(sum(used.measureText(piece) for used, piece in runs(text, size, bold)))


def write(canvas: Any, text: str, x: float, y: float, size: float, paint: Any, *, bold: bool = False) -> None:
    """Write a line; ``x`` where it begins, ``y`` of its base line."""
    for used, piece in runs(text, size, bold):
        canvas.drawString(piece, x, y, used, paint)
        x += used.measureText(piece)
