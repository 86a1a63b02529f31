"""Files of points through locate: every format into every other, equal to the rule, bad rows kept, bounded, whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from data.point_streams import WRITABLE, Grids, PointStream, Tally, csv_text, geojson_reader, locate_file, open_points
from data.point_streams.coordinates import from_wkb, numbers, to_wkb
from data.point_streams.records import scan, scan_objects
from data.point_streams.stream import ahead
from gisgrid.errors import BadInput
from gisgrid.locate import locate_points
from gisgrid.locate.points import NO_COORDINATES, NO_NUMBER
from gisgrid.shifted import wgs84_to_bd09, wgs84_to_gcj02

ROOT = Path(__file__).resolve().parents[3]
WEST, SOUTH = 116.30, 39.90
INPUTS = (".gpkg", ".geojson", ".geojsonl", ".parquet", ".fgb", ".shp", ".csv", "plain.parquet")
SWAPPED = "longitude and latitude are swapped: the point lies in a grid when they are exchanged"


@pytest.fixture(scope="module")
def layer() -> gpd.GeoDataFrame:
    """Four grids around a corner, a hole in one, smallest code in the middle of the order."""
    boxes = [shapely.box(WEST + i * 0.01, SOUTH + j * 0.01, WEST + (i + 1) * 0.01, SOUTH + (j + 1) * 0.01)
             for i in range(2) for j in range(2)]  # fmt: skip
    boxes[0] = boxes[0].difference(boxes[0].centroid.buffer(0.002, quad_segs=3))
    return gpd.GeoDataFrame({"code": ["003", "001", "004", "002"]}, geometry=boxes, crs="EPSG:4490")


@pytest.fixture(scope="module")
def grids(layer: gpd.GeoDataFrame) -> Grids:
    return Grids.of_layer(layer)


@pytest.fixture(scope="module")
def points(layer: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Random points, all vertices, and rows of every kind that cannot be used."""
    rng = np.random.default_rng(3)
    x, y = rng.uniform(WEST - 0.004, WEST + 0.024, 300), rng.uniform(SOUTH - 0.004, SOUTH + 0.024, 300)
    corners = shapely.get_coordinates(layer.geometry.to_numpy())
    shapes = [*shapely.points(x, y), *shapely.points(corners)]
    shapes[5], shapes[7] = None, shapely.Point(SOUTH + 0.001, WEST + 0.001)
    count = len(shapes)
    table = {
        "code": [f"{k:05d}" for k in range(count)],
        "text": [f'路灯 "{k}",\n坏了' if k % 9 == 0 else f"n{k}" for k in range(count)],
        "count": np.arange(count),
        "share": rng.random(count),
        "maybe": [None if k % 4 else f"m{k}" for k in range(count)],
    }
    return gpd.GeoDataFrame(table, geometry=shapes, crs="EPSG:4326")


