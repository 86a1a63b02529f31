"""What a new plan changes for those who live under the old one: which grids go on, who moves, and the least that must.

Grids are compared through their units: every unit has an old grid and a new one, named by code, "" (or null) for none.
An old grid *goes on* in at most one new grid, its heir; a household *moves* when its new grid is not the heir of its
old one. Arrays in, plain values out; nothing here knows geometry or files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import connected_components

from gisgrid.errors import BadInput

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PART_SHARE: Final = 0.05
"""A part of a split or merged grid counts from this share of the grid on …"""
PART_HOUSEHOLDS: Final = 20.0
"""… or from so many households on; less is a boundary set right."""
PARTS_LISTED: Final = 1000
"""Moves `Changes.as_dict` writes out, the largest first."""
MOVE_COLUMNS: Final = ("old", "new", "units", "households", "population")


class Parted(NamedTuple):
    """A grid and the grids it was divided among (split) or made of (merge): (code, households, share of the grid)."""

    code: str
    parts: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """Old plan → new plan. Codes are sorted texts; households and population are sums over units.

    ``heirs`` old code → the new code it goes on under. ``households`` those with an old grid = ``moved_households`` +
    ``kept_households``; ``new_households`` had no grid before. ``splits`` old grids with several parts worth
    the name, ``merges`` new grids made of several (`PART_SHARE`, `PART_HOUSEHOLDS`; parts largest first).
    ``moves`` one row per pair (old, new) households move along: `MOVE_COLUMNS`, most households first; new is "" where
    units are left without a grid. ``moved`` bool per unit.
    """

    households: float
    moved_households: float
    moved_population: float
    kept_households: float
    new_households: float
    heirs: dict[str, str]
    births: tuple[str, ...]
    ends: tuple[str, ...]
    splits: tuple[Parted, ...]
    merges: tuple[Parted, ...]
    moves: pd.DataFrame = field(repr=False)
    moved: npt.NDArray[np.bool_] = field(repr=False)

    @property
    def moved_share(self) -> float:
        """Part of the households with an old grid that moves; 0 when there is none."""
        return self.moved_households / self.households if self.households else 0.0

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values; `PARTS_LISTED` moves at most, ``moves_total`` says how many there are."""
        return {
            "households": _plain(self.households),
            "moved_households": _plain(self.moved_households),
            "moved_population": _plain(self.moved_population),
            "moved_share": round(self.moved_share, 6),
            "moved_units": int(self.moved.sum()),
            "kept_households": _plain(self.kept_households),
            "new_households": _plain(self.new_households),
            "grids_going_on": len(self.heirs),
            "heirs": self.heirs,
            "births": list(self.births),
            "ends": list(self.ends),
            "splits": [_parted(item, "old", "into", "new") for item in self.splits],
            "merges": [_parted(item, "new", "from", "old") for item in self.merges],
            "moves_total": len(self.moves),
            "moves": [
                {str(key): _plain(value) for key, value in row.items()}
                for row in self.moves.head(PARTS_LISTED).to_dict("records")
            ],
        }


def _parted(item: Parted, whole: str, into: str, part: str) -> dict[str, Any]:
    parts = [{part: code, "households": _plain(h), "share": round(share, 4)} for code, h, share in item.parts]
    return {whole: item.code, into: parts}


def _plain(value: Any) -> Any:
    """Whole numbers without a point; texts as they are."""
    if isinstance(value, str):
        return value
    return int(value) if float(value).is_integer() else round(float(value), 3)


# --- which grid goes on as which --------------------------------------------------------


