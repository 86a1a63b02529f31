"""Shapefiles: names of ten letters, texts of 254 bytes, one kind of shape a file; what that changes is written down.

Beside the shapes, ``NAME.fields.csv`` tells the full name, titles and unit behind every short name, and how many texts
were cut.
"""

from __future__ import annotations

import csv
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from data.csv_cells import harmless
from layers.downloads.chosen import Selection
from layers.downloads.gdal import geometry_type, write_gdal
from layers.downloads.rows import batches, schema_of

NAME_CHARS: Final = 10
TEXT_BYTES: Final = 254
_KINDS: Final = (
    ("points", "Point", ("ST_Point",)),
    ("multipoints", "MultiPoint", ("ST_MultiPoint",)),
    ("lines", "LineString", ("ST_LineString", "ST_MultiLineString")),
    ("polygons", "Polygon", ("ST_Polygon", "ST_MultiPolygon")),
)
_STAMP: Final = (2000, 1, 1, 0, 0, 0)


def short_names(names: Sequence[str]) -> dict[str, str]:
    """A name of at most ten letters for each: itself where it fits, else its first ten; where that is taken, as many of
    its letters as leave room for _1, _2 and so on. The same names always give the same short ones.
    """
    found = {name: name for name in names if len(name) <= NAME_CHARS}
    taken = {name.upper() for name in found}
    for name in names:
        if name in found:
            continue
        tries = [name[:NAME_CHARS], *(f"{name[: NAME_CHARS - 1 - len(str(i))]}_{i}" for i in range(1, len(names) + 1))]
        found[name] = next(text for text in tries if text.upper() not in taken)
        taken.add(found[name].upper())
    return {name: found[name] for name in names}


def write_shapefiles(
    connection: sa.Connection, selection: Selection, path: Path
) -> tuple[int, tuple[Path, ...], dict[str, int]]:
    """Write ``.shp`` with what belongs to it, or all of that in a ``.zip``; rows, files, and texts cut by attribute."""
    zipped = path.suffix.lower() == ".zip"
    folder = path.parent / f"{path.stem}.parts"
    folder.mkdir()
    rows, cut = 0, dict.fromkeys((a.name for a in selection.attributes), 0)
    for stem, kind, part in _parts(selection, path.stem):
        rows += _write(connection, part, folder / f"{stem}.shp", kind, cut)
    _write_fields(folder / f"{path.stem}.fields.csv", selection, cut)
    made = _kept(folder)
    if zipped:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in made:
                _add(archive, file)
        paths: tuple[Path, ...] = (path,)
    else:
        paths = tuple(file.rename(path.parent / file.name) for file in made)
    shutil.rmtree(folder)
    return rows, paths, {name: number for name, number in cut.items() if number}


def _parts(selection: Selection, stem: str) -> Iterator[tuple[str, str, Selection]]:
    """Name, GDAL's kind and features of every shapefile."""
    if selection.layer.shape != "mixed":
        yield stem, geometry_type(selection), selection
        return
    for ending, kind, types in _KINDS:
        part = selection.also(sa.func.ST_GeometryType(selection.layer.geometry).in_(types))
        yield f"{stem}_{ending}", kind, part


def _kept(folder: Path) -> list[Path]:
    """The files, without those of kinds there are none of (unless there are none at all)."""
    files = sorted(folder.iterdir())
    empty = {file.stem for file in files if file.suffix == ".shp" and file.stat().st_size <= 100}  # only its header
    some = {file.stem for file in files if file.suffix == ".shp"} - empty
    return [file for file in files if not some or file.stem not in empty]


def _write(connection: sa.Connection, part: Selection, path: Path, kind: str, cut: dict[str, int]) -> int:
    short = short_names([a.name for a in part.attributes])
    plain = schema_of(part, text_times=True)
    schema = pa.schema([f.with_name(short.get(f.name, f.name)) for f in plain])
    rows = 0

    def renamed() -> Iterator[pa.RecordBatch]:
        nonlocal rows
        for batch in batches(connection, part, text_times=True):
            rows += batch.num_rows
            columns = [_fitting(column, field.name, cut) for column, field in zip(batch.columns, plain, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    write_gdal(renamed(), schema, path, path.stem, "ESRI Shapefile", kind, part.crs, {"ENCODING": "UTF-8"})
    return rows


def _fitting(column: pa.Array, name: str, cut: dict[str, int]) -> pa.Array:
    """Texts of at most 254 bytes, cut between characters."""
    if not pa.types.is_string(column.type):
        return column
    long = pc.sum(pc.greater(pc.binary_length(column), TEXT_BYTES)).as_py() or 0
    if not long:
        return column
    cut[name] += int(long)
    texts = column.to_pylist()
    return pa.array(
        [None if text is None else text.encode()[:TEXT_BYTES].decode(errors="ignore") for text in texts], pa.string()
    )


def _write_fields(path: Path, selection: Selection, cut: dict[str, int]) -> None:
    short = short_names([a.name for a in selection.attributes])
    with path.open("w", encoding="utf-8-sig", newline="") as out:  # for Excel as much as for programs
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["field", "name", "title_zh", "title_en", "unit", "type", "texts_cut"])
        for a in selection.attributes:
            told = (short[a.name], a.name, a.title_zh, a.title_en, a.unit, a.kind)
            table.writerow([*map(harmless, told), cut[a.name]])


def _add(archive: zipfile.ZipFile, file: Path) -> None:
    """A file piece by piece, with a fixed date, so that the same rows give the same bytes."""
    info = zipfile.ZipInfo(file.name, _STAMP)
    info.compress_type = zipfile.ZIP_DEFLATED
    with file.open("rb") as source, archive.open(info, "w", force_zip64=True) as target:
        shutil.copyfileobj(source, target, 1 << 20)
