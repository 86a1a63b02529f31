"""What the page on report heat is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import pandas as pd

from layers.report.words import Words

TITLE: Final = Words("事件热力分析", "Report heat")


@dataclass(frozen=True, slots=True)
class HeatData:
    """All maps are in one metric CRS.

    ``about``: from, to, days, reports, outside, timezone, bandwidth, rule, months. ``surface``: areas with ``low``,
    ``high``; ``colors``: of their steps by ``low``. ``grids``: code, name, rate, z, q, spot, reports, households,
    geometry. ``patterns``: tables by month, weekday, hour. ``rises``: place, kind, observed, expected, p, q, flagged,
    the surest first.
    """

    about: Mapping[str, Any]
    surface: gpd.GeoDataFrame
    colors: Mapping[float, str]
    grids: gpd.GeoDataFrame
    spots: Mapping[str, Any]
    patterns: Mapping[str, pd.DataFrame]
    rises: pd.DataFrame
    risen: Mapping[str, Any]
    version: str
    title: Words = TITLE
