"""Drawing maps: layers and styles in, pictures out."""

from __future__ import annotations

from layers.render.drawing import draw_map
from layers.render.encoding import encode
from layers.render.legend import legend

__all__ = ["draw_map", "encode", "legend"]
