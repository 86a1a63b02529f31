"""Arrow batches through GDAL into a file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from gisgrid.errors import BadInput
from layers.downloads.chosen import Selection
from layers.downloads.rows import GEOMETRY


def geometry_type(selection: Selection) -> str:
    """GDAL's word for what the column holds."""
    stored = str(getattr(selection.layer.geometry.type, "geometry_type", "GEOMETRY")).upper()
    known = {"MULTIPOLYGON": "MultiPolygon", "POLYGON": "Polygon", "LINESTRING": "LineString", "POINT": "Point"}
    return known.get(stored, "Unknown")


def write_gdal(
    found: Iterator[pa.RecordBatch], schema: pa.Schema, path: Path, layer: str, driver: str, kind: str, crs: str,
    options: dict[str, str], **more: Any,
) -> None:  # fmt: skip
    """Have GDAL write batches. Raises what reading them raises, and BadInput with GDAL's reason."""
    failed: list[BaseException] = []

    def watched() -> Iterator[pa.RecordBatch]:
        try:
            yield from found
        except BaseException as error:  # on its way through Arrow it would become a text
            failed.append(error)
            raise

    reader = pa.RecordBatchReader.from_batches(schema, watched())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pyogrio.write_arrow(
                reader, path, layer=layer, driver=driver, geometry_name=GEOMETRY, geometry_type=kind, crs=crs,
                layer_options=options, **more,
            )  # fmt: skip
    except (DataSourceError, DataLayerError, ValueError, RuntimeError, pa.ArrowException) as error:
        if failed:
            raise failed[0] from None
        reason = " ".join(str(error).split())[:200]
        raise BadInput(f"layer {layer}: cannot be written as {driver}: {reason}", layer=layer) from error
