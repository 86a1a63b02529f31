"""The grids in force, held in memory: a point index and what is told of each grid."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import sqlalchemy as sa

from data import tables as t
from data.loading import read_rows
from data.plans import Generation, current_generation, generation_of, grids_in_force
from gisgrid.locate import GridIndex

CHECK_SECONDS = 1.0
"""How long a new generation may go unnoticed."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """One generation, whole: an answer is made from exactly one of these, so generations never mix."""

    generation: Generation
    index: GridIndex
    grids: list[dict[str, Any]]
    areas: dict[str, dict[str, Any]]

    def chain(self, row: int) -> list[dict[str, Any]]:
        """From the grid in ``row`` up to its district."""
        grid = self.grids[row]
        chain = [{"level": "grid", "code": grid["code"], "name": grid["name"], "name_en": ""}]
        code = grid["community"]
        while code and (area := self.areas.get(code)):
            chain.append({name: area[name] for name in ("level", "code", "name", "name_en")})
            code = area["parent"]
        return chain


class CurrentGrids:
    """Keeps the current generation loaded; a newer one is built beside it and swapped in whole."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._loaded: Loaded | None = None
        self._checked = -CHECK_SECONDS

    def get(self) -> Loaded | None:
        """The generation in force (noticed within `CHECK_SECONDS`), None before the first publish."""
        if time.monotonic() - self._checked < CHECK_SECONDS:
            return self._loaded
        if not self._lock.acquire(blocking=self._loaded is None):
            return self._loaded  # another thread is looking already
        try:
            if time.monotonic() - self._checked >= CHECK_SECONDS:
                self._refresh()
            return self._loaded
        finally:
            self._lock.release()

    def _refresh(self) -> None:
        with self._engine.connect() as connection:
            newest = current_generation(connection)
            if newest is None or generation_of(connection) is None:  # professional grids alone own nothing
                self._loaded = None
            elif self._loaded is None or self._loaded.generation.id != newest.id:
                self._loaded = load(connection, newest)
        self._checked = time.monotonic()


def load(connection: sa.Connection, generation: Generation) -> Loaded:
    """Read a generation's comprehensive grids of the first level and index them (EPSG:4490, longitude first)."""
    grids = grids_in_force(connection, generation.id)
    areas = read_rows(connection, t.areas)
    index = GridIndex.build(grids.geometry.to_numpy(), grids["code"].to_numpy())
    kept = ["code", "name", "level", "kind", "community", "households", "population", "version"]
    return Loaded(generation, index, _records(grids[kept]), {area["code"]: area for area in _records(areas)})


def _records(frame: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    plain = frame.drop(columns="geometry", errors="ignore").astype(object)
    return [dict(row) for row in plain.where(plain.notna(), None).to_dict("records")]
