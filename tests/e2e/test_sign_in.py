"""A service that asks for a key: who has none reads, who signs in plans."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="Playwright for Python is not installed (pip install '.[dev]')")
from playwright.sync_api import BrowserContext, expect

from tests.e2e.axe import serious
from tests.e2e.watched import watched_page
from tests.e2e.working import ask, border_pair, choose, model, owners, saved, stored_owner, unit_pixel
from tests.processes import command, unused_port

pytestmark = pytest.mark.browser
KEY = "k-4d1f0c9e27"


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def locked_service(served_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A second server on the demo's data, for whom has a key only."""
    port = unused_port()
    log = tmp_path_factory.mktemp("keyed") / "serve.log"
    given = {"GISGRID_HOME": str(served_home), "GISGRID_EDITOR_KEYS": f"planning:{KEY}", "GISGRID_OPEN_EDITING": "0"}
    with command(["-m", "api.cli", "serve", "--port", str(port), "--workers", "1"], log, os.environ | given) as server:
        server.until(lambda: _ready(port))
        yield f"http://127.0.0.1:{port}"


def test_a_key_opens_what_was_closed(
    browser: BrowserContext, locked_service: str, served_demo: str, draft: int
) -> None:
    with watched_page(browser, locked_service) as watched:
        page = watched.page
        watched.open("plans")
        expect(page.locator(f"[data-plan='{draft}']")).to_have_count(0)
        watched.open(f"workbench?plan={draft}")  # a draft is no one's business without a key
        expect(page.locator(".opening h1")).to_be_visible()
        page.locator(".opening button").click()
        page.fill("#who-input", "falsch")
        page.keyboard.press("Enter")
        expect(page.locator("dialog .fault")).not_to_be_empty()
        assert serious(page) == []
        page.fill("#who-input", KEY)
        page.keyboard.press("Enter")
        page.wait_for_selector("body[data-ready=map]")
        watched.idle()
        expect(page.locator(".who")).to_have_text("planning")

        pair = border_pair(page)
        choose(page, pair["b"])
        page.mouse.click(*unit_pixel(page, pair["unit"]))
        saved(page)
        code = model(page, "m.grids[argument].code", pair["b"])
        assert stored_owner(served_demo, draft, pair["unit"]) == code
        assert ask(served_demo, f"plans/{draft}/edits?after=1")["edits"][-1]["author"] == "planning"

        # the key lives as long as the tab: another page of the service knows it, another tab does not
        watched.open("plans")
        expect(page.locator(f"[data-plan='{draft}']")).to_be_visible()
        with watched_page(browser, locked_service) as other:
            other.open("plans")
            expect(other.page.locator(f"[data-plan='{draft}']")).to_have_count(0)
        published = ask(served_demo, "plans?status=published")["plans"][0]["id"]
        page.evaluate("sessionStorage.clear()")
        watched.open(f"workbench?plan={published}")
        watched.idle()
        before = owners(page)
        page.keyboard.press("b")
        page.mouse.click(*unit_pixel(page, pair["unit"]))
        assert owners(page) == before
        watched.errors = [text for text in watched.errors if "Failed to load resource" not in text]
