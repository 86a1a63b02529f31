"""The way into the application is narrow, and whoever waits too long hears so."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from werkzeug.test import Client

from api.gate import Gate


def test_few_at_once_the_rest_in_turn() -> None:
    lock, at_work, most = threading.Lock(), 0, 0

    def slow(environ: Any, start_response: Any) -> list[bytes]:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        threading.Event().wait(0.02)
        with lock:
            at_work -= 1
        start_response("200 OK", [])
        return [b"done"]

    gate = Gate(slow, at_once=3)
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(Client(gate).get("/").status_code)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 20
    assert most == 3


def test_who_waits_too_long_is_told_to_come_back_in_the_one_error_shape() -> None:
    inside, leave = threading.Event(), threading.Event()

    def stuck(environ: Any, start_response: Any) -> list[bytes]:
        inside.set()
        leave.wait(10)
        start_response("200 OK", [])
        return []

    gate = Gate(stuck, at_once=1, wait=0.05)
    first = threading.Thread(target=lambda: Client(gate).get("/"))
    first.start()
    inside.wait(10)
    answer = Client(gate).get("/")
    leave.set()
    first.join()
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert answer.json is not None
    assert answer.json["error"]["code"] == "busy"
    assert Client(gate).get("/").status_code == 200, "the place is free again"


def test_an_application_that_fails_leaves_its_place() -> None:
    def broken(environ: Any, start_response: Any) -> list[bytes]:
        raise RuntimeError("broken")

    gate = Gate(broken, at_once=1, wait=0.05)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="broken"):
            Client(gate).get("/")
