"""The life-circle facility table: the built-in one and the user's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.code_tables import FACILITY_COLUMNS, facility_categories
from gisgrid.errors import BadInput
from gisgrid.settings import Settings

HEAD = ",".join(FACILITY_COLUMNS)


def own(tmp_path: Path, *lines: str) -> Settings:
    path = tmp_path / "own.csv"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return Settings(home=tmp_path, facility_categories=path)


def test_the_built_in_table_keeps_minutes_and_metres_apart(tmp_path: Path) -> None:
    table = facility_categories(Settings(home=tmp_path)).set_index("category")
    assert set(table["tier"]) == {5, 10, 15}
    assert table.index.is_unique
    assert (table.loc["kindergarten", ["tier", "minutes", "metres"]] == [5, 5, 300]).all()
    assert (table[["minutes", "metres"]] > 0).all(axis=None)


def test_a_table_of_ones_own_replaces_it(tmp_path: Path) -> None:
    table = facility_categories(own(tmp_path, "# ours", HEAD, "pier,15,12,900,码头,Pier"))
    assert table.to_dict("records") == [
        {"category": "pier", "tier": 15, "minutes": 12, "metres": 900, "name_zh": "码头", "name_en": "Pier"}
    ]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["category,tier"], "lacks the column 'minutes'"),
        ([HEAD, "pier,15,0,900,码头,Pier"], "row 1: minutes='0'"),
        ([HEAD, "a,5,5,300,甲,A", "b,5,5,far,乙,B"], "row 2: metres='far'"),
        ([HEAD, "a,5,-5,300,甲,A"], "row 1: minutes='-5'"),
        ([HEAD, "a,5,2.5,300,甲,A"], "row 1: minutes='2.5'"),
    ],
)
def test_a_bad_table_names_the_place(tmp_path: Path, lines: list[str], says: str) -> None:
    with pytest.raises(BadInput) as caught:
        facility_categories(own(tmp_path, *lines))
    assert says in caught.value.message
