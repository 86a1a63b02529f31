"""Layers held in memory, cut to the window of a picture."""

from __future__ import annotations

from layers.held.view import View, Window

__all__ = ["View", "Window"]
