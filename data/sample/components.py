"""City components 城市部件 of all classes: along streets, at junctions, in compounds, parks and on the banks."""

from __future__ import annotations

import csv
from importlib import resources
from typing import Final

import numpy as np
import pandas as pd
import shapely

from data.sample.along import kept_inside, stations
from data.sample.base import CARRIAGEWAY, FOOT, RAIL, RESIDENTIAL, SERVICE, TERTIARY, Floats, Ints, Rng, shares
from data.sample.city import City
from data.sample.scenarios import Scenario
from data.sample.uses import USE

# class name: (weight, where, metres beside the centreline as a share of the carriageway)
_PLENTY: Final[dict[str, tuple[float, str]]] = {
    "路灯": (6200, "kerb"), "行道树": (9800, "kerb"), "雨水箅子": (5200, "gutter"), "污水井盖": (3900, "lane"),
    "雨水井盖": (3700, "lane"), "上水井盖": (2600, "lane"), "通讯井盖": (2200, "lane"), "电力井盖": (1500, "lane"),
    "燃气井盖": (1100, "lane"), "热力井盖": (600, "lane"), "网络井盖": (420, "lane"), "电视井盖": (300, "lane"),
    "路灯井盖": (380, "lane"), "立杆": (1500, "kerb"), "消防设施": (1300, "kerb"), "通讯交接箱": (420, "kerb"),
    "电力设施": (620, "inside"), "监控电子眼": (1150, "junction"), "交通标志牌": (1450, "junction"),
    "交通信号灯": (520, "signal"), "交通信号设施": (160, "signal"), "交通护栏": (620, "main"),
    "路名牌": (760, "junction"),
    "垃圾箱": (1650, "kerb"), "公交站亭": (210, "main"), "停车场": (260, "inside"), "存车支架": (330, "main"),
    "健身设施": (620, "inside"), "变压器(箱)": (330, "inside"), "化粪池": (480, "inside"), "宣传栏": (420, "inside"),
    "广告牌匾": (720, "main"), "灯箱霓虹灯": (420, "main"), "绿地": (260, "park"), "街头坐椅": (340, "park"),
    "绿地护栏": (260, "park"), "景观灯": (420, "park"), "地灯": (260, "park"), "花架花钵": (300, "park"),
    "护树设施": (360, "kerb"), "雕塑": (40, "park"), "喷泉": (18, "park"), "古树名木": (46, "park"),
    "绿地维护设施": (110, "park"), "水域附属设施": (60, "bank"), "水域护栏": (240, "bank"), "防汛墙": (70, "bank"),
    "港监设施": (12, "bank"), "污水口监测站": (14, "bank"), "跨河桥": (26, "bridge"), "公厕指示牌": (120, "kerb"),
    "公共厕所": (76, "inside"), "垃圾间(楼)": (150, "inside"), "燃气调压站(箱)": (140, "inside"), "工地": (36, "site"),
    "重大危险源": (8, "industrial"), "高压线铁塔": (40, "industrial"), "电动自行车充电桩": (640, "inside"),
    "智能快递柜": (310, "inside"), "应急广播喇叭": (130, "inside"), "楼门二维码牌": (700, "inside"),
}  # fmt: skip
_SUPERVISE: Final = {"01": "区城市管理局", "02": "区交通运输局", "03": "区综合行政执法局", "04": "区园林中心",
                     "05": "区住房和城乡建设局", "06": "区水务局", "07": "区城市运行中心"}  # fmt: skip
_OWNER: Final = {
    "电": "区供电服务公司", "燃": "区燃气服务公司", "热": "区热力服务公司", "通": "区通信建设公司",
    "网": "区通信建设公司", "水": "区水务服务公司", "交": "区交通设施公司", "路": "区市政公司",
}  # fmt: skip
_STATES: Final = ("完好", "破损", "丢失", "废弃")


