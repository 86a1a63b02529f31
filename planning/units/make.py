"""Atomic units: the pieces a plan assigns to grids, made from streets, water, walls and buildings.

`make_units` cuts the area into blocks (`planning.units.blocks`) and divides blocks with too many households along their
buildings (`planning.units.dividing`, `planning.units.tessellation`). The result is an exact coverage of the area: no
gap, no overlap, every T-junction a shared vertex, no building cut.
"""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid import codes, coverage, topology
from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from gisgrid.models import SPECIAL_KINDS, Progress, no_progress
from gisgrid.overlay import largest_part
from planning.units.barriers import barriers, path_lines
from planning.units.blocks import Blocks, make_blocks
from planning.units.dividing import Dwellings, divide
from planning.units.grounds import divide_grounds, open_grounds
from planning.units.mending import mend

Geometries = NDArray[np.object_]
Ints = NDArray[np.int64]

MAX_HOUSEHOLDS: Final = 60
"""Households above which a block is divided along its buildings."""
LEAST_GROUND_M2: Final = 1_000.0
"""Least area large grounds can be divided into."""
COUNTS: Final = ("households", "population", "elderly", "priority")
"""Building columns that are summed over units."""
CLIP_MARGIN: Final = 50.0
"""Border lines are kept so many metres beyond the area."""
LANDUSE_SHARE: Final = 0.5
"""Part of an empty unit that water, or one kind of land use, must cover to name it."""


