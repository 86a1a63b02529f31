"""Compiled inner loops: candidates from postings, alignment of names with a text, scores of address rows."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

NUMBER_BASE: Final = 0x200000
"""Symbols from here on are whole numbers; below are code points."""
NEVER: Final = -1e9

# nats: what a slip of the pen costs; see docs/addresses.md for where they come from
SAME_SOUND: Final = 3.0
NEAR_SOUND: Final = 4.2
OTHER: Final = 3.8
EXTRA: Final = 3.3
SWAPPED: Final = 3.0
GAP: Final = 0.2
CONFLICT: Final = 3.0
LANE_LEFT: Final = 5.0
NUMBER_OTHER: Final = 7.0
INSIDE_WORD: Final = 2.0


@njit(cache=True, nogil=True)
def candidates(keys: Any, start: Any, items: Any, need: Any, most: int) -> Any:
    """Patterns that share at least ``need`` of their keys with the text, the best ``most`` of them."""
    count = np.zeros(need.size, np.int16)
    touched = np.empty(need.size, np.int32)
    n = 0
    for k in range(keys.size):
        key = keys[k]
        if key < 0 or key + 1 >= start.size:
            continue
        for at in range(start[key], start[key + 1]):
            item = items[at]
            if count[item] == 0:
                touched[n] = item
                n += 1
            count[item] += 1
    kept = 0
    for k in range(n):
        item = touched[k]
        if count[item] >= need[item]:
            touched[kept] = item
            kept += 1
    if kept <= most:
        return touched[:kept].copy()
    # too many: the least shared surplus goes (need is about half the keys, so surplus ranks whole names first)
    tally = np.zeros(256, np.int64)
    for k in range(kept):
        tally[min(255, count[touched[k]] - need[touched[k]])] += 1
    floor, left = 255, most
    while floor > 0 and tally[floor] <= left:
        left -= tally[floor]
        floor -= 1
    out = np.empty(most, np.int32)
    m = 0
    for k in range(kept):
        over = min(255, count[touched[k]] - need[touched[k]])
        if over > floor or (over == floor and left > 0):
            if over == floor:
                left -= 1
            if m < most:
                out[m] = touched[k]
                m += 1
    return out[:m].copy()


@njit(cache=True, nogil=True)
def align(
    p_sym: Any,
    p_syl: Any,
    p_rough: Any,
    p_gain: Any,
    p_drop: Any,
    p_swap: Any,
    lane: bool,
    kind: int,
    t_sym: Any,
    t_syl: Any,
    t_rough: Any,
    lane_after: Any,
    kind_at: Any,
    inside: Any,
    least: float,
    value_of: Any,
    start_of: Any,
) -> Any:
    """Best place of a name in a text: (score in nats, first text position, one past the last).

    Semi-global alignment with transpositions (optimal string alignment): the name is used whole, text before and
    after it is free. ``p_gain`` is earned by a symbol found, ``p_drop`` paid for one left out, ``p_swap`` for one
    written otherwise. Gives up where ``least`` is out of reach. ``value_of`` and ``start_of`` are (3, text + 1) to
    work in.
    """  # fmt: skip
    m, n = p_sym.size, t_sym.size
    rest = 0.0
    for i in range(m):
        rest += p_gain[i]
    for j in range(n + 1):
        value_of[0, j] = -INSIDE_WORD if inside[j] else 0.0
        start_of[0, j] = j
    gone_last = np.zeros(n + 1, np.bool_) if m > 0 else np.zeros(1, np.bool_)
    for i in range(1, m + 1):
        now, one, two = i % 3, (i - 1) % 3, (i - 2) % 3
        sym, syl, near = p_sym[i - 1], p_syl[i - 1], p_rough[i - 1]
        gain, drop, swap = p_gain[i - 1], p_drop[i - 1], p_swap[i - 1]
        rest -= gain
        same_sound = gain - min(SAME_SOUND, 0.5 * gain + swap)
        near_sound = gain - min(NEAR_SOUND, 0.7 * gain + swap)
        value_of[now, 0] = value_of[one, 0] - drop
        start_of[now, 0] = 0
        top = value_of[now, 0]
        for j in range(1, n + 1):
            best, at, gone = value_of[one, j] - drop, start_of[one, j], True
            t = t_sym[j - 1]
            if t == sym:
                step = gain
            elif sym >= NUMBER_BASE or t >= NUMBER_BASE:
                step = -NUMBER_OTHER
            elif syl >= 0 and t_syl[j - 1] == syl:
                step = same_sound
            elif near >= 0 and t_rough[j - 1] == near:
                step = near_sound
            else:
                step = -swap
            value = value_of[one, j - 1] + step
            if value > best:
                best, at, gone = value, start_of[one, j - 1], False
            more = GAP if t < 48 else EXTRA
            value = value_of[now, j - 1] - more
            if value > best:
                best, at, gone = value, start_of[now, j - 1], False
            if i > 1 and j > 1 and t == p_sym[i - 2] and t_sym[j - 2] == sym and t != sym:
                value = value_of[two, j - 2] + gain + p_gain[i - 2] - SWAPPED
                if value > best:
                    best, at, gone = value, start_of[two, j - 2], False
            value_of[now, j] = best
            start_of[now, j] = at
            if i == m:
                gone_last[j] = gone
            if best > top:
                top = best
        if top + rest < least:
            return NEVER, 0, 0
    last = m % 3
    top, start, end = NEVER, 0, 0
    for j in range(n + 1):
        value = value_of[last, j]
        if value <= top:
            continue
        if not lane and lane_after[j]:
            value -= LANE_LEFT
        if gone_last[j] and kind_at[j] >= 0 and kind_at[j] != kind:
            value -= CONFLICT
        if value > top:
            top, start, end = value, start_of[last, j], j
    return top, start, end


@njit(cache=True, nogil=True)
def align_all(
    which: Any,
    p_start: Any,
    p_sym: Any,
    p_syl: Any,
    p_rough: Any,
    p_gain: Any,
    p_drop: Any,
    p_swap: Any,
    p_lane: Any,
    p_kind: Any,
    t_sym: Any,
    t_syl: Any,
    t_rough: Any,
    lane_after: Any,
    kind_at: Any,
    inside: Any,
    least: float,
) -> Any:
    """`align` for many patterns: those that reach ``least``: (pattern, score, start, end)."""  # fmt: skip
    kept = np.empty(which.size, np.int32)
    score = np.empty(which.size)
    start = np.empty(which.size, np.int32)
    end = np.empty(which.size, np.int32)
    value_of = np.empty((3, t_sym.size + 1))
    start_of = np.empty((3, t_sym.size + 1), np.int32)
    n = 0
    for k in range(which.size):
        p = which[k]
        a, b = p_start[p], p_start[p + 1]
        value, first, last = align(
            p_sym[a:b], p_syl[a:b], p_rough[a:b], p_gain[a:b], p_drop[a:b], p_swap[a:b], p_lane[p], p_kind[p],
            t_sym, t_syl, t_rough, lane_after, kind_at, inside, least, value_of, start_of,
        )  # fmt: skip
        if value >= least and last > first:
            kept[n], score[n], start[n], end[n] = p, value, first, last
            n += 1
    return kept[:n], score[:n], start[:n], end[:n]


@njit(cache=True, nogil=True)
def score_rows(
    entities: Any,
    by_road: bool,
    start: Any,
    items: Any,
    row_road: Any,
    row_compound: Any,
    row_area: Any,
    row_door: Any,
    row_sub: Any,
    row_building: Any,
    row_unit: Any,
    name_score: Any,
    name_from: Any,
    name_to: Any,
    area_score: Any,
    area_from: Any,
    area_to: Any,
    area_best: Any,
    readings: Any,
    skip_roads: Any,
) -> Any:
    """Scores of the address rows of some entities: (rows, scores, reading used, flags), best reading of each row.

    ``by_road`` says whether the entities are roads; else rows whose road is in ``skip_roads`` (bool by name) are
    left out, as the roads' own turn has them. Flags: 1 road used, 2 compound used, 4 door equal, 8 building equal,
    16 unit equal, 32 door differs, 64 building differs, 128 unit differs, 256.. area levels used (3 bits),
    2048 door equal to its suffix.
    """  # fmt: skip
    total = 0
    for k in range(entities.size):
        total += start[entities[k] + 1] - start[entities[k]]
    rows = np.empty(total, np.int32)
    scores = np.empty(total, np.float64)
    used = np.empty(total, np.int16)
    flags = np.empty(total, np.int32)
    n = 0
    for k in range(entities.size):
        for at in range(start[entities[k]], start[entities[k] + 1]):
            row = items[at]
            road, compound = row_road[row], row_compound[row]
            if not by_road and road >= 0 and skip_roads[road]:
                continue
            value, flag = NEVER, 0
            for use in range(4):  # a name that would take the place of a better fitting area is better left unused
                if (use & 1 and (road < 0 or name_score[road] <= 0.0)) or (
                    use & 2 and (compound < 0 or name_score[compound] <= 0.0)
                ):
                    continue
                if use == 3 and name_from[road] < name_to[compound] and name_from[compound] < name_to[road]:
                    continue
                part = (name_score[road] if use & 1 else 0.0) + (name_score[compound] if use & 2 else 0.0)
                part, bit = _area_part(
                    row, road, compound, part, use, row_area, name_from, name_to, area_score, area_from, area_to,
                    area_best,
                )  # fmt: skip
                if part > value:
                    value, flag = part, bit
            best, which, bits = NEVER, 0, 0
            for r in range(readings.shape[0]):
                part, bit = _number_part(
                    readings[r, 0], readings[r, 1], readings[r, 2], readings[r, 3],
                    row_door[row], row_sub[row], row_building[row], row_unit[row],
                )  # fmt: skip
                part -= readings[r, 4] / 1000.0
                if part > best:
                    best, which, bits = part, r, bit
            rows[n], scores[n], used[n], flags[n] = row, value + best, which, flag | bits
            n += 1
    return rows[:n], scores[:n], used[:n], flags[:n]


@njit(cache=True, nogil=True)
def _free(a: int, flag: int, road: int, compound: int, nf: Any, nt: Any, af: Any, at: Any) -> bool:
    """Whether an area stands apart in the text from the road and the compound used."""
    if flag & 1 and af[a] < nt[road] and nf[road] < at[a]:
        return False
    return not (flag & 2 and af[a] < nt[compound] and nf[compound] < at[a])


@njit(cache=True, nogil=True)
def _area_part(
    row: int,
    road: int,
    compound: int,
    value: float,
    flag: int,
    row_area: Any,
    nf: Any,
    nt: Any,
    score: Any,
    first: Any,
    last: Any,
    best: Any,
) -> Any:
    """Evidence of the areas named: the row's own add, another one of that level takes away.

    A stretch of text speaks for one level only: 东湖 in 东湖镇 does not name 东湖社区 as well.
    """  # fmt: skip
    used, gain = -1, 0.0
    for level in range(3):
        area = row_area[row, level]
        mine = 0.0
        if area >= 0 and score[area] > 0.0 and _free(area, flag, road, compound, nf, nt, first, last):
            mine = score[area]
            if used >= 0 and first[area] < last[used] and first[used] < last[area]:
                if mine > gain:
                    value += mine - gain
                    used, gain = area, mine
                    flag = (flag & ~1792) | (256 << level)
            else:
                value += mine
                used, gain = area, mine
                flag |= 256 << level
        top = best[level]
        rival = top >= 0 and top != area and score[top] > mine
        if rival and _free(top, flag, road, compound, nf, nt, first, last):
            apart = used < 0 or first[top] >= last[used] or first[used] >= last[top]
            if apart:
                value -= min(2.5, 0.5 * (score[top] - mine))
            if used < 0:
                used, gain = top, 0.0
    return value, flag


@njit(cache=True, nogil=True)
def _number_part(
    door: int, sub: int, building: int, unit: int, r_door: int, r_sub: int, r_building: int, r_unit: int
) -> Any:
    """Evidence of the numbers, in nats, and which of them agree."""
    value, bits = 0.0, 0
    if door >= 0:
        if r_door < 0:
            value -= 1.0
        elif r_door == door:
            if r_sub == sub:
                value += 3.7
                bits |= 4 | 2048
            elif sub == 0 or r_sub == 0:
                value += 1.0
                bits |= 4
            else:
                value += 0.2
        else:
            value -= 4.0
            bits |= 32
    elif r_door >= 0:
        value -= 0.3
    if building >= 0:
        if r_building < 0:
            value -= 2.5
        elif r_building == building:
            value += 2.6
            bits |= 8
        else:
            value -= 4.0
            bits |= 64
    if unit >= 0:
        if r_unit < 0:
            value -= 0.3
        elif r_unit == unit:
            value += 1.2
            bits |= 16
        else:
            value -= 2.5
            bits |= 128
    return value, bits
