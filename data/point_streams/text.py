"""Text files whatever they are written in, as blocks of UTF-8."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BLOCK_BYTES: Final = 8 << 20
"""Bytes read, parsed and located at a time."""

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Text:
    """A text file: its ``encoding``, length of its byte order mark, and whether its bytes are UTF-8 as they stand."""

    path: Path
    encoding: str
    bom: int
    raw: bool
    size: int


def look_at_text(path: Path) -> Text:
    """UTF-8 or UTF-16 by the mark, UTF-8 when the whole file is that, else GB 18030, the other one used in China."""
    with path.open("rb") as file:
        first = file.read(4)
    encoding, bom = next(((name, len(mark)) for mark, name in _BOMS if first.startswith(mark)), ("", 0))
    if not encoding:
        encoding = next((name for name in ("utf-8", "gb18030") if _decodes(path, name)), "utf-8")
    raw = encoding == "utf-8" and _decodes(path, encoding)
    return Text(path, encoding, bom, raw, path.stat().st_size)


def utf8_blocks(text: Text, size: int = BLOCK_BYTES) -> Iterator[bytes]:
    """The text after the mark in blocks of UTF-8; bytes that are no text become U+FFFD."""
    decoder = codecs.getincrementaldecoder(text.encoding)("replace")
    with text.path.open("rb") as file:
        file.seek(text.bom)
        while block := file.read(size):
            if made := block if text.raw else decoder.decode(block).encode():
                yield made
        if not text.raw and (last := decoder.decode(b"", final=True)):
            yield last.encode()


def _decodes(path: Path, encoding: str) -> bool:
    """Whether the whole file is text in that encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while block := file.read(BLOCK_BYTES):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
