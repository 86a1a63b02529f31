"""On maps of square cells every share of the crosswalk can be counted."""

from __future__ import annotations

from collections import Counter

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.crosswalk import crosswalk

SIDE = 6
CELLS = [shapely.box(x * 50.0, y * 50.0, x * 50.0 + 50, y * 50.0 + 50) for y in range(SIDE) for x in range(SIDE)]
labels = st.lists(st.integers(0, 3), min_size=SIDE * SIDE, max_size=SIDE * SIDE).map(np.array)
people = st.lists(st.integers(0, 9), min_size=SIDE * SIDE, max_size=SIDE * SIDE).map(np.array)


def joined(label: np.ndarray, prefix: str) -> gpd.GeoDataFrame:
    """Cells joined by label; negative ones belong to nothing."""
    shapes = np.array(CELLS, dtype=object)
    codes = sorted({int(value) for value in label if value >= 0})
    return gpd.GeoDataFrame(
        {"code": [f"{prefix}{code}" for code in codes]},
        geometry=[shapely.union_all(shapes[label == code]) for code in codes],
        crs="EPSG:4548",
    )


@settings(max_examples=40)
@given(grids=labels, fire=labels, police=labels, households=people)
def test_shares_equal_counts_of_cells(
    grids: np.ndarray, fire: np.ndarray, police: np.ndarray, households: np.ndarray
) -> None:
    systems = {"fire": fire - 1, "police": police - 1}  # −1: no one's ground
    if any((label < 0).all() for label in systems.values()):
        return
    layers = [joined(label, name[0]).assign(system=name) for name, label in systems.items()]
    units = gpd.GeoDataFrame({"households": households}, geometry=CELLS, crs="EPSG:4548")
    rows = crosswalk(joined(grids, "g"), pd.concat(layers, ignore_index=True), units=units)
    found = {
        (row.system, row.grid, None if pd.isna(row.professional) else row.professional): row
        for row in rows.itertuples()
    }
    for name, label in systems.items():
        names = [f"{name[0]}{value}" if value >= 0 else None for value in label]
        pairs = [(name, f"g{grid}", other) for grid, other in zip(grids, names, strict=True)]
        ground, lived = Counter(pairs), Counter()
        for pair, number in zip(pairs, households, strict=True):
            lived[pair] += int(number)
        assert {key for key in found if key[0] == name} == set(ground)
        for key, cells in ground.items():
            row = found[key]
            assert abs(row.area_m2 - cells * 2500) < 1e-6
            assert row.households == lived[key]
    shares = rows.groupby(["grid", "system"])
    assert np.allclose(shares["area_share"].sum(), 1)
    lived_in = shares["household_share"].sum(min_count=1).dropna()
    assert np.allclose(lived_in, 1)
    inside = rows[rows["professional"].notna()]
    assert (inside.groupby(["grid", "system"])["main"].sum() == 1).all()
    assert not rows.loc[rows["professional"].isna(), "main"].any()
