"""The machine's clock jumps by days, there and back, under the running service: what is due is what PostgreSQL's clock
says, nobody is signed out, waits go by a clock that only runs forward."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from data import accounts, publications
from planning import workflow_plans
from tests.fault.city import City, city_of
from tests.fault.conftest import until
from tests.fault.strikes import check, draft, located, told_generation

pytestmark = [pytest.mark.postgis, pytest.mark.timeout(300)]
LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
JUMPS = ("+3d", "-3d")


@pytest.fixture
def city(planned: Any, tmp_path: Path) -> Iterator[City]:
    if LIBRARY is None:
        pytest.skip("libfaketime is not installed (Debian's package of that name)")
    clock = tmp_path / "clock"
    clock.write_text("+0")
    fake = {
        "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "LD_PRELOAD": str(LIBRARY),
    }  # fmt: skip
    with city_of(str(planned.settings.database_url), planned.area) as made:
        # PostgreSQL runs already, by the true clock
        made.environment |= fake
        made.serve()
        yield made


def test_the_clock_jumps(city: City) -> None:
    clock = Path(city.environment["FAKETIME_TIMESTAMP_FILE"])
    now = dt.datetime.now(dt.UTC)
    with city.engine.begin() as connection:
        person = accounts.add_user(connection, "planner.one", password="only for this test")
        cookie = accounts.open_session(connection, person, lasts=dt.timedelta(hours=1))
        waiting = workflow_plans.draft_in_force(connection, city.area)
        publications.ask(connection, waiting, 1, now + dt.timedelta(days=1))
    for jump in JUMPS:
        clock.write_text(jump)
        served = city.ask("GET", "/ogc/collections/grids/items?limit=1").body["timeStamp"]
        days = round((dt.datetime.fromisoformat(served) - now).total_seconds() / 86400)
        assert days == int(jump.rstrip("d")), "the service's clock did jump"
        located(city)
        assert city.ask("GET", "/readyz").status == 200
        # a moment just past is no future, whatever our clock says
        lon, lat = city.sql("SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_PointOnSurface(geometry) p FROM grids "
                            "WHERE upper_inf(generations) AND level = 1 LIMIT 1) g")[0]  # fmt: skip
        at = (
            city.sql("SELECT published_at FROM generations ORDER BY id DESC LIMIT 1")[0][0]
            .isoformat()
            .replace("+", "%2B")
        )
        got = city.ask("GET", f"/api/v1/locate?lon={lon:.7f}&lat={lat:.7f}&at={at}")
        assert got.status == 200, got
        # tomorrow is tomorrow, and yesterday has been
        here = f"/api/v1/plans/{draft(city)}/publication"
        tomorrow, yesterday = (now + dt.timedelta(days=1)).isoformat(), (now - dt.timedelta(hours=20)).isoformat()
        got = city.ask("POST", here, {"effective_at": tomorrow}, If_Match='"1"')
        assert (got.status, got.body["publication"]["state"]) == (202, "waiting")
        here = f"/api/v1/plans/{draft(city)}/publication"
        told_generation(city.ask("POST", here, {"effective_at": yesterday}, If_Match='"1"'))
        # jobs are taken up and end
        asked = city.ask("POST", "/api/v1/plans", {"area": city.area, "from": "engine", "name": f"by engine {jump}"})
        assert asked.status == 202, asked
        number = asked.headers["location"].rsplit("/", 1)[1]
        ended = until(
            lambda n=number: (
                (one := city.ask("GET", f"/api/v1/jobs/{n}").body)["state"] != "running"
                and one["state"] != "queued"
                and one
            ),
            90,
        )  # type: ignore[misc]
        assert ended["state"] == "done", ended
        assert ended["attempts"] == 1, "no heartbeat was taken for missed"
        with city.engine.connect() as connection:
            assert accounts.person_of(connection, cookie) is not None
            assert publications.of_plan(connection, waiting)[0]["state"] == "waiting"
            assert connection.scalar(sa.text("SELECT max(published_at) <= now() FROM generations"))
    check(city)
    assert not city.faults(), "\n".join(city.faults())
    print(f"\nclock jumps {', '.join(JUMPS)}: nothing came early or late")


def test_no_wait_goes_by_the_wall_clock() -> None:
    """Who waits, or says how long something took, asks the monotonic clock or PostgreSQL; the wall clock only dates."""
    root = Path(__file__).resolve().parents[2]
    allowed = {
        "api/downloads.py", "data/job_files.py", "data/networks.py",  # how old a file is: its date is the kernel's
        "data/dispatch.py",  # the moment a message was signed at
        "api/logs.py", "api/metrics.py",  # the date of a line, of a process's start; figures to look at, no waits
    }  # fmt: skip
    found = {
        str(path.relative_to(root))
        for part in ("api", "data", "planning", "layers", "gisgrid")
        for path in (root / part).rglob("*.py")
        if "time.time()" in path.read_text()
    }
    assert found <= allowed, f"{sorted(found - allowed)}: use time.monotonic(), or the database's now()"
