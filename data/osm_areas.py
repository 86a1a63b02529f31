"""Areas out of OpenStreetMap: complete administrative boundaries, or one community made of the extent."""

from __future__ import annotations

import re
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from data.osm_read import OsmData
from data.osm_tags import english_name_of, name_of
from data.repair import REFUSED, repair
from gisgrid.crs import STORAGE_CRS
from gisgrid.errors import BadInput

Geometries = npt.NDArray[Any]

EXTENT_CODE: Final = "000000000001"
LEVELS: Final = ("district", "street", "community")
DIGITS: Final = {"district": 6, "street": 9, "community": 12}
_CODE_KEYS: Final = ("ref:gb", "gb:code", "gb", "ref:CN", "ref", "division_code")


def areas_of(data: OsmData, points: Geometries, *, area_code: str, area_name: str) -> gpd.GeoDataFrame:
    """Areas in EPSG:4490: code, name, name_en, level, parent, source (osm|extent), geometry MultiPolygon.

    Boundaries complete in the extract count: admin_level 6 district, 8 street or town, 10 community (9
    when there is no 10). Codes come from the reference tags when they are valid, else local ones are
    made. When no community is complete, or the complete ones hold fewer than half of ``points`` (the
    buildings), one community is made of the extent: the outline of the place asked for, the header's
    bounding box, or the hull of the streets; it is marked ``extent``.
    """
    found = _boundaries(data)
    communities = found["community"]
    if not communities or _share_inside(points, [row["geometry"] for row in communities]) < 0.5:
        found["community"] = [_extent(data, area_code, area_name)]
    rows: list[dict[str, Any]] = []
    for level in LEVELS:
        _give_codes(found[level], level, rows)
        rows += sorted(found[level], key=lambda row: str(row["code"]))
    columns = ["code", "name", "name_en", "level", "parent", "source"]
    return gpd.GeoDataFrame(
        {column: np.array([row[column] for row in rows], dtype=object) for column in columns},
        geometry=[_multi(row["geometry"]) for row in rows],
        crs=STORAGE_CRS,
    )


def community_of(points: Geometries, areas: gpd.GeoDataFrame) -> Geometries:
    """Code of the community covering each point (the smallest code on a shared border), None outside all."""
    result = np.full(len(points), None, dtype=object)
    communities = areas[areas["level"] == "community"]
    if len(points) and len(communities):
        row, area = shapely.STRtree(communities.geometry.to_numpy()).query(points, predicate="intersects")
        codes = communities["code"].to_numpy(object)
        order = np.lexsort((codes[area].astype(str), row))[::-1]
        result[row[order]] = codes[area[order]]
    return result


def _boundaries(data: OsmData) -> dict[str, list[dict[str, Any]]]:
    by_level: dict[str, list[int]] = {}
    for row, tags in enumerate(data.areas.tags):
        if tags.get("boundary") == "administrative":
            by_level.setdefault(tags.get("admin_level", ""), []).append(row)
    chosen = {"district": "6", "street": "8", "community": "10" if "10" in by_level else "9"}
    found: dict[str, list[dict[str, Any]]] = {}
    for level, number in chosen.items():
        rows = by_level.get(number, [])
        geometry, status, _ = repair(data.areas.geometries(rows), "polygon")
        found[level] = [
            {
                "code": _tagged_code(data.areas.tags[row], level),
                "name": name_of(data.areas.tags[row]),
                "name_en": english_name_of(data.areas.tags[row]),
                "level": level,
                "parent": None,
                "source": "osm",
                "geometry": outline,
            }
            for row, outline, state in zip(rows, geometry, status, strict=True)
            if state != REFUSED
        ]
    return found


def _tagged_code(tags: dict[str, str], level: str) -> str | None:
    digits = DIGITS[level]
    for key in _CODE_KEYS:
        code = tags.get(key, "").strip()
        if re.fullmatch(r"[1-9]\d*", code):
            if len(code) == 12 and digits < 12 and code[digits:].strip("0") == "":
                return code[:digits]  # the statistical form pads districts and streets to twelve digits
            if len(code) == digits:
                return code
    return None


def _extent(data: OsmData, code: str, name: str) -> dict[str, Any]:
    if re.fullmatch(r"\d{12}", code) is None:
        raise BadInput(f"area code {code!r} is not 12 digits, for example {EXTENT_CODE}")
    outline = data.outline
    if outline is None and data.bounds is not None:
        outline = shapely.box(*data.bounds)
    if outline is None:
        lines = data.lines.geometries(range(len(data.lines.ids)))
        outline = shapely.convex_hull(shapely.multipoints(shapely.get_coordinates(lines)))
    if shapely.get_dimensions(outline) != 2 or shapely.area(outline) == 0:
        raise BadInput("the extract has neither a bounding box nor streets: no area can be made of it")
    row = {"code": code, "name": name, "name_en": "", "level": "community", "parent": None, "source": "extent"}
    return {**row, "geometry": outline}


def _give_codes(rows: list[dict[str, Any]], level: str, above: list[dict[str, Any]]) -> None:
    """Fill missing or doubled codes and the parents, in place; ``above`` are the areas of higher levels."""
    upper = LEVELS[LEVELS.index(level) - 1] if level != "district" else None
    parents = [row for row in above if row["level"] == upper]
    taken: set[str] = set()
    for row in rows:
        if row["code"] in taken:
            row["code"] = None
        elif row["code"] is not None:
            taken.add(row["code"])
    for row in rows:
        point = shapely.point_on_surface(row["geometry"])
        spatial = next((p["code"] for p in parents if shapely.intersects(p["geometry"], point)), None)
        prefix = row["code"][: DIGITS[upper]] if row["code"] and upper else None
        row["parent"] = prefix if any(p["code"] == prefix for p in parents) else spatial
        if row["code"] is None:
            code = _free_code(row["parent"] or "", DIGITS[level], taken)
            row["code"] = code
            taken.add(code)


def _free_code(prefix: str, digits: int, taken: set[str]) -> str:
    room = digits - len(prefix)
    number = next(n for n in range(1, 10**room) if f"{prefix}{n:0{room}d}" not in taken)
    return f"{prefix}{number:0{room}d}"


def _share_inside(points: Geometries, outlines: list[Any]) -> float:
    if len(points) == 0:
        return 1.0
    hits, _ = shapely.STRtree(outlines).query(points, predicate="intersects")
    return len(np.unique(hits)) / len(points)


def _multi(geometry: Any) -> Any:
    return geometry if geometry.geom_type == "MultiPolygon" else shapely.MultiPolygon([geometry])
