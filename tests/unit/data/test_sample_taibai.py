"""The full-size sample district carries its published figures and keeps the promises of the small ones."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from data.sample import SampleDistrict, make_sample
from gisgrid.crs import to_metric


@pytest.fixture(scope="module")
def taibai() -> SampleDistrict:
    return make_sample("taibai")


def test_published_figures(taibai: SampleDistrict) -> None:
    layers = taibai.layers
    buildings = layers["buildings"]
    assert len(buildings) == 15_401
    assert int(buildings["population"].sum()) == 170_800
    assert int(buildings["priority"].sum()) == 432
    assert 60_000 <= int(buildings["households"].sum()) <= 62_000
    assert len(layers["components"]) == 47_906
    assert len(layers["reports"]) == 20_000
    levels = layers["areas"]["level"].value_counts()
    assert levels["district"] == 1
    assert levels["street"] >= 4
    assert levels["community"] >= 20


def test_old_grids_are_very_uneven(taibai: SampleDistrict) -> None:
    grids = taibai.layers["grids"]
    ordinary = grids.loc[grids["kind"] == "ordinary", "households"]
    assert ordinary.quantile(0.02) < 200
    assert ordinary.max() > 850
    assert ordinary.between(300, 500).mean() < 0.6


def test_geometry_promises(taibai: SampleDistrict) -> None:
    metric = {
        name: to_metric(taibai.layers[name]) for name in ("areas", "grids", "buildings", "streets", "water", "walls")
    }
    areas = metric["areas"]
    assert shapely.coverage_is_valid(areas.loc[areas["level"] == "community", "geometry"].to_numpy())
    assert shapely.coverage_is_valid(metric["grids"].geometry.to_numpy())
    buildings = metric["buildings"].geometry.to_numpy()
    tree = shapely.STRtree(buildings)
    assert len(tree.query(buildings, predicate="intersects")[0]) == len(buildings)
    for other in ("streets", "water", "walls"):
        assert len(tree.query(metric[other].geometry.to_numpy(), predicate="intersects")[0]) == 0, other


def test_community_borders_run_on_streets_and_water(taibai: SampleDistrict) -> None:
    areas = to_metric(taibai.layers["areas"])
    borders = shapely.boundary(areas.loc[areas["level"] == "community", "geometry"].to_numpy())
    lines = np.concatenate([to_metric(taibai.layers[name]).geometry.to_numpy() for name in ("streets", "water")])
    points = shapely.points(shapely.get_coordinates(shapely.segmentize(borders, 50)))
    gap = shapely.distance(points, lines[shapely.STRtree(lines).nearest(points)])
    assert gap.max() < 0.05


def test_reports_have_a_daily_and_a_seasonal_rhythm(taibai: SampleDistrict) -> None:
    reports = taibai.layers["reports"]
    hour = reports["reported_at"].str[11:13].astype(int)
    assert hour.between(8, 21).mean() > 0.8
    month = reports["reported_at"].str[5:7].astype(int)
    heating = month[reports["minor"] == "供暖不足"]
    assert heating.isin([1, 2, 11, 12]).mean() > 0.7
    vendors = month[reports["minor"] == "无照经营游商"]
    assert vendors.isin([5, 6, 7, 8]).mean() > 0.6
