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
    from planning.partition.plan import partition

    partition(toy_units(), band=Band(300, 500), effort=0.1)
    partition(toy_units(), band=Band(300, 500), grids=5, effort=0.1)
