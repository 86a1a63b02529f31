"""Reach: nearest facility of nine categories and isochrone polygons, ours beside SciPy's Dijkstra.

    python benchmarks/reach.py [--nodes 1000000] [--minutes 15] [--polygons 200] [--seed 0] [--osm FILE]

The graph is a made city (jittered lattice, missing streets, bent ones, one street in nine without end) or, with
``--osm``, a real extract tiled side by side until it has the nodes asked for. Ours and SciPy (`dijkstra` with
``min_only`` and the same limit) answer in turn from the same seeds; every node is compared, to the centimetre.
Memory is the growth of the process's peak over the searches. Polygons are checked against exactly snapped points.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from data.osm import read_osm
from gisgrid.crs import to_metric
from planning.dial import NO_LIMIT
from planning.isochrones import isochrones, snap_raster
from planning.network import Network, build_network, walkable_rows
from planning.reach import at_places, key_metres, minutes_cm, search_from, warm
from planning.snapping import Snapped, segment_index, snap

Floats = npt.NDArray[np.float64]
CRS = "EPSG:4548"
SPEED = 1.1
CATEGORIES = 9


def made_city(nodes: int, seed: int) -> gpd.GeoDataFrame:
    """Streets of about ``nodes`` junctions and dead ends: blocks of 80 m, an eighth of the streets missing."""
    rng = np.random.default_rng(seed)
    side = int(np.sqrt(nodes * 1.06))
    spots = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), -1) * 80.0
    spots += rng.uniform(-25, 25, spots.shape)
    pairs = np.concatenate(
        [
            np.stack([spots[:-1], spots[1:]], axis=2).reshape(-1, 2, 2),
            np.stack([spots[:, :-1], spots[:, 1:]], axis=2).reshape(-1, 2, 2),
        ]
    )
    pairs = pairs[rng.random(len(pairs)) > 1 / 8]
    middle = pairs.mean(axis=1) + rng.uniform(-8, 8, (len(pairs), 2))
    lines = shapely.linestrings(np.stack([pairs[:, 0], middle, pairs[:, 1]], axis=1))
    return gpd.GeoDataFrame(geometry=lines, crs=CRS)


def tiled(osm: Path, nodes: int) -> gpd.GeoDataFrame:
    """A real extract again and again side by side, joined by nothing but its own through streets' ends."""
    streets = read_osm(osm)["streets"]
    metric = to_metric(streets[walkable_rows(streets)][["geometry"]])
    once = build_network(metric)
    copies = int(np.ceil(nodes / once.nodes))
    side = int(np.ceil(np.sqrt(copies)))
    west, south, east, north = metric.total_bounds
    coords, line = shapely.get_coordinates(metric.geometry.to_numpy(), return_index=True)
    shift = np.array([[i % side * (east - west), i // side * (north - south)] for i in range(copies)])
    whole = (coords[None] + shift[:, None]).reshape(-1, 2)
    index = (line[None] + np.arange(copies)[:, None] * (line.max() + 1)).ravel()
    return gpd.GeoDataFrame(geometry=shapely.linestrings(whole, indices=index), crs=metric.crs)


def at_nodes(network: Network, nodes: npt.NDArray[np.int64]) -> Snapped:
    """Facilities standing on nodes: at the beginning or the end of one of their edges."""
    edge = network.half_edge[network.indptr[nodes]]
    offset = np.where(network.edge_from[edge] == nodes, 0, network.edge_cm[edge]).astype(np.int32)
    return Snapped(edge, offset, np.zeros(len(nodes), np.int32), np.zeros(len(nodes), bool))


def scipy_graph(network: Network) -> Any:
    """The same graph for SciPy: parallel edges reduced to the shortest, as a matrix would add them up."""
    source = np.repeat(np.arange(network.nodes), np.diff(network.indptr))
    order = np.lexsort((network.weights, network.neighbours, source))
    source, target, weight = source[order], network.neighbours[order], network.weights[order]
    first = np.append(True, (np.diff(source) != 0) | (np.diff(target) != 0))
    values = np.maximum(weight[first].astype(np.float64), 1e-7)
    return csr_matrix((values, (source[first], target[first])), shape=(network.nodes, network.nodes))


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def nearest(network: Network, minutes: float, seed: int, repeats: int = 3) -> None:
    """Time nine categories, few facilities to many, and compare every node."""
    rng = np.random.default_rng(seed)
    joined = np.flatnonzero(np.diff(network.indptr) > 0)
    counts = np.geomspace(network.nodes / 20_000 + 1, network.nodes / 250 + 1, CATEGORIES).astype(int)
    chosen = [np.sort(rng.choice(joined, count, replace=False)) for count in counts]
    sources = [at_nodes(network, nodes) for nodes in chosen]
    graph = scipy_graph(network)
    for what, limit in ((f"{minutes:g} minutes", minutes_cm(minutes, SPEED)), ("no limit", NO_LIMIT)):
        ours, theirs = [], []
        before, grown = peak_megabytes(), 0.0
        for _ in range(repeats):
            start = time.perf_counter()
            answers = [search_from(network, places, limit_cm=limit) for places in sources]
            ours.append(time.perf_counter() - start)
            grown = max(grown, peak_megabytes() - before)
        for _ in range(1 if limit == NO_LIMIT else repeats):
            start = time.perf_counter()
            reference = [dijkstra(graph, indices=nodes, min_only=True, limit=float(limit)) for nodes in chosen]
            theirs.append(time.perf_counter() - start)
        for answer, expected in zip(answers, reference, strict=True):
            cm = np.nan_to_num(np.rint(answer.node_metres() * 100), nan=np.inf)
            if not np.array_equal(cm, np.rint(expected)):
                raise SystemExit("ours and SciPy differ")
        print(
            f"nearest of {CATEGORIES} categories ({counts[0]}–{counts[-1]} facilities each), {what}: "
            f"ours {min(ours):.2f} s, SciPy {min(theirs):.2f} s, ratio {min(theirs) / min(ours):.1f}, "
            f"our peak +{grown:.0f} MB, every node equal"
        )


def polygons(network: Network, count: int, seed: int) -> None:
    """Time one 15-minute polygon at 10 m, and count exactly snapped points on its wrong side."""
    rng = np.random.default_rng(seed)
    index = segment_index(network)
    pick = rng.choice(np.flatnonzero(network.edge_open & network.component_used[network.edge_component]), count)
    places = snap(network, network.coords[network.offsets[pick]] + rng.normal(0, 15, (count, 2)), index=index)
    around = network.coords[network.offsets[pick]]
    bounds = (*(around.min(axis=0) - 1200), *(around.max(axis=0) + 1200))
    start = time.perf_counter()
    raster = snap_raster(network, bounds, index=index)
    print(f"snap raster {raster.edge.shape}, cell {raster.cell:g} m: {time.perf_counter() - start:.2f} s, once")
    for minutes in (5.0, 10.0, 15.0):
        limit = minutes_cm(minutes, SPEED)
        times, false_in, false_out, inside = [], 0, 0, 0
        for number in range(count):
            place = places.take(np.array([number]))
            if not place.ok[0]:
                continue
            start = time.perf_counter()
            shape = isochrones(network, place, minutes=(minutes,), metres_per_second=SPEED, raster=raster)[0]
            times.append(time.perf_counter() - start)
            if number % 10 or shape is None:
                continue
            west, south, east, north = shape.bounds
            points = rng.uniform((west - 20, south - 20), (east + 20, north + 20), (10_000, 2))
            costs = search_from(network, place, limit_cm=limit)
            exact = ~np.isnan(key_metres(at_places(network, costs, snap(network, points, index=index))))
            drawn = shapely.contains_xy(shape, points)
            false_in, false_out = false_in + (drawn & ~exact).sum(), false_out + (exact & ~drawn).sum()
            inside += exact.sum()
        print(
            f"polygon of {minutes:g} minutes: median {1e3 * np.median(times):.2f} ms, "
            f"false in {false_in / inside:.2%}, false out {false_out / inside:.2%}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--polygons", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--osm", type=Path)
    args = parser.parse_args()
    warm()
    streets = tiled(args.osm, args.nodes) if args.osm else made_city(args.nodes, args.seed)
    start = time.perf_counter()
    # tiles of a real extract are pieces of their own, each as good as the next
    network = build_network(streets, min_component_share=0.0 if args.osm else 0.01)
    print(f"network of {network.nodes:,} nodes, {network.edges:,} edges: {time.perf_counter() - start:.1f} s, once")
    nearest(network, args.minutes, args.seed)
    polygons(network, args.polygons, args.seed)
    print(f"peak of the whole process: {peak_megabytes():.0f} MB")


if __name__ == "__main__":
    main()