def heirs(overlap: Any, area: Any = None) -> Ints:
    """New grid each old grid goes on as, int64 (P,), −1 for none; no two old grids share one.

    overlap: (P, K) households old grid p and new grid k have in common, dense or scipy.sparse, ≥ 0. area: (P, K)
    common m², decides among equal totals and for grids nobody lives in. The choice maximises the total overlap: a
    maximum-weight bipartite matching per connected component, by scipy's `linear_sum_assignment` (Crouse, "On
    implementing 2D rectangular assignment algorithms", IEEE Trans. AES 52 (2016), 1679–1696). Pairs without any
    overlap are no heirs.
    Households are taken to differ by whole numbers. Raises BadInput for negative or missing numbers.
    """
    common = sparse.coo_array(overlap, dtype=np.float64)
    old_count, new_count = common.shape
    ground = None if area is None else sparse.coo_array(area, dtype=np.float64)
    if ground is not None and ground.shape != common.shape:
        raise BadInput(f"overlap and area of grids differ in shape: {common.shape} and {ground.shape}")
    row, column, households, metres = _pairs(common, ground)
    heir = np.full(old_count, -1, dtype=np.int64)
    if not len(row):
        return heir
    links = sparse.coo_array((np.ones(len(row)), (row, old_count + column)), shape=(old_count + new_count,) * 2)
    part = connected_components(links, directed=False)[1][row]
    order = np.argsort(part, kind="stable")
    for pairs in np.split(order, np.flatnonzero(np.diff(part[order])) + 1):
        olds, r = np.unique(row[pairs], return_inverse=True)
        news, c = np.unique(column[pairs], return_inverse=True)
        weight = np.zeros((len(olds), len(news)))
        # all ground together weighs half a household: it decides between equals only
        weight[r, c] = households[pairs] + metres[pairs] * (0.5 / max(metres[pairs].sum(), 1e-300))
        p, k = linear_sum_assignment(weight, maximize=True)
        real = weight[p, k] > 0
        heir[olds[p[real]]] = news[k[real]]
    return heir


def _pairs(common: Any, ground: Any) -> tuple[Ints, Ints, Floats, Floats]:
    """Old and new grid, households and m² of every pair with any overlap, sorted."""
    if ground is None:
        ground = sparse.coo_array(common.shape)
    for values in (common.data, ground.data):
        if not (np.isfinite(values).all() and (values >= 0).all()):
            raise BadInput("overlaps of grids must be numbers of at least 0")
    key = np.concatenate([m.coords[0].astype(np.int64) * m.shape[1] + m.coords[1] for m in (common, ground)])
    key, at = np.unique(key, return_inverse=True)
    split = len(common.data)
    households: Floats = np.bincount(at[:split], common.data, minlength=len(key)).astype(np.float64)
    metres: Floats = np.bincount(at[split:], ground.data, minlength=len(key)).astype(np.float64)
    real = (households > 0) | (metres > 0)
    key = key[real]
    return key // common.shape[1], key % common.shape[1], households[real], metres[real]


# --- the least that must move -----------------------------------------------------------


def churn_bound(old_loads: npt.ArrayLike, new_households: float, counts: int, low: float, high: float) -> float:
    """Fewest households that change grid when P old grids become exactly ``counts`` grids of low…high households.

    For one part that exchanges nothing with others (a community, an island); households taken as divisible, geography
    left out, so no plan in band can do with less. old_loads: (P,) households of the old grids; new_households: further
    ones that had no grid (they must be housed but do not move).

    With survivors S retaining r_i ≤ min(h_i, high), the rest M = total − Σr must fill them and the K − |S| new grids
    up to low: M ≥ Σ_S max(0, low − r_i) + (K − |S|)·low; the upper side holds since K·high ≥ total. *Greedy is exact:*
    (1) exchanging a survivor for a larger old grid raises Σr by d ≥ 0 and the deficit D = need − M by at most d, so for
    each |S| = s the s largest with r = min(h, high) are best; (2) D > 0 shrinks one for one as r_i above low are
    lowered, and with all r_i ≤ low the need is K·low ≤ total, so D = 0 is in reach: Σr = Σ min(h, high) − max(0, D).

    When no division into that many grids is in band, the band is left out altogether (the s largest stay whole), so
    the figure still holds for every division into so many grids. Raises BadInput for negative or missing numbers.
    """
    loads = np.sort(np.asarray(old_loads, np.float64).ravel())[::-1]
    if not (np.isfinite(loads).all() and (loads >= 0).all() and np.isfinite(new_households) and new_households >= 0):
        raise BadInput("households of old grids must be numbers of at least 0")
    if counts < 0:
        raise BadInput(f"{counts} grids: give a number of at least 0")
    total = float(loads.sum()) + float(new_households)
    if not counts * low <= total <= counts * high:
        low, high = 0.0, np.inf
    survivors = np.arange(min(len(loads), counts) + 1)
    kept = np.minimum(loads[: survivors[-1]], high)
    retained = np.concatenate([[0.0], np.cumsum(kept)])
    filled = np.concatenate([[0.0], np.cumsum(np.maximum(kept, low))]) + (counts - survivors) * low
    retained -= np.maximum(filled - total, 0.0)
    return max(float(loads.sum() - retained.max()), 0.0)


