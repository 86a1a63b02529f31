"""Rows of a batch over HTTP: JSON, GeoJSON and tables read into one form, and that form written as each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from api.json import json_bytes
from data.bounded.tasks import decoded_bytes
from data.point_streams import Grids, PointBatch, PointStream, Tally
from data.point_streams.features import column_of, from_features, from_pairs, from_values, kinds_of, type_of
from data.point_streams.layout import fill, layout_for, simple
from data.point_streams.writers import write_batches
from gisgrid.crs import STORAGE_CRS, normalise
from gisgrid.errors import BadInput
from gisgrid.limits import ACCURACY_METRES_MAX, LOCATE_DECODED_BYTES_MAX, NEAR_BORDER_METRES, TABLE_COLUMNS_MAX
from gisgrid.locate import GridIndex, Located, candidates, locate_batch
from gisgrid.locate.points import NO_ACCURACY, NO_FAULT, NO_NUMBER, NO_SYSTEM, REASONS, check_systems

Floats = npt.NDArray[np.float64]
Faults = npt.NDArray[np.int8]
Json = dict[str, Any]

_TOP: Final = frozenset({"points", "crs"})


@dataclass(frozen=True, slots=True)
class Rows:
    """Points of one request, in the order they came.

    ``x``, ``y`` (n) as given, ``faults`` (n), ``ids`` (n) whatever the caller calls them or None, ``systems`` the
    coordinate systems and ``system`` (n) which of them each row is in, ``accuracy`` (n) metres with NaN where none is
    stated, or None when no row states one. ``addresses`` (n) are the texts of rows that have an address and no
    coordinates, None when there are none; once looked up, ``meant`` (n) are the places they mean. ``table`` holds the
    caller's columns, ``features`` GeoJSON as it came.
    """

    x: Floats
    y: Floats
    faults: Faults
    ids: list[Any]
    systems: list[str]
    system: npt.NDArray[np.int32]
    accuracy: Floats | None = None
    addresses: list[str | None] | None = None
    meant: list[str | None] | None = None
    table: pa.RecordBatch | None = None
    features: list[Json] | None = None


# --- reading ----------------------------------------------------------------------------


def parse_json(body: bytes, crs: str) -> Rows:
    """``{"points": [...], "crs": ...}`` or a plain list; points are objects with lon, lat (id, crs, accuracy), or
    ``[lon, lat]``. A FeatureCollection is taken as GeoJSON.

    Raises BadInput for a request that cannot be read; a point that cannot be used keeps its row, with a fault.
    """
    value = _loaded(body)
    if isinstance(value, dict):
        if value.get("type") == "FeatureCollection":
            return _from_features(value, crs)
        if unknown := sorted(set(value) - _TOP):
            raise BadInput(f"the body has an unknown member {unknown[0]!r}; give points and, if you like, crs")
        crs = _system(value["crs"]) if value.get("crs") is not None else crs
        value = value.get("points")
    points = _listed(value, "points")
    table = [point if isinstance(point, dict) else {} for point in points]
    pairs = [
        (point.get("lon"), point.get("lat")) if isinstance(point, dict)
        else (point[0], point[1]) if isinstance(point, list) and len(point) >= 2
        else (None, None)
        for point in points
    ]  # fmt: skip
    x, y, faults = from_pairs(pairs)
    rows = Rows(x, y, faults, _ids(point.get("id") for point in table), [crs], np.zeros(len(points), np.int32))
    rows = _with_accuracy(_with_systems(rows, [point.get("crs") for point in table]), table)
    addresses = [_address_alone(point) for point in table]
    return replace(rows, addresses=addresses) if any(addresses) else rows


def _address_alone(point: Mapping[str, Any]) -> str | None:
    text = point.get("address")
    alone = isinstance(text, str) and point.get("lon") is None and point.get("lat") is None
    return text if alone else None


def parse_geojson(body: bytes, crs: str) -> Rows:
    """A FeatureCollection of points. Raises BadInput as `parse_json` does."""
    value = _loaded(body)
    if not isinstance(value, dict) or value.get("type") != "FeatureCollection":
        raise BadInput('the body is no FeatureCollection; send {"type": "FeatureCollection", "features": […]}')
    return _from_features(value, crs)


def parse_table(stream: PointStream) -> Rows:
    """All rows of a CSV or Parquet stream. Raises BadInput when they are too large or nested."""
    _check_width(len(stream.schema))
    for field in stream.schema:
        if pa.types.is_nested(field.type) and field.name != stream.shapes:
            raise BadInput(f"column {field.name!r} holds {field.type}; send plain columns")
    batches, size = [], 0
    for batch in stream.batches():
        size += sum(decoded_bytes(column) for column in batch.table.columns)
        if size > LOCATE_DECODED_BYTES_MAX:
            raise BadInput(f"the rows are larger than {LOCATE_DECODED_BYTES_MAX >> 20} MB; send fewer or shorter ones")
        batches.append(batch)
    if not batches:
        raise BadInput("the batch is empty; send at least one point", code="empty_batch")
    table = pa.Table.from_batches([batch.table for batch in batches]).combine_chunks().to_batches()[0]
    ids = _ids(simple(table.column("id")).to_pylist()) if "id" in stream.schema.names else [None] * len(table)
    x, y = (np.concatenate([getattr(batch, axis) for batch in batches]) for axis in "xy")
    faults = np.concatenate([batch.faults for batch in batches])
    return Rows(x, y, faults, ids, [str(stream.crs)], np.zeros(len(table), np.int32), table=table)


def _check_width(columns: int) -> None:
    if columns > TABLE_COLUMNS_MAX:
        raise BadInput(f"the rows have {columns:,} columns; give at most {TABLE_COLUMNS_MAX:,}")


def _loaded(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"the body is no JSON: {error}", code="bad_json") from error


def _listed(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise BadInput(f'{what} is no list; send {{"{what}": […]}}')
    if not value:
        raise BadInput("the batch is empty; send at least one point", code="empty_batch")
    return value


def _from_features(value: Json, crs: str) -> Rows:
    features = _listed(value.get("features"), "features")
    for row, feature in enumerate(features, 1):
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            raise BadInput(f'features, row {row}: is no Feature; send {{"type": "Feature", …}}', row=row)
        if not isinstance(feature.get("properties"), (dict, type(None))):
            raise BadInput(f"features, row {row}: properties is no object", row=row)
    x, y, faults = from_features(features)
    ids = _ids(feature.get("id") for feature in features)
    rows = Rows(x, y, faults, ids, [crs], np.zeros(len(features), np.int32), features=features)
    return _with_accuracy(rows, [feature.get("properties") or {} for feature in features])


def _ids(values: Iterable[Any]) -> list[Any]:
    """The callers' ids. Raises BadInput for one that is no text or number, and for one given twice."""
    seen: dict[Any, int] = {}
    ids = list(values)
    for row, value in enumerate(ids, 1):
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise BadInput(f"row {row}: id is no text or number", row=row)
        if seen.setdefault((type(value), value), row) != row:
            shown = str(value)[:60]
            raise BadInput(
                f"rows {seen[type(value), value]} and {row} have the same id {shown!r}; make ids unique",
                code="duplicate_id", row=row,
            )  # fmt: skip
    return ids


