"""The sheet of a community, printed by the buttons of the workbench and of the map, and read back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image

pytest.importorskip("playwright", reason="Playwright for Python is not installed (pip install '.[dev]')")
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.axe import serious
from tests.e2e.watched import TABLET, Watched, watched_page
from tests.e2e.working import border_pair, choose, model, saved, unit_pixel

pytestmark = pytest.mark.browser
MM = 25.4 / 72


def kept(page: Page, form: str, name: str, folder: Path) -> Path:
    """The file the dialog's button gives; beside the screenshots where these are asked for."""
    with page.expect_download() as waiting:
        page.locator(f".dialog-print [data-form={form}]").click()
    file = Path(os.environ.get("GISGRID_SCREENSHOTS", folder)) / f"{name}.{form}"
    file.parent.mkdir(parents=True, exist_ok=True)
    waiting.value.save_as(file)
    return file


def drawn(page: Page) -> None:
    """The preview is that of what is chosen."""
    page.wait_for_timeout(350)  # it waits a moment for more to be chosen
    page.wait_for_selector(".print-picture:not([hidden]):not(.is-old)")


def shades(picture: Image.Image) -> int:
    """Colours that fill more than a thousandth of a picture."""
    found = np.asarray(picture.convert("RGB")).reshape(-1, 3) // 8
    count = np.unique(found, axis=0, return_counts=True)[1]
    return int((count > len(found) / 1000).sum())


@pytest.fixture
def web(browser: BrowserContext, served_demo: str) -> Iterator[Watched]:
    with watched_page(browser, served_demo) as watched:
        watched.open()
        yield watched


def test_a_draft_is_printed_as_it_is_on_the_bench(bench: Watched, tmp_path: Path) -> None:
    page = bench.page
    pair = border_pair(page)
    choose(page, pair["b"])
    page.mouse.click(*unit_pixel(page, pair["unit"]))
    saved(page)
    mine, households = model(page, "[m.grids[argument].code, m.figures(argument).households]", pair["b"])
    page.click("#deed-print")
    drawn(page)
    bench.picture("print-workbench")
    assert serious(page) == []
    page.select_option("#print-paper", "A3")
    page.select_option("#print-orientation", "landscape")
    drawn(page)
    document = pypdfium2.PdfDocument(kept(page, "pdf", "sheet-draft", tmp_path))
    width, height = document[0].get_size()
    assert (width * MM, height * MM) == pytest.approx((420, 297), abs=0.5)
    text = "".join(one.get_textpage().get_text_range() for one in document)
    assert "草案" in text or "草稿" in text
    assert f"{households:,}" in text
    assert mine in text
    picture = document[0].render(scale=2).to_pil()
    picture.save(Path(os.environ.get("GISGRID_SCREENSHOTS", tmp_path)) / "sheet-draft-pdf.png")
    assert shades(picture) > 6


def test_the_map_prints_the_same_sheet_as_picture_and_pdf(web: Watched, tmp_path: Path) -> None:
    page = web.page
    page.get_by_role("button", name="打印网格图").click()
    drawn(page)
    page.select_option("#print-paper", "A4")
    page.select_option("#print-lang", "both")
    drawn(page)
    picture = Image.open(kept(page, "png", "sheet-map", tmp_path))
    document = pypdfium2.PdfDocument(kept(page, "pdf", "sheet-map", tmp_path))
    paper = document[0].render(scale=picture.width / document[0].get_width()).to_pil().convert("L")
    assert shades(picture) > 6
    # two renderers, one drawing: the same in all but the finest lines
    small = (paper.width // 8, paper.height // 8)
    one, two = (np.asarray(sheet.convert("L").resize(small), dtype=float) for sheet in (paper, picture))
    assert np.abs(one - two).mean() < 6
    assert "Grid" in document[0].get_textpage().get_text_range()


def test_the_tools_in_english_on_a_tablet(web: Watched) -> None:
    page = web.page
    page.set_viewport_size(TABLET)
    page.click(".language")
    for button, shown in (("Print", ".dialog-print"), ("GIS", "dialog")):
        page.locator(".tools button", has=page.locator(f"[title*='{button}'], *")).first.wait_for()
        page.get_by_role("button", name=button).first.click()
        dialog = page.locator(shown)
        expect(dialog).to_be_visible()
        if button == "Print":
            drawn(page)
        box = dialog.bounding_box()
        assert box is not None
        assert min(box["x"], box["y"]) >= 0
        assert box["x"] + box["width"] <= TABLET["width"]
        assert box["y"] + box["height"] <= TABLET["height"]
        web.picture(f"tools-{button.lower()}-tablet-en")
        assert serious(page) == []
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
