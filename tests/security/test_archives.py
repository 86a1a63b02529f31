"""Archives and map files meant to do harm, opened by the command line as by a job: refused, in a child that is bounded."""

from __future__ import annotations

import io
import os
import sqlite3
import stat
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyogrio
import pytest
import shapely

from data import bounded
from data.bounded import Limits, archives, tasks
from data.files import parse_spec, read_layer, write_layers
from data.point_streams.ogr_reader import open_ogr
from gisgrid.errors import BadInput
from tests.security import bodies

MB = 1 << 20


@pytest.fixture
def shapefile(tmp_path: Path) -> Path:
    """A sound zipped shapefile."""
    frame = gpd.GeoDataFrame({"name": ["甲", "乙"]}, geometry=shapely.points([112.9, 112.8], [35.5, 35.4]), crs=4490)
    return write_layers(tmp_path / "sound.zip", {"places": frame})[0]


def refused(path: Path, seconds: float = 10) -> str:
    begun = time.monotonic()
    with pytest.raises(BadInput) as caught:
        read_layer(path)
    assert time.monotonic() - begun < seconds
    assert "\n" not in caught.value.message
    return str(caught.value.message)


def archive(path: Path, fill: Callable[[zipfile.ZipFile], None]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        fill(made)
    return path


def test_a_sound_archive_is_read_by_whole_and_by_stream(shapefile: Path) -> None:
    assert read_layer(shapefile)["name"].tolist() == ["甲", "乙"]
    stream = open_ogr(parse_spec(shapefile), None, preferred="places")
    assert sum(len(batch.x) for batch in stream.batches()) == 2


def test_ratio(tmp_path: Path) -> None:
    def fill(made: zipfile.ZipFile) -> None:
        with made.open("a.geojson", "w") as out:
            for _ in range(80):
                out.write(b" " * MB)

    assert "times its size" in refused(archive(tmp_path / "a.zip", fill))


def test_a_hundred_thousand_entries(tmp_path: Path) -> None:
    def fill(made: zipfile.ZipFile) -> None:
        for number in range(100_000):
            made.writestr(f"{number}.shp", b"")

    assert "100,000 entries" in refused(archive(tmp_path / "a.zip", fill), 30)


@pytest.mark.parametrize(
    "name",
    ["../a.geojson", "/etc/a.geojson", "a/../../b.geojson", "..\\a.geojson", "C:\\a.geojson", "x" * 250 + ".shp"],
)
def test_names_that_lead_out(tmp_path: Path, name: str) -> None:
    path = archive(
        tmp_path / "in" / "a.zip" if (tmp_path / "in").mkdir() is None else tmp_path,
        lambda made: made.writestr(name, b"{}"),
    )
    assert "entry" in refused(path)
    assert sorted(file.name for file in tmp_path.rglob("*") if file.is_file()) == ["a.zip"]


def test_links(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("a.geojson")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "link" in refused(archive(tmp_path / "a.zip", lambda made: made.writestr(info, "/etc/passwd")))


def test_archives_in_archives_stay_packed(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("b.geojson", b" " * (20 * MB))
    path = archive(tmp_path / "a.zip", lambda made: made.writestr("inner.zip", inner.getvalue()))
    assert "holds no map layer" in refused(path)


@pytest.mark.parametrize("told", [10, 2**32 - 2])
def test_sizes_that_are_not_so(tmp_path: Path, told: int) -> None:
    path = archive(tmp_path / "a.zip", lambda made: made.writestr("a.geojson", b" " * MB))
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02") + 24
    data[at : at + 4] = told.to_bytes(4, "little")
    path.write_bytes(data)
    refused(path)


def test_two_of_one_name_and_a_cut_archive(tmp_path: Path, shapefile: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = archive(tmp_path / "t.zip", lambda made: [made.writestr("a.geojson", b"{}") for _ in range(2)] and None)
    assert "twice" in refused(twice)
    cut = tmp_path / "cut.zip"
    cut.write_bytes(shapefile.read_bytes()[:-40])
    refused(cut)


GEOJSON = {
    "2,000 deep": bodies.features(bodies.nested_collections(2_000)),
    "only NaN": bodies.features('{"type":"Point","coordinates":[NaN,NaN]}'),
    "lists in lists": b"[" * 1_000_000,
    "a pipeline": b'{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read /etc/passwd ! write x"}',
    "a virtual layer": b"<OGRVRTDataSource><OGRVRTLayer name='a'><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
    "a service": b"<OGRWFSDataSource><URL>http://127.0.0.1:9/</URL></OGRWFSDataSource>",
}


@pytest.mark.parametrize("name", GEOJSON)
def test_geojson(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.geojson"
    path.write_bytes(GEOJSON[name])
    if name != "only NaN":
        refused(path)
        return
    assert not read_layer(path).geometry.is_valid.any() or read_layer(path).geometry.is_empty.all()


def test_shapes_far_out_and_crossing_themselves_are_refused_rows(tmp_path: Path) -> None:
    from data.importers import import_layer

    path = tmp_path / "a.geojson"
    bow = '{"type":"Polygon","coordinates":[[[112.9,35.5],[112.91,35.51],[112.91,35.5],[112.9,35.51],[112.9,35.5]]]}'
    far = '{"type":"Polygon","coordinates":[[[1e308,0],[1e308,1],[0,1e308],[1e308,0]]]}'
    path.write_bytes(bodies.features(bow, far, bodies.polygon(200_000)))
    kept, report = import_layer(path, "buildings")
    assert kept.geometry.is_valid.all()
    assert len(kept) + len(report.refused_rows) >= 3


def test_a_geopackage_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A view that counts for ever: the child's clock ends it, and only it."""
    path = tmp_path / "a.gpkg"
    frame = gpd.GeoDataFrame({"name": ["a"]}, geometry=shapely.points([1.0], [1.0]), crs=4490)
    pyogrio.write_dataframe(frame, path, layer="places", driver="GPKG")
    with sqlite3.connect(path) as database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.execute("ALTER TABLE places RENAME TO hidden")
        database.execute(
            "CREATE VIEW places AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) "
            "SELECT n AS fid, name, geom FROM c, hidden WHERE n < 0"
        )
    monkeypatch.setattr("data.bounded.frames.for_file", lambda path: Limits(256 * MB, 2, 256 * MB))
    assert "cannot be read within" in refused(path, 15)


def test_memory_and_output_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hold(about: str) -> int:
        return len(bytearray(600 * MB))

    def write(about: str) -> None:
        (tmp_path / "big").write_bytes(b"x" * (40 * MB))

    monkeypatch.setitem(tasks.TASKS, "hold", hold)
    monkeypatch.setitem(tasks.TASKS, "write", write)
    limits = Limits(200 * MB, 5, 10 * MB)
    for task in ("hold", "write"):
        with pytest.raises(BadInput, match="cannot be read within"):
            bounded.call(task, limits, about="x")
    assert (tmp_path / "big").stat().st_size <= 10 * MB


def test_from_a_thread_a_server_forks_the_child(shapefile: Path, tmp_path: Path) -> None:
    """What a web worker does: a process of its own forks, since one with threads cannot; the second time at once."""
    found: list[Any] = []

    def ask() -> None:
        for _ in range(2):
            begun = time.monotonic()
            told = bounded.call(
                "layers",
                Limits(512 * MB, 20, MB * 64),
                about="x",
                path=str(shapefile),
                folder=str(tmp_path / f"f{len(found)}"),
            )
            found.append((told[0][1], time.monotonic() - begun))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(60)
    assert [name for name, _ in found] == ["sound", "sound"]
    assert found[1][1] < 2
    print(f"child from a server: first {found[0][1] * 1000:.0f} ms, then {found[1][1] * 1000:.1f} ms")


def test_no_child_is_left() -> None:
    mine = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    assert not [pid for pid in mine if Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] == "Z"]


def test_names_in_gb18030(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("柳荫里.geojson".encode("gb18030").decode("cp437"))
    assert archives._name_of(info) == "柳荫里.geojson"
