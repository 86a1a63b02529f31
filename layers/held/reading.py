"""Layers read from PostGIS: whole, or the rows that changed since."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray

from data.layer_changes import Seen, rows_changed_since, seen
from data.tables import NOTES
from layers.catalog.model import Attribute, Kind, Layer
from layers.columns import Column, column_of, joined
from layers.held.boxtree import changed_tree
from layers.held.copying import Rows, copied, dictionary, nothing
from layers.held.detail import gathered_values
from layers.held.layer import HeldLayer
from layers.held.shapes import Shapes, joined_shapes, points_of, shapes_of

SHARE: Final = 0.1
"""When more of a layer than this changed it is read anew."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A layer as of one snapshot, and what was seen of every name whose changes change it."""

    held: HeldLayer
    seen: dict[str, Seen]


def read(connection: sa.Connection, layer: Layer, generation: int | None, revision: str) -> Reading:
    """The layer as this connection sees it; the connection is in a REPEATABLE READ transaction of its own."""
    noted = {name: seen(connection, name) for name in layer.reads}
    return Reading(_read(connection, layer, generation, revision, ()), noted)


def reread(connection: sa.Connection, before: Reading, layer: Layer, revision: str) -> Reading:
    """The layer as this connection sees it, by what changed since ``before``; read whole when that is much."""
    held = before.held
    noted = {name: seen(connection, name) for name in layer.reads}
    changed: set[int] = set()
    own = _table(layer)
    for name in layer.reads:
        ids = rows_changed_since(connection, name, before.seen[name])
        if ids and own is not None and NOTES[name] == own.name and held.ids is not None and len(ids) <= _many(held):
            changed.update(ids)
        elif ids is None or ids:
            return read(connection, layer, held.generation, revision)
    if not changed:
        return Reading(held, noted)
    assert own is not None
    fresh = _read(
        connection, layer, held.generation, revision, (own.c.id == sa.any_(sa.literal(sorted(changed), _IDS)),)
    )
    return Reading(spliced(held, changed, fresh), noted)


_IDS: Final = sa.ARRAY(sa.BigInteger)


def _many(held: HeldLayer) -> float:
    return max(1_000.0, SHARE * len(held))


def spliced(held: HeldLayer, ids: Collection[int], fresh: HeldLayer) -> HeldLayer:
    """``held`` without the rows of ``ids``, with those of ``fresh`` where their keys belong."""
    assert held.ids is not None
    assert fresh.ids is not None
    kept = np.flatnonzero(~np.isin(held.ids, np.fromiter(ids, np.int64, len(ids))))
    at = np.searchsorted(held.keys[kept], fresh.keys, side="right")
    order = np.insert(kept, at, len(held) + np.arange(len(fresh)))
    columns = {name: joined((column, fresh.columns[name])).take(order) for name, column in held.columns.items()}
    both = joined_shapes((held.shapes, fresh.shapes))
    points = None
    if held.label_points is not None and fresh.label_points is not None:
        points = np.concatenate((held.label_points, fresh.label_points))[order]
    kept_to = None
    if held.kept_to is not None and held.unsimplified + len(fresh.shapes.coords) <= SHARE * len(held.shapes.coords):
        beside = np.concatenate((held.kept_to, np.full(len(fresh.shapes.coords), np.inf, np.float32)))
        kept_to = gathered_values(beside, both.parts, both.features, order)
    shapes = both.take(order)
    made = HeldLayer(
        fresh.layer, shapes, columns,
        np.concatenate((held.keys, fresh.keys))[order], ids=np.concatenate((held.ids, fresh.ids))[order],
        label_points=points, revision=fresh.revision, generation=held.generation, kept_to=kept_to,
        tree=changed_tree(held.tree, shapes.boxes, order),
    )  # fmt: skip
    if kept_to is not None:
        made.unsimplified = held.unsimplified + len(fresh.shapes.coords)
    return made


def _table(layer: Layer) -> sa.Table | None:
    """The table whose rows are the features; None when it numbers none."""
    table = layer.table if layer.shapes is None else layer.shapes
    return table if isinstance(table, sa.Table) and "id" in table.c else None


