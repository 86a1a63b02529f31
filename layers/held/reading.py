"""Layers read from PostGIS: whole, or the rows that changed since."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray

from data.layer_changes import Seen, rows_changed_since, seen
from layers.catalog.model import Attribute, Layer
from layers.columns import Column, column_of, joined
from layers.held.boxtree import changed_tree
from layers.held.detail import gathered_values
from layers.held.layer import HeldLayer
from layers.held.shapes import Shapes, joined_shapes, shapes_of

CHUNK: Final = 20_000
"""Rows read at a time."""
SHARE: Final = 0.1
"""When more of a layer than this changed it is read anew."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A layer as of one snapshot, and what of every table it is read from was seen."""

    held: HeldLayer
    seen: dict[str, Seen]


def read(connection: sa.Connection, layer: Layer, generation: int | None, revision: str) -> Reading:
    """The layer as this connection sees it; the connection is in a REPEATABLE READ transaction of its own."""
    noted = {table: seen(connection, table) for table in layer.reads}
    return Reading(_read(connection, layer, generation, revision, ()), noted)


def reread(connection: sa.Connection, before: Reading, layer: Layer, revision: str) -> Reading:
    """The layer as this connection sees it, by what changed since ``before``; read whole when that is much."""
    held = before.held
    noted = {table: seen(connection, table) for table in layer.reads}
    changed: list[int] = []
    own = _table(layer)
    for table in layer.reads:
        ids = rows_changed_since(connection, table, before.seen[table])
        if ids and own is not None and table == own.name and held.ids is not None and len(ids) <= _many(held):
            changed = ids
        elif ids is None or ids:
            return read(connection, layer, held.generation, revision)
    if not changed:
        return Reading(held, noted)
    assert own is not None
    fresh = _read(connection, layer, held.generation, revision, (own.c.id == sa.any_(sa.literal(changed, _IDS)),))
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
    """The rows in the order of their keys (texts by code point), streamed."""
    table = _table(layer)
    texts = isinstance(layer.key.type, sa.String)
    key = sa.collate(layer.key, "C") if texts else layer.key
    points = _label_points(layer)
    # what is read before the attributes: key, number, geometry, where the label stands
    front = [key, sa.null() if table is None else table.c.id, sa.func.ST_AsBinary(layer.geometry, type_=sa.LargeBinary)]
    front += [sa.null(), sa.null()] if points is None else [sa.func.ST_X(points), sa.func.ST_Y(points)]
    query = (
        sa.select(*(column.label(f"c{k}") for k, column in enumerate((*front, *map(_read_as, layer.attributes)))))
        .select_from(layer.table)
        .where(*layer.conditions(generation), *where)
        .order_by(key)
    )
    stream = connection.execute(query, execution_options={"yield_per": CHUNK})
    nothing: list[tuple[Any, ...]] = [()] * (5 + len(layer.attributes))
    pieces = [_piece(layer, list(zip(*rows, strict=True))) for rows in stream.partitions()] or [_piece(layer, nothing)]
    keys = np.concatenate([piece.keys for piece in pieces])
    return HeldLayer(
        layer,
        joined_shapes([piece.shapes for piece in pieces]),
        {a.name: joined([piece.columns[a.name] for piece in pieces]) for a in layer.attributes},
        keys,
        ids=None if table is None else np.concatenate([piece.ids for piece in pieces]),
        label_points=None if points is None else np.concatenate([piece.label_points for piece in pieces]),
        revision=revision,
        generation=generation,
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    keys: NDArray[Any]
    ids: NDArray[np.int64]
    label_points: NDArray[np.float64]
    shapes: Shapes
    columns: dict[str, Column]


def _piece(layer: Layer, values: list[tuple[Any, ...]]) -> _Piece:
    keys, ids, wkb, x, y, *attributes = values
    texts = isinstance(layer.key.type, sa.String)
    return _Piece(
        np.array(keys, object if texts else np.int64),
        np.array([0 if number is None else number for number in ids], np.int64),
        np.array([x, y], np.float64).T.reshape(-1, 2),
        shapes_of(shapely.from_wkb(np.array(wkb, object))),
        {a.name: _column(a, found) for a, found in zip(layer.attributes, attributes, strict=True)},
    )


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
    return column


def _column(attribute: Attribute, values: tuple[Any, ...]) -> Column:
    if attribute.kind not in ("date", "date-time"):
        return column_of(attribute.kind, values)
    whole = column_of("integer", values)
    unit = "D" if attribute.kind == "date" else "us"
    times = whole.data.view(f"datetime64[{unit}]").copy()
    if whole.nulls is not None:
        times[whole.nulls] = np.datetime64("NaT")
    return Column(attribute.kind, times, whole.nulls)
