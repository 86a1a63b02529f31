"""Layers held in memory, cut to the window of a picture."""

from __future__ import annotations

from layers.held.frames import held_from_frame
from layers.held.layer import HeldLayer
from layers.held.store import HeldLayers
from layers.held.view import View, Window

__all__ = ["HeldLayer", "HeldLayers", "View", "Window", "held_from_frame"]