def _read(
    connection: sa.Connection,
    layer: Layer,
    generation: int | None,
    revision: str,
    where: Sequence[sa.ColumnElement[bool]],
) -> HeldLayer:
    """The rows in the order of their keys (texts by code point), as PostgreSQL copies them."""
    table = _table(layer)
    texts = isinstance(layer.key.type, sa.String)
    key = sa.collate(layer.key, "C") if texts else layer.key
    points = _label_points(layer)
    # what is read before the attributes: key, number, geometry, where the label stands
    number: sa.ColumnElement[Any] = sa.null() if table is None else sa.cast(table.c.id, sa.BigInteger)
    front = [key if texts else sa.cast(key, sa.BigInteger), number]
    front += [sa.func.ST_AsBinary(layer.geometry, "NDR", type_=sa.LargeBinary)]
    front += [sa.null(), sa.null()] if points is None else [sa.func.ST_X(points), sa.func.ST_Y(points)]
    query = (
        sa.select(*(column.label(f"c{k}") for k, column in enumerate((*front, *map(_read_as, layer.attributes)))))
        .select_from(layer.table)
        .where(*layer.conditions(generation), *where)
        .order_by(key)
    )
    pieces = [_piece(layer, rows) for rows in copied(connection, query)] or [
        _piece(layer, nothing(len(query.selected_columns)))
    ]
    return HeldLayer(
        layer,
        joined_shapes([piece.shapes for piece in pieces]),
        {a.name: _column(a, [piece.values[k] for piece in pieces]) for k, a in enumerate(layer.attributes)},
        np.concatenate([piece.keys for piece in pieces]),
        ids=None if table is None else np.concatenate([piece.ids for piece in pieces]),
        label_points=None if points is None else np.concatenate([piece.label_points for piece in pieces]),
        revision=revision,
        generation=generation,
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    """``values``: of every attribute, the texts or the numbers and which of them are null."""

    keys: NDArray[Any]
    ids: NDArray[np.int64]
    label_points: NDArray[np.float64]
    shapes: Shapes
    values: list[Any]


def _piece(layer: Layer, rows: Rows) -> _Piece:
    texts = isinstance(layer.key.type, sa.String)
    places = np.stack([rows.numbers(field, "float64") for field in (3, 4)], axis=1)
    places[rows.nulls(3)] = np.nan
    points = rows.points(2)
    return _Piece(
        np.asarray(rows.texts(0).to_numpy(zero_copy_only=False), object) if texts else rows.numbers(0, "int64"),
        rows.numbers(1, "int64"),
        places,
        shapes_of(shapely.from_wkb(rows.blobs(2))) if points is None else points_of(points),
        [_values(rows, field, attribute.kind) for field, attribute in enumerate(layer.attributes, 5)],
    )


def _values(rows: Rows, field: int, kind: Kind) -> Any:
    if kind in ("string", "array"):
        return rows.texts(field)
    sort = {"number": "float64", "boolean": "bool"}.get(kind, "int64")
    return rows.numbers(field, sort), rows.nulls(field)


def _label_points(layer: Layer) -> sa.ColumnElement[Any] | None:
    table = _table(layer)
    return None if table is None else table.c.get("label_point")


def _read_as(attribute: Attribute) -> sa.ColumnElement[Any]:
    """What is read for an attribute: times as whole microseconds or days since 1970, so that every one fits."""
    column, kind = attribute.column, attribute.kind
    if kind == "date-time":
        return sa.cast(sa.func.round(sa.extract("epoch", column) * 1_000_000), sa.BigInteger)
    if kind == "date":
        return sa.cast(sa.extract("epoch", column) / 86_400, sa.BigInteger)
    if kind == "number":
        return sa.cast(column, sa.Float(53))
    if kind == "string":
        return sa.cast(column, sa.Text)
    if kind == "array":
        return sa.cast(sa.func.to_json(column), sa.Text)
    return sa.cast(column, sa.BigInteger) if kind == "integer" else column


def _column(attribute: Attribute, pieces: list[Any]) -> Column:
    kind = attribute.kind
    if kind == "array":
        texts = [text for piece in pieces for text in piece.to_pylist()]
        return column_of(kind, [None if text is None else orjson.loads(text) for text in texts])
    if kind == "string":
        codes, values = dictionary(pieces)
        return Column(kind, codes, _some(codes < 0), values)
    data, nulls = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    if kind == "number":
        nulls |= np.isnan(data)
        data[nulls] = 0.0
    if kind in ("date", "date-time"):
        data = data.view(f"datetime64[{'D' if kind == 'date' else 'us'}]")
        data[nulls] = np.datetime64("NaT")
    return Column(kind, data, _some(nulls))


def _some(nulls: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    return nulls if nulls.any() else None
