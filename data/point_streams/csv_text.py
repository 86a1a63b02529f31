"""The text of a CSV file: its separator and header, and blocks of whole rows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from data.csv_cells import restored
from data.files import not_a_map
from data.point_streams.records import scan
from data.point_streams.text import BLOCK_BYTES, Text, look_at_text, utf8_blocks
from gisgrid.errors import BadInput
from gisgrid.limits import POINTS_OPEN_QUOTE_BYTES_MAX, POINTS_ROW_BYTES_MAX, TABLE_COLUMNS_MAX

SEPARATORS: Final = (",", "\t", ";", "|")

_LINE_END: Final = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class CsvText:
    """A CSV file as it is written: ``separator``, column ``names``, and ``start``, where its rows begin as UTF-8."""

    text: Text
    separator: str
    names: list[str]
    start: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of a block: ``text`` of ``count`` whole records, or one line that could not be read as one (``broken``)."""

    text: bytes
    count: int
    broken: bool = False


def look_at(path: Path) -> CsvText:
    """Encoding (UTF-8, UTF-16 by its mark, else GB 18030), separator and header. Raises BadInput for no CSV text."""
    text = look_at_text(path)
    head = next(utf8_blocks(text), b"")
    if not head.strip():
        raise BadInput(f"{path}: the file is empty", path=str(path), code="empty_layer")
    if b"\0" in head:
        raise not_a_map(path)
    first = _LINE_END.split(head.lstrip(b"\r\n"), maxsplit=1)[0]
    separator = _separator(first)
    if first.count(separator.encode()) >= TABLE_COLUMNS_MAX:
        raise BadInput(
            f"{path}: has more than {TABLE_COLUMNS_MAX:,} columns; this is no table of points", path=str(path)
        )
    names, start = _header(head.decode("utf-8", "replace"), separator)
    return CsvText(text, separator, unique_names([restored(name) for name in names]), start)


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

    Raises BadInput for a row longer than `POINTS_ROW_BYTES_MAX`.
    """
    rest, skip, read = b"", text.start, 0
    for block in utf8_blocks(text.text, size):
        read += len(block)
        fresh = block[skip:] if skip else block
        skip = max(0, skip - len(block))
        pieces, rest = _pieces(rest + fresh, text.separator)
        if len(rest) > POINTS_ROW_BYTES_MAX:
            longest = f"{POINTS_ROW_BYTES_MAX >> 20} MB"
            raise BadInput(f"{text.text.path}: a row is longer than {longest}; this is no table of points")
        if pieces:
            yield pieces, min(read / max(text.text.size, 1), 1.0)
    while rest.strip(b"\r\n"):
        # the last row may lack its line end; a quote still open now is never closed
        pieces, left = _pieces(rest + b"\n", text.separator)
        if not pieces:
            line, *more = _LINE_END.split(left, 1)
            pieces, left = [Piece(line, 1, broken=True)], b"".join(more)
        yield pieces, 1.0
        rest = left.rstrip(b"\n")


def count_rows(text: CsvText) -> int:
    """How many rows there are after the header."""
    return sum(piece.count for pieces, _ in blocks(text) for piece in pieces)


def _pieces(data: bytes, separator: str) -> tuple[list[Piece], bytes]:
    """Whole records of ``data`` and what is left for the next block."""
    pieces: list[Piece] = []
    view = np.frombuffer(data, np.uint8)
    at = 0
    while at < len(data):
        end, state, count = scan(view[at:], ord(separator), POINTS_OPEN_QUOTE_BYTES_MAX)
        if count:  # blank lines are no rows
            pieces.append(Piece(data[at : at + end], count))
        at += end
        if state != 1:
            break
        line_end = _LINE_END.search(data, at)
        assert line_end is not None  # that is what state 1 means
        pieces.append(Piece(data[at : line_end.start()], 1, broken=True))
        at = line_end.end()
    return pieces, data[at:]


def _separator(header: bytes) -> str:
    """The separator the header uses most, outside quotes."""
    plain = b"".join(header.split(b'"')[::2])
    return max(SEPARATORS, key=lambda mark: plain.count(mark.encode()))
