"""Atomic units: the pieces a plan assigns to grids. The entry points are in `make`, `entrances` and `axes`."""

from __future__ import annotations

from planning.units.axes import road_axes
from planning.units.entrances import entrance_units
from planning.units.make import above_limit, building_units, make_units
from planning.units.tessellation import warm

__all__ = ["above_limit", "building_units", "entrance_units", "make_units", "road_axes", "warm"]
