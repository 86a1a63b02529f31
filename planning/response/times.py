"""Who is first at every place, and who is second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planning.network import Network
from planning.reach import UNREACHED, Snapped, at_places, key_costs, key_labels, search_from

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

FIRST: Final = 0
SECOND: Final = 1


@dataclass(frozen=True)
class Times:
    """Cost in the network's unit (NaN: never) and row (-1) of the first and second station of places, each (n, 2)."""

    cost: Float64
    station: Int32


def two_first(network: Network, stations: Snapped, places: Snapped, *, limit: int) -> Times:
    """The two stations that reach each place soonest within ``limit``, along the network's own directions.

    Of stations equally soon the lower row is first. The second is exact without a search per station: it differs
    from the first in some bit of its row, so it is found among the stations that have that bit the other way;
    2 log2(stations) searches see every place's second.
    """
    keys = at_places(network, search_from(network, stations, limit=limit), places)
    first = key_labels(keys)
    second = np.full(len(places), UNREACHED, np.int64)
    row = np.arange(len(stations))
    for bit in range(max(int(len(stations) - 1).bit_length(), 0)):
        for side in (0, 1):
            here = (row >> bit) & 1 == side
            others = Snapped(np.where(here, stations.edge, -1), stations.offset, stations.access, stations.detached)
            asked = np.flatnonzero((first >= 0) & ((first >> bit) & 1 != side))
            if not len(asked) or not (here & stations.ok).any():
                continue
            found = at_places(network, search_from(network, others, limit=limit), places.take(asked))
            second[asked] = np.minimum(second[asked], found)
    both = np.stack([keys, second], axis=1)
    return Times(key_costs(both), key_labels(both))
