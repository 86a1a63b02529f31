"""Nothing secret and nothing personal is ever in the log, whatever is sent and whatever goes wrong."""

from __future__ import annotations

import base64
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from api import logs
from api.access import policies
from api.app import create_app
from api.redacting import Redactor
from data import db
from tests.conftest import Planned

SECRETS = {
    "editor": "EDITORKEY-7c1f", "open311": "OPENKEY-93ab", "wrong": "WRONGKEY-5e5e", "token": "ggt_TOKENSECRET4242abcdef",
    "cookie": "COOKIESECRET-8d2", "password": "PASSWORD-Tr0ub4dor", "database": "DBPASSWORD-66",
}  # fmt: skip
PERSONAL = ("13800138000", "某某路七号", "112.8512345", "35.5012345", "Li Somebody")


@pytest.fixture
def written(planned: Planned, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[FlaskClient, io.StringIO]]:
    """A client of the service, and all its log."""
    settings = replace(
        planned.settings, log="json", log_level="debug", log_sample=1, editor_keys=(("desk", SECRETS["editor"]),),
        open311_keys=(("app", SECRETS["open311"]),),
    )  # fmt: skip
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    levels = {name: logging.getLogger(name).level for name in ("", "gisgrid", "_granian")}
    logs.configure(settings)
    stream = io.StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    app = create_app(settings, planned.engine)

    @app.get("/provoked/<secret>")
    def provoked(secret: str) -> str:
        raise RuntimeError(
            f"failed with Authorization: Bearer {SECRETS['token']} password={SECRETS['password']} "
            f"postgresql://u:{SECRETS['database']}@host/db key {SECRETS['editor']} {{'api_key': '{SECRETS['wrong']}'}} "
            f"https://hook.example/{SECRETS['cookie']}?token={SECRETS['token']}"
        )

    @app.get("/quoted")
    def quoted() -> str:
        with planned.engine.begin() as connection:
            connection.execute(
                sa.text("INSERT INTO areas (code, level, name, geometry) VALUES ('37', 'x', :name, NULL)"),
                {"name": f"{PERSONAL[4]} {PERSONAL[0]}"},
            )
        return ""

    for endpoint in ("provoked", "quoted"):
        monkeypatch.setitem(policies.POLICIES, endpoint, policies.OPEN)
    yield Reading(app, app.response_class), stream
    logging.raiseExceptions = True
    for old in list(root.handlers):
        root.removeHandler(old)
    for one in before:
        root.addHandler(one)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


class Reading(FlaskClient):
    """Reads every answer to its end, as servers send it: only then is it told."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        return super().open(*args, buffered=True, **kwargs)


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"someone:{password}".encode()).decode()


def test_secrets_never_stand_in_the_log(written: tuple[FlaskClient, io.StringIO]) -> None:
    client, stream = written
    for name, secret in SECRETS.items():
        own = (
            secret if name in ("editor", "open311", "token") else "mine"
        )  # what is known as a secret is taken out there too
        for authorization in (f"Bearer {secret}", basic(secret), secret, f"bearer  {secret}"):
            headers = {"Authorization": authorization, "X-Request-Id": own}
            client.get("/api/v1/plans", headers=headers)
            client.post("/api/v1/plans", json={"password": secret, "api_key": secret}, headers=headers)
        client.set_cookie("gisgrid_session", secret)
        client.get(f"/api/v1/me?api_key={secret}")
        client.get(f"/{secret}")
        client.get(f"/open311/v2/requests.json?api_key={secret}")
        form = {
            "api_key": secret, "service_code": "nothing", "description": f"{PERSONAL[4]} {PERSONAL[0]}",
            "lat": PERSONAL[3], "long": PERSONAL[2], "phone": PERSONAL[0], "address_string": PERSONAL[1],
        }  # fmt: skip
        client.post("/open311/v2/requests.json", data=form)
        assert client.get(f"/provoked/{secret}").status_code == 500
    assert client.get("/quoted").status_code == 500
    client.get(f"/api/v1/locate?lon={PERSONAL[2]}&lat={PERSONAL[3]}")
    client.get(f"/api/v1/locate?address={PERSONAL[1]}")
    client.get(f"/api/v1/{PERSONAL[0]}", headers={"User-Agent": PERSONAL[4]})
    said = stream.getvalue()
    lines = [json.loads(line) for line in said.splitlines()]
    assert sum(line["log"] == "gisgrid.access" for line in lines) > 60
    assert sum("traceback" in line for line in lines) >= len(SECRETS) + 1
    for name, secret in SECRETS.items():
        assert secret not in said, name
        assert basic(secret).split()[1] not in said, name
    for text in PERSONAL:
        assert text not in said
    print(f"{len(lines)} lines, {len(SECRETS)} secrets, none of them in")


def test_a_line_tells_what_operators_need(written: tuple[FlaskClient, io.StringIO]) -> None:
    client, stream = written
    answer = client.get("/api/v1/grids?limit=1&bbox=1,2,3,4", headers={"X-Request-Id": "desk-7.1"})
    assert answer.headers["X-Request-Id"] == "desk-7.1"
    line = json.loads(stream.getvalue().splitlines()[-1])
    assert {"method": "GET", "route": "/api/v1/grids", "status": 200, "request_id": "desk-7.1"}.items() <= line.items()
    assert line["bytes"] == len(answer.data)
    assert "bbox" not in stream.getvalue()
    bad = client.get("/api/v1/grids?limit=x", headers={"X-Request-Id": "not allowed\t"})
    assert bad.headers["X-Request-Id"] != "not allowed\t"
    assert json.loads(stream.getvalue().splitlines()[-1])["request_id"] == bad.headers["X-Request-Id"]


def test_the_database_quotes_no_values(planned: Planned) -> None:
    engine = db.make_engine(str(planned.settings.database_url))
    try:
        with pytest.raises(sa.exc.DBAPIError) as caught, engine.connect() as connection:
            connection.execute(sa.text("SELECT CAST(:value AS int)"), {"value": "x"})
        assert "parameters hidden" in str(caught.value)
    finally:
        engine.dispose()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("postgresql+psycopg://u:p@ss/w@rd@host:5/db is away", "postgresql+psycopg://***@host:5/db is away"),
        ("GET https://hook.example/T000/secret?x=1 failed", "GET https://hook.example/… failed"),
        ("authorization: Basic dXNlcjpwYXNz", "authorization: ***"),
        ("{'Authorization': 'Bearer abc.def'}", "{'Authorization': '***'}"),
        ("new_password=hunter2&x=1", "new_password=***&x=1"),
        ("Set-Cookie: gisgrid_session=abc; Path=/", "Set-Cookie: ***; Path=/"),
        ("DETAIL:  Key (login)=(li) already exists.", "DETAIL: ***"),
        ("generation 7 is in force; 12 grids", "generation 7 is in force; 12 grids"),
    ],
)
def test_what_is_taken_out(text: str, kept: str) -> None:
    assert Redactor().clean(text) == kept
