"""kill -9 of web worker, job worker and PostgreSQL's own process, before and after every write of a publish and at any
moment: exactly one active generation, whole; history equals state; asked again, the same; nothing that was answered lost.

All fail points in turn, and some random moments; ``GISGRID_STRIKES=200`` for more of them (`make campaign-kill`).
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fault import fail_points
from tests.fault.city import City, city_of
from tests.fault.conftest import until
from tests.fault.strikes import (
    WAYS,
    Editors,
    Figures,
    Request,
    ask_soon,
    done,
    draft,
    located,
    settled,
    strike_at_random,
    strike_web,
    strike_worker,
    told_generation,
)

pytestmark = [pytest.mark.postgis, pytest.mark.timeout(5400)]
STRIKES = int(os.environ.get("GISGRID_STRIKES", "0"))
RANDOM = STRIKES or 10
SEED = int(os.environ.get("GISGRID_SEED", "8"))


@pytest.fixture(scope="module")
def city(planned: Any) -> Iterator[City]:
    with city_of(str(planned.settings.database_url), planned.area) as made:
        made.serve("--no-jobs")
        yield made


@pytest.fixture(scope="module")
def points(city: City) -> dict[str, list[str]]:
    """The writes of a publish, over HTTP and by a job worker."""
    fail_points.install(city)
    fail_points.wanted(city, "record", 0, city.web_pids())
    told_generation(Request(city, draft(city)).send())
    found = {"web": fail_points.seen(city)}
    city.work(1)
    fail_points.wanted(city, "record", 0, [city.workers[0].pid])
    done(city, ask_soon(city))
    found["worker"] = fail_points.seen(city)
    fail_points.wanted(city, "off", 0, [])
    return found


def show(title: str, lines: list[str], seconds: float) -> None:
    print(f"\n{title} ({seconds:.0f} s)", *(f"  {line}" for line in lines), sep="\n")


def chosen(found: list[str], turned: int) -> list[tuple[int | None, tuple[str, ...]]]:
    """Points and the ways to strike at them (none: one, in turn); all in every way in the campaign.

    Else every write of ours is struck once, before by one kind of process and after by the other; what triggers write
    within it is left to the campaign.
    """
    if STRIKES:
        return [(point, WAYS) for point in [*range(1, len(found) + 1), None]]
    own = [
        n for n, what in enumerate(found, start=1) if not re.search("layer_changes|mapit_ids|audit|idempotency", what)
    ]
    return [*((point, ()) for point in own[turned::2]), (None, WAYS[turned::2])]


def test_every_fail_point(city: City, points: dict[str, list[str]]) -> None:
    for kind in ("web", "worker"):
        told = " ".join(points[kind])
        for part in ("insert of generations", "update of grids", "update of plans", "at the commit"):
            assert part in told, points
    assert "update of publications" in " ".join(points["worker"])
    figures, begun = Figures(), time.monotonic()
    located(city)
    turn = 0
    for turned, (kind, strike) in enumerate((("web", strike_web), ("worker", strike_worker))):
        for point, ways in chosen(points[kind], turned):
            for way in ways or (WAYS[turn % 3],):
                turn += 1
                strike(city, figures, way, point)
    located(city)
    points_told = [f"{number + 1:3} {what}" for number, what in enumerate(points["worker"])]
    show("fail points of a publish by a job worker", points_told, 0)
    show(f"fail points ({len(points['web'])} web, {len(points['worker'])} job worker, and after the commit)",
         figures.lines(), time.monotonic() - begun)  # fmt: skip
    assert not city.faults(), "\n".join(city.faults())


def test_random_moments(city: City, points: dict[str, list[str]]) -> None:
    dice, figures, begun = random.Random(SEED), Figures(), time.monotonic()
    longest = Request(city, draft(city)).send().seconds * 1.3
    with Editors(city) as editors:
        for left in reversed(range(RANDOM)):
            if left == 3:  # the engine is at work while the last ones fall
                asked = city.insist("POST", "/api/v1/plans", {"area": city.area, "from": "engine", "name": "by engine"})
                assert asked.status == 202, asked
            strike_at_random(city, figures, dice, longest)
            assert editors.lost() == []
        city.work()
        until(lambda: city.ask("GET", asked.headers["location"]).body["state"] == "done", 120, "the engine's job")
    assert city.sql("SELECT count(*) FROM plans WHERE name = 'by engine'") == [(1,)], "stored once"
    settled(city, figures)
    assert editors.lost() == []
    located(city)
    figures.edits, figures.reports = len(editors.notes), len(editors.tokens)
    assert figures.edits
    assert figures.reports
    show(f"random moments of a publish, the longest {longest:.2f} s after it was asked for (seed {SEED})",
         figures.lines(), time.monotonic() - begun)  # fmt: skip
    assert not city.faults(), "\n".join(city.faults())
