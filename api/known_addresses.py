"""The addresses known to a running service, and the grid in force of each."""

from __future__ import annotations

import sqlalchemy as sa

from data.gazetteer import StoredGazetteer
from data.in_force import InForce
from gisgrid.address import Gazetteer, Match, Owners
from gisgrid.errors import NotFound
from gisgrid.settings import Settings


class KnownAddresses:
    """One gazetteer a process; the grids of its addresses are found once for every generation."""

    def __init__(self, engine: sa.Engine, settings: Settings) -> None:
        self._stored = StoredGazetteer(engine, settings)
        self._owners: tuple[Gazetteer, int, Owners] | None = None

    def need(self) -> Gazetteer:
        """The gazetteer of the stored addresses. Raises NotFound while there are none."""
        found = self._stored.get()
        if found is None:
            raise NotFound("no addresses are stored; import some first (gisgrid import layer FILE --as addresses)")
        return found

    def find(self, text: str, limit: int, found: InForce | None) -> list[tuple[Match, int]]:
        """Matches of a text, likeliest first, with the row of the grid each lies in (-1: none).

        With grids, ``confident`` speaks of the grid. Raises BadInput for a text that cannot be an address, NotFound
        while no addresses are stored.
        """
        gazetteer = self.need()
        owners = self._grids_of(gazetteer, found) if found else None
        matches = gazetteer.search(text, limit=limit, owners=owners)
        if owners is None or not matches:
            return [(match, -1) for match in matches]
        rows = owners.at([match.lon for match in matches], [match.lat for match in matches])
        return list(zip(matches, (int(row) for row in rows), strict=True))

    def _grids_of(self, gazetteer: Gazetteer, found: InForce) -> Owners:
        held = self._owners
        if held is None or held[0] is not gazetteer or held[1] != found.generation.id:
            self._owners = held = (gazetteer, found.generation.id, gazetteer.owners(found.index))
        return held[2]
