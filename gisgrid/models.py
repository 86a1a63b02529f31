"""Small frozen values shared by every package."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from gisgrid.errors import BadInput

Progress = Callable[[float, str], None]
"""Called with the share done (0..1) and a short note; must be cheap."""

STREET_CLASSES: tuple[str, ...] = ("river", "primary", "secondary", "tertiary", "residential", "wall")
"""Classes a boundary may run along, strongest first (``cls`` column of a street layer)."""

SPECIAL_KINDS: frozenset[str] = frozenset({"school", "hospital", "park", "industrial", "scenic"})
"""Unit kinds that form special grids 专属网格: no household band applies to them."""


def no_progress(share: float, note: str) -> None:
    """A `Progress` that shows nothing."""


@dataclass(frozen=True, slots=True)
class Band:
    """Households an ordinary grid should have, both ends included."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low < 0:
            raise BadInput(f"band {self.low}:{self.high}: the minimum is negative; give MIN:MAX with 0 <= MIN <= MAX")
        if self.low > self.high:
            raise BadInput(
                f"band {self.low}:{self.high}: the minimum is above the maximum; give MIN:MAX, for example 300:500"
            )
        if self.high == 0:
            raise BadInput("band 0:0: no grid can hold any household; give MIN:MAX, for example 300:500")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``MIN:MAX``, for example ``300:500``. Raises BadInput."""
        match = re.fullmatch(r"\s*(-?\d+)\s*:\s*(-?\d+)\s*", text)
        if not match:
            raise BadInput(f"band {text!r} is not MIN:MAX; give two whole numbers, for example 300:500")
        return cls(int(match[1]), int(match[2]))

    def contains(self, households: float) -> bool:
        """Whether a grid of that many households is in band."""
        return self.low <= households <= self.high

    def feasible_counts(self, households: float) -> range:
        """Numbers of grids k with k·low <= households <= k·high; empty when none exists."""
        total = round(households)
        least = -(-total // self.high)
        most = total // self.low if self.low else max(total, least, 1)
        return range(max(least, 1), most + 1)

    def __str__(self) -> str:
        return f"{self.low}:{self.high}"


@dataclass(frozen=True, slots=True)
class WeightLimit:
    """Limits of one more weight of a grid, for example ``population`` up to 1,500; both ends included."""

    column: str
    low: float = 0.0
    high: float = math.inf

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high or self.high == 0 or math.isinf(self.low):
            raise BadInput(f"weight {self}: give COLUMN=MIN:MAX with 0 <= MIN <= MAX; one of them may be left out")
        if self.low == 0 and math.isinf(self.high):
            raise BadInput(f"weight {self}: limits nothing; give a MIN, a MAX or both")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``population=:1500``, ``elderly=20:`` or ``households=300:500``. Raises BadInput."""
        match = re.fullmatch(r"\s*(\w+)\s*=\s*(\d+(?:\.\d+)?)?\s*:\s*(\d+(?:\.\d+)?)?\s*", text)
        if not match:
            raise BadInput(f"weight {text!r} is not COLUMN=MIN:MAX; give for example population=:1500")
        return cls(match[1], float(match[2] or 0), float(match[3] or math.inf))

    @property
    def middle(self) -> float:
        """What a usual grid has of it: the middle of the limits, or the one there is."""
        if math.isinf(self.high):
            return self.low
        return (self.low + self.high) / 2.0 if self.low > 0 else self.high

    def __str__(self) -> str:
        low = f"{self.low:g}" if self.low else ""
        high = f"{self.high:g}" if math.isfinite(self.high) else ""
        return f"{self.column}={low}:{high}"
