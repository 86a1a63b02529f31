"""Rows of a batch that say where they are in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from api.known_addresses import KnownAddresses
from api.locate.rows import Rows
from data.in_force import InForce
from gisgrid.crs import STORAGE_CRS
from gisgrid.errors import BadInput
from gisgrid.limits import ACCURACY_METRES_MAX, LOCATE_ADDRESSES_MAX
from gisgrid.locate.points import NO_FAULT, UNKNOWN_ADDRESS, UNSURE_ADDRESS


def place_addresses(rows: Rows, known: KnownAddresses, found: InForce) -> Rows:
    """The rows with coordinates for those that have an address alone and may be used without asking.

    The others keep a fault: the address is not known, or not sure. Raises BadInput for more than
    `LOCATE_ADDRESSES_MAX` addresses, NotFound while none are stored.
    """
    if rows.addresses is None:
        return rows
    wanted = [row for row, text in enumerate(rows.addresses) if text]
    if len(wanted) > LOCATE_ADDRESSES_MAX:
        raise BadInput(f"{len(wanted):,} rows have an address alone; send at most {LOCATE_ADDRESSES_MAX:,} at a time")
    x, y, faults, system = rows.x.copy(), rows.y.copy(), rows.faults.copy(), rows.system.copy()
    accuracy = np.full(len(x), np.nan) if rows.accuracy is None else rows.accuracy.copy()
    meant: list[str | None] = [None] * len(x)
    for row in wanted:
        faults[row] = UNKNOWN_ADDRESS
        try:
            matches = known.find(rows.addresses[row] or "", 1, found)
        except BadInput:  # no address at all: empty, control characters, too long
            continue
        if not matches:
            continue
        match = matches[0][0]
        meant[row], faults[row] = match.full, UNSURE_ADDRESS
        if match.confident:
            x[row], y[row], faults[row], system[row] = match.lon, match.lat, NO_FAULT, len(rows.systems)
            accuracy[row] = accuracy[row] if accuracy[row] > 0 else min(max(match.accuracy, 1.0), ACCURACY_METRES_MAX)
    systems = [*rows.systems, STORAGE_CRS]
    return replace(rows, x=x, y=y, faults=faults, systems=systems, system=system, accuracy=accuracy, meant=meant)
