"""What lies in a view, in its pixels."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from gisgrid.errors import BadInput
from layers.held import HeldLayer, View, Window
from layers.held.projecting import PIXEL_ERROR, transformer
from tests.held_shapes import CENTRE, grid_coverage, held_of, pixels_by_proj, scattered, view_of

BOX = (CENTRE[0] - 0.02, CENTRE[1] - 0.015, CENTRE[0] + 0.02, CENTRE[1] + 0.015)
ALL_CRS = ("CRS:84", "EPSG:4326", "EPSG:4490", "EPSG:3857", "EPSG:32648", *(f"EPSG:{n}" for n in range(4513, 4555)))


@pytest.fixture(scope="module")
def geometries() -> list[object]:
    return scattered(300)


@pytest.fixture(scope="module")
def held(geometries: list[object]) -> HeldLayer:
    return held_of(geometries)


def coords_of(window: Window, held: HeldLayer) -> np.ndarray:
    """The same vertices in degrees, when nothing was cut."""
    return held.shapes.take(window.rows).coords


def polygons_of(window: Window) -> list[shapely.Polygon]:
    """Features of one ring each."""
    return [shapely.Polygon(window.coords[a:b]) for a, b in zip(window.parts, window.parts[1:], strict=False)]


def in_pixels(geometry: object, view: View) -> object:
    return shapely.transform(geometry, lambda coords: pixels_by_proj(view, coords))


@pytest.mark.parametrize("crs", ALL_CRS)
def test_pixels_are_where_proj_puts_them_and_no_feature_is_missed(
    crs: str, held: HeldLayer, geometries: list[object]
) -> None:
    # a zone's own place, or where the data is
    area = (
        transformer(crs).target_crs.area_of_use
        if crs not in ("CRS:84", "EPSG:4326", "EPSG:4490", "EPSG:3857")
        else None
    )
    at = CENTRE if area is None else ((area.west + area.east) / 2 + 0.4, 30.0)
    moved = [
        g if g is None else shapely.affinity.translate(g, at[0] - CENTRE[0], at[1] - CENTRE[1]) for g in geometries
    ]
    held = held_of(moved)
    view = view_of(crs, (at[0] - 0.02, at[1] - 0.015, at[0] + 0.02, at[1] + 0.015))
    window = held.window(view, 10.0)
    assert 20 < len(window.rows) < 280
    wanted = pixels_by_proj(view, coords_of(window, held))
    assert np.abs(window.coords - wanted).max() < PIXEL_ERROR
    seen = shapely.box(-10, -10, view.width + 10, view.height + 10)
    meeting = {
        k for k, g in enumerate(moved) if g is not None and not g.is_empty and in_pixels(g, view).intersects(seen)
    }
    assert meeting <= set(window.rows.tolist())
    assert window.rows.tolist() == sorted(window.rows.tolist())
    assert len(window.features) == len(window.rows) + 1
    assert window.features[-1] == len(window.kinds) == len(window.parts) - 1
    assert window.parts[-1] == len(window.coords)


@pytest.mark.parametrize(
    "crs", ["EPSG:3857", "EPSG:4543", "EPSG:4522", "EPSG:32648", "EPSG:2434", "EPSG:4479", "EPSG:3035"]
)
def test_many_vertices_are_interpolated_within_a_twentieth_of_a_pixel(crs: str) -> None:
    rng = np.random.default_rng(5)
    coords = rng.uniform((100, 25), (109, 36), (60_000, 2))
    held = held_of(shapely.points(coords))
    if crs == "EPSG:4479":  # geocentric: nothing a map can be drawn in, and nothing breaks
        held.window(View(crs, (-2e6, 4e6, -1e6, 6e6), 500, 500), 4.0)
        return
    x, y = transformer(crs).transform(coords[:, 0], coords[:, 1])
    view = View(crs, (float(x.min()), float(y.min()), float(x.max()), float(y.max())), 2_000, 1_500)
    window = held.window(view, 4.0)
    assert len(window.rows) == len(coords)
    assert np.abs(window.coords - pixels_by_proj(view, coords)).max() < PIXEL_ERROR
    part = held.window(View(crs, view.box, 2_000, 1_500), 4.0, rows=coords[:, 0] < 104)
    assert part.rows.tolist() == np.flatnonzero(coords[:, 0] < 104).tolist()


@pytest.mark.parametrize("crs", ["CRS:84", "EPSG:3857", "EPSG:4543"])
def test_what_is_cut_is_the_same_in_the_picture(crs: str) -> None:
    rng = np.random.default_rng(8)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 4_000))
    ring = np.column_stack((np.cos(angles), np.sin(angles))) * rng.uniform(0.9, 1.1, (4_000, 1))
    large = shapely.Polygon(ring + CENTRE, [shapely.Point(CENTRE[0] + 0.003, CENTRE[1]).buffer(0.002).exterior.coords])
    line = shapely.LineString(np.column_stack((np.linspace(-3, 3, 500), rng.normal(0, 0.002, 500))) + CENTRE)
    held = held_of([large, line, shapely.MultiPoint([CENTRE, (CENTRE[0] + 1, CENTRE[1])])])
    view = view_of(crs, (CENTRE[0] - 0.005, CENTRE[1] - 0.004, CENTRE[0] + 0.005, CENTRE[1] + 0.004), 1_000, 800)
    window = held.window(view, 20.0)
    assert window.rows.tolist() == [0, 1, 2]
    assert np.abs(window.coords).max() < 20_000
    assert len(window.coords) < 600
    frame = shapely.box(0, 0, 1_000, 800)
    rings = [window.coords[window.parts[p] : window.parts[p + 1]] for p in range(window.features[1])]
    assert all((r[0] == r[-1]).all() for r in rings)
    drawn = shapely.Polygon()
    for each in rings:
        drawn = drawn.symmetric_difference(shapely.Polygon(each).buffer(0))
    wanted = in_pixels(large, view).intersection(frame)
    assert drawn.intersection(frame).symmetric_difference(wanted).area < 1.0
    lines = [window.coords[window.parts[p] : window.parts[p + 1]] for p in range(*window.features[1:3])]
    drawn_line = shapely.MultiLineString([each.tolist() for each in lines]).intersection(frame)
    assert drawn_line.hausdorff_distance(in_pixels(line, view).intersection(frame)) < 0.1


def test_neighbours_keep_sharing_their_borders_at_every_level() -> None:
    cells = grid_coverage(40, 40, 20)
    held = held_of(cells)
    assert len(held.shapes.coords) > 100_000
    full = held.window(View("CRS:84", (CENTRE[0], CENTRE[1], CENTRE[0] + 0.004, CENTRE[1] + 0.004), 8_000, 8_000), 0.0)
    assert len(full.coords) == 81 * len(full.rows)
    for pixels in (400, 200, 60):
        view = View("CRS:84", held.box or (0, 0, 1, 1), pixels, pixels)
        window = held.window(view, 4.0)
        assert len(window.coords) < 0.7 * len(held.shapes.coords)
        drawn = polygons_of(window)
        meant = shapely.transform(cells, lambda coords, view=view: pixels_by_proj(view, coords))
        assert shapely.hausdorff_distance(drawn, meant).max() < 0.5 / min(np.cos(np.radians(CENTRE[1])), 1)
        # an edge inside the whole is drawn once from either side, by the same two ends: no gap, no overlap
        edges = np.concatenate([np.hstack((c[:-1], c[1:])) for c in (shapely.get_coordinates(d) for d in drawn)])
        turned = (edges[:, 0] > edges[:, 2]) | ((edges[:, 0] == edges[:, 2]) & (edges[:, 1] > edges[:, 3]))
        edges[turned] = edges[turned][:, [2, 3, 0, 1]]
        different, counts = np.unique(edges, axis=0, return_counts=True)
        lonely = different[counts % 2 == 1]
        reach = 0.4 * pixels / 40  # how far the waves of the rim go
        to_rim = np.minimum(lonely, pixels - lonely).reshape(-1, 2, 2).min(axis=2)
        assert 4 * 40 <= len(lonely) < len(different) / 4
        assert (to_rim < reach).all()


def test_buildings_do_not_vanish_at_small_scales() -> None:
    rng = np.random.default_rng(4)
    centres = rng.uniform((104, 30), (104.5, 30.5), (4_000, 2))
    houses = [shapely.Point(at).buffer(0.0001, 8) for at in centres]
    held = held_of(houses)
    window = held.window(View("CRS:84", (104, 30, 104.5, 30.5), 500, 500), 4.0)
    assert len(window.coords) < len(held.shapes.coords) / 4
    drawn = polygons_of(window)
    meant = shapely.area(houses).sum() * 1_000 * 1_000
    assert 0.6 * meant < shapely.area(drawn).sum() <= 1.01 * meant


def test_views_at_the_ends_of_the_world_break_nothing(held: HeldLayer) -> None:
    world = held_of([
        shapely.Point(180, 0), shapely.Point(-180, 0), shapely.Point(0, 90), shapely.Point(0, -90), shapely.Point(120, 89.9),
        shapely.box(-180, -90, 180, 90), shapely.LineString([(-180, 10), (180, 10)]), shapely.Point(*CENTRE),
    ])  # fmt: skip
    views = [
        View("CRS:84", (-180, -90, 180, 90), 360, 180), View("EPSG:4326", (170, -10, 190, 10), 200, 200),
        View("EPSG:3857", (-20037508.34, -20037508.34, 20037508.34, 20037508.34), 256, 256),
        View("EPSG:3857", (-1e9, -1e9, 1e9, 1e9), 256, 256), View("EPSG:4543", (-3e7, -2e7, 3e7, 2e7), 300, 200),
        View("EPSG:4543", (500_000, 9.9e6, 600_000, 1.01e7), 100, 100), View("EPSG:3413", (-4e6, -4e6, 4e6, 4e6), 400, 400),
        View("EPSG:32601", (-5e5, 0, 5e5, 1e6), 100, 100), View("CRS:84", (1e300, 1e300, 1.1e300, 1.1e300), 10, 10),
        View("CRS:84", (CENTRE[0] - 1e-9, CENTRE[1] - 1e-9, CENTRE[0] + 1e-9, CENTRE[1] + 1e-9), 1, 1),
        View("EPSG:4543", (1e15, 1e15, 2e15, 2e15), 10, 10),
    ]  # fmt: skip
    for view in views:
        for layer in (world, held):
            window = layer.window(view, 5.0)
            assert np.isfinite(window.coords).all(), view
            assert np.abs(window.coords).max(initial=0) <= 1e6
            layer.at(view, 0.5, 0.5, 3.0)
    assert world.window(views[0], 5.0).rows.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert {2, 4} <= set(world.window(views[6], 5.0).rows.tolist()), "the pole lies inside"
    assert 5 in world.window(views[9], 0.0).rows.tolist()
    far = View("CRS:84", (10, 10, 11, 11), 100, 100)
    assert len(held.window(far, 5.0).rows) == 0


@pytest.mark.parametrize("box", [(1, 1, 1, 2), (2, 1, 1, 2), (float("nan"), 0, 1, 1), (0, 0, float("inf"), 1)])
def test_a_view_of_nothing_is_refused(box: tuple[float, float, float, float], held: HeldLayer) -> None:
    with pytest.raises(BadInput, match="box"):
        held.window(View("CRS:84", box, 10, 10), 1.0)
    with pytest.raises(BadInput, match="CRS"):
        held.window(View("EPSG:999999", (0, 0, 1, 1), 10, 10), 1.0)
