"""The dispatch page in a real Chromium: locate, look through the queue, give a report to another grid, with and without
a mouse, in both languages, on a desk and on a tablet."""

from __future__ import annotations

import itertools
import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright", reason="Playwright for Python is not installed (pip install '.[dev]')")
from playwright.sync_api import BrowserContext, expect

from data.tables import STAGES
from gisgrid.crs import points_from_storage
from tests.e2e.watched import TABLET, Watched, watched_page

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
Json = dict[str, Any]


def shifted(lon: float, lat: float, crs: str) -> tuple[float, float]:
    """A stored point as another system writes it."""
    x, y = points_from_storage([lon], [lat], crs)
    return float(x[0]), float(y[0])


def ask(base: str, path: str, body: Json | None = None) -> Any:
    """GET, or POST with a body, as another program would."""
    url = f"{base.rstrip('/')}/api/v1/{urllib.parse.quote(path, safe='/?=&,:')}"
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "If-Match": "*"} if data else {}
    request = urllib.request.Request(url, data, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


@pytest.fixture
def desk(browser: BrowserContext, served_demo: str) -> Iterator[Watched]:
    """The dispatch page, opened afresh in Chinese."""
    with watched_page(browser, served_demo) as watched:
        watched.open("dispatch")
        yield watched


@pytest.fixture(scope="module")
def border(served_demo: str) -> Json:
    """A place 6 m from the border between two grids: lon, lat, the owner and the grid on the other side."""
    grids = ask(served_demo, "grids?level=1&limit=5000")["features"]
    for grid in grids:
        ring = grid["geometry"]["coordinates"]
        points = ring[0] if grid["geometry"]["type"] == "Polygon" else ring[0][0]
        (x1, y1), (x2, y2) = max(
            itertools.pairwise(points), key=lambda p: abs(p[0][0] - p[1][0]) + abs(p[0][1] - p[1][1])
        )
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
        for side in (5.5e-5, -5.5e-5):
            lon, lat = (x1 + x2) / 2 - side * (y2 - y1) / length, (y1 + y2) / 2 + side * (x2 - x1) / length
            told = ask(served_demo, f"locate?lon={lon}&lat={lat}&accuracy=20")
            codes = [candidate["code"] for candidate in told["candidates"]]
            if told["owner"] and len(codes) == 2 and told["distance_to_boundary"] < 8:
                other = next(code for code in codes if code != told["owner"]["code"])
                return {"lon": lon, "lat": lat, "owner": told["owner"]["code"], "other": other, "told": told}
    raise AssertionError("no place near a border was found")


def report_at(base: str, border: Json, **more: Any) -> int:
    """A report at the place near the border, stored by another program."""
    body = {"service_code": "0101", "lon": border["lon"], "lat": border["lat"], "accuracy": 20} | more
    return int(ask(base, "reports", body)["id"])


def until(desk: Watched, condition: str, seconds: float = 9.0) -> None:
    """Wait for a condition of the page. (``wait_for_function`` needs eval, which the page does not allow.)"""
    deadline = time.monotonic() + seconds
    while not desk.page.evaluate(f"Boolean({condition})"):
        assert time.monotonic() < deadline, condition
        time.sleep(0.03)


def locate(desk: Watched, text: str) -> None:
    desk.page.keyboard.press("/")
    desk.page.keyboard.type(text)
    desk.page.keyboard.press("Enter")
    until(desk, "window.gisgridDispatch().place?.answer || window.gisgridDispatch().place?.fault")


def look(desk: Watched) -> None:
    """Have the page look for news at once, as it does when its tab is looked at again."""
    desk.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def open_report(desk: Watched, number: int) -> None:
    """Bring a report just stored into the queue and open it."""
    look(desk)
    desk.page.locator(f"#report-{number}").click()
    expect(desk.page.locator("#detail-move")).to_be_visible()
    until(desk, f"window.gisgridDispatch().place?.report === {number} && window.gisgridDispatch().place.answer")


def test_a_pasted_coordinate_tells_owner_chain_candidates_and_the_border(desk: Watched, border: Json) -> None:
    lon, lat = shifted(border["lon"], border["lat"], "gcj02")
    locate(desk, f"纬度 {lat:.8f}，经度 {lon:.8f}（高德） 精度 20 米")
    page, told = desk.page, border["told"]
    expect(page.locator(".owner-number")).to_have_text(border["owner"])
    levels = page.locator(".links li").evaluate_all("rows => rows.map(row => row.dataset.code)")
    assert levels == [link["code"] for link in told["chain"]]
    expect(page.locator(".banner-border")).to_contain_text(re.compile(r"离.侧?.*边界 [5-7](\.\d)? 米，另一侧是"))
    number = int(border["other"][-3:])
    expect(page.locator(".banner-border")).to_contain_text(f"{number}网格")
    rows = page.locator(".choice-row").evaluate_all("rows => rows.map(row => row.dataset.code)")
    assert rows[:2] == [border["owner"], border["other"]]
    expect(page.locator(".posts")).to_contain_text("社区网格长")
    desk.idle()
    marked = page.evaluate(
        "window.gisgrid.features('marked').features.map(f => [f.properties.role, f.properties.code])"
    )
    assert ["owner", border["owner"]] in marked
    assert ["candidate", border["other"]] in marked
    circle = page.evaluate("window.gisgrid.features('accuracy').features[0].geometry.coordinates[0]")
    assert (max(y for _, y in circle) - min(y for _, y in circle)) * 111_000 == pytest.approx(40, rel=0.02)
    desk.picture("dispatch-located")


def test_addresses_components_and_places_outside(desk: Watched) -> None:
    page = desk.page
    grid = ask(desk.base, "grids?limit=1")["features"][0]["properties"]
    lon, lat = grid["label_point"]
    full = ask(desk.base, f"addresses/reverse?lon={lon}&lat={lat}")["addresses"][0]["full"]
    page.keyboard.press("/")
    page.keyboard.type(full[:-2])
    expect(page.locator(".ask-choice").first).to_be_visible()
    desk.picture("dispatch-suggestions")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".ask-choice[aria-selected=true]")).to_have_count(1)
    page.keyboard.press("Escape")
    page.fill("#ask", full)
    page.keyboard.press("Enter")
    expect(page.locator(".position")).to_contain_text(full)
    expect(page.locator(".owner-number")).to_have_text(ask(desk.base, f"locate?address={full}")["owner"]["code"])
    component = ask(desk.base, "components?limit=1")["features"][0]["properties"]
    locate(desk, component["component_code"])
    expect(page.locator(".position")).to_contain_text(component["component_code"])
    locate(desk, f"{lon + 1},{lat}")
    expect(page.locator(".owner-card")).to_contain_text("不在任何网格内")
    locate(desk, "没有这个地方的名字xyz")
    expect(page.locator(".banner-doubt")).to_be_visible()
    # an address that names nothing is answered with 404, which the browser notes
    desk.errors[:] = [error for error in desk.errors if "404" not in error]


