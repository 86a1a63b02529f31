"""How people move: the network they use and their speed, as plain parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.errors import BadInput
from gisgrid.limits import PROFILE_MINUTES_MAX, PROFILE_SPEED_MAX
from planning.network.modes import MODES

Float64 = NDArray[np.float64]

SPEED_MIN: Final = 0.05
"""Slowest speed a profile may be given, m/s: below it nothing is reached."""
FACTOR_RANGE: Final = (0.05, 3.0)
"""How much slower or faster than usual a moment may be."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How somebody moves: the network they use (``mode``) and their speed.

    ``metres_per_second`` where the network's cost is length; None where streets have speeds of their own (driving).
    ``factor``: the moment's speed as a share of the usual one (rain, rush hour).
    """

    name: str
    mode: str
    metres_per_second: float | None
    factor: float = 1.0

    @property
    def per_second(self) -> float:
        """Cost, in the network's unit, of a second of moving: cm, or ms of free flow."""
        usual = 1000.0 if self.metres_per_second is None else self.metres_per_second * 100.0
        return usual * self.factor

    def limit(self, minutes: float) -> int:
        """Whole cost units gone in ``minutes``. Raises BadInput outside 0 < minutes <= 120."""
        if not (math.isfinite(minutes) and 0 < minutes <= PROFILE_MINUTES_MAX):
            raise BadInput(
                f"{minutes:g} minutes is not above 0 and at most {PROFILE_MINUTES_MAX:g}; give for example 5,10,15"
            )
        return int(minutes * 60 * self.per_second + 1e-6)

    def seconds(self, cost: Float64) -> Float64:
        """Seconds of some costs (NaN stays NaN)."""
        return np.asarray(cost, np.float64) / self.per_second


PROFILES: Final[dict[str, Profile]] = {
    "adult": Profile("adult", "walk", 1.1),
    "elderly": Profile("elderly", "walk", 0.8),
    "frail": Profile("frail", "walk", 0.65),
    "bicycle": Profile("bicycle", "bicycle", 4.2),
    "car": Profile("car", "drive", None),
}
"""Walking speeds of the life-circle guides: adults, people of 65–74, the frail; a bicycle at 15 km/h; a car at each
street's own speed."""


def profile_of(name: str, *, metres_per_second: float | None = None, factor: float | None = None) -> Profile:
    """The profile called ``name``, at another speed when one is given (the moment's speed). Raises BadInput."""
    if name not in PROFILES:
        raise BadInput(f"unknown profile {name!r}; give one of {', '.join(PROFILES)}")
    profile = PROFILES[name]
    if metres_per_second is not None:
        if MODES[profile.mode].unit != "cm":
            raise BadInput(f"profile {name} goes at each street's own speed; give a factor, for example 0.6")
        if not (math.isfinite(metres_per_second) and 0 < metres_per_second <= PROFILE_SPEED_MAX):
            raise BadInput(
                f"speed {metres_per_second} m/s is not between 0 and {PROFILE_SPEED_MAX:g}; "
                "give metres per second, for example 1.1"
            )
        if metres_per_second < SPEED_MIN:
            raise BadInput(f"speed {metres_per_second:g} m/s is too small; give at least {SPEED_MIN:g}, usual is 1.1")
        profile = replace(profile, metres_per_second=float(metres_per_second))
    if factor is not None:
        low, high = FACTOR_RANGE
        if not (math.isfinite(factor) and low <= factor <= high):
            raise BadInput(f"speed factor {factor} is not between {low:g} and {high:g}; 1 is the usual speed")
        profile = replace(profile, factor=float(factor))
    return profile
