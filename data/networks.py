"""Streets of a place out of PostGIS, and the files in which the networks made of them are kept.

A network is made once for all workers and restarts: its file under ``$GISGRID_HOME/networks`` is named after what the
streets and barriers of its box hold, so that new streets make a new file and the old one is never asked for again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import sqlalchemy as sa

from data import tables as t
from data.loading import read_rows
from gisgrid.boxes import Box, grown
from gisgrid.errors import Broken
from gisgrid.settings import Settings

FILES_KEPT: Final = 24
"""Networks whose files stay: of those not asked for longest, the rest is removed."""
LEFTOVER_SECONDS: Final = 3600.0
"""Age at which a half-written file is nobody's any more."""
_STREET_COLUMNS: Final = (
    "street_id", "highway", "cls", "oneway", "bridge", "tunnel", "layer", "foot", "bicycle", "car", "oneway_bicycle",
    "speed", "geometry",
)  # fmt: skip
_BARRIER_COLUMNS: Final = ("barrier_id", "foot", "bicycle", "car", "geometry")


def rows_around(connection: sa.Connection, table: sa.Table, box: Box, metres: float = 0.0) -> gpd.GeoDataFrame:
    """Rows of a layer that touch a box (degrees of EPSG:4490) grown by some metres, whole, in the order of their key.

    Raises BadInput for a box or metres that are none.
    """
    return read_rows(connection, table, where=[_touching(table, grown(box, metres))])


def streets_around(
    connection: sa.Connection, box: Box, metres: float = 0.0
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """(streets, barriers) within some metres of a box, as `planning.network.build_network` takes them."""
    return rows_around(connection, t.streets, box, metres), rows_around(connection, t.barriers, box, metres)


def state_of_streets(connection: sa.Connection, box: Box, metres: float = 0.0) -> str:
    """A short text that changes whenever streets or barriers within some metres of a box do."""
    wide = grown(box, metres)
    parts = [
        _state(connection, table, columns, wide)
        for table, columns in ((t.streets, _STREET_COLUMNS), (t.barriers, _BARRIER_COLUMNS))
    ]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:20]


def kept_file(
    settings: Settings, key: dict[str, Any], make: Callable[[], bytes], sound: Callable[[bytes], bool]
) -> bytes:
    """The bytes kept under a key (any JSON), made and kept first where they are not there or not ``sound``.

    Several processes may ask at once: one makes, the others wait for it; a file is there whole or not at all. Raises
    Broken when the folder cannot be written.
    """
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:32]
    folder = settings.home / "networks"
    path = folder / f"{name}.npz"
    found = _read(path, sound)
    if found is not None:
        return found
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder / f".{name[:2]}.lock"):
            found = _read(path, sound)  # made while we waited
            if found is not None:
                return found
            made = make()
            part = folder / f".{name}.{os.getpid()}.part"
            try:
                part.write_bytes(made)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
            _sweep(folder)
            return made
    except OSError as error:
        raise Broken(f"cannot keep the street network in {folder}: {error.strerror or error}") from error


def _touching(table: sa.Table, box: Box) -> sa.ColumnElement[bool]:
    return table.c.geometry.bool_op("&&")(sa.func.ST_MakeEnvelope(*box, t.SRID))


def _state(connection: sa.Connection, table: sa.Table, columns: tuple[str, ...], box: Box) -> str:
    """How many rows there are and a sum of what each holds and where it stands among them."""
    told = [sa.func.coalesce(sa.cast(table.c[name], sa.Text), "?") for name in columns if name != "geometry"]
    shape = sa.func.encode(sa.func.ST_AsBinary(table.c.geometry), "hex")
    place = sa.func.row_number().over(order_by=table.c.id)
    row = sa.select(sa.func.hashtextextended(sa.func.concat_ws("|", *told, shape), place).label("hash"))
    rows = row.where(_touching(table, box)).subquery()
    total = sa.func.coalesce(sa.func.sum(sa.cast(rows.c.hash, sa.Numeric)), 0)
    count, held = connection.execute(sa.select(sa.func.count(), total)).one()
    return f"{count}:{held}"


def _read(path: Path, sound: Callable[[bytes], bool]) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if not sound(data):
        return None
    with suppress(OSError):  # swept away this moment, or another's file
        os.utime(path)  # what was used last is swept last
    return data


def _sweep(folder: Path) -> None:
    """Remove what was not asked for longest, and what a killed process left half written."""
    kept = []
    for path in folder.glob("*.npz"):
        with suppress(OSError):
            kept.append((path.stat().st_mtime, path))
    old = [path for _, path in sorted(kept, reverse=True)[FILES_KEPT:]]
    for path in folder.glob(".*.part"):
        with suppress(OSError):
            if path.stat().st_mtime < time.time() - LEFTOVER_SECONDS:
                old.append(path)
    for path in old:
        with suppress(OSError):
            path.unlink()


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process at a time; networks of other names mostly go on."""
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
