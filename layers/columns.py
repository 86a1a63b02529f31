"""Attribute columns in memory: texts as codes into their different values, everything with nulls."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layers.catalog.model import Kind

_TYPES: Final[Mapping[str, str]] = {
    "integer": "int64",
    "number": "float64",
    "boolean": "bool",
    "date": "datetime64[D]",
    "date-time": "datetime64[us]",
}

_WEIGHED: Final = 1_000
"""Texts of a column whose bytes are counted."""


@dataclass(frozen=True, slots=True)
class Column:
    """Values of one attribute, one a row; ``column[rows]`` are plain values.

    ``data``: codes (int32, -1: null) into the sorted ``values`` for texts; int64, float64, bool, datetime64[D] or
    datetime64[us] (UTC) for what those kinds say; objects for arrays. ``nulls``: True where there is no value (None:
    there is one everywhere).
    """

    kind: Kind
    data: NDArray[Any]
    nulls: NDArray[np.bool_] | None = None
    values: NDArray[np.object_] | None = None

    def __len__(self) -> int:
        return len(self.data)

    @property
    def nbytes(self) -> int:
        """Bytes held; texts and other objects counted with what Python adds to each."""
        extra = 0 if self.nulls is None else self.nulls.nbytes
        if self.values is not None:
            some = self.values[:: max(1, len(self.values) // _WEIGHED)]  # they are alike, and may be millions
            extra += len(self.values) * sum(90 + 2 * len(text) for text in some) // max(1, len(some))
        if self.data.dtype == object:
            extra += 150 * len(self.data)
        return self.data.nbytes + extra

    def __getitem__(self, rows: Any) -> Any:
        """Values of rows (numbers, a mask, a slice, one number): texts and what has nulls as objects with None."""
        if np.ndim(rows) == 0 and not isinstance(rows, slice):
            return self[np.array([rows])][0]
        taken = self.data[rows]
        if self.values is not None:
            if not len(self.values):
                return np.full(len(taken), None, object)
            found = self.values[taken]
            if self.nulls is not None:
                found[taken < 0] = None
            return found
        if self.nulls is None or taken.dtype.kind == "M":
            return taken
        without = self.nulls[rows]
        if not without.any():
            return taken
        found = taken.astype(object)
        found[without] = None
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All values, as `__getitem__` tells them."""
        return np.asarray(self[:], dtype=dtype)

    def take(self, rows: NDArray[Any]) -> Self:
        """The column of some rows, in their order; a text's values stay what they are."""
        nulls = None if self.nulls is None else self.nulls[rows]
        return type(self)(self.kind, self.data[rows], nulls, self.values)


def column_of(kind: Kind, values: Sequence[Any] | NDArray[Any]) -> Column:
    """Column of Python or NumPy values; None, NaN and NaT are null. Times without a zone count as UTC."""
    if kind == "string":
        return _texts(values)
    if kind == "array":
        data = np.empty(len(values), object)
        data[:] = list(values)
        return Column(kind, data, _some(np.array([value is None for value in data], bool)))
    given = np.asarray(values) if isinstance(values, np.ndarray) else np.array(values, object)
    nulls = np.asarray(pd.isna(given), bool)
    if kind in ("date", "date-time"):
        times = pd.to_datetime(pd.Series(given), utc=True, format="ISO8601" if given.dtype == object else None)
        unit = "us" if kind == "date-time" else "D"
        data = times.dt.tz_localize(None).to_numpy().astype(f"datetime64[{unit}]")
        return Column(kind, data, _some(nulls))
    if nulls.any():
        given = np.where(nulls, np.zeros((), object) + 0, given)
    return Column(kind, given.astype(_TYPES[kind]), _some(nulls))


def _texts(values: Sequence[Any] | NDArray[Any]) -> Column:
    codes, found = pd.factorize(np.asarray(values, object), use_na_sentinel=True)
    texts = np.array([str(text) for text in found], object)
    order = np.argsort(texts, kind="stable") if len(texts) else np.zeros(0, np.intp)
    rank = np.empty(len(order) + 1, np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    rank[-1] = -1  # the code of null is -1: the last
    data = rank[codes]
    return Column("string", data, _some(data < 0), texts[order])


def _some(nulls: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    return nulls if nulls.any() else None


def joined(columns: Sequence[Column]) -> Column:
    """The columns of one attribute one behind the other."""
    first = columns[0]
    if len(columns) == 1:
        return first
    nulls = None
    if any(column.nulls is not None for column in columns):
        nulls = np.concatenate([np.zeros(len(c), bool) if c.nulls is None else c.nulls for c in columns])
    if first.values is None:
        return Column(first.kind, np.concatenate([column.data for column in columns]), nulls)
    known = [column.values for column in columns if column.values is not None]
    if len(columns) == 2 and len(known[1]) * 50 < len(known[0]):
        return _with_few(columns[0], columns[1], nulls)
    places, texts = pd.factorize(np.concatenate(known))
    order = np.argsort(texts, kind="stable") if len(texts) else np.zeros(0, np.intp)
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    ends = np.cumsum([len(values) for values in known])[:-1]
    data = [
        np.append(codes, np.int32(-1))[column.data]
        for column, codes in zip(columns, np.split(rank[places], ends), strict=True)
    ]
    return Column(first.kind, np.concatenate(data), nulls, np.asarray(texts, object)[order])


def _with_few(many: Column, few: Column, nulls: NDArray[np.bool_] | None) -> Column:
    """Texts of ``few`` behind those of ``many``: the long list of different texts is kept, or widened once."""
    values, wanted = many.values, few.values
    assert values is not None
    assert wanted is not None
    if not len(wanted):
        return Column(many.kind, np.concatenate((many.data, few.data)), nulls, values)
    at = np.searchsorted(values, wanted)
    new = np.array([k >= len(values) or values[k] != text for k, text in zip(at, wanted, strict=True)], bool)
    moved = np.zeros(len(values) + 1, np.int32)
    np.add.at(moved, at[new], 1)
    moved = np.cumsum(moved, dtype=np.int32)  # how many new texts stand before (and at) each place
    shift = np.append(moved[: len(values)], np.int32(0)) if len(values) else np.zeros(1, np.int32)
    data = many.data + shift[many.data] if new.any() else many.data
    codes = (at + np.cumsum(new) - new).astype(np.int32)
    return Column(
        many.kind, np.concatenate((data, np.append(codes, np.int32(-1))[few.data])), nulls,
        np.insert(values, at[new], wanted[new]) if new.any() else values,
    )  # fmt: skip


def kind_of(values: Sequence[Any] | NDArray[Any]) -> Kind:
    """Kind of a column of a table read from elsewhere, by its NumPy type or its first value."""
    dtype = np.dtype(object) if not isinstance(values, np.ndarray) else values.dtype
    kinds: dict[str, Kind] = {"b": "boolean", "i": "integer", "u": "integer", "f": "number", "M": "date-time"}
    if dtype.kind != "O":
        return kinds.get(dtype.kind, "string")
    first = next((value for value in values if not np.isscalar(pd.isna(value)) or not pd.isna(value)), None)
    for types, kind in _PYTHON:
        if isinstance(first, types):
            return kind
    return "string"


_PYTHON: Final[tuple[tuple[type | tuple[type, ...], Kind], ...]] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (dt.datetime, "date-time"),
    (dt.date, "date"),
    ((list, tuple, dict), "array"),
)
