"""One generation, whole, as questions about places need it: indexes and facts of its grids, its areas, its posts.

What is large lies in files under the home folder and is mapped into memory, so that all processes share one copy.
A generation never changes, so its files are made once, by whoever comes first, and named after it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import orjson
import sqlalchemy as sa

from data import tables as t
from data.plans import Generation, current_generation, grids_in_force
from data.posts import Posts, stored_posts
from data.tables import COMPREHENSIVE
from gisgrid.disk import disk_full
from gisgrid.errors import BadInput, Broken, NotFound
from gisgrid.locate import GridIndex

log = logging.getLogger("gisgrid.data")
FORMAT = 1
"""Goes up when the files change their meaning."""
FOLDERS_KEPT = 8
"""Generations of one database whose files stay."""
FACTS = ("code", "name", "level", "kind", "community", "households", "population", "version")


class Facts(Sequence[dict[str, Any]]):
    """Facts of every grid by row of its index, kept as JSON in one block of bytes."""

    def __init__(self, text: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> None:
        self._text, self._ends = memoryview(text.data), np.asarray(ends)  # a memmap is slow to index

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, row: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, row: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, row: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(row, slice):
            return [self[k] for k in range(*row.indices(len(self)))]
        if not -len(self) <= row < len(self):
            raise IndexError(row)
        row %= len(self)
        found: dict[str, Any] = orjson.loads(self._text[self._ends[row] : self._ends[row + 1]])
        return found


@dataclass(frozen=True, slots=True)
class GridLayer:
    """Grids of one system and level: index and facts, row by row."""

    index: GridIndex
    grids: Facts


@dataclass(frozen=True, slots=True)
class InForce:
    """An answer is made from exactly one of these, so generations never mix."""

    generation: Generation
    comprehensive: tuple[GridLayer, ...]
    """The comprehensive grids, by level from the first down."""
    professional: dict[str, GridLayer]
    """Layers of the professional systems, by the name they are stored under."""
    areas: dict[str, dict[str, Any]]
    posts: Posts

    @property
    def index(self) -> GridIndex:
        """Index of the comprehensive grids of the first level: the owners."""
        return self.comprehensive[0].index

    @property
    def grids(self) -> Facts:
        """Facts of the comprehensive grids of the first level."""
        return self.comprehensive[0].grids

    def chain(self, row: int) -> list[dict[str, Any]]:
        """From the grid in ``row`` up to its district."""
        grid = self.grids[row]
        return [link_of("grid", grid), *self.above(grid["community"])]

    def above(self, community: str | None) -> list[dict[str, Any]]:
        """From a community up to its district."""
        chain = []
        code = community
        while code and (area := self.areas.get(code)):
            chain.append({name: area[name] for name in ("level", "code", "name", "name_en")})
            code = area["parent"]
        return chain

    def inside(self, row: int, lon: float, lat: float) -> list[dict[str, Any]]:
        """Grids of the deeper levels that own the point inside the grid in ``row``, from the second level down."""
        found: list[dict[str, Any]] = []
        if len(self.comprehensive) == 1:
            return found
        parent = self.grids[row]["code"]
        for layer in self.comprehensive[1:]:
            at = layer.index.row(lon, lat)
            if at < 0 or layer.grids[at]["parent"] != parent:
                break  # on a common border the smallest code may be a neighbour's
            found.append(layer.grids[at])
            parent = found[-1]["code"]
        return found


def link_of(level: str, grid: dict[str, Any]) -> dict[str, Any]:
    """A grid as a link of a chain."""
    return {"level": level, "code": grid["code"], "name": grid["name"], "name_en": ""}


def read_in_force(connection: sa.Connection, generation: Generation, home: Path) -> InForce:
    """A generation from its files under ``home``, which are made from PostGIS when they are not there yet.

    Raises NotFound when no comprehensive grids are in force in it.
    """
    layers = _opened(connection, generation, home / "index" / _name(connection, generation))
    comprehensive = tuple(layer for system, layer in layers if system == COMPREHENSIVE)
    if not comprehensive:
        raise NotFound(f"generation {generation.id} has no comprehensive grids")
    professional = {system: layer for system, layer in layers if system != COMPREHENSIVE}
    return with_places(InForce(generation, comprehensive, professional, {}, Posts({})), connection)


def read_current(connection: sa.Connection, home: Path) -> InForce:
    """The generation in force. Raises NotFound before the first publish."""
    generation = current_generation(connection)
    if generation is None:
        raise NotFound("no plan is published yet, so no point has an owner; publish one first")
    return read_in_force(connection, generation, home)


def _opened(connection: sa.Connection, generation: Generation, folder: Path) -> list[tuple[str, GridLayer]]:
    try:
        if (folder / "about.json").exists():
            return _load(folder)
    except (BadInput, OSError, ValueError):  # swept away by another process this moment, or damaged
        shutil.rmtree(folder, ignore_errors=True)
    try:
        _make(connection, generation, folder)
    except OSError as error:
        if not disk_full(error):
            raise Broken(f"cannot keep the point index in {folder.parent}: {error.strerror or error}") from error
        log.warning("the disk of %s is full; the point index of generation %d is kept in memory by this process alone",
                    folder.parent, generation.id)  # fmt: skip
        return _held(grids_in_force(connection, generation.id, system=None, level=None))
    return _load(folder)


def with_places(found: InForce, connection: sa.Connection) -> InForce:
    """The same grids with areas and posts as they are stored now."""
    names = ("code", "level", "parent", "name", "name_en")
    rows = connection.execute(sa.select(*[t.areas.c[name] for name in names])).mappings()
    areas = {row["code"]: dict(row) for row in rows}
    return InForce(found.generation, found.comprehensive, found.professional, areas, stored_posts(connection))


def forget_indexes(engine: sa.Engine, home: Path) -> None:
    """Remove the files of a database's generations: they are made anew when they are asked for."""
    for folder in (home / "index").glob(f"{_database(engine.url)}-*"):
        shutil.rmtree(folder, ignore_errors=True)


