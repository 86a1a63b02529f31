"""From a text to ranked places: probabilities, levels of detail, how sure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gisgrid.address.build import LEVELS, from_plane, to_plane
from gisgrid.address.model import How, Match
from gisgrid.address.numbers import Reading
from gisgrid.address.scoring import (
    BUILDING,
    COMPOUND_USED,
    DOOR,
    ROAD_USED,
    UNIT,
    UNKNOWN_DOOR,
    UNKNOWN_PLACE,
    Evidence,
    Scored,
    area_evidence,
    score_rows,
)

if TYPE_CHECKING:
    from gisgrid.address.gazetteer import Gazetteer, Owners

CONFIDENT: Final = 0.93
"""Probability from which a match may be used without asking."""
CONFIDENT_METRES: Final = 100.0
"""Without grids at hand, a place less exact than this is never confident."""
VICINITY: Final = 60.0
"""Without grids at hand, candidates this near to each other are one answer, in metres."""
KEPT: Final = 8.0
"""Candidates this much weaker than the best are dropped, in nats."""
VAGUE_METRES: Final = 40.0
KEPT_UNKNOWN: Final = 5.0
_NO_ROWS: Final = np.empty(0, np.int32)
DOOR_METRES, BUILDING_METRES = 10.0, 20.0


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


@dataclass(slots=True)
class _Pool:
    """All hypotheses: rows, and places that are no row (door unknown, facility, area)."""

    key: npt.NDArray[np.int64]
    p: npt.NDArray[np.float64]
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    grid: npt.NDArray[np.int64] | None
    scored: Scored
    extra: list[tuple[float, int, Candidate]]


def ranked(gazetteer: Gazetteer, evidence: Evidence, limit: int, owners: Owners | None, vague: bool) -> list[Match]:
    """Places a text may mean, likeliest first."""
    pool = _pool(gazetteer, evidence, owners)
    if pool is None:
        return []
    candidates = _candidates(gazetteer, evidence, pool, limit, owners)
    found = [_match(gazetteer, evidence, pool, c, owners, vague, first=i == 0) for i, c in enumerate(candidates)]
    return found[:limit]


def _pool(gazetteer: Gazetteer, evidence: Evidence, owners: Owners | None) -> _Pool | None:
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
    return _Pool(key, p, x, y, grid, scored, extra)


# --- places that are no registered address ----------------------------------------------


def _extras(gazetteer: Gazetteer, evidence: Evidence, best: float) -> list[tuple[float, int, Candidate]]:
    out = _facilities(gazetteer, evidence) + _areas(gazetteer, evidence)
    best = max([best, *(score for score, _, _ in out)])
    return out + _unknown_doors(gazetteer, evidence, best)


def _unknown_doors(gazetteer: Gazetteer, evidence: Evidence, best: float) -> list[tuple[float, int, Candidate]]:
    """Doors that may lie on the best roads though nobody registered them; roads known by their line alone."""
    parts, weighed = gazetteer.parts, []
    told = [(i, r) for i, r in enumerate(evidence.readings[:3]) if r.door is not None]
    for name in evidence.roads[:6].tolist():
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
            full = _head(gazetteer, spot.rows[0], name) + str(reading.door)
            return Candidate(
                0.0, spot.x, spot.y, "interpolated", spot.accuracy, _NO_ROWS, number, ROAD_USED, full,
                (("road", int(evidence.first[name]), int(evidence.last[name])),), _community(gazetteer, spot.rows[0]),
            )  # fmt: skip
    return None


def _road_alone(gazetteer: Gazetteer, evidence: Evidence, place: int, name: int) -> Candidate | None:
    """A road without a single registered address: its middle."""
    middle = gazetteer.roads.middle(place)
    if middle is None:
        return None
    x, y, radius = middle
    spans = (("road", int(evidence.first[name]), int(evidence.last[name])),)
    return Candidate(0.0, x, y, "road", radius, _NO_ROWS, 0, ROAD_USED, gazetteer.parts.shown[name], spans)


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
        score -= float(np.log(max(1, sum(other.level == about.level for other in parts.areas))))
        out.append((
            score, -1_000_000 - area,
            Candidate(0.0, float(x), float(y), LEVELS[about.level], about.radius, _NO_ROWS, 0, 0, about.name,
                      ((LEVELS[about.level], *span),), about.code if about.level == 2 else ""),
        ))  # fmt: skip
    return out


# --- choosing ---------------------------------------------------------------------------


def _candidates(gazetteer: Gazetteer, evidence: Evidence, pool: _Pool, limit: int, owners: Owners | None) -> list[Candidate]:
    """The best places, each at the level of detail the text supports."""
    keys, where = np.unique(pool.key, return_inverse=True)
    mass = np.bincount(where, weights=pool.p)
    out: list[Candidate] = []
    for at in np.argsort(-mass, kind="stable")[: max(limit, 1) + 2].tolist():
        members = np.flatnonzero(where == at)
        rows = members[members < len(pool.scored.row)]
        spots = [pool.extra[i - len(pool.scored.row)][2] for i in members[members >= len(pool.scored.row)].tolist()]
        in_rows = float(pool.p[rows].sum())
        out += spots
        if len(rows):
            out += _places(gazetteer, evidence, pool, rows, in_rows, limit)
    out.sort(key=lambda c: -c.mass)
    return _without_shadows(out)[: max(limit, 1)]


def _without_shadows(candidates: list[Candidate]) -> list[Candidate]:
    """An area that holds nothing but the better candidates' own text is no further answer."""
    return [c for c in candidates if c.mass > 1e-4] or candidates[:1]


