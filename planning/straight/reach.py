"""Reach by straight distance: loudspeakers, hydrants, cameras; walls and streets do not matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gisgrid.crs import metric_crs
from gisgrid.errors import BadInput
from gisgrid.limits import STRAIGHT_SECONDS_MAX
from gisgrid.models import Progress, no_progress
from planning.places import counts, inner_points, names_of, polygons_of
from planning.straight.discs import TOLERANCE_RANGE, pairs_within, radii_of, radius_of, scale_at, union
from planning.straight.extra import Extra, extra_for_area, extra_for_points

Bool = NDArray[np.bool_]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

AIMS: Final = ("residents", "buildings", "area")
"""What further facilities are to cover to the last one."""
SPECK_M2: Final = 1e-6
"""Parts smaller than this are rounding, not ground."""


@dataclass(frozen=True)
class StraightResult:
    """What `straight_reach` found; layers in the metric CRS of the place, residences and facilities in their own.

    ``facilities``: with ``radius``, ``square_metres``, and who is in reach, ``residents_alone`` of nobody else.
    ``covered``: one row, the union of all circles (inside the area where one is given). ``remainder``: parts of the
    area nobody reaches, largest first (``rank, square_metres, buildings, residents``), or None. ``residences``: with
    ``covered``, ``facilities_in_reach`` and ``metres`` to the nearest facility. ``areas``: the area's rows with their
    own figures, or None. ``extra``: the further facilities, or None. ``report``: JSON-ready figures.
    """

    facilities: gpd.GeoDataFrame
    covered: gpd.GeoDataFrame
    remainder: gpd.GeoDataFrame | None
    residences: gpd.GeoDataFrame | None
    areas: gpd.GeoDataFrame | None
    extra: gpd.GeoDataFrame | None
    report: dict[str, Any]


@dataclass(frozen=True)
class _Homes:
    """Residences as arrays: inner points, people, and which have a place at all."""

    xy: Float64
    people: Float64
    elderly: Float64

    @property
    def placed(self) -> Bool:
        return _finite(self.xy)


def straight_reach(
    facilities: gpd.GeoDataFrame,
    *,
    radius: float | str | Mapping[str, float],
    residences: gpd.GeoDataFrame | None = None,
    area: gpd.GeoDataFrame | None = None,
    cover: str | None = None,
    extra_radius: float | None = None,
    candidates: gpd.GeoDataFrame | None = None,
    tolerance: float = 0.01,
    seconds: float = 60.0,
    progress: Progress = no_progress,
) -> StraightResult:
    """What lies within each facility's ``radius`` in true metres, what is left, and the fewest further facilities.

    facilities: points (shapes count by a point inside) in any CRS; ``radius``: one number, the name of a column, or
    numbers by ``category``. residences: buildings or points with ``population`` and ``elderly`` where known, in reach
    by their inner point. area: polygons to be covered. ``cover`` asks for the fewest further facilities of
    ``extra_radius`` for 100 % of 'residents' (buildings somebody lives in), 'buildings' or 'area', at
    ``candidates`` or anywhere. ``tolerance``: metres a drawn circle may leave the true one; ``seconds``: for HiGHS.
    Raises BadInput for empty layers, a radius that cannot be, counts that are none, and an area without area.
    """
    _check(facilities, cover, residences, area, candidates, tolerance, seconds)
    metres = radii_of(facilities, radius)
    crs = metric_crs(facilities if area is None else area)
    xy = inner_points(facilities, crs)
    placed = _finite(xy)
    if not placed.any():
        raise BadInput(f"none of the {len(facilities)} facilities has a place; give points")
    scale = np.ones(len(xy))
    scale[placed] = scale_at(xy[placed], crs)
    reach = metres * scale
    progress(0.0, "circles")
    together = union(xy[placed], reach[placed], tolerance=tolerance)
    shapes = None if area is None else polygons_of(area, crs, "area")
    ground = None if shapes is None else shapely.union_all(shapes)
    left = None if ground is None else _areal(shapely.difference(ground, together))
    progress(0.3, "residences")
    homes = None
    in_reach = np.empty(0, np.int64)
    rows = _facility_rows(facilities, metres)
    if residences is not None:
        homes = _Homes(
            inner_points(residences, crs),
            counts(residences, "population", "residences"),
            counts(residences, "elderly", "residences"),
        )
        in_reach = _reached(rows, xy, reach, placed, homes)
    figures = _figures(ground, left, homes, in_reach, float(scale[placed].mean()))
    extra = None
    if cover is not None:
        progress(0.4, "fewest further facilities")
        new = _new_radius(extra_radius, metres)
        factor = float(scale_at(np.array([_middle(ground, xy[placed])]), crs)[0])
        spots = None if candidates is None else inner_points(candidates, crs)
        found = _fewest(cover, homes, in_reach, left, new * factor, spots, tolerance, seconds)
        extra = _extra_rows(found, new, crs, candidates)
        figures["extra"] = _after(cover, found, new, new * factor, homes, in_reach, left, tolerance)
    progress(1.0, "done")
    notes = _notes(facilities, xy, placed, reach, ground, homes, residences)
    return StraightResult(
        facilities=rows,
        covered=_covered(together, ground, crs, figures),
        remainder=None if left is None else _remainder(left, homes, in_reach, crs),
        residences=None
        if homes is None or residences is None
        else _home_rows(residences, homes, in_reach, xy[placed], scale[placed]),
        areas=None if shapes is None or area is None else _area_rows(area, shapes, together, homes, in_reach),
        extra=extra,
        report={
            "facilities": len(facilities),
            "radius": {"least": float(metres.min()), "most": float(metres.max())},
            "tolerance_metres": tolerance,
            "crs": str(crs.to_string()),
            **figures,
            "notes": notes,
        },
    )


def _check(
    facilities: gpd.GeoDataFrame, cover: str | None, residences: gpd.GeoDataFrame | None,
    area: gpd.GeoDataFrame | None, candidates: gpd.GeoDataFrame | None, tolerance: float, seconds: float,
) -> None:  # fmt: skip
    for rows, what in (
        (facilities, "facilities"),
        (residences, "residences"),
        (area, "area"),
        (candidates, "candidates"),
    ):
        if rows is not None and not len(rows):
            raise BadInput(f"the {what} layer is empty")
    if cover is not None and cover not in AIMS:
        raise BadInput(f"unknown aim {cover!r}; give one of {', '.join(AIMS)}")
    if cover == "area" and area is None:
        raise BadInput("to cover the area, give the area as polygons: --area")
    if cover in ("residents", "buildings") and residences is None:
        raise BadInput(f"to cover all {cover}, give the residences: --residences")
    low, high = TOLERANCE_RANGE
    if not low <= tolerance <= high:
        raise BadInput(f"tolerance {tolerance} m is not between {low:g} and {high:g}; give for example 0.01")
    if not 0 < seconds <= STRAIGHT_SECONDS_MAX:
        raise BadInput(f"time limit {seconds} s is not above 0 and at most {STRAIGHT_SECONDS_MAX:g}")


def _new_radius(given: float | None, metres: Float64) -> float:
    if given is not None:
        return radius_of(given)
    if metres.min() != metres.max():
        raise BadInput(
            f"facilities reach {metres.min():g} to {metres.max():g} m; say how far new ones reach: --extra-radius"
        )
    return float(metres[0])


def _middle(ground: Any, xy: Float64) -> Float64:
    bounds = np.array(ground.bounds) if ground is not None else np.concatenate([xy.min(axis=0), xy.max(axis=0)])
    out: Float64 = (bounds[:2] + bounds[2:]) / 2
    return out


def _areal(shape: Any) -> Any:
    """Only the polygons of a shape, without specks of rounding."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    parts = parts[(shapely.get_type_id(parts) == 3) & (shapely.area(parts) > SPECK_M2)]
    return shapely.multipolygons(parts)


