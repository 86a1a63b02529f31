"""Professional grids joined from comprehensive grids: fused exactly, in their area, numbered by the standard."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gisgrid.errors import BadInput
from gisgrid.models import Band
from gisgrid.numbering import valid_professional_code
from planning.crosswalk import crosswalk, summary
from planning.professional import plan_professional

X, Y = 500_000.0, 4_000_000.0
STREET = "370811001"


def chequer(columns: int, rows: int, community: Any, households: int = 400) -> gpd.GeoDataFrame:
    """Square grids of 200 m; ``community(column, row)`` says whose."""
    found: dict[str, list[Any]] = {"code": [], "community": [], "geometry": []}
    counts: dict[str, int] = {}
    for row in range(rows):
        for column in range(columns):
            home = community(column, row)
            counts[home] = counts.get(home, 0) + 1
            found["code"].append(f"{home}{counts[home]:03d}")
            found["community"].append(home)
            west, north = X + column * 200, Y - row * 200
            found["geometry"].append(shapely.box(west, north - 200, west + 200, north))
    return gpd.GeoDataFrame(found, crs="EPSG:4548").assign(households=households, population=1000, level=1)


def two_communities(column: int, row: int) -> str:
    return f"{STREET}001" if column < 3 else f"{STREET}002"


def plan(atoms: gpd.GeoDataFrame, **options: Any) -> Any:
    usual: dict[str, Any] = {"system": "消防", "object_code": "990200", "band": Band(1200, 2000)}
    return plan_professional(atoms, **(usual | options))


def test_every_comprehensive_grid_lies_wholly_in_one_professional_grid() -> None:
    atoms = chequer(6, 4, two_communities)
    made = plan(atoms)
    assert made.feasible
    assert made.grids["households"].between(1200, 2000).all()
    assert made.grids["households"].sum() == atoms["households"].sum()
    assert np.bincount(made.assignment).tolist() == made.grids["atoms"].tolist()
    found = summary(crosswalk(atoms, made.grids))["systems"][0]
    assert (found["whole"], found["conflicts"], found["uncovered_grids"]) == (24, [], 0)
    for row, shape in enumerate(made.grids.geometry):
        union = shapely.union_all(atoms.geometry.to_numpy()[made.assignment == row])
        assert shape.equals(union)
        assert shape.geom_type == "Polygon"


def test_within_communities_no_grid_crosses_and_codes_say_the_community() -> None:
    atoms = chequer(6, 4, two_communities)
    made = plan(atoms)
    owner = made.grids["code"].to_numpy()[made.assignment]
    assert [code[6:18] for code in owner] == atoms["community"].tolist()
    assert made.grids["community"].tolist() == made.grids["code"].str[6:18].tolist()
    assert made.grids["code"].is_monotonic_increasing
    assert made.grids["code"].is_unique
    assert made.grids["code"].map(valid_professional_code).all()


def test_a_whole_community_gets_the_sequence_00() -> None:
    made = plan(chequer(2, 2, lambda column, row: f"{STREET}00{column + 1}"), band=Band(600, 900))
    assert made.grids["code"].tolist() == [f"990200{STREET}00100", f"990200{STREET}00200"]
    assert made.grids["name"].tolist() == ["消防网格"] * 2


def test_across_communities_grids_are_numbered_from_601_in_their_street() -> None:
    atoms = chequer(4, 1, lambda column, row: f"{STREET}00{column + 1}")
    assert not plan(atoms, band=Band(800, 800)).feasible, "no community holds 800 households"
    made = plan(atoms, band=Band(800, 800), within="street", names={STREET: "凤凰街道"})
    assert made.feasible
    assert made.grids["code"].tolist() == [f"990200{STREET}60100", f"990200{STREET}60200"]
    assert made.grids["community"].isna().all()
    assert made.grids["name"].tolist() == ["凤凰街道消防第601网格", "凤凰街道消防第602网格"]


def test_across_streets_only_when_asked() -> None:
    atoms = chequer(2, 1, lambda column, row: f"37081100{column + 1}001")
    assert not plan(atoms, band=Band(800, 800), within="street").feasible
    made = plan(atoms, band=Band(800, 800), within="district")
    assert made.grids["code"].tolist() == ["99020037081100060100"]


def test_units_are_atoms_too_and_special_grids_are_joined_like_others() -> None:
    atoms = chequer(6, 4, two_communities).rename(columns={"code": "unit_id"}).drop(columns="level")
    atoms.loc[[2, 9], "households"] = 0
    made = plan(atoms.assign(kind=np.where(atoms["households"] == 0, "park", "residential")))
    assert (made.grids["kind"] == "ordinary").all()
    assert made.feasible


def test_same_seed_same_grids_and_taken_codes_are_left_alone() -> None:
    atoms = chequer(6, 4, two_communities)
    first, second = plan(atoms, seed=3), plan(atoms, seed=3)
    assert (first.assignment == second.assignment).all()
    taken = first.grids["code"].tolist()
    again = plan(atoms, seed=3, taken=taken)
    assert not set(again.grids["code"]) & set(taken)
    assert (again.assignment == first.assignment).all()


@pytest.mark.parametrize(
    ("change", "options", "says"),
    [
        ({}, {"within": "nation"}, "within 'nation'"),
        ({"community": "12"}, {}, "community '12' is not 12 digits"),
        ({"households": -1}, {}, "households is"),
    ],
)
def test_bad_input_is_named(change: dict[str, Any], options: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        plan(chequer(2, 2, two_communities).assign(**change), **options)


def test_a_layer_without_names_cannot_be_joined() -> None:
    with pytest.raises(BadInput, match="nothing to join"):
        plan(chequer(2, 2, two_communities).drop(columns="code"))
