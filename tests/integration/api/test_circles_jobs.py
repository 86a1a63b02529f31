"""Long work about circles: bodies checked when they are sent, jobs done for real in a process of their own."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pyogrio
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from api.app import create_app
from api.circles.job import compute_circles_job
from api.json import json_bytes
from api.known_streets import HeldStreets
from api.running import run_job
from api.work import WORK
from data import jobs
from gisgrid.errors import Broken, NotFound
from gisgrid.jobs import Cancelled, JobFiles
from gisgrid.limits import JOB_RESULT_BYTES_MAX
from gisgrid.models import no_progress

pytestmark = pytest.mark.postgis
HERE = "/api/v1/circles"


def sent(client: FlaskClient, path: str, status: int, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"{HERE}{path}", json=body)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return dict(answer.get_json())


@pytest.fixture
def served(planned_copy: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A copy of the planned district; jobs' processes find it by their environment."""
    monkeypatch.setenv("GISGRID_HOME", str(planned_copy.settings.home))
    monkeypatch.setenv("GISGRID_DATABASE_URL", str(planned_copy.settings.database_url))
    return planned_copy


def test_a_run_is_computed_and_stored_by_a_job(served: Any) -> None:
    client = create_app(served.settings, served.engine).test_client()
    assert client.get(f"{HERE}?profile=frail").status_code == 404
    number = sent(client, "", 202, {"profile": "frail"})["id"]
    run_job(served.engine, served.settings.home, number, stop=lambda: False)
    job = client.get(f"/api/v1/jobs/{number}").get_json()
    assert (job["state"], job["result"]["stored"]) == ("done", True), job
    body = client.get(f"{HERE}?profile=frail").get_json()
    assert body["profiles"] == ["adult", "frail"]
    adult = {row["category"]: row["residents_covered"] for row in client.get(HERE).get_json()["categories"]}
    slower = {row["category"]: row["residents_covered"] for row in body["categories"]}
    assert all(slower[name] <= adult[name] for name in adult)
    assert sum(slower.values()) < sum(adult.values())


