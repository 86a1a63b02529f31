"""The workbench by finger, offline, on two levels, beside another editor, with comments, copies and links."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("playwright", reason="Playwright for Python is not installed (pip install '.[dev]')")
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.watched import TABLET, Watched, watched_page
from tests.e2e.working import ask, border_pair, choose, model, owners, saved, stored_owner, unit_pixel

pytestmark = pytest.mark.browser
Place = tuple[float, float]


def under(page: Page, pixel: Place) -> Place:
    """Place of the map (EPSG:3857) at a pixel of the page."""
    x, y = page.evaluate(
        """([x, y]) => { const { map } = window.gisgrid; const box = map.getTargetElement().getBoundingClientRect();
             return map.getCoordinateFromPixel([x - box.x, y - box.y]); }""",
        list(pixel),
    )
    return x, y


def resolution(page: Page) -> float:
    return float(page.evaluate("window.gisgrid.map.getView().getResolution()"))


def beside(page: Page, pair: dict[str, int], count: int) -> list[int]:
    """Units of the first grid of a pair from the border inwards, some left to it."""
    units = model(
        page,
        """(() => {
             const found = [argument.unit];
             for (let at = 0; at < found.length; at += 1) {
               for (let k = m.borders.start[found[at]]; k < m.borders.start[found[at] + 1]; k += 1) {
                 const near = m.borders.to[k];
                 if (m.ownerOf(near) === argument.a && !found.includes(near)) found.push(near);
               }
             }
             return found;
           })()""",
        pair,
    )
    assert len(units) > count
    return list(units[:count])


def test_one_finger_paints_and_two_move_the_map(browser: BrowserContext, served_demo: str, draft: int) -> None:
    with watched_page(browser, served_demo, size=TABLET) as watched:
        page = watched.page
        screen = browser.new_cdp_session(page)
        screen.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 5})

        def touch(kind: str, *points: Place) -> None:
            at = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
            screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

        watched.open(f"workbench?plan={draft}")
        watched.idle()
        pair = border_pair(page)
        choose(page, pair["b"])
        x, y = unit_pixel(page, pair["unit"])
        before = owners(page)
        touch("touchStart", (x, y))
        touch("touchEnd")
        assert owners(page) == [pair["b"] if unit == pair["unit"] else one for unit, one in enumerate(before)]
        page.click("#undo")

        # two fingers: the ground stays under their middle, twice as far apart is twice as near; nothing is painted
        scale, ground = resolution(page), under(page, (x, y))
        touch("touchStart", (x - 40, y))
        touch("touchStart", (x - 40, y), (x + 40, y))
        for step in range(1, 6):
            gap, by = 40 + 8 * step, 12 * step
            touch("touchMove", (x - gap, y + by), (x + gap, y + by))
        touch("touchEnd")
        watched.idle()
        assert resolution(page) == pytest.approx(scale / 2, rel=0.02)
        assert under(page, (x, y + 60)) == pytest.approx(ground, abs=4 * scale)
        assert owners(page) == before

        # buttons are wide enough for fingers
        small = page.evaluate(
            """[...document.querySelectorAll('.toolbar button, .plan-bar button')].filter(b => b.offsetParent !== null)
                 .map(b => [b.id || b.className, b.getBoundingClientRect()])
                 .filter(([, box]) => box.width < 40 || box.height < 40).map(([name]) => name)"""
        )
        watched.picture("workbench-touch")
        screen.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
        assert small == []


def test_offline_work_waits_and_is_sent_afterwards(bench: Watched, served_demo: str, draft: int) -> None:
    page = bench.page
    pair = border_pair(page)
    before = ask(served_demo, f"plans/{draft}")["version"]
    choose(page, pair["b"])
    page.context.set_offline(True)
    try:
        page.mouse.click(*unit_pixel(page, pair["unit"]))
        state = page.locator(".save-state")
        expect(state).to_have_attribute("data-status", "offline", timeout=15_000)
        expect(state).to_contain_text("尚未保存")
        bench.picture("workbench-offline")
    finally:
        page.context.set_offline(False)
    assert ask(served_demo, f"plans/{draft}")["version"] == before
    page.locator(".save-state button").click()
    saved(page)
    assert stored_owner(served_demo, draft, pair["unit"]) == model(page, "m.grids[argument].code", pair["b"])

    # what could not be sent is still there after a reload, and still said to be unsaved
    page.route("**/api/v1/plans/*/edits", lambda route: route.abort())
    page.keyboard.press("e")
    page.mouse.click(*unit_pixel(page, pair["unit"]))
    expect(page.locator(".save-state")).to_have_attribute("data-status", "offline", timeout=15_000)
    page.wait_for_timeout(150)  # what is kept is written a moment after
    bench.open(f"workbench?plan={draft}")
    expect(page.locator(".save-state")).to_have_attribute("data-status", "offline", timeout=15_000)
    assert owners(page)[pair["unit"]] == -1
    assert stored_owner(served_demo, draft, pair["unit"]) is not None
    page.unroute("**/api/v1/plans/*/edits")
    page.locator(".save-state button").click()
    saved(page)
    assert stored_owner(served_demo, draft, pair["unit"]) is None
    # requests that failed on purpose are no fault of the page
    bench.errors = [text for text in bench.errors if "Failed to load resource" not in text]


def test_comments_are_written_beside_the_map_and_settled(bench: Watched, served_demo: str, draft: int) -> None:
    page = bench.page
    grid = model(page, "m.gridsOf(1)[2]")
    code = model(page, "m.grids[argument].code", grid)
    choose(page, grid)
    page.click("#deed-comments")
    box = page.locator(".comments-card textarea")
    expect(box).to_be_focused()
    page.keyboard.type("b 号楼划给邻格更近")  # letters are no tools here
    page.keyboard.press("Control+Enter")
    expect(page.locator(".comment")).to_have_count(1)
    bench.picture("workbench-comments")
    (told,) = ask(served_demo, f"plans/{draft}/comments")["comments"]
    assert (told["body"], told["grid"], told["resolved"]) == ("b 号楼划给邻格更近", code, False)
    choose(page, model(page, "m.gridsOf(1)[0]"))
    page.click(f"#comment-{told['id']}-where")
    assert page.evaluate("window.gisgrid.state().current") == grid
    page.click(f"#comment-{told['id']}-settle")
    expect(page.locator(".comment")).to_have_count(0)
    assert ask(served_demo, f"plans/{draft}/comments")["comments"][0]["resolved"] is True
    page.click(f"#comments-{draft}-settled")
    expect(page.locator(".comment.is-settled")).to_have_count(1)


def others_gave(base: str, plan: int, page: Page, units: list[int], to: int) -> None:
    """Another editor gives units, all of one grid, to a grid."""
    codes = {
        grid: model(page, "m.grids[argument].code", grid) for grid in {to, model(page, "m.ownerOf(argument)", units[0])}
    }
    (source,) = set(codes) - {to}
    operation = {"op": "assign", "level": 1, "from": codes[source], "to": codes[to], "units": sorted(units)}
    version = ask(base, f"plans/{plan}")["version"]
    ask(base, f"plans/{plan}/edits", {"base": version, "operations": [operation]})


def test_conflicts_are_settled_one_by_one_and_all_at_once(bench: Watched, served_demo: str, draft: int) -> None:
    page = bench.page
    feed = "**/api/v1/plans/*/edits?*"

    def clash(units: list[int], to: int) -> None:
        """Another gives units to a grid, here they are erased, and only then the other's work is seen."""
        page.route(feed, lambda route: route.abort())
        others_gave(served_demo, draft, page, units, to)
        page.keyboard.press("e")
        for unit in units:
            page.mouse.click(*unit_pixel(page, unit))
        assert [owners(page)[unit] for unit in units] == [-1] * len(units)
        page.unroute(feed)
        expect(page.locator(".conflict")).to_have_count(len(units), timeout=15_000)

    def choice(unit: int, which: int) -> None:
        name = model(page, "String(m.topology.unitIds[argument])", unit)
        page.locator(".conflict", has_text=name).locator(".conflict-choice button").nth(which).click()

    pair = border_pair(page)
    units = beside(page, pair, 4)
    theirs, code = pair["b"], model(page, "m.grids[argument].code", pair["b"])
    clash(units, theirs)
    expect(page.locator(".save-state")).to_have_attribute("data-status", "conflict")
    choice(units[0], 0)
    choice(units[1], 1)
    expect(page.locator(".conflict")).to_have_count(2)
    page.locator(".conflicts-foot button").first.click()  # theirs, for all that are left
    expect(page.locator(".conflicts")).to_be_hidden()
    saved(page)
    assert [owners(page)[unit] for unit in units] == [theirs, -1, theirs, theirs]
    assert [stored_owner(served_demo, draft, unit) for unit in units] == [code, None, code, code]

    back = [units[0], units[2]]
    page.wait_for_timeout(800)  # a second click on a unit is a double click
    clash(back, pair["a"])
    page.locator(".conflicts-foot button").last.click()  # mine, for all
    saved(page)
    assert [stored_owner(served_demo, draft, unit) for unit in back] == [None, None]
    bench.errors = [text for text in bench.errors if "Failed to load resource" not in text]


