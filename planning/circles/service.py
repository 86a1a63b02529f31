"""Service circles: who reaches which facilities in how many minutes, over the streets.

A residence is *covered* in a category when the walk to the nearest facility takes no more than the minutes of the
category's own tier (5, 10 or 15), at the profile's speed. A residence over `SNAP_METRES_MAX` from every street, or
near to a cut-off piece of the network only, cannot be *assessed*: it counts neither as covered nor as blind. Figures
come from each residence's own walk; polygons are for maps.

The category's metres are a second yardstick, never derived from the minutes: ``within_metres`` counts those whose
walk is that long at most, ``straight_line`` those of the assessed with a facility that near as the crow flies. The
second is never smaller than the first; the difference is what a straight radius promises and feet do not keep.
Against the minutes it may be either: 10 minutes are 660 m for an adult, and the radius of that tier is 500 m.

Facilities given twice (category, place and name alike) count once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.errors import BadInput
from gisgrid.limits import PROFILE_MINUTES_MAX, SERVICE_NEAREST_MAX
from gisgrid.models import Progress, no_progress
from planning.circles import scores, summary
from planning.circles.blind_spots import Facilities, Homes, Nearest, blind_spots, spots_frame, walked_both_ways
from planning.circles.coverage import counts, straight, tier_counts
from planning.circles.facilities import isochrones_per_facility
from planning.circles.grounds import Grounds
from planning.circles.inputs import (
    ABOUT,
    Members,
    People,
    Places,
    check_layers,
    check_places,
    check_snapped,
    communities_in,
    communities_of,
    grids_of,
    in_order,
    people_of,
    placed,
    repeated,
    whole,
)
from planning.circles.isochrones import furthest_metres
from planning.circles.kinds import facility_ids, texts, with_codes, with_ids
from planning.circles.merged import around, by_category
from planning.circles.raster import snap_raster
from planning.circles.result import CirclesResult, isochrones_layer, places_layer, residences_layer
from planning.network import Network, build_network, reverse
from planning.reach import (
    Profile,
    SegmentIndex,
    nearest_by_category,
    nearest_several,
    profile_of,
    reach_sets,
    segment_index,
)

Bool = NDArray[np.bool_]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

ISOCHRONES: Final = ("merged", "facilities", "none")
"""Polygons that may be asked for: of categories, of every facility as well, none."""


@dataclass(frozen=True)
class _Run:
    """One run's inputs, ready to be counted; ``there`` is the network with every direction turned round."""

    network: Network
    there: Network
    index: SegmentIndex
    mover: Profile
    homes: Places
    places: Places
    people: People
    facilities: gpd.GeoDataFrame
    categories: pd.DataFrame
    category: Int32
    minutes: list[float]
    told_minutes: float

    @property
    def by_length(self) -> bool:
        """Whether costs are lengths, so that metres can be asked."""
        return self.network.unit == "cm"

    @property
    def limits(self) -> Int64:
        """Each category's own minutes as cost."""
        return np.array([self.mover.limit(float(value)) for value in self.categories["minutes"]], np.int64)

    @property
    def longest(self) -> int:
        """Cost up to which a residence's times are told: never below the minutes of polygons and tiers."""
        told = [*self.minutes, self.told_minutes]
        return max([*(self.mover.limit(value) for value in told), int(self.limits.max())])

    def facilities_of(self, number: int) -> Int64:
        """Rows of the facilities of a category."""
        return np.flatnonzero(self.category == number)


