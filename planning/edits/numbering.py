"""Codes and names of grids in a plan being edited."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gisgrid.codes import grid_codes, is_digits
from gisgrid.errors import BadInput
from gisgrid.numbering import grid_names
from planning.edits.sheet import Sheet

if TYPE_CHECKING:
    from planning.edits.apply import Rules

Place = tuple[int, int]
"""Level and slot of a grid."""


def refuse_code(code: str, above: str, retired: Collection[str]) -> None:
    """Raise BadInput for a code no grid may be given: not of its community or parent, or retired."""
    if not (is_digits(code) and code.startswith(above) and len(above) < len(code) <= 30 and len(code) >= 14):
        raise BadInput(f"code {code} is none for a grid in {above}; give {above} and a number behind it")
    if code in retired:
        raise BadInput(f"code {code} named a grid that has ended; a retired code is never used again, give another")


def new_codes(before: Sheet, sheet: Sheet, fresh: Mapping[Place, str], rules: Rules) -> dict[Place, str]:
    """Codes of new grids (``fresh``: their places), west to east and north to south, parents first; no code anybody
    has, had before the edit, or that is taken. Raises BadInput when a parent runs out of numbers."""
    found: dict[Place, str] = {}
    for number, level in enumerate(sheet.levels, start=1):
        slots = [slot for at, slot in fresh if at == number]
        if not slots:
            continue
        above = []
        for slot in slots:
            facts = level.facts(slot)
            parent = (number - 1, facts.parent)
            code = facts.community if number == 1 else found.get(parent, sheet.levels[number - 2].code(facts.parent))
            above.append(str(code))
        used = {code for one in (before, sheet) for code in one.levels[number - 1].slots()}
        centre = centres(level.owner, len(level.grids), rules)[slots]
        codes = grid_codes(above, centre[:, 0], centre[:, 1], taken=used | set(rules.taken), scheme=rules.scheme)
        found |= {(number, slot): str(code) for slot, code in zip(slots, codes, strict=True)}
    return found


def centres(owner: npt.NDArray[np.int32], grids: int, rules: Rules) -> npt.NDArray[np.float64]:
    """Middle of each grid's ground, shape (grids, 2), from the points of its units; nan without units."""
    use = owner >= 0
    area = np.bincount(owner[use], rules.area[use], minlength=grids)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.stack(
            [
                np.bincount(owner[use], (rules.point[:, axis] * rules.area)[use], minlength=grids) / area
                for axis in (0, 1)
            ],
            axis=1,
        )


def default_names(sheet: Sheet, places: Mapping[str, str]) -> dict[Place, str]:
    """The name by number of every grid."""
    codes, above, where = [], [], []
    for number, level in enumerate(sheet.levels, start=1):
        for slot, facts in enumerate(level.grids):
            if facts is None or not is_digits(facts.code):
                continue
            parent = facts.community if number == 1 else sheet.levels[number - 2].code(facts.parent)
            codes.append(facts.code)
            above.append(parent or facts.community)
            where.append((number, slot))
    return dict(zip(where, grid_names(codes, above, places), strict=True))


def proposed(
    sheet: Sheet, rules: Rules, staying: Collection[Place] = (), *, number: int = 1
) -> list[tuple[int, str, str]]:
    """Slot, code and code by place of every grid of a level that would get another: numbered anew from west to east
    and north to south in each community (parent), around the codes that are taken or stay (``staying``)."""
    level = sheet.levels[number - 1]
    size = np.bincount(level.owner[level.owner >= 0], minlength=len(level.grids))
    free = [
        slot for slot, facts in enumerate(level.grids)
        if facts is not None and size[slot] and not facts.locked and (number, slot) not in staying
    ]  # fmt: skip
    kept = {
        facts.code for slot, facts in enumerate(level.grids)
        if facts is not None and slot not in set(free)
    }  # fmt: skip
    above = [
        level.facts(slot).community if number == 1
        else str(sheet.levels[number - 2].code(level.facts(slot).parent))
        for slot in free
    ]  # fmt: skip
    if not free:
        return []
    centre = centres(level.owner, len(level.grids), rules)[free]
    codes = grid_codes(above, centre[:, 0], centre[:, 1], taken=kept | set(rules.taken), scheme=rules.scheme)
    return [
        (slot, level.facts(slot).code, str(code))
        for slot, code in zip(free, codes, strict=True)
        if level.facts(slot).code != code
    ]