def least_churn(
    old_codes: Iterable[object],
    new_codes: Iterable[object],
    households: npt.ArrayLike,
    low: float,
    high: float,
    *,
    parts: Iterable[object] | None = None,
    special: Iterable[str] = (),
) -> float:
    """`churn_bound` summed over independent parts, the number of grids in each taken from the new plan.

    Per unit, shape (n,): codes, households, ``parts`` (community; None: one part). Units of ``special`` new grids
    have no band and are left out. An old grid that reaches into two parts counts in each: the bound stays a bound.
    """
    old, new = _codes(old_codes), _codes(new_codes)
    weight = _numbers(households, "households", len(old))
    part = np.zeros(len(old), np.int64) if parts is None else pd.factorize(_codes(parts), sort=True)[0]
    ordinary = ~np.isin(new, np.array(sorted(special), dtype=str)) & (new != "")
    table = pd.DataFrame({"part": part, "old": old, "new": new, "households": weight})[ordinary]
    bound = 0.0
    for _, rows in table.groupby("part"):
        loads = rows[rows["old"] != ""].groupby("old")["households"].sum().to_numpy()
        fresh = float(rows.loc[rows["old"] == "", "households"].sum())
        bound += churn_bound(loads, fresh, rows["new"].nunique(), low, high)
    return bound


# --- what changes -----------------------------------------------------------------------


def changes(
    old_codes: Iterable[object],
    new_codes: Iterable[object],
    households: npt.ArrayLike,
    population: npt.ArrayLike | None = None,
    area: npt.ArrayLike | None = None,
    *,
    heirs: Mapping[str, str] | None = None,
    same_codes: bool = False,
) -> Changes:
    """What becomes of every old grid and household; see `Changes`.

    Per unit, shape (n,): old and new code ("" or null for none), households, population, area (m²; decides for grids
    nobody lives in). ``heirs``: old code → new code when it is known which grid goes on; ``same_codes``: a grid goes on
    where its code is on both sides (plans made with kept codes); else the matching of `heirs` (this module) decides.
    Raises BadInput for arrays of different lengths, negative numbers, or two old grids with one heir.
    """
    old, new = _codes(old_codes), _codes(new_codes)
    count = len(old)
    if len(new) != count:
        raise BadInput(f"{count} units have an old grid and {len(new)} a new one; give both for every unit")
    people = _numbers(population, "population", count)
    table = pd.DataFrame({
        "old": old, "new": new, "units": 1, "households": _numbers(households, "households", count),
        "population": people, "area": _numbers(area, "area", count),
    })  # fmt: skip
    pairs = table.groupby(["old", "new"], as_index=False, sort=True).sum()
    known = _given(heirs, same_codes, pairs) if heirs is not None or same_codes else _matched(pairs)
    pairs["moved"] = _moving(pairs["old"], pairs["new"], known)
    moved = _moving(table["old"], table["new"], known).to_numpy()
    settled = pairs["old"] != ""
    moves = pairs[pairs["moved"]].sort_values(["households", "old", "new"], ascending=[False, True, True])
    olds, news = _named(pairs["old"]), _named(pairs["new"])
    both = pairs[settled & (pairs["new"] != "")]
    return Changes(
        households=float(pairs.loc[settled, "households"].sum()),
        moved_households=float(moves["households"].sum()),
        moved_population=float(moves["population"].sum()),
        kept_households=float(pairs.loc[settled & ~pairs["moved"], "households"].sum()),
        new_households=float(pairs.loc[~settled, "households"].sum()),
        heirs=known,
        births=tuple(sorted(news - set(known.values()))),
        ends=tuple(sorted(olds - set(known))),
        splits=_parts(both, "old", "new"),
        merges=_parts(both, "new", "old"),
        moves=moves[list(MOVE_COLUMNS)].reset_index(drop=True),
        moved=moved,
    )