def component_classes() -> list[dict[str, str]]:
    """Rows of the component catalogue, in its order."""
    text = resources.files("data.standards").joinpath("component_classes.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


class Spots:
    """Places where components of one kind may stand, found once: lines walked evenly, or loose points."""

    def __init__(self, city: City, rng: Rng) -> None:
        self.city, self.rng = city, rng
        self.core = shapely.buffer(city.layout.terrain.outline, -0.3)
        shapely.prepare(self.core)
        cls = city.cls
        dry = ~city.bridge
        in_use = np.where(city.path_block >= 0, city.use[city.path_block], -1)
        self.rows: dict[str, Ints] = {
            "kerb": np.flatnonzero((cls <= RESIDENTIAL) & dry),
            "lane": np.flatnonzero((cls <= SERVICE) & dry),
            "gutter": np.flatnonzero((cls <= RESIDENTIAL) & dry),
            "main": np.flatnonzero((cls <= TERTIARY) & dry),
            "inside": np.flatnonzero(
                (city.path_block >= 0) & dry & np.isin(in_use, [USE["slab"], USE["tower"], USE["old"]])
            ),
            "park": np.flatnonzero((city.path_block >= 0) & dry & np.isin(in_use, [USE["park"], USE["scenic"]])),
            "bank": np.flatnonzero((cls == FOOT) & (city.path_block < 0) & dry),
            "bridge": np.flatnonzero(city.bridge & (cls <= RESIDENTIAL)),
            "site": np.flatnonzero((city.path_block >= 0) & (in_use == USE["site"])),
            "industrial": np.flatnonzero((city.path_block >= 0) & (in_use == USE["industrial"])),
        }
        self.length = shapely.length(city.edges)
        self.junctions, self.signals = self._junctions()

    def _junctions(self) -> tuple[Floats, Floats]:
        city = self.city
        rows = np.flatnonzero(city.cls <= RESIDENTIAL)
        ends = np.concatenate([shapely.get_coordinates(shapely.get_point(city.edges[rows], i)) for i in (0, -1)])
        rank = np.tile(city.cls[rows], 2)
        xy, inverse, degree = np.unique(np.round(ends, 2), axis=0, return_inverse=True, return_counts=True)
        strongest = np.full(len(xy), RAIL, dtype=np.int64)
        np.minimum.at(strongest, inverse.ravel(), rank)
        return xy[degree >= 3], xy[(degree >= 4) & (strongest <= TERTIARY - 1)]

    def at(self, where: str, count: int) -> Floats:
        """``count`` points for that sort of place, evenly spread with a little jitter."""
        rng = self.rng
        if where in ("junction", "signal"):
            nodes = self.signals if where == "signal" and len(self.signals) else self.junctions
            pick = nodes[rng.integers(0, len(nodes), count)]
            angle = rng.integers(0, 4, count) * np.pi / 2 + rng.normal(0.75, 0.12, count)
            points = pick + rng.uniform(7, 16, count)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
            return kept_inside(points, pick, self.core)
        rows = self.rows.get(where, self.rows["kerb"])
        if not len(rows):
            rows = self.rows["kerb"]
        total = float(self.length[rows].sum())
        at = (np.arange(count) + rng.uniform(0.15, 0.85, count)) / max(count, 1) * total
        middle, normal, row = stations(self.city.edges[rows], at)
        half = np.maximum(CARRIAGEWAY[self.city.cls[rows[row]]], 1.0)
        side = np.where(np.arange(count) % 2 == 0, 1.0, -1.0)
        if where == "lane":
            off = half * rng.uniform(-0.85, 0.85, count)
        elif where == "gutter":
            off = side * half * 0.93
        elif where == "bridge":
            off = np.zeros(count)
        else:
            off = side * (half + rng.uniform(0.3, 1.6, count))
        return kept_inside(middle + normal * off[:, None], middle, self.core)


def make_components(sc: Scenario, city: City, rng: Rng) -> pd.DataFrame:
    """``sc.components`` components: every class of the catalogue at least once, plenty of the usual ones."""
    classes = component_classes()
    weight = np.array([_PLENTY.get(c["name"], (22.0, ""))[0] for c in classes])
    spare = max(sc.components - len(classes), 0)
    count = np.minimum(1, sc.components) + shares(spare, weight)
    spots = Spots(city, rng)
    xy = np.concatenate(
        [spots.at(_PLENTY.get(c["name"], (0.0, "kerb"))[1], int(n)) for c, n in zip(classes, count, strict=True)]
    )
    row = np.repeat(np.arange(len(classes)), count)
    serial = np.arange(len(row)) - np.concatenate([[0], np.cumsum(count)])[:-1][row] + 1

    def column(values: list[str]) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
        return np.array(values, dtype=object)[row]

    prefix = column([f"{sc.code}{c['major']}{c['minor']}" for c in classes])
    first = np.datetime64("2019-03-01") + rng.integers(0, 1900, len(row)).astype("timedelta64[D]")
    changed = first + rng.integers(0, 500, len(row)).astype("timedelta64[D]")
    state = np.array(_STATES, dtype=object)[rng.choice(4, len(row), p=[0.957, 0.031, 0.005, 0.007])]
    return pd.DataFrame(
        {
            "component_code": [f"{p}{s:06d}" for p, s in zip(prefix, serial, strict=True)],
            "standard": column([c["standard"] for c in classes]),
            "kind": column([c["kind"] for c in classes]),
            "major": column([c["major"] for c in classes]),
            "minor": column([c["minor"] for c in classes]),
            "name": column([c["name"] for c in classes]),
            "dept_supervise": column([_SUPERVISE[c["major"]] for c in classes]),
            "dept_owner": column(
                [next((o for k, o in _OWNER.items() if k in c["name"]), "区市政公司") for c in classes]
            ),
            "dept_maintain": column([_SUPERVISE[c["major"]][:-1] + "养护中心" for c in classes]),
            "state": state,
            "first_date": np.datetime_as_string(first, unit="D"),
            "changed_date": np.datetime_as_string(np.minimum(changed, np.datetime64("2025-12-31")), unit="D"),
            "source": np.full(len(row), "示范普查", dtype=object),
            "note": np.full(len(row), "", dtype=object),
            "geometry": shapely.points(xy),
        }
    )