@pytest.fixture(scope="module")
def files(points: gpd.GeoDataFrame, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The points in every format, written by geopandas, pandas or by hand."""
    folder = tmp_path_factory.mktemp("points")
    made = {suffix: folder / f"in{suffix}" for suffix in INPUTS if suffix != "plain.parquet"}
    points.to_file(made[".gpkg"])
    points.to_file(made[".fgb"], SPATIAL_INDEX="NO")
    points.to_file(made[".shp"], encoding="utf-8")
    points.to_parquet(made[".parquet"])
    # GDAL would round coordinates in the last bit, which moves a vertex off its grid
    lines = [json.dumps(feature, ensure_ascii=False) for feature in points.iterfeatures()]
    whole = '{"type": "FeatureCollection", "features": [\n' + ",\n".join(lines) + "\n]}"
    made[".geojson"].write_text(whole, encoding="utf-8")
    made[".geojsonl"].write_text("\n".join(lines), encoding="utf-8")  # the last line has no end
    table = pd.DataFrame(points.drop(columns="geometry")).assign(lon=points.geometry.x, lat=points.geometry.y)
    table.to_csv(made[".csv"], index=False)
    made["plain.parquet"] = folder / "plain.parquet"
    table.to_parquet(made["plain.parquet"])
    return made


def back(path: Path) -> pd.DataFrame:
    """What was written, read by another hand."""
    suffix = path.suffix
    if suffix in (".csv", ".tsv"):
        return pd.read_csv(
            path, sep="\t" if suffix == ".tsv" else ",", dtype={"grid": str, "nearest": str, "code": str}
        )
    if suffix == ".parquet":
        table = pq.read_table(path)
        return gpd.read_parquet(path) if b"geo" in (table.schema.metadata or {}) else table.to_pandas()
    return gpd.read_file(f"zip://{path}" if suffix == ".zip" else path)


def plain(values: Any) -> list[Any]:
    return [None if value is None or value != value else value for value in values.astype(object)]


def located(source: Path, out: Path, grids: Grids, **options: Any) -> tuple[pd.DataFrame, Tally]:
    options.setdefault("crs", "wgs84")
    tally = locate_file(open_points(source, typed=out.suffix not in (".csv", ".tsv"), **options), out, grids)
    return back(out), tally


@pytest.mark.parametrize("suffix", WRITABLE)
@pytest.mark.parametrize("given", INPUTS)
def test_every_format_into_every_other(
    files: dict[str, Path],
    points: gpd.GeoDataFrame,
    layer: gpd.GeoDataFrame,
    grids: Grids,
    tmp_path: Path,
    given: str,
    suffix: str,
) -> None:
    wanted = locate_points(points, layer)
    found, tally = located(files[given], tmp_path / f"out{suffix}", grids, batch_rows=100)
    assert len(found) == len(points) == tally.points
    assert plain(found["grid"]) == wanted["grid"].tolist()
    assert plain(found["nearest"]) == wanted["nearest"].tolist()
    assert found["metres"].astype(float).to_numpy() == pytest.approx(wanted["metres"].to_numpy(), nan_ok=True, abs=1e-6)
    assert found["outside"].astype(str).str.lower().isin(["true", "1"]).tolist() == wanted["outside"].tolist()
    reasons = plain(found["reason"])
    assert reasons[5] in ("no geometry", "no coordinates")
    assert (reasons[7] or "")[:60] == SWAPPED[:60]
    assert sum(reason is not None for reason in reasons) == 2 == tally.unusable
    assert plain(found["code"]) == points["code"].tolist(), "order kept, leading zeros kept"
    assert plain(found["maybe"]) == plain(points["maybe"])
    assert [str(text).replace("\r\n", "\n") for text in found["text"]] == points["text"].tolist()
    if suffix not in (".csv", ".tsv") and (given, suffix) != ("plain.parquet", ".parquet"):
        assert found["count"].astype(float).tolist() == points["count"].tolist()
        assert found["share"].to_numpy(float) == pytest.approx(points["share"].to_numpy(), abs=1e-12)
        shapes = found.geometry.to_numpy()
        assert shapes[5] is None
        known = np.array([k for k in range(len(points)) if k != 5])
        assert (
            shapely.get_coordinates(shapes[known]).tolist()
            == shapely.get_coordinates(points.geometry.to_numpy()[known]).tolist()
        )
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_owners_follow_the_rule(
    points: gpd.GeoDataFrame, layer: gpd.GeoDataFrame, grids: Grids, files: dict[str, Path], tmp_path: Path
) -> None:
    found, _ = located(files["plain.parquet"], tmp_path / "o.parquet", grids)
    for shape, owner in zip(points.geometry, plain(found["grid"]), strict=True):
        covering = [] if shape is None else layer["code"][shapely.covered_by(shape, layer.geometry.to_numpy())]
        assert owner == min(covering, default=None)


@pytest.mark.parametrize(("crs", "bend"), [("gcj02", wgs84_to_gcj02), ("bd09", wgs84_to_bd09)])
@pytest.mark.parametrize("suffix", [".csv", ".gpkg", ".parquet", ".geojson"])
def test_shifted_systems_are_written_where_they_are(
    points: gpd.GeoDataFrame, layer: gpd.GeoDataFrame, grids: Grids, tmp_path: Path, crs: str, bend: Any, suffix: str
) -> None:
    usable = points.drop(index=[5, 7])
    lon, lat = bend(usable.geometry.x.to_numpy(), usable.geometry.y.to_numpy())
    pd.DataFrame({"经度": lon, "纬度": lat}).to_csv(tmp_path / "in.csv", index=False)
    found, _ = located(tmp_path / "in.csv", tmp_path / f"out{suffix}", grids, crs=crs)
    wanted = locate_points(gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat)), layer, crs=crs)
    assert plain(found["grid"]) == wanted["grid"].tolist()
    assert found["经度"].to_numpy() == pytest.approx(lon, abs=0), "the caller's columns stay as they are"
    if suffix != ".csv":
        assert found.geometry.x.to_numpy() == pytest.approx(usable.geometry.x.to_numpy(), abs=1e-8)
        assert found.crs.to_epsg() in (4490, 4326)


def test_grids_and_points_in_metres(points: gpd.GeoDataFrame, layer: gpd.GeoDataFrame, tmp_path: Path) -> None:
    metric = points.drop(index=[5, 7]).to_crs("EPSG:4548")
    metric.to_file(tmp_path / "m.gpkg")
    wanted = locate_points(metric, layer.to_crs("EPSG:4548"))
    for suffix in (".gpkg", ".geojson", ".geojsonl", ".csv"):
        grids = Grids.of_layer(layer.to_crs("EPSG:4548"))
        tally = locate_file(open_points(tmp_path / "m.gpkg"), tmp_path / f"o{suffix}", grids)
        found = back(tmp_path / f"o{suffix}")
        assert plain(found["grid"]) == wanted["grid"].tolist()
        assert plain(found["nearest"]) == wanted["nearest"].tolist()
        assert tally.unusable == 0
    lonlat = points.drop(index=[5, 7])
    assert found["lon"].to_numpy() == pytest.approx(lonlat.geometry.x.to_numpy(), abs=1e-9)
    assert gpd.read_file(tmp_path / "o.geojson").crs.to_epsg() == 4548
    assert gpd.read_file(tmp_path / "o.geojsonl").geometry.x.to_numpy() == pytest.approx(lonlat.geometry.x, abs=1e-9)


# --- rows that cannot be used -----------------------------------------------------------

BAD_ROWS = [
    ("116.305,39.901,good", None),
    ("abc,39.901,text", "coordinates are no numbers"),
    (",39.901,empty", "no coordinates"),
    ("  ,39.901,blank", "no coordinates"),
    ("nan,39.901,nan", "coordinates are not finite"),
    ("1e308,39.901,far", "coordinates are no degrees: lon must lie in -180..180, lat in -90..90"),
    ("1e999,39.901,inf", "coordinates are not finite"),
    ("39.901,116.305,swapped", SWAPPED),
    ("116.305,39.901,long,too,long", "row has more fields than the header"),
    ("116.305,39.901", None),
    ("１１６．３０５,＋39.901,full width", None),
    (' 116.305 ,"39.901","quoted, and spaced"', None),
    ('116.305,39.901,"two\nlines and a ""quote"""', None),
    ('116.305,39.901,5" pipe', None),
    ('116.305,39.901,"never closed', "row cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("block", [1 << 16, None])
def test_bad_rows_of_csv_are_kept_with_their_reason(grids: Grids, tmp_path: Path, end: str, block: int | None) -> None:
    many = 300  # the quote that is never closed must not swallow what follows
    text = end.join(["lon,lat,note", *(row for row, _ in BAD_ROWS), *["116.301,39.901,after,,"] * many * 30]) + end
    (tmp_path / "in.csv").write_text(text, encoding="utf-8", newline="")
    found, tally = located(tmp_path / "in.csv", tmp_path / "out.csv", grids, batch_rows=block and block // 100)
    reasons = plain(found["reason"])
    assert reasons[: len(BAD_ROWS)] == [reason for _, reason in BAD_ROWS]
    assert len(found) == len(BAD_ROWS) + many * 30
    assert plain(found["grid"])[len(BAD_ROWS) :] == ["003"] * many * 30
    assert [owner is not None for owner in plain(found["grid"])[: len(BAD_ROWS)]] == [r is None for _, r in BAD_ROWS]
    assert found["lon"].tolist()[1] == "abc", "the cell stays as it came"
    assert found["note"].tolist()[12] in ('two\nlines and a "quote"', 'two\r\nlines and a "quote"')
    assert tally.reasons == {r: [x for _, x in BAD_ROWS].count(r) for _, r in BAD_ROWS if r}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_csv_as_it_is_written_here(grids: Grids, tmp_path: Path, encoding: str, separator: str) -> None:
    lines = [
        ["编号", "经度", "纬度", "事项"],
        ["001", "116.305", "39.901", "永定门外大街甲1号"],
        ["002", "118", "39.9", "镕𠮷"],
    ]
    (tmp_path / "in.csv").write_bytes("\r\n".join(separator.join(line) for line in lines).encode(encoding))
    found, tally = located(tmp_path / "in.csv", tmp_path / "out.csv", grids)
    assert found["事项"].tolist() == ["永定门外大街甲1号", "镕𠮷"]
    assert plain(found["grid"]) == ["003", None]
    assert (tally.located, tally.outside) == (1, 1)
    marked = (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert marked == (encoding in ("utf-8-sig", "utf-16")), "what Excel opened right stays so"


def test_numbers_become_numbers_where_every_value_is_one(grids: Grids, tmp_path: Path) -> None:
    rows = "\n".join(f"{k:03d},{k},{k}.5,{'x' if k == 4_000 else k},0{k},116.305,39.905" for k in range(5_000))
    (tmp_path / "in.csv").write_text(f"code,n,f,mixed,zeros,lon,lat\n{rows}\n")
    located(tmp_path / "in.csv", tmp_path / "o.parquet", grids, batch_rows=700)
    types = {field.name: str(field.type) for field in pq.read_schema(tmp_path / "o.parquet")}
    assert {name: types[name] for name in ("code", "n", "f", "mixed", "zeros", "lon")} == {
        "code": "string", "n": "int64", "f": "double", "mixed": "string", "zeros": "string", "lon": "double",
    }  # fmt: skip


def test_bad_features_are_kept_with_their_reason(grids: Grids, tmp_path: Path) -> None:
    good = {"type": "Point", "coordinates": [116.305, 39.901]}
    cases: list[tuple[str, str | None]] = [
        (json.dumps({"type": "Feature", "id": 7, "properties": {"a": 1}, "geometry": good}), None),
        ('{"type":"Feature","properties":{"a":2},"geometry":{"type":"Point","coordinates":[NaN,1]}}', "row cannot be read"),
        ('{"type":"Feature","properties":null,"geometry":null}', "no geometry"),
        ('{"type":"Feature","properties":{"a":"}]"},"geometry":{"type":"Point","coordinates":[]}}', "no geometry"),
        ('{"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":[[0,0],[1,1]]}}', "geometry is no point"),
        ('{"type":"Feature","geometry":{"type":"Point","coordinates":["116,3",39.9]}}', "coordinates are no numbers"),
        ('{"type":"Feature","geometry":{"type":"Point","coordinates":[116.305,39.901,52.5]}}', None),
        ('{"type":"Feature","properties":{"big":18446744073709551615},"geometry":null}', "no geometry"),
    ]  # fmt: skip
    whole = '{"type":"FeatureCollection","name":"x","features":[\n' + ",\n".join(text for text, _ in cases) + "]}"
    (tmp_path / "in.geojson").write_text(whole)
    (tmp_path / "in.ndjson").write_text("\x1e" + "\n\x1e".join(text for text, _ in cases) + "\n\n")
    for name in ("in.geojson", "in.ndjson"):
        for suffix in (".parquet", ".csv", ".geojsonl", ".gpkg"):
            found, tally = located(tmp_path / name, tmp_path / f"o{suffix}", grids, crs=None)
            assert plain(found["reason"]) == [reason for _, reason in cases]
            assert plain(found["grid"]) == [None if reason else "003" for _, reason in cases]
            assert plain(found["id"])[0] == 7
            assert plain(found["a"])[3] == "}]"
            assert tally.points == len(cases)
    lines = (tmp_path / "o.geojsonl").read_text().splitlines()
    assert json.loads(lines[4])["geometry"]["type"] == "LineString"
    assert json.loads(lines[6])["geometry"]["type"] == "Point"


def test_shapes_that_are_no_points_go_through(grids: Grids, tmp_path: Path) -> None:
    shapes = [shapely.Point(116.305, 39.901), shapely.LineString([(0, 0), (1, 1)]), shapely.Point(116.305, 39.901, 9)]
    gpd.GeoDataFrame({"n": [1, 2, 3]}, geometry=shapes, crs=4490).to_parquet(tmp_path / "in.parquet")
    for suffix in (".parquet", ".gpkg", ".fgb", ".geojson"):
        found, _ = located(tmp_path / "in.parquet", tmp_path / f"o{suffix}", grids, crs=None)
        assert plain(found["grid"]) == ["003", None, "003"]
        assert found.geometry.geom_type.tolist() == ["Point", "LineString", "Point"]


@pytest.mark.parametrize("encoding", ["WKB", "geoarrow"])
def test_geoparquet_by_its_metadata(
    points: gpd.GeoDataFrame, layer: gpd.GeoDataFrame, grids: Grids, tmp_path: Path, encoding: str
) -> None:
    usable = points.drop(index=[5, 7]).to_crs("EPSG:4490")
    usable.to_parquet(
        tmp_path / "in.parquet", geometry_encoding=encoding, schema_version="1.1.0" if encoding != "WKB" else None
    )
    found, _ = located(tmp_path / "in.parquet", tmp_path / "o.parquet", grids, crs=None)
    assert plain(found["grid"]) == locate_points(usable, layer)["grid"].tolist()
    assert found.crs.to_epsg() == 4490
    assert found.geometry.geom_equals(usable.geometry.reset_index(drop=True)).all()


def test_answer_columns_replace_those_of_the_same_name(files: dict[str, Path], grids: Grids, tmp_path: Path) -> None:
    for suffix in (".parquet", ".csv", ".gpkg"):
        first, _ = located(files[".gpkg"], tmp_path / f"a{suffix}", grids)
        again, _ = located(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}", grids)
        assert list(again.columns) == list(first.columns)
        assert plain(again["grid"]) == plain(first["grid"])


def test_awkward_column_names(grids: Grids, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(
        "fid,Name,name,,geometry,lon,lat,a\nx,1,2,3,4,116.305,39.901,5\nx,1,2,3,4,116.305,39.901,5\n"
    )
    found, _ = located(tmp_path / "in.csv", tmp_path / "o.gpkg", grids)
    assert len(found) == 2
    assert found.iloc[0].drop("geometry").tolist()[:5] == ["x", 1, 2, 3, 4]


def test_the_same_input_gives_the_same_bytes(files: dict[str, Path], grids: Grids, tmp_path: Path) -> None:
    for suffix in (".gpkg", ".parquet", ".geojson", ".csv", ".zip"):
        made = [tmp_path / side / f"out{suffix}" for side in ("a", "b")]
        for path in made:
            path.parent.mkdir(exist_ok=True)
            located(files[".csv"], path, grids)
        assert made[0].read_bytes() == made[1].read_bytes(), suffix


# --- files that cannot be used ----------------------------------------------------------

UNUSABLE: dict[str, tuple[str, bytes, str]] = {
    "empty CSV": ("a.csv", b"", "empty"),
    "CSV of a header": ("a.csv", b"lon,lat\n", "empty"),
    "CSV without coordinates": ("a.csv", b"a,b\n1,2\n", "lon and lat"),
    "binary CSV": ("a.csv", b"lon,lat\n\x00\x01\x02", "not a map file"),
    "cut Parquet": ("a.parquet", b"PAR1" + bytes(50), "not a map file"),
    "no GeoJSON": ("a.geojson", b"hello", "not a map file"),
    "another JSON": ("a.geojson", b'{"type":"Topology","features":[]}', "not a map file"),
    "GeoJSON without features": ("a.geojson", b'{"type":"FeatureCollection","features":[]}', "empty"),
    "GeoJSON cut off": ("a.geojson", b'{"type":"FeatureCollection","features":[{"type":"Feature"},', "cut off"),
    "GeoJSON with a stray element": ("a.geojson", b'{"type":"FeatureCollection","features":[{},7]}', "no object"),
    "GeoPackage that is none": ("a.gpkg", b"SQLite format 3\x00" + bytes(100), "not a map file"),
    "unknown ending": ("a.docx", b"x", "docx"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_file_that_cannot_be_used(case: str, tmp_path: Path, grids: Grids) -> None:
    name, content, says = UNUSABLE[case]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=says):
        locate_file(open_points(tmp_path / name, crs="wgs84"), tmp_path / "out.csv", grids)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_is_missing_is_said(tmp_path: Path, files: dict[str, Path]) -> None:
    with pytest.raises(BadInput, match="no such file"):
        open_points(tmp_path / "nowhere.csv")
    with pytest.raises(BadInput, match="--crs"):
        open_points(files[".csv"])
    with pytest.raises(BadInput, match="'lng'"):
        open_points(files[".csv"], crs="wgs84", columns=("lng", "lat"))
    with pytest.raises(BadInput, match="two columns"):
        open_points(files[".csv"], crs="wgs84", columns=("lon", "lon"))
    with pytest.raises(BadInput, match="--columns"):
        open_points(files[".gpkg"], columns=("lon", "lat"))
    with pytest.raises(BadInput, match="mars"):
        open_points(files[".csv"], crs="mars")


def test_damage_found_on_the_way_leaves_no_file(files: dict[str, Path], grids: Grids, tmp_path: Path) -> None:
    rows = 400_000
    pq.write_table(
        pa.table({"lon": np.random.default_rng(1).random(rows).round(2), "lat": np.zeros(rows)}),
        tmp_path / "in.parquet",
        row_group_size=50_000,
        compression="zstd",
    )
    data = bytearray((tmp_path / "in.parquet").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4_000] = os.urandom(4_000)
    (tmp_path / "in.parquet").write_bytes(data)
    for suffix in (".parquet", ".csv", ".gpkg"):
        out = tmp_path / f"out{suffix}"
        out.write_text("what was there before")
        with pytest.raises(BadInput, match="damaged after row"):
            locate_file(open_points(tmp_path / "in.parquet", crs="wgs84", batch_rows=10_000), out, grids)
        assert out.read_text() == "what was there before"
    assert len(list(tmp_path.iterdir())) == 4


def test_the_input_is_no_output(files: dict[str, Path], grids: Grids, tmp_path: Path) -> None:
    before = files[".csv"].read_bytes()
    (tmp_path / "link.csv").symlink_to(files[".csv"])
    for out in (files[".csv"], tmp_path / "link.csv"):
        with pytest.raises(BadInput, match="is the input"):
            locate_file(open_points(files[".csv"], crs="wgs84"), out, grids)
    assert files[".csv"].read_bytes() == before


# --- parts ------------------------------------------------------------------------------


def test_records_end_where_pythons_reader_says() -> None:
    text = b'a,b\n"x\ny",2\r\n\n3,"4""\n"\n5" ,6\n7'
    assert scan(np.frombuffer(text, np.uint8), ord(","), 1 << 16) == (len(text) - 1, 0, 4)
    opened = b'1,2\n"' + b"x\n" * 100
    assert scan(np.frombuffer(opened, np.uint8), ord(","), 50) == (4, 1, 1)
    assert scan(np.frombuffer(opened, np.uint8), ord(","), 5_000) == (4, 2, 1)


def test_objects_end_at_their_brace() -> None:
    starts, ends = np.empty(8, np.int64), np.empty(8, np.int64)
    text = rb'{"a":"}\"]"} , {"b":[{}]}]'
    assert scan_objects(np.frombuffer(text, np.uint8), starts, ends) == (2, len(text), 1)
    assert [text[a:b] for a, b in zip(starts[:2], ends[:2], strict=True)] == [rb'{"a":"}\"]"}', b'{"b":[{}]}']
    assert scan_objects(np.frombuffer(b"{} 7", np.uint8), starts, ends) == (1, 2, 2)
    assert scan_objects(np.frombuffer(b'{"a', np.uint8), starts, ends) == (0, 0, 0)


def test_wkb_there_and_back() -> None:
    x, y = np.array([1.5, np.nan, -3.0]), np.array([2.5, 1.0, 1e-300])
    made = to_wkb(x, y)
    assert made.to_pylist()[1] is None
    assert [shapely.from_wkb(value) for value in made.to_pylist()[::2]] == [
        shapely.Point(1.5, 2.5),
        shapely.Point(-3, 1e-300),
    ]
    for column in (made, made.slice(2), pa.array([shapely.Point(-3.0, 1e-300).wkb]), made.slice(0, 1)):
        fast = from_wkb(column)
        slow = shapely.get_coordinates(shapely.from_wkb([value for value in column.to_pylist() if value]))
        assert np.column_stack(fast[:2])[fast[2] == 0].tolist() == slow.tolist()
    assert from_wkb(pa.array([shapely.Point().wkb, b"junk", None], pa.binary()))[2].tolist() == [1, 1, 1]


def test_numbers_of_every_type() -> None:
    values, faults = numbers(pa.array(["1", "+2", "-3", "x", "", None, "1,5", "٣", ".5", "0x10", "1_0"]))
    assert values[:3].tolist() == [1.0, 2.0, -3.0]
    assert faults.tolist()[:7] == [0, 0, 0, NO_NUMBER, NO_COORDINATES, NO_COORDINATES, NO_NUMBER]
    assert faults.tolist()[8:] == [0, NO_NUMBER, NO_NUMBER]
    assert numbers(pa.array([1, None], pa.int32()))[1].tolist() == [0, NO_COORDINATES]
    assert numbers(pa.array(["7", "7", None, "x"]).dictionary_encode())[0].tolist()[:2] == [7.0, 7.0]
    assert numbers(pa.array([pd.Timestamp("2024-01-01")]))[1].tolist() == [NO_NUMBER]


def test_ahead_hands_on_errors_and_stops_its_thread() -> None:
    closed = []

    def made() -> Iterator[int]:
        try:
            for number in range(1_000_000):
                if number == 7:
                    raise ValueError("seven")
                yield number
        finally:
            closed.append(True)

    with pytest.raises(ValueError, match="seven"):
        list(ahead(made()))
    assert closed == [True]
    several = ahead(iter(range(1_000_000)))
    assert [next(several) for _ in range(3)] == [0, 1, 2]
    several.close()


# --- long files -------------------------------------------------------------------------

CHILD = """
import sys
from pathlib import Path
import shapely
from data.point_streams import Grids, locate_file, open_points
from gisgrid.locate import GridIndex
def peak():
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1]) // 1024
codes = ["a", "b"]
grids = Grids.of_index(GridIndex.build([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], codes), "EPSG:4490")
grids.index.nearest([5.0], [5.0], 1.0, metres=True)
stream = open_points(sys.argv[1], crs="wgs84")
before = peak()
tally = locate_file(stream, Path(sys.argv[2]), grids)
print(tally.points, peak() - before)
"""


@pytest.mark.parametrize(("name", "out"), [("in.csv", "o.csv"), ("in.parquet", "o.parquet"), ("in.csv", "o.parquet")])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, name: str, out: str) -> None:
    """2 million rows of 60 bytes: the file would take over 300 MB as a data frame with geometry."""
    rows = 2_000_000
    rng = np.random.default_rng(0)
    table = pa.table(
        {"id": pa.array(np.arange(rows)).cast(pa.string()), "lon": rng.uniform(0, 2, rows), "lat": rng.random(rows)}
    )
    if name.endswith(".csv"):
        from pyarrow import csv

        csv.write_csv(table, tmp_path / name)
    else:
        pq.write_table(table, tmp_path / name)  # two row groups
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / name), str(tmp_path / out)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    points, grown = map(int, done.stdout.split())
    assert points == rows
    assert grown < 350, f"{grown} MB"


FULL = """
import resource, sys
from pathlib import Path
import shapely
from data.point_streams import Grids, locate_file, open_points
from gisgrid.errors import Broken
from gisgrid.locate import GridIndex
grids = Grids.of_index(GridIndex.build([shapely.box(0, 0, 1, 1)], ["a"]), "EPSG:4490")
grids.index.nearest([5.0], [5.0], 1.0, metres=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
for out in sys.argv[2:]:
    try:
        locate_file(open_points(sys.argv[1], crs="wgs84"), Path(out), grids)
    except Broken:
        print(Path(out).suffix)
"""


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the system refuses the write the same way."""
    pd.DataFrame({"lon": np.random.default_rng(1).random(30_000), "lat": 0.5}).to_csv(tmp_path / "in.csv", index=False)
    suffixes = [".csv", ".parquet", ".gpkg", ".geojson", ".fgb", ".shp", ".zip"]
    command = [sys.executable, "-c", FULL, str(tmp_path / "in.csv"), *(str(tmp_path / f"out{s}") for s in suffixes)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout.split() == suffixes, done.stderr[-1000:]
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_long_rows_and_features_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_text, "POINTS_ROW_BYTES_MAX", 1 << 20)
    monkeypatch.setattr(geojson_reader, "POINTS_ROW_BYTES_MAX", 1 << 20)
    (tmp_path / "a.csv").write_text("lon,lat,t\n1,2," + "x" * (9 << 20) + "\n")
    with pytest.raises(BadInput, match="longer than"):
        list(open_points(tmp_path / "a.csv", crs="wgs84").batches())
    (tmp_path / "a.geojson").write_text('{"type":"FeatureCollection","features":[{"a":"' + "x" * (9 << 20))
    with pytest.raises(BadInput, match="longer than"):
        open_points(tmp_path / "a.geojson")


def test_a_ten_million_letter_field_is_no_trouble(grids: Grids, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        'lon,lat,t\n116.305,39.901,"' + "路" * 3_400_000 + '"\n116.305,39.901,b\n', encoding="utf-8"
    )
    found, _ = located(tmp_path / "a.csv", tmp_path / "o.csv", grids)
    assert (len(found), len(found["t"][0])) == (2, 3_400_000)


def test_one_shot_streams_say_how_far_they_are(files: dict[str, Path]) -> None:
    for given in INPUTS:
        stream: PointStream = open_points(files[given], crs="wgs84", batch_rows=100)
        shares = [batch.share for batch in stream.batches()]
        assert shares == sorted(shares), given
        assert shares[-1] == pytest.approx(1.0, abs=0.01), given
