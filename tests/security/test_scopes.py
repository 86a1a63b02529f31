"""Who has rights in one area has none in the next: two communities, a person's rights in each, everything tried."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.app import create_app
from data import accounts, jobs
from gisgrid.access import Grant
from tests.conftest import Planned

OTHER = "999999999999"


@dataclass
class City:
    """A planned community, ``here``, and a token for the rights of each role here and elsewhere."""

    client: FlaskClient
    engine: sa.Engine
    area: str
    plan: int
    secrets: dict[tuple[str, str], str]
    settings: Any

    def ask(self, role: str, area: str, method: str, path: str, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.secrets[role, area]}"} | more.pop("headers", {})
        return self.client.open(path, method=method, headers=headers, **more)


@pytest.fixture
def city(planned_copy: Planned) -> City:
    settings = dataclasses.replace(planned_copy.settings, anonymous=())
    with planned_copy.engine.begin() as connection:
        area = str(connection.scalar(sa.text("SELECT area FROM plans WHERE id = :p"), {"p": planned_copy.plan}))
        secrets = {
            (role, place): accounts.add_token(connection, role, grants=[Grant(role, place)]).secret
            for role in ("planner", "dispatcher", "viewer", "admin")
            for place in (area, OTHER)
        }
    client = create_app(settings, planned_copy.engine).test_client()
    return City(client, planned_copy.engine, area, planned_copy.plan, secrets, settings)


def test_drafts_exist_in_their_area_only(city: City) -> None:
    order = {"area": city.area, "from": "published"}
    assert city.ask("planner", OTHER, "POST", "/api/v1/plans", json=order).status_code == 403
    made = city.ask("planner", city.area, "POST", "/api/v1/plans", json=order)
    assert made.status_code == 201, made.text
    here = f"/api/v1/plans/{made.json['id']}"  # type: ignore[index]
    tag = {"If-Match": made.headers["ETag"]}
    grid = city.ask("planner", city.area, "GET", f"{here}/grids").json["features"][0]["properties"]["code"]  # type: ignore[index]
    copy = city.ask("planner", OTHER, "POST", "/api/v1/plans", json={"area": OTHER, "from": {"plan": made.json["id"]}})  # type: ignore[index]
    assert copy.status_code == 404, copy.text
    for method, path, body in (
        ("GET", here, None), ("PATCH", here, {"name": "mine"}), ("DELETE", here, None),
        ("GET", f"{here}/comments", None), ("POST", f"{here}/comments", {"body": "x"}),
        ("GET", f"{here}/publication", None), ("POST", f"{here}/publication", {}),
        ("POST", f"{here}/duplicate", {}), ("GET", f"{here}/assignment", None), ("GET", f"{here}/edits", None),
        ("POST", f"{here}/edits", {"base": 1, "operations": []}), ("GET", f"{here}/problems", None),
        ("POST", f"{here}/fix", {"kind": "assign_neighbour", "units": [0]}), ("GET", f"{here}/numbering", None),
        ("GET", f"{here}/grids", None), ("GET", f"{here}/compare?with=published", None),
        ("GET", f"/api/v1/plans/{city.plan}/compare?with={made.json['id']}", None),  # type: ignore[index]
        ("GET", f"{here}/grids/{grid}", None), ("PATCH", f"{here}/grids/{grid}", {"locked": True}),
        ("PUT", f"{here}/grids/{grid}", {"name": "x", "kind": "ordinary", "locked": False}),
        ("DELETE", f"{here}/publication", None), ("GET", f"/api/v1/sheets/{city.area}.pdf?plan={made.json['id']}", None),  # type: ignore[index]
    ):  # fmt: skip
        refused = city.ask("planner", OTHER, method, path, headers=tag, **({"json": body} if body is not None else {}))
        assert refused.status_code == 404, (method, path, refused.text)
    listed = [city.ask("planner", place, "GET", "/api/v1/plans").json["plans"] for place in (city.area, OTHER)]  # type: ignore[index]
    assert [made.json["id"] in [row["id"] for row in rows] for rows in listed] == [True, False]  # type: ignore[index]
    assert city.ask("planner", city.area, "PATCH", here, headers=tag, json={"name": "mine"}).status_code == 200


def test_published_plans_are_read_everywhere_and_changed_in_their_area(city: City) -> None:
    here = f"/api/v1/plans/{city.plan}"
    seen = city.ask("planner", OTHER, "GET", here)
    assert seen.status_code == 200
    tag = {"If-Match": seen.headers["ETag"]}
    assert city.ask("planner", OTHER, "PATCH", here, headers=tag, json={"note": "x"}).status_code == 403
    assert city.ask("planner", OTHER, "POST", f"{here}/comments", json={"body": "x"}).status_code == 403
    assert city.ask("planner", city.area, "PATCH", here, headers=tag, json={"note": "x"}).status_code == 200


def test_features_are_edited_in_the_community_they_lie_in(city: City) -> None:
    with city.engine.connect() as connection:
        key = connection.scalar(sa.text("SELECT component_code FROM components ORDER BY 1 LIMIT 1"))
    here = f"/ogc/collections/components/items/{key}"
    tag = {"If-Match": city.ask("planner", OTHER, "GET", here).headers["ETag"]}
    patch = {"properties": {"note": "seen"}}
    assert city.ask("planner", OTHER, "PATCH", here, headers=tag, json=patch).status_code == 403
    assert city.ask("planner", OTHER, "DELETE", here, headers=tag).status_code == 403
    away = {"geometry": {"type": "Point", "coordinates": [100.0, 30.0]}}
    assert city.ask("planner", city.area, "PATCH", here, headers=tag, json=away).status_code == 403
    assert city.ask("planner", city.area, "PATCH", here, headers=tag, json=patch).status_code == 204


def test_reports_are_seen_and_worked_on_in_their_area(city: City) -> None:
    with city.engine.connect() as connection:
        query = "SELECT id, grid_code FROM reports WHERE grid_code LIKE :area AND stage <> '结案归档' LIMIT 1"
        found = connection.execute(sa.text(query), {"area": f"{city.area}%"}).first()
        point = "SELECT code, ST_X(p), ST_Y(p) FROM (SELECT code, ST_PointOnSurface(geometry) p FROM grids) one LIMIT 1"
        grid, lon, lat = connection.execute(sa.text(point)).one()
    if found is None:
        classes = city.ask("dispatcher", city.area, "GET", "/open311/v2/services.json").json
        sent = {"service_code": classes[0]["service_code"], "lon": lon, "lat": lat}  # type: ignore[index]
        made = city.ask("dispatcher", city.area, "POST", "/api/v1/reports", json=sent)
        assert made.status_code == 201, made.text
        number = int(made.json["id"])  # type: ignore[index]
    else:
        number = int(found.id)
    here = f"/api/v1/reports/{number}"
    for method, path, body in (
        ("GET", here, None), ("GET", f"{here}/updates", None), ("GET", f"{here}/reassignments", None),
        ("POST", f"{here}/updates", {"note": "x"}), ("POST", f"{here}/reassign", {"grid": grid, "reason": "x"}),
    ):  # fmt: skip
        refused = city.ask("dispatcher", OTHER, method, path, **({"json": body} if body else {}))
        assert refused.status_code == 404, (method, path, refused.text)
    assert city.ask("dispatcher", city.area, "GET", here).status_code == 200
    seen = {"If-Match": "*"}
    told = city.ask("dispatcher", city.area, "POST", f"{here}/updates", json={"note": "x"}, headers=seen)
    assert told.status_code == 201
    ids = [city.ask("dispatcher", p, "GET", "/api/v1/reports/queue").json["matched"] for p in (city.area, OTHER)]  # type: ignore[index]
    assert ids[0] > 0
    assert ids[1] == 0
    assert city.ask("viewer", OTHER, "GET", "/api/v1/reports").json["numberReturned"] == 0  # type: ignore[index]
    assert city.ask("viewer", OTHER, "GET", f"/open311/v2/requests/{number}.json").status_code == 403
    for path in ("/ogc/collections/reports/items", "/api/v1/layers/reports", "/ogc/collections/reports/tiles"):
        assert city.ask("viewer", OTHER, "GET", path).status_code == 404
    assert "reports" not in [row["name"] for row in city.ask("viewer", OTHER, "GET", "/api/v1/layers").json["layers"]]  # type: ignore[index]


def test_jobs_are_their_owners(city: City) -> None:
    with city.engine.begin() as connection:
        mine = jobs.submit(connection, "circles", {}, home=city.settings.home, owner="user:77")
        ours = jobs.submit(connection, "circles", {}, home=city.settings.home)
    for path in ("", "/events", "/output"):
        assert city.ask("planner", city.area, "GET", f"/api/v1/jobs/{mine}{path}").status_code == 404
    assert city.ask("planner", city.area, "DELETE", f"/api/v1/jobs/{mine}").status_code == 404
    assert city.ask("planner", city.area, "DELETE", f"/api/v1/jobs/{ours}").status_code == 403, "nobody's is not his"
    assert city.ask("planner", city.area, "GET", f"/api/v1/jobs/{ours}").status_code == 200
    listed = city.ask("planner", city.area, "GET", "/api/v1/jobs").json["jobs"]  # type: ignore[index]
    assert ours in (told := [row["id"] for row in listed])
    assert mine not in told


def test_going_back_needs_every_area_it_reaches(city: City) -> None:
    here = f"/api/v1/plans/{city.plan}/duplicate"
    draft = city.ask("planner", city.area, "POST", here, json={})
    path = f"/api/v1/plans/{draft.json['id']}/publication"  # type: ignore[index]
    with city.engine.begin() as connection:
        first = connection.scalar(sa.text("SELECT max(id) FROM generations"))
        connection.execute(sa.text("UPDATE grids SET name = name || '甲' WHERE plan = :p"), {"p": draft.json["id"]})  # type: ignore[index]
    done = city.ask("planner", city.area, "POST", path, headers={"If-Match": draft.headers["ETag"]}, json={})
    assert done.status_code == 200, done.text
    back = f"/api/v1/generations/{first}/restore"
    assert city.ask("planner", OTHER, "POST", back, json={}).status_code == 403
    tag = city.ask("planner", city.area, "GET", back).headers["ETag"]
    assert city.ask("planner", city.area, "POST", back, json={}, headers={"If-Match": tag}).status_code == 200
