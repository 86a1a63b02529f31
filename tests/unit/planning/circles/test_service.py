"""Service circles on a hand-made street whose every walk is known by arithmetic, and on real extracts."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from data.code_tables import builtin
from data.osm import read_osm
from gisgrid.errors import BadInput
from planning.circles import CirclesResult, service_circles
from planning.circles.coverage import FIGURES
from planning.network import build_network
from planning.reach import PROFILES, nearest_seconds
from planning.reach.snapping import segment_index

CRS = "EPSG:4548"
ORIGIN = X0, Y0 = np.array([500_000.0, 3_900_000.0])
CATEGORIES = pd.DataFrame(
    {
        "category": ["shop", "clinic", "bank"],
        "tier": [5, 15, 15],
        "minutes": [5, 15, 15],
        "metres": [300, 1000, 1000],
        "name_zh": ["便利店", "门诊部", "银行"],
        "name_en": ["Shop", "Clinic", "Bank"],
    }
)
# along one street of 2 km, 10 m north of it; the last stands 150 m off the street
HOMES_AT = (0.0, 200.0, 309.0, 311.0, 700.0, 959.0, 961.0, 1900.0, 1000.0)
PEOPLE = (10, 20, 30, 40, 50, 60, 70, 80, 1000)


def _points(spots: Any) -> Any:
    return shapely.points(np.asarray(spots, np.float64).reshape(-1, 2) + ORIGIN)


def _streets(*lines: Any, **columns: Any) -> gpd.GeoDataFrame:
    shapes = [shapely.LineString(np.asarray(line, float) + ORIGIN) for line in lines]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)


def _street() -> gpd.GeoDataFrame:
    return _streets([(0, 0), (2000, 0)])


def _facilities(category: Any = ("shop", "clinic"), spots: Any = ((0, -10), (0, -20))) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"category": list(category)}, geometry=_points(spots), crs=CRS)


def _homes(**columns: Any) -> gpd.GeoDataFrame:
    spots = [(x, 10.0) for x in HOMES_AT[:-1]] + [(HOMES_AT[-1], 150.0)]
    names = [f"b{number}" for number in range(len(spots))]
    frame = gpd.GeoDataFrame({"building_id": names, "population": PEOPLE}, geometry=_points(spots), crs=CRS)
    return frame.assign(**columns)


def _grids(*edges: float, **columns: Any) -> gpd.GeoDataFrame:
    boxes = [shapely.box(X0 + a, Y0 - 50, X0 + b, Y0 + 200) for a, b in itertools.pairwise(edges)]
    codes = [f"37081100100100{number + 1}" for number in range(len(boxes))]
    return gpd.GeoDataFrame({"code": codes, **columns}, geometry=boxes, crs=CRS)


def _run(**changes: Any) -> CirclesResult:
    given = {"streets": _street(), "facilities": _facilities(), "residences": _homes(), "categories": CATEGORIES}
    given |= {"isochrones": "none"} | changes
    return service_circles(given.pop("streets"), given.pop("facilities"), given.pop("residences"), **given)


def _row(result: CirclesResult, category: str) -> Any:
    return result.coverage.set_index("category").loc[category]


def test_coverage_is_what_arithmetic_says() -> None:
    """A walk is 10 m to the street, along it, and the facility's own 10 or 20 m; 5 minutes are 330 m at 1.1 m/s."""
    result = _run()
    along = np.array(HOMES_AT[:-1])
    walks = {"shop": along + 20, "clinic": along + 30}
    for name, limit in (("shop", 330.0), ("clinic", 990.0)):
        covered = walks[name] <= limit
        row = _row(result, name)
        assert row["buildings_covered"] == covered.sum()
        assert row["residents_covered"] == np.array(PEOPLE[:-1])[covered].sum()
        seconds = result.residences[f"seconds_{name}"].to_numpy()[:-1]
        assert np.allclose(seconds, walks[name] / 1.1, atol=0.02), "beyond the minutes of polygons and tiers too"
        told = result.residences[f"facility_{name}"].fillna("").tolist()
        assert told == [{"shop": "1", "clinic": "2"}[name]] * 8 + [""]
    assert (_row(result, "shop")["buildings_covered"], _row(result, "clinic")["buildings_covered"]) == (3, 6)


