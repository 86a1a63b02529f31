"""Numbers for whole layers: fresh codes through all levels, names, professional grids by CJ/T 349-2010."""

from __future__ import annotations

import pytest

from gisgrid.errors import BadInput
from gisgrid.numbering import (
    grid_names,
    professional_codes,
    professional_home,
    professional_names,
    renumber,
    valid_professional_code,
)

C = "370811001001"


def nested() -> tuple[list[str], list[str], list[float], list[float]]:
    """Two grids side by side; the first holds two micro-grids, one of them divided again."""
    codes = [f"{C}001", f"{C}002", f"{C}00101", f"{C}00102", f"{C}0010201"]
    parents = [C, C, f"{C}001", f"{C}001", f"{C}00102"]
    return codes, parents, [0, 9, 0, 1, 1], [0, 0, 0, 0, 0]


def test_codes_that_are_free_stay() -> None:
    codes, parents, xs, ys = nested()
    assert renumber(codes, parents, xs, ys, taken=[]).tolist() == codes
    assert renumber(codes, parents, xs, ys, taken=[f"{C}009"], afresh=True).tolist() == codes


def test_children_are_renamed_with_their_parent() -> None:
    codes, parents, xs, ys = nested()
    found = renumber(codes, parents, xs, ys, taken=[f"{C}001", f"{C}003", f"{C}00101"])
    assert found.tolist() == [f"{C}004", f"{C}002", f"{C}00401", f"{C}00402", f"{C}0040201"]


def test_afresh_numbers_all_new_grids_of_a_parent_in_reading_order() -> None:
    codes, parents, xs, ys = nested()
    found = renumber(codes, parents, xs, ys, taken=[f"{C}001"], afresh=True)
    assert found.tolist()[:2] == [f"{C}002", f"{C}003"]
    assert found.tolist()[2:] == [f"{C}00201", f"{C}00202", f"{C}0020201"]


def test_kept_codes_stay_and_children_of_kept_grids_avoid_retired_ones() -> None:
    codes, parents, xs, ys = nested()
    taken = [f"{C}001", f"{C}00101", f"{C}00102", f"{C}00103", f"{C}002"]
    found = renumber(codes, parents, xs, ys, taken=taken, kept=[f"{C}001", f"{C}00102"])
    assert found.tolist() == [f"{C}001", f"{C}003", f"{C}00104", f"{C}00102", f"{C}0010201"]


def test_a_deeper_grid_goes_on_only_under_a_parent_that_does() -> None:
    codes, parents, xs, ys = nested()
    found = renumber(codes, parents, xs, ys, taken=[f"{C}001", f"{C}00101"], kept=[f"{C}00101"])
    assert found.tolist()[2] == f"{found[0]}01"
    assert found[0] == f"{C}003"


def test_names_follow_numbers() -> None:
    codes, parents, *_ = nested()
    found = grid_names(codes, parents, {C: "明凤社区"})
    assert found == [
        "明凤社区第1网格", "明凤社区第2网格", "明凤社区第1网格第1微网格", "明凤社区第1网格第2微网格",
        "明凤社区第1网格第2微网格第1微网格",
    ]  # fmt: skip
    assert grid_names([f"{C}012"], [C], {}) == ["第12网格"]


def test_professional_grids_are_numbered_by_where_they_lie() -> None:
    homes = [C, C, "370811001002", "370811001", "370811001", "370811"]
    found = professional_codes(
        "990200", homes, [5, 0, 0, 0, 5, 0], [0] * 6, undivided=[False, False, True, False, False, False]
    )
    assert found.tolist() == [
        f"990200{C}02", f"990200{C}01", "99020037081100100200", "99020037081100160100", "99020037081100160200",
        "99020037081100060100",
    ]  # fmt: skip
    assert [professional_home(code) for code in found] == homes
    assert all(valid_professional_code(code) for code in found)


def test_taken_professional_numbers_are_skipped_and_run_out() -> None:
    taken = [f"990200{C}{n:02d}" for n in range(1, 99)]
    assert professional_codes("990200", [C], [0], [0], taken=taken).tolist() == [f"990200{C}99"]
    with pytest.raises(BadInput, match=f"{C} has no free number"):
        professional_codes("990200", [C, C], [0, 1], [0, 0], taken=taken)
    merged = [f"990200370811001{n}00" for n in range(601, 1000)]
    assert professional_codes("990200", ["370811001"], [0], [0], taken=merged).tolist() == ["99020037081100160101"]


@pytest.mark.parametrize(
    ("subject", "home", "says"), [("99020", C, "not 6 digits"), ("990200", "3708", "6, 9 or 12-digit")]
)
def test_what_cannot_be_numbered_is_named(subject: str, home: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        professional_codes(subject, [home], [0], [0])


def test_professional_names() -> None:
    codes = [f"990200{C}02", f"990200{C}00", "99020037081100160100"]
    names = professional_names(codes, "消防", {C: "明凤社区", "370811001": "凤凰街道"})
    assert names == ["明凤社区消防第2网格", "明凤社区消防网格", "凤凰街道消防第601网格"]
    assert not valid_professional_code("F-01")
    assert not valid_professional_code(None)
