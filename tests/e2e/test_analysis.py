"""The analyst's tabs in a real Chromium: heat, time, siting, tables, each against what the service tells."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright", reason="Playwright for Python is not installed (pip install '.[dev]')")
from playwright.sync_api import BrowserContext, expect

from tests.e2e.watched import TABLET, Watched, watched_page

pytestmark = pytest.mark.browser
AXE = Path(__file__).resolve().parents[2] / "web/node_modules/axe-core/axe.min.js"


@pytest.fixture
def web(browser: BrowserContext, served_demo: str) -> Iterator[Watched]:
    with watched_page(browser, served_demo) as watched:
        watched.open()
        yield watched


def _get(base: str, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{base.rstrip('/')}/{path}", timeout=60) as answer:
        return dict(json.load(answer))


def _open(web: Watched, tab: str) -> None:
    web.page.click(f"#tab-{tab}")
    web.page.wait_for_selector(f"#panel-{tab}:not([hidden])")
    web.idle()


def _serious(web: Watched, within: str) -> list[Any]:
    if not AXE.exists():
        pytest.skip("axe-core is not installed (cd web && npm ci)")
    found = web.page.evaluate(
        """async ([source, within]) => {
          if (!window.axe) (0, eval)(source);
          const told = await axe.run(within, { resultTypes: ['violations'] });
          return told.violations.filter((one) => ['serious', 'critical'].includes(one.impact))
            .map((one) => [one.id, one.nodes.map((node) => node.html)]);
        }""",
        [AXE.read_text(encoding="utf-8"), within],
    )
    return list(found)


def _drawn(web: Watched) -> str:
    """The map's picture, to tell whether it changed."""
    return str(web.page.evaluate("[...document.querySelectorAll('#map canvas')].map((c) => c.toDataURL()).join()"))


def test_surface_follows_class_and_time(web: Watched) -> None:
    before = _drawn(web)
    _open(web, "heat")
    expect(web.page.locator("[data-legend=surface] li")).to_have_count(7)
    facts = _get(web.base, "api/v1/heat/surface?bandwidth=300")
    expect(web.page.locator(".heat-count")).to_contain_text(f"{facts['reports']:,}")
    web.idle()
    web.page.wait_for_timeout(300)
    assert _drawn(web) != before
    expect(web.page.locator(".rate-chart")).to_have_count(3)
    web.picture("analysis-heat")
    assert _serious(web, ".side") == []
    web.page.select_option("#heat-class", "04")
    fewer = _get(web.base, "api/v1/heat/surface?bandwidth=300&class=04")
    expect(web.page.locator(".heat-count")).to_contain_text(f"{fewer['reports']:,} 件")
    frames = _get(web.base, "api/v1/heat/frames?bandwidth=300&class=04&step=month")["frames"]
    web.page.locator("#heat-frame").focus()
    for _ in range(6):
        web.page.keyboard.press("ArrowRight")
    expect(web.page.locator(".time-told b")).to_have_text(f"{frames[6]['reports']:,} 件")
    web.page.click("#heat-play")
    expect(web.page.locator(".time-told b")).to_have_text(f"{frames[8]['reports']:,} 件", timeout=15_000)
    web.page.click("#heat-play")
    web.picture("analysis-time")
    web.page.click("text=显示全时段")
    expect(web.page.locator(".time-told")).to_contain_text("全时段")


def test_hot_spots_and_rises_name_their_tests(web: Watched) -> None:
    _open(web, "heat")
    web.page.locator("#heat-view-spots").check(force=True)
    told = _get(web.base, "api/v1/heat/grids")
    rows = web.page.locator("[data-legend=spots] li")
    expect(rows.filter(has_text="无住户" if told["not_rated"] else "不显著")).to_have_count(1)
    expect(web.page.locator(".legend")).to_contain_text("FDR")
    unrated = [row for row in told["rows"] if row["spot"] == "not_rated"]
    if unrated:
        expect(rows.filter(has_text="无住户").locator(".amount")).to_have_text(str(len(unrated)))
    web.picture("analysis-spots")
    rises = _get(web.base, "api/v1/heat/rises?days=14")
    assert rises["flagged"] == web.page.locator("[data-list=rises] .flag").count()
    web.page.click("[data-list=rises] summary")
    expect(web.page.locator("[data-list=rises] details")).to_contain_text("Benjamini–Hochberg")
    row = web.page.locator("[data-list=rises] .found:not([disabled])").first
    centre = "window.gisgrid.map.getView().getCenter().join()"
    before = web.page.evaluate(centre)
    row.click()
    web.idle()
    assert web.page.evaluate(centre) != before


