"""Signing in: cookies, fixation, forged requests, guessing, what is stored of secrets, who may give which rights."""

from __future__ import annotations

import re
import statistics
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.app import create_app
from data import embedded, people, sign_in_failures, system_tokens
from data import tables as t
from data.accounts import revoke_token
from gisgrid.access import Grant
from gisgrid.errors import Conflict
from gisgrid.limits import SIGN_IN_FREE, SIGN_IN_FREE_ADDRESS
from gisgrid.settings import Settings
from gisgrid.settings_sign_in import networks_from

pytestmark = pytest.mark.postgis
PASSWORD, OTHER = "correct horse battery", "staple 订书钉 staple"
STREET, NEXT = "370811001", "370811002"
Opened = Callable[..., FlaskClient]


@pytest.fixture
def opened(settings: Settings, engine: sa.Engine) -> Opened:
    """A browser on the service; ``changes`` of its settings."""

    def made(**changes: object) -> FlaskClient:
        return create_app(replace(settings, **changes), engine).test_client()  # type: ignore[arg-type]

    return made


@pytest.fixture
def staff(engine: sa.Engine) -> dict[str, int]:
    """An administrator of everything, one of a street, a planner of the next street."""
    rights = {"chief": Grant("admin"), "street": Grant("admin", STREET), "planner": Grant("planner", NEXT)}
    with engine.begin() as connection:
        return {
            login: people.add(connection, login, password=PASSWORD, grants=[grant]) for login, grant in rights.items()
        }


def sign_in(browser: FlaskClient, login: str, password: str = PASSWORD, **more: object) -> TestResponse:
    return browser.post("/api/v1/session", json={"login": login, "password": password}, **more)  # type: ignore[arg-type]


def entered(browser: FlaskClient, login: str) -> dict[str, str]:
    """Sign in; the headers a page of the service sends with changes."""
    answer = sign_in(browser, login)
    assert answer.status_code == 201, answer.get_json()
    return {"X-CSRF-Token": answer.get_json()["csrf"]}


def flags(answer: TestResponse) -> tuple[str, set[str]]:
    """Value and attributes of the session cookie of an answer."""
    (line,) = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith("gisgrid_session=")]
    first, *rest = line.split("; ")
    return first.partition("=")[2], {one.split("=")[0] if one.startswith("Expires") else one for one in rest}


def refused_soon(browser: FlaskClient, path: str = "/api/v1/users") -> None:
    """What a process remembers of whom it let in is forgotten within three seconds."""
    begun = time.monotonic()
    while browser.get(path).status_code != 401:
        assert time.monotonic() - begun < 3
        time.sleep(0.05)


# --- cookies ---


def test_the_cookie_is_closed_to_scripts_and_other_sites(opened: Opened, staff: dict[str, int]) -> None:
    answer = sign_in(opened(), "chief")
    secret, told = flags(answer)
    assert len(secret) == 43
    assert told == {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200", "Expires"}
    assert answer.headers["Cache-Control"] == "no-store"
    _, told = flags(sign_in(opened(session_hours=1.0), "chief", base_url="https://grids.example"))
    assert {"Secure", "Max-Age=3600"} <= told
    assert "Secure" in flags(sign_in(opened(secure_cookies=True), "chief"))[1]


def test_only_the_operators_proxies_say_how_a_request_came(opened: Opened, staff: dict[str, int]) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/grids", "X-Forwarded-For": "203.0.113.7"}
    assert not {"Secure", "Path=/grids/"} & flags(sign_in(opened(), "chief", headers=headers))[1]
    proxies = networks_from({"P": "127.0.0.0/8"}, "P")
    assert {"Secure", "Path=/grids/"} <= flags(sign_in(opened(proxies=proxies), "chief", headers=headers))[1]
    odd = headers | {"X-Forwarded-Prefix": "/x; Domain=example"}
    assert "Path=/" in flags(sign_in(opened(proxies=proxies), "chief", headers=odd))[1]


def test_a_cookie_made_up_before_is_never_the_session(opened: Opened, staff: dict[str, int], engine: sa.Engine) -> None:
    browser = opened()
    browser.set_cookie("gisgrid_session", "planted-by-somebody-else")
    first, _ = flags(sign_in(browser, "chief"))
    assert first != "planted-by-somebody-else"
    second, _ = flags(sign_in(browser, "chief"))  # signing in again: another one, and the one before ends
    assert second != first
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(t.sessions)) == 1


