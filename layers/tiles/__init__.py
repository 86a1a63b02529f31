"""Vector tiles: how the world is cut, what a tile holds, how tiles are described and kept."""

from __future__ import annotations

from layers.tiles.matrix_sets import MATRIX_SETS, MatrixSet, matrix_set

__all__ = ["MATRIX_SETS", "MatrixSet", "matrix_set"]
