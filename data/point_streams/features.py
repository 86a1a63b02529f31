"""GeoJSON features as rows: coordinates and faults, columns of their properties, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import shapely

from data.point_streams import coordinates
from gisgrid.locate.points import NO_COORDINATES, NO_FAULT, NO_GEOMETRY, NO_NUMBER, NO_POINT

Floats = npt.NDArray[np.float64]
Faults = npt.NDArray[np.int8]
Json = dict[str, Any]


def from_features(features: Sequence[Any]) -> tuple[Floats, Floats, Faults]:
    """x, y and faults of features; whatever stands where a point should is a fault of its row."""
    pairs: list[tuple[Any, Any]] = []
    faults = np.zeros(len(features), np.int8)
    for row, feature in enumerate(features):
        geometry = feature.get("geometry") if isinstance(feature, dict) else None
        at = geometry.get("coordinates") if isinstance(geometry, dict) else None
        if geometry is None:
            faults[row] = NO_GEOMETRY
        elif not isinstance(geometry, dict) or geometry.get("type") != "Point":
            faults[row] = NO_POINT
        elif at == []:
            faults[row] = NO_GEOMETRY
        pairs.append((at[0], at[1]) if isinstance(at, list) and len(at) >= 2 and not faults[row] else (None, None))
    x, y, own = from_pairs(pairs)
    return x, y, np.where(faults != NO_FAULT, faults, own).astype(np.int8)


def from_pairs(pairs: Sequence[tuple[Any, Any]]) -> tuple[Floats, Floats, Faults]:
    """x, y and faults of pairs of JSON values."""
    (x, x_faults), (y, y_faults) = (from_values([pair[k] for pair in pairs]) for k in range(2))
    return x, y, np.maximum(x_faults, y_faults)


def from_values(values: list[Any]) -> tuple[Floats, Faults]:
    """JSON values as numbers and their faults; text that plainly is a number is taken for it."""
    faults = np.zeros(len(values), np.int8)
    if {type(value) for value in values} <= {float, int}:  # a bool's type is neither
        return np.array(values, np.float64), faults
    out = np.full(len(values), np.nan)
    texts: list[int] = []
    for row, value in enumerate(values):
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            out[row] = value
        elif isinstance(value, str):
            texts.append(row)
        else:
            faults[row] = NO_COORDINATES if value is None else NO_NUMBER
    if texts:
        out[texts], faults[texts] = coordinates.numbers(pa.array([values[row] for row in texts], pa.string()))
    return out, faults


def kind_of(value: Any) -> type:
    """The type of a JSON value; ``object`` for whole numbers no column of integers holds."""
    kind = type(value)
    return object if kind is int and not -(2**63) <= value < 2**63 else kind


def kinds_of(values: Iterable[Any]) -> set[type]:
    """Types that occur among JSON values, null left out."""
    return {kind_of(value) for value in values} - {type(None)}


def type_of(kinds: set[type]) -> pa.DataType:
    """The Arrow type of a column of JSON values: their own when they have one, else text."""
    if not kinds or kinds == {str}:
        return pa.string()
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    return pa.float64() if kinds <= {int, float} else pa.string()


def column_of(values: list[Any], kind: pa.DataType) -> pa.Array:
    """JSON values as a column of `type_of` their kinds; what is no text becomes JSON text in a text column."""
    if pa.types.is_string(kind):
        plain = [v if v is None or isinstance(v, str) else orjson.dumps(v).decode() for v in values]
        return pa.array(plain, kind)
    if pa.types.is_floating(kind):
        return pa.array([None if v is None else float(v) for v in values], kind)
    return pa.array(values, kind)


def is_odd(feature: Any) -> bool:
    """Whether a feature has a geometry that is no point in the plane."""
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    if not isinstance(geometry, dict):
        return False
    at = geometry.get("coordinates")
    return geometry.get("type") != "Point" or (isinstance(at, list) and len(at) > 2)


def shapes_of(features: Sequence[Any], x: Floats, y: Floats) -> tuple[pa.Array, bool]:
    """WKB of the features' geometries, and whether all are points in the plane; what is no geometry is null."""
    odd = [row for row, feature in enumerate(features) if is_odd(feature)]
    points = coordinates.to_wkb(x, y)
    if not odd:
        return points, True
    texts = [orjson.dumps(features[row]["geometry"]).decode() for row in odd]
    made = points.to_pylist()
    for row, shape in zip(odd, shapely.from_geojson(texts, on_invalid="ignore").tolist(), strict=True):
        made[row] = None if shape is None else shape.wkb
    return pa.array(made, pa.binary()), False


def geometries_json(shapes: pa.Array) -> list[Any]:
    """A WKB column as GeoJSON geometries, ready for orjson."""
    x, y, faults = coordinates.from_wkb(shapes)
    made: list[Any] = [
        {"type": "Point", "coordinates": at} if not fault else None
        for at, fault in zip(np.column_stack((x, y)).tolist(), faults.tolist(), strict=True)
    ]
    for row in np.flatnonzero(faults == NO_POINT).tolist():
        made[row] = orjson.Fragment(shapely.to_geojson(shapely.from_wkb(shapes[row].as_py())))
    return made
