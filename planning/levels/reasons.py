"""Why a level of a nested plan is not as it was asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gisgrid.models import Band
from planning.levels.atoms import Atoms
from planning.levels.parse import Level
from planning.levels.rows import LevelRows
from planning.partition import PlanResult, Reason

Ints = npt.NDArray[np.int64]

SHOWN: Final = 5
"""Units a reason names in its text."""


@dataclass(frozen=True, slots=True)
class LevelReason(Reason):
    """A `Reason` of one level; below the first, ``community`` is the code of the parent grid."""

    level: int = 1


def level_reasons(
    level: int, atoms: Atoms, rows: Ints, parent: npt.NDArray[np.integer[Any]], band: Band, result: PlanResult,
    above: LevelRows, *, forced: bool,
) -> list[LevelReason]:  # fmt: skip
    """Why a level is not in band, parent by parent: units above the band first, then what the search says of others.

    `forced`: a number of grids was asked for.
    """
    codes = above.table["code"].astype(str).tolist()
    heavy = atoms.households[rows] > band.high
    most = max(band.low // 3, 1)
    finer = f"finer units would help (gisgrid units --max-households {most})"
    finer += ", or a band without a number of grids" if forced else ""
    found: list[LevelReason] = []
    for number in np.unique(parent[heavy]).tolist():
        here = rows[heavy & (parent == number)]
        names = tuple(str(name) for name in atoms.units["unit_id"].to_numpy()[here])
        loads = atoms.households[here]
        shown = ", ".join(f"{name} ({load:g})" for name, load in zip(names[:SHOWN], loads, strict=False))
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        text = (
            f"level {level}, grid {codes[number]}: units alone above {band.high} households: {shown}{more}; divide "
            f"them (gisgrid units --max-households {most}, large buildings by entrance) or widen the band"
        )
        figures: dict[str, float | str] = {"units": len(names), "high": band.high, "column": "households"}
        found.append(LevelReason("unit_above_band", text, names, codes[number], level, figures=figures))
    for one in result.reasons:
        number = int(one.community) - 1 if one.community.isdigit() else -1
        code = codes[number] if 0 <= number < len(codes) else ""
        text = one.text.replace(f"community {one.community}", f"grid {code}") if code else one.text
        text = _uncut(text, atoms)
        advice = f"; {finer}" if one.code in ("not_found", "pocket_cut_off") else ""
        told = f"level {level}: {text}{advice}"
        found.append(LevelReason(one.code, told, one.units, code, level, figures=one.figures))
    return found


def _uncut(text: str, atoms: Atoms) -> str:
    """The text with a unit's own households: the search takes units above the band as being at its top."""
    found = re.search(r"through unit (\S+) \(\d+ households\)", text)
    if found is None:
        return text
    row = np.flatnonzero(atoms.units["unit_id"].to_numpy().astype(str) == found[1])
    if not len(row):
        return text
    return text.replace(found[0], f"through unit {found[1]} ({atoms.households[row[0]]:g} households)")


def miscounted(level: int, asked: Level, made: int, known: Sequence[LevelReason]) -> list[LevelReason]:
    """The reason a level has not as many grids as were asked for, unless the search has said it."""
    if asked.grids is None or made == asked.grids:
        return []
    if any(one.code == "forced_count" and "were asked for and" in one.text for one in known):
        return []
    text = f"level {level}: {asked.grids} grids were asked for and {made} made, special grids counted in"
    return [LevelReason("forced_count", text, (), "", level, figures={"asked": asked.grids, "made": made})]
