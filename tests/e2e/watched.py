"""A page in a real Chromium that is watched: every console error and every request is kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="Playwright for Python is not installed (pip install '.[dev]')")
from playwright.sync_api import BrowserContext, Page, ViewportSize

DESKTOP = ViewportSize(width=1440, height=900)
TABLET = ViewportSize(width=1024, height=768)
PHONE = ViewportSize(width=390, height=844)


class Watched:
    """A page on the map, with every console error and every request kept."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base = page, base
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, address: str = "") -> None:
        """Open a page of the service by what follows its address, and wait until it is there."""
        self.page.goto(self.base + "/" + address)
        self.page.wait_for_selector("body[data-ready]")

    def idle(self) -> None:
        self.page.evaluate("window.gisgrid.idle()")

    def count(self, layer: str) -> int:
        return int(self.page.evaluate("layer => window.gisgrid.featureCount(layer)", layer))

    def home(self) -> None:
        """The whole district, clear of the cards."""
        self.page.click(".tools button:nth-child(3)")
        self.idle()

    def click_at(self, place: list[float]) -> None:
        x, y = self.page.evaluate("place => window.gisgrid.pixelOf(place)", place)
        self.page.mouse.click(x, y)

    def picture(self, name: str) -> None:
        folder = os.environ.get("GISGRID_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.idle()
            self.page.mouse.move(0, 0)
            self.page.screenshot(path=Path(folder) / f"{name}.png")


@contextmanager
def watched_page(browser: BrowserContext, base: str, *, size: ViewportSize = DESKTOP) -> Iterator[Watched]:
    """A page of its own; at the end nothing may have failed or left the host."""
    page = browser.new_page()
    page.set_viewport_size(size)
    watched = Watched(page, base.rstrip("/"))
    yield watched
    page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.close()
    outside = [url for url in watched.requests if not url.startswith((watched.base + "/", "data:", "blob:"))]
    assert outside == []
    assert watched.errors == []
