"""skia paths from flat coordinate arrays, a million corners at once.

skia-python makes paths corner by corner. A path can also be read from bytes, whose form skia does not document: so
the form is tried once against a path made in the documented way, and where it has changed that way is taken.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import skia
from numpy.typing import NDArray

_MOVE, _LINE, _CLOSE = 0, 1, 5


def path_of(coords: NDArray[np.float32], parts: NDArray[np.int64], closed: NDArray[np.bool_]) -> Any:
    """One path of all parts ((p + 1,) first coordinate of every part); ``closed`` (p,): rings. Fills by even-odd."""
    if len(parts) < 2:
        return skia.Path()
    return (_from_bytes if bytes_work() else _by_parts)(coords[parts[0] : parts[-1]], parts - parts[0], closed)


@cache
def bytes_work() -> bool:
    """Whether this skia reads paths in the byte form written here."""
    coords = np.array([(0, 0), (9.5, 0), (3, 7), (20, 20), (30, 25.25)], np.float32)
    parts, closed = np.array([0, 3, 5]), np.array([True, False])
    plain = _by_parts(coords, parts, closed)
    try:
        made = _from_bytes(coords, parts, closed)
    except ValueError:
        return False
    same_verbs = list(made.getVerbs(99)) == list(plain.getVerbs(99))
    return bool(made == plain and made.getFillType() == plain.getFillType() and same_verbs)


def _from_bytes(coords: NDArray[np.float32], parts: NDArray[np.int64], closed: NDArray[np.bool_]) -> Any:
    sizes = np.diff(parts)
    ends = np.cumsum(sizes + closed)
    verbs = np.full(int(ends[-1]), _LINE, np.uint8)
    starts = ends - sizes - closed
    verbs[starts[sizes > 0]] = _MOVE
    verbs[ends[closed] - 1] = _CLOSE
    even_odd = 1 << 8
    head = np.array([5 | even_odd, len(coords), 0, len(verbs)], "<i4").tobytes()
    written = head + np.ascontiguousarray(coords, "<f4").tobytes() + verbs.tobytes() + b"\0" * (-len(verbs) % 4)
    path = skia.Path()
    if path.readFromMemory(written) != len(written):
        raise ValueError("another form of path bytes")
    return path


def _by_parts(coords: NDArray[np.float32], parts: NDArray[np.int64], closed: NDArray[np.bool_]) -> Any:
    path = skia.Path()
    path.setFillType(skia.PathFillType.kEvenOdd)
    for part in range(len(parts) - 1):
        corners = coords[parts[part] : parts[part + 1]].tolist()
        path.addPoly([skia.Point(x, y) for x, y in corners], bool(closed[part]))
    return path
