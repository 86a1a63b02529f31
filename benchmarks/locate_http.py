"""GET /api/v1/locate under load, beside the least endpoint that asks PostGIS per request.

    python benchmarks/locate_http.py [--grids sample,105000] [--workers 1,2] [--connections 1,16,64] [--seconds 3]

Both run under Granian on this machine, one after the other, on the same database (a private cluster in a temporary
folder): the sample district, and a made layer of 105,000 jagged grids of 40 corners. Points are random in the bounds
of the grids, connections are kept alive, one request is under way on each. The peer runs with the server options of
`gisgrid serve` and with two threads, and its better figure counts. Last, locate is measured while four clients ask for
pages of 1,000 grids without pause. The load comes from `wrk` where it is installed (Debian has it), else from
`_load.py`; either takes processor time from the servers, so more processors show more.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from api.cli.serving import THREADS  # noqa: E402
from benchmarks import _locate_http_layers as layers  # noqa: E402
from data import embedded  # noqa: E402

POINTS = 20_000
WRK_SCRIPT = """
local asked = {}
for line in io.lines(os.getenv("PATHS")) do
  asked[#asked + 1] = "GET " .. line .. " HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n"
end
local turn = 0
request = function() turn = turn % #asked + 1; return asked[turn] end
done = function(summary, latency)
  local failed = summary.errors
  io.write(string.format('{"requests": %d, "seconds": %f, "errors": %d, "p50": %f, "p99": %f}\\n', summary.requests,
    summary.duration / 1e6, failed.connect + failed.read + failed.write + failed.status + failed.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""


class Figure(NamedTuple):
    """What one run of the load measured; latencies in milliseconds."""

    rate: float
    p50: float
    p99: float
    errors: int

    def __str__(self) -> str:
        return f"{self.rate:8,.0f} req/s  p50 {self.p50:7.2f} ms  p99 {self.p99:7.2f} ms  errors {self.errors}"


class Service(NamedTuple):
    """A server under test."""

    name: str
    path: str
    command: list[str]


def ours(port: int, workers: int) -> Service:
    command = [sys.executable, "-m", "api.cli", "serve", "--quiet", "--port", str(port), "--workers", str(workers)]
    return Service("gisgrid serve", "/api/v1/locate", command)


def peer(port: int, workers: int, threads: int) -> Service:
    script = str(ROOT / "benchmarks" / "_locate_http_peer.py")
    name = f"Flask + PostGIS, {threads} threads"
    return Service(name, "/locate", [sys.executable, script, str(port), str(workers), str(threads)])


@contextmanager
def running(service: Service, port: int, url: str, home: Path) -> Iterator[None]:
    """The server up and answering; ended with all its workers afterwards."""
    own = {"GISGRID_DATABASE_URL": url, "GISGRID_HOME": str(home), "GISGRID_ANONYMOUS": "viewer"}
    env = os.environ | own | {"PYTHONPATH": str(ROOT)}
    log = (home / "server.log").open("w")
    process = subprocess.Popen(service.command, env=env, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for(port, f"{service.path}?lon=116.4&lat=35.4", process, home / "server.log")
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)
        log.close()


def wait_for(port: int, path: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        with suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60).read()
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"the server does not answer:\n{log.read_text()[-2000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def load(port: int, paths: Path, connections: int, seconds: float) -> Figure:
    """Keep the connections asking; a short run first, not counted."""
    if wrk := shutil.which("wrk"):
        script = paths.with_name("load.lua")
        script.write_text(WRK_SCRIPT)
        command = [wrk, "-t1", f"-c{connections}", f"-s{script}", f"http://127.0.0.1:{port}/"]
        env = os.environ | {"PATHS": str(paths)}
        subprocess.run([*command, "-d1s"], env=env, capture_output=True, check=True)
        told = subprocess.run([*command, f"-d{seconds:.0f}s"], env=env, capture_output=True, text=True, check=True)
    else:
        command = [sys.executable, str(ROOT / "benchmarks" / "_load.py"), str(port), str(paths), str(connections)]
        told = subprocess.run([*command, str(seconds)], capture_output=True, text=True, check=True)
    found = json.loads(told.stdout.splitlines()[-1])
    return Figure(found["requests"] / found["seconds"], found["p50"], found["p99"], found["errors"])


def ask_for(path: str, bounds: layers.Bounds, folder: Path) -> Path:
    """A file of requests for random points."""
    west, south, east, north = bounds
    rng = np.random.default_rng(1)
    lons, lats = rng.uniform(west, east, POINTS), rng.uniform(south, north, POINTS)
    file = folder / f"{path.strip('/').replace('/', '_')}.txt"
    file.write_text("".join(f"{path}?lon={lon:.7f}&lat={lat:.7f}\n" for lon, lat in zip(lons, lats, strict=True)))
    return file


def owners(port: int, paths: Path, count: int = 200) -> list[str | None]:
    """Owners of the first points, as the server tells them."""
    found = []
    for path in paths.read_text().split()[:count]:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            owner = json.loads(answer.read())["owner"]
        found.append(owner["code"] if isinstance(owner, dict) else owner)
    return found


@contextmanager
def slow_clients(port: int, count: int = 4) -> Iterator[list[int]]:
    """Clients that ask for large pages without pause; the number of pages they got."""
    over = threading.Event()
    got = [0]

    def ask() -> None:
        while not over.is_set():
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/grids?limit=1000", timeout=120).read()
            got[0] += 1

    clients = [threading.Thread(target=ask) for _ in range(count)]
    for client in clients:
        client.start()
    try:
        time.sleep(1)
        yield got
    finally:
        over.set()
        for client in clients:
            client.join()


def bench(url: str, bounds: layers.Bounds, home: Path, workers: int, connections: list[int], seconds: float) -> None:
    port = free_port()
    figures: dict[str, dict[int, Figure]] = {}
    told: list[list[str | None]] = []
    for service in (ours(port, workers), peer(port, workers, THREADS), peer(port, workers, 2)):
        paths = ask_for(service.path, bounds, home)
        with running(service, port, url, home):
            told.append(owners(port, paths))
            figures[service.name] = {count: load(port, paths, count, seconds) for count in connections}
    if told[0] != told[1]:
        raise SystemExit("the two services do not name the same owners")
    own, *peers = figures
    for count in connections:
        best = max(figures[name][count].rate for name in peers)
        for name in figures:
            ratio = f"  ours ×{figures[own][count].rate / best:.1f}" if name == own else ""
            head = f"{workers} worker{'s' * (workers > 1)}, {count:3d} connections"
            print(f"  {head:<27} {name:<28} {figures[name][count]}{ratio}")


def beside_slow_requests(url: str, bounds: layers.Bounds, home: Path, seconds: float) -> None:
    port = free_port()
    service = ours(port, 1)
    paths = ask_for(service.path, bounds, home)
    with running(service, port, url, home):
        alone = load(port, paths, 8, seconds)
        begun = time.monotonic()
        with slow_clients(port) as pages:
            crowded = load(port, paths, 8, seconds)
            rate = pages[0] / (time.monotonic() - begun)
    print(f"  locate alone, 8 connections                        {alone}")
    print(f"  locate while 4 clients ask for pages of 1,000 grids {crowded}   ({rate:.1f} pages/s)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grids", default="sample,105000")
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--connections", default="1,16,64")
    parser.add_argument("--seconds", type=float, default=3)
    asked = parser.parse_args()
    connections = [int(text) for text in asked.connections.split(",")]
    print(f"{len(os.sched_getaffinity(0))} processors; load from {shutil.which('wrk') or 'benchmarks/_load.py'}")
    home = Path(tempfile.mkdtemp(prefix="gisgrid-bench-"))
    try:
        with embedded.running(embedded.cluster_at(home)) as cluster:
            for name in asked.grids.split(","):
                begun = time.monotonic()
                url, grids, bounds = layers.make(cluster, home, None if name == "sample" else int(name))
                print(f"\n{grids:,} grids, loaded and published in {time.monotonic() - begun:.0f} s")
                for workers in map(int, asked.workers.split(",")):
                    bench(url, bounds, home, workers, connections, asked.seconds)
                beside_slow_requests(url, bounds, home, asked.seconds)
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
