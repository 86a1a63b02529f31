"""A full disk, under GISGRID_HOME and under PostgreSQL: 503 ``disk_full``, nothing half done, and all is well as soon as
there is space again, without anybody's hand."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fault.city import Answer, City, city_of
from tests.fault.conftest import until
from tests.fault.small_disks import fill, relieve, small_disk
from tests.fault.strikes import Request, check, draft, located, told_generation

pytestmark = [pytest.mark.postgis, pytest.mark.timeout(600)]
ROWS = 150_000
"""More points than one request may locate: they become a job."""


@pytest.fixture(scope="module")
def city(planned: Any) -> Iterator[City]:
    home = Path(tempfile.mkdtemp(prefix="gisgrid-disk-"))
    with (
        small_disk(home, 64),
        small_disk(home / "cluster", 700),
        city_of(str(planned.settings.database_url), planned.area, home) as made,
    ):
        made.serve()
        yield made


def points(city: City, rows: int) -> bytes:
    lon, lat = city.sql("SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_Centroid(ST_Extent(geometry)) p FROM areas) a")[0]
    lines = (f"{lon + n % 100 * 1e-6:.6f},{lat:.6f}\n" for n in range(rows))
    return ("lon,lat\n" + "".join(lines)).encode()


def sent(city: City, rows: int) -> Answer:
    return city.ask("POST", "/api/v1/locate?crs=cgcs2000", raw=points(city, rows), Content_Type="text/csv")


def is_full(answer: Answer) -> bool:
    """The one shape, and when to try again."""
    error = answer.body["error"] if isinstance(answer.body, dict) else {}
    assert answer.status == 503, answer
    assert answer.headers["retry-after"].isdigit(), answer
    assert set(error) == {"status", "code", "message", "details"}
    return bool(error["code"] == "disk_full")


def test_home_is_full(city: City) -> None:
    """Uploads and downloads are refused, jobs fail saying why, publishing and locating go on."""
    assert sent(city, 2000).status == 200
    download = "/api/v1/layers/buildings/download?format=gpkg"
    assert city.ask("GET", download).status == 200
    fill(city.home)
    assert is_full(sent(city, 200_000))
    assert is_full(city.ask("GET", download + "&bbox=0,0,180,80"))
    made = told_generation(Request(city, draft(city)).send(insist=True))
    located(city)
    check(city)
    assert not list((city.home / "index").glob(".*part")), "nothing is left of what could not be written"
    relieve(city.home)
    assert sent(city, 2000).status == 200
    assert city.ask("GET", download + "&bbox=0,0,180,80").status == 200
    assert told_generation(Request(city, draft(city)).send()) == made + 1
    located(city)

    body = points(city, ROWS)
    fill(city.home, leave=len(body) * 3)  # room for what is sent, twice, not for what comes of it
    job = city.ask("POST", "/api/v1/locate?crs=cgcs2000", raw=body, Content_Type="text/csv")
    assert job.status == 202, job
    number = job.headers["location"].rsplit("/", 1)[1]
    ended = until(
        lambda: (one := city.ask("GET", f"/api/v1/jobs/{number}").body)["state"] in ("done", "failed") and one, 90
    )
    assert (ended["state"], ended["error"] and ended["error"]["code"]) == ("failed", "disk_full"), ended
    assert not (city.home / "jobs" / number / "output").exists()
    relieve(city.home)
    again = city.ask("POST", "/api/v1/locate?crs=cgcs2000", raw=body, Content_Type="text/csv")
    number = again.headers["location"].rsplit("/", 1)[1]
    until(lambda: city.ask("GET", f"/api/v1/jobs/{number}").body["state"] == "done", 90)
    assert "internal_error" not in city.said()


def test_postgresql_is_full(city: City) -> None:
    """Tables that cannot grow, then a write-ahead log that cannot: what was answered is kept, the rest did not happen."""
    located(city)
    copied = draft(city)
    fill(city.home / "cluster")
    told: Counter[str] = Counter()
    kept: list[int] = []
    place = city.sql("SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_Centroid(ST_Extent(geometry)) p FROM areas) a")[0]

    def write(number: int) -> Answer:
        if number % 2:
            return city.ask("POST", f"/api/v1/plans/{copied}/duplicate", {"name": f"copy {number}"})
        body = {
            "service_code": "0101",
            "lon": place[0],
            "lat": place[1],
            "description": "井" * 900,
            "token": f"full-{number}",
        }
        return city.ask("POST", "/api/v1/reports", body)

    deadline, number = time.monotonic() + 60, 0
    while sum(told[code] for code in ("disk_full", "database_down")) < 12 and time.monotonic() < deadline:
        number += 1
        got = write(number)
        if got.status == 503:
            is_full(got)
            told[got.body["error"]["code"]] += 1
        else:
            assert got.status == 201, got
            kept += [number] if number % 2 == 0 else []
            told["stored"] += 1
        assert city.ask("GET", f"/api/v1/locate?lon={place[0]:.7f}&lat={place[1]:.7f}").status == 200
    assert told["disk_full"] + told["database_down"] >= 12, told
    relieve(city.home / "cluster")
    freed = time.monotonic()
    city.insist("POST", f"/api/v1/plans/{copied}/duplicate", {"name": "after"}, seconds=90)
    seconds = time.monotonic() - freed
    check(city)
    there = {row[0] for row in city.sql("SELECT token FROM reports WHERE token LIKE 'full-%%'")}
    assert {f"full-{one}" for one in kept} <= there, "what was answered with 201 is there"
    assert "internal_error" not in city.said()
    print(f"\nPostgreSQL's disk full: {dict(told)}; writing again {seconds:.1f} s after there was space")
    assert seconds < 60