def make_units(
    buildings: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None,
    area: gpd.GeoDataFrame,
    *,
    water: gpd.GeoDataFrame | None = None,
    walls: gpd.GeoDataFrame | None = None,
    landuse: gpd.GeoDataFrame | None = None,
    max_households: int = MAX_HOUSEHOLDS,
    special_max_area: float | None = None,
    progress: Progress = no_progress,
) -> gpd.GeoDataFrame:
    """Divide the area into atomic units.

    buildings: polygons with ``households``; ``population``, ``elderly``, ``priority``, ``kind`` and ``compound_id``
    are used when there (an empty count is 0). streets: lines with ``cls`` or ``highway``; None or empty for none.
    area: one or many areas; of several levels the finest is divided, and no unit crosses from one area to another.
    water: lines and polygons; walls: lines; landuse: polygons with ``kind`` (park, scenic …) that name empty units.
    Any CRS each; the work is done, and the answer given, in the metric CRS of the area.

    A building crossed by a street, river, railway or wall stays whole in one unit, whose boundary follows its
    outline. One crossed by a community outline belongs to the unit that holds its largest part, while the boundary
    keeps to the community outline. Buildings mostly outside the area are left out. Blocks above ``max_households``
    are divided along buildings into units of at most that many households; a single building above it is one unit
    (`above_limit` names these). With 1, every building with households is a unit, sheds joined. special_max_area:
    ground without households above so many m² is divided along its paths, or into compact parts where it has none
    (`planning.units.grounds`); water stays whole. Unless ``landuse`` names it, such ground with many paths and few
    buildings is a park, by a lake scenic.

    Returns unit_id, households, population, elderly, priority, buildings, compound_id, kind, community, block_id and
    geometry (Polygon), ordered by unit_id: community, then number in reading order. Raises BadInput when a layer has
    no CRS, households are missing, negative or no numbers, no building lies in the area, or a limit is too small.
    """
    if special_max_area is not None and not special_max_area >= LEAST_GROUND_M2:
        raise BadInput(
            f"special max area {special_max_area} is below {LEAST_GROUND_M2:.0f}; give the m² of a part, or none"
        )
    if max_households < 1:
        raise BadInput(f"max households {max_households} is below 1; give the most households a unit may have")
    progress(0.0, "reading layers")
    zone = coverage.lowest_areas(_metric(area, "area", None))
    crs = zone.crs
    water, landuse = _metric(water, "water", crs), _metric(landuse, "landuse", crs)
    communities = community_outlines(zone)
    outlines = _outlines(_metric(buildings, "buildings", crs))
    counts = {name: _counts(buildings, name) for name in COUNTS}
    if not len(buildings):
        raise BadInput("the buildings layer is empty: there is nothing to divide the area by")
    inside = largest_part(outlines, communities) >= 0
    if not inside.any():
        raise BadInput(
            f"none of the {len(buildings)} buildings lies in the area: wrong area or wrong coordinate system",
            code="no_buildings_in_area",
        )
    progress(0.1, "cutting blocks along streets and water")
    west, south, east, north = shapely.total_bounds(communities)
    bounds = (west - CLIP_MARGIN, south - CLIP_MARGIN, east + CLIP_MARGIN, north + CLIP_MARGIN)
    found = barriers(_metric(streets, "streets", crs), water, _metric(walls, "walls", crs), bounds)
    houses, house = topology.polygon_parts(outlines[inside])
    blocks = make_blocks(communities, mend(found, houses), houses, (counts["households"][inside] > 0)[house])
    progress(0.4, f"dividing {len(blocks.polygons)} blocks along buildings")
    compound, compound_ids = _compounds(buildings)
    kind = _kinds(buildings)
    dwellings = Dwellings(
        outlines[inside], counts["households"][inside], compound[inside], _campus(kind, counts["households"])[inside]
    )
    shapes, block = divide(blocks, dwellings, max_households)
    green = np.full(len(shapes), "other", dtype=object)
    if special_max_area is not None:
        progress(0.75, "dividing large grounds along their paths")
        empty = np.bincount(largest_part(dwellings.outlines, shapes), dwellings.households, minlength=len(shapes)) == 0
        paths = path_lines(_metric(streets, "streets", crs), water, bounds)
        shapes, block, green = _grounds(shapes, block, empty, paths, houses, water, special_max_area)
    progress(0.85, f"counting into {len(shapes)} units")
    owner = largest_part(outlines, shapes)
    table = _names(shapes, block, blocks, zone["code"].to_numpy())
    for name in COUNTS:
        table[name] = np.bincount(owner[owner >= 0], counts[name][owner >= 0], minlength=len(shapes)).astype(np.int64)
    table["buildings"] = np.bincount(owner[owner >= 0], minlength=len(shapes)).astype(np.int64)
    table["compound_id"] = _unit_compounds(owner, compound, counts["households"], compound_ids, len(shapes))
    kinds = _unit_kinds(shapes, owner, kind, outlines, table["households"].to_numpy(), water, landuse)
    table["kind"] = np.where(kinds == "other", green, kinds)
    columns = ["unit_id", *COUNTS, "buildings", "compound_id", "kind", "community", "block_id"]
    units = gpd.GeoDataFrame(table[columns], geometry=shapes, crs=crs).sort_values("unit_id", ignore_index=True)
    progress(1.0, f"{len(units)} units")
    return units


def building_units(buildings: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> Ints:
    """Row of the unit each building belongs to, −1 for buildings mostly outside, shape (n,).

    The rule `make_units` counts by: the unit that holds the largest part of the outline.
    """
    return largest_part(_outlines(_metric(buildings, "buildings", units.crs)), np.asarray(units.geometry))


def above_limit(units: gpd.GeoDataFrame, max_households: int = MAX_HOUSEHOLDS) -> gpd.GeoDataFrame:
    """Units above ``max_households``: single buildings (or overlapping ones) that cannot be divided further.

    Divide them by entrances (`planning.units.entrance_units`) where that is wanted.
    """
    return units[units["households"] > max_households]


def community_outlines(zone: gpd.GeoDataFrame) -> Geometries:
    """Outlines of areas as an exactly noded coverage; ground two areas claim goes to the smaller code."""
    order = np.argsort(zone["code"].to_numpy().astype(str), kind="stable")
    noded = coverage.node_coverage(shapely.force_2d(np.asarray(zone.geometry)[order]))
    noded[shapely.is_missing(noded)] = shapely.Polygon()
    out = np.empty(len(zone), dtype=object)
    out[order] = noded
    return out


def _grounds(
    shapes: Geometries,
    block: Ints,
    empty: NDArray[np.bool_],
    paths: Geometries,
    houses: Geometries,
    water: gpd.GeoDataFrame | None,
    most_m2: float,
) -> tuple[Geometries, Ints, NDArray[np.object_]]:
    """Units with large grounds divided, the block of each, and what the grounds are by their looks."""
    named = np.full(len(shapes), "other", dtype=object)
    lakes = topology.polygon_parts(np.asarray(water.geometry))[0] if water is not None else houses[:0]
    _name_by_cover(named, shapes, water, "water")
    ground = empty & (named != "water") & (shapely.area(shapes) > most_m2)
    green = open_grounds(shapes, ground, paths, lakes, houses)
    shapes, source = divide_grounds(shapes, ground, paths, houses, most_m2)
    return shapes, block[source], green[source]


def _metric(frame: Any, name: str, crs: Any) -> Any:
    if frame is None:
        return None
    if frame.crs is None:
        raise BadInput(f"the {name} layer has no coordinate system; give its CRS when importing it", code="no_crs")
    frame = to_metric(frame, crs)
    wrong = ~topology.finite(frame.geometry)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0]) + 1
        raise BadInput(
            f"row {row} of the {name} layer has a coordinate that is no number or off the map: lon and lat swapped?"
        )
    return frame


