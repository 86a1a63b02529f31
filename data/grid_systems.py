"""The professional grid systems known by name: what they are called, numbered with, and how large their grids are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from data.standards import table
from data.tables import COMPREHENSIVE
from gisgrid.errors import BadInput
from gisgrid.models import Band


@dataclass(frozen=True, slots=True)
class GridSystem:
    """One system. ``name`` is what is stored; ``object_code`` begins its grid codes; ``made``: no standard's number."""

    key: str
    name: str
    name_en: str
    object_code: str
    made: bool
    band: Band


@cache
def grid_systems() -> dict[str, GridSystem]:
    """The systems of the code table by key, in its order."""
    return {
        row["system"]: GridSystem(
            row["system"], row["name_zh"], row["name_en"], row["object_code"], row["object_source"] == "made",
            Band(int(row["band_low"]), int(row["band_high"])),
        )
        for row in table("grid_systems").to_dict("records")
    }  # fmt: skip


def stored_name(text: str) -> str:
    """Name a system is stored under: that of the code table for a key or a name of it, else the text itself."""
    known = _by_name().get(text.strip().lower())
    return known.name if known else text.strip()


def professional_system(text: str, *, object_code: str | None = None) -> GridSystem:
    """The professional system called ``text``: key, Chinese or English name; any other name with its own object code.

    ``object_code`` takes the place of the table's. Raises BadInput for the comprehensive system, an unknown name
    without object code, and an object code that is not 6 digits.
    """
    name = text.strip()
    if not name or len(name) > 40:
        raise BadInput(f"system {text!r}: give a name of 1 to 40 characters, for example fire")
    if name in (COMPREHENSIVE, "comprehensive"):
        raise BadInput(f"system {name} is the comprehensive one; give a professional system, for example fire")
    if object_code is not None and not re.fullmatch(r"[0-9]{6}", object_code):
        raise BadInput(f"object code {object_code!r} is not 6 digits")
    known = _by_name().get(name.lower())
    if known is None:
        if object_code is None:
            names = ", ".join(f"{system.key} {system.name}" for system in grid_systems().values())
            raise BadInput(f"system {name!r} is not in the code table ({names}); give --object-code with its 6 digits")
        return GridSystem(name, name, name, object_code, False, Band(1000, 3000))
    if object_code is None:
        return known
    return GridSystem(known.key, known.name, known.name_en, object_code, False, known.band)


@cache
def _by_name() -> dict[str, GridSystem]:
    found: dict[str, GridSystem] = {}
    for system in grid_systems().values():
        for name in (system.key, system.name, system.name_en):
            found.setdefault(name.lower(), system)
    return found
