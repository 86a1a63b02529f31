"""Typing ahead, and addresses about a point."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
import shapely

from gisgrid.address import Gazetteer
from gisgrid.errors import BadInput
from tests.unit.gisgrid.address import town

GAZETTEER = Gazetteer.build(town.addresses(), streets=town.streets(), areas=town.areas(), facilities=town.facilities())
GEOD = pyproj.Geod(ellps="GRS80")


def texts(typed: str, limit: int = 10) -> list[str]:
    return [s.text for s in GAZETTEER.suggest(typed, limit=limit)]


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("文", "文泉路"), ("文泉", "文泉路"), ("wql", "文泉路"), ("wenq", "文泉路"), ("Wenquan R", "文泉路"), ("wen quan lu", "文泉路"),
        ("云", "云溪花园"), ("yxhy", "云溪花园"), ("yunxi g", "云溪花园"), ("东湖镇文", "文泉路"), ("长安一", "长安一巷"),
        ("长安1", "长安一巷"), ("東湖實", "东湖实验小学"), ("无门", "无门路"), ("东湖", "东湖镇"), ("xs", "西山镇"),
    ],
)  # fmt: skip
def test_names_that_begin_so(typed: str, text: str) -> None:
    assert text in texts(typed)


def test_a_name_typed_whole_comes_first_and_larger_ones_before_smaller() -> None:
    assert texts("文泉路")[0] == "文泉路"
    found = GAZETTEER.suggest("东湖")
    counts = [s.count for s in found]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 40


def test_doors_and_buildings_behind_a_name() -> None:
    assert texts("文泉路3", limit=20) == [f"示范区东湖镇文泉路{n}号" for n in (3, *range(30, 40))]
    assert texts("文泉路17号") == ["示范区东湖镇文泉路17号"]
    assert texts("文泉路1号") == ["示范区东湖镇文泉路1号"]
    assert texts("云溪花园2") == ["云溪花园2栋"]
    assert texts("wenquanlu17") == ["示范区东湖镇文泉路17号"]
    assert GAZETTEER.suggest("文泉路17号")[0].address_id


def test_areas_in_front_narrow_the_choice() -> None:
    assert {s.text for s in GAZETTEER.suggest("解放")} == {"东湖镇解放路", "西山镇解放路"}
    narrowed = GAZETTEER.suggest("西山镇解放")
    assert [s.text for s in narrowed] == ["西山镇解放路"]
    assert narrowed[0].lon == pytest.approx(town.at(9_020, 900)[0], abs=2e-4)


def test_slips_fall_back_on_the_search() -> None:
    assert texts("文全路17号")[0] == "示范区东湖镇文泉路17号"


def test_every_beginning_of_every_name_finds_it() -> None:
    for name in ("文泉路", "柳溪街", "解放路", "长安一巷", "云溪花园", "东湖社区服务站"):
        for size in range(1, len(name) + 1):
            assert any(name in text for text in texts(name[:size], limit=20)), name[:size]


@pytest.mark.parametrize("typed", ["", "  ", "\x00", "。", "路" * 501])
def test_what_cannot_be_typed(typed: str) -> None:
    with pytest.raises(BadInput):
        GAZETTEER.suggest(typed)


def test_nearest_addresses_equal_a_search_of_all() -> None:
    rows = town.addresses()
    points = shapely.get_coordinates(rows.geometry.to_numpy())
    rng = np.random.default_rng(5)
    for x, y in zip(rng.uniform(-50, 600, 60), rng.uniform(-100, 500, 60), strict=True):
        lon, lat = town.at(x, y)
        _, _, metres = GEOD.inv(np.full(len(points), lon), np.full(len(points), lat), points[:, 0], points[:, 1])
        found = GAZETTEER.reverse(lon, lat, limit=4, within=2_000)
        assert [n.metres for n in found] == pytest.approx(np.sort(metres)[:4], abs=0.006)
        assert found[0].full == rows["full"].iloc[int(np.argmin(metres))]
        assert all(n.how == "door" for n in found)


def test_far_from_every_address_the_road_and_a_number_are_told() -> None:
    found = GAZETTEER.reverse(*town.at(94, -30), limit=3, within=5)
    assert (found[0].how, found[0].road, found[0].full) == ("interpolated", "文泉路", "文泉路20号")
    assert found[0].metres == pytest.approx(30, abs=0.2)
    assert found[1].how == "door"
    assert len(found) == 3


def test_the_number_told_is_on_the_side_of_the_point() -> None:
    for x, y, number in ((54, 2, 11), (94, -3, 20), (74, 1, 15), (104, -2, 22)):
        found = GAZETTEER.reverse(*town.at(x, y), limit=1, within=3)
        assert found[0].how == "interpolated"
        assert abs(int(found[0].door_number[:-1]) - number) <= 2
        assert int(found[0].door_number[:-1]) % 2 == number % 2
        assert found[0].metres == pytest.approx(abs(y), abs=0.1)


def test_a_road_past_its_numbers_is_told_without_one() -> None:
    found = GAZETTEER.reverse(*town.at(200, 2_003), limit=1, within=10)
    assert (found[0].how, found[0].full, found[0].door_number) == ("road", "无门路", "")


def test_nothing_near_is_said_so() -> None:
    assert GAZETTEER.reverse(*town.at(300_000, 0)) == []


@pytest.mark.parametrize(("lon", "lat"), [(float("nan"), 35), (1e308, 35), (200, 35), (116, 95)])
def test_points_that_are_none(lon: float, lat: float) -> None:
    with pytest.raises(BadInput):
        GAZETTEER.reverse(lon, lat)


@pytest.mark.parametrize("within", [-1, float("nan"), 1e9])
def test_distances_that_are_none(within: float) -> None:
    with pytest.raises(BadInput, match="metres"):
        GAZETTEER.reverse(*town.at(0, 0), within=within)
