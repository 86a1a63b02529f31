"""Work on a plan in the browser: what the tests of the workbench do and ask again and again."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

pytest.importorskip("playwright", reason="Playwright for Python is not installed (pip install '.[dev]')")
from playwright.sync_api import Page, expect


def ask(base: str, path: str, body: dict[str, Any] | None = None, method: str | None = None) -> Any:
    """JSON of the service; with a body it is posted."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"If-Match": "*"} | ({"Content-Type": "application/json"} if data else {})
    request = urllib.request.Request(f"{base}/api/v1/{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


def model(page: Page, expression: str, argument: Any = None) -> Any:
    """What the plan in the page says of itself."""
    return page.evaluate(f"argument => {{ const m = window.gisgrid.model; return {expression}; }}", argument)


def owners(page: Page) -> list[int]:
    return list(model(page, "[...m.owners(1)]"))


def unit_pixel(page: Page, unit: int) -> tuple[float, float]:
    x, y = page.evaluate("unit => window.gisgrid.pixelOfUnit(unit)", unit)
    return x, y


def border_pair(page: Page) -> dict[str, int]:
    """Two neighbouring ordinary grids, and a unit of the first next to the second with something left beside it."""
    return dict(
        model(
            page,
            """(() => {
              for (let u = 0; u < m.unitCount; u += 1) {
                const a = m.ownerOf(u);
                if (a < 0 || m.bandOf(a) === null || m.unitsOf(a).length < 4) continue;
                for (let k = m.borders.start[u]; k < m.borders.start[u + 1]; k += 1) {
                  const b = m.ownerOf(m.borders.to[k]);
                  if (b >= 0 && b !== a && m.bandOf(b) !== null) return { unit: u, neighbour: m.borders.to[k], a, b };
                }
              }
            })()""",
        )
    )


def choose(page: Page, grid: int) -> None:
    """Make a grid the current one by its row in the table."""
    page.click("#tab-button-grids")
    page.click(f"#grid-row-{grid}")
    page.evaluate("window.gisgrid.idle()")


def saved(page: Page) -> None:
    expect(page.locator(".save-state")).to_have_attribute("data-status", "saved", timeout=15_000)


def stored_owner(base: str, plan: int, unit: int) -> str | None:
    answer = ask(base, f"plans/{plan}/assignment")
    level = answer["levels"][0]
    at = level["owner"][unit]
    return None if at < 0 else str(level["grids"][at]["code"])
