"""/api/v1/heat on a planned district: against SQL and the functions themselves, and what it refuses."""

from __future__ import annotations

import io
from collections import Counter
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from PIL import Image
from shapely.geometry import box, shape

from api.app import create_app

pytestmark = pytest.mark.postgis
HERE = "/api/v1/heat"
BY_GRID = """
    SELECT (SELECT min(g.code COLLATE "C") FROM grids g WHERE upper_inf(g.generations) AND g.level = 1
            AND g.system = '综合' AND ST_Covers(g.geometry, r.geometry)) AS grid, count(*)
    FROM reports r WHERE major = :major
    AND (reported_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN '2025-03-01' AND '2025-08-31' GROUP BY 1
"""


@pytest.fixture(scope="module")
def asking(planned: Any) -> FlaskClient:
    return create_app(planned.settings, planned.engine).test_client()


def read(client: FlaskClient, path: str, status: int = 200) -> Any:
    answer = client.get(HERE + path)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json(force=True)


def test_classes_are_those_stored(asking: FlaskClient, planned: Any) -> None:
    told = read(asking, "")
    with planned.engine.connect() as connection:
        stored = dict(map(tuple, connection.execute(sa.text("SELECT major, count(*) FROM reports GROUP BY 1"))))
    assert {one["name"]: one["reports"] for one in told["classes"]} == stored
    assert told["reports"] == sum(stored.values())
    assert told["timezone"] == "Asia/Shanghai"


def test_grids_are_counted_as_sql_counts(asking: FlaskClient, planned: Any) -> None:
    told = read(asking, "/grids?class=04&from=2025-03-01&to=2025-08-31&permutations=99")
    with planned.engine.connect() as connection:
        rows = connection.execute(sa.text(BY_GRID), {"major": "街面秩序"}).all()
        found = connection.execute(
            sa.text("SELECT code, households FROM grids WHERE upper_inf(generations) AND level = 1")
        )
        households = dict(map(tuple, found))
    counted = {code: number for code, number in rows if code}
    assert {row["grid"]: row["reports"] for row in told["rows"] if row["reports"]} == counted
    assert {row["grid"] for row in told["rows"]} == set(households)
    for row in told["rows"]:
        assert (row["spot"] == "not_rated") == (not households[row["grid"]]) == (row["rate"] is None)
        if row["rate"] is not None:
            assert row["rate"] == pytest.approx(1000 * row["reports"] / households[row["grid"]] / (184 / (365.25 / 12)))
    one = told["rows"][0]["grid"]
    alone = read(asking, f"/grids?class=04&from=2025-03-01&to=2025-08-31&permutations=99&grid={one}")
    assert alone["rows"] == told["rows"][:1]


def test_the_surface_holds_all_reports(asking: FlaskClient) -> None:
    told = read(asking, "/surface?values=true&bandwidth=150&edges=plain")
    values = np.array(told["values"], dtype=float)
    assert values.shape == (told["rows"], told["columns"])
    total = np.nansum(values) * told["cell"] ** 2 / 1e6 * told["days"] / (365.25 / 12)
    assert 0.75 < total / told["reports"] <= 1.01  # what spills over the edge is not shown
    assert np.nanmax(values) == pytest.approx(told["peak"], abs=1e-3)
    plain = read(asking, "/surface?bandwidth=150&edges=plain")
    assert plain["values"] is None
    assert read(asking, "/surface?bandwidth=150")["peak"] >= plain["peak"]


def test_contours_and_picture_lie_where_the_grids_are(asking: FlaskClient) -> None:
    facts = read(asking, "/surface?bandwidth=200")
    west, south, east, north = facts["bounds"]
    shapes = read(asking, "/surface?bandwidth=200&format=geojson")
    lows = [one["properties"]["low"] for one in shapes["features"]]
    assert lows == sorted(set(lows) & set(facts["breaks"]))
    assert lows[-1] == facts["breaks"][-1]
    for one in shapes["features"]:
        assert box(west, south, east, north).buffer(1e-6).covers(shape(one["geometry"]))
    answer = asking.get(f"{HERE}/surface?bandwidth=200&format=png")
    assert answer.mimetype == "image/png"
    assert [float(part) for part in answer.headers["X-Gisgrid-Extent"].split(",")] == pytest.approx(
        facts["extent"], abs=0.01
    )
    picture = np.asarray(Image.open(io.BytesIO(answer.get_data())))
    assert picture.shape[2] == 4
    assert picture[..., 3].max() > 150
    assert picture[0, 0, 3] == 0  # a corner outside the district is clear


