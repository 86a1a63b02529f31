"""Where to build next: new sites that cover the most people, everybody, or shorten the mean way, proven best."""

import numpy as np
from scipy.sparse import csr_array

from planning.siting.budget import Demand, Spread, cover_together
from planning.siting.candidates import Candidates, corners, given, vacant_units
from planning.siting.covering import FullCover, least_cover, max_cover
from planning.siting.median import Median, p_median
from planning.siting.problem import Choice
from planning.siting.siting import METHODS, WEIGHTS, SitingResult, site_facilities


def warm() -> None:
    """Compile (or load from the cache) every kernel of siting on a toy."""
    reach = csr_array(np.array([[0, 2, 3, 0, 1], [1, 2, 0, 4, 0], [5, 0, 3, 4, 0], [0, 0, 2, 0, 3]], np.int32))
    weight = np.array([2.0, 1.0, 1.0, 3.0, 1.0])
    least_cover(reach, weight)
    max_cover(reach, weight, 1)
    p_median(reach, weight, 1, unserved=9)
    cover_together([Demand(reach, weight, np.zeros(5, bool), np.arange(1.0, 5.0))], budget=2.0, one_per_site=True)


__all__ = [
    "METHODS",
    "WEIGHTS",
    "Candidates",
    "Choice",
    "Demand",
    "FullCover",
    "Median",
    "SitingResult",
    "Spread",
    "corners",
    "cover_together",
    "given",
    "least_cover",
    "max_cover",
    "p_median",
    "site_facilities",
    "vacant_units",
    "warm",
]
