"""Parameters of the map service: names in any case, values strictly read, axis order by version and system."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Transformer

from gisgrid.errors import BadInput
from layers.wms.asked import Asked, background_of, box_of, dpi_of, language_of, manner_of, version_of, view_of, whole
from layers.wms.formats import info_form, picture_form
from layers.wms.systems import ZONES, box_in, in_order, north_first, offered_systems, system, told_systems
from layers.wms.times import choose_generation, choose_spans, generation_axis, moment_of, spans_of, written

SHANGHAI = ZoneInfo("Asia/Shanghai")


def asked(**given: str) -> Asked:
    return Asked.of(given.items())


def read_all(given: Asked) -> None:
    given.flag("TRANSPARENT")
    background_of(given)
    manner_of(given)


# --- versions, systems, boxes -----------------------------------------------------------------


@pytest.mark.parametrize(("text", "answered"), [
    ("1.3.0", "1.3.0"), ("1.1.1", "1.1.1"), ("1.0.0", "1.1.1"), ("1.1.0", "1.1.1"), ("1.2.0", "1.1.1"),
    ("1.3", "1.3.0"), ("2.0.0", "1.3.0"), ("1.3.1", "1.3.0"), ("1.10.0", "1.3.0"),
])  # fmt: skip
def test_versions_are_negotiated(text: str, answered: str) -> None:
    assert version_of(asked(version=text)) == answered
    assert version_of(asked(WmtVer=text)) == answered


def test_without_a_version_srs_tells_the_old_one() -> None:
    assert version_of(asked()) == "1.3.0"
    assert version_of(asked(srs="EPSG:4326")) == "1.1.1"
    for wrong in ("x", "1", "1.3.0.0.0", "一.三", "1.1.1\n"):
        if wrong.strip() != "1.1.1":
            with pytest.raises(BadInput):
                version_of(asked(version=wrong))


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:4490", "EPSG:3857", "EPSG:32650", *ZONES])
def test_axis_order_is_that_of_the_system_in_1_3_0_and_x_y_in_1_1_1(crs: str) -> None:
    place = (117.3, 34.2)
    own = Transformer.from_crs("EPSG:4490", crs).transform(place[1], place[0])  # in the system's own order
    plain = Transformer.from_crs("EPSG:4490", crs, always_xy=True).transform(*place)
    turned = in_order((plain[0], plain[1], plain[0], plain[1]), crs, "1.3.0")[:2]
    assert turned == pytest.approx(own)
    assert not north_first(crs, "1.1.1")
    assert CRS(crs).axis_info[0].direction == ("north" if north_first(crs, "1.3.0") else "east")


def test_crs84_is_longitude_first_and_of_1_3_0_only() -> None:
    assert not north_first("CRS:84", "1.3.0")
    with pytest.raises(BadInput) as caught:
        system("CRS:84", "1.1.1")
    assert caught.value.code == "InvalidSRS"
    with pytest.raises(BadInput) as caught:
        system("EPSG:2154", "1.3.0")
    assert caught.value.code == "InvalidCRS"


def test_boxes_in_systems_hold_every_point() -> None:
    transform = Transformer.from_crs("EPSG:4490", "EPSG:4526", always_xy=True)
    box = box_in((112.9, 35.4, 113.4, 35.8), "EPSG:4526")
    assert box is not None
    for lon in (112.9, 113.0, 113.4):
        for lat in (35.4, 35.6, 35.8):
            x, y = transform.transform(lon, lat)
            assert box[0] <= x + 1e-3
            assert x <= box[2] + 1e-3
            assert box[1] <= y + 1e-3
            assert y <= box[3] + 1e-3
    assert told_systems((112.9, 35.4, 113.4, 35.8))[-2:] == ["EPSG:4526", "EPSG:4547"]
    assert offered_systems((10.0, 50.0, 11.0, 51.0))[-1] == "EPSG:32632"


@pytest.mark.parametrize("text", [
    "", "1,2,3", "1,2,3,4,5", "3,2,1,4", "1,4,3,2", "1,1,1,2", "nan,0,1,1", "0,0,inf,1", "0,0,1e999,1", "0,0,1,1e12",
    "a,b,c,d", "0,,1,1", "0,0,1,1,", "0x1,0,2,2", "1_0,0,20,20", "٠,٠,١,١", "0,0," + "9" * 500 + ",1",
])  # fmt: skip
def test_boxes_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        box_of(asked(bbox=text), "EPSG:3857", "1.3.0")


@given(st.lists(st.floats(-1e8, 1e8, allow_nan=False), min_size=4, max_size=4))
def test_boxes_are_read_back(values: list[float]) -> None:
    west, east = sorted(values[::2])
    south, north = sorted(values[1::2])
    if west < east and south < north:
        text = f"{south!r},{west!r},{north!r},{east!r}"
        assert box_of(asked(bbox=text), "EPSG:4490", "1.3.0") == (west, south, east, north)


@pytest.mark.parametrize("size", ["0", "-1", "1000000000", "1e3", "3.5", "", "9" * 4000, "４００"])
def test_sizes_are_capped_before_anything_is_made(size: str) -> None:
    with pytest.raises(BadInput):
        view_of(asked(bbox="0,0,1,1", width=size, height="10", crs="CRS:84"), "1.3.0")


def test_views_have_x_first_whatever_the_order() -> None:
    rest = {"width": "20", "height": "10", "dpi": "181.43"}
    old = view_of(asked(bbox="112,35,113,36", srs="EPSG:4490", **rest), "1.1.1")
    new = view_of(asked(bbox="35,112,36,113", crs="epsg:4490", **rest), "1.3.0")
    assert old == new
    assert new.box == (112.0, 35.0, 113.0, 36.0)
    assert new.ratio == pytest.approx(2.0, rel=1e-4)


def test_resolutions_in_every_spelling_agree() -> None:
    for given_ in ({"dpi": "192"}, {"map_resolution": "192"}, {"format_options": "antialias:on;dpi:192"},
                   {"dpi": "192", "map_resolution": "192", "format_options": "dpi:192"}):  # fmt: skip
        assert dpi_of(asked(**given_)) == 192.0
    for wrong in ({"dpi": "0"}, {"dpi": "1e9"}, {"dpi": "x"}, {"dpi": "96", "map_resolution": "192"}):
        with pytest.raises(BadInput):
            dpi_of(asked(**wrong))


def test_names_in_any_case_values_strictly() -> None:
    assert asked(LaYeRs="a, b").names("LAYERS") == ["a", "b"]
    assert asked(transparent="TRUE").flag("TRANSPARENT")
    assert background_of(asked(bgcolor="0xFFAA00")) == "#ffaa00"
    assert whole("7", "I", 0, 7) == 7
    assert manner_of(asked(exceptions="application/vnd.ogc.se_inimage")) == "INIMAGE"
    assert language_of(asked(), ["fr", "zh-CN", "en"]) == "zh"
    assert language_of(asked(language="en"), ["zh"]) == "en"
    assert language_of(asked(), ["*"]) == "both"
    for wrong in ({"transparent": "yes"}, {"bgcolor": "red"}, {"bgcolor": "0xFFFFF"}, {"exceptions": "PDF"}):
        with pytest.raises(BadInput):
            read_all(asked(**wrong))
    with pytest.raises(BadInput):
        Asked.of([("layers", "a"), ("LAYERS", "b")])
    with pytest.raises(BadInput):
        Asked.of([("layers", "a\x00b")])


def test_formats_are_known_in_any_spelling() -> None:
    assert picture_form("image/png") == "png"
    assert picture_form("image/png; mode=8bit") == picture_form("IMAGE/PNG;MODE=8BIT") == picture_form("image/png8")
    assert picture_form("image/webp") == "webp"
    assert info_form("application/json") == ("geojson", "application/json")
    assert info_form("application/vnd.ogc.gml")[0] == "gml2"
    for wrong in ("image/gif", "image/png\r\nX-Evil: 1", "", "text/html"):
        with pytest.raises(BadInput) as caught:
            picture_form(wrong)
        assert caught.value.code == "InvalidFormat"


# --- times ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "start", "end"), [
    ("2026", "2025-12-31T16:00:00.000Z", "2026-12-31T16:00:00.000Z"),
    ("2026-12", "2026-11-30T16:00:00.000Z", "2026-12-31T16:00:00.000Z"),
    ("2026-03-01", "2026-02-28T16:00:00.000Z", "2026-03-01T16:00:00.000Z"),
    ("2026-03-01T08", "2026-03-01T00:00:00.000Z", "2026-03-01T01:00:00.000Z"),
    ("2026-03-01T08:30Z", "2026-03-01T08:30:00.000Z", "2026-03-01T08:31:00.000Z"),
    ("2026-03-01T08:30:00+08:00", "2026-03-01T00:30:00.000Z", "2026-03-01T00:30:01.000Z"),
    ("2026-03-01T08:30:00 08:00", "2026-03-01T00:30:00.000Z", "2026-03-01T00:30:01.000Z"),
    ("2026-03-01T08:30:00.125Z", "2026-03-01T08:30:00.125Z", "2026-03-01T08:30:00.126Z"),
])  # fmt: skip
def test_moments_mean_the_stretch_they_name(text: str, start: str, end: str) -> None:
    assert [written(moment) for moment in moment_of(text, SHANGHAI)] == [start, end]


@pytest.mark.parametrize("text", [
    "x", "2026-13", "2026-02-30", "0000", "20260301", "2026-03-01T25", "2026/2025", "2026/2027/1D", "2026/2027/P",
    "2026/2027/P1D/x", "2026,", ",".join(["2026"] * 101), "9" * 9999, "2026-03-01T08:30:00+99:00",
])  # fmt: skip
def test_times_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        spans_of(text, SHANGHAI)
    assert caught.value.code == "InvalidDimensionValue"
    assert len(str(caught.value)) < 300


def test_a_generation_is_in_force_until_the_next() -> None:
    axis = generation_axis([
        (datetime(2026, 1, 5, 3, 0, 0, 1, UTC), 1), (datetime(2026, 2, 1, tzinfo=UTC), 2),
        (datetime(2026, 3, 1, tzinfo=UTC), 4),
    ])  # fmt: skip
    assert axis is not None
    assert axis.extent.split(",")[0] == "2026-01-05T03:00:00.001Z"

    def chosen(text: str) -> tuple[int | None, bool]:
        found = choose_generation(text, axis, SHANGHAI)
        return found.generation, found.warning is None

    for (moment, number), text in zip(axis.values, axis.extent.split(","), strict=True):
        assert chosen(text) == (number, True), moment
    assert chosen("") == (4, False)
    assert chosen("current") == (4, True)
    assert chosen("2026-02-20") == (2, False)
    assert chosen("2026-02") == (2, True)
    assert chosen("2026-01-01/2026-01-31/P1D") == (1, True)
    assert chosen("2030") == (4, False)
    for wrong in ("2025", "2026-01-04", "2026-01,2026-02"):
        with pytest.raises(BadInput):
            chosen(wrong)


def test_reports_are_chosen_by_stretches_of_time() -> None:
    found = choose_spans("2026-03-01,2026-03-05/2026-03-06/P1D", None, SHANGHAI)
    assert found.spans is not None
    assert [(end - start).total_seconds() for start, end in found.spans] == [86_400.0, 172_800.0]
    assert choose_spans("", None, SHANGHAI).spans is None
