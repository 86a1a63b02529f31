"""The snap raster against `planning.reach.snapping.snap`, its caps and its use of space."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gisgrid.errors import BadInput
from gisgrid.limits import RASTER_CELLS_MAX
from planning.circles.raster import BLOCK, NONE, SAMPLES, SnapRaster, snap_raster
from planning.network import Network, build_network
from planning.reach.snapping import segment_index, snap


@pytest.fixture(scope="module")
def streets() -> Network:
    rng = np.random.default_rng(4)
    ends = rng.uniform(0, 600, (60, 1, 2)) + np.concatenate([np.zeros((60, 1, 2)), rng.normal(0, 90, (60, 2, 2))], 1)
    return build_network(gpd.GeoDataFrame(geometry=shapely.linestrings(ends), crs="EPSG:4548"), nodes="crossings")


def points_of(raster: SnapRaster) -> tuple[np.ndarray, np.ndarray]:
    """(coordinates, segment or -1) of every point of a raster."""
    rows, columns = raster.shape
    r, c = (part.ravel() for part in np.mgrid[0:rows, 0:columns])
    block = raster.blocks.row[r // BLOCK, c // BLOCK]
    number = np.where(block >= 0, raster.blocks.nearest[block, r % BLOCK, c % BLOCK], NONE)
    there = number != NONE
    segment = np.full(len(r), -1)
    segment[there] = raster.blocks.segment[raster.blocks.first[block[there]] + number[there]]
    return np.column_stack([raster.x + raster.step * c, raster.y + raster.step * r]), segment


def test_points_are_snapped_as_places_are(streets: Network) -> None:
    raster = snap_raster(streets, (0, 0, 600, 600), cell=10.0)
    xy, segment = points_of(raster)
    exact = snap(streets, xy)
    assert np.array_equal(exact.ok, (segment >= 0) & (exact.access <= 10_000) & exact.ok)
    near = exact.ok
    edge = raster.segments.edge[segment[near]]
    a, d = raster.segments.start[segment[near]], raster.segments.extent[segment[near]]
    share = np.clip(((xy[near] - a) * d).sum(axis=1) / (d**2).sum(axis=1), 0, 1)
    away = np.linalg.norm(a + share[:, None] * d - xy[near], axis=1)
    assert np.allclose(away, exact.access[near] / 100, atol=0.006)
    same = edge == exact.edge[near]
    assert same.mean() > 0.97, "ties at junctions may go either way, nothing else"
    offset = (raster.segments.along[segment[near]] + share * raster.segments.length[segment[near]]) * 100
    assert np.abs(offset - exact.offset[near])[same].max() <= 1.0


def test_whole_cells_are_put_on_streets_as_places_are(streets: Network) -> None:
    raster = snap_raster(streets, (0, 0, 600, 600), cell=10.0)
    cells, (rows, columns) = raster.on_streets(streets)
    r, c = (part.ravel() for part in np.mgrid[0:rows, 0:columns])
    exact = snap(streets, np.column_stack([raster.x + raster.cell * c, raster.y + raster.cell * r]))
    assert np.array_equal(cells.ok, exact.ok)
    assert np.abs(cells.access - exact.access).max() <= 1
    same = cells.edge == exact.edge
    assert same.mean() > 0.97, "ties at junctions may go either way, nothing else"
    assert np.abs(cells.offset - exact.offset)[same].max() <= 1


def test_blocks_know_the_stretch_and_distance_of_their_points(streets: Network) -> None:
    raster = snap_raster(streets, (0, 0, 600, 600), cell=10.0)
    xy, segment = points_of(raster)
    rows, columns = raster.shape
    r, c = (part.ravel() for part in np.mgrid[0:rows, 0:columns])
    block = raster.blocks.row[r // BLOCK, c // BLOCK]
    blocks, segments = raster.blocks, raster.segments
    for point in np.flatnonzero(segment >= 0)[::17]:
        s, b = segment[point], block[point]
        (entry,) = blocks.begin[b] + np.flatnonzero(
            blocks.edge[blocks.begin[b] : blocks.begin[b + 1]] == segments.edge[s]
        )
        line = shapely.linestrings([segments.start[s], segments.start[s] + segments.extent[s]])
        here = shapely.points(xy[point])
        along = segments.along[s] + shapely.line_locate_point(line, here)
        assert blocks.low[entry] - 1e-3 <= along <= blocks.high[entry] + 1e-3
        assert blocks.near[entry] - 1e-3 <= shapely.distance(line, here) <= blocks.far[entry] + 1e-3


def test_the_lattice_does_not_depend_on_the_box(streets: Network) -> None:
    one, other = snap_raster(streets, (0, 0, 300, 300)), snap_raster(streets, (123.4, 77.0, 580, 600))
    for raster in (one, other):
        assert raster.step == 10.0 / SAMPLES
        assert raster.x % (raster.step * BLOCK) == 0
        assert raster.y % (raster.step * BLOCK) == 0


def test_large_places_get_larger_cells_and_empty_ones_cost_nothing() -> None:
    line = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (60_000, 60_000)])], crs="EPSG:4548")
    network = build_network(line)
    raster = snap_raster(network, (0, 0, 60_000, 60_000), cell=10.0)
    assert raster.cell == 20.0
    rows, columns = raster.shape
    assert rows * columns <= (RASTER_CELLS_MAX + 4 * BLOCK * (rows + columns)) * SAMPLES**2
    assert raster.nbytes < 10e6, "blocks far from streets are not stored"
    assert snap_raster(network, (0, 59_000, 500, 60_000)).nbytes < 10_000


@pytest.mark.parametrize("cell", [0, -10, float("nan"), float("inf"), 5000])
def test_cells_that_cannot_be(streets: Network, cell: float) -> None:
    with pytest.raises(BadInput, match="cell"):
        snap_raster(streets, (0, 0, 10, 10), cell=cell)


def test_an_index_made_before_gives_the_same(streets: Network) -> None:
    one = snap_raster(streets, (0, 0, 600, 600))
    other = snap_raster(streets, (0, 0, 600, 600), index=segment_index(streets))
    assert all(
        np.array_equal(a, b)
        for a, b in zip((*one.segments, *one.blocks), (*other.segments, *other.blocks), strict=True)
    )