def _places(
    gazetteer: Gazetteer, evidence: Evidence, pool: _Pool, rows: npt.NDArray[np.intp], mass: float, limit: int
) -> list[Candidate]:
    """One road's or compound's rows: the part of them the numbers point at, then others that compete with it."""
    chosen = rows
    for bit in (DOOR, BUILDING, UNIT):
        agree = (pool.scored.flags[chosen] & bit) != 0
        if agree.any() and pool.p[chosen[agree]].sum() > 0.5 * pool.p[chosen].sum():
            chosen = chosen[agree]
    first = _candidate(gazetteer, evidence, pool, chosen, float(pool.p[chosen].sum()))
    if first.mass < 0.75 * mass and limit > 1:
        rest = np.setdiff1d(rows, chosen, assume_unique=True)
        return [first, _candidate(gazetteer, evidence, pool, rest, float(pool.p[rest].sum()))]
    first.mass = mass
    return [first]


def _candidate(gazetteer: Gazetteer, evidence: Evidence, pool: _Pool, chosen: npt.NDArray[np.intp], mass: float) -> Candidate:
    table, row = gazetteer.parts.rows, pool.scored.row[chosen]
    if pool.grid is not None and len(row) > 1:  # stand in the grid most of it lies in
        grid = pool.grid[chosen]
        ids, where = np.unique(grid, return_inverse=True)
        inside = where == np.argmax(np.bincount(where, weights=pool.p[chosen]))
    else:
        inside = np.ones(len(row), np.bool_)
    weight = pool.p[chosen] * inside
    cx, cy = float(np.average(table.x[row], weights=weight)), float(np.average(table.y[row], weights=weight))
    off = np.hypot(table.x[row] - cx, table.y[row] - cy)
    spread = float(np.sort(off)[int(0.95 * (len(off) - 1))])
    nearest = int(np.argmin(np.where(inside, off, np.inf)))
    best = int(np.argmax(pool.p[chosen]))
    flags = int(pool.scored.flags[chosen[best]])
    how, accuracy = _how(gazetteer, row, flags, spread)
    x, y = (cx, cy) if how == "building" else (float(table.x[row[nearest]]), float(table.y[row[nearest]]))
    spans = []
    for part, name, bit in (("road", table.road[row[best]], ROAD_USED), ("compound", table.compound[row[best]], COMPOUND_USED)):
        if flags & bit:
            spans.append((part, int(evidence.first[name]), int(evidence.last[name])))
    for level in range(3):
        if flags & (256 << level):
            area = int(table.area[row[best], level])
            spans.append((LEVELS[level], int(evidence.area_first[area]), int(evidence.area_last[area])))
    return Candidate(
        mass, x, y, how, accuracy, row, int(pool.scored.reading[chosen[best]]), flags, "", tuple(spans),
        _community(gazetteer, int(row[nearest])),
    )  # fmt: skip


