"""Reading layers from files, by extension, with one clear line for everything that can be wrong.

A layer is named ``FILE`` or ``FILE:layer``. Formats: GeoPackage, GeoJSON, GeoParquet, FlatGeobuf,
Shapefile (plain or zipped) and CSV with lon/lat, x/y or WKT columns. Writing lives in `data.exporters`;
`write_layers` is found here too.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyarrow import ArrowException

from data.bounded.frames import listed, read_frame
from data.csv_cells import restored_frame
from data.exporters import write_layers
from gisgrid.crs import normalise, to_storage
from gisgrid.errors import BadInput

__all__ = ["LayerSpec", "layer_names", "not_a_map", "ogr_source", "parse_spec", "read_layer", "write_layers"]

FORMATS: Final = (".gpkg", ".geojson", ".json", ".parquet", ".fgb", ".shp", ".zip", ".csv")
_FORMATS_TEXT: Final = ".gpkg .geojson .parquet .fgb .shp .zip (zipped shapefile) .csv"

X_COLUMNS: Final = ("lon", "lng", "longitude", "x", "easting", "经度", "东坐标", "横坐标")
Y_COLUMNS: Final = ("lat", "latitude", "y", "northing", "纬度", "北坐标", "纵坐标")
WKT_COLUMNS: Final = ("wkt", "geometry", "geom", "the_geom")
_INTEGER: Final = re.compile(r"-?(0|[1-9]\d{0,14})")
_NUMBER: Final = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d+)?([eE][+-]?\d{1,3})?")


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """A file and, when said, the layer in it."""

    path: Path
    layer: str | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.layer}" if self.layer else str(self.path)


def parse_spec(spec: str | Path) -> LayerSpec:
    """Split ``FILE:layer``; a name with a colon that exists as a file is that file.

    Raises BadInput when there is no such file, when it is a folder, or when its extension is not one of
    `FORMATS`.
    """
    text = str(spec)
    path, layer = Path(text), None
    if not path.exists() and ":" in text:
        head, layer = text.rsplit(":", 1)
        path = Path(head)
    if not path.exists():
        raise BadInput(f"{path}: no such file", path=str(path))
    if path.is_dir():
        raise BadInput(f"{path}: is a folder, not a map file; give a file ({_FORMATS_TEXT})", path=str(path))
    suffix = path.suffix.lower()
    if suffix in (".osm", ".pbf", ".bz2"):
        raise BadInput(f"{path}: is OpenStreetMap data; load it with: gisgrid import osm {path}", path=str(path))
    if suffix not in FORMATS:
        raise BadInput(f"{path}: not a map file by its extension; known are {_FORMATS_TEXT}", path=str(path))
    return LayerSpec(path, layer or None)


def layer_names(path: str | Path) -> list[str]:
    """Names of the map layers of a file, in file order. Raises BadInput when it is no map file."""
    spec = parse_spec(path)
    if spec.path.suffix.lower() in (".csv", ".parquet"):
        return [spec.path.stem]
    with unfolded() as folder:
        return list(_sources(spec.path, folder))


def read_layer(
    spec: str | Path,
    *,
    layer: str | None = None,
    crs: str | int | None = None,
    allow_empty: bool = False,
) -> gpd.GeoDataFrame:
    """One layer of a file as a GeoDataFrame that always has a CRS.

    ``spec`` is ``FILE`` or ``FILE:layer``. Without a layer in ``spec`` the sole layer is taken, or among
    several the one called ``layer``. ``crs`` says or overrides the coordinate system (wgs84, gcj02, bd09,
    cgcs2000, EPSG:n); data in gcj02 or bd09 comes back converted to EPSG:4490. Numbers in text files
    become numbers, except columns called code or id, and values with leading zeros. Raises BadInput:
    missing file, not a map file, unknown layer (naming those there), several layers and none named, no
    CRS, empty layer (unless ``allow_empty``).
    """
    source = parse_spec(spec)
    wanted_crs = None if crs is None else normalise(crs)
    suffix = source.path.suffix.lower()
    if suffix in (".csv", ".parquet"):
        if source.layer not in (None, source.path.stem):
            raise BadInput(f"{source.path}: has no layer {source.layer!r}; it holds one: {source.path.stem}")
        frame = _read_csv(source.path) if suffix == ".csv" else _read_parquet(source.path)
    else:
        frame = _read_ogr(source, layer)
    if len(frame) == 0 and not allow_empty:
        raise BadInput(f"{source}: the layer is empty", path=str(source.path), code="empty_layer")
    return _with_crs(frame, wanted_crs, source)


def _with_crs(frame: gpd.GeoDataFrame, crs: str | None, source: LayerSpec) -> gpd.GeoDataFrame:
    if crs in ("gcj02", "bd09"):
        frame = to_storage(frame, crs)
        frame.attrs["shifted_from"] = crs  # so that an importer told the same again does not shift twice
        return frame
    if crs is not None:
        return frame.set_crs(crs, allow_override=True)
    if frame.crs is None:
        raise BadInput(
            f"{source}: has no coordinate system; give --crs wgs84, gcj02, bd09, cgcs2000 or EPSG:n",
            path=str(source.path),
            code="no_crs",
        )
    return frame


# --- what GDAL reads --------------------------------------------------------------------


@contextmanager
def unfolded() -> Iterator[Path]:
    """A folder for what archives hold, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="gisgrid-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _sources(path: Path, folder: Path) -> dict[str, tuple[str, str]]:
    """Layer name → (file GDAL is to open, name GDAL knows it by), map layers only; archives unfold in ``folder``."""
    found: dict[str, tuple[str, str]] = {}
    try:
        for file, layer in listed(path.absolute(), folder):
            found.setdefault(layer, (file, layer))
    except BadInput as error:
        raise _in_own_words(error, path) from error
    if not found:
        raise BadInput(f"{path}: holds no map layer", path=str(path))
    return found


