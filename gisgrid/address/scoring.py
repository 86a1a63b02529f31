"""What a text may mean: every candidate place with its evidence in nats.

A generative reading of the text, as in probabilistic record linkage (Fellegi & Sunter 1969): log P(text | place) minus
log P(text | noise), name by name and number by number, minus log of the number of places it competes with. Places that
are not registered (an unknown door of a known road, a road nobody knows in a known community) compete as well, so that
probabilities stay honest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gisgrid.address import kernels
from gisgrid.address.doubts import Said, without_other_endings
from gisgrid.address.names import Found
from gisgrid.address.numbers import NONE, Reading, code_of
from gisgrid.address.table import Parts
from gisgrid.address.words import AREA, COMPOUND, FACILITY, ROAD
from gisgrid.limits import ADDRESS_ROWS_SCORED_MAX

ROADS_TRIED: Final = 60
COMPOUNDS_TRIED: Final = 40
WINDOW: Final = 14.0
"""Names this much weaker than the best of their kind are not tried, in nats."""
UNKNOWN_DOOR: Final = 1.8
"""-log of the chance that a caller's door number on a known road is not registered."""
UNKNOWN_BUILDING: Final = 2.5
UNKNOWN_PLACE: Final = 3.5
"""-log of the chance that a caller names a road or compound that is not registered at all."""
ROAD_USED, COMPOUND_USED, DOOR, BUILDING, UNIT = 1, 2, 4, 8, 16
DOOR_OTHER, BUILDING_OTHER, UNIT_OTHER, DOOR_WHOLE = 32, 64, 128, 2048


@dataclass(slots=True)
class Evidence:
    """Names by number with their scores and places in the text, ready for the kernels."""

    text: str
    readings: list[Reading]
    codes: npt.NDArray[np.int64]
    score: npt.NDArray[np.float64]
    first: npt.NDArray[np.int32]
    last: npt.NDArray[np.int32]
    area_score: npt.NDArray[np.float64]
    area_first: npt.NDArray[np.int32]
    area_last: npt.NDArray[np.int32]
    area_best: npt.NDArray[np.int64]
    roads: npt.NDArray[np.int32]
    compounds: npt.NDArray[np.int32]
    facilities: npt.NDArray[np.int32]
    areas: list[int]
    said: Said


@dataclass(slots=True)
class Scored:
    """Rows with their evidence in nats (prior included), the reading used, and which parts agree."""

    row: npt.NDArray[np.int32]
    score: npt.NDArray[np.float64]
    reading: npt.NDArray[np.int16]
    flags: npt.NDArray[np.int32]


def weigh(parts: Parts, text: str, found: Found, readings: list[Reading]) -> Evidence:
    """Sort the names found by kind and put them where the kernels look them up."""
    count = len(parts.shown)
    found, said = without_other_endings(parts.names, text, found)
    score = np.zeros(count)
    first, last = np.zeros(count, np.int32), np.zeros(count, np.int32)
    score[found.name], first[found.name], last[found.name] = found.score, found.first, found.last
    area_score, area_first, area_last, area_best, areas = _areas(parts, found)
    kinds = parts.kinds[found.name]
    return Evidence(
        text, readings, _codes(readings), score, first, last, area_score, area_first, area_last, area_best,
        _best(found, kinds == ROAD, ROADS_TRIED), _best(found, kinds == COMPOUND, COMPOUNDS_TRIED),
        _best(found, kinds == FACILITY, 10), areas, said,
    )  # fmt: skip


def only_roads(evidence: Evidence) -> Evidence:
    """The same without compounds and facilities."""
    score = evidence.score.copy()
    score[evidence.compounds] = 0.0
    nothing = np.empty(0, np.int32)
    return replace(evidence, score=score, compounds=nothing, facilities=nothing)


def _best(found: Found, mine: npt.NDArray[np.bool_], most: int) -> npt.NDArray[np.int32]:
    at = np.flatnonzero(mine)
    if not len(at):
        return np.empty(0, np.int32)
    at = at[np.argsort(-found.score[at], kind="stable")][:most]
    best: npt.NDArray[np.int32] = found.name[at[found.score[at] >= found.score[at[0]] - WINDOW]]
    return best


