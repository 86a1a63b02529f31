"""Planning the grids of a professional system (police, fire, sanitation …) from comprehensive grids or from units.

Made of whole comprehensive grids the two are perfectly fused: every comprehensive grid lies in one professional grid.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.codes import COMMUNITY_DIGITS, is_digits
from gisgrid.errors import BadInput
from gisgrid.models import Band, Progress, no_progress
from gisgrid.numbering import professional_codes, professional_names
from planning.partition import PlanResult, Reason, Weights, partition
from planning.partition.prepare import DEFAULT_COMMUNITY

Within = Literal["community", "street", "district"]

DIGITS: Final[dict[str, int]] = {"community": 12, "street": 9, "district": 6}


@dataclass(frozen=True, slots=True)
class ProfessionalPlan:
    """Professional grids and what they are made of.

    ``assignment``: int32 row of ``grids`` per atom, shape (n,). ``grids``: code (20 digits), name, system, level 1,
    parent null, community (null over several), kind, households, population, compactness, atoms (their number),
    geometry; sorted by code, metric CRS. ``feasible``, ``reasons``, ``stats``: as of `planning.partition.PlanResult`.
    """

    system: str
    grids: gpd.GeoDataFrame
    assignment: NDArray[np.int32]
    feasible: bool
    reasons: list[Reason]
    stats: dict[str, Any]


def plan_professional(
    atoms: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None = None,
    *,
    system: str,
    object_code: str,
    band: Band,
    within: Within = "community",
    grids: int | None = None,
    seed: int = 0,
    time_limit: float | None = None,
    preset: str = "balanced",
    weights: Weights | None = None,
    names: Mapping[str, str] | None = None,
    taken: Collection[str] = (),
    progress: Progress = no_progress,
) -> ProfessionalPlan:
    """Join atoms to contiguous professional grids of `band` households.

    `atoms`: comprehensive grids (``code``; of several levels the first is used) or units (``unit_id``), polygons with
    ``households``, maybe ``population`` and ``community`` (else the first 12 digits of the code). No atom is cut, so
    every comprehensive grid ends up wholly in one professional grid. `within`: the area no professional grid leaves;
    with street or district grids reach over communities. Special grids are joined like others. `object_code`: 6 digits
    the codes begin with; `taken`: codes not to use; `names`: area names by code, for the grids' names. The rest as for
    `planning.partition.partition`, which also says what is raised and how infeasible input is answered.
    """
    if within not in DIGITS:
        raise BadInput(f"within {within!r}: give one of {', '.join(DIGITS)}")
    pieces = _atoms(atoms)
    community = pieces["community"].to_numpy(object)
    bounds = [code[: DIGITS[within]].ljust(COMMUNITY_DIGITS, "0") for code in community]
    result = partition(
        pieces.assign(community=bounds), streets, band=band, grids=grids, seed=seed, time_limit=time_limit,
        special_kinds=(), preset=preset, weights=weights, progress=progress,
    )  # fmt: skip
    table, rank = _table(result, community, system, object_code, names or {}, taken)
    assignment = rank[result.assignment].astype(np.int32)
    return ProfessionalPlan(system, table, assignment, result.feasible, result.reasons, result.stats)


def homes_of(assignment: NDArray[np.int32], community: NDArray[np.object_], count: int) -> tuple[list[str], list[bool]]:
    """What each grid is numbered in, and whether it is its whole community.

    assignment, community: row of the grid and 12-digit community of every atom, shape (n,). The home of a grid is its
    community, or the street (9 digits) or district (6) it shares where it reaches over several.
    """
    pairs = pd.DataFrame({"grid": assignment, "community": community.astype(str)}).drop_duplicates()
    sharing = pairs.groupby("community")["grid"].size()
    homes, whole = [""] * count, [False] * count
    for grid, codes in pairs.groupby("grid")["community"]:
        digits = next((n for n in (12, 9, 6) if len({code[:n] for code in codes}) == 1), 6)
        home = str(codes.min())[:digits]
        homes[int(str(grid))] = home
        whole[int(str(grid))] = digits == COMMUNITY_DIGITS and int(sharing[home]) == 1
    return homes, whole


def _table(
    result: PlanResult, community: NDArray[np.object_], system: str, object_code: str, names: Mapping[str, str],
    taken: Collection[str],
) -> tuple[gpd.GeoDataFrame, NDArray[np.int64]]:  # fmt: skip
    """The professional grids by code, and the new row of each grid of the partition."""
    count = len(result.grids)
    homes, whole = homes_of(result.assignment, community, count)
    centres = shapely.get_coordinates(shapely.centroid(result.grids.geometry.to_numpy()))
    codes = professional_codes(object_code, homes, centres[:, 0], centres[:, 1], undivided=whole, taken=taken)
    order = np.argsort(codes.astype(str), kind="stable")
    rank = np.empty(count, np.int64)
    rank[order] = np.arange(count)
    table = result.grids.assign(
        code=codes,
        name=professional_names(codes, system, names),
        system=system,
        level=1,
        parent=None,
        community=[home if len(home) == COMMUNITY_DIGITS else None for home in homes],
        kind="ordinary",
        atoms=np.bincount(result.assignment, minlength=count),
    )
    columns = ["code", "name", "system", "level", "parent", "community", "kind", "households", "population"]
    return table.iloc[order].reset_index(drop=True)[[*columns, "compactness", "atoms", "geometry"]], rank


def _atoms(atoms: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Atoms as units: unit_id, households, population, community (12 digits), geometry."""
    found = atoms
    if "unit_id" not in found and "code" in found and "level" in found:
        found = found[pd.to_numeric(found["level"], errors="coerce").fillna(1) == 1]
    named = next((name for name in ("unit_id", "code") if name in found), None)
    if named is None or found.empty:
        raise BadInput("there is nothing to join: give grids with a code, or units with a unit_id")
    found = found.reset_index(drop=True)
    columns = {"unit_id": found[named], "community": _communities(found, named)}
    columns |= {name: found[name] for name in ("households", "population") if name in found}
    return gpd.GeoDataFrame(columns, geometry=found.geometry, crs=found.crs)


def _communities(frame: gpd.GeoDataFrame, named: str) -> list[str]:
    if "community" in frame:
        given = frame["community"].astype(object)
    elif named == "code":
        given = frame["code"].astype(str)
    else:
        return [DEFAULT_COMMUNITY] * len(frame)
    communities = []
    for row, code in enumerate(given):
        text = "" if pd.isna(code) else str(code)[:COMMUNITY_DIGITS]
        if not (is_digits(text) and len(text) == COMMUNITY_DIGITS):
            raise BadInput(
                f"{frame[named].iloc[row]}: community {code!r} is not 12 digits; fill the column or leave it"
            )
        communities.append(text)
    return communities
