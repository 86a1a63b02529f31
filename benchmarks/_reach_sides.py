"""The sides of the reach benchmark: ours, SciPy and pandana, each alone in a process.

    python benchmarks/_reach_sides.py SIDE TASK GRAPH LIMIT ROUNDS

Prints one JSON line: best seconds of the rounds, peak memory, and what pandana's set-up took; answers go to a file.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

FOREVER = 2**31 - 2
K = 20
"""How many of the nearest the task ``several`` asks for, of the categories `SEVERAL_OF`."""
SEVERAL_OF = (4, 7)


def cm_limit(limit: float) -> int:
    return FOREVER if np.isinf(limit) else int(limit * 100)


def sets_of(data: Any) -> list[Any]:
    return [data[f"facilities_{i}"] for i in range(9)]


def ours(data: Any, task: str, limit: float, threads: int) -> Any:
    """A function without arguments that does the task with our kernels."""
    from planning.network.model import Network
    from planning.reach import Snapped, hang, reach_sets
    from planning.reach.dial import costs_of, pack, search
    from planning.reach.lists import search_lists
    from planning.reach.several import in_threads

    indptr, neighbours, weights = (data[name] for name in ("indptr", "neighbours", "weights"))
    sets, cm = sets_of(data), cm_limit(limit)

    def nearest() -> Any:
        graph = pack(indptr, neighbours, weights)
        costs = np.empty((len(sets), len(indptr) - 1), np.int32)

        def one(code: int) -> None:
            seeds = sets[code]
            key = search(graph, seeds, np.zeros(len(seeds), np.int64), np.arange(len(seeds), dtype=np.int32), cm)
            costs_of(key, costs[code])

        if threads == 1:
            for code in range(len(sets)):
                one(code)
        else:
            in_threads(one, len(sets))
        return costs

    def several() -> Any:
        costs = np.empty((len(SEVERAL_OF), len(indptr) - 1, K), np.int32)

        def one(number: int) -> None:
            seeds = sets[SEVERAL_OF[number]]
            zero, label = np.zeros(len(seeds), np.int64), np.arange(len(seeds), dtype=np.int64)
            keys = search_lists(indptr, neighbours, weights, seeds, zero, label, K, cm)
            costs_of(keys.ravel(), costs[number].ravel())

        in_threads(one, len(SEVERAL_OF))
        return costs

    def reach() -> Any:
        """Hung on nodes beforehand, as the other side's matrix is made beforehand."""
        edges, size = data["edges"], len(indptr) - 1
        cm_of, none = edges[2], np.zeros(0)
        network = Network(
            crs="", mode="walk", unit="cm", x=data["x"], y=data["y"], indptr=indptr, neighbours=neighbours,
            weights=weights, half_edge=none.astype(np.int32), edge_from=edges[0], edge_to=edges[1], edge_cm=cm_of,
            edge_forward=cm_of, edge_backward=cm_of, edge_street=none.astype(np.int32), edge_open=none.astype(bool),
            edge_component=none.astype(np.int32), coords=none.reshape(0, 2), offsets=none.astype(np.int64),
            component_cm=none.astype(np.int64), component_used=none.astype(bool),
        )  # fmt: skip
        at = place_of(edges, size)
        everywhere = Snapped(at[0], at[1], np.zeros(size, np.int32), np.zeros(size, bool))
        leaves, origins = hang(network, everywhere), everywhere.take(data["origins"])
        return lambda: reach_sets(network, origins, everywhere, cm, leaves=leaves)

    return reach() if task == "sets" else {"nearest": nearest, "several": several}[task]


def place_of(edges: Any, nodes: int) -> tuple[Any, Any]:
    """(edge, cm along it) of every node: one edge that ends there."""
    edge, offset = np.full(nodes, -1, np.int32), np.zeros(nodes, np.int32)
    number = np.arange(edges.shape[1], dtype=np.int32)
    edge[edges[1]], offset[edges[1]] = number, edges[2]
    edge[edges[0]], offset[edges[0]] = number, 0
    return edge, offset


