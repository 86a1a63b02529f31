"""The report page: whole, small, the same twice, escaped, in both languages; labels in their grids, bars that add up."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gisgrid.models import Band
from layers.report import ReportData, Words, render_report
from layers.report.charts import boundary_chart, compactness_chart, households_chart
from layers.report.maps import fill_of, fills
from layers.report.shapes import FINE, box_of, frame_of, path_of, place_labels, simple_coverage
from layers.report.words import count, decimal, grid_number, length, percent

BAND = Band(300, 500)
EVIL = "<script>alert(\"1\")</script> & 'x'"
VOID = {"meta", "br", "img", "hr", "link"}


def lattice(n: int, side: float = 200.0) -> gpd.GeoDataFrame:
    at = np.arange(n * n)
    x, y = 500_000 + side * (at % n), 4_400_000 + side * (at // n)
    codes = [f"370800001001{number + 1:03d}" for number in at]
    columns = {"code": codes, "community": "370800001001", "level": 1}
    return gpd.GeoDataFrame(columns, geometry=shapely.box(x, y, x + side, y + side), crs="EPSG:4547")


def figures_of(grids: gpd.GeoDataFrame, households: list[int], *, special: int = -1) -> dict[str, Any]:
    """Figures in the shape `planning.evaluate.figures` gives them."""
    rows = [
        {
            "code": code, "level": 1, "name": EVIL, "parent": None, "community": "370800001001", "kind": "ordinary",
            "special": at == special, "households": load, "population": 2 * load,
            "in_band": BAND.contains(load), "outside_band": min(load - 300, 0) + max(load - 500, 0),
            "deviation": 0.0, "compactness": 0.785, "boundary_metres": 400.0, "boundary_on_streets": 0.5,
            "major_metres_inside": 0.0, "problems": [],
        }
        for at, (code, load) in enumerate(zip(grids["code"], households, strict=True))
    ]  # fmt: skip
    inside = sum(row["in_band"] for row in rows)
    overall = {
        "grids": len(rows), "ordinary_grids": len(rows), "special_grids": 0, "households": sum(households),
        "population": 2 * sum(households), "in_band": inside / len(rows), "in_band_grids": inside, "judged_grids": len(rows),
        "households_outside_band": 0, "balance": None, "compactness_mean": 0.785, "compactness_min": 0.785,
        "compactness_quantiles": {}, "boundary_metres": 1200.0,
        "boundary_by_class": {"river": 100.0, "primary": 0.0, "none": 1100.0}, "boundary_on_streets": 0.083,
        "compounds_fitting": 4, "compounds_split": 1, "grids_crossing_major": 0, "major_metres_inside": 0.0,
        "gap_m2": 0.0, "overlap_m2": 0.0, "broken": 0, "slivers": 0, "problems": 1,
    }  # fmt: skip
    problem = {"kind": "gap", "code": "", "text": EVIL, "m2": 3.0}
    check = {"ok": False, "problems": [problem], "notes": [], "counts": {"gap": 1}}
    return {"band": "300:500", "overall": overall, "levels": [{"level": 1, **overall}], "check": check, "grids": rows}


def full_report(n: int = 3) -> ReportData:
    grids = lattice(n)
    loads = [200 + 37 * number % 400 for number in range(n * n)]
    streets = gpd.GeoDataFrame(
        {"cls": ["primary", "river", "residential"]},
        geometry=shapely.linestrings([[(500_000, 4_400_200), (500_900, 4_400_200)], [(500_200, 4_400_000), (500_200, 4_401_000)], [(500_000, 4_400_400), (500_900, 4_400_400)]]),
        crs=grids.crs,
    )  # fmt: skip
    before = lattice(n).iloc[: n * n - 1]
    codes = grids["code"].to_numpy()
    units = grids.assign(grid=codes, old=np.roll(codes, 1), moved=True, households=loads)
    changes = {
        "households": 900, "moved_households": 90, "moved_population": 9, "moved_share": 0.1, "moved_units": 3,
        "least_households": 45, "least_share": 0.05, "over_least_share": 0.05, "boundary_kept": 0.9,
        "grids_going_on": 2, "heirs": {codes[0]: codes[1]}, "births": [codes[0]], "ends": [EVIL], "estimated": False,
        "grids_left_out": 0, "kept_households": 810, "new_households": 0,
        "splits": [{"old": codes[0], "into": [{"new": codes[1], "households": 20, "share": 0.5}] * 2}],
        "merges": [{"new": codes[1], "from": [{"old": codes[0], "households": 20, "share": 0.5}] * 2}],
        "moves_total": 1, "moves": [{"old": EVIL, "new": codes[0], "units": 1, "households": 20, "population": 0}],
    }  # fmt: skip
    return ReportData(
        grids, figures_of(grids, loads, special=4), BAND, Words("报告 " + EVIL, "Report " + EVIL), streets,
        [{"code": "unit_above_band", "text": EVIL, "units": [EVIL], "community": EVIL}, {"code": "new", "text": "?"}],
        {"preset": EVIL, "seed": 0, "weights": {"street": 5.0}, EVIL: True}, before, figures_of(before, loads[:-1]),
        changes, units,
    )  # fmt: skip


class Checked(HTMLParser):
    """Every element closed in order; addresses and scripts noted."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts = 0
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        for name, value in attrs:
            assert name not in ("src", "onclick", "onload"), (tag, name)
            if name == "href":
                assert (value or "").startswith("#")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_is_whole_and_needs_nothing() -> None:
    page = render_report(full_report())
    parser = Checked()
    parser.feed(page)
    assert parser.open == []
    assert parser.scripts == 1
    assert EVIL in "".join(parser.text)
    assert "http" not in page.replace("http-equiv", "")
    assert "@import" not in page
    assert "url(http" not in page
    assert not re.search(r"url\((?!#)", page)
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert page.count("<svg") == page.count("</svg>")


