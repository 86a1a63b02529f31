"""The bytes of a CSV file: its encoding, separator and header, and blocks of whole rows in UTF-8."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from data.files import not_a_map
from data.point_streams.records import OPEN_QUOTE_MAX, scan
from gisgrid.errors import BadInput

BLOCK_BYTES: Final = 8 << 20
"""Bytes read, parsed and located at a time."""
ROW_BYTES_MAX: Final = 32 << 20
"""Longest row taken."""
SEPARATORS: Final = (",", "\t", ";", "|")

_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class CsvText:
    """A CSV file as it is written: ``encoding``, length of its byte order mark, ``separator`` and column ``names``.

    ``raw``: its bytes are UTF-8 as they stand. ``start`` is where its rows begin in the UTF-8 text, ``size`` its bytes
    on disk.
    """

    path: Path
    encoding: str
    bom: int
    raw: bool
    separator: str
    names: list[str]
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of a block: ``text`` of whole records, or one line that could not be read as one (``broken``)."""

    text: bytes
    broken: bool = False


def look_at(path: Path) -> CsvText:
    """Encoding (UTF-8, UTF-16 by its mark, else GB 18030), separator and header. Raises BadInput for no CSV text."""
    with path.open("rb") as file:
        first = file.read(4)
    encoding, bom = next(((name, len(mark)) for mark, name in _BOMS if first.startswith(mark)), ("", 0))
    if not encoding:
        encoding = next((name for name in ("utf-8", "gb18030") if _decodes(path, name)), "utf-8")
    raw = encoding == "utf-8" and _decodes(path, encoding)
    head = next(_utf8(path, encoding, bom, raw), b"")
    if not head.strip():
        raise BadInput(f"{path}: the file is empty", path=str(path), code="empty_layer")
    if b"\0" in head:
        raise not_a_map(path)
    separator = _separator(_LINE_END.split(head.lstrip(b"\r\n"), 1)[0])
    names, start = _header(head.decode("utf-8", "replace"), separator)
    return CsvText(path, encoding, bom, raw, separator, unique_names(names), start, path.stat().st_size)


def _header(text: str, separator: str) -> tuple[list[str], int]:
    """Fields of the first row that is not blank, and how many bytes it ends behind."""
    taken = 0

    def lines() -> Iterator[str]:
        nonlocal taken
        for line in io.StringIO(text, newline=""):
            taken += len(line.encode())
            yield line

    try:
        return next((row for row in csv.reader(lines(), delimiter=separator) if row), []), taken
    except csv.Error:  # a field beyond what Python takes
        return [], taken


def unique_names(names: list[str], *, fold: bool = False) -> list[str]:
    """Names trimmed, filled in where empty and told apart by a number; ``fold``: where case does not count, too."""
    made: list[str] = []
    seen: set[str] = set()
    for number, given in enumerate(names, 1):
        name = base = given.strip() or f"column_{number}"
        count = 1
        while (name.lower() if fold else name) in seen:
            count += 1
            name = f"{base}_{count}"
        seen.add(name.lower() if fold else name)
        made.append(name)
    return made


def blocks(text: CsvText, size: int = BLOCK_BYTES) -> Iterator[tuple[list[Piece], float]]:
    """The rows after the header in blocks of whole records, with the share of the file read so far.

    Raises BadInput for a row longer than `ROW_BYTES_MAX`.
    """
    rest, skip, read = b"", text.start, 0
    for block in _utf8(text.path, text.encoding, text.bom, text.raw, size):
        read += len(block)
        fresh = block[skip:] if skip else block
        skip = max(0, skip - len(block))
        pieces, rest = _pieces(rest + fresh, text.separator)
        if len(rest) > ROW_BYTES_MAX:
            raise BadInput(f"{text.path}: a row is longer than {ROW_BYTES_MAX >> 20} MB; this is no table of points")
        if pieces:
            yield pieces, min(read / max(text.size, 1), 1.0)
    while rest.strip(b"\r\n"):
        # the last row may lack its line end; a quote still open now is never closed
        pieces, left = _pieces(rest + b"\n", text.separator)
        if not pieces:
            line, *more = _LINE_END.split(rest, 1)
            pieces, left = [Piece(line, broken=True)], b"".join(more)
        yield pieces, 1.0
        rest = left.rstrip(b"\n")


def _pieces(data: bytes, separator: str) -> tuple[list[Piece], bytes]:
    """Whole records of ``data`` and what is left for the next block."""
    pieces: list[Piece] = []
    view = np.frombuffer(data, np.uint8)
    at = 0
    while at < len(data):
        end, state = scan(view[at:], ord(separator), OPEN_QUOTE_MAX)
        if end:
            pieces.append(Piece(data[at : at + end]))
            at += end
        if state != 1:
            break
        line_end = _LINE_END.search(data, at)
        assert line_end is not None  # that is what state 1 means
        pieces.append(Piece(data[at : line_end.start()], broken=True))
        at = line_end.end()
    return pieces, data[at:]


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


def _utf8(path: Path, encoding: str, bom: int, raw: bool, size: int = BLOCK_BYTES) -> Iterator[bytes]:
    """The text after the mark in blocks of UTF-8, whatever it is written in; bytes that are no text become U+FFFD."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    with path.open("rb") as file:
        file.seek(bom)
        while block := file.read(size):
            if made := block if raw else decoder.decode(block).encode():
                yield made
        if not raw and (text := decoder.decode(b"", final=True)):
            yield text.encode()


def _separator(header: bytes) -> str:
    """The separator the header uses most, outside quotes."""
    plain = b"".join(header.split(b'"')[::2])
    return max(SEPARATORS, key=lambda mark: plain.count(mark.encode()))
