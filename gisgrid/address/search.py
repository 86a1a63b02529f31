"""From a text to ranked places: probabilities, levels of detail, how sure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gisgrid.address.doubts import doubted
from gisgrid.address.hypotheses import Candidate, Pool, community_of, pool_of
from gisgrid.address.model import How, Match
from gisgrid.address.numbers import Reading
from gisgrid.address.scoring import (
    BUILDING,
    COMPOUND_USED,
    DOOR,
    DOOR_OTHER,
    DOOR_WHOLE,
    ROAD_USED,
    UNIT,
    UNKNOWN_PLACE,
    Evidence,
)
from gisgrid.address.table import LEVELS, from_plane

if TYPE_CHECKING:
    from gisgrid.address.gazetteer import Gazetteer, Owners

CONFIDENT: Final = 0.93
"""Probability from which a match may be used without asking."""
CONFIDENT_METRES: Final = 100.0
"""Without grids at hand, a place less exact than this is never confident."""
VICINITY: Final = 60.0
"""Without grids at hand, candidates this near to each other are one answer, in metres."""
VAGUE_METRES: Final = 40.0
"""Added to the accuracy by 对面, 附近 and their like."""
DOOR_METRES, BUILDING_METRES = 10.0, 20.0
LEAST_MASS: Final = 1e-3
"""A place less likely than this is no answer, unless it is the only one."""
CROSSING_NATS: Final = 5.0
"""Both roads of a crossing must be named at least this well."""


def ranked(gazetteer: Gazetteer, evidence: Evidence, limit: int, owners: Owners | None, vague: bool) -> list[Match]:
    """Places a text may mean, likeliest first."""
    pool = pool_of(gazetteer, evidence, owners)
    if pool is None:
        return []
    candidates = _candidates(gazetteer, evidence, pool, limit, owners)
    found = [_match(gazetteer, evidence, pool, c, owners, vague, first=i == 0) for i, c in enumerate(candidates)]
    return found[:limit]


def _candidates(
    gazetteer: Gazetteer, evidence: Evidence, pool: Pool, limit: int, owners: Owners | None
) -> list[Candidate]:
    """The best places, each at the level of detail the text supports."""
    _, where = np.unique(pool.key, return_inverse=True)
    mass = np.bincount(where, weights=pool.p)
    out: list[Candidate] = []
    for at in np.argsort(-mass, kind="stable")[: max(limit, 1) + 2].tolist():
        if out and mass[at] < LEAST_MASS:
            break
        members = np.flatnonzero(where == at)
        rows = members[members < len(pool.scored.row)]
        spots = [pool.extra[i - len(pool.scored.row)][2] for i in members[members >= len(pool.scored.row)].tolist()]
        in_rows = float(pool.p[rows].sum())
        out += spots
        if len(rows):
            out += _places(gazetteer, evidence, pool, rows, in_rows, limit)
    out.sort(key=lambda c: -c.mass)
    return [c for c in out if c.mass >= LEAST_MASS][:limit] or out[:1]


def _places(
    gazetteer: Gazetteer, evidence: Evidence, pool: Pool, rows: npt.NDArray[np.intp], mass: float, limit: int
) -> list[Candidate]:
    """One road's or compound's rows: the part of them the numbers point at, then others that compete with it."""
    chosen = rows
    for bit in (DOOR, DOOR_WHOLE, BUILDING, UNIT):
        agree = (pool.scored.flags[chosen] & bit) != 0
        if agree.any() and pool.p[chosen[agree]].sum() > 0.5 * pool.p[chosen].sum():
            chosen = chosen[agree]
    first = _candidate(gazetteer, evidence, pool, chosen, float(pool.p[chosen].sum()))
    if first.mass < 0.75 * mass and limit > 1:
        rest = np.setdiff1d(rows, chosen, assume_unique=True)
        return [first, _candidate(gazetteer, evidence, pool, rest, float(pool.p[rest].sum()))]
    first.mass = mass
    return [first]


def _candidate(
    gazetteer: Gazetteer, evidence: Evidence, pool: Pool, chosen: npt.NDArray[np.intp], mass: float
) -> Candidate:
    table, row = gazetteer.parts.rows, pool.scored.row[chosen]
    if pool.grid is not None and len(row) > 1:  # stand in the grid most of it lies in
        grid = pool.grid[chosen]
        _, where = np.unique(grid, return_inverse=True)
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
    if how == "road" and (middle := gazetteer.roads.middle(int(table.road_place[row[best]]))):
        accuracy = max(accuracy, middle[2])
    x, y = (cx, cy) if how == "building" else (float(table.x[row[nearest]]), float(table.y[row[nearest]]))
    spans, names = [], []
    for part, name, bit in (
        ("road", table.road[row[best]], ROAD_USED),
        ("compound", table.compound[row[best]], COMPOUND_USED),
    ):
        if flags & bit:
            spans.append((part, int(evidence.first[name]), int(evidence.last[name])))
            names.append(int(name))
    for level in range(3):
        if flags & (256 << level):
            area = int(table.area[row[best], level])
            spans.append((LEVELS[level], int(evidence.area_first[area]), int(evidence.area_last[area])))
    return Candidate(
        mass, x, y, how, accuracy, row, int(pool.scored.reading[chosen[best]]), flags, "", tuple(spans),
        community_of(gazetteer, int(row[nearest])), tuple(names),
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
    if flags & (COMPOUND_USED | DOOR) and table.compound[row[0]] >= 0 and len(np.unique(table.compound[row])) == 1:
        return "compound", BUILDING_METRES + spread
    if flags & DOOR and len(np.unique(table.door[row])) == 1:
        return "door", BUILDING_METRES + spread
    return "road", BUILDING_METRES + spread


# --- telling ----------------------------------------------------------------------------


def _match(
    gazetteer: Gazetteer,
    evidence: Evidence,
    pool: Pool,
    c: Candidate,
    owners: Owners | None,
    vague: bool,
    *,
    first: bool,
) -> Match:
    parts = gazetteer.parts
    accuracy = c.accuracy + (VAGUE_METRES if vague else 0.0)
    lon, lat = from_plane(c.x, c.y, parts.middle)
    sure = first and _sure(gazetteer, pool, c, owners, lon, lat, accuracy, vague)
    agreed = bool(c.flags & (DOOR | BUILDING | UNIT))
    door = bool(c.flags & ROAD_USED and c.flags & DOOR)
    sure = sure and not doubted(parts.names, evidence, c.names, c.spans, parts.outer, agreed=agreed, door=door)
    single = len(c.rows) == 1 and c.how in ("unit", "door", "building", "compound")
    full = c.full or (str(parts.rows.full[c.rows[0]]) if single else _common(gazetteer, c))
    told = {part: evidence.text[a:b] for part, a, b in sorted(c.spans, key=lambda s: s[1])}
    told |= _numbers_told(evidence.readings[c.reading], c)
    return Match(
        round(lon, 9), round(lat, 9), str(parts.rows.address_id[c.rows[0]]) if single else "", full,
        round(min(c.mass, 1.0), 4), sure, c.how, told, round(accuracy, 1), c.community,
    )  # fmt: skip


def _sure(
    gazetteer: Gazetteer,
    pool: Pool,
    c: Candidate,
    owners: Owners | None,
    lon: float,
    lat: float,
    accuracy: float,
    vague: bool,
) -> bool:
    """Whether enough of the probability lies in the answer's grid (without grids: near the answer)."""
    if (c.how in LEVELS and owners is None) or (c.how == "road" and c.flags & DOOR_OTHER):
        return False  # a road whose numbers do not have the one told
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
    told = {name: str(getattr(reading, name) or "") for name in ("door", "building", "unit", "floor", "room")}
    agreed = {"door": c.flags & DOOR, "building": c.flags & BUILDING, "unit": c.flags & UNIT}
    if c.how == "interpolated":
        agreed["door"] = 1
    return {part: value for part, value in told.items() if value and agreed.get(part, 1)}


