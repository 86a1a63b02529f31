"""Problems of a plan, each found from shapes and counts in another way; fixes never make what must hold worse."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.errors import BadInput, Conflict
from gisgrid.metrics import compounds_split
from gisgrid.models import Band
from planning.figures import pieces_of, plan_stats
from planning.fixes import Bench, fix, score
from planning.ground import Ground, ground_of
from planning.problems import Shown, problem_json, problems_of

COLUMNS, ROWS, SIDE = 12, 6, 50.0
UNITS = COLUMNS * ROWS
BAND = Band(90, 150)


def made_ground() -> Ground:
    """72 square units of ten households, the right half another community, a main road between columns 2 and 3, a
    compound of every two units side by side."""
    number = np.arange(UNITS)
    x, y = number % COLUMNS, number // COLUMNS
    shapes = shapely.box(500_000 + x * SIDE, 4e6 + y * SIDE, 500_000 + (x + 1) * SIDE, 4e6 + (y + 1) * SIDE)
    units = gpd.GeoDataFrame(
        {
            "unit_id": [f"u{one}" for one in number], "households": 10, "population": 30, "elderly": 5, "priority": 0,
            "buildings": 1, "compound_id": [f"c{one // 2}" for one in number], "kind": "residential",
            "community": np.where(x < COLUMNS // 2, "370811001001", "370811001002"),
        },
        geometry=shapes, crs="EPSG:4548",
    )  # fmt: skip
    road = shapely.LineString([(500_000 + 3 * SIDE, 4e6 - 10), (500_000 + 3 * SIDE, 4e6 + ROWS * SIDE + 10)])
    streets = gpd.GeoDataFrame({"cls": ["primary"]}, geometry=[road], crs="EPSG:4548")
    return ground_of(units, streets, {})


GROUND = made_ground()
X, Y = np.arange(UNITS) % COLUMNS, np.arange(UNITS) // COLUMNS


def shown_of(owner: Any, *, ordinary: Any = None, band: Band | None = BAND) -> Shown:
    owner = np.asarray(owner, dtype=np.int64)
    count = int(owner.max(initial=-1)) + 1
    codes = [f"3708110010010{number:02d}" for number in range(count)]
    kinds = np.ones(count, dtype=bool) if ordinary is None else np.asarray(ordinary)
    return Shown(GROUND, 1, owner, codes, kinds, GROUND.community.astype(np.int64), band)


def columns() -> Any:
    """Grids of two columns, 120 households each."""
    return X // 2


def found(shown: Shown, kind: str) -> list[Any]:
    return [one for one in problems_of(shown) if one.kind == kind]


def no_engine(rows: Any, label: Any) -> Any:
    del rows
    return label


def bench_of(shown: Shown, locked: tuple[int, ...] = ()) -> Bench:
    return Bench(shown, np.isin(np.arange(len(shown.codes)), locked), no_engine)


def test_a_sound_plan_has_but_the_road() -> None:
    problems = problems_of(shown_of(columns()))
    assert [(one.kind, one.grids) for one in problems] == [("crosses_barrier", (1,))]
    (road,) = problems
    assert road.amount == pytest.approx(ROWS * SIDE, rel=1e-3)
    assert set(road.units.tolist()) <= set(np.flatnonzero(X // 2 == 1).tolist())


def test_a_road_the_community_forces_across_is_no_problem() -> None:
    forced = shown_of(np.where(X < 6, 0, 1), band=Band(300, 400))  # 180 households west of the road: none alone in band
    assert not found(forced, "crosses_barrier")


def test_a_broken_grid_shows_its_smaller_pieces() -> None:
    owner = columns()
    owner[X == 5] = np.where(Y[X == 5] == 0, 0, owner[X == 5])
    (problem,) = found(shown_of(owner), "broken")
    assert (problem.grids, problem.amount, problem.units.tolist()) == ((0,), 2.0, [5])


def test_an_enclave_lies_inside_one_other_grid() -> None:
    owner = np.zeros(UNITS, dtype=int) + (X >= 6)
    owner[(X == 2) & (Y == 2)] = 2
    (problem,) = found(shown_of(owner), "enclave")
    assert (problem.grids, problem.units.tolist()) == ((2, 0), [2 + 2 * COLUMNS])
    special = [True, True, False]
    assert not found(shown_of(owner, ordinary=special), "enclave"), "a school among houses is as it should be"
    rim = owner.copy()
    rim[(X == 2) & (Y < 2)] = 2
    assert not found(shown_of(rim), "enclave"), "what touches the outside is no enclave"


def test_unassigned_units_are_joined_where_they_touch() -> None:
    owner = columns()
    owner[[0, 1, 30]] = -1
    assert [one.units.tolist() for one in found(shown_of(owner), "unassigned")] == [[0, 1], [30]]


def test_problems_are_told_with_bounds_and_sentences() -> None:
    owner = columns()
    owner[[0]] = -1
    shown = shown_of(owner)
    (told,) = [problem_json(shown, one) for one in problems_of(shown) if one.kind == "unassigned"]
    west, south, east, north = told["bbox"]
    assert 116 < west < east < 118
    assert 36 < south < north < 37
    assert "1个单元（10户）" in told["text_zh"]
    assert "1 unit without a grid, 10 households" in told["text_en"]


OWNERS = st.lists(st.integers(-1, 6), min_size=UNITS, max_size=UNITS)


@given(OWNERS)
@settings(max_examples=40)
def test_problems_equal_shapes_and_counts(given_owner: list[int]) -> None:
    owner = np.array(given_owner)
    owner = np.where((owner >= 0) & (X >= 6), owner + 7, owner)  # no grid lies in two communities
    shown = shown_of(owner)
    boxes = shapely.box(X, Y, X + 1, Y + 1)
    households = {grid: 10 * int((owner == grid).sum()) for grid in np.unique(owner[owner >= 0]).tolist()}
    wrong = {grid: max(BAND.low - h, h - BAND.high) for grid, h in households.items() if not BAND.contains(h)}
    assert {one.grids[0]: one.amount for one in found(shown, "out_of_band")} == wrong
    parts = {}
    for grid in households:
        union = shapely.union_all(boxes[owner == grid])
        inner = shapely.union_all(shapely.buffer(shapely.get_parts(union), -1e-9))  # corners do not join
        parts[grid] = shapely.get_num_geometries(inner)
    assert {one.grids[0]: one.amount for one in found(shown, "broken")} == {g: n for g, n in parts.items() if n > 1}
    assert sum(len(one.units) for one in found(shown, "unassigned")) == int((owner < 0).sum())
    has = owner >= 0
    names = np.array([f"{c}-{h}" for c, h in zip(GROUND.compound, GROUND.community, strict=True)], dtype=object)
    fitting = compounds_split(names[has], owner[has], GROUND.households[has], BAND.high)
    together: dict[int, set[int]] = {}
    for unit in np.flatnonzero(owner >= 0).tolist():
        together.setdefault(int(GROUND.compound[unit]), set()).add(int(owner[unit]))
    split = {key for key, grids in together.items() if len(grids) > 1}
    assert {one.compound for one in found(shown, "split_compound")} == {GROUND.compounds[key] for key in split}
    assert fitting.split == len(split)
    for one in found(shown, "enclave"):
        hole = shapely.union_all(boxes[one.units])
        around = shapely.union_all(boxes[owner == one.grids[1]])
        ring = shapely.get_exterior_ring(shapely.get_parts(hole))
        assert all(around.buffer(1e-9).covers(part) for part in ring)
        assert found(shown, "enclave").count(one) == 1
    stats = plan_stats(GROUND, owner, np.ones(len(shown.codes), bool), BAND)
    assert stats["units_unassigned"] == int((owner < 0).sum())
    assert stats["grids_broken"] == sum(n > 1 for n in parts.values())


# --- mending ---


def test_unassigned_units_join_the_neighbour_they_fit_into() -> None:
    owner = columns()
    owner[[0, 1]] = -1  # grid 0 is left with 100 households, grid 1 has 120
    mended = fix(bench_of(shown_of(owner)), "assign_neighbour", [], np.array([0, 1]))
    assert mended.tolist() == columns().tolist()


def test_a_piece_joins_its_neighbour_and_locked_grids_do_not_take_it() -> None:
    owner = columns()
    owner[5] = 0
    shown = shown_of(owner)
    mended = fix(bench_of(shown), "reconnect", [0], np.array([]))
    assert score(shown, mended) == (0, 0, 0)
    assert mended[5] == 2
    with pytest.raises(Conflict, match="no grid that may take them"):
        fix(bench_of(shown, locked=(1, 2)), "reconnect", [0], np.array([]))
    with pytest.raises(Conflict, match="is locked"):
        fix(bench_of(shown, locked=(0,)), "reconnect", [0], np.array([]))


def test_an_enclave_is_taken_in_only_where_it_fits() -> None:
    owner = np.where(X < 6, 0, 1)
    owner[(X == 2) & (Y == 2)] = 2
    roomy = shown_of(owner, band=Band(100, 400))
    assert fix(bench_of(roomy), "absorb_enclave", [2], np.array([], int)).tolist() == np.where(X < 6, 0, 1).tolist()
    full = shown_of(owner, band=Band(5, 355))
    with pytest.raises(Conflict) as told:
        fix(bench_of(full), "absorb_enclave", [2], np.array([], int))
    assert told.value.code == "nothing_better"
    with pytest.raises(BadInput):
        fix(bench_of(full), "absorb_enclave", [1], np.array([], int))


def test_a_compound_comes_together() -> None:
    owner = columns()
    owner[0] = 1  # its other half is unit 1, in grid 0
    owner[[2, 3]] = 0
    owner[0], owner[1] = 0, 0
    owner[2] = 1  # compound c1 (units 2 and 3) lies in both
    mended = fix(bench_of(shown_of(owner)), "rejoin_compound", [], np.array([2]))
    assert mended[2] == mended[3]


@pytest.mark.parametrize("kind", ["reconnect", "assign_neighbour", "absorb_enclave", "rejoin_compound"])
@given(given_owner=OWNERS, grid=st.integers(0, 13), unit=st.integers(0, UNITS - 1), locked=st.sets(st.integers(0, 13)))
@settings(max_examples=25)
def test_no_fix_makes_anything_worse(kind: str, given_owner: Any, grid: int, unit: int, locked: set[int]) -> None:
    owner = np.array(given_owner)
    owner = np.where((owner >= 0) & (X >= 6), owner + 7, owner)
    shown = shown_of(owner)
    if grid >= len(shown.codes) or not (owner == grid).any():
        return
    try:
        mended = fix(bench_of(shown, tuple(locked)), kind, [grid], np.array([unit]))
    except (Conflict, BadInput):
        return
    before, after = score(shown, owner), score(shown, mended)
    assert after < before or kind in ("rejoin_compound", "absorb_enclave")
    assert after.unassigned <= before.unassigned
    if kind != "assign_neighbour":
        assert after.broken <= before.broken
        assert after.outside_band <= before.outside_band
    for one in locked & set(range(len(shown.codes))):
        assert np.array_equal(owner == one, mended == one), "a locked grid stays as it is"
    west = set(mended[X < 6].tolist()) - {-1}
    assert not west & set(mended[X >= 6].tolist())
    assert not ((owner >= 0) & (mended < 0)).any()


def test_pieces_are_those_of_the_arcs() -> None:
    piece = pieces_of(GROUND, columns())
    assert len(np.unique(piece)) == 6
