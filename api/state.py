"""What one running service holds: settings, the engine, the grids in force, the addresses, the streets, the layers."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from flask import current_app, g

from api.catalogue import Catalogue
from api.current import CurrentGrids
from api.drawing import Drawing
from api.known_addresses import KnownAddresses
from api.known_streets import HeldStreets
from api.tile_source import Tiles
from gisgrid.settings import Settings


@dataclass(frozen=True, slots=True)
class State:
    """Shared by all requests of a process."""

    settings: Settings
    engine: sa.Engine
    current: CurrentGrids
    addresses: KnownAddresses
    streets: HeldStreets
    catalogue: Catalogue
    tiles: Tiles
    drawing: Drawing


def state() -> State:
    """The state of the application serving this request."""
    # of a request that is done once (`api.idempotency`), else the one of all
    found: State = g.get("joined_state") or current_app.extensions["gisgrid"]
    return found