def test_shared_and_copied_from_the_bench(bench: Watched, served_demo: str, draft: int) -> None:
    page = bench.page
    page.click("#deed-share")
    link = page.input_value("#share-work")
    assert link == f"{served_demo.rstrip('/')}/workbench?plan={draft}"
    assert page.input_value("#share-compare").endswith(f"/compare?plan={draft}&with=published")
    page.keyboard.press("Escape")
    before = owners(page)
    page.click("#deed-duplicate")
    page.fill("#line-input", "另存的一稿")
    page.keyboard.press("Enter")
    page.wait_for_function("id => new URL(location.href).searchParams.get('plan') !== id", arg=str(draft))
    page.wait_for_selector("body[data-ready]")
    copy = int(page.url.rsplit("=", 1)[1])
    try:
        expect(page.locator("#plan-name")).to_have_value("另存的一稿")
        assert ask(served_demo, f"plans/{copy}")["source"] == draft
        assert owners(page) == before
    finally:
        bench.open("plans")  # nobody polls a plan that is gone
        ask(served_demo, f"plans/{copy}", method="DELETE")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_published_plan_is_looked_at_only(browser: BrowserContext, served_demo: str, language: str) -> None:
    plan = ask(served_demo, "plans?status=published")["plans"][0]["id"]
    with watched_page(browser, served_demo) as watched:
        page = watched.page
        watched.open(f"workbench?plan={plan}")
        if language == "en":
            page.click(".language")
        watched.idle()
        expect(page.locator(".save-state")).to_have_text("已发布" if language == "zh" else "Published")
        expect(page.locator("#deed-publish")).to_have_count(0)
        assert page.locator("#plan-name").get_attribute("readonly") is not None
        pair, before = border_pair(page), owners(page)
        choose(page, pair["b"])
        for key in ("b", "e", "c", "l", "d", "s", "m", "n"):
            page.keyboard.press(key)
            page.mouse.click(*unit_pixel(page, pair["unit"]))
            expect(page.locator("dialog")).to_have_count(0)
        page.keyboard.press("k")
        watched.picture(f"workbench-published-{language}")
        assert owners(page) == before
        assert not model(page, "m.gridsOf(1).some(g => m.grids[g].locked)")
        assert model(page, "m.canUndo") is False


