"""Where the next page begins: the sort values and key of the last feature of the page before, as an opaque text.

A page starts behind a place in the order, not behind a number of rows: it costs the same at any depth, and what comes
in or goes meanwhile neither repeats nor hides a feature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

import orjson
import sqlalchemy as sa

from gisgrid.errors import BadInput
from gisgrid.limits import CURSOR_CHARS_MAX, KEY_CHARS_MAX
from layers.catalog import Attribute, Layer

Order = tuple[tuple[Attribute, bool], ...]
"""Attributes to sort by, each with whether the largest comes first; the layer's key decides between equals."""


def cursor_of(layer: Layer, order: Order, last: str) -> str:
    """The token of a place. ``last``: sort values and key as a JSON list, as PostGIS wrote it."""
    packed = orjson.dumps([_mark(layer, order), *orjson.loads(last)])
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(layer: Layer, order: Order, token: str) -> list[str | None]:
    """Sort values and key (texts, None: null) of a token. Raises BadInput for one of another layer or order."""
    try:
        packed = token.encode("ascii") + b"=" * (-len(token) % 4)
        if len(token) > CURSOR_CHARS_MAX:
            raise ValueError
        read = orjson.loads(base64.b64decode(packed, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, UnicodeEncodeError):
        read = None
    whole = isinstance(read, list) and len(read) == len(order) + 2 and read[0] == _mark(layer, order)
    if not whole or not all(value is None or isinstance(value, str) for value in read) or read[-1] is None:
        raise BadInput("after: is no place in these pages; take it from a next link and leave sortby as it was")
    if any(value is not None and "\x00" in value for value in read) or len(read[-1]) > 10 * KEY_CHARS_MAX:
        raise BadInput("after: holds what no key can be; take it from a next link")
    return list(read[1:])


def _mark(layer: Layer, order: Order) -> str:
    text = "\x1f".join([layer.name, *(f"{a.name}{'-' if down else '+'}" for a, down in order)])
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def ordering(layer: Layer, order: Order) -> list[sa.ColumnElement[Any]]:
    """ORDER BY: nulls come last either way, the key at the end."""
    return [*[(a.column.desc() if down else a.column.asc()).nulls_last() for a, down in order], layer.key.asc()]


def place(layer: Layer, order: Order) -> sa.ColumnElement[str]:
    """A row's own place, as `cursor_of` reads it."""
    texts = [sa.cast(a.column, sa.Text) for a, _ in order] + [sa.cast(layer.key, sa.Text)]
    return sa.cast(sa.func.json_build_array(*texts), sa.Text)


def behind(layer: Layer, order: Order, values: list[str | None]) -> sa.ColumnElement[bool]:
    """The rows behind a place."""
    condition: sa.ColumnElement[bool] = layer.key > _typed(values[-1], layer.key)
    for (attribute, down), value in reversed(list(zip(order, values[:-1], strict=True))):
        column = attribute.column
        if value is None:
            condition = sa.and_(column.is_(None), condition)
            continue
        held = _typed(value, column)
        further = column < held if down else column > held
        condition = sa.or_(further, column.is_(None), sa.and_(column == held, condition))
    return condition


def _typed(value: str | None, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    held = sa.literal(value, sa.Text)
    return held if isinstance(column.type, sa.Text) else sa.cast(held, column.type)
