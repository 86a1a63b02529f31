"""Compile the kernels of reach now, so that nobody waits for them later."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from planning.network import build_network
from planning.reach.routes import route
from planning.reach.sets import reach_sets
from planning.reach.several import nearest_by_category, nearest_several
from planning.reach.snapping import snap


def warm() -> None:
    """Compile, or load from the cache, every kernel of the searches between places."""
    lines = shapely.linestrings([[[0, 0], [0, 50]], [[0, 50], [80, 50]], [[80, 50], [80, 0]]])
    network = build_network(gpd.GeoDataFrame(geometry=lines, crs="EPSG:4548"))
    places = snap(network, np.array([[1.0, 10.0], [70.0, 50.0]]))
    category = np.zeros(2, np.int32)
    nearest_by_category(network, places, category, 1, places)
    nearest_several(network, places, category, places, 2)
    reach_sets(network, places, places, 50_000)
    route(network, places.take(np.array([0])), places.take(np.array([1])))
