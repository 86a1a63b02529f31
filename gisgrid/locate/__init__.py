"""Locate: whose grid a point lies in, exactly and at memory speed."""

from __future__ import annotations

from gisgrid.hilbert import hilbert_order
from gisgrid.locate.compiled import warm
from gisgrid.locate.index import GridIndex
from gisgrid.locate.points import Located, locate_batch, locate_points
from gisgrid.locate.sure import Candidates, candidates

__all__ = [
    "Candidates", "GridIndex", "Located", "candidates", "hilbert_order", "locate_batch", "locate_points", "warm",
]  # fmt: skip
