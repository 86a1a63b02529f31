"""Grids taken over to other units, and drawn from numbers."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planning.carry import carried, drawn, grids_by_number

CRS = "EPSG:4547"
ONE, TWO = "370811001001", "370811001002"


def cells(columns: int = 8, rows: int = 4, size: float = 10.0) -> gpd.GeoDataFrame:
    """Square units of 10 households; the left half is one community, the right another."""
    at = [(x, y) for y in range(rows) for x in range(columns)]
    return gpd.GeoDataFrame(
        {
            "unit_id": [f"u{x}-{y}" for x, y in at],
            "households": 10,
            "population": 25,
            "kind": "residential",
            "community": [ONE if x < columns / 2 else TWO for x, _ in at],
        },
        geometry=[shapely.box(x * size, y * size, (x + 1) * size, (y + 1) * size) for x, y in at],
        crs=CRS,
    )


def two_levels() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Units with the codes of their grids on two levels, and the grids: halves of communities, some of them halved."""
    units = cells()
    x, y = (shapely.get_coordinates(shapely.centroid(units.geometry.to_numpy()))[:, axis] for axis in (0, 1))
    first = [f"{community}00{1 + (py > 20)}" for community, py in zip(units["community"], y, strict=True)]
    deep = [
        code + ("01" if px % 40 < 20 else "02") if code.startswith(ONE) else None
        for code, px in zip(first, x, strict=True)
    ]
    units = units.assign(grid=first, grid_2=np.array(deep, dtype=object))
    rows: list[dict[str, Any]] = []
    for level, name in ((1, "grid"), (2, "grid_2")):
        for code, mine in units[units[name].notna()].groupby(name):
            rows.append(
                {
                    "code": code, "name": code, "level": level, "parent": str(code)[:-2] if level > 1 else None,
                    "community": str(code)[:12], "kind": "ordinary", "geometry": mine.union_all(),
                }
            )  # fmt: skip
    return units, gpd.GeoDataFrame(rows, crs=CRS)


def codes(grids: gpd.GeoDataFrame, owner: np.ndarray) -> np.ndarray:
    return np.append(grids["code"].to_numpy(object), None)[owner]


def test_units_that_are_the_same_keep_their_grids_whatever_the_shapes_say() -> None:
    known, grids = two_levels()
    shuffled = known.sample(frac=1, random_state=3).reset_index(drop=True)
    grids = grids.set_geometry(grids.geometry.translate(500))  # nothing overlaps any more
    found = carried(shuffled.drop(columns=["grid", "grid_2"]), grids, known)
    assert found.same
    assert (codes(grids, found.owner[:, 0]) == shuffled["grid"]).all()
    assert pd.Series(codes(grids, found.owner[:, 1])).equals(pd.Series(shuffled["grid_2"].to_numpy(object)))


def test_other_units_take_the_grid_that_covers_most_of_them() -> None:
    _, grids = two_levels()
    units = cells(5, 3, 16.0)  # cuts across the grids
    units["community"] = np.where(
        shapely.get_coordinates(shapely.centroid(units.geometry.to_numpy()))[:, 0] < 40, ONE, TWO
    )
    found = carried(units, grids)
    assert not found.same
    for level in (1, 2):
        mine = grids[grids["level"] == level].reset_index(drop=True)
        share = shapely.area(
            shapely.intersection(units.geometry.to_numpy()[:, None], mine.geometry.to_numpy()[None, :])
        )
        above = mine["parent" if level > 1 else "community"].to_numpy(str)
        own = units["community"].to_numpy(str) if level == 1 else codes(grids, found.owner[:, 0]).astype(str)
        share = np.where(above[None, :] == own[:, None], share, -1.0)
        wanted = np.where(share.max(axis=1) > 0, mine["code"].to_numpy(object)[share.argmax(axis=1)], None)
        got = codes(grids, found.owner[:, level - 1])
        near = share.max(axis=1) == 0  # beside all of its grids: the nearest of them
        assert (got[~near] == wanted[~near]).all()
        assert all(code is not None and code[: len(o)] == o for code, o in zip(got[near], own[near], strict=True))


def test_grids_are_the_union_of_their_units_and_add_up() -> None:
    known, grids = two_levels()
    owner = carried(known.drop(columns=["grid", "grid_2"]), grids, known).owner
    made, rows = drawn(known, owner, pd.DataFrame(grids.drop(columns="geometry")))
    assert (rows == owner).all()
    assert shapely.equals(made.geometry.to_numpy(), grids.geometry.to_numpy()).all()
    for level, name in ((1, "grid"), (2, "grid_2")):
        sums = known.groupby(name)[["households", "population"]].sum()
        mine = made[made["level"] == level].set_index("code")
        assert (mine[["households", "population"]] == sums).all().all()
    area, length = made.geometry.area, made.geometry.length
    np.testing.assert_allclose(made["compactness"], 4 * np.pi * area / length**2)


def test_a_grid_without_units_is_left_out() -> None:
    known, grids = two_levels()
    owner = carried(known.drop(columns=["grid", "grid_2"]), grids, known).owner
    lost = int(owner[0, 0])
    owner[owner[:, 0] == lost] = -1
    made, rows = drawn(known, owner, pd.DataFrame(grids.drop(columns="geometry")))
    assert grids["code"][lost] not in set(made["code"])
    kept = owner[:, 0] >= 0
    assert (codes(made, rows[kept, 0]) == codes(grids, owner[kept, 0])).all()


def test_numbers_become_codes_that_go_on_where_most_households_do() -> None:
    units, grids = two_levels()
    old = units["grid"].to_numpy(object).copy()
    number = pd.factorize(old)[0].astype(np.int32) * 7  # any numbers
    number[0] = -1
    mine = np.flatnonzero(old == old[1])
    number[mine[3:5]] = 1000  # a new grid of two units
    made, owner, going = grids_by_number(units, number, old_code=list(old), taken=[f"{ONE}003"])
    got = codes(made, owner[:, 0])
    assert got[0] is None
    rest = np.setdiff1d(np.arange(1, len(units)), mine[3:5])
    assert (got[rest] == old[rest]).all()
    assert going == sorted(set(grids[grids["level"] == 1]["code"]))
    assert set(got[mine[3:5]]) == {f"{ONE}004"}  # 003 is taken
    assert (made["community"] == made["code"].str[:12]).all()
    assert made["households"].sum() == 10 * (len(units) - 1)


def test_grids_nobody_lives_in_are_of_the_kind_of_their_largest_special_unit() -> None:
    units = cells()
    units.loc[units.index < 2, "households"] = 0
    units.loc[units.index < 2, "kind"] = ["park", "school"]
    units.loc[0, "geometry"] = units.geometry[0].buffer(0.001)
    number = np.ones(len(units), dtype=np.int32)
    number[:2] = 0
    number[units["community"].to_numpy() == TWO] = 2
    made, _, _ = grids_by_number(units, number)
    assert sorted(made["kind"]) == ["ordinary", "ordinary", "park"]


def test_nothing_yet() -> None:
    made, owner, going = grids_by_number(cells(), np.full(32, -1, dtype=np.int32))
    assert (len(made), going) == (0, [])
    assert (owner == -1).all()
