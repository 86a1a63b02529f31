"""The page of one grid or community, as on a phone."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright", reason="Playwright for Python is not installed (pip install '.[dev]')")
from playwright.sync_api import BrowserContext, expect

from tests.e2e.watched import PHONE, Watched, watched_page

pytestmark = pytest.mark.browser
AXE = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def phone(browser: BrowserContext, served_demo: str) -> Iterator[Watched]:
    with watched_page(browser, served_demo, size=PHONE) as watched:
        yield watched


@pytest.fixture(scope="module")
def grid(served_demo: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{served_demo.rstrip('/')}/api/v1/grids?level=1&limit=100", timeout=30) as answer:
        grids = [feature["properties"] for feature in json.load(answer)["features"]]
    return dict(max(grids, key=lambda grid: grid["households"]))


def test_a_grid_page_tells_its_numbers_and_leads_on(phone: Watched, grid: dict[str, Any]) -> None:
    phone.open(f"place?code={grid['code']}")
    page = phone.page
    expect(page.locator("h1")).to_contain_text("网格")
    expect(page.locator(".place-figures").first).to_contain_text(f"{grid['households']:,}")
    expect(page.locator(".place-figures").first).to_contain_text(f"{grid['population']:,}")
    assert page.locator(".sketch a").count() > 0
    assert page.locator(".sketch-street").count() > 0
    assert page.locator(".place-bars li").count() > 3
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # on to a neighbour by its shape, which says its name
    first = page.locator(".sketch a").first
    code = str(first.get_attribute("href")).split("=")[1]
    first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/place?code={code}")
    page.wait_for_selector("body[data-ready]")
    expect(page.locator(".place-code code")).to_have_text(code)


def test_english_and_the_way_to_the_community(phone: Watched, grid: dict[str, Any]) -> None:
    phone.open(f"place?code={grid['code']}")
    phone.page.click(".language")
    expect(phone.page.locator("h1")).to_contain_text("grid")
    phone.page.click(".place-chain a")
    phone.page.wait_for_selector("body[data-ready]")
    expect(phone.page.locator(".place-code")).to_contain_text("Community")
    assert phone.page.locator(".sketch a").count() > 1


def test_an_unknown_code_is_explained(phone: Watched) -> None:
    phone.open("place?code=123")
    expect(phone.page.locator("h1")).to_have_text("没有找到这个网格")
    expect(phone.page.locator(".place-tags a").first).to_be_visible()
    # the browser itself notes the one answer 404
    assert [error for error in phone.errors if "404" not in error] == []
    phone.errors.clear()
    phone.page.click(".place-tags a >> nth=0")
    phone.page.wait_for_selector("body[data-ready]")
    expect(phone.page.locator(".place-kind")).to_have_text("社区")


def test_the_page_is_light_and_accessible(phone: Watched, grid: dict[str, Any]) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed; run 'npm ci' in web/")
    sizes: list[int] = []
    phone.page.on("response", lambda answer: sizes.append(len(answer.body())) if answer.url.endswith(".js") else None)
    phone.open(f"place?code={grid['code']}")
    assert 0 < sum(sizes) < 300_000  # not compressed; a third of it on the way
    phone.page.evaluate(AXE.read_text())
    found = phone.page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'best-practice']})")
    serious = [
        (one["id"], one["nodes"][0]["html"]) for one in found["violations"] if one["impact"] in ("serious", "critical")
    ]
    assert serious == []
    phone.page.wait_for_timeout(50)
