"""Plans that did not go as wished: a run stopped and kept, one that failed, a publication that was refused, no plan
in band; each says so, and why, in both languages."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import signal
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright", reason="Playwright for Python is not installed (pip install '.[dev]')")
from playwright.sync_api import BrowserContext, expect

from tests.e2e.axe import serious
from tests.e2e.watched import Watched, watched_page
from tests.e2e.working import ask

pytestmark = pytest.mark.browser
AREA = "379903"
LONG = {"levels": "300:500/100:200", "preset": "balanced"}


def until(base: str, path: str, done: Any, seconds: float = 90) -> Any:
    """What an address answers, once it is as wished."""
    deadline = time.monotonic() + seconds
    while not done(now := ask(base, path)):
        assert time.monotonic() < deadline, now
        time.sleep(0.3)
    return now


def ended(job: dict[str, Any]) -> bool:
    return job["state"] not in ("queued", "running")


@contextmanager
def held_up(home: Path) -> Iterator[None]:
    """The processes of this demo's jobs stand still: on a quick machine a run is over before anybody can stop it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            ours = f"GISGRID_HOME={home}".encode() in (entry / "environ").read_bytes().split(b"\0")
            if ours and b"api.job_process" in (entry / "cmdline").read_bytes():
                os.kill(int(entry.name), signal.SIGSTOP)
                found.append(int(entry.name))
    assert found, "no job runs"
    try:
        yield
    finally:
        for process in found:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


@pytest.fixture(scope="module")
def refused(served_demo: str) -> Iterator[int]:
    """A draft edited after its publication was asked for: at its time the service refuses."""
    plan = ask(served_demo, "plans", {"area": AREA, "from": "published", "name": "改晚了"})
    at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2)
    request = urllib.request.Request(
        f"{served_demo.rstrip('/')}/api/v1/plans/{plan['id']}/publication",
        json.dumps({"effective_at": at.isoformat()}).encode(),
        {"Content-Type": "application/json", "If-Match": f'"{plan["version"]}"'},
    )
    urllib.request.urlopen(request, timeout=30).close()
    told = ask(served_demo, f"plans/{plan['id']}/assignment")
    level = told["levels"][0]
    grid = level["owner"][0]
    operation = {"op": "assign", "level": 1, "from": level["grids"][grid]["code"], "to": None, "units": [0]}
    ask(served_demo, f"plans/{plan['id']}/edits", {"base": told["version"], "operations": [operation]})
    yield plan["id"]
    ask(served_demo, f"plans/{plan['id']}", method="DELETE")


@pytest.fixture
def web(browser: BrowserContext, served_demo: str) -> Iterator[Watched]:
    with watched_page(browser, served_demo) as watched:
        yield watched


def test_a_stopped_run_is_kept_and_a_failed_one_says_why(web: Watched, refused: int, served_home: Path) -> None:
    page = web.page
    draft = ask(web.base, "plans", {"area": AREA, "from": "published", "name": "要删的"})["id"]
    long = ask(web.base, "plans", {"area": AREA, "from": "engine", "name": "早停", "engine": LONG})["id"]
    lost = ask(web.base, "plans", {"area": AREA, "from": "engine", "name": "失据", "engine": {"plan": draft}})["id"]
    ask(web.base, f"plans/{draft}", method="DELETE")  # the second waits behind the first, and is left without a base

    address = f"{web.base.rstrip('/')}/api/v1/jobs/{long}/preview"
    while urllib.request.urlopen(address, timeout=30).status != 200:  # there is a best plan so far
        time.sleep(0.005)
    with held_up(served_home):
        web.open(f"plans?job={long}")
        page.wait_for_function("() => window.gisgrid.featureCount('grids') > 2", timeout=60_000)
        page.click("#job-stop")
        page.click(".stop-dialog .dialog-foot .button:last-child")  # with the best plan so far
        until(web.base, f"jobs/{long}", lambda job: job["cancel_asked"])
    job = until(web.base, f"jobs/{long}", ended)
    plan = job["result"]["plan"]
    kept = ask(web.base, f"plans/{plan}")
    assert (kept["feasible"], kept["reasons"][0]["code"]) == (False, "stopped")
    page.wait_for_url(re.compile(rf"/workbench\?plan={plan}$"), timeout=60_000)
    page.wait_for_selector("body[data-ready]")

    until(web.base, f"jobs/{lost}", ended)
    web.open(f"plans?job={lost}")
    expect(page.locator(".job-message.is-failed")).to_be_visible()
    expect(page.locator(".job-error")).to_contain_text(str(draft))
    expect(page.locator("#job-stop")).to_be_hidden()
    web.picture("job-failed-zh")
    assert serious(page) == []

    web.open("plans")
    card = page.locator(f"[data-plan='{plan}']")
    card.locator(".plan-why summary").click()
    expect(card.locator(".plan-why li")).to_contain_text("提前停止")
    ask(web.base, f"plans/{plan}", method="DELETE")
    web.errors = [text for text in web.errors if "Failed to load resource" not in text]


def test_a_plan_out_of_band_says_why_in_both_languages(web: Watched) -> None:
    page = web.page
    order = {"area": AREA, "from": "engine", "name": "太小", "engine": {"households": "20:24", "preset": "quick"}}
    plan = until(web.base, f"jobs/{ask(web.base, 'plans', order)['id']}", ended)["result"]["plan"]
    reason = ask(web.base, f"plans/{plan}")["reasons"][0]
    assert reason["figures"]
    web.open("plans")
    card = page.locator(f"[data-plan='{plan}']")
    card.locator(".plan-why summary").click()
    first = card.locator(".plan-why li").first
    assert re.search(r"[\u4e00-\u9fff]", first.inner_text())
    web.picture("plans-reasons-zh")
    page.click(".language")
    card.locator(".plan-why summary").click()
    said = card.locator(".plan-why li").all_inner_texts()
    assert not re.search(r"[\u4e00-\u9fff]", "".join(said))
    for figure in (value for value in reason["figures"].values() if isinstance(value, int)):
        assert f"{figure:,}" in said[0]
    web.picture("plans-reasons-en")
    ask(web.base, f"plans/{plan}", method="DELETE")


def test_a_refused_publication_is_told_to_who_was_not_there(web: Watched, refused: int) -> None:
    told = until(web.base, f"plans/{refused}", lambda plan: plan["publication"]["state"] != "waiting")
    assert told["publication"]["state"] == "refused"
    web.open("plans")
    card = web.page.locator(f"[data-plan='{refused}']")
    expect(card.locator(".badge-bad").first).to_have_text("预约发布未成")
    expect(card.locator(".plan-refused")).to_contain_text(told["publication"]["fault"])
    web.picture("plans-refused-zh")
    assert serious(web.page) == []
    web.page.click(f"#plan-{refused}-publish")  # it may be asked for again
    expect(web.page.locator(".publish-dialog .change-tile").first).to_be_visible()
    expect(web.page.locator("#publish-call-off")).to_have_count(0)


def test_a_place_without_drafts_says_how_to_begin(web: Watched) -> None:
    web.open("plans")
    web.page.fill("#plans-words", "没有这样的方案")
    expect(web.page.locator(".plans-empty")).to_be_visible()
    web.picture("plans-none-zh")
    assert serious(web.page) == []