def _in_own_words(error: BadInput, path: Path) -> BadInput:
    if error.code == "no_map":
        return not_a_map(path)
    return BadInput(error.message.replace(str(path.absolute()), str(path)), code=error.code, path=str(path))


def _read_ogr(source: LayerSpec, preferred: str | None) -> gpd.GeoDataFrame:
    with unfolded() as folder:
        file, options = ogr_source(source, preferred, folder)
        try:
            frame = read_frame(source.path, file, options, folder)
        except BadInput as error:
            raise _in_own_words(error, source.path) from error
        except (UnicodeDecodeError, ArrowException) as error:
            raise not_a_map(source.path) from error
    if not isinstance(frame, gpd.GeoDataFrame):
        raise BadInput(f"{source}: the layer has no geometry", path=str(source.path))
    return frame


def ogr_source(source: LayerSpec, preferred: str | None, folder: Path) -> tuple[str, dict[str, str]]:
    """What GDAL is to open for a layer: path, and the options ``layer`` and where needed ``encoding``.

    What a zip holds is inflated into ``folder``. Raises BadInput as `read_layer` does.
    """
    sources = _sources(source.path, folder)
    file, layer = sources[_choose(source, list(sources), preferred)]
    return file, {"layer": layer, **_encoding(Path(file))}


def _choose(source: LayerSpec, names: list[str], preferred: str | None) -> str:
    listed = ", ".join(names)
    if source.layer is not None:
        if source.layer not in names:
            raise BadInput(f"{source.path}: has no layer {source.layer!r}; it holds: {listed}", layers=names)
        return source.layer
    if len(names) == 1:
        return names[0]
    if preferred in names:
        return str(preferred)
    raise BadInput(f"{source.path}: holds several layers ({listed}); say which: {source.path}:{names[0]}", layers=names)


