"""Response circles: vehicles from stations, minutes promised in town and outside, the stations' districts.

Vehicles leave stations, so the search runs along the streets' own directions, in milliseconds of free flow times the
moment's speed. A building's last leg, from the nearest street one can drive on, is gone at the network's slow access
pace; a building over `SNAP_METRES_MAX` from every such street cannot be *assessed*: it counts neither as inside nor
as outside its promise. A building that no station reaches within `PROFILE_MINUTES_MAX` is assessed, and outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.errors import BadInput
from gisgrid.limits import PROFILE_MINUTES_MAX, SNAP_METRES_MAX
from gisgrid.models import Progress, no_progress
from planning.circles.isochrones import contour
from planning.circles.raster import snap_raster
from planning.network import Network, build_network
from planning.places import counts, inner_points, levels_of, members, names_of, polygons_of
from planning.reach import Profile, SegmentIndex, Snapped, profile_of, search_from, segment_index, snap
from planning.response.districts import cell_for, dissolved, first_by_cell, raster_districts
from planning.response.figures import grid_table, inside_figures, maybe, outages, share, station_table
from planning.response.promise import TOWN_DENSITY, Promise, in_town, promise_of
from planning.response.times import FIRST, SECOND, Times, two_first

Bool = NDArray[np.bool_]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

DISTRICTS: Final = ("grids", "raster")
KEPT: Final = ("building_id", "name", "kind", "households", "population", "elderly", "community")
GRIDS_KEPT: Final = ("code", "name", "level", "parent", "community", "kind")


@dataclass(frozen=True)
class ResponseResult:
    """What `response_circles` found.

    ``residences``: one row each, in its CRS, with ``assessable, town, promise_minutes, seconds, station,
    second_seconds, second_station, inside`` (None where not assessed). ``grids``: with ``residents_inside, share,
    inside_all, inside_most, station, town, worst_minutes``, or None. ``stations``: one row each with ``residents,
    square_metres, mean_minutes, worst_minutes`` and what happens when it is out. ``districts``: ``station`` and
    polygons, ``reach``: ``minutes`` and polygons, both in the network's metric CRS. ``report``: JSON-ready figures.
    """

    residences: gpd.GeoDataFrame
    grids: gpd.GeoDataFrame | None
    stations: gpd.GeoDataFrame
    districts: gpd.GeoDataFrame
    reach: gpd.GeoDataFrame
    report: dict[str, Any]


@dataclass(frozen=True)
class _Found:
    """Every residence's answer: times, seconds from the call (n, 2), the promise kept by the first and the second."""

    snapped: Snapped
    times: Times
    seconds: Float64
    town: Bool
    minutes: Float64
    inside: Bool
    second_inside: Bool

    @property
    def first(self) -> Int64:
        """Row of the first station, -1 none."""
        return self.times.station[:, FIRST].astype(np.int64)


