"""Foreign layers of professional grids: their codes where they have them, numbers by place where they do not."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from data.grid_systems import GridSystem
from gisgrid.codes import COMMUNITY_DIGITS
from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from gisgrid.metrics import compactness
from gisgrid.numbering import (
    professional_codes,
    professional_home,
    professional_names,
    valid_professional_code,
)
from gisgrid.overlay import overlaps, sound_polygons

MOSTLY: Final = 0.95
"""A grid with this share of its ground in one community is that community's; what is beyond is a border drawn twice."""


def fit_codes(
    grids: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, *, system: GridSystem, taken: Collection[str] = ()
) -> tuple[gpd.GeoDataFrame, list[str]]:
    """A layer of professional grids with a code, name, community and compactness each; and the communities it lies in.

    grids: rows of ``clean_layer(…, "professional")``. areas: communities with 12-digit codes (others are left out).
    taken: codes a made one must not repeat. Codes of 20 digits stay; other rows are numbered where they lie, their own
    code becomes the name where they have none. ``community`` is null over several communities, and where the code names
    one that is not among the areas. Raises BadInput when a grid lies in none of the communities.
    """
    communities = areas[areas["code"].astype(str).str.len() == COMMUNITY_DIGITS].reset_index(drop=True)
    given = grids["code"].to_numpy(object)
    fit = np.array([valid_professional_code(code) for code in given], dtype=bool)
    homes, whole, touched = _places(grids, communities, given)
    codes = given.copy()
    if not fit.all():
        rows = np.flatnonzero(~fit)
        centres = shapely.get_coordinates(shapely.point_on_surface(grids.geometry.to_numpy()[rows]))
        codes[rows] = professional_codes(
            system.object_code, homes[rows], centres[:, 0], centres[:, 1], undivided=whole[rows],
            taken={*taken, *given[fit]},
        )  # fmt: skip
    known = set(communities["code"])
    homes = np.array([professional_home(code) for code in codes], dtype=object)
    names = dict(zip(areas["code"], areas["name"], strict=True)) if "name" in areas else {}
    fitted = grids.assign(
        code=codes,
        name=_names(grids["name"], given, fit, professional_names(codes, system.name, names)),
        community=[home if home in known else None for home in homes],
        compactness=compactness(to_metric(grids).geometry),
        level=1,
        parent=None,
    )
    return fitted, touched


def _places(
    grids: gpd.GeoDataFrame, communities: gpd.GeoDataFrame, given: npt.NDArray[np.object_]
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.bool_], list[str]]:
    """Home of each grid (12, 9 or 6 digits), whether it is a whole community, and all communities with a real part."""
    metric = to_metric(grids)
    shapes = sound_polygons(metric.geometry)
    outlines = sound_polygons(to_metric(communities, metric.crs).geometry) if len(communities) else np.empty(0, object)
    found = overlaps(shapes, outlines)
    codes = communities["code"].astype(str).to_numpy(object)
    parts = pd.DataFrame({"row": found.row, "code": codes[found.at], "m2": found.m2})
    parts["share"] = parts["m2"] / parts.groupby("row")["m2"].transform("sum")
    parts["filled"] = parts["m2"] / shapely.area(outlines)[found.at]
    lost = np.setdiff1d(np.arange(len(grids)), found.row)
    if lost.size:
        raise BadInput(
            f"professional grid {given[lost[0]]} lies in no known community ({lost.size} such grids); "
            "give or import the communities first"
        )
    homes, whole = np.full(len(grids), "", object), np.zeros(len(grids), bool)
    for row, mine in parts.groupby("row"):
        number = int(str(row))
        real = mine[mine["share"] > 1 - MOSTLY]
        stems: list[Any] = [sorted({code[:digits] for code in real["code"]}) for digits in (12, 9, 6)]
        homes[number] = next((stem[0] for stem in stems if len(stem) == 1), stems[-1][0])
        whole[number] = len(stems[0]) == 1 and bool(real["filled"].iloc[0] >= MOSTLY)
    touched = parts.loc[parts["share"] > 1 - MOSTLY, "code"]
    return homes, whole, sorted(set(touched))


def _names(
    names: pd.Series[Any], given: npt.NDArray[np.object_], fit: npt.NDArray[np.bool_], made: list[str]
) -> list[str]:
    """The layer's own names; else the code it came with, where that was none of ours; else one by number."""
    found = []
    for name, code, sound, other in zip(names, given, fit, made, strict=True):
        own = "" if pd.isna(name) else str(name)
        found.append(own or (other if sound or str(code).startswith(MADE) else str(code)))
    return found


MADE: Final = "row "
"""How the stand-in for a missing code begins (``prefix`` of the layer's schema)."""
