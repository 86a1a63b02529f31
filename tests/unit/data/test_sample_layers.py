"""Small sample districts: every promise about geometry and totals, judged by shapely and SciPy."""

from __future__ import annotations

import csv
from importlib import resources

import geopandas as gpd
import numpy as np
import pytest
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from data.sample import LAYERS, SCENARIOS, SampleDistrict, make_sample
from gisgrid.crs import to_metric
from gisgrid.errors import BadInput

COLUMNS = {
    "areas": "code name name_en level parent",
    "buildings": "building_id name kind levels households population elderly priority estimated compound_id community",
    "streets": "street_id name highway cls oneway bridge tunnel layer foot bicycle car",
    "water": "water_id name kind",
    "walls": "wall_id kind",
    "landuse": "landuse_id name kind",
    "facilities": "facility_id category name name_en address",
    "addresses": "address_id full road door_number compound building unit community name_en",
    "components": "component_code standard kind major minor name dept_supervise dept_owner dept_maintain state "
    "first_date changed_date source note",
    "grids": "code name level parent community kind households population compactness",
    "reports": "report_id reported_at major minor description channel stage accuracy",
}
LIVED_IN = {"residential", "apartments", "house", "dormitory"}
METRE = 1e-5


@pytest.fixture(scope="module", params=["mingfeng", "nanjian", "xijindu"])
def sample(request: pytest.FixtureRequest) -> SampleDistrict:
    return make_sample(request.param)


@pytest.fixture(scope="module")
def metric(sample: SampleDistrict) -> dict[str, gpd.GeoDataFrame]:
    return {name: to_metric(layer) for name, layer in sample.layers.items() if len(layer)}


def _hits(polygons: np.ndarray, others: np.ndarray, predicate: str) -> int:
    return len(shapely.STRtree(polygons).query(others, predicate=predicate)[0])


def test_layers_and_columns_are_those_of_the_contract(sample: SampleDistrict) -> None:
    assert tuple(sample.layers) == LAYERS
    for name, layer in sample.layers.items():
        assert list(layer.columns) == [*COLUMNS[name].split(), "geometry"], name
        assert layer.crs.to_epsg() == 4490
        assert shapely.is_valid(layer.geometry.to_numpy()).all(), name
        assert not shapely.is_empty(layer.geometry.to_numpy()).any(), name
        first = layer.columns[0]
        assert layer[first].is_unique, f"{name}.{first}"


def test_totals_are_the_scenario_figures(sample: SampleDistrict) -> None:
    sc = SCENARIOS[sample.scenario]
    buildings = sample.layers["buildings"]
    for column in ("households", "population", "priority"):
        assert int(buildings[column].sum()) == getattr(sc, column) == sample.summary[column]
    assert len(sample.layers["components"]) == sc.components
    assert len(sample.layers["reports"]) == sc.reports
    assert sample.summary["counts"] == {name: len(layer) for name, layer in sample.layers.items()}


def test_only_homes_have_residents_and_the_counts_agree(sample: SampleDistrict) -> None:
    buildings = sample.layers["buildings"]
    lived = buildings["kind"].isin(LIVED_IN)
    counts = buildings[["households", "population", "elderly", "priority"]]
    assert (counts[~lived] == 0).all().all()
    assert (counts >= 0).all().all()
    assert (buildings["population"] >= buildings["households"]).all()
    assert ((buildings["households"] > 0) | (buildings["population"] == 0)).all()
    assert (buildings["elderly"] <= buildings["population"]).all()
    assert (buildings["priority"] <= buildings["population"]).all()
    assert not buildings["estimated"].any()
    assert buildings.loc[buildings["compound_id"].notna(), "kind"].isin(LIVED_IN - {"house"}).all()


@pytest.mark.parametrize("level", ["street", "community"])
def test_areas_tile_their_parent(metric: dict[str, gpd.GeoDataFrame], level: str) -> None:
    areas = metric["areas"]
    parts = areas.loc[areas["level"] == level, "geometry"].to_numpy()
    whole = areas.loc[areas["level"] == "district", "geometry"].to_numpy()[0]
    assert shapely.coverage_is_valid(parts)
    assert shapely.area(shapely.symmetric_difference(shapely.union_all(parts), whole)) < 0.01
    assert set(areas.loc[areas["level"] == level, "parent"]) <= set(areas["code"])


def test_old_grids_are_contiguous_cover_the_communities_and_count_right(metric: dict[str, gpd.GeoDataFrame]) -> None:
    grids, areas, buildings = metric["grids"], metric["areas"], metric["buildings"]
    shapes = grids.geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    assert (shapely.get_num_geometries(shapes) == 1).all(), "a grid is in pieces"
    for code, own in grids.groupby("community"):
        community = areas.loc[areas["code"] == code, "geometry"].to_numpy()[0]
        gap = shapely.symmetric_difference(shapely.union_all(own.geometry.to_numpy()), community)
        assert shapely.area(gap) < 0.01
        assert own["code"].str.match(f"^{code}[0-9]{{3}}$").all()
    middle = shapely.centroid(buildings.geometry.to_numpy())
    row, grid = shapely.STRtree(shapes).query(middle, predicate="within")
    assert len(row) == len(buildings), "a building is in no grid or in two"
    for column in ("households", "population"):
        sums = np.bincount(grid, weights=buildings[column].to_numpy()[row], minlength=len(grids))
        assert (sums == grids[column].to_numpy()).all()
    ordinary = grids.loc[grids["kind"] == "ordinary", "households"]
    assert ordinary.max() > 1.5 * ordinary.min(), "the old grids should be uneven"


