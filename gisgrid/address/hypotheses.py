"""Every place a text may mean, registered or not, with its share of the probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gisgrid.address.model import How
from gisgrid.address.numbers import Reading
from gisgrid.address.scoring import (
    COMPOUND_USED,
    ROAD_USED,
    UNKNOWN_DOOR,
    UNKNOWN_PLACE,
    Evidence,
    Scored,
    area_evidence,
    score_rows,
)  # fmt: skip
from gisgrid.address.table import LEVELS, from_plane, to_plane

if TYPE_CHECKING:
    from gisgrid.address.gazetteer import Gazetteer, Owners

KEPT: Final = 8.0
"""Candidates this much weaker than the best are dropped, in nats."""
KEPT_UNKNOWN: Final = 5.0
_NO_ROWS: Final = np.empty(0, np.int32)


@dataclass(slots=True)
class Candidate:
    """One place with its share of the probability: rows (those that agree best), or a reckoned spot."""

    mass: float
    x: float
    y: float
    how: How
    accuracy: float
    rows: npt.NDArray[np.int32]
    reading: int = 0
    flags: int = 0
    full: str = ""
    spans: tuple[tuple[str, int, int], ...] = ()
    community: str = ""
    names: tuple[int, ...] = ()


@dataclass(slots=True)
class Pool:
    """All hypotheses: rows, and places that are no row (door unknown, facility, area)."""

    key: npt.NDArray[np.int64]
    p: npt.NDArray[np.float64]
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    grid: npt.NDArray[np.int64] | None
    scored: Scored
    extra: list[tuple[float, int, Candidate]]


def pool_of(gazetteer: Gazetteer, evidence: Evidence, owners: Owners | None) -> Pool | None:
    """All hypotheses about a text that matter; None where there is none."""
    parts = gazetteer.parts
    scored = score_rows(parts, evidence)
    best = float(scored.score.max()) if len(scored.score) else -np.inf
    extra = _extras(gazetteer, evidence, best)
    best = max([best, *(score for score, _, _ in extra)])
    if best == -np.inf:
        return None
    kept = scored.score >= best - KEPT
    scored = Scored(scored.row[kept], scored.score[kept], scored.reading[kept], scored.flags[kept])
    extra = [item for item in extra if item[0] >= best - KEPT]
    weight = np.exp(np.concatenate([scored.score, np.array([score for score, _, _ in extra])]) - best)
    p = weight / (weight.sum() + np.exp(-UNKNOWN_PLACE - best))
    for (_, _, candidate), share in zip(extra, p[len(scored.row) :].tolist(), strict=True):
        candidate.mass = share
    table, row = parts.rows, scored.row
    by_compound = (scored.flags & COMPOUND_USED) != 0
    key = np.where(by_compound, table.compound_place[row], table.road_place[row]).astype(np.int64)
    key = np.concatenate([key, np.array([key for _, key, _ in extra], np.int64)])
    x = np.concatenate([table.x[row], [c.x for _, _, c in extra]])
    y = np.concatenate([table.y[row], [c.y for _, _, c in extra]])
    grid = None
    if owners is not None:
        spots = [from_plane(c.x, c.y, parts.middle) for _, _, c in extra]
        grid = np.concatenate([owners.rows[row], owners.at([s[0] for s in spots], [s[1] for s in spots])])
    return Pool(key, p, x, y, grid, scored, extra)


# --- places that are no registered address ----------------------------------------------


def _extras(gazetteer: Gazetteer, evidence: Evidence, best: float) -> list[tuple[float, int, Candidate]]:
    out = _facilities(gazetteer, evidence) + _areas(gazetteer, evidence)
    best = max([best, *(score for score, _, _ in out)])
    return out + _unknown_doors(gazetteer, evidence, best)


def _unknown_doors(gazetteer: Gazetteer, evidence: Evidence, best: float) -> list[tuple[float, int, Candidate]]:
    """Doors that may lie on the best roads though nobody registered them; roads known by their line alone."""
    parts, weighed = gazetteer.parts, []
    told = [(i, r) for i, r in enumerate(evidence.readings[:3]) if r.door is not None]
    near = evidence.roads[:6]
    for name in near[evidence.score[near] >= evidence.score[near[:1]].sum() - KEPT].tolist():
        span = (int(evidence.first[name]), int(evidence.last[name]))
        for place in parts.places_of.of(name)[:20].tolist():
            count = int(parts.by_place.start[place + 1] - parts.by_place.start[place])
            score = float(evidence.score[name]) - float(np.log(max(len(gazetteer), 1) / (count + 1)))
            score += area_evidence(parts, evidence, parts.place_area[place], [span])
            if told:
                score -= UNKNOWN_DOOR + told[0][1].penalty
            weighed.append((score, place, name, count))
    top = max([best, *(score for score, _, _, _ in weighed)])
    out: list[tuple[float, int, Candidate]] = []
    for score, place, name, count in weighed:
        if score < top - KEPT_UNKNOWN:
            continue
        candidate = _interpolated(gazetteer, evidence, place, name, told) if told and count else None
        if candidate is None and not count:
            candidate = _road_alone(gazetteer, evidence, place, name)
        if candidate is not None:
            out.append((score, place, candidate))
    return out


def _interpolated(
    gazetteer: Gazetteer, evidence: Evidence, place: int, name: int, told: list[tuple[int, Reading]]
) -> Candidate | None:
    """The first door read that is not registered but can be reckoned."""
    known = gazetteer.roads.doors(place).number
    for number, reading in told:
        assert reading.door is not None
        if (known == reading.door.main).any():
            return None
        if spot := gazetteer.roads.interpolate(place, reading.door.main):
            full = head_of(gazetteer, spot.rows[0], name) + str(reading.door)
            return Candidate(
                0.0, spot.x, spot.y, "interpolated", spot.accuracy, _NO_ROWS, number, ROAD_USED, full,
                (("road", int(evidence.first[name]), int(evidence.last[name])),), community_of(gazetteer, spot.rows[0]),
                (name,),
            )  # fmt: skip
    return None


def _road_alone(gazetteer: Gazetteer, evidence: Evidence, place: int, name: int) -> Candidate | None:
    """A road without a single registered address: its middle."""
    middle = gazetteer.roads.middle(place)
    if middle is None:
        return None
    x, y, radius = middle
    spans = (("road", int(evidence.first[name]), int(evidence.last[name])),)
    return Candidate(0.0, x, y, "road", radius, _NO_ROWS, 0, ROAD_USED, gazetteer.parts.shown[name], spans, "", (name,))


def _facilities(gazetteer: Gazetteer, evidence: Evidence) -> list[tuple[float, int, Candidate]]:
    parts, out = gazetteer.parts, []
    count = max(len(parts.facility_lon), 1)
    for name in evidence.facilities.tolist():
        span = (int(evidence.first[name]), int(evidence.last[name]))
        for row in parts.facilities.of(name).tolist():
            x, y = to_plane(parts.facility_lon[row], parts.facility_lat[row], parts.middle)
            out.append((
                float(evidence.score[name]) - float(np.log(count)) - 1.0, -10 - row,
                Candidate(0.0, float(x), float(y), "facility", 30.0, _NO_ROWS, 0, 0, parts.shown[name],
                          (("facility", *span),)),
            ))  # fmt: skip
    return out


def _areas(gazetteer: Gazetteer, evidence: Evidence) -> list[tuple[float, int, Candidate]]:
    """Areas named, as places of their own: what is left when road and compound are unknown."""
    parts, out = gazetteer.parts, []
    for area in evidence.areas:
        about = parts.areas[area]
        if evidence.area_score[area] < 3.0:
            continue
        x, y = to_plane(about.lon, about.lat, parts.middle)
        span = (int(evidence.area_first[area]), int(evidence.area_last[area]))
        above = np.full(3, -1, np.int32)
        above[about.level] = area
        for level in range(about.level):
            code = about.code[: (6, 9, 12)[level]]
            above[level] = next((i for i in evidence.areas if code and parts.areas[i].code == code), -1)
        score = area_evidence(parts, evidence, above, []) - UNKNOWN_PLACE
        score -= float(np.log(max(1, gazetteer.areas_at[about.level])))
        out.append((
            score, -1_000_000 - area,
            Candidate(0.0, float(x), float(y), LEVELS[about.level], about.radius, _NO_ROWS, 0, 0, about.name,
                      ((LEVELS[about.level], *span),), about.code if about.level == 2 else ""),
        ))  # fmt: skip
    return out


def community_of(gazetteer: Gazetteer, row: int) -> str:
    """Code of the community an address lies in, empty where unknown."""
    area = int(gazetteer.parts.rows.area[row, 2])
    return gazetteer.parts.areas[area].code if area >= 0 else ""


def head_of(gazetteer: Gazetteer, row: int, road: int) -> str:
    """The beginning of a row's full text up to its road, the road included."""
    full, name = str(gazetteer.parts.rows.full[row]), gazetteer.parts.shown[road]
    at = full.find(name)
    return full[: at + len(name)] if at >= 0 else name
