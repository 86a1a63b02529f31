"""A made city of 24 square units in two communities, small enough for a model that is only a dict."""

from __future__ import annotations

import sqlalchemy as sa
from shapely.geometry import MultiPolygon, Polygon, box

from data import tables as t
from data.loading import insert_one

COLUMNS, ROWS = 6, 4
UNITS = COLUMNS * ROWS
STEP, WEST, SOUTH = 0.002, 112.8, 35.5
AREA = "379900"
COMMUNITIES = ("379900001001", "379900001002")
HOUSEHOLDS = 100


def square(unit: int) -> Polygon:
    """Ground of a unit; they are counted row by row from the south-west."""
    row, column = divmod(unit, COLUMNS)
    return box(WEST + column * STEP, SOUTH + row * STEP, WEST + (column + 1) * STEP, SOUTH + (row + 1) * STEP)


def centre(unit: int) -> tuple[float, float]:
    """lon, lat in the middle of a unit."""
    point = square(unit).centroid
    return float(point.x), float(point.y)


def home(unit: int) -> str:
    """The community of a unit: the left or the right half."""
    return COMMUNITIES[int(unit % COLUMNS >= COLUMNS // 2)]


def beside(unit: int) -> set[int]:
    """Units that share a side with one."""
    row, column = divmod(unit, COLUMNS)
    near = ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1))
    return {r * COLUMNS + c for r, c in near if 0 <= r < ROWS and 0 <= c < COLUMNS}


def in_one_piece(units: set[int]) -> bool:
    """Whether one can walk between all of them over shared sides."""
    if not units:
        return False
    seen, todo = set(), [min(units)]
    while todo:
        unit = todo.pop()
        if unit not in seen:
            seen.add(unit)
            todo += beside(unit) & units
    return seen == units


def build(connection: sa.Connection) -> None:
    """Areas and units, in the caller's transaction; no plan yet."""

    def wkt(shape: Polygon) -> str:
        return f"SRID={t.SRID};{MultiPolygon([shape]).wkt}"

    whole = box(WEST, SOUTH, WEST + COLUMNS * STEP, SOUTH + ROWS * STEP)
    halves = [
        box(WEST + side * COLUMNS // 2 * STEP, SOUTH, WEST + (side + 1) * COLUMNS // 2 * STEP, SOUTH + ROWS * STEP)
        for side in (0, 1)
    ]
    rows = [(AREA, "district", None, whole), (COMMUNITIES[0][:9], "street", AREA, whole)]
    rows += [(code, "community", code[:9], half) for code, half in zip(COMMUNITIES, halves, strict=True)]
    for code, level, parent, shape in rows:
        values = {"code": code, "level": level, "parent": parent, "name": f"地{code[-3:]}", "geometry": wkt(shape)}
        connection.execute(sa.insert(t.areas).values(values))
    unit_set = insert_one(connection, t.unit_sets, area=AREA, params={})
    for unit in range(UNITS):
        connection.execute(
            sa.insert(t.units).values(
                unit_set=unit_set, unit_id=f"u{unit}", households=HOUSEHOLDS, population=2 * HOUSEHOLDS, block_id="",
                kind="residential", community=home(unit), geometry=wkt(square(unit)),
            )
        )  # fmt: skip