def test_no_building_is_cut_by_a_grid(metric: dict[str, gpd.GeoDataFrame]) -> None:
    borders = shapely.boundary(metric["grids"].geometry.to_numpy())
    assert _hits(metric["buildings"].geometry.to_numpy(), borders, "intersects") == 0


def test_footprints_meet_nothing(metric: dict[str, gpd.GeoDataFrame]) -> None:
    buildings = metric["buildings"].geometry.to_numpy()
    assert _hits(buildings, buildings, "intersects") == len(buildings), "two footprints meet"
    for other in ("streets", "water", "walls"):
        assert _hits(buildings, metric[other].geometry.to_numpy(), "intersects") == 0, other


def test_streets_meet_only_at_shared_ends_and_walls_leave_gates(metric: dict[str, gpd.GeoDataFrame]) -> None:
    streets, walls = metric["streets"].geometry.to_numpy(), metric["walls"].geometry.to_numpy()
    assert _hits(streets, streets, "crosses") == 0
    assert _hits(streets, walls, "intersects") == 0


def test_streets_cross_water_on_bridges_only(metric: dict[str, gpd.GeoDataFrame]) -> None:
    water, streets = metric["water"], metric["streets"]
    surfaces = water.geometry.to_numpy()[shapely.get_dimensions(water.geometry.to_numpy()) == 2]
    over = np.unique(shapely.STRtree(streets.geometry.to_numpy()).query(surfaces, predicate="intersects")[1])
    assert streets["bridge"].to_numpy()[over].all()


def test_walking_network_is_one_piece_and_close_to_every_home(metric: dict[str, gpd.GeoDataFrame]) -> None:
    streets = metric["streets"]
    walk = streets.geometry.to_numpy()[streets["foot"]]
    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(walk, i)) for i in (0, -1)])
    _, number = np.unique(np.round(ends, 2), axis=0, return_inverse=True)
    number = number.ravel()
    n = number.max() + 1
    graph = coo_array((np.ones(len(walk)), (number[: len(walk)], number[len(walk) :])), shape=(n, n))
    assert connected_components(graph, directed=False)[0] == 1
    buildings = metric["buildings"]
    homes = buildings.geometry.to_numpy()[buildings["households"] > 0]
    tree = shapely.STRtree(walk)
    assert shapely.distance(homes, walk[tree.nearest(homes)]).max() < 80
    places = metric["facilities"].geometry.to_numpy()
    assert shapely.distance(places, walk[tree.nearest(places)]).max() < 100


def test_every_category_and_every_class_is_there(sample: SampleDistrict) -> None:
    text = resources.files("data.standards").joinpath("facility_categories.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    assert set(sample.layers["facilities"]["category"]) == {row["category"] for row in rows}
    text = resources.files("data.standards").joinpath("component_classes.csv").read_text(encoding="utf-8")
    keys = {(r["standard"], r["kind"], r["major"], r["minor"]) for r in csv.DictReader(text.splitlines())}
    components = sample.layers["components"]
    found = set(components[["standard", "kind", "major", "minor"]].itertuples(index=False, name=None))
    assert found == keys
    code = components["component_code"]
    assert code.str.fullmatch(r"[0-9]{16}").all()
    assert (code.str[6:10] == components["major"] + components["minor"]).all()
    assert (components["first_date"] <= components["changed_date"]).all()


def test_points_lie_in_the_district(sample: SampleDistrict) -> None:
    areas = sample.layers["areas"]
    whole = areas.loc[areas["level"] == "district", "geometry"].to_numpy()[0]
    for name in ("facilities", "addresses", "components", "reports"):
        inside = shapely.intersects(sample.layers[name].geometry.to_numpy(), whole)
        assert inside.all(), f"{name}: {int((~inside).sum())} outside"


def test_addresses_are_unique_and_built_from_their_parts(sample: SampleDistrict) -> None:
    addresses = sample.layers["addresses"]
    assert addresses["full"].is_unique
    tail = (
        addresses["road"] + addresses["door_number"] + addresses["compound"] + addresses["building"] + addresses["unit"]
    )
    assert all(full.endswith(end) for full, end in zip(addresses["full"], tail, strict=True))
    assert set(addresses["community"]) <= set(sample.layers["areas"]["code"])


def test_reports_fill_the_year_2025(sample: SampleDistrict) -> None:
    reports = sample.layers["reports"]
    at = reports["reported_at"]
    assert at.str.fullmatch(r"2025-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00").all()
    assert at.is_monotonic_increasing
    assert at.str[5:7].nunique() == 12
    assert set(reports["stage"]) <= {"发现上报", "指挥派遣", "处置反馈", "事件评价", "结案归档"}


def test_unknown_scenario_is_refused_in_one_line() -> None:
    with pytest.raises(BadInput, match=r"atlantis.*taibai") as caught:
        make_sample("atlantis")
    assert "\n" not in str(caught.value)
