"""Bad input: one clear line, exit code 2 (3 where the machine is broken), and a database that stays as it was."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import sqlalchemy as sa
from shapely.geometry import MultiPolygon, Point, Polygon, box

from gisgrid.settings import Settings
from tests.integration.cli.conftest import Done, Run, fingerprint

pytestmark = pytest.mark.postgis

WEST, SOUTH = 116.30, 40.00
AREA = "110108001001"


def house(i: int, j: int, size: float = 2e-4) -> Polygon:
    x, y = WEST + 0.001 + i * 0.001, SOUTH + 0.001 + j * 0.001
    return box(x, y, x + size, y + size)


def frame(geometry: list[Any], crs: str | None = "EPSG:4490", **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=crs)


def houses(**columns: Any) -> gpd.GeoDataFrame:
    shapes = [house(i, j) for i in range(4) for j in range(4)]
    values = {"building_id": [f"b{n}" for n in range(16)], "households": [40] * 16, "kind": ["residential"] * 16}
    return frame(shapes, **(values | columns))


def saved(path: Path, rows: gpd.GeoDataFrame) -> Path:
    rows.to_file(path)
    return path


@pytest.fixture
def stored(settings: Settings, run: Run, tmp_path: Path) -> Settings:
    """A database that holds one community and sixteen houses."""
    outline = frame(
        [box(WEST, SOUTH, WEST + 0.006, SOUTH + 0.006)], code=[AREA], name=["示例社区"], level=["community"]
    )
    for rows, kind in ((outline, "areas"), (houses(), "buildings")):
        done = run("import", "layer", saved(tmp_path / f"good-{kind}.gpkg", rows), "--as", kind, settings=settings)
        assert done.code == 0, done.err
    return settings


def assert_refused(done: Done, *says: str, code: int = 2) -> None:
    assert done.code == code, (done.code, done.out, done.err)
    lines = [line for line in done.err.splitlines() if line.startswith("gisgrid: ")]
    assert len(lines) == 1, done.err
    assert "Traceback" not in done.err
    for part in says:
        assert part in lines[0], lines[0]


Make = Callable[[Path], Path]


def write(text: str | bytes, name: str) -> Make:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return make


def write_rows(rows: Callable[[], gpd.GeoDataFrame], name: str = "bad.gpkg") -> Make:
    return lambda folder: saved(folder / name, rows())


def without_crs(folder: Path) -> Path:
    path = folder / "no-crs.shp"
    frame([house(0, 0)], crs=None, hh=[1]).to_file(path)
    return path


IMPORTS: dict[str, tuple[Make, list[str], tuple[str, ...]]] = {
    "missing file": (lambda folder: folder / "none.gpkg", [], ("none.gpkg",)),
    "not a map file": (write("hello", "text.gpkg"), [], ("text.gpkg",)),
    "unknown ending": (write("hello", "text.docx"), [], ("text.docx",)),
    "broken geojson": (write('{"type": "FeatureCollection", "features": [', "cut.geojson"), [], ("cut.geojson",)),
    "no crs": (without_crs, [], ("--crs",)),
    "unknown crs": (write_rows(houses), ["--crs", "EPSG:999999"], ("999999",)),
    "wrong crs": (write_rows(lambda: houses().set_crs("EPSG:4547", allow_override=True)), [], ()),
    "empty layer": (write_rows(lambda: houses().iloc[:0]), [], ("empty",)),
    "all null geometry": (write_rows(lambda: houses().set_geometry([None] * 16, crs="EPSG:4490")), [], ()),
    "swapped lon and lat": (
        write_rows(lambda: houses().set_geometry([Polygon([(y, x) for x, y in g.exterior.coords]) for g in houses().geometry], crs="EPSG:4490")),
        [],
        ("swap",),
    ),
    "outside the area": (
        write_rows(lambda: houses().set_geometry(houses().translate(-20, -5), crs="EPSG:4490")), [], ("outside",)
    ),
    "points for buildings": (write_rows(lambda: houses().set_geometry(houses().centroid)), [], ()),
    "text households everywhere": (write_rows(lambda: houses(households=["many"] * 16)), [], ("households",)),
    "negative households everywhere": (write_rows(lambda: houses(households=[-3] * 16)), [], ("households",)),
}  # fmt: skip


@pytest.mark.parametrize("case", IMPORTS)
def test_a_layer_that_cannot_be_imported(
    case: str, run: Run, stored: Settings, engine: sa.Engine, tmp_path: Path
) -> None:
    make, options, says = IMPORTS[case]
    path = make(tmp_path)
    before = fingerprint(engine)
    assert_refused(run("import", "layer", path, "--as", "buildings", *options, settings=stored), *says)
    assert fingerprint(engine) == before


BOW_TIE = Polygon(
    [
        (WEST + 0.001, SOUTH + 0.001),
        (WEST + 0.002, SOUTH + 0.002),
        (WEST + 0.002, SOUTH + 0.001),
        (WEST + 0.001, SOUTH + 0.002),
    ]
)

ROWS: dict[str, tuple[Callable[[], gpd.GeoDataFrame], int, str]] = {
    "null geometry": (lambda: houses().set_geometry([None, *houses().geometry[1:]], crs="EPSG:4490"), 1, "geometry"),
    "duplicate geometry": (lambda: houses().set_geometry([house(1, 1), *houses().geometry[1:]], crs="EPSG:4490"), 6, "same geometry"),
    "duplicate id": (lambda: houses(building_id=["b1", *[f"b{n}" for n in range(1, 16)]]), 2, "b1"),
    "negative households": (lambda: houses(households=[-5, *[40] * 15]), 1, "-5"),
    "text households": (lambda: houses(households=["many", *["40"] * 15]), 1, "many"),
    "collapsed polygon": (lambda: houses().set_geometry([Polygon([(WEST, SOUTH), (WEST, SOUTH), (WEST, SOUTH)]), *houses().geometry[1:]], crs="EPSG:4490"), 1, "geometry"),
}  # fmt: skip


@pytest.mark.parametrize("case", ROWS)
def test_a_bad_row_is_refused_with_its_reason_and_the_rest_taken(
    case: str, run: Run, stored: Settings, engine: sa.Engine, tmp_path: Path
) -> None:
    rows, row, says = ROWS[case]
    done = run("import", "layer", saved(tmp_path / "rows.gpkg", rows()), "--as", "buildings", "--json", settings=stored)
    assert done.code == 0, done.err
    report = done.json["layers"]["buildings"]
    assert (report["read"], report["taken"], report["refused"]) == (16, 15, 1)
    refused = Path(done.json["refused_files"]["buildings"]).read_text(encoding="utf-8")
    assert says in refused, refused
    header, first = refused.splitlines()[:2]
    assert first.split(",")[header.split(",").index("row")] == str(row)


def test_a_self_crossing_outline_is_repaired_and_counted(
    run: Run, stored: Settings, engine: sa.Engine, tmp_path: Path
) -> None:
    bow_tie = MultiPolygon([BOW_TIE])
    rows = houses().set_geometry([bow_tie, *houses().geometry[1:]], crs="EPSG:4490")
    done = run("import", "layer", saved(tmp_path / "bow.gpkg", rows), "--as", "buildings", "--json", settings=stored)
    report = done.json["layers"]["buildings"]
    assert report["repaired"] + report["refused"] == 1
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT bool_and(ST_IsValid(geometry)) FROM buildings"))


def test_a_failed_import_leaves_what_the_source_gave_before(
    run: Run, stored: Settings, engine: sa.Engine, tmp_path: Path
) -> None:
    before = fingerprint(engine)
    bad = houses(households=["x"] * 16)
    assert_refused(
        run(
            "import",
            "layer",
            saved(tmp_path / "b.gpkg", bad),
            "--as",
            "buildings",
            "--source",
            "good-buildings",
            settings=stored,
        )
    )
    assert fingerprint(engine) == before


COMMANDS: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "band with min above max": (["plan", "--area", AREA, "--households", "500:300"], ("500:300", "minimum")),
    "band that is no band": (["plan", "--area", AREA, "--households", "many"], ("many",)),
    "negative band": (["plan", "--area", AREA, "--households", "-5:10"], ()),
    "plan for an unknown area": (["plan", "--area", "999999999999"], ("999999999999",)),
    "plan for an area without units": (["plan", "--area", AREA], ("units",)),
    "units for an unknown area": (["units", "--area", "110108999999"], ("110108999999",)),
    "publish of an unknown plan": (["publish", "99"], ("99",)),
    "locate before any publish": (["locate", "POINTS", "--out", "OUT"], ("publish",)),
    "circles before any publish": (["circles"], ("publish",)),
    "check before any publish": (["check"], ("publish",)),
    "export of nothing": (["export", "facilities", "--out", "OUT"], ("facilities",)),
    "no grids at all": (["plan", "--area", AREA, "--grids", "0"], ("grids",)),
    "unknown option": (["plan", "--colour", "red"], ("--colour",)),
    "unknown command": (["dance"], ("dance",)),
    "neither file nor place": (["import", "osm"], ("--place",)),
    "OSM file that is none": (["import", "osm", "NOT_OSM"], ("not",)),
    "OSM file that is missing": (["import", "osm", "/nowhere/city.osm.pbf"], ("city.osm.pbf",)),
}  # fmt: skip


@pytest.mark.parametrize("case", COMMANDS)
def test_a_command_that_cannot_be_carried_out(
    case: str, run: Run, stored: Settings, engine: sa.Engine, tmp_path: Path
) -> None:
    arguments, says = COMMANDS[case]
    points = saved(tmp_path / "points.gpkg", frame([Point(WEST, SOUTH)], name=["p"]))
    (tmp_path / "not.osm").write_text("this is no map")
    places = {"POINTS": str(points), "OUT": str(tmp_path / "out.gpkg"), "NOT_OSM": str(tmp_path / "not.osm")}
    before = fingerprint(engine)
    assert_refused(run(*[places.get(word, word) for word in arguments], settings=stored), *says)
    assert fingerprint(engine) == before


def test_swapped_points_are_named_and_kept(run: Run, tmp_path: Path) -> None:
    grids = saved(tmp_path / "g.gpkg", frame([box(WEST, SOUTH, WEST + 0.01, SOUTH + 0.01)], code=[AREA + "001"]))
    points = saved(
        tmp_path / "p.gpkg", frame([Point(SOUTH + 0.005, WEST + 0.005), Point(WEST + 0.005, SOUTH + 0.005)], n=[1, 2])
    )
    done = run("locate", points, "--grids", grids, "--out", tmp_path / "o.gpkg", "--json")
    assert (done.json["located"], done.json["unusable"]) == (1, 1)
    assert "swapped" in gpd.read_file(tmp_path / "o.gpkg")["reason"][0]


def test_port_in_use(run: Run, stored: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert_refused(run("serve", "--port", str(port), settings=stored), str(port), "--port")
        assert_refused(run("demo", "--port", str(port), settings=stored), str(port), "--port")


def test_database_down_is_a_broken_environment(run: Run, tmp_path: Path) -> None:
    url = f"postgresql://nobody@/nothing?host={tmp_path}"
    done = run("plans", env={"GISGRID_DATABASE_URL": url})
    assert_refused(done, "cannot reach the database", code=3)
    assert "password" not in done.err


def test_password_of_an_unreachable_database_is_not_shown(run: Run) -> None:
    done = run("plans", env={"GISGRID_DATABASE_URL": "postgresql://planner:hunter2@127.0.0.1:1/city"})
    assert_refused(done, "127.0.0.1", code=3)
    assert "hunter2" not in done.err + done.out


def test_database_url_of_another_kind(run: Run) -> None:
    assert_refused(run("plans", env={"GISGRID_DATABASE_URL": "mysql://root@/x"}), "GISGRID_DATABASE_URL")


def test_json_output_is_one_object(run: Run, stored: Settings) -> None:
    done = run("plans", "--json", settings=stored)
    assert json.loads(done.out) == {"plans": []}