def test_signing_out_ends_the_session_itself(opened: Opened, staff: dict[str, int]) -> None:
    browser, thief = opened(), opened()
    headers = entered(browser, "chief")
    cookie = browser.get_cookie("gisgrid_session")
    assert cookie is not None
    thief.set_cookie("gisgrid_session", cookie.value)
    assert thief.get("/api/v1/users").status_code == 200
    assert browser.delete("/api/v1/session", headers=headers).status_code == 204
    assert browser.get_cookie("gisgrid_session") is None
    refused_soon(thief)
    told = thief.get("/api/v1/session")
    assert told.get_json()["signed_in"] is False
    assert thief.get_cookie("gisgrid_session") is None  # it is no use any more


def test_a_session_ends_by_itself(opened: Opened, staff: dict[str, int], engine: sa.Engine) -> None:
    browser = opened()
    entered(browser, "chief")
    with engine.begin() as connection:
        connection.execute(sa.update(t.sessions).values(expires_at=sa.func.now()))
    assert browser.get("/api/v1/users").status_code == 401


def test_a_new_password_ends_all_other_sessions(opened: Opened, staff: dict[str, int]) -> None:
    here, elsewhere = opened(), opened()
    headers = entered(here, "planner")
    entered(elsewhere, "planner")
    body = {"old": PASSWORD, "new": OTHER}
    assert here.put("/api/v1/session/password", json=body).status_code == 403  # no token
    answer = here.put("/api/v1/session/password", json=body, headers=headers)
    assert answer.status_code == 200
    assert answer.get_json()["csrf"] != headers["X-CSRF-Token"]
    assert here.get("/api/v1/session").get_json()["signed_in"] is True
    assert elsewhere.get("/api/v1/session").get_json()["signed_in"] is False
    assert sign_in(opened(), "planner").status_code == 401
    assert sign_in(opened(), "planner", OTHER).status_code == 201
    again = {"X-CSRF-Token": answer.get_json()["csrf"]}
    wrong = here.put("/api/v1/session/password", json={"old": PASSWORD, "new": "another one yet"}, headers=again)
    assert (wrong.status_code, wrong.get_json()["error"]["code"]) == (403, "wrong_password")
    short = here.put("/api/v1/session/password", json={"old": OTHER, "new": "short"}, headers=again)
    assert short.status_code == 400


def test_more_sessions_than_anybody_needs_are_not_kept(
    opened: Opened, staff: dict[str, int], engine: sa.Engine
) -> None:
    from data.accounts import open_session
    from gisgrid.limits import SESSIONS_MAX

    with engine.begin() as connection:
        for _ in range(SESSIONS_MAX + 5):
            open_session(connection, staff["chief"], lasts=sa.func.make_interval(0, 0, 0, 0, 1))  # type: ignore[arg-type]
        assert connection.scalar(sa.select(sa.func.count()).select_from(t.sessions)) == SESSIONS_MAX


# --- forged requests ---


def test_changes_by_cookie_need_the_sessions_token(opened: Opened, staff: dict[str, int]) -> None:
    browser, other = opened(), opened()
    headers = entered(browser, "chief")
    theirs = entered(other, "chief")
    body = {"name": "desk", "grants": [{"role": "reporter"}]}
    for wrong in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "x"}, theirs):
        answer = browser.post("/api/v1/tokens", json=body, headers=wrong)
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "csrf")
    assert browser.get("/api/v1/tokens").get_json()["tokens"] == []
    made = browser.post("/api/v1/tokens", json=body, headers=headers)
    assert made.status_code == 201
    # a token is no cookie: nothing sends it by itself
    with_token = opened().delete("/api/v1/session", headers={"Authorization": f"Bearer {made.get_json()['secret']}"})
    assert with_token.status_code == 204


def test_other_sites_cannot_sign_a_reader_in(opened: Opened, staff: dict[str, int]) -> None:
    for site in ("cross-site", "same-site"):
        assert sign_in(opened(), "chief", headers={"Sec-Fetch-Site": site}).status_code == 403
    form = opened().post("/api/v1/session", data={"login": "chief", "password": PASSWORD})
    assert form.status_code == 400  # what a form of another page can send is not JSON
    text = f'{{"login": "chief", "password": "{PASSWORD}"}}'
    assert opened().post("/api/v1/session", data=text, content_type="text/plain").status_code == 400


# --- guessing ---


def later(engine: sa.Engine, seconds: float) -> None:
    """As if so much time had passed."""
    with engine.begin() as connection:
        connection.execute(
            sa.update(t.sign_in_failures).values(
                at=t.sign_in_failures.c.at - sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)
            )
        )


