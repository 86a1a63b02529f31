"""The report page in a real Chromium: languages, narrow screens, nothing asked of the network, no text over text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="Playwright for Python is not installed (pip install '.[dev]')")
from playwright.sync_api import BrowserContext, Page

from api.cli.reporting import write_comparison
from data.sample import make_sample
from gisgrid.models import Band
from planning.compare import compare
from planning.partition import partition
from planning.units import make_units
from planning.workflow import barrier_lines

pytestmark = pytest.mark.browser
TEXTS = """() => {
  const seen = [...document.querySelectorAll("svg.map .labels")].map(group =>
    [...group.querySelectorAll("text.number")].map(text => text.getBoundingClientRect()).filter(box => box.width));
  let clashes = 0;
  for (const boxes of seen) for (let i = 0; i < boxes.length; i++) for (let j = 0; j < i; j++) {
    const [a, b] = [boxes[i], boxes[j]];
    if (a.left < b.right && b.left < a.right && a.top + 2 < b.bottom - 2 && b.top + 2 < a.bottom - 2) clashes++;
  }
  return [seen.map(boxes => boxes.length), clashes];
}"""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison of Mingfeng's plan with the grids there were."""
    layers = make_sample("mingfeng", seed=0).layers
    units = make_units(layers["buildings"], layers["streets"], layers["areas"], water=layers["water"])
    streets, band = barrier_lines(layers["streets"], layers["water"]), Band(300, 500)
    plan = partition(units, streets, band=band, preset="quick")
    owned = units.to_crs(plan.grids.crs).assign(grid=plan.grids["code"].to_numpy()[plan.assignment])
    found = compare(plan.grids, owned, layers["grids"], streets=streets, band=band)
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_comparison(path, plan.grids, streets, band, found, {"plan": "a", "other": "b"})
    return path


@pytest.fixture
def watched(browser: BrowserContext, page_file: Path) -> Iterator[Page]:
    page = browser.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: errors.append(request.url) if not request.url.startswith("file:") else None)
    page.goto(page_file.as_uri())
    yield page
    assert errors == []
    page.close()


def test_languages(watched: Page) -> None:
    assert watched.inner_text("h1") == "网格方案对比"
    watched.click("#language")
    assert watched.inner_text("h1") == "Two grid plans compared"
    assert watched.title() == "Two grid plans compared"
    assert "户" not in watched.inner_text(".cards")
    watched.goto(watched.url + "#en")
    watched.reload()
    assert watched.inner_text("h1") == "Two grid plans compared"


@pytest.mark.parametrize("width", [1280, 768, 375])
def test_nothing_sticks_out_and_no_label_meets_another(watched: Page, width: int) -> None:
    watched.set_viewport_size({"width": width, "height": 900})
    assert watched.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    labels, clashes = watched.evaluate(TEXTS)
    assert len(labels) == 4
    assert min(labels) >= 5
    assert clashes == 0
