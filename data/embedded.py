"""The private PostgreSQL + PostGIS cluster under ``$GISGRID_HOME``.

It listens on a Unix socket only and trusts nobody but the operating-system accounts that made it (``peer``
authentication). PostgreSQL refuses to run as root, so root hands the cluster to an unprivileged account. Nothing in
here depends on a port: two homes never meet.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from gisgrid.errors import Broken
from gisgrid.interrupts import held
from gisgrid.limits import SOCKET_PATH_BYTES_MAX

DATABASE = "gisgrid"
ROLE = "gisgrid"
START_SECONDS = 60
LEAVE_SECONDS = 2.0
"""How long sessions of processes that ended may linger before the cluster counts as in use."""
_STAND_INS = Path("/var/lib/gisgrid-clusters")
_CONF = """
listen_addresses = ''
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
max_connections = 64
shared_buffers = 256MB
work_mem = 32MB
maintenance_work_mem = 256MB
max_wal_size = 2GB
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
"""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where one private cluster lives and which account runs it."""

    data: Path
    socket: Path
    log: Path
    lock: Path
    account: str

    @property
    def url(self) -> str:
        """SQLAlchemy URL of its gisgrid database."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """SQLAlchemy URL of one of its databases."""
        return f"postgresql+psycopg://{ROLE}@/{database}?host={self.socket}"


def cluster_at(home: Path) -> Cluster:
    """The cluster belonging to the folder ``home`` (made when missing). Raises Broken when it cannot be used."""
    account = _account()
    try:
        home.mkdir(parents=True, exist_ok=True)
        root = _reachable(home, account)
    except OSError as error:
        raise Broken(
            f"cannot use {home} for the database: {error.strerror}; set GISGRID_HOME to a folder you may write"
        ) from error
    socket = root / "run"
    if len(str(socket)) > SOCKET_PATH_BYTES_MAX:
        name = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:12]
        socket = Path(tempfile.gettempdir()) / f"gisgrid-{os.getuid()}-{name}"
    return Cluster(root / "postgres", socket, root / "postgres.log", root / "postgres.lock", account)


def is_running(cluster: Cluster) -> bool:
    """Whether the cluster answers on its socket."""
    try:
        with psycopg.connect(host=str(cluster.socket), user=ROLE, dbname="postgres", connect_timeout=3):
            return True
    except psycopg.OperationalError:
        return False


def start(cluster: Cluster) -> bool:
    """Make the cluster on first use and start it; True when this call started it. Raises Broken."""
    with _locked(cluster):
        if is_running(cluster) or _recovers(cluster):
            return False
        binaries = _binaries(cluster)
        if not (cluster.data / "PG_VERSION").exists():
            _initialise(cluster, binaries)
        _make_socket_folder(cluster)
        with held():  # broken off, it would leave a server that nobody knows of yet
            _launch(cluster, binaries)
        _make_database(cluster)
        return True


def _recovers(cluster: Cluster) -> bool:
    """Wait for a server that lives but does not answer yet, as after a crash; False when there is none (any more)."""
    deadline = time.monotonic() + START_SECONDS
    while _postmaster(cluster) is not None and time.monotonic() < deadline:
        if is_running(cluster):
            return True
        time.sleep(0.1)
    return False


def stop(cluster: Cluster) -> bool:
    """Stop the cluster; True when it was running. Raises Broken when it will not stop."""
    with _locked(cluster):
        if not is_running(cluster) and _postmaster(cluster) is None:
            return False
        binaries = _binaries(cluster)
        where: list[str | Path] = [binaries / "pg_ctl", "-D", cluster.data, "-w"]
        for mode, seconds in (("fast", "60"), ("immediate", "20")):
            done = _run(cluster, [*where, "-m", mode, "-t", seconds, "stop"], apart=True)
            if done.returncode == 0 or _postmaster(cluster) is None:
                break
        if done.returncode != 0 and is_running(cluster):
            raise Broken(f"PostgreSQL did not stop: {_last_line(done.stderr)}; see {cluster.log}")
        return True


def has_server(cluster: Cluster) -> bool:
    """Whether the cluster's server process lives; it may not answer yet, or no more."""
    return _postmaster(cluster) is not None


def revive(cluster: Cluster) -> bool:
    """Start a cluster whose server died, as after a full disk; True when this call did.

    One that was stopped in good order stays so: somebody wanted that. Raises Broken when it does not start.
    """
    if _postmaster(cluster) is not None or not (cluster.data / "PG_VERSION").exists():
        return False
    told = _run(cluster, [_binaries(cluster) / "pg_controldata", "-D", cluster.data])
    if re.search(r"cluster state:\s+shut down\n", told.stderr):
        return False
    return start(cluster)