def test_every_svg_is_well_formed() -> None:
    for svg in re.findall(r"<svg.*?</svg>", render_report(full_report()), re.S):
        ET.fromstring(svg)


def test_both_languages_say_the_same_amount() -> None:
    page = render_report(full_report())
    assert page.count('class="zh"') == page.count('class="en"')
    assert page.index('class="zh"') < page.index('class="en"')


def test_the_same_data_give_the_same_bytes() -> None:
    assert render_report(full_report()) == render_report(full_report())


def test_a_plan_alone_makes_a_page() -> None:
    grids = lattice(2)
    page = render_report(ReportData(grids, figures_of(grids, [310, 320, 330, 340])))
    Checked().feed(page)
    assert "调整前" not in page
    assert len(page) < 60_000


def test_levels_are_set_side_by_side() -> None:
    fine = lattice(2).assign(level=2, parent=["p", "p", "q", "q"], code=["p1", "p2", "q1", "q2"])
    figures = figures_of(fine, [310, 320, 330, 340])
    figures["levels"] = [{**figures["overall"], "level": level} for level in (1, 2)]
    page = render_report(ReportData(fine, figures, BAND))
    Checked().feed(page)
    assert "第 2 级" in page
    assert 'class="g-above"' in page


def test_a_layer_without_households_claims_nothing_about_them() -> None:
    grids = lattice(2)
    figures = figures_of(grids, [0, 0, 0, 0])
    unknown = dict.fromkeys(("households", "population", "in_band", "outside_band", "boundary_on_streets", "deviation"))
    figures["grids"] = [{**row, **unknown} for row in figures["grids"]]
    keys = ("households", "population", "in_band", "in_band_grids", "judged_grids", "households_outside_band", "boundary_on_streets",
            "boundary_by_class", "compounds_fitting", "compounds_split", "grids_crossing_major")  # fmt: skip
    figures["overall"] |= dict.fromkeys(keys) | {"problems": 0}
    figures["check"] = {"ok": True, "problems": [], "notes": []}
    page = render_report(ReportData(grids[["code", "geometry"]], figures, BAND))
    Checked().feed(page)
    assert "户数全部达标" not in page
    assert "无户数或户数区间" in page
    assert "367–433" not in page


def test_a_city_stays_small() -> None:
    page = render_report(full_report(30))
    assert len(page.encode()) < 1_500_000


# --- maps -------------------------------------------------------------------------------