def service_circles(
    streets: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    residences: gpd.GeoDataFrame,
    *,
    categories: pd.DataFrame,
    grids: gpd.GeoDataFrame | None = None,
    areas: gpd.GeoDataFrame | None = None,
    barriers: gpd.GeoDataFrame | None = None,
    minutes: Sequence[float] = (5, 10, 15),
    profile: str = "adult",
    metres_per_second: float | None = None,
    factor: float | None = None,
    nodes: str = "shared",
    nearest: int = 0,
    isochrones: str = "merged",
    told_minutes: float = PROFILE_MINUTES_MAX,
    progress: Progress = no_progress,
) -> CirclesResult:
    """Walks from every residence to the nearest facility of each category, what they cover, and isochrones.

    streets: lines (`planning.network`); facilities: ``category`` and geometry, ``facility_id`` and ``name`` where
    known; residences: buildings or points with ``population`` and ``elderly`` where known; categories: ``category,
    tier, minutes, metres, name_zh, name_en``; grids: polygons with ``code``; areas: polygons with ``code``, of which
    those of ``level`` community are counted (without them, the residences' column ``community``); barriers: closed
    gates. Any CRS each. ``minutes``: limits of the polygons; ``nodes``: how streets connect; ``nearest``: how many
    facilities of each category to name for each residence; ``told_minutes``: how far times and facilities are told
    of each residence (never less than the longest minutes asked for). Raises BadInput for empty layers, missing
    columns, no facility whose ``category`` the table knows by code or name, counts that are not numbers of 0 or more,
    an unknown profile, minutes not above 0 and at most 120, a speed that cannot be, places that share a code, and
    when no facility or no residence lies on the network.
    """
    mover = profile_of(profile, metres_per_second=metres_per_second, factor=factor)
    if isochrones not in ISOCHRONES:
        raise BadInput(f"unknown isochrones {isochrones!r}; give one of {', '.join(ISOCHRONES)}")
    minutes = in_order(minutes)
    for value in (*minutes, told_minutes):
        mover.limit(value)
    check_layers(facilities, residences, categories, minutes)
    facilities = with_ids(with_codes(facilities, categories))
    if not 0 <= nearest <= SERVICE_NEAREST_MAX:
        raise BadInput(
            f"nearest {nearest} is not between 0 and {SERVICE_NEAREST_MAX}; give how many facilities to name"
        )
    people = people_of(residences)
    check_places("grids", grids)
    check_places("areas", None if areas is None else communities_in(areas))
    progress(0.0, "network")
    network = build_network(streets, mode=mover.mode, nodes=nodes, barriers=barriers)
    index = segment_index(network)
    homes, places = placed(network, index, residences), placed(network, index, facilities)
    check_snapped(places.snapped, "facilities", network)
    check_snapped(homes.snapped, "residences", network)
    inner = homes.points(network.crs)
    kinds = [whole(residences, areas), communities_of(residences, inner, areas), grids_of(inner, grids)]
    twice = repeated(facilities, places)
    numbers = {name: number for number, name in enumerate(categories["category"])}
    category = facilities["category"].map(numbers).to_numpy(np.float64, na_value=np.nan)
    run = _Run(
        network, reverse(network), index, mover, homes, places, people, facilities, categories,
        np.where(twice | np.isnan(category), -1, np.nan_to_num(category)).astype(np.int32), minutes,
        told_minutes,
    )  # fmt: skip
    result = _assess(run, residences, grids, areas, kinds, twice, nearest, isochrones, progress)
    bare = int((streets.geometry.isna() | streets.geometry.is_empty).sum())
    if bare:
        result.report["notes"].append(f"{bare} streets have no geometry and are left out")
    return result


def _assess(
    run: _Run, residences: gpd.GeoDataFrame, grids: gpd.GeoDataFrame | None, areas: gpd.GeoDataFrame | None,
    kinds: list[Members], twice: Bool, nearest: int, isochrones: str, progress: Progress,
) -> CirclesResult:  # fmt: skip
    people, homes, categories = run.people, run.homes, run.categories
    names = categories["category"].tolist()
    progress(0.1, "nearest facilities")
    furthest = run.mover.limit(PROFILE_MINUTES_MAX)
    if run.by_length:
        furthest = max(furthest, round(100 * float(categories["metres"].max())))
    cost, row = nearest_by_category(run.there, run.places.snapped, run.category, len(names), homes.snapped, furthest)
    reached = cost >= 0
    covered = reached & (cost <= run.limits)
    within = reached & (cost <= 100 * categories["metres"].to_numpy(np.float64)) & run.by_length
    near = np.stack([_straight(run, number) for number in range(len(names))], axis=1)
    progress(0.2, "opportunities")
    found = np.stack([_opportunities(run, number) for number in range(len(names))], axis=1)

    quarter = reached & (cost <= run.mover.limit(scores.SCORE_MINUTES))
    score, own = scores.scores(quarter, homes.ok), scores.scores(covered, homes.ok)
    by_kind = [counts(members, people, homes.ok, covered, near, names) for members in kinds]
    tiers = categories["tier"].to_numpy(np.int64)
    tier_table = pd.concat(
        [tier_counts(members, people, homes.ok, covered, near, tiers) for members in kinds], ignore_index=True
    )
    means = [scores.by_place(members, score, own, people) for members in kinds]

    progress(0.4, "blind spots")
    seconds = run.mover.seconds(np.where(reached, cost, np.nan))
    spots = _spots(run, residences, covered, seconds, row, kinds[1])
    progress(0.6, "polygons")
    merged, alone = _isochrones(run, isochrones, progress)
    coverage = _coverage(run, covered, within, near, found, spots)
    progress(0.98, "tables")

    far = ~reached | (cost > run.longest)
    told = np.where(far, np.nan, seconds).astype(np.float32)
    columns = _columns(run, score, own, (told, np.where(far, -1, row)), found, nearest)
    named = means[1].assign(name=np.array(_names(kinds[1], areas), object))
    facts = summary.run_facts(run.network, homes, run.places, people, run.minutes, run.mover) | {
        "score": scores.summary(score, own, people) | {"categories": len(names)},
        "categories": summary.records(coverage),
        "tiers": summary.records(tier_table[tier_table["place"] == "district"].drop(columns="place")),
        "communities": summary.records(named),
        "blind_spots": len(spots),
        "outside": summary.outside(kinds[1:], people),
        "notes": [
            *summary.notes(homes, run.places, coverage, run.facilities, residences, people, twice),
            *summary.outside_notes(kinds[1:], people),
        ],
    }
    outlines = None if areas is None else communities_in(areas)
    progress(1.0, "done")
    return CirclesResult(
        residences=residences_layer(residences, columns),
        coverage=coverage,
        district_coverage=by_kind[0],
        community_coverage=by_kind[1],
        grid_coverage=by_kind[2],
        tiers=tier_table,
        community_scores=named,
        grids=None if grids is None else places_layer(grids, kinds[2], by_kind[2], means[2]),
        communities=None if outlines is None else places_layer(outlines, kinds[1], by_kind[1], means[1]),
        isochrones=merged,
        facility_isochrones=alone,
        blind_spots=spots,
        facilities=_counted(run),
        report=facts,
    )