def _how(gazetteer: Gazetteer, row: npt.NDArray[np.int32], flags: int, spread: float) -> tuple[How, float]:
    """The level of detail rows stand for, and its accuracy in metres."""
    table = gazetteer.parts.rows
    one_building = table.building[row[0]] >= 0 and len(np.unique(table.building[row])) == 1
    if len(row) == 1 and flags & UNIT:
        return "unit", DOOR_METRES
    if len(row) == 1 and (flags & DOOR) and not table.building[row[0]] >= 0:
        return "door", DOOR_METRES
    if one_building and flags & BUILDING and len(np.unique(table.compound[row])) == 1:
        return "building", BUILDING_METRES + spread
    if len(row) == 1:
        return ("door" if flags & DOOR else "compound" if flags & COMPOUND_USED else "road"), 2 * BUILDING_METRES
    if table.compound[row[0]] >= 0 and len(np.unique(table.compound[row])) == 1:
        return "compound", BUILDING_METRES + spread
    if flags & DOOR and len(np.unique(table.door[row])) == 1:
        return "door", BUILDING_METRES + spread
    return "road", BUILDING_METRES + spread


# --- telling ----------------------------------------------------------------------------


def _match(
    gazetteer: Gazetteer, evidence: Evidence, pool: _Pool, c: Candidate, owners: Owners | None, vague: bool, *, first: bool
) -> Match:
    parts = gazetteer.parts
    accuracy = c.accuracy + (VAGUE_METRES if vague else 0.0)
    lon, lat = from_plane(c.x, c.y, parts.middle)
    sure = first and _sure(gazetteer, pool, c, owners, lon, lat, accuracy, vague)
    single = len(c.rows) == 1 and c.how in ("unit", "door", "building", "compound")
    full = c.full or (str(parts.rows.full[c.rows[0]]) if single else _common(gazetteer, c))
    told = {part: evidence.text[a:b] for part, a, b in sorted(c.spans, key=lambda s: s[1])}
    told |= _numbers_told(evidence.readings[c.reading], c)
    return Match(
        round(lon, 9), round(lat, 9), str(parts.rows.address_id[c.rows[0]]) if single else "", full,
        round(min(c.mass, 1.0), 4), sure, c.how, told, round(accuracy, 1), c.community,
    )  # fmt: skip


def _sure(
    gazetteer: Gazetteer, pool: _Pool, c: Candidate, owners: Owners | None, lon: float, lat: float, accuracy: float, vague: bool
) -> bool:
    """Whether enough of the probability lies in the answer's grid (without grids: near the answer)."""
    if c.how in LEVELS and owners is None:
        return False
    if owners is None:
        if accuracy > CONFIDENT_METRES:
            return False
        near = np.hypot(pool.x - c.x, pool.y - c.y) <= max(VICINITY, c.accuracy)
        return float(pool.p[near].sum()) >= CONFIDENT
    grid = int(owners.at([lon], [lat])[0])
    if grid < 0 or pool.grid is None:
        return False
    mass = float(pool.p[pool.grid == grid].sum())
    if vague or c.how not in ("unit", "door", "building", "compound", "road"):
        mass *= _share_around(gazetteer, owners, c.x, c.y, accuracy, grid)
    return mass >= CONFIDENT


def _share_around(gazetteer: Gazetteer, owners: Owners, x: float, y: float, radius: float, grid: int) -> float:
    """Share of the disc about a point that lies in its grid, by 33 points."""
    turn = np.arange(16) * (np.pi / 8)
    xs = np.concatenate([[x], *(x + r * radius * np.cos(turn) for r in (0.5, 1.0))])
    ys = np.concatenate([[y], *(y + r * radius * np.sin(turn) for r in (0.5, 1.0))])
    lon, lat = zip(*(from_plane(a, b, gazetteer.parts.middle) for a, b in zip(xs, ys, strict=True)), strict=True)
    return float(np.mean(owners.at(lon, lat) == grid))


