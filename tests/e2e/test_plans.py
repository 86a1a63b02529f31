"""The page of plans in a real Chromium: listing, making, watching the engine, publishing, rolling back."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("playwright", reason="Playwright for Python is not installed (pip install '.[dev]')")
from playwright.sync_api import BrowserContext, expect
from shapely.geometry import shape

from tests.e2e.axe import serious
from tests.e2e.watched import TABLET, Watched, watched_page

pytestmark = pytest.mark.browser
AUTHOR = "网格办"


@pytest.fixture
def web(browser: BrowserContext, served_demo: str) -> Iterator[Watched]:
    """A page of its own, in Chinese, signed."""
    with watched_page(browser, served_demo) as watched:
        watched.page.add_init_script(f"localStorage.setItem('gisgrid.author', '{AUTHOR}')")
        yield watched


def ask(base: str, path: str, body: dict[str, Any] | None = None, *, method: str | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{base.rstrip('/')}/api/v1/{path}", data, {"Content-Type": "application/json", "If-Match": "*"}, method=method
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


@pytest.fixture
def draft(served_demo: str) -> Iterator[dict[str, Any]]:
    """A draft that begins as the grids in force."""
    about = {"name": "东片微调", "note": f"走访意见 {time.time_ns()}"}
    made = ask(served_demo, "plans", {"area": "379903", "from": "published", **about})
    yield made
    if made["id"] in [plan["id"] for plan in ask(served_demo, "plans?status=draft")["plans"]]:
        ask(served_demo, f"plans/{made['id']}", method="DELETE")


def join_two_grids(base: str, plan: int) -> None:
    """Give all units of a grid to a neighbour."""
    level = ask(base, f"plans/{plan}/assignment")["levels"][0]
    shapes = {one["properties"]["code"]: shape(one["geometry"]) for one in ask(base, f"plans/{plan}/grids")["features"]}
    codes = [grid["code"] for grid in level["grids"]]
    ended, heir = next(
        (one["code"], other["code"])
        for one, other in itertools.combinations(level["grids"], 2)
        if one["kind"] == other["kind"] == "ordinary" and one["community"] == other["community"]
        and shapes[one["code"]].intersection(shapes[other["code"]]).length > 0
    )  # fmt: skip
    units = [unit for unit, grid in enumerate(level["owner"]) if grid >= 0 and codes[grid] == ended]
    operations = [{"op": "assign", "level": 1, "from": ended, "to": heir, "units": units}]
    version = ask(base, f"plans/{plan}")["version"]
    ask(base, f"plans/{plan}/edits", {"base": version, "operations": operations})


def in_force(base: str) -> dict[str, str]:
    """Codes and shapes of the grids of every level."""
    levels = [ask(base, f"grids?level={level}&limit=5000")["features"] for level in (1, 2)]
    return {one["properties"]["code"]: shape(one["geometry"]).normalize().wkt for level in levels for one in level}


def test_list_shows_what_the_service_tells_and_is_filtered(web: Watched, draft: dict[str, Any]) -> None:
    web.open("plans")
    told = ask(web.base, "plans")["plans"]
    cards = web.page.locator(".plan-card")
    expect(cards).to_have_count(len(told))
    card = web.page.locator(f"[data-plan='{draft['id']}']")
    figures = card.locator(".plan-figure dd")
    expect(figures.nth(0)).to_have_text(str(draft["stats"]["grids"]))
    expect(figures.nth(1)).to_have_text(f"{draft['stats']['households']:,}")
    expect(figures.nth(2)).to_contain_text("100%")
    expect(card.locator("canvas")).to_be_visible()
    colours = card.locator("canvas").evaluate(
        """canvas => {
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          const seen = new Set();
          for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 250) seen.add(data[at] + ',' + data[at + 1]);
          return seen.size;
        }"""
    )
    assert colours > 3
    web.page.fill("#plans-words", f"东片 {draft['note'].split()[1]}")
    expect(cards).to_have_count(1)
    web.page.fill("#plans-words", "没有这样的方案")
    expect(web.page.locator(".plans-empty")).to_be_visible()
    web.page.click(".plans-empty button")
    expect(cards).to_have_count(len(told))
    web.page.check("#plans-state-published", force=True)
    expect(cards).to_have_count(sum(plan["status"] == "published" for plan in told))
    web.picture("plans-zh")
    assert serious(web.page) == []


def test_a_plan_is_made_from_the_keyboard_alone(web: Watched) -> None:
    web.open("plans")
    before = {plan["id"] for plan in ask(web.base, "plans")["plans"]}
    web.page.focus("#plans-create")
    keys = web.page.keyboard
    keys.press("Enter")
    expect(web.page.locator("#create-name")).to_be_focused()
    keys.press("Shift+Tab")  # the tree of areas: down to the community
    tree = web.page.locator("[role=treeitem]:focus")
    expect(tree).to_have_attribute("data-code", "379903")
    keys.press("End")
    keys.press("Enter")
    expect(web.page.locator("[role=treeitem]:focus")).to_have_attribute("aria-selected", "true")
    keys.press("Home")
    keys.press("Enter")
    keys.press("Tab")
    keys.type("键盘建的")
    keys.press("Tab")
    keys.press("ArrowDown")
    expect(web.page.locator("#create-from-published")).to_be_checked()
    keys.press("Enter")
    web.page.wait_for_url(re.compile(r"/workbench\?plan=\d+"))
    plan = int(web.page.url.rsplit("=", 1)[1])
    made = ask(web.base, f"plans/{plan}")
    assert plan not in before
    assert (made["name"], made["area"], made["author"], made["status"]) == ("键盘建的", "379903", AUTHOR, "draft")
    assert made["stats"]["grids"] == ask(web.base, "overview")["counts"]["grids"]
    ask(web.base, f"plans/{plan}", method="DELETE")
    web.errors.clear()  # the workbench is another page's test


def test_the_engine_is_watched_to_its_end(web: Watched) -> None:
    web.open("plans")
    web.page.click("#plans-create")
    web.page.fill("#create-name", "引擎试算")
    web.page.fill("#engine-low", "600")
    web.page.click("#engine-more summary")
    web.page.fill("#engine-seed", "x")
    web.page.click("#create-go")
    expect(web.page.locator("#engine-high")).to_be_focused()
    expect(web.page.locator("#engine-high-fault")).not_to_be_empty()
    expect(web.page.locator("#engine-seed-fault")).not_to_be_empty()
    web.picture("create-zh")
    web.page.fill("#engine-low", "200")
    web.page.fill("#engine-high", "300")
    web.page.fill("#engine-seed", "4")
    expect(web.page.locator("#engine-high-fault")).to_be_empty()
    web.page.click("#create-go")
    web.page.wait_for_url(re.compile(r"/plans\?job=\d+"))
    job = int(web.page.url.rsplit("=", 1)[1])
    expect(web.page.locator(".job-panel h2")).to_have_text("引擎试算")
    web.page.reload()  # the address alone brings the run back
    expect(web.page.locator(".job-panel h2")).to_have_text("引擎试算")
    expect(web.page.locator(".job-tiles")).to_be_visible(timeout=60_000)
    web.page.wait_for_function("window.gisgrid.featureCount('grids') > 5")
    web.page.wait_for_url(re.compile(r"/workbench\?plan=\d+"), timeout=60_000)
    plan = int(web.page.url.rsplit("=", 1)[1])
    assert ask(web.base, f"jobs/{job}")["result"]["plan"] == plan
    made = ask(web.base, f"plans/{plan}")
    assert made["band"] == {"low": 200, "high": 300}
    assert made["seed"] == 4
    web.errors.clear()
    web.open(f"plans?job={job}")  # ended before: nothing goes away by itself
    expect(web.page.locator("#job-open")).to_have_attribute("href", f"./workbench?plan={plan}")
    drawn = web.page.evaluate("window.gisgrid.features('grids')")["features"]
    assert sum(one["properties"]["households"] for one in drawn) == made["stats"]["households"]
    ordinary = [one["properties"]["households"] for one in drawn if one["properties"]["kind"] == "ordinary"]
    tiles = web.page.locator(".job-tile dd:not(.muted)")
    expect(tiles.nth(2)).to_have_text(str(min(ordinary)))
    expect(tiles.nth(3)).to_have_text(str(max(ordinary)))
    web.picture("job-zh")
    assert serious(web.page) == []
    ask(web.base, f"plans/{plan}", method="DELETE")


def test_a_run_is_stopped_and_leaves_no_plan(web: Watched) -> None:
    order = {"area": "379903", "from": "engine", "name": "要停的", "engine": {"households": "300:500"}}
    job = ask(web.base, "plans", order)["id"]
    web.open("plans")
    web.page.click(f"#job-{job}-open")
    web.page.click("#job-stop")
    web.page.click(".stop-dialog .dialog-foot .is-danger, .stop-dialog .dialog-foot .button-danger")
    expect(web.page.locator(".job-message")).to_be_visible()
    deadline = time.monotonic() + 20
    while ask(web.base, f"jobs/{job}")["state"] != "cancelled" and time.monotonic() < deadline:
        time.sleep(0.2)
    assert ask(web.base, f"jobs/{job}")["state"] == "cancelled"
    expect(web.page.locator("#job-stop")).to_be_hidden()
    assert "要停的" not in [plan["name"] for plan in ask(web.base, "plans")["plans"]]
    web.page.click("#job-back")
    expect(web.page.locator(".plan-card").first).to_be_visible()
    expect(web.page.locator(".plans-running")).to_be_hidden()


def test_copied_renamed_shared_and_deleted(web: Watched, draft: dict[str, Any]) -> None:
    web.open("plans")
    key, page = draft["id"], web.page
    page.click(f"#plan-{key}-duplicate")
    page.fill("#line-input", "  ")
    page.keyboard.press("Enter")
    expect(page.locator("#line-fault")).not_to_be_empty()
    page.fill("#line-input", "第二稿")
    page.keyboard.press("Enter")
    card = page.locator(".plan-card", has_text="第二稿")
    expect(card).to_be_visible()
    copy = int(card.get_attribute("data-plan") or 0)
    assert ask(web.base, f"plans/{copy}")["source"] == key
    page.click(f"#plan-{copy}-rename")
    page.fill("#rename-name", "第三稿")
    page.fill("#rename-note", "改过名")
    page.keyboard.press("Control+Home")
    page.click(".dialog-foot .button:last-child")
    expect(page.locator(".plan-card", has_text="第三稿")).to_contain_text("改过名")
    page.click(f"#plan-{copy}-share")
    assert page.input_value("#share-work") == f"{web.base}/workbench?plan={copy}"
    page.keyboard.press("Escape")
    expect(page.locator(f"#plan-{copy}-share")).to_be_focused()
    page.click(f"#plan-{copy}-remove")
    page.click(".dialog .button-danger")
    expect(page.locator(f"[data-plan='{copy}']")).to_have_count(0)
    assert copy not in [plan["id"] for plan in ask(web.base, "plans")["plans"]]


def changes_are_told(web: Watched, told: dict[str, Any]) -> None:
    """Every figure and every code of a publication's preview stands in the dialog."""
    moving = told["moving"]
    figures = [told["going_on"], len(told["born"]), len(told["gone"])]
    figures += [round(moving[name]) for name in ("households", "population", "reports_open")]
    expect(web.page.locator(".change-tile dd")).to_have_text([f"{figure:,}" for figure in figures])
    ended = web.page.locator(".change-codes li code").all_text_contents()
    assert sorted(ended) == sorted(grid["code"] for grid in told["gone"])
    born = web.page.locator(".change-codes li .code-link").all_text_contents()
    assert sorted(born) == sorted(grid["code"] for grid in told["born"])


