"""All routes × methods × roles against a table of what is expected, written down by address and not read from ours."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from apiflask import APIFlask
from flask.testing import FlaskClient

from api.access import guard
from api.app import create_app
from data import accounts
from gisgrid.access import Grant
from gisgrid.errors import Broken
from tests.conftest import Planned

READERS = {"viewer", "dispatcher", "analyst", "planner", "admin", "other street"}
PLANNERS = {"planner", "admin", "other street"}
EVERYONE = READERS | {"nobody", "reporter"}
CITY = READERS - {"other street"}
SENDERS = {"reporter", "dispatcher", "admin"}
EXPECTED: tuple[tuple[str, str, set[str]], ...] = (
    (r"/", "GET", EVERYONE),
    (
        r"/(plans|workbench|compare|dispatch|place|people|history|favicon\.ico|openapi\.json|healthz|readyz)",
        "GET",
        EVERYONE,
    ),
    (r"/static/.*|/<path:name>|/ogc/style\.css", "GET", EVERYONE),
    (r"/metrics", "GET", EVERYONE),  # the test's client is this machine
    (r"/api/v1/session.*", ".*", EVERYONE),
    (r"/api/v1/me", "GET", EVERYONE),
    (r"/api/v1/(users|tokens)(/.*)?", ".*", {"admin"}),
    (r"/api/v1/history(/.*)?", "GET", PLANNERS),
    (r"/open311(/<path:rest>)?", ".*", EVERYONE),
    (r"/open311/(v2/)?discovery.*|/open311/v2/services.*", "GET", READERS | {"reporter"}),
    (r"/open311/v2/tokens/.*", "GET", CITY | SENDERS),
    (r"/open311/v2/(requests?|servicerequestupdates)(/.*|\..*)?", "GET", CITY),
    (r"/open311/v2/(requests|servicerequestupdates)(\..*)?", "POST", SENDERS),
    (r"/api/v1/reports/queue", "GET", {"dispatcher", "admin"}),
    (r"/api/v1/reports/<report>/reassign", "POST", {"dispatcher", "admin"}),
    (r"/api/v1/reports(/<report>/updates)?", "POST", SENDERS),
    (r"/api/v1/reports.*", "GET", READERS),
    (r"/api/v1/circles.*", "POST", {"analyst", *PLANNERS}),
    (r"/api/v1/jobs/<job>/output", "GET", {"analyst", *PLANNERS}),
    (r"/api/v1/jobs/<job>/preview", "GET", PLANNERS),
    (r"/api/v1/jobs/<job>", "DELETE", {"analyst", *PLANNERS}),
    (r"/api/v1/generations/<generation>/restore", "POST", PLANNERS),
    (r"/api/v1/plans/<plan>/(comments|publication).*", ".*", PLANNERS),
    (r"/api/v1/plans.*", "POST|PUT|PATCH|DELETE", PLANNERS),
    (r"/ogc/collections/<collection>/items.*", "POST|PUT|PATCH|DELETE", PLANNERS),
    (r"/(api/v1|ogc|wms|mapit).*", ".*", READERS),
)
ROLES = {
    "viewer": Grant("viewer"), "reporter": Grant("reporter"), "dispatcher": Grant("dispatcher"),
    "analyst": Grant("analyst"), "planner": Grant("planner"), "admin": Grant("admin"),
    "other street": Grant("planner", "999999999"),
}  # fmt: skip


@pytest.fixture
def app(planned_copy: Planned) -> APIFlask:
    return create_app(dataclasses.replace(planned_copy.settings, anonymous=()), planned_copy.engine)


@pytest.fixture
def tokens(planned_copy: Planned) -> dict[str, str]:
    with planned_copy.engine.begin() as connection:
        made = {role: accounts.add_token(connection, role, grants=[grant]).secret for role, grant in ROLES.items()}
    return made | {"nobody": ""}


def routes(app: APIFlask) -> Iterator[tuple[str, str]]:
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule.rule, method


def expected(rule: str, method: str) -> set[str]:
    for pattern, methods, roles in EXPECTED:
        if re.fullmatch(pattern, re.sub(r"<any[^>]*>", "json", rule)) and re.fullmatch(methods, method):
            return roles
    raise AssertionError(f"nothing is expected of {method} {rule}; say it in EXPECTED")


def address(rule: str) -> str:
    return re.sub(r"<[^>]*>", "0", re.sub(r"<any\(json[^>]*>", "json", rule))


def asked(client: FlaskClient, method: str, path: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with client.open(path, method=method, headers=headers) as answer:
        return answer.status_code


def test_every_route_is_open_to_whom_it_should_be(app: APIFlask, tokens: dict[str, str]) -> None:
    client, tried, wrong = app.test_client(), 0, []
    for rule, method in routes(app):
        allowed = expected(rule, method)
        for role, token in tokens.items():
            status = asked(client, method, address(rule), token)
            tried += 1
            # GeoReport v2 knows 403 only
            denied = status == (401 if role == "nobody" and not rule.startswith("/open311") else 403)
            if denied == (role in allowed):
                wrong.append(f"{role}: {method} {rule} answered {status}")
    print(f"\n{tried} requests: {tried // len(tokens)} routes and methods x {len(tokens)} roles")
    assert not wrong, "\n".join(wrong)


def test_unknown_and_ended_credentials_are_refused(app: APIFlask, planned_copy: Planned) -> None:
    client = app.test_client()
    with planned_copy.engine.begin() as connection:
        made = accounts.add_token(connection, "old", grants=[Grant("admin")])
        accounts.revoke_token(connection, made.id)
    for header in (f"Bearer {made.secret}", "Bearer ggt_unknown", "Digest x", "Basic eDp5"):
        assert client.get("/api/v1/grids", headers={"Authorization": header}).status_code == 401
        assert client.get("/api/v1/me", headers={"Authorization": header}).status_code == 401
    client.set_cookie("gisgrid_session", "ended")
    answer = client.get("/api/v1/locate?lon=1&lat=1")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_route_nobody_thought_of_keeps_the_service_from_starting(app: APIFlask) -> None:
    guard.check_complete(app)
    app.url_map.add(type(next(app.url_map.iter_rules()))("/forgotten", endpoint="forgotten"))
    with pytest.raises(Broken, match="forgotten"):
        guard.check_complete(app)


def test_the_short_ways_around_flask_ask_who_it_is(
    app: APIFlask, tokens: dict[str, str], planned_copy: Planned
) -> None:
    client = app.test_client()
    with planned_copy.engine.connect() as connection:
        query = "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_PointOnSurface(geometry) p FROM grids LIMIT 1) one"
        lon, lat = connection.execute(sa.text(query)).one()
    for path in (f"/api/v1/locate?lon={lon:.6f}&lat={lat:.6f}", "/ogc/collections/grids/tiles/WebMercatorQuad/14/0/0"):
        for _ in range(2):  # the second time from memory
            assert asked(client, "GET", path, "") == 401
            assert asked(client, "GET", path, tokens["reporter"]) == 403
            assert asked(client, "GET", path, tokens["viewer"]) in (200, 204)
        answer = client.get(path, headers={"Authorization": f"Bearer {tokens['viewer']}"})
        assert "public" not in answer.headers["Cache-Control"]