def test_other_jobs_make_files_and_store_nothing(served: Any, tmp_path: Any) -> None:
    client = create_app(served.settings, served.engine).test_client()

    def done(path: str, body: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Facts and file of the work as the job's process does it."""
        number = sent(client, path, 202, body)["id"]
        with served.engine.connect() as connection:
            run = jobs.begin(connection, number)
        assert run is not None
        facts = WORK[run.kind](run.params, JobFiles(None, tmp_path), no_progress)
        assert len(json_bytes(facts)) < JOB_RESULT_BYTES_MAX
        return facts, (tmp_path / facts["output"]).read_bytes()

    facts, made = done("", {"profile": "adult", "factor": 0.5, "minutes": [7.5]})
    assert facts["stored"] is False
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert sorted(archive.namelist()) == ["circles.gpkg", "report.json"]
        layers = pyogrio.list_layers(io.BytesIO(archive.read("circles.gpkg")))[:, 0]
    assert {"residences", "isochrones", "blind_spots", "grids"} <= set(layers)

    adult = {row["category"]: row["residents_covered"] for row in client.get(HERE).get_json()["categories"]}
    facts, made = done("/sites", {"categories": ["kindergarten"], "count": 2, "format": "json"})
    ranked = facts["sites"]["features"]
    assert [site["properties"]["rank"] for site in ranked] == [1, 2]
    (about,) = facts["categories"]
    assert about["residents_after"] > about["residents_before"] == adult["kindergarten"]
    whole = json.loads(made)
    assert whole["layers"]["sites"] == facts["sites"]
    assert len(whole["layers"]["residences"]["features"]) == len(served.district.layers["buildings"])

    lon, lat = ranked[0]["geometry"]["coordinates"]
    points = {"points": [{"id": "喇叭1", "lon": lon, "lat": lat}], "crs": "cgcs2000"}
    facts, _ = done("/straight", points | {"radius": 300, "cover": "residents"})
    assert facts["extra"]["residents"]["share"] == 1
    assert len(facts["sites"]["features"]) == facts["extra"]["count"] > 0
    facts, _ = done("/straight", {"components": [component(served)], "radius": 50})
    assert 0 < facts["buildings"]["share"] < 1

    facts, _ = done("/response", points | {"minutes": 5})
    assert facts["stations"] == 1
    assert 0 < facts["promise"]["all"]["residents"]["share"] <= 1
    with served.engine.connect() as connection:
        assert connection.scalars(sa.text("SELECT profile FROM circle_runs")).all() == ["adult"]


def component(served: Any) -> str:
    """A class of city components there are some of."""
    with served.engine.connect() as connection:
        return str(connection.scalar(sa.text("SELECT major || '-' || minor FROM components ORDER BY id LIMIT 1")))


def test_a_run_that_is_stopped_stores_nothing(served: Any, tmp_path: Any) -> None:
    def progress(share: float, note: str) -> None:
        if share > 0.6:
            raise Cancelled

    with pytest.raises(Cancelled):
        compute_circles_job(
            {"profile": "elderly", "minutes": [5, 10, 15], "speed": None, "factor": None, "format": "zip"},
            JobFiles(None, tmp_path), progress,
        )  # fmt: skip
    with served.engine.connect() as connection:
        assert connection.scalars(sa.text("SELECT profile FROM circle_runs")).all() == ["adult"]


def test_runs_are_outdated_by_imports_and_asked_for_once(served: Any) -> None:
    client = create_app(served.settings, served.engine).test_client()
    first = sent(client, "", 202, {"profile": "elderly"})
    again = sent(client, "", 202, {"profile": "elderly", "minutes": [15, 5, 10]})
    assert (first["known"], again["known"], again["id"]) == (False, True, first["id"])
    assert sent(client, "", 202, {"profile": "elderly", "speed": 0.8})["id"] != first["id"]
    with served.engine.begin() as connection:
        jobs.ask_cancel(connection, first["id"])
    assert sent(client, "", 202, {"profile": "elderly"})["known"] is False
    assert client.get(HERE).get_json()["outdated"] is False
    assert client.get(f"{HERE}/nearest?building=1&category=clinic").get_json()["nearest"][0]["facility"]
    with served.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM facilities WHERE category = 'clinic'"))
        connection.execute(sa.text("INSERT INTO imports (source, layer) VALUES ('sample', 'facilities')"))
    fresh = create_app(served.settings, served.engine).test_client()
    assert fresh.get(f"{HERE}/nearest?building=1&category=clinic").get_json()["nearest"][0]["facility"] is None
    assert client.get(HERE).get_json()["outdated"] is True


def test_before_the_first_publish_there_is_nothing_to_ask(settings: Any, engine: sa.Engine) -> None:
    client = create_app(settings, engine).test_client()
    for path in ("", "/nearest?building=1", "/isochrones?lon=112&lat=35", "/coverage?category=bank"):
        answer = client.get(f"{HERE}{path}")
        assert answer.status_code == 404
        assert "publish one first" in answer.get_json()["error"]["message"]
    assert "publish one first" in sent(client, "", 404, {})["error"]["message"]
    assert sent(client, "/straight", 404, {"categories": ["bank"], "radius": 5})


POINT = {"lon": 112.84, "lat": 35.5}


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("", {"profile": "cat"}, "adult"), ("", {"speed": -1}, "speed -1"), ("", {"minutes": []}, "no minutes"),
        ("", {"minutes": [0]}, "0 minutes"), ("", {"minutes": [600]}, "600 minutes"), ("", {"minutes": list(range(1, 20))}, "at most 12"),
        ("", {"colour": 1}, "colour"), ("", {"profile": "car", "speed": 9}, "factor"), ("", {"format": "pdf"}, "format"),
        ("/sites", {}, "categories"), ("/sites", {"categories": [], "count": 1}, "empty"), ("/sites", {"categories": ["x"], "count": 1}, "row 1: 'x'"),
        ("/sites", {"categories": ["bank", "bank"], "count": 1}, "row 2"), ("/sites", {"categories": ["bank"]}, "nothing limits"),
        ("/sites", {"categories": ["bank"], "count": -1}, "count=-1"), ("/sites", {"categories": ["bank"], "count": 1, "method": "median", "budget": 3}, "median"),
        ("/sites", {"categories": ["bank"], "count": 1, "method": "least"}, "least"), ("/sites", {"categories": ["bank"], "budget": 3}, "bank is missing"),
        ("/sites", {"categories": ["bank"], "count": 1, "points": [POINT, {"lon": 1}]}, "lat"),
        ("/sites", {"categories": ["bank"], "count": 1, "points": [POINT, {"lon": 35.5, "lat": 112.8}]}, "points row 2"),
        ("/sites", {"categories": ["bank"], "count": 1, "points": [POINT | {"id": "a"}, POINT | {"id": "a"}]}, "row 2: id 'a'"),
        ("/sites", {"categories": ["bank"], "count": 1, "time_limit": 0}, "time_limit"), ("/sites", {"categories": ["bank"], "counts": {"mall": 1}}, "mall"),
        ("/straight", {"categories": ["bank"]}, "radius"), ("/straight", {"radius": 5}, "one of them"), ("/straight", {"radius": 0, "points": [POINT]}, "radius=0"),
        ("/straight", {"radius": 5, "points": [POINT], "components": ["01-01"]}, "one of them"),
        ("/straight", {"radius": 5, "points": [POINT], "cover": "dogs"}, "cover"),
        ("/response", {}, "stations"), ("/response", {"points": [POINT], "minutes": 0}, "minutes 0"),
        ("/response", {"points": [POINT], "turnout": 900}, "shorter"), ("/response", {"points": [POINT], "grid_share": 0}, "grid_share"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_at_once(
    client: FlaskClient, path: str, body: dict[str, Any], says: str
) -> None:
    error = sent(client, path, 400, body)["error"]
    assert says in error["message"]
    assert "\n" not in error["message"]


def test_areas_asked_for_have_to_be_stored(client: FlaskClient) -> None:
    assert "'1'" in sent(client, "/straight", 404, {"radius": 5, "points": [POINT], "area": "1"})["error"]["message"]
    assert "'2'" in sent(client, "/response", 404, {"points": [POINT], "town": ["2"]})["error"]["message"]


def test_streets_are_read_anew_after_an_import(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.known_streets.CHECK_SECONDS", 0.0)
    monkeypatch.setattr("api.known_streets.WAIT_SECONDS", 0.05)
    held = HeldStreets(served.engine, served.settings)
    lock = held._held["walk"].lock
    with lock, pytest.raises(Broken) as busy:
        held.get("walk")
    assert busy.value.code == "busy"
    first = held.get("walk")
    assert held.get("walk") is first
    with served.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM streets WHERE id = (SELECT max(id) FROM streets)"))
    assert held.get("walk") is first, "streets change by imports"
    with served.engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO imports (source, layer) VALUES ('sample', 'streets')"))
    with lock:
        assert held.get("walk") is first, "others are answered while it is made anew"
    assert held.get("walk").network.coords.shape != first.network.coords.shape
    with served.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM streets"))
        connection.execute(sa.text("INSERT INTO imports (source, layer) VALUES ('sample', 'streets')"))
    with pytest.raises(NotFound, match="no streets"):
        held.get("walk")
    client = create_app(served.settings, served.engine).test_client()
    assert client.get(f"{HERE}/isochrones?facility=1&profile=car").status_code == 404
