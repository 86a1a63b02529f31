"""Which units touch, along how many metres, and what runs between them.

Adjacency is exact and rook: two units are neighbours when they share boundary *segments* (same two end vertices), so
a corner touch is no neighbour and no distance tolerance can invent one. That needs a noded coverage, every T-junction a
vertex of all units there; input that is not one is noded first (`noded_geometry`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from gisgrid import topology
from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from gisgrid.limits import COVER_SLIVER_M2
from gisgrid.models import STREET_CLASSES

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Geometries = npt.NDArray[np.object_]

CLASSES: Final[tuple[str, ...]] = (*STREET_CLASSES, "none")
"""Names of the values of `UnitGraph.street`: 0 river … 5 wall, 6 nothing."""
NO_STREET: Final = len(STREET_CLASSES)
MAJOR_CLASSES: Final = 3
"""Classes below this number (river, primary, secondary) are major barriers."""
NODE_METRES: Final = 0.01
"""Vertices and edges nearer than this are taken to be the same when units are noded."""

_BY_CLS: Final[dict[str, int]] = {name: row for row, name in enumerate(STREET_CLASSES)} | {
    # a railway is crossed at a few places only, like a main road; a service road is seen on the ground, like a wall
    "rail": 1,
    "canal": 0,
    "service": 5,
}
_BY_HIGHWAY: Final[dict[str, int]] = {
    **dict.fromkeys(("motorway", "trunk", "primary", "motorway_link", "trunk_link", "primary_link"), 1),
    **dict.fromkeys(("secondary", "secondary_link"), 2),
    **dict.fromkeys(("tertiary", "tertiary_link"), 3),
    **dict.fromkeys(("residential", "living_street", "unclassified", "road"), 4),
    **dict.fromkeys(("service", "track"), 5),
}


@dataclass(frozen=True, slots=True)
class UnitGraph:
    """Rook adjacency of n units in CSR form, each pair stored in both directions (m entries).

    ``indptr`` int32 (n+1), ``indices`` int32 (m, ascending within a row), ``border`` float64 (m) shared metres,
    ``street`` int8 (m) row of `CLASSES`, ``by_class`` float32 (m, 7) shared metres along each class,
    ``area`` float64 (n) m², ``perimeter`` float64 (n) metres of the whole boundary, holes included.
    """

    indptr: npt.NDArray[np.int32]
    indices: npt.NDArray[np.int32]
    border: Floats
    street: npt.NDArray[np.int8]
    by_class: npt.NDArray[np.float32]
    area: Floats
    perimeter: Floats

    @property
    def sources(self) -> npt.NDArray[np.int32]:
        """Row number of every CSR entry, int32 (m)."""
        rows = np.arange(len(self.area), dtype=np.int32)
        return np.repeat(rows, np.diff(self.indptr))

    def neighbours(self, row: int) -> npt.NDArray[np.int32]:
        """Rows of the units that touch unit ``row``."""
        return self.indices[self.indptr[row] : self.indptr[row + 1]]


def unit_graph(
    units: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None = None,
    *,
    min_border: float = 0.5,
    street_tolerance: float = 2.0,
) -> UnitGraph:
    """Rook adjacency of units, with the street class of each common border.

    `units`: polygons, any CRS (taken to a metric one); `unit_id` is used in messages only. `streets`: lines with
    ``cls`` (river|primary|secondary|tertiary|residential|wall, also rail, canal, service) or OSM ``highway``, any CRS;
    None means no classes. Two units are neighbours when they share more than `min_border` metres. A border's class is
    the strongest class c such that streets of class c or stronger lie within `street_tolerance` metres of at least
    half of it (judged at segment midpoints). Raises BadInput for units without CRS, missing, invalid or overlapping.
    """
    metric = metric_units(units)
    geometry = noded_geometry(metric)
    lines = None if streets is None else to_metric_like(streets, metric)
    return graph_of(geometry, lines, min_border=min_border, street_tolerance=street_tolerance)


def metric_units(units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Units in a metric CRS with a fresh 0…n-1 index; every geometry checked. Raises BadInput."""
    if len(units) == 0:
        raise BadInput("the units layer is empty; give at least one unit polygon")
    if units.crs is None:
        raise BadInput("the units layer has no coordinate system; say which with --crs")
    metric = to_metric(units).reset_index(drop=True)
    _check_geometry(metric)
    return metric


