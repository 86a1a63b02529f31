"""Writing layers to files: atomically, and to the same bytes for the same layers.

A file appears complete or not at all: everything is written beside its place under a hidden name and
moved there at the end. GeoPackage holds any number of layers; the other formats hold one, so several
layers become sibling files ``NAME_layer.ext``.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
import warnings
import zipfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataSourceError

from data.csv_cells import harmless_frame, quoting_of
from gisgrid.crs import to_storage
from gisgrid.errors import BadInput, Broken

_DRIVERS: Final = {
    ".gpkg": "GPKG",
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".fgb": "FlatGeobuf",
    ".shp": "ESRI Shapefile",
    ".zip": "ESRI Shapefile",
    ".parquet": None,
    ".csv": None,
}
_SHAPEFILE_PARTS: Final = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_STAMP: Final = "2000-01-01T00:00:00.000Z"
_gdal_options = threading.Lock()


def write_layers(path: str | Path, layers: Mapping[str, gpd.GeoDataFrame]) -> list[Path]:
    """Write named layers to ``path`` by its extension; return the files made.

    Atomic: an existing file is replaced only once its successor is complete. Deterministic: the same
    layers give the same bytes (GeoPackage's own time stamps are fixed). GeoJSON is in WGS84 degrees when
    the layer is geographic, and names its CRS otherwise; CSV holds lon, lat for points and WKT for other
    shapes, and no cell a spreadsheet would compute. Raises BadInput for an unknown extension, a missing
    folder, no layer, or geometry the format cannot hold; Broken when the disk refuses.
    """
    target = Path(path)
    check_target(target)
    if not layers:
        raise BadInput(f"{target}: there is no layer to write", path=str(target))
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.stem}-") as folder:
            made = _write_all(Path(folder), target, layers)
            return [move(source, target.parent / source.name) for source in made]
    except PermissionError as error:
        raise BadInput(f"{target}: may not be written: {error.strerror}", path=str(target)) from error
    except OSError as error:
        raise Broken(f"{target}: could not be written: {error.strerror or error}", path=str(target)) from error


def check_target(path: str | Path, *, endings: Collection[str] = tuple(_DRIVERS)) -> None:
    """Raise BadInput when a file of that name cannot be written, so that long work is not done in vain."""
    target = Path(path)
    if target.suffix.lower() not in endings:
        raise BadInput(f"{target}: cannot write this format; known are {' '.join(endings)}", path=str(target))
    if target.is_dir():
        raise BadInput(f"{target}: is a folder; give a file name", path=str(target))
    if not target.parent.is_dir():
        raise BadInput(f"{target}: the folder {target.parent} does not exist", path=str(target))
    if not os.access(target.parent, os.W_OK):
        raise BadInput(f"{target}: may not be written: the folder {target.parent} is read-only", path=str(target))


def _write_all(folder: Path, target: Path, layers: Mapping[str, gpd.GeoDataFrame]) -> list[Path]:
    suffix = target.suffix.lower()
    if suffix == ".gpkg":
        made = folder / target.name
        with fixed_dates():
            for name, frame in layers.items():
                _write_ogr(made, frame, "GPKG", name)
        return [made]
    several = len(layers) > 1
    files: list[Path] = []
    for name, frame in layers.items():
        made = folder / (f"{target.stem}_{name}{target.suffix}" if several else target.name)
        if suffix == ".csv":
            _write_csv(made, frame)
        elif suffix == ".parquet":
            _plain(frame).to_parquet(made, index=False, compression="zstd")
        elif suffix == ".zip":
            _write_zip(made, frame, name if several else target.stem)
        else:
            _write_ogr(made, frame, str(_DRIVERS[suffix]), made.stem)
        files += _parts(made) if suffix == ".shp" else [made]
    return files


def _parts(shapefile: Path) -> list[Path]:
    return [part for part in (shapefile.with_suffix(end) for end in _SHAPEFILE_PARTS) if part.exists()]


def move(source: Path, target: Path) -> Path:
    """Put a finished file in its place, on the disk before it is seen there."""
    with source.open("rb+") as handle:
        os.fsync(handle.fileno())
    source.replace(target)
    return target


@contextmanager
def fixed_dates() -> Iterator[None]:
    """GDAL stamps GeoPackages with the time of writing unless told a date; the option is global to the
    process.
    """
    with _gdal_options:
        before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _STAMP})
        try:
            yield
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _write_ogr(path: Path, frame: gpd.GeoDataFrame, driver: str, layer: str) -> None:
    frame = _plain(frame)
    options: dict[str, Any] = {}
    if driver == "GeoJSON" and frame.crs is not None and frame.crs.is_geographic:
        frame = to_storage(frame).set_crs(4326, allow_override=True)  # RFC 7946 knows no other degrees
        options["SIGNIFICANT_FIGURES"] = 17  # 7 digits would move shared borders by a centimetre
    if driver == "ESRI Shapefile":
        options["ENCODING"] = "UTF-8"
    empty_type = {"geometry_type": _geometry_type(frame)} if frame.geometry.isna().all() else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # shapefiles cut column names to ten letters and say so each time
            pyogrio.write_dataframe(frame, path, layer=layer, driver=driver, **empty_type, **options)
    except (DataSourceError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise BadInput(f"layer {layer}: cannot be written as {driver}: {reason}", layer=layer) from error


def _geometry_type(frame: gpd.GeoDataFrame) -> str:
    """What an empty layer would have held, so that it can be read back."""
    return str(frame.attrs.get("geometry_type", "Unknown"))


def _plain(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Columns every format holds: geometry called ``geometry``, lists and dicts as JSON text, dates as
    ISO text.
    """
    result = frame if frame.geometry.name == "geometry" else frame.rename_geometry("geometry")
    changed: dict[str, pd.Series[Any]] = {}
    for column in result.columns:
        values = result[column]
        if isinstance(values.dtype, pd.CategoricalDtype):
            changed[column] = values.astype(object)
        elif pd.api.types.is_datetime64_any_dtype(values.dtype):
            changed[column] = values.map(lambda value: None if pd.isna(value) else value.isoformat()).astype(object)
        elif values.dtype == object and column != "geometry":
            changed[column] = values.map(_text_of_nested)
    return result.assign(**changed).reset_index(drop=True)


def _text_of_nested(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, (list, tuple, dict)) else value


def _write_csv(path: Path, frame: gpd.GeoDataFrame) -> None:
    plain = _plain(frame)
    geometry = plain.geometry.to_numpy()
    table = pd.DataFrame(plain.drop(columns="geometry"))
    points = shapely.get_type_id(geometry)
    if len(table) and ((points == 0) | shapely.is_missing(geometry)).all():
        lonlat = to_storage(plain).geometry.to_numpy() if plain.crs is not None else geometry
        table["lon"], table["lat"] = shapely.get_x(lonlat), shapely.get_y(lonlat)
    else:
        table["wkt"] = shapely.to_wkt(geometry, rounding_precision=-1, trim=True)
    table = harmless_frame(table)
    table.to_csv(path, index=False, quoting=quoting_of(table), encoding="utf-8", lineterminator="\n")


def _write_zip(path: Path, frame: gpd.GeoDataFrame, name: str) -> None:
    folder = path.parent / f"{path.stem}.parts"
    folder.mkdir()
    _write_ogr(folder / f"{name}.shp", frame, "ESRI Shapefile", name)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in _parts(folder / f"{name}.shp"):
            archive.writestr(zipfile.ZipInfo(part.name, (2000, 1, 1, 0, 0, 0)), part.read_bytes(), zipfile.ZIP_DEFLATED)
    shutil.rmtree(folder)
