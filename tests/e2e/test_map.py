"""The web map in a real Chromium against a real service: what a person sees, clicks and reads."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("playwright", reason="Playwright for Python is not installed (pip install '.[dev]')")
from playwright.sync_api import BrowserContext, Page, expect
from pyproj import Geod

from tests.e2e.watched import TABLET, Watched, watched_page

pytestmark = pytest.mark.browser


@pytest.fixture
def web(browser: BrowserContext, served_demo: str) -> Iterator[Watched]:
    """The map, opened afresh in Chinese."""
    with watched_page(browser, served_demo) as watched:
        watched.open()
        yield watched


@pytest.fixture(scope="module")
def grids(served_demo: str) -> list[dict[str, Any]]:
    """Properties of every grid in force, as the service tells them."""
    return [feature["properties"] for feature in _get(served_demo, "grids?level=1&limit=5000")["features"]]


def _get(base: str, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{base.rstrip('/')}/api/v1/{path}", timeout=30) as answer:
        return dict(json.load(answer))


def _painted(page: Page) -> int:
    """Distinct colours on the map's canvases: an empty map has one or two."""
    return int(
        page.evaluate(
            """() => {
              const colours = new Set();
              for (const canvas of document.querySelectorAll('#map canvas')) {
                const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
                for (let at = 0; at < data.length; at += 4 * 997) {
                  if (data[at + 3] > 0) colours.add(`${data[at] >> 3},${data[at + 1] >> 3},${data[at + 2] >> 3}`);
                }
              }
              return colours.size;
            }"""
        )
    )


def test_map_opens_with_every_grid_drawn(web: Watched, grids: list[dict[str, Any]]) -> None:
    assert len(grids) > 1
    assert web.count("grids") == len(grids)
    assert web.count("streets") > 0
    assert _painted(web.page) > 12
    assert web.page.evaluate("document.documentElement.lang") == "zh-CN"
    overview = _get(web.base, "overview")
    expect(web.page.locator(".status-generation")).to_contain_text(str(overview["generation"]["id"]))
    ordinary = sum(grid["kind"] == "ordinary" for grid in grids)
    counted = web.page.locator(".legend-row .amount").all_inner_texts()
    assert sum(int(text.replace(",", "")) for text in counted) == len(grids) >= ordinary
    web.picture("map-zh")


