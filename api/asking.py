"""Who sent the request that is being answered, for what is kept under their name."""

from __future__ import annotations

from flask import g

from gisgrid.access import Principal


def principal() -> Principal | None:
    """Whoever asks, when it is known who that is."""
    held = g.get("principal")
    return held if isinstance(held, Principal) else None


def principal_key() -> str:
    """The name of whoever asks in what is stored, empty for nobody in particular."""
    held = principal()
    return "" if held is None else held.key
