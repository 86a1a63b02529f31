"""Networks of what is stored: built once from the streets in PostGIS, kept under the home folder, shared by all."""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import shapely
import sqlalchemy as sa

from data.networks import kept_file, state_of_streets, streets_around
from gisgrid.boxes import Box
from gisgrid.crs import STORAGE_CRS
from gisgrid.errors import BadInput
from gisgrid.limits import SNAP_METRES_MAX
from gisgrid.settings import Settings
from planning.network.build import BUILD, build_network
from planning.network.extent import streets_beyond
from planning.network.model import Network
from planning.network.modes import MODES
from planning.network.saving import VERSION, load_network, save_network

REACH_METRES: Final[dict[str, float]] = {"walk": 2_000.0, "bicycle": 6_000.0, "drive": 30_000.0}
"""How far around an area streets are taken when the caller does not say: over 15 minutes at any usual speed."""


def stored_network(
    connection: sa.Connection,
    settings: Settings,
    mode: str,
    box: Box,
    *,
    metres: float | None = None,
    nodes: str = "shared",
) -> Network:
    """The network of a box (west, south, east, north in degrees of EPSG:4490), from the streets stored now.

    Streets up to ``metres`` beyond the box are in it: give how far anybody goes within the time asked for, so that
    nobody inside is served too ill for a way that leads around outside (without it `REACH_METRES`; the leg to a street
    is added). ``edge_street`` is the row in `data.networks.streets_around` of the same box and metres.
    ``stats["streets_beyond"]`` says how far the stored streets reach (`planning.network.extent.extent_warning`).

    Raises BadInput for an unknown mode, a box that is none, or when there are no usable streets there.
    """
    if mode not in MODES:
        raise BadInput(f"unknown network mode {mode!r}; give one of {', '.join(MODES)}")
    reach = (REACH_METRES[mode] if metres is None else metres) + SNAP_METRES_MAX
    box = (float(box[0]), float(box[1]), float(box[2]), float(box[3]))
    key: dict[str, Any] = {
        "state": state_of_streets(connection, box, reach),
        "made": [BUILD, VERSION, mode, nodes, *(round(value, 7) for value in box), reach],
    }
    loaded: list[Network] = []

    def sound(data: bytes) -> bool:
        try:
            loaded.append(load_network(data))
        except BadInput:
            return False
        return True

    def make() -> bytes:
        streets, barriers = streets_around(connection, box, reach)
        if streets.empty:
            raise BadInput("no streets are stored there; import them first (gisgrid import osm FILE)")
        network = build_network(streets, mode=mode, nodes=nodes, barriers=barriers)
        area = gpd.GeoDataFrame(geometry=[shapely.box(*box)], crs=STORAGE_CRS)
        network.stats["streets_beyond"] = streets_beyond(streets, area)
        loaded.append(network)
        return save_network(network)

    kept_file(settings, key, make, sound)
    return loaded[-1]
