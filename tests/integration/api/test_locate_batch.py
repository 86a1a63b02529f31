"""POST /api/v1/locate: every format in and out, equal to the index, and clear refusals for what cannot be read."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from flask.testing import FlaskClient

from api.app import create_app
from api.locate.job import locate_points_file
from data import plans
from gisgrid import limits
from gisgrid.errors import BadInput
from gisgrid.jobs import JobFiles
from gisgrid.models import no_progress
from gisgrid.shifted import wgs84_to_gcj02

pytestmark = pytest.mark.postgis
URL = "/api/v1/locate"
JSON, GEOJSON, CSV, PARQUET = "application/json", "application/geo+json", "text/csv", "application/vnd.apache.parquet"
COLUMNS = ("grid", "community", "outside", "nearest", "metres", "reason", "generation")


@pytest.fixture(scope="module")
def grids(planned: Any) -> gpd.GeoDataFrame:
    with planned.engine.connect() as connection:
        generation = plans.generation_of(connection)
        assert generation is not None
        return plans.grids_in_force(connection, generation.id)


@pytest.fixture(scope="module")
def points(grids: gpd.GeoDataFrame) -> pd.DataFrame:
    """Random points around the district and its vertices, with the owner by brute force."""
    rng = np.random.default_rng(5)
    west, south, east, north = grids.total_bounds
    pad = 0.002
    x, y = rng.uniform(west - pad, east + pad, 400), rng.uniform(south - pad, north + pad, 400)
    corners = shapely.get_coordinates(grids.geometry.to_numpy())[::7]
    x, y = np.append(x, corners[:, 0]), np.append(y, corners[:, 1])
    covered = shapely.covers(grids.geometry.to_numpy()[None, :], shapely.points(x, y)[:, None])
    codes = grids["code"].to_numpy()
    owner = [min(codes[row], default=None) for row in covered]
    return pd.DataFrame({"id": [f"p{k}" for k in range(len(x))], "lon": x, "lat": y, "owner": owner})


def body_of(points: pd.DataFrame, kind: str) -> bytes:
    table = points[["id", "lon", "lat"]]
    if kind == JSON:
        return json.dumps({"points": table.to_dict("records"), "crs": "cgcs2000"}).encode()
    if kind == GEOJSON:
        features = [
            {"type": "Feature", "id": key, "properties": {"note": "中"},
             "geometry": {"type": "Point", "coordinates": [x, y]}}
            for key, x, y in table.itertuples(index=False)
        ]  # fmt: skip
        return json.dumps({"type": "FeatureCollection", "features": features}).encode()
    if kind == CSV:
        return table.to_csv(index=False).encode()
    out = io.BytesIO()
    table.to_parquet(out, index=False)
    return out.getvalue()


def answered(data: bytes, kind: str) -> pd.DataFrame:
    if kind == JSON:
        return pd.DataFrame(json.loads(data)["points"])
    if kind == GEOJSON:
        return pd.DataFrame([{"id": f["id"]} | f["properties"] for f in json.loads(data)["features"]])
    if kind == CSV:
        return pd.read_csv(io.BytesIO(data), dtype={"grid": str, "nearest": str, "community": str})
    return pq.read_table(io.BytesIO(data)).to_pandas()


def plain(values: Any) -> list[Any]:
    return [None if value is None or value != value else value for value in values.astype(object)]


@pytest.mark.parametrize("wanted", [JSON, GEOJSON, CSV, PARQUET])
@pytest.mark.parametrize("sent", [JSON, GEOJSON, CSV, PARQUET])
def test_every_format_in_and_out(
    client: FlaskClient, points: pd.DataFrame, grids: gpd.GeoDataFrame, sent: str, wanted: str
) -> None:
    answer = client.post(URL, data=body_of(points, sent), content_type=sent, headers={"Accept": wanted})
    assert answer.status_code == 200, answer.get_data()
    assert answer.mimetype == wanted
    found = answered(answer.get_data(), wanted)
    assert found["id"].tolist() == points["id"].tolist(), "no row dropped, order kept"
    assert set(COLUMNS) <= set(found.columns)
    assert plain(found["grid"]) == plain(points["owner"])
    community = dict(zip(grids["code"], grids["community"], strict=True))
    assert plain(found["community"]) == [community.get(code) for code in plain(points["owner"])]
    outside = points["owner"].isna()
    assert found["outside"].astype(bool).tolist() == outside.tolist()
    assert found["nearest"].notna().sum() == found["metres"].notna().sum() > 10
    assert not (found["nearest"].notna() & ~outside).any()
    assert found["reason"].isna().all()
    assert len(set(found["generation"])) == 1


@pytest.mark.parametrize("kind", [JSON, GEOJSON, CSV, PARQUET])
def test_the_answer_comes_as_the_question_did(client: FlaskClient, points: pd.DataFrame, kind: str) -> None:
    assert client.post(URL, data=body_of(points, kind), content_type=kind).mimetype == kind
    told = client.post(f"{URL}?format=csv", data=body_of(points, kind), content_type=kind)
    assert told.mimetype == CSV


def test_plain_lists_systems_of_their_own_and_accuracy(client: FlaskClient, points: pd.DataFrame) -> None:
    inside = points[points["owner"].notna()].iloc[0]
    bent = [float(value[0]) for value in wgs84_to_gcj02([inside["lon"]], [inside["lat"]])]
    sent = [
        [inside["lon"], inside["lat"]],
        {"lon": bent[0], "lat": bent[1], "crs": "gcj02", "accuracy": 1e6},
        {"lon": f" {inside['lon']}", "lat": inside["lat"], "accuracy": 1e-6},
        {"lon": inside["lon"], "lat": inside["lat"], "crs": "mars2000"},
        {"lon": inside["lon"], "lat": inside["lat"], "accuracy": "near"},
        {"lon": inside["lon"], "lat": inside["lat"], "crs": "EPSG:4490", "id": 7},
    ]
    found = client.post(URL, json=sent).get_json()["points"]
    assert [row["row"] for row in found] == [1, 2, 3, 4, 5, 6]
    assert [row["grid"] for row in found] == [inside["owner"]] * 3 + [None, None, inside["owner"]]
    assert [row["reason"] for row in found[3:5]] == [
        "coordinate system is unknown",
        "accuracy is no distance in metres",
    ]
    assert [row["near_border"] for row in found] == [None, True, False, None, None, None]
    assert found[5]["id"] == 7


def test_bad_rows_are_kept_with_their_reason(client: FlaskClient, grids: gpd.GeoDataFrame) -> None:
    point = grids.geometry.iloc[0].representative_point()
    good, owner = (point.x, point.y), grids["code"].iloc[0]
    cases: list[tuple[Any, Any, str | None]] = [
        (good[0], good[1], None), ("east", good[1], "no numbers"), (None, good[1], "no coordinates"),
        (1e308, good[1], "no degrees"), (good[1], good[0], "swapped"), (True, good[1], "no numbers"),
        ([1], good[1], "no numbers"), ("", good[1], "no coordinates"), ("nan", good[1], "not finite"),
        ("1e999", good[1], "not finite"), (good[0], good[1], None),
    ]  # fmt: skip
    sent = [{"id": k, "lon": x, "lat": y} for k, (x, y, _) in enumerate(cases)] + ["text", None, [1.0]]
    answer = client.post(URL, json={"points": sent}).get_json()
    reasons = [row["reason"] for row in answer["points"]]
    for row, (_, _, wanted) in enumerate(cases):
        assert (wanted is None and reasons[row] is None) or wanted in str(reasons[row]), cases[row]
    assert reasons[len(cases) :] == ["no coordinates"] * 3
    assert [row["grid"] for row in answer["points"]] == [owner if why is None else None for why in reasons]
    assert answer["located"] == 2
    assert answer["unusable"] == len(sent) - 2 == sum(answer["reasons"].values())


DEEP = b"[" * 200_000
REFUSED: dict[str, tuple[bytes, str, str, int, str]] = {
    "no JSON": (b"{points", JSON, "", 400, "JSON"),
    "cut JSON": (b'{"points": [[1, 2]', JSON, "", 400, "JSON"),
    "NaN in JSON": (b"[[NaN, 1]]", JSON, "", 400, "JSON"),
    "deep JSON": (DEEP, JSON, "", 400, "JSON"),
    "deep GeoJSON": (b'{"type":"FeatureCollection","features":' + DEEP, GEOJSON, "", 400, "JSON"),
    "no points": (b"{}", JSON, "", 400, "points"),
    "text for points": (b'{"points": "all"}', JSON, "", 400, "points"),
    "unknown member": (b'{"points": [[1, 2]], "dots": 1}', JSON, "", 400, "dots"),
    "empty batch": (b'{"points": []}', JSON, "", 400, "empty"),
    "empty list": (b"[]", JSON, "", 400, "empty"),
    "empty body": (b"", JSON, "", 400, "JSON"),
    "empty CSV": (b"", CSV, "", 400, "empty"),
    "CSV of a header": (b"lon,lat\n", CSV, "", 400, "empty"),
    "CSV without coordinates": (b"a,b\n1,2\n", CSV, "", 400, "lon"),
    "CSV that is binary": (bytes(range(256)) * 50, CSV, "", 400, ""),
    "Parquet that is none": (b"PAR1 no", PARQUET, "", 400, "not a map file"),
    "unknown crs": (b"[[1, 2]]", JSON, "?crs=mars", 400, "mars"),
    "unknown crs inside": (b'{"points": [[1, 2]], "crs": "mars"}', JSON, "", 400, "mars"),
    "crs that is no name": (b'{"points": [[1, 2]], "crs": {}}', JSON, "", 400, "crs"),
    "duplicate ids": (b'[{"id": 1, "lon": 1, "lat": 2}, {"id": 1, "lon": 1, "lat": 2}]', JSON, "", 400, "rows 1 and 2"),
    "duplicate ids in CSV": (b"id,lon,lat\na,1,2\nb,1,2\na,1,2\n", CSV, "", 400, "rows 1 and 3"),
    "an id that is a list": (b'[{"id": [], "lon": 1, "lat": 2}]', JSON, "", 400, "row 1"),
    "no Feature": (b'{"type":"FeatureCollection","features":[{}]}', GEOJSON, "", 400, "row 1"),
    "no collection": (b'{"type":"Point"}', GEOJSON, "", 400, "FeatureCollection"),
    "wrong content type": (b"[[1, 2]]", "text/plain", "", 415, "Content-Type"),
    "no content type": (b"[[1, 2]]", "", "", 415, "Content-Type"),
    "unknown format": (b"[[1, 2]]", JSON, "?format=xml", 400, "xml"),
    "unknown parameter": (b"[[1, 2]]", JSON, "?colour=red", 400, "colour"),
    "within below zero": (b"[[1, 2]]", JSON, "?within=-1", 400, "within"),
    "within nan": (b"[[1, 2]]", JSON, "?within=nan", 400, "within"),
    "columns that are not there": (b"lon,lat\n1,2\n", CSV, "?columns=a,b", 400, "'a'"),
    "one column": (b"lon,lat\n1,2\n", CSV, "?columns=lon", 400, "columns"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_broken_request_is_refused_in_the_one_shape(client: FlaskClient, case: str) -> None:
    data, kind, query, status, says = REFUSED[case]
    answer = client.post(URL + query, data=data, content_type=kind or None)
    assert answer.status_code == status, answer.get_data()[:300]
    error = answer.get_json()["error"]
    assert set(error) == {"status", "code", "message", "details"}
    assert says in error["message"]
    assert len(error["message"]) < 400
    assert "uploads" not in error["message"], "no path of ours"
    assert client.post(URL, json=[[1, 2]]).status_code == 200, "still serving"


def test_an_unwanted_accept_and_an_encoding(client: FlaskClient) -> None:
    assert client.post(URL, json=[[1, 2]], headers={"Accept": "image/png"}).status_code == 406
    assert client.post(URL, json=[[1, 2]], headers={"Accept": "text/csv, */*;q=0.1"}).mimetype == CSV
    assert client.post(URL, json=[[1, 2]], headers={"Accept": "*/*"}).mimetype == JSON
    assert client.post(URL, json=[[1, 2]], headers={"Content-Encoding": "gzip"}).status_code == 415


def test_a_small_parquet_that_would_grow_is_refused(client: FlaskClient) -> None:
    rows = 20_000
    long = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), ["x" * 1_000_000])
    out = io.BytesIO()
    pq.write_table(pa.table({"lon": np.zeros(rows), "lat": np.zeros(rows), "text": long}), out, compression="zstd")
    assert len(out.getvalue()) < 100_000
    answer = client.post(URL, data=out.getvalue(), content_type=PARQUET)
    assert answer.status_code == 400
    assert "larger than" in answer.get_json()["error"]["message"]


def test_nested_columns_are_refused(client: FlaskClient) -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({"lon": [1.0], "lat": [2.0], "tags": [["a"]]}), out)
    assert "tags" in client.post(URL, data=out.getvalue(), content_type=PARQUET).get_json()["error"]["message"]


def test_a_csv_of_this_country(client: FlaskClient, points: pd.DataFrame) -> None:
    inside = points[points["owner"].notna()].iloc[0]
    text = f"编号;经度;纬度;事项\n1;{inside['lon']};{inside['lat']};路灯不亮\n"
    answer = client.post(URL, data=text.encode("gb18030"), content_type="text/csv; charset=gb18030")
    row = pd.read_csv(io.BytesIO(answer.get_data()), dtype=str).iloc[0]
    assert (row["grid"], row["事项"]) == (inside["owner"], "路灯不亮")


def test_geometry_of_other_formats_as_geojson(client: FlaskClient, points: pd.DataFrame) -> None:
    inside = points[points["owner"].notna()].iloc[0]
    bent = [float(value[0]) for value in wgs84_to_gcj02([inside["lon"]], [inside["lat"]])]
    answer = client.post(f"{URL}?format=geojson&crs=gcj02", json=[bent, [1e308, 0]])
    first, second = answer.get_json(force=True)["features"]
    assert first["geometry"]["coordinates"] == pytest.approx([inside["lon"], inside["lat"]], abs=1e-8)
    assert second["geometry"] is None


def test_too_many_points_for_one_request_become_a_job(
    planned_copy: Any, points: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Queued, with an address to ask at; and the work itself gives what the request would have."""
    client = create_app(planned_copy.settings, planned_copy.engine).test_client()
    monkeypatch.setattr("api.locate.batch.LOCATE_ROWS_MAX", 10)
    monkeypatch.setenv("GISGRID_HOME", str(planned_copy.settings.home))
    monkeypatch.setenv("GISGRID_DATABASE_URL", str(planned_copy.settings.database_url))
    for kind, wanted in ((CSV, "csv"), (PARQUET, "parquet"), (JSON, "csv"), (GEOJSON, "geojson"), (CSV, "geojson")):
        answer = client.post(f"{URL}?format={wanted}&crs=cgcs2000", data=body_of(points, kind), content_type=kind)
        assert answer.status_code == 202, answer.get_data()
        assert answer.headers["Location"] == f"/api/v1/jobs/{answer.get_json()['id']}"
        folder = planned_copy.settings.home / "work" / f"{kind.replace('/', '-')}-{wanted}"
        folder.mkdir(parents=True)
        (folder / "input").write_bytes(body_of(points, kind))
        names = {CSV: "csv", PARQUET: "parquet", JSON: "json", GEOJSON: "geojson"}
        params = {"sent": names[kind], "wanted": wanted, "crs": "EPSG:4490", "columns": None, "max_metres": 500.0}
        facts = locate_points_file(params, JobFiles(folder / "input", folder), no_progress)
        made = folder / str(facts["output"])
        if wanted == "geojson":
            grid = [feature["properties"]["grid"] for feature in json.loads(made.read_bytes())["features"]]
        else:
            grid = plain(answered(made.read_bytes(), CSV if wanted == "csv" else PARQUET)["grid"])
        assert grid == plain(points["owner"])
        assert facts["points"] == len(points)
        assert sorted(path.name for path in folder.iterdir()) == ["input", made.name]


