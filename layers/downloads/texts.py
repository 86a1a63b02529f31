"""Layers as GeoJSON and CSV, sent while they are read."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
import shapely
import sqlalchemy as sa
from pyarrow import csv as arrow_csv

from data.csv_cells import harmless, harmless_column
from gisgrid.crs import STORAGE_CRS
from layers.downloads.chosen import SHIFTED, Selection
from layers.downloads.rows import BATCH, GEOMETRY, batches, projected, streamed

DIGITS: Final = 15
"""Decimals of a degree: enough that shared borders stay shared to the last bit."""
BOM: Final = b"\xef\xbb\xbf"
"""What Excel knows UTF-8 by."""


def geojson_text(connection: sa.Connection, selection: Selection, *, title: str = "") -> Iterator[bytes]:
    """A FeatureCollection in pieces.

    RFC 7946: WGS 84 degrees, longitude first, outer rings counter-clockwise. In another system, which the RFC leaves to
    agreement, the member ``crs`` of GeoJSON 2008 names it; of gcj02 and bd09, which have no name there, the member
    ``coordinateSystem``.
    """
    head: dict[str, Any] = {"type": "FeatureCollection", "name": selection.layer.name}
    if title:
        head["title"] = title
    if selection.crs in SHIFTED:
        head["coordinateSystem"] = selection.crs
    elif not selection.degrees:
        head["crs"] = {"type": "name", "properties": {"name": _urn(selection.crs)}}
    yield json.dumps(head, ensure_ascii=False)[:-1].encode() + b', "features": [\n'
    first = True
    for features in _features(connection, selection):
        yield (b"" if first else b",\n") + ",\n".join(features).encode()
        first = False
    yield b"\n]}\n"


def _features(connection: sa.Connection, selection: Selection) -> Iterator[list[str]]:
    """Features as texts. PostGIS writes them whole where coordinates stay as they are."""
    layer = selection.layer
    pairs = [part for a in selection.attributes for part in (sa.literal(a.name, sa.Text), a.column)]
    properties = sa.func.json_build_object(*pairs)
    round_ = sa.func.ST_ForcePolygonCCW(layer.geometry)
    start = sa.func.concat('{"type":"Feature","id":', sa.func.to_json(layer.key), ',"properties":', properties)
    if selection.degrees:
        text = sa.func.concat(start, ',"geometry":', sa.func.ST_AsGeoJSON(round_, DIGITS, 0), "}")
        for rows in streamed(connection, selection.query(text.label("feature"))):
            yield [row[0] for row in rows]
        return
    query = selection.query(start.label("feature"), sa.func.ST_AsBinary(round_).label("shape"))
    for rows in streamed(connection, query):
        shapes = shapely.to_geojson(projected([row[1] for row in rows], selection))
        yield [f'{row[0]},"geometry":{shape}}}' for row, shape in zip(rows, shapes, strict=True)]


def csv_text(connection: sa.Connection, selection: Selection, *, bom: bool = False) -> Iterator[bytes]:
    """A table in pieces: the attributes, then ``lon`` and ``lat`` of points (``x`` and ``y`` in metres), ``wkt`` of
    other shapes; in gcj02 and bd09 these names end in ``_gcj02`` and ``_bd09``. UTF-8, lines end in LF, empty for
    nothing, ``""`` for an empty text, ``'`` before what a spreadsheet would compute
    (`data.csv_cells`). ``bom``: with the mark Excel knows UTF-8 by.
    """
    points = selection.layer.shape == "point"
    geographic = selection.degrees or selection.crs in SHIFTED
    ending = f"_{selection.crs}" if selection.crs in SHIFTED else ""
    names = (["lon", "lat"] if geographic else ["x", "y"]) if points else ["wkt"]
    names = [f"{name}{ending}" for name in names]
    header = ",".join([harmless(a.name) for a in selection.attributes] + names) + "\n"
    yield (BOM if bom else b"") + header.encode()
    for batch in batches(connection, selection, text_times=True, size=BATCH):
        shapes = shapely.from_wkb(batch.column(GEOMETRY).to_numpy(zero_copy_only=False))
        if points:
            places = [pa.array(shapely.get_x(shapes)), pa.array(shapely.get_y(shapes))]
        else:
            places = [pa.array(np.asarray(shapely.to_wkt(shapes, rounding_precision=-1, trim=True), dtype=object))]
        columns = [*map(harmless_column, batch.columns[:-1]), *places]
        table = pa.Table.from_arrays(columns, names=[*batch.schema.names[:-1], *names])
        out = io.BytesIO()
        arrow_csv.write_csv(table, out, arrow_csv.WriteOptions(include_header=False, quoting_style="needed"))
        yield out.getvalue()


def _urn(crs: str) -> str:
    authority, _, code = crs.partition(":")
    return f"urn:ogc:def:crs:{authority}::{code}" if code else STORAGE_CRS
