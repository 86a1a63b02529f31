"""Foreign professional layers: codes kept or made by place; the code table of systems."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from data.grid_systems import grid_systems, professional_system, stored_name
from data.importers import LAYER_KINDS, clean_layer
from data.professional_layers import fit_codes
from gisgrid.errors import BadInput
from gisgrid.models import Band

STREET = "370811001"
FIRE = professional_system("fire")


def box(west: float, east: float, south: float = 35.40, north: float = 35.41) -> Any:
    return shapely.box(116.5 + west, south, 116.5 + east, north)


AREAS = gpd.GeoDataFrame(
    {"code": ["370811", STREET, f"{STREET}001", f"{STREET}002"], "name": ["区", "街道", "甲社区", "乙社区"]},
    geometry=[box(0, 0.02), box(0, 0.02), box(0, 0.01), box(0.01, 0.02)], crs="EPSG:4490",
)  # fmt: skip


def taken_in(shapes: list[Any], **columns: Any) -> gpd.GeoDataFrame:
    return clean_layer(gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4490"), "professional")[0]


def test_rows_are_numbered_where_they_lie() -> None:
    shapes = [box(0, 0.005), box(0.005, 0.0101), box(0.0101, 0.0199)]
    fitted, touched = fit_codes(taken_in(shapes, id=["F-1", "F-2", "F-3"]), AREAS, system=FIRE)
    assert fitted["code"].tolist() == [f"990200{STREET}00101", f"990200{STREET}00102", f"990200{STREET}00200"]
    assert fitted["community"].tolist() == [f"{STREET}001", f"{STREET}001", f"{STREET}002"]
    assert fitted["name"].tolist() == ["F-1", "F-2", "F-3"], "the department's own code is not lost"
    assert touched == [f"{STREET}001", f"{STREET}002"]
    assert (fitted["compactness"] > 0).all()


def test_grids_over_several_communities_are_numbered_in_the_street() -> None:
    fitted, _ = fit_codes(taken_in([box(0, 0.015), box(0.015, 0.02)]), AREAS, system=FIRE)
    assert fitted["code"].tolist() == [f"990200{STREET}60100", f"990200{STREET}00201"]
    assert fitted["community"].isna().tolist() == [True, False]
    assert fitted["name"].tolist() == ["街道消防第601网格", "乙社区消防第1网格"]


def test_codes_of_20_digits_stay_and_made_ones_avoid_them() -> None:
    own = f"990200{STREET}00101"
    fitted, _ = fit_codes(taken_in([box(0, 0.005), box(0.005, 0.01)], code=[None, own]), AREAS, system=FIRE)
    assert fitted["code"].tolist() == [f"990200{STREET}00102", own]
    again, _ = fit_codes(taken_in([box(0, 0.005)]), AREAS, system=FIRE, taken=[own])
    assert again["code"].tolist() == [f"990200{STREET}00102"]
    foreign, _ = fit_codes(taken_in([box(0, 0.005)], code=["12345637081100100977"]), AREAS, system=FIRE)
    assert foreign["code"].tolist() == ["12345637081100100977"]
    assert foreign["community"].isna().all(), "its community is not known here"


def test_duplicates_are_refused_and_places_unknown_are_named() -> None:
    rows = gpd.GeoDataFrame(
        {"code": ["99020037081100100101"] * 2}, geometry=[box(0, 0.005), box(0.005, 0.01)], crs="EPSG:4490"
    )
    taken, report = clean_layer(rows, "professional")
    assert len(taken) == 1
    assert report.reasons == {"duplicate code": 1}
    with pytest.raises(BadInput, match="row 1 lies in no known community"):
        fit_codes(taken_in([box(0.5, 0.6)]), AREAS, system=FIRE)
    with pytest.raises(BadInput, match="lies in no known community"):
        fit_codes(taken_in([box(0, 0.005)]), AREAS.iloc[:2], system=FIRE)


def test_systems_are_found_by_any_of_their_names() -> None:
    for name in ("fire", "FIRE", "消防", "Fire"):
        assert professional_system(name) == FIRE
        assert stored_name(name) == "消防"
    assert stored_name("河长") == "河长"
    own = professional_system("河长", object_code="123456")
    assert (own.name, own.object_code, own.made) == ("河长", "123456", False)
    assert professional_system("fire", object_code="010203").object_code == "010203"
    assert "professional" not in LAYER_KINDS


def test_the_code_table_is_sound() -> None:
    found = grid_systems()
    assert len(found) >= 8
    for values in ("name", "name_en", "object_code"):
        assert len({getattr(system, values) for system in found.values()}) == len(found)
    for system in found.values():
        assert system.made, "no number here is a standard's until it is looked up there"
        assert len(system.object_code) == 6
        assert system.object_code.endswith("00"), "a major class ends in 00 (CJ/T 349-2010 5.3)"
        assert isinstance(system.band, Band)


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("综合", {}, "is the comprehensive one"),
        ("", {}, "1 to 40 characters"),
        ("河长", {}, "not in the code table"),
        ("fire", {"object_code": "12"}, "'12' is not 6 digits"),
        ("fire", {"object_code": "１２３４５６"}, "not 6 digits"),
    ],
)
def test_bad_systems_are_named(name: str, options: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        professional_system(name, **options)


def test_blank_names_take_the_number() -> None:
    rows = taken_in([box(0, 0.005)], name=[pd.NA])
    assert fit_codes(rows, AREAS, system=FIRE)[0]["name"].tolist() == ["甲社区消防第1网格"]
