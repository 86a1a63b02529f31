"""Sign-in by an identity provider: what it vouches for is believed when everything fits, and nothing else is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.app import create_app
from data import people
from gisgrid.settings import Settings
from gisgrid.settings_sign_in import provider_from
from tests.identity_provider import CLIENT, SECRET, IdentityProvider, identity_provider

pytestmark = pytest.mark.postgis
ROLES = "groups//grid-office=planner:370811001,realm_access.roles/it=admin"


@pytest.fixture(scope="module")
def shared_provider() -> Iterator[IdentityProvider]:
    with identity_provider() as made:
        yield made


@pytest.fixture
def provider(shared_provider: IdentityProvider) -> IdentityProvider:
    """A provider that tells the truth."""
    shared_provider.person = {"sub": "u-1", "preferred_username": "Wang.Gong", "name": "网格办一号"}
    shared_provider.lie, shared_provider.sign = (lambda claims: claims), shared_provider.signed
    return shared_provider


@pytest.fixture
def settled(settings: Settings, provider: IdentityProvider) -> Settings:
    env = {
        "GISGRID_OIDC_ISSUER": provider.issuer, "GISGRID_OIDC_CLIENT_ID": CLIENT, "GISGRID_OIDC_CLIENT_SECRET": SECRET,
        "GISGRID_OIDC_ROLES": ROLES,
    }  # fmt: skip
    return replace(settings, **provider_from(env))


@pytest.fixture
def browser(settled: Settings, engine: sa.Engine) -> FlaskClient:
    return create_app(settled, engine).test_client()


def way_there(browser: FlaskClient, page: str = "plans") -> str:
    """The address the provider sends the browser back to."""
    there = browser.get(f"/api/v1/session/provider?next={page}")
    assert there.status_code == 302
    answer = requests.get(there.headers["Location"], allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def come_back(browser: FlaskClient, address: str, **headers: str) -> TestResponse:
    url = urlsplit(address)
    return browser.get(f"{url.path}?{url.query}", headers=headers)


def signed_in(browser: FlaskClient) -> dict[str, Any]:
    return dict(browser.get("/api/v1/session").get_json())


def test_first_sign_in_makes_the_person_and_gives_claimed_roles(
    browser: FlaskClient, provider: IdentityProvider, engine: sa.Engine
) -> None:
    provider.person |= {"groups": ["/other", "/grid-office"]}
    answer = come_back(browser, way_there(browser, "plans?new"))
    assert (answer.status_code, answer.headers["Location"]) == (303, "http://localhost/plans?new")
    cookies = answer.headers.getlist("Set-Cookie")
    assert any(one.startswith("gisgrid_sign_in=;") for one in cookies)
    who = signed_in(browser)
    assert (who["kind"], who["name"], who["password"]) == ("person", "网格办一号", False)
    assert who["grants"] == [{"role": "planner", "area": "370811001"}]
    provider.person |= {"groups": [], "realm_access": {"roles": ["it"]}, "name": "网格办二号"}
    come_back(browser, way_there(browser))
    again = signed_in(browser)
    assert (again["key"], again["name"]) == (who["key"], "网格办二号")
    assert again["grants"] == [{"role": "admin", "area": ""}]  # what the provider takes away is gone
    with engine.connect() as connection:
        assert [row["login"] for row in people.listing(connection)] == ["wang.gong"]


def test_an_account_here_is_never_taken_over(
    browser: FlaskClient, provider: IdentityProvider, engine: sa.Engine
) -> None:
    with engine.begin() as connection:
        own = people.add(connection, "wang.gong", password="correct horse battery")
    come_back(browser, way_there(browser))
    assert signed_in(browser)["key"] != f"user:{own}"
    provider.person |= {"sub": "u-2"}  # somebody else by the same name there
    come_back(browser, way_there(browser))
    with engine.connect() as connection:
        assert sorted(row["login"] for row in people.listing(connection)) == [
            "wang.gong", "wang.gong-2", "wang.gong-3"
        ]  # fmt: skip


def lies() -> list[tuple[str, Any]]:
    past = int(time.time()) - 3600
    return [
        ("wrong issuer", {"iss": "https://elsewhere.example"}),
        ("wrong audience", {"aud": "another-service"}),
        ("several audiences, no party", {"aud": [CLIENT, "another-service"]}),
        ("wrong party", {"azp": "another-service"}),
        ("expired", {"exp": past, "iat": past - 300}),
        ("issued in the future", {"iat": int(time.time()) + 3600}),
        ("wrong nonce", {"nonce": "of another sign-in"}),
        ("no subject", {"sub": ""}),
        ("subject is no text", {"sub": 7}),
        ("no expiry", {"exp": None}),
        ("no nonce", {"nonce": None}),
    ]


@pytest.mark.parametrize(("what", "lie"), lies(), ids=[what for what, _ in lies()])
def test_a_token_that_does_not_fit_is_refused(
    browser: FlaskClient, provider: IdentityProvider, engine: sa.Engine, what: str, lie: dict[str, Any]
) -> None:
    provider.lie = lambda claims: {name: value for name, value in (claims | lie).items() if value is not None}
    answer = come_back(browser, way_there(browser))
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "provider_refused")
    assert not signed_in(browser)["signed_in"]
    with engine.connect() as connection:
        assert people.listing(connection) == []


@pytest.mark.parametrize("how", ["by_another_key", "unsigned", "by_the_public_key"])
def test_a_signature_that_is_not_the_providers_is_refused(
    browser: FlaskClient, provider: IdentityProvider, how: str
) -> None:
    provider.sign = getattr(provider, how)
    assert come_back(browser, way_there(browser)).status_code == 403
    assert not signed_in(browser)["signed_in"]


def test_a_broken_token_is_refused(browser: FlaskClient, provider: IdentityProvider) -> None:
    for token in ("", "x", "a.b.c", "a" * 5000, "é.é.é"):
        provider.sign = lambda _claims, token=token: token  # type: ignore[misc]
        assert come_back(browser, way_there(browser)).status_code in (403, 503), token


def test_a_code_is_good_once_and_only_in_its_browser(
    browser: FlaskClient, settled: Settings, engine: sa.Engine, provider: IdentityProvider
) -> None:
    back = way_there(browser)
    stranger = create_app(settled, engine).test_client()
    assert come_back(stranger, back).status_code == 403  # begun elsewhere
    trip = browser.get_cookie("gisgrid_sign_in")
    assert trip is not None
    assert come_back(browser, back).status_code == 303
    assert come_back(browser, back).status_code == 403  # the browser's note of it is gone
    browser.set_cookie("gisgrid_sign_in", trip.value)
    assert come_back(browser, back).status_code == 403  # and the provider takes the code once
    assert provider.redeemed.count(parse_qs(urlsplit(back).query)["code"][0]) == 1
    mixed = way_there(browser).replace("code=", "code=x&old=")
    assert come_back(browser, mixed).status_code == 403
    wrong_state = way_there(browser).replace("state=", "state=x")
    assert come_back(browser, wrong_state).status_code == 403
    elsewhere = way_there(browser).replace("iss=", "iss=https%3A%2F%2Felsewhere.example&was=")
    assert come_back(browser, elsewhere).status_code == 403  # RFC 9207


def test_new_keys_are_fetched(
    browser: FlaskClient, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert come_back(browser, way_there(browser)).status_code == 303
    monkeypatch.setattr("api.sign_in.provider.ANEW_SECONDS", 0.0)
    provider.turn_keys()
    assert come_back(browser, way_there(browser)).status_code == 303


def test_a_browser_is_led_back_to_the_page_and_nowhere_else(browser: FlaskClient, provider: IdentityProvider) -> None:
    for page in ("//elsewhere.example", "https://elsewhere.example", "plans/../..", "\\\\x", "plans?a=//x%0d%0aX:1"):
        answer = browser.get("/api/v1/session/provider", query_string={"next": page})
        assert answer.status_code == 400, page
    provider.lie = lambda claims: claims | {"aud": "x"}
    answer = come_back(browser, way_there(browser), Accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert (answer.status_code, answer.headers["Location"]) == (303, "http://localhost/?sign-in=refused")


def test_disabled_here_is_disabled(browser: FlaskClient, provider: IdentityProvider, engine: sa.Engine) -> None:
    come_back(browser, way_there(browser))
    number = int(signed_in(browser)["key"].split(":")[1])
    with engine.begin() as connection:
        people.change(connection, number, disabled=True)
    assert not signed_in(browser)["signed_in"]
    assert come_back(browser, way_there(browser)).status_code == 403


def test_a_provider_that_is_down_is_said_to_be(settings: Settings, engine: sa.Engine) -> None:
    with identity_provider() as gone:
        env = {"GISGRID_OIDC_ISSUER": gone.issuer, "GISGRID_OIDC_CLIENT_ID": CLIENT}
    browser = create_app(replace(settings, **provider_from(env)), engine).test_client()
    answer = browser.get("/api/v1/session/provider")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (503, "provider_down")
    assert signed_in(browser)["provider"] == "/api/v1/session/provider"


def test_without_a_provider_there_is_none(settings: Settings, engine: sa.Engine) -> None:
    browser = create_app(settings, engine).test_client()
    assert browser.get("/api/v1/session/provider").status_code == 404
    assert browser.get("/api/v1/session/provider/callback?code=1&state=2").status_code == 404