def test_guessing_waits_longer_and_longer(opened: Opened, staff: dict[str, int], engine: sa.Engine) -> None:
    browsers = [opened(), opened()]  # two processes: what they know of guesses is in the database
    for number in range(SIGN_IN_FREE):
        assert sign_in(browsers[number % 2], "chief", "wrong password").status_code == 401
    for wait in (1, 2, 4, 8, 16):
        refused = sign_in(browsers[0], "chief")  # right, and still refused
        assert refused.status_code == 429
        assert refused.get_json()["error"]["code"] == "too_many_tries"
        assert refused.headers["Retry-After"] == str(wait)
        later(engine, wait)
        assert sign_in(browsers[1], "CHIEF", "wrong password").status_code == 401
    assert sign_in(browsers[0], "planner").status_code == 201  # others are not kept waiting
    later(engine, 900)
    assert sign_in(browsers[0], "chief").status_code == 201
    for _ in range(SIGN_IN_FREE):  # the right password wiped the slate clean
        assert sign_in(browsers[0], "chief", "wrong password").status_code == 401


def test_waiting_has_an_end() -> None:
    waits = [sign_in_failures.wait_after(count, 5) for count in range(100)]
    assert waits[:10] == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16]
    assert waits == sorted(waits)
    assert waits[-1] == 900