def _outlines(buildings: gpd.GeoDataFrame) -> Geometries:
    """One polygonal outline per building, valid; points, lines and collapsed polygons are drawn out by a metre.

    Null ones are empty.
    """
    geoms = shapely.force_2d(np.asarray(buildings.geometry))
    geoms[shapely.is_missing(geoms)] = shapely.Polygon()
    slim = (shapely.area(geoms) == 0) & ~shapely.is_empty(geoms)
    geoms[slim] = shapely.buffer(geoms[slim], 1.0, quad_segs=2)
    parts, row = topology.polygon_parts(geoms)
    out = np.full(len(geoms), shapely.Polygon(), dtype=object)
    if not len(parts):
        return out
    rows, which = np.unique(row, return_inverse=True)
    single = np.bincount(which) == 1
    out[row] = parts
    several = ~single[which]
    if several.any():
        again = np.unique(which[several], return_inverse=True)[1]
        joined = shapely.multipolygons(parts[several], indices=again)
        bad = ~shapely.is_valid(joined)
        joined[bad] = shapely.union_all(joined[bad][:, None], axis=1)
        out[rows[~single]] = joined
    return out


def _counts(buildings: gpd.GeoDataFrame, name: str) -> Ints:
    if name not in buildings:
        if name == "households":
            raise BadInput("the buildings layer has no column households; import it first, which estimates them")
        return np.zeros(len(buildings), np.int64)
    given = buildings[name]
    values = pd.to_numeric(given, errors="coerce")
    wrong = (values.isna() & given.notna()) | (values < 0) | np.isinf(values.to_numpy(dtype=float, na_value=0.0))
    if wrong.any():
        row = int(np.flatnonzero(wrong.to_numpy())[0])
        who = f"building {buildings['building_id'].iloc[row]}" if "building_id" in buildings else f"row {row + 1}"
        value = given.iloc[row]
        shown = repr(value) if isinstance(value, str) else str(value)
        raise BadInput(f"{who}: {name} is {shown}; give a whole number, 0 or more")
    return np.asarray(np.rint(values.fillna(0).to_numpy(dtype=float)), np.int64)


def _compounds(buildings: gpd.GeoDataFrame) -> tuple[Ints, NDArray[np.object_]]:
    if "compound_id" not in buildings:
        return np.full(len(buildings), -1, np.int64), np.empty(0, dtype=object)
    number, ids = pd.factorize(buildings["compound_id"].astype(object), sort=False)
    return np.asarray(number, np.int64), np.asarray(ids, dtype=object)


def _kinds(buildings: gpd.GeoDataFrame) -> NDArray[np.object_]:
    if "kind" not in buildings:
        return np.full(len(buildings), "other", dtype=object)
    return np.asarray(buildings["kind"].astype(object).where(buildings["kind"].notna(), "other"), dtype=object)


