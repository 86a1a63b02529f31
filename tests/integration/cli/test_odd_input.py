"""Unusual files and requests a user may well come with: taken, or refused in one line with nothing changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import sqlalchemy as sa
from shapely.geometry import LineString, Point, box

from data.importers import clean_layer
from data.intake import store_layers
from gisgrid.settings import Settings
from tests.integration.cli.conftest import Run, fingerprint

pytestmark = pytest.mark.postgis

WEST, SOUTH = 116.30, 40.00
AREA = "110108001001"


def square(i: int, j: int, size: float) -> object:
    return box(WEST + i * size, SOUTH + j * size, WEST + (i + 1) * size, SOUTH + (j + 1) * size)


def frame(geometry: list[object], **columns: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=geometry, crs="EPSG:4490")


def saved(path: Path, rows: gpd.GeoDataFrame) -> Path:
    rows.to_file(path)
    return path


def houses(**columns: object) -> gpd.GeoDataFrame:
    shapes = [square(2 * i + 1, 2 * j + 1, 5e-4) for i in range(5) for j in range(5)]
    return frame(shapes, **({"building_id": [f"b{n}" for n in range(25)], "households": [40] * 25} | columns))


@pytest.fixture
def stored(settings: Settings, run: Run, tmp_path: Path) -> Settings:
    """A database that holds one community and twenty-five houses."""
    outline = frame([square(0, 0, 0.006)], code=[AREA], name=["示例社区"], level=["community"])
    for rows, kind in ((outline, "areas"), (houses(), "buildings")):
        path = saved(tmp_path / f"good-{kind}.gpkg", rows)
        assert run("import", "layer", path, "--as", kind, settings=settings).code == 0
    return settings


def grids(**columns: object) -> gpd.GeoDataFrame:
    shapes = [square(i, j, 0.003) for j in (0, 1) for i in (0, 1)]  # corners halfway along the community's sides
    return frame(shapes, **({"code": [f"{AREA}{n:03d}" for n in range(1, 5)]} | columns))


def test_grids_with_a_code_alone_become_a_plan_that_can_be_published(
    run: Run, stored: Settings, engine: sa.Engine, tmp_path: Path
) -> None:
    done = run("import", "layer", saved(tmp_path / "g.gpkg", grids()), "--as", "grids", "--json", settings=stored)
    assert done.code == 0, done.err
    assert run("publish", str(done.json["plan"]), settings=stored).code == 0
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT community, compactness FROM grids ORDER BY code")).all()
    assert [row.community for row in rows] == [AREA] * 4
    assert all(0.7 < row.compactness <= np.pi / 4 for row in rows)  # nearly squares on the ground


def test_units_without_a_community_get_the_one_they_lie_in(run: Run, stored: Settings, tmp_path: Path) -> None:
    shapes = [square(i, j, 0.002) for j in range(3) for i in range(3)]
    units = frame(shapes, unit_id=[f"u{n}" for n in range(9)], households=[100] * 9)
    done = run("import", "layer", saved(tmp_path / "u.gpkg", units), "--as", "units", "--json", settings=stored)
    assert done.code == 0, done.err
    assert run("plan", "--area", AREA, settings=stored).code == 0


def test_units_outside_every_community_are_refused(
    run: Run, stored: Settings, engine: sa.Engine, tmp_path: Path
) -> None:
    before = fingerprint(engine)
    units = frame([box(WEST + 0.02, SOUTH, WEST + 0.03, SOUTH + 0.01)], unit_id=["far"], households=[100])
    done = run("import", "layer", saved(tmp_path / "u.gpkg", units), "--as", "units", settings=stored)
    assert (done.code, "far" in done.err, fingerprint(engine)) == (2, True, before)


def test_a_tower_of_a_hundred_thousand_floors_is_refused(run: Run, stored: Settings, tmp_path: Path) -> None:
    rows = houses(levels=[99999, *[6] * 24])
    done = run("import", "layer", saved(tmp_path / "t.gpkg", rows), "--as", "buildings", "--json", settings=stored)
    report = done.json["layers"]["buildings"]
    assert (report["taken"], report["refused"]) == (24, 1)


@pytest.mark.parametrize("source", ["a/b", "../../up", 'q"x', "x" * 300, "社区 一"])
def test_any_source_name_will_do_and_refused_rows_stay_in_their_folder(
    source: str, run: Run, stored: Settings, engine: sa.Engine, tmp_path: Path
) -> None:
    path = saved(tmp_path / "d.gpkg", houses(households=[-1, *[4] * 24]))
    done = run("import", "layer", path, "--as", "buildings", "--source", source, "--json", settings=stored)
    assert done.code == 0, done.err
    assert Path(done.json["refused_files"]["buildings"]).parent == tmp_path / "home" / "refused"
    with engine.connect() as connection:
        taken = connection.scalar(sa.text("SELECT count(*) FROM buildings WHERE source = :s"), {"s": source})
    assert taken == 24


def test_nothing_is_stored_when_refused_rows_cannot_be_written(
    run: Run, stored: Settings, engine: sa.Engine, tmp_path: Path
) -> None:
    before = fingerprint(engine)
    (tmp_path / "home" / "refused").parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "home" / "refused").write_text("a file where the folder should be")
    path = saved(tmp_path / "d.gpkg", houses(households=[-1, *[4] * 24]))
    done = run("import", "layer", path, "--as", "buildings", settings=stored)
    assert done.code in (2, 3)
    assert "Traceback" not in done.err
    assert fingerprint(engine) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["units", "--area", AREA, "--out", "nowhere/u.gpkg"],
        ["units", "--area", AREA, "--out", "u.xyz"],
        ["plan", "--area", AREA, "--out", "nowhere/p.gpkg"],
        ["plan", "--area", AREA, "--report", "nowhere/p.json"],
        ["plan", "--area", AREA, "--report", "report.txt"],
        ["circles", "--report", "nowhere/c.json"],
        ["export", "buildings", "--out", "nowhere/b.gpkg"],
        ["export", "buildings", "--out", "OUT", "--crs", "gcj02"],
        ["export", "buildings", "--out", "OUT", "--crs", "mars"],
    ],
)
def test_an_output_that_cannot_be_written_is_said_before_any_work(
    arguments: list[str], run: Run, stored: Settings, engine: sa.Engine, tmp_path: Path
) -> None:
    assert run("units", "--area", AREA, settings=stored).code == 0
    before = fingerprint(engine)
    done = run(*[str(tmp_path / "b.gpkg") if word == "OUT" else word for word in arguments], settings=stored)
    assert done.code == 2, done.err
    assert len(done.err.strip().splitlines()) == 1
    assert fingerprint(engine) == before


def test_two_imports_of_one_source_at_once_follow_each_other(stored: Settings, engine: sa.Engine) -> None:
    rows, report = clean_layer(houses(), "buildings")

    def store(_: int) -> None:
        store_layers(engine, {"buildings": rows}, {"buildings": report}, source="both")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(store, range(4)))
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM buildings WHERE source = 'both'")) == 25


@pytest.mark.parametrize("url", ["postgresql://u:hunter2@h:port/db", "postgresql://u:hunter2@h:99999999/db"])
def test_a_database_address_that_cannot_be_read(url: str, run: Run) -> None:
    done = run("plans", env={"GISGRID_DATABASE_URL": url})
    assert done.code in (2, 3)
    assert len(done.err.strip().splitlines()) == 1
    assert "hunter2" not in done.err


def test_a_flatgeobuf_cut_short_is_bad_input(run: Run, tmp_path: Path) -> None:
    whole = tmp_path / "w.fgb"
    houses().to_file(whole)
    (tmp_path / "cut.fgb").write_bytes(whole.read_bytes()[:-900])
    done = run("import", "layer", tmp_path / "cut.fgb", "--as", "buildings", "--out", tmp_path / "o.gpkg")
    assert (done.code, "cut.fgb" in done.err) == (2, True), done.err
    houses().set_geometry(houses().representative_point()).to_file(tmp_path / "points.fgb")
    (tmp_path / "short.fgb").write_bytes((tmp_path / "points.fgb").read_bytes()[:-200])
    houses().assign(code=[f"{n:015d}" for n in range(len(houses()))]).to_file(tmp_path / "grids.gpkg")
    located = run("locate", tmp_path / "short.fgb", "--grids", tmp_path / "grids.gpkg", "--out", tmp_path / "x.csv")
    assert (located.code, "short.fgb" in located.err) == (2, True), located.err
    again = run("import", "layer", tmp_path / "cut.fgb", "--as", "buildings", "--out", tmp_path / "o.gpkg")
    assert again.code == 2, "reading a stream leaves GDAL as it was"


def test_own_buildings_take_the_place_of_a_source_or_are_said_to_count_twice(
    run: Run, stored: Settings, engine: sa.Engine, tmp_path: Path
) -> None:
    path = saved(tmp_path / "own.gpkg", houses(households=[7] * 25))

    def households() -> int:
        with engine.connect() as connection:
            return int(connection.scalar(sa.text("SELECT sum(households) FROM buildings")) or 0)

    beside = run("import", "layer", path, "--as", "buildings", settings=stored)
    assert "25 buildings stand where source 'good-buildings' has some already" in beside.out
    assert households() == 25 * 40 + 25 * 7
    instead = run("import", "layer", path, "--as", "buildings", "--source", "good-buildings", "--json", settings=stored)
    assert instead.json["counted_twice"] == {"own": 25}
    assert households() == 2 * 25 * 7


def test_streets_of_no_known_class_are_bad_input_for_units(run: Run, tmp_path: Path) -> None:
    line = LineString([(WEST, SOUTH + 0.001), (WEST + 0.006, SOUTH + 0.001)])
    streets = saved(tmp_path / "s.gpkg", frame([line], highway=["motorwayzz"]))
    area = saved(tmp_path / "a.gpkg", frame([square(0, 0, 0.006)], code=[AREA]))
    path = saved(tmp_path / "h.gpkg", houses())
    done = run("units", path, "--streets", streets, "--area", area, "--out", tmp_path / "u.gpkg")
    assert (done.code, "motorwayzz" in done.err) == (2, True), done.err


def test_circles_say_which_facilities_they_left_out(run: Run, tmp_path: Path) -> None:
    line = LineString([(WEST, SOUTH + 0.00045), (WEST + 0.006, SOUTH + 0.00045)])
    streets = saved(tmp_path / "s.gpkg", frame([line], highway=["residential"]))
    spots = [Point(WEST + 0.001 * n, SOUTH + 0.0004) for n in (1, 2)]
    facilities = saved(tmp_path / "f.gpkg", frame(spots, category=["bank", "wizard_tower"]))
    files = ["--streets", streets, "--facilities", facilities, "--residences", saved(tmp_path / "h.gpkg", houses())]
    done = run("circles", *files, "--out", tmp_path / "c.gpkg")
    assert done.code == 0, done.err
    assert "note: 1 facilities are of no category in the table and are left out" in done.out


def test_check_of_an_area_that_is_unknown_or_has_no_grids(run: Run, stored: Settings, tmp_path: Path) -> None:
    done = run("import", "layer", saved(tmp_path / "g.gpkg", grids()), "--as", "grids", "--json", settings=stored)
    assert run("publish", str(done.json["plan"]), settings=stored).code == 0
    assert run("check", "--area", AREA, settings=stored).code == 0
    unknown = run("check", "--area", "999999", settings=stored)
    assert (unknown.code, "not known" in unknown.err) == (2, True)