def response_circles(
    streets: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    residences: gpd.GeoDataFrame,
    *,
    grids: gpd.GeoDataFrame | None = None,
    town: gpd.GeoDataFrame | None = None,
    barriers: gpd.GeoDataFrame | None = None,
    minutes: float = 15.0,
    outside_minutes: float = 60.0,
    turnout: float = 0.0,
    factor: float | None = None,
    town_density: float = TOWN_DENSITY,
    grid_share: float = 0.9,
    districts: str | None = None,
    nodes: str = "shared",
    progress: Progress = no_progress,
) -> ResponseResult:
    """How soon vehicles from ``stations`` reach every residence, the promise kept or not, and the districts by time.

    streets: lines (`planning.network`, mode 'drive'); stations: points or shapes; residences: buildings or points
    with ``population`` and ``elderly`` where known; grids: polygons with ``code``; any CRS each. ``minutes`` are
    promised in town, ``outside_minutes`` elsewhere, from the call: ``turnout`` seconds pass before a vehicle leaves.
    `planning.response.promise.in_town` says what town is. ``factor``: the moment's speed as a share of the usual one.
    ``grid_share``: the share of residents inside from which a grid is called mostly inside. ``districts``: from
    whole 'grids' or a 'raster' of places; grids where they are given. Raises BadInput for empty layers, counts that
    are none, minutes not above 0 and at most 120, a speed that cannot be, and when no station or no residence lies
    on a street one can drive on.
    """
    mover = profile_of("car", factor=factor)
    promise = promise_of(minutes, outside_minutes, turnout)
    districts = _check(stations, residences, grids, grid_share, districts)
    weights = {
        "buildings": np.ones(len(residences)),
        "residents": counts(residences, "population", "residences"),
        "elderly": counts(residences, "elderly", "residences"),
    }
    progress(0.0, "network")
    network = build_network(streets, mode=mover.mode, nodes=nodes, barriers=barriers)
    index = segment_index(network)
    xy, starts_xy = inner_points(residences, network.crs), inner_points(stations, network.crs)
    homes, starts = snap(network, xy, index=index), snap(network, starts_xy, index=index)
    _on_streets(homes, "residences", network)
    _on_streets(starts, "stations", network)
    told, how = in_town(xy, weights["residents"], residences, grids, town, network.crs, town_density)
    names = _names(stations)
    progress(0.2, "times")
    found = _times(network, starts, homes, told, promise, mover)
    progress(0.5, "figures")
    placed = None if grids is None else members(xy, grids, network.crs)
    table = None
    if grids is not None and placed is not None:
        table = grid_table(
            *placed, len(grids), weights, homes.ok, found.inside, told, found.seconds[:, FIRST], found.first,
            len(stations), grid_share,
        )  # fmt: skip
        _empty_grids(table, grids, network, index, starts, mover)
    per_station = station_table(found.times, found.seconds, weights, found.inside, len(stations))
    out, told_out = outages(found.times, found.second_inside, weights, found.inside, homes.ok, names)
    progress(0.6, "districts")
    areas, reach = _maps(network, index, starts, mover, promise, grids, table, districts, names, (xy, starts_xy))
    rows = _station_rows(stations, names, starts, pd.concat([per_station, out], axis=1), areas, table, grids)
    progress(1.0, "done")
    return ResponseResult(
        residences=_home_rows(residences, found, names),
        grids=None if grids is None or table is None else _grid_rows(grids, table, names),
        stations=rows,
        districts=areas,
        reach=reach,
        report={
            "minutes": promise.minutes,
            "outside_minutes": promise.outside_minutes,
            "turnout_seconds": promise.turnout,
            "factor": mover.factor,
            "town": how,
            "snap_metres_max": SNAP_METRES_MAX,
            "crs": network.crs,
            "network": {"nodes": network.nodes, "edges": network.edges, **network.stats},
            **_figures(found, weights),
            **({} if grids is None or table is None else {"grids": _grid_figures(grids, table, grid_share)}),
            "ties": int((found.times.cost[:, FIRST] == found.times.cost[:, SECOND]).sum()),
            "stations": _records(rows),
            "outages": told_out,
            "districts": districts,
            "notes": _notes(found, starts, starts_xy, xy, residences, weights["residents"]),
        },
    )


def _check(
    stations: gpd.GeoDataFrame, residences: gpd.GeoDataFrame, grids: gpd.GeoDataFrame | None, grid_share: float,
    districts: str | None,
) -> str:  # fmt: skip
    if not len(stations):
        raise BadInput("the stations layer is empty; give points vehicles leave from")
    if not len(residences):
        raise BadInput("the residences layer is empty; give buildings or points")
    if not 0 < grid_share <= 1:
        raise BadInput(f"grid share {grid_share:g} is not above 0 and at most 1; give for example 0.9")
    if districts is None:
        return "raster" if grids is None else "grids"
    if districts not in DISTRICTS:
        raise BadInput(f"unknown districts {districts!r}; give one of {', '.join(DISTRICTS)}")
    if districts == "grids" and grids is None:
        raise BadInput("districts of grids need the grids: name --grids")
    return districts


def _on_streets(snapped: Snapped, what: str, network: Network) -> None:
    if not snapped.ok.any():
        raise BadInput(
            f"none of the {len(snapped)} {what} lies within {SNAP_METRES_MAX:g} m of a street one can drive on; "
            f"do the layers belong together? (streets in {network.crs})"
        )


def _names(stations: gpd.GeoDataFrame) -> list[str]:
    """What each station is called: its number or name; those that share one get their row behind it."""
    names = names_of(stations, "station_id", "facility_id", "code", "name")
    twice = pd.Series(names).duplicated(keep=False)
    return [f"{name}#{row + 1}" if twice[row] else name for row, name in enumerate(names)]


def _times(network: Network, starts: Snapped, homes: Snapped, town: Bool, promise: Promise, mover: Profile) -> _Found:
    times = two_first(network, starts, homes, limit=mover.limit(PROFILE_MINUTES_MAX))
    limit = np.where(town, promise.limit(mover, promise.minutes), promise.limit(mover, promise.outside_minutes))
    kept = times.cost <= limit[:, None]
    return _Found(
        snapped=homes,
        times=times,
        seconds=mover.seconds(times.cost) + promise.turnout,
        town=town,
        minutes=np.where(town, promise.minutes, promise.outside_minutes),
        inside=kept[:, FIRST],
        second_inside=kept[:, SECOND],
    )


