"""Maximal covering and full covering: new sites that bring the most people within the minutes, or everybody.

Both work on ``reach`` (candidates × places), a sparse matrix of what the way costs, stored where it is within the
limit; a stored zero is a place at the candidate's door.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from gisgrid.errors import BadInput
from gisgrid.models import Progress, no_progress
from planning.siting.highs import Program, solve_program
from planning.siting.problem import Bool, Choice, Float64, Int64, Problem, gap_of, ranked
from planning.siting.reduce import cover_core, same_places
from planning.siting.solve import best_choice


@dataclass(frozen=True)
class FullCover:
    """The fewest (or cheapest) columns that cover all who can be covered.

    ``choice``: its value is the weight newly covered; its gap is that of the cost. ``cost``, and ``cost_bound``:
    no cover costs less. ``unreachable``: places with weight that neither a facility nor any candidate reaches.
    """

    choice: Choice
    cost: float
    cost_bound: float
    unreachable: Int64


def max_cover(
    reach: csr_array,
    weight: Float64,
    count: int,
    *,
    covered: Bool | None = None,
    reductions: bool = True,
    time_limit: float | None = None,
    progress: Progress = no_progress,
) -> Choice:
    """At most ``count`` candidates that cover the most weight not ``covered`` yet (Church & ReVelle 1974).

    Candidates that would bring nobody are not chosen, so there may be fewer. Raises BadInput for a negative count or
    weights that are not 0 or more.
    """
    if count < 0:
        raise BadInput(f"count {count} is negative; give the number of new sites, for example 3")
    value = covering_value(reach, weight, covered)
    problem = Problem(value, np.ones((1, value.shape[0])), np.array([float(count)]))
    return best_choice(problem, covering=True, reductions=reductions, time_limit=time_limit, progress=progress)


def least_cover(
    reach: csr_array,
    weight: Float64,
    *,
    covered: Bool | None = None,
    cost: Float64 | None = None,
    reductions: bool = True,
    time_limit: float | None = None,
    progress: Progress = no_progress,
) -> FullCover:
    """The fewest candidates (least ``cost``) that cover every place with weight that any candidate reaches.

    The location set covering problem (Toregas, Swain, ReVelle & Bergman 1971). Reduced first, then solved piece by
    piece: pieces that share no candidate do not know of each other. Places nobody can cover are named. Raises
    BadInput for costs that are not above 0 and for weights that are not 0 or more.
    """
    begun = time.monotonic()
    value = covering_value(reach, weight, covered)
    price = np.ones(value.shape[0]) if cost is None else np.asarray(cost, np.float64)
    if not (np.isfinite(price) & (price > 0)).all():
        row = int((~(np.isfinite(price) & (price > 0))).argmax())
        raise BadInput(f"candidate {row + 1}: cost={price[row]} is not above 0")
    need = (weight > 0) & ~(np.zeros(len(weight), bool) if covered is None else covered)
    reached = np.diff(value.tocsc().indptr) > 0
    places = np.flatnonzero(need & reached)
    pattern = csr_array((np.ones(value.nnz), value.indices, value.indptr), shape=value.shape)[:, places].tocsr()
    work: dict[str, float] = {"candidates": value.shape[0], "places": len(places), "pairs": int(value.nnz)}
    if reductions:
        pattern = pattern[:, np.unique(same_places(pattern))].tocsr()
        must, columns, rows = cover_core(pattern, price)
    else:
        must, columns, rows = np.empty(0, np.int64), np.arange(value.shape[0]), np.arange(pattern.shape[1])
    work |= {"candidates_kept": len(columns) + len(must), "places_kept": len(rows)}
    chosen, total, bound, status = [must], float(price[must].sum()), float(price[must].sum()), "optimal"
    whole = [(np.arange(len(columns)), np.arange(len(rows)))]
    parts = _pieces(pattern[columns][:, rows].tocsr()) if reductions or not len(rows) else whole
    work["pieces"] = len(parts)
    for number, (mine, theirs) in enumerate(parts):
        progress(number / len(parts), f"piece {number + 1} of {len(parts)}")
        left = None if time_limit is None else max(0.0, time_limit - (time.monotonic() - begun))
        part = pattern[columns[mine]][:, rows[theirs]].tocsr()
        found, low, ended = _cover_piece(part, price[columns[mine]], left, progress)
        chosen.append(columns[mine][found])
        total += float(price[columns[mine][found]].sum())
        bound += low
        status = status if ended == "optimal" else ended
    order, gains = ranked(value, np.sort(np.concatenate(chosen)))
    gap = 0.0 if status == "optimal" else gap_of(bound, total)
    weight_won = float(gains.sum())
    progress(1.0, "done")
    choice = Choice(order, gains, weight_won, weight_won, gap, "optimal" if gap == 0.0 else status, work)
    return FullCover(choice, total, total if gap == 0.0 else bound, np.flatnonzero(need & ~reached))


def covering_value(reach: csr_array, weight: Float64, covered: Bool | None) -> csr_array:
    """Candidates × places: the place's weight where the candidate reaches it and nobody does yet."""
    weight = checked_weight(weight, reach.shape[1])
    live = weight if covered is None else np.where(covered, 0.0, weight)
    pairs = coo_array(reach)
    kept = live[pairs.col] > 0
    row, col = pairs.row[kept], pairs.col[kept]
    return csr_array((live[col], (row, col)), shape=reach.shape)