def test_a_worker_does_the_job_and_its_file_is_fetched(
    planned_copy: Any, points: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.locate.batch.LOCATE_ROWS_MAX", 10)
    settings = planned_copy.settings
    client = create_app(settings, planned_copy.engine).test_client()
    env = os.environ | {"GISGRID_HOME": str(settings.home), "GISGRID_DATABASE_URL": str(settings.database_url)}
    worker = subprocess.Popen([sys.executable, "-m", "api.cli", "worker", "-q"], env=env)
    try:
        sent = client.post(f"{URL}?crs=cgcs2000", data=body_of(points, PARQUET), content_type=PARQUET)
        where = sent.headers["Location"]
        for _ in range(1200):
            job = client.get(where).get_json()
            if job["state"] not in ("queued", "running"):
                break
            time.sleep(0.1)
        assert job["state"] == "done", job
        assert job["result"]["located"] == int(points["owner"].notna().sum())
        made = client.get(f"{where}/output")
        assert made.status_code == 200
        assert plain(answered(made.data, PARQUET)["grid"]) == plain(points["owner"])
    finally:
        worker.terminate()
        worker.wait(120)


def test_a_large_table_cannot_be_answered_as_json(
    client: FlaskClient, points: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.locate.batch.LOCATE_ROWS_MAX", 10)
    answer = client.post(f"{URL}?format=json", data=body_of(points, CSV), content_type=CSV)
    assert answer.status_code == 400
    assert "format=" in answer.get_json()["error"]["message"]


def test_a_table_beyond_the_largest_is_refused(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.locate.batch.LOCATE_BODY_BYTES_MAX", 1000)
    answer = client.post(URL, data=b"lon,lat\n" + b"1,2\n" * 1000, content_type=CSV)
    assert answer.status_code == 413
    assert answer.get_json()["error"]["code"] == "request_entity_too_large" or answer.get_json()["error"]["code"]


def test_a_job_without_points_is_refused(planned: Any, tmp_path: Any) -> None:
    with pytest.raises(BadInput, match="no points"):
        locate_points_file({}, JobFiles(None, tmp_path), no_progress)


def test_the_cap_is_told(client: FlaskClient) -> None:
    operation = client.get("/openapi.json").get_json()["paths"][URL]["post"]
    assert set(operation["requestBody"]["content"]) == {JSON, GEOJSON, CSV, PARQUET}
    assert set(operation["responses"]) == {"200", "202", "400", "404", "406", "413", "415", "503"}
    assert limits.LOCATE_ROWS_MAX <= limits.LOCATE_JOB_ROWS_MAX


def test_a_stated_accuracy_brings_the_candidates_of_the_single_question(
    client: FlaskClient, points: pd.DataFrame
) -> None:
    inside = points[points["owner"].notna()].head(12)
    sent = [{"lon": lon, "lat": lat, "accuracy": 40} for lon, lat in zip(inside["lon"], inside["lat"], strict=True)]
    found = client.post(
        URL, json={"points": [*sent, {"lon": 112.8, "lat": 35.4}, {"lon": "x", "lat": 1, "accuracy": 5}]}
    )
    told = found.get_json()["points"]
    for point, row in zip(sent, told, strict=False):
        single = client.get(URL, query_string=point).get_json()
        assert row["near_border"] == single["near_border"]
        assert row["distance_to_boundary"] == pytest.approx(single["distance_to_boundary"], abs=0.011)
        assert [one["code"] for one in row["candidates"]] == [one["code"] for one in single["candidates"]]
        assert [one["probability"] for one in row["candidates"]] == [one["probability"] for one in single["candidates"]]
    assert [row["candidates"] for row in told[-2:]] == [None, None]


def test_rows_with_an_address_alone_are_placed_where_it_is_sure(planned: Any, client: FlaskClient) -> None:
    known = planned.district.layers["addresses"].iloc[[3, 200, 400]]
    sent = [{"id": n, "address": text} for n, text in enumerate(known["full"])]
    sent += [
        {"address": "不存在路9号"},
        {"address": "\x07"},
        {"address": ""},
        {"address": 7},
        {"lon": 112.84, "address": "x"},
    ]
    sent += [{"lon": known.geometry.x.iloc[0], "lat": known.geometry.y.iloc[0], "address": known["full"].iloc[1]}]
    told = client.post(URL, json={"points": sent, "crs": "gcj02"}).get_json()["points"]
    for row, (place, text) in enumerate(zip(known.geometry, known["full"], strict=True)):
        single = client.get(URL, query_string={"lon": place.x, "lat": place.y}).get_json()
        assert told[row]["grid"] == single["owner"]["code"]
        assert told[row]["address"] == text
        assert told[row]["candidates"]
    assert [row["grid"] for row in told[3:8]] == [None] * 5
    assert [row["reason"] for row in told[3:5]] == ["address names nothing that is known here"] * 2
    assert told[8]["address"] is None, "coordinates go first"
    plain = client.post(URL, json=[[112.84, 35.5]]).get_json()["points"][0]
    assert "address" not in plain


def test_more_addresses_than_a_batch_may_hold(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.locate.words.LOCATE_ADDRESSES_MAX", 2)
    refused = client.post(URL, json=[{"address": "a"}] * 3)
    assert refused.status_code == 400
    assert "at most 2" in refused.get_json()["error"]["message"]
