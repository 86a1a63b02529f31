"""A toy neighbourhood that makes numba compile everything, so that the first real plan does not wait."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from gisgrid.models import Band


def toy_units(columns: int = 8, rows: int = 6, *, households: int = 50) -> gpd.GeoDataFrame:
    """Square units of 50 m on a lattice, compounds of four, in a metric CRS."""
    x, y = (part.ravel() for part in np.meshgrid(np.arange(columns), np.arange(rows)))
    left, low = 500_000.0 + 50.0 * x, 4_400_000.0 + 50.0 * y
    return gpd.GeoDataFrame(
        {
            "unit_id": [str(i) for i in range(len(x))],
            "households": np.full(len(x), households),
            "compound_id": [f"{a // 2}-{b // 2}" for a, b in zip(x, y, strict=True)],
        },
        geometry=shapely.box(left, low, left + 50.0, low + 50.0),
        crs="EPSG:4547",
    )


def warm() -> None:
    """Compile (or load from the cache) every numba function of the engine. Takes seconds once, then a fraction."""
    from planning.partition.energy import Weights
    from planning.partition.exact import solve_exactly
    from planning.partition.keeping import start_from_old
    from planning.partition.limits import Limits
    from planning.partition.plan import partition
    from planning.partition.prepare import prepare
    from planning.partition.solve import cell_of
    from planning.partition.special import Special

    partition(toy_units(), band=Band(300, 500), effort=0.1)
    partition(toy_units(), band=Band(300, 500), grids=5, effort=0.1)
    # 48 equal units have too many grids to list: prices of the exact search are met in smaller cells only
    limits, small = Limits(Band(300, 500)), toy_units(4, 4, households=100)
    problem = prepare(small, None, limits, Special())
    cell = cell_of(problem, np.arange(len(small)), limits, Weights(), limits.middle)
    rates = Weights().rates(limits, limits.middle)
    for simple in (0, 10_000):
        solve_exactly(cell, rates, simple=simple)
    start_from_old(cell._replace(old=np.zeros(len(small), np.int32)), 4, 0, rates)