def _facility_rows(facilities: gpd.GeoDataFrame, metres: Float64) -> gpd.GeoDataFrame:
    kept = [name for name in ("facility_id", "category", "name", "name_en") if name in facilities]
    rows = facilities[[*kept, facilities.geometry.name]].copy()
    rows["radius"] = metres
    rows["square_metres"] = np.round(np.pi * metres**2, 2)
    return rows


def _reached(rows: gpd.GeoDataFrame, xy: Float64, reach: Float64, placed: Bool, homes: _Homes) -> Int64:
    """How many facilities reach each residence; fills the facilities' own figures in."""
    facility, home = pairs_within(xy[placed], reach[placed], homes.xy)
    facility = np.flatnonzero(placed)[facility]
    in_reach = np.bincount(home, minlength=len(homes.xy))
    alone = in_reach[home] == 1
    count = len(rows)
    rows["buildings"] = np.bincount(facility, minlength=count)
    rows["residents"] = _whole(np.bincount(facility, homes.people[home], count))
    rows["residents_alone"] = _whole(np.bincount(facility[alone], homes.people[home[alone]], count))
    return in_reach


def _finite(xy: Float64) -> Bool:
    return np.asarray(np.isfinite(xy).all(axis=1), bool)


def _whole(values: NDArray[Any]) -> Int64:
    return np.asarray(np.rint(values), np.int64)


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 6) if whole else None


