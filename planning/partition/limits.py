"""What every grid may hold: the band of the load, and limits of further weights, in arrays the search works on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gisgrid.models import Band, WeightLimit

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Limits:
    """The band ``low``…``high`` of the load and ``weights``, the further limits.

    Further weights are scaled (``scale``, w) so that a share of their band weighs as much as that share of the load's;
    ``more_low`` and ``more_high`` (w) are in scaled units.
    """

    band: Band
    weights: tuple[WeightLimit, ...] = ()
    low: float = field(init=False)
    high: float = field(init=False)
    middle: float = field(init=False)
    scale: Floats = field(init=False)
    more_low: Floats = field(init=False)
    more_high: Floats = field(init=False)

    def __post_init__(self) -> None:
        middle = max((self.band.low + self.band.high) / 2.0, 1.0)
        scale = np.array([middle / weight.middle for weight in self.weights], dtype=np.float64)
        values = {
            "low": float(self.band.low),
            "high": float(self.band.high),
            "middle": middle,
            "scale": scale,
            "more_low": np.array([weight.low for weight in self.weights], dtype=np.float64) * scale,
            "more_high": np.array([weight.high for weight in self.weights], dtype=np.float64) * scale,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def counts(self, load: float, more: Sequence[float]) -> range:
        """Numbers of grids that every weight allows, by arithmetic alone; `more` in scaled units."""
        found = self.band.feasible_counts(load) if load > 0 else range(1, 2)
        least, most = found.start, found.stop - 1
        for total, low, high in zip(more, self.more_low.tolist(), self.more_high.tolist(), strict=True):
            least = max(least, math.ceil(total / high - 1e-9) if math.isfinite(high) else 1)
            most = min(most, math.floor(total / low + 1e-9) if low > 0 else most)
        return range(least, most + 1)

    def inside(self, load: Floats, more: Floats) -> npt.NDArray[np.bool_]:
        """Which grids keep every limit: `load` (k), `more` (k, w) in scaled units."""
        fine = (load >= self.low) & (load <= self.high)
        for w in range(more.shape[1]):
            fine &= (more[:, w] >= self.more_low[w] - 1e-9) & (more[:, w] <= self.more_high[w] + 1e-9)
        return np.asarray(fine)