def test_publishing_waits_for_its_time_and_is_called_off(web: Watched, draft: dict[str, Any]) -> None:
    join_two_grids(web.base, draft["id"])
    web.open("plans")
    page = web.page
    page.click(f"#plan-{draft['id']}-publish")
    told = ask(web.base, f"plans/{draft['id']}/publication")
    assert told["gone"]
    assert told["moving"]["households"] > 0
    changes_are_told(web, told)
    page.check("#publish-later")
    page.fill("#publish-at", "2020-01-01T08:00")
    page.click("#publish-go")
    expect(page.locator(".publish-dialog .fault")).not_to_be_empty()
    assert ask(web.base, f"plans/{draft['id']}")["publication"] is None
    day = (dt.datetime.now() + dt.timedelta(days=40)).date()
    page.fill("#publish-at", f"{day}T08:30")
    expect(page.locator("#publish-zone")).to_contain_text(f"{day} 00:30 UTC")  # the demo's zone is China's
    page.fill("#publish-note", "按通知")
    assert serious(page) == []
    web.picture("publish-zh")
    page.click("#publish-go")
    expect(page.locator(f"[data-plan='{draft['id']}'] .badge-waiting")).to_be_visible()
    waits = ask(web.base, f"plans/{draft['id']}")["publication"]
    assert dt.datetime.fromisoformat(waits["effective_at"]) == dt.datetime.fromisoformat(f"{day}T08:30+08:00")
    assert (waits["note"], waits["author"]) == ("按通知", AUTHOR)
    page.click(f"#plan-{draft['id']}-publish")
    page.click("#publish-call-off")
    expect(page.locator("#publish-now")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(f"[data-plan='{draft['id']}'] .badge-waiting")).to_have_count(0)
    assert ask(web.base, f"plans/{draft['id']}")["publication"] is None


