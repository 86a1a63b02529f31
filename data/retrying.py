"""Transactions that PostgreSQL broke off for another's sake, run again."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

import sqlalchemy as sa

from gisgrid.errors import Broken

P = ParamSpec("P")
T = TypeVar("T")
TRIES: Final = 5
PAUSE_SECONDS: Final = 0.05
GAVE_WAY: Final = ("40P01", "40001")
"""SQLSTATE of a deadlock and of a transaction that could not be put in order."""


def retried(work: Callable[P, T]) -> Callable[P, T]:
    """A function that is one transaction: run again when it was the one to give way. Raises Broken after five tries."""

    @functools.wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        for number in range(TRIES):
            try:
                return work(*args, **kwargs)
            except sa.exc.OperationalError as error:
                if getattr(error.orig, "sqlstate", None) not in GAVE_WAY:
                    raise
            time.sleep(random.uniform(0, PAUSE_SECONDS * 2**number))
        raise Broken("too many change this at the same time; try again in a moment", code="busy")

    return run