def test_numbers_of_another_system_are_offered_to_be_read_so(desk: Watched) -> None:
    for feature in ask(desk.base, "grids?limit=1000")["features"]:
        grid = feature["properties"]
        lon, lat = shifted(float(grid["label_point"][0]), float(grid["label_point"][1]), "gcj02")
        if ask(desk.base, f"locate?lon={lon}&lat={lat}")["owner"] is None:
            break
    locate(desk, f"{lon:.8f} {lat:.8f}")
    expect(desk.page.locator(".owner-card")).to_contain_text("不在任何网格内")
    desk.page.get_by_role("button", name="按 GCJ-02 重新定位").click()
    expect(desk.page.locator(".owner-number")).to_have_text(grid["code"])


def test_from_place_to_reassigned_report_without_a_mouse(desk: Watched, border: Json) -> None:
    """The flow the handbook describes: Q, arrows, Enter, a digit, R, Space, Enter."""
    number = report_at(desk.base, border, description="键盘")
    page = desk.page
    expect(page.locator(f"#report-{number} .tag-fresh")).to_be_visible(timeout=9_000)
    page.keyboard.press("q")
    page.keyboard.press("Home")
    expect(page.locator(f"#report-{number}")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    until(desk, f"window.gisgridDispatch().place?.report === {number} && window.gisgridDispatch().choices.length")
    page.keyboard.press("2")
    page.keyboard.press("r")
    expect(page.locator("#target")).to_have_value(border["other"])
    expect(page.locator("#reason-side")).to_be_focused()
    desk.picture("dispatch-reassign")
    page.keyboard.press("Enter")
    expect(page.locator(".move-form .fault[role=alert]")).to_have_text("请选择或填写改派原因")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator(".history-move")).to_contain_text("现场核实，事发点在边界另一侧")
    (audit,) = ask(desk.base, f"reports/{number}/reassignments")["reassignments"]
    assert (audit["from"]["code"], audit["to"]["code"]) == (border["owner"], border["other"])
    told = ask(desk.base, f"reports/{number}")["properties"]
    assert (told["grid_code"], told["stage"]) == (border["other"], STAGES[1]), "a new report is dispatched with it"
    page.keyboard.press("Escape")
    expect(page.locator("#queue")).to_be_focused()
    expect(page.locator(f"#report-{number} .tag-hand")).to_be_visible()
    page.keyboard.press("?")
    expect(page.locator(".keys")).to_be_visible()
    page.keyboard.press("Escape")


