"""What becomes of old grids and households: small plans worked out by hand."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from gisgrid.errors import BadInput
from planning.changes import boundary_kept, changes, churn_bound, heirs, least_churn


def test_the_larger_overlap_goes_on() -> None:
    assert heirs([[300, 120], [0, 90]]).tolist() == [0, 1]


def test_the_best_total_wins_over_the_best_single_pair() -> None:
    # 100 alone would leave the second old grid without an heir: 90 + 80 keeps more
    assert heirs([[100, 90], [80, 0]]).tolist() == [1, 0]


def test_grids_nobody_lives_in_follow_the_ground() -> None:
    assert heirs(np.zeros((2, 2)), np.array([[10.0, 900.0], [0.0, 30.0]])).tolist() == [1, -1]


def test_area_decides_between_equals_only() -> None:
    assert heirs([[50, 50]], [[10.0, 20.0]]).tolist() == [1]
    assert heirs([[51, 50]], [[10.0, 1e9]]).tolist() == [0]


def test_no_overlap_is_no_heir() -> None:
    assert heirs([[0, 0], [0, 5]]).tolist() == [-1, 1]
    assert heirs(np.zeros((0, 3))).tolist() == []
    assert heirs(np.zeros((2, 0))).tolist() == [-1, -1]


@pytest.mark.parametrize("wrong", [[[-1.0]], [[float("nan")]]])
def test_overlaps_must_be_numbers(wrong: list[list[float]]) -> None:
    with pytest.raises(BadInput, match="at least 0"):
        heirs(wrong)


def test_shapes_must_agree() -> None:
    with pytest.raises(BadInput, match="shape"):
        heirs([[1.0]], [[1.0, 2.0]])


def test_a_city_is_matched_at_once() -> None:
    rng = np.random.default_rng(0)
    olds = np.repeat(np.arange(900), 6)
    news = np.clip(olds + rng.integers(-2, 3, len(olds)), 0, 899)
    overlap = sparse.coo_array((rng.integers(1, 300, len(olds)), (olds, news)), shape=(900, 900))
    begun = time.monotonic()
    found = heirs(overlap)
    assert time.monotonic() - begun < 20.0  # 0.05 s alone on the machine
    assert len(set(found[found >= 0].tolist())) == (found >= 0).sum()


def test_what_a_split_forces_to_move() -> None:
    # 600 households become two grids of at least 200: 200 of them leave the old one
    assert churn_bound([600], 0, 2, 200, 500) == 200
    # at least 300 each: half
    assert churn_bound([600], 0, 2, 300, 500) == 300
    # too large for one: what is above the band leaves in any case
    assert churn_bound([900], 0, 2, 300, 500) == 400


def test_what_a_merge_forces_to_move() -> None:
    assert churn_bound([200, 100], 0, 1, 200, 400) == 100


def test_nothing_has_to_move_when_all_are_in_band() -> None:
    assert churn_bound([300, 400, 500], 0, 3, 300, 500) == 0


def test_newcomers_fill_new_grids_first() -> None:
    assert churn_bound([400, 400], 300, 3, 300, 500) == 0
    assert churn_bound([400, 400], 250, 3, 300, 500) == 50


def test_without_a_plan_in_band_only_the_counts_bind() -> None:
    assert churn_bound([400, 100], 0, 1, 100, 200) == 100
    assert churn_bound([400, 100], 0, 5, 300, 500) == 0
    assert churn_bound([400], 0, 0, 300, 500) == 400
    assert churn_bound([], 100, 1, 50, 200) == 0


def test_bound_refuses_what_is_no_number() -> None:
    with pytest.raises(BadInput):
        churn_bound([float("nan")], 0, 1, 300, 500)
    with pytest.raises(BadInput):
        churn_bound([1.0], 0, -1, 300, 500)


def test_bound_by_parts_leaves_special_grids_out() -> None:
    old = ["a", "a", "b", "b", "", "p"]
    new = ["1", "2", "3", "3", "3", "park"]
    households = [300, 300, 200, 200, 50, 7]
    parts = ["x", "x", "y", "y", "y", "y"]
    assert least_churn(old, new, households, 300, 500, parts=parts, special=["park"]) == 300
    # as one part the newcomers help to fill the grid that is born
    assert least_churn(old, new, households, 300, 500, special=["park"]) == 250


OLD = ["A", "A", "A", "B", "B", "C", None, "D"]
NEW = ["1", "1", "2", "3", "3", "3", "3", ""]
HOUSEHOLDS = [100, 100, 150, 200, 100, 90, 30, 5]


def test_changes_of_a_small_plan() -> None:
    found = changes(OLD, NEW, HOUSEHOLDS, population=[2 * h for h in HOUSEHOLDS])
    assert found.heirs == {"A": "1", "B": "3"}
    assert found.births == ("2",)
    assert found.ends == ("C", "D")
    assert found.moved.tolist() == [False, False, True, False, False, True, False, True]
    assert (found.households, found.moved_households, found.kept_households) == (745, 245, 500)
    assert (found.moved_population, found.new_households) == (490, 30)
    assert found.moved_share == pytest.approx(245 / 745)
    assert found.splits == (("A", (("1", 200.0, 200 / 350), ("2", 150.0, 150 / 350))),)
    assert found.merges == (("3", (("B", 300.0, 300 / 390), ("C", 90.0, 90 / 390))),)
    assert found.moves.to_dict("list") == {
        "old": ["A", "C", "D"], "new": ["2", "3", ""], "units": [1, 1, 1], "households": [150.0, 90.0, 5.0],
        "population": [300.0, 180.0, 10.0],
    }  # fmt: skip


def test_changes_as_json() -> None:
    facts = changes(OLD, NEW, HOUSEHOLDS).as_dict()
    assert facts["moved_households"] == 245
    assert facts["moved_units"] == 3
    assert facts["births"] == ["2"]
    assert facts["moves"][0] == {"old": "A", "new": "2", "units": 1, "households": 150, "population": 0}
    assert facts["splits"][0]["into"][0] == {"new": "1", "households": 200, "share": 0.5714}


def test_a_small_slice_is_no_split() -> None:
    found = changes(["A"] * 2, ["1", "2"], [500, 19])
    assert found.splits == ()
    assert found.moved_households == 19
    assert changes(["A"] * 2, ["1", "2"], [500, 20]).splits != ()
    assert changes(["A"] * 2, ["1", "2"], [95, 5]).splits != ()  # 5 % of a small grid


def test_kept_codes_say_who_goes_on() -> None:
    found = changes(["A", "A", "B"], ["A", "B", "B"], [10, 90, 100], same_codes=True)
    assert found.heirs == {"A": "A", "B": "B"}
    assert found.moved_households == 90
    swapped = changes(["A", "B"], ["B", "A"], [10, 10])
    assert swapped.moved_households == 0


def test_heirs_can_be_told() -> None:
    found = changes(["A", "A"], ["1", "2"], [10, 90], heirs={"A": "1", "gone": "2"})
    assert (found.heirs, found.moved_households, found.births) == ({"A": "1"}, 90, ("2",))
    with pytest.raises(BadInput, match="only one can"):
        changes(["A", "B"], ["1", "1"], [1, 1], heirs={"A": "1", "B": "1"})


def test_grids_without_households_go_on_by_area() -> None:
    found = changes(["P", "P", "Q"], ["1", "2", "2"], [0, 0, 0], area=[10.0, 90.0, 20.0])
    assert found.heirs == {"P": "2"}
    assert found.ends == ("Q",)
    assert found.splits[0].parts == (("2", 0.0, 0.9), ("1", 0.0, 0.1))


def test_wrong_rows_are_named() -> None:
    with pytest.raises(BadInput, match="2 units have an old grid and 1"):
        changes(["A", "B"], ["1"], [1, 1])
    with pytest.raises(BadInput, match="row 1: households"):
        changes(["A", "B"], ["1", "1"], [1, -1])
    with pytest.raises(BadInput, match="1 values of population for 2"):
        changes(["A", "B"], ["1", "1"], [1, 1], population=[1])


def test_nothing_at_all() -> None:
    found = changes([], [], [])
    assert (found.households, found.births, found.moved_share) == (0, (), 0)
    assert isinstance(found.moves, pd.DataFrame)


def test_boundary_kept() -> None:
    # a chain of four units, old limit between 1 and 2 (10 m) and between 2 and 3 (30 m)
    source, target, border = [0, 1, 2], [1, 2, 3], [5.0, 10.0, 30.0]
    assert boundary_kept("aabc", "1122", source, target, border) == pytest.approx(0.25)
    assert boundary_kept("aabc", "1123", source, target, border) == 1
    assert boundary_kept("aaaa", "1234", source, target, border) == 1
    assert boundary_kept(["a", "", "b", "b"], "1111", source, target, border) == 1
