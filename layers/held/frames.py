"""A held layer of a GeoDataFrame: for tests, benchmarks and notebooks, without a database."""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray

from layers.catalog.model import Attribute, Kind, Layer, Shape
from layers.columns import Column, column_of, kind_of
from layers.held.layer import HeldLayer
from layers.held.shapes import shapes_of

_SQL: Final[dict[Kind, sa.types.TypeEngine[Any]]] = {
    "string": sa.Text(),
    "integer": sa.BigInteger(),
    "number": sa.Float(),
    "boolean": sa.Boolean(),
    "date": sa.Date(),
    "date-time": sa.TIMESTAMP(timezone=True),
    "array": sa.JSON(),
}
_SHAPES: Final[tuple[tuple[frozenset[int], Shape], ...]] = (
    (frozenset({0, 4}), "point"),
    (frozenset({1, 2, 5}), "line"),
    (frozenset({3, 6}), "polygon"),
)


def held_from_frame(
    layer: Layer | str, frame: gpd.GeoDataFrame, *, keys: NDArray[Any] | None = None, revision: str = "frame"
) -> HeldLayer:
    """The rows of ``frame`` in their order, drawn in it. Geometries in EPSG:4490; another CRS is converted, a frame
    without one taken as degrees of EPSG:4490. ``layer``: a layer of the catalogue (columns it does not have are left
    out, missing ones are null) or a name (every column is an attribute). ``keys``: the frame's index when not given.
    """
    if frame.crs is not None and not frame.crs.equals("EPSG:4490"):
        frame = frame.to_crs("EPSG:4490")
    geometries = frame.geometry.to_numpy()
    table = {str(name): frame[name].to_numpy() for name in frame.columns if name != frame.geometry.name}
    if isinstance(layer, str):
        layer = _layer(layer, {name: kind_of(values) for name, values in table.items()}, geometries)
    columns: dict[str, Column] = {}
    nothing = np.full(len(frame), None, object)
    for attribute in layer.attributes:
        columns[attribute.name] = column_of(attribute.kind, table.get(attribute.name, nothing))
    return HeldLayer(
        layer, shapes_of(geometries), columns, frame.index.to_numpy() if keys is None else keys, revision=revision
    )


def _layer(name: str, kinds: dict[str, Kind], geometries: NDArray[Any]) -> Layer:
    types = set(shapely.get_type_id(geometries[~shapely.is_missing(geometries)]).tolist())
    shape: Shape = next((shape for of, shape in _SHAPES if types and types <= of), "mixed")
    attributes = tuple(Attribute(key, sa.column(key, _SQL[kind]), key, key) for key, kind in kinds.items())
    return Layer(name, name, name, sa.table(name), sa.column("key", sa.Text()), attributes, shape=shape)
