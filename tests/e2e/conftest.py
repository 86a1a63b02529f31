"""A real Chromium for the tests of the pages."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator

import pytest

pytest.importorskip("playwright", reason="Playwright for Python is not installed (pip install '.[dev]')")
from playwright.sync_api import BrowserContext, expect, sync_playwright

from tests.e2e.watched import DESKTOP, Watched, watched_page
from tests.e2e.working import ask

_names = itertools.count(1)
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--metrics-recording-only",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[BrowserContext]:
    """A Chromium with a profile of its own."""
    if CHROMIUM is None:
        pytest.skip("no Chromium; install the package 'chromium' or name the program in CHROMIUM")
    with tempfile.TemporaryDirectory(prefix="gisgrid-chromium-") as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, headless=True, args=FLAGS, viewport=DESKTOP, locale="zh-CN"
        )
        context.set_default_timeout(20_000)
        expect.set_options(timeout=15_000)  # a busy machine is no fault of a page
        yield context
        context.close()


@pytest.fixture
def draft(served_demo: str) -> Iterator[int]:
    """A draft like the grids in force."""
    published = next(plan for plan in ask(served_demo, "plans?status=published")["plans"])
    made = ask(
        served_demo,
        "plans",
        {"area": published["area"], "from": "published", "name": f"试改 {next(_names)}"},
    )
    yield made["id"]
    ask(served_demo, f"plans/{made['id']}", method="DELETE")


@pytest.fixture
def bench(browser: BrowserContext, served_demo: str, draft: int) -> Iterator[Watched]:
    with watched_page(browser, served_demo) as watched:
        watched.open(f"workbench?plan={draft}")
        watched.idle()
        yield watched
