"""Ground plans drawn in metres from one corner of a community."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import shapely

CRS = "EPSG:4547"
X0, Y0 = 500_000.0, 3_900_000.0


def box(x: float, y: float, w: float, h: float) -> Any:
    return shapely.box(X0 + x, Y0 + y, X0 + x + w, Y0 + y + h)


def line(*spots: tuple[float, float]) -> Any:
    return shapely.LineString([(X0 + x, Y0 + y) for x, y in spots])


def area(w: float = 400, h: float = 300) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"code": ["370811001001"], "level": "community"}, geometry=[box(0, 0, w, h)], crs=CRS)
