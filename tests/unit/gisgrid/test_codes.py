"""Area, grid, professional and component codes: numbering order, schemes, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from gisgrid import codes
from gisgrid.errors import BadInput

COMMUNITY = "370811001001"


@pytest.mark.parametrize("columns", [1, 2, 5, 10])
@pytest.mark.parametrize("rows", [1, 2, 3, 7])
def test_a_lattice_is_numbered_row_by_row(columns: int, rows: int) -> None:
    x, y = np.meshgrid(np.arange(columns) * 37.0 + 500_000, 3_900_000 - np.arange(rows) * 37.0)
    rng = np.random.default_rng(columns * 10 + rows)
    shuffled = rng.permutation(x.size)
    order = codes.reading_order(x.ravel()[shuffled], y.ravel()[shuffled])
    assert shuffled[order].tolist() == list(range(x.size))


def test_reading_order_keeps_rows_of_a_wobbly_lattice() -> None:
    rng = np.random.default_rng(3)
    x, y = np.meshgrid(np.arange(6.0), -np.arange(4.0))
    wobble = rng.uniform(-0.2, 0.2, (2, x.size))
    order = codes.reading_order(x.ravel() + wobble[0], y.ravel() + wobble[1])
    assert order.tolist() == list(range(24))


def test_reading_order_ignores_place_and_scale() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.random((2, 40))
    order = codes.reading_order(x, y)
    assert (codes.reading_order(x * 1000 + 5e5, y * 1000 + 4e6) == order).all()
    assert sorted(order.tolist()) == list(range(40))
    assert codes.reading_order([], []).size == 0


def test_codes_run_west_to_east_then_north_to_south_in_each_community() -> None:
    found = codes.grid_codes(
        [COMMUNITY, COMMUNITY, COMMUNITY, COMMUNITY, "370811001002"], [0, 9, 0, 9, 4], [0, 0, 9, 9, 4]
    )
    assert found.tolist() == [f"{COMMUNITY}{n:03d}" for n in (3, 4, 1, 2)] + ["370811001002001"]


def test_taken_and_retired_numbers_are_not_used_again() -> None:
    taken = [f"{COMMUNITY}001", f"{COMMUNITY}003", "370811001002001"]
    found = codes.grid_codes([COMMUNITY] * 3, [0, 1, 2], [0, 0, 0], taken=taken)
    assert found.tolist() == [f"{COMMUNITY}{n:03d}" for n in (2, 4, 5)]


def test_deeper_levels_and_the_older_scheme() -> None:
    assert codes.grid_codes([f"{COMMUNITY}007"], [0], [0]).tolist() == [f"{COMMUNITY}00701"]
    assert codes.grid_codes([f"{COMMUNITY}00701"], [0], [0]).tolist() == [f"{COMMUNITY}0070101"]
    assert codes.grid_codes([COMMUNITY], [0], [0], scheme=codes.OLDER_14).tolist() == [f"{COMMUNITY}01"]
    with pytest.raises(BadInput, match="no level 2"):
        codes.grid_codes([f"{COMMUNITY}001"], [0], [0], scheme=codes.DB11_15)


def test_a_community_runs_out_of_numbers() -> None:
    many = np.arange(1000.0)
    with pytest.raises(BadInput, match="999 free grid numbers of 999 and needs 1000"):
        codes.grid_codes([COMMUNITY] * 1000, many, many)
    assert codes.grid_codes([COMMUNITY] * 999, many[:999], np.zeros(999))[-1] == f"{COMMUNITY}999"
    with pytest.raises(BadInput, match="needs 100"):
        codes.grid_codes([COMMUNITY] * 100, many[:100], many[:100], scheme=codes.OLDER_14)


@pytest.mark.parametrize("parent", ["370811001", "", "37081100100A", "3708110010011"])
def test_grids_need_a_community_or_a_grid_above_them(parent: str) -> None:
    with pytest.raises(BadInput):
        codes.grid_codes([parent], [0], [0])


def test_a_grid_without_a_centre_is_refused() -> None:
    with pytest.raises(BadInput, match="row 1"):
        codes.grid_codes([COMMUNITY] * 2, [0, np.nan], [0, 0])


def test_the_chain_above_a_micro_grid() -> None:
    assert codes.code_chain(f"{COMMUNITY}00102") == [
        ("micro-grid", f"{COMMUNITY}00102"),
        ("grid", f"{COMMUNITY}001"),
        ("community", COMMUNITY),
        ("street", "370811001"),
        ("district", "370811"),
    ]
    assert codes.parent_code("370811") is None
    with pytest.raises(BadInput):
        codes.parent_code("3708")


def test_area_codes() -> None:
    assert [codes.area_level(code) for code in ("370811", "370811001", COMMUNITY)] == [
        "district",
        "street",
        "community",
    ]
    assert not any(map(codes.valid_area_code, ["", "37081", "070811", "三七零八一一", 370811, None, "370811 "]))
    assert codes.community_code("370811001") == "370811001000"
    with pytest.raises(BadInput, match=r"6 \(district\)"):
        codes.area_level("3708")


def test_valid_grid_codes() -> None:
    assert codes.valid_grid_code(f"{COMMUNITY}001")
    assert codes.valid_grid_code(f"{COMMUNITY}00101", community=COMMUNITY)
    assert not codes.valid_grid_code(f"{COMMUNITY}001", community="370811001002")
    assert not codes.valid_grid_code(f"{COMMUNITY}000")
    assert not codes.valid_grid_code(COMMUNITY)
    assert not codes.valid_grid_code("G-001")
    assert not codes.valid_grid_code(None)


def test_professional_codes_round_trip() -> None:
    code = codes.professional_code("010203", COMMUNITY, 7)
    assert code == "010203" + COMMUNITY + "07"
    parts = codes.parse_professional_code(code)
    assert (parts.subject, parts.community_code, parts.sequence) == ("010203", COMMUNITY, 7)
    for wrong in (("0102", COMMUNITY, 1), ("010203", "3708", 1), ("010203", COMMUNITY, 100)):
        with pytest.raises(BadInput):
            codes.professional_code(*wrong)
    with pytest.raises(BadInput, match="20 digits"):
        codes.parse_professional_code("1")


def test_component_codes_round_trip() -> None:
    found = codes.component_codes("370811", ["01", "05"], ["06", "01"], [123, 999_999])
    assert found.tolist() == ["3708110106000123", "3708110501999999"]
    assert codes.parse_component_code(found[0]) == ("370811", "01", "06", 123)
    wide = codes.component_code("370811", "01", "006", 5, scheme=codes.GBT_47678_5)
    assert codes.parse_component_code(wide, scheme=codes.GBT_47678_5).minor == "006"


@pytest.mark.parametrize(
    ("district", "major", "minor", "number"),
    [("3708", "01", "06", 1), ("370811", "1", "06", 1), ("370811", "01", "x6", 1), ("370811", "01", "06", 1_000_000)],
)
def test_component_codes_that_do_not_fit_are_refused(district: str, major: str, minor: str, number: int) -> None:
    with pytest.raises(BadInput):
        codes.component_code(district, major, minor, number)


def test_component_codes_of_another_length_are_refused() -> None:
    with pytest.raises(BadInput, match="16 digits"):
        codes.parse_component_code("370811010600012")
