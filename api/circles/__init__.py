"""/api/v1/circles: who reaches what in how many minutes, as computed for the grids in force and asked on the spot."""

from __future__ import annotations

from api.circles import ask, buildings, figures, isochrones, nearest, shapes
from api.circles.blueprint import bp

__all__ = ["ask", "bp", "buildings", "figures", "isochrones", "nearest", "shapes"]
