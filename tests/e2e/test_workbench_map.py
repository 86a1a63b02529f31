"""The map of the workbench: search, measuring, layers of the service, in the plan's own colours."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright", reason="Playwright for Python is not installed (pip install '.[dev]')")
from playwright.sync_api import expect

from tests.e2e.axe import serious
from tests.e2e.watched import Watched
from tests.e2e.working import ask, model, owners

pytestmark = pytest.mark.browser


def test_grids_components_addresses_and_coordinates_are_found(bench: Watched, served_demo: str) -> None:
    page = bench.page

    def current() -> int:
        return int(page.evaluate("window.gisgrid.state().current"))

    def find(text: str) -> None:
        page.fill("#search", text)
        page.wait_for_selector(".search-choice")
        page.keyboard.press("Enter")
        bench.idle()

    grid = model(page, "m.gridsOf(1)[3]")
    find(model(page, "m.grids[argument].code", grid))
    assert current() == grid
    # a component, and its own coordinate in two systems, lie in the grid the service says
    (component,) = ask(served_demo, "components?limit=1")["features"]
    lon, lat = component["geometry"]["coordinates"][:2]
    owner = ask(served_demo, f"locate?lon={lon}&lat={lat}&crs=cgcs2000")["owner"]["code"]
    other = model(page, "m.gridsOf(1).find(g => m.grids[g].code !== argument)", owner)
    for text in (component["id"], f"{lon:.7f} {lat:.7f}"):
        page.evaluate("grid => window.gisgrid.choose(grid)", other)
        find(text)
        assert model(page, "m.grids[argument].code", current()) == owner, text
    bench.picture("workbench-search")
    page.keyboard.press("/")
    page.fill("#search", "10, 50")
    page.keyboard.press("Enter")
    expect(page.locator(".toast").first).to_be_visible()


def test_measured_without_painting_and_layers_added(bench: Watched) -> None:
    page = bench.page
    before = owners(page)
    page.click("#deed-measure")
    for x, y in ((400, 400), (640, 400)):
        page.mouse.click(x, y)
        page.wait_for_timeout(300)
    expect(page.locator(".measure-value")).to_contain_text("米")
    bench.picture("workbench-measure")
    assert owners(page) == before
    page.keyboard.press("Escape")
    expect(page.locator(".measure")).to_be_hidden()
    page.click("#tab-button-look")
    page.wait_for_selector("#extra-layer option >> nth=5", state="attached")
    page.select_option("#extra-layer", "components")
    page.locator(".extra-form button").click()
    expect(page.locator(".extra-row")).to_have_count(1)
    bench.idle()
    assert any("/wms?" in url and "LAYERS=components" in url for url in bench.requests)
    page.locator("#extra-components-opacity").fill("40")
    assert serious(page) == []
    bench.picture("workbench-layers")
