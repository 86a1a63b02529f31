"""A server told to stop: balancers hear of it at once, what it is answering it answers, and it ends in time."""

from __future__ import annotations

import http.client
import json
import signal
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from api.server import LEAVE_SECONDS
from tests.conftest import Planned
from tests.fault.conftest import until
from tests.processes import command, unused_port

pytestmark = pytest.mark.postgis
DRAIN = 2.0


def ask(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def answers(port: int, path: str, status: int) -> bool:
    try:
        return ask(port, path)[0] == status
    except OSError:
        return False


def test_what_is_being_answered_is_answered(planned_copy: Planned, tmp_path: Path) -> None:
    port = unused_port()
    env = {
        "GISGRID_HOME": str(tmp_path), "GISGRID_DATABASE_URL": str(planned_copy.settings.database_url),
        "GISGRID_DRAIN_SECONDS": str(DRAIN), "GISGRID_DRAWERS": "0", "GISGRID_ANONYMOUS": "analyst,reporter",
    }  # fmt: skip
    arguments = ["-m", "api.cli", "serve", "--port", str(port), "--no-jobs", "--workers", "2"]
    with command(arguments, tmp_path / "server.log", env) as server:
        until(lambda: answers(port, "/readyz", 200), 90, "the server")
        got: list[tuple[int, bytes]] = []
        with planned_copy.engine.connect() as holder, holder.begin():
            holder.exec_driver_sql("LOCK TABLE streets IN ACCESS EXCLUSIVE MODE")
            slow = threading.Thread(target=lambda: got.append(ask(port, "/api/v1/overview")))
            slow.start()
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'streets'::regclass"
            with planned_copy.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watch:
                until(lambda: watch.scalar(sa.text(waiting)), 30, "the slow request")
            told = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            until(lambda: answers(port, "/readyz", 503), DRAIN, "readyz")
            heard = time.monotonic() - told
            assert ask(port, "/healthz")[0] == 200, "while it drains it still answers"
            until(lambda: not answers(port, "/healthz", 200), 10, "the end of new requests")
            assert not got, "the slow request is held by our lock"
        slow.join(30)
        status, body = got[0]
        assert (status, json.loads(body)["counts"]["streets"] > 0) == (200, True)
        assert server.end(60) == 0
        took = time.monotonic() - told
    assert took < DRAIN + LEAVE_SECONDS + 10
    print(f"readyz said 503 after {heard:.2f} s, the server had ended after {took:.1f} s")


def test_a_request_without_end_does_not_hold_the_server(planned_copy: Planned, tmp_path: Path) -> None:
    """The lock is never let go of: the server ends all the same, in the time it is given."""
    port = unused_port()
    env = {
        "GISGRID_HOME": str(tmp_path), "GISGRID_DATABASE_URL": str(planned_copy.settings.database_url),
        "GISGRID_DRAIN_SECONDS": "0", "GISGRID_DRAWERS": "0", "GISGRID_ANONYMOUS": "analyst,reporter",
    }  # fmt: skip
    with command(["-m", "api.cli", "serve", "--port", str(port), "--no-jobs"], tmp_path / "server.log", env) as server:
        until(lambda: answers(port, "/readyz", 200), 90, "the server")
        with planned_copy.engine.connect() as holder, holder.begin():
            holder.exec_driver_sql("LOCK TABLE streets IN ACCESS EXCLUSIVE MODE")
            threading.Thread(target=lambda: answers(port, "/api/v1/overview", 200), daemon=True).start()
            time.sleep(0.5)
            told = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            server.end(LEAVE_SECONDS + 30)
            took = time.monotonic() - told
    print(f"ended after {took:.1f} s")
