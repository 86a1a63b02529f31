"""Every format read back with other people's readers and compared with the database, value by value."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
import sqlalchemy as sa

from data import tables as t
from data.plans import current_generation
from gisgrid.errors import BadInput
from gisgrid.shifted import gcj02_to_wgs84
from layers.catalog import Layer, offered
from layers.downloads import FORMS, select, write_file
from layers.downloads.shapefile import short_names
from layers.times import parse_datetime
from tests.conftest import Planned

LAYERS = ("grids", "components", "facilities", "buildings", "circles", "blind_spots", "water", "streets")
LONG = "长" * 100 + "end"


@pytest.fixture(scope="module")
def stored(planned: Planned) -> dict[str, gpd.GeoDataFrame]:
    """The layers as SQL tells them, in key order."""
    found = {}
    with planned.engine.connect() as connection:
        layers = offered(connection)
        generation = current_generation(connection)
        assert generation is not None
        for name in LAYERS:
            layer = layers[name]
            columns = [a.column.label(a.name) for a in layer.attributes]
            query = (
                sa.select(*columns, sa.func.ST_AsBinary(layer.geometry).label("geometry"))
                .select_from(layer.table)
                .where(*layer.conditions(generation.id))
                .order_by(layer.key)
            )
            rows = connection.execute(query).mappings().all()
            geometry = shapely.from_wkb([bytes(row["geometry"]) for row in rows])
            plain = {a.name: [row[a.name] for row in rows] for a in layer.attributes}
            found[name] = gpd.GeoDataFrame(plain, geometry=geometry, crs=4490)
            assert len(rows), name
    return found


def written(planned: Planned, folder: Path, name: str, ending: str, **asked: Any) -> Path:
    path = folder / f"{name}{ending}"
    with planned.engine.connect() as connection:
        write_file(connection, select(connection, offered(connection)[name], **asked), path)
    return path


def canonical(value: Any) -> Any:
    """A value as every format can tell it: numbers as floats, times as texts, nothing as None."""
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)) or value is pd.NA:
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer, float, np.floating)):
        return float(value)
    if isinstance(value, (datetime, pd.Timestamp)) and not isinstance(value, date | str):
        return pd.Timestamp(value).tz_convert("UTC").isoformat()
    if isinstance(value, (date, datetime, pd.Timestamp)):
        return pd.Timestamp(value).isoformat()[:10]
    return str(value)


def rows_of(frame: gpd.GeoDataFrame, *, bare: bool = False) -> list[Any]:
    """Rows without an order: values, and the shape in its normal form. ``bare``: of formats without types."""
    values = {}
    for column in frame.columns.drop("geometry"):
        told = [canonical(v) for v in frame[column]]
        if bare:
            told = [{None: "", True: "true", False: "false"}.get(v, v) if not isinstance(v, float) else v for v in told]
            told = [float(v) if isinstance(v, str) and v.replace(".", "", 1).isdecimal() else v for v in told]
        values[column] = told
    shapes = shapely.to_wkb(shapely.normalize(as_multi(frame.geometry.to_numpy())))
    return sorted(zip(*[values[name] for name in sorted(values)], shapes, strict=True), key=repr)


def as_multi(shapes: np.ndarray[Any, Any]) -> list[Any]:
    return [shapely.multipolygons([s]) if s.geom_type == "Polygon" else s for s in shapes]


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("ending", [".gpkg", ".parquet", ".fgb", ".geojson"])
def test_what_is_read_back_is_what_is_stored(
    planned: Planned, stored: dict[str, gpd.GeoDataFrame], tmp_path: Path, name: str, ending: str
) -> None:
    path = written(planned, tmp_path, name, ending)
    found = gpd.read_parquet(path) if ending == ".parquet" else pyogrio.read_dataframe(path, use_arrow=True)
    assert found.crs.to_epsg() == (4326 if ending == ".geojson" else 4490)
    expected = stored[name]
    assert set(found.columns) - {"id"} == set(expected.columns) - {"id"}
    found = found[list(expected.columns)]
    assert rows_of(found) == rows_of(expected)
    if ending == ".gpkg":
        assert pyogrio.list_layers(path)[0][0] == name


@pytest.mark.parametrize("name", LAYERS)
def test_csv_has_every_value(planned: Planned, stored: dict[str, gpd.GeoDataFrame], tmp_path: Path, name: str) -> None:
    path = written(planned, tmp_path, name, ".csv")
    table = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    if "wkt" in table[0]:
        shapes = shapely.from_wkt([row.pop("wkt") for row in table])
    else:
        shapes = shapely.points([(float(row.pop("lon")), float(row.pop("lat"))) for row in table])
    found = gpd.GeoDataFrame(table, geometry=shapes, crs=4490)
    assert list(found.columns) == list(stored[name].columns)
    assert rows_of(found, bare=True) == rows_of(stored[name], bare=True)


@pytest.mark.parametrize("name", LAYERS)
def test_shapefiles_and_their_list_of_fields(
    planned: Planned, stored: dict[str, gpd.GeoDataFrame], tmp_path: Path, name: str
) -> None:
    path = written(planned, tmp_path, name, ".zip")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        fields = {row["field"]: row["name"] for row in csv.DictReader(
            io.TextIOWrapper(archive.open(f"{name}.fields.csv"), "utf-8-sig"))}  # fmt: skip
        shapefiles = [file for file in names if file.endswith(".shp")]
        for shapefile in shapefiles:
            assert archive.read(shapefile[:-3] + "cpg").decode().upper() == "UTF-8"
            assert shapefile[:-3] + "prj" in names
    parts = [pyogrio.read_dataframe(f"/vsizip/{path}/{file}") for file in shapefiles]
    mixed = {shape.geom_type.removeprefix("Multi") for shape in stored[name].geometry}
    assert len(shapefiles) == len(mixed)
    found = gpd.GeoDataFrame(pd.concat(parts)).rename(columns=fields)
    assert set(found.columns) == set(stored[name].columns)
    expected = stored[name].copy()
    for column in expected.columns.drop("geometry"):  # a shapefile's empty text is nothing; numbers have 15 decimals
        for frame in (found, expected):
            told = [canonical(v) for v in frame[column]]
            frame[column] = pd.Series([round(v, 9) if isinstance(v, float) else (v or None) for v in told],
                                      index=frame.index, dtype=object)  # fmt: skip
    assert rows_of(found[list(expected.columns)]) == rows_of(expected)


def test_long_texts_are_cut_between_characters_and_it_is_said(planned_copy: Planned, tmp_path: Path) -> None:
    with planned_copy.engine.begin() as connection:
        connection.execute(sa.update(t.components).where(t.components.c.id <= 3).values(note=LONG))
    with planned_copy.engine.connect() as connection:
        told = write_file(connection, select(connection, offered(connection)["components"]), tmp_path / "c.zip")
        count = connection.scalar(sa.select(sa.func.count()).where(t.components.c.note == LONG))
    assert told.cut == {"note": count}
    with zipfile.ZipFile(tmp_path / "c.zip") as archive:
        listed = csv.DictReader(io.TextIOWrapper(archive.open("c.fields.csv"), "utf-8-sig"))
        assert {row["name"]: int(row["texts_cut"]) for row in listed}["note"] == count
        (points,) = (file for file in archive.namelist() if file.endswith("_points.shp"))
    notes = set(pyogrio.read_dataframe(f"/vsizip/{tmp_path}/c.zip/{points}")["note"])
    assert "长" * 84 in notes


def test_short_names_are_never_two_of_the_same() -> None:
    names = [
        "component_code",
        "component_number",
        "component_name",
        "Name",
        "name_of_street",
        "NAME_OF_ST",
        "ten_letter",
    ]
    short = short_names(names)
    assert list(short) == names
    assert len({name.upper() for name in short.values()}) == len(names)
    assert all(len(name) <= 10 for name in short.values())
    assert short["component_code"] == "component_"
    assert short["component_number"] == "componen_1"
    assert short["NAME_OF_ST"] == "NAME_OF_ST"
    assert short["name_of_street"] == "name_of__1"


def test_kml_is_read_by_gdal(planned: Planned, stored: dict[str, gpd.GeoDataFrame], tmp_path: Path) -> None:
    path = written(planned, tmp_path, "facilities", ".kml")
    found = pyogrio.read_dataframe(path, use_arrow=True)
    expected = stored["facilities"]
    assert found.crs.to_epsg() == 4326
    assert sorted(found["Name"].fillna("")) == sorted(expected["name"].fillna(""))
    shapes = shapely.force_2d(found.geometry.to_numpy())
    assert np.allclose(np.sort(shapely.get_x(shapes)), np.sort(expected.geometry.x), atol=1e-12)
    assert sorted(found["facility_id"]) == sorted(expected["facility_id"])


def test_geoparquet_tells_boxes_and_system(planned: Planned, tmp_path: Path) -> None:
    file = pq.ParquetFile(written(planned, tmp_path, "grids", ".parquet"))
    geo = json.loads(file.metadata.metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    column = geo["columns"]["geometry"]
    assert column["geometry_types"] == ["MultiPolygon"]
    assert column["crs"]["id"] == {"authority": "EPSG", "code": 4490}
    table = gpd.read_parquet(tmp_path / "grids.parquet")
    assert column["bbox"] == pytest.approx(table.total_bounds)
    middle = table.geometry.iloc[0].representative_point()
    near = gpd.read_parquet(tmp_path / "grids.parquet", bbox=(*middle.coords[0], *middle.coords[0]))
    assert 0 < len(near) < len(table)


@pytest.mark.parametrize("ending", [".gpkg", ".geojson", ".parquet", ".fgb", ".zip"])
def test_other_systems_come_out_as_pyproj_has_them(
    planned: Planned, stored: dict[str, gpd.GeoDataFrame], tmp_path: Path, ending: str
) -> None:
    zone = stored["facilities"].estimate_utm_crs()
    asked = "EPSG:4549" if zone is not None else ""
    path = written(planned, tmp_path, "facilities", ending, crs=asked)
    source = path if ending != ".zip" else f"/vsizip/{path}/facilities.shp"
    found = gpd.read_parquet(path) if ending == ".parquet" else pyogrio.read_dataframe(source)
    assert found.crs.to_epsg() == 4549
    expected = stored["facilities"].to_crs(4549).geometry
    assert np.allclose(np.sort(found.geometry.x), np.sort(expected.x), atol=1e-6)
    assert np.allclose(np.sort(found.geometry.y), np.sort(expected.y), atol=1e-6)


def test_shifted_systems_are_marked_and_only_in_texts(
    planned: Planned, stored: dict[str, gpd.GeoDataFrame], tmp_path: Path
) -> None:
    table = pd.read_csv(written(planned, tmp_path, "facilities", ".csv", crs="gcj02"))
    lon, lat = gcj02_to_wgs84(table["lon_gcj02"], table["lat_gcj02"])
    assert np.allclose(np.sort(lon), np.sort(stored["facilities"].geometry.x), atol=1e-8)
    assert np.allclose(np.sort(lat), np.sort(stored["facilities"].geometry.y), atol=1e-8)
    told = json.loads(written(planned, tmp_path, "facilities", ".geojson", crs="bd09").read_text())
    assert told["coordinateSystem"] == "bd09"
    with pytest.raises(BadInput, match="gcj02"):
        written(planned, tmp_path, "facilities", ".gpkg", crs="gcj02")
    with pytest.raises(BadInput, match="KML"):
        written(planned, tmp_path, "facilities", ".kml", crs="EPSG:4549")


def test_rings_of_geojson_turn_as_the_standard_says(planned: Planned, tmp_path: Path) -> None:
    told = json.loads(written(planned, tmp_path, "buildings", ".geojson").read_text())
    for feature in told["features"]:
        for outer, *inner in feature["geometry"]["coordinates"]:
            assert shapely.is_ccw(shapely.LinearRing(outer))
            assert not any(shapely.is_ccw(shapely.LinearRing(ring)) for ring in inner)


def test_part_of_a_layer(planned: Planned, stored: dict[str, gpd.GeoDataFrame], tmp_path: Path) -> None:
    west, south, east, north = stored["components"].total_bounds
    box = (west, south, (west + east) / 2, (south + north) / 2)
    inside = stored["components"].geometry.intersects(shapely.box(*box))
    path = written(planned, tmp_path, "components", ".gpkg", bbox=",".join(map(str, box)), properties="name,major")
    found = pyogrio.read_dataframe(path)
    assert len(found) == inside.sum() > 0
    assert list(found.columns) == ["major", "name", "geometry"]


@pytest.mark.parametrize("form", [form for form in FORMS.values() if form.name != "kml"], ids=lambda form: form.name)
def test_the_same_rows_give_the_same_bytes_and_none_a_sound_file(planned: Planned, tmp_path: Path, form: Any) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir(), two.mkdir()
    first = written(planned, one, "water", form.ending).read_bytes()
    assert written(planned, two, "water", form.ending).read_bytes() == first
    nowhere = written(planned, tmp_path, "facilities", form.ending, bbox="0,0,1,1")
    source = nowhere if form.name != "shp" else f"/vsizip/{nowhere}/facilities.shp"
    rows = gpd.read_parquet(nowhere) if form.name == "parquet" else pyogrio.read_dataframe(source)
    assert len(rows) == 0


@pytest.mark.parametrize("text", ["", "/", "../..", "yesterday", "2026-05-02/2026-05-01", "2026-13-01", "9999-12-31"])
def test_times_that_are_none(text: str) -> None:
    if text == "9999-12-31":
        assert parse_datetime(text, UTC).start == datetime.fromisoformat("9999-12-31T00:00:00+00:00")
        return
    with pytest.raises(BadInput, match="datetime"):
        parse_datetime(text, UTC)


def test_grids_of_an_earlier_time(planned: Planned, tmp_path: Path) -> None:
    from gisgrid.errors import NotFound

    with pytest.raises(NotFound):
        written(planned, tmp_path, "grids", ".csv", when="2001-01-01")
    assert written(planned, tmp_path, "grids", ".csv", when="2001-01-01/..").stat().st_size > 100
    with pytest.raises(BadInput, match="no times"):
        written(planned, tmp_path, "areas", ".csv", when="2001-01-01")


def test_pictures_have_no_features(planned: Planned) -> None:
    with planned.engine.connect() as connection:
        layer: Layer = offered(connection)["reports_heat"]
        with pytest.raises(BadInput, match="picture"):
            select(connection, layer)


def test_a_filter_chooses_what_pandas_chooses(
    planned: Planned, stored: dict[str, gpd.GeoDataFrame], tmp_path: Path
) -> None:
    grids = stored["grids"]
    wanted = grids[(grids["households"] > 300) & (grids["kind"] != "special")]
    assert 0 < len(wanted) < len(grids)
    path = written(planned, tmp_path, "grids", ".fgb", filter_text="households > 300 AND kind <> 'special'")
    assert rows_of(pyogrio.read_dataframe(path)[list(grids.columns)]) == rows_of(wanted)
    with pytest.raises(BadInput, match="filter"):
        written(planned, tmp_path, "grids", ".csv", filter_text="households >")
