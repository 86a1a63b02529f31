"""The history in a real Chromium: what was changed, in words, filtered; both languages, desktop and phone."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("playwright", reason="Playwright for Python is not installed (pip install '.[dev]')")
from playwright.sync_api import BrowserContext, expect

from tests.e2e.axe import serious
from tests.e2e.watched import PHONE, Watched, watched_page

pytestmark = pytest.mark.browser


@pytest.fixture
def web(browser: BrowserContext, served_demo: str) -> Iterator[Watched]:
    with watched_page(browser, served_demo) as watched:
        yield watched


def asked(base: str, query: str) -> Any:
    with urllib.request.urlopen(f"{base}/api/v1/history?{query}", timeout=30) as answer:
        return json.load(answer)["entries"]


def test_changes_are_told_in_words_and_filtered(web: Watched) -> None:
    web.open("history")
    page = web.page
    newest = asked(web.base, "limit=1")[0]
    expect(page.locator("main")).to_contain_text(f"#{newest['seq']} ")
    assert serious(page) == []
    web.picture("history-zh")
    page.select_option("#history-subject", "generations")
    page.get_by_role("button", name="查看").click()
    first = asked(web.base, "subject=generations&limit=1")[0]
    expect(page.locator("main")).to_contain_text(f"#{first['seq']} ")
    expect(page.locator(".history-action").first).to_have_text({"insert": "新增", "update": "修改"}[first["action"]])
    assert "history." not in page.inner_text("main"), "a text is missing"


def test_english_on_a_phone(web: Watched) -> None:
    page = web.page
    page.set_viewport_size(PHONE)
    for address in ("history", "people", ""):
        web.open(address)
        if page.evaluate("document.documentElement.lang") != "en":
            page.click(".language")
        expect(page.locator("html")).to_have_attribute("lang", "en")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address
        expect(page.locator(".language")).to_be_in_viewport(ratio=1)
        assert serious(page) == [], address
        web.picture(f"phone-{address or 'map'}-en")


def test_the_tab_of_service_circles_is_open_to_everybody(web: Watched) -> None:
    web.open()
    page = web.page
    for lang in ("zh-CN", "en"):
        if page.evaluate("document.documentElement.lang") != lang:
            page.click(".language")
        page.click("#tab-circles")
        page.wait_for_selector("#panel-circles:not([hidden])")
        web.idle()
        assert serious(page) == [], lang