def test_click_reads_the_owner_and_its_chain(web: Watched, grids: list[dict[str, Any]]) -> None:
    for grid in (grids[0], grids[len(grids) // 2], grids[-1]):
        web.click_at(grid["label_point"])
        owner = web.page.locator(f".chain-link[data-level=grid][data-code='{grid['code']}']")
        expect(owner).to_be_visible()
        expect(web.page.locator(f".chain-link[data-level=community][data-code='{grid['community']}']")).to_be_visible()
        levels = web.page.locator(".chain-link").evaluate_all("links => links.map(link => link.dataset.level)")
        assert levels == ["grid", "community", "street", "district"]
        expect(web.page.locator(".owner-code")).to_have_text(grid["code"])
        expect(web.page.locator(".tiles dd").first).to_have_text(f"{grid['households']:,}")
        if grid is grids[0]:
            web.picture("owner-zh")
        web.page.keyboard.press("Escape")
        expect(web.page.locator(".details")).to_be_hidden()
        web.home()


def test_outside_every_grid_says_so(web: Watched) -> None:
    west, _south, _east, north = _get(web.base, "overview")["bounds"]
    web.page.evaluate("window.gisgrid.map.getView().setZoom(window.gisgrid.map.getView().getZoom() - 1)")
    web.idle()
    web.click_at([west + 0.0005, north + 0.002])
    expect(web.page.locator(".outside")).to_be_visible()
    expect(web.page.locator(".chain-link")).to_have_count(0)


def test_language_switch_is_whole_and_remembered(web: Watched) -> None:
    chinese = web.page.locator("#app").inner_text()
    web.page.click(".language")
    assert web.page.evaluate("document.documentElement.lang") == "en"
    expect(web.page.locator("#tab-layers")).to_have_text("Layers")
    assert web.page.locator("#app").inner_text() != chinese
    web.page.reload()
    web.page.wait_for_selector("body[data-ready=map]")
    expect(web.page.locator("#tab-circles")).to_have_text("Circles")
    labels = web.page.eval_on_selector_all(
        "button, input, select", "nodes => nodes.filter(n => !n.labels?.length).map(n => n.ariaLabel || n.innerText)"
    )
    assert all(label.strip() for label in labels)
    web.picture("map-en")


def test_category_recolours_the_grids_with_a_legend(web: Watched, grids: list[dict[str, Any]]) -> None:
    covered = _get(web.base, "circles")["categories"]
    category = next(row for row in covered if row["facilities"] > 0)["category"]
    before = web.page.evaluate("document.querySelector('#map canvas').toDataURL()")
    web.page.click("#tab-circles")
    web.page.select_option("#category", category)
    legend = web.page.locator("[data-legend=coverage]")
    expect(legend).to_be_visible()
    web.idle()
    assert sum(int(text) for text in legend.locator(".amount").all_inner_texts()) == len(grids)
    assert web.count("isochrones") > 0
    assert web.count("facilities") == _get(web.base, f"facilities?category={category}&limit=5000")["numberReturned"]
    assert web.page.evaluate("document.querySelector('#map canvas').toDataURL()") != before
    web.picture("circles-zh")
    web.page.select_option("#category", "")
    expect(legend).to_have_count(0)


def test_blind_spots_are_listed_drawn_and_gone_to(web: Watched) -> None:
    worst = max(_get(web.base, "circles")["categories"], key=lambda row: row["blind_spots"])
    told = _get(web.base, f"circles/blind-spots?category={worst['category']}")
    web.page.click("#tab-circles")
    web.page.select_option("#category", worst["category"])
    rows = web.page.locator(".blind-row")
    expect(rows).to_have_count(min(6, told["numberMatched"]))
    web.idle()
    assert web.count("blindSpots") == told["numberReturned"] == worst["blind_spots"] > 0
    first = told["features"][0]["properties"]
    expect(rows.first).to_contain_text(f"{first['residents']:,}")
    expect(rows.first).to_contain_text(f"{first['elderly']:,}")
    rows.first.hover()
    assert web.page.evaluate("window.gisgrid.state().spot") == 1
    before = web.page.url
    rows.first.click()
    web.idle()
    expect(rows.first).to_be_focused()
    assert web.page.url != before
    web.picture("blind-zh")


def test_another_profile_has_figures_of_its_own(web: Watched) -> None:
    web.page.click("#tab-circles")
    means = web.page.locator(".score-figure dd").first
    expect(means).to_have_text(_percent(_get(web.base, "circles")["score"]["mean"]))
    web.page.check("#profile-elderly", force=True)
    score, compute = web.page.locator(".score"), web.page.locator("#compute")
    expect(score.or_(compute)).to_be_visible()
    if compute.is_visible():  # computed in this test unless the demo's own worker was faster
        compute.click()
    expect(score).to_be_visible(timeout=150_000)
    slower = _get(web.base, "circles?profile=elderly")["score"]
    expect(means).to_have_text(_percent(slower["mean"]))
    assert slower["mean"] < _get(web.base, "circles")["score"]["mean"]
    assert "profile=elderly" in web.page.url


def test_building_lists_the_nearest_of_each_kind_with_its_way(web: Watched) -> None:
    category = "bus_stop"
    building = _get(web.base, f"circles/buildings?category={category}&limit=40")["features"][39]
    place = building["geometry"]["coordinates"]
    web.open(f"#17.00/{place[1]:.5f}/{place[0]:.5f}")
    web.page.reload()
    web.page.wait_for_selector("body[data-ready=map]")
    web.click_at(place)
    rows = web.page.locator(".near-row")
    expect(rows.first).to_be_visible()
    expect(web.page.locator(".owner-code")).to_be_visible()
    answer = _get(web.base, f"circles/nearest?building={building['id']}&routes=true")
    nearest = {row["category"]: row for row in answer["nearest"]}
    expect(rows).to_have_count(len(nearest))
    assert f"building={building['id']}" in web.page.url
    row = web.page.locator(f"#nearest-{category}")
    expect(row).to_have_attribute("data-seconds", str(nearest[category]["seconds"]))
    row.click()
    expect(row).to_have_attribute("aria-pressed", "true")
    web.idle()
    drawn = web.page.evaluate("window.gisgrid.features('routes')")["features"]
    assert len(drawn) == sum(found["route"] is not None for found in nearest.values())
    way = next(line for line in drawn if line["properties"]["category"] == category)
    lon, lat = zip(*way["geometry"]["coordinates"], strict=True)
    assert Geod(ellps="GRS80").line_length(lon, lat) == pytest.approx(nearest[category]["metres"], rel=2e-3, abs=0.5)
    web.picture("nearest-zh")
    web.page.click("#ranges")
    expect(web.page.locator("#ranges")).to_have_attribute("aria-pressed", "true")
    web.idle()
    assert web.count("ranges") == 3
    web.page.reload()  # the address alone brings the same building back
    expect(web.page.locator(f"#nearest-{category}")).to_have_attribute(
        "data-metres", f"{nearest[category]['metres']:g}"
    )


def _percent(share: float) -> str:
    return f"{share:.0%}"


def test_components_cluster_from_afar_and_stand_alone_near(web: Watched, grids: list[dict[str, Any]]) -> None:
    web.page.click("#layer-components")
    web.page.wait_for_timeout(400)
    web.idle()
    total = _get(web.base, "overview")["counts"]["components"]
    assert 0 < web.count("clusters") < total
    web.picture("components-zh")
    lon, lat = _a_component(web.base, grids)
    web.open(f"#18.50/{lat:.5f}/{lon:.5f}")
    web.page.reload()
    web.page.wait_for_selector("body[data-ready=map]")
    web.page.click("#layer-components")
    web.page.wait_for_timeout(400)
    web.idle()
    assert web.count("components") > 0
    web.click_at([lon, lat])
    expect(web.page.locator(".popup")).to_be_visible()
    web.picture("component-zh")
    web.page.keyboard.press("Escape")
    expect(web.page.locator(".popup")).to_be_hidden()


def _a_component(base: str, grids: list[dict[str, Any]]) -> tuple[float, float]:
    lon, lat = grids[0]["label_point"]
    for half in (0.002, 0.01, 0.1):
        box = f"{lon - half},{lat - half},{lon + half},{lat + half}"
        found = _get(base, f"components?bbox={box}&limit=1")["features"]
        if found:
            return tuple(found[0]["geometry"]["coordinates"][:2])
    pytest.fail("the sample district has no component near its first grid")


def test_search_from_the_keyboard(web: Watched, grids: list[dict[str, Any]]) -> None:
    grid = grids[-1]
    web.page.keyboard.press("/")
    expect(web.page.locator("#search")).to_be_focused()
    web.page.keyboard.type(grid["code"])
    web.page.keyboard.press("Enter")
    expect(web.page.locator(".owner-code")).to_have_text(grid["code"])
    lon, lat = grids[0]["label_point"]
    web.page.keyboard.press("/")
    web.page.keyboard.press("Control+A")
    web.page.keyboard.type(f"{lon},{lat} gcj02")
    web.page.keyboard.press("Enter")
    answer = _get(web.base, f"locate?lon={lon}&lat={lat}&crs=gcj02")
    shown = f"{answer['point']['lon']:.6f}, {answer['point']['lat']:.6f}"
    expect(web.page.locator(".place code")).to_have_text(shown)


def test_tablet_keeps_map_and_cards_apart(web: Watched, grids: list[dict[str, Any]]) -> None:
    web.page.set_viewport_size(TABLET)
    web.home()
    web.click_at(grids[len(grids) // 2]["label_point"])
    expect(web.page.locator(".tiles")).to_be_visible()
    web.idle()
    side = web.page.locator(".side").bounding_box()
    details = web.page.locator(".details").bounding_box()
    assert side is not None
    assert details is not None
    assert side["x"] + side["width"] < details["x"]
    assert details["x"] + details["width"] <= TABLET["width"]
    x, _y = web.page.evaluate("place => window.gisgrid.pixelOf(place)", grids[len(grids) // 2]["label_point"])
    assert side["x"] + side["width"] < x < details["x"]
    web.picture("tablet-zh")


def test_service_failure_is_told_and_the_map_stays(web: Watched, grids: list[dict[str, Any]]) -> None:
    web.page.route("**/api/v1/locate*", lambda route: route.abort())
    web.click_at(grids[0]["label_point"])
    expect(web.page.locator(".toast-error")).to_be_visible()
    expect(web.page.locator(".details")).to_be_hidden()
    assert web.count("grids") == len(grids)
    web.errors.clear()  # the browser itself reports the request we cut
