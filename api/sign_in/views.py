"""The views of signing in, by importing them."""

from __future__ import annotations

from api.sign_in import by_provider, session
from api.sign_in.blueprint import bp

__all__ = ["bp", "by_provider", "session"]
