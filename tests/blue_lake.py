"""The Blue Lake data of the public OGC test suites, as PyPI's ``pyogctest`` ships them, stored as thematic layers."""

from __future__ import annotations

import importlib.util
import zipfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import pytest
import sqlalchemy as sa

from data.thematic import clean_thematic, store_thematic

POLYGONS = ("BasicPolygons", "Buildings", "Forests", "Lakes", "NamedPlaces", "Ponds")
LINES = ("DividedRoutes", "MapNeatline", "RoadSegments", "Streams")
POINTS = ("Autos", "Bridges", "BuildingCenters")
NAMES = tuple(f"cite:{name}" for name in sorted(POLYGONS + LINES + POINTS))


@cache
def blue_lake() -> dict[str, gpd.GeoDataFrame]:
    """The layers by name (``cite:Lakes`` …), in EPSG:4326; skips where the package is absent."""
    found = importlib.util.find_spec("pyogctest")  # found, not run: it asks for a Docker daemon
    if found is None or not found.submodule_search_locations:
        pytest.skip("pyogctest, which has the Blue Lake data, is not installed (pip install '.[dev]')")
    archive = Path(found.submodule_search_locations[0]) / "data" / "data-wms-1.3.0.zip"
    with TemporaryDirectory() as folder, zipfile.ZipFile(archive) as packed:
        packed.extractall(folder, [name for name in packed.namelist() if name.startswith("shapefile/")])
        return {name: gpd.read_file(f"{folder}/shapefile/{name[5:]}.shp") for name in NAMES}


def store_blue_lake(connection: sa.Connection) -> None:
    """Store every layer as ``gisgrid thematic import`` does."""
    for name, rows in blue_lake().items():
        taken, kinds, report = clean_thematic(rows)
        assert (report.taken, report.refused) == (len(rows), 0)
        label = next((attribute for attribute, _ in kinds if attribute in ("NAME", "ADDRESS")), "")
        store_thematic(connection, name, taken, kinds, report, title_zh=name, title_en=name, label=label)
