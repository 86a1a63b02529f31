"""What a circles run gives back, and how its layers are put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd

from planning.circles.inputs import Members

KEPT: Final = ("building_id", "name", "kind", "households", "population", "elderly", "community")
"""Columns of the residences that go on to the result."""
OF_GRIDS: Final = ("code", "name", "level", "parent", "community", "kind", "households", "population")
"""Columns of grids and communities that go on to the result."""


@dataclass(frozen=True)
class CirclesResult:
    """What `service_circles` found.

    ``residences``: one row a residence, in the CRS and order it came in: columns kept, ``assessable``, ``unassessed``
    (None, 'far', 'cut off' or 'no place'), ``score`` and ``score_own`` (NaN where not assessable), per category
    ``seconds_CATEGORY`` and ``facility_CATEGORY``, time and id of the nearest facility (NaN and None beyond
    ``told_minutes``, by default 120), ``opportunity_CATEGORY`` (facilities within the category's minutes, -1 where not
    assessable), and with ``nearest=K`` ``seconds_CATEGORY_k`` and ``facility_CATEGORY_k`` for k = 1 … K.

    ``coverage``: one row a category, for the whole district. ``district_coverage``, ``community_coverage`` and
    ``grid_coverage``: one row a place (``code``) and category with the counts of `planning.circles.coverage.FIGURES`.
    ``tiers``: the same for each tier as a whole, of all places (``place``, ``code``, ``tier``, ``categories``,
    counts, ``share``). ``community_scores``: ``code``, ``name``, assessed buildings and residents, ``score``,
    ``score_own``, ``gini``.

    ``facilities``: those counted (``facility_id``, ``category``, ``name``, ``on_network``), points in the metric CRS.

    ``grids`` and ``communities``: their polygons with ``score``, ``score_own``, ``gini`` and ``share_CATEGORY`` of
    residents covered, or None where no polygons were given. ``isochrones``: ``category``, ``minutes``, polygons;
    ``facility_isochrones``: the same of every facility alone, where asked for.
    ``blind_spots``: `planning.circles.blind_spots.COLUMNS`, polygons. Both in the network's metric CRS. ``report``:
    JSON-ready figures.
    """

    residences: gpd.GeoDataFrame
    coverage: pd.DataFrame
    grid_coverage: pd.DataFrame
    grids: gpd.GeoDataFrame | None
    isochrones: gpd.GeoDataFrame
    facility_isochrones: gpd.GeoDataFrame | None
    report: dict[str, Any]
    district_coverage: pd.DataFrame = field(default_factory=pd.DataFrame)
    community_coverage: pd.DataFrame = field(default_factory=pd.DataFrame)
    tiers: pd.DataFrame = field(default_factory=pd.DataFrame)
    community_scores: pd.DataFrame = field(default_factory=pd.DataFrame)
    communities: gpd.GeoDataFrame | None = None
    blind_spots: gpd.GeoDataFrame = field(default_factory=gpd.GeoDataFrame)
    facilities: gpd.GeoDataFrame = field(default_factory=gpd.GeoDataFrame)


def residences_layer(residences: gpd.GeoDataFrame, columns: Mapping[str, Any]) -> gpd.GeoDataFrame:
    """The residences with what was found of each."""
    kept = residences[[name for name in KEPT if name in residences]]
    found = pd.DataFrame(dict(columns), index=residences.index)
    return gpd.GeoDataFrame(pd.concat([kept, found], axis=1), geometry=residences.geometry, crs=residences.crs)


def places_layer(
    places: gpd.GeoDataFrame, members: Members, coverage: pd.DataFrame, scores: pd.DataFrame
) -> gpd.GeoDataFrame:
    """Polygons with their scores and the share of assessed residents covered in each category (NaN: nobody there).

    ``coverage`` holds all places of the first category, then of the next, always in the order of ``members``.
    """
    share = coverage["residents_covered"] / coverage["residents_assessed"].replace(0, np.nan)
    names = [f"share_{name}" for name in coverage["category"].unique()]
    wide = pd.DataFrame(share.to_numpy(np.float64).reshape(len(names), -1).T, columns=names)
    table = pd.concat([scores[["code", "score", "score_own", "gini"]], wide], axis=1)
    kept = [name for name in OF_GRIDS if name in places]
    return places[[*kept, places.geometry.name]].merge(table, on="code", how="left", validate="one_to_one")


def isochrones_layer(shapes: list[tuple[str, float, Any]], crs: str) -> gpd.GeoDataFrame:
    """Polygons by category and minutes; where nobody reaches anything there is no row."""
    present = [row for row in shapes if row[2] is not None]
    return gpd.GeoDataFrame(
        {"category": [row[0] for row in present], "minutes": [row[1] for row in present]},
        geometry=[row[2] for row in present],
        crs=crs,
    )
