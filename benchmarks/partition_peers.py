"""Partition peers: pymetis, spopt MaxP and SKATER, GerryChain ReCom beside ours, judged by the same figures.

    python benchmarks/partition_peers.py [--cases 600,plan_M] [--seconds 120] [--seed 0] [--peers metis,maxp,…]

Every peer runs in a process of its own and is ended after `--seconds`; "no answer" is an answer. Each is told what it
can be told: MaxP the least households of a grid, SKATER the number of grids and the least units of one, ReCom the
number, the band as its tolerance and most of the time there is (it is a random walk: the division with the fewest cut
borders met on the way counts). Attributes are centroid coordinates, so that regions come out compact. Needs the
packages of the optional group `bench`; a peer that is not installed is left out, saying so.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
from _partition_cases import case, cpu_seconds, figures, heading, in_own_process, metis_alone, peak_mb, row

from gisgrid.models import Band
from planning.graph import UnitGraph, unit_graph
from planning.partition import partition, warm

BAND = Band(300, 500)
TARGET = 400.0
Labels = npt.NDArray[np.int64]
NEEDS = {"metis": "pymetis", "maxp": "spopt", "skater": "spopt", "recom": "gerrychain", "ours": "numba"}
NAMES = {
    "metis": "METIS (pymetis)",
    "maxp": "spopt MaxP",
    "skater": "spopt SKATER",
    "recom": "GerryChain ReCom",
    "ours": "ours",
}


def neighbours(graph: UnitGraph) -> Any:
    """The adjacency as libpysal weights."""
    import libpysal

    return libpysal.weights.W({unit: graph.neighbours(unit).tolist() for unit in range(len(graph.area))})


def with_centres(units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Units with the columns x and y."""
    centre = units.geometry.centroid
    return units.reset_index(drop=True).assign(x=centre.x.to_numpy(), y=centre.y.to_numpy())


def maxp(units: gpd.GeoDataFrame, graph: UnitGraph, seed: int, seconds: float) -> Labels:
    """As many regions as possible of at least 300 households, alike in place."""
    from spopt.region import MaxPHeuristic

    np.random.seed(seed)  # noqa: NPY002 - the peer draws from NumPy's one random state
    model = MaxPHeuristic(
        with_centres(units), neighbours(graph), ["x", "y"], "households", BAND.low, top_n=2,
        max_iterations_construction=20,
    )  # fmt: skip
    model.solve()
    return np.asarray(model.labels_, dtype=np.int64)


