"""Made plans on a lattice of square units, for tests of editing."""

from __future__ import annotations

import numpy as np

from gisgrid import topology
from planning.edits import GridFacts, Rules, Sheet, sheet_of

COMMUNITIES = ("370811001001", "370811001002")
COLUMNS, ROWS = 8, 4
UNITS = COLUMNS * ROWS


def rules_of(**more: object) -> Rules:
    """Units numbered row by row; the left half belongs to the first community."""
    number = np.arange(UNITS)
    x, y = number % COLUMNS, number // COLUMNS
    right, up = number[x < COLUMNS - 1], number[y < ROWS - 1]
    left = np.concatenate([right, up])
    other = np.concatenate([right + 1, up + COLUMNS])
    borders = topology.Borders(left, other, np.full(left.size, 10.0))
    point = np.stack([x * 10.0, y * 10.0], axis=1)
    known: dict[str, object] = {
        "community": (x >= COLUMNS // 2).astype(np.int16), "communities": COMMUNITIES, "point": point,
        "area": np.full(UNITS, 100.0), "borders": borders, "names": {COMMUNITIES[0]: "甲", COMMUNITIES[1]: "乙"},
    }  # fmt: skip
    return Rules(**(known | more))  # type: ignore[arg-type]


def two_levels() -> Sheet:
    """Two grids a community, one above the other, each of two micro-grids side by side."""
    number = np.arange(UNITS)
    x, y = number % COLUMNS, number // COLUMNS
    first = (x >= COLUMNS // 2) * 2 + (y >= ROWS // 2)
    second = first * 2 + (x % (COLUMNS // 2) >= COLUMNS // 4)
    codes = [f"{COMMUNITIES[grid // 2]}00{grid % 2 + 1}" for grid in range(4)]
    upper = [
        (GridFacts(code, f"{'甲乙'[row // 2]}第{row % 2 + 1}网格", "ordinary", -1, code[:12], key=row + 1), None)
        for row, code in enumerate(codes)
    ]
    lower = [
        (GridFacts(f"{codes[row // 2]}0{row % 2 + 1}", f"m{row}", "ordinary", -1, codes[row // 2][:12], key=row + 11),
         codes[row // 2])
        for row in range(8)
    ]  # fmt: skip
    return sheet_of([(upper, first), (lower, second)])


def one_level() -> Sheet:
    """The first level of `two_levels`."""
    return Sheet(two_levels().levels[:1])


def told(sheet: Sheet) -> list[dict[str, object]]:
    """Everything a plan says, by codes: equal plans tell the same."""
    out: list[dict[str, object]] = []
    for number, level in enumerate(sheet.levels):
        grids = {
            facts.code: (facts.name, facts.kind, facts.locked, facts.community,
                         sheet.levels[number - 1].code(facts.parent) if number else None)
            for facts in level.grids if facts is not None
        }  # fmt: skip
        out.append({"grids": grids, "owner": [level.code(slot) for slot in level.owner.tolist()]})
    return out
