"""Reading and writing layers: every format round-trips, writing is atomic and repeatable, errors are one
line.
"""

from __future__ import annotations

import hashlib
import json
import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from data import exporters
from data.files import layer_names, read_layer, write_layers
from gisgrid.errors import BadInput
from gisgrid.shifted import gcj02_to_wgs84

FORMATS = [".gpkg", ".geojson", ".parquet", ".fgb", ".shp", ".zip", ".csv"]


def houses(n: int = 5, crs: str | int | None = 4490) -> gpd.GeoDataFrame:
    shapes = [box(116.30 + i * 0.01, 39.9, 116.305 + i * 0.01, 39.903) for i in range(n)]
    columns = {
        "code": [f"{i:012d}" for i in range(n)],
        "name": [f"柳荫里{i}号楼" for i in range(n)],
        "households": np.arange(n) * 10,
        "area": np.arange(n) * 1.5,
        "note": [None if i % 2 else 'a,b"c' for i in range(n)],
    }
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=crs)


def points(n: int = 4) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"code": [f"f{i}" for i in range(n)]},
        geometry=shapely.points(116.3 + np.arange(n) / 97, 39.9 + np.arange(n) / 89),
        crs=4490,
    )


def refused(call) -> str:
    with pytest.raises(BadInput) as caught:
        call()
    message = str(caught.value.message)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("suffix", FORMATS)
def test_round_trip(tmp_path, suffix):
    given = houses()
    made = write_layers(tmp_path / f"out{suffix}", {"buildings": given})
    back = read_layer(made[0], crs="cgcs2000" if suffix == ".csv" else None)
    back = back.sort_values("code", ignore_index=True)  # FlatGeobuf stores along the Hilbert curve
    assert sorted(back.columns) == sorted(given.columns)
    assert back["code"].tolist() == given["code"].tolist()  # leading zeros kept
    assert back["name"].tolist() == given["name"].tolist()
    assert back["households"].tolist() == given["households"].tolist()
    assert back["area"].tolist() == given["area"].tolist()
    assert back["note"].isna().tolist() == given["note"].isna().tolist()
    # the same doubles, so shared borders stay shared (GeoJSON text may round one off in the last bit)
    got, wanted = (shapely.get_coordinates(shapely.normalize(f.geometry.array)) for f in (back, given))
    assert np.abs(got - wanted).max() <= (2e-14 if suffix == ".geojson" else 0)
    assert back.crs.to_epsg() == (4326 if suffix == ".geojson" else 4490)


@pytest.mark.parametrize("suffix", FORMATS)
def test_points_round_trip_exactly(tmp_path, suffix):
    given = points()
    (made, *_) = write_layers(tmp_path / f"out{suffix}", {"facilities": given})
    back = read_layer(made, crs=4490).sort_values("code", ignore_index=True)
    assert np.array_equal(shapely.get_coordinates(back.geometry.array), shapely.get_coordinates(given.geometry.array))


@pytest.mark.parametrize("suffix", FORMATS)
def test_same_layers_same_bytes(tmp_path, suffix):
    digests = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        made = write_layers(tmp_path / folder / f"out{suffix}", {"buildings": houses(50)})
        digests.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in made])
    assert digests[0] == digests[1]


def test_geopackage_holds_many_layers_mixed_geometry_and_a_metric_crs(tmp_path):
    square = box(500000, 4400000, 500100, 4400100)
    mixed = gpd.GeoDataFrame(
        {"kind": ["river", "lake", "lake"]},
        geometry=[LineString([(0, 0), (1, 1)]), square, MultiPolygon([square])],
        crs=4548,
    )
    path = tmp_path / "all.gpkg"
    assert write_layers(path, {"buildings": houses(), "water": mixed, "facilities": points()}) == [path]
    assert layer_names(path) == ["buildings", "water", "facilities"]
    back = read_layer(f"{path}:water")
    assert back.crs.to_epsg() == 4548
    assert back.geom_type.tolist() == ["LineString", "Polygon", "MultiPolygon"]
    assert len(read_layer(path, layer="facilities")) == 4


def test_several_layers_in_a_single_layer_format_become_siblings(tmp_path):
    made = write_layers(tmp_path / "out.geojson", {"a": houses(), "b": points()})
    assert [path.name for path in made] == ["out_a.geojson", "out_b.geojson"]
    assert not (tmp_path / "out.geojson").exists()
    assert len(read_layer(made[1])) == 4


