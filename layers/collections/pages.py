"""Pages of a collection: one statement, the features written as text by PostGIS, any CRS, any order, no OFFSET."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from data.tables import MERCATOR_SRID, SRID
from gisgrid.errors import BadInput, NotFound
from layers.catalog import Attribute, Layer
from layers.collections.crs import CRS84, Crs
from layers.collections.cursor import Order, behind, cursor_of, ordering, place, read_cursor
from layers.extents import Box


@dataclass(frozen=True)
class Question:
    """What is asked of a layer. ``conditions`` hold besides the layer's own in ``generation``; ``attributes``: what
    the features tell (None: everything)."""

    layer: Layer
    generation: int | None
    conditions: tuple[sa.ColumnElement[bool], ...] = ()
    attributes: tuple[Attribute, ...] | None = None
    order: Order = ()
    crs: Crs = CRS84
    geometry: bool = True

    @property
    def where(self) -> list[sa.ColumnElement[bool]]:
        """Everything that must hold."""
        return [*self.layer.conditions(self.generation), *self.conditions]


@dataclass(frozen=True, slots=True)
class FeaturePage:
    """Features as one JSON text without the brackets, their number, and the token of the next page."""

    text: str
    returned: int
    after: str | None


def feature_page(connection: sa.Connection, question: Question, *, limit: int, after: str | None) -> FeaturePage:
    """One page. Raises BadInput for a token of other pages and values the database cannot compare."""
    layer, order = question.layer, question.order
    where = question.where
    if after is not None:
        where.append(behind(layer, order, read_cursor(layer, order, after)))
    rank = sa.func.row_number().over(order_by=ordering(layer, order)).label("n")
    rows = (
        sa.select(rank, feature_text(question).label("feature"), place(layer, order).label("place"))
        .select_from(layer.table)
        .where(*where)
        .order_by(*ordering(layer, order))
        .limit(limit + 1)
        .subquery("rows")
    )
    on_page = rows.c.n <= limit
    joined = sa.func.string_agg(rows.c.feature, aggregate_order_by(sa.literal_column("','"), rows.c.n)).filter(on_page)
    last = sa.func.max(rows.c.place).filter(rows.c.n == limit)
    query = sa.select(joined, sa.func.count(), last).select_from(rows)
    text, number, end = _answer(connection, query)
    more = number > limit
    return FeaturePage(text or "", min(number, limit), cursor_of(layer, order, end) if more else None)


def count(connection: sa.Connection, question: Question) -> int:
    """How many features match, whatever the page."""
    query = sa.select(sa.func.count()).select_from(question.layer.table).where(*question.where)
    return int(_answer(connection, query)[0])


def feature(connection: sa.Connection, question: Question, key: str) -> str:
    """One feature as a JSON text without links, closed. Raises NotFound."""
    query = sa.select(feature_text(question)).select_from(question.layer.table)
    query = query.where(*question.where, has_key(question.layer, key))
    try:
        found = connection.scalar(query)
    except sa.exc.DataError:
        found = None
    if found is None:
        raise NotFound(f"{question.layer.name} has no feature {key[:100]!r}")
    return str(found)


def has_key(layer: Layer, key: str) -> sa.ColumnElement[bool]:
    """The condition of one feature. Raises NotFound for what can be no key."""
    if isinstance(layer.key.type, sa.Integer):
        if not (key.isascii() and key.isdecimal() and len(key) <= 18):
            raise NotFound(f"{layer.name} has no feature {key[:100]!r}")
        return layer.key == int(key)
    if "\x00" in key:
        raise NotFound(f"{layer.name} has no feature {key[:100]!r}")
    return layer.key == key


def feature_text(question: Question) -> sa.ColumnElement[str]:
    """One feature as GeoJSON text, its last bracket included; the expressions made last are kept."""
    chosen = None if question.attributes is None else tuple(a.name for a in question.attributes)
    key = (id(question.layer), chosen, question.crs, question.geometry)
    found = _TEXTS.get(key)
    if found is None or found[0] is not question.layer:
        if len(_TEXTS) >= TEXTS_KEPT:
            _TEXTS.clear()
        found = _TEXTS[key] = question.layer, _feature_text(question)  # with the layer: its id must stay its own
    return found[1]


TEXTS_KEPT: Final = 256
_TEXTS: Final[dict[tuple[Any, ...], tuple[Layer, sa.ColumnElement[str]]]] = {}


def _feature_text(question: Question) -> sa.ColumnElement[str]:
    layer = question.layer
    chosen = layer.attributes if question.attributes is None else question.attributes
    pieces: list[sa.ColumnElement[Any]] = [_plain('{"type":"Feature","id":'), _json(layer.key)]
    shape = _geometry(layer, question.crs) if question.geometry else _plain("null")
    pieces += [_plain(',"geometry":'), shape, _plain(',"properties":{')]
    for number, attribute in enumerate(chosen):
        name = orjson.dumps(attribute.name).decode()
        pieces += [_plain(f"{',' if number else ''}{name}:"), _json(attribute.column)]
    return _joined([*pieces, _plain("}}")])


def _joined(pieces: list[sa.ColumnElement[Any]]) -> sa.ColumnElement[str]:
    """The pieces in one text; a call takes at most a hundred."""
    groups = [sa.func.concat(*pieces[at : at + 90], type_=sa.Text) for at in range(0, len(pieces), 90)]
    return groups[0] if len(groups) == 1 else sa.func.concat(*groups, type_=sa.Text)


def _plain(text: str) -> sa.ColumnElement[str]:
    return sa.literal(text, sa.Text)


def _json(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """A value as JSON. Whole numbers and truth need no escaping, which saves half of the time."""
    if isinstance(column.type, sa.Integer | sa.Boolean):
        text = sa.cast(column, sa.Text)
    else:
        text = sa.cast(sa.func.to_json(column), sa.Text)
    return sa.func.coalesce(text, _plain("null"))


def _geometry(layer: Layer, crs: Crs) -> sa.ColumnElement[str]:
    """The shape as GeoJSON in a system, its axes in that system's order."""
    shape = layer.geometry
    if crs.srid == MERCATOR_SRID:
        shape = layer.mercator
    elif crs.projected:
        shape = sa.func.ST_Transform(shape, crs.srid)
    if crs.north_first:
        shape = sa.func.ST_FlipCoordinates(shape)
    return sa.func.coalesce(sa.func.ST_AsGeoJSON(shape, crs.digits, 0, type_=sa.Text), _plain("null"))


def in_boxes(layer: Layer, boxes: Sequence[Box]) -> sa.ColumnElement[bool]:
    """What touches one of the boxes (degrees)."""
    shapes = [_envelope(box) for box in boxes]
    return sa.or_(*[sa.func.ST_Intersects(layer.geometry, shape, type_=sa.Boolean) for shape in shapes])


def _envelope(box: Box) -> sa.ColumnElement[Any]:
    """A box as a shape; one without width or height, as the extent of a single point is, as the line or point it is."""
    made = sa.func.ST_MakeEnvelope(*box, SRID)
    return made if box[0] < box[2] and box[1] < box[3] else sa.func.ST_Envelope(made)


def _answer(connection: sa.Connection, query: sa.Select[Any]) -> Any:
    """The one row of a query. Raises BadInput when a value sent cannot be worked with."""
    try:
        return connection.execute(query).one()
    except (sa.exc.DataError, sa.exc.InternalError) as error:
        why = str(error.orig).splitlines()[0][:160]
        raise BadInput(f"the database cannot answer this: {why}; change the filter, crs or after") from None
