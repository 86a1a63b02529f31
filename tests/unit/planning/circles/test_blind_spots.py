"""Blind spots on streets whose groups are known, and against plain means on random ones."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from planning.circles import service_circles
from planning.circles.blind_spots import groups, walked_both_ways
from planning.circles.grounds import Grounds
from planning.network import build_network
from planning.reach import nearest_metres, snap

CRS = "EPSG:4548"
TABLE = pd.DataFrame(
    {"category": ["shop"], "tier": [5], "minutes": [5], "metres": [300], "name_zh": ["店"], "name_en": ["Shop"]}
)


def lattice(n: int, step: float, rng: Any) -> gpd.GeoDataFrame:
    """Streets of a lattice with some of them missing."""
    lines = [[(i * step, j * step), ((i + 1) * step, j * step)] for i in range(n) for j in range(n + 1)]
    lines += [[(j * step, i * step), (j * step, (i + 1) * step)] for i in range(n) for j in range(n + 1)]
    keep = rng.random(len(lines)) > 0.3
    return gpd.GeoDataFrame(geometry=shapely.linestrings(np.array(lines)[keep]), crs=CRS)


@pytest.mark.parametrize("seed", range(4))
def test_groups_are_those_of_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = walked_both_ways(build_network(lattice(6, 130.0, rng), min_component_share=0))
    xy = rng.uniform(0, 780, (40, 2))
    snapped = snap(network, xy)
    where = np.flatnonzero(snapped.ok)
    snapped, xy = snapped.take(where), xy[where]
    # every pair by its own search: the walk less the two straight legs
    far = np.array([nearest_metres(network, xy[[i]], xy)[0] for i in range(len(xy))])
    legs = snapped.access / 100
    walk = np.nan_to_num(far - legs[:, None] - legs[None, :], nan=np.inf)
    for metres in (80.0, 200.0):
        near = np.argwhere(walk <= metres + 1e-6)
        pairs = coo_array((np.ones(len(near)), (near[:, 0], near[:, 1])), shape=(len(xy), len(xy)))
        expected = pd.factorize(connected_components(pairs, directed=False)[1])[0]
        assert groups(network, snapped, metres=metres).tolist() == expected.tolist()
        assert 1 < expected.max() + 1 < len(xy)


def test_ground_is_what_lies_nearer_to_a_home_than_to_any_other() -> None:
    rng = np.random.default_rng(3)
    xy = np.concatenate([rng.uniform(0, 400, (60, 2)), [[np.nan, np.nan], [10.0, 10.0], [10.0, 10.0]]])
    grounds = Grounds(xy)
    rows = np.arange(0, 60, 2)
    shape = grounds.joined(rows)
    assert shape.is_valid
    assert shape.geom_type == "MultiPolygon"
    assert grounds.joined(np.array([61])).equals(grounds.joined(np.array([62])))
    probes = rng.uniform(-200, 600, (4000, 2))
    apart = np.linalg.norm(probes[:, None] - xy[None, np.r_[0:60, 61]], axis=2)
    mine = np.isin(apart.argmin(axis=1), rows)
    inside = shapely.contains_xy(shape, probes)
    assert not (inside & ~mine).any(), "never nearer to another home"
    assert inside[mine & (apart.min(axis=1) < 24)].all(), "all around it"
    assert apart.min(axis=1)[inside].max() < 90
    everything = np.r_[0:60, 61]
    parts = sum(grounds.joined(np.array([row])).area for row in everything)
    assert grounds.joined(everything).area == pytest.approx(parts)


@pytest.fixture(scope="module")
def river() -> Any:
    """Two parallel streets 40 m apart that meet at the far west only; the shop is in the west."""
    streets = gpd.GeoDataFrame(geometry=[shapely.LineString([(2000, 0), (0, 0), (0, 40), (2000, 40)])], crs=CRS)
    x = np.array([50, 100, 600, 700, 1500, 600, 1400, 1450, 700])
    y = np.array([0, 0, 0, 0, 0, 40, 40, 40, 300])
    homes = gpd.GeoDataFrame(
        {
            "population": [5, 5, 10, 20, 40, 25, 30, 0, 99], "elderly": [1, 1, 2, 3, 4, 5, 6, 0, 9],
            "community": ["370000001001"] * 5 + ["370000001002"] * 4,
        },
        geometry=shapely.points(x, y), crs=CRS,
    )  # fmt: skip
    shop = gpd.GeoDataFrame(
        {"category": ["shop", "shop"], "facility_id": ["near", "off"], "name": ["西店", "x"]},
        geometry=shapely.points([0, 1500], [0, 900]),
        crs=CRS,
    )
    return service_circles(streets, shop, homes, categories=TABLE, isochrones=False)


def test_spots_are_ranked_and_counted_by_hand(river: Any) -> None:
    spots = river.blind_spots
    # 600 and 700 m east on the south bank are one; the north bank is another; nobody lives at 1450; 300 m off: unknown
    assert spots["residents"].tolist() == [40, 30, 30, 25]
    assert spots["buildings"].tolist() == [1, 2, 1, 1]
    assert spots["elderly"].tolist() == [4, 5, 6, 5]
    assert spots["rank"].tolist() == [1, 2, 3, 4]
    assert spots["nearest"].unique().tolist() == ["near"]
    assert spots["nearest_name"].unique().tolist() == ["西店"]
    pair = spots.iloc[1]
    mean = (10 * 600 + 20 * 700) / 30 / 1.1
    assert pair["seconds"] == round(mean)
    assert pair["extra_seconds"] == round(mean - 300)
    assert spots["communities"].tolist() == [["370000001001"]] * 2 + [["370000001002"]] * 2
    assert (spots["square_metres"] - spots.area).abs().max() < 1
    assert spots["residents"].sum() == river.coverage["residents_assessed"][0] - river.coverage["residents_covered"][0]


def test_no_home_of_another_lies_in_a_spot(river: Any) -> None:
    homes = river.residences.to_crs(river.blind_spots.crs)
    lived = homes[homes["population"] > 0]
    for spot in river.blind_spots.itertuples():
        assert lived.geometry.intersects(spot.geometry).sum() == spot.buildings


def test_a_category_nobody_offers_is_blind_everywhere(river: Any) -> None:
    table = pd.concat([TABLE, TABLE.assign(category="pool")])
    streets = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (900, 0)])], crs=CRS)
    homes = gpd.GeoDataFrame({"population": [3, 4]}, geometry=shapely.points([0, 800], [5, 5]), crs=CRS)
    shop = gpd.GeoDataFrame({"category": ["shop"]}, geometry=shapely.points([0], [0]), crs=CRS)
    result = service_circles(streets, shop, homes, categories=table, isochrones=False)
    pool = result.blind_spots.query("category == 'pool'")
    assert pool["residents"].tolist() == [4, 3]
    assert pool["nearest"].isna().all()
    assert pool["seconds"].isna().all()
    assert result.blind_spots.query("category == 'shop'")["nearest"].tolist() == ["1"], "rows number facilities"


def test_one_way_streets_do_not_part_neighbours() -> None:
    street = gpd.GeoDataFrame({"oneway": [True]}, geometry=[shapely.LineString([(0, 0), (900, 0)])], crs=CRS)
    network = build_network(street, mode="drive", min_component_share=0)
    snapped = snap(network, np.array([[100.0, 0], [300, 0], [700, 0]]))
    assert groups(walked_both_ways(network), snapped, metres=250).tolist() == [0, 0, 1]
