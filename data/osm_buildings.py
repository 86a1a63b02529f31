"""Buildings out of OpenStreetMap: their kind, compound and households."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from data.households import HUT_M2, Factor, estimate_households, footprints
from data.osm_read import OsmData
from data.osm_tags import building_kind, building_levels, campus_kind, name_of, whole_number
from data.repair import REFUSED, REPAIRED, repair
from gisgrid.crs import STORAGE_CRS, to_metric
from gisgrid.limits import OSM_COMPOUND_M2_MAX, OSM_DWELLING_M2_MAX

Geometries = npt.NDArray[Any]


def buildings_of(
    data: OsmData, factors: Mapping[str, Factor] | None = None
) -> tuple[gpd.GeoDataFrame, npt.NDArray[np.int8], list[str]]:
    """Buildings in EPSG:4490 in the contract's columns but ``community``; repair status per row read;
    refusals' reasons.

    What a building is for comes from its tags and name; when these leave it open (building=yes), from the
    smallest ground around it (campus, hospital, landuse); when there is none, from its footprint:
    `HUT_M2` to `OSM_DWELLING_M2_MAX` is a dwelling house, larger is commerce. On a campus a numbered or
    residence-like name (4号楼, 公寓) is a dormitory.
    """
    rows, kinds = [], []
    for row, tags in enumerate(data.areas.tags):
        kind = building_kind(tags)
        if kind is not None:
            rows.append(row)
            kinds.append(kind)
    geometry, status, reasons = repair(_single(data.areas.geometries(rows)), "polygon")
    _refuse_twins(geometry, status, reasons)
    keep = np.flatnonzero(status != REFUSED)
    tags_kept = [data.areas.tags[rows[place]] for place in keep]
    frame = gpd.GeoDataFrame(
        {
            "building_id": [data.areas.ids[rows[place]] for place in keep],
            "name": [name_of(tags) for tags in tags_kept],
            "levels": np.array([building_levels(tags) for tags in tags_kept], dtype=float),
            "households": np.array([whole_number(tags.get("building:flats")) for tags in tags_kept], dtype=float),
        },
        geometry=geometry[keep],
        crs=STORAGE_CRS,
    )
    frame.loc[frame["households"] < 0, "households"] = np.nan
    ground_kind, frame["compound_id"] = _grounds_around(data, frame)
    frame["kind"] = _settle(np.array(kinds, dtype=object)[keep], ground_kind, footprints(frame))
    return estimate_households(frame, factors=factors), status, [str(reason) for reason in reasons[status == REFUSED]]


def repaired_count(status: npt.NDArray[np.int8]) -> int:
    """Rows that had to be repaired."""
    return int(np.count_nonzero(status == REPAIRED))


def _refuse_twins(geometry: Geometries, status: npt.NDArray[np.int8], reasons: Geometries) -> None:
    """The same outline twice is one building (a multipolygon whose outer way is tagged as well)."""
    seen: dict[bytes, int] = {}
    for place, outline in enumerate(shapely.to_wkb(shapely.normalize(geometry))):
        if status[place] != REFUSED and seen.setdefault(outline, place) != place:
            status[place], reasons[place] = REFUSED, "the outline is there twice"


def _single(geometries: Geometries) -> Geometries:
    """Multipolygons of one part as plain polygons."""
    result = geometries.copy()
    single = (shapely.get_type_id(result) == 6) & (shapely.get_num_geometries(result) == 1)
    result[single] = shapely.get_geometry(result[single], 0)
    return result


def _grounds_around(data: OsmData, buildings: gpd.GeoDataFrame) -> tuple[Geometries, Geometries]:
    """Kind of the smallest ground each building stands on (None where none) and its compound's id or None."""
    kind_of = np.full(len(buildings), None, dtype=object)
    compound = np.full(len(buildings), None, dtype=object)
    rows = [row for row, tags in enumerate(data.areas.tags) if campus_kind(tags) and not tags.get("building")]
    if not rows or len(buildings) == 0:
        return kind_of, compound
    geometry, status, _ = repair(data.areas.geometries(rows), "polygon")
    sound = np.flatnonzero(status != REFUSED)
    grounds = gpd.GeoSeries(geometry[sound], crs=STORAGE_CRS)
    size = to_metric(grounds.to_frame("geometry")).geometry.area.to_numpy(float)
    kinds = np.array([campus_kind(data.areas.tags[rows[place]]) for place in sound], dtype=object)
    ids = np.array([data.areas.ids[rows[place]] for place in sound], dtype=object)
    points = shapely.point_on_surface(buildings.geometry.to_numpy())
    building, ground = shapely.STRtree(grounds.to_numpy()).query(points, predicate="intersects")
    # largest first, so that the smallest ground is written last and stays
    order = np.lexsort((ground, -size[ground]))
    building, ground = building[order], ground[order]
    kind_of[building] = kinds[ground]
    home = (kinds[ground] == "residential") & (size[ground] <= OSM_COMPOUND_M2_MAX)
    compound[building[home]] = ids[ground[home]]
    return kind_of, compound


def _settle(kinds: Geometries, grounds: Geometries, footprints: npt.NDArray[np.float64]) -> Geometries:
    """Kinds with the open ones (``?``, ``?home``, ``?other``) decided by ground and footprint."""
    result = kinds.copy()
    untold, home, other = kinds == "?", kinds == "?home", kinds == "?other"
    alone = np.array([ground is None for ground in grounds], dtype=bool)
    dwelling = (footprints >= HUT_M2) & (footprints <= OSM_DWELLING_M2_MAX)
    by_size = np.where(dwelling, "residential", np.where(footprints > OSM_DWELLING_M2_MAX, "commercial", "other"))
    result[untold] = np.where(alone, by_size, grounds)[untold]
    result[home] = np.where(grounds[home] == "school", "dormitory", "residential")
    unlike_home = alone | (grounds == "residential")
    result[other] = np.where(unlike_home, "public", grounds)[other]
    return result
