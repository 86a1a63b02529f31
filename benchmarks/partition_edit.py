"""An edit inside one cell of a planned city: how long until the cell is solved again, beside planning the whole anew.

python benchmarks/partition_edit.py [--units 20000] [--edits 20] [--seed 0]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from _partition_cases import made_city

from gisgrid.models import Band
from planning.partition import partition, warm
from planning.partition.resolve import cell_rows, draft_of, resolve, with_loads

BAND = Band(300, 500)


def main() -> None:
    """Plan a city, then give single units 150 more households and solve their cells again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=20_000)
    parser.add_argument("--edits", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    warm()
    units, streets = made_city(args.units, args.seed)
    begun = time.perf_counter()
    plan = partition(units, streets, band=BAND, seed=args.seed, special_kinds=())
    whole = time.perf_counter() - begun
    codes = plan.grids["code"].to_numpy()[plan.assignment]
    draft = draft_of(units, streets, codes, band=BAND, special_kinds=())
    rng = np.random.default_rng(args.seed)
    seconds, outside, sizes = [], 0.0, []
    for row in rng.integers(0, len(units), args.edits).tolist():
        edited = with_loads(draft, [row], [draft.problem.load[row] + 150])
        rows = cell_rows(edited, [row])
        begun = time.perf_counter()
        done = resolve(edited, rows, seed=args.seed)
        seconds.append(time.perf_counter() - begun)
        sizes.append(len(rows))
        elsewhere = np.ones(len(units), dtype=bool)
        elsewhere[rows] = False
        assert (done.label == draft.label)[elsewhere].all(), "a unit of another cell has changed"
        loads = np.bincount(np.unique(done.label, return_inverse=True)[1], edited.problem.load)
        outside += float(np.maximum(BAND.low - loads, 0).sum() + np.maximum(loads - BAND.high, 0).sum())
    print(f"{len(units):,} units, {len(plan.grids)} grids; the whole plan {whole:.1f} s")
    print(f"{args.edits} edits, cells of {min(sizes)} to {max(sizes)} units; {outside:.0f} households outside the band")
    usual = float(np.median(seconds))
    print(f"median {usual:.2f} s, worst {max(seconds):.2f} s; the whole plan is 1 : {whole / usual:.0f}")


if __name__ == "__main__":
    main()
