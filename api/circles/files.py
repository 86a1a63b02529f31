"""The file a job about circles makes: a GeoPackage with its report, or everything as one JSON text."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from typing import Any, Final

import geopandas as gpd
import orjson
import shapely

from api.json import json_bytes
from data.exporters import write_layers
from gisgrid.crs import to_storage
from gisgrid.jobs import JobFiles
from planning.workflow_circles import plain

DIGITS: Final = 7


def write_output(
    files: JobFiles, name: str, layers: Mapping[str, gpd.GeoDataFrame | None], report: dict[str, Any], form: str
) -> str:
    """Write ``NAME.zip`` (``NAME.gpkg`` and ``report.json``) or ``NAME.json`` (``report`` and ``layers`` as GeoJSON in
    degrees of EPSG:4490); the file's name. Layers that hold nothing are left out."""
    held = {key: layer for key, layer in layers.items() if layer is not None and len(layer)}
    out = files.folder / f"{name}.{form}"
    if form == "json":
        told = {key: collection_of(layer) for key, layer in held.items()}
        out.write_bytes(json_bytes({"report": plain(report), "layers": told}))
        return out.name
    made = files.folder / f"{name}.gpkg"
    write_layers(made, held)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(made, made.name)
        archive.writestr("report.json", json_bytes(plain(report)))
    made.unlink()
    return out.name


def collection_of(layer: gpd.GeoDataFrame) -> dict[str, Any]:
    """A layer as a GeoJSON FeatureCollection in degrees of EPSG:4490."""
    stored = to_storage(layer)
    shapes = shapely.set_precision(stored.geometry.to_numpy(), 0.0)
    shapes = shapely.transform(shapes, lambda xy: xy.round(DIGITS))
    rows = stored.drop(columns=stored.geometry.name).to_dict("records")
    features = [
        {
            "type": "Feature",
            "geometry": None if shape is None else orjson.loads(shapely.to_geojson(shape)),
            "properties": plain(row),
        }
        for shape, row in zip(shapes, rows, strict=True)
    ]
    return {"type": "FeatureCollection", "features": features}
