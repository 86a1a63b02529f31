"""Levels: what --levels says, and grids inside grids judged by shapely and by hand."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gisgrid.coverage import check
from gisgrid.errors import BadInput
from gisgrid.models import Band
from planning.levels import Level, NestedPlan, band_about, parse_levels, partition_levels
from planning.partition import partition
from planning.partition.toy import toy_units

TOWN = (Level(Band(300, 500)), Level(Band(60, 130)), Level(kind="building"))


def assert_nested(plan: NestedPlan) -> None:
    """Every level covers the same ground without overlap, every grid is exactly the union of its children."""
    grids, owners = plan.grids, plan.owners
    ground = shapely.union_all(plan.units.geometry.to_numpy())
    assert grids["code"].is_unique
    for depth in range(owners.shape[1]):
        rows = np.flatnonzero(grids["level"] == depth + 1)
        assert np.unique(owners[:, depth]).tolist() == rows.tolist()
        shapes = grids.geometry.to_numpy()[rows]
        assert shapely.coverage_is_valid(shapes)
        assert shapely.area(shapely.symmetric_difference(shapely.union_all(shapes), ground)) < 1e-3
        made = np.bincount(owners[:, depth], plan.units["households"], minlength=len(grids))
        np.testing.assert_array_equal(made[rows], grids["households"].to_numpy()[rows])
        if depth:
            above = grids["code"].to_numpy()[owners[:, depth - 1]]
            assert (grids["parent"].to_numpy()[owners[:, depth]] == above).all()
            assert grids["code"].iloc[rows].str.startswith(tuple(set(above))).all()
            for code, children in grids.iloc[rows].groupby("parent"):
                parent = grids.geometry[grids["code"] == code].iloc[0]
                assert shapely.area(shapely.symmetric_difference(children.union_all(), parent)) < 1e-3
    layers = plan.layers()
    report = check(layers["grids"], units=layers["units"])
    assert report.ok, report.lines()


# --- what --levels says -----------------------------------------------------------------


def test_levels_are_read() -> None:
    assert parse_levels("34/158/854") == (Level(grids=34), Level(grids=158), Level(grids=854))
    assert parse_levels(" 300:500 , 60:130,building / entrance") == (
        Level(Band(300, 500)), Level(Band(60, 130)), Level(kind="building"), Level(kind="entrance"),
    )  # fmt: skip
    assert parse_levels("16@500:2000/48") == (Level(Band(500, 2000), 16), Level(grids=48))
    assert [str(level) for level in parse_levels("16@500:2000/48/10:20/building")] == [
        "16@500:2000", "48", "10:20", "building",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "'' is no level"),
        ("34//854", "'' is no level"),
        ("34/many", "'many' is no level"),
        ("3.5", "'3.5' is no level"),
        ("-3", "'-3' is no level"),
        ("0/4", "'0' asks for no grid"),
        ("500:300", "minimum is above"),
        ("4@5", "'5' is not MIN:MAX"),
        ("4@", "'4@' is no level"),
        ("building", "first one must be"),
        ("300:500/entrance/building", "building and entrance come last"),
        ("300:500/building/building", "building and entrance come last, once"),
        ("300:500/building/4:9", "building and entrance come last"),
        ("34/30", "fewer grids than the level above"),
        ("60:130/300:500", "larger grids than the level above"),
    ],
)
def test_nonsense_is_named(text: str, part: str) -> None:
    with pytest.raises(BadInput, match=part):
        parse_levels(text)


def test_a_number_of_grids_stands_for_a_band_about_the_mean() -> None:
    even = np.full(100, 4.0)
    assert band_about(even, 1) == Band(266, 534)
    assert band_about(even, 10) == Band(26, 54)
    # ten towers of 50 stand alone: the other 390 households share 30 grids, not 40
    towers = np.concatenate([np.full(10, 50.0), np.full(130, 3.0)])
    assert band_about(towers, 40) == Band(8, 18)
    assert band_about(np.zeros(3), 5).high >= 1


# --- plans ------------------------------------------------------------------------------


def test_every_level_is_in_band_and_nests() -> None:
    units = toy_units(16, 12, households=20)
    plan = partition_levels(units, None, TOWN, effort=0.3)
    assert plan.feasible
    assert not plan.reasons
    assert_nested(plan)
    for depth, band in ((1, Band(300, 500)), (2, Band(60, 130))):
        loads = plan.grids["households"][plan.grids["level"] == depth]
        assert loads.between(band.low, band.high).all()
        assert plan.stats["levels"][depth - 1]["in_band"] == 1.0
    assert (plan.grids["level"] == 3).sum() == len(units)
    assert plan.grids["name"].iloc[-1].endswith("栋")
    assert set(plan.grids["code"].str.len()) == {15, 17, 19}


def test_the_first_level_is_the_plan_without_levels() -> None:
    units = toy_units(16, 12, households=20)
    alone = partition(units, band=Band(300, 500), effort=0.3, seed=3)
    plan = partition_levels(units, None, TOWN[:2], effort=0.3, seed=3)
    first = plan.grids[plan.grids["level"] == 1]
    assert first["code"].tolist() == alone.grids["code"].tolist()
    assert (plan.owners[:, 0] == alone.assignment).all()
    assert (shapely.equals_exact(first.geometry.to_numpy(), alone.grids.geometry.to_numpy())).all()
    again = partition_levels(units, None, TOWN[:2], effort=0.3, seed=3)
    assert (again.owners == plan.owners).all()
    assert again.grids.to_wkb().equals(plan.grids.to_wkb())


def test_counts_are_met_over_all_parents() -> None:
    rng = np.random.default_rng(5)
    units = toy_units(24, 20)
    units["households"] = rng.integers(2, 9, len(units))
    units["community"] = np.where(np.arange(len(units)) % 24 < 10, "379902001001", "379902001002")
    plan = partition_levels(units, None, parse_levels("7/31/120"), effort=0.3)
    assert plan.grids["level"].value_counts().to_dict() == {1: 7, 2: 31, 3: 120}
    assert_nested(plan)
    assert plan.feasible, [reason.text for reason in plan.reasons]


def park_town() -> gpd.GeoDataFrame:
    """Homes about a park of 6 × 6 squares (9 ha)."""
    units = toy_units(20, 16, households=12)
    column, row = np.arange(len(units)) % 20, np.arange(len(units)) // 20
    park = (column >= 4) & (column < 10) & (row >= 4) & (row < 10)
    units["kind"] = np.where(park, "park", "residential")
    units.loc[park, "households"] = 0
    units["compound_id"] = None
    return units


def test_special_grids_are_divided_by_ground_and_not_mixed() -> None:
    units = park_town()
    plan = partition_levels(units, None, parse_levels("300:500/50:110"), special_area=22_500, effort=0.3)
    assert plan.feasible
    assert_nested(plan)
    grids = plan.grids
    parks = grids[(grids["kind"] == "park") & (grids["level"] == 2)]
    assert (grids["kind"] == "park")[grids["level"] == 1].sum() == 1
    assert len(parks) == 4
    assert parks.area.between(11_000, 34_000).all()
    inside = units["kind"].eq("park").to_numpy()
    assert (grids["kind"].to_numpy()[plan.owners[inside, 1]] == "park").all()
    assert (grids["kind"].to_numpy()[plan.owners[~inside, 1]] == "ordinary").all()
    assert plan.stats["levels"][1]["special_grids"] == 4


def test_a_number_of_grids_counts_special_ones_in() -> None:
    plan = partition_levels(park_town(), None, parse_levels("9/40"), special_area=22_500, effort=0.3)
    assert plan.grids["level"].value_counts().to_dict() == {1: 9, 2: 40}
    first = plan.stats["levels"][0]
    assert (first["ordinary_grids"], first["special_grids"]) == (8, 1)
    assert plan.feasible, [reason.text for reason in plan.reasons]


def test_units_above_the_band_are_named_with_their_parent() -> None:
    units = toy_units(12, 10, households=10)
    units["compound_id"] = None
    units["buildings"] = 1
    units.loc[17, "households"] = 70
    plan = partition_levels(units, None, parse_levels("300:500/20:40"), effort=0.3)
    assert not plan.feasible
    (reason,) = plan.reasons
    assert (reason.code, reason.level, reason.units) == ("unit_above_band", 2, ("17",))
    parent = plan.grids["code"].iloc[plan.owners[17, 0]]
    assert reason.community == parent
    assert f"level 2, grid {parent}: units alone above 40 households: 17 (70); divide them" in reason.text
    assert "by entrance" in reason.text
    loads = plan.grids["households"][plan.grids["level"] == 2].to_numpy()
    assert sorted(set(loads[(loads < 20) | (loads > 40)].tolist())) == [70]
    assert_nested(plan)


def test_a_parent_that_fits_no_count_is_named() -> None:
    units = toy_units(8, 4, households=10)
    plan = partition_levels(units, None, parse_levels("320:320/180:200"), effort=0.3)
    assert not plan.feasible
    (reason,) = plan.reasons
    assert reason.level == 2
    assert reason.code == "total_fits_no_count"
    assert f"320 households of grid {plan.grids['code'].iloc[0]} " in reason.text
    assert_nested(plan)


def test_more_grids_than_units_is_said() -> None:
    plan = partition_levels(toy_units(8, 6), None, parse_levels("6/60"), effort=0.2)
    assert (plan.grids["level"] == 2).sum() == 48
    assert any("60 grids were asked for and 48 made" in reason.text for reason in plan.reasons)


def test_codes_are_as_wide_as_the_level_needs() -> None:
    units = toy_units(20, 20, households=1)
    plan = partition_levels(units, None, parse_levels("150:250/building"), effort=0.2)
    assert set(plan.grids["code"].str.len()) == {15, 18}
    assert_nested(plan)
    assert plan.stats["levels"][1]["children_most"] > 99


def test_no_time_still_gives_every_level() -> None:
    plan = partition_levels(toy_units(16, 12, households=20), None, TOWN, time_limit=0)
    assert plan.stats["cut_by_time"]
    assert_nested(plan)


def test_progress_runs_through_the_levels() -> None:
    seen: list[tuple[float, str]] = []
    partition_levels(
        toy_units(12, 10, households=20),
        None,
        TOWN,
        effort=0.2,
        progress=lambda share, note: seen.append((share, note)),
    )
    shares = [share for share, _ in seen]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert {note.split(":")[0] for _, note in seen} == {"level 1", "level 2", "done"}


# --- buildings and entrances ------------------------------------------------------------


def test_empty_units_join_the_building_they_border_longest() -> None:
    units = toy_units(6, 1, households=50)
    units.loc[[2, 3], "households"] = 0
    units["buildings"] = [1, 1, 0, 0, 0, 1]
    units.loc[4, "households"] = 50
    # the two empty ones in the middle: each has one settled neighbour
    plan = partition_levels(units, None, parse_levels("150:250/building"), effort=0.2)
    label = plan.owners[:, 1] - plan.owners[:, 1].min()
    assert label.tolist() == [0, 1, 1, 2, 2, 3]
    assert_nested(plan)
    # a building nobody lives in keeps a grid of its own
    units["buildings"] = [1, 1, 0, 1, 1, 1]
    plan = partition_levels(units, None, parse_levels("150:250/building"), effort=0.2)
    assert (plan.owners[:, 1] - plan.owners[:, 1].min()).tolist() == [0, 1, 1, 2, 3, 4]


def strips(units: gpd.GeoDataFrame, rows: list[int], count: int = 3) -> gpd.GeoDataFrame:
    """The units of `rows` cut into `count` upright strips of equal households."""
    west, south, east, north = units.geometry.iloc[rows].bounds.to_numpy().T
    step = (east - west) / count
    parts = [shapely.box(west + i * step, south, west + (i + 1) * step, north) for i in range(count)]
    ids = units["unit_id"].iloc[rows].tolist()
    return gpd.GeoDataFrame(
        {
            "unit_id": [f"{one}-{i + 1}" for i in range(count) for one in ids],
            "building_unit": [one for _ in range(count) for one in ids],
            "households": [load / count for _ in range(count) for load in units["households"].iloc[rows]],
        },
        geometry=np.concatenate(parts),
        crs=units.crs,
    )


def test_six_levels_down_to_the_entrance() -> None:
    units = toy_units(8, 6, households=12)
    units.loc[[10, 11], "households"] = 0
    finer = strips(units, [0, 9, 20])
    plan = partition_levels(units, None, parse_levels("150:300/60:130/building/entrance"), finer=finer, effort=0.2)
    assert plan.feasible
    assert_nested(plan)
    assert len(plan.units) == 48 + 2 * 3
    counts = plan.grids["level"].value_counts()
    assert counts[3] == 46
    assert counts[4] == 46 + 2 * 3
    names = plan.units["unit_id"].astype(str)
    for unit in (0, 9, 20):
        mine = names.str.fullmatch(f"{unit}-\\d").to_numpy()
        assert mine.sum() == 3
        assert len(np.unique(plan.owners[mine, 2])) == 1
        assert len(np.unique(plan.owners[mine, 3])) == 3
    # the empty unit beside a divided building joins one of its entrances or another building, never its own
    assert (plan.grids["households"][plan.grids["level"] == 4] > 0).all()
    assert plan.grids["name"].iloc[-1].endswith("单元")


def test_entrances_keep_the_numbers_on_their_doors() -> None:
    units = toy_units(8, 6, households=12)
    finer = strips(units, [0, 9]).assign(entrance=[3, 1, 2, 2, 1, 3])  # unit 0: 3, 2, 1 from the west; unit 9: 1, 2, 3
    levels = parse_levels("150:300/building/entrance")
    plan = partition_levels(units, None, levels, finer=finer, effort=0.2)
    assert_nested(plan)
    names = plan.units["unit_id"].astype(str)
    for piece, door in (("0-1", 3), ("0-2", 2), ("0-3", 1), ("9-1", 1), ("9-2", 2), ("9-3", 3)):
        row = plan.grids.iloc[plan.owners[names == piece, 2][0]]
        assert row["code"].endswith(f"{door:02d}")
        assert row["name"].endswith(f"栋{door}单元")


def test_entrances_that_do_not_fit_their_units_are_refused() -> None:
    units = toy_units(8, 6, households=12)
    levels = parse_levels("150:300/entrance")
    good = strips(units, [0, 9])
    with pytest.raises(BadInput, match="entrance needs the units divided"):
        partition_levels(units, None, levels)
    with pytest.raises(BadInput, match="no building_unit column"):
        partition_levels(units, None, levels, finer=good.drop(columns="building_unit"))
    with pytest.raises(BadInput, match="'nowhere' is no unit_id"):
        partition_levels(units, None, levels, finer=good.assign(building_unit="nowhere"))
    with pytest.raises(BadInput, match=r"the entrances of unit 0 have 1666\.67 m² and the unit 2500"):
        partition_levels(units, None, levels, finer=good.iloc[2:])
    with pytest.raises(BadInput, match="have 15 households and the unit 12"):
        partition_levels(units, None, levels, finer=good.assign(households=5))
    with pytest.raises(BadInput, match="unit_id 5 is on an entrance and on another piece"):
        partition_levels(units, None, levels, finer=good.assign(unit_id=["5", *good["unit_id"][1:]]))


def test_bad_numbers_are_refused() -> None:
    units = toy_units(8, 6)
    for name, value in (("special_area", 0), ("time_limit", -1), ("seed", -1)):
        with pytest.raises(BadInput, match="give"):
            partition_levels(units, None, TOWN[:2], **{name: value})  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="no households column"):
        partition_levels(units.drop(columns="households"), None, TOWN)
    with pytest.raises(BadInput, match="no unit_id column"):
        partition_levels(units.drop(columns="unit_id"), None, TOWN)
