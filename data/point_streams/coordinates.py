"""Coordinates out of columns: numbers, text, WKT, WKB and GeoArrow points, with what is wrong with each row."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from gisgrid.locate.points import NO_COORDINATES, NO_GEOMETRY, NO_NUMBER, point_coordinates

Floats = npt.NDArray[np.float64]
Faults = npt.NDArray[np.int8]

_POINT_BYTES: Final = 21
_POINT: Final = np.dtype([("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])
_NUMBER: Final = r"^([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$|^(nan|inf|infinity)$"


def from_columns(x: pa.Array, y: pa.Array) -> tuple[Floats, Floats, Faults]:
    """Two coordinate columns, numeric or text → x, y, faults."""
    (xs, x_faults), (ys, y_faults) = numbers(x), numbers(y)
    faults = np.maximum(x_faults, y_faults) if x_faults.any() or y_faults.any() else x_faults
    return xs, ys, faults


def numbers(column: pa.Array) -> tuple[Floats, Faults]:
    """A column as float64 (NaN where there is none) and a fault per row."""
    if pa.types.is_dictionary(column.type):
        return _coded_numbers(column)
    if _is_text(column.type):
        return _text_numbers(column)
    faults = np.zeros(len(column), np.int8)
    if column.null_count:
        faults[pc.is_null(column).to_numpy(zero_copy_only=False)] = NO_COORDINATES
    try:
        values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    except pa.ArrowNotImplementedError:  # dates, lists and so on
        faults[faults == 0] = NO_NUMBER
        return np.full(len(column), np.nan), faults
    return values, faults


def _coded_numbers(column: pa.DictionaryArray) -> tuple[Floats, Faults]:
    """Each value of the dictionary once, then a look-up."""
    values, value_faults = numbers(column.dictionary)
    at = column.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
    return np.append(values, np.nan)[at], np.append(value_faults, np.int8(NO_COORDINATES)).astype(np.int8)[at]


def _text_numbers(column: pa.Array) -> tuple[Floats, Faults]:
    faults = np.zeros(len(column), np.int8)
    if column.null_count == 0:
        try:
            return column.cast(pa.float64()).to_numpy(zero_copy_only=False), faults
        except pa.ArrowInvalid:
            pass
    # people's numbers: spaces around, full-width digits, a leading plus
    plain = pc.utf8_trim_whitespace(pc.utf8_normalize(column.cast(pa.string()), form="NFKC"))
    missing = pc.fill_null(pc.equal(pc.utf8_length(plain), 0), True).to_numpy(zero_copy_only=False)
    unsigned = pc.replace_substring_regex(plain, r"^[+-]", "")
    negative = pc.fill_null(pc.starts_with(plain, "-"), False).to_numpy(zero_copy_only=False)
    good = pc.fill_null(pc.match_substring_regex(unsigned, _NUMBER, ignore_case=True), False)
    values = pc.if_else(good, unsigned, None).cast(pa.float64()).to_numpy(zero_copy_only=False)
    faults[~good.to_numpy(zero_copy_only=False)] = NO_NUMBER
    faults[missing] = NO_COORDINATES
    return np.where(negative, -values, values), faults


def from_wkt(column: pa.Array) -> tuple[Floats, Floats, Faults]:
    """Points written as text → x, y, faults."""
    texts = np.array(column.cast(pa.string()).to_pylist(), dtype=object)
    return point_coordinates(shapely.from_wkt(texts, on_invalid="ignore"))


def from_wkb(column: pa.Array) -> tuple[Floats, Floats, Faults]:
    """A WKB column → x, y, faults. Plain two-dimensional points, the usual case, are read where they lie."""
    column = _storage(column)
    plain = _plain_points(column)
    if plain is not None:
        xs, ys = np.ascontiguousarray(plain["x"]), np.ascontiguousarray(plain["y"])
        faults = np.zeros(len(xs), np.int8)
        faults[np.isnan(xs) & np.isnan(ys)] = NO_GEOMETRY  # how WKB writes an empty point
        return xs, ys, faults
    shapes = shapely.from_wkb(np.array(column.to_pylist(), dtype=object), on_invalid="ignore")
    return point_coordinates(shapes)


def from_geoarrow(column: pa.Array) -> tuple[Floats, Floats, Faults]:
    """GeoArrow points, separate (struct of x, y) or interleaved (lists of two to four) → x, y, faults."""
    column = _storage(column)
    faults = np.zeros(len(column), np.int8)
    if column.null_count:
        faults[pc.is_null(column).to_numpy(zero_copy_only=False)] = NO_GEOMETRY
    if pa.types.is_struct(column.type):
        parts = [pc.struct_field(column, name) for name in ("x", "y")]
    else:
        parts = [pc.list_element(column, k) for k in range(2)]
    xs, ys = (part.cast(pa.float64()).to_numpy(zero_copy_only=False) for part in parts)
    faults[np.isnan(xs) & np.isnan(ys)] = NO_GEOMETRY
    return xs, ys, faults


def to_wkb(x: Floats, y: Floats) -> pa.Array:
    """Points as WKB, null where a coordinate is not finite."""
    points = np.empty(x.size, _POINT)
    points["order"], points["kind"], points["x"], points["y"] = 1, 1, x, y
    offsets = np.arange(x.size + 1, dtype=np.int32) * _POINT_BYTES
    made = pa.BinaryArray.from_buffers(pa.binary(), x.size, [None, pa.py_buffer(offsets), pa.py_buffer(points)])
    finite = np.isfinite(x) & np.isfinite(y)
    return made if finite.all() else pc.if_else(pa.array(finite), made, None)


def _plain_points(column: pa.Array) -> npt.NDArray[Any] | None:
    """The bytes of a column that holds nothing but little-endian 2-D points, as records; None otherwise."""
    if not pa.types.is_binary(column.type) or column.null_count or len(column) == 0:
        return None
    offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]
    if offsets[-1] - offsets[0] != _POINT_BYTES * len(column) or (np.diff(offsets) != _POINT_BYTES).any():
        return None
    points = np.frombuffer(column.buffers()[2], _POINT, count=len(column), offset=int(offsets[0]))
    return points if (points["order"] == 1).all() and (points["kind"] == 1).all() else None


def _storage(column: pa.Array) -> pa.Array:
    column = column.storage if isinstance(column, pa.ExtensionArray) else column
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
