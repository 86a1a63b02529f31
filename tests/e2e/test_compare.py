"""Two plans beside each other in a real Chromium: maps, arrows, figures, the table, CSV, paper."""

from __future__ import annotations

import csv
import io
import json
import os
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright", reason="Playwright for Python is not installed (pip install '.[dev]')")
from playwright.sync_api import BrowserContext, expect

from tests.e2e.axe import serious
from tests.e2e.watched import TABLET, Watched, watched_page

pytestmark = pytest.mark.browser


def ask(base: str, path: str, body: dict[str, Any] | None = None, *, method: str | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{base.rstrip('/')}/api/v1/{path}", data, {"Content-Type": "application/json", "If-Match": "*"}, method=method
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text else None


@pytest.fixture(scope="module")
def plan(served_demo: str) -> Iterator[int]:
    """A draft with smaller grids near those in force, made by the engine: many households move."""
    engine = {"households": "200:300", "keep": True, "seed": 3, "preset": "quick"}
    job = ask(served_demo, "plans", {"area": "379903", "from": "engine", "name": "小网格", "engine": engine})["id"]
    deadline = time.monotonic() + 90
    while (now := ask(served_demo, f"jobs/{job}"))["state"] not in ("done", "failed", "cancelled"):
        assert time.monotonic() < deadline, now
        time.sleep(0.2)
    assert now["state"] == "done", now
    yield int(now["result"]["plan"])
    ask(served_demo, f"plans/{now['result']['plan']}", method="DELETE")


@pytest.fixture(scope="module")
def told(served_demo: str, plan: int) -> dict[str, Any]:
    """What the service says of the two."""
    found = ask(served_demo, f"plans/{plan}/compare?with=published")
    assert len(found["moves"]) > 4
    return dict(found)


@pytest.fixture
def web(browser: BrowserContext, served_demo: str, plan: int) -> Iterator[Watched]:
    with watched_page(browser, served_demo) as watched:
        watched.open(f"compare?plan={plan}&with=published")
        expect(watched.page.locator(".compare-figures")).to_be_visible()
        watched.idle()
        yield watched


def test_both_plans_are_drawn_and_their_figures_judged(web: Watched, told: dict[str, Any]) -> None:
    assert web.count("before") == told["before"]["overall"]["grids"]
    assert web.count("after") == told["figures"]["overall"]["grids"]
    moving = [move for move in told["moves"] if move["households"] > 0]
    assert web.count("arrows") == min(len(moving), 30)
    arrows = web.page.evaluate("window.gisgrid.features('arrows')")["features"]
    widths = sorted((one["properties"]["households"], one["properties"]["width"]) for one in arrows)
    assert [width for _, width in widths] == sorted(width for _, width in widths)
    expect(web.page.locator(".compare-moved")).to_contain_text(f"{told['changes']['moved_households']:,}")
    one, two = (
        f"{told[side]['overall']['grids']:,}" for side in ("before", "figures")
    )  # fmt: skip
    first = web.page.locator(".compare-figures tbody tr").first.locator("td")
    expect(first.nth(0)).to_have_text(one)
    expect(first.nth(1)).to_have_text(two)
    judged = web.page.locator(".compare-figures tr", has_text="紧凑度（平均）")
    better = told["figures"]["overall"]["compactness_mean"] > told["before"]["overall"]["compactness_mean"]
    expect(judged).to_contain_text("更好" if better else "更差")
    web.picture("compare-zh")
    assert serious(web.page) == []


def test_the_table_sorts_zooms_and_leaves_as_csv(web: Watched, told: dict[str, Any]) -> None:
    page = web.page
    page.click("#tab-moves")
    picks = page.locator(".moves-table tbody tr")
    expect(picks).to_have_count(len(told["moves"]))
    largest = max(told["moves"], key=lambda move: move["households"])
    expect(picks.first.locator(".num").first).to_have_text(f"{largest['households']:,}")
    page.click("#sort-old")
    expect(page.locator("th", has=page.locator("#sort-old"))).to_have_attribute("aria-sort", "ascending")
    expect(picks.first).to_contain_text(min(move["old"] for move in told["moves"]))
    before = page.evaluate("window.gisgrid.map.getView().getResolution()")
    picks.first.locator("button").focus()
    page.keyboard.press("Enter")
    expect(picks.first).to_have_class("is-chosen")
    web.idle()
    assert page.evaluate("window.gisgrid.map.getView().getResolution()") < before
    chosen = page.evaluate("window.gisgrid.state().chosen")
    drawn = page.evaluate("window.gisgrid.features('arrows')")["features"]
    assert [one["properties"]["key"] for one in drawn if one["properties"]["chosen"]] in ([chosen], [])
    with page.expect_download() as waiting:
        page.click("#moves-csv")
    text = Path(waiting.value.path()).read_text(encoding="utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))[1:]
    wanted = {
        (m["old"], m["new"] or "", str(m["households"]), str(m["population"]), str(m["units"])) for m in told["moves"]
    }
    assert {tuple(row) for row in rows} == wanted
    web.picture("compare-moves-zh")
    assert serious(page) == []


def test_swiped_and_thinned_from_the_keyboard(web: Watched, told: dict[str, Any]) -> None:
    page = web.page
    page.focus("#compare-way-side")
    page.keyboard.press("ArrowRight")
    handle = page.locator(".swipe")
    expect(handle).to_be_visible()
    handle.focus()
    for key in ("Home", "PageUp", "ArrowRight"):
        page.keyboard.press(key)
    expect(handle).to_have_attribute("aria-valuenow", "12")
    left = page.locator(".compare-pane.pane-after").evaluate("pane => getComputedStyle(pane).clipPath")
    assert "12%" in left
    page.focus("#compare-arrows")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert web.count("arrows") == 2
    largest = sorted((move["households"] for move in told["moves"]), reverse=True)[:2]
    drawn = page.evaluate("window.gisgrid.features('arrows')")["features"]
    assert sorted((one["properties"]["households"] for one in drawn), reverse=True) == largest
    assert "view=swipe" in page.url
    page.keyboard.press("End")
    page.keyboard.press("Tab")
    handle.focus()
    for _ in range(4):
        page.keyboard.press("PageUp")
    web.picture("compare-swipe-zh")
    assert serious(page) == []


def test_on_paper_all_is_there(web: Watched, told: dict[str, Any], tmp_path: Path) -> None:
    reader = pytest.importorskip("pypdfium2", reason="PDF is read with pypdfium2")
    file = Path(os.environ.get("GISGRID_SCREENSHOTS", tmp_path)) / "compare.pdf"
    web.page.pdf(path=file, prefer_css_page_size=True, print_background=True)
    document = reader.PdfDocument(file)
    text = "".join(page.get_textpage().get_text_range() for page in document)
    width, height = document[0].get_size()
    assert width > height
    assert "小网格" in text
    for move in told["moves"]:
        assert move["old"] in text
    picture = document[0].render(scale=1).to_pil().convert("RGB")
    colours = picture.getcolors(maxcolors=2**24) or []
    assert len(colours) > 50  # the maps are on it
    document.close()


def test_a_plan_that_is_not_there_and_a_tablet_in_english(web: Watched, plan: int) -> None:
    page = web.page
    page.set_viewport_size(TABLET)
    page.click(".language")
    expect(page.locator("#tab-figures")).to_have_text("Figures")
    assert page.evaluate("document.documentElement.scrollWidth") <= TABLET["width"]
    web.picture("compare-tablet-en")
    assert serious(page) == []
    web.open(f"compare?plan={plan}&with=99999")
    expect(page.locator(".compare-state h2")).to_have_text("Cannot be compared")
    web.errors.clear()  # the browser itself reports the 404 we asked for