def _system(name: Any) -> str:
    if not isinstance(name, (str, int)) or isinstance(name, bool):
        raise BadInput("crs is no name; give wgs84, gcj02, bd09, cgcs2000 or EPSG:n")
    system = normalise(name)
    check_systems(system, STORAGE_CRS)
    return system


def _with_systems(rows: Rows, names: list[Any]) -> Rows:
    """Rows that name a coordinate system of their own put into it; an unknown one is the row's fault."""
    if all(name is None for name in names):
        return rows
    known: dict[Any, int] = {}
    systems = list(rows.systems)
    system, faults = rows.system.copy(), rows.faults.copy()
    for row, name in enumerate(names):
        if name is None:
            continue
        key = name if isinstance(name, (str, int)) else ""
        if key not in known:
            try:
                wanted = _system(name)
            except BadInput:
                known[key] = -1
            else:
                if wanted not in systems:
                    systems.append(wanted)
                known[key] = systems.index(wanted)
        if known[key] < 0:
            faults[row] = NO_SYSTEM
        else:
            system[row] = known[key]
    return replace(rows, systems=systems, system=system, faults=faults)


def _with_accuracy(rows: Rows, table: Sequence[Mapping[str, Any]]) -> Rows:
    given = [point.get("accuracy") for point in table]
    if all(value is None for value in given):
        return rows
    accuracy, faults = from_values(given)
    wrong = (faults == NO_NUMBER) | (np.isfinite(accuracy) & (accuracy < 0)) | np.isinf(accuracy)
    kept = np.where(wrong & (rows.faults == NO_FAULT), NO_ACCURACY, rows.faults).astype(np.int8)
    return replace(rows, accuracy=accuracy, faults=kept)