def _figures(ground: Any, left: Any, homes: _Homes | None, in_reach: Int64, scale: float) -> dict[str, Any]:
    """Covered shares; areas in true square metres."""
    out: dict[str, Any] = {}
    if ground is not None:
        whole, missing = ground.area / scale**2, left.area / scale**2
        out["area"] = {
            "square_metres": round(whole, 2),
            "covered_square_metres": round(whole - missing, 2),
            "share": _share(whole - missing, whole),
            "remainder_square_metres": round(missing, 2),
            "remainder_parts": len(shapely.get_parts(left)),
        }
    if homes is not None:
        out |= _people(homes, in_reach > 0)
    return out


def _people(homes: _Homes, covered: Bool) -> dict[str, Any]:
    placed = homes.placed
    out: dict[str, Any] = {}
    for name, weights in (
        ("buildings", np.ones(len(placed))), ("residents", homes.people), ("elderly", homes.elderly)
    ):  # fmt: skip
        total, inside = int(weights[placed].sum()), int(weights[placed & covered].sum())
        out[name] = {"total": total, "covered": inside, "share": _share(inside, total)}
    return out


def _demand(cover: str, homes: _Homes) -> Bool:
    """Residences that are to be reached: where nobody is known to live anywhere, all of them."""
    return homes.placed & ((homes.people > 0) if cover == "residents" and homes.people.any() else True)


def _fewest(
    cover: str, homes: _Homes | None, in_reach: Int64, left: Any, radius: float, spots: Float64 | None,
    tolerance: float, seconds: float,
) -> Extra:  # fmt: skip
    if cover == "area":
        return extra_for_area(left, radius, candidates=spots, tolerance=tolerance, seconds=seconds)
    assert homes is not None
    wanted = homes.xy[_demand(cover, homes) & (in_reach == 0)]
    return extra_for_points(wanted, radius, candidates=spots, seconds=seconds)


def _after(
    cover: str, found: Extra, metres: float, radius: float, homes: _Homes | None, in_reach: Int64, left: Any,
    tolerance: float,
) -> dict[str, Any]:  # fmt: skip
    """The figures with the further facilities, measured anew from where they stand."""
    out: dict[str, Any] = {
        "cover": cover, "count": len(found.xy), "radius": metres, "method": found.method,
        "lower_bound": found.lower_bound, "proven": len(found.xy) == found.lower_bound,
        "gap": _share(len(found.xy) - found.lower_bound, len(found.xy)) or 0.0,
        "unreached": int(found.unreached.sum()),
    }  # fmt: skip
    reach = np.full(len(found.xy), radius)
    if homes is not None:
        covered = in_reach > 0
        if len(found.xy):
            covered[pairs_within(found.xy, reach, homes.xy)[1]] = True
        out |= _people(homes, covered)
    if left is not None:
        rest = _areal(shapely.difference(left, union(found.xy, reach, tolerance=tolerance)))
        out["remainder_square_metres"] = round(rest.area, 4)
    return out


def _covered(together: Any, ground: Any, crs: Any, figures: dict[str, Any]) -> gpd.GeoDataFrame:
    shape = together if ground is None else _areal(shapely.intersection(together, ground))
    share = figures.get("area", {}).get("share")
    return gpd.GeoDataFrame({"square_metres": [round(shape.area, 2)], "share": [share]}, geometry=[shape], crs=crs)


def _remainder(left: Any, homes: _Homes | None, in_reach: Int64, crs: Any) -> gpd.GeoDataFrame:
    parts = shapely.get_parts(left)
    parts = parts[np.argsort(-shapely.area(parts), kind="stable")]
    rows: dict[str, Any] = {"rank": np.arange(1, len(parts) + 1), "square_metres": np.round(shapely.area(parts), 2)}
    if homes is not None:
        away = np.flatnonzero(homes.placed & (in_reach == 0))
        home, part = shapely.STRtree(parts).query(shapely.points(homes.xy[away]), predicate="intersects")
        rows["buildings"] = np.bincount(part, minlength=len(parts))
        rows["residents"] = _whole(np.bincount(part, homes.people[away[home]], len(parts)))
    return gpd.GeoDataFrame(rows, geometry=parts, crs=crs)


