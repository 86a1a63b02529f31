"""Where the rows of a CSV text end: quotes, line ends inside quotes, and quotes nobody closed."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

OPEN_QUOTE_MAX: Final = 1 << 16
"""Bytes a quoted field that runs over a line end may have; beyond, its quote counts as never closed."""


@njit(cache=True, nogil=True)
def scan(block: Any, separator: int, open_max: int) -> tuple[int, int]:
    """Whole records at the start of ``block`` (uint8, begins at a record) → (end of the last one, state).

    State: 0 when what follows the end is a record to be continued, 1 when it begins with a quote that stays open for
    ``open_max`` bytes and over a line end, 2 when it ends inside a quote (the block may be too short). Quotes count
    at the start of a field only, doubled ones are text, as in RFC 4180 and in Arrow's and Python's readers.
    """
    end, i, size = 0, 0, block.size
    quoted, fresh, lined, opened = False, True, False, 0
    while i < size:
        c = block[i]
        if quoted:
            if c == 34:
                if i + 1 < size and block[i + 1] == 34:
                    i += 2
                    continue
                quoted = False
            elif c == 10 or c == 13:
                lined = True
            if lined and i - opened > open_max:
                return end, 1
        elif c == 10 or c == 13:
            end, fresh = i + 1, True
            i += 1
            continue
        elif c == separator:
            fresh = True
            i += 1
            continue
        elif c == 34 and fresh:
            quoted, lined, opened = True, False, i
        fresh = False
        i += 1
    return end, 2 if quoted else 0


def warm() -> None:
    """Compile the kernel and leave it in numba's cache."""
    scan(np.frombuffer(b"a,b\n", np.uint8), 44, OPEN_QUOTE_MAX)