def skater(units: gpd.GeoDataFrame, graph: UnitGraph, seed: int, seconds: float) -> Labels:
    """A spanning tree of places cut into as many regions as the households make grids of 400."""
    from sklearn.metrics.pairwise import manhattan_distances
    from spopt.region import Skater

    k = round(units["households"].sum() / TARGET)
    least = max(1, len(units) // (4 * k))
    model = Skater(
        with_centres(units), neighbours(graph), ["x", "y"], n_clusters=k, floor=least,
        spanning_forest_kwds={
            "dissimilarity": manhattan_distances, "affinity": None, "reduction": np.sum, "center": np.mean,
        },
    )  # fmt: skip
    model.solve()
    return np.asarray(model.labels_, dtype=np.int64)


def recom(units: gpd.GeoDataFrame, graph: UnitGraph, seed: int, seconds: float) -> Labels:
    """A walk of merge-and-cut-again moves for nearly all the time there is; the fewest cut borders met."""
    import networkx
    from gerrychain import Graph, MarkovChain, Partition
    from gerrychain.proposals import recom as propose
    from gerrychain.updaters import Tally, cut_edges

    begun = time.perf_counter()
    once = graph.sources < graph.indices
    net = networkx.Graph()
    net.add_nodes_from(
        (unit, {"households": float(load)}) for unit, load in enumerate(units["households"].to_numpy(float))
    )
    net.add_edges_from(zip(graph.sources[once].tolist(), graph.indices[once].tolist(), strict=True))
    total = float(units["households"].sum())
    k = round(total / TARGET)
    share = (BAND.high - BAND.low) / (BAND.high + BAND.low)
    start = Partition.from_random_assignment(
        Graph.from_networkx(net), k, share, "households",
        updaters={"households": Tally("households"), "cut_edges": cut_edges}, rng=seed,
    )  # fmt: skip
    chain = MarkovChain(
        partial(propose, pop_col="households", pop_target=total / k, epsilon=share), [], initial_partition=start,
        total_steps=10_000_000, rng=seed,
    )  # fmt: skip
    best, least = start, len(start["cut_edges"])
    for state in chain:
        if len(state["cut_edges"]) < least:
            best, least = state, len(state["cut_edges"])
        if time.perf_counter() - begun > 0.8 * seconds:
            break
    mapping = best.assignment.mapping if hasattr(best.assignment, "mapping") else dict(best.assignment)
    net_id = best.graph.original_nx_node_id_for_internal_node_id
    label = np.empty(len(units), dtype=np.int64)
    for node, part in mapping.items():
        label[net_id(node)] = part
    return label


def metis(units: gpd.GeoDataFrame, graph: UnitGraph, seed: int, seconds: float) -> Labels:
    """Contiguous k-way partitioning."""
    h = units["households"].to_numpy(float)
    return metis_alone(graph, h, round(h.sum() / TARGET), seed)


PEERS: dict[str, Callable[[gpd.GeoDataFrame, UnitGraph, int, float], Labels]] = {
    "metis": metis,
    "maxp": maxp,
    "skater": skater,
    "recom": recom,
}


def one_run(name: str, data: str, seed: int, seconds: float) -> None:
    """One peer in this process; prints its figures as JSON."""
    found = case(data, seed)
    assert found is not None
    units, streets = found
    graph = unit_graph(units, streets)
    if name == "ours":
        warm()
    begun, worked = time.perf_counter(), cpu_seconds()
    if name == "ours":
        label: npt.NDArray[Any] = partition(units, streets, band=BAND, seed=seed, special_kinds=()).assignment
    else:
        label = PEERS[name](units, graph, seed, seconds)
    took = {"seconds": time.perf_counter() - begun, "cpu": cpu_seconds() - worked, "memory": peak_mb()}
    label = np.unique(label, return_inverse=True)[1]
    print(json.dumps(took | figures(graph, units, label, BAND)))


def table(data: str, peers: list[str], seed: int, seconds: float) -> None:
    """Run all on one case and print the table with ratios."""
    if case(data, seed) is None:
        print(f"{data} is not at hand; left out\n")
        return
    print(heading(data))
    results: dict[str, dict[str, Any]] = {}
    for name in (*peers, "ours"):
        if importlib.util.find_spec(NEEDS[name]) is None:
            print(f"  {NAMES[name]:22s}not installed (pip install {NEEDS[name]}); left out")
            continue
        found = in_own_process(
            "partition_peers.py",
            ["--run", name, "--cases", data, "--seed", str(seed), "--seconds", str(seconds)],
            None if name == "ours" else seconds,
        )
        if found is None:
            print(f"  {NAMES[name]:22s}no answer in {seconds:.0f} s", flush=True)
        elif "error" in found:
            print(f"  {NAMES[name]:22s}failed: {found['error'][:100]}", flush=True)
        else:
            results[name] = found
            print(row("  " + NAMES[name], found), flush=True)
    ours = results.get("ours")
    for name in peers:
        if ours is None or name not in results:
            continue
        peer = results[name]
        ratios = [f"{key} {ours[key] / peer[key]:.2f}" for key in ("in_band", "compactness", "on_streets") if peer[key]]
        print(f"  ours / {NAMES[name]}: time {ours['seconds'] / max(peer['seconds'], 1e-3):.2f}, " + ", ".join(ratios))
    print()


def main() -> None:
    """Run the cases asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", default="600,plan_M")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--run", choices=[*PEERS, "ours"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        one_run(args.run, args.cases, args.seed, args.seconds)
        return
    for data in args.cases.split(","):
        table(data, [name for name in args.peers.split(",") if name in PEERS], args.seed, args.seconds)


if __name__ == "__main__":
    main()