def _home_rows(
    residences: gpd.GeoDataFrame, homes: _Homes, in_reach: Int64, xy: Float64, scale: Float64
) -> gpd.GeoDataFrame:
    known = ("building_id", "name", "kind", "households", "population", "elderly", "community")
    kept = [name for name in known if name in residences]
    rows = residences[[*kept, residences.geometry.name]].copy()
    placed = homes.placed
    metres = np.full(len(placed), np.nan)
    away, nearest = cKDTree(xy).query(homes.xy[placed])
    metres[placed] = away / scale[nearest]
    rows["covered"] = in_reach > 0
    rows["facilities_in_reach"] = in_reach
    rows["metres"] = np.round(metres, 3)
    return rows


def _area_rows(
    area: gpd.GeoDataFrame, shapes: Any, together: Any, homes: _Homes | None, in_reach: Int64
) -> gpd.GeoDataFrame:
    kept = [name for name in ("code", "name", "name_en", "level", "kind", "community") if name in area]
    rows = area[kept].copy()
    shapely.prepare(together)
    whole, inside = shapely.area(shapes), shapely.area(shapely.intersection(shapes, together))
    rows["square_metres"], rows["covered_square_metres"] = np.round(whole, 2), np.round(inside, 2)
    rows["share"] = np.round(np.divide(inside, whole, out=np.full(len(whole), np.nan), where=whole > 0), 6)
    if homes is not None:
        home, row = shapely.STRtree(shapes).query(shapely.points(homes.xy), predicate="intersects")
        met = in_reach[home] > 0
        count = len(rows)
        rows["buildings"] = np.bincount(row, minlength=count)
        rows["buildings_covered"] = np.bincount(row[met], minlength=count)
        rows["residents"] = _whole(np.bincount(row, homes.people[home], count))
        rows["residents_covered"] = _whole(np.bincount(row[met], homes.people[home[met]], count))
    return gpd.GeoDataFrame(rows, geometry=area.geometry, crs=area.crs)


def _extra_rows(found: Extra, metres: float, crs: Any, candidates: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    rows: dict[str, Any] = {"extra": np.arange(1, len(found.xy) + 1), "radius": np.full(len(found.xy), metres)}
    if candidates is not None and found.candidates is not None:
        names = np.array(names_of(candidates, "candidate_id", "name"), object)
        rows["candidate"] = names[found.candidates]
    return gpd.GeoDataFrame(rows, geometry=shapely.points(found.xy), crs=crs)


def _notes(
    facilities: gpd.GeoDataFrame, xy: Float64, placed: Bool, reach: Float64, ground: Any, homes: _Homes | None,
    residences: gpd.GeoDataFrame | None,
) -> list[str]:  # fmt: skip
    """What a reader of the figures should know, a sentence each."""
    twins = len(xy[placed]) - len(np.unique(xy[placed], axis=0))
    out = [
        (int((~placed).sum()), "facilities have no place and are left out"),
        (twins, "facilities stand exactly where another one stands"),
    ]
    if ground is not None:
        points = shapely.points(xy[placed])
        shapely.prepare(ground)
        outside = ~shapely.intersects(ground, points)
        far = ~shapely.dwithin(ground, points, reach[placed])
        out += [
            (int((outside & ~far).sum()), "facilities stand outside the area and reach into it"),
            (int(far.sum()), "facilities stand outside the area and do not reach it"),
        ]
        if homes is not None:
            away = ~shapely.intersects(ground, shapely.points(homes.xy[homes.placed]))
            out.append((int(away.sum()), "residences lie outside the area and are counted all the same"))
    notes = [f"{count} {text}" for count, text in out if count]
    if homes is not None and residences is not None:
        if (~homes.placed).any():
            notes.append(f"{int((~homes.placed).sum())} residences have no place and cannot be assessed")
        if "population" not in residences:
            notes.append("the residences have no column population: figures of residents are zero")
        elif not homes.people.any():
            notes.append("nobody lives in any residence: figures of residents are zero, and every building counts")
    return notes
