"""Who may use which street, in which direction, and how fast: the rules of walking, cycling and driving.

A street layer says it in the columns ``foot``, ``bicycle`` and ``car`` (yes or no; silence is no answer), ``oneway``
(as drawn) with ``oneway_bicycle``, ``speed`` (km/h), and ``highway`` or ``cls``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.oneway import plain_oneway
from planning.network.model import Bool, Float64, Unit

NOT_STREETS: Final = frozenset({"rail", "river", "wall"})
NO_WORDS: Final = frozenset({"", "no", "n", "false", "f", "0", "none", "private", "use_sidepath", "discouraged"})
"""OSM words that deny a thing; every other word (yes, designated, viaduct, movable …) affirms it."""


@dataclass(frozen=True, slots=True)
class Mode:
    """One way of moving: the column that permits it, streets closed to it unless the column says yes, what it costs.

    ``one_way``: whether one-way streets bind it. ``access_kmh``: speed of the straight leg between a place and its
    street where the cost is time.
    """

    name: str
    column: str
    not_on: frozenset[str]
    unit: Unit
    one_way: bool
    access_kmh: float = 10.0


_NOT_BUILT: Final = frozenset({"construction", "proposed", "raceway"})
_PATHS: Final = frozenset({"footway", "path", "steps", "pedestrian", "cycleway", "corridor", "bridleway", "platform"})
MODES: Final[dict[str, Mode]] = {
    "walk": Mode("walk", "foot", _NOT_BUILT | {"motorway", "motorway_link", "bus_guideway"}, "cm", one_way=False),
    "bicycle": Mode(
        "bicycle",
        "bicycle",
        _NOT_BUILT
        | {"motorway", "motorway_link", "bus_guideway", "steps", "corridor", "platform", "footway", "pedestrian"},
        "cm",
        one_way=True,
    ),
    "drive": Mode("drive", "car", _NOT_BUILT | _PATHS | {"bus_guideway", "busway"}, "ms", one_way=True),
}

KMH: Final[dict[str, float]] = {
    "motorway": 100.0,
    "motorway_link": 50.0,
    "trunk": 70.0,
    "trunk_link": 40.0,
    "primary": 50.0,
    "primary_link": 35.0,
    "secondary": 45.0,
    "secondary_link": 30.0,
    "tertiary": 35.0,
    "tertiary_link": 25.0,
    "unclassified": 25.0,
    "road": 25.0,
    "residential": 25.0,
    "living_street": 10.0,
    "service": 10.0,
    "track": 10.0,
}
"""Speed of a car on streets that say none, km/h, by ``highway`` and, where that is silent, by ``cls``."""
KMH_ELSE: Final = 25.0
KMH_RANGE: Final = (3.0, 150.0)
"""Speeds a street may state; others are held to the nearer end."""


def usable_rows(streets: gpd.GeoDataFrame, mode: str) -> Bool:
    """Which rows may be used: by the mode's own column where it is given, else by ``cls`` and ``highway``.

    Raw OSM layers fill the column on few streets only, so a null there is no answer, not a no.
    """
    rules = MODES[mode]
    usable = np.ones(len(streets), bool)
    if "cls" in streets:
        usable &= ~streets["cls"].isin(NOT_STREETS).to_numpy(bool)
        if "highway" not in streets and mode != "walk":
            usable &= ~streets["cls"].isin({"foot"}).to_numpy(bool)
    if "highway" in streets:
        usable &= ~streets["highway"].isin(rules.not_on).to_numpy(bool)
    if rules.column in streets:
        said = streets[rules.column].notna().to_numpy(bool)
        usable = np.where(said, flag(streets, rules.column), usable)
    return usable


def enterable(streets: gpd.GeoDataFrame) -> Bool:
    """Which rows one may come upon and leave between their ends: no bridges, tunnels and motorways."""
    closed = flag(streets, "bridge") | flag(streets, "tunnel")
    if "highway" in streets:
        closed |= streets["highway"].isin(["motorway", "motorway_link"]).to_numpy(bool)
    return ~closed


def one_way_rows(streets: gpd.GeoDataFrame, mode: str) -> Bool:
    """Which rows the mode may use in the direction they are drawn only."""
    if not MODES[mode].one_way:
        return np.zeros(len(streets), bool)
    if "oneway" in streets:
        streets = streets.assign(oneway=plain_oneway(streets["oneway"])[0])
    bound = flag(streets, "oneway")
    if mode == "bicycle" and "oneway_bicycle" in streets:
        said = streets["oneway_bicycle"].notna().to_numpy(bool)
        bound = np.where(said, flag(streets, "oneway_bicycle"), bound)
    return bound


def against_drawing(streets: gpd.GeoDataFrame) -> Bool:
    """Which rows run against their drawing (``oneway`` -1): they are turned round before use."""
    if "oneway" not in streets:
        return np.zeros(len(streets), bool)
    return plain_oneway(streets["oneway"])[1]


def pace(streets: gpd.GeoDataFrame, mode: str) -> Float64:
    """Cost of one cm of each row, in the mode's unit: 1 where that is cm, else ms by the street's speed."""
    if MODES[mode].unit == "cm":
        return np.ones(len(streets))
    kmh = np.full(len(streets), KMH_ELSE)
    for column in ("cls", "highway"):
        if column in streets:
            known = streets[column].map(KMH).to_numpy(np.float64, na_value=np.nan)
            kmh = np.where(np.isnan(known), kmh, known)
    if "speed" in streets:
        said = pd.to_numeric(streets["speed"], errors="coerce").to_numpy(np.float64, na_value=np.nan)
        kmh = np.where(said > 0, np.clip(said, *KMH_RANGE), kmh)
    return ms_per_cm(kmh)


def ms_per_cm(kmh: Float64 | float) -> Float64:
    """Milliseconds a centimetre takes at some km/h."""
    return np.asarray(36.0 / np.asarray(kmh, np.float64))


def flag(streets: gpd.GeoDataFrame, column: str) -> Bool:
    """A yes/no column as booleans: files bring true booleans, 0/1 and OSM words alike; absent or null is no."""
    if column not in streets:
        return np.zeros(len(streets), bool)
    values = streets[column]
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
        flags: Bool = np.nan_to_num(values.to_numpy(np.float64, na_value=np.nan)).astype(bool)
    else:
        words = values.astype("string").str.strip().str.lower().fillna("")
        flags = ~words.isin(NO_WORDS).to_numpy(bool)
    return flags


def levels(streets: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """The level each street runs on: ``layer``, else +1 for a bridge and -1 for a tunnel."""
    level = np.zeros(len(streets), np.int64)
    if "layer" in streets:
        level = pd.to_numeric(streets["layer"], errors="coerce").fillna(0).to_numpy(np.float64).astype(np.int64)
    raised, sunk = flag(streets, "bridge"), flag(streets, "tunnel")
    return np.where((level == 0) & raised, 1, np.where((level == 0) & sunk, -1, level)).astype(np.int64)
