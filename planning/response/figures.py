"""Tables of response times: shares, grids, stations, and what happens when a station is out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planning.response.times import FIRST, SECOND, Times

Bool = NDArray[np.bool_]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

PEOPLE = ("buildings", "residents", "elderly")


def share(part: float, whole: float) -> float | None:
    """A part of a whole to six digits, None of nothing."""
    return round(float(part) / float(whole), 6) if whole else None


def inside_figures(
    weights: dict[str, Float64], assessed: Bool, reached: Bool, inside: Bool, where: Bool
) -> dict[str, Any]:
    """Counts and shares of the places ``where``: in all, assessed, reached at all, inside their promise."""
    out: dict[str, Any] = {}
    for name, weight in weights.items():
        total, known = int(weight[where].sum()), int(weight[where & assessed].sum())
        met = int(weight[where & inside].sum())
        out[name] = {
            "total": total,
            "assessed": known,
            "reached": int(weight[where & reached].sum()),
            "inside": met,
            "share": share(met, known),
        }
    return out


def grid_table(
    place: Int64, grid: Int64, count: int, weights: dict[str, Float64], assessed: Bool, inside: Bool, town: Bool,
    seconds: Float64, first: Int64, stations: int, most: float,
) -> pd.DataFrame:  # fmt: skip
    """One row a grid, places given to grids as pairs (``place``, ``grid``).

    ``inside_all``: every assessed resident inside their own promise; ``inside_most``: at least the share ``most`` of
    them; both None where no resident was assessed. ``station``: first for most residents (buildings where nobody
    lives), -1 none.
    """
    people = weights["residents"]
    known, met = assessed[place], inside[place]

    def total(weight: Float64, rows: Bool | None = None) -> NDArray[Any]:
        chosen = np.ones(len(place), bool) if rows is None else rows
        return np.bincount(grid[chosen], weight[place[chosen]], count)

    table: dict[str, Any] = {}
    for name, weight in weights.items():
        table[name] = _whole(total(weight))
        table[f"{name}_assessed"] = _whole(total(weight, known))
        table[f"{name}_inside"] = _whole(total(weight, met))
    lived = table["residents_assessed"]
    part = np.divide(table["residents_inside"], lived, out=np.full(count, np.nan), where=lived > 0)
    table["share"] = np.round(part, 6)
    judged = lived > 0
    table["inside_all"] = maybe(table["residents_inside"] == lived, judged)
    table["inside_most"] = maybe(part >= most - 1e-12, judged)
    # where nobody lives buildings decide
    weight = np.where(total(people)[grid] > 0, people[place], 1.0)
    votes = np.zeros((count, stations + 1))
    voting = first[place] >= 0
    np.add.at(votes, (grid[voting], first[place[voting]]), weight[voting])
    table["station_row"] = np.where(votes.any(axis=1), votes.argmax(axis=1), -1)
    table["town"] = np.bincount(grid, weight * np.where(town[place], 1.0, -1.0), count) > 0
    timed = np.isfinite(seconds[place])
    worst = np.full(count, -np.inf)
    np.maximum.at(worst, grid[timed], seconds[place[timed]])
    table["worst_minutes"] = np.where(np.isfinite(worst), np.round(worst / 60, 2), np.nan)
    return pd.DataFrame(table)


def _whole(values: NDArray[Any]) -> Int64:
    return np.asarray(np.rint(values), np.int64)


def maybe(flags: Bool, known: Bool) -> NDArray[np.object_]:
    """Flags, None where they are not known."""
    out: NDArray[np.object_] = np.full(len(flags), None, object)
    out[known] = flags[known]
    return out


def station_table(
    times: Times, seconds: Float64, weights: dict[str, Float64], inside: Bool, count: int
) -> pd.DataFrame:
    """One row a station: who it is first for, how soon (mean by residents, by buildings where nobody lives), how
    many of them inside their promise."""
    first = times.station[:, FIRST]
    served = np.flatnonzero(first >= 0)
    of = first[served]
    table: dict[str, Any] = {name: _whole(np.bincount(of, weight[served], count)) for name, weight in weights.items()}
    met = served[inside[served]]
    table["residents_inside"] = _whole(np.bincount(first[met], weights["residents"][met], count))
    minutes = seconds[served, FIRST] / 60
    weight = np.where(table["residents"][of] > 0, weights["residents"][served], 1.0)
    load = np.bincount(of, weight, count)
    mean = np.divide(np.bincount(of, weight * minutes, count), load, out=np.full(count, np.nan), where=load > 0)
    worst = np.full(count, -np.inf)
    np.maximum.at(worst, of, minutes)
    table["mean_minutes"] = np.round(mean, 2)
    table["worst_minutes"] = np.where(np.isfinite(worst), np.round(worst, 2), np.nan)
    return pd.DataFrame(table)


def outages(
    times: Times, second_inside: Bool, weights: dict[str, Float64], inside: Bool, assessed: Bool, names: list[str]
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """What if each station is out: its places go to their second station.

    Returns one row a station (share inside while it is out, residents who lose their promise or are not reached at
    all, the largest new load), and for the report who takes over whom.
    """
    people = weights["residents"]
    first, second = times.station[:, FIRST], times.station[:, SECOND]
    count = len(names)
    served = np.flatnonzero(first >= 0)
    lost = np.zeros(len(first), bool)
    lost[served] = (inside & ~second_inside)[served]
    lost_people, lost_homes = (
        np.bincount(first[lost], weight[lost], count) for weight in (people, np.ones(len(first)))
    )
    stranded = served[second[served] < 0]
    never = np.bincount(first[stranded], people[stranded], count)
    moved = served[second[served] >= 0]
    pair, at = np.unique(first[moved].astype(np.int64) * count + second[moved], return_inverse=True)
    load, homes = np.bincount(at, people[moved], len(pair)), np.bincount(at, minlength=len(pair))
    usual = np.bincount(first[served], people[served], count)
    known, met = people[assessed].sum(), people[inside].sum()
    known_homes, met_homes = assessed.sum(), inside.sum()
    largest = np.zeros(count)
    np.maximum.at(largest, pair // count, load + usual[pair % count])
    table = pd.DataFrame(
        {
            "residents_lost_if_out": _whole(lost_people),
            "residents_unreached_if_out": _whole(never),
            "share_if_out": [share(met - value, known) for value in lost_people],
            "buildings_share_if_out": [share(met_homes - value, known_homes) for value in lost_homes],
            "largest_load_if_out": _whole(largest),
        }
    )
    takers: list[list[dict[str, Any]]] = [[] for _ in names]
    for one in np.lexsort((pair % count, -load, pair // count)):
        taker = int(pair[one] % count)
        takers[int(pair[one] // count)].append(
            {
                "station": names[taker],
                "residents": round(load[one]),
                "buildings": int(homes[one]),
                "residents_before": round(usual[taker]),
                "residents_then": round(usual[taker] + load[one]),
            }
        )
    told = [
        {"station": name, **{str(key): _plain(value) for key, value in row.items()}, "taken_over_by": who}
        for name, row, who in zip(names, table.to_dict("records"), takers, strict=True)
    ]
    return table, told


def _plain(value: Any) -> Any:
    if value is None or value != value:
        return None
    return value.item() if isinstance(value, np.generic) else value
