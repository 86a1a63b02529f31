"""Reach by straight distance: circles about facilities, what they leave out, and the fewest further ones."""

from planning.straight.covering import cover_points, warm
from planning.straight.discs import discs, radii_of, union
from planning.straight.extra import Extra, extra_for_area, extra_for_points
from planning.straight.planar import planar_places
from planning.straight.reach import AIMS, StraightResult, straight_reach
from planning.straight.setcover import Cover, fewest_points

__all__ = [
    "AIMS",
    "Cover",
    "Extra",
    "StraightResult",
    "cover_points",
    "discs",
    "extra_for_area",
    "extra_for_points",
    "fewest_points",
    "planar_places",
    "radii_of",
    "straight_reach",
    "union",
    "warm",
]
