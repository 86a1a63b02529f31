"""Where the features of a layer are."""

from __future__ import annotations

import sqlalchemy as sa

from layers.catalog import Layer

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


def extent(connection: sa.Connection, layer: Layer, generation: int | None) -> Box | None:
    """The box of what a layer holds at a generation; None when it is empty."""
    box = sa.func.ST_Extent(layer.geometry).label("box")
    inner = sa.select(box).select_from(layer.table).where(*layer.conditions(generation)).subquery()
    edges = [getattr(sa.func, f"ST_{side}")(inner.c.box) for side in ("XMin", "YMin", "XMax", "YMax")]
    found = connection.execute(sa.select(*edges)).one()
    return None if found[0] is None else (float(found[0]), float(found[1]), float(found[2]), float(found[3]))
