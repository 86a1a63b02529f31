"""Map files written by GDAL from a stream of Arrow batches."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyogrio

from data.point_streams.layout import Layout
from gisgrid.errors import BadInput, Broken, GisgridError

DRIVERS: Final = {
    ".gpkg": "GPKG",
    ".fgb": "FlatGeobuf",
    ".shp": "ESRI Shapefile",
    ".zip": "ESRI Shapefile",
}
_STAMP: Final = "2000-01-01T00:00:00.000Z"


class _Stopped(Exception):
    """Whoever waits for the file has given it up."""


def write_ogr(path: Path, layout: Layout, batches: Iterator[pa.RecordBatch], layer: str) -> None:
    """Let GDAL draw the batches one by one; what they raise comes through unchanged.

    Raises BadInput when the format cannot hold the columns, Broken when the disk refuses.
    """
    raised: list[BaseException] = []
    stop = threading.Event()
    rows, begun = 0, False

    def drawn() -> Iterator[pa.RecordBatch]:
        nonlocal rows, begun
        begun = True
        try:
            for batch in batches:
                if stop.is_set():
                    raise _Stopped
                rows += len(batch)
                yield batch
        except BaseException as error:
            raised.append(error)
            raise

    suffix = path.suffix.lower()
    made = path.with_suffix(".shp") if suffix == ".zip" else path
    geometry_type = layout.stream.geometry_type if layout.same else "Point"

    def write() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # shapefiles cut column names to ten letters and say so each time
            pyogrio.raw.write_arrow(
                pa.RecordBatchReader.from_batches(layout.schema, drawn()), made, driver=DRIVERS[suffix],
                layer=layer if suffix == ".gpkg" else path.stem, geometry_name=layout.shapes, crs=layout.crs,
                geometry_type=geometry_type, **_options(suffix, layout),
            )  # fmt: skip

    try:
        _beside(write, stop)
    except Exception as error:
        if raised:
            raise raised[0] from None
        if isinstance(error, (GisgridError, OSError)):
            raise
        reason = " ".join(str(error).split())[:200]
        if begun:  # the layer is there, so its columns are fine: it is the disk
            raise Broken(f"{path.name}: could not be written: {reason}") from error
        raise BadInput(f"{path.name}: cannot be written as {DRIVERS[suffix]}: {reason}") from error
    if suffix == ".gpkg":
        _stamp(made)
        return
    _check_whole(made, rows)
    if suffix == ".zip":
        _pack(path)


def _beside(work: Callable[[], None], stop: threading.Event) -> None:
    """Do the work in a thread: Ctrl-C comes to the one that waits, and not into the middle of GDAL's code."""
    failed: list[Exception] = []
    done = threading.Event()  # not join: interrupted, it takes a running thread for ended

    def run() -> None:
        try:
            work()
        except Exception as error:
            failed.append(error)
        finally:
            done.set()

    worker = threading.Thread(target=run, name="points to a map file", daemon=True)
    worker.start()
    try:
        done.wait()
    except BaseException:
        stop.set()
        done.wait()
        raise
    worker.join()
    if failed:
        raise failed[0]


def _check_whole(path: Path, rows: int) -> None:
    """Raise Broken when not every row is in the file: some of GDAL's drivers say nothing of a full disk."""
    try:
        with pyogrio.raw.open_arrow(path, use_pyarrow=True, columns=[]) as (_, reader), closing(reader):
            found = sum(len(batch) for batch in reader)
    except (RuntimeError, ValueError, OSError) as error:
        raise Broken(f"{path.name}: could not be written whole: {' '.join(str(error).split())[:200]}") from error
    if found != rows:
        raise Broken(f"{path.name}: could not be written whole: {found:,} of {rows:,} rows; is the disk full?")


def _options(suffix: str, layout: Layout) -> dict[str, Any]:
    if suffix == ".fgb":
        return {"SPATIAL_INDEX": "NO"}  # an index would reorder the rows, and hold them all in memory
    if suffix in (".shp", ".zip"):
        return {"ENCODING": "UTF-8"}
    names = {name.lower() for name in layout.schema.names}
    return {"FID": next(name for name in ("fid", "ogc_fid", "gpkg_fid", "row_fid") if name not in names)}


def _stamp(path: Path) -> None:
    """One fixed date in place of the time of writing, so that the same points give the same bytes."""
    connection = sqlite3.connect(path)
    try:
        with connection:
            connection.execute("UPDATE gpkg_contents SET last_change = ?", (_STAMP,))
    finally:
        connection.close()


def _pack(path: Path) -> None:
    """The shapefile beside ``path`` as one zip, without times."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in parts_of(path.with_suffix(".shp")):
            entry = zipfile.ZipInfo(part.name, (2000, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with part.open("rb") as source, archive.open(entry, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, 1 << 20)


def parts_of(path: Path) -> list[Path]:
    """The files that make up a map file."""
    if path.suffix.lower() != ".shp":
        return [path]
    sides = (path.with_suffix(end) for end in (".shp", ".shx", ".dbf", ".prj", ".cpg"))
    return [side for side in sides if side.exists()]
