"""A served district that other people's programs open: grids, reports with times, circles, layers users brought."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import psycopg
import pytest
import shapely
import sqlalchemy as sa

from data import db, embedded
from data.plans import current_generation
from gisgrid.settings import Settings
from layers.catalog import Layer, offered
from tests.blue_lake import store_blue_lake
from tests.conftest import Planned
from tests.processes import command, unused_port

PICTURES = "GISGRID_SCREENSHOTS"
"""Folder in which pictures are kept even when all is well."""
REPORTS = """
    INSERT INTO reports (source, report_id, reported_at, major, description, grid_code, generation, geometry)
    SELECT '12345', code || '-' || n, timestamptz '2026-03-01 08:00+08' + n * interval '7 hours', '市容环境', '第' || n || '件',
           code, :generation, ST_GeometryN(ST_GeneratePoints(geometry, 1, n), 1)
    FROM (SELECT code, geometry FROM grids WHERE upper_inf(generations) AND level = 1) g, generate_series(1, 40) n
"""


@dataclass(frozen=True)
class Service:
    """The running service, and what its layers hold as SQL tells it."""

    url: str
    layers: Mapping[str, Layer]
    frames: Mapping[str, gpd.GeoDataFrame]
    """Features of each layer with the catalogue's attributes, EPSG:4490, longitude first, in the order of their keys."""

    @property
    def filled(self) -> list[str]:
        """Layers that hold features."""
        return [name for name, frame in self.frames.items() if len(frame)]

    @property
    def pictured(self) -> list[str]:
        """Those that pictures are taken of: all but the many parts of a layer (facilities of a category …), of which
        the one with the most features and the one in the middle stand for the others.
        """
        parts: dict[str, list[str]] = {}
        for name in self.filled:
            if base := self.layers[name].base:
                parts.setdefault(base, []).append(name)
        taken = set()
        for names in parts.values():
            ranked = sorted(names, key=lambda name: (len(self.frames[name]), name))
            taken |= {ranked[-1], ranked[len(ranked) // 2]}
        return [name for name in self.filled if self.layers[name].base is None or name in taken]

    def picture(self, name: str, box: Sequence[float], size: tuple[int, int]) -> bytes:
        """What the service draws when it is asked without a program between, longitude first."""
        asked = {
            "SERVICE": "WMS", "VERSION": "1.3.0", "REQUEST": "GetMap", "LAYERS": name, "STYLES": "", "CRS": "CRS:84",
            "BBOX": ",".join(map(repr, box)), "WIDTH": size[0], "HEIGHT": size[1], "FORMAT": "image/png",
            "TRANSPARENT": "TRUE",
        }  # fmt: skip
        with urllib.request.urlopen(f"{self.url}/wms?{urllib.parse.urlencode(asked)}", timeout=120) as answer:
            assert answer.headers["Content-Type"] == "image/png", answer.read(500)
            return bytes(answer.read())


@pytest.fixture(scope="session")
def service(planned: Planned, cluster: embedded.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    planned.engine.dispose()  # a template must have no connections
    with psycopg.connect(host=str(cluster.socket), user=embedded.ROLE, dbname="postgres", autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS clients WITH (FORCE)")
        admin.execute("CREATE DATABASE clients TEMPLATE planned")
    database = cluster.url_of("clients")
    with db.database(Settings(home=planned.settings.home, database_url=database)) as engine:
        with engine.begin() as connection:
            generation = current_generation(connection)
            assert generation is not None
            connection.execute(sa.text(REPORTS), {"generation": generation.id})
            store_blue_lake(connection)
        with engine.connect() as connection:
            layers = {
                name: layer for name, layer in offered(connection).items()
                if not layer.restricted and not layer.picture_only
            }  # fmt: skip
            frames = {name: _features(connection, layer, generation.id) for name, layer in layers.items()}
    home, port = tmp_path_factory.mktemp("clients"), unused_port()
    env = {"GISGRID_HOME": str(home), "GISGRID_DATABASE_URL": database}
    arguments = ["-m", "api.cli", "serve", "--port", str(port), "--no-jobs"]
    with command(arguments, home / "serve.log", env) as server:
        url = f"http://127.0.0.1:{port}"
        server.until(lambda: _ready(url), 120)
        assert _ready(url), server.said
        yield Service(url, layers, frames)
        server.press()
        server.end()
    with psycopg.connect(host=str(cluster.socket), user=embedded.ROLE, dbname="postgres", autocommit=True) as admin:
        admin.execute("DROP DATABASE clients WITH (FORCE)")


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _features(connection: sa.Connection, layer: Layer, generation: int) -> gpd.GeoDataFrame:
    columns = [attribute.column.label(attribute.name) for attribute in layer.attributes]
    query = (
        sa.select(layer.key.label("key_"), *columns, sa.func.ST_AsBinary(layer.geometry).label("shape_"))
        .select_from(layer.table)
        .where(*layer.conditions(generation))
        .order_by(layer.key)
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    shapes = shapely.from_wkb([bytes(row.pop("shape_")) for row in rows])
    names = ["key_", *(attribute.name for attribute in layer.attributes)]
    return gpd.GeoDataFrame(rows, columns=[*names], geometry=shapes, crs="EPSG:4490")


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go; they stay there, to be looked at after a failure."""
    folder = Path(os.environ.get(PICTURES) or tmp_path_factory.mktemp("pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run(arguments: list[str], *, timeout: float = 240, env: Mapping[str, str] | None = None) -> str:
    """What a program prints; fails with what it said when it fails."""
    done = subprocess.run(
        arguments, capture_output=True, text=True, timeout=timeout, check=False, env=os.environ | dict(env or {})
    )
    assert done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="session")
def gdal() -> Callable[..., str]:
    """Run a program of GDAL; skips where it, or a driver it needs, is missing."""
    if shutil.which("ogr2ogr") is None:
        pytest.skip("GDAL's programs are not installed (Debian package gdal-bin; .ci/client-packages)")
    formats = run(["ogrinfo", "--formats"]) + run(["gdalinfo", "--formats"])
    for driver in ("OAPIF", "MVT", "WMS"):
        if f"  {driver} " not in formats:
            pytest.skip(f"GDAL has no driver {driver} here")
    return lambda *arguments: run([str(argument) for argument in arguments], env={"GDAL_HTTP_TIMEOUT": "60"})


@pytest.fixture(scope="session")
def qgis(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Hand orders to QGIS, headless, in a process of the system's Python; skips where it is missing."""
    python = "/usr/bin/python3"
    known = subprocess.run([python, "-c", "import qgis.core"], capture_output=True, check=False)
    if known.returncode != 0:
        pytest.skip("QGIS is not installed (Debian packages python3-qgis, qgis-providers; .ci/client-packages)")
    folder = tmp_path_factory.mktemp("qgis")

    def ask(orders: dict[str, Any]) -> dict[str, Any]:
        asked, told = folder / "orders.json", folder / "told.json"
        asked.write_text(json.dumps(orders), encoding="utf-8")
        told.unlink(missing_ok=True)
        env = {
            "QT_QPA_PLATFORM": "offscreen", "HOME": str(folder), "QGIS_CUSTOM_CONFIG_PATH": str(folder),
            "XDG_RUNTIME_DIR": str(folder), "PYTHONPATH": "", "LC_ALL": "C.UTF-8",
        }  # fmt: skip
        script = Path(__file__).with_name("in_qgis.py")
        run([python, str(script), str(asked), str(told)], timeout=580, env=env)
        return dict(json.loads(told.read_text(encoding="utf-8")))

    return ask
