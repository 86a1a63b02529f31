"""The rate limit: buckets fill and empty as the clock goes, nobody gets another's, and it costs next to nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.client_address import client_of
from api.rate import PRINCIPAL, RateLimit
from gisgrid.errors import BadInput
from gisgrid.limits import RATE_HOLDERS_MAX
from gisgrid.settings_sign_in import networks_from

PROXIES = networks_from({"P": "10.0.0.1,2001:db8:1::/48"}, "P")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ.get("HTTP_AUTHORIZATION") == "Bearer right":
        environ[PRINCIPAL] = "token:1"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"yes"]


def ask(limit: RateLimit, peer: str = "192.0.2.1", **more: str) -> tuple[int, dict[str, str]]:
    told: list[Any] = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "REMOTE_ADDR": peer, **more}
    list(limit(environ, lambda status, headers, *_: told.extend((status, dict(headers)))))  # type: ignore[arg-type, misc]
    return int(told[0][:3]), told[1]


def test_a_burst_then_the_rate_then_429() -> None:
    clock = Clock()
    limit = RateLimit(app, 2.0, clock=clock)  # type: ignore[arg-type]
    answers = [ask(limit) for _ in range(11)]
    assert [status for status, _ in answers] == [200] * 10 + [429]
    assert answers[0][1]["RateLimit-Policy"] == '"default";q=10;w=5'
    assert answers[0][1]["RateLimit"] == '"default";r=9;t=1'
    assert answers[9][1]["RateLimit"] == '"default";r=0;t=5'
    assert (answers[10][1]["Retry-After"], answers[10][1]["Content-Type"]) == ("1", "application/json")
    assert ask(limit, "192.0.2.2")[0] == 200  # another address
    clock.now = 0.5
    assert [ask(limit)[0] for _ in range(2)] == [200, 429]
    clock.now = 100.0
    assert [ask(limit)[0] for _ in range(11)] == [200] * 10 + [429]  # no more than a burst is saved up


@given(st.lists(st.floats(0, 3), min_size=1, max_size=200), st.sampled_from([0.5, 1.0, 7.0]))
def test_never_more_than_burst_and_rate(pauses: list[float], rate: float) -> None:
    clock = Clock()
    limit, let_in = RateLimit(app, rate, clock=clock), 0  # type: ignore[arg-type]
    for pause in pauses:
        clock.now += pause
        let_in += ask(limit)[0] == 200
    assert let_in <= max(1.0, rate * 5) + rate * sum(pauses) + 1e-6


def test_who_counts_as_one() -> None:
    limit = RateLimit(app, 1.0, PROXIES, clock=Clock())  # type: ignore[arg-type]

    def until_refused(peers: Iterable[dict[str, str]]) -> int:
        return next(number for number, one in enumerate(peers) if ask(limit, **one)[0] == 429)

    assert until_refused({"peer": f"2001:db8:2:3::{n:x}"} for n in range(1, 99)) == 5  # one network of 64 bits
    # made-up credentials do not make anybody somebody else
    assert until_refused({"peer": "192.0.2.9", "HTTP_AUTHORIZATION": f"Bearer {n}"} for n in range(99)) == 5
    # nor do addresses one writes oneself, before a proxy's or without one
    forwarded = [{"peer": "10.0.0.1", "HTTP_X_FORWARDED_FOR": f"198.51.100.{n}, 192.0.2.50"} for n in range(99)]
    assert until_refused(forwarded) == 5
    alone = [{"peer": "192.0.2.77", "HTTP_X_FORWARDED_FOR": f"198.51.100.{n}"} for n in range(99)]
    assert until_refused(alone) == 5
    # who was let in counts under the principal, wherever they are
    wander = [{"peer": f"192.0.2.{n}", "HTTP_AUTHORIZATION": "Bearer right"} for n in range(100, 199)]
    assert until_refused(wander) == 6  # the first counted under its address


def test_this_machine_is_not_counted_unless_it_forwards() -> None:
    limit = RateLimit(app, 1.0, clock=Clock())  # type: ignore[arg-type]
    assert {ask(limit, "127.0.0.1")[0] for _ in range(50)} == {200}
    assert "RateLimit" not in ask(limit, "::1")[1]
    assert 429 in {ask(limit, "127.0.0.1", HTTP_X_FORWARDED_FOR="192.0.2.1")[0] for _ in range(50)}
    off = RateLimit(app, 0.0, clock=Clock())  # type: ignore[arg-type]
    assert {ask(off)[0] for _ in range(5000)} == {200}


def test_what_is_remembered_is_bounded() -> None:
    limit = RateLimit(app, 1.0, clock=Clock())  # type: ignore[arg-type]
    for number in range(RATE_HOLDERS_MAX + 100):
        ask(limit, f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}")
    assert len(limit._left) == RATE_HOLDERS_MAX


def test_a_request_costs_microseconds() -> None:
    limit = RateLimit(app, 1e6)  # type: ignore[arg-type]
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "REMOTE_ADDR": "192.0.2.1"}

    def typical(called: Any) -> float:
        times = []
        for _ in range(20):
            begun = time.perf_counter()
            for _ in range(500):
                called(environ, lambda *_: None)
            times.append((time.perf_counter() - begun) / 500)
        return min(times)

    cost = typical(limit) - typical(app)
    print(f"{cost * 1e6:.2f} µs a request")
    assert cost < 50e-6


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "6.6.6.6, 192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.1, 10.0.0.1", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.1:5023", "192.0.2.1"),
        ("10.0.0.1", '"[2001:db8::7]:80"', "2001:db8::7"),
        ("::ffff:10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("2001:db8:1::5", "192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1, unknown", "10.0.0.1"),
        ("10.0.0.2", "192.0.2.1", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("", "192.0.2.1", ""),
    ],
)
def test_the_client_behind_proxies(peer: str, forwarded: str, client: str) -> None:
    assert client_of(peer, forwarded, PROXIES) == client


def test_proxies_that_are_none_are_refused() -> None:
    with pytest.raises(BadInput, match=r"GISGRID_PROXIES.*proxy\.example"):
        networks_from({"GISGRID_PROXIES": "10.0.0.1,proxy.example"}, "GISGRID_PROXIES")
