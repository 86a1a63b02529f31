"""Ctrl-C in the middle of long work: one line, exit 130, nothing half stored, no database left running."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from data import embedded
from gisgrid.settings import Settings
from tests.processes import Command, command, unused_port

pytestmark = pytest.mark.postgis
SERVES = "gisgrid serves"


@pytest.fixture
def home() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="gisgrid-int-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def check_end(stopped: Command) -> None:
    code = stopped.end()
    assert code == (0 if SERVES in stopped.said else 130), stopped.said
    assert "Traceback" not in stopped.said
    assert "ignored" not in stopped.said


@pytest.mark.parametrize(("seconds", "again"), [(1.0, None), (3.0, 0.2), (4.5, None), (6.0, 0.02)])
def test_ctrl_c_during_the_demo_leaves_nothing_half_done(home: Path, seconds: float, again: float | None) -> None:
    arguments = ["-m", "api.cli", "demo", "--scenario", "gaodu", "--port", str(unused_port())]
    with command(arguments, home / "log", {"GISGRID_HOME": str(home)}) as demo:
        time.sleep(seconds)
        demo.press()
        if again is not None:  # nor does a second one, into the clearing up
            time.sleep(again)
            demo.press()
        check_end(demo)
    cluster = embedded.cluster_at(home)
    if not cluster.data.exists():
        return
    assert not embedded.is_running(cluster), "who started it stops it"
    with embedded.running(cluster):
        engine = sa.create_engine(cluster.url)
        try:
            with engine.connect() as connection:
                tables = sa.inspect(engine).get_table_names()
                for one, other in (("buildings", "streets"), ("unit_sets", "units"), ("plans", "grids")):
                    if one in tables:
                        counts = [connection.scalar(sa.text(f"SELECT count(*) FROM {name}")) for name in (one, other)]
                        assert (counts[0] == 0) == (counts[1] == 0), f"{one} and {other} come together"
        finally:
            engine.dispose()


@pytest.mark.parametrize("seconds", [0.0, 0.5])
def test_a_server_ends_while_its_processes_still_load(settings: Settings, tmp_path: Path, seconds: float) -> None:
    arguments = ["-m", "api.cli", "serve", "--port", str(unused_port()), "--no-jobs"]
    env = {"GISGRID_HOME": str(tmp_path), "GISGRID_DATABASE_URL": str(settings.database_url)}
    with command(arguments, tmp_path / "log", env) as server:
        server.until_said(SERVES)
        time.sleep(seconds)
        server.press()
        check_end(server)
        with pytest.raises(ProcessLookupError):
            os.killpg(server.process.pid, 0)


def test_ctrl_c_before_there_is_anything_to_serve(settings: Settings, tmp_path: Path) -> None:
    env = {"GISGRID_HOME": str(tmp_path), "GISGRID_DATABASE_URL": str(settings.database_url)}
    arguments = ["-m", "api.cli", "serve", "--port", str(unused_port())]
    with command(arguments, tmp_path / "log", env) as server:
        time.sleep(0.6)
        server.press()
        check_end(server)


@pytest.mark.parametrize("again", [0.0, 0.001, 0.02])
def test_ctrl_c_again_and_again_ends_a_server(settings: Settings, tmp_path: Path, again: float) -> None:
    env = {"GISGRID_HOME": str(tmp_path), "GISGRID_DATABASE_URL": str(settings.database_url)}
    arguments = ["-m", "api.cli", "serve", "--port", str(unused_port()), "--no-jobs"]
    with command(arguments, tmp_path / "log", env) as server:
        server.until_said(SERVES)
        for _ in range(4):  # the first may come as the server begins to wait
            server.press()
            time.sleep(again)
        check_end(server)
    assert not list((tmp_path / "run").glob("*.sock"))