def _areas(parts: Parts, found: Found) -> tuple[Any, ...]:
    size = len(parts.areas)
    score, best = np.zeros(size), np.full(3, NONE, np.int64)
    first, last = np.zeros(size, np.int32), np.zeros(size, np.int32)
    listed: list[int] = []
    for i in np.flatnonzero(parts.kinds[found.name] == AREA).tolist():
        for area in parts.areas_of.get(int(found.name[i]), ()):
            score[area], first[area], last[area] = found.score[i], found.first[i], found.last[i]
            level = parts.areas[area].level
            listed.append(area)
            if best[level] < 0 or score[area] > score[best[level]]:
                best[level] = area
    return score, first, last, best, listed


def _codes(readings: list[Reading]) -> npt.NDArray[np.int64]:
    """Readings as numbers: door, its suffix, building, unit, penalty in thousandths of a nat."""
    return np.array(
        [
            (
                NONE if r.door is None else r.door.main, 0 if r.door is None else r.door.code, code_of(r.building),
                code_of(r.unit), round(1000 * r.penalty),
            )
            for r in readings
        ],
        np.int64,
    )  # fmt: skip


def score_rows(parts: Parts, evidence: Evidence) -> Scored:
    """All registered addresses of the roads and compounds that may be meant."""
    rows, table = [], parts.rows
    skip = np.zeros(len(parts.shown), np.bool_)
    skip[evidence.roads] = True
    for keys, by_road in ((evidence.roads, True), (evidence.compounds, False)):
        rows.append(
            kernels.score_rows(
                _affordable(parts, keys), by_road, parts.by_name.start, parts.by_name.rows, table.road, table.compound,
                table.area, table.door, table.sub, table.building, table.unit, evidence.score, evidence.first,
                evidence.last, evidence.area_score, evidence.area_first, evidence.area_last, evidence.area_best,
                evidence.codes, skip,
            )
        )  # fmt: skip
    row, score, reading, flags = (np.concatenate(columns) for columns in zip(*rows, strict=True))
    return Scored(row, score - np.log(max(len(table.lon), 1)), reading, flags)


def _affordable(parts: Parts, keys: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """As many of the names, best first, as keep a question within its time."""
    size = parts.by_name.start[keys + 1] - parts.by_name.start[keys]
    return keys[: max(1, int(np.searchsorted(np.cumsum(size), ADDRESS_ROWS_SCORED_MAX)))]


def area_evidence(
    parts: Parts, evidence: Evidence, areas: npt.NDArray[np.int32], spans: list[tuple[int, int]]
) -> float:
    """What the areas named say for a place in the areas given (three levels), outside the spans used for its name.

    The rule of `kernels.score_rows`, for a place that is no row.
    """
    value, used, gain = 0.0, NONE, 0.0
    for level, area in enumerate(areas.tolist()):
        mine = 0.0
        if area >= 0 and evidence.area_score[area] > 0 and _free(evidence, area, spans):
            mine = float(evidence.area_score[area])
            alike = used >= 0 and _overlap(evidence, area, used)
            if not alike or mine > gain:
                value += mine - (gain if alike else 0.0)
                used, gain = area, mine
        top = int(evidence.area_best[level])
        rival = top >= 0 and top != area and evidence.area_score[top] > mine and _free(evidence, top, spans)
        if rival and (used < 0 or not _overlap(evidence, top, used)):
            value -= min(2.5, 0.5 * (float(evidence.area_score[top]) - mine))
            used = used if used >= 0 else top
    return value


def _overlap(evidence: Evidence, a: int, b: int) -> bool:
    return bool(evidence.area_first[a] < evidence.area_last[b] and evidence.area_first[b] < evidence.area_last[a])


def _free(evidence: Evidence, area: int, spans: list[tuple[int, int]]) -> bool:
    first, last = int(evidence.area_first[area]), int(evidence.area_last[area])
    return all(last <= a or first >= b for a, b in spans)
