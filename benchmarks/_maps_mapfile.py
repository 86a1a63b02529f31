"""A MapServer mapfile from our own style definitions, so that both servers draw the same classes and labels."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pygeofilter import ast

from benchmarks._maps_data import Stored
from data import embedded
from layers.styles.model import Fill, Label, Marker, Rule, Stroke, Style, Symbol

RESOLUTION = 25.4 / 0.28
"""Dots an inch of the standard pixel: scales then mean the same on both sides."""
TEXT_SIZE = 72 / 96
"""MapServer counts sizes of letters in points of 96 dots an inch."""
SYMBOLS = {
    "circle": "TYPE ELLIPSE FILLED TRUE POINTS 1 1 END",
    "square": "TYPE VECTOR FILLED TRUE POINTS 0 0 0 1 1 1 1 0 0 0 END",
    "hexagon": "TYPE VECTOR FILLED TRUE POINTS 0 1 0.5 2 1.5 2 2 1 1.5 0 0.5 0 0 1 END",
    "triangle": "TYPE VECTOR FILLED TRUE POINTS 0 1 0.5 0 1 1 0 1 END",
    "diamond": "TYPE VECTOR FILLED TRUE POINTS 0 1 1 2 2 1 1 0 0 1 END",
    "star": "TYPE VECTOR FILLED TRUE POINTS 0 0.4 0.4 0.4 0.5 0 0.6 0.4 1 0.4 0.7 0.6 0.8 1 0.5 0.75 0.2 1 0.3 0.6 0 0.4 END",  # noqa: E501
}  # fmt: skip
# our drawn symbols, for which MapServer gets a plain form of as many corners
INSTEAD = {"sign": "triangle", "bin": "square", "tree": "star", "building": "square", "warning": "triangle"}
COMPARISONS: dict[type[ast.Node], str] = {
    ast.Equal: "=", ast.NotEqual: "!=", ast.GreaterEqual: ">=", ast.LessThan: "<", ast.GreaterThan: ">",
}  # fmt: skip

MAP = """MAP
  NAME "peer" STATUS ON EXTENT {extent} SIZE 1024 768 UNITS METERS MAXSIZE 4096
  IMAGECOLOR 255 255 255 IMAGETYPE "png" RESOLUTION {resolution:.4f} DEFRESOLUTION {resolution:.4f}
  FONTSET "{folder}/fonts.txt"
  PROJECTION "init=epsg:3857" END
  CONFIG "MS_ERRORFILE" "{folder}/mapserver.log"
  OUTPUTFORMAT NAME "png" DRIVER "AGG/PNG" MIMETYPE "image/png" IMAGEMODE RGB EXTENSION "png" {options} END
  WEB METADATA "wms_title" "peer" "wms_srs" "EPSG:3857" "wms_enable_request" "*" "wms_onlineresource" "http://localhost/" END END
{symbols}
  LAYER
    NAME "{layer}" TYPE {shape} STATUS ON EXTENT {extent}
    {source}
    PROJECTION "init=epsg:3857" END
    METADATA "wms_title" "{layer}" END
{classes}
  END
END
"""  # noqa: E501


def mapfile(data: Stored, style: Style, folder: Path, flatgeobuf: Path | None = None, options: str = "") -> str:
    """The text of the mapfile; its fonts are listed in ``folder``. Reads PostGIS, or a FlatGeobuf file.

    The shapes are those the database keeps in EPSG:3857, the CRS of the pictures: MapServer need not project.
    """
    extent = " ".join(f"{value:.2f}" for value in data.box)
    if flatgeobuf is None:
        read = f"mercator FROM (SELECT * FROM {data.case.view}_3857) AS t"
        source = (
            f'CONNECTIONTYPE POSTGIS CONNECTION "host={data.socket} dbname={data.database} user={embedded.ROLE}" '
            f'DATA "{read} USING UNIQUE id USING SRID=3857" PROCESSING "CLOSE_CONNECTION=DEFER"'
        )
    else:
        source = f'CONNECTIONTYPE FLATGEOBUF DATA "{flatgeobuf}"'
    return MAP.format(
        extent=extent, resolution=RESOLUTION, folder=folder, layer=data.case.layer, source=source, options=options,
        shape="POLYGON" if data.case.layer == "grids" else "POINT",
        symbols="\n".join(f'  SYMBOL NAME "{name}" {text} END' for name, text in SYMBOLS.items()),
        classes="\n".join(_classes(style.rules, data.case.layer == "grids")),
    )  # fmt: skip


def _classes(rules: Iterable[Rule], inside: bool) -> Iterable[str]:
    """MapServer draws a feature by the first class that takes it: rules for all features go into every class."""
    chosen = [rule for rule in rules if rule.where is not None]
    always = [rule for rule in rules if rule.where is None]
    for rule in chosen or [always[0]]:
        parts = [
            _symbol(symbol, of, inside) for of in (rule, *(always if chosen else always[1:])) for symbol in of.symbols
        ]
        where = "" if rule.where is None else f"EXPRESSION ({_expression(rule.where)}) "
        yield f'    CLASS NAME "{rule.title_en}" {where}{" ".join(parts)} END'


def _expression(node: ast.Node) -> str:
    if isinstance(node, ast.And):
        return f"{_expression(node.lhs)} AND {_expression(node.rhs)}"
    name, value = node.lhs.name, node.rhs
    left, right = (f'"[{name}]"', f'"{value}"') if isinstance(value, str) else (f"[{name}]", str(value))
    return f"{left} {COMPARISONS[type(node)]} {right}"


def _symbol(symbol: Symbol, rule: Rule, inside: bool) -> str:
    match symbol:
        case Fill():
            return f"STYLE COLOR {_rgb(symbol.color)} OPACITY {symbol.opacity * 100:.0f} END"
        case Stroke():
            return (
                f"STYLE OUTLINECOLOR {_rgb(symbol.color)} WIDTH {symbol.width} LINEJOIN {symbol.join.upper()} "
                f"LINECAP {symbol.cap.upper()} END"
            )
        case Marker():
            outline = (
                f"OUTLINECOLOR {_rgb(symbol.outline)} OUTLINEWIDTH {symbol.outline_width}" if symbol.outline else ""
            )
            form = INSTEAD.get(symbol.shape, symbol.shape)
            return f'STYLE SYMBOL "{form}" SIZE {symbol.size} COLOR {_rgb(symbol.color)} {outline} END'
        case Label():
            place = "CC" if inside else "AUTO"
            low, high = rule.scales
            scales = (f"MINSCALEDENOM {low} " if low else "") + (f"MAXSCALEDENOM {high} " if high else "")
            halo = f"OUTLINECOLOR {_rgb(symbol.halo)} OUTLINEWIDTH {symbol.halo_width * 2:.0f}" if symbol.halo else ""
            return (
                f'LABEL TEXT "[{symbol.attribute}]" TYPE TRUETYPE FONT "cjk" SIZE {symbol.size * TEXT_SIZE:.1f} '
                f"{scales}COLOR {_rgb(symbol.color)} {halo} POSITION {place} PARTIALS FALSE FORCE FALSE END"
            )
    raise ValueError(f"{symbol} has no counterpart here")


def _rgb(color: str) -> str:
    return " ".join(str(int(color[at : at + 2], 16)) for at in (1, 3, 5))