def test_sites_are_found_shown_and_listed(web: Watched) -> None:
    _open(web, "siting")
    web.page.click("#site-run")
    expect(web.page.locator("#panel-siting [role=alert]")).to_contain_text("请先选择")
    web.page.check("#site-clinic")
    web.page.fill("#site-count", "2")
    web.page.click("#site-run")
    table = web.page.locator("[data-list=sites]")
    expect(table).to_be_visible(timeout=120_000)
    listed = table.locator("tbody tr").count()
    assert web.count("sites") == listed
    assert 1 <= listed <= 2
    table.locator("tbody button").first.click()
    web.idle()
    expect(table.locator("tr.row-chosen")).to_have_count(1)
    web.picture("analysis-siting")
    assert _serious(web, ".side") == []


def test_table_sorts_filters_links_and_downloads(web: Watched) -> None:
    _open(web, "table")
    page = web.page
    page.wait_for_selector(".data-table tbody tr")
    grids = _get(web.base, "ogc/collections/grids/items?limit=100")
    expect(page.locator(".dock-head p")).to_contain_text(f"/ {grids['numberMatched']}")
    page.click("#sort-households")
    page.click("#sort-households")
    expect(page.locator("th[aria-sort=descending]")).to_have_count(1)
    most = max(feature["properties"]["households"] for feature in grids["features"])
    expect(page.locator(".data-table tbody tr").first).to_contain_text(str(most))
    page.locator(".row-button").first.press("Enter")
    web.idle()
    chosen = page.locator("tr[aria-current=true]")
    expect(chosen).to_have_count(1)
    web.picture("analysis-table")
    # the other way: a click on the map chooses its row
    web.home()
    held = page.locator("tr[aria-current=true]").get_attribute("data-id")
    other, place = next(
        (one, place) for one in grids["features"] if str(one["id"]) != held and _clear(web, place := _middle(web, one))
    )
    web.click_at(place)
    expect(page.locator(f"tr[data-id='{other['id']}']")).to_have_attribute("aria-current", "true")
    page.select_option("#table-layer", "reports")
    expect(page.locator(".dock-head h2")).to_have_text("事件")
    page.select_option("#filter-field", "minor")
    page.fill("#filter-value", "车")
    page.click("#filter-add")
    kept = _get(
        web.base, "ogc/collections/reports/items?" + urllib.parse.urlencode({"limit": 1, "filter": "minor LIKE '%车%'"})
    )
    expect(page.locator(".dock-head p")).to_contain_text(f"/ {kept['numberMatched']:,}")
    link = str(page.locator("[data-format=csv]").get_attribute("href"))
    with urllib.request.urlopen(link, timeout=60) as answer:
        assert len(answer.read().decode("utf-8-sig").strip().splitlines()) == kept["numberMatched"] + 1
    assert _serious(web, ".dock") == []
    if kept["numberMatched"] > 100:
        rows = page.locator(".data-table tbody tr").count()
        page.click("#table-more")
        expect(page.locator(".data-table tbody tr").nth(rows)).to_be_attached()


def _clear(web: Watched, place: list[float]) -> bool:
    """Whether the map itself, no card, is at a place."""
    script = """place => {
      const [x, y] = window.gisgrid.pixelOf(place);
      return document.elementFromPoint(x, y)?.closest('#map') !== null;
    }"""
    return bool(web.page.evaluate(script, place))


def _middle(web: Watched, feature: dict[str, Any]) -> list[float]:
    grid = _get(web.base, f"api/v1/grids/{feature['properties']['code']}")
    return list(grid["properties"]["label_point"])


def test_english_keyboard_and_tablet(browser: BrowserContext, served_demo: str) -> None:
    with watched_page(browser, served_demo, size=TABLET) as web:
        web.open()
        page = web.page
        page.click("button.language")
        page.locator("#tab-layers").focus()
        for tab in ("circles", "heat", "siting", "table"):
            page.keyboard.press("ArrowRight")
            expect(page.locator(f"#tab-{tab}")).to_be_focused()
            expect(page.locator(f"#panel-{tab}")).to_be_visible()
        page.wait_for_selector(".data-table tbody tr")
        web.picture("analysis-table-tablet-en")
        assert not page.evaluate("/[\\u4e00-\\u9fff]/.test(document.querySelector('#panel-table').textContent)")
        page.click("#tab-heat")
        expect(page.locator("#panel-heat h2").first).to_have_text("Timeline")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        web.picture("analysis-heat-tablet-en")