def _name(connection: sa.Connection, generation: Generation) -> str:
    """Folder of a generation; the moment it was published tells databases of one home and one name apart."""
    moment = generation.published_at.isoformat()
    return f"{_database(connection.engine.url)}-{generation.id}-{_digest(moment)}-v{FORMAT}"


def _database(url: sa.URL) -> str:
    return _digest(f"{url.host}|{url.port}|{url.query.get('host')}|{url.database}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _make(connection: sa.Connection, generation: Generation, folder: Path) -> None:
    """Index all grids of a generation into ``folder``: complete or not there at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.parent / ".lock"):
        if (folder / "about.json").exists():
            return
        for left in folder.parent.glob(".*.part"):  # by processes that were killed: whoever lives waits for the lock
            shutil.rmtree(left, ignore_errors=True)
        part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
        part.mkdir()
        try:
            _write(grids_in_force(connection, generation.id, system=None, level=None), part)
            shutil.rmtree(folder, ignore_errors=True)
            part.replace(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        _sweep(folder)


@dataclass(frozen=True, slots=True)
class _Built:
    """A layer as it is written or held: index, facts as JSON, where each ends."""

    system: str
    level: int
    index: GridIndex
    facts: bytes
    ends: npt.NDArray[np.int64]


def _built(grids: gpd.GeoDataFrame) -> Iterator[_Built]:
    for (system, level), rows in grids.groupby(["system", "level"], sort=True):
        index = GridIndex.build(rows.geometry.to_numpy(), rows["code"].to_numpy())
        plain = rows[[*FACTS, "parent"] if level > 1 else list(FACTS)].astype(object)
        lines = [orjson.dumps(row) for row in plain.where(plain.notna(), None).to_dict("records")]
        ends = np.cumsum([0, *map(len, lines)], dtype=np.int64)
        yield _Built(system, int(level), index, b"".join(lines), ends)


def _write(grids: gpd.GeoDataFrame, folder: Path) -> None:
    about = []
    for number, layer in enumerate(_built(grids)):
        layer.index.save(folder / f"{number}.loc")
        (folder / f"{number}.facts").write_bytes(layer.facts)
        np.save(folder / f"{number}.ends.npy", layer.ends)
        about.append({"number": number, "system": layer.system, "level": layer.level})
    (folder / "about.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")


def _held(grids: gpd.GeoDataFrame) -> list[tuple[str, GridLayer]]:
    """What `_load` gives, without files."""
    layers = sorted(_built(grids), key=lambda layer: layer.level)
    return [
        (layer.system, GridLayer(layer.index, Facts(np.frombuffer(layer.facts, np.uint8), layer.ends)))
        for layer in layers
    ]


def _load(folder: Path) -> list[tuple[str, GridLayer]]:
    """Layers of a folder with their systems, by level."""
    os.utime(folder)  # what was used last is swept last
    found = []
    for layer in sorted(json.loads((folder / "about.json").read_text(encoding="utf-8")), key=lambda x: x["level"]):
        stem = folder / str(layer["number"])
        text = np.memmap(stem.with_suffix(".facts"), np.uint8, "r")
        ends = np.load(f"{stem}.ends.npy", mmap_mode="r")
        found.append((layer["system"], GridLayer(GridIndex.load(stem.with_suffix(".loc")), Facts(text, ends))))
    return found


def _sweep(kept: Path) -> None:
    """Remove files of generations not used for long; whoever has them mapped keeps them until it lets go."""
    database = kept.name.split("-")[0]
    folders = sorted(kept.parent.glob(f"{database}-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in folders[FOLDERS_KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process at a time."""
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
