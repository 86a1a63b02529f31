"""What OpenStreetMap tags mean here: street classes, kinds of building, water and wall, addresses.

Plain functions from a dict of tags to a value of our vocabulary; no geometry and no files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

Tags = Mapping[str, str]

KEYS: Final = (
    "addr:housenumber",
    "amenity",
    "barrier",
    "boundary",
    "building",
    "healthcare",
    "highway",
    "landuse",
    "leisure",
    "natural",
    "office",
    "public_transport",
    "railway",
    "shop",
    "social_facility",
    "tourism",
    "waterway",
)
"""Objects with none of these tags say nothing to us."""

_NO: Final = frozenset({"", "no", "false", "0"})

_CLASS_OF_HIGHWAY: Final = {
    **dict.fromkeys(("motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link"), "primary"),
    **dict.fromkeys(("secondary", "secondary_link"), "secondary"),
    **dict.fromkeys(("tertiary", "tertiary_link"), "tertiary"),
    **dict.fromkeys(("residential", "living_street", "unclassified", "road"), "residential"),
    **dict.fromkeys(("service", "track", "busway"), "service"),
    **dict.fromkeys(
        ("footway", "path", "steps", "pedestrian", "cycleway", "corridor", "bridleway", "platform"), "foot"
    ),
}
_RAILWAYS: Final = frozenset({"rail", "light_rail", "subway", "tram", "narrow_gauge", "monorail", "funicular"})
_STREAMS: Final = {"river": "river", "canal": "canal", "stream": "stream", "drain": "stream", "ditch": "stream"}
_WALLS: Final = ("wall", "fence", "city_wall", "retaining_wall", "hedge")

_KIND_OF_BUILDING: Final = {
    "residential": "residential",
    "apartments": "apartments",
    "dormitory": "dormitory",
    **dict.fromkeys(
        ("house", "detached", "semidetached_house", "semi", "terrace", "bungalow", "villa", "cabin", "farm"), "house"
    ),
    **dict.fromkeys(
        ("commercial", "retail", "supermarket", "mall", "kiosk", "shop", "hotel", "restaurant", "bank"), "commercial"
    ),
    "office": "office",
    **dict.fromkeys(("school", "university", "college", "kindergarten"), "school"),
    **dict.fromkeys(("hospital", "clinic"), "hospital"),
    **dict.fromkeys(("industrial", "warehouse", "factory", "manufacture", "works"), "industrial"),
    **dict.fromkeys(
        (
            *("public", "government", "civic", "train_station", "transportation", "museum", "library", "church"),
            *("temple", "mosque", "cathedral", "chapel", "shrine", "stadium", "sports_hall", "sports_centre"),
            *("fire_station", "theatre", "religious", "townhall", "station"),
        ),
        "public",
    ),
}
_UNTOLD: Final = frozenset({"yes", "building", "true", "1", "block", "tower", "mixed_use"})
"""Values of building=* that do not say what it is for."""

_SCHOOL_AMENITIES: Final = frozenset({"school", "university", "college", "kindergarten"})
_HOSPITAL_AMENITIES: Final = frozenset({"hospital", "clinic", "doctors"})
_SHOP_AMENITIES: Final = frozenset(
    {"restaurant", "fast_food", "cafe", "bar", "pub", "food_court", "bank", "marketplace", "canteen", "cinema", "fuel"}
)
_DORMITORY_NAME: Final = re.compile(r"宿舍|学生公寓|书院|学生楼|斋$|[Dd]ormitor|[Hh]all of residence")
_HOME_NAME: Final = re.compile(r"公寓|住宅|家属|民居|^\d+号楼|^\d+栋|Residence|Apartment")
_OTHER_NAME: Final = re.compile(
    r"教学|实验|办公|图书|食堂|餐厅|体育|医院|银行|大厦|商|学院|研究|幼儿园|小学|中学|馆$|系$"
)


def is_set(tags: Tags, key: str) -> bool:
    """Whether a tag is there and does not say no."""
    return tags.get(key, "").lower() not in _NO


def name_of(tags: Tags) -> str:
    """The name in the local script."""
    return tags.get("name") or tags.get("name:zh") or tags.get("name:zh-Hans") or ""


def english_name_of(tags: Tags) -> str:
    """The English name, empty when none is given."""
    return tags.get("name:en") or tags.get("int_name") or ""


def whole_number(text: str | None) -> int | None:
    """The largest whole number in an OSM value such as ``6``, ``6.5`` or ``6;7``; None when there is none."""
    numbers = re.findall(r"-?\d+(?:\.\d+)?", text or "")
    return max(int(float(number)) for number in numbers) if numbers else None


def street_class(tags: Tags) -> str | None:
    """Our class of a street or railway; None for what is neither (yet, or any more)."""
    cls = _CLASS_OF_HIGHWAY.get(tags.get("highway", ""))
    if cls is None and tags.get("railway") in _RAILWAYS:
        return "rail"
    return cls


def street_layer(tags: Tags) -> int:
    """Level above (or below) ground as tagged; a bridge without one is 1, a tunnel -1. Within ±10."""
    layer = whole_number(tags.get("layer"))
    if layer is None:
        layer = 1 if is_set(tags, "bridge") else -1 if is_set(tags, "tunnel") else 0
    return max(-10, min(10, layer))


def water_line_kind(tags: Tags) -> str | None:
    """Kind of an open watercourse drawn as a line; None when it is none, or runs underground."""
    if is_set(tags, "tunnel"):
        return None
    return _STREAMS.get(tags.get("waterway", ""))


def water_area_kind(tags: Tags) -> str | None:
    """Kind of a water surface; ``pond`` is told from ``lake`` by size later. None when it is no water."""
    if tags.get("waterway") == "riverbank":
        return "river"
    if tags.get("natural") == "water" or tags.get("landuse") in ("reservoir", "basin"):
        kind = tags.get("water", "")
        return kind if kind in ("river", "canal", "stream", "pond", "lake") else "lake?"
    return None


def wall_kind(tags: Tags) -> str | None:
    """Kind of a wall, fence or hedge; None for any other barrier."""
    barrier = tags.get("barrier", "")
    return barrier if barrier in _WALLS else None


def building_kind(tags: Tags) -> str | None:
    """Kind of a building by its own tags and name.

    None when there is no building; ``?home`` or ``?`` when the tags leave it open, the former when the
    name sounds like dwellings (the surroundings decide then, see `data.osm_buildings`).
    """
    building = tags.get("building", "")
    if building in _NO:
        return None
    kind = _KIND_OF_BUILDING.get(building)
    if kind is not None:
        return kind
    if building not in _UNTOLD:
        return "other"
    amenity, name = tags.get("amenity", ""), name_of(tags)
    if amenity in _SCHOOL_AMENITIES:
        return "school"
    if amenity in _HOSPITAL_AMENITIES:
        return "hospital"
    if "shop" in tags or amenity in _SHOP_AMENITIES or tags.get("tourism") in ("hotel", "hostel", "motel"):
        return "commercial"
    if "office" in tags:
        return "office"
    if amenity or "leisure" in tags or "tourism" in tags or "railway" in tags or "historic" in tags:
        return "public"
    if _DORMITORY_NAME.search(name):
        return "dormitory"
    if _OTHER_NAME.search(name):
        return "?other"
    return "?home" if _HOME_NAME.search(name) or "building:flats" in tags else "?"


def building_levels(tags: Tags) -> int | None:
    """Storeys above ground by building:levels, else by height at 3 m each; None when neither is given."""
    levels = whole_number(tags.get("building:levels"))
    if levels is None and (height := whole_number(tags.get("height"))) is not None:
        levels = round(height / 3)
    return None if levels is None or levels < 1 else min(levels, 200)


def campus_kind(tags: Tags) -> str | None:
    """What a ground (landuse or the site of an institution) makes of the buildings on it; None when
    nothing.
    """
    amenity, landuse = tags.get("amenity", ""), tags.get("landuse", "")
    if amenity in _SCHOOL_AMENITIES or landuse == "education":
        return "school"
    if amenity == "hospital":
        return "hospital"
    if landuse == "residential" or tags.get("place") == "neighbourhood":
        return "residential"
    return {"commercial": "commercial", "retail": "commercial", "industrial": "industrial", "railway": "public"}.get(
        landuse
    )


def address_text(tags: Tags) -> str:
    """One line of an address: addr:full, else street and number in the order of the script; empty when
    there is none.
    """
    if full := tags.get("addr:full"):
        return full
    road = tags.get("addr:street") or tags.get("addr:place") or tags.get("addr:neighbourhood") or ""
    number = tags.get("addr:housenumber", "")
    if re.search(r"[\u4e00-\u9fff]", road):
        return f"{road}{number}号" if number.isdecimal() else f"{road}{number}"
    return " ".join(part for part in (road, number) if part)
