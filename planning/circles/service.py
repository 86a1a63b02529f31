"""Service circles: who reaches which facilities in how many minutes, over the streets.

A residence is *covered* in a category when the walk to the nearest facility takes no more than the minutes of the
category's own tier (5, 10 or 15), at the profile's speed. A residence over `SNAP_METRES_MAX` from every street
cannot be *assessed*: it counts neither as covered nor as blind. Figures come from each residence's own walk;
polygons are for maps.

The category's metres are a second yardstick, never derived from the minutes: ``within_metres`` counts those whose
walk is that long at most, ``straight_line`` those with a facility that near as the crow flies. The second is never
the smaller; the difference is what a straight radius promises and feet do not keep.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from gisgrid.limits import SNAP_METRES_MAX
from gisgrid.models import Progress, no_progress
from planning.circles.isochrones import contour, furthest_metres
from planning.circles.raster import snap_raster
from planning.network import Network, build_network, reverse
from planning.reach import (
    Profile,
    SegmentIndex,
    Snapped,
    at_places,
    key_costs,
    profile_of,
    search_from,
    segment_index,
    snap,
)

Bool = NDArray[np.bool_]
Float64 = NDArray[np.float64]
Ints = NDArray[np.int64]

KEPT: Final = ("building_id", "name", "kind", "households", "population", "elderly", "community")
"""Columns of the residences that go on to the result."""
ABOUT: Final = ("category", "tier", "minutes", "metres", "name_zh", "name_en")
"""Columns of the category table that go on to the coverage."""
METRES_MAX: Final = 20_000.0
"""Furthest a category may be asked to reach, in metres."""
FIGURES: Final = (
    "buildings", "buildings_assessed", "buildings_covered", "residents", "residents_assessed", "residents_covered",
)  # fmt: skip


@dataclass(frozen=True)
class CirclesResult:
    """What `service_circles` found.

    ``residences``: one row a residence, in the CRS it came in, with ``assessable`` and per category
    ``seconds_CATEGORY`` (NaN beyond the longest minutes asked for, of the polygons and of the tiers). ``coverage``:
    one row a category. ``grid_coverage``: one row a grid (``code``) and category. ``grids``: the grids with
    ``share_CATEGORY`` of residents covered, or None. ``isochrones``: ``category``, ``minutes``, polygons in the
    network's metric CRS. ``report``: JSON-ready figures.
    """

    residences: gpd.GeoDataFrame
    coverage: pd.DataFrame
    grid_coverage: pd.DataFrame
    grids: gpd.GeoDataFrame | None
    isochrones: gpd.GeoDataFrame
    report: dict[str, Any]


@dataclass(frozen=True)
class _Places:
    """Points on the network: metres east and north in its CRS, and where they snap."""

    xy: Float64
    snapped: Snapped


def service_circles(
    streets: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    residences: gpd.GeoDataFrame,
    *,
    categories: pd.DataFrame,
    grids: gpd.GeoDataFrame | None = None,
    minutes: Sequence[float] = (5, 10, 15),
    profile: str = "adult",
    metres_per_second: float | None = None,
    factor: float | None = None,
    nodes: str = "shared",
    isochrones: bool = True,
    progress: Progress = no_progress,
) -> CirclesResult:
    """Walks from every residence to the nearest facility of each category, what they cover, and isochrones.

    streets: lines (`planning.network`); facilities: ``category`` and geometry; residences: buildings or points with
    ``households`` and ``population`` where known; categories: ``category, tier, minutes, metres, name_zh,
    name_en``; grids: polygons with ``code``. Any CRS each. ``minutes``: limits of the polygons; ``nodes``: how
    streets connect. Raises BadInput for empty layers, missing columns, counts that are not numbers of 0 or more, an
    unknown profile, minutes not above 0 and at most 120, a speed that cannot be, grids that share a code, and when
    no facility or no residence lies on the network.
    """
    mover = profile_of(profile, metres_per_second=metres_per_second, factor=factor)
    minutes = _in_order(minutes)
    limits = [mover.limit(value) for value in minutes]
    _check(facilities, residences, categories, minutes)
    people = _numbers(residences, "population")
    code_of, codes = _grid_of(residences, grids)
    progress(0.0, "network")
    network = build_network(streets, mode=mover.mode, nodes=nodes)
    there = reverse(network)  # people go to facilities
    index = segment_index(network)
    homes, places = _placed(network, index, residences), _placed(network, index, facilities)
    _check_snapped(places.snapped, "facilities", network)
    _check_snapped(homes.snapped, "residences", network)
    raster = None
    if isochrones:
        progress(0.05, "snap raster")
        raster = snap_raster(network, _bounds(homes.xy, places.xy, furthest_metres(network, max(limits))), index=index)
    longest = max([*limits, *(mover.limit(float(value)) for value in categories["minutes"])])
    by_length = network.unit == "cm"
    furthest = max(longest, round(100 * float(categories["metres"].max()))) if by_length else longest
    seconds: dict[str, NDArray[np.float32]] = {}
    rows: list[dict[str, Any]] = []
    per_grid: list[pd.DataFrame] = []
    shapes: list[tuple[str, float, Any]] = []
    for number, about in enumerate(categories.to_dict("records")):
        name = str(about["category"])
        progress(0.1 + 0.9 * number / len(categories), name)
        chosen = np.flatnonzero(facilities["category"].isin([name]).to_numpy(bool))
        costs = search_from(there, places.snapped.take(chosen), limit=furthest)
        cost = key_costs(at_places(there, costs, homes.snapped))
        seconds[f"seconds_{name}"] = np.where(cost <= longest, mover.seconds(cost), np.nan).astype(np.float32)
        covered = cost <= mover.limit(float(about["minutes"]))
        within = (cost <= 100 * float(about["metres"])) & by_length
        figures = _figures(homes.snapped.ok, covered, within, people)
        straight = _straight(places.xy[chosen], homes.xy, float(about["metres"]))
        rows.append(_about(about, len(chosen), int(places.snapped.ok[chosen].sum()), figures, straight, people))
        if grids is not None:
            per_grid.append(_by_grid(name, codes, code_of, homes.snapped.ok, covered, people))
        if raster is not None:
            found = contour(there, costs, raster, limits)
            shapes += [(name, value, shape) for value, shape in zip(minutes, found, strict=True)]
    coverage = pd.DataFrame(rows)
    by_grid = (
        pd.concat(per_grid, ignore_index=True) if per_grid else pd.DataFrame(columns=["code", "category", *FIGURES])
    )
    progress(1.0, "done")
    return CirclesResult(
        residences=_residences(residences, homes.snapped.ok, seconds),
        coverage=coverage,
        grid_coverage=by_grid,
        grids=None if grids is None else _shares(grids, by_grid),
        isochrones=_shapes(shapes, network.crs),
        report=_report(network, homes, places, coverage, minutes, mover)
        | {"notes": _notes(homes, places, coverage, facilities, residences)},
    )


def _in_order(minutes: Sequence[float]) -> list[float]:
    """Minutes from the shortest up, each once, whole ones as whole numbers."""
    return sorted({int(value) if float(value).is_integer() else float(value) for value in minutes})


def _check(
    facilities: gpd.GeoDataFrame, residences: gpd.GeoDataFrame, categories: pd.DataFrame, minutes: Sequence[float]
) -> None:
    if not len(residences):
        raise BadInput("the residences layer is empty; give buildings or points")
    if not len(facilities):
        raise BadInput("the facilities layer is empty; give points with a category column")
    if "category" not in facilities:
        raise BadInput(f"the facilities layer has no column category, only {', '.join(map(str, facilities.columns))}")
    if not minutes:
        raise BadInput("no minutes are given; give for example 5,10,15")
    absent = [name for name in ABOUT if name not in categories]
    if absent or not len(categories):
        raise BadInput(f"the table of facility categories lacks {', '.join(absent) or 'rows'}")
    twice = categories["category"].duplicated()
    if twice.any():
        raise BadInput(f"facility category {categories['category'][twice].iloc[0]} is given twice; keep one row")
    for name, metres in zip(categories["category"], categories["metres"], strict=True):
        if not 0 < float(metres) <= METRES_MAX:
            raise BadInput(f"facility category {name}: metres={metres} is not above 0 and at most {METRES_MAX:g}")


def _placed(network: Network, index: SegmentIndex, rows: gpd.GeoDataFrame) -> _Places:
    """Inner points of some rows on the network."""
    shapes = to_metric(rows[[rows.geometry.name]], network.crs).geometry
    points = shapely.point_on_surface(shapes.to_crs(network.crs).to_numpy())
    xy = np.column_stack([shapely.get_x(points), shapely.get_y(points)])
    return _Places(xy, snap(network, xy, index=index))


def _check_snapped(snapped: Snapped, what: str, network: Network) -> None:
    if not snapped.ok.any():
        raise BadInput(
            f"none of the {len(snapped)} {what} lies within {SNAP_METRES_MAX:g} m of a street; "
            f"do the layers belong together? (streets in {network.crs})"
        )


def _bounds(homes: Float64, places: Float64, metres: float) -> tuple[float, float, float, float]:
    """A box around all places and as far as anybody walks; the raster keeps to where streets are."""
    xy = np.concatenate([homes, places])
    xy = xy[np.isfinite(xy).all(axis=1)]
    (west, south), (east, north) = xy.min(axis=0) - metres, xy.max(axis=0) + metres
    return float(west), float(south), float(east), float(north)


def _numbers(rows: gpd.GeoDataFrame, column: str) -> Float64:
    """A count column, zero where it is absent or unknown."""
    if column not in rows:
        return np.zeros(len(rows))
    given = rows[column]
    values: Float64 = pd.to_numeric(given, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = (np.isnan(values) & given.notna().to_numpy()) | (values < 0) | np.isinf(values)
    if wrong.any():
        row = int(wrong.argmax())
        raise BadInput(f"residences row {row + 1}: {column}={given.iloc[row]!s} is not a count; give 0 or more")
    return np.nan_to_num(values)


def _figures(assessed: Bool, covered: Bool, within: Bool, people: Float64) -> dict[str, int]:
    lived = people > 0
    return {
        "buildings_total": len(assessed),
        "buildings_assessed": int(assessed.sum()),
        "buildings_covered": int(covered.sum()),
        "buildings_within_metres": int(within.sum()),
        "homes_total": int(lived.sum()),
        "homes_assessed": int((assessed & lived).sum()),
        "homes_covered": int((covered & lived).sum()),
        "residents_total": int(people.sum()),
        "residents_assessed": int(people[assessed].sum()),
        "residents_covered": int(people[covered].sum()),
        "residents_within_metres": int(people[within].sum()),
    }


def _straight(facilities: Float64, homes: Float64, metres: float) -> Bool:
    """Which residences have a facility within ``metres`` as the crow flies."""
    sound = np.isfinite(facilities).all(axis=1)
    reached = np.zeros(len(homes), bool)
    usable = np.isfinite(homes).all(axis=1)
    if sound.any():
        away, _ = cKDTree(facilities[sound]).query(homes[usable], distance_upper_bound=metres * (1 + 1e-12))
        reached[usable] = away <= metres
    return reached


def _about(
    about: dict[Any, Any], count: int, on_network: int, figures: dict[str, int], straight: Bool, people: Float64
) -> dict[str, Any]:
    return {
        **{name: about[name] for name in ABOUT},
        "facilities": count,
        "facilities_on_network": on_network,
        **figures,
        "straight_line_buildings_covered": int(straight.sum()),
        "straight_line_residents_covered": int(people[straight].sum()),
    }


def _grid_of(residences: gpd.GeoDataFrame, grids: gpd.GeoDataFrame | None) -> tuple[list[Ints], NDArray[np.object_]]:
    """The sorted grid codes and, for each level of grids, the place there of every residence's grid (-1: none).

    A residence lies where its inner point lies; of several grids of one level that cover it the smallest code owns
    it.
    """
    if grids is None:
        return [], np.empty(0, object)
    if not len(grids):
        raise BadInput("the grids layer is empty; leave it out, or give polygons with a column code")
    if "code" not in grids:
        raise BadInput(f"the grids layer has no column code, only {', '.join(map(str, grids.columns))}")
    twice = grids["code"].duplicated()
    if twice.any():
        raise BadInput(f"grids row {int(twice.argmax()) + 1}: code {grids['code'][twice].iloc[0]} is given twice")
    ordered = to_metric(grids).sort_values("code")
    shapes = ordered.geometry.to_numpy()
    points = shapely.point_on_surface(residences.geometry.to_crs(ordered.crs).to_numpy())
    found, cell = shapely.STRtree(shapes).query(points, predicate="intersects")
    order = np.lexsort((-cell, found))  # the smallest code is written last
    found, cell = found[order], cell[order]
    level = pd.factorize(ordered["level"])[0] if "level" in ordered else np.zeros(len(ordered), np.int64)
    places = []
    for number in np.unique(level):
        place = np.full(len(residences), -1, np.int64)
        mine = level[cell] == number
        place[found[mine]] = cell[mine]
        places.append(place)
    return places, ordered["code"].to_numpy(dtype=object)


def _by_grid(
    name: str, codes: NDArray[np.object_], places: list[Ints], assessed: Bool, covered: Bool, people: Float64
) -> pd.DataFrame:
    """Figures of one category for every grid, grids without buildings included."""

    def total(mask: Bool, weights: Float64 | None = None) -> Ints:
        counted = np.zeros(len(codes))
        for place in places:
            rows = mask & (place >= 0)
            counted += np.bincount(place[rows], None if weights is None else weights[rows], minlength=len(codes))
        return np.rint(counted).astype(np.int64)

    every = np.ones(len(assessed), bool)
    return pd.DataFrame(
        {
            "code": codes,
            "category": name,
            "buildings": total(every),
            "buildings_assessed": total(assessed),
            "buildings_covered": total(covered),
            "residents": total(every, people),
            "residents_assessed": total(assessed, people),
            "residents_covered": total(covered, people),
        }
    )


def _shares(grids: gpd.GeoDataFrame, by_grid: pd.DataFrame) -> gpd.GeoDataFrame:
    """The grids with the share of assessed residents covered in each category (NaN: nobody lives there)."""
    share = by_grid["residents_covered"] / by_grid["residents_assessed"].replace(0, np.nan)
    # by_grid holds all grids of the first category, then of the next, always in the same order
    names = [f"share_{name}" for name in by_grid["category"].unique()]
    wide = pd.DataFrame(share.to_numpy(np.float64).reshape(len(names), len(grids)).T, columns=names)
    known = ("code", "name", "level", "parent", "community", "kind", "households", "population")
    kept = [name for name in known if name in grids]
    return grids[[*kept, grids.geometry.name]].merge(
        wide.assign(code=by_grid["code"].to_numpy()[: len(grids)]), on="code", how="left", validate="one_to_one"
    )


def _residences(
    residences: gpd.GeoDataFrame, assessable: Bool, seconds: dict[str, NDArray[np.float32]]
) -> gpd.GeoDataFrame:
    kept = residences[[name for name in KEPT if name in residences]].assign(assessable=assessable)
    times = pd.DataFrame(seconds, index=residences.index)
    return gpd.GeoDataFrame(pd.concat([kept, times], axis=1), geometry=residences.geometry, crs=residences.crs)


def _shapes(shapes: list[tuple[str, float, Any]], crs: str) -> gpd.GeoDataFrame:
    present = [row for row in shapes if row[2] is not None]
    return gpd.GeoDataFrame(
        {"category": [row[0] for row in present], "minutes": [row[1] for row in present]},
        geometry=[row[2] for row in present],
        crs=crs,
    )


def _report(
    network: Network, homes: _Places, places: _Places, coverage: pd.DataFrame, minutes: Sequence[float],
    profile: Profile,
) -> dict[str, Any]:  # fmt: skip
    """How the figures were made and the figures, as JSON-ready values."""
    return {
        "profile": profile.name,
        "metres_per_second": profile.metres_per_second,
        "factor": profile.factor,
        "minutes": list(minutes),
        "snap_metres_max": SNAP_METRES_MAX,
        "crs": network.crs,
        "network": {"nodes": network.nodes, "edges": network.edges, **network.stats},
        "residences": len(homes.xy),
        "residences_assessed": int(homes.snapped.ok.sum()),
        "residences_detached": int(homes.snapped.detached.sum()),
        "facilities": len(places.xy),
        "facilities_on_network": int(places.snapped.ok.sum()),
        "facilities_detached": int(places.snapped.detached.sum()),
        "categories": coverage.astype(object).to_dict("records"),
    }


def _notes(
    homes: _Places,
    places: _Places,
    coverage: pd.DataFrame,
    facilities: gpd.GeoDataFrame,
    residences: gpd.GeoDataFrame,
) -> list[str]:
    """What a reader of the figures should know, a sentence each."""
    notes = [
        f"no facility of category {name}: nobody is covered"
        for name in coverage.loc[coverage["facilities"] == 0, "category"]
    ]
    about = pd.DataFrame({"category": facilities["category"].to_numpy(), "x": places.xy[:, 0], "y": places.xy[:, 1]})
    if "population" not in residences:
        notes.append("the residences have no column population: figures of residents are zero")
    counts = (
        (~about["category"].isin(coverage["category"]), "facilities are of no category in the table and are left out"),
        (about.duplicated() & about["x"].notna(), "facilities stand exactly where another of their category stands"),
        (~places.snapped.ok, f"facilities are over {SNAP_METRES_MAX:g} m from every street and serve nobody"),
        (~homes.snapped.ok, f"residences are over {SNAP_METRES_MAX:g} m from every street and cannot be assessed"),
        (places.snapped.detached, "facilities are nearest to a small street piece cut off from the network"),
        (homes.snapped.detached, "residences are nearest to a small street piece cut off from the network"),
    )
    return notes + [f"{int(np.sum(which))} {text}" for which, text in counts if np.any(which)]
