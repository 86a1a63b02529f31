"""Who may use a street or pass a gate, in which direction and how fast, by its OpenStreetMap tags.

The rules are told as tables, with their reasons and how OSRM and OSMnx decide, in ``docs/network.md``. Plain functions
from a dict of tags; conditional restrictions (``…:conditional``, opening hours) are not read.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from data.osm_tags import Tags, is_set, street_class

Way = Literal["foot", "bicycle", "car"]
TRAVELLERS: Final[tuple[Way, ...]] = ("foot", "bicycle", "car")

_KEYS: Final[dict[Way, tuple[str, ...]]] = {
    "foot": ("foot", "access"),
    "bicycle": ("bicycle", "vehicle", "access"),
    "car": ("motorcar", "motor_vehicle", "vehicle", "access"),
}
"""Access tags of each, the most particular first: the first one that says something decides."""
_OPEN: Final = frozenset({"yes", "designated", "permissive", "official", "destination"})
_LIMITED: Final = frozenset({"private", "customers", "delivery", "permit", "residents"})
"""For some only: a street that is open by its kind stays open, a closed one stays closed."""
_SHUT: Final = frozenset(
    {"no", "use_sidepath", "dismount", "agricultural", "forestry", "emergency", "military", "bus", "psv", "taxi", "hov"}
)

_CLOSED_KINDS: Final[dict[Way, frozenset[str]]] = {
    "foot": frozenset({"motorway", "motorway_link", "busway"}),
    "bicycle": frozenset(
        {"motorway", "motorway_link", "busway", "footway", "pedestrian", "steps", "corridor", "platform"}
    ),
    "car": frozenset(
        {"busway", "footway", "path", "pedestrian", "steps", "corridor", "platform", "cycleway", "bridleway"}
    ),
}
_NEVER: Final[dict[Way, frozenset[str]]] = {
    "foot": frozenset(),
    "bicycle": frozenset({"steps"}),
    "car": frozenset({"steps", "corridor", "platform"}),
}
"""Kinds no access tag opens: bicycle=yes on steps means that one may carry it."""

PRIVATE_KMH: Final = 10
"""Speed of a car on private lanes that state none: a barrier at the entrance, people on the carriageway."""
_KMH_OF_ZONE: Final = {
    "urban": 50, "rural": 80, "trunk": 100, "motorway": 120, "nsl_single": 97, "nsl_dual": 113, "living_street": 10,
    "pedestrian_zone": 10, "bicycle_road": 30, "school": 30, "walk": 6,
}  # fmt: skip
_KMH_OF_CHINA: Final = {"urban": 50, "rural": 70, "motorway": 120}
"""Implementing regulations of China's Road Traffic Safety Law, articles 45 and 78: one lane each way."""
_KMH_MOST: Final = 200

_YES: Final = frozenset({"yes", "true", "1"})
_BACK: Final = frozenset({"-1", "reverse"})

_PASSES: Final[dict[str, tuple[bool, bool, bool]]] = {
    # doors and booms: whoever may use the way goes through, unless locked
    **dict.fromkeys(
        ("gate", "lift_gate", "swing_gate", "sliding_gate", "hampshire_gate", "bump_gate", "wicket_gate", "sally_port",
         "entrance", "toll_booth", "border_control", "checkpoint", "security_control", "cattle_grid",
         "height_restrictor", "width_restrictor", "kerb", "rope", "coupure", "spikes"),
        (True, True, True),
    ),
    # what keeps cars out
    **dict.fromkeys(
        ("bollard", "block", "cycle_barrier", "motorcycle_barrier", "jersey_barrier", "planter", "log", "chain",
         "barrier_board", "bus_trap", "sump_buster", "debris", "tyres", "boulder"),
        (True, True, False),
    ),
    # what lets walkers through one by one
    **dict.fromkeys(("kissing_gate", "turnstile", "full-height_turnstile", "stile", "horse_stile", "squeeze"),
                    (True, False, False)),
    # an end of the way
    **dict.fromkeys(("wall", "fence", "hedge", "city_wall", "retaining_wall", "guard_rail", "ditch", "handrail",
                     "cable_barrier", "yes"), (False, False, False)),
}  # fmt: skip
"""Whether (walkers, bicycles, cars) pass a barrier that stands on a way and says nothing of them."""
_DOORS: Final = frozenset(
    {"gate", "swing_gate", "sliding_gate", "hampshire_gate", "wicket_gate", "sally_port", "entrance", "kissing_gate",
     "turnstile", "full-height_turnstile"}
)  # fmt: skip
"""What locked=yes shuts for everybody; a locked boom (lift_gate, chain) stops wheels only."""


def permission(tags: Tags, way: Way) -> tuple[str, str]:
    """(key, word) of the most particular access tag that says something of walkers, bicycles or cars; empty: none."""
    for key in _KEYS[way]:
        word = tags.get(key, "").strip().lower()
        if word in _OPEN or word in _LIMITED or word in _SHUT:
            return key, word
    return "", ""


def _meant(key: str) -> bool:
    """Whether an access tag speaks of this traveller alone, and so opens what is closed by its kind."""
    return key not in ("access", "vehicle")


def in_use(tags: Tags) -> bool:
    """Whether a highway is one that can be used: not planned, being built, given up, a ferry or impassable."""
    if tags.get("route") in ("ferry", "shuttle_train") or is_set(tags, "impassable"):
        return False
    if tags.get("construction", "no") not in ("no", "minor", "widening", ""):
        return False
    return not any(is_set(tags, key) for key in ("proposed", "planned", "disused", "abandoned", "razed"))


