"""What is told of a layer's tiles: tile-set metadata (OGC 17-083r4) and TileJSON 3.0. Links are the caller's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from layers.catalog import Attribute, Layer
from layers.styles import Style
from layers.tiles.matrix_sets import Box, MatrixSet
from layers.tiles.statement import KEY, NUMBER, has_labels, label_attributes, labels_name

MVT: Final = "application/vnd.mapbox-vector-tile"
CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
DETAILED: Final = 18
"""Zoom of TileJSON from which clients enlarge tiles: a unit is 4 cm."""
_DIMENSION: Final = {"point": 0, "line": 1, "polygon": 2}

Json = dict[str, Any]


def zooms(layer: Layer, tiles: MatrixSet) -> tuple[int, int]:
    """Smallest and largest zoom a layer has tiles at. One more than its scales ask for: clients draw tiles larger."""
    farthest = layer.scales[1]
    low = 0 if farthest is None else max(math.floor(tiles.zoom_of(farthest)) - 1, 0)
    return low, tiles.served


def limits(bounds: Box | None, tiles: MatrixSet, low: int, high: int) -> list[Json]:
    """``tileMatrixSetLimits``: where at each zoom there are features."""
    if bounds is None:
        return []
    made = []
    for zoom in range(low, high + 1):
        first_row, last_row, first, last = tiles.limits(bounds, zoom)
        made.append({
            "tileMatrix": str(zoom), "minTileRow": first_row, "maxTileRow": last_row, "minTileCol": first,
            "maxTileCol": last,
        })  # fmt: skip
    return made


def tile_set(
    layers: Sequence[Layer], tiles: MatrixSet, bounds: Box | None, *, title: str, attribution: str, links: list[Json]
) -> Json:
    """Tile-set metadata of the tiles of some layers."""
    ranges = [zooms(layer, tiles) for layer in layers]
    low, high = min((r[0] for r in ranges), default=0), tiles.served
    told: Json = {"title": title, "dataType": "vector", "crs": tiles.crs}
    if tiles.uri:
        told["tileMatrixSetURI"] = tiles.uri
    told["tileMatrixSetLimits"] = limits(bounds, tiles, low, high)
    if bounds is not None:
        told["boundingBox"] = {"lowerLeft": list(bounds[:2]), "upperRight": list(bounds[2:]), "crs": CRS84}
    told["layers"] = [
        {
            "id": layer.name, "title": layer.title_zh, "description": layer.title_en, "dataType": "vector",
            **({"geometryDimension": _DIMENSION[layer.shape]} if layer.shape in _DIMENSION else {}),
            "minTileMatrix": str(bottom), "maxTileMatrix": str(top),
            "propertiesSchema": {"type": "object", "properties": {a.name: _schema(a) for a in layer.attributes}},
        }
        for layer, (bottom, top) in zip(layers, ranges, strict=True)
    ]  # fmt: skip
    return told | {"attribution": attribution, "mediaTypes": [MVT], "links": links}


def tile_json(
    layers: Sequence[Layer], tiles: MatrixSet, styles: Mapping[str, Sequence[Style]], bounds: Box | None, *,
    name: str, description: str, attribution: str, template: str,
) -> Json:  # fmt: skip
    """TileJSON 3.0 of the tiles of some layers. ``styles``: by layer; ``template``: with ``{z}``, ``{x}``, ``{y}``."""
    ranges = {layer.name: zooms(layer, tiles) for layer in layers}
    low = min((r[0] for r in ranges.values()), default=0)
    told: Json = {
        "tilejson": "3.0.0", "name": name, "description": description, "version": "1.0.0", "scheme": "xyz",
        "tiles": [template], "minzoom": low, "maxzoom": max(DETAILED, low), "attribution": attribution,
    }  # fmt: skip
    if bounds is not None:
        west, south, east, north = bounds
        told["bounds"] = [west, south, east, north]
        told["center"] = [(west + east) / 2, (south + north) / 2, min(max(zoom_of_box(bounds), low), DETAILED)]
    told["vector_layers"] = [
        made for layer in layers for made in _vector_layers(layer, styles[layer.name], ranges[layer.name])
    ]
    return told


def _vector_layers(layer: Layer, styles: Sequence[Style], zoom: tuple[int, int]) -> list[Json]:
    ends = {"minzoom": zoom[0], "maxzoom": max(DETAILED, zoom[0])}
    fields = {KEY: "identifier", NUMBER: "features that a thinned one stands for"}
    fields |= {a.name: _field(a) for a in layer.attributes}
    made: list[Json] = [{"id": layer.name, "description": f"{layer.title_zh} {layer.title_en}", **ends,
                         "fields": fields}]  # fmt: skip
    if has_labels(layer):
        named = {KEY: fields[KEY]} | {name: fields[name] for name in label_attributes(layer, styles)}
        text = f"{layer.title_zh}：标注点 Label points"
        made.append({"id": labels_name(layer), "description": text, **ends, "fields": named})
    return made


def _field(attribute: Attribute) -> str:
    unit = f" ({attribute.unit})" if attribute.unit else ""
    return f"{attribute.title_zh} {attribute.title_en}{unit}"


def _schema(attribute: Attribute) -> Json:
    kind = attribute.kind
    told: Json = {"title": f"{attribute.title_zh} {attribute.title_en}"}
    if kind in ("date", "date-time"):
        return told | {"type": "string", "format": kind}
    return told | {"type": "string" if kind == "array" else kind}


def zoom_of_box(bounds: Box) -> int:
    """The zoom at which a box is about a thousand pixels wide."""
    wide = max(bounds[2] - bounds[0], bounds[3] - bounds[1], 1e-6)
    return max(math.floor(math.log2(4 * 360.0 / wide)), 0)