def test_times_are_told_as_far_as_is_wanted() -> None:
    whole, near = _run(), _run(told_minutes=1, nearest=1)
    exact, told = (result.residences["seconds_clinic"].to_numpy() for result in (whole, near))
    assert np.array_equal(told, np.where(exact <= 900, exact, np.nan), equal_nan=True), "never below the minutes"
    assert near.residences["facility_clinic"].notna().tolist() == (exact <= 900).tolist()
    assert near.residences["facility_clinic_1"].equals(near.residences["facility_clinic"])
    pd.testing.assert_frame_equal(whole.coverage, near.coverage)
    pd.testing.assert_frame_equal(whole.blind_spots, near.blind_spots)


def test_categories_may_be_given_by_name() -> None:
    named = _run(facilities=_facilities(("便利店", " clinic ", "Chapel"), ((0, -10), (0, -20), (5, 5))))
    pd.testing.assert_frame_equal(named.coverage, _run().coverage)
    assert named.facilities["category"].tolist() == ["shop", "clinic"]
    said = "1 facilities are of no category in the table and are left out ('Chapel')"
    assert said in named.report["notes"]


def test_what_lies_in_no_place_is_said() -> None:
    result = _run(grids=_grids(-50, 305, 650), areas=_grids(-50, 2100).assign(level="community"))
    assert result.report["outside"] == {
        "community": {"residences": 0, "residents": 0},
        "grid": {"residences": 5, "residents": 50 + 60 + 70 + 80 + 1000},
    }
    assert [note for note in result.report["notes"] if "lie in" in note] == [
        "5 residences (1260 residents) lie in no grid"
    ]


def test_rows_without_a_place_are_not_called_far() -> None:
    facilities, homes, streets = _facilities(), _homes(), _streets([(0, 0), (2000, 0)], [(0, 0), (0, 9)])
    facilities.loc[1, "geometry"], homes.loc[0, "geometry"] = None, shapely.Point()
    streets.loc[1, "geometry"] = None
    notes = _run(facilities=facilities, residences=homes, streets=streets).report["notes"]
    assert "1 facilities have no place (empty geometry) and serve nobody" in notes
    assert "1 residences have no place (empty geometry) and cannot be assessed" in notes
    assert "1 streets have no geometry and are left out" in notes
    assert [note for note in notes if "over 100 m" in note] == [
        "1 residences are over 100 m from every street and cannot be assessed"
    ]


@pytest.mark.parametrize(("profile", "speed"), [("adult", 1.1), ("elderly", 0.8), ("frail", 0.65)])
def test_slower_people_reach_less(profile: str, speed: float) -> None:
    result = _run(profile=profile)
    covered = (np.array(HOMES_AT[:-1]) + 20) <= 300 * speed
    assert _row(result, "shop")["buildings_covered"] == covered.sum()
    assert result.report["metres_per_second"] == speed
    same = _run(metres_per_second=speed)
    pd.testing.assert_frame_equal(same.coverage, result.coverage)


def test_a_walk_of_exactly_the_limit_is_covered() -> None:
    homes = gpd.GeoDataFrame({"population": [1, 1]}, geometry=_points([(310.0, 10.0), (310.01, 10.0)]), crs=CRS)
    assert _row(_run(residences=homes), "shop")["buildings_covered"] == 1


def test_not_assessed_is_not_blind() -> None:
    result = _run()
    assert result.residences["assessable"].tolist() == [True] * 8 + [False]
    row = _row(result, "clinic")
    assert (row["buildings_total"], row["buildings_assessed"]) == (9, 8)
    assert (row["residents_total"], row["residents_assessed"]) == (sum(PEOPLE), sum(PEOPLE[:-1]))
    assert any("1 residences are over 100 m" in note for note in result.report["notes"])
    at_the_limit = gpd.GeoDataFrame(geometry=_points([(5, 100.0), (5, 100.01)]), crs=CRS)
    assert _run(residences=at_the_limit).residences["assessable"].tolist() == [True, False]


