"""What a style is: rules in drawing order, each with what it holds for and how it draws.

One definition feeds WMS, legend, vector tiles, QGIS projects and the web map. Sizes and widths are in pixels of
0.28 mm (OGC 06-042), so that a map drawn at more dots an inch keeps its look. Colours are ``#rrggbb``; opacity 0 to 1.
Conditions are pygeofilter's syntax tree over attributes of the layer, the same that CQL2 and SLD filters become.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pygeofilter import ast

Shape = Literal[
    "circle", "square", "triangle", "diamond", "cross", "star", "hexagon", "drop", "lamp", "sign", "bin", "tree",
    "building", "warning", "plus",
]  # fmt: skip
"""Forms of a marker: geometric ones, and symbols of the component classes and facilities."""


@dataclass(frozen=True, slots=True)
class Fill:
    """Inside of a polygon."""

    color: str
    opacity: float = 1.0
    hatch: float = 0.0
    """Distance of slanting lines in pixels; 0: painted evenly."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line, or the outline of a polygon."""

    color: str
    width: float = 1.0
    opacity: float = 1.0
    dash: tuple[float, ...] = ()
    cap: Literal["butt", "round", "square"] = "round"
    join: Literal["miter", "round", "bevel"] = "round"
    casing: str | None = None
    """Colour of a second line, a pixel wider on both sides, drawn under all lines of the layer."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A symbol on a point (for other shapes: on a point inside)."""

    shape: Shape = "circle"
    color: str = "#333333"
    size: float = 8.0
    """Height in pixels."""
    opacity: float = 1.0
    outline: str | None = "#ffffff"
    outline_width: float = 1.0


@dataclass(frozen=True, slots=True)
class Label:
    """Text of an attribute: inside polygons, along lines, beside points; none of a map's labels touch."""

    attribute: str
    color: str = "#222222"
    size: float = 12.0
    """Height of the letters' body in pixels."""
    halo: str | None = "#ffffff"
    halo_width: float = 1.5
    bold: bool = False
    priority: int = 0
    """Labels of a higher one are placed first."""


@dataclass(frozen=True, slots=True)
class Heat:
    """Density of points: a kernel of ``radius`` pixels, coloured along ``ramp`` from the first colour (few) on."""

    radius: float = 24.0
    ramp: tuple[str, ...] = ("#ffffb2", "#fecc5c", "#fd8d3c", "#f03b20", "#bd0026")
    opacity: float = 0.8


Symbol = Fill | Stroke | Marker | Label | Heat


@dataclass(frozen=True, slots=True)
class Rule:
    """What is drawn alike. ``where`` None: all features; ``scales``: smallest and largest denominator (None: open),
    smallest included, largest not; ``otherwise``: only what no other rule of the style takes (SLD's ElseFilter)."""

    title_zh: str
    title_en: str
    symbols: tuple[Symbol, ...]
    where: ast.Node | None = None
    scales: tuple[float | None, float | None] = (None, None)
    otherwise: bool = False
    in_legend: bool = True

    def drawn_at(self, denominator: float) -> bool:
        """Whether the rule applies at a scale of 1 to ``denominator``."""
        low, high = self.scales
        return (low is None or denominator >= low) and (high is None or denominator < high)


@dataclass(frozen=True, slots=True)
class Style:
    """How a layer is drawn: rules in drawing order (a feature may be drawn by several)."""

    name: str
    title_zh: str
    title_en: str
    rules: tuple[Rule, ...]
