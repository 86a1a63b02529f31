"""A QGIS project of layers: where their data is, how they are drawn, in which groups. Opens in QGIS 3.22 and newer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np
import pyproj
import sqlalchemy as sa

from data import tables as t
from gisgrid.crs import points_from_storage
from layers.catalog import Layer
from layers.qgis.symbols import labeling, renderer
from layers.styles import Style

Source = Literal["wfs", "wms", "gpkg"]
"""Where data comes from: OGC API Features (as QGIS calls it, beside WFS), pictures by WMS, a GeoPackage at hand."""
PROJECT_CRS: Final = "EPSG:3857"
_GEOMETRY: Final = {"point": "Point", "line": "Line", "polygon": "Polygon", "mixed": "Unknown"}
_SHOWN: Final = ("grids", "areas", "streets", "water", "buildings", "facilities")
"""Layers that are on when the project is opened; the others wait for a click."""


@dataclass(frozen=True, slots=True)
class Place:
    """``address``: of the service (``https://maps.example``), or the path of the GeoPackage; ``box``: what is shown
    first, west, south, east, north in degrees."""

    address: str
    box: tuple[float, float, float, float]
    title: str = "gisgrid"


def project(
    layers: Sequence[Layer], styles: Mapping[str, Style], place: Place, *, source: Source = "wfs", language: str = "zh"
) -> bytes:
    """The ``.qgs`` file. ``layers`` in drawing order (the lowest first); titles in ``language`` (zh or en)."""
    root = Element("qgis", {"version": "3.22.0", "projectname": place.title, "saveUser": "", "saveUserFull": ""})
    SubElement(root, "homePath", path="")
    SubElement(root, "title").text = place.title
    SubElement(root, "trust", active="0")
    _system(SubElement(root, "projectCrs"), PROJECT_CRS)
    shown = [layer for layer in layers if source == "wms" or not layer.picture_only or layer.base]
    _tree(SubElement(root, "layer-tree-group"), shown, place, source, language)
    _canvas(root, place)
    listed = SubElement(root, "projectlayers")
    for layer in shown:
        listed.append(_map_layer(layer, styles[layer.style], place, source, language))
    order = SubElement(root, "layerorder")
    for layer in reversed(shown):
        SubElement(order, "layer", id=_id(layer))
    # without this switch QGIS does not look at projectCrs
    reference = SubElement(SubElement(root, "properties"), "SpatialRefSys")
    SubElement(reference, "ProjectionsEnabled", type="int").text = "1"
    settings = SubElement(root, "ProjectViewSettings", UseProjectScales="0")
    west, south, east, north = _extent(place)
    extent = {"xmin": west, "ymin": south, "xmax": east, "ymax": north}
    view = SubElement(settings, "DefaultViewExtent", {name: f"{value:.3f}" for name, value in extent.items()})
    _system(view, PROJECT_CRS)
    indent(root)
    head = b"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
    return head + bytes(tostring(root, encoding="utf-8"))


def extent_of(connection: sa.Connection) -> tuple[float, float, float, float]:
    """What of the world there are areas of, in degrees; all of China where there are none."""
    box = sa.select(sa.func.ST_Extent(t.areas.c.geometry).label("box")).subquery()
    sides = [getattr(sa.func, name)(box.c.box) for name in ("ST_XMin", "ST_YMin", "ST_XMax", "ST_YMax")]
    row = connection.execute(sa.select(*sides)).one()
    west, south, east, north = (73.0, 18.0, 135.0, 54.0) if row[0] is None else map(float, row)
    return west, south, east, north


def _title(layer: Layer, language: str) -> str:
    return layer.title_zh if language == "zh" else layer.title_en


def _id(layer: Layer) -> str:
    return f"gisgrid_{layer.name}"


def _tree(root: Element, layers: Sequence[Layer], place: Place, source: Source, language: str) -> None:
    """Groups where a layer has parts; the topmost layer first, as QGIS lists them."""
    names = {layer.name: layer for layer in layers}
    groups: dict[str, Element] = {}
    grouped = {layer.group for layer in layers if layer.group and layer.group != layer.name}
    for layer in reversed(layers):
        group = layer.group or layer.name
        parent = root
        if group in grouped:
            if group not in groups:
                title = _title(names[group], language) if group in names else group
                told = {"name": title, "checked": "Qt::Checked", "expanded": "0"}
                groups[group] = SubElement(root, "layer-tree-group", told)
            parent = groups[group]
        SubElement(parent, "layer-tree-layer", {
            "id": _id(layer), "name": _title(layer, language), "expanded": "0", "providerKey": _provider(source),
            "source": _source(layer, place, source),
            "checked": "Qt::Checked" if layer.name in _SHOWN else "Qt::Unchecked",
        })  # fmt: skip


def _provider(source: Source) -> str:
    return {"wfs": "OAPIF", "wms": "wms", "gpkg": "ogr"}[source]


def _source(layer: Layer, place: Place, source: Source) -> str:
    """QGIS's address of the data. A picture of features (heat) is made from the features."""
    name = layer.base if layer.picture_only and layer.base and source != "wms" else layer.name
    if source == "gpkg":
        kind = "|geometrytype=Point" if layer.shape == "mixed" and name.startswith("components") else ""
        return f"{place.address}|layername={name}{kind}"
    if source == "wms":
        asked = {
            "crs": PROJECT_CRS, "dpiMode": "7", "format": "image/png", "layers": layer.name, "styles": "",
            "url": f"{place.address}/wms",
        }  # fmt: skip
        return urlencode(asked, safe=":/")
    url = f"{place.address}/ogc".replace("'", "%27")
    return (
        f" pagingEnabled='true' restrictToRequestBBOX='1' srsname='OGC:CRS84' typename='{name}' url='{url}' "
        "version='OGC_API_FEATURES'"
    )


def _map_layer(layer: Layer, style: Style, place: Place, source: Source, language: str) -> Element:
    low, high = layer.scales
    told: dict[str, str] = {
        "type": "raster" if source == "wms" else "vector", "styleCategories": "AllStyleCategories",
        "hasScaleBasedVisibilityFlag": "1" if low is not None or high is not None else "0",
        "minScale": f"{high or 1e8:.0f}", "maxScale": f"{low or 0:.0f}", "autoRefreshEnabled": "0",
    }  # fmt: skip
    written = labeling(style, layer.shape) if source != "wms" else None
    if source != "wms":
        told |= {"geometry": _GEOMETRY[layer.shape], "labelsEnabled": "1" if written is not None else "0",
                 "readOnly": "0", "simplifyDrawingHints": "0" if layer.shape == "point" else "1"}  # fmt: skip
    made = Element("maplayer", told)
    SubElement(made, "id").text = _id(layer)
    SubElement(made, "datasource").text = _source(layer, place, source)
    SubElement(made, "layername").text = _title(layer, language)
    SubElement(made, "abstract").text = layer.about_zh if language == "zh" else layer.about_en
    crs = {"wfs": "OGC:CRS84", "wms": PROJECT_CRS, "gpkg": "EPSG:4490"}[source]
    _system(SubElement(made, "srs"), crs)
    SubElement(made, "provider", encoding="UTF-8").text = _provider(source)
    if source == "wms":
        pipe = SubElement(made, "pipe")
        SubElement(pipe, "rasterrenderer", type="singlebandcolordata", band="1", alphaBand="-1", opacity="1")
        return made
    names = SubElement(made, "aliases")
    for number, a in enumerate(layer.attributes):
        unit = f" ({a.unit.strip('{}')})" if a.unit and a.unit != "1" else ""
        title = (a.title_zh if language == "zh" else a.title_en) + unit
        SubElement(names, "alias", {"field": a.name, "index": str(number), "name": title})
    made.append(renderer(style, layer.shape, language))
    if written is not None:
        made.append(written)
    if layer.label:
        SubElement(made, "previewExpression").text = f'"{layer.label}"'
    return made


def _extent(place: Place) -> tuple[float, float, float, float]:
    x, y = points_from_storage(np.array(place.box[::2]), np.array(place.box[1::2]), PROJECT_CRS)
    return float(x[0]), float(y[0]), float(x[1]), float(y[1])


def _canvas(root: Element, place: Place) -> None:
    canvas = SubElement(root, "mapcanvas", name="theMapCanvas", annotationsVisible="1")
    SubElement(canvas, "units").text = "meters"
    extent = SubElement(canvas, "extent")
    for name, value in zip(("xmin", "ymin", "xmax", "ymax"), _extent(place), strict=True):
        SubElement(extent, name).text = f"{value:.3f}"
    SubElement(canvas, "rotation").text = "0"
    _system(SubElement(canvas, "destinationsrs"), PROJECT_CRS)


def _system(parent: Element, name: str) -> None:
    crs: Any = pyproj.CRS.from_user_input(name)
    made = SubElement(parent, "spatialrefsys", nativeFormat="Wkt")
    SubElement(made, "wkt").text = crs.to_wkt("WKT2_2019")
    SubElement(made, "authid").text = name
    SubElement(made, "description").text = crs.name
    SubElement(made, "geographicflag").text = "true" if crs.is_geographic else "false"