def test_the_grid_is_chosen_on_the_map_or_by_code(desk: Watched, border: Json) -> None:
    number = report_at(desk.base, border, description="点选")
    page = desk.page
    open_report(desk, number)
    page.click("#detail-move")
    desk.idle()
    grids = ask(desk.base, "grids?level=1&limit=5000")["features"]
    wanted = next(g["properties"] for g in grids if g["properties"]["code"] == border["other"])
    page.click(".tools button:nth-child(3)")
    desk.idle()
    desk.click_at(wanted["label_point"])
    expect(page.locator("#target")).to_have_value(border["other"])
    page.fill("#target", "没有")
    page.press("#target", "Tab")
    expect(page.locator("#target-name")).to_contain_text("没有编码或名称为「没有」")
    page.fill("#target", border["owner"])
    page.press("#target", "Tab")
    expect(page.locator("#target-name")).to_have_text("事件现在就属于这个网格")
    third = next(g["properties"]["code"] for g in grids if g["properties"]["code"] not in border.values())
    page.fill("#target", third)
    page.fill("#reason-text", "与街道商定")
    page.click(".move-form button[type=submit]")
    expect(page.locator(".history-move")).to_contain_text("与街道商定")
    assert ask(desk.base, f"reports/{number}")["properties"]["grid_code"] == third


def test_two_dispatchers_the_second_is_told_and_keeps_what_was_written(desk: Watched, border: Json) -> None:
    number = report_at(desk.base, border, description="两人")
    page = desk.page
    open_report(desk, number)
    page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true })")  # it looks away: no polling
    page.keyboard.press("2")
    page.click("#detail-move")
    page.fill("#reason-text", "我来改")
    ask(desk.base, f"reports/{number}/reassign", {"grid": border["other"], "reason": "别人先改了"})
    page.click(".move-form button[type=submit]")
    expect(page.locator(".toast-error")).to_contain_text(f"{int(border['other'][-3:])}网格")
    expect(page.locator("#reason-text")).to_have_value("我来改")
    expect(page.locator(".history-move")).to_contain_text("别人先改了")
    assert len(ask(desk.base, f"reports/{number}/reassignments")["reassignments"]) == 1
    desk.errors[:] = [error for error in desk.errors if "412" not in error]


def test_a_report_is_stored_here_and_brought_through_its_stages(desk: Watched, border: Json) -> None:
    page = desk.page
    locate(desk, f"{border['lon']}, {border['lat']} cgcs2000")
    expect(page.locator(".owner-big")).to_be_visible()
    page.keyboard.press("n")
    page.select_option("#new-class", "0406")
    page.fill("#new-text", "夜间施工")
    page.click(".dialog-foot .button:last-child")
    expect(page.locator(".detail-title h2")).to_have_text("噪声扰民")
    number = int(page.evaluate("window.gisgridDispatch().open"))
    for stage in STAGES[1:]:
        page.fill("#stage-note", f"{stage}了")
        page.click("#detail-next")
        expect(page.locator(".loop .is-now")).to_have_text(stage)
    told = ask(desk.base, f"reports/{number}")["properties"]
    assert [update["note"] for update in told["updates"]] == [f"{stage}了" for stage in STAGES[1:]]
    page.click("#detail-back")
    expect(page.locator(f"#report-{number}")).to_have_count(0)


def test_the_queue_is_long_and_only_what_is_seen_exists(desk: Watched, border: Json) -> None:
    for at in range(45):
        report_at(desk.base, border, description=f"第{at}件", token=f"long-{at}")
    page = desk.page
    whole = ask(desk.base, "reports/queue?open=true&limit=1000")
    look(desk)
    expect(page.locator("#queue-count")).to_have_text(f"{whole['matched']:,} 件", timeout=9_000)
    assert page.locator(".queue-row").count() < 40 < whole["matched"]
    page.locator("#queue").focus()
    page.keyboard.press("End")
    last = whole["reports"][-1]["id"]
    expect(page.locator(f"#report-{last}")).to_have_attribute("aria-selected", "true")
    assert page.evaluate("window.gisgrid.featureCount('reports')") == whole["matched"]