def _counted(run: _Run) -> gpd.GeoDataFrame:
    """The facilities of the table's categories, each once."""
    rows = np.flatnonzero(run.category >= 0)
    columns = {
        "facility_id": texts(run.facilities, "facility_id")[rows],
        "category": texts(run.facilities, "category")[rows],
        "name": texts(run.facilities, "name")[rows],
        "on_network": run.places.ok[rows],
    }
    return gpd.GeoDataFrame(
        columns, geometry=run.places.points(run.network.crs).iloc[rows].to_numpy(), crs=run.network.crs
    )


def _straight(run: _Run, number: int) -> Bool:
    """Assessed residences with a facility of a category within its metres as the crow flies."""
    metres = float(run.categories["metres"].iloc[number])
    return straight(run.places.xy[run.facilities_of(number)], run.homes.xy, metres) & run.homes.ok


def _opportunities(run: _Run, number: int) -> Int32:
    """How many facilities of a category each residence reaches within its minutes, -1 where not assessable."""
    facilities = run.places.snapped.take(run.facilities_of(number))
    reached = reach_sets(run.there, facilities, run.homes.snapped, int(run.limits[number]))
    found = np.bincount(reached.indices, minlength=len(run.homes.xy))
    return np.where(run.homes.ok, found, -1).astype(np.int32)


def _spots(
    run: _Run, residences: gpd.GeoDataFrame, covered: Bool, seconds: Float64, row: Int32, communities: Members
) -> gpd.GeoDataFrame:
    """Blind spots of every category, in the order of the table."""
    lived = np.where(run.people.home[:, None], run.homes.xy, np.nan)
    grounds, undirected = Grounds(lived), walked_both_ways(run.network)
    community = np.full(len(residences), "", object)
    places = communities.matrix.tocoo()
    community[places.coords[1]] = communities.codes[places.coords[0]]
    homes = Homes(run.homes.snapped, run.people, community)
    facilities = Facilities(texts(run.facilities, "facility_id"), texts(run.facilities, "name"))
    rows: list[dict[str, Any]] = []
    for number, about in enumerate(run.categories.to_dict("records")):
        nearest = Nearest(
            str(about["category"]), 60 * float(about["minutes"]), seconds[:, number], row[:, number].astype(np.int64)
        )
        blind = run.homes.ok & ~covered[:, number]
        rows += blind_spots(undirected, homes, nearest, blind, grounds, facilities)
    return spots_frame(rows, run.network.crs)


