"""Who is at work: the actor of whatever is changed in this context, for the audit log.

A context is a request, a command, a job: what runs in other threads of its own says it for itself.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes things: a principal's key and name, why, and the request, command or job it comes from."""

    principal: str
    name: str = ""
    reason: str = ""
    origin: str = ""


_at_work: ContextVar[Actor | None] = ContextVar("gisgrid_actor", default=None)


def at_work() -> Actor | None:
    """Who works in this context; None while nobody said so, as where things are only read."""
    return _at_work.get()


def set_at_work(actor: Actor | None) -> None:
    """Say who works in this context from now on; None: nobody any more."""
    _at_work.set(actor)


@contextmanager
def working_as(actor: Actor) -> Iterator[None]:
    """Who works in this context, within the block."""
    token = _at_work.set(actor)
    try:
        yield
    finally:
        _at_work.reset(token)


def operator(command: str, reason: str = "") -> Actor:
    """Somebody at the command line of this machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        user = "unknown"
    return Actor(f"cli:{user}", user, reason, f"gisgrid {command}")
