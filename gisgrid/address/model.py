"""What the address search takes in and gives out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy.typing as npt

How = Literal[
    "plate", "door", "unit", "building", "interpolated", "compound", "road", "crossing", "facility", "community",
    "street", "district",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Match:
    """One place an address may mean.

    ``lon`` and ``lat`` are degrees (EPSG:4490). ``score`` is the probability that the address means this place (0..1),
    ``confident`` says that it may be used without asking. ``how`` names the way it was found, ``matched`` which text
    stood for which part, ``accuracy`` is a radius in metres. ``address_id`` is empty where no single registered
    address is meant. ``community`` is the 12-digit code where known.
    """

    lon: float
    lat: float
    address_id: str
    full: str
    score: float
    confident: bool
    how: How
    matched: dict[str, str] = field(default_factory=dict)
    accuracy: float = 0.0
    community: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One way to go on typing: the text, what it is, where it is, and how many addresses lie under it."""

    text: str
    kind: str
    lon: float
    lat: float
    count: int
    address_id: str = ""


@dataclass(frozen=True, slots=True)
class Nearby:
    """An address near a point. ``how`` is ``door``, or ``interpolated`` for a number reckoned along the road."""

    lon: float
    lat: float
    address_id: str
    full: str
    metres: float
    how: str
    road: str
    door_number: str
    community: str = ""


class GridRows(Protocol):
    """Which grid a point lies in: a `gisgrid.locate.GridIndex` or anything that answers alike."""

    def rows(self, x: npt.ArrayLike, y: npt.ArrayLike) -> npt.NDArray[Any]:
        """Row of the owning grid of each point in degrees, -1 outside."""
