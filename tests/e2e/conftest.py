"""A real Chromium for the tests of the pages."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator

import pytest

pytest.importorskip("playwright", reason="Playwright for Python is not installed (pip install '.[dev]')")
from playwright.sync_api import BrowserContext, sync_playwright

from tests.e2e.watched import DESKTOP

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
        yield context
        context.close()