def test_a_category_without_facilities_covers_nobody_and_says_so() -> None:
    result = _run(isochrones="merged")
    row = _row(result, "bank")
    assert (row["facilities"], row["buildings_covered"], row["straight_line_buildings_covered"]) == (0, 0, 0)
    assert result.residences["seconds_bank"].isna().all()
    assert "no facility of category bank: nobody is covered" in result.report["notes"]
    assert set(result.isochrones["category"]) == {"shop", "clinic"}


def test_polygons_of_every_facility_unite_to_those_of_its_category() -> None:
    result = _run(isochrones="facilities")
    alone = result.facility_isochrones
    assert alone is not None
    assert set(alone["facility_id"]) <= set(result.facilities["facility_id"])
    merged = result.isochrones.set_index(["category", "minutes"]).geometry
    for which, parts in alone.groupby(["category", "minutes"]):
        whole = merged[which]
        assert parts.union_all().symmetric_difference(whole).area < 0.01 * whole.area
    assert _run(isochrones="none").facility_isochrones is None


def test_facilities_off_the_network_serve_nobody_and_are_counted() -> None:
    facilities = _facilities(("shop", "clinic", "clinic"), ((0, -10), (0, -101), (800, 300)))
    result = _run(facilities=facilities, isochrones="merged")
    row = _row(result, "clinic")
    assert (row["facilities"], row["facilities_on_network"], row["buildings_covered"]) == (2, 0, 0)
    assert any("2 facilities are over 100 m" in note for note in result.report["notes"])


def test_straight_line_promises_more_than_the_way_round() -> None:
    """Two parallel streets 60 m apart joined only at the far end: 60 m by air, over 2 km on foot."""
    streets = _streets([(0, 0), (1000, 0), (1000, 60), (0, 60)])
    homes = gpd.GeoDataFrame({"population": [7]}, geometry=_points([(0, 70)]), crs=CRS)
    row = _row(_run(streets=streets, residences=homes), "shop")
    assert (row["buildings_covered"], row["straight_line_buildings_covered"]) == (0, 1)
    assert (row["residents_covered"], row["straight_line_residents_covered"]) == (0, 7)
    away = np.hypot(np.array(HOMES_AT), np.array([20.0] * 8 + [160.0]))
    assert _row(_run(), "shop")["straight_line_buildings_covered"] == (away <= 300).sum()


def test_grid_figures_add_up_to_the_category_figures() -> None:
    grids = _grids(-50, 305, 650, 2100)
    result = _run(grids=grids)
    sums = result.grid_coverage.groupby("category")[list(FIGURES)].sum()
    whole = result.coverage.set_index("category")
    for figure in FIGURES:
        source = f"{figure}_total" if "_" not in figure else figure
        if figure.endswith("_straight"):
            source = f"straight_line_{figure.removesuffix('_straight')}_covered"
        assert sums[figure].to_dict() == whole[source].to_dict(), figure
    shop = result.grid_coverage.query("category == 'shop'").set_index("code")
    assert shop["buildings_covered"].tolist() == [2, 1, 0]
    assert shop["residents_covered"].tolist() == [30, 30, 0]
    assert result.grids is not None
    assert result.grids["share_shop"].tolist() == [1.0, 30 / 70, 0.0]
    assert result.grids["code"].tolist() == grids["code"].tolist()


def test_a_home_on_a_grid_border_counts_once_and_outside_grids_never() -> None:
    homes = gpd.GeoDataFrame({"population": [1, 2]}, geometry=_points([(100, 0), (900, 0)]), crs=CRS)
    by_grid = _run(residences=homes, grids=_grids(0, 100, 200)).grid_coverage.query("category == 'shop'")
    assert by_grid["residents"].tolist() == [1, 0], "of two grids the smaller code owns the border"
    empty = _run(residences=homes, grids=_grids(0, 50, 100, 200)).grids
    assert empty is not None
    assert np.isnan(empty["share_shop"].iloc[0]), "a grid without residents has no share"