def test_filters_are_those_of_the_service(desk: Watched, border: Json) -> None:
    only = f"筛选用的一件{time.time_ns()}"
    report_at(desk.base, border, description=only)
    page = desk.page

    def count(query: str) -> str:
        return f"{ask(desk.base, f'reports/queue?open=true&{query}')['matched']:,} 件"

    page.select_option("#filter-major", "市容环境")
    expect(page.locator("#queue-count")).to_have_text(count("major=市容环境"))
    page.select_option("#filter-stage", STAGES[0])
    expect(page.locator("#queue-count")).to_have_text(count(f"major=市容环境&stage={STAGES[0]}"))
    page.click("#filter-near")
    expect(page.locator("#queue-count")).to_have_text(count(f"major=市容环境&stage={STAGES[0]}&near_border=true"))
    page.fill("#queue-text", only)
    expect(page.locator("#queue-count")).to_have_text("1 件")
    page.get_by_role("button", name="清除筛选").click()
    expect(page.locator("#queue-count")).to_have_text(count(""))
    page.select_option("#filter-area", border["owner"][:12])
    expect(page.locator("#queue-count")).to_have_text(count(f"area={border['owner'][:12]}"))
    page.click("#filter-unassigned")
    expect(page.locator("#queue-count")).to_have_text(count(f"area={border['owner'][:12]}&unassigned=true"))


def test_the_slip_is_copied(browser: BrowserContext, desk: Watched, border: Json) -> None:
    browser.grant_permissions(["clipboard-read", "clipboard-write"], origin=desk.base)
    locate(desk, f"{border['lon']}, {border['lat']} cgcs2000 ±20m")
    expect(desk.page.locator(".owner-big")).to_be_visible()
    desk.page.keyboard.press("c")
    expect(desk.page.locator(".toast-done")).to_have_text("派遣单已复制")
    slip = desk.page.evaluate("navigator.clipboard.readText()")
    assert border["owner"] in slip
    assert "另一侧是" in slip
    assert "网格员" in slip


def test_english_on_a_tablet_fits_and_nothing_serious_is_found(
    browser: BrowserContext, served_demo: str, border: Json
) -> None:
    number = report_at(served_demo, border, description="Tablet")
    with watched_page(browser, served_demo, size=TABLET) as desk:
        desk.open("dispatch")
        page = desk.page
        check_access(desk)
        page.click(".language")
        expect(page.locator("h1")).to_have_text("Dispatch")
        open_report(desk, number)
        desk.picture("dispatch-tablet-en")
        page.click("#detail-move")
        check_access(desk)
        for column in (".left", ".right", ".queue-head", ".detail-body", ".result-body"):
            wide = page.locator(column).evaluate_all("all => all.map(one => [one.scrollWidth, one.clientWidth])")
            assert all(inner <= outer + 1 for inner, outer in wide), column
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert "dispatch." not in page.inner_text("body"), "a text is missing"


def check_access(desk: Watched) -> None:
    """axe-core finds nothing serious."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed (npm ci in web/)")
    desk.page.evaluate(AXE.read_text())
    found = desk.page.evaluate(
        "axe.run().then(found => found.violations.filter(v => ['serious', 'critical'].includes(v.impact)))"
    )
    assert [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found] == []


def test_readers_may_look_but_not_change(browser: BrowserContext, served_demo: str, border: Json) -> None:
    """By another name of this machine the demo is read only."""
    number = report_at(served_demo, border, description="只读")
    with watched_page(browser, served_demo.replace("127.0.0.1", "0.0.0.0")) as desk:
        desk.open("dispatch")
        page = desk.page
        expect(page.locator(".read-only")).to_contain_text("只读")
        expect(page.locator(f"#report-{number}")).to_have_count(0)  # the queue is the dispatchers'
        locate(desk, f"{border['lon']},{border['lat']}")
        page.keyboard.press("r")
        expect(page.locator(".move-form")).to_have_count(0)
        expect(page.locator(".owner-number")).to_have_text(border["owner"])
        expect(page.locator("#new-here")).to_have_count(1)  # who may send reports may do so here
        desk.picture("dispatch-read-only")
