"""The catalogue: one definition of every layer the service offers, read by every kind of output."""

from __future__ import annotations

from layers.catalog.base import (
    ADDRESSES,
    AREAS,
    BARRIERS,
    BUILDINGS,
    COMPONENTS,
    FACILITIES,
    REPORTS,
    REPORTS_HEAT,
    STREETS,
    WALLS,
    WATER,
)
from layers.catalog.model import Attribute, Kind, Layer, Shape
from layers.catalog.offered import READS, layer_named, offered
from layers.catalog.planned import BLIND_SPOTS, CIRCLES, DRAFTS, GRIDS, UNITS

LAYERS: dict[str, Layer] = {
    layer.name: layer
    for layer in (
        AREAS, GRIDS, UNITS, COMPONENTS, FACILITIES, BUILDINGS, STREETS, BARRIERS, WATER, WALLS, ADDRESSES, REPORTS,
    )
}  # fmt: skip
"""Layers of ``/api/v1`` and ``gisgrid export`` by name."""

__all__ = [
    "ADDRESSES", "AREAS", "BARRIERS", "BLIND_SPOTS", "BUILDINGS", "CIRCLES", "COMPONENTS", "DRAFTS", "FACILITIES",
    "GRIDS", "LAYERS", "READS", "REPORTS", "REPORTS_HEAT", "STREETS", "UNITS", "WALLS", "WATER", "Attribute", "Kind",
    "Layer", "Shape", "layer_named", "offered",
]  # fmt: skip
