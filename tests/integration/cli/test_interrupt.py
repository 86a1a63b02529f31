"""Ctrl-C in the middle of long work: one line, exit 130, nothing half stored, no database left running."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from data import embedded

pytestmark = pytest.mark.postgis
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def home() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="gisgrid-int-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.parametrize("seconds", [1.0, 3.0, 4.5, 6.0])
def test_ctrl_c_during_the_demo_leaves_nothing_half_done(home: Path, seconds: float) -> None:
    command = [sys.executable, "-m", "api.cli", "demo", "--scenario", "gaodu", "--port", "18431"]
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT, start_new_session=True,
            env=os.environ | {"GISGRID_HOME": str(home)},
        )  # fmt: skip
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGINT)
        code = process.wait(60)
        out.seek(0)
        said = out.read()
    assert code == (0 if "gisgrid serves" in said else 130), said
    assert "Traceback" not in said
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