def test_another_language_a_tablet_and_no_serious_fault(web: Watched, draft: dict[str, Any]) -> None:
    web.page.set_viewport_size(TABLET)
    web.open("plans")
    web.page.click(".language")
    expect(web.page.locator("#plans-create")).to_have_text("New plan")
    text = web.page.locator("#app").evaluate(
        """app => {
          const copy = app.cloneNode(true);  // without what people and the data are called
          const names = '.plan-head h3, .plan-note, .plan-meta, .plan-why, .generation-plan, .language, .who, option';
          for (const name of copy.querySelectorAll(names)) name.remove();
          return copy.textContent;
        }"""
    )
    assert "Generations" in text
    assert re.findall(r"[\u4e00-\u9fff]+", text) == []
    assert web.page.evaluate("document.documentElement.scrollWidth") <= TABLET["width"]
    web.picture("plans-tablet-en")
    web.page.click("#plans-create")
    web.page.eval_on_selector_all("details.more-options", "all => all.forEach(one => (one.open = true))")
    box = web.page.locator(".create-dialog").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["y"] + box["height"] <= TABLET["height"]
    web.picture("create-tablet-en")
    assert serious(web.page) == []
    web.page.keyboard.press("Escape")
    expect(web.page.locator("#plans-create")).to_be_focused()


