"""A city of its own: a private PostgreSQL, real server processes and job workers, made to be killed."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from data import db, embedded
from gisgrid.settings import Settings
from tests.processes import ROOT, unused_port

KEY = "a-key-for-faults"
AUTHOR = "planner"
WORKERS = 2


@dataclass(frozen=True)
class Answer:
    """What came back; status 0: the connection broke."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class City:
    """Where everything lives; processes come and go."""

    home: Path
    cluster: embedded.Cluster
    engine: sa.Engine
    area: str
    port: int
    environment: dict[str, str]
    server: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home)

    # --- processes ---

    def serve(self, *more: str) -> None:
        """The real server, ready."""
        command = [sys.executable, "-m", "api.cli", "serve", "--port", str(self.port), "--workers", str(WORKERS), *more]
        self.server = self._start(command, "server.log")
        self.ready()

    def work(self, count: int = 2) -> None:
        """Have so many job workers."""
        self.workers = [one for one in self.workers if one.poll() is None]
        while len(self.workers) < count:
            self.workers.append(self._start([sys.executable, "-m", "tests.fault.city_worker"], "workers.log"))

    def _start(self, command: list[str], log: str) -> subprocess.Popen[bytes]:
        with (self.home / log).open("ab") as out:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=ROOT, start_new_session=True,
                env=os.environ | self.environment,
            )  # fmt: skip

    def web_pids(self) -> list[int]:
        """The server's processes that answer requests."""
        assert self.server is not None
        children = Path(f"/proc/{self.server.pid}/task/{self.server.pid}/children").read_text().split()
        named = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children if Path(f"/proc/{pid}").exists()}
        return [
            int(pid) for pid, words in named.items() if b"worker" not in words.split(b"\0")[-6:] and b"serve" in words
        ]

    def ready(self, seconds: float = 120, path: str = "/readyz") -> float:
        """How long it took until the service answered with 200 again."""
        begun = time.monotonic()
        while (got := self.ask("GET", path)).status != 200:
            assert time.monotonic() - begun < seconds, f"not ready after {seconds} s: {got}\n{self.said()}"
            time.sleep(0.02)
        return time.monotonic() - begun

    def ask(
        self, method: str, path: str, body: Any = None, *, timeout: float = 60, raw: bytes | None = None, **headers: str
    ) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        sent = {"Authorization": f"Bearer {KEY}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            raw, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        begun = time.monotonic()
        try:
            connection.request(method, path, raw, sent)
            got = connection.getresponse()
            content = got.read()
        except (OSError, http.client.HTTPException):
            return Answer(0, seconds=time.monotonic() - begun)
        finally:
            connection.close()
        with contextlib.suppress(ValueError):
            content = json.loads(content)
        return Answer(got.status, content, {k.lower(): v for k, v in got.headers.items()}, time.monotonic() - begun)

    def insist(self, method: str, path: str, body: Any = None, *, seconds: float = 60, **headers: str) -> Answer:
        """The same request again until it is neither lost nor answered with 503."""
        deadline = time.monotonic() + seconds
        while (got := self.ask(method, path, body, **headers)).status in (0, 503):
            assert time.monotonic() < deadline, got
            time.sleep(0.05)
        return got

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of a statement on a connection of its own, committed; again when the cluster recovers just then."""
        deadline = time.monotonic() + 60
        while True:
            try:
                with self.connect() as connection:
                    done = connection.execute(statement, values or None)  # type: ignore[arg-type]
                    return done.fetchall() if done.description else []
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, "PostgreSQL did not come back"

    def connect(self) -> psycopg.Connection[Any]:
        """A session in plain SQL; waits for a cluster that recovers."""
        deadline = time.monotonic() + 60
        while True:
            try:
                return psycopg.connect(
                    host=str(self.cluster.socket), user=embedded.ROLE, dbname=embedded.DATABASE, autocommit=True
                )
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, "PostgreSQL did not come back"
                time.sleep(0.02)

    def said(self) -> str:
        """The ends of all logs."""
        logs = [*sorted(self.home.glob("*.log")), self.cluster.log]
        return "\n".join(
            f"== {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in logs if path.exists()
        )

    def faults(self) -> list[str]:
        """Stack traces in the logs of our processes."""
        found = []
        for path in (self.home / "server.log", self.home / "workers.log"):
            said = path.read_text(errors="replace") if path.exists() else ""
            found += [f"{path.name}: Traceback{rest[:3000]}" for rest in said.split("Traceback")[1:]]
        return found

    def stop(self) -> None:
        """End everything."""
        for process in [self.server, *self.workers]:
            if process is not None and process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.server, self.workers = None, []


def _tool(name: str, cluster: embedded.Cluster) -> str:
    return str(embedded._binaries(cluster) / name)


@contextlib.contextmanager
def city_of(url: str, area: str, home: Path | None = None, **environment: str) -> Iterator[City]:
    """A city with the data of a database; ``home``: where it lives, an own folder when not given."""
    folder = Path(tempfile.mkdtemp(prefix="gisgrid-city-")) if home is None else home
    cluster = embedded.cluster_at(folder)
    embedded.start(cluster)
    try:
        _copy(url, cluster)
        with db.database(Settings(home=folder)) as engine:
            env = {
                "GISGRID_HOME": str(folder), "GISGRID_EDITOR_KEYS": f"{AUTHOR}:{KEY}", "GISGRID_DRAWERS": "0",
                "GISGRID_ANONYMOUS": "analyst,reporter", **environment,
            }  # fmt: skip
            made = City(folder, cluster, engine, area, unused_port(), env)
            try:
                yield made
            finally:
                made.stop()
    finally:
        embedded.stop(cluster)
        if home is None:
            shutil.rmtree(folder, ignore_errors=True)


def _copy(url: str, cluster: embedded.Cluster) -> None:
    """The database at ``url`` into the cluster's own; what is committed there outlives any kill, not a power cut."""
    with psycopg.connect(host=str(cluster.socket), user=embedded.ROLE, dbname="postgres", autocommit=True) as admin:
        for setting in ("fsync = off", "full_page_writes = off"):  # the machine itself is not switched off
            admin.execute(f"ALTER SYSTEM SET {setting}")
        # whoever asks for it waits after its commit for a stand-by that is not there: a fail point
        admin.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        admin.execute(f"ALTER DATABASE {embedded.DATABASE} SET synchronous_commit = 'local'")
        admin.execute("SELECT pg_reload_conf()")
    source = sa.make_url(url)
    env = os.environ | {"PGUSER": embedded.ROLE}
    dump = subprocess.Popen(
        [_tool("pg_dump", cluster), "-h", str(source.query["host"]), str(source.database)],
        stdout=subprocess.PIPE,
        env=env,
    )
    subprocess.run(
        [_tool("psql", cluster), "-h", str(cluster.socket), "-q", "-v", "ON_ERROR_STOP=1", "-d", embedded.DATABASE],
        stdin=dump.stdout, stdout=subprocess.DEVNULL, check=True, env=env,
    )  # fmt: skip
    assert dump.wait() == 0