def scipy(data: Any, task: str, limit: float, threads: int) -> Any:
    """The same with `scipy.sparse.csgraph.dijkstra`; parallel edges are reduced to the shortest beforehand."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    indptr, target, weight = (data[name] for name in ("indptr", "neighbours", "weights"))
    source = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    order = np.lexsort((weight, target, source))
    source, target, weight = source[order], target[order], np.maximum(weight[order], 1e-7)
    first = np.append(True, (np.diff(source) != 0) | (np.diff(target) != 0))
    size = len(indptr) - 1
    graph = csr_matrix((weight[first].astype(np.float64), (source[first], target[first])), shape=(size, size))

    def whole(cm: Any) -> Any:
        return np.where(np.isinf(cm), -1, np.rint(np.where(np.isinf(cm), 0, cm))).astype(np.int32)

    def nearest() -> Any:
        found = [dijkstra(graph, indices=nodes, min_only=True, limit=limit * 100) for nodes in sets_of(data)]
        return np.stack([whole(cm) for cm in found])

    def reach() -> Any:
        return dijkstra(graph, indices=data["origins"], limit=limit * 100)

    return {"nearest": nearest, "sets": reach}[task]


def pandana(data: Any, task: str, limit: float, threads: int) -> Any:
    """The same with pandana; returns the function and says its set-up's seconds in ``pandana.setup``."""
    import pandana as pdna
    import pandas as pd

    metres = 1e7 if np.isinf(limit) else limit
    edges, (x, y) = data["edges"], (data["x"], data["y"])
    start = time.perf_counter()
    leads = edges[0] != edges[1]
    network = pdna.Network(
        pd.Series(x), pd.Series(y), pd.Series(edges[0][leads]), pd.Series(edges[1][leads]),
        pd.DataFrame({"metres": edges[2][leads] / 100.0}),
    )  # fmt: skip
    sets = sets_of(data) if task == "nearest" else [sets_of(data)[code] for code in SEVERAL_OF]
    for number, nodes in enumerate(sets):
        network.set_pois(str(number), metres, K if task == "several" else 1, pd.Series(x[nodes]), pd.Series(y[nodes]))
    pandana.setup = time.perf_counter() - start  # type: ignore[attr-defined]

    def nearest() -> Any:
        found = []
        for number in range(len(sets)):
            frame = network.nearest_pois(metres, str(number), num_pois=K if task == "several" else 1, max_distance=-1)
            found.append(np.where(frame < 0, -1, np.rint(frame * 100)).astype(np.int32))
        return np.stack(found) if task == "several" else np.stack(found)[:, :, 0]

    return nearest


def needed(name: str, side: str, task: str) -> bool:
    """Whether a side reads an array at all: what it does not read is no part of its memory."""
    places = side == "pandana" or task == "sets"
    return places or name not in {"x", "y", "edges", "origins"}


def peak_gigabytes() -> float:
    """Peak memory of this process alone: ru_maxrss would begin at the parent's."""
    status = Path("/proc/self/status").read_text()
    return float(status.split("VmHWM:")[1].split()[0]) / 1e6


def main(side: str, task: str, path: Path, limit: float, rounds: int) -> None:
    with np.load(path) as stored:
        data = {name: stored[name] for name in stored.files if needed(name, side, task)}
    threads = 1 if side == "ours-1" else 2
    make = {"ours": ours, "ours-1": ours, "scipy": scipy, "pandana": pandana}[side]
    solve = make(data, task, limit, threads)
    if side.startswith("ours"):
        ours(data | {f"facilities_{i}": nodes[:1] for i, nodes in enumerate(sets_of(data))}, task, 1.0, 1)()  # compile
    times, cpu = [], []
    for _ in range(rounds):
        start, worked = time.perf_counter(), time.process_time()
        found = solve()
        times.append(time.perf_counter() - start)
        cpu.append(time.process_time() - worked)
    gigabytes = peak_gigabytes()
    if task == "sets":  # a dense answer has every pair, ours those in reach: compare the latter
        rows = found if side != "scipy" else None
        found = (
            np.array([rows.nnz, int(rows.data.astype(np.int64).sum())])
            if rows is not None
            else np.array(
                [int(np.isfinite(found).sum()), int(np.rint(found[np.isfinite(found)]).astype(np.int64).sum())]
            )
        )
    np.save(path.with_name(f"{side}_{task}.npy"), found)
    print(
        json.dumps(
            {
                "seconds": min(times),
                "first": times[0],
                "cpu": min(cpu),
                "gb": gigabytes,
                "setup": getattr(pandana, "setup", 0.0),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
