"""The kinds of places in MapIt's words: a type code and a type name for areas and for grids of every level and system.

``DIS`` district, ``STR`` street, ``COM`` community, ``GRD`` grid, ``MGD`` micro-grid, ``MGD3`` and so on for deeper
levels, ``PRO-FIRE`` a grid of the professional system of that key, ``PRO-123456`` one of a system that the code table
does not have, by the object code its grid codes begin with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from data.grid_systems import grid_systems
from data.tables import COMPREHENSIVE
from gisgrid.errors import BadInput

AREA_TYPES = {"district": "DIS", "street": "STR", "community": "COM"}
_NAMES = {
    "DIS": "区县 District", "STR": "街道 Street", "COM": "社区 Community",
    "GRD": "网格 Grid", "MGD": "微网格 Micro-grid",
}  # fmt: skip
_DEEPER = re.compile(r"MGD([3-9])")
_OTHER_SYSTEM = re.compile(r"PRO-([0-9]{6})")


@dataclass(frozen=True, slots=True)
class Types:
    """What a list of type codes chooses."""

    areas: list[str] = field(default_factory=list)
    """Levels of administrative areas."""
    levels: list[int] = field(default_factory=list)
    """Levels of comprehensive grids."""
    systems: list[str] = field(default_factory=list)
    """Professional systems, by stored name."""
    objects: list[str] = field(default_factory=list)
    """Object codes of systems the code table does not have."""

    def hold(self, level: str | int, system: str, code: str) -> bool:
        """Whether an area or grid is of one of the types."""
        if isinstance(level, str):
            return level in self.areas
        if system == COMPREHENSIVE:
            return level in self.levels
        return system in self.systems or (system not in _professional() and code[:6] in self.objects)


def type_code(level: str | int, system: str, code: str) -> str:
    """Type of an area (``level`` is its word, ``system`` empty) or of a grid (``level`` counts from 1)."""
    if isinstance(level, str):
        return AREA_TYPES[level]
    if system == COMPREHENSIVE:
        return {1: "GRD", 2: "MGD"}.get(level, f"MGD{level}")
    return _professional().get(system) or f"PRO-{code[:6]}"


def type_name(code: str, system: str = "") -> str:
    """Name of a type, Chinese and English. ``system``: what a system out of the code table is stored under."""
    if code in _NAMES:
        return _NAMES[code]
    if deeper := _DEEPER.fullmatch(code):
        return f"{deeper[1]}级微网格 Micro-grid of level {deeper[1]}"
    for known in grid_systems().values():
        if known.name == system or _type_of_key(known.key) == code:
            return f"{known.name}网格 {known.name_en} grid"
    return f"{system}网格 Professional grid"


def parse_types(text: str) -> Types | None:
    """What ``DIS,GRD`` chooses; None (everything) for an empty text. Raises BadInput for a type nobody knows."""
    if not text:
        return None
    found = Types()
    words = {code: level for level, code in AREA_TYPES.items()}
    systems = {code: name for name, code in _professional().items()}
    for code in dict.fromkeys(text.split(",")):
        if code in words:
            found.areas.append(words[code])
        elif code in ("GRD", "MGD"):
            found.levels.append(1 if code == "GRD" else 2)
        elif deeper := _DEEPER.fullmatch(code):
            found.levels.append(int(deeper[1]))
        elif code in systems:
            found.systems.append(systems[code])
        elif other := _OTHER_SYSTEM.fullmatch(code):
            found.objects.append(other[1])
        else:
            known = ", ".join((*_NAMES, *systems))
            raise BadInput(f"type {code[:40]!r} is not known; there are {known}")
    return found


def _professional() -> dict[str, str]:
    """Type code of each system of the code table, by stored name."""
    return {system.name: _type_of_key(key) for key, system in grid_systems().items()}


def _type_of_key(key: str) -> str:
    return f"PRO-{key.upper()}"
