"""One style per layer, read by every renderer: WMS and legend, vector tiles, QGIS projects, the web map."""

from __future__ import annotations

from layers.styles.classes import all_styles, grids_by_households
from layers.styles.definitions import styles, styles_of, with_names
from layers.styles.model import Fill, Heat, Label, Marker, Rule, Stroke, Style, Symbol

__all__ = [
    "Fill", "Heat", "Label", "Marker", "Rule", "Stroke", "Style", "Symbol", "all_styles", "grids_by_households",
    "styles", "styles_of", "with_names",
]  # fmt: skip
