"""Random facilities and homes: covered and left out make up everything, and further ones bring everybody in."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.straight import straight_reach

CRS = "EPSG:4548"
spot = st.tuples(st.integers(-20, 60), st.integers(-20, 60)).map(
    lambda c: (500_000.0 + 10 * c[0], 3_900_000.0 + 10 * c[1])
)
SHORT = settings(max_examples=25, deadline=None)


@SHORT
@given(
    st.lists(st.tuples(spot, st.integers(5, 200)), min_size=1, max_size=8),
    st.lists(st.tuples(spot, st.integers(0, 5)), min_size=1, max_size=10),
    st.integers(20, 150),
)
def test_circles_and_further_ones(facilities: list, homes: list, further: int) -> None:
    places = np.array([place for place, _ in facilities])
    radius = np.array([metres for _, metres in facilities], float)
    xy, people = np.array([place for place, _ in homes]), np.array([count for _, count in homes])
    area = shapely.box(500_000, 3_900_000, 500_400, 3_900_400)
    result = straight_reach(
        gpd.GeoDataFrame({"r": radius}, geometry=shapely.points(places), crs=CRS),
        radius="r",
        residences=gpd.GeoDataFrame({"population": people}, geometry=shapely.points(xy), crs=CRS),
        area=gpd.GeoDataFrame(geometry=[area], crs=CRS),
        cover="buildings",
        extra_radius=further,
    )
    away = np.hypot(*(xy[:, None] - places[None]).transpose(2, 0, 1))
    # a millimetre either way: the map's scale is not exactly one
    assert result.residences is not None
    assert (result.residences["covered"] >= (away <= radius - 1e-3).any(axis=1)).all()
    assert (result.residences["covered"] <= (away <= radius + 1e-3).any(axis=1)).all()
    figures = result.report["area"]
    assert abs(figures["covered_square_metres"] + figures["remainder_square_metres"] - figures["square_metres"]) < 0.02
    extra = result.report["extra"]
    assert extra["buildings"]["share"] == 1.0
    assert extra["count"] == extra["lower_bound"]
    assert (extra["count"] == 0) == bool(result.residences["covered"].all())
