"""Locate: whose grid a point lies in, exactly and at memory speed."""

from __future__ import annotations

from gisgrid.hilbert import hilbert_order
from gisgrid.locate.index import GridIndex, warm
from gisgrid.locate.points import Located, locate_batch, locate_points

__all__ = ["GridIndex", "Located", "hilbert_order", "locate_batch", "locate_points", "warm"]