def test_from_the_list_to_a_saved_edit_without_a_mouse(bench: Watched, served_demo: str, draft: int) -> None:
    page = bench.page
    bench.open("plans")
    page.locator(f"[data-plan='{draft}'] .plan-actions a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/workbench?plan=*")
    page.wait_for_selector("body[data-ready]")
    bench.idle()
    page.keyboard.press("g")
    page.keyboard.press("]")
    current = page.evaluate("window.gisgrid.state().current")
    page.keyboard.press("ArrowRight")
    for key in ["ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown"] * 6:
        if owners(page)[page.evaluate("window.gisgrid.state().cursor")] != current:
            break
        page.keyboard.press(key)
    unit = page.evaluate("window.gisgrid.state().cursor")
    page.keyboard.press("Space")
    saved(page)
    assert stored_owner(served_demo, draft, unit) == model(page, "m.grids[argument].code", current)
    # every button of the bar is reached by Tab, and seen to be
    page.locator("#plan-name").focus()
    reached = []
    for _ in range(14):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", reached[-1]
        if reached[-1] == "deed-publish":
            break
    assert {"undo", "deed-compare", "deed-comments", "deed-print", "deed-duplicate", "deed-publish"} <= set(reached)
    page.keyboard.press("Enter")
    expect(page.locator(".publish-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#deed-publish")).to_be_focused()