def test_crs_of_every_layer_may_differ_and_order_of_rows_does_not_matter() -> None:
    plain = _run(grids=_grids(-50, 305, 650, 2100))
    mixed = _run(
        facilities=_facilities().to_crs(4490),
        residences=_homes().to_crs(4326),
        grids=_grids(-50, 305, 650, 2100).to_crs(4490),
    )
    pd.testing.assert_frame_equal(plain.coverage, mixed.coverage)
    pd.testing.assert_frame_equal(plain.grid_coverage, mixed.grid_coverage)
    assert mixed.residences.crs == "EPSG:4326"
    turned = _run(residences=_homes()[::-1], facilities=_facilities()[::-1])
    pd.testing.assert_frame_equal(turned.coverage, plain.coverage)
    seconds = turned.residences["seconds_shop"].sort_index()
    pd.testing.assert_series_equal(seconds, plain.residences["seconds_shop"])


def test_buildings_count_by_a_point_inside_them() -> None:
    shapes = shapely.buffer(_homes().geometry.to_numpy(), 5, cap_style="square")
    result = _run(residences=_homes().set_geometry(shapes))
    # the inner point of a square is its centre up to a quarter of its width
    assert _row(result, "shop")["residents_total"] == sum(PEOPLE)
    assert np.allclose(result.residences["seconds_shop"], _run().residences["seconds_shop"], atol=5, equal_nan=True)


def test_report_is_json_and_tells_the_figures() -> None:
    result = _run(minutes=(15, 5))
    report = json.loads(json.dumps(result.report))
    assert report["profile"] == "adult"
    assert sorted(report["minutes"]) == [5, 15]
    assert [row["category"] for row in report["categories"]] == CATEGORIES["category"].tolist()
    assert report["categories"][0]["residents_covered"] == 60
    assert (report["residences"], report["residences_assessed"], report["facilities"]) == (9, 8, 2)
    assert report["network"]["metres"] == 2000.0


def test_unknown_counts_are_zero_and_nullable_columns_are_read() -> None:
    homes = _homes(population=pd.array([1, None, *PEOPLE[2:]], dtype="Int64"))
    assert _row(_run(residences=homes), "shop")["residents_total"] == 1 + sum(PEOPLE[2:])
    assert _row(_run(residences=_homes().drop(columns="population")), "shop")["residents_total"] == 0
    labels = pd.array(["shop", None], dtype="string")
    assert _row(_run(facilities=_facilities(labels)), "shop")["facilities"] == 1


def test_a_single_edge_is_enough() -> None:
    streets = _streets([(0, 0), (50, 0)])
    homes = gpd.GeoDataFrame({"population": [3]}, geometry=_points([(40, 5)]), crs=CRS)
    result = _run(streets=streets, residences=homes, isochrones="merged")
    assert result.residences["seconds_shop"].iloc[0] == pytest.approx(55 / 1.1, abs=0.02)
    assert len(result.isochrones) == 6
    ring = _streets([(0, 0), (60, 0), (60, 60), (0, 60), (0, 0)])  # one node, one edge, a loop
    assert build_network(ring).nodes == 1
    home = gpd.GeoDataFrame({"population": [3]}, geometry=_points([(5, 60)]), crs=CRS)
    seconds = _run(streets=ring, residences=home).residences["seconds_shop"].iloc[0]
    assert seconds == pytest.approx(75 / 1.1, abs=0.02)  # 10 + 60 + 5 along the shorter side of the loop


