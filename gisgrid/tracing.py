"""What the work at hand belongs to: the request that asked for it, the job it is. Every line of the log tells it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

REQUEST: Final[ContextVar[str]] = ContextVar("gisgrid_request", default="")
"""Id of the request that is answered, or that asked for the job; empty outside of both."""
JOB: Final[ContextVar[int]] = ContextVar("gisgrid_job", default=0)
"""Number of the job that is run; 0 outside of jobs."""


@contextmanager
def at_work(job: int, request: str = "") -> Iterator[None]:
    """Have what is logged meanwhile tell the job, and the request that asked for it."""
    before = JOB.set(job), REQUEST.set(request)
    try:
        yield
    finally:
        JOB.reset(before[0])
        REQUEST.reset(before[1])
