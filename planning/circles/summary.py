"""What a circles run says of itself: the figures as JSON-ready values, and notes a reader should have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.limits import SNAP_METRES_MAX
from planning.circles.coverage import WHO
from planning.circles.inputs import Members, People, Places
from planning.circles.kinds import named, unknown
from planning.network import Network
from planning.reach import Profile

Bool = NDArray[np.bool_]


def run_facts(
    network: Network, homes: Places, places: Places, people: People, minutes: Sequence[float], profile: Profile
) -> dict[str, Any]:
    """How the figures were made, and how many of what there were, as JSON-ready values."""
    cut_off = ~homes.ok & homes.snapped.detached
    weights = dict(zip(WHO, (np.ones(len(homes.xy)), people.residents, people.elderly), strict=True))
    return {
        "profile": profile.name,
        "metres_per_second": profile.metres_per_second,
        "factor": profile.factor,
        "minutes": list(minutes),
        "snap_metres_max": SNAP_METRES_MAX,
        "crs": network.crs,
        "network": {"mode": network.mode, "nodes": network.nodes, "edges": network.edges, **network.stats},
        "residences": len(homes.xy),
        "residences_assessed": int(homes.ok.sum()),
        "residences_cut_off": int(cut_off.sum()),
        "residences_far": int((~homes.ok & ~cut_off & homes.known).sum()),
        "residences_no_place": int((~homes.known).sum()),
        "residences_detached": int(homes.snapped.detached.sum()),
        "facilities": len(places.xy),
        "facilities_on_network": int(places.ok.sum()),
        "facilities_detached": int(places.snapped.detached.sum()),
        "totals": {
            who: {"all": round(float(weight.sum())), "assessed": round(float(weight[homes.ok].sum()))}
            for who, weight in weights.items()
        },
    }


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as JSON-ready values: no NaN, no NumPy types."""
    return [{str(key): _plain(value) for key, value in row.items()} for row in frame.astype(object).to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple | dict):
        return value
    if value is None or value is pd.NA or value != value:
        return None
    return value.item() if isinstance(value, np.generic) else value


def notes(
    homes: Places,
    places: Places,
    coverage: pd.DataFrame,
    facilities: gpd.GeoDataFrame,
    residences: gpd.GeoDataFrame,
    people: People,
    twice: Bool,
) -> list[str]:
    """What a reader of the figures should know, a sentence each."""
    said = [
        f"no facility of category {name}: nobody is covered"
        for name in coverage.loc[coverage["facilities"] == 0, "category"]
    ]
    if "population" not in residences:
        said.append("the residences have no column population: figures of residents are zero")
    elif people.weighted_by == "buildings":
        said.append("no residence has any residents: figures of residents are zero")
    if people.weighted_by == "buildings":
        said.append("scores and blind spots count every building as one, because no residents are known")
    if "elderly" not in residences:
        said.append("the residences have no column elderly: figures of people of 60 and over are zero")
    for what, which in _counted(homes, places, coverage, facilities, people, twice).items():
        if np.any(which):
            said.append(f"{int(np.sum(which))} {what}")
    return said


def _counted(
    homes: Places, places: Places, coverage: pd.DataFrame, facilities: gpd.GeoDataFrame, people: People, twice: Bool
) -> Mapping[str, Any]:
    """Sentences that begin with a count, and what they count."""
    others = unknown(facilities["category"].to_numpy(object), coverage)
    which = f" ({named(others)})" if others else ""
    about = pd.DataFrame({"category": facilities["category"].to_numpy(), "x": places.xy[:, 0], "y": places.xy[:, 1]})
    far = f"over {SNAP_METRES_MAX:g} m from every street"
    return {
        f"facilities are of no category in the table and are left out{which}": ~about["category"].isin(
            coverage["category"]
        ),
        "facilities are given twice (category, place and name alike) and count once": twice,
        "facilities stand exactly where another of their category stands": (
            about.duplicated() & about["x"].notna() & ~twice
        ),
        f"facilities are {far} and serve nobody": ~places.ok & places.known,
        "facilities have no place (empty geometry) and serve nobody": ~places.known,
        f"residences are {far} and cannot be assessed": ~homes.ok & ~homes.snapped.detached & homes.known,
        "residences have no place (empty geometry) and cannot be assessed": ~homes.known,
        "residences are near to a street piece cut off from the network only and cannot be assessed": (
            ~homes.ok & homes.snapped.detached
        ),
        "facilities are nearest to a small street piece cut off from the network": places.snapped.detached,
        "residences are nearest to a small street piece cut off from the network": homes.ok & homes.snapped.detached,
        "residences have more people of 60 and over than residents": (
            (people.elderly > people.residents) & (people.weighted_by == "residents")
        ),
    }


def outside(kinds: Sequence[Members], people: People) -> dict[str, dict[str, int]]:
    """Residences and residents in no place of each kind there are places of; sums over its places lack them."""
    found = {}
    for members in kinds:
        if len(members.codes):
            lost = np.asarray(members.matrix.sum(axis=0)).ravel() == 0
            found[members.kind] = {
                "residences": int(lost.sum()),
                "residents": round(float(people.residents[lost].sum())),
            }
    return found


def outside_notes(kinds: Sequence[Members], people: People) -> list[str]:
    """A sentence for each kind of place some residences lie outside of."""
    return [
        f"{lost['residences']} residences ({lost['residents']} residents) lie in no {kind}"
        for kind, lost in outside(kinds, people).items()
        if lost["residences"]
    ]
