"""The streets of the area as networks in memory, with the facilities on them: for questions answered on the spot.

One network a mode and process, built (or read from where another process kept it) by the request that needs it first,
and anew once newer streets, gates or grids are there; facilities are put on it anew once newer ones are. Memory: about
0.2 kB a street segment, 110 MB for 540,000 of them, for each mode asked for.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import sqlalchemy as sa
from numpy.typing import NDArray

from data import tables as t
from data.code_tables import facility_categories
from data.plans import generation_of
from gisgrid.boxes import Box
from gisgrid.errors import BadInput, Broken, NotFound
from gisgrid.settings import Settings
from planning.circles.inputs import Places, placed, repeated
from planning.network import MODES, Network, reverse
from planning.reach import SegmentIndex, segment_index
from planning.workflow_circles import area_box, stored_facilities
from planning.workflow_networks import stored_network

CHECK_SECONDS: Final = 1.0
"""How long a new import may go unnoticed."""
WAIT_SECONDS: Final = 2.0
"""How long a request waits for another that builds the network; then it is told to come back."""
STREET_LAYERS: Final = ("streets", "barriers")


@dataclass(frozen=True)
class Streets:
    """The streets of the area for one mode.

    ``there`` is the network turned round, for searches that begin at facilities people go to. ``category``: the row of
    each facility's category in ``categories``, -1 for a facility given twice or of no category.
    """

    generation: int
    box: Box
    network: Network
    there: Network
    index: SegmentIndex
    facilities: gpd.GeoDataFrame
    places: Places
    category: NDArray[np.int32]
    categories: pd.DataFrame
    version: tuple[int, int]


@dataclass
class _Held:
    lock: threading.Lock = field(default_factory=threading.Lock)
    streets: Streets | None = None
    checked: float = -CHECK_SECONDS


class HeldStreets:
    """Keeps the networks asked for; newer ones are built beside them and swapped in whole."""

    def __init__(self, engine: sa.Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._held = {mode: _Held() for mode in MODES}

    def get(self, mode: str) -> Streets:
        """The streets of a mode as they are stored (an import is noticed within `CHECK_SECONDS`).

        While they are built anew, others are answered from those before; where there are none, Broken (503) is raised
        after `WAIT_SECONDS`. Raises NotFound before the first publish and where no usable streets are stored.
        """
        held = self._held[mode]
        if held.streets is not None and time.monotonic() - held.checked < CHECK_SECONDS:
            return held.streets
        if not held.lock.acquire(timeout=0 if held.streets else WAIT_SECONDS):
            if held.streets is not None:
                return held.streets
            raise Broken("the streets of the area are being read; try again in a moment", code="busy")
        try:
            if held.streets is None or time.monotonic() - held.checked >= CHECK_SECONDS:
                held.streets = self._newest(mode, held.streets)
                held.checked = time.monotonic()
            return held.streets
        finally:
            held.lock.release()

    def _newest(self, mode: str, known: Streets | None) -> Streets:
        with self._engine.connect() as connection:
            connection.execution_options(isolation_level="REPEATABLE READ")
            since, box = generation_of(connection), area_box(connection)
            version = (_newest_import(connection, STREET_LAYERS), _newest_import(connection, ("facilities",)))
            generation = since.id if since else 0
            if known is not None and (known.version, known.generation) == (version, generation):
                return known
            if known is not None and (known.version[0], known.box) == (version[0], box):
                network, index = known.network, known.index
            else:
                network = self._network(connection, mode, box)
                index = segment_index(network)
            facilities = stored_facilities(connection, mode, box)
        places = placed(network, index, facilities) if len(facilities) else _none(network, index)
        categories = facility_categories(self._settings)
        numbers: Any = facilities["category"].map({name: row for row, name in enumerate(categories["category"])})
        category = np.nan_to_num(numbers.to_numpy(np.float64, na_value=np.nan), nan=-1).astype(np.int32)
        category[repeated(facilities, places)] = -1
        return Streets(
            generation, box, network, reverse(network), index, facilities, places, category, categories, version
        )

    def _network(self, connection: sa.Connection, mode: str, box: Box) -> Network:
        try:
            return stored_network(connection, self._settings, mode, box)
        except BadInput as error:
            raise NotFound(f"the area has no streets to ask about: {error.message}") from error


def _none(network: Network, index: SegmentIndex) -> Places:
    return placed(network, index, gpd.GeoDataFrame(geometry=gpd.GeoSeries([], crs=network.crs)))


def _newest_import(connection: sa.Connection, layers: tuple[str, ...]) -> int:
    """Number of the newest import of some layers, 0 when there is none."""
    imports = t.imports.c
    return int(connection.scalar(sa.select(sa.func.max(imports.id)).where(imports.layer.in_(layers))) or 0)
