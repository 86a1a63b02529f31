"""Where the rows of a text end: CSV with quotes nobody closed, and the elements of a JSON array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gisgrid.limits import POINTS_OPEN_QUOTE_BYTES_MAX


@njit(cache=True, nogil=True)
def scan(block: Any, separator: int, open_max: int) -> tuple[int, int, int]:
    """Whole records at the start of ``block`` (uint8, begins at a record) → (end of the last one, state, how many).

    State: 0 when what follows the end is a record to be continued, 1 when it begins with a quote that stays open for
    ``open_max`` bytes and over a line end, 2 when it ends inside a quote (the block may be too short). Quotes count
    at the start of a field only, doubled ones are text, as in RFC 4180 and in Arrow's and Python's readers. Blank
    lines are no records.
    """
    end, i, size, records = 0, 0, block.size, 0
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
                return end, 1, records
        elif c == 10 or c == 13:
            records += i > end
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
    return end, 2 if quoted else 0, records


@njit(cache=True, nogil=True)
def scan_objects(block: Any, starts: Any, ends: Any) -> tuple[int, int, int]:
    """JSON objects that lie whole in ``block`` (uint8, begins between elements of an array) → (count, behind, state).

    Their places go to ``starts`` and ``ends`` (int64, the end behind the brace), as many as those hold; ``behind`` is
    where to go on. State: 0 more may follow, 1 the array ends here, 2 an element is no object.
    """
    count, behind, depth, start = 0, 0, 0, 0
    text = escaped = False
    for i in range(block.size):
        c = block[i]
        if text:
            if escaped:
                escaped = False
            elif c == 92:
                escaped = True
            elif c == 34:
                text = False
        elif c == 123 or c == 91:
            if depth == 0:
                if c == 91 or count == starts.size:
                    return count, behind, 2 if c == 91 else 0
                start = i
            depth += 1
        elif c == 125 or c == 93:
            if depth == 0:
                return count, i + 1, 1 if c == 93 else 2
            depth -= 1
            if depth == 0:
                starts[count], ends[count] = start, i + 1
                count += 1
                behind = i + 1
        elif c == 34:
            if depth == 0:
                return count, behind, 2
            text = True
        elif depth == 0 and not (c == 44 or c == 32 or c == 10 or c == 13 or c == 9):
            return count, behind, 2
    return count, behind, 0


def warm() -> None:
    """Compile the kernels and leave them in numba's cache."""
    scan(np.frombuffer(b"a,b\n", np.uint8), 44, POINTS_OPEN_QUOTE_BYTES_MAX)
    scan_objects(np.frombuffer(b"{}]", np.uint8), np.empty(1, np.int64), np.empty(1, np.int64))
