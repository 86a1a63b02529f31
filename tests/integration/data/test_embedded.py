"""The private cluster: first start, two homes, sudden death, a stale pid file, an unprivileged account."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from data import embedded
from gisgrid.errors import Broken

pytestmark = pytest.mark.postgis
Make = Callable[[], embedded.Cluster]


@pytest.fixture
def new_cluster() -> Iterator[Make]:
    made: list[tuple[Path, embedded.Cluster]] = []

    def make() -> embedded.Cluster:
        home = Path(tempfile.mkdtemp(prefix="gisgrid-pg-"))
        made.append((home, embedded.cluster_at(home)))
        return made[-1][1]

    yield make
    for home, cluster in made:
        embedded.stop(cluster)
        shutil.rmtree(home, ignore_errors=True)


def value(cluster: embedded.Cluster, query: str) -> object:
    with psycopg.connect(host=str(cluster.socket), user=embedded.ROLE, dbname=embedded.DATABASE) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[arg-type]
    assert row is not None
    return row[0]


def test_two_homes_do_not_meet_and_listen_on_no_port(new_cluster: Make) -> None:
    first, second = new_cluster(), new_cluster()
    assert embedded.start(first)
    assert embedded.start(second)
    assert not embedded.start(first), "a second start finds it running"
    assert value(first, "SELECT current_setting('data_directory')") == str(first.data)
    assert value(second, "SELECT current_setting('data_directory')") == str(second.data)
    assert value(first, "SELECT current_setting('listen_addresses')") == ""
    assert first.socket.stat().st_mode & 0o077 == 0
    assert embedded.stop(first)
    assert not embedded.is_running(first)
    assert embedded.is_running(second)


def test_survives_kill_9_of_the_postmaster_and_keeps_what_was_committed(new_cluster: Make) -> None:
    cluster = new_cluster()
    embedded.start(cluster)
    with psycopg.connect(host=str(cluster.socket), user=embedded.ROLE, dbname=embedded.DATABASE) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(int((cluster.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    assert embedded.start(cluster)
    assert value(cluster, "SELECT answer FROM kept") == 42


def test_a_stale_pid_file_naming_a_living_stranger_is_no_hindrance(new_cluster: Make) -> None:
    cluster = new_cluster()
    embedded.start(cluster)
    embedded.stop(cluster)
    (cluster.data / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster.data}\n0\n")
    assert embedded.start(cluster)
    assert value(cluster, "SELECT 1") == 1


def test_who_started_it_stops_it_unless_others_are_connected(new_cluster: Make) -> None:
    cluster = new_cluster()
    with embedded.running(cluster), embedded.running(cluster):
        pass
    assert not embedded.is_running(cluster)
    with embedded.running(cluster):
        other = psycopg.connect(host=str(cluster.socket), user=embedded.ROLE, dbname=embedded.DATABASE)
    assert embedded.is_running(cluster)
    other.close()


def _open_python() -> str | None:
    """An interpreter of this version that any account may run."""
    version = f"python3.{sys.version_info.minor}"
    for path in (Path(sys.executable).resolve(), Path("/usr/bin") / version):
        if path.exists() and all(parent.stat().st_mode & 0o001 for parent in path.parents):
            return str(path)
    return None


def _all_but_psycopg(folder: str, names: list[str]) -> list[str]:
    if Path(folder).name != "site-packages":
        return []
    return [name for name in names if not name.startswith(("psycopg", "typing_extensions"))]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_an_ordinary_account_can_run_its_own(tmp_path: Path) -> None:
    account = pwd.getpwnam("nobody")
    python = _open_python()
    if python is None:
        pytest.skip("every Python of this version lies in a folder closed to other accounts")
    home = Path(tempfile.mkdtemp(prefix="gisgrid-user-"))
    os.chown(home, account.pw_uid, account.pw_gid)
    code = (
        "from pathlib import Path; from data import embedded as e; import sys\n"
        "c = e.cluster_at(Path(sys.argv[1])); print(c.account, e.start(c), e.is_running(c), e.stop(c))"
    )
    # a copy of the package folders this account may read, wherever the checkout lies
    root = Path(__file__).resolve().parents[3]
    code_copy = home / "code"
    for package in ("data", "gisgrid"):
        shutil.copytree(root / package, code_copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(Path(psycopg.__file__).parents[1], code_copy / "site", ignore=_all_but_psycopg)
    done = subprocess.run(
        [python, "-c", code, str(home / "gisgrid")],
        cwd=code_copy, user=account.pw_uid, group=account.pw_gid, extra_groups=[],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "PYTHONPATH": f"{code_copy}:{code_copy / 'site'}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    shutil.rmtree(home, ignore_errors=True)
    assert done.stdout.split() == ["nobody", "True", "True", "True"], done.stderr


def test_a_home_that_cannot_be_made_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Broken, match="set GISGRID_HOME"):
        embedded.cluster_at(tmp_path / "file" / "home")