def _isochrones(run: _Run, which: str, progress: Progress) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame | None]:
    """Polygons of every category, and of every facility where they are asked for."""
    crs = run.network.crs
    if which == "none":
        return isochrones_layer([], crs), None
    bounds = around(run.homes.xy, run.places.xy, furthest_metres(run.network, run.mover.limit(run.minutes[-1])))
    raster = snap_raster(run.network, bounds, index=run.index)
    names = run.categories["category"].astype(str).tolist()
    of = [run.places.snapped.take(run.facilities_of(number)) for number in range(len(names))]
    shapes = by_category(run.there, raster, names, of, run.mover, run.minutes, progress)
    if which == "merged":
        return isochrones_layer(shapes, crs), None
    counted = run.facilities.iloc[np.flatnonzero(run.category >= 0)]
    alone = isochrones_per_facility(
        run.there, counted, minutes=run.minutes, profile=run.mover, raster=raster, index=run.index
    )
    return isochrones_layer(shapes, crs), alone.drop(columns="facility")


def _coverage(
    run: _Run, covered: Bool, within: Bool, near: Bool, found: Int32, spots: gpd.GeoDataFrame
) -> pd.DataFrame:
    """One row a category for the whole district."""
    people, assessed, lived = run.people, run.homes.ok, run.people.residents > 0
    weights = {
        "buildings": np.ones(len(assessed)), "homes": lived.astype(np.float64), "residents": people.residents,
        "elderly": people.elderly,
    }  # fmt: skip
    number_of_spots = spots["category"].value_counts()
    rows = []
    for number, about in enumerate(run.categories.to_dict("records")):
        chosen = run.facilities_of(number)
        row: dict[str, Any] = {name: about[name] for name in ABOUT}
        row |= {"facilities": len(chosen), "facilities_on_network": int(run.places.ok[chosen].sum())}
        for who, weight in weights.items():
            row[f"{who}_total"] = _total(weight)
            row[f"{who}_assessed"] = _total(weight[assessed])
            row[f"{who}_covered"] = _total(weight[covered[:, number]])
            if who != "homes":
                row[f"{who}_within_metres"] = _total(weight[within[:, number]])
                row[f"straight_line_{who}_covered"] = _total(weight[near[:, number]])
        row["opportunity"] = scores.opportunity(found[:, number], assessed, people.residents)
        row["opportunity_buildings"] = scores.opportunity(found[:, number], assessed, weights["buildings"])
        row["opportunity_elderly"] = scores.opportunity(found[:, number], assessed, people.elderly)
        row["blind_spots"] = int(number_of_spots.get(about["category"], 0))
        rows.append(row)
    return pd.DataFrame(rows)


def _total(weights: Float64) -> int:
    return round(float(weights.sum()))


def _columns(
    run: _Run, score: Float64, own: Float64, first: tuple[NDArray[np.float32], Int32], found: Int32, nearest: int
) -> dict[str, Any]:
    """What is told of every residence, as columns; ``first``: seconds and row of the nearest facility, -1 none."""
    seconds, row = first
    ids = facility_ids(run.facilities)[row]
    known = np.isfinite(run.homes.xy).all(axis=1)
    why = np.where(run.homes.snapped.detached, "cut off", np.where(known, "far", "no place")).astype(object)
    why[run.homes.ok] = None
    columns: dict[str, Any] = {
        "assessable": run.homes.ok,
        "unassessed": why,
        "score": score.astype(np.float32),
        "score_own": own.astype(np.float32),
    }
    names = run.categories["category"].astype(str).tolist()
    columns |= {f"seconds_{name}": seconds[:, number] for number, name in enumerate(names)}
    columns |= {f"facility_{name}": ids[:, number] for number, name in enumerate(names)}
    columns |= {f"opportunity_{name}": found[:, number] for number, name in enumerate(names)}
    if nearest:
        columns |= _nearest(run, names, nearest)
    return columns


def _nearest(run: _Run, names: list[str], k: int) -> dict[str, Any]:
    """Time and id of the nearest ``k`` facilities of every category, as far as times are told."""
    cost, row = nearest_several(
        run.there, run.places.snapped, run.category, run.homes.snapped, k, run.longest, count=len(names)
    )
    seconds = np.where(row >= 0, run.mover.seconds(cost.astype(np.float64)), np.nan).astype(np.float32)
    ids = facility_ids(run.facilities)[row]
    columns: dict[str, Any] = {}
    for number, name in enumerate(names):
        for place in range(k):
            columns[f"seconds_{name}_{place + 1}"] = seconds[:, number, place]
            columns[f"facility_{name}_{place + 1}"] = ids[:, number, place]
    return columns


def _names(communities: Members, areas: gpd.GeoDataFrame | None) -> list[str | None]:
    """Names of the communities, None where no layer tells them."""
    if areas is None or "name" not in areas:
        return [None] * len(communities.codes)
    known = dict(zip(areas["code"], areas["name"], strict=True))
    return [known.get(code) for code in communities.codes]