# --- locating ---------------------------------------------------------------------------


def locate_rows(rows: Rows, grids: Grids, max_metres: float) -> Located:
    """Owners of the rows, each from its own coordinate system."""

    def located(chosen: Any, system: str) -> Located:
        return locate_batch(
            grids.index, rows.x[chosen], rows.y[chosen], source=system, target=grids.crs, faults=rows.faults[chosen],
            max_metres=max_metres,
        )  # fmt: skip

    if len(rows.systems) == 1:
        return located(slice(None), rows.systems[0])
    parts = [np.flatnonzero(rows.system == number) for number in range(len(rows.systems))]
    found = [located(chosen, system) for chosen, system in zip(parts, rows.systems, strict=True)]
    order = np.argsort(np.concatenate(parts))
    return Located(*(
        np.concatenate([getattr(part, name) for part in found])[order]
        for name in ("rows", "outside", "near_rows", "metres", "faults", "x", "y")
    ))  # fmt: skip


def tally_of(found: Located) -> Tally:
    """Its counts."""
    tally = Tally()
    tally.add(found)
    return tally


def answers(rows: Rows, found: Located, grids: Grids) -> list[Json]:
    """What is told of each row, ready for JSON."""
    names = [*(grids.community_names.to_pylist() if grids.community_names is not None else []), None]
    communities = grids.communities if grids.communities is not None else np.full(len(grids.index), -1, np.int32)
    columns: dict[str, list[Any]] = {
        "grid": grids.index.codes_of(found.rows).tolist(),
        "community": [names[k] for k in np.append(communities, np.int32(-1))[found.rows].tolist()],
        "outside": found.outside.tolist(),
        "nearest": grids.index.codes_of(found.near_rows).tolist(),
        "metres": [None if value != value else round(value, 2) for value in found.metres.tolist()],
        "reason": [REASONS[fault] for fault in found.faults.tolist()],
        "generation": [grids.generation] * found.rows.size,
    }
    if rows.accuracy is not None:
        metres = grids.index.distance_to_boundary(found.x, found.y, metres=True)
        metres[found.rows < 0] = np.nan
        columns["distance_to_boundary"] = [None if value != value else round(value, 2) for value in metres.tolist()]
        near = (metres <= np.maximum(rows.accuracy, NEAR_BORDER_METRES)).tolist()
        stated = (np.isfinite(rows.accuracy) & np.isfinite(metres)).tolist()
        columns["near_border"] = [is_near if has else None for is_near, has in zip(near, stated, strict=True)]
        columns["candidates"] = _candidates(rows.accuracy, found, grids.index)
    if rows.meant is not None:
        columns["address"] = rows.meant
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _candidates(accuracy: Floats, found: Located, index: GridIndex) -> list[list[Json] | None]:
    """Grids each usable row with an accuracy may lie in, the most probable first; None for the others."""
    usable = np.flatnonzero((found.faults == NO_FAULT) & (accuracy > 0) & (accuracy <= ACCURACY_METRES_MAX))
    told: list[list[Json] | None] = [None] * len(accuracy)
    for row in usable.tolist():
        told[row] = []
    likely = candidates(index, found.x[usable], found.y[usable], accuracy[usable])
    codes = index.codes_of(likely.row).tolist()
    for point, code, share in zip(usable[likely.point].tolist(), codes, likely.probability.tolist(), strict=True):
        told[point].append({"code": code, "probability": round(share, 4)})
    return told