def _empty_grids(
    table: pd.DataFrame, grids: gpd.GeoDataFrame, network: Network, index: SegmentIndex, starts: Snapped,
    mover: Profile,
) -> None:  # fmt: skip
    """Grids without any building reached belong to who is first at a point inside them."""
    empty = np.flatnonzero(table["station_row"] < 0)
    if not len(empty):
        return
    spots = snap(network, inner_points(grids.iloc[empty], network.crs), index=index)
    times = two_first(network, starts, spots, limit=mover.limit(PROFILE_MINUTES_MAX))
    table.loc[empty, "station_row"] = times.station[:, FIRST]


def _maps(
    network: Network, index: SegmentIndex, starts: Snapped, mover: Profile, promise: Promise,
    grids: gpd.GeoDataFrame | None, table: pd.DataFrame | None, districts: str, names: list[str],
    places: tuple[Float64, Float64],
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:  # fmt: skip
    """The districts, and everywhere reached within the minutes in town and outside."""
    limits = {value: promise.limit(mover, value) for value in sorted({promise.minutes, promise.outside_minutes})}
    deepest = None if grids is None else np.flatnonzero(levels_of(grids) == levels_of(grids).max())
    shapes = None if grids is None or deepest is None else polygons_of(grids.iloc[deepest], network.crs, "grids")
    bounds = _bounds(network, places, shapes)
    raster = snap_raster(network, bounds, cell=cell_for(bounds, 10.0), index=index)
    costs = search_from(network, starts, limit=mover.limit(PROFILE_MINUTES_MAX))
    found = contour(network, costs, raster, list(limits.values()))
    told = [(value, shape) for value, shape in zip(limits, found, strict=True) if shape is not None]
    reach = gpd.GeoDataFrame(
        {"minutes": [value for value, _ in told]}, geometry=[shape for _, shape in told], crs=network.crs
    )
    if districts == "grids" and shapes is not None and table is not None and deepest is not None:
        sound = np.flatnonzero(shapes != None)  # noqa: E711 - element by element
        owner = table["station_row"].to_numpy(np.int64)[deepest]
        rows, areas = dissolved(owner[sound], shapes[sound])
    else:
        outline = None if shapes is None else shapely.union_all(shapes)
        rows, areas = raster_districts(first_by_cell(network, costs, raster), raster, outline)
    frame = gpd.GeoDataFrame(
        {
            "station_row": rows,
            "station": [names[row] if row >= 0 else None for row in rows],
            "square_metres": np.round(shapely.area(areas), 1),
        },
        geometry=areas,
        crs=network.crs,
    )
    return frame, reach


def _bounds(network: Network, places: tuple[Float64, Float64], shapes: Any) -> tuple[float, float, float, float]:
    """A box about the streets, kept to 5 km about residences, stations and grids."""
    xy = np.concatenate(places)
    boxes = [xy[np.isfinite(xy).all(axis=1)]]
    if shapes is not None:
        boxes.append(shapely.total_bounds(shapes).reshape(2, 2))
    about = np.concatenate(boxes)
    low = np.maximum(about.min(axis=0) - 5000.0, network.coords.min(axis=0) - SNAP_METRES_MAX)
    high = np.minimum(about.max(axis=0) + 5000.0, network.coords.max(axis=0) + SNAP_METRES_MAX)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _home_rows(residences: gpd.GeoDataFrame, found: _Found, names: list[str]) -> gpd.GeoDataFrame:
    kept = [name for name in KEPT if name in residences]
    rows = residences[[*kept, residences.geometry.name]].copy()
    label = np.array([*names, None], object)
    ok = found.snapped.ok
    rows["assessable"], rows["town"], rows["promise_minutes"] = ok, found.town, found.minutes
    for number, name in ((FIRST, ""), (SECOND, "second_")):
        rows[f"{name}station"] = pd.Series(label[found.times.station[:, number]], index=rows.index, dtype=object)
        rows[f"{name}seconds"] = np.round(found.seconds[:, number], 3)
    rows["inside"] = maybe(found.inside, ok)
    return rows


def _grid_rows(grids: gpd.GeoDataFrame, table: pd.DataFrame, names: list[str]) -> gpd.GeoDataFrame:
    kept = [name for name in GRIDS_KEPT if name in grids]
    label = np.array([*names, None], object)
    owner = pd.Series(label[table["station_row"].to_numpy(np.int64)], index=table.index, dtype=object)
    told = table.drop(columns="station_row").assign(station=owner)
    told.index = grids.index
    return gpd.GeoDataFrame(pd.concat([grids[kept], told], axis=1), geometry=grids.geometry, crs=grids.crs)


def _station_rows(
    stations: gpd.GeoDataFrame, names: list[str], starts: Snapped, table: pd.DataFrame, areas: gpd.GeoDataFrame,
    by_grid: pd.DataFrame | None, grids: gpd.GeoDataFrame | None,
) -> gpd.GeoDataFrame:  # fmt: skip
    kept = [name for name in ("name", "name_en", "category") if name in stations]
    told = table.assign(on_network=starts.ok)
    told["square_metres"] = areas.set_index("station_row")["square_metres"].reindex(range(len(names)), fill_value=0.0)
    if by_grid is not None and grids is not None:
        deepest = levels_of(grids) == levels_of(grids).max()
        owner = by_grid["station_row"].to_numpy(np.int64)[deepest]
        told["grids"] = np.bincount(owner[owner >= 0], minlength=len(names))
    told.insert(0, "station", names)
    told.index = stations.index
    return gpd.GeoDataFrame(pd.concat([told, stations[kept]], axis=1), geometry=stations.geometry, crs=stations.crs)


def _records(rows: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    plain = pd.DataFrame(rows.drop(columns=rows.geometry.name)).astype(object)
    told = plain.where(plain.notna(), None).to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in told]


def _figures(found: _Found, weights: dict[str, Float64]) -> dict[str, Any]:
    ok, reached = found.snapped.ok, found.first >= 0
    everywhere = np.ones(len(ok), bool)
    where = (("all", everywhere), ("in_town", found.town), ("outside", ~found.town))
    return {"promise": {name: inside_figures(weights, ok, reached, found.inside, rows) for name, rows in where}}


def _grid_figures(grids: gpd.GeoDataFrame, table: pd.DataFrame, most: float) -> list[dict[str, Any]]:
    """How many grids of each level are inside: all, and most of their residents."""
    level = levels_of(grids)
    out = []
    for number in np.unique(level):
        rows = table[level == number]
        judged = int(rows["inside_all"].notna().sum())
        every, mostly = int((rows["inside_all"] == True).sum()), int((rows["inside_most"] == True).sum())  # noqa: E712
        nobody = int((rows["residents"] == 0).sum())
        out.append(
            {
                "level": int(number), "grids": len(rows), "without_residents": nobody,
                "not_assessed": len(rows) - nobody - judged, "judged": judged, "inside_all": every,
                "share_all": share(every, judged), "inside_most": mostly, "share_most": share(mostly, judged),
                "most": most,
            }
        )  # fmt: skip
    return out


def _notes(
    found: _Found, starts: Snapped, starts_xy: Float64, homes_xy: Float64, residences: gpd.GeoDataFrame, people: Float64
) -> list[str]:
    """What a reader of the figures should know, a sentence each."""
    twins = pd.DataFrame(starts_xy).dropna().duplicated()
    ok = found.snapped.ok
    far = f"over {SNAP_METRES_MAX:g} m from every street one can drive on"
    here, lived = np.isfinite(starts_xy).all(axis=1), np.isfinite(homes_xy).all(axis=1)
    notes = [
        (int((~starts.ok & here).sum()), f"stations are {far} and send nobody"),
        (int((~here).sum()), "stations have no place (empty geometry) and send nobody"),
        (int(twins.sum()), "stations stand exactly where another one stands"),
        (int((~ok & lived).sum()), f"residences are {far} and cannot be assessed"),
        (int((~lived).sum()), "residences have no place (empty geometry) and cannot be assessed"),
        (int((ok & (found.first < 0)).sum()), f"residences are not reached within {PROFILE_MINUTES_MAX:g} minutes"),
        (int(starts.detached.sum()), "stations are nearest to a small street piece cut off from the network"),
        (int(found.snapped.detached.sum()), "residences are nearest to a small street piece cut off from the network"),
    ]
    out = [f"{count} {text}" for count, text in notes if count]
    if "population" not in residences:
        out.append("the residences have no column population: figures of residents are zero")
    elif not people.any():
        out.append("nobody lives in any residence: figures of residents are zero")
    return out
