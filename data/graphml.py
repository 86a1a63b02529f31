"""Graphs saved by OSMnx (``.graphml``): as they are, and as a street layer for whatever takes streets."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gisgrid.errors import BadInput

COLUMNS: Final = ("name", "highway", "bridge", "tunnel", "layer")


def read_graphml(path: str | Path) -> Any:
    """The ``MultiDiGraph`` that ``osmnx.save_graphml`` wrote. Raises BadInput: no such file, damaged, not OSMnx's."""
    file = Path(path)
    if not file.is_file():
        raise BadInput(f"{file}: no such file", path=str(file))
    import networkx as nx  # slow to import, and rarely needed
    import osmnx

    try:
        graph = osmnx.load_graphml(file)
    except PermissionError:
        raise
    except (SyntaxError, ValueError, KeyError, TypeError, AttributeError, OSError, nx.NetworkXException) as error:
        raise BadInput(f"{file}: not a graph saved by OSMnx, or a damaged one", path=str(file)) from error
    if graph.graph.get("crs") is None or not graph.number_of_edges():
        raise BadInput(f"{file}: the graph names no coordinate system or has no streets", path=str(file))
    return graph


def streets_of_graph(graph: Any) -> gpd.GeoDataFrame:
    """The streets of an OSMnx graph in its CRS, a row a street whichever ways it runs: street_id, name, highway,
    oneway, bridge, tunnel, layer, speed (km/h), geometry.

    Where several values were joined in simplifying, the first counts; nothing of a simplified graph is a bridge or
    tunnel, for only a part of the street may be one.
    """
    import osmnx

    edges = osmnx.graph_to_gdfs(graph, nodes=False, fill_edge_geometry=True).reset_index()
    shapes = edges.geometry.to_numpy()
    normal = shapely.normalize(shapes)
    form = pd.Series(shapely.to_wkb(normal), dtype=object)
    along = shapely.to_wkb(shapes) == form.to_numpy(object)
    group = pd.factorize(form)[0]
    ways = pd.DataFrame({"group": group, "along": along}).groupby("group")["along"].agg(["min", "max"])
    first = np.flatnonzero(~pd.Series(group).duplicated().to_numpy())
    rows = edges.iloc[first].reset_index(drop=True)
    columns: dict[str, Any] = {
        name: rows[name].map(_first) if name in rows else pd.Series([None] * len(rows), dtype=object)
        for name in COLUMNS
    }
    if graph.graph.get("simplified"):
        columns |= {name: np.zeros(len(rows), bool) for name in ("bridge", "tunnel")}
    speed = pd.to_numeric(rows["speed_kph"], errors="coerce") if "speed_kph" in rows else np.full(len(rows), np.nan)
    return gpd.GeoDataFrame(
        {
            "street_id": [f"e{row + 1}" for row in range(len(rows))],
            **columns,
            "oneway": (ways["min"] == ways["max"]).to_numpy(bool)[group[first]],
            "speed": speed,
        },
        geometry=rows.geometry.to_numpy(),
        crs=edges.crs,
    )


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value