def _campus(kind: NDArray[np.object_], households: Ints) -> Ints:
    special = np.array(sorted(SPECIAL_KINDS), dtype=object)
    number = pd.Index(special).get_indexer(kind)
    return np.where(households > 0, -1, number).astype(np.int64)


def _names(shapes: Geometries, block: Ints, blocks: Blocks, area_codes: NDArray[Any]) -> pd.DataFrame:
    community = area_codes[blocks.community].astype(str)
    block_id = _numbered(blocks.polygons, community, "B")
    return pd.DataFrame(
        {
            "unit_id": _numbered(shapes, community[block], ""),
            "community": community[block].astype(object),
            "block_id": block_id[block],
        }
    )


def _numbered(shapes: Geometries, community: NDArray[np.str_], letter: str) -> NDArray[np.object_]:
    """``community-00001`` … in reading order inside each community."""
    xy = shapely.get_coordinates(shapely.centroid(shapes))
    names = np.empty(len(shapes), dtype=object)
    for code in np.unique(community):
        rows = np.flatnonzero(community == code)
        rows = rows[codes.reading_order(xy[rows, 0], xy[rows, 1])]
        names[rows] = [f"{code}-{letter}{number + 1:05d}" for number in range(rows.size)]
    return names


def _unit_compounds(
    owner: Ints, compound: Ints, households: Ints, ids: NDArray[np.object_], count: int
) -> NDArray[np.object_]:
    """Compound of most households of each unit (of most buildings where nobody lives), None for none."""
    held = (owner >= 0) & (compound >= 0)
    # households count first, buildings break ties; the first compound met wins the rest
    weight = households[held] + 1e-6
    table = pd.DataFrame({"unit": owner[held], "compound": compound[held], "weight": weight})
    total = pd.DataFrame(table.groupby(["unit", "compound"], as_index=False).sum())
    best = total.sort_values(["unit", "weight", "compound"], ascending=[True, False, True]).drop_duplicates("unit")
    out = np.full(count, None, dtype=object)
    out[best["unit"].to_numpy()] = ids[best["compound"].to_numpy()]
    return out


def _unit_kinds(
    shapes: Geometries,
    owner: Ints,
    kind: NDArray[np.object_],
    outlines: Geometries,
    households: Ints,
    water: gpd.GeoDataFrame | None,
    landuse: gpd.GeoDataFrame | None,
) -> NDArray[np.object_]:
    """residential where people live, else the special kind most of the built ground has, else what covers the land."""
    kinds = np.full(len(shapes), "other", dtype=object)
    _name_by_cover(kinds, shapes, landuse, None)
    _name_by_cover(kinds, shapes, water, "water")
    held = owner >= 0
    ground = shapely.area(outlines)[held]
    built = np.bincount(owner[held], ground, minlength=len(shapes))
    kinds[(built > 0) & (kinds == "water")] = "other"
    for special in sorted(SPECIAL_KINDS):
        share = np.bincount(owner[held], ground * (kind[held] == special), minlength=len(shapes))
        kinds[(built > 0) & (share > built / 2)] = special
    kinds[households > 0] = "residential"
    return kinds


def _name_by_cover(
    kinds: NDArray[np.object_], shapes: Geometries, cover: gpd.GeoDataFrame | None, name: str | None
) -> None:
    """Name the units a layer's polygons cover for the most part: ``name``, or the layer's kind."""
    if cover is None or not len(cover) or (name is None and "kind" not in cover):
        return
    parts, row = topology.polygon_parts(np.asarray(cover.geometry))
    of_kind = np.full(len(parts), name, dtype=object) if name else cover["kind"].to_numpy(dtype=object)[row]
    for value in sorted({str(k) for k in of_kind}):
        part, unit = shapely.STRtree(shapes).query(parts[of_kind == value], predicate="intersects")
        m2 = shapely.area(shapely.intersection(parts[of_kind == value][part], shapes[unit]))
        share = np.bincount(unit, m2, minlength=len(shapes)) / shapely.area(shapes)
        kinds[share > LANDUSE_SHARE] = value
