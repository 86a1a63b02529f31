"""Opening a file of points by its ending, or as a format that was told."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from data.files import FORMATS, LayerSpec, parse_spec
from data.point_streams.csv_reader import open_csv
from data.point_streams.geojson_reader import open_geojson
from data.point_streams.ogr_reader import open_ogr
from data.point_streams.parquet_reader import open_parquet
from data.point_streams.stream import PointStream
from data.point_streams.text import BLOCK_BYTES
from gisgrid.crs import normalise
from gisgrid.errors import BadInput

TEXT_ENDINGS: Final = (".csv", ".tsv", ".txt")
SEQUENCE_ENDINGS: Final = (".geojsonl", ".geojsons", ".ndjson")
READABLE: Final = (*FORMATS, *TEXT_ENDINGS[1:], *SEQUENCE_ENDINGS)


def open_points(
    spec: str | Path,
    *,
    crs: str | None = None,
    columns: tuple[str, str] | None = None,
    batch_rows: int | None = None,
    typed: bool = False,
    layer: str = "points",
) -> PointStream:
    """A file of points (``FILE`` or ``FILE:layer``), ready to be read batch by batch in bounded memory.

    ``crs`` says or overrides the coordinate system (wgs84, gcj02, bd09, cgcs2000, EPSG:n); ``columns`` names the
    columns with x and y of a table; ``batch_rows`` rows make a batch (CSV goes by bytes, some 100 a row); ``typed``
    turns number columns of CSV into numbers, for which the file is read twice. Raises BadInput: missing file, unknown
    or damaged format, no such layer, no coordinates, no CRS, no rows.
    """
    source = spec_of(spec)
    wanted = None if crs is None else normalise(crs)
    suffix = source.path.suffix.lower()
    if suffix in TEXT_ENDINGS:
        size = min(max(batch_rows * 100, 1 << 16), BLOCK_BYTES * 8) if batch_rows else BLOCK_BYTES
        stream = open_csv(_only_layer(source), wanted, columns, typed=typed, block_bytes=size)
    elif suffix == ".parquet":
        stream = open_parquet(_only_layer(source), wanted, columns, batch_rows=batch_rows)
    elif columns is not None:
        raise BadInput(f"{source}: --columns names columns of a CSV or Parquet table; this file has geometry")
    elif suffix in (".geojson", ".json", *SEQUENCE_ENDINGS):
        stream = open_geojson(_only_layer(source), wanted, batch_rows=batch_rows)
    else:
        stream = open_ogr(source, wanted, preferred=layer, batch_rows=batch_rows)
    if stream.crs is None:
        raise BadInput(
            f"{source}: has no coordinate system; give --crs wgs84, gcj02, bd09, cgcs2000 or EPSG:n",
            path=str(source.path), code="no_crs",
        )  # fmt: skip
    return stream


def spec_of(spec: str | Path) -> LayerSpec:
    """`data.files.parse_spec` for these formats too. Raises BadInput."""
    path = Path(spec)
    if path.suffix.lower() in (*TEXT_ENDINGS, *SEQUENCE_ENDINGS) and path.is_file():
        return LayerSpec(path)
    return parse_spec(spec)


def _only_layer(source: LayerSpec) -> Path:
    if source.layer not in (None, source.path.stem):
        raise BadInput(f"{source.path}: has no layer {source.layer!r}; it holds one: {source.path.stem}")
    return source.path
