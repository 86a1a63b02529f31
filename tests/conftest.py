"""Fixtures every part of the suite shares: a real PostGIS, a planned district in it, real data, a served district."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from hypothesis import settings as hypothesis_settings

from api.app import create_app
from data import db, embedded
from data.intake import clean_layers, store_layers
from data.sample import SampleDistrict, make_sample
from gisgrid.actors import set_at_work
from gisgrid.models import Band
from gisgrid.settings import Settings
from planning import workflow, workflow_circles
from tests.processes import unused_port
from tests.scratch import Scratch

# the same examples on every run; HYPOTHESIS_PROFILE=default looks for new ones
hypothesis_settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

os.environ.setdefault("GISGRID_ANONYMOUS", "analyst,reporter")  # for servers that tests start as processes

ROOT = Path(__file__).resolve().parent.parent
OPEN_TO = ("analyst", "reporter")
"""Roles of those who send no credentials, in tests that are not about who may what."""
FIGURES = ("tests/fault/", "tests/security/")
"""Folders whose tests print figures."""
TOGETHER = ("tests/e2e/",)
"""Folders whose files share fixtures too dear to be made by every test process: they stay with one of them."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The figures that tests of faults and of security print, also when they pass."""
    told = [report for report in terminalreporter.stats.get("passed", []) if report.nodeid.startswith(FIGURES)]
    for report in told:
        said = [title for title, _ in report.sections if title == "Captured stdout call"]
        if said and (text := report.capstdout.strip()):
            terminalreporter.section(report.nodeid, sep="-")
            terminalreporter.write_line(text)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file's tests stay with one process, in the order of the files, which has the long ones first."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((folder for folder in TOGETHER if nodeid.startswith(folder)), super()._split_scope(nodeid))

    config.option.loadscopereorder = False
    return Scheduling(config, log)


@pytest.fixture(autouse=True)
def _nobody_left_at_work() -> Iterator[None]:
    """Commands that ran in this process say who works; the next test does not work in their name."""
    yield
    set_at_work(None)


@pytest.fixture(scope="session")
def session_home() -> Iterator[Path]:
    """A home folder for this test session, short enough for a Unix socket path."""
    home = Path(tempfile.mkdtemp(prefix="gisgrid-test-"))
    yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster(session_home: Path) -> Iterator[embedded.Cluster]:
    """A running private cluster; its ``gisgrid`` database carries the newest schema and serves as template."""
    made = embedded.cluster_at(session_home)
    embedded.start(made)
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # nothing here outlives the session
        _admin(made, f"ALTER SYSTEM SET {setting} = off")
    _admin(made, "SELECT pg_reload_conf()")
    with db.database(Settings(home=session_home)):
        pass
    yield made
    embedded.stop(made)


@pytest.fixture(scope="session")
def scratch(cluster: embedded.Cluster) -> Scratch:
    """The scratch databases of this session."""
    return Scratch(cluster)


@pytest.fixture
def postgis_url(scratch: Scratch) -> Iterator[str]:
    """SQLAlchemy URL of a scratch database with the newest, empty schema."""
    with scratch.lent() as url:
        yield url


@pytest.fixture
def settings(postgis_url: str, tmp_path: Path) -> Settings:
    """Settings that name the scratch database."""
    return Settings(home=tmp_path, database_url=postgis_url, anonymous=OPEN_TO)


