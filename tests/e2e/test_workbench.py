"""The workbench in a real Chromium: every way to change a plan, saving, conflicts, keys, tablet, English."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright", reason="Playwright for Python is not installed (pip install '.[dev]')")
from playwright.sync_api import BrowserContext, expect

from tests.e2e.watched import TABLET, Watched, watched_page
from tests.e2e.working import border_pair, choose, model, owners, saved, stored_owner, unit_pixel

AXE = Path(__file__).resolve().parents[2] / "web/node_modules/axe-core/axe.min.js"


def test_paint_saves_and_undo_lives_over_a_reload(bench: Watched, served_demo: str, draft: int) -> None:
    page = bench.page
    pair = border_pair(page)
    before = owners(page)
    households = model(page, "m.figures(argument).households", pair["b"])
    choose(page, pair["b"])
    page.mouse.click(*unit_pixel(page, pair["unit"]))
    after = owners(page)
    assert [unit for unit in range(len(after)) if after[unit] != before[unit]] == [pair["unit"]]
    assert after[pair["unit"]] == pair["b"]
    moved = model(page, "m.topology.households[argument]", pair["unit"])
    assert model(page, "m.figures(argument).households", pair["b"]) == households + moved
    expect(page.locator(".now-count")).to_have_text(f"{households + moved:,}")
    bench.picture("workbench-painted")
    saved(page)
    code = model(page, "m.grids[argument].code", pair["b"])
    assert stored_owner(served_demo, draft, pair["unit"]) == code

    bench.open(f"workbench?plan={draft}")
    bench.idle()
    assert owners(page) == after
    page.keyboard.press("Control+z")
    assert owners(page) == before
    page.keyboard.press("Control+y")
    assert owners(page) == after
    page.click("#undo")
    assert owners(page) == before
    saved(page)
    assert stored_owner(served_demo, draft, pair["unit"]) == model(page, "m.grids[argument].code", pair["a"])


def test_brush_rectangle_lasso_compound_and_eraser(bench: Watched) -> None:
    page = bench.page
    pair = border_pair(page)
    choose(page, pair["b"])
    x, y = unit_pixel(page, pair["unit"])

    def changed_by(act: Any) -> int:
        before = owners(page)
        act()
        count = sum(one != two for one, two in zip(before, owners(page), strict=True))
        page.keyboard.press("Control+z")
        assert owners(page) == before
        return count

    def drag(points: list[tuple[float, float]]) -> None:
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=4)
        page.mouse.up()

    def with_tool(key: str, act: Any) -> Any:
        def run() -> None:
            page.keyboard.press(key)
            act()

        return run

    box = [(x - 60, y - 60), (x + 60, y + 60)]
    loop = [(x - 70, y - 70), (x + 70, y - 70), (x + 70, y + 70), (x - 70, y + 70), (x - 70, y - 60)]
    page.click("#brush-24")
    assert changed_by(with_tool("b", lambda: drag([(x, y), (x + 20, y)]))) >= 1
    page.click("#brush-0")
    assert changed_by(with_tool("r", lambda: drag(box))) >= 1
    assert changed_by(with_tool("l", lambda: drag(loop))) >= 1
    assert changed_by(with_tool("c", lambda: page.mouse.click(x, y))) >= 1
    assert changed_by(with_tool("e", lambda: page.mouse.click(x, y))) == 1
    # Escape throws a stroke away
    before = owners(page)
    page.keyboard.press("b")
    page.mouse.move(x, y)
    page.mouse.down()
    assert owners(page) != before
    page.keyboard.press("Escape")
    page.mouse.up()
    assert owners(page) == before


def test_a_shared_border_is_dragged(bench: Watched) -> None:
    page = bench.page
    pair = border_pair(page)
    before = owners(page)
    page.keyboard.press("d")
    place = model(
        page,
        """(() => {
          const sides = a => [m.topology.arcLeft[a], m.topology.arcRight[a]];
          const arc = [...m.sharedArcs(argument.a, argument.b)].find(a => sides(a).includes(argument.unit));
          const line = m.lineOfArc(arc), k = 2 * Math.floor(line.length / 4);
          return [line[k], line[k + 1]];
        })()""",
        pair,
    )
    x, y = page.evaluate(
        "place => { const p = window.gisgrid.map.getPixelFromCoordinate(place);"
        " const b = window.gisgrid.map.getTargetElement().getBoundingClientRect(); return [p[0] + b.x, p[1] + b.y]; }",
        place,
    )
    middle = unit_pixel(page, pair["unit"])
    # well beyond the middle of the unit next to the border
    to = (x + 1.2 * (middle[0] - x), y + 1.2 * (middle[1] - y))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move((x + to[0]) / 2, (y + to[1]) / 2, steps=4)
    page.mouse.move(*to, steps=4)
    page.wait_for_timeout(150)
    trial = page.evaluate("(window.gisgrid.state().trial ?? { units: [] }).units.length")
    assert trial >= 1
    assert owners(page) == before, "nothing changes before the drop"
    page.mouse.up()
    after = owners(page)
    assert sum(one != two for one, two in zip(before, after, strict=True)) == trial
    assert {before[u] for u in range(len(before)) if before[u] != after[u]} <= {pair["a"], pair["b"]}
    page.keyboard.press("Control+z")
    assert owners(page) == before


def test_split_merge_special_lock_renumber(bench: Watched, served_demo: str, draft: int) -> None:
    page = bench.page
    grids = len(model(page, "m.gridsOf(1)"))
    pair = border_pair(page)
    grid = pair["a"]
    choose(page, grid)
    left, top, right, bottom = page.evaluate(
        """grid => { const m = window.gisgrid.model; const box = m.boxOfUnits(m.unitsOf(grid));
            const view = window.gisgrid.map; const at = view.getTargetElement().getBoundingClientRect();
            const a = view.getPixelFromCoordinate([box[0], box[3]]), b = view.getPixelFromCoordinate([box[2], box[1]]);
            return [a[0] + at.x, a[1] + at.y, b[0] + at.x, b[1] + at.y]; }""",
        grid,
    )
    page.keyboard.press("s")
    page.mouse.move((left + right) / 2, top - 6)
    page.mouse.down()
    page.mouse.move((left + right) / 2, bottom + 6, steps=12)
    page.wait_for_timeout(120)
    page.mouse.up()
    assert len(model(page, "m.gridsOf(1)")) == grids + 1
    saved(page)
    born = page.evaluate("window.gisgrid.state().current")
    assert model(page, "m.grids[argument].code", born).isdigit(), "the service gave it a code"

    page.keyboard.press("m")
    choose(page, grid)
    page.mouse.click(*unit_pixel(page, model(page, "m.unitsOf(argument)[0]", born)))
    assert len(model(page, "m.gridsOf(1)")) == grids

    page.click("#tool-special")
    page.click("label:has(#kind-park)")
    page.fill("#grid-name", "河滨公园")
    bench.picture("workbench-new-grid")
    page.click("dialog .dialog-foot .button:last-child")
    assert len(model(page, "m.gridsOf(1)")) == grids + 1
    current = page.evaluate("window.gisgrid.state().current")
    assert model(page, "m.grids[argument].kind", current) == "park"
    page.keyboard.press("Control+z")

    page.keyboard.press("b")
    choose(page, grid)
    page.click("#now-lock")
    assert model(page, "m.grids[argument].locked", grid)
    before = owners(page)
    page.mouse.click(*unit_pixel(page, pair["neighbour"]))
    assert owners(page) == before, "a locked grid takes nothing"
    page.click("#lock-all")
    assert model(page, "m.gridsOf(1).every(g => m.grids[g].locked)")
    bench.picture("workbench-locked")
    page.click("#unlock-all")
    assert not model(page, "m.gridsOf(1).some(g => m.grids[g].locked)")
    saved(page)


def test_problems_lead_to_the_piece_and_are_fixed(bench: Watched) -> None:
    page = bench.page
    pair = border_pair(page)
    choose(page, pair["b"])
    page.keyboard.press("e")
    page.mouse.click(*unit_pixel(page, pair["unit"]))
    page.click("#tab-button-problems")
    where = page.locator(".problem-where").first
    expect(where).to_be_visible()
    where.click()
    bench.idle()
    x, y = unit_pixel(page, pair["unit"])
    assert 0 < x < 1440
    assert 0 < y < 900
    bench.picture("workbench-problems")
    page.locator(".problem .text-button").first.click()
    page.wait_for_selector("#proposal-take", timeout=20_000)
    bench.picture("workbench-proposal")
    page.click("#proposal-take")
    assert owners(page)[pair["unit"]] >= 0
    expect(page.locator(".proposal")).to_be_hidden()
    page.click("#tab-button-history")
    assert page.locator(".step").count() == 2
    page.locator(".step").last.click()
    assert owners(page)[pair["unit"]] == -1


def test_two_pages_edit_the_same_border(browser: BrowserContext, bench: Watched, served_demo: str, draft: int) -> None:
    """The second to save is asked, sees whose and where, and decides."""
    page = bench.page
    pair = border_pair(page)
    with watched_page(browser, served_demo) as other:
        other.open(f"workbench?plan={draft}")
        other.idle()
        # others' edits are kept away from this page until it has made its own
        other.page.route(
            "**/api/v1/plans/*/edits*",
            lambda route: route.abort() if route.request.method == "GET" else route.continue_(),
        )
        choose(page, pair["b"])
        page.mouse.click(*unit_pixel(page, pair["unit"]))
        saved(page)
        choose(other.page, pair["a"])
        other.page.keyboard.press("e")
        other.page.mouse.click(*unit_pixel(other.page, pair["unit"]))
        other.page.unroute("**/api/v1/plans/*/edits*")
        expect(other.page.locator(".conflicts")).to_be_visible(timeout=15_000)
        assert other.page.locator(".conflict").count() == 1
        other.picture("workbench-conflict")
        other.page.locator(".conflict-choice button").nth(1).click()
        saved(other.page)
        assert stored_owner(served_demo, draft, pair["unit"]) is None
        page.wait_for_function("unit => window.gisgrid.model.ownerOf(unit) === -1", arg=pair["unit"], timeout=15_000)
        expect(page.locator(".toast").first).to_be_visible()
        # what failed on purpose is no fault of the page
        other.errors = [text for text in other.errors if "Failed to load resource" not in text]


def test_keyboard_alone(bench: Watched) -> None:
    page = bench.page
    page.keyboard.press("g")
    assert page.evaluate("document.activeElement.className").startswith("work-map")
    page.keyboard.press("]")
    current = page.evaluate("window.gisgrid.state().current")
    assert current >= 0
    page.keyboard.press("ArrowRight")
    for key in ["ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown"] * 6:
        cursor = page.evaluate("window.gisgrid.state().cursor")
        if owners(page)[cursor] != current:
            break
        page.keyboard.press(key)
    cursor = page.evaluate("window.gisgrid.state().cursor")
    assert owners(page)[cursor] != current
    said = page.inner_text("#live")
    assert model(page, "m.topology.unitIds[argument]", cursor) in said
    page.keyboard.press("Space")
    assert owners(page)[cursor] == current
    page.keyboard.press("Control+z")
    assert owners(page)[cursor] != current
    page.keyboard.press("Enter")
    assert page.evaluate("window.gisgrid.state().current") == owners(page)[cursor]
    page.keyboard.press("?")
    expect(page.locator(".dialog-keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".dialog-keys")).to_have_count(0)


def test_sortable_table_and_the_look(bench: Watched) -> None:
    page = bench.page
    page.click("#sort-households")
    counts = [
        int(text.replace(",", ""))
        for text in page.locator(".table-row .cell-households > span:first-child").all_inner_texts()
    ]
    assert counts == sorted(counts, reverse=True)
    assert len(counts) > 5
    page.click("#tab-button-look")
    page.click("label:has(#look-deviation)")
    bench.picture("workbench-deviation")
    assert page.evaluate("window.gisgrid.state().look.by") == "deviation"
    page.fill("#plan-name", "改了名的方案")
    page.keyboard.press("Enter")
    expect(page.locator(".toast").first).to_be_visible()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_tablet_both_languages_and_axe(browser: BrowserContext, served_demo: str, draft: int, language: str) -> None:
    with watched_page(browser, served_demo, size=TABLET) as watched:
        page = watched.page
        watched.open(f"workbench?plan={draft}")
        if language == "en":
            page.click(".language")
            expect(page.locator("#tool-paint")).to_contain_text("Paint")
        page.click(".table-row >> nth=1")
        watched.idle()
        watched.picture(f"workbench-tablet-{language}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.evaluate(AXE.read_text())
        for tab in ("grids", "problems", "history", "look"):
            page.click(f"#tab-button-{tab}")
            found = page.evaluate(
                "axe.run().then(r => r.violations.filter(v => ['serious', 'critical'].includes(v.impact)))"
            )
            assert [(v["id"], v["nodes"][0]["html"]) for v in found] == [], tab