def to_metric_like(lines: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """A line layer in the CRS of `units`. Raises BadInput when it has no CRS."""
    if len(lines) == 0:
        return lines
    if lines.crs is None:
        raise BadInput("the streets layer has no coordinate system; say which with --crs")
    return lines if lines.crs == units.crs else lines.to_crs(units.crs)


def unit_names(units: gpd.GeoDataFrame) -> npt.NDArray[np.object_]:
    """What messages call the units: `unit_id`, or ``row N`` without that column."""
    if "unit_id" in units.columns:
        return np.asarray(units["unit_id"].astype(str), dtype=object)
    return np.array([f"row {row}" for row in range(len(units))], dtype=object)


def _check_geometry(units: gpd.GeoDataFrame) -> None:
    geometry = units.geometry.to_numpy()
    absent = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    polygon = np.isin(shapely.get_type_id(geometry), (3, 6))
    for wrong, trouble in (
        (absent, "has no geometry; remove the row or draw the unit"),
        (~polygon & ~absent, "is not a polygon; units must be polygons"),
        (~absent & ~shapely.is_valid(geometry), "has an invalid geometry; repair it (gisgrid import does)"),
    ):
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            more = f" ({int(wrong.sum())} such units)" if wrong.sum() > 1 else ""
            raise BadInput(f"unit {unit_names(units)[row]} {trouble}{more}", row=row)


# --- noding -----------------------------------------------------------------------------


def noded_geometry(units: gpd.GeoDataFrame, *, overlap_m2: float = COVER_SLIVER_M2) -> Geometries:
    """Unit polygons as an exactly noded coverage, metric CRS in and out.

    A valid coverage without gaps narrower than that comes back as it is. Otherwise the boundaries are noded on a
    `NODE_METRES` grid and each face goes to its unit; gap slivers below `overlap_m2` go to the neighbour with the
    longest border, larger gaps stay gaps.
    Raises BadInput when two units overlap by more than `overlap_m2` square metres.
    """
    geometry: Geometries = np.asarray(units.geometry.to_numpy(), dtype=object)
    wrong = ~shapely.is_empty(shapely.coverage_invalid_edges(geometry, gap_width=NODE_METRES))
    if not wrong.any():
        return geometry
    _refuse_overlaps(units, geometry, np.flatnonzero(wrong), overlap_m2)
    return _renode(units, geometry, overlap_m2)


def _refuse_overlaps(units: gpd.GeoDataFrame, geometry: Geometries, rows: Ints, limit_m2: float) -> None:
    # a unit inside another is flagged alone, so flagged rows are held against all
    one, two = shapely.STRtree(geometry).query(geometry[rows], predicate="intersects")
    one = rows[one]
    pair = np.unique(np.stack([np.minimum(one, two), np.maximum(one, two)], axis=1)[one != two], axis=0)
    one, two = pair[:, 0], pair[:, 1]
    common = shapely.area(shapely.intersection(geometry[one], geometry[two]))
    bad = np.flatnonzero(common > limit_m2)
    if len(bad):
        worst = bad[np.argmax(common[bad])]
        names = unit_names(units)
        raise BadInput(
            f"units {names[one[worst]]} and {names[two[worst]]} overlap by {common[worst]:.1f} m² "
            f"({len(bad)} overlapping pairs); make the units a coverage without overlaps",
            pairs=len(bad),
        )


def _renode(units: gpd.GeoDataFrame, geometry: Geometries, sliver_m2: float) -> Geometries:
    faces: Geometries = topology.faces(shapely.boundary(geometry), precision=NODE_METRES)
    inside = shapely.point_on_surface(faces)
    face, unit = shapely.STRtree(geometry).query(inside, predicate="intersects")
    owner = np.full(len(faces), len(geometry), dtype=np.int64)
    np.minimum.at(owner, face, unit)
    owner[owner == len(geometry)] = -1
    sliver = (owner < 0) & (shapely.area(faces) < sliver_m2)
    if sliver.any():
        owner, _ = topology.absorb(owner, sliver, topology.borders(topology.edges(faces)))
    noded: Geometries = topology.dissolve(faces, owner, len(geometry))
    lost = np.flatnonzero(shapely.is_missing(noded))
    if len(lost):
        row = int(lost[0])
        raise BadInput(f"unit {unit_names(units)[row]} is too small or covered by another; remove it", row=row)
    return noded


# --- adjacency --------------------------------------------------------------------------


def graph_of(
    geometry: Geometries,
    streets: gpd.GeoDataFrame | None = None,
    *,
    min_border: float = 0.5,
    street_tolerance: float = 2.0,
) -> UnitGraph:
    """`unit_graph` of polygons that are already a noded coverage in a metric CRS; streets in the same CRS."""
    shared = topology.edges(geometry)
    n = len(geometry)
    classes = segment_classes(shared, streets, street_tolerance)
    pair = shared.left.astype(np.int64) * n + shared.right
    pairs, which = np.unique(pair, return_inverse=True)
    metres = np.zeros((len(pairs), NO_STREET + 1))
    np.add.at(metres, (which, classes), shared.metres)
    border = metres.sum(axis=1)
    keep = border > min_border
    pairs, metres, border = pairs[keep], metres[keep], border[keep]
    # the strongest class that, with the classes above it, covers half of the border
    street = np.argmax(np.cumsum(metres, axis=1) >= 0.5 * border[:, None] - 1e-9, axis=1).astype(np.int8)
    one, two = pairs // n, pairs % n
    source, target = np.concatenate([one, two]), np.concatenate([two, one])
    order = np.lexsort((target, source))
    twice = np.tile(np.arange(len(pairs)), 2)[order]
    indptr = np.zeros(n + 1, dtype=np.int32)
    np.cumsum(np.bincount(source, minlength=n), out=indptr[1:])
    return UnitGraph(
        indptr,
        target[order].astype(np.int32),
        border[twice],
        street[twice],
        metres[twice].astype(np.float32),
        shapely.area(geometry),
        shapely.length(geometry),
    )


# --- streets ----------------------------------------------------------------------------


def street_classes(streets: gpd.GeoDataFrame) -> npt.NDArray[np.int8]:
    """Row of `CLASSES` for each street; `NO_STREET` for ways that are no boundary (footpaths, unknown values).

    Reads ``cls`` first, then OSM ``highway``. Raises BadInput when neither column is there.
    """
    if "cls" not in streets.columns and "highway" not in streets.columns:
        raise BadInput("the streets layer has neither a cls nor a highway column; name the class of each street")
    classes = np.full(len(streets), NO_STREET, dtype=np.int8)
    for column, table in (("highway", _BY_HIGHWAY), ("cls", _BY_CLS)):
        if column in streets.columns:
            found: Any = streets[column].map(table)
            known = found.notna().to_numpy()
            classes[known] = found[known].to_numpy(dtype=np.int8)
    return classes


def segment_classes(
    shared: topology.Edges, streets: gpd.GeoDataFrame | None, tolerance: float
) -> npt.NDArray[np.int64]:
    """Strongest street class within `tolerance` metres of each segment's midpoint."""
    strongest = np.full(len(shared.metres), NO_STREET, dtype=np.int64)
    if streets is None or len(streets) == 0 or len(strongest) == 0:
        return strongest
    geometry = streets.geometry.to_numpy()
    classes = street_classes(streets)
    use = (classes < NO_STREET) & ~shapely.is_missing(geometry)
    broken = use & ~topology.finite(geometry)
    if broken.any():
        row = int(np.flatnonzero(broken)[0])
        raise BadInput(
            f"street in row {row + 1} has a coordinate that is no number ({int(broken.sum())} such streets); mend it",
            row=row,
        )
    parts, street = shapely.get_parts(geometry[use], return_index=True)
    polygons = shapely.get_type_id(parts) == 3
    parts[polygons] = shapely.boundary(parts[polygons])
    # one tree entry per 2-point segment: distance to a long line costs far more than to a short one
    points, line = shapely.get_coordinates(parts, return_index=True)
    joined = line[1:] == line[:-1]
    if not joined.any():
        return strongest
    pieces = shapely.linestrings(np.stack([points[:-1][joined], points[1:][joined]], axis=1))
    piece_class = classes[use][street[line[:-1][joined]]].astype(np.int64)
    middles = shapely.points((shared.start + shared.end) / 2.0)
    hit, piece = shapely.STRtree(pieces).query(middles, predicate="dwithin", distance=tolerance)
    np.minimum.at(strongest, hit, piece_class[piece])
    return strongest
