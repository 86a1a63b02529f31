"""A town drawn by hand: two communities, a road of one name in each, a compound, a lane, a missing door."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

LON, LAT = 116.5, 35.4
METRE = 1 / 111_320.0
EAST = METRE / float(np.cos(np.radians(LAT)))


def at(x: float, y: float) -> tuple[float, float]:
    """Degrees of a place in metres east and north of the town's corner."""
    return LON + x * EAST, LAT + y * METRE


def addresses() -> gpd.GeoDataFrame:
    """文泉路 runs east at y=0 (odd numbers north), 柳溪街 north at x=300; 解放路 is in both communities."""
    rows: list[dict[str, Any]] = []

    def add(road: str, door: str, x: float, y: float, community: str, **more: str) -> None:
        town = "东湖镇" if community.startswith("370001001") else "西山镇"
        parts = {"compound": "", "building": "", "unit": "", "name_en": ""} | more
        full = f"示范区{town}{road}{door}{parts['compound']}{parts['building']}{parts['unit']}"
        rows.append({
            "address_id": f"P{len(rows) + 1:05d}X", "full": full, "road": road, "door_number": door,
            "community": community, "geometry": shapely.Point(at(x, y)), **parts,
        })  # fmt: skip

    one, two = "370001001001", "370001002001"
    for number in [*range(1, 40), 44]:
        if number not in (11, 20):
            side = 12 if number % 2 else -12
            add("文泉路", f"{number}号", 5 + 10 * ((number - 1) // 2), side, one, name_en=f"{number} Wenquan Road")
    for number in (2, 4, 6):
        add("柳溪街", f"{number}号", 312, 20 + 15 * number, one)
    for building in (1, 2, 3):
        for unit in (1, 2):
            english = f"Unit {unit}, Building {building}, Yunxi Garden, 8 Liuxi Street"
            add("柳溪街", "8号", 340 + 30 * building, 200 + 10 * unit, one, compound="云溪花园", building=f"{building}栋",
                unit=f"{unit}单元", name_en=english)  # fmt: skip
    for number in (1, 2, 3):
        add("解放路", f"{number}号", 100 + 10 * number, 900, one)
        add("解放路", f"{number}号", 9_000 + 10 * number, 900, two)
    add("长安一巷", "5号", 50, 400, one)
    add("文泉路", "12-1号", 57, -14, one)
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry="geometry", crs="EPSG:4490")


def streets() -> gpd.GeoDataFrame:
    """The two main streets, cut where they cross; 柳溪街 has a bend."""
    lines = {
        "文泉路": [[(0, 0), (300, 0)], [(300, 0), (500, 0)]],
        "柳溪街": [[(300, -100), (300, 0)], [(300, 0), (300, 300)]],
        "无门路": [[(0, 2_000), (400, 2_000)]],
    }
    names = [name for name, parts in lines.items() for _ in parts]
    shapes = [shapely.LineString([at(*p) for p in part]) for parts in lines.values() for part in parts]
    return gpd.GeoDataFrame({"name": names}, geometry=shapes, crs="EPSG:4490")


def areas() -> gpd.GeoDataFrame:
    """The district, its two towns, a community in each."""
    box = {
        "370001": (-500, -500, 10_000, 3_000), "370001001": (-500, -500, 5_000, 3_000),
        "370001002": (5_000, -500, 10_000, 3_000), "370001001001": (-500, -500, 5_000, 3_000),
        "370001002001": (5_000, -500, 10_000, 3_000),
    }  # fmt: skip
    names = ["示范区", "东湖镇", "西山镇", "东湖社区", "西山社区"]
    english = ["", "Donghu Town", "Xishan Town", "", ""]
    level = ["district", "street", "street", "community", "community"]
    shapes = [shapely.box(*at(a, b), *at(c, d)) for a, b, c, d in box.values()]
    return gpd.GeoDataFrame(
        {"code": list(box), "name": names, "name_en": english, "level": level}, geometry=shapes, crs="EPSG:4490"
    )


def facilities() -> gpd.GeoDataFrame:
    """A school and a service station of the community."""
    points = [shapely.Point(at(700, 50)), shapely.Point(at(800, 60))]
    return gpd.GeoDataFrame(
        {"name": ["东湖实验小学", "东湖社区服务站"], "name_en": ["", ""]}, geometry=points, crs=4490
    )
