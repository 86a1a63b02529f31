"""A served district in processes of its own: what is sent at it, and what that costs it."""

from __future__ import annotations

import http.client
import itertools
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import argon2
import psycopg
import pytest

from data import accounts, embedded
from tests.conftest import Planned
from tests.processes import Command, command, unused_port

_numbers = itertools.count()


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: dict[str, str]
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """``gisgrid serve`` with one worker; ``worker`` is that process."""

    port: int
    process: Command
    home: Path
    database: str
    log: Path
    headers: dict[str, str] = field(default_factory=dict)

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, *, seconds: float = 60
    ) -> Answer:
        """One request on a connection of its own; a body cut off by the server's early answer is no failure."""
        begun = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, path, body=body, headers=self.headers | (headers or {}))
            try:
                found = connection.getresponse()
                return Answer(found.status, found.read(), dict(found.getheaders()), time.monotonic() - begun)
            except (http.client.HTTPException, ConnectionError):
                return Answer(0, b"", {}, time.monotonic() - begun)  # closed without a word
        finally:
            connection.close()

    def raw(self, data: bytes, *, seconds: float = 30) -> bytes:
        """Bytes as they are; what comes back until the server closes or says no more for a moment."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as way:
            with suppress(BrokenPipeError, ConnectionResetError):
                way.sendall(data)
            got = b""
            with suppress(TimeoutError, ConnectionResetError):
                while more := way.recv(65_536):
                    got += more
                    way.settimeout(0.3)
            return got

    @property
    def worker(self) -> int:
        """The process that answers: the child of the server that is neither a drawer nor a worker of jobs."""
        main = self.process.process.pid
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        for child in children:
            said = Path(f"/proc/{child}/cmdline").read_bytes()
            if (
                b"drawer" not in said
                and b"worker\0--" not in said
                and b"bounded" not in said
                and b"postgres" not in said
            ):
                return int(child)
        raise AssertionError(f"no worker among {children}")

    def memory(self, *, peak: bool = False) -> int:
        """Bytes the worker holds, or held at most since `forget_peak`."""
        return _memory(self.worker, "VmHWM" if peak else "VmRSS")

    def forget_peak(self) -> None:
        Path(f"/proc/{self.worker}/clear_refs").write_text("5")


def _memory(pid: int, what: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1]) * 1024


@contextmanager
def served(planned: Planned, cluster: embedded.Cluster, folder: Path, **env: str) -> Iterator[Server]:
    """A server on a copy of the planned district; it may be edited from this machine."""
    name = f"served_{next(_numbers)}"
    planned.engine.dispose()  # a template must have no connections
    admin = psycopg.connect(host=str(cluster.socket), user=embedded.ROLE, dbname="postgres", autocommit=True)
    admin.execute(f"CREATE DATABASE {name} TEMPLATE planned")  # type: ignore[arg-type]
    port, log = unused_port(), folder / "server.log"
    settings = {
        "GISGRID_HOME": str(planned.settings.home), "GISGRID_DATABASE_URL": cluster.url_of(name),
        "GISGRID_ANONYMOUS": "analyst,reporter", "GISGRID_OPEN_EDITING": "1", "GISGRID_DRAWERS": "1", **env,
    }  # fmt: skip
    arguments = ["-m", "api.cli", "serve", "--port", str(port), "--no-jobs"]
    try:
        with command(arguments, log, settings) as process:
            server = Server(port, process, planned.settings.home, settings["GISGRID_DATABASE_URL"], log)
            process.until(lambda: _ready(server))
            assert process.process.poll() is None, process.said
            yield server
            process.process.terminate()
            process.end()
    finally:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]
        admin.close()


def _ready(server: Server) -> bool:
    try:
        return server.ask("GET", "/readyz", seconds=5).status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def server(planned: Planned, cluster: embedded.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(planned, cluster, tmp_path_factory.mktemp("served")) as made:
        yield made


@pytest.fixture
def slow_passwords() -> None:
    """Passwords cost what they cost in earnest."""


@pytest.fixture(autouse=True)
def quick_passwords(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2id all the same, with a thousandth of the memory."""
    if "slow_passwords" in request.fixturenames:
        return
    quick = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(accounts, "_HASHER", quick)
    monkeypatch.setattr(accounts, "_NO_ONE", quick.hash("nobody has this password"))
