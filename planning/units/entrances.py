"""Entrances 单元: residential building units divided across the building, one part an entrance.

The lowest level of a grid system (sub-district, community, grid, micro-grid, building, entrance). A block of flats is a
row of stairwells: the building is cut at right angles to its long axis into as many strips as it has entrances, and
each strip takes the ground of the building's unit beside it.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid import topology
from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from planning.units.cutting import cut
from planning.units.make import COUNTS, building_units

Geometries = NDArray[np.object_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FLATS_A_FLOOR: Final = 2
"""Households a stairwell serves on each floor, where addresses do not tell the entrances."""
LEVELS: Final = 6
"""Floors of a building that does not say."""
NEAR: Final = 15.0
"""An address belongs to the building at most so many metres away."""
LEAST_WIDTH: Final = 4.0
"""Narrowest strip an entrance named by addresses may have, in metres."""
USUAL_WIDTH: Final = 10.0
"""Narrowest strip of an entrance that is only estimated."""


class Plan(NamedTuple):
    """How the building units with several entrances are cut, all arrays (n,)."""

    unit: Ints
    """Row of the unit."""
    entrances: Ints
    origin: Floats
    """Where entrance 1 begins on the building's axis, (n, 2)."""
    axis: Floats
    """Unit vector along the building, entrance 1 first, (n, 2)."""
    width: Floats
    """Metres an entrance takes along the axis."""


def entrance_units(
    units: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, addresses: gpd.GeoDataFrame | None = None
) -> gpd.GeoDataFrame:
    """Divide residential building units by entrances; an exactly noded coverage again.

    units: as `planning.units.make_units` makes them with ``max_households=1``. buildings: the same layer, with
    ``households`` and, where known, ``levels``. addresses: points with ``unit`` (1单元, 2单元 …) and, where known,
    ``building_id``; without it an address belongs to the building within 15 m. Any CRS each.

    A building has as many entrances as its addresses name (4 m wide at least); without any, households / (levels × 2),
    rounded, at least 1 (10 m wide at least). Entrances are numbered the way their addresses lie, else from west to east
    (north to south along a meridian). Sheds in the unit are cut with it; several homes in a unit leave it whole.

    Returns the columns of ``units`` with unit_id ``<unit>-01`` …, ``entrance`` (1, 2 …; 0 where nobody lives, and the
    unit_id as it was) and ``building_unit`` (the unit_id divided). Counts are shared out as evenly as whole numbers
    allow: sums are kept. Raises BadInput when a layer has no CRS, or a column is missing.
    """
    _require(units, "units", ("unit_id", "households"))
    _require(buildings, "buildings", ("households",))
    units = to_metric(units).reset_index(drop=True)
    plan = _plan(units, to_metric(buildings, units.crs), addresses)
    shapes, source, number = _divided(np.asarray(units.geometry), plan)
    out = units.iloc[source].reset_index(drop=True).set_geometry(gpd.GeoSeries(shapes, crs=units.crs))
    entrances = np.ones(len(units), np.int64)
    entrances[plan.unit] = np.bincount(source, minlength=len(units))[plan.unit]
    for name in (*COUNTS, "buildings"):
        if name in out:
            out[name] = _shared(units[name].to_numpy(dtype=np.int64)[source], entrances[source], number)
    lived = units["households"].to_numpy(dtype=np.int64)[source] > 0
    out["building_unit"] = out["unit_id"]
    out["entrance"] = np.where(lived, number, 0)
    names = [f"{unit}-{entrance:02d}" for unit, entrance in zip(out["unit_id"], out["entrance"], strict=True)]
    out["unit_id"] = np.where(lived, np.array(names, dtype=object), out["unit_id"].to_numpy(dtype=object))
    return out


def _require(frame: gpd.GeoDataFrame, name: str, columns: tuple[str, ...]) -> None:
    if frame.crs is None:
        raise BadInput(f"the {name} layer has no coordinate system; give its CRS when importing it", code="no_crs")
    missing = [column for column in columns if column not in frame]
    if missing:
        raise BadInput(f"the {name} layer has no column {missing[0]}; make it with gisgrid units or import")


