"""PostgreSQL restarts, dies, cuts connections or says nothing while people work: locate goes on from memory, the rest is
a clean 503 with ``Retry-After``, and all comes back by itself."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from data import db, embedded
from tests.fault.city import City, city_of
from tests.fault.load import Load
from tests.fault.proxy import Proxy
from tests.fault.strikes import check, located

pytestmark = [pytest.mark.postgis, pytest.mark.timeout(600)]
BACK_SECONDS = 30.0
"""How soon after a fault everything is answered again; seconds, with much to spare for a busy machine."""


@pytest.fixture(scope="module")
def city(planned: Any) -> Iterator[City]:
    with city_of(str(planned.settings.database_url), planned.area) as made:
        made.serve()  # with its worker, as in every installation
        located(made)
        yield made


def pg_ctl(city: City, mode: str) -> None:
    command: list[str | Path] = [embedded._binaries(city.cluster) / "pg_ctl", "-D", city.cluster.data, "-w", "-m", mode]
    options = f"-c unix_socket_directories='{city.cluster.socket}' -c listen_addresses=''"
    done = embedded._run(city.cluster, [*command, "-l", city.cluster.log, "-o", options, "restart"], apart=True)
    assert done.returncode == 0 or embedded.is_running(city.cluster), done.stderr


def kill_postmaster(city: City) -> None:
    pid = embedded._postmaster(city.cluster)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def cut_all(city: City) -> None:
    city.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
             "AND backend_type = 'client backend'")  # fmt: skip


FAULTS: dict[str, Callable[[City], None]] = {
    "restart -m fast": lambda city: pg_ctl(city, "fast"),
    "restart -m immediate": lambda city: pg_ctl(city, "immediate"),
    "kill -9 of the postmaster": kill_postmaster,
    "pg_terminate_backend of all": cut_all,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_under_load(city: City, fault: str) -> None:
    with Load(city) as load:
        time.sleep(1.0)
        begun = time.monotonic()
        FAULTS[fault](city)
        city.ready(BACK_SECONDS * 2)
        time.sleep(3.0)
    city.engine.dispose()
    located_ = load.since(begun, "locate")
    print(f"\n{fault}: answering again after {load.back(begun):.1f} s; {load.counts(begun)}; slowest locate "
          f"{max(got.seconds for _, got in located_):.2f} s")  # fmt: skip
    assert load.unclean(begun) == []
    assert {got.status for _, got in located_} == {200}, "locate answers from memory"
    assert load.back(begun) < BACK_SECONDS
    assert load.lost() == []
    check(city)
    assert "internal_error" not in city.said()
    assert not city.faults(), "\n".join(city.faults())


def test_a_connection_that_swallows_or_drops(city: City) -> None:
    """A proxy that drops, and one that takes everything and never says a word: no request hangs."""
    with Proxy(city.cluster.socket / ".s.PGSQL.5432") as proxy:
        city.stop()
        url = f"postgresql://{embedded.ROLE}@127.0.0.1:{proxy.port}/{embedded.DATABASE}"
        city.environment["GISGRID_DATABASE_URL"] = url
        try:
            city.serve("--no-jobs")
            located(city)
            for mode in ("drop", "swallow"):
                with Load(city) as load:
                    time.sleep(1.0)
                    begun = time.monotonic()
                    proxy.mode = mode
                    if mode == "drop":
                        proxy.cut()
                    time.sleep(12.0 if mode == "swallow" else 2.0)
                    mended = time.monotonic()
                    proxy.mode = "pass"
                    if mode == "swallow":
                        proxy.cut()
                    city.ready(BACK_SECONDS * 2)
                    time.sleep(2.0)
                locates = load.since(begun, "locate")
                others = [got.seconds for kind in ("edit", "tile", "report") for _, got in load.since(begun, kind)]
                print(f"\nconnections {mode}: answering again {load.back(begun) - (mended - begun):.1f} s after it was mended; "
                      f"{load.counts(begun)}; slowest locate {max(got.seconds for _, got in locates):.2f} s, slowest "
                      f"other {max(others):.1f} s")  # fmt: skip
                assert load.unclean(begun) == []
                assert {got.status for _, got in locates} == {200}
                assert load.back(mended) < BACK_SECONDS
                assert max(got.seconds for _, got in locates) < 12
                assert load.lost() == []
            assert not city.faults(), "\n".join(city.faults())
        finally:
            del city.environment["GISGRID_DATABASE_URL"]
            city.stop()


def test_a_statement_without_an_answer_ends(city: City) -> None:
    """Amid a statement the wait ends too; a statement that goes on and says so does not count as silent."""
    with Proxy(city.cluster.socket / ".s.PGSQL.5432") as proxy:
        url = f"postgresql://{embedded.ROLE}@127.0.0.1:{proxy.port}/{embedded.DATABASE}"
        engine = db.make_engine(url, patience=1.5)
        try:
            with engine.connect() as connection:
                assert connection.scalar(sa.select(1)) == 1
                proxy.mode = "swallow"
                begun = time.monotonic()
                with pytest.raises(sa.exc.OperationalError, match="said nothing"):
                    connection.scalar(sa.select(2))
                assert 1.4 < time.monotonic() - begun < 6
            proxy.mode = "pass"
            with engine.connect() as connection:
                assert connection.scalar(sa.select(3)) == 3
        finally:
            engine.dispose()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host="127.0.0.1", port=proxy.port, connect_timeout=2)
