"""CSV cells that a spreadsheet would take for a formula, made harmless; and restored when they are read.

A cell that begins with ``= + - @``, their full-width forms, a tab or a line end is a formula to Excel, WPS and
LibreOffice: whoever can write a description can have the reader's machine compute (OWASP, CSV Injection). Such a text
is written with ``'`` before it, which spreadsheets show as text. Plain numbers keep their sign. What already begins
with ``'`` before such a character gets one more, so that reading takes exactly one away and every text comes back as it
was.
"""

from __future__ import annotations

import csv
import re
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

MARKS: Final = "=+-@\t\r\n＝＋－＠"
_GUARD: Final = "'"
_NUMBER: Final = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$"
_RISKY: Final = r"^'*[=+\-@\t\r\n＝＋－＠]"
_GUARDED: Final = r"^'+[=+\-@\t\r\n＝＋－＠]"
_number, _risky, _guarded = (re.compile(pattern) for pattern in (_NUMBER, _RISKY, _GUARDED))
_FIRST: Final = np.zeros(256, bool)
_FIRST[[mark.encode()[0] for mark in MARKS + _GUARD]] = True


def harmless(text: str) -> str:
    """A text as it is written into a cell."""
    return _GUARD + text if _risky.match(text) and not _number.match(text) else text


def restored(text: str) -> str:
    """A cell as it was before `harmless`."""
    return text[1:] if _guarded.match(text) else text


def harmless_column(column: pa.Array) -> pa.Array:
    """`harmless` on a column of text (n); others come back as they are."""
    if not _may_begin(column):
        return column
    risky = pc.and_(pc.match_substring_regex(column, _RISKY), pc.invert(pc.match_substring_regex(column, _NUMBER)))
    return pc.if_else(risky, pc.binary_join_element_wise(pa.scalar(_GUARD, column.type), column, ""), column)


def restored_column(column: pa.Array) -> pa.Array:
    """`restored` on a column of text (n); others come back as they are."""
    if not _may_begin(column):
        return column
    guarded = pc.match_substring_regex(column, _GUARDED)
    return pc.if_else(guarded, pc.utf8_slice_codeunits(column, 1), column)


def harmless_frame(table: pd.DataFrame) -> pd.DataFrame:
    """`harmless` on the names and all texts of a table; numbers stay numbers."""
    return _mapped(table, harmless)


def restored_frame(table: pd.DataFrame) -> pd.DataFrame:
    """`restored` on the names and all texts of a table."""
    return _mapped(table, restored)


def quoting_of(table: pd.DataFrame) -> Literal[0, 2]:
    """How `csv` is to quote a table: it leaves a bare carriage return as it is, which ends a row in spreadsheets."""
    texts = (table[name] for name in table.columns if not pd.api.types.is_numeric_dtype(table[name].dtype))
    bare = any("\r" in value for column in texts for value in column if isinstance(value, str))
    return csv.QUOTE_NONNUMERIC if bare else csv.QUOTE_MINIMAL


def _mapped(table: pd.DataFrame, change: Any) -> pd.DataFrame:
    def one(value: Any) -> Any:
        return change(value) if isinstance(value, str) else value

    texts = [name for name in table.columns if not pd.api.types.is_numeric_dtype(table[name].dtype)]
    made = table.copy(deep=False)
    for name in texts:
        kept = table[name]
        made[name] = pd.Series([one(value) for value in kept], index=kept.index, dtype=kept.dtype)
    return made.rename(columns=one)


def _may_begin(column: pa.Array) -> bool:
    """Whether any text begins with a character that matters: a look at the first bytes, quicker than any expression."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)) or len(column) == 0:
        return False
    _, places, data = column.buffers()
    if data is None:
        return False
    width = np.int64 if pa.types.is_large_string(column.type) else np.int32
    offsets: npt.NDArray[Any] = np.frombuffer(places, width)[column.offset : column.offset + len(column) + 1]
    starts = offsets[:-1][offsets[1:] > offsets[:-1]]
    return bool(_FIRST[np.frombuffer(data, np.uint8)[starts]].any())
