"""Tools of every map: measuring, printing, further layers, addresses for GIS, search."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pypdfium2
import pytest

pytest.importorskip("playwright", reason="Playwright for Python is not installed (pip install '.[dev]')")
from playwright.sync_api import BrowserContext, expect
from pyproj import Geod

from tests.e2e.watched import Watched, watched_page

pytestmark = pytest.mark.browser


@pytest.fixture
def web(browser: BrowserContext, served_demo: str) -> Iterator[Watched]:
    with watched_page(browser, served_demo) as watched:
        watched.open()
        yield watched


def _centre(web: Watched) -> tuple[float, float]:
    x, y = web.page.evaluate("window.gisgrid.map.getView().getCenter()")
    lon = x / 20037508.342789244 * 180.0
    return lon, float(np.rad2deg(2 * np.arctan(np.exp(y / 6378137.0)) - np.pi / 2))


def test_lengths_are_measured_by_keyboard_as_geodesics(web: Watched) -> None:
    page = web.page
    page.get_by_role("button", name="测量长度和面积").click()
    places = []
    for key in ("Enter", "ArrowRight", "Enter", "ArrowDown", "Enter"):
        page.keyboard.press(key)
        page.wait_for_timeout(700)  # longer than a step of the map takes
        if key == "Enter":
            places.append(_centre(web))
    page.keyboard.press("Enter")  # the same place again ends it
    lons, lats = zip(*places, strict=True)
    metres = Geod(a=6378137.0, rf=298.257222101).line_length(lons, lats)
    told = page.inner_text(".measure-value")
    value = float(told.split()[0].replace(",", "")) * (1000.0 if "公里" in told else 1.0)
    assert value == pytest.approx(metres, rel=2e-3)
    page.keyboard.press("Escape")
    expect(page.locator(".measure")).to_be_hidden()
    # the map is itself again: Enter asks who owns the middle
    page.keyboard.press("Enter")
    expect(page.locator(".details")).to_be_visible()


def test_areas_are_measured_by_pointer(web: Watched) -> None:
    page = web.page
    page.get_by_role("button", name="测量长度和面积").click()
    page.locator(".measure").get_by_role("button", name="面积").click()
    for x, y in ((700, 380), (900, 390), (880, 560)):
        page.mouse.click(x, y)
        page.wait_for_timeout(320)  # two clicks that are no double click
    page.mouse.dblclick(720, 540)
    expect(page.locator(".measure-value")).to_contain_text("亩")
    assert page.locator(".details").is_hidden()


def test_a_sheet_is_previewed_and_downloaded(web: Watched, tmp_path: Path) -> None:
    page = web.page
    page.get_by_role("button", name="打印网格图").click()
    page.wait_for_selector(".print-picture:not([hidden]):not(.is-old)")
    expect(page.locator("#print-scale option").nth(1)).to_be_disabled()
    page.select_option("#print-paper", "A4")
    page.wait_for_selector(".print-picture:not([hidden]):not(.is-old)")
    with page.expect_download() as waiting:
        page.locator(".dialog-print [data-form=pdf]").click()
    file = tmp_path / "sheet.pdf"
    waiting.value.save_as(file)
    document = pypdfium2.PdfDocument(file)
    assert sorted(document[0].get_size()) == pytest.approx([595.3, 841.9], abs=1.0)
    assert "网格图" in document[0].get_textpage().get_text_range()
    colours = np.unique(np.asarray(document[0].render(scale=0.5).to_pil()).reshape(-1, 3) // 16, axis=0)
    assert len(colours) > 20
    page.keyboard.press("Escape")
    expect(page.locator(".dialog-print")).to_have_count(0)


def test_layers_of_the_service_are_added_and_seen_through(web: Watched) -> None:
    page = web.page
    page.wait_for_selector("#extra-layer option >> nth=10", state="attached")
    page.select_option("#extra-layer", "units")
    page.locator(".extra-form button").click()
    expect(page.locator(".extra-row")).to_have_count(1)
    page.select_option("#extra-layer", "streets")
    page.select_option("#extra-way", "tiles")
    page.locator(".extra-form button").click()
    expect(page.locator(".extra-row")).to_have_count(2)
    web.idle()
    assert any("/wms?" in url and "LAYERS=units" in url for url in web.requests)
    assert any("/ogc/collections/streets/tiles/" in url for url in web.requests)
    page.locator("#extra-units-opacity").fill("30")
    page.get_by_role("button", name="调整各图层的不透明度").click()
    page.locator("#opacity-grids").fill("50")
    opacity = """key => window.gisgrid.map.getAllLayers().find(layer => layer.get('key') === key).getOpacity()"""
    assert page.evaluate(opacity, "extra:units") == pytest.approx(0.3)
    assert page.evaluate(opacity, "grids") == pytest.approx(0.5)
    page.get_by_role("button", name="移除基本单元").click()
    expect(page.locator(".extra-row")).to_have_count(1)


def test_addresses_for_gis_are_this_services_own(web: Watched) -> None:
    web.page.locator(".tools").get_by_role("button", name="在 GIS 中使用").click()
    web.page.wait_for_selector(".gis-downloads")
    addresses = web.page.locator(".gis-address").all_inner_texts()
    assert len(addresses) == 5
    assert all(address.startswith(web.base) for address in addresses)
    href = str(web.page.locator(".gis-downloads a").get_attribute("href"))
    assert href == f"{web.base}/api/v1/layers/grids/download?format=gpkg"


@pytest.mark.parametrize("form", ["dms", "gauss", "address"])
def test_search_takes_coordinates_and_addresses(web: Watched, form: str) -> None:
    page = web.page
    street = page.evaluate(
        "async () => (await (await fetch('api/v1/streets?limit=200')).json()).features.find(f => f.properties.name).properties.name"
    )
    lon, lat = _centre(web)
    if form == "dms":
        east, north = (f"{int(v)}°{int(v % 1 * 60)}′{v * 3600 % 60:.3f}″" for v in (lon, lat))
        typed = f"{north}N {east}E"
    elif form == "gauss":
        from pyproj import Transformer

        zone = int((lon - 73.5) / 3)
        x, y = Transformer.from_crs("EPSG:4490", f"EPSG:{4534 + zone}", always_xy=True).transform(lon, lat)
        typed = f"{x:.2f} {y:.2f} EPSG:{4534 + zone}"
    else:
        typed = street
    page.fill("#search", typed)
    page.wait_for_selector(".search-choice", timeout=20_000)
    page.keyboard.press("Enter")
    expect(page.locator(".chain-owner")).to_be_visible(timeout=20_000)
    if form != "address":
        point = page.evaluate("window.gisgrid.state().selection.answer.point")
        assert (point["lon"], point["lat"]) == pytest.approx((lon, lat), abs=2e-6)
