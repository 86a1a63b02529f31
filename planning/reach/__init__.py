"""Who reaches what over a network: distances and times from every place to its nearest facility."""

from planning.reach.dial import NO_LIMIT, UNREACHED
from planning.reach.nearest import (
    Costs,
    at_places,
    key_costs,
    key_labels,
    nearest_metres,
    nearest_seconds,
    search_from,
)
from planning.reach.profiles import PROFILES, Profile, profile_of
from planning.reach.routes import Route, route, routes
from planning.reach.sets import Leaves, hang, reach_sets
from planning.reach.several import nearest_by_category, nearest_several
from planning.reach.snapping import SegmentIndex, Snapped, segment_index, snap

__all__ = [
    "NO_LIMIT",
    "PROFILES",
    "UNREACHED",
    "Costs",
    "Leaves",
    "Profile",
    "Route",
    "SegmentIndex",
    "Snapped",
    "at_places",
    "hang",
    "key_costs",
    "key_labels",
    "nearest_by_category",
    "nearest_metres",
    "nearest_seconds",
    "nearest_several",
    "profile_of",
    "reach_sets",
    "route",
    "routes",
    "search_from",
    "segment_index",
    "snap",
]