@contextmanager
def running(cluster: Cluster) -> Iterator[Cluster]:
    """Have the cluster up for a while; whoever started it stops it, unless others still use it by then."""
    started = not is_running(cluster)  # a start broken off half way is ours to stop as well
    try:
        started = start(cluster)
        yield cluster
    finally:
        with held():
            if started and not _in_use(cluster):
                stop(cluster)


def _account() -> str:
    """The account that runs PostgreSQL: ourselves, or an unprivileged one when we are root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise Broken("PostgreSQL does not run as root and there is no account 'postgres' or 'nobody'; install postgresql")


def _reachable(home: Path, account: str) -> Path:
    """A folder for the cluster that ``account`` can enter: ``home``, or a stand-in linked from it.

    Root may put its home below folders closed to others (``/root``); the cluster then lives in a folder of its own
    in ``/var/lib/gisgrid-clusters`` and ``home/cluster`` links to it.
    """
    if os.geteuid() != 0:
        return home
    if home.stat().st_mode & 0o001 == 0:
        home.chmod(home.stat().st_mode | 0o011)  # enter, not list
    root = home / "cluster"
    if not all(parent.stat().st_mode & 0o001 for parent in home.resolve().parents) and not root.exists():
        root.unlink(missing_ok=True)
        _STAND_INS.mkdir(parents=True, exist_ok=True)
        _STAND_INS.chmod(0o711)
        root.symlink_to(tempfile.mkdtemp(dir=_STAND_INS))
    root = root.resolve()
    root.mkdir(exist_ok=True)
    entry = pwd.getpwnam(account)
    if root.stat().st_uid != entry.pw_uid:
        os.chown(root, entry.pw_uid, entry.pw_gid)
    return root


def _binaries(cluster: Cluster) -> Path:
    """Folder of initdb and pg_ctl: the newest PostgreSQL with PostGIS, or the version the cluster was made with."""
    made_with = cluster.data / "PG_VERSION"
    wanted = made_with.read_text().strip() if made_with.exists() else None
    found: list[tuple[int, Path]] = []
    for folder in Path("/usr/lib/postgresql").glob("*/bin"):
        version = folder.parent.name
        control = Path("/usr/share/postgresql") / version / "extension/postgis.control"
        if version.isdigit() and (folder / "initdb").exists() and control.exists():
            found.append((int(version), folder))
    if (tool := shutil.which("pg_config")) and (from_config := _binaries_of(tool)):
        found.append(from_config)
    fit = [item for item in found if str(item[0]) == wanted or (wanted is None and item[0] >= 15)]
    if not fit:
        what = f"PostgreSQL {wanted}" if wanted else "PostgreSQL 15 or newer"
        raise Broken(
            f"{what} with PostGIS is not installed; run 'make setup' or install postgresql and postgresql-NN-postgis-3"
        )
    return max(fit)[1]


def _binaries_of(pg_config: str) -> tuple[int, Path] | None:
    """Version and folder of the PostgreSQL that ``pg_config`` speaks for, when it has a server and PostGIS."""

    def ask(what: str) -> str:
        return subprocess.run([pg_config, what], capture_output=True, text=True, check=False).stdout.strip()

    version, folder = re.search(r"(\d+)", ask("--version")), Path(ask("--bindir"))
    with_postgis = (Path(ask("--sharedir")) / "extension/postgis.control").exists()
    return (int(version[1]), folder) if version and (folder / "initdb").exists() and with_postgis else None


def _run(cluster: Cluster, command: list[str | Path], *, apart: bool = False) -> subprocess.CompletedProcess[str]:
    """Run a PostgreSQL tool as the cluster's account; ``apart`` from the terminal, whose Ctrl-C does not reach it."""
    as_other = os.geteuid() == 0
    entry = pwd.getpwnam(cluster.account)
    env = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "LC_ALL": "C.UTF-8",
        "HOME": str(cluster.data.parent),
    }
    # no pipe on stderr or stdout of pg_ctl start: the postmaster would inherit it and keep it open
    with tempfile.TemporaryFile("w+") as out:
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=env,
            cwd="/",
            check=False,
            start_new_session=apart,
            user=entry.pw_uid if as_other else None,
            group=entry.pw_gid if as_other else None,
            extra_groups=[] if as_other else None,
        )
        out.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, "", out.read())


def _initialise(cluster: Cluster, binaries: Path) -> None:
    """initdb into a fresh folder, moved into place when whole, so that a broken-off first start leaves nothing."""
    fresh = cluster.data.with_name("postgres.new")
    shutil.rmtree(fresh, ignore_errors=True)
    done = _run(
        cluster,
        [
            binaries / "initdb",
            "-D",
            fresh,
            "-U",
            ROLE,
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--auth=reject",
            "--no-sync",
        ],
    )
    if done.returncode != 0:
        raise Broken(f"initdb failed: {_last_line(done.stderr)}")
    with (fresh / "postgresql.conf").open("a") as conf:
        conf.write(_CONF.format(socket=cluster.socket))
    (fresh / "pg_hba.conf").write_text("local all all peer map=gisgrid\n")
    accounts = sorted({cluster.account, pwd.getpwuid(os.geteuid()).pw_name})
    (fresh / "pg_ident.conf").write_text("".join(f"gisgrid {name} {ROLE}\n" for name in accounts))
    fresh.rename(cluster.data)