def checked_weight(weight: Float64, places: int) -> Float64:
    """Weights as numbers. Raises BadInput."""
    out = np.asarray(weight, np.float64)
    if len(out) != places:
        raise BadInput(f"{len(out)} weights are given for {places} places")
    wrong = ~(np.isfinite(out) & (out >= 0))
    if wrong.any():
        raise BadInput(f"place {int(wrong.argmax()) + 1}: weight={out[wrong][0]} is not 0 or more")
    return out


def _pieces(pattern: csr_array) -> list[tuple[Int64, Int64]]:
    """(columns, places) of the connected pieces of who reaches whom."""
    count, places = pattern.shape
    if not places:
        return []
    pairs = pattern.tocoo()
    links = coo_array((np.ones(pairs.nnz), (pairs.row, count + pairs.col)), shape=(count + places, count + places))
    total, label = connected_components(links, directed=False)
    found = [(np.flatnonzero(label[:count] == k), np.flatnonzero(label[count:] == k)) for k in range(total)]
    return [piece for piece in found if len(piece[1])]


def _cover_piece(
    pattern: csr_array, price: Float64, seconds: float | None, progress: Progress
) -> tuple[Int64, float, str]:
    """(columns, lower bound of the cost, status) of covering all places of a piece."""
    known = _greedy_cover(pattern, price)
    count, places = pattern.shape
    start = np.zeros(count)
    start[known] = 1.0
    program = Program(
        worth=-price, matrix=pattern.T.tocsr(), lower=np.ones(places), upper=np.full(places, np.inf),
        least=np.zeros(count), most=np.ones(count), whole=np.ones(count, bool),
    )  # fmt: skip
    units = bool((price == np.rint(price)).all())
    solved = solve_program(
        program, start=start, slack=1.0 - 1e-6 if units else 0.0, time_limit=seconds, progress=progress
    )
    found = known if solved.x is None else np.flatnonzero(solved.x > 0.5)
    if price[found].sum() > price[known].sum():
        found = known
    found = _lower_cover(pattern, price, found)
    return found, max(0.0, min(-solved.bound, float(price[found].sum()))), solved.status


def _greedy_cover(pattern: csr_array, price: Float64) -> Int64:
    """A cover made by most new places for the price, without what turns out not to be needed (Chvátal 1979)."""
    open_places = np.ones(pattern.shape[1])
    chosen: list[int] = []
    while open_places.any():
        column = int(np.argmax(pattern @ open_places / price))
        chosen.append(column)
        open_places[pattern.indices[pattern.indptr[column] : pattern.indptr[column + 1]]] = 0.0
    times = np.asarray(pattern[chosen].sum(axis=0)).ravel()
    for column in sorted(chosen, key=lambda c: (-price[c], -c)):
        mine = pattern.indices[pattern.indptr[column] : pattern.indptr[column + 1]]
        if (times[mine] > 1).all():
            times[mine] -= 1
            chosen.remove(column)
    return np.array(sorted(chosen), np.int64)


def _lower_cover(pattern: csr_array, price: Float64, chosen: Int64) -> Int64:
    """An equally cheap cover with the lowest numbers that single exchanges lead to."""
    picked = sorted(int(column) for column in chosen)
    times = np.asarray(pattern[picked].sum(axis=0)).ravel()
    for position in range(len(picked) - 1, -1, -1):
        old = picked[position]
        mine = pattern.indices[pattern.indptr[old] : pattern.indptr[old + 1]]
        needed = np.zeros(pattern.shape[1])
        needed[mine[times[mine] == 1]] = 1.0
        can = np.flatnonzero((pattern @ needed == needed.sum()) & (price <= price[old]))
        can = can[(can <= old) & ~np.isin(can, [c for c in picked if c != old])]
        new = int(can[0])
        picked[position] = new
        times[mine] -= 1
        times[pattern.indices[pattern.indptr[new] : pattern.indptr[new + 1]]] += 1
    return np.array(sorted(picked), np.int64)
