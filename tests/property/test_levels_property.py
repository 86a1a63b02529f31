"""Nested levels on toy maps with holes, islands, special kinds and any bands: levels nest and are whole, counts and
bands are met or the reason is stated, with its level and parent.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gisgrid.coverage import check
from gisgrid.models import Band
from planning.graph import unit_graph
from planning.levels import Level, NestedPlan, partition_levels
from planning.partition.cells import components

TOY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@st.composite
def toy_maps(draw: st.DrawFn, width: int = 6, height: int = 5, most: int = 26) -> gpd.GeoDataFrame:
    """Squares of 50 m on a lattice with any of them missing; households, buildings and kinds drawn."""
    places = draw(st.lists(st.integers(0, width * height - 1), min_size=1, max_size=most, unique=True))
    n = len(places)
    kinds = draw(st.lists(st.sampled_from(["residential", "residential", "park", "scenic"]), min_size=n, max_size=n))
    x = 500_000.0 + 50.0 * (np.array(places) % width)
    y = 4_400_000.0 + 50.0 * (np.array(places) // width)
    units = gpd.GeoDataFrame(
        {
            "unit_id": [str(place) for place in places],
            "households": draw(st.lists(st.integers(0, 9), min_size=n, max_size=n)),
            "buildings": draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)),
            "kind": kinds,
            "community": "370811001001",
        },
        geometry=shapely.box(x, y, x + 50.0, y + 50.0),
        crs="EPSG:4547",
    )
    units.loc[units["kind"] != "residential", "households"] = 0
    return units


@st.composite
def level_lists(draw: st.DrawFn) -> tuple[Level, ...]:
    """One to three levels of bands or counts, coarse to fine, perhaps with the buildings below."""
    low = sorted(draw(st.lists(st.integers(0, 25), min_size=1, max_size=3)), reverse=True)
    found = []
    count = 0
    for size in low:
        band = Band(size, size + draw(st.integers(1, 12)))
        kind = draw(st.sampled_from(["band", "count", "both"]))
        count = max(count, draw(st.integers(1, 12)))
        if found and found[-1].band is not None and band.low > found[-1].band.high:
            kind = "count"
        found.append(Level(None if kind == "count" else band, None if kind == "band" else count))
    return (*found, Level(kind="building")) if draw(st.booleans()) else tuple(found)


def assert_rules(units: gpd.GeoDataFrame, levels: tuple[Level, ...], plan: NestedPlan) -> None:
    graph = unit_graph(units)
    grids, owners = plan.grids, plan.owners
    assert owners.shape == (len(units), len(levels))
    assert grids["code"].is_unique
    code, parent = grids["code"].to_numpy(), grids["parent"].to_numpy()
    kind = grids["kind"].to_numpy()
    for depth in range(len(levels)):
        label = owners[:, depth]
        rows = np.flatnonzero(grids["level"] == depth + 1)
        assert np.unique(label).tolist() == rows.tolist()
        same = label[graph.sources] == label[graph.indices]
        assert len(np.unique(components(graph, same))) == len(rows)
        assert shapely.coverage_is_valid(grids.geometry.to_numpy()[rows])
        if depth:
            above = owners[:, depth - 1]
            assert (parent[label] == code[above]).all()
            assert (kind[label] == kind[above]).all()
            area = np.bincount(above, shapely.area(units.geometry.to_numpy()), minlength=len(grids))
            np.testing.assert_allclose(area[np.unique(above)], grids.area.to_numpy()[np.unique(above)])
    report = check(plan.layers()["grids"], units=plan.layers()["units"])
    assert not set(report.counts()) - {"gap"}, report.lines()  # holes of the map itself are gaps


def assert_said(levels: tuple[Level, ...], plan: NestedPlan) -> None:
    """Each level that misses its count or band has a reason, and no other has."""
    assert plan.feasible == (not plan.reasons)
    wrong = set()
    for depth, (level, stats) in enumerate(zip(levels, plan.stats["levels"], strict=True), start=1):
        if level.kind == "building":
            continue
        count = int((plan.grids["level"] == depth).sum())
        if stats["in_band"] < 1.0 or (level.grids is not None and count != level.grids):
            wrong.add(depth)
    assert {reason.level for reason in plan.reasons} == wrong, [reason.text for reason in plan.reasons]
    codes = set(plan.grids["code"])
    for reason in plan.reasons:
        assert reason.level == 1 or reason.community in codes | {""}
        assert "000000000" not in reason.text  # stand-ins of parents stay inside


@TOY
@given(toy_maps(), level_lists(), st.integers(0, 3))
def test_levels_nest_and_every_miss_is_said(units: gpd.GeoDataFrame, levels: tuple[Level, ...], seed: int) -> None:
    if not units["households"].any():
        return
    first = {"special_min_area": 4000.0}
    plan = partition_levels(units, None, levels, seed=seed, effort=0.2, special_area=6000.0, first_level=first)
    assert_rules(units, levels, plan)
    assert_said(levels, plan)
    again = partition_levels(units, None, levels, seed=seed, effort=0.2, special_area=6000.0, first_level=first)
    assert (again.owners == plan.owners).all()