def _encoding(path: Path) -> dict[str, str]:
    """GB 18030 for shapefiles that name no encoding and are no UTF-8: the usual state of Chinese ones."""
    if path.suffix.lower() != ".shp":
        return {}
    sides = {side.suffix.lower(): side for side in path.parent.glob("*") if side.stem.lower() == path.stem.lower()}
    if ".cpg" in sides or ".dbf" not in sides:
        return {}
    table = sides[".dbf"].read_bytes()
    if len(table) < 32 or table[29] not in (0x00, 0x57):  # byte 29: the table's own language driver
        return {}
    header = int.from_bytes(table[8:10], "little")
    for encoding in ("utf-8", "gb18030"):
        try:
            table[header:].decode(encoding)
        except UnicodeDecodeError:
            continue
        return {"encoding": encoding}
    return {}


def not_a_map(path: Path) -> BadInput:
    """The error for a file that cannot be read at all."""
    return BadInput(f"{path}: not a map file, or a damaged one; known are {_FORMATS_TEXT}", path=str(path))


# --- tables -----------------------------------------------------------------------------


def _read_parquet(path: Path) -> gpd.GeoDataFrame:
    try:
        return gpd.read_parquet(path)
    except ValueError as error:  # ArrowInvalid is a ValueError too
        if "geo metadata" not in str(error).lower():
            raise not_a_map(path) from error
    except (ArrowException, OSError) as error:
        raise not_a_map(path) from error
    return _with_geometry(pd.read_parquet(path), path)


def _read_csv(path: Path) -> gpd.GeoDataFrame:
    options: dict[str, Any] = {"dtype": str, "keep_default_na": False, "na_values": [""], "skipinitialspace": True}
    try:
        try:
            table = pd.read_csv(path, encoding="utf-8-sig", **options)
        except UnicodeDecodeError:
            table = pd.read_csv(path, encoding="gb18030", **options)
    except (ValueError, OSError) as error:  # pandas' parser errors are ValueErrors
        raise not_a_map(path) from error
    table.columns = [str(column).strip() for column in table.columns]
    frame = _with_geometry(restored_frame(table), path)
    for column in frame.columns.drop("geometry"):
        frame[column] = _typed(frame[column])
    return frame


def _typed(values: pd.Series[Any]) -> pd.Series[Any]:
    """Numbers where every value is plainly one; codes, ids and anything with leading zeros stay text."""
    name = str(values.name).lower()
    text = values.dropna().astype(str)
    if text.empty or name.endswith(("code", "id", "编码", "代码")) or not text.map(_NUMBER.fullmatch).notna().all():
        return values.astype(object)
    numbers = pd.to_numeric(values)
    if text.map(_INTEGER.fullmatch).notna().all() and not values.isna().any():
        return numbers.astype("int64")
    return numbers.astype("float64")


def _with_geometry(table: pd.DataFrame, path: Path) -> gpd.GeoDataFrame:
    by_name = {str(column).strip().lower(): column for column in table.columns}
    wkt = next((by_name[name] for name in WKT_COLUMNS if name in by_name), None)
    x = next((by_name[name] for name in X_COLUMNS if name in by_name), None)
    y = next((by_name[name] for name in Y_COLUMNS if name in by_name), None)
    if x is not None and y is not None:
        xs, ys = (pd.to_numeric(table[column], errors="coerce").to_numpy(float) for column in (x, y))
        geometry = np.where(np.isfinite(xs) & np.isfinite(ys), shapely.points(xs, ys), None)
        what = f"columns {x} and {y} hold no coordinate"
    elif wkt is not None:
        geometry = shapely.from_wkt(table[wkt].where(table[wkt].notna(), None).to_numpy(object), on_invalid="ignore")
        table, what = table.drop(columns=wkt), f"column {wkt} holds no geometry in WKT"
    else:
        raise BadInput(f"{path}: no coordinates; the table needs columns lon and lat, x and y, or wkt", path=str(path))
    if len(table) and not (~shapely.is_missing(geometry)).any():
        raise BadInput(f"{path}: {what}", path=str(path))
    return gpd.GeoDataFrame(table, geometry=geometry, crs=None)