def _numbers_told(reading: Reading, c: Candidate) -> dict[str, str]:
    told = {"door": "" if reading.door is None else str(reading.door), "building": reading.building, "unit": reading.unit,
            "floor": reading.floor, "room": reading.room}  # fmt: skip
    agreed = {"door": c.flags & DOOR, "building": c.flags & BUILDING, "unit": c.flags & UNIT}
    if c.how == "interpolated":
        agreed["door"] = 1
    return {part: value for part, value in told.items() if value and agreed.get(part, 1)}


def _community(gazetteer: Gazetteer, row: int) -> str:
    area = int(gazetteer.parts.rows.area[row, 2])
    return gazetteer.parts.areas[area].code if area >= 0 else ""


def _head(gazetteer: Gazetteer, row: int, road: int) -> str:
    """The beginning of a row's full text up to its road, the road included."""
    full, name = str(gazetteer.parts.rows.full[row]), gazetteer.parts.shown[road]
    at = full.find(name)
    return full[: at + len(name)] if at >= 0 else name


def _common(gazetteer: Gazetteer, c: Candidate) -> str:
    """What the full texts of several rows begin with in common, cut where a number would be torn."""
    fulls = [str(gazetteer.parts.rows.full[row]) for row in c.rows[:200].tolist()]
    low, high = min(fulls), max(fulls)
    size = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    while 0 < size < len(low) and low[size - 1].isdigit():
        size -= 1
    return low[:size] or low


def plate_match(gazetteer: Gazetteer, rows: npt.NDArray[np.int32], code: str, limit: int) -> list[Match]:
    """The addresses a door-plate code stands for: one, unless two sources use the same code."""
    table, out = gazetteer.parts.rows, []
    for row in rows[:limit].tolist():
        out.append(
            Match(
                float(table.lon[row]), float(table.lat[row]), str(table.address_id[row]), str(table.full[row]),
                round(1.0 / len(rows), 4), len(rows) == 1, "plate", {"plate": code}, DOOR_METRES, _community(gazetteer, row),
            )
        )  # fmt: skip
    return out


def crossing_matches(gazetteer: Gazetteer, evidence: Evidence, limit: int, owners: Owners | None) -> list[Match]:
    """Crossings of two roads the text names apart from each other, likeliest first."""
    parts, out = gazetteer.parts, []
    names = evidence.roads[:8].tolist()
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            if evidence.first[a] < evidence.last[b] and evidence.first[b] < evidence.last[a]:
                continue
            for one in parts.places_of.of(a).tolist():
                for two in parts.places_of.of(b).tolist():
                    for x, y, accuracy in gazetteer.roads.crossings(one, two):
                        first, second = (a, b) if evidence.first[a] <= evidence.first[b] else (b, a)
                        out.append((float(evidence.score[a] + evidence.score[b]), x, y, accuracy, first, second))
    if not out:
        return []
    top = max(item[0] for item in out)
    weight = np.exp(np.array([item[0] for item in out]) - top)
    share = weight / (weight.sum() + np.exp(-UNKNOWN_PLACE - top + 2 * np.log(max(gazetteer.road_places, 1))))
    found = []
    for k in np.argsort(-share, kind="stable")[:limit].tolist():
        _, x, y, accuracy, first, second = out[k]
        lon, lat = from_plane(x, y, parts.middle)
        sure = not found and float(share[k]) >= CONFIDENT and accuracy <= CONFIDENT_METRES
        if sure and owners is not None:
            grid = int(owners.at([lon], [lat])[0])
            sure = grid >= 0 and _share_around(gazetteer, owners, x, y, accuracy, grid) >= CONFIDENT
        told = {"road": evidence.text[evidence.first[first] : evidence.last[first]],
                "crossing_road": evidence.text[evidence.first[second] : evidence.last[second]]}  # fmt: skip
        full = f"{parts.shown[first]}与{parts.shown[second]}交叉口"
        found.append(Match(round(lon, 9), round(lat, 9), "", full, round(float(share[k]), 4), sure, "crossing", told, round(accuracy, 1)))
    return found


