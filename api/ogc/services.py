"""Links from /ogc to everything else a layer is offered by: tiles, styles, files, pictures, legends, a QGIS project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, urlencode

from api.ogc.answers import JSON, Link, address, language, link, site, title_of
from layers.catalog import Layer
from layers.downloads import FORMS
from layers.styles import Style
from layers.wms.capabilities import SENT_AS as CAPABILITIES
from layers.wms.systems import Box, box_in

REL: Final = "http://www.opengis.net/def/rel/ogc/1.0"
PNG: Final = "image/png"
QGIS: Final = "application/x-qgis-project"
SIDE: Final = 600
"""Longer side of a preview in pixels."""
METRES_PER_PIXEL: Final = 0.00028
"""Of a map at 1:1 (OGC 06-042, 7.2.4.6.9)."""
_WORLD: Final[Box] = (-180.0, -85.0, 180.0, 85.0)


def landing_links() -> list[Link]:
    """What the whole service is offered by, beside collections."""
    zh = language() == "zh"
    project = f"{site()}/api/v1/layers/qgis?{urlencode({'lang': language()})}"
    return [
        link(f"{REL}/tilesets-vector", address("tiles"), JSON, "矢量瓦片" if zh else "Vector tiles"),
        link(f"{REL}/tiling-schemes", address("tileMatrixSets"), JSON, "瓦片矩阵集" if zh else "Tile-matrix sets"),
        link(f"{REL}/styles", address("styles"), JSON, "样式" if zh else "Styles"),
        link("service", capabilities("1.3.0"), CAPABILITIES["1.3.0"], "WMS 1.3.0"),
        link("service", capabilities("1.1.1"), CAPABILITIES["1.1.1"], "WMS 1.1.1"),
        link("related", project, QGIS, "QGIS 工程" if zh else "QGIS project"),
        link("related", f"{site()}/api/v1/layers", JSON, "图层目录" if zh else "Catalogue of layers"),
    ]


def layer_links(layer: Layer, styles: Sequence[Style], box: Box | None) -> list[Link]:
    """What a layer is offered by, beside its features. ``box``: of its features in degrees."""
    zh, name = language() == "zh", layer.name
    files = f"{site()}/api/v1/layers/{quote(name, safe='')}/download?"
    return [
        link(f"{REL}/tilesets-vector", address("collections", name, "tiles"), JSON,
             "矢量瓦片" if zh else "Vector tiles"),
        link(f"{REL}/styles", address("collections", name, "styles"), JSON, "样式" if zh else "Styles"),
        *[
            link(f"{REL}/legend", legend(layer, style), PNG,
                 ("图例：" if zh else "Legend: ") + (style.title_zh if zh else style.title_en))
            for style in styles
        ],
        link("preview", picture(layer, box), PNG, ("地图：" if zh else "Map: ") + title_of(layer)),
        link("service", capabilities("1.3.0"), CAPABILITIES["1.3.0"], "WMS 1.3.0"),
        *[
            link("enclosure", files + urlencode({"format": form.name, "lang": language()}), form.media, form.title)
            for form in FORMS.values()
        ],
    ]  # fmt: skip


def capabilities(version: str) -> str:
    """The address of the map service's capabilities."""
    return _wms("GetCapabilities", version)


def legend(layer: Layer, style: Style) -> str:
    """The address of the legend of a layer's style."""
    return _wms("GetLegendGraphic", LAYER=layer.name, STYLE=style.name, FORMAT=PNG, LANGUAGE=language())


def picture(layer: Layer, box: Box | None) -> str:
    """The address of a map of the layer: all of it, or as much of its middle as its scales let be drawn."""
    west, south, east, north = box_in(box or _WORLD, "EPSG:3857") or (0.0, 0.0, 0.0, 0.0)
    side = max(east - west, north - south, 200.0) * 1.08
    farthest = layer.scales[1]
    if farthest is not None:
        side = min(side, 0.8 * farthest * METRES_PER_PIXEL * SIDE)
    wide, high = (min(max(length * 1.08, side / 3), side) for length in (east - west, north - south))
    x, y = (west + east) / 2, (south + north) / 2
    corners = x - wide / 2, y - high / 2, x + wide / 2, y + high / 2
    return _wms(
        "GetMap", LAYERS=layer.name, STYLES="", CRS="EPSG:3857", BBOX=",".join(f"{value:.1f}" for value in corners),
        WIDTH=str(round(SIDE * wide / side)), HEIGHT=str(round(SIDE * high / side)), FORMAT=PNG, LANGUAGE=language(),
    )  # fmt: skip


def _wms(operation: str, version: str = "1.3.0", **more: str) -> str:
    asked = {"SERVICE": "WMS", "VERSION": version, "REQUEST": operation} | more
    return f"{site()}/wms?{urlencode(asked)}"
