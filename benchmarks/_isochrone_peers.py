"""Peers of the isochrone benchmark: the ego-graph way of OSMnx, plain and with our search, and Valhalla.

The ego-graph way is that of OSMnx's examples (notebook 13, "Isolines and isochrones"): take the subgraph within the
limit, buffer its streets, unite the buffers. Valhalla is run from the binaries inside its PyPI wheel, which needs no
matching Python; where the wheel cannot be had or does not run, its line says why.
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from planning.network import Network
from planning.reach import search_from
from planning.reach.snapping import Snapped

BUFFER_METRES = 50.0
WHEEL = ("pyvalhalla", "--python-version", "3.12", "--platform", "manylinux_2_28_x86_64")
WAIT_SECONDS = 20.0


def fair_ego_way(network: Network, lines: Any, place: Snapped, limit_cm: int) -> Any:
    """Buffers of the streets reached at both ends, united; the search is ours, so that only polygons are compared."""
    reached = ~np.isnan(search_from(network, place, limit=limit_cm).node_costs())
    chosen = lines[reached[network.edge_from] & reached[network.edge_to]]
    return shapely.union_all(shapely.buffer(chosen, BUFFER_METRES)) if len(chosen) else None


def osmnx_graph(network: Network, lines: Any) -> Any:
    """The network as OSMnx holds it; None without OSMnx or NetworkX."""
    try:
        import networkx as nx
        import osmnx  # noqa: F401 - the way of its examples needs it
    except ImportError:
        return None
    graph = nx.MultiDiGraph(crs=network.crs)
    graph.add_nodes_from((int(v), {"x": network.x[v], "y": network.y[v]}) for v in range(network.nodes))
    for e in range(network.edges):
        ends = int(network.edge_from[e]), int(network.edge_to[e])
        for u, v in {ends, ends[::-1]}:
            graph.add_edge(u, v, length=network.edge_cm[e] / 100, geometry=lines[e])
    return graph


def osmnx_way(graph: Any, network: Network, place: Snapped, limit_cm: int) -> Any:
    """As the notebook: `networkx.ego_graph` from the nearest node, edges to a frame, buffered and united."""
    import networkx as nx
    import osmnx as ox

    node = int(network.edge_from[place.edge[0]])
    part = nx.ego_graph(graph, node, radius=limit_cm / 100, distance="length")
    if not part.number_of_edges():
        return None
    edges = ox.convert.graph_to_gdfs(part, nodes=False, fill_edge_geometry=True)
    return edges.geometry.buffer(BUFFER_METRES).union_all()


class Valhalla:
    """A running Valhalla service on tiles of one extract."""

    def __init__(self, connection: http.client.HTTPConnection, crs: str) -> None:
        self.connection, self.crs = connection, crs

    def ask(self, path: str, body: dict[str, Any]) -> bytes:
        """The answer to a request."""
        self.connection.request("POST", path, json.dumps(body).encode())
        return self.connection.getresponse().read()

    def polygon(self, lon: float, lat: float, minutes: float, metres_per_second: float) -> tuple[float, Any]:
        """(seconds until the answer was there, its polygon in the metric CRS)."""
        body = {
            "locations": [{"lat": lat, "lon": lon}],
            "costing": "pedestrian",
            "costing_options": {"pedestrian": {"walking_speed": 3.6 * metres_per_second}},
            "contours": [{"time": minutes}],
            "polygons": True,
            "generalize": 0,
            "denoise": 0,
        }
        start = time.perf_counter()
        answer = self.ask("/isochrone", body)
        taken = time.perf_counter() - start
        features = json.loads(answer).get("features")
        if not features:
            return taken, None
        shapes = gpd.GeoDataFrame.from_features(features, crs="EPSG:4326").to_crs(self.crs).geometry
        return taken, shapely.make_valid(shapely.union_all(shapely.make_valid(shapes.to_numpy())))


@contextmanager
def valhalla(osm: Path, folder: Path, crs: str) -> Iterator[Valhalla | str]:
    """Valhalla on an extract, everything in ``folder``; or why there is none."""
    try:
        binaries = _binaries(folder)
        config = _tiles(binaries, osm, folder)
    except (OSError, subprocess.SubprocessError, zipfile.BadZipFile, ValueError) as error:
        said = getattr(error, "stderr", None) or error
        yield " ".join(str(said).split())[-160:]
        return
    with (folder / "service.log").open("w") as log:
        service = subprocess.Popen([binaries / "bin" / "valhalla_service", config, "1"], stdout=log, stderr=log)
    try:
        server = _connected(service, config)
        yield "its service did not start" if server is None else Valhalla(server, crs)
    finally:
        service.terminate()
        service.wait()


def _binaries(folder: Path) -> Path:
    """The package folder of Valhalla's wheel, unpacked."""
    if not (folder / "valhalla" / "bin").exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*pip, "--dest", folder, *WHEEL], check=True, capture_output=True, text=True)
        with zipfile.ZipFile(next(folder.glob("pyvalhalla-*.whl"))) as wheel:
            wheel.extractall(folder)
        for program in (folder / "valhalla" / "bin").iterdir():
            program.chmod(0o755)
    return folder / "valhalla"


def _tiles(binaries: Path, osm: Path, folder: Path) -> Path:
    """Build the routing tiles; returns the configuration."""
    pbf = osm
    if osm.suffix != ".pbf":
        import osmium

        pbf = folder / f"{osm.stem}.osm.pbf"
        with osmium.SimpleWriter(str(pbf), overwrite=True) as writer:
            for thing in osmium.FileProcessor(str(osm)):
                writer.add(thing)
    tiles = folder / f"tiles-{osm.stem}"
    tiles.mkdir(exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    names = ("httpd-service-loopback", "httpd-service-interrupt", "loki-service-proxy", "thor-service-proxy")
    options = [part for name in (*names, "odin-service-proxy") for part in (f"--{name}", f"ipc://{tiles}/{name}")]
    made = subprocess.run(
        [sys.executable, binaries / "valhalla_build_config.py", "--mjolnir-tile-dir", tiles,
         "--httpd-service-listen", f"tcp://127.0.0.1:{port}", *options],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    config = json.loads(made.stdout)
    for absent in ("tile_extract", "admin", "timezone", "traffic_extract"):
        config["mjolnir"].pop(absent, None)
    path = tiles / "valhalla.json"
    path.write_text(json.dumps(config))
    subprocess.run(
        [binaries / "bin" / "valhalla_build_tiles", "-c", path, pbf], check=True, capture_output=True, text=True
    )
    return path


def _connected(service: subprocess.Popen[bytes], config: Path) -> http.client.HTTPConnection | None:
    """A connection to the service once it answers."""
    port = int(json.loads(config.read_text())["httpd"]["service"]["listen"].rpartition(":")[2])
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until and service.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS)
        try:
            connection.request("GET", "/status")
            connection.getresponse().read()
            return connection
        except OSError:
            time.sleep(0.2)
    return None