@pytest.fixture
def engine(settings: Settings) -> Iterator[sa.Engine]:
    """An engine on the scratch database."""
    made = db.make_engine(str(settings.database_url))
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real extracts; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("GISGRID_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real extracts are not at {folder}; set GISGRID_SHARED_DATA")
    return folder


Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Run ``gisgrid ARGS`` as a process of its own, in file mode unless ``env`` names a database."""

    def run(
        *args: str | Path, env: dict[str, str] | None = None, timeout: float = 240
    ) -> subprocess.CompletedProcess[str]:
        settings = {"GISGRID_HOME": str(tmp_path / "home")} | (env or {})
        return subprocess.run(
            [sys.executable, "-m", "api.cli", *map(str, args)],
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=ROOT,
            env=os.environ | settings,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def free_port() -> int:
    """A TCP port nobody listens on."""
    return unused_port()


@pytest.fixture(scope="session")
def served_home() -> Iterator[Path]:
    """The home folder of `served_demo`; tests that need it are skipped where a server runs already."""
    if os.environ.get("GISGRID_TEST_URL") and not os.environ.get("GISGRID_TEST_HOME"):
        pytest.skip("GISGRID_TEST_URL names a server whose home is not known; set GISGRID_TEST_HOME")
    if given := os.environ.get("GISGRID_TEST_HOME"):
        yield Path(given)
        return
    home = Path(tempfile.mkdtemp(prefix="gisgrid-demo-"))
    yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def served_demo(request: pytest.FixtureRequest, free_port: int) -> Iterator[str]:
    """Base URL of ``gisgrid demo`` on a small sample district: imported, planned, published, with circles.

    ``GISGRID_TEST_URL`` names a server that runs already, to look at a larger district with the same tests.
    """
    if running := os.environ.get("GISGRID_TEST_URL"):
        yield running
        return
    home: Path = request.getfixturevalue("served_home")
    log = home / "demo.log"
    command = [sys.executable, "-m", "api.cli", "demo", "--scenario", "mingfeng", "--port", str(free_port)]
    with log.open("w") as out:
        server = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT, env=os.environ | {"GISGRID_HOME": str(home)}
        )
    url = f"http://127.0.0.1:{free_port}"
    try:
        _wait_until_ready(url, server, log)
        yield url
    finally:
        server.terminate()
        server.wait(120)


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if server.poll() is not None:
            pytest.fail(f"gisgrid demo ended with {server.returncode}:\n{log.read_text()[-4000:]}")
        try:
            with urllib.request.urlopen(url + "/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    pytest.fail(f"gisgrid demo was not ready in {seconds:.0f} s:\n{log.read_text()[-4000:]}")


# --- a planned district: made once, cloned for tests that write ---

_copies = itertools.count()
BAND = Band(300, 500)


@dataclass(frozen=True)
class Planned:
    """A database holding a planned district."""

    settings: Settings
    engine: sa.Engine
    district: SampleDistrict
    area: str
    plan: int


@pytest.fixture(scope="session")
def small_district() -> SampleDistrict:
    return make_sample("mingfeng", seed=1)


def _admin(cluster: embedded.Cluster, statement: str) -> None:
    with psycopg.connect(host=str(cluster.socket), user=embedded.ROLE, dbname="postgres", autocommit=True) as admin:
        admin.execute(statement)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def planned(cluster: embedded.Cluster, session_home: Path, small_district: SampleDistrict) -> Iterator[Planned]:
    """Read only, please: shared by the whole session."""
    _admin(cluster, f"CREATE DATABASE planned TEMPLATE {embedded.DATABASE}")
    settings = Settings(home=session_home, database_url=cluster.url_of("planned"), anonymous=OPEN_TO)
    with db.database(settings) as engine:
        store_layers(engine, *clean_layers(small_district.layers), source="sample")
        area = str(small_district.layers["areas"]["code"].min())
        workflow.units_for_area(engine, area)
        plan, _, _ = workflow.plan_for_area(engine, area, band=BAND)
        workflow.publish(engine, plan)
        workflow_circles.circles_in_force(engine, settings)
        yield Planned(settings, engine, small_district, area, plan)


@pytest.fixture
def planned_copy(planned: Planned, cluster: embedded.Cluster) -> Iterator[Planned]:
    """A database of one's own with the same content."""
    name = f"planned_{next(_copies)}"
    planned.engine.dispose()  # a template must have no connections
    _admin(cluster, f"CREATE DATABASE {name} TEMPLATE planned")
    settings = Settings(home=planned.settings.home, database_url=cluster.url_of(name), anonymous=OPEN_TO)
    engine = db.make_engine(str(settings.database_url))
    yield Planned(settings, engine, planned.district, planned.area, planned.plan)
    engine.dispose()
    _admin(cluster, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def client(planned: Planned) -> FlaskClient:
    """The HTTP service on the shared district."""
    return create_app(planned.settings, planned.engine).test_client()
