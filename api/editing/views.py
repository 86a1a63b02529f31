"""The blueprint of editing with all its views."""

from __future__ import annotations

from api.editing import assignment, edits, grid, ground, mending
from api.editing.blueprint import bp

__all__ = ["assignment", "bp", "edits", "grid", "ground", "mending"]