def _make_socket_folder(cluster: Cluster) -> None:
    cluster.socket.mkdir(mode=0o700, exist_ok=True)
    if cluster.socket.is_symlink():
        raise Broken(f"{cluster.socket} is a link; remove it")
    entry = pwd.getpwnam(cluster.account)
    if cluster.socket.stat().st_uid != entry.pw_uid:
        if os.geteuid() != 0:
            raise Broken(f"{cluster.socket} belongs to another account; remove it or set another GISGRID_HOME")
        os.chown(cluster.socket, entry.pw_uid, entry.pw_gid)
    cluster.socket.chmod(0o700)


def _postmaster(cluster: Cluster) -> int | None:
    """Process id of this cluster's live postmaster, or None; a pid taken over by another program does not count."""
    try:
        pid = int((cluster.data / "postmaster.pid").read_text().splitlines()[0])
        return pid if Path(f"/proc/{pid}/cwd").readlink() == cluster.data.resolve() else None
    except (OSError, ValueError, IndexError):
        return None


def _drop_stale_pid(cluster: Cluster) -> None:
    """Remove a postmaster.pid left by a postmaster that was killed, and wait for its orphans to leave."""
    pid_file = cluster.data / "postmaster.pid"
    if not pid_file.exists() or _postmaster(cluster) is not None:
        return
    deadline = time.monotonic() + 20
    while _orphans(cluster) and time.monotonic() < deadline:
        time.sleep(0.1)
    pid_file.unlink(missing_ok=True)


def _orphans(cluster: Cluster) -> list[int]:
    """Backends of this cluster that outlived their postmaster; they leave by themselves when they notice."""
    home = cluster.data.resolve()
    alive = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == home:
                alive.append(int(entry.name))
        except OSError:
            continue
    return alive


def _launch(cluster: Cluster, binaries: Path) -> None:
    options = f"-c unix_socket_directories='{cluster.socket}' -c listen_addresses=''"
    if sys.platform == "linux":  # a statement of a client that was killed ends, and its locks with it
        options += " -c client_connection_check_interval=2s"
    where: list[str | Path] = ["-D", cluster.data, "-l", cluster.log]
    command = [binaries / "pg_ctl", *where, "-w", "-t", str(START_SECONDS), "-o", options, "start"]
    deadline = time.monotonic() + 15
    while True:
        _drop_stale_pid(cluster)
        done = _run(cluster, command, apart=True)
        if done.returncode == 0:
            return
        if time.monotonic() > deadline:
            break
        time.sleep(0.2)  # a postmaster killed this moment is still on its way out, its shared memory held
    raise Broken(f"PostgreSQL did not start: {_last_log_line(cluster) or _last_line(done.stderr)}; see {cluster.log}")


def _make_database(cluster: Cluster) -> None:
    with psycopg.connect(host=str(cluster.socket), user=ROLE, dbname="postgres", autocommit=True) as admin:
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
            admin.execute(f'CREATE DATABASE "{DATABASE}"')


def _in_use(cluster: Cluster) -> bool:
    """Whether other processes are connected; sessions of processes that just ended get a moment to notice."""
    deadline = time.monotonic() + LEAVE_SECONDS
    while _other_sessions(cluster):
        if time.monotonic() > deadline:
            return True
        time.sleep(0.1)
    return False


def _other_sessions(cluster: Cluster) -> int:
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' "
        "AND pid <> pg_backend_pid() AND application_name <> %s"
    )
    try:
        with psycopg.connect(host=str(cluster.socket), user=ROLE, dbname="postgres") as admin:
            row = admin.execute(query, (session_name(),)).fetchone()
            return int(row[0]) if row else 0
    except psycopg.OperationalError:
        return 0


def session_name() -> str:
    """What this process calls its sessions, so that they are known from those of others."""
    return f"gisgrid {os.getpid()}"


@contextmanager
def _locked(cluster: Cluster) -> Iterator[None]:
    """One process at a time starts or stops a cluster."""
    with cluster.lock.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def _last_log_line(cluster: Cluster) -> str:
    try:
        lines = cluster.log.read_text(errors="replace").splitlines()[-20:]
    except OSError:
        return ""
    fatal = [line for line in lines if "FATAL" in line or "PANIC" in line]
    return fatal[-1].strip() if fatal else ""
