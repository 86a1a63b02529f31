"""All views of /api/v1/heat, on one blueprint."""

from __future__ import annotations

from api.heat import hot_spots, patterns, rises, surface
from api.heat.blueprint import bp

__all__ = ["bp", "hot_spots", "patterns", "rises", "surface"]