def test_empty_layers_are_written_and_read_back(tmp_path):
    path = tmp_path / "out.gpkg"
    write_layers(path, {"water": houses(0), "buildings": houses()})
    assert layer_names(path) == ["water", "buildings"]
    assert refused(lambda: read_layer(f"{path}:water")).endswith("the layer is empty")
    assert list(read_layer(f"{path}:water", allow_empty=True).columns) == list(houses(0).columns)


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "out.gpkg"
    write_layers(path, {"buildings": houses()})
    before = path.read_bytes()
    calls = []
    real = pyogrio.write_dataframe

    def fails_on_the_second(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise pyogrio.errors.DataSourceError("disk on fire")
        real(*args, **kwargs)

    monkeypatch.setattr(exporters.pyogrio, "write_dataframe", fails_on_the_second)
    refused(lambda: write_layers(path, {"a": houses(1), "b": houses(1)}))
    assert path.read_bytes() == before
    assert [child.name for child in tmp_path.iterdir()] == ["out.gpkg"]


def test_gdal_date_option_is_put_back(tmp_path):
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    write_layers(tmp_path / "out.gpkg", {"a": houses()})
    assert pyogrio.get_gdal_config_option("OGR_CURRENT_DATE") == before


def test_nested_values_become_json(tmp_path):
    frame = points(1).assign(tags=[{"b": [1], "a": "桥"}])
    (path,) = write_layers(tmp_path / "out.gpkg", {"x": frame})
    assert json.loads(read_layer(path)["tags"].iloc[0]) == {"a": "桥", "b": [1]}


def test_csv_columns_and_types(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text(
        "\ufeff编号,经度,纬度,households,code,share,mixed\n"
        "007,116.3,39.9,12,110108001001,0.5,1\n"
        "008,,39.9,13,110108001002,1e-3,x\n",
        encoding="utf-8",
    )
    frame = read_layer(path, crs="wgs84")
    assert frame["编号"].tolist() == ["007", "008"]
    assert frame["households"].tolist() == [12, 13]
    assert frame["households"].dtype == np.int64
    assert frame["share"].tolist() == [0.5, 0.001]
    assert frame["code"].tolist() == ["110108001001", "110108001002"]
    assert frame["mixed"].tolist() == ["1", "x"]
    assert frame.geometry.iloc[0].equals(Point(116.3, 39.9))
    assert frame.geometry.iloc[1] is None


def test_csv_in_gb18030(tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes("名称,x,y\n柳荫里,1,2\n".encode("gb18030"))
    assert read_layer(path, crs=4548)["名称"].tolist() == ["柳荫里"]


def test_csv_with_wkt_and_an_unreadable_one(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text('name,WKT\na,"POLYGON ((0 0,1 0,1 1,0 0))"\nb,POLYGON oops\n', encoding="utf-8")
    frame = read_layer(path, crs=4326)
    assert frame.geometry.iloc[0].equals(Polygon([(0, 0), (1, 0), (1, 1)]))
    assert frame.geometry.iloc[1] is None
    assert "WKT" not in frame.columns


def test_plain_parquet_with_lon_lat(tmp_path):
    path = tmp_path / "in.parquet"
    pd.DataFrame({"lon": [116.3], "lat": [39.9], "n": [1]}).to_parquet(path)
    assert read_layer(path, crs="wgs84").geometry.iloc[0].equals(Point(116.3, 39.9))


def test_gcj02_is_converted_once_and_marked(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("lon,lat\n116.3,39.9\n", encoding="utf-8")
    frame = read_layer(path, crs="gcj02")
    lon, lat = gcj02_to_wgs84(116.3, 39.9)
    assert (frame.geometry.x[0], frame.geometry.y[0]) == (lon, lat)
    assert frame.crs.to_epsg() == 4490
    assert frame.attrs["shifted_from"] == "gcj02"


def test_crs_overrides_the_file(tmp_path):
    (path,) = write_layers(tmp_path / "a.gpkg", {"a": houses()})
    assert read_layer(path, crs="EPSG:4214").crs.to_epsg() == 4214


def test_chinese_shapefile_without_cpg(tmp_path):
    pyogrio.write_dataframe(houses(), tmp_path / "old.shp", encoding="GB18030", driver="ESRI Shapefile")
    (tmp_path / "old.cpg").unlink()
    raw = bytearray((tmp_path / "old.dbf").read_bytes())
    raw[29] = 0
    (tmp_path / "old.dbf").write_bytes(raw)
    assert read_layer(tmp_path / "old.shp")["name"].iloc[0] == "柳荫里0号楼"
    with zipfile.ZipFile(tmp_path / "old.zip", "w") as archive:
        for part in tmp_path.glob("old.*"):
            if part.suffix != ".zip":
                archive.write(part, f"数据/{part.name}")  # in a folder, as archivers do
    assert read_layer(tmp_path / "old.zip")["name"].iloc[0] == "柳荫里0号楼"


def test_a_file_name_may_hold_a_colon(tmp_path):
    (path,) = write_layers(tmp_path / "a:b.geojson", {"a": houses()})
    assert len(read_layer(path)) == 5


# --- bad input: one clear line each -----------------------------------------------------


def test_missing_file(tmp_path):
    assert "no such file" in refused(lambda: read_layer(tmp_path / "nowhere.gpkg"))
    assert "no such file" in refused(lambda: read_layer(f"{tmp_path}/nowhere.gpkg:grids"))


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".json", ".parquet", ".fgb", ".shp", ".zip", ".csv"])
def test_not_a_map_file_by_content(tmp_path, suffix):
    path = tmp_path / f"in{suffix}"
    path.write_bytes(b"\x00\x01hello, this is no map\n\xff\xfe" * 50)
    assert str(path) in refused(lambda: read_layer(path, crs=4326))


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".parquet", ".fgb", ".shp", ".zip", ".csv"])
def test_an_empty_file(tmp_path, suffix):
    path = tmp_path / f"in{suffix}"
    path.touch()
    refused(lambda: read_layer(path, crs=4326))


def test_truncated_geopackage(tmp_path):
    (path,) = write_layers(tmp_path / "a.gpkg", {"a": houses(2000)})
    path.write_bytes(path.read_bytes()[:30000])
    refused(lambda: read_layer(path))


def test_not_a_map_file_by_name(tmp_path):
    (tmp_path / "a.txt").touch()
    (tmp_path / "a.osm").touch()
    assert "not a map file" in refused(lambda: read_layer(tmp_path / "a.txt"))
    assert "is a folder" in refused(lambda: read_layer(tmp_path))
    assert "gisgrid import osm" in refused(lambda: read_layer(tmp_path / "a.osm"))


def test_unknown_and_unnamed_layers(tmp_path):
    (path,) = write_layers(tmp_path / "a.gpkg", {"roads": houses(), "blocks": houses()})
    assert "has no layer 'grids'; it holds: roads, blocks" in refused(lambda: read_layer(f"{path}:grids"))
    assert "holds several layers (roads, blocks); say which" in refused(lambda: read_layer(path))
    assert "say which" in refused(lambda: read_layer(path, layer="grids"))


def test_no_crs(tmp_path):
    (path,) = write_layers(tmp_path / "a.gpkg", {"a": houses(crs=None)})
    assert "has no coordinate system; give --crs" in refused(lambda: read_layer(path))
    assert read_layer(path, crs="wgs84").crs.to_epsg() == 4326
    assert "is unknown" in refused(lambda: read_layer(path, crs="mars"))


def test_table_without_coordinates(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("name,value\na,1\n", encoding="utf-8")
    assert "needs columns lon and lat" in refused(lambda: read_layer(path, crs=4326))
    path.write_text("lon,lat\neast,north\n", encoding="utf-8")
    assert "hold no coordinate" in refused(lambda: read_layer(path, crs=4326))


def test_geopackage_without_map_layer(tmp_path):
    pyogrio.write_dataframe(pd.DataFrame({"a": [1]}), tmp_path / "a.gpkg", layer="t", driver="GPKG")
    assert "holds no map layer" in refused(lambda: read_layer(tmp_path / "a.gpkg"))


def test_writing_where_nothing_can_be_written(tmp_path):
    assert "folder" in refused(lambda: write_layers(tmp_path / "no" / "a.gpkg", {"a": houses()}))
    assert "cannot write this format" in refused(lambda: write_layers(tmp_path / "a.xyz", {"a": houses()}))
    assert "no layer to write" in refused(lambda: write_layers(tmp_path / "a.gpkg", {}))
    mixed = gpd.GeoDataFrame(geometry=[Point(0, 0), box(0, 0, 1, 1)], crs=4490)
    assert "cannot be written as ESRI Shapefile" in refused(lambda: write_layers(tmp_path / "a.shp", {"a": mixed}))
    assert list(tmp_path.iterdir()) == []
