"""The blueprint of service circles with all its views."""

from __future__ import annotations

from api.circles import ask, buildings, figures, isochrones, nearest, services, shapes
from api.circles.blueprint import bp

__all__ = ["ask", "bp", "buildings", "figures", "isochrones", "nearest", "services", "shapes"]
