"""Partition: ours beside METIS on a shared neighbourhood and on made cities, judged by the same figures.

    python benchmarks/partition.py                                   every case with its bars
    python benchmarks/partition.py --case plan_M|500|20000|quick
    python benchmarks/partition.py --units 5000 [--preset streets] [--seed 0] [--effort 1.0] [--out plan.gpkg]

Every run has a process of its own, so that its peak memory is its own; kernels are compiled before the clock starts.
METIS (contiguous k-way, street classes as edge weights) makes as many grids as ours. `--out` writes layers units (with
column grid), grids and roads, for a look in QGIS.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from _partition_cases import (
    case,
    cpu_seconds,
    figures,
    heading,
    in_own_process,
    made_city,
    metis_alone,
    peak_mb,
    plan_m,
    row,
)

from gisgrid.models import Band
from planning.graph import unit_graph
from planning.partition import partition, warm

__all__ = ["figures", "made_city", "metis_alone"]

BAND = Band(300, 500)
# case: data, preset, least compactness and share on streets, most split and crossing, seconds, MB (None: not judged)
CASES: dict[str, tuple[str, str, float, float, float, float | None, float, float | None]] = {
    "plan_M": ("plan_M", "balanced", 0.68, 0.83, 0.01, None, 20.0, None),
    "500": ("500", "balanced", 0.0, 0.0, 1.0, None, 2.0, None),
    "20000": ("20000", "balanced", 0.68, 0.86, 0.02, 0.01, 60.0, 350.0),
    "quick": ("20000", "quick", 0.67, 0.84, 1.0, None, 10.0, None),
}


def one_run(args: argparse.Namespace) -> None:
    """One plan in this process; prints its figures as JSON."""
    data = case(args.data, args.seed)
    assert data is not None
    units, streets = data
    if args.peer:
        begun, worked = time.perf_counter(), cpu_seconds()
        graph = unit_graph(units, streets)
        label = metis_alone(graph, units["households"].to_numpy(float), args.grids, args.seed)
        seconds, cpu, memory = time.perf_counter() - begun, cpu_seconds() - worked, peak_mb()
        reasons: list[str] = []
    else:
        warm()
        begun, worked = time.perf_counter(), cpu_seconds()
        plan = partition(
            units, streets, band=BAND, seed=args.seed, preset=args.preset, effort=args.effort, special_kinds=()
        )
        seconds, cpu, memory = time.perf_counter() - begun, cpu_seconds() - worked, peak_mb()
        label, reasons = plan.assignment, [reason.text for reason in plan.reasons]
        graph = unit_graph(units, streets)
        if args.out:
            units["grid"] = plan.grids["code"].to_numpy()[plan.assignment]
            units.to_file(args.out, layer="units")
            plan.grids.to_file(args.out, layer="grids")
            streets.to_file(args.out, layer="roads")
    values = figures(graph, units, label, BAND)
    found = {"seconds": seconds, "cpu": cpu, "memory": memory, "units": len(units), "reasons": reasons}
    print(json.dumps(found | values))


def compared(title: str, arguments: list[str], seed: int) -> dict[str, float]:
    """Print ours, METIS and the ratios; our figures."""
    ours = in_own_process("partition.py", ["--run", *arguments, "--seed", str(seed)])
    if ours is None or "error" in ours:
        sys.exit(f"{title}: {ours}")
    peer = in_own_process(
        "partition.py", ["--run", "--peer", "--grids", str(ours["grids"]), *arguments, "--seed", str(seed)]
    )
    if peer is None or "error" in peer:
        sys.exit(f"{title}: METIS: {peer}")
    print(heading(f"{title} ({ours['units']:,} units)"))
    print(row("  METIS", peer))
    print(row("  ours", ours))
    ratio = {key: ours[key] / peer[key] for key in ("in_band", "compactness", "on_streets") if peer[key]}
    print("  ours / METIS: " + ", ".join(f"{key} {value:.2f}" for key, value in ratio.items()), flush=True)
    for reason in ours["reasons"]:
        print("  out of band:", reason)
    return ours


def bars(name: str, ours: dict[str, float]) -> bool:
    """Print what of the case's bars is missed; whether all are met."""
    _, _, compact, streets, split, crossing, seconds, memory = CASES[name]
    missed = [
        text
        for wrong, text in (
            (ours["in_band"] < 1.0, "in band 100 %"),
            (ours["broken"] > 0, "0 broken"),
            (ours["compactness"] < compact, f"compactness ≥ {compact}"),
            (ours["on_streets"] < streets, f"on street or river ≥ {streets}"),
            (ours["split"] > split, f"fitting compounds split ≤ {split:.0%}"),
            (crossing is not None and ours["crossing"] > crossing, f"grids crossing ≤ {crossing or 0:.0%}"),
            (ours["seconds"] > seconds, f"≤ {seconds:.0f} s"),
            (memory is not None and ours["memory"] > memory, f"≤ {memory or 0:.0f} MB"),
        )
        if wrong
    ]
    print("  bars: " + ("all met" if not missed else "MISSED " + ", ".join(missed)))
    if os.getloadavg()[0] > 1.5 * (os.cpu_count() or 1):
        print(f"  the machine is busy (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores): times say little")
    print(flush=True)
    return not missed


def main() -> None:
    """Run the cases asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=list(CASES))
    parser.add_argument("--units", type=int, help="a made city of that many units instead of the cases")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--effort", type=float)
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--run", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--data", default="20000", help=argparse.SUPPRESS)
    parser.add_argument("--grids", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        one_run(args)
        return
    more = ["--effort", str(args.effort)] if args.effort else []
    if args.units:
        more += ["--out", str(args.out)] if args.out else []
        compared("made city", ["--data", str(args.units), "--preset", args.preset, *more], args.seed)
        return
    for name in [args.case] if args.case else CASES:
        data, preset = CASES[name][:2]
        if data == "plan_M" and plan_m() is None:
            print("plan_M.gpkg is not at hand; left out\n")
            continue
        bars(name, compared(f"{name}, {preset}", ["--data", data, "--preset", preset, *more], args.seed))


if __name__ == "__main__":
    main()