BAD: list[tuple[dict[str, Any], str]] = [
    ({"streets": _street().iloc[:0]}, "street layer is empty"),
    ({"streets": _street().assign(foot=False)}, "may walk"),
    ({"streets": _street().set_crs(None, allow_override=True)}, "no coordinate system"),
    ({"facilities": _facilities().iloc[:0]}, "facilities layer is empty"),
    ({"facilities": _facilities().drop(columns="category")}, "no column category"),
    ({"facilities": _facilities(("Kiosk", "Chapel"))}, "category holds 'Chapel', 'Kiosk'; write codes or names"),
    ({"facilities": _facilities(spots=((0, 900), (0, 900)))}, "none of the 2 facilities lies within 100 m"),
    ({"residences": _homes().iloc[:0]}, "residences layer is empty"),
    ({"residences": _homes(population=[-5, *PEOPLE[1:]])}, r"residences row 1: population=-5"),
    ({"residences": _homes(population=["many", *map(str, PEOPLE[1:])])}, r"residences row 1: population=many"),
    ({"residences": _homes(population=[np.inf, *PEOPLE[1:]])}, r"residences row 1: population=inf"),
    ({"residences": _homes().translate(0, 5000).to_frame("geometry")}, "none of the 9 residences lies within 100 m"),
    ({"profile": "runner"}, "unknown profile 'runner'"),
    ({"metres_per_second": -1.0}, "speed -1"),
    ({"metres_per_second": float("nan")}, "speed nan"),
    ({"minutes": (0, 5)}, "0 minutes"),
    ({"minutes": (-1,)}, "-1 minutes"),
    ({"minutes": (121,)}, "121 minutes"),
    ({"minutes": ()}, "no minutes"),
    ({"grids": _grids(0, 100).iloc[:0]}, "grids layer is empty"),
    ({"grids": _grids(0, 100).drop(columns="code")}, "no column code"),
    ({"grids": _grids(0, 100, 200, code=["1", "1"])}, "code 1 is given twice"),
    ({"grids": _grids(0, 100).set_crs(None, allow_override=True)}, "no coordinate system"),
    ({"categories": CATEGORIES.iloc[:0]}, "lacks rows"),
    ({"categories": CATEGORIES.drop(columns="metres")}, "lacks metres"),
    ({"categories": CATEGORIES.assign(minutes=600)}, "600 minutes"),
    ({"categories": pd.concat([CATEGORIES, CATEGORIES.iloc[:1]])}, "shop is given twice"),
]


@pytest.mark.parametrize(("change", "words"), BAD, ids=[words for _, words in BAD])
def test_bad_input_is_one_clear_line(change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        _run(**change)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "least"), [("beijing_tsinghua.osm", 1500), ("shenzhen_longgang.osm", 150)])
def test_real_extract(shared_data: Path, name: str, least: int) -> None:
    """Figures follow from each building's own time, times are those of `nearest_seconds`, polygons agree with times."""
    layers = read_osm(shared_data / name)
    categories = builtin("facility_categories").astype({"minutes": int, "metres": int, "tier": int})
    wanted = categories[categories["category"].isin(["bus_stop", "convenience_store", "post_office", "sports_centre"])]
    result = service_circles(layers["streets"], layers["facilities"], layers["buildings"], categories=wanted)
    network = build_network(layers["streets"])
    index = segment_index(network)
    homes = shapely.point_on_surface(layers["buildings"].to_crs(network.crs).geometry.to_numpy())
    people = layers["buildings"]["population"].to_numpy(float)
    wrong = inside = 0
    for about in wanted.to_dict("records"):
        category = about["category"]
        places = layers["facilities"].query("category == @category").to_crs(network.crs)
        shops = shapely.get_coordinates(places.geometry)

        def walk(xy: Any, shops: Any = shops) -> Any:
            return nearest_seconds(network, shops, xy, limit_minutes=120, index=index)[0]

        row, seconds = _row(result, category), result.residences[f"seconds_{category}"].to_numpy()
        assert np.allclose(seconds, walk(shapely.get_coordinates(homes)), atol=1e-3, equal_nan=True)
        covered = np.rint(seconds * 110) <= PROFILES["adult"].limit(about["minutes"])
        assert row["facilities"] == len(places)
        assert (row["buildings_covered"], row["residents_covered"]) == (covered.sum(), people[covered].sum())
        for minutes, shape in result.isochrones.query("category == @category")[["minutes", "geometry"]].to_numpy():
            truth = seconds <= 60 * minutes
            off = np.flatnonzero(truth != shapely.intersects(shape, homes))
            # only at the edge: within a cell and a half of each stands a place with the other answer
            around = [shapely.get_coordinates(shapely.buffer(homes[off], r, quad_segs=6)) for r in (2, 5, 10, 15)]
            answers = np.stack([walk(xy).reshape(len(off), -1) <= 60 * minutes for xy in around if len(off)] or [[[]]])
            for number, home in enumerate(off):
                assert (answers[:, number] != truth[home]).any(), (category, minutes, home)
            wrong, inside = wrong + len(off), inside + int(truth.sum())
    assert inside >= least
    assert wrong / inside <= 0.015
