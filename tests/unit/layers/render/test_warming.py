"""No kernel of drawing is compiled while somebody waits for a picture."""

from __future__ import annotations

import importlib
import pkgutil
from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import numpy as np
import pytest
import shapely
from numba.core.dispatcher import Dispatcher

import layers.render
from gisgrid.models import Band
from layers import catalog
from layers.held import View, held_from_frame
from layers.render import draw_map, encode, legend, paths
from layers.render.warming import warm
from layers.styles import styles

BOX = (112.80, 35.40, 112.83, 35.42)
VIEWS = (
    View("EPSG:4326", BOX, 300, 200),
    View("EPSG:3857", (12_557_000.0, 4_218_000.0, 12_560_000.0, 4_221_000.0), 120, 120, 180.0),
    View("EPSG:4544", (300_000.0, 3_800_000.0, 700_000.0, 4_000_000.0), 5, 5),
    View("CRS:84", (112.8101, 35.4101, 112.8102, 35.4102), 64, 64),
)


def kernels() -> dict[str, Dispatcher]:
    found = {}
    for module in pkgutil.iter_modules(layers.render.__path__):
        members = vars(importlib.import_module(f"layers.render.{module.name}"))
        for name, kernel in members.items():
            if isinstance(kernel, Dispatcher) and kernel.py_func.__module__.endswith(module.name):
                found[f"{module.name}.{name}"] = kernel
    return found


def town():
    """Grids, streets and components of a made town, and how each is drawn."""
    known = styles(Band(300, 500))
    rng = np.random.default_rng(3)
    cells = [
        shapely.box(112.80 + i * 0.003, 35.40 + j * 0.002, 112.803 + i * 0.003, 35.402 + j * 0.002)
        for i in range(10) for j in range(10)
    ]  # fmt: skip
    grids = {"name": [f"第{i}网格" for i in range(100)], "kind": "ordinary", "households": rng.integers(0, 900, 100)}
    ways = [shapely.LineString([(112.80, 35.401 + i * 0.004), (112.83, 35.403 + i * 0.003)]) for i in range(5)]
    streets = {"name": ["晋城大街"] * 5, "cls": ["primary", "residential", "foot", "rail", "secondary"]}
    points = shapely.points(rng.uniform(BOX[:2], BOX[2:], (4_000, 2)))
    components = {"name": [f"路灯{i}" for i in range(4_000)], "major": rng.choice(["01", "02", "03"], 4_000)}
    for layer, columns, shapes, style in (
        (catalog.GRIDS, grids, cells, "grids"),
        (catalog.STREETS, streets, ways, "streets"),
        (catalog.COMPONENTS, components, points, "components"),
        (catalog.GRIDS, grids, cells, "blind_spots"),
        (catalog.COMPONENTS, components, points, "reports_heat"),
    ):
        yield held_from_frame(layer, gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4490")), known[style]


def test_pictures_compile_nothing():
    warm()
    before = {name: list(kernel.signatures) for name, kernel in kernels().items()}
    assert len(before) > 25
    parts = list(town())
    for view in VIEWS:
        for chosen in (None, [np.arange(len(held)) % 2 == 0 for held, _ in parts]):
            for background in (None, "#ffffff"):
                picture = draw_map(parts, view, background=background, chosen=chosen)
                for form in ("png", "png8", "png24", "jpeg", "webp"):
                    encode(picture, form)
    legend(list(styles(Band(300, 500)).values()), language="both")
    assert {name: list(kernel.signatures) for name, kernel in kernels().items()} == before


def test_paths_are_made_corner_by_corner_where_bytes_are_not_read(monkeypatch):
    """The plain way draws the same dashes and hatches."""
    parts = [part for part in town() if part[1].name in ("streets", "blind_spots")]
    usual = draw_map(parts, VIEWS[0])
    monkeypatch.setattr(paths, "bytes_work", lambda: False)
    np.testing.assert_array_equal(draw_map(parts, VIEWS[0]), usual)


def test_bytes_in_another_form_are_noticed(monkeypatch):
    monkeypatch.setattr(paths, "_CLOSE", 4)
    paths.bytes_work.cache_clear()
    try:
        assert not paths.bytes_work()
    finally:
        paths.bytes_work.cache_clear()


def test_threads_draw_what_one_draws():
    parts = list(town())
    alone = [encode(draw_map(parts, view), "png") for view in VIEWS * 2]
    with ThreadPoolExecutor(2) as pool:
        beside = list(pool.map(lambda view: encode(draw_map(parts, view), "png"), VIEWS * 2))
    assert beside == alone


@pytest.mark.parametrize("sides", [(1, 1), (5, 5), (1, 300), (4_096, 16)])
def test_pictures_of_odd_sizes(sides):
    width, height = sides
    parts = list(town())
    picture = draw_map(parts, View("EPSG:4326", BOX, width, height), background="#ffffff")
    assert picture.shape == (height, width, 4)
    assert (picture[:, :, 3] == 255).all()
    assert (picture[:, :, :3] != 255).any()
