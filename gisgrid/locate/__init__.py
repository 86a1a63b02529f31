"""Locate: whose grid a point lies in, exactly and at memory speed."""

from __future__ import annotations

from gisgrid.hilbert import hilbert_order
from gisgrid.locate.index import GridIndex, warm
from gisgrid.locate.points import locate_points

__all__ = ["GridIndex", "hilbert_order", "locate_points", "warm"]
