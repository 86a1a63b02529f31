"""Thematic layers: rows of any map file kept as they are, under a name, with attributes of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray

from data.import_report import ImportReport
from data.loading import copy_rows
from data.repair import REFUSED, REPAIRED, repair
from data.tables import imports, thematic_features, thematic_layers
from gisgrid.crs import FAULT_TEXT, lonlat_faults, to_storage
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import THEMATIC_ATTRIBUTES_MAX

NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,59}")
_SHAPES: Final = {0: "point", 1: "line", 2: "polygon"}


@dataclass(frozen=True, slots=True)
class ThematicLayer:
    """A stored thematic layer. ``attributes``: (name, kind) in order."""

    name: str
    title_zh: str
    title_en: str
    shape: str
    attributes: tuple[tuple[str, str], ...]
    label: str
    sld: str
    rows: int = 0


def checked_name(name: str) -> str:
    """A name a layer may have. Raises BadInput."""
    if not NAME.fullmatch(name):
        raise BadInput(
            f"layer name {name!r}: give a letter, then up to 59 letters, digits and _ . : - (titles may be Chinese)"
        )
    return name


def clean_thematic(
    rows: gpd.GeoDataFrame, *, crs: str | None = None
) -> tuple[gpd.GeoDataFrame, list[tuple[str, str]], ImportReport]:
    """Sound rows in EPSG:4490 with attributes in plain types, the attributes' kinds, and what was refused.

    Raises BadInput when no row can be taken, or there are too many attributes.
    """
    stored = to_storage(rows, None if crs is not None and crs == rows.attrs.get("shifted_from") else crs)
    shapes, status, reasons = repair(stored.geometry.to_numpy(), "any")
    there = status != REFUSED
    faults = np.zeros(len(shapes), dtype=np.int8)
    faults[there] = lonlat_faults(shapely.bounds(shapes[there]), None, margin=0.0)
    for fault in np.unique(faults[faults > 0]):
        reasons[faults == fault] = FAULT_TEXT[int(fault)]
    sound = there & (faults == 0)
    report = _report(rows, sound, reasons, int((status == REPAIRED)[sound].sum()))
    names = [str(name) for name in rows.columns if name != rows.geometry.name]
    if len(names) > THEMATIC_ATTRIBUTES_MAX:
        raise BadInput(f"{len(names)} attributes: a thematic layer has at most {THEMATIC_ATTRIBUTES_MAX}")
    given = _plain_names(names)
    columns = {new: _plain(rows[old]) for old, new in given.items()}
    kinds = [(name, kind) for name, (_, kind) in columns.items()]
    values = pd.DataFrame({name: values for name, (values, _) in columns.items()}, index=rows.index)
    return gpd.GeoDataFrame(values[sound], geometry=shapes[sound], crs=stored.crs), kinds, report


def store_thematic(
    connection: sa.Connection,
    name: str,
    rows: gpd.GeoDataFrame,
    kinds: Sequence[tuple[str, str]],
    report: ImportReport,
    *,
    title_zh: str = "",
    title_en: str = "",
    label: str = "",
    sld: str = "",
    source: str = "",
) -> None:
    """Store a layer in place of the one of that name.

    Raises BadInput for a bad name, and for a label that is no attribute.
    """
    checked_name(name)
    if label and label not in dict(kinds):
        raise BadInput(f"--label {label}: {name} has no such attribute; it has {', '.join(dict(kinds)) or 'none'}")
    connection.execute(sa.delete(thematic_layers).where(thematic_layers.c.name == name))
    connection.execute(
        sa.insert(thematic_layers).values(
            name=name, title_zh=title_zh or title_en or name, title_en=title_en or title_zh or name,
            shape=_shape(rows), attributes=[{"name": n, "kind": k} for n, k in kinds], label=label, sld=sld,
        )
    )  # fmt: skip
    records = rows.drop(columns=rows.geometry.name).to_dict("records")
    texts = [orjson.dumps(record).decode() for record in records]
    frame = gpd.GeoDataFrame({"layer": name, "properties": texts}, geometry=rows.geometry.to_numpy(), crs=rows.crs)
    copy_rows(connection, thematic_features, frame)
    connection.execute(
        sa.insert(imports).values(
            source=source or name, layer="thematic", read=report.read, taken=report.taken,
            repaired=report.repaired, refused=report.refused, reasons=report.reasons,
        )
    )  # fmt: skip


def thematic_listing(connection: sa.Connection) -> list[ThematicLayer]:
    """The stored layers by name."""
    t, f = thematic_layers.c, thematic_features.c
    rows = sa.select(sa.func.count()).where(f.layer == t.name).scalar_subquery()
    query = sa.select(t.name, t.title_zh, t.title_en, t.shape, t.attributes, t.label, t.sld, rows).order_by(t.name)
    return [
        ThematicLayer(name, zh, en, shape, tuple((a["name"], a["kind"]) for a in attributes), label, sld, int(number))
        for name, zh, en, shape, attributes, label, sld, number in connection.execute(query)
    ]


def remove_thematic(connection: sa.Connection, name: str) -> None:
    """Remove a layer with its features. Raises NotFound."""
    gone = connection.execute(sa.delete(thematic_layers).where(thematic_layers.c.name == name))
    if not gone.rowcount:
        raise NotFound(f"there is no thematic layer {name!r}; 'gisgrid thematic list' shows them")


def _report(
    rows: gpd.GeoDataFrame, sound: NDArray[np.bool_], reasons: NDArray[np.object_], repaired: int
) -> ImportReport:
    report = ImportReport("thematic", len(rows), int(sound.sum()), repaired, int((~sound).sum()))
    report.count("repaired: the outline was invalid", repaired)
    for reason, number in pd.Series(reasons[~sound]).value_counts(sort=False).items():
        report.count(str(reason), int(number))
    refused = rows.loc[~sound].drop(columns=["row", "reason"], errors="ignore")
    refused.attrs = {}
    refused.insert(0, "row", np.flatnonzero(~sound) + 1)
    refused.insert(1, "reason", reasons[~sound])
    report.refused_rows = refused.reset_index(drop=True)
    if not sound.any():
        raise BadInput(f"no row can be taken; first: row 1: {reasons[0]}", code="all_refused", report=report.as_dict())
    return report


def _shape(rows: gpd.GeoDataFrame) -> str:
    dimensions = set(shapely.get_dimensions(rows.geometry.to_numpy()).tolist())
    return _SHAPES[dimensions.pop()] if len(dimensions) == 1 else "mixed"


def _plain_names(names: Sequence[str]) -> dict[str, str]:
    """Attribute names of letters (Chinese too), digits and underscores, none twice; old name to new."""
    taken: set[str] = {"id", "geometry"}
    made: dict[str, str] = {}
    for old in names:
        new = base = re.sub(r"\W+", "_", old).strip("_")[:60] or "attribute"
        number = 2
        while new in taken:
            new = f"{base}_{number}"
            number += 1
        taken.add(new)
        made[old] = new
    return made


def _plain(values: pd.Series[Any]) -> tuple[list[Any], str]:
    """Values JSON can hold, and their kind in JSON Schema's words."""
    gone = values.isna().to_numpy()
    whole = _whole_days(values)
    if pd.api.types.is_bool_dtype(values.dtype):
        return _made(values, gone, bool), "boolean"
    if pd.api.types.is_integer_dtype(values.dtype):
        return _made(values, gone, int), "integer"
    if pd.api.types.is_float_dtype(values.dtype):
        return _made(values, ~np.isfinite(values.to_numpy(dtype=float, na_value=np.nan)), float), "number"
    if whole is None:
        return _made(values, gone, str), "string"
    if whole:
        return _made(values, gone, lambda value: value.date().isoformat()), "date"
    return _made(values, gone, lambda value: value.isoformat()), "date-time"


def _made(values: pd.Series[Any], gone: NDArray[np.bool_], make: Callable[[Any], Any]) -> list[Any]:
    return [None if lost else make(value) for value, lost in zip(values, gone, strict=True)]


def _whole_days(values: pd.Series[Any]) -> bool | None:
    """Whether times are days without an hour; None when they are no times."""
    if not pd.api.types.is_datetime64_any_dtype(values.dtype):
        return None
    return values.dt.tz is None and bool((values.dropna() == values.dropna().dt.normalize()).all())
