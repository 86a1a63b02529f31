"""Which columns of a table hold the position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.files import WKT_COLUMNS, X_COLUMNS, Y_COLUMNS
from data.point_streams import coordinates
from gisgrid.errors import BadInput

Floats = npt.NDArray[np.float64]
Faults = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Position:
    """Either two columns with x and y, or one with WKT."""

    x: str = ""
    y: str = ""
    wkt: str = ""

    def read(self, table: pa.RecordBatch) -> tuple[Floats, Floats, Faults]:
        """x, y and faults of a batch."""
        if self.wkt:
            return coordinates.from_wkt(table.column(self.wkt))
        return coordinates.from_columns(table.column(self.x), table.column(self.y))


def position_columns(names: Sequence[str], asked: tuple[str, str] | None, path: Path) -> Position:
    """The columns asked for, or those known by their names: lon and lat, x and y, 经度 and 纬度, or wkt.

    Raises BadInput when there are none.
    """
    listed = ", ".join(names[:20])
    if asked is not None:
        for name in asked:
            if name not in names:
                raise BadInput(f"{path}: has no column {name!r}; it has: {listed}", path=str(path))
        if asked[0] == asked[1]:
            raise BadInput(f"{path}: {asked[0]!r} cannot be both longitude and latitude; name two columns")
        return Position(*asked)
    known = {name.strip().lower(): name for name in reversed(names)}
    x, y, wkt = (
        next((known[name] for name in wanted if name in known), None) for wanted in (X_COLUMNS, Y_COLUMNS, WKT_COLUMNS)
    )
    if x is not None and y is not None:
        return Position(x, y)
    if wkt is not None:
        return Position(wkt=wkt)
    raise BadInput(
        f"{path}: no coordinates; the table needs columns lon and lat, x and y, or wkt (or name them with --columns); "
        f"it has: {listed}",
        path=str(path),
    )