def test_published_and_brought_back(web: Watched, draft: dict[str, Any]) -> None:
    """Last: it makes new generations; the grids are the same again at its end."""
    join_two_grids(web.base, draft["id"])
    web.open("plans")
    page = web.page
    before = ask(web.base, "generations")["generations"]
    held = in_force(web.base)
    page.click(f"#plan-{draft['id']}-publish")
    told = ask(web.base, f"plans/{draft['id']}/publication")
    changes_are_told(web, told)
    page.click("#publish-go")
    rows = page.locator(".generation")
    expect(rows).to_have_count(len(before) + 1)
    now = ask(web.base, "generations")["generations"]
    assert now[0]["plan"] == draft["id"]
    changed = in_force(web.base)
    assert set(held) - set(changed) == {grid["code"] for grid in told["gone"]}
    assert set(changed) - set(held) == {grid["code"] for grid in told["born"]}
    expect(rows.first).to_have_class(re.compile("is-current"))
    page.click(f".generation[data-generation='{before[0]['id']}'] .text-button")
    told = ask(web.base, f"generations/{before[0]['id']}/restore")
    expect(page.locator(".restore-tiles dd").first).to_have_text(str(told["back"]))
    web.picture("restore-zh")
    page.click("#restore-go")
    expect(rows).to_have_count(len(before) + 2)
    last = ask(web.base, "generations")["generations"][0]
    assert (last["restored"], last["is_current"]) == (before[0]["id"], True)
    assert in_force(web.base) == held
    web.picture("generations-zh")
