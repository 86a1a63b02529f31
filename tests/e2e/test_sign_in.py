"""Signing in, people and tokens, in a real Chromium on a service that lets nobody work unknown."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="Playwright for Python is not installed (pip install '.[dev]')")
from playwright.sync_api import BrowserContext, Page, expect

from data import people
from gisgrid.access import Grant
from tests.conftest import Planned
from tests.e2e.axe import serious
from tests.e2e.watched import PHONE, Watched
from tests.processes import command, unused_port

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"


def status(url: str, token: str) -> int:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.fixture
def service(planned_copy: Planned, tmp_path: Path) -> Iterator[str]:
    """Two processes that serve a planned district, an administrator and a planner of its community."""
    with planned_copy.engine.begin() as connection:
        people.add(connection, "chief", name="区网格办", password=PASSWORD, grants=[Grant("admin")])
        grants = [Grant("planner", planned_copy.area)]
        people.add(connection, "planner", name="规划岗", password=PASSWORD, grants=grants)
    port = unused_port()
    env = {
        "GISGRID_HOME": str(tmp_path), "GISGRID_DATABASE_URL": str(planned_copy.settings.database_url),
        "GISGRID_ANONYMOUS": "viewer", "GISGRID_OPEN_EDITING": "0", "GISGRID_DRAWERS": "0",
    }  # fmt: skip
    arguments = ["-m", "api.cli", "serve", "--port", str(port), "--workers", "2", "--no-jobs"]
    base = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        try:
            with urllib.request.urlopen(base + "/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.2)
            return False

    with command(arguments, tmp_path / "serve.log", os.environ | env) as server:
        server.until(ready)
        assert server.process.poll() is None, server.said
        yield base


@pytest.fixture
def web(browser: BrowserContext, service: str) -> Iterator[Watched]:
    page = browser.new_page()
    yield Watched(page, service)
    page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.close()
    browser.clear_cookies()


def sign_in(page: Page, login: str, password: str = PASSWORD) -> None:
    page.fill("#sign-in-login", login)
    page.fill("#sign-in-password", password)
    page.press("#sign-in-password", "Enter")


def test_sign_in_paint_sign_out_and_a_token(web: Watched, service: str) -> None:
    page = web.page
    web.open("plans")
    expect(page.locator(".who")).to_have_text("登录")
    page.click(".who")
    assert serious(page) == []
    web.picture("sign-in-zh")
    sign_in(page, "planner", "not the password")
    expect(page.locator("#sign-in-fault")).to_have_text("用户名或密码不对。")
    assert page.context.cookies() == []
    sign_in(page, "planner")
    expect(page.locator(".who")).to_have_text("规划岗")
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert page.evaluate("document.cookie") == ""
    expect(page.locator(".nav-link[href='./people']")).to_have_count(0)  # for administrators only

    # a planner draws up a plan and paints
    plan = page.evaluate(
        """async () => {
          const csrf = (await (await fetch('api/v1/session')).json()).csrf;
          const from = (await (await fetch('api/v1/plans?status=published')).json()).plans[0];
          const made = await fetch('api/v1/plans', {
            method: 'POST', headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf },
            body: JSON.stringify({ area: from.area, from: 'published', name: '登录后试改' }) });
          return (await made.json()).id;
        }"""
    )
    web.open(f"workbench?plan={plan}")
    web.idle()
    version = page.evaluate(f"async () => (await (await fetch('api/v1/plans/{plan}')).json()).version")
    pair = page.evaluate(
        """() => {
          const m = window.gisgrid.model;
          for (let u = 0; u < m.unitCount; u += 1) {
            const a = m.ownerOf(u);
            if (a < 0 || m.bandOf(a) === null || m.unitsOf(a).length < 4) continue;
            for (let k = m.borders.start[u]; k < m.borders.start[u + 1]; k += 1) {
              const b = m.ownerOf(m.borders.to[k]);
              if (b >= 0 && b !== a && m.bandOf(b) !== null) return { unit: u, b };
            }
          }
        }"""
    )
    page.click("#tab-button-grids")
    page.click(f"#grid-row-{pair['b']}")
    web.idle()
    page.mouse.click(*page.evaluate("unit => window.gisgrid.pixelOfUnit(unit)", pair["unit"]))
    expect(page.locator(".save-state")).to_have_attribute("data-status", "saved", timeout=20_000)
    assert page.evaluate(f"async () => (await (await fetch('api/v1/plans/{plan}')).json()).version") > version

    page.click(".who")
    expect(page.locator(".account .role-chip")).to_have_count(1)
    web.picture("account-zh")
    page.click("#sign-out")
    expect(page.locator(".who")).to_have_text("登录")
    assert page.context.cookies() == []

    people_and_tokens(web, service)


def people_and_tokens(web: Watched, service: str) -> None:
    page = web.page
    web.open("people")
    expect(page.locator(".people-table")).to_have_count(0)
    page.click("#people-sign-in")
    sign_in(page, "chief")
    expect(page.locator("tr[data-login='planner']")).to_be_visible()
    page.click("#token-add")
    page.click(".dialog button[type='submit']")
    expect(page.locator(".dialog .fault")).to_contain_text("使用的系统")
    page.fill("#token-name", "12345 热线")
    page.select_option(".grant-row select >> nth=0", "admin")
    assert serious(page) == []
    page.click(".dialog button[type='submit']")
    secret = page.input_value("#token-secret")
    assert secret.startswith("ggt_")
    web.picture("token-zh")
    page.click("#token-kept")
    expect(page.locator("tr[data-token]")).to_have_count(1)
    expect(page.locator("#token-secret")).to_have_count(0)
    assert secret not in page.content()
    assert [status(f"{service}/api/v1/users", secret) for _ in range(4)] == [200] * 4
    web.picture("people-zh")
    assert serious(page) == []
    page.click("tr[data-token] .text-button.is-danger")
    page.click(".dialog .button-danger")
    expect(page.locator("tr[data-token]")).to_have_count(0)
    begun = time.monotonic()
    while [status(f"{service}/api/v1/users", secret) for _ in range(6)] != [401] * 6:  # in both processes
        assert time.monotonic() - begun < 3 + 2
    page.click("tr[data-login='chief'] .text-button.is-danger")
    page.click(".dialog .button-danger")
    expect(page.locator(".dialog .fault")).not_to_be_empty()  # the last administrator
    page.keyboard.press("Escape")
    page.set_viewport_size(PHONE)
    page.click(".language")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    web.picture("people-phone-en")
    assert json.loads(page.evaluate("JSON.stringify(window.gisgrid.state())"))["people"] == 2
