"""Secrets of every setting, sent rightly and wrongly in every place: none is ever in a log, an answer or a stored row."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from data import embedded
from tests.conftest import Planned
from tests.security.conftest import Server, served

pytestmark = [pytest.mark.postgis, pytest.mark.timeout(180)]
EDITOR, OPEN311, DATABASE, WRONG = "ed1tor-s3cret-9Qx", "0pen311-s3cret-7Lm", "d4tabase-s3cret-2Vk", "wr0ng-s3cret-5Tz"
SECRETS = (EDITOR, OPEN311, DATABASE, WRONG)
KEPT = (
    "jobs",
    "reports",
    "report_updates",
    "webhook_deliveries",
    "audit_log",
    "idempotency_keys",
    "tokens",
    "sessions",
    "sign_in_failures",
)


@pytest.fixture(scope="module")
def keyed(planned: Planned, cluster: embedded.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose every setting that may hold a secret holds one."""
    url = cluster.url_of("planned")
    assert "?" in url
    with served(
        planned, cluster, tmp_path_factory.mktemp("keyed"), GISGRID_EDITOR_KEYS=f"office:{EDITOR}",
        GISGRID_OPEN311_KEYS=f"hotline:{OPEN311}", GISGRID_OPEN_EDITING="0", PGPASSWORD=DATABASE,
    ) as made:  # fmt: skip
        yield made


def places(secret: str) -> Iterator[tuple[str, dict[str, str]]]:
    """(what to add to an address, headers) for every place a credential may be in."""
    basic = base64.b64encode(f"office:{secret}".encode()).decode()
    yield "", {"Authorization": f"Bearer {secret}"}
    yield "", {"Authorization": f"Bearer ggt_{secret}"}
    yield "", {"Authorization": f"Basic {basic}"}
    yield "", {"Authorization": secret}
    yield "", {"Cookie": f"gisgrid_session={secret}"}
    yield "", {"X-Api-Key": secret}
    yield "", {"X-Request-Id": secret[:0] + "a b\r".strip() + "c"}
    yield f"api_key={quote(secret)}", {}


ASKED = (
    ("GET", "/api/v1/plans", None), ("GET", "/api/v1/reports", None), ("GET", "/api/v1/nothing", None),
    ("GET", "/api/v1/grids?limit=x", None), ("DELETE", "/api/v1/grids", None), ("GET", "/api/v1/me", None),
    ("POST", "/api/v1/plans", b'{"name": 1}'), ("POST", "/api/v1/reports", b"{"), ("GET", "/ogc/collections/drafts/items", None),
    ("POST", "/ogc/collections/components/items", b"{}"), ("POST", "/open311/v2/requests.json", b"service_code=0101&lat=1"),
    ("GET", "/open311/v2/requests.xml", None), ("GET", "/wms?SERVICE=WMS&REQUEST=Nothing", None),
)  # fmt: skip


def hidden_in(data: bytes) -> set[str]:
    """Secrets that stand in data: plain, or in base64 as a header would have them."""
    plain = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    forms = {secret: (secret, base64.b64encode(f"office:{secret}".encode()).decode()) for secret in SECRETS}
    return {secret for secret, shown in forms.items() if any(form.encode() in plain for form in shown)}


def test_no_secret_is_told_or_kept(keyed: Server) -> None:
    statuses: set[int] = set()
    for secret in (EDITOR, OPEN311, WRONG):
        for more, headers in places(secret):
            for method, path, body in ASKED:
                mark = "&" if "?" in path else "?"
                kind = {
                    "Content-Type": "application/x-www-form-urlencoded" if "open311" in path else "application/json"
                }
                answer = keyed.ask(method, path + (mark + more if more else ""), body, headers | (kind if body else {}))
                statuses.add(answer.status)
                assert answer.status < 500, f"{method} {path}: {answer.body[:200]!r}"
                assert not hidden_in(answer.body), f"{method} {path}: {answer.body[:300]!r}"
                assert not hidden_in(json.dumps(answer.headers).encode())
        form = f"service_code=x&api_key={quote(secret)}".encode()
        answer = keyed.ask(
            "POST", "/open311/v2/requests.json", form, {"Content-Type": "application/x-www-form-urlencoded"}
        )
        assert not hidden_in(answer.body)
    assert {400, 404, 405} <= statuses
    assert statuses & {401, 403}
    found = {path.name: hidden_in(path.read_bytes()) for path in _logs(keyed)}
    assert not any(found.values()), found
    assert not hidden_in("\n".join(_rows(keyed)).encode())


def test_a_database_that_goes_tells_no_password(keyed: Server, cluster: embedded.Cluster) -> None:
    """What cannot be answered (503, 500) says neither address nor password of the database."""
    name = keyed.database.split("?", 1)[0].rsplit("/", 1)[1]
    with psycopg.connect(host=str(cluster.socket), user=embedded.ROLE, dbname="postgres", autocommit=True) as admin:
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')  # type: ignore[arg-type]
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            answers = [keyed.ask("GET", path) for path in ("/api/v1/grids?limit=1", "/readyz", "/api/v1/areas")]
        finally:
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')  # type: ignore[arg-type]
    assert {answer.status for answer in answers} & {500, 503}
    for answer in answers:
        assert not hidden_in(answer.body)
        assert keyed.database.encode() not in answer.body
    assert not hidden_in(keyed.log.read_bytes())


@pytest.mark.parametrize("value", [f"mysql://u:{DATABASE}@h/d", f"postgres//u:{DATABASE}@h/d", f"u:{DATABASE}@h"])
def test_a_database_address_that_cannot_be_used_is_not_repeated(value: str, cli: object) -> None:
    done = cli("db", "status", env={"GISGRID_DATABASE_URL": value})  # type: ignore[operator]
    assert done.returncode == 2
    assert not hidden_in((done.stdout + done.stderr).encode())


def test_a_database_that_refuses_is_told_without_its_password(cli: object) -> None:
    done = cli("db", "status", env={"GISGRID_DATABASE_URL": f"postgresql://u:{DATABASE}@127.0.0.1:9/d"})  # type: ignore[operator]
    assert done.returncode in (1, 2, 3)
    assert not hidden_in((done.stdout + done.stderr).encode())


def _logs(server: Server) -> Iterator[Path]:
    yield server.log
    yield from (path for path in server.home.rglob("*.log") if path.is_file())


def _rows(server: Server) -> Iterator[str]:
    url = server.database.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url) as connection:
        for table in KEPT:
            if connection.execute("SELECT to_regclass(%s)", (table,)).fetchone() == (None,):
                continue
            for row in connection.execute(f"SELECT to_jsonb(t)::text FROM {table} AS t"):  # type: ignore[arg-type]
                yield str(row[0])
