"""Where to build next, from layers: streets, facilities of today, residences, candidates.

Who reaches whom is measured over the streets, residences walking to candidates. Facilities of today are kept. The
sites are proven best by the models of `planning.siting.covering`, `median` and `budget`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from gisgrid.errors import BadInput
from gisgrid.models import Progress, no_progress
from planning.network import Network, build_network, reverse
from planning.reach import Profile, Snapped, at_places, key_costs, profile_of, reach_sets, search_from, segment_index
from planning.siting.budget import Demand, cover_together
from planning.siting.candidates import SPACING, Candidates, candidates_of, vacant_units
from planning.siting.covering import covering_value, least_cover, max_cover
from planning.siting.inputs import WEIGHTS, Homes, check_layers, homes_of, placed, site_costs
from planning.siting.median import p_median
from planning.siting.outcome import Found, SitingResult, result_of
from planning.siting.problem import Choice, Float64

METHODS: Final = ("cover", "least", "median")
"""Most people within the minutes, everybody with the fewest sites, shortest mean way."""
UNSERVED_MINUTES: Final = 60.0
"""Longer ways (or the minutes asked for, if they are more) count as this long in means, and so does having none."""


@dataclass(frozen=True)
class _Ask:
    """One category: its row in the table, cost limit, how many sites at most, its importance, cost per candidate."""

    about: dict[str, Any]
    minutes: float
    limit: int
    count: int | None
    importance: float
    cost: Float64


def site_facilities(
    streets: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    residences: gpd.GeoDataFrame,
    *,
    categories: pd.DataFrame,
    wanted: Sequence[str],
    candidates: gpd.GeoDataFrame | float = SPACING,
    units: gpd.GeoDataFrame | None = None,
    method: str = "cover",
    count: int | Mapping[str, int] | None = None,
    budget: float | None = None,
    costs: pd.DataFrame | None = None,
    importance: Mapping[str, float] | None = None,
    one_per_site: bool = False,
    weight: str = "residents",
    minutes: float | None = None,
    profile: str = "adult",
    metres_per_second: float | None = None,
    factor: float | None = None,
    nodes: str = "shared",
    barriers: gpd.GeoDataFrame | None = None,
    curve: bool = False,
    time_limit: float | None = None,
    progress: Progress = no_progress,
) -> SitingResult:
    """New sites for some categories, before and after, and how sure it is that nothing better exists.

    ``categories``: the facility table; ``wanted``: those to site. ``candidates``: a layer, or the spacing of street
    corners in metres; ``units``: units, of which the vacant ones are the candidates. ``method``: `METHODS`. ``count``
    sites each (or per category), or all categories within ``budget``; ``costs``: ``category, cost`` and perhaps
    ``candidate``. ``weight``: `WEIGHTS`; ``importance`` of a category beside the others under one budget (1).
    ``one_per_site``: a candidate takes one category only. ``minutes`` in place of the category's own. ``curve``: the
    best for every number of sites up to one more. ``time_limit``: seconds for all solving. Raises BadInput for what
    cannot be used, one line.
    """
    mover = profile_of(profile, metres_per_second=metres_per_second, factor=factor)
    table = check_layers(facilities, residences, categories, wanted, weight)
    _check_options(method, count, budget, time_limit)
    progress(0.0, "network")
    network = build_network(streets, mode=mover.mode, nodes=nodes, barriers=barriers)
    there, index = reverse(network), segment_index(network)  # people go to facilities
    homes = homes_of(network, index, residences, weight)
    places = placed(network, index, facilities)
    spots = candidates_of(candidates, network) if units is None else vacant_units(units, network)
    stand = placed(network, index, spots)
    if not stand.ok.any():
        raise BadInput("no candidate lies near a street; do the layers belong together?")
    asks = _asks(table, wanted, minutes, mover, count, costs, importance, budget, spots)
    longest = max(ask.limit for ask in asks)
    unserved = max(longest, mover.limit(UNSERVED_MINUTES))
    furthest = unserved if method == "median" else longest
    progress(0.1, "ways to candidates")
    reach = reach_sets(there, stand, homes.snapped, furthest)
    names = facilities["category"].to_numpy() if len(facilities) else np.empty(0, object)
    now = [places.take(np.flatnonzero(names == ask.about["category"])) for ask in asks]
    before = [_nearest(there, [mine], homes, unserved) for mine in now]
    begun = time.monotonic()
    solving = _Solving(method, budget, one_per_site, curve, time_limit, begun, unserved)
    found = _solve(solving, asks, reach, before, homes, lambda share, note: progress(0.5 + 0.5 * share, note))
    found = [
        replace(one, after=_nearest(there, [mine, stand.take(one.columns)], homes, unserved))
        for one, mine in zip(found, now, strict=True)
    ]
    progress(1.0, "done")
    facts = {
        "method": method, "weight": weight, "profile": mover.name, "metres_per_second": mover.metres_per_second,
        "factor": mover.factor, "budget": budget, "one_per_site": one_per_site, "time_limit": time_limit,
        "crs": network.crs, "network": {"nodes": network.nodes, "edges": network.edges, **network.stats},
        "candidates": len(spots), "candidates_kind": spots.kind, "candidates_on_network": int(stand.ok.sum()),
        "candidates_reaching_nobody": int((np.diff(reach.indptr) == 0).sum()),
        "solve_seconds": round(time.monotonic() - begun, 3),
    }  # fmt: skip
    facts["unserved_minutes"] = float(mover.seconds(np.array(unserved))) / 60
    off = int((~places.ok).sum())
    return result_of(found, homes, residences, spots, network.crs, facts, mover, facilities_off=off)


@dataclass(frozen=True)
class _Solving:
    method: str
    budget: float | None
    one_per_site: bool
    curve: bool
    time_limit: float | None
    begun: float
    unserved: int

    def left(self) -> float | None:
        """Seconds there still are."""
        return None if self.time_limit is None else max(0.0, self.time_limit - (time.monotonic() - self.begun))


def _check_options(
    method: str, count: int | Mapping[str, int] | None, budget: float | None, time_limit: float | None
) -> None:
    if method not in METHODS:
        raise BadInput(f"unknown method {method!r}; give one of {', '.join(METHODS)}")
    if method == "median" and (count is None or budget is not None):
        raise BadInput("the method median needs a count of new sites and takes no budget")
    if method == "cover" and count is None and budget is None:
        raise BadInput("nothing limits the new sites; give a count or a budget, or the method least")
    if method == "least" and (count is not None or budget is not None):
        raise BadInput("the method least finds the number of sites itself; leave count and budget out")
    if time_limit is not None and not time_limit > 0:
        raise BadInput(f"time limit {time_limit} s is not above 0")


def _asks(
    table: pd.DataFrame, wanted: Sequence[str], minutes: float | None, mover: Profile,
    count: int | Mapping[str, int] | None, costs: pd.DataFrame | None, importance: Mapping[str, float] | None,
    budget: float | None, spots: Candidates,
) -> list[_Ask]:  # fmt: skip
    asks = []
    for name in wanted:
        about = {str(key): value for key, value in table[table["category"] == name].iloc[0].items()}
        many = count.get(name) if isinstance(count, Mapping) else count
        if many is None and budget is None and count is not None:
            raise BadInput(f"category {name}: no count is given, for example {name}=2")
        if many is not None and many < 0:
            raise BadInput(f"category {name}: count {many} is negative; give the number of new sites")
        weigh = float((importance or {}).get(name, 1.0))
        if not (np.isfinite(weigh) and weigh >= 0):
            raise BadInput(f"category {name}: importance {weigh} is not 0 or more")
        span = float(about["minutes"]) if minutes is None else float(minutes)
        asks.append(_Ask(about, span, mover.limit(span), many, weigh, site_costs(costs, name, spots)))
    return asks


def _nearest(network: Network, places: Sequence[Snapped], homes: Homes, limit: int) -> Float64:
    """Cost from every residence to the nearest of some places, NaN where there is none within the limit."""
    out = np.full(len(homes.snapped), np.nan)
    for some in places:
        if some.ok.any():
            cost = key_costs(at_places(network, search_from(network, some, limit=limit), homes.snapped))
            out = np.fmin(out, cost)
    return out


def _within(reach: csr_array, limit: int) -> csr_array:
    """The entries of cost ``limit`` at most."""
    kept = reach.data <= limit
    if kept.all():
        return reach
    row = np.repeat(np.arange(reach.shape[0]), np.diff(reach.indptr))[kept]
    return csr_array((reach.data[kept], (row, reach.indices[kept])), shape=reach.shape)


def _solve(
    solving: _Solving, asks: list[_Ask], reach: csr_array, before: list[Any], homes: Homes, progress: Progress
) -> list[Found]:
    if solving.method == "cover" and (solving.budget is not None or (solving.one_per_site and len(asks) > 1)):
        return _together(solving, asks, reach, before, homes, progress)
    found = []
    for number, (ask, today) in enumerate(zip(asks, before, strict=True)):

        def told(share: float, note: str, at: int = number, name: str = str(ask.about["category"])) -> None:
            progress((at + share) / len(asks), f"{name}: {note}")

        found.append(_alone(solving, ask, reach, today, homes, told))
    return found


def _together(
    solving: _Solving, asks: list[_Ask], reach: csr_array, before: list[Any], homes: Homes, progress: Progress
) -> list[Found]:
    near = [_within(reach, ask.limit) for ask in asks]
    demands = [
        Demand(part, homes.weight * ask.importance, today <= ask.limit, ask.cost, ask.count)
        for part, ask, today in zip(near, asks, before, strict=True)
    ]
    spread = cover_together(
        demands, budget=solving.budget, one_per_site=solving.one_per_site, time_limit=solving.left(), progress=progress
    )
    found = []
    for number, (ask, today) in enumerate(zip(asks, before, strict=True)):
        columns = spread.candidate[spread.category == number]
        found.append(
            Found(ask.about, ask.minutes, ask.limit, today, reach, columns, ask.cost, spread.choice, together=True)
        )
    return found


def _alone(solving: _Solving, ask: _Ask, reach: csr_array, today: Any, homes: Homes, progress: Progress) -> Found:
    near = _within(reach, ask.limit)
    covered = today <= ask.limit
    extra: dict[str, Any] = {}
    unreachable = np.empty(0, np.int64)
    choice: Choice
    if solving.method == "least":
        full = least_cover(
            near, homes.weight, covered=covered, cost=ask.cost, time_limit=solving.left(), progress=progress
        )
        choice, unreachable = full.choice, full.unreachable
        extra = {"cost": full.cost, "cost_bound": full.cost_bound}
    elif solving.method == "median":
        median = p_median(
            reach, homes.weight, ask.count or 0, unserved=solving.unserved, existing=today,
            time_limit=solving.left(), progress=progress,
        )  # fmt: skip
        choice, extra = median.choice, {"mean_gap": median.gap}
    else:
        choice = max_cover(
            near, homes.weight, ask.count or 0, covered=covered, time_limit=solving.left(), progress=progress
        )
        if solving.curve:
            extra["curve"] = _curve(solving, ask, near, covered, homes, choice)
    after = covered.copy()
    after[near[choice.columns].tocsr().indices] = True
    rest = covering_value(near, homes.weight, after).sum(axis=1)
    extra["next_gain"] = float(rest.max(initial=0.0))
    return Found(
        ask.about, ask.minutes, ask.limit, today, reach, choice.columns, ask.cost, choice, extra=extra,
        unreachable=unreachable,
    )  # fmt: skip


def _curve(
    solving: _Solving, ask: _Ask, near: csr_array, covered: Any, homes: Homes, choice: Choice
) -> list[dict[str, Any]]:
    """The best with every number of sites up to one more than asked for."""
    out = []
    for number in range((ask.count or 0) + 2):
        best = (
            choice
            if number == ask.count
            else max_cover(near, homes.weight, number, covered=covered, time_limit=solving.left())
        )
        out.append({"sites": number, "newly_covered": best.value, "gap": best.gap})
    return out


__all__ = ["METHODS", "WEIGHTS", "SitingResult", "site_facilities"]