def _plan(units: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, addresses: gpd.GeoDataFrame | None) -> Plan:
    """Units with one residential building, how many entrances it has and where they lie."""
    households = pd.to_numeric(buildings["households"], errors="coerce").fillna(0).to_numpy(dtype=float)
    owner = building_units(buildings, units)
    homes = np.flatnonzero((owner >= 0) & (households > 0))
    homes = homes[np.bincount(owner[homes], minlength=len(units))[owner[homes]] == 1]
    shapes = np.asarray(buildings.geometry)[homes]
    origin, axis, length = _axes(shapes)
    count, turned = _named_entrances(buildings, homes, addresses, origin, axis)
    levels = np.full(len(buildings), float(LEVELS))
    if "levels" in buildings:
        given = pd.to_numeric(buildings["levels"], errors="coerce").to_numpy(dtype=float)
        levels = np.where(given >= 1, given, levels)
    guess = np.minimum(np.rint(households[homes] / (levels[homes] * FLATS_A_FLOOR)), length // USUAL_WIDTH)
    count = np.where(count > 0, np.minimum(count, length // LEAST_WIDTH), guess)
    count = np.maximum(count, 1).astype(np.int64)
    origin = np.where(turned[:, None], origin + axis * length[:, None], origin)
    axis = np.where(turned[:, None], -axis, axis)
    several = count > 1
    return Plan(owner[homes][several], count[several], origin[several], axis[several], (length / count)[several])


def _axes(shapes: Geometries) -> tuple[Floats, Floats, Floats]:
    """Beginning, direction (to the east, else south) and length of the longer axis of each outline's rectangle."""
    if not len(shapes):
        return np.empty((0, 2)), np.empty((0, 2)), np.empty(0)
    corners = np.stack([_rectangle(shape) for shape in shapes])
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1]
    longer = (np.hypot(*first.T) >= np.hypot(*second.T))[:, None]
    side, other = np.where(longer, first, second), np.where(longer, second, first)
    start = np.where(longer, corners[:, 0], corners[:, 1]) + other * np.where(longer, 0.5, -0.5)
    length = np.hypot(*side.T)
    axis = side / np.maximum(length, 1e-9)[:, None]
    # a quarter of a degree off the meridian still runs along it
    back = np.where(np.abs(axis[:, 0]) > 0.005, axis[:, 0] < 0, axis[:, 1] > 0)
    start = np.where(back[:, None], start + side, start)
    return start, np.where(back[:, None], -axis, axis), length


def _rectangle(shape: Any) -> Floats:
    """Four corners of the smallest rectangle round a shape, in order."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(shape))
    return np.asarray(corners[:4] if len(corners) >= 5 else np.repeat(corners[:1], 4, axis=0), np.float64)


def _named_entrances(
    buildings: gpd.GeoDataFrame, homes: Ints, addresses: gpd.GeoDataFrame | None, origin: Floats, axis: Floats
) -> tuple[Ints, NDArray[np.bool_]]:
    """Entrances the addresses of each home name (0: none), and whether they run against its axis."""
    none = np.zeros(len(homes), np.int64), np.zeros(len(homes), bool)
    if addresses is None or not len(addresses) or "unit" not in addresses or not len(homes):
        return none
    if addresses.crs is None:
        raise BadInput("the addresses layer has no coordinate system; give its CRS when importing it", code="no_crs")
    text = addresses["unit"].astype("string").fillna("").str.strip()
    named = addresses[(text != "").to_numpy(dtype=bool) & ~addresses.geometry.is_empty & addresses.geometry.notna()]
    named = to_metric(named, buildings.crs)
    points = shapely.get_coordinates(shapely.centroid(np.asarray(named.geometry)))
    if "building_id" in named and "building_id" in buildings:
        home = pd.Index(buildings["building_id"].iloc[homes]).get_indexer(named["building_id"])
    else:
        tree = shapely.STRtree(np.asarray(buildings.geometry)[homes])
        found, near = tree.query_nearest(shapely.points(points), max_distance=NEAR, all_matches=False)
        home = np.full(len(named), -1, np.int64)
        home[found] = near
    unit = named["unit"].astype("string").str.strip()
    digits = pd.to_numeric(unit.str.extract(r"(\d+)", expand=False), errors="coerce").to_numpy(dtype=float)
    table = pd.DataFrame({"home": home, "unit": unit.to_numpy(dtype=object), "number": digits})
    table["at"] = ((points - origin[home]) * axis[home]).sum(axis=1)
    table = table[table["home"] >= 0].drop_duplicates(["home", "unit"])
    count = np.bincount(table["home"], minlength=len(homes)).astype(np.int64)
    known = table.dropna()
    centred = known[["number", "at"]] - known.groupby("home")[["number", "at"]].transform("mean")
    trend = np.bincount(known["home"], centred["number"] * centred["at"], minlength=len(homes))
    return count, trend < 0


def _divided(shapes: Geometries, plan: Plan) -> tuple[Geometries, Ints, Ints]:
    """Polygons cut into entrances, the unit each is part of, and the number of the entrance (1 where undivided)."""
    if not plan.unit.size:
        return shapes, np.arange(len(shapes)), np.ones(len(shapes), np.int64)
    faces, source = cut(shapes, np.sort(plan.unit), _cut_lines(shapes, plan))
    row = np.full(len(shapes), -1, np.int64)
    row[plan.unit] = np.arange(plan.unit.size)
    at = row[source]
    spot = shapely.get_coordinates(shapely.point_on_surface(faces))
    along = ((spot - plan.origin[at]) * plan.axis[at]).sum(axis=1) / plan.width[at]
    strip = np.where(at >= 0, np.clip(np.floor(along), 0, plan.entrances[at] - 1), 0).astype(np.int64)
    # of a strip in several pieces (a unit with a bay) the largest is the entrance, others join a neighbour
    label = source * (int(plan.entrances.max()) + 1) + strip
    label = np.unique(label, return_inverse=True)[1]
    shared = topology.borders(topology.edges(faces))
    apart = topology.fragments(label, faces, shared)
    label, _ = topology.absorb(label, apart.cut_off, shared, groups=source)
    label = np.unique(label, return_inverse=True)[1]
    first = np.unique(label, return_index=True)[1]
    source, strip = source[first], _strip_of(label, strip, shapely.area(faces))
    # numbers without holes, should a strip have vanished
    order = np.lexsort((strip, source))
    number = np.ones(len(first), np.int64)
    begin = np.r_[0, np.flatnonzero(np.diff(source[order])) + 1]
    number[order] = np.arange(len(order)) - np.repeat(begin, np.diff(np.r_[begin, len(order)])) + 1
    return topology.dissolve(faces, label, len(first))[order], source[order], number[order]


def _strip_of(label: Ints, strip: Ints, m2: Floats) -> Ints:
    """Strip of the largest face of each label."""
    out = np.zeros(int(label.max()) + 1, np.int64)
    order = np.argsort(m2, kind="stable")
    out[label[order]] = strip[order]
    return out


def _cut_lines(shapes: Geometries, plan: Plan) -> Geometries:
    """Lines at right angles to the axis between entrances, inside the units."""
    row = np.repeat(np.arange(plan.unit.size), plan.entrances - 1)
    place = (
        np.arange(row.size) - np.repeat(np.cumsum(plan.entrances - 1) - (plan.entrances - 1), plan.entrances - 1) + 1
    )
    middle = plan.origin[row] + plan.axis[row] * (plan.width[row] * place)[:, None]
    bounds = shapely.bounds(shapes[plan.unit])
    reach = np.hypot(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1])[row]
    across = np.column_stack([-plan.axis[row, 1], plan.axis[row, 0]]) * reach[:, None]
    lines = shapely.linestrings(np.stack([middle - across, middle + across], axis=1))
    parts = shapely.get_parts(shapely.intersection(lines, shapes[plan.unit[row]]))
    return np.asarray(parts[shapely.get_type_id(parts) == 1], dtype=object)


def _shared(total: Ints, parts: Ints, number: Ints) -> Ints:
    """Share of part ``number`` of ``parts`` in a whole number: parts differ by at most one, the first ones more."""
    return np.asarray(total // parts + (number <= total % parts), np.int64)