def test_an_address_that_tries_many_logins_waits_too(opened: Opened, staff: dict[str, int], engine: sa.Engine) -> None:
    proxies = networks_from({"P": "127.0.0.1"}, "P")
    browser = opened(proxies=proxies)
    for number in range(SIGN_IN_FREE_ADDRESS):
        # what the client writes before the proxy's own entry changes nothing
        headers = {"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.7"}
        assert sign_in(browser, f"nobody{number}", "wrong password", headers=headers).status_code == 401
    refused = sign_in(browser, "chief", headers={"X-Forwarded-For": "203.0.113.7"})
    assert refused.status_code == 429
    assert sign_in(browser, "chief", headers={"X-Forwarded-For": "203.0.113.8"}).status_code == 201
    later(engine, 1)
    assert sign_in(browser, "chief", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 201
    # an account of one's own is no way to go on guessing at others
    assert sign_in(browser, "planner", "wrong", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 401
    assert sign_in(browser, "planner", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 429
    with engine.connect() as connection:
        kept = connection.execute(sa.select(t.sign_in_failures.c.about)).scalars().all()
    assert all(len(bytes(one)) == 32 for one in kept)  # hashes: neither logins nor addresses


def test_many_guesses_at_once_are_counted(staff: dict[str, int], engine: sa.Engine) -> None:
    def guess(_: int) -> int:
        with engine.begin() as connection:
            return sign_in_failures.begin(connection, "chief", "203.0.113.7").wait

    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(guess, range(32)))
    assert sum(wait == 0 for wait in waits) == SIGN_IN_FREE


@pytest.mark.usefixtures("slow_passwords")
def test_logins_cannot_be_found_out(opened: Opened, staff: dict[str, int], engine: sa.Engine) -> None:
    browser = opened()
    with engine.begin() as connection:
        people.change(connection, staff["planner"], disabled=True)
        people.add(connection, "without")  # no password
    kinds = {"exists": "chief", "unknown": "zhangsan", "disabled": "planner", "without": "without"}
    answers, times = {}, {kind: [] for kind in kinds}  # type: ignore[var-annotated]
    for _ in range(3):
        for kind, login in kinds.items():
            with engine.begin() as connection:
                connection.execute(sa.delete(t.sign_in_failures))
            begun = time.perf_counter()
            answers[kind] = sign_in(browser, login, "a wrong password")
            times[kind].append(time.perf_counter() - begun)
    assert len({(one.status_code, one.get_data()) for one in answers.values()}) == 1
    told = {tuple(sorted((*pair,) for pair in one.headers if pair[0] != "X-Request-Id")) for one in answers.values()}
    assert len(told) == 1
    typical = {kind: min(one) for kind, one in times.items()}
    print({kind: f"{seconds * 1000:.0f} ms" for kind, seconds in typical.items()})
    middle = statistics.median(typical.values())
    assert all(0.5 * middle < seconds < 2 * middle for seconds in typical.values()), typical
    assert middle > 0.01  # none skips the hash


# --- tokens ---


def test_a_token_ends_everywhere_at_once(settings: Settings, engine: sa.Engine, staff: dict[str, int]) -> None:
    from data.db import make_engine

    with engine.begin() as connection:
        token = system_tokens.add(connection, "desk", grants=[Grant("admin")], days=1)
        over = system_tokens.add(connection, "old", grants=[Grant("admin")], days=1)
        connection.execute(sa.update(t.tokens).where(t.tokens.c.id == over.id).values(expires_at=sa.func.now()))
    other = make_engine(str(settings.database_url))
    try:
        services = [create_app(settings, one).test_client() for one in (engine, other)]  # as two processes have them

        def asked(secret: str) -> list[int]:
            return [
                one.get("/api/v1/tokens", headers={"Authorization": f"Bearer {secret}"}).status_code for one in services
            ]

        assert asked(token.secret) == [200, 200]
        assert asked(over.secret) == [401, 401]
        with engine.connect() as connection:
            used = system_tokens.token(connection, token.id)["used_at"]
        assert used is not None
        assert asked(token.secret) == [200, 200]
        with engine.begin() as connection:
            assert system_tokens.token(connection, token.id)["used_at"] == used  # once a minute is enough
            revoke_token(connection, token.id)
        begun = time.monotonic()
        while asked(token.secret) != [401, 401]:
            assert time.monotonic() - begun < 3
        print(f"revoked in both after {time.monotonic() - begun:.2f} s")
    finally:
        other.dispose()


def test_no_secret_is_stored_as_it_is(
    opened: Opened, staff: dict[str, int], settings: Settings, cluster: embedded.Cluster
) -> None:
    browser = opened()
    headers = entered(browser, "chief")
    made = browser.post("/api/v1/tokens", json={"name": "desk", "grants": [{"role": "viewer"}]}, headers=headers)
    cookie = browser.get_cookie("gisgrid_session")
    assert cookie is not None
    sign_in(browser, "nobody-of-that-name", "a wrong password 1234")
    dump = embedded._binaries(cluster) / "pg_dump"
    name = sa.make_url(str(settings.database_url)).database
    text = subprocess.run(
        [dump, "-h", str(cluster.socket), "-U", embedded.ROLE, str(name)], capture_output=True, check=True
    ).stdout
    assert made.get_json()["hint"].encode() in text  # the dump has the rows
    secrets = [PASSWORD, made.get_json()["secret"], cookie.value, headers["X-CSRF-Token"], "nobody-of-that-name"]
    for secret in (*secrets, made.get_json()["secret"].removeprefix("ggt_"), "a wrong password 1234"):
        assert secret.encode() not in text
        assert secret.encode().hex().encode() not in text
    assert re.findall(rb"\$argon2id\$", text)


# --- who gives which rights ---


def test_an_administrator_of_a_street_gives_rights_there_only(opened: Opened, staff: dict[str, int]) -> None:
    browser = opened()
    headers = entered(browser, "street")

    def add(login: str, *grants: dict[str, str]) -> int:
        body = {"login": login, "password": PASSWORD, "grants": list(grants)}
        return browser.post("/api/v1/users", json=body, headers=headers).status_code

    def change(user: int, **body: object) -> int:
        return browser.patch(f"/api/v1/users/{user}", json=body, headers=headers).status_code

    assert add("inside", {"role": "planner", "area": STREET + "003"}) == 201
    assert add("also", {"role": "admin", "area": STREET}) == 201
    assert add("next", {"role": "planner", "area": NEXT}) == 403
    assert add("above", {"role": "viewer", "area": STREET[:6]}) == 403
    assert add("all", {"role": "viewer"}) == 403
    seen = {row["login"]: row for row in browser.get("/api/v1/users").get_json()["users"]}
    assert set(seen) == {"street", "inside", "also"}
    for path in (f"/api/v1/users/{staff['planner']}", f"/api/v1/users/{staff['chief']}"):
        assert browser.patch(path, json={"password": OTHER}, headers=headers).status_code == 404
        assert browser.delete(path, headers=headers).status_code == 404
    inside = seen["inside"]["id"]
    assert change(inside, grants=[{"role": "admin", "area": ""}]) == 403
    assert change(inside, grants=[{"role": "dispatcher", "area": STREET}]) == 200
    assert change(staff["street"], grants=[{"role": "admin", "area": ""}]) == 403


def test_rights_beyond_ones_areas_are_not_touched(opened: Opened, staff: dict[str, int], engine: sa.Engine) -> None:
    with engine.begin() as connection:
        both = people.add(
            connection, "both", password=PASSWORD, grants=[Grant("planner", STREET), Grant("planner", NEXT)]
        )
        token = system_tokens.add(
            connection, "two streets", grants=[Grant("viewer", STREET), Grant("viewer", NEXT)], days=1
        )
    browser = opened()
    headers = entered(browser, "street")
    row = next(one for one in browser.get("/api/v1/users").get_json()["users"] if one["id"] == both)
    assert (row["managed"], row["grants"]) == (False, [{"role": "planner", "area": STREET}])
    # whoever could change the password would have the next street's rights
    for body in ({"password": OTHER}, {"disabled": True}, {"name": "x"}):
        assert browser.patch(f"/api/v1/users/{both}", json=body, headers=headers).status_code == 403
    assert browser.delete(f"/api/v1/users/{both}", headers=headers).status_code == 403
    assert browser.delete(f"/api/v1/tokens/{token.id}", headers=headers).status_code == 403
    assert browser.patch(f"/api/v1/users/{both}", json={"grants": []}, headers=headers).status_code == 200
    with engine.connect() as connection:
        assert people.person(connection, both)["grants"] == (Grant("planner", NEXT),)


def test_those_who_are_no_administrators_see_nobody(opened: Opened, staff: dict[str, int]) -> None:
    browser = opened()
    headers = entered(browser, "planner")
    for path in ("/api/v1/users", "/api/v1/tokens"):
        assert browser.get(path).status_code == 403
        assert browser.post(path, json={}, headers=headers).status_code in (400, 403)
        assert opened().get(path).status_code == 401
    body = {"login": "x1", "password": PASSWORD}
    assert browser.post("/api/v1/users", json=body, headers=headers).status_code == 403
    assert browser.delete(f"/api/v1/users/{staff['chief']}", headers=headers).status_code == 403


def test_the_last_administrator_stays(opened: Opened, staff: dict[str, int], engine: sa.Engine) -> None:
    browser = opened()
    headers = entered(browser, "chief")
    path = f"/api/v1/users/{staff['chief']}"
    for answer in (
        browser.delete(path, headers=headers),
        browser.patch(path, json={"disabled": True}, headers=headers),
        browser.patch(path, json={"grants": [{"role": "planner"}]}, headers=headers),
    ):
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "last_administrator")
    with engine.begin() as connection:  # two at once: one of them stays
        second = people.add(connection, "second", password=PASSWORD, grants=[Grant("admin")])

    def remove(user: int) -> bool:
        with engine.begin() as connection, suppress(Conflict):
            people.remove(connection, user)
            return True
        return False

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(remove, (staff["chief"], second))) == [False, True]


