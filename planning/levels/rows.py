"""Rows of a nested grid layer: who owns which piece, codes, names, shapes and figures of one level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gisgrid import topology
from gisgrid.codes import reading_order
from gisgrid.metrics import compactness_of
from gisgrid.models import Band
from planning.levels.atoms import Atoms
from planning.partition.result import whole_numbers

Ints = npt.NDArray[np.int64]
Geometries = npt.NDArray[np.object_]

ORDINARY: Final = "ordinary"
DIGITS: Final = 2
"""Digits a deeper level adds to a code; more, for the whole level, where a parent has more children than they count."""
_NAMES: Final = {"building": "{}{}栋", "entrance": "{}{}单元"}


@dataclass(frozen=True)
class LevelRows:
    """One level: ``owner`` row of ``table`` of every piece (m), the table (k), its polygons (k), ``parent`` row of the
    level above (k, −1 on the first).
    """

    owner: npt.NDArray[np.integer[Any]]
    table: pd.DataFrame = field(repr=False)
    geometry: Geometries = field(repr=False)
    parent: Ints


def rows_of(atoms: Atoms, label: Ints, above: LevelRows, level: int, kind: str) -> LevelRows:
    """The rows of a level from the label 0…k-1 of every piece, each inside one grid of the level above.

    Sorted as the parents are, then in reading order inside each, which is the order of the codes; entrances by their
    own numbers where the pieces tell them (column ``entrance``).
    """
    k = int(label.max()) + 1
    first = np.unique(label, return_index=True)[1]
    parent = np.asarray(above.owner[first], dtype=np.int64)
    geometry = topology.dissolve(atoms.pieces.geometry.to_numpy(), label, k)
    number = _numbers_in(parent, geometry)
    if kind == "entrance" and "entrance" in atoms.pieces:
        number = _door_numbers(parent, number, atoms, label)
    order = np.lexsort((number, parent))
    rank = np.empty(k, dtype=np.int32)
    rank[order] = np.arange(k, dtype=np.int32)
    owner, parent, number, geometry = rank[label], parent[order], number[order], geometry[order]
    width = max(DIGITS, len(str(int(number.max()))))
    over = above.table.iloc[parent]
    codes = [f"{code}{n:0{width}d}" for code, n in zip(over["code"], number.tolist(), strict=True)]
    table = pd.DataFrame(
        {
            "code": np.array(codes, dtype=object),
            "name": [_name(name, n, level, kind) for name, n in zip(over["name"], number.tolist(), strict=True)],
            "level": np.full(k, level, dtype=np.int64),
            "parent": over["code"].to_numpy(dtype=object),
            "community": over["community"].to_numpy(dtype=object),
            "kind": over["kind"].to_numpy(dtype=object),
            "households": whole_numbers(np.bincount(owner, atoms.piece_households, minlength=k)),
            "population": whole_numbers(np.bincount(owner, atoms.piece_population, minlength=k)),
            "compactness": compactness_of(shapely.area(geometry), shapely.length(geometry)),
        }
    )
    return LevelRows(owner, table, geometry, parent)


def _numbers_in(parent: Ints, geometry: Geometries) -> Ints:
    """Number 1 … of each grid inside its parent, in reading order."""
    xy = shapely.get_coordinates(shapely.centroid(geometry))
    number = np.empty(len(parent), dtype=np.int64)
    order = np.argsort(parent, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(parent[order])) + 1):
        number[rows[reading_order(xy[rows, 0], xy[rows, 1])]] = np.arange(1, len(rows) + 1)
    return number


def _door_numbers(parent: Ints, number: Ints, atoms: Atoms, label: Ints) -> Ints:
    """`number`, and where all entrances inside a parent have numbers of their own (column ``entrance``), those."""
    told = pd.to_numeric(atoms.pieces["entrance"], errors="coerce").fillna(0).to_numpy(dtype=np.int64)
    door = np.zeros(len(parent), dtype=np.int64)
    np.maximum.at(door, label, told)
    twice = np.zeros(len(parent), dtype=bool)
    order = np.lexsort((door, parent))
    same = (np.diff(door[order]) == 0) & (np.diff(parent[order]) == 0)
    twice[order[1:][same]] = True
    unclear = np.unique(parent[twice | (door <= 0)])
    return np.where(np.isin(parent, unclear), number, door)


def _name(above: str, number: int, level: int, kind: str) -> str:
    """第003网格第02微网格, below that 第003网格第02微网格-01; 5栋, 2单元."""
    if kind in _NAMES:
        return _NAMES[kind].format(above, number)
    return f"{above}第{number:02d}微网格" if level == 2 else f"{above}-{number:02d}"


def buildings_of(atoms: Atoms, above: LevelRows) -> Ints:
    """Label of every piece for a level ``building``: each unit with homes or buildings is one, units with neither join
    the one of their parent they border longest; a parent without any building stays whole.
    """
    own = (atoms.households > 0) | (atoms.buildings > 0)
    parent = np.asarray(above.owner[atoms.first], dtype=np.int64)
    return _settled(own, parent, atoms.units.geometry.to_numpy())[atoms.unit]


def entrances_of(atoms: Atoms, above: LevelRows) -> Ints:
    """Label of every piece for a level ``entrance``: each strip of a divided unit is one, and each whole unit with
    homes or buildings; the other pieces join what they border longest.
    """
    own = (atoms.split | (atoms.households > 0) | (atoms.buildings > 0))[atoms.unit]
    return _settled(own, np.asarray(above.owner, dtype=np.int64), atoms.pieces.geometry.to_numpy())


def _settled(own: npt.NDArray[np.bool_], parent: Ints, geometry: Geometries) -> Ints:
    n = len(own)
    label = np.where(own, np.arange(n), -1)
    if not own.all():
        shared = topology.borders(topology.edges(geometry))
        label, loose = topology.absorb(label, ~own, shared, groups=parent)
        label[loose] = n + parent[loose]
    return np.unique(label, return_inverse=True)[1].astype(np.int64)


def level_stats(atoms: Atoms, rows: LevelRows, band: Band | None) -> dict[str, Any]:
    """Figures of one level: counts, households, shape, and the share of ordinary grids in the band.

    ``single_units_above``: ordinary grids above the band that hold one unit with households and so cannot be divided;
    ``in_band_divisible``: the share in band of all others.
    """
    table = rows.table
    ordinary = (table["kind"] == ORDINARY).to_numpy()
    loads = table["households"].to_numpy(dtype=np.float64)[ordinary]
    children = np.bincount(rows.parent[rows.parent >= 0], minlength=1)
    found: dict[str, Any] = {
        "grids": len(table),
        "ordinary_grids": int(ordinary.sum()),
        "special_grids": int((~ordinary).sum()),
        "parents": int((children > 0).sum()),
        "children_most": int(children.max()),
        "households_mean": round(float(loads.mean()), 2) if len(loads) else 0.0,
        "compactness_mean": float(table["compactness"].mean()),
    }
    if band is not None:
        inside = (loads >= band.low) & (loads <= band.high)
        lived = np.bincount(rows.owner, atoms.piece_households > 0, minlength=len(table))[ordinary]
        whole = (loads > band.high) & (lived <= 1)
        outside = np.maximum(band.low - loads, 0.0) + np.maximum(loads - band.high, 0.0)
        found |= {
            "band": str(band),
            "in_band": float(inside.mean()) if len(loads) else 1.0,
            "in_band_divisible": float(inside[~whole].mean()) if (~whole).any() else 1.0,
            "single_units_above": int(whole.sum()),
            "grids_above": int((loads > band.high).sum()),
            "grids_below": int((loads < band.low).sum()),
            "households_outside_band": float(outside.sum()),
        }
    return found


def joined_layer(levels: Sequence[LevelRows], crs: Any) -> tuple[gpd.GeoDataFrame, npt.NDArray[np.int32]]:
    """All levels as one grid layer, and the row in it of every piece on every level (m, levels)."""
    start = np.cumsum([0, *(len(one.table) for one in levels)])
    owners = np.stack([one.owner + at for one, at in zip(levels, start, strict=False)], axis=1).astype(np.int32)
    table = pd.concat([one.table for one in levels], ignore_index=True)
    # a first level alone has no parents, and no text column then
    table["parent"] = table["parent"].astype(object).where(table["parent"].notna(), None)
    geometry = np.concatenate([one.geometry for one in levels])
    return gpd.GeoDataFrame(table, geometry=geometry, crs=crs), owners
