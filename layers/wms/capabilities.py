"""The capabilities document of WMS 1.1.1 (01-068r3, annex A) and 1.3.0 (06-042, annex E; 05-078r4 for styles)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlencode

from gisgrid.limits import PICTURE_SIDE_MAX, WMS_LAYERS_MAX
from layers.held.view import PIXEL_METRES
from layers.styles import Style
from layers.wms.formats import INFOS, PICTURES
from layers.wms.offer import WORLD, Group, Service, Shown, worded
from layers.wms.systems import Box, Version, box_in, in_order, told_systems
from layers.wms.times import Days
from layers.xml import Markup, element

SENT_AS: Final[dict[Version, str]] = {"1.1.1": "application/vnd.ogc.wms_xml", "1.3.0": "text/xml"}
TITLE: Final = ("网格化治理地图服务", "Maps of grid-based urban governance")
ABOUT: Final = (
    "行政区划、网格、部件、设施、事件、服务圈等图层",
    "Areas, grids, city components, facilities, reports and service circles",
)
KEYWORDS: Final = ("网格化治理", "grid", "urban governance", "GIS")
_EXCEPTIONS: Final[dict[Version, tuple[str, ...]]] = {
    "1.1.1": ("application/vnd.ogc.se_xml", "application/vnd.ogc.se_inimage", "application/vnd.ogc.se_blank"),
    "1.3.0": ("XML", "INIMAGE", "BLANK"),
}
_XLINK: Final = "http://www.w3.org/1999/xlink"


def capabilities(service: Service, version: Version) -> bytes:
    """The document, UTF-8."""
    parts = (_service(service, version), _capability(service, version))
    if version == "1.1.1":
        head = '<!DOCTYPE WMT_MS_Capabilities SYSTEM "http://schemas.opengis.net/wms/1.1.1/WMS_MS_Capabilities.dtd">\n'
        attributes = {"version": version, "updateSequence": service.sequence}
        body = element("WMT_MS_Capabilities", *parts, attributes=attributes)
    else:
        head = ""
        body = element("WMS_Capabilities", *parts, attributes={
            "version": version, "updateSequence": service.sequence, "xmlns": "http://www.opengis.net/wms",
            "xmlns:sld": "http://www.opengis.net/sld", "xmlns:xlink": _XLINK,
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:schemaLocation":
                "http://www.opengis.net/wms http://schemas.opengis.net/wms/1.3.0/capabilities_1_3_0.xsd "
                "http://www.opengis.net/sld http://schemas.opengis.net/sld/1.1.0/sld_capabilities.xsd",
        })  # fmt: skip
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{body}\n'.encode()


# --- the service and what it does -------------------------------------------------------------


def _service(service: Service, version: Version) -> Markup:
    limits = [
        element("LayerLimit", WMS_LAYERS_MAX),
        element("MaxWidth", PICTURE_SIDE_MAX),
        element("MaxHeight", PICTURE_SIDE_MAX),
    ]
    return element(
        "Service",
        element("Name", "OGC:WMS" if version == "1.1.1" else "WMS"),
        element("Title", worded(*TITLE, service.language)),
        element("Abstract", worded(*ABOUT, service.language)),
        element("KeywordList", *(element("Keyword", word) for word in KEYWORDS)),
        _online(service.address),
        element("Fees", "none"),
        element("AccessConstraints", "none"),
        *(limits if version == "1.3.0" else []),
    )


def _online(address: str) -> Markup:
    return element("OnlineResource", attributes={"xmlns:xlink": _XLINK, "xlink:type": "simple", "xlink:href": address})


def _capability(service: Service, version: Version) -> Markup:
    told = element("Exception", *(element("Format", name) for name in _EXCEPTIONS[version]))
    return element(
        "Capability",
        element("Request", *_operations(service, version)),
        told,
        _styling(version),
        _root(service, version),
    )


def _operations(service: Service, version: Version) -> Iterator[Markup]:
    pictures = tuple(PICTURES)
    xml = SENT_AS[version]
    own = "" if version == "1.1.1" else "sld:"
    yield _operation("GetCapabilities", (xml,), service)
    yield _operation("GetMap", pictures, service)
    yield _operation("GetFeatureInfo", tuple(INFOS), service)
    yield _operation(f"{own}GetLegendGraphic", pictures, service)


def _operation(name: str, formats: Sequence[str], service: Service) -> Markup:
    ways = element("HTTP", *(element(way, _online(service.address)) for way in ("Get", "Post")))
    return element(name, *(element("Format", form) for form in formats), element("DCPType", ways))


def _styling(version: Version) -> Markup:
    """That users may send styles of their own, and that nothing is fetched for them."""
    given = {"SupportSLD": 1, "UserLayer": 0, "UserStyle": 1, "RemoteWFS": 0}
    if version == "1.1.1":
        return element("UserDefinedSymbolization", attributes=given)
    return element("sld:UserDefinedSymbolization", attributes=given | {"InlineFeature": 0, "RemoteWCS": 0})


# --- layers -----------------------------------------------------------------------------------


def _root(service: Service, version: Version) -> Markup:
    box = service.box or WORLD
    crs = "SRS" if version == "1.1.1" else "CRS"
    return element(
        "Layer",
        element("Title", worded(*TITLE, service.language)),
        element("Abstract", worded(*ABOUT, service.language)),
        *(element(crs, name) for name in service.crs if version == "1.3.0" or name != "CRS:84"),
        *_boxes(box, version),
        *(_listed(item, service, version) for item in service.groups),
    )


def _listed(item: Group | Shown, service: Service, version: Version) -> Markup:
    if isinstance(item, Shown):
        return _layer(item, service, version)
    title = element("Title", worded(*item.title, service.language))
    return element("Layer", title, *(_layer(shown, service, version) for shown in item.layers))


def _layer(item: Shown, service: Service, version: Version) -> Markup:
    layer = item.layer
    about = worded(layer.about_zh, layer.about_en, service.language)
    flags = {"queryable": int(queryable(item)), "opaque": 0}
    return element(
        "Layer",
        element("Name", layer.name),
        element("Title", worded(layer.title_zh, layer.title_en, service.language)),
        element("Abstract", about) if about else None,
        *_own_systems(item, service, version),
        *(_boxes(item.box, version) if item.box else []),
        *_time(item, version),
        *(_style(layer.name, style, service) for style in item.styles),
        *_scales(layer.scales, version),
        attributes=flags,
    )


def _own_systems(item: Shown, service: Service, version: Version) -> Iterator[Markup]:
    """Systems its box is told in that not every layer has: a layer far from the others lies in another zone."""
    crs = "SRS" if version == "1.1.1" else "CRS"
    if item.box:
        yield from (element(crs, name) for name in told_systems(item.box) if name not in service.crs)


def queryable(item: Shown) -> bool:
    """Whether GetFeatureInfo tells of the layer."""
    return item.layer.queryable and not item.layer.picture_only


def _boxes(box: Box, version: Version) -> Iterator[Markup]:
    """The box in degrees, then in every system it makes sense in."""
    west, south, east, north = (_rounded(value) for value in box)
    if version == "1.1.1":
        ends = {"minx": west, "miny": south, "maxx": east, "maxy": north}
        yield element("LatLonBoundingBox", attributes=ends)
    else:
        yield element(
            "EX_GeographicBoundingBox",
            element("westBoundLongitude", west),
            element("eastBoundLongitude", east),
            element("southBoundLatitude", south),
            element("northBoundLatitude", north),
        )
    for crs in told_systems(box):
        known = box_in(box, crs)
        if known is not None and not (crs == "CRS:84" and version == "1.1.1"):
            values = (_rounded(value) for value in in_order(known, crs, version))
            name = {"SRS" if version == "1.1.1" else "CRS": crs}
            yield element(
                "BoundingBox", attributes=name | dict(zip(("minx", "miny", "maxx", "maxy"), values, strict=True))
            )


def _rounded(value: float) -> str:
    """Degrees to a centimetre, metres to finer."""
    return repr(round(value, 7))


def _time(item: Shown, version: Version) -> Iterator[Markup]:
    if item.time is None:
        return
    given = {
        "default": item.time.default,
        "nearestValue": 0 if isinstance(item.time, Days) else 1,
    }
    several = int(isinstance(item.time, Days))
    if version == "1.1.1":  # the axis and what lies on it are told apart
        yield element("Dimension", attributes={"name": "time", "units": "ISO8601"})
        told = {"name": "time", **given, "multipleValues": several, "current": 1}
        yield element("Extent", item.time.extent, attributes=told)
        return
    told = {"name": "time", "units": "ISO8601", **given, "multipleValues": several, "current": 1}
    yield element("Dimension", item.time.extent, attributes=told)


def _style(layer: str, style: Style, service: Service) -> Markup:
    width, height = service.legend_size(style)
    asked = {
        "SERVICE": "WMS", "VERSION": "1.3.0", "REQUEST": "GetLegendGraphic", "SLD_VERSION": "1.1.0",
        "FORMAT": "image/png", "LAYER": layer, "STYLE": style.name,
    }  # fmt: skip
    if service.language != "both":
        asked["LANGUAGE"] = service.language
    legend = element(
        "LegendURL",
        element("Format", "image/png"),
        _online(service.address + urlencode(asked)),
        attributes={"width": width, "height": height},
    )
    title = worded(style.title_zh, style.title_en, service.language)
    return element("Style", element("Name", style.name), element("Title", title), legend)


def _scales(scales: tuple[float | None, float | None], version: Version) -> Iterator[Markup]:
    """Denominators, or in 1.1.1 the diagonal of a pixel in metres (01-068r3, 7.1.4.5.8)."""
    low, high = scales
    if version == "1.3.0":
        if low is not None:
            yield element("MinScaleDenominator", f"{low:.15g}")
        if high is not None:
            yield element("MaxScaleDenominator", f"{high:.15g}")
    elif low is not None or high is not None:
        diagonal = PIXEL_METRES * math.sqrt(2.0)
        ends = {"min": f"{(low or 0.0) * diagonal:.15g}", "max": f"{(high or 1e12) * diagonal:.15g}"}
        yield element("ScaleHint", attributes=ends)
