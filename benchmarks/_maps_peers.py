"""The servers of the map benchmarks: ours, MapServer behind lighttpd, pygeoapi and tipg in a venv of their own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from benchmarks._maps_data import Stored
from benchmarks._maps_mapfile import mapfile
from data import embedded
from layers.styles import Style

ROOT = Path(__file__).resolve().parent.parent
PEERS = Path(os.environ.get("GISGRID_BENCH_PEERS", ROOT / ".setup" / "peers-venv"))
MAPSERV = "/usr/lib/cgi-bin/mapserv"
FONTS = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
PROCESSES = 2
"""Worker processes of each Python server, as many as most small machines have processors."""


@dataclass
class Server:
    """A server that runs. ``pid``: the process whose descendants are the server."""

    name: str
    port: int
    pid: int = 0
    log: Path | None = None
    about: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, timeout: float = 300) -> bytes:
        """The body of an answer. Raises SystemExit with what the server said when it is not 200."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=timeout) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{self.name} answers {path} with {error.code}: {error.read()[:500]!r}") from None

    def memory(self) -> float:
        """Mebibytes of all its processes; what they share counts once (proportional set size)."""
        total = 0
        for pid in descendants(self.pid):
            with suppress(OSError):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total / 1024


def descendants(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = int(stat.read_text().rsplit(")", 1)[1].split()[1])
            parents.setdefault(parent, []).append(int(stat.parent.name))
    found, todo = [], [pid]
    while todo:
        found.append(one := todo.pop())
        todo += parents.get(one, [])
    return found


def missing(name: str) -> str | None:
    """What keeps a peer from running here, None when nothing does."""
    if name == "mapserver":
        needed = {"cgi-mapserver": Path(MAPSERV).exists(), "lighttpd": shutil.which("lighttpd", path=_sbin())}
        needed["fonts-noto-cjk"] = FONTS.exists()
        lacking = [package for package, there in needed.items() if not there]
        return f"install Debian's {' '.join(lacking)}" if lacking else None
    program = PEERS / "bin" / ("pygeoapi" if name == "pygeoapi" else "tipg")
    there = program.exists() or list(PEERS.glob(f"lib/python*/site-packages/{name}"))
    return None if there else f"make {PEERS.relative_to(ROOT) if PEERS.is_relative_to(ROOT) else PEERS}"


def _sbin() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


@contextmanager
def serving(name: str, data: Stored, style: Style, folder: Path, wait: str = "/") -> Iterator[Server]:
    """The server up and answering on a port of its own; ended with all its processes afterwards."""
    port = free_port()
    place = folder / f"{data.case.name}-{name}"
    place.mkdir(parents=True, exist_ok=True)
    command, env, path = COMMANDS[name.split("+")[0]](name, data, style, place, port)
    log = place / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command, env=os.environ | env, cwd=ROOT if name == "gisgrid" else place, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
    server = Server(name, port, process.pid, log)
    try:
        _wait(server, path, process)
        yield server
    finally:
        for pid in reversed(descendants(process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait(server: Server, path: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=60).read()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            if process.poll() is not None:
                break
        time.sleep(0.1)
    said = server.log.read_text()[-2000:] if server.log else ""
    raise SystemExit(f"{server.name} does not answer:\n{said}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


Launch = tuple[list[str], dict[str, str], str]


def _gisgrid(name: str, data: Stored, style: Style, place: Path, port: int) -> Launch:
    command = [sys.executable, "-m", "api.cli", "serve", "--quiet", "--port", str(port), "--workers", str(PROCESSES)]
    home = place / "home"
    home.mkdir(exist_ok=True)
    env = {"GISGRID_DATABASE_URL": data.url, "GISGRID_HOME": str(home), "GISGRID_ANONYMOUS": "analyst"}
    return command, env | {"PYTHONPATH": str(ROOT)}, "/healthz"


LIGHTTPD = """
server.modules = ("mod_fastcgi")
server.document-root = "{place}"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{place}/lighttpd.log"
server.upload-dirs = ("{place}")
server.max-keep-alive-requests = 1000000
fastcgi.server = ("/wms" => (("bin-path" => "{mapserv}", "socket" => "{place}/fcgi", "check-local" => "disable",
  "max-procs" => {processes}, "bin-environment" => ("MAPSERVER_CONFIG_FILE" => "{place}/mapserver.conf"))))
"""


def _mapserver(name: str, data: Stored, style: Style, place: Path, port: int) -> Launch:
    """Twice the processes of a Python server: PostgreSQL works while one waits."""
    (place / "fonts.txt").write_text(f"cjk {FONTS}\n")
    (place / "mapserver.conf").write_text(f'CONFIG\n  ENV\n    MS_MAPFILE "{place}/peer.map"\n  END\nEND\n')
    file = _flatgeobuf(data, place) if name.endswith("+fgb") else None
    (place / "peer.map").write_text(mapfile(data, style, place, file, 'FORMATOPTION "COMPRESSION=1"'))
    text = LIGHTTPD.format(place=place, port=port, mapserv=MAPSERV, processes=2 * PROCESSES)
    (place / "lighttpd.conf").write_text(text)
    program = shutil.which("lighttpd", path=_sbin()) or "lighttpd"
    return [program, "-D", "-f", str(place / "lighttpd.conf")], {}, "/"


def _flatgeobuf(data: Stored, place: Path) -> Path:
    """The view's features in a FlatGeobuf file, with its index."""
    import geopandas as gpd
    import sqlalchemy as sa

    engine = sa.create_engine(data.url)
    frame = gpd.read_postgis(f"SELECT * FROM {data.case.view}_3857", engine, geom_col="mercator")
    engine.dispose()
    frame.to_file(place / "peer.fgb", driver="FlatGeobuf", engine="pyogrio")
    return place / "peer.fgb"


PYGEOAPI = """
server:
  bind: {{host: 127.0.0.1, port: {port}}}
  url: http://127.0.0.1:{port}
  mimetype: application/json; charset=UTF-8
  encoding: utf-8
  gzip: false
  languages: [en-US]
  pretty_print: false
  limits: {{default_items: 10, max_items: 10000}}
  map: {{url: "https://example.org/{{z}}/{{x}}/{{y}}.png", attribution: none}}
logging: {{level: ERROR}}
metadata:
  identification:
    title: peer
    description: peer
    keywords: [peer]
    terms_of_service: none
    url: https://example.org
  license: {{name: none, url: https://example.org}}
  provider: {{name: peer, url: https://example.org}}
  contact: {{name: peer, url: https://example.org, email: peer@example.org}}
resources:
  {layer}:
    type: collection
    title: {layer}
    description: {layer}
    keywords: [peer]
    extents: {{spatial: {{bbox: [{bbox}], crs: "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}}}}
    providers:
      - type: feature
        name: PostgreSQL
        data: {{host: "{host}", port: 5432, dbname: {database}, user: {user}, password: "", search_path: [public]}}
        id_field: id
        table: {view}
        geom_field: geometry
"""


def _pygeoapi(name: str, data: Stored, style: Style, place: Path, port: int) -> Launch:
    (place / "config.yml").write_text(
        PYGEOAPI.format(
            port=port, layer=data.case.layer, bbox=", ".join(map(str, data.degrees)), host=data.socket,
            database=data.database, user=embedded.ROLE, view=f"{data.case.view}_4326",
        )
    )  # fmt: skip
    env = {"PYGEOAPI_CONFIG": str(place / "config.yml"), "PYGEOAPI_OPENAPI": str(place / "openapi.yml")}
    made = [str(PEERS / "bin" / "pygeoapi"), "openapi", "generate", env["PYGEOAPI_CONFIG"], "--output-file"]
    subprocess.run([*made, env["PYGEOAPI_OPENAPI"]], env=os.environ | env, check=True, capture_output=True)
    return _granian("pygeoapi.flask_app:APP", "wsgi", port), env, "/conformance"


def _tipg(name: str, data: Stored, style: Style, place: Path, port: int) -> Launch:
    env = {
        "DATABASE_URL": f"postgresql://{embedded.ROLE}@{quote(str(data.socket), safe='')}/{data.database}",
        "TIPG_DB_TABLES": f'["public.{data.case.view}"]',
        "TIPG_MAX_FEATURES_PER_QUERY": "10000", "TIPG_CATALOG_TTL": "0",
    }  # fmt: skip
    return _granian("tipg.main:app", "asgi", port), env, "/healthz"


def _granian(app: str, interface: str, port: int) -> list[str]:
    """Both run under the server ours runs under."""
    command = [str(PEERS / "bin" / "granian"), "--interface", interface, "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", str(PROCESSES), "--log-level", "error"]
    return [*command, "--blocking-threads", "2", app] if interface == "wsgi" else [*command, app]


COMMANDS = {"gisgrid": _gisgrid, "mapserver": _mapserver, "pygeoapi": _pygeoapi, "tipg": _tipg}
