"""Layers as files: GeoPackage, GeoParquet, FlatGeobuf, Shapefile, KML by Arrow batches; GeoJSON, CSV from texts.

GDAL pulls the batches through Arrow's stream, so that one batch is held at a time, whatever the layer's size.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyproj
import shapely
import sqlalchemy as sa
from pyarrow import parquet

from data.exporters import fixed_dates
from gisgrid.errors import BadInput
from layers.downloads.chosen import SHIFTED, Selection
from layers.downloads.gdal import geometry_type, write_gdal
from layers.downloads.rows import GEOMETRY, batches, schema_of
from layers.downloads.shapefile import write_shapefiles
from layers.downloads.texts import csv_text, geojson_text

GROUP_ROWS: Final = 20_000
"""Rows of one row group of a Parquet file."""


@dataclass(frozen=True, slots=True)
class Form:
    """A file format. ``text``: sent while it is read, without a file."""

    name: str
    ending: str
    media: str
    title: str
    text: bool = False


FORMS: Final = {
    form.name: form
    for form in (
        Form("gpkg", ".gpkg", "application/geopackage+sqlite3", "GeoPackage"),
        Form("parquet", ".parquet", "application/vnd.apache.parquet", "GeoParquet"),
        Form("fgb", ".fgb", "application/flatgeobuf", "FlatGeobuf"),
        Form("shp", ".zip", "application/zip", "Shapefile"),
        Form("geojson", ".geojson", "application/geo+json", "GeoJSON", text=True),
        Form("csv", ".csv", "text/csv", "CSV", text=True),
        Form("kml", ".kml", "application/vnd.google-earth.kml+xml", "KML"),
    )
}
_DRIVERS: Final = {"gpkg": "GPKG", "fgb": "FlatGeobuf", "kml": "KML"}
_LAYER_OPTIONS: Final[dict[str, dict[str, str]]] = {
    "gpkg": {"GEOMETRY_NAME": "geometry", "FID": "gpkg_fid", "DATETIME_PRECISION": "MILLISECOND"},
    "fgb": {},
    "kml": {},
}
_ENDINGS: Final = {form.ending: form for form in FORMS.values()} | {".json": FORMS["geojson"], ".shp": FORMS["shp"]}


@dataclass(frozen=True, slots=True)
class Written:
    """What a file has come to hold. ``cut``: texts a shapefile had to cut, by attribute."""

    rows: int
    paths: tuple[Path, ...]
    cut: dict[str, int] = field(default_factory=dict)


def form_of(path: Path) -> Form:
    """The format of a file name. Raises BadInput."""
    form = _ENDINGS.get(path.suffix.lower())
    if form is None:
        raise BadInput(f"{path}: cannot write this format; known are {' '.join(_ENDINGS)}", path=str(path))
    return form


def check_system(form: Form, crs: str) -> None:
    """Raise BadInput where a format cannot hold coordinates of a system."""
    if crs in SHIFTED and not form.text:
        raise BadInput(f"crs={crs}: map files cannot name that system; give cgcs2000, wgs84 or EPSG:n, or take csv")
    if form.name == "kml" and crs not in ("EPSG:4490", "EPSG:4326"):
        raise BadInput(f"crs={crs}: KML holds WGS 84 degrees only; leave crs out")


def write_file(
    connection: sa.Connection, selection: Selection, path: Path, *, title: str = "", bom: bool = False
) -> Written:
    """Write the features to a file by its ending; it must not be there yet. Layers are called as in the catalogue.

    A ``.zip`` or ``.shp`` of mixed shapes holds a shapefile for points, lines and polygons each. Raises BadInput for
    what the format cannot hold.
    """
    form = form_of(path)
    check_system(form, selection.crs)
    if form.name == "shp":
        return Written(*write_shapefiles(connection, selection, path))
    if form.text:
        return _write_text(connection, selection, path, form, title, bom)
    if form.name == "parquet":
        return Written(_write_parquet(connection, selection, path), (path,))
    counter = _Counter(batches(connection, selection, text_times=form.name == "kml"))
    schema = schema_of(selection, text_times=form.name == "kml")
    options = dict(_LAYER_OPTIONS[form.name])
    if form.name == "kml" and selection.layer.label:
        options["NameField"] = selection.layer.label
    if form.name == "gpkg":
        options |= {"IDENTIFIER": selection.layer.name, "DESCRIPTION": title or selection.layer.title_en}
    # GeoPackage 1.2 is what GDAL 3.6, QGIS 3.22 and ArcGIS Pro read without a warning
    more = {"dataset_options": {"VERSION": "1.2"}} if form.name == "gpkg" else {}
    kind = geometry_type(selection)
    crs = "EPSG:4326" if form.name == "kml" else selection.crs
    with fixed_dates() if form.name == "gpkg" else nullcontext():
        write_gdal(counter, schema, path, selection.layer.name, _DRIVERS[form.name], kind, crs, options, **more)
    return Written(counter.rows, (path,))


class _Counter:
    """Counts the rows that pass."""

    def __init__(self, found: Iterator[pa.RecordBatch]) -> None:
        self._found, self.rows = found, 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in self._found:
            self.rows += batch.num_rows
            yield batch

    def __next__(self) -> pa.RecordBatch:
        batch = next(self._found)
        self.rows += batch.num_rows
        return batch


def _write_text(
    connection: sa.Connection, selection: Selection, path: Path, form: Form, title: str, bom: bool
) -> Written:
    rows = 0
    if form.name == "csv":
        parts = csv_text(connection, selection, bom=bom)
    else:
        parts = geojson_text(connection, selection, title=title)
    with path.open("wb") as out:
        for part in parts:
            out.write(part)
    count = sa.select(sa.func.count()).select_from(selection.layer.table).where(*selection.where)
    rows = int(connection.scalar(count) or 0)
    return Written(rows, (path,))


# --- GeoParquet -------------------------------------------------------------------------


def _write_parquet(connection: sa.Connection, selection: Selection, path: Path) -> int:
    """GeoParquet 1.1 (opengeospatial/geoparquet): WKB, the CRS as PROJJSON, boxes of the shapes as ``bbox``."""
    plain = schema_of(selection)
    box = pa.struct([(name, pa.float64()) for name in ("xmin", "ymin", "xmax", "ymax")])
    schema = pa.schema([*(f.remove_metadata() for f in plain), pa.field("bbox", box)])
    rows, total, kinds = 0, np.array([np.inf, np.inf, -np.inf, -np.inf]), set[str]()
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in batches(connection, selection, size=GROUP_ROWS):
            shapes = shapely.from_wkb(batch.column(GEOMETRY).to_numpy(zero_copy_only=False))
            bounds = shapely.bounds(shapes)
            kinds |= {_WORDS[int(kind)] for kind in np.unique(shapely.get_type_id(shapes))}
            total = np.concatenate([np.fmin(total[:2], bounds[:, :2].min(axis=0)),
                                    np.fmax(total[2:], bounds[:, 2:].max(axis=0))])  # fmt: skip
            covers = pa.StructArray.from_arrays([pa.array(side) for side in bounds.T], fields=list(box))
            table = pa.Table.from_arrays([*batch.columns, covers], schema=schema)
            writer.write_table(table, row_group_size=GROUP_ROWS)
            rows += batch.num_rows
        column = {
            "encoding": "WKB",
            "geometry_types": sorted(kinds),
            "crs": pyproj.CRS.from_user_input(selection.crs).to_json_dict(),
            "covering": {"bbox": {side: ["bbox", side] for side in ("xmin", "ymin", "xmax", "ymax")}},
        } | ({"bbox": [float(side) for side in total]} if rows else {})  # fmt: skip
        geo = {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
        writer.add_key_value_metadata({"geo": json.dumps(geo)})
    return rows


_WORDS: Final = {
    0: "Point", 1: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon",
    7: "GeometryCollection",
}  # fmt: skip
