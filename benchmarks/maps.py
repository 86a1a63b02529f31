"""WMS, OGC API Features and vector tiles beside MapServer, pygeoapi and tipg, on the same PostGIS and data.

    python benchmarks/maps.py [--cases a,b,c,d] [--only wms,features,tiles] [--peers mapserver,pygeoapi,tipg]
                              [--seconds 3] [--repeats 3] [--connections 2] [--home DIR] [--keep-pictures DIR]

Cases: a 900 grids, b 105,000 grids (40 corners each), c 48,000 city components, d a million reports. WMS: 1024 × 768
PNG in EPSG:3857, random windows of about 50 features (the same for all) and everything; classes, colours and labels
are ours, for MapServer written into a mapfile. Features (case b): pages of 1,000 polygons and random boxes of about
300, each asked once of servers just started; then the first page, the deepest and the boxes again and again. Tiles
(case b): z14, each asked once of servers just started, then again. The servers of a
case run together and are asked in turns; medians over the repeats are printed. ``--home`` keeps the databases for the
next run. ``--peers mapserver+fgb`` lets MapServer read a FlatGeobuf file in place of PostGIS; ``--peers none`` measures
ours alone, ``--no-ours`` the peers. Peers that are not installed are named and left out.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import _maps_checks as checks  # noqa: E402
from benchmarks import _maps_data as made  # noqa: E402
from benchmarks._maps_peers import Server, missing, serving  # noqa: E402
from data import embedded  # noqa: E402
from layers.styles import styles  # noqa: E402

KINDS = {"wms": ("mapserver", "mapserver+fgb"), "features": ("pygeoapi", "tipg"), "tiles": ("tipg",)}
WINDOWS, FEATURES, PAGE, IN_BOX, TILES, ZOOM = 200, 50, 1000, 300, 600, 14
LONG = 1e6
WORLD = 20037508.342789244
Paths = dict[str, list[str]]


class Figure(NamedTuple):
    """What one run measured: requests a second, milliseconds, mean bytes of an answer."""

    rate: float
    p50: float
    p99: float
    size: float
    errors: int


def load(
    server: Server, paths: list[str], asked: argparse.Namespace, folder: Path, *, seconds: float = 0, once: bool = False
) -> Figure:
    file = folder / "paths.txt"
    file.write_text("\n".join(paths))
    script = str(ROOT / "benchmarks" / "_maps_load.py")
    command = [sys.executable, script, str(server.port), str(file), str(asked.connections)]
    command.append(str(seconds or asked.seconds))
    told = subprocess.run([*command, *(["--once"] if once else [])], capture_output=True, text=True, check=True)
    got = json.loads(told.stdout)
    return Figure(
        got["requests"] / got["seconds"], got["p50"], got["p99"], got["bytes"] / max(got["requests"], 1), got["errors"]
    )


def compare(
    title: str, servers: list[Server], paths: Paths, asked: argparse.Namespace, folder: Path, *, once: float = 0
) -> None:
    """Ask the servers in turns and print what they did; ``once``: every path a single time, for so many seconds."""
    rounds: dict[str, list[Figure]] = {server.name: [] for server in servers}
    for turn in range(1 if once else asked.repeats):
        for server in servers if turn % 2 == 0 else servers[::-1]:
            if not once and turn == 0:
                server.get(paths[server.name][0])
            rounds[server.name].append(load(server, paths[server.name], asked, folder, seconds=once, once=bool(once)))
    rates = {name: statistics.median(figure.rate for figure in figures) for name, figures in rounds.items()}
    ours = rates.get("gisgrid")
    for name, figures in rounds.items():
        p50, p99, size = (statistics.median(figure[k] for figure in figures) for k in (1, 2, 3))
        errors = sum(figure.errors for figure in figures)
        beside = f"  ours ×{ours / rates[name]:.1f}" if ours and name != "gisgrid" else ""
        print(
            f"  {title:<34} {name:<14} {rates[name]:8,.1f} req/s  p50 {p50:8.2f} ms  p99 {p99:8.2f} ms  "
            f"{size / 1000:8,.1f} kB  errors {errors}{beside}",
            flush=True,
        )


def wms(data: made.Stored, servers: list[Server], asked: argparse.Namespace, folder: Path) -> None:
    def paths(boxes: Iterable[made.Box]) -> Paths:
        head = f"/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&LAYERS={data.case.layer}&STYLES=&CRS=EPSG:3857"
        tail = "&WIDTH=1024&HEIGHT=768&FORMAT=image/png"
        every = [f"{head}&BBOX={','.join(f'{value:.3f}' for value in box)}{tail}" for box in boxes]
        return {server.name: every for server in servers}

    near, far = paths(made.windows(data, FEATURES, WINDOWS)), paths([made.whole(data)])
    for title, views in (("zoomed in", near), ("everything", far)):
        stem = f"{data.case.name}-{title.replace(' ', '-')}"
        checks.same_pictures(servers, views, asked.keep_pictures, stem, colours=data.case.layer == "grids")
        compare(f"WMS {title}", servers, views, asked, folder)


def items(server: Server, data: made.Stored) -> str:
    if server.name == "gisgrid":
        return f"/ogc/collections/{data.case.layer}/items?f=json"
    if server.name == "pygeoapi":
        return f"/collections/{data.case.layer}/items?f=json"
    return f"/collections/public.{data.case.view}/items?f=geojson"


def features(data: made.Stored, servers: list[Server], asked: argparse.Namespace, folder: Path) -> None:
    first: Paths = {server.name: [f"{items(server, data)}&limit={PAGE}"] for server in servers}
    deepest = (data.count - 1) // PAGE * PAGE - PAGE  # the last page that is full
    every = {
        server.name: [f"{items(server, data)}&limit={PAGE}&offset={at}" for at in range(0, data.count, PAGE)]
        for server in servers
    }
    boxes = [made.in_degrees(box) for box in made.windows(data, IN_BOX, WINDOWS, ratio=1.0)]
    within = {
        server.name: [f"{items(server, data)}&limit={PAGE}&bbox={','.join(f'{v:.7f}' for v in box)}" for box in boxes]
        for server in servers
    }
    if ours := next((server for server in servers if server.name == "gisgrid"), None):
        with serving(ours.name, data, styles(made.BAND)[data.case.layer], folder) as other:  # nothing is kept by ours
            every[ours.name], ids = checks.walk(other, first[ours.name][0])
        if len({one for page in ids for one in page}) != data.count:
            raise SystemExit("our pages do not hold every feature once")
    order = np.random.default_rng(3).permutation(len(every[servers[0].name]))
    mixed = {name: [pages[k] for k in order] for name, pages in every.items()}
    compare("Features pages, each once", servers, mixed, asked, folder, once=3 * asked.seconds)
    deep = {name: [pages[deepest // PAGE]] for name, pages in every.items()}
    compare("Features boxes, each once", servers, within, asked, folder, once=3 * asked.seconds)
    for title, paths in (("first page", first), ("deep page", deep), ("box of 300", within)):
        told = {server.name: sorted(checks.ids(server.get(paths[server.name][0]))) for server in servers}
        if any(found != told[servers[0].name] for found in told.values()):
            raise SystemExit(f"{title}: the servers do not hand out the same features")
        print(f"    {title}: {len(told[servers[0].name])} features, the same from all")
        compare(f"Features {title} again", servers, paths, asked, folder)


def tiles(data: made.Stored, servers: list[Server], asked: argparse.Namespace, folder: Path) -> None:
    side = 2 * WORLD / 2**ZOOM
    west, south, east, north = data.box
    columns = np.arange(int((west + WORLD) / side) + 1, int((east + WORLD) / side))
    rows = np.arange(int((WORLD - north) / side) + 1, int((WORLD - south) / side))
    every = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
    chosen = np.random.default_rng(2).permutation(every)[:TILES].tolist()
    at: dict[str, Callable[[int, int], str]] = {
        "gisgrid": lambda x, y: f"/ogc/collections/{data.case.layer}/tiles/WebMercatorQuad/{ZOOM}/{y}/{x}?f=mvt",
        "tipg": lambda x, y: f"/collections/public.{data.case.view}/tiles/WebMercatorQuad/{ZOOM}/{x}/{y}",
    }
    paths = {server.name: [at[server.name](x, y) for x, y in chosen] for server in servers}
    compare(f"Tiles z{ZOOM} cold, each once", servers, paths, asked, folder, once=LONG)
    for server in servers:  # every process has them afterwards
        load(server, paths[server.name] * 3, asked, folder, seconds=LONG, once=True)
    compare(f"Tiles z{ZOOM} again", servers, paths, asked, folder)


def bench(data: made.Stored, kind: str, names: list[str], asked: argparse.Namespace, folder: Path) -> None:
    style = styles(made.BAND)[data.case.layer]
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(name, data, style, folder)) for name in names]
        {"wms": wms, "features": features, "tiles": tiles}[kind](data, servers, asked, folder)
        used = "; ".join(f"{server.name} {server.memory():,.0f} MB" for server in servers)
    print(f"    memory after it, without PostgreSQL: {used}", flush=True)


def chosen_peers(asked: argparse.Namespace) -> list[str]:
    found = []
    for name in asked.peers.split(",") if asked.peers != "none" else []:
        if lacking := missing(name.split("+")[0]):
            print(f"{name} is left out: {lacking}")
        else:
            found.append(name)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", default="a,b,c,d")
    parser.add_argument("--only", default="wms,features,tiles")
    parser.add_argument("--peers", default="mapserver,pygeoapi,tipg")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--home", type=Path, help="folder that keeps the databases for the next run")
    parser.add_argument("--keep-pictures", type=Path, help="folder for one picture of every server and view")
    parser.add_argument("--no-ours", action="store_true")
    asked = parser.parse_args()
    peers = chosen_peers(asked)
    print(f"{len(os.sched_getaffinity(0))} processors, load average {os.getloadavg()[0]:.1f}")
    home = asked.home or Path(tempfile.mkdtemp(prefix="gisgrid-bench-"))
    folder = Path(tempfile.mkdtemp(prefix="gisgrid-maps-"))
    try:
        with embedded.running(embedded.cluster_at(home)) as cluster:
            for case in (made.CASES[name] for name in asked.cases.split(",")):
                data = made.stored(cluster, home, case)
                print(f"\n{case.title}")
                for kind in asked.only.split(","):
                    if kind != "wms" and case.name != "b":
                        continue
                    names = [] if asked.no_ours else ["gisgrid"]
                    if names := [*names, *[name for name in peers if name in KINDS[kind]]]:
                        bench(data, kind, names, asked, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if asked.home is None:
            shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
