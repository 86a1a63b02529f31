"""Partition campaign: many seeds on many layers; every hard rule is checked from the geometry alone.

    python benchmarks/partition_campaign.py [--seeds 20] [--cases plan_M,2000,mingfeng,nanjian,xijindu] [--full]
    python benchmarks/partition_campaign.py --cases 100000 --seeds 1 [--preset quick]

Cases are ``plan_M`` (shared data), a number (a made city of about that many units, a new one for every seed) or a
sample scenario. `--full` takes the made city of 20,000 units and the samples taibai and gulou too. Prints the least,
mean and greatest of every figure; exit 1 when a rule is broken anywhere, or a plan is out of band without a reason.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from _partition_cases import COLUMNS, case, figures, peak_mb
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from gisgrid import coverage
from gisgrid.models import SPECIAL_KINDS, Band
from planning.graph import unit_graph
from planning.partition import PlanResult, partition, warm

BAND = Band(300, 500)
CASES = "plan_M,2000,mingfeng,nanjian,xijindu"
FULL = "20000,taibai,gulou"
_made: dict[str, tuple[gpd.GeoDataFrame, gpd.GeoDataFrame] | None] = {}


def layers(name: str, seed: int) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame] | None:
    """Units and boundary lines of a case; those that do not change with the seed are made once."""
    if name.isdigit():
        return case(name, seed)
    if name not in _made:
        _made[name] = case(name) if name == "plan_M" else sample(name)
    return _made[name]


def sample(name: str) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Units made of a sample district's buildings, and its streets, water and walls."""
    from data.sample import make_sample
    from planning.units import make_units
    from planning.workflow import barrier_lines

    found = make_sample(name, seed=0).layers
    lines = barrier_lines(found["streets"], found["water"], found["walls"])
    units = make_units(found["buildings"], found["streets"], found["areas"], water=found["water"], walls=found["walls"])
    return units, lines


def broken_rules(units: gpd.GeoDataFrame, plan: PlanResult, band: Band) -> list[str]:
    """Every hard rule that does not hold, judged from the units' own polygons and nothing the engine says."""
    wrong: list[str] = []
    k = len(plan.grids)
    label = plan.assignment
    if len(label) != len(units) or label.min() < 0 or label.max() >= k or len(np.unique(label)) != k:
        return [f"{len(label)} assignments of {len(units)} units to {k} grids"]
    shapes = units.to_crs(plan.grids.crs).geometry.to_numpy()
    order = np.argsort(label, kind="stable")
    ends = np.cumsum(np.bincount(label, minlength=k))
    unions = np.array([shapely.union_all(part) for part in np.split(shapes[order], ends[:-1])], dtype=object)
    wrong += [f"grid {plan.grids['code'].iloc[row]} is not contiguous" for row in np.flatnonzero(~_whole(unions))]
    off = shapely.area(shapely.symmetric_difference(unions, plan.grids.geometry.to_numpy()))
    wrong += [f"grid {plan.grids['code'].iloc[row]} is not its units" for row in np.flatnonzero(off > 1.0)]
    report = coverage.check(plan.grids, units=units.assign(grid=plan.grids["code"].to_numpy()[label]), band=band)
    wrong += [problem.text for problem in report.problems if problem.kind != "gap"]
    if "community" in units:
        of_grid = plan.grids["community"].to_numpy()[label]
        wrong += [
            f"unit in {a} given to a grid of {b}" for a, b in zip(units["community"], of_grid, strict=True) if a != b
        ]
    loads = np.bincount(label, units["households"].to_numpy(float), minlength=k)
    special = (plan.grids["kind"] != "ordinary").to_numpy()
    if loads[special].any():
        wrong.append("a special grid has households")
    if "kind" in units and not set(units["kind"][special[label]].dropna()) <= SPECIAL_KINDS | {"water", ""}:
        wrong.append(f"special grids hold units of kind {set(units['kind'][special[label]])}")
    out = ~special & ((loads < band.low) | (loads > band.high))
    if out.any() != bool(plan.reasons) or plan.feasible != (not plan.reasons):
        wrong.append(f"{out.sum()} grids out of band, {len(plan.reasons)} reasons, feasible {plan.feasible}")
    return wrong


def _whole(unions: Any) -> Any:
    """Whether each union is one polygon: shapely keeps parts that touch at a corner apart."""
    parts, grid = shapely.get_parts(unions, return_index=True)
    return np.bincount(grid[shapely.area(parts) > 1.0], minlength=len(unions)) == 1


def main() -> int:
    """Run every seed of every case; 1 when a rule is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--cases", default=CASES)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--effort", type=float)
    args = parser.parse_args()
    names = (args.cases + ("," + FULL if args.full else "")).split(",")
    broken: list[str] = []
    tables: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    warm()
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    )  # fmt: skip
    with Progress(*columns) as bar:
        task = bar.add_task("campaign", total=len(names) * args.seeds)
        for name in names:
            for seed in range(args.seeds):
                bar.update(task, description=f"{name} seed {seed}")
                found = layers(name, seed)
                if found is None:
                    bar.print(f"{name} is not at hand; left out")
                    bar.advance(task, args.seeds)
                    break
                units, streets = found
                begun = time.perf_counter()
                plan = partition(units, streets, band=BAND, seed=seed, preset=args.preset, effort=args.effort)
                seconds = time.perf_counter() - begun
                wrong = [f"{name} seed {seed}: {text}" for text in broken_rules(units, plan, BAND)]
                for text in wrong[:5]:
                    bar.print(text)
                broken += wrong
                values = figures(unit_graph(units, streets), units, plan.assignment, BAND)
                tables[name].append(
                    {"seconds": seconds, "reasons": len(plan.reasons), "rules broken": len(wrong), **values}
                )
                bar.advance(task)
    for name, rows in tables.items():
        if rows:
            print_table(name, rows)
    print(f"peak {peak_mb():.0f} MB; {len(broken)} broken rules in {sum(map(len, tables.values()))} plans")
    return 1 if broken else 0


def print_table(name: str, rows: list[dict[str, float]]) -> None:
    """Least, mean and greatest of every figure."""
    keys = ("seconds", *COLUMNS, "reasons", "rules broken")
    print(f"\n{name}, {len(rows)} seeds")
    print(" " * 6 + "".join(f"{key:>13s}" for key in keys))
    values = np.array([[row[key] for key in keys] for row in rows])
    for title, line in (("least", values.min(0)), ("mean", values.mean(0)), ("most", values.max(0))):
        print(f"{title:6s}" + "".join(f"{value:>13.3f}" for value in line))


if __name__ == "__main__":
    sys.exit(main())