def test_frames_add_up_and_share_a_scale(asking: FlaskClient) -> None:
    for step, least in (("month", 12), ("week", 52)):
        told = read(asking, f"/frames?step={step}&bandwidth=200")
        assert sum(frame["reports"] for frame in told["frames"]) == told["reports"]
        assert len(told["frames"]) >= least
        assert told["peak"] == max(frame["peak"] for frame in told["frames"] if frame["whole"])
    one = told["frames"][10]
    shown = read(asking, f"/surface?from={one['from']}&to={one['to']}&bandwidth=200")
    assert shown["peak"] == pytest.approx(one["peak"], abs=1e-3)
    assert shown["reports"] == one["reports"]


def test_patterns_are_counted_as_sql_counts(asking: FlaskClient, planned: Any) -> None:
    told = read(asking, "/patterns")
    query = "SELECT reported_at AT TIME ZONE 'Asia/Shanghai' FROM reports"
    with planned.engine.connect() as connection:
        times = connection.execute(sa.text(query)).scalars().all()
    assert [row["reports"] for row in told["hour"]] == [Counter(at.hour for at in times)[k] for k in range(24)]
    assert [row["reports"] for row in told["weekday"]] == [Counter(at.weekday() for at in times)[k] for k in range(7)]
    assert sum(row["exposure"] for row in told["month"]) == told["days"]


def test_a_planted_rise_is_flagged(planned_copy: Any) -> None:
    with planned_copy.engine.begin() as connection:
        place = connection.execute(
            sa.text(
                "SELECT code, ST_AsText(ST_PointOnSurface(geometry)) FROM grids WHERE upper_inf(generations) "
                "AND level = 1 AND households > 0 ORDER BY code LIMIT 1"
            )
        ).one()
        connection.execute(
            sa.text(
                "INSERT INTO reports (source, report_id, reported_at, major, minor, geometry) SELECT 'test', n::text, "
                "'2025-12-31 20:00+08'::timestamptz - n * interval '4 hours', '突发事件', '下水道堵塞', "
                "ST_SetSRID(ST_GeomFromText(:place), 4490) FROM generate_series(1, 40) n"
            ),
            {"place": place[1]},
        )
    client = create_app(planned_copy.settings, planned_copy.engine).test_client()
    told = read(client, "/rises?days=14&to=2025-12-31")
    first = next(row for row in told["rows"] if row["grid"] is not None)
    assert (first["grid"], first["major"], first["flagged"]) == (place[0], "突发事件", True)
    assert first["observed"] >= 40
    assert first["q"] <= told["alpha"]
    assert "C-test" in told["test"]
    before = client.get(f"{HERE}/patterns")
    again = client.get(f"{HERE}/patterns", headers={"If-None-Match": before.headers["ETag"]})
    assert again.status_code == 304
    with planned_copy.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM reports WHERE source = 'test'"))
    import time

    time.sleep(1.1)  # changes are noticed within a second
    assert client.get(f"{HERE}/patterns", headers={"If-None-Match": before.headers["ETag"]}).status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/surface?kernel=cone", 400, "kernel"),
        ("/surface?bandwidth=wide", 400, "bandwidth"),
        ("/surface?bandwidth=1", 400, "bandwidth"),
        ("/surface?cell=0.5", 400, "cells"),
        ("/surface?breaks=3,2", 400, "breaks"),
        ("/surface?from=2025-06-01&to=2025-05-01", 400, "ends before"),
        ("/surface?class=nothing", 400, "class"),
        ("/surface?area=1", 400, "area"),
        ("/surface?area=999999", 404, "999999"),
        ("/grids?grid=1", 404, "grid 1"),
        ("/grids?permutations=5", 400, "permutations"),
        ("/rises?days=0", 400, "days"),
        ("/rises?alpha=2", 400, "alpha"),
        ("/rises?days=90", 400, "needed"),
        ("/frames?from=1990-01-01&step=week", 400, "weeks"),
        ("/patterns?colour=red", 400, "colour"),
        ("?class=04", 400, "class"),
    ],
)
def test_what_cannot_be_answered_is_said(asking: FlaskClient, path: str, status: int, said: str) -> None:
    assert said in read(asking, path, status)["error"]["message"]


def test_nothing_published_or_reported(settings: Any, engine: sa.Engine) -> None:
    told = create_app(settings, engine).test_client().get(f"{HERE}/grids")
    assert told.status_code == 404
    assert "publish" in told.get_json()["error"]["message"]