def usable(tags: Tags, way: Way) -> bool:
    """Whether walkers, bicycles or cars may use a street.

    Its kind decides unless an access tag does. access=private stays open: in China it marks the lanes of compounds
    and campuses, which their residents, and ambulances, use every day.
    """
    highway = tags.get("highway", "")
    if street_class(tags) in (None, "rail") or not in_use(tags) or highway in _NEVER[way]:
        return False
    if way == "car" and tags.get("area") == "yes":
        return False
    key, word = permission(tags, way)
    if word in _SHUT:
        return False
    if word in _OPEN and _meant(key):
        return True
    if tags.get("motorroad") == "yes" and way != "car":
        return False
    return highway not in _CLOSED_KINDS[way]


def walkable(tags: Tags) -> bool:
    """Whether people walk along a street; see `usable`."""
    return usable(tags, "foot")


def direction(tags: Tags) -> int:
    """1 one-way for vehicles as drawn, -1 against it, 0 both ways (motorways and roundabouts imply 1)."""
    keys = ("oneway:motorcar", "oneway:motor_vehicle", "oneway:vehicle", "oneway")
    oneway = next((tags[key] for key in keys if tags.get(key)), "")
    return _sign(oneway, implied=_round_or_motorway(tags))


def bicycle_direction(tags: Tags) -> int:
    """As `direction`, for bicycles: free against the one-way by oneway:bicycle=no or a contraflow cycleway."""
    said = tags.get("oneway:bicycle", "")
    if said:
        return _sign(said, implied=False)
    general = _sign(tags.get("oneway:vehicle", "") or tags.get("oneway", ""), implied=_round_or_motorway(tags))
    return 0 if general and _contraflow(tags) else general


def _sign(oneway: str, *, implied: bool) -> int:
    if oneway in _BACK:
        return -1
    if oneway in _YES:
        return 1
    return 1 if implied and oneway == "" else 0


def _round_or_motorway(tags: Tags) -> bool:
    return tags.get("junction") in ("roundabout", "circular") or tags.get("highway") == "motorway"


def _contraflow(tags: Tags) -> bool:
    for side in ("", ":left", ":right", ":both"):
        if tags.get(f"cycleway{side}", "").startswith("opposite"):
            return True
        # a lane of its own on either side that is said to run against the street, or both ways
        if side and is_set(tags, f"cycleway{side}") and tags.get(f"cycleway{side}:oneway") in ("-1", "no"):
            return True
    return tags.get("bicycle:backward") == "yes"


def speed(tags: Tags) -> int | None:
    """The limit for cars in whole km/h by maxspeed and its kin, the lower of two directions; None where none is said.

    Private lanes without a limit are `PRIVATE_KMH`.
    """
    ways = [kmh for key in ("maxspeed:forward", "maxspeed:backward") if (kmh := speed_value(tags.get(key, "")))]
    for key in ("maxspeed:motorcar", "maxspeed"):
        if kmh := speed_value(tags.get(key, "")):
            return min([kmh, *ways])
    if ways:
        return min(ways)
    for key in ("zone:maxspeed", "maxspeed:type", "source:maxspeed", "zone:traffic"):
        if kmh := speed_value(tags.get(key, "")):
            return kmh
    return PRIVATE_KMH if permission(tags, "car")[1] in _LIMITED else None


def speed_value(text: str) -> int | None:
    """``50``, ``30 mph``, ``50;60`` (the lower), ``walk``, ``none``, ``CN:urban``, ``DE:zone:30`` as km/h, or None."""
    found = [kmh for part in re.split(r"[;|]", text.strip().lower()) if (kmh := _one_speed(part.strip()))]
    return min(found) if found else None


def _one_speed(text: str) -> int | None:
    if text in ("walk", "foot"):
        return _KMH_OF_ZONE["walk"]
    if text == "none":
        return _KMH_OF_ZONE["motorway"]
    number = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(mph|km/?h|kph|kmph|)", text)
    if number:
        kmh = round(float(number[1]) * (1.609344 if number[2] == "mph" else 1.0))
        return kmh if 0 < kmh <= _KMH_MOST else None
    zone = re.fullmatch(r"([a-z]{2}):(?:zone:?)?(\w+)", text)
    if zone is None:
        return None
    country, word = zone.groups()
    if word.isdecimal():
        return _one_speed(f"{word} mph" if country in ("gb", "us") else word)
    return (_KMH_OF_CHINA if country == "cn" else {}).get(word, _KMH_OF_ZONE.get(word))


def passes(tags: Tags) -> dict[Way, bool]:
    """Who passes a barrier that stands as a node on a way: its kind decides unless an access tag of the node does.

    A kind we do not know lets everybody pass. locked=yes shuts doors for all who have no tag of their own; private
    gates let pass, as private lanes do. A cyclist gets off at a barrier that says so, and goes on.
    """
    kind = barrier_kind(tags) or ""
    by_kind = dict(zip(TRAVELLERS, _PASSES.get(kind, (True, True, True)), strict=True))
    if kind == "bollard" and tags.get("bollard") == "rising":
        by_kind["car"] = True
    result: dict[Way, bool] = {}
    for way in TRAVELLERS:
        key, word = permission(tags, way)
        if word in _OPEN and (_meant(key) or kind == "yes"):
            result[way] = True
        elif is_set(tags, "locked") and (kind in _DOORS or way != "foot"):
            result[way] = False
        else:
            result[way] = by_kind[way] and (word not in _SHUT or word == "dismount")
    return result


def barrier_kind(tags: Tags) -> str | None:
    """Kind of a barrier node; None when it is none."""
    kind = tags.get("barrier", "").split(";")[0].strip()
    return kind if kind and kind != "no" else None