def _moving(old: pd.Series[str], new: pd.Series[str], known: dict[str, str]) -> pd.Series[bool]:
    heir = old.map(known)
    return (old != "") & (heir.isna() | (heir != new))


def _codes(values: Iterable[object]) -> npt.NDArray[np.str_]:
    """Codes as texts, "" for null."""
    series = pd.Series(list(values), dtype=object)
    return series.where(series.notna(), "").astype(str).to_numpy(dtype=str)


def _numbers(values: npt.ArrayLike | None, what: str, count: int) -> Floats:
    if values is None:
        return np.zeros(count)
    numbers = np.asarray(values, np.float64).ravel()
    if len(numbers) != count:
        raise BadInput(f"{len(numbers)} values of {what} for {count} units; give one for each")
    wrong = ~(np.isfinite(numbers) & (numbers >= 0))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise BadInput(f"unit in row {row}: {what} is {numbers[row]}; give a number of at least 0")
    return numbers


def _named(codes: pd.Series[str]) -> set[str]:
    return set(codes) - {""}


def _given(known: Mapping[str, str] | None, same_codes: bool, pairs: pd.DataFrame) -> dict[str, str]:
    olds, news = _named(pairs["old"]), _named(pairs["new"])
    if known is None or same_codes:
        return {code: code for code in sorted(olds & news)}
    found = {old: str(known[old]) for old in sorted(olds & set(known)) if known[old] in news}
    if len(set(found.values())) < len(found):
        twice = pd.Series(list(found.values()))
        code = twice[twice.duplicated()].iloc[0]
        raise BadInput(f"two old grids go on as grid {code}; only one can")
    return found


def _matched(pairs: pd.DataFrame) -> dict[str, str]:
    both = pairs[(pairs["old"] != "") & (pairs["new"] != "")]
    row, olds = pd.factorize(both["old"], sort=True)
    column, news = pd.factorize(both["new"], sort=True)
    shape = (len(olds), len(news))
    # without areas, units decide for grids nobody lives in
    ground = both["area"] if both["area"].any() else both["units"]
    heir = heirs(
        sparse.coo_array((both["households"], (row, column)), shape=shape),
        sparse.coo_array((ground, (row, column)), shape=shape),
    )
    return {str(olds[p]): str(news[k]) for p, k in enumerate(heir.tolist()) if k >= 0}


def _parts(pairs: pd.DataFrame, whole: str, part: str) -> tuple[Parted, ...]:
    """Grids of one side with at least two parts worth the name on the other."""
    lived = pairs.groupby(whole)["households"].transform("sum")
    weight = pairs["households"].where(lived > 0, pairs["area"])
    share = weight / pairs.assign(weight=weight).groupby(whole)["weight"].transform("sum").replace(0.0, np.inf)
    found = pairs.assign(share=share)[(share >= PART_SHARE) | (pairs["households"] >= PART_HOUSEHOLDS)]
    found = found[found.groupby(whole)["share"].transform("size") > 1]
    found = found.sort_values([whole, "share", part], ascending=[True, False, True])
    return tuple(
        Parted(str(code), tuple(zip(rows[part], rows["households"], rows["share"], strict=True)))
        for code, rows in found.groupby(whole, sort=True)
    )


def boundary_kept(
    old_codes: Iterable[object], new_codes: Iterable[object], source: npt.ArrayLike, target: npt.ArrayLike,
    border: npt.ArrayLike,
) -> float:  # fmt: skip
    """Share of the metres between two different old grids that still part two new grids; 1 when there were none.

    old and new codes per unit, shape (n,); source, target: rows of units that touch, each pair once, shape (m,);
    border: their common metres. Limits of the area and limits to units without an old grid do not count.
    """
    old, new = _codes(old_codes), _codes(new_codes)
    s, t = np.asarray(source, np.int64), np.asarray(target, np.int64)
    metres = np.asarray(border, np.float64)
    before = (old[s] != old[t]) & (old[s] != "") & (old[t] != "")
    length = float(metres[before].sum())
    return float(metres[before & (new[s] != new[t])].sum()) / length if length > 0 else 1.0
