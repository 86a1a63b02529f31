"""Whether an error means that a disk is full, whoever noticed: we, PostgreSQL, or a library that writes files."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Final

_NUMBERS: Final = (errno.ENOSPC, errno.EDQUOT)
_SQLSTATE: Final = "53100"
_WORDS: Final = ("no space left on device", "disk is full", "disk quota exceeded")
"""What GDAL, SQLite and PostgreSQL say in errors that carry no number."""
FULL: Final = "the disk is full; nothing was changed; free some space and send it again"


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what led to it, nearest first; SQLAlchemy's errors name the driver's as their origin."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [getattr(one, "orig", None), one.__cause__, one.__context__]


def disk_full(error: BaseException) -> bool:
    """Whether a full disk, or a used-up quota, is behind an error."""
    for one in chain(error):
        if isinstance(one, OSError) and one.errno in _NUMBERS:
            return True
        if getattr(one, "sqlstate", None) == _SQLSTATE:
            return True
        if any(words in str(one).lower() for words in _WORDS):
            return True
    return False