@pytest.fixture(scope="module")
def nested(served_demo: str) -> Iterator[int]:
    """A plan of grids and micro-grids, made by the engine."""
    engine: dict[str, Any] = {"levels": "300:500/100:200", "preset": "quick", "seed": 2}
    job = ask(served_demo, "plans", {"area": "379903", "from": "engine", "name": "两级", "engine": engine})["id"]
    deadline = time.monotonic() + 120
    while (now := ask(served_demo, f"jobs/{job}"))["state"] in ("queued", "running"):
        assert time.monotonic() < deadline, now
        time.sleep(0.2)
    plan = int(now["result"]["plan"])
    yield plan
    ask(served_demo, f"plans/{plan}", method="DELETE")


def test_micro_grids_are_painted_and_follow_their_grid(browser: BrowserContext, served_demo: str, nested: int) -> None:
    with watched_page(browser, served_demo) as watched:
        page = watched.page
        watched.open(f"workbench?plan={nested}")
        watched.idle()
        # a unit moved on the first level joins a micro-grid of its new grid
        pair = border_pair(page)
        choose(page, pair["b"])
        page.mouse.click(*unit_pixel(page, pair["unit"]))
        saved(page)
        inner = model(page, "m.ownerOf(argument, 2)", pair["unit"])
        code = model(page, "m.grids[argument].code", pair["b"])
        assert inner < 0 or model(page, "m.grids[argument].parent", inner) == code
        # on the second level units go between micro-grids of one grid
        page.select_option("#plan-level", "2")
        watched.idle()
        assert watched.count("plan") == len(model(page, "m.gridsOf(2)"))
        move = model(
            page,
            """(() => {
                 for (let u = 0; u < m.unitCount; u += 1) {
                   const a = m.ownerOf(u, 2);
                   if (a < 0 || m.unitsOf(a).length < 2) continue;
                   for (let k = m.borders.start[u]; k < m.borders.start[u + 1]; k += 1) {
                     const b = m.ownerOf(m.borders.to[k], 2);
                     if (b >= 0 && b !== a && m.grids[a].parent === m.grids[b].parent) return { unit: u, a, b };
                   }
                 }
               })()""",
        )
        first = owners(page)
        choose(page, move["b"])
        page.mouse.click(*unit_pixel(page, move["unit"]))
        assert model(page, "m.ownerOf(argument, 2)", move["unit"]) == move["b"]
        assert owners(page) == first, "the level above stays"
        saved(page)
        watched.picture("workbench-micro-grids")
        told = ask(served_demo, f"plans/{nested}/assignment")["levels"][1]
        stored = told["grids"][told["owner"][move["unit"]]]["code"]
        assert stored == model(page, "m.grids[argument].code", move["b"])
