"""Nested levels of the published places: is every number of grids met, what share is in band, how long does it take?

    python benchmarks/scenarios.py [NAME …] [--seed 0] [--preset balanced] [--out DIR]

Prints one row a level and, where the place is planned near its old grids, who changes grid. `--out` writes NAME.gpkg
with layers grids and units, for a look in QGIS or `gisgrid check`.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd

from data.exporters import write_layers
from data.sample import make_sample
from gisgrid.coverage import check
from planning.levels import NestedPlan, parse_levels, partition_levels
from planning.partition import old_grids_of, warm
from planning.units import entrance_units, make_units
from planning.workflow import planning_lines


@dataclass(frozen=True)
class Case:
    """One place: units of at most so many households, the levels asked for, options of `partition_levels` and of
    `make_units`, and whether it is planned near its old grids.
    """

    max_households: int
    levels: str
    options: dict[str, Any] = field(default_factory=dict)
    units: dict[str, Any] = field(default_factory=dict)
    keep: bool = False


ORDINARY_ONLY: dict[str, Any] = {"special_kinds": ()}
SCENIC: dict[str, Any] = {"first_level": {"special_kinds": ("scenic",)}, "special_area": 20_000.0}
PATHS: dict[str, Any] = {"special_max_area": 20_000.0}
CASES: dict[str, Case] = {
    "mingfeng": Case(30, "11@300:500", {"first_level": ORDINARY_ONLY}),
    "nanjian": Case(8, "6@300:500/35", {"first_level": ORDINARY_ONLY}, keep=True),
    "xijindu": Case(8, "7@300:500/40:90", SCENIC, PATHS),
    "gaodu": Case(3, "34@300:500/158/854", {"first_level": ORDINARY_ONLY}),
    "longgang": Case(3, "16@500:1600/48/132/396/1040", {"first_level": ORDINARY_ONLY}),
    "laoshan": Case(60, "863@300:500", {"first_level": ORDINARY_ONLY}, keep=True),
    "yanzhou": Case(1, "349@250:480/1396/building/entrance", {"first_level": ORDINARY_ONLY}),
}
HEAD = (
    "place",
    "level",
    "asked",
    "grids",
    "special",
    "band",
    "in band",
    "divisible",
    "compact",
    "street",
    "s",
    "CPU s",
)


def planned(name: str, seed: int, preset: str | None) -> tuple[NestedPlan, dict[str, gpd.GeoDataFrame], float, float]:
    """The plan of a place, its layers, seconds and CPU seconds of planning."""
    case = CASES[name]
    layers = make_sample(name, seed=seed).layers
    units = make_units(
        layers["buildings"], layers["streets"], layers["areas"], water=layers["water"], walls=layers["walls"],
        landuse=layers["landuse"], max_households=case.max_households, **case.units,
    )  # fmt: skip
    lines = planning_lines(units, layers["streets"], layers["water"], layers["walls"])
    levels, options = parse_levels(case.levels), dict(case.options)
    if case.keep:
        options["first_level"] = options["first_level"] | {"keep": old_grids_of(units, layers["grids"])}
    if any(level.kind == "entrance" for level in levels):
        options["finer"] = entrance_units(units, layers["buildings"], layers["addresses"])
    begun, cpu = time.perf_counter(), time.process_time()
    plan = partition_levels(units, lines, levels, seed=seed, preset=preset, **options)
    return plan, layers, time.perf_counter() - begun, time.process_time() - cpu


def rows(name: str, plan: NestedPlan, cpu: float) -> list[tuple[str, ...]]:
    """One line of the table a level; the last one bears the CPU seconds of all."""
    levels = parse_levels(CASES[name].levels)
    out: list[tuple[str, ...]] = []
    for asked, one in zip(levels, plan.stats["levels"], strict=False):
        last = one is plan.stats["levels"][-1]
        out.append(
            (
                name, str(one["level"]), str(asked), str(one["grids"]), str(one["special_grids"]), one.get("band", ""),
                _share(one, "in_band"), _share(one, "in_band_divisible"), f"{one['compactness_mean']:.3f}",
                _share(one, "boundary_on_streets"), f"{one['seconds']:.1f}", f"{cpu:.1f}" if last else "",
            )
        )  # fmt: skip
    return out


def _share(one: dict[str, Any], name: str) -> str:
    return f"{one[name]:.1%}" if name in one else ""


def main() -> None:
    """Run the cases asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("names", nargs="*", default=list(CASES), metavar="NAME")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--preset", help="balanced; stable near old grids")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    warm()
    print(" | ".join(HEAD))
    for name in args.names:
        plan, layers, seconds, cpu = planned(name, args.seed, args.preset)
        for row in rows(name, plan, cpu):
            print(" | ".join(row))
        made = plan.layers()
        report = check(made["grids"], layers["areas"], units=made["units"])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"  {len(made['units'])} units, {seconds:.1f} s, {peak:.0f} MB, check: {report.lines(most=0)[0]}")
        if plan.first.changes is not None:
            changed = plan.first.stats
            print(
                f"  {changed['old_grids']} old grids: {changed['moved_share']:.1%} of households change grid, at least "
                f"{changed['moved_share_least']:.1%} must; {changed['old_boundary_kept']:.1%} of the old boundary kept"
            )
        for reason in plan.reasons[:3]:
            print(f"  {reason.text}")
        if len(plan.reasons) > 3:
            print(f"  … {len(plan.reasons)} reasons in all")
        if args.out is not None:
            args.out.mkdir(parents=True, exist_ok=True)
            write_layers(args.out / f"{name}.gpkg", made)


if __name__ == "__main__":
    main()
