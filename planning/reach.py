"""Who reaches what: walking distance and time from every residence to the nearest facility.

Distances are whole centimetres inside (no rounding drift, equal on every machine), metres and seconds outside. A
distance has three parts: the straight leg from the residence to its street, the way along the streets, the straight
leg to the facility.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.errors import BadInput
from gisgrid.limits import SNAP_METRES_MAX
from planning.dial import NO_LIMIT, UNREACHED, Reached, finish, search
from planning.network import Network
from planning.snapping import SegmentIndex, Snapped, segment_index, snap

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

MINUTES_MAX: Final = 120.0
"""Longest walk a circle may be asked for, in minutes."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How somebody moves: the network they use and their speed in metres a second."""

    name: str
    mode: str
    metres_per_second: float


PROFILES: Final[dict[str, Profile]] = {
    "adult": Profile("adult", "walk", 1.1),
    "elderly": Profile("elderly", "walk", 0.8),
    "frail": Profile("frail", "walk", 0.65),
}
"""Walking speeds of the life-circle guides: adults, people of 65–74, the frail."""


@dataclass(frozen=True)
class Costs:
    """A finished search: the facilities it began from, sorted by edge, and one key per node (see `planning.dial`)."""

    key: Int64
    sources: Snapped
    labels: Int32
    limit_cm: int

    def reached(self, network: Network) -> Reached:
        """The search on its network, as the kernels of `planning.dial` take it."""
        sources = self.sources
        return Reached(
            self.key, network.edge_from, network.edge_to, network.edge_cm,
            sources.edge, sources.offset, sources.access, self.labels,
        )  # fmt: skip

    def node_metres(self) -> Float64:
        """Metres from the nearest facility to every node, NaN beyond the limit."""
        return key_metres(self.key)

    def node_nearest(self) -> Int32:
        """Row of the nearest facility of every node, -1 beyond the limit."""
        return key_labels(self.key)


def profile_of(name: str, *, metres_per_second: float | None = None) -> Profile:
    """The profile called ``name``, at another speed when one is given (the moment's speed). Raises BadInput."""
    if name not in PROFILES:
        raise BadInput(f"unknown profile {name!r}; give one of {', '.join(PROFILES)}")
    profile = PROFILES[name]
    if metres_per_second is None:
        return profile
    if not (math.isfinite(metres_per_second) and 0 < metres_per_second <= 60):
        raise BadInput(
            f"speed {metres_per_second} m/s is not between 0 and 60; give metres per second, for example 1.1"
        )
    return Profile(name, profile.mode, float(metres_per_second))


def minutes_cm(minutes: float, speed: float) -> int:
    """How many whole centimetres are walked in ``minutes`` at ``speed`` m/s.

    Raises BadInput outside 0 < minutes <= 120.
    """
    if not (math.isfinite(minutes) and 0 < minutes <= MINUTES_MAX):
        raise BadInput(
            f"{minutes:g} minutes is not above 0 and at most {MINUTES_MAX:g}; give minutes, for example 5,10,15"
        )
    return int(minutes * 60 * speed * 100 + 1e-6)


def search_from(network: Network, facilities: Snapped, *, limit_cm: int = NO_LIMIT) -> Costs:
    """Cost of every node to its nearest facility, at most ``limit_cm``.

    Facilities not on the network are left out.
    """
    rows = np.flatnonzero(facilities.ok)
    rows = rows[np.lexsort((rows, facilities.edge[rows]))]
    sources = facilities.take(rows)
    labels = rows.astype(np.int32)
    seeds = np.concatenate([network.edge_from[sources.edge], network.edge_to[sources.edge]])
    costs = np.concatenate(
        [sources.access + sources.offset, sources.access + network.edge_cm[sources.edge] - sources.offset]
    )
    key = search(
        network.indptr, network.neighbours, network.weights, seeds, costs, np.concatenate([labels, labels]), limit_cm
    )
    return Costs(key=key, sources=sources, labels=labels, limit_cm=limit_cm)


def at_places(network: Network, costs: Costs, places: Snapped) -> Int64:
    """Keys of places on the network, access legs included, `UNREACHED` beyond the limit or off the network."""
    out: Int64 = finish(costs.reached(network), places.edge, places.offset, places.access, costs.limit_cm)
    return out


def key_metres(key: Int64) -> Float64:
    """Metres of keys, NaN where not reached."""
    return np.where(key == UNREACHED, np.nan, (key >> 32) / 100.0)


def key_labels(key: Int64) -> Int32:
    """Facility rows of keys, -1 where not reached."""
    return np.where(key == UNREACHED, -1, key & 0xFFFFFFFF).astype(np.int32)


def nearest_metres(
    network: Network,
    facilities_xy: Float64,
    residences_xy: Float64,
    *,
    limit_metres: float | None = None,
    snap_metres: float = SNAP_METRES_MAX,
    index: SegmentIndex | None = None,
) -> tuple[Float64, Int32]:
    """Walking metres from each residence to its nearest facility, and that facility's row.

    Points are (n, 2) metres in ``network.crs``. NaN and -1 where no facility is within ``limit_metres`` or the
    residence is over ``snap_metres`` from every street. Of equally near facilities the lower row wins. Raises
    BadInput for a limit that is not positive.
    """
    index = index or segment_index(network)
    facilities = snap(network, facilities_xy, index=index, max_metres=snap_metres)
    residences = snap(network, residences_xy, index=index, max_metres=snap_metres)
    costs = search_from(network, facilities, limit_cm=_limit_cm(limit_metres))
    key = at_places(network, costs, residences)
    return key_metres(key), key_labels(key)


def nearest_seconds(
    network: Network,
    facilities_xy: Float64,
    residences_xy: Float64,
    *,
    profile: str = "adult",
    metres_per_second: float | None = None,
    limit_minutes: float = MINUTES_MAX,
    snap_metres: float = SNAP_METRES_MAX,
    index: SegmentIndex | None = None,
) -> tuple[Float64, Int32]:
    """As `nearest_metres`, in seconds at a profile's speed (or ``metres_per_second``) and limited in minutes."""
    speed = profile_of(profile, metres_per_second=metres_per_second).metres_per_second
    metres, nearest = nearest_metres(
        network,
        facilities_xy,
        residences_xy,
        limit_metres=minutes_cm(limit_minutes, speed) / 100,
        snap_metres=snap_metres,
        index=index,
    )
    return metres / speed, nearest


def _limit_cm(limit_metres: float | None) -> int:
    if limit_metres is None:
        return NO_LIMIT
    if not limit_metres > 0:
        raise BadInput(f"limit {limit_metres} m is not positive; give metres, for example 1000")
    return int(min(limit_metres * 100 + 1e-6, NO_LIMIT))
