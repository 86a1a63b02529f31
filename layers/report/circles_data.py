"""What a report on service circles is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layers.report.words import Words

CIRCLES_TITLE: Final = Words("服务圈评估报告", "Service circles report")


@dataclass(frozen=True, slots=True)
class CirclesData:
    """What the page shows. Layers in one metric CRS; tables and ``report`` as of `gisgrid circles`.

    ``residences``: ``assessable`` and ``score`` of each of ``shapes`` (polygons or points). ``outlines``: communities
    or grids with ``code``, ``name``. ``streets``: lines with ``cls``; facilities: ``category``, ``on_network``.
    """

    report: Mapping[str, Any]
    coverage: pd.DataFrame
    tiers: pd.DataFrame
    community_scores: pd.DataFrame
    residences: pd.DataFrame
    shapes: NDArray[np.object_]
    isochrones: gpd.GeoDataFrame
    blind_spots: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    outlines: gpd.GeoDataFrame | None = None
    streets: gpd.GeoDataFrame | None = None
    title: Words = CIRCLES_TITLE
    version: str = ""

    @property
    def who(self) -> str:
        """What shares are of: 'residents', or 'buildings' where no residents are known."""
        return str(self.report["score"]["weighted_by"])

    def names(self) -> dict[str, Words]:
        """Names of the categories."""
        table = self.coverage[["category", "name_zh", "name_en"]].astype(str)
        return {code: Words(zh, en) for code, zh, en in zip(*(table[name] for name in table), strict=True)}

    def community_names(self) -> dict[str, str]:
        """Names of the communities that have one."""
        known = self.community_scores[self.community_scores["name"].notna()]
        return dict(zip(known["code"].astype(str), known["name"].astype(str), strict=True))

    def shown(self) -> str:
        """The category the page opens with: of those that have facilities and lack somebody, the one most lack."""
        blind = self.coverage[f"{self.who}_assessed"] - self.coverage[f"{self.who}_covered"]
        order = pd.DataFrame(
            {
                "spots": self.coverage["blind_spots"] > 0,
                "some": self.coverage["facilities_on_network"] > 0,
                "blind": blind,
            }
        )
        best = order.sort_values(["some", "spots", "blind"], ascending=False, kind="stable").index[0]
        return str(self.coverage["category"].loc[best])