def _common(gazetteer: Gazetteer, c: Candidate) -> str:
    """What the full texts of several rows begin with in common, cut where a number would be torn."""
    fulls = [str(gazetteer.parts.rows.full[row]) for row in c.rows[:200].tolist()]
    low, high = min(fulls), max(fulls)
    size = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    while 0 < size < len(low) and low[size - 1].isdigit():
        size -= 1
    head = low[:size]
    if c.how == "road" and c.names:
        road = gazetteer.parts.shown[c.names[0]]
        return head if road in head else head + road
    return head or low


def plate_match(gazetteer: Gazetteer, rows: npt.NDArray[np.int32], code: str, limit: int) -> list[Match]:
    """The addresses a door-plate code stands for: one, unless two sources use the same code."""
    table = gazetteer.parts.rows
    return [
        Match(
            float(table.lon[row]), float(table.lat[row]), str(table.address_id[row]), str(table.full[row]),
            round(1.0 / len(rows), 4), len(rows) == 1, "plate", {"plate": code}, DOOR_METRES,
            community_of(gazetteer, row),
        )
        for row in rows[:limit].tolist()
    ]  # fmt: skip


def crossing_matches(gazetteer: Gazetteer, evidence: Evidence, limit: int, owners: Owners | None) -> list[Match]:
    """Crossings of two roads the text names apart from each other, likeliest first."""
    parts, out = gazetteer.parts, []
    names = [name for name in evidence.roads[:8].tolist() if evidence.score[name] >= CROSSING_NATS]
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
    found: list[Match] = []
    for k in np.argsort(-share, kind="stable")[:limit].tolist():
        _, x, y, accuracy, first, second = out[k]
        lon, lat = from_plane(x, y, parts.middle)
        sure = not found and float(share[k]) >= CONFIDENT and accuracy <= CONFIDENT_METRES
        if sure and owners is not None:
            grid = int(owners.at([lon], [lat])[0])
            sure = grid >= 0 and _share_around(gazetteer, owners, x, y, accuracy, grid) >= CONFIDENT
        spans = tuple(("road", int(evidence.first[n]), int(evidence.last[n])) for n in (first, second))
        sure = sure and not doubted(parts.names, evidence, (first, second), spans, parts.outer, agreed=False)
        told = {"road": evidence.text[evidence.first[first] : evidence.last[first]],
                "crossing_road": evidence.text[evidence.first[second] : evidence.last[second]]}  # fmt: skip
        full = f"{parts.shown[first]}与{parts.shown[second]}交叉口"
        found.append(
            Match(
                round(lon, 9),
                round(lat, 9),
                "",
                full,
                round(float(share[k]), 4),
                sure,
                "crossing",
                told,
                round(accuracy, 1),
            )
        )
    return found