def test_disabled_means_out_at_once(opened: Opened, staff: dict[str, int]) -> None:
    browser, planner = opened(), opened()
    headers = entered(browser, "chief")
    entered(planner, "planner")
    path = f"/api/v1/users/{staff['planner']}"
    assert browser.patch(path, json={"disabled": True}, headers=headers).status_code == 200
    assert planner.get("/api/v1/session").get_json()["signed_in"] is False
    assert sign_in(opened(), "planner").status_code == 401
    assert browser.patch(path, json={"disabled": False}, headers=headers).status_code == 200
    assert sign_in(opened(), "planner").status_code == 201


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("users", {"login": "Big Boss", "password": PASSWORD}, "login"),
        ("users", {"login": "x1", "password": "short"}, "password"),
        ("users", {"login": "x1", "password": PASSWORD, "grants": [{"role": "king"}]}, "king"),
        ("users", {"login": "x1", "password": PASSWORD, "grants": [{"role": "viewer", "area": "37"}]}, "37"),
        ("users", {"login": "x1", "password": PASSWORD, "admin": True}, "admin"),
        ("users", {"login": "x1\x00", "password": PASSWORD}, "NUL"),
        ("tokens", {"name": "desk", "grants": []}, "grants"),
        ("tokens", {"name": " ", "grants": [{"role": "viewer"}]}, "name"),
        ("tokens", {"name": "desk", "grants": [{"role": "viewer"}], "days": 0}, "days"),
        ("tokens", {"name": "desk", "grants": [{"role": "viewer"}], "days": 30, "never": True}, "never"),
    ],
)
def test_what_cannot_be_used_is_named(
    opened: Opened, staff: dict[str, int], engine: sa.Engine, path: str, body: dict[str, object], word: str
) -> None:
    browser = opened()
    answer = browser.post(f"/api/v1/{path}", json=body, headers=entered(browser, "chief"))
    assert answer.status_code == 400
    assert word in answer.get_json()["error"]["message"]
    with engine.connect() as connection:
        assert len(people.listing(connection)) == len(staff)
        assert system_tokens.listing(connection) == []
