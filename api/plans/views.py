"""All views of plans, on one blueprint."""

from __future__ import annotations

from api.plans import comments, generations, grids, plans, preview, publication
from api.plans.blueprint import bp

__all__ = ["bp", "comments", "generations", "grids", "plans", "preview", "publication"]