def test_classes_cover_every_number() -> None:
    known = {fill.css for fill in fills(BAND)}
    for load, css in {
        0: "low2",
        150: "low1",
        299: "low1",
        300: "in1",
        367: "in2",
        500: "in3",
        501: "high1",
        751: "high2",
    }.items():
        assert fill_of({"households": load}, BAND) == css
        assert css in known
    assert fill_of({"households": 9, "special": True}, BAND) == "special"
    assert fill_of({"households": None}, BAND) == fill_of({"households": 1}, None) == "unknown"


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900), st.integers(8, 200), st.integers(8, 200)), max_size=8)
)
def test_labels_lie_inside_their_shape(boxes: list[tuple[int, int, int, int]]) -> None:
    shapes = np.array([shapely.box(x, y, x + w, y + h) for x, y, w, h in boxes], dtype=object)
    for label in place_labels(shapes, [["▲123", "4,567"]] * len(shapes), size=14, least=7):
        wide, tall = box_of(label.lines, label.size)
        text = shapely.box(label.x - wide / 2, label.y - tall / 2, label.x + wide / 2, label.y + tall / 2)
        assert shapely.contains(shapes[label.row], text)
        assert label.size >= 7


def test_paths_keep_the_shape() -> None:
    ring = shapely.buffer(shapely.Point(500, 300), 200).difference(shapely.box(480, 280, 520, 320))
    numbers = path_of(ring)
    assert numbers.count("M") == numbers.count("z") == 2
    at, rings = np.zeros(2), []
    for part in numbers.split("z")[:-1]:
        start, moves = part[1:].split("l")
        at = np.array([float(v) for v in start.split()])
        steps = np.array([float(v) for v in re.findall(r"-?\d+", moves)]).reshape(-1, 2)
        rings.append(np.vstack([at, at + np.cumsum(steps, axis=0)]) / FINE)
    drawn = shapely.Polygon(rings[0], [rings[1]])
    assert shapely.area(shapely.symmetric_difference(drawn, ring)) < 0.001 * ring.area


def test_frame_keeps_proportions_and_north() -> None:
    frame = frame_of([np.array([shapely.box(0, 0, 4000, 1000)], dtype=object)])
    west, east = frame.xy(np.array([[0.0, 0.0], [4000.0, 1000.0]]))
    assert east[0] > west[0]
    assert east[1] < west[1]
    assert (east[0] - west[0]) / (west[1] - east[1]) == pytest.approx(4)


def test_neighbours_still_share_their_border() -> None:
    grids = lattice(4)
    simple = simple_coverage(grids.geometry.to_numpy(), frame_of([grids.geometry.to_numpy()]))
    assert shapely.coverage_is_valid(simple)


# --- charts and words -------------------------------------------------------------------


def bars(svg: str, css: str) -> int:
    found = re.findall(rf'<rect class="{css}"[^>]*><title>[^:]*: (\d+)</title>', svg)
    return sum(int(number) for number in found)


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=60))
def test_every_grid_is_in_one_bar_of_its_kind(loads: list[int]) -> None:
    svg = households_chart(loads, loads, BAND)
    ET.fromstring(svg)
    assert bars(svg, "bar") == sum(300 <= load <= 500 for load in loads)
    assert bars(svg, "below") == sum(load < 300 for load in loads)
    assert bars(svg, "above") == sum(load > 500 for load in loads)


def test_charts_without_anything() -> None:
    assert households_chart([], None, None) == ""
    ET.fromstring(households_chart([400], None, None))
    ET.fromstring(compactness_chart([0.0, 1.0], None))
    assert bars(compactness_chart([0.0, 1.0, 0.5], None), "bar") == 3
    assert boundary_chart({"river": 0.0}, None) == ""
    svg = boundary_chart({"river": 10.0, "none": 0.0}, {"river": 0.0, "none": 5.0})
    assert svg.count('class="was"') == 2


def test_numbers_in_words() -> None:
    assert [percent(v) for v in (None, 0, 1, 0.845, 0.82, 0.99999, 0.00001)] == [
        "–",
        "0 %",
        "100 %",
        "84.5 %",
        "82.0 %",
        "99.9 %",
        "0.1 %",
    ]
    assert [count(v) for v in (None, 0, 12345, 3.25)] == ["–", "0", "12,345", "3.2"]
    assert decimal(None) == "–"
    assert decimal(0.5) == "0.500"
    assert length(950).en == "950 m"
    assert length(12_345).zh == "12.3 公里"
    assert grid_number("370800001001012", "370800001001") == "12"
    assert grid_number("37080000100101203", "370800001001") == "12-03"
    assert grid_number("A7", None) == "A7"
    assert grid_number("370800001001012", None) == "12"
    assert grid_number("GRID-2024-17", None) == "…4-17"
