"""What siting is given: layers checked, homes and candidates put on the network, costs per candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.errors import BadInput
from gisgrid.limits import SNAP_METRES_MAX
from planning.network import Network
from planning.places import counts, inner_points
from planning.reach import SegmentIndex, Snapped, snap
from planning.siting.candidates import Candidates
from planning.siting.problem import Float64

WEIGHTS: Final = {
    "residents": "population", "elderly": "elderly", "households": "households", "buildings": None,
}  # fmt: skip
"""What may be counted, and the residences' column it is in (buildings: one each)."""
_ABOUT: Final = ("category", "minutes", "name_zh", "name_en")


@dataclass(frozen=True)
class Homes:
    """Residences on the network: what is to be covered of each (0 off the network), and all there is to count."""

    snapped: Snapped
    weight: Float64
    counts: dict[str, Float64]


def check_layers(
    facilities: gpd.GeoDataFrame, residences: gpd.GeoDataFrame, categories: pd.DataFrame, wanted: Sequence[str],
    weight: str,
) -> pd.DataFrame:  # fmt: skip
    """The category table with the wanted rows. Raises BadInput."""
    if not len(residences):
        raise BadInput("the residences layer is empty; give buildings or points")
    if len(facilities) and "category" not in facilities:
        raise BadInput(f"the facilities layer has no column category, only {', '.join(map(str, facilities.columns))}")
    absent = [name for name in _ABOUT if name not in categories]
    if absent:
        raise BadInput(f"the table of facility categories lacks {', '.join(absent)}")
    if not wanted:
        raise BadInput("no category is given, for example clinic")
    if len(set(wanted)) < len(wanted):
        raise BadInput(f"category {next(n for n in wanted if list(wanted).count(n) > 1)} is given twice")
    known = set(categories["category"])
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise BadInput(f"unknown category {unknown[0]!r}; the table has {', '.join(categories['category'])}")
    if weight not in WEIGHTS:
        raise BadInput(f"unknown weight {weight!r}; give one of {', '.join(WEIGHTS)}")
    column = WEIGHTS[weight]
    if column is not None and column not in residences:
        raise BadInput(f"the residences have no column {column} to weigh by {weight}; give --weight buildings")
    return categories


def placed(network: Network, index: SegmentIndex, rows: gpd.GeoDataFrame | Candidates) -> Snapped:
    """Where rows (by a point inside each) or candidates are on the network."""
    if isinstance(rows, Candidates):
        return snap(network, rows.xy, index=index)
    if not len(rows):
        return snap(network, np.empty((0, 2)), index=index)
    return snap(network, inner_points(rows, network.crs), index=index)


def homes_of(network: Network, index: SegmentIndex, residences: gpd.GeoDataFrame, weight: str) -> Homes:
    """The residences on the network, with counts. Raises BadInput when none is near a street."""
    snapped = placed(network, index, residences)
    if not snapped.ok.any():
        raise BadInput(
            f"none of the {len(snapped)} residences lies within {SNAP_METRES_MAX:g} m of a street; "
            f"do the layers belong together? (streets in {network.crs})"
        )
    known = {
        name: np.ones(len(residences)) if column is None else counts(residences, column, "residences")
        for name, column in WEIGHTS.items()
    }
    return Homes(snapped, np.where(snapped.ok, known[weight], 0.0), known)


def site_costs(costs: pd.DataFrame | None, category: str, spots: Candidates) -> NDArray[np.float64]:
    """What a site of a category costs at every candidate; 1 without a table.

    Rows with a candidate count for it, the row without one for all others. Raises BadInput for a category without a
    row, a cost that is no number of 0 or more, or a candidate nobody knows.
    """
    out = np.ones(len(spots))
    if costs is None:
        return out
    absent = [name for name in ("category", "cost") if name not in costs]
    if absent:
        raise BadInput(f"the table of costs lacks the column {absent[0]}; it needs category and cost")
    mine = costs[costs["category"].astype(str) == category]
    number = pd.to_numeric(mine["cost"], errors="coerce").to_numpy(np.float64)
    wrong = ~(np.isfinite(number) & (number >= 0))
    if wrong.any():
        raise BadInput(f"costs, category {category}: cost={mine['cost'].to_numpy()[wrong][0]} is not 0 or more")
    where = mine["candidate"].fillna("").astype(str) if "candidate" in mine else pd.Series("", index=mine.index)
    general = (where == "").to_numpy()
    known = set(spots.ids)
    strange = [name for name in where[~general] if name not in known]
    if strange:
        raise BadInput(f"costs, category {category}: there is no candidate {strange[0]!r}")
    own = dict(zip(where[~general], number[~general], strict=True))
    if general.sum() > 1:
        raise BadInput(f"costs, category {category}: {int(general.sum())} rows without a candidate; keep one")
    if not general.any() and len(own) < len(known):
        raise BadInput(f"costs: category {category} has no cost; add a row with its cost")
    default = float(number[general][0]) if general.any() else 0.0
    return np.array([own.get(name, default) for name in spots.ids], np.float64)
