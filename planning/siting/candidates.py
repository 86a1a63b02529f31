"""Where new sites may stand: places given, street corners, vacant units."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from gisgrid.limits import SITING_CANDIDATES_MAX
from planning.network import Network

SPACING: Final = 100.0
"""Usual distance between street corners taken as candidates, in metres."""
_IDS: Final = ("candidate_id", "candidate", "unit_id", "facility_id", "building_id", "id")


@dataclass(frozen=True)
class Candidates:
    """Candidate sites: what they are called, and (n, 2) metres in the network's CRS. ``kind``: given, corner, unit."""

    ids: NDArray[np.object_]
    xy: NDArray[np.float64]
    kind: str

    def __len__(self) -> int:
        return len(self.ids)


def given(layer: gpd.GeoDataFrame, network: Network, *, kind: str = "given") -> Candidates:
    """The rows of a layer; shapes other than points by a point inside. Names come from the first column of
    candidate_id, unit_id, facility_id … there is, else they are row numbers. Raises BadInput for an empty layer.
    """
    if not len(layer):
        raise BadInput("the candidates layer is empty; give points, or ask for corners")
    shapes = to_metric(layer[[layer.geometry.name]], network.crs).geometry.to_numpy()
    points = shapely.point_on_surface(shapes)
    column = next((name for name in _IDS if name in layer), None)
    ids = np.arange(1, len(layer) + 1).astype(str) if column is None else layer[column].astype(str).to_numpy()
    xy = np.column_stack([shapely.get_x(points), shapely.get_y(points)])
    return _capped(Candidates(ids.astype(object), xy, kind))


def corners(network: Network, *, spacing: float = SPACING) -> Candidates:
    """Junctions of three streets or more one may stop at, none nearer than ``spacing`` metres to one taken before.

    They are taken in the network's node order. Raises BadInput for a spacing that is not above 0 and when there is no
    junction.
    """
    if not (math.isfinite(spacing) and spacing > 0):
        raise BadInput(f"spacing {spacing} m is not above 0; give metres, for example corners:100")
    meet = np.bincount(np.concatenate([network.edge_from, network.edge_to]), minlength=network.nodes)
    usable = network.edge_open & network.component_used[network.edge_component]
    stop = np.zeros(network.nodes, bool)
    stop[network.edge_from[usable]] = True
    stop[network.edge_to[usable]] = True
    nodes = np.flatnonzero((meet >= 3) & stop)
    if not len(nodes):
        raise BadInput("the streets have no junction of three or more; give candidates as a point layer")
    xy = np.column_stack([network.x[nodes], network.y[nodes]])
    kept = thinned(xy, spacing)
    names = np.array([f"corner-{node}" for node in nodes[kept].tolist()], object)
    return _capped(Candidates(names, xy[kept], "corner"))


def vacant_units(units: gpd.GeoDataFrame, network: Network) -> Candidates:
    """Units without households, by a point inside each. Raises BadInput when the column or such a unit is missing."""
    if "households" not in units:
        raise BadInput(f"the units layer has no column households, only {', '.join(map(str, units.columns))}")
    households = pd.to_numeric(units["households"], errors="coerce").fillna(0)
    vacant = units[(households == 0).to_numpy()]
    if not len(vacant):
        raise BadInput("every unit has households; there is no vacant one to build on")
    return given(vacant, network, kind="unit")


def thinned(xy: NDArray[np.float64], spacing: float) -> NDArray[np.int64]:
    """Rows taken one after the other that are at least ``spacing`` from all rows taken before."""
    pairs = cKDTree(xy).query_pairs(spacing * (1 - 1e-12), output_type="ndarray")
    live, taken = np.ones(len(xy), bool), np.zeros(len(xy), bool)
    while live.any():
        # whoever has no live neighbour of lower number is taken; it silences its neighbours
        blocked = np.zeros(len(xy), bool)
        both = live[pairs[:, 0]] & live[pairs[:, 1]]
        blocked[pairs[both].max(axis=1)] = True
        now = live & ~blocked
        taken |= now
        live &= ~now
        near = now[pairs[:, 0]] | now[pairs[:, 1]]
        live[pairs[near].ravel()] = False
    return np.flatnonzero(taken)


def _capped(candidates: Candidates) -> Candidates:
    if len(candidates) > SITING_CANDIDATES_MAX:
        raise BadInput(
            f"{len(candidates):,} candidates are more than {SITING_CANDIDATES_MAX:,}; "
            "give fewer, or corners with a wider spacing"
        )
    return candidates


def candidates_of(what: Any, network: Network) -> Candidates:
    """Candidates from what a caller may give: a layer, or a spacing of street corners in metres."""
    if isinstance(what, gpd.GeoDataFrame):
        return given(what, network)
    return corners(network, spacing=float(what))
