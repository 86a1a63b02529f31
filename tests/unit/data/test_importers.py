"""Importing foreign layers: sound rows come out in our columns, every other row has its reason."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely.geometry import LineString, MultiLineString, MultiPolygon, Point, Polygon, box

from data.code_tables import builtin
from data.files import read_layer, write_layers
from data.import_schema import SCHEMAS
from data.importers import LAYER_KINDS, clean_layer, import_layer
from gisgrid.errors import BadInput
from gisgrid.shifted import wgs84_to_gcj02

BOW_TIE = Polygon([(116.4, 39.9), (116.401, 39.901), (116.401, 39.9), (116.4, 39.901)])
SPIKE = Polygon(
    [
        *[(116.5, 39.9), (116.501, 39.9), (116.501, 39.901), (116.5005, 39.901)],
        *[(116.5005, 39.902), (116.5005, 39.901), (116.5, 39.901)],
    ]
)


def house(i: int) -> Polygon:
    return box(116.3 + i * 0.001, 39.9, 116.3005 + i * 0.001, 39.9004)


def layer(geometry: list, crs: str | int | None = 4326, **columns: list) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=crs)


def reasons(report) -> dict[int, str]:
    return dict(zip(report.refused_rows["row"], report.refused_rows["reason"], strict=True))


def refused(call) -> str:
    with pytest.raises(BadInput) as caught:
        call()
    assert "\n" not in caught.value.message
    return str(caught.value.message)


@pytest.mark.parametrize("kind", LAYER_KINDS)
def test_every_kind_takes_a_plain_layer_into_its_columns(kind):
    shapes = {"point": Point(116.3, 39.9), "line": LineString([(116.3, 39.9), (116.31, 39.9)])}
    values = {"code": "110108001", "households": 5, "component_code": "1101080101000001", "category": "bank"}
    values |= {"full": "柳荫路1号", "reported_at": "2024-05-01 08:00", "unit_id": "u1", "cls": "primary"}
    schema = SCHEMAS[kind]
    names = {field.name for field in schema.fields}
    frame, report = clean_layer(
        layer(
            [shapes.get(schema.geometry, house(0))],
            **{name: [value] for name, value in values.items() if name in names},
        ),
        kind,
    )
    assert list(frame.columns) == [*(field.name for field in schema.fields), "geometry"]
    assert (report.read, report.taken, report.refused) == (1, 1, 0)
    assert frame.crs.to_epsg() == 4490


def test_counts_that_are_no_counts_are_refused_with_row_field_and_value():
    frame, report = clean_layer(
        layer([house(i) for i in range(7)], 户数=["12", "-3", "many", None, "9.5", "nan", "1e12"], id=list("abcdefg")),
        "buildings",
    )
    assert reasons(report) == {
        2: "households -3 is negative",
        3: "households 'many' is not a number",
        5: "households 9.5 is not a whole number",
        6: "households 'nan' is not a number",
        7: "households 1e12 is above 10000000",
    }
    assert frame["building_id"].tolist() == ["a", "d"]
    assert frame["households"].iloc[0] == 12
    assert frame["estimated"].tolist() == [False, True]  # the one without a count
    assert report.estimated == 1


def test_units_need_their_households():
    frame, report = clean_layer(layer([house(0), house(1)], unit_id=[1, 2], households=[3.0, np.nan]), "units")
    assert frame["unit_id"].tolist() == ["1"]
    assert reasons(report) == {2: "households is empty"}
    message = refused(lambda: clean_layer(layer([house(0)], unit_id=[1], pop=[2]), "units"))
    assert "no column for households (known names: households, hh, 户数" in message
    assert "it has: unit_id, pop" in message


def test_geometry_faults():
    square_line = LineString([(116.3, 39.9), (116.31, 39.9)])
    with np.errstate(invalid="ignore"):
        endless = box(116.2, 39.9, 116.21, np.nan)
    shapes = [house(0), None, Polygon(), BOW_TIE, SPIKE, square_line, house(0), endless]
    frame, report = clean_layer(layer(shapes, id=list("abcdefgh")), "buildings")
    told = reasons(report)
    assert told[2] == "the geometry is null"
    assert told[3] == "the geometry is empty"
    assert told[4].startswith("the outline is invalid and cannot be repaired: self-intersection at 116.4005 39.9005")
    assert told[6] == "the geometry is a linestring, not a polygon"
    assert told[7] == "the same geometry as row 1"
    assert told[8] == "the geometry has coordinates that are no numbers"
    assert frame["building_id"].tolist() == ["a", "e"]
    assert report.repaired == 1
    assert frame.geometry.is_valid.all()
    assert frame.geometry.iloc[1].area == pytest.approx(1e-6, rel=1e-6)  # the spike enclosed nothing
    assert report.read == report.taken + report.refused == 8


def test_an_outline_that_starts_elsewhere_is_still_the_same_geometry():
    turned = Polygon(np.roll(shapely.get_coordinates(house(0))[:-1], 1, axis=0))
    _, report = clean_layer(layer([house(0), turned]), "buildings")
    assert reasons(report) == {2: "the same geometry as row 1"}


def test_duplicate_ids_name_the_first_row():
    _, report = clean_layer(layer([house(0), house(1), house(2)], building_id=["a", "b", "a"]), "buildings")
    assert reasons(report) == {3: "building_id a is already used by row 1"}


def test_a_refused_row_does_not_make_its_twin_a_duplicate():
    frame, report = clean_layer(layer([house(0), house(0)], id=["a", "b"], households=[-1, 5]), "buildings")
    assert frame["building_id"].tolist() == ["b"]
    assert reasons(report) == {1: "households -1 is negative"}


def test_points_may_share_a_place_when_they_differ():
    here = [Point(116.3, 39.9)] * 3
    frame, report = clean_layer(layer(here, category=["bank", "银行", "toilet"], id=["1", "2", "3"]), "facilities")
    assert frame["category"].tolist() == ["bank", "toilet"]
    assert reasons(report) == {2: "the same geometry as row 1"}
    frame, _ = clean_layer(layer(here, reported_at=["2024-05-01T08:00"] * 3), "reports")
    assert len(frame) == 3


def test_swapped_axes_are_told_for_one_row_and_for_all():
    swapped = Polygon([(y, x) for x, y in house(5).exterior.coords])
    _, report = clean_layer(layer([house(0), swapped]), "buildings")
    assert reasons(report)[2].startswith("lon and lat are swapped")
    assert "every row (1): lon and lat are swapped" in refused(lambda: clean_layer(layer([swapped]), "buildings"))


def test_metres_called_degrees_are_told():
    metric = layer([house(i) for i in range(3)]).to_crs(4548)
    wrong = metric.set_crs(4326, allow_override=True)
    assert "the coordinates are not degrees" in refused(lambda: clean_layer(wrong, "buildings"))
    assert clean_layer(wrong, "buildings", crs="EPSG:4548")[1].taken == 3


def test_swapped_east_and_north_are_told():
    metric = layer([house(0)]).to_crs(4548)
    turned = metric.set_geometry(shapely.transform(metric.geometry.array, lambda c: c[:, ::-1]), crs=4548)
    assert "lon and lat are swapped" in refused(lambda: clean_layer(turned, "buildings"))


def test_rows_outside_the_area():
    area = layer([box(116.29, 39.89, 116.3025, 39.91)], code=["110108001001"], level=["community"])
    given = layer([house(0), house(2), house(9)], community=["110108001009", None, None])
    frame, report = clean_layer(given, "buildings", area=area)
    assert frame["community"].tolist() == ["110108001009", "110108001001"]
    assert reasons(report)[3].startswith("the coordinates lie outside the area (x 116.3095, y 39.9)")
    assert "outside the area" in refused(lambda: clean_layer(layer([house(900)]), "buildings", area=area))


def test_gcj02_is_shifted_once_whether_read_or_cleaned(tmp_path):
    lon, lat = wgs84_to_gcj02([116.3], [39.9])
    path = tmp_path / "in.csv"
    path.write_text(f"lon,lat,category\n{lon[0]!r},{lat[0]!r},bank\n".replace("np.float64(", "").replace(")", ""))
    by_file, _ = import_layer(path, "facilities", crs="gcj02")
    twice, _ = clean_layer(read_layer(path, crs="gcj02"), "facilities", crs="gcj02")
    direct, _ = clean_layer(layer([Point(lon[0], lat[0])], crs=None, category=["bank"]), "facilities", crs="gcj02")
    for frame in (by_file, twice, direct):
        assert shapely.get_coordinates(frame.geometry.array) == pytest.approx(np.array([[116.3, 39.9]]), abs=1e-9)


def test_no_crs_no_rows_no_kind():
    assert "give --crs" in refused(lambda: clean_layer(layer([house(0)], crs=None), "buildings"))
    assert refused(lambda: clean_layer(layer([]), "buildings")) == "the layer is empty"
    assert "cannot import as 'roads'; known are areas," in refused(lambda: clean_layer(layer([house(0)]), "roads"))


def test_when_nothing_can_be_taken_it_is_bad_input_with_the_reason():
    message = refused(lambda: clean_layer(layer([BOW_TIE, BOW_TIE]), "buildings"))
    assert message.startswith("no row can be taken as buildings: 2 × the outline is invalid")
    with pytest.raises(BadInput) as caught:
        clean_layer(layer([None]), "buildings")
    assert caught.value.details["report"]["refused"] == 1


def test_area_codes_and_levels():
    frame, report = clean_layer(
        layer(
            [house(i) for i in range(5)],
            编码=["110108", "110108001000", "110108001001", "1101", "110108001002"],
            级别=["区", "街道", None, None, "street"],
            名称=["甲区", "乙街道", "丙社区", "", ""],
        ),
        "areas",
    )
    assert frame["code"].tolist() == ["110108", "110108001", "110108001001"]
    assert frame["level"].tolist() == ["district", "street", "community"]
    assert frame["name"].tolist() == ["甲区", "乙街道", "丙社区"]
    assert set(frame.geom_type) == {"MultiPolygon"}
    assert set(reasons(report)) == {4, 5}


def test_streets_take_osm_or_our_classes_and_fall_into_lines():
    bent = MultiLineString([[(116.3, 39.9), (116.31, 39.9)], [(116.31, 39.9), (116.32, 39.9)]])
    apart = MultiLineString([[(116.3, 39.8), (116.31, 39.8)], [(116.4, 39.8), (116.41, 39.8)]])
    plain = LineString([(116.3, 39.7), (116.31, 39.7)])
    frame, report = clean_layer(
        layer(
            [bent, apart, plain, shapely.reverse(plain)],
            id=["a", "b", "c", "d"],
            highway=["motorway", None, "moonway", "footway"],
            cls=[None, "rail", None, None],
            oneway=["yes", "", "no", "是"],
        ),
        "streets",
    )
    assert frame["street_id"].tolist() == ["a", "b-1", "b-2", "d"]
    assert frame["cls"].tolist() == ["primary", "rail", "rail", "foot"]
    assert frame["foot"].tolist() == [False, False, False, True]
    assert frame["oneway"].tolist() == [True, False, False, True]
    assert set(frame.geom_type) == {"LineString"}
    assert reasons(report)[3].startswith("highway 'moonway' is no street class")


def test_components_take_classes_from_their_codes():
    frame, report = clean_layer(
        layer(
            [Point(116.3, 39.9), Point(116.31, 39.9), Point(116.31, 39.9), Point(116.3, 39.9)],
            部件编码=["1101080102000001", "123", "1101080102000003", "1101080102000004"],
            状态=["完好", None, "damaged", None],
            初始时间=["2020/3/7", None, None, None],
        ),
        "components",
    )
    assert frame[["major", "minor", "state"]].to_numpy().tolist() == [["01", "02", "完好"], ["01", "02", "破损"]]
    assert frame["first_date"].fillna("").tolist() == ["2020-03-07", ""]
    assert reasons(report) == {2: "component_code '123' is not 16 digits", 4: "the same geometry as row 1"}


def test_times_are_chinese_unless_they_say_otherwise():
    frame, report = clean_layer(
        layer(
            [Point(116.3 + i / 100, 39.9) for i in range(6)],
            上报时间=[
                "2024-05-01 08:00",
                "2024/5/1 8:00:30",
                "2024-05-01T00:00:00Z",
                "2024年5月1日 8:30",
                "yesterday-ish",
                None,
            ],
        ),
        "reports",
    )
    assert frame["reported_at"].tolist() == [
        "2024-05-01T08:00:00+08:00",
        "2024-05-01T08:00:30+08:00",
        "2024-05-01T08:00:00+08:00",
        "2024-05-01T08:30:00+08:00",
    ]
    assert frame["report_id"].tolist() == ["r1", "r2", "r3", "r4"]
    assert frame["stage"].unique().tolist() == ["发现上报"]
    assert reasons(report) == {
        5: "reported_at 'yesterday-ish' is not a date or time",
        6: "reported_at is empty",
    }


def test_water_may_be_lines_or_surfaces():
    pond = MultiPolygon([house(0), house(1)])
    frame, report = clean_layer(
        layer([LineString([(116.3, 39.9), (116.31, 39.9)]), pond, Point(116.3, 39.9)], id=["a", "b", "c"]), "water"
    )
    assert frame["water_id"].tolist() == ["a", "b-1", "b-2"]
    assert frame["kind"].tolist() == ["river", "lake", "lake"]
    assert reasons(report) == {3: "the geometry is a point, not a line or polygon"}


def test_shapefile_columns_cut_to_ten_letters_are_known(tmp_path):
    stored = layer([house(0)], households=[4], population=[9], compound_id=["c1"], building_id=["b7"])
    (path,) = write_layers(tmp_path / "b.zip", {"buildings": stored})
    frame, _ = import_layer(path, "buildings")
    row = frame.iloc[0]
    assert (row["building_id"], row["compound_id"], row["households"]) == ("b7", "c1", 4)


def test_refused_rows_can_be_written_mended_and_read_again(tmp_path):
    given = layer([house(0), house(1), BOW_TIE], 户数=["1", "x", "3"], reason=["a", "b", "c"])
    _, report = clean_layer(given, "buildings")
    (path,) = write_layers(tmp_path / "refused.gpkg", {"refused": report.refused_rows})
    back = read_layer(path)
    assert back["row"].tolist() == [2, 3]
    assert back["户数"].tolist() == ["x", "3"]
    assert back.geometry.iloc[0].equals(house(1))


def test_report_reads_well():
    _, report = clean_layer(layer([house(0), house(1), SPIKE], households=[1, -1, 3]), "buildings")
    assert report.lines() == [
        "buildings: 3 read, 2 taken, 1 repaired, 1 refused",
        "  1 × repaired: the outline was invalid",
        "  1 × households is negative",
    ]
    assert report.as_dict()["reasons"] == {"repaired: the outline was invalid": 1, "households is negative": 1}


def test_the_given_frame_is_left_alone():
    given = layer([house(0), SPIKE], households=["1", "2"])
    copy = given.copy(deep=True)
    clean_layer(given, "buildings")
    assert given.equals(copy)


def test_a_city_of_buildings_is_quick():
    n = 20_000
    x, y = 116 + (np.arange(n) % 200) * 1e-3, 39 + (np.arange(n) // 200) * 1e-3
    shapes = shapely.box(x, y, x + 4e-4, y + 4e-4)
    frame, report = clean_layer(gpd.GeoDataFrame({"households": np.arange(n)}, geometry=shapes, crs=4490), "buildings")
    assert report.taken == n
    assert frame["households"].tolist() == list(range(n))


def test_streets_say_who_may_use_them_and_gates_come_in() -> None:
    lines = [shapely.LineString([(116.3, 39.9 + k / 1000), (116.301, 39.9 + k / 1000)]) for k in range(4)]
    raw = gpd.GeoDataFrame(
        {
            "highway": ["residential", "footway", "", "primary"],
            "class": ["", "", "residential", ""],
            "oneway": ["yes", "no", "no", "-1"],
            "maxspeed": ["30 mph", "signals", "0", "60"],
            "bicycle": [None, "yes", None, "no"],
        },
        geometry=lines,
        crs=4490,
    )
    streets, _ = clean_layer(raw, "streets")
    assert streets["foot"].tolist() == [True, True, True, True]
    assert streets["car"].tolist() == [True, False, pd.NA, True], "a street without highway does not tell"
    assert streets["bicycle"].tolist() == [True, True, pd.NA, False]
    assert streets["oneway"].tolist() == [True, False, False, True]
    assert streets.geometry.iloc[3].coords[0][0] == 116.301, "drawn the way it runs"
    assert streets["speed"].fillna(0).tolist() == [48, 0, 0, 60]
    slow, report = clean_layer(raw.assign(maxspeed=["50", "-5", "", ""]), "streets")
    assert (len(slow), report.reasons) == (3, {"speed is negative": 1})

    gates = gpd.GeoDataFrame(
        {"barrier": ["bollard", "gate"], "机动车": ["no", None]},
        geometry=gpd.points_from_xy([116.3, 116.4], [39.9, 39.9]),
        crs=4490,
    )
    barriers, _ = clean_layer(gates, "barriers")
    assert barriers["kind"].tolist() == ["bollard", "gate"]
    assert barriers["car"].tolist() == [False, pd.NA]


def test_components_that_name_no_class_are_of_the_class_their_code_tells() -> None:
    codes = ["3713110101000001", "3713110404000002"]
    rows, _ = clean_layer(layer([Point(118.5, 35.1), Point(118.6, 35.2)], component_code=codes), "components")
    known = set(builtin("component_classes")[["standard", "kind", "major", "minor"]].itertuples(index=False, name=None))
    assert set(rows[["standard", "kind", "major", "minor"]].itertuples(index=False, name=None)) <= known
