"""What a plan is drawn on: the units of a set with their borders, in arrays, as the workbench and the checks read it.

Made once from polygons and streets (`ground_of`), kept as one block of bytes (`packed`), the same that browsers get,
and read back from it (`read_ground`). Units are rows in id order, 0 … n − 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import Transformer

from gisgrid import packing
from gisgrid.metrics import compactness_of
from planning.topology import ARC_CLASSES, MAJOR, Topology, unit_topology

Ints = npt.NDArray[np.int64]

MAGIC: Final = b"GGT1"
CRS: Final = "EPSG:3857"
CM: Final = 100.0
COUNTS: Final = ("households", "population", "elderly", "priority", "buildings")
_ARCS: Final = {
    "arc_start": "start", "arc_left": "left", "arc_right": "right", "arc_from": "head", "arc_to": "tail",
    "metres": "metres", "arc_class": "arc_class",
}  # fmt: skip


@dataclass(frozen=True)
class Ground:
    """n units. ``counts``: int32 (n) of each of `COUNTS`; ``compound``, ``community``, ``kind``: rows of
    ``compounds``, ``communities``, ``kinds`` (compound −1: none); ``point`` float64 (n, 2) inside the unit;
    ``arcs``: their borders. Coordinates in EPSG:3857, areas and lengths true metres.
    """

    unit_ids: tuple[str, ...]
    communities: tuple[str, ...]
    community_names: tuple[str, ...]
    compounds: tuple[str, ...]
    kinds: tuple[str, ...]
    counts: dict[str, npt.NDArray[np.int32]]
    compound: npt.NDArray[np.int32]
    community: npt.NDArray[np.int16]
    kind: npt.NDArray[np.int8]
    point: npt.NDArray[np.float64]
    arcs: Topology

    @property
    def count(self) -> int:
        """Units there are."""
        return len(self.unit_ids)

    @property
    def households(self) -> npt.NDArray[np.int32]:
        """Households of each unit."""
        return self.counts["households"]

    @cached_property
    def borders(self) -> Borders:
        """Pairs of units with a common border."""
        return _borders(self.arcs, self.count)

    @cached_property
    def boxes(self) -> npt.NDArray[np.float64]:
        """Bounds of each unit, EPSG:3857, shape (n, 4)."""
        arcs = self.arcs
        low = np.minimum.reduceat(arcs.points, arcs.start[:-1].astype(np.int64), axis=0)
        high = np.maximum.reduceat(arcs.points, arcs.start[:-1].astype(np.int64), axis=0)
        out = np.full((self.count, 4), np.inf)
        out[:, 2:] = -np.inf
        for side in (arcs.left, arcs.right):
            use = side >= 0
            np.minimum.at(out[:, :2], side[use], low[use])
            np.maximum.at(out[:, 2:], side[use], high[use])
        return out


@dataclass(frozen=True)
class Borders:
    """Common borders of units, each pair in both directions, ascending: CSR ``indptr`` (n + 1), ``to`` and ``of`` (m)
    the two units, ``metres`` float64 (m), ``barrier`` float64 (m) metres of it on a river, railway or main road."""

    indptr: Ints
    of: Ints
    to: Ints
    metres: npt.NDArray[np.float64]
    barrier: npt.NDArray[np.float64]


def _borders(arcs: Topology, count: int) -> Borders:
    inner = (arcs.left >= 0) & (arcs.right >= 0)
    left, right = arcs.left[inner].astype(np.int64), arcs.right[inner].astype(np.int64)
    metres = arcs.metres[inner].astype(np.float64)
    barrier = np.where(arcs.arc_class[inner] >= MAJOR, metres, 0.0)
    pair = np.concatenate([left * count + right, right * count + left])
    pairs, which = np.unique(pair, return_inverse=True)
    length, crossed = np.zeros(len(pairs)), np.zeros(len(pairs))
    np.add.at(length, which, np.tile(metres, 2))
    np.add.at(crossed, which, np.tile(barrier, 2))
    of = pairs // max(count, 1)
    indptr = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(of, minlength=count), out=indptr[1:])
    return Borders(indptr, of, pairs % max(count, 1), length, crossed)


def ground_of(units: gpd.GeoDataFrame, streets: gpd.GeoDataFrame | None, names: dict[str, str]) -> Ground:
    """The ground of a units layer (contract columns, any CRS), rows in its order.

    ``streets``: as for `planning.topology.unit_topology`; ``names``: of the communities by code.
    """
    arcs = unit_topology(units, streets)
    forward = Transformer.from_crs(units.crs, CRS, always_xy=True)
    inside = shapely.point_on_surface(units.geometry.to_numpy())
    compound, compounds = _labels(units["compound_id"])
    community, communities = _labels(units["community"])
    kind, kinds = _labels(units["kind"])
    return Ground(
        unit_ids=tuple(units["unit_id"].astype(str)),
        communities=communities,
        community_names=tuple(names.get(code, "") for code in communities),
        compounds=compounds,
        kinds=kinds,
        counts={name: units[name].to_numpy(np.int32) for name in COUNTS},
        compound=compound.astype(np.int32),
        community=community.astype(np.int16),
        kind=kind.astype(np.int8),
        point=np.stack(forward.transform(shapely.get_x(inside), shapely.get_y(inside)), axis=1),
        arcs=_in(arcs, forward),
    )


def _in(arcs: Topology, forward: Transformer) -> Topology:
    points = np.stack(forward.transform(arcs.points[:, 0], arcs.points[:, 1]), axis=1)
    return Topology(
        points, arcs.start, arcs.left, arcs.right, arcs.head, arcs.tail, arcs.metres, arcs.arc_class, arcs.area
    )


def _labels(values: pd.Series) -> tuple[Ints, tuple[str, ...]]:
    rows, found = pd.factorize(values.where(values.isna(), values.astype(str)), sort=True)
    return np.asarray(rows, dtype=np.int64), tuple(str(one) for one in found)


def packed(ground: Ground, unit_set: int) -> bytes:
    """The ground as browsers read it (docs/editing-api.md), coordinates in centimetres from the middle."""
    arcs = ground.arcs
    box = np.concatenate([arcs.points.min(axis=0), arcs.points.max(axis=0)])
    origin = np.round((box[:2] + box[2:]) / 2)
    header = {
        "unit_set": unit_set, "crs": CRS, "origin": origin.tolist(), "unit_ids": ground.unit_ids,
        "communities": [
            {"code": code, "name": name}
            for code, name in zip(ground.communities, ground.community_names, strict=True)
        ],
        "compounds": ground.compounds, "kinds": ground.kinds, "classes": ARC_CLASSES, "major": MAJOR,
    }  # fmt: skip
    arrays: dict[str, npt.NDArray[Any]] = {
        **ground.counts,
        "area": arcs.area.astype(np.float32),
        "point": _centimetres(ground.point, origin),
        "compound": ground.compound,
        "community": ground.community,
        "kind": ground.kind,
        "points": _centimetres(arcs.points, origin),
        **{name: getattr(arcs, ours) for name, ours in _ARCS.items()},
    }
    return packing.pack(MAGIC, header, arrays)


def _centimetres(xy: npt.NDArray[np.float64], origin: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    return np.rint((xy - origin) * CM).astype(np.int32)


def read_ground(block: bytes) -> Ground:
    """The ground a block holds. Raises BadInput for other bytes."""
    header, arrays = packing.unpack(MAGIC, block)
    origin = np.array(header["origin"], dtype=np.float64)
    points, inside = (arrays[name].reshape(-1, 2) / CM + origin for name in ("points", "point"))
    arcs = Topology(
        points=points,
        area=arrays["area"].astype(np.float64),
        **{ours: arrays[name] for name, ours in _ARCS.items()},
    )
    return Ground(
        unit_ids=tuple(header["unit_ids"]),
        communities=tuple(one["code"] for one in header["communities"]),
        community_names=tuple(one["name"] for one in header["communities"]),
        compounds=tuple(header["compounds"]),
        kinds=tuple(header["kinds"]),
        counts={name: arrays[name] for name in COUNTS},
        compound=arrays["compound"],
        community=arrays["community"],
        kind=arrays["kind"],
        point=inside,
        arcs=arcs,
    )


def grid_shape(ground: Ground, owner: npt.NDArray[np.integer[Any]], grids: int) -> tuple[Any, Any, Any]:
    """Area (m²), perimeter (m) and Polsby–Popper compactness of each grid, shape (grids,), from the arcs alone.

    ``owner``: grid of each unit, −1 for none, shape (n,).
    """
    arcs = ground.arcs
    with_none = np.append(np.asarray(owner, dtype=np.int64), -1)
    left, right = with_none[arcs.left], with_none[arcs.right]
    edge = left != right
    metres = arcs.metres.astype(np.float64)
    perimeter = sum(
        np.bincount(side[edge & (side >= 0)], metres[edge & (side >= 0)], minlength=grids) for side in (left, right)
    )
    has = with_none[:-1] >= 0
    area = np.bincount(with_none[:-1][has], arcs.area[has], minlength=grids)
    return area, perimeter, compactness_of(area, perimeter)
