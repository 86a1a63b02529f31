"""The circles page of the sample community: whole, in both languages, with nothing from outside."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import shapely

from api.cli.circles_report import circles_data, write_circles_report
from data.code_tables import builtin
from data.facility_categories import checked
from data.sample import make_sample
from layers.report import render_circles
from layers.report.circles_maps import BADGE, NUMBERED, badges, score_class
from layers.report.maps import line_legend
from layers.report.shapes import FINE, frame_of
from planning.circles import CirclesResult, service_circles


@pytest.fixture(scope="module")
def made() -> tuple[CirclesResult, str]:
    layers = make_sample("mingfeng", seed=0).layers
    result = service_circles(
        layers["streets"], layers["facilities"], layers["buildings"], areas=layers["areas"],
        categories=checked(builtin("facility_categories"), "built in"), minutes=(5, 10, 15),
    )  # fmt: skip
    return result, render_circles(circles_data(result, layers["streets"]))


class Reader(HTMLParser):
    """Whether tags close, and the texts of cells."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "br", "path", "rect", "circle", "use"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if tag in ("path", "rect", "circle", "use"):
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def test_the_page_is_whole_and_needs_nothing(made: tuple[CirclesResult, str]) -> None:
    result, page = made
    reader = Reader()
    reader.feed(page)
    assert reader.wrong == []
    assert reader.open == []
    assert not re.search(r'(?:src|href)="(?!#)', page)
    assert "http" not in page.replace("http-equiv", "")
    assert len(page) < 1_000_000
    assert "NaN" not in page
    assert "None" not in page
    for row in result.coverage.to_dict("records"):
        assert row["name_zh"] in page
        assert row["name_en"].replace("'", "&#x27;") in page


def test_map_and_table_have_the_same_numbers(made: tuple[CirclesResult, str]) -> None:
    result, page = made
    for name in result.coverage["category"]:
        spots = min((result.blind_spots["category"] == name).sum(), NUMBERED)
        pictures = [text for text in page.split('<g class="cat') if f'data-category="{name}"' in text[:90]]
        assert sum(text.count('class="badge-text"') for text in pictures) == spots
        tables = [text for text in page.split('<div class="cat-table') if f'data-category="{name}"' in text[:90]]
        numbers = re.findall(r"<td ><b>(\d+)</b>", tables[0].partition("</table>")[0]) if spots else []
        assert numbers == [str(rank + 1) for rank in range(spots)]
    assert page.count('class="cat on"') == 2
    assert page.count("cat-table on") == 1


def test_the_same_result_gives_the_same_bytes_and_json_too(made: tuple[CirclesResult, str], tmp_path: Path) -> None:
    result, _ = made
    for name in ("a.html", "a.json"):
        write_circles_report(tmp_path / name, result, None)
        first = (tmp_path / name).read_bytes()
        write_circles_report(tmp_path / name, result, None)
        assert (tmp_path / name).read_bytes() == first


def test_every_note_is_said_in_chinese(made: tuple[CirclesResult, str]) -> None:
    result, _ = made
    notes = [
        "no facility of category bank: nobody is covered",
        "the residences have no column population: figures of residents are zero",
        "scores and blind spots count every building as one, because no residents are known",
        "3 facilities are given twice (category, place and name alike) and count once",
        "2 residences are over 100 m from every street and cannot be assessed",
        "4 facilities are of no category in the table and are left out ('Chapel')",
        "1 residences have no place (empty geometry) and cannot be assessed",
        "10 residences (411 residents) lie in no community",
        "2 residences are near to a street piece cut off from the network only and cannot be assessed",
    ]
    result.report["notes"], kept = notes, result.report["notes"]
    page = render_circles(circles_data(result, None))
    result.report["notes"] = kept
    told = page.partition("数据提示")[2]
    assert told.count('lang="zh-CN"') >= len(notes)
    assert "银行" in told
    assert "4 处设施的类别不在表中，未计入 &#x27;Chapel&#x27;" in told
    assert "10 栋建筑（411 人）不在任何社区内" in told


def test_numbers_stand_on_every_large_part_and_never_meet() -> None:
    frame = frame_of([np.array([shapely.box(0, 0, 4000, 3000)])])
    large, far, tiny = shapely.box(100, 100, 300, 300), shapely.box(600, 300, 700, 400), shapely.box(500, 50, 502, 52)
    shapes = np.array([shapely.MultiPolygon([large, far, tiny]), shapely.MultiPolygon([large])], object)
    text = badges(shapes, frame)
    assert re.findall(r">(\d+)</text>", text) == ["1", "2", "1"], "each spot first, then its other large parts"
    assert text.count("leader") == 1
    at = np.array(re.findall(r'class="badge" cx="(\d+)" cy="(\d+)"', text), float) / FINE
    apart = np.hypot(*(at[:, None] - at).T)[np.triu_indices(len(at), 1)]
    assert (apart > 2 * BADGE).all()


def test_the_headline_names_categories_without_facilities(made: tuple[CirclesResult, str]) -> None:
    result, page = made
    bare = int((result.coverage["facilities"] == 0).sum())
    verdict = page.partition('class="verdict')[2].partition("</p>")[0]
    assert (f"{bare} 类没有设施" in verdict) == bool(bare)
    without = replace(
        circles_data(result, None),
        coverage=result.coverage.assign(facilities=[0, 0, *[3] * 99][: len(result.coverage)]),
    )
    page = render_circles(without)
    assert "；2 类没有设施（" in page
    assert "；其余最薄弱的是" in page
    assert "2 categories have no facility" in page
    assert "(2 have none)" in page


def test_water_is_listed_only_where_it_is_drawn() -> None:
    assert "water" in line_legend(True)
    assert "water" not in line_legend(True, drawn='<path class="s-major" d=""/>')


def test_score_classes() -> None:
    score = np.array([0.0, 0.29, 0.3, 0.45, 0.899, 0.9, 1.0, np.nan])
    assert score_class(score, np.isfinite(score)).tolist() == [0, 0, 1, 2, 4, 5, 5, 6]