# --- writing ----------------------------------------------------------------------------


def as_json(rows: Rows, found: Located, grids: Grids) -> bytes:
    """``{"generation", counts, "points": [{"row", "id", …}]}``."""
    told = answers(rows, found, grids)
    points = [{"row": row, "id": key, **more} for row, (key, more) in enumerate(zip(rows.ids, told, strict=True), 1)]
    return json_bytes({"generation": grids.generation, **tally_of(found).facts(), "points": points})


def as_geojson(rows: Rows, found: Located, grids: Grids) -> bytes:
    """The features as they came, the answer among their properties; points of other formats in lon/lat."""
    told = answers(rows, found, grids)
    features = rows.features if rows.features is not None else _features(rows, found)
    made = [
        feature | {"properties": (feature.get("properties") or {}) | {"row": row} | more}
        for row, (feature, more) in enumerate(zip(features, told, strict=True), 1)
    ]
    head = {"type": "FeatureCollection", "generation": grids.generation, **tally_of(found).facts()}
    return json_bytes({**head, "numberReturned": len(made), "features": made})


def write_table(path: Path, rows: Rows, found: Located, grids: Grids, source: PointStream | None) -> None:
    """CSV or Parquet by the ending of ``path``: the caller's columns and the answer's."""
    table = rows.table if rows.table is not None else _table(rows)
    batch = PointBatch(table, rows.x, rows.y, rows.faults, 1.0)
    stream = source or PointStream(path, table.schema, STORAGE_CRS, lambda: iter(()), plain=True)
    layout = layout_for(stream, grids, path.suffix)
    write_batches(path, layout, iter([fill(layout, batch, found)]), "points")


def _features(rows: Rows, found: Located) -> list[Json]:
    """Features of rows that came in another format, at the place they were located by (EPSG:4490)."""
    records = _plain_records(rows.table) if rows.table is not None else [{} for _ in rows.ids]
    made = []
    for key, properties, x, y in zip(rows.ids, records, found.x.tolist(), found.y.tolist(), strict=True):
        fine = abs(x) <= 180.0 and abs(y) <= 90.0  # not so for NaN either
        geometry = {"type": "Point", "coordinates": [x, y]} if fine else None
        feature: Json = {"type": "Feature", "geometry": geometry, "properties": properties}
        made.append(feature if key is None else {"id": key, **feature})
    return made


def _plain_records(table: pa.RecordBatch) -> list[Json]:
    columns = {
        name: simple(column) for name, column in zip(table.schema.names, table.columns, strict=True)
        if not pa.types.is_binary(simple(column).type)
    }  # fmt: skip
    return list(pa.table(columns).to_pylist()) if columns else [{} for _ in range(len(table))]


def _table(rows: Rows) -> pa.RecordBatch:
    """JSON and GeoJSON rows as columns: id, the features' properties, lon and lat as given."""
    columns: dict[str, Any] = {"id": _column(rows.ids)}
    for feature in rows.features or []:
        columns |= dict.fromkeys((str(name) for name in feature.get("properties") or {}), None)
    _check_width(len(columns))
    for name in list(columns)[1:]:
        columns[name] = _column([(feature.get("properties") or {}).get(name) for feature in rows.features or []])
    if len(rows.systems) > 1:
        columns["crs"] = pa.array([rows.systems[k] for k in rows.system.tolist()])
    finite = [(name, values, np.isfinite(values)) for name, values in (("lon", rows.x), ("lat", rows.y))]
    columns |= {name: pa.array(values, mask=~known) for name, values, known in finite}
    return pa.RecordBatch.from_pydict(columns)


def _column(values: list[Any]) -> pa.Array:
    return column_of(values, type_of(kinds_of(values)))
