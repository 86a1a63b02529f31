"""The gazetteer of the stored addresses, or of files; read again when something newer was imported."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import sqlalchemy as sa

from data import tables as t
from data.files import layer_names, parse_spec, read_layer
from data.loading import read_rows
from gisgrid.address import Gazetteer
from gisgrid.errors import BadInput
from gisgrid.limits import ADDRESS_ALIASES_MAX
from gisgrid.settings import Settings

CHECK_SECONDS: Final = 1.0
"""How long a new import may go unnoticed."""
_ALIAS_COLUMNS: Final = ("alias", "别名", "俗称")
_NAME_COLUMNS: Final = ("name", "名称", "标准名", "标准名称")


def read_aliases(path: Path) -> dict[str, str]:
    """The user's table of other names: CSV with columns ``alias`` (别名) and ``name`` (标准名). Raises BadInput."""
    try:
        try:
            table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        except UnicodeDecodeError:
            table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="gb18030")
    except (ValueError, OSError) as error:
        raise BadInput(f"{path}: not a CSV table of aliases; give the columns alias and name") from error
    columns = {str(column).strip().lower(): column for column in table.columns}
    alias = next((columns[name] for name in _ALIAS_COLUMNS if name in columns), None)
    name = next((columns[name] for name in _NAME_COLUMNS if name in columns), None)
    if alias is None or name is None:
        missing = "alias" if alias is None else "name"
        raise BadInput(f"{path}: lacks the column {missing!r}; an alias table needs alias and name")
    if len(table) > ADDRESS_ALIASES_MAX:
        raise BadInput(f"{path}: {len(table):,} aliases; give at most {ADDRESS_ALIASES_MAX:,}")
    out: dict[str, str] = {}
    for number, (a, b) in enumerate(zip(table[alias].str.strip(), table[name].str.strip(), strict=True), start=1):
        if not a or not b:
            raise BadInput(
                f"{path} row {number}: {'alias' if not a else 'name'} is empty; give both or leave the row out"
            )
        if out.get(a, b) != b:
            raise BadInput(f"{path} row {number}: alias {a!r} stands for {out[a]!r} already; an alias has one meaning")
        out[a] = b
    return out


def stored_gazetteer(connection: sa.Connection, settings: Settings | None = None) -> Gazetteer | None:
    """The gazetteer of everything stored, None while no address is. Raises BadInput for an unusable alias table."""
    if connection.scalar(sa.select(t.addresses.c.id).limit(1)) is None:
        return None
    aliases = read_aliases(settings.address_aliases) if settings and settings.address_aliases else None
    named = [t.streets.c.name != ""]
    return Gazetteer.build(
        _addresses(connection),
        streets=read_rows(connection, t.streets, columns=["name"], where=named),
        areas=read_rows(connection, t.areas, columns=["code", "level", "name", "name_en"]),
        facilities=read_rows(connection, t.facilities, columns=["name", "name_en"], where=[t.facilities.c.name != ""]),
        aliases=aliases,
    )


def _addresses(connection: sa.Connection) -> gpd.GeoDataFrame:
    """Stored addresses in the order of their ids; coordinates as numbers, which is twice as quick as WKB."""
    a = t.addresses.c
    names = [c.name for c in t.addresses.columns if c.name not in ("geometry", "id", "source")]
    query = sa.select(*[a[name] for name in names], sa.func.ST_X(a.geometry), sa.func.ST_Y(a.geometry)).order_by(a.id)
    rows = connection.execute(query).all()
    frame = pd.DataFrame([tuple(row) for row in rows], columns=[*names, "x", "y"])
    points = shapely.points(frame.pop("x").to_numpy(np.float64), frame.pop("y").to_numpy(np.float64))
    return gpd.GeoDataFrame(frame, geometry=points, crs=f"EPSG:{t.SRID}")


def gazetteer_of_files(
    addresses: str,
    *,
    streets: str | None = None,
    areas: str | None = None,
    facilities: str | None = None,
    aliases: Path | None = None,
    crs: str | None = None,
) -> Gazetteer:
    """A gazetteer of map files (``FILE`` or ``FILE:layer``).

    A GeoPackage of addresses that holds ``streets``, ``areas`` or ``facilities`` too gives them where no other file is
    named. Raises BadInput.
    """
    named = parse_spec(addresses)
    beside: set[str] = set()
    if named.layer is None and Path(named.path).suffix == ".gpkg" and Path(named.path).exists():
        beside = set(layer_names(named.path))
    layers: dict[str, gpd.GeoDataFrame | None] = {}
    for name, spec in (("streets", streets), ("areas", areas), ("facilities", facilities)):
        source = spec or (addresses if name in beside else None)
        layers[name] = read_layer(source, layer=name, crs=crs if spec else None) if source else None
    return Gazetteer.build(
        read_layer(addresses, layer="addresses", crs=crs),
        streets=layers["streets"],
        areas=layers["areas"],
        facilities=layers["facilities"],
        aliases=read_aliases(aliases) if aliases else None,
    )


class StoredGazetteer:
    """Keeps the gazetteer of a database loaded; a newer one is built beside it and swapped in whole."""

    def __init__(self, engine: sa.Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._lock = threading.Lock()
        self._loaded: Gazetteer | None = None
        self._version: tuple[int, float] | None = None
        self._checked = -CHECK_SECONDS

    def get(self) -> Gazetteer | None:
        """The gazetteer of what is stored (an import is noticed within `CHECK_SECONDS`), None without addresses."""
        if time.monotonic() - self._checked < CHECK_SECONDS:
            return self._loaded
        if not self._lock.acquire(blocking=self._loaded is None):
            return self._loaded  # another thread is building already
        try:
            if time.monotonic() - self._checked >= CHECK_SECONDS:
                self._refresh()
            return self._loaded
        finally:
            self._lock.release()

    def _refresh(self) -> None:
        with self._engine.connect() as connection:
            aliases = self._settings.address_aliases
            newest = connection.scalar(sa.select(sa.func.max(t.imports.c.id))) or 0
            version = (int(newest), aliases.stat().st_mtime if aliases and aliases.exists() else 0.0)
            if version != self._version:
                self._loaded = stored_gazetteer(connection, self._settings)
                self._version = version
        self._checked = time.monotonic()
