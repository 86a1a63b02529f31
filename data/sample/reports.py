"""A year of reports: seasons, weekdays and hours by class of event, weighted towards busy places."""

from __future__ import annotations

import csv
from importlib import resources
from typing import Final

import numpy as np
import pandas as pd
import shapely

from data.sample.along import kept_inside
from data.sample.base import Floats, Geoms, Ints, Rng, shares
from data.sample.city import City
from data.sample.components import Spots
from data.sample.scenarios import Scenario

YEAR: Final = 2025
# minor: (weight, place, months it peaks in or (), typical hour, what is said)
_HABITS: Final[dict[str, tuple[float, str, tuple[int, ...], float, str]]] = {
    "暴露垃圾": (10, "inside", (6, 7, 8), 9, "地面有散落垃圾未清理"),
    "积存垃圾渣土": (4, "lane", (3, 4, 5), 10, "路边堆放渣土"),
    "道路破损": (6, "lane", (3, 7, 8), 10, "路面坑洼破损"),
    "道路遗撒": (3, "main", (), 14, "车辆遗撒砂石"),
    "绿地脏乱": (3, "park", (5, 6), 10, "绿地内有杂物"),
    "水域不洁": (2, "bank", (7, 8), 10, "水面有漂浮物"),
    "油烟污染": (5, "shop", (6, 7, 8), 19, "餐饮店油烟直排"),
    "垃圾满溢": (7, "inside", (7, 8), 8, "垃圾桶满溢未清运"),
    "非法小广告": (5, "inside", (), 11, "墙面张贴小广告"),
    "违章悬挂广告牌匾": (2, "shop", (), 10, "店招存在安全隐患"),
    "占道广告牌": (3, "shop", (), 15, "广告牌占用人行道"),
    "条幅乱挂": (1.5, "main", (9, 11), 10, "行道树悬挂条幅"),
    "施工扰民": (6, "homes", (4, 5, 9, 10), 22, "夜间施工噪声"),
    "工地扬尘": (3, "main", (3, 4, 5), 14, "工地未覆盖扬尘"),
    "施工废弃料": (2, "kerb", (), 11, "施工废料未清运"),
    "占道施工": (3, "main", (4, 10), 9, "占道施工未设围挡"),
    "无证掘路": (1, "lane", (), 10, "路面开挖无公示"),
    "无照经营游商": (7, "shop", (5, 6, 7, 8), 18, "流动摊贩占道"),
    "占道经营": (8, "shop", (6, 7, 8), 18, "商户占道经营"),
    "机动车乱停放": (14, "kerb", (), 18, "机动车占用人行道停放"),
    "非机动车乱停放": (8, "main", (), 8, "共享单车乱停放"),
    "店外经营": (6, "shop", (6, 7, 8), 17, "店外摆放商品"),
    "噪声扰民": (9, "homes", (6, 7, 8), 21, "广场舞音响声音大"),
    "占用消防通道": (5, "inside", (), 20, "车辆占用消防通道"),
    "路面塌陷": (0.8, "lane", (7, 8), 9, "路面出现塌陷"),
    "自来水管破裂": (1.4, "lane", (1, 12), 7, "水管破裂漏水"),
    "燃气泄漏": (0.6, "homes", (11, 12, 1), 19, "闻到燃气味"),
    "下水道堵塞": (4, "inside", (7, 8), 8, "下水道堵塞返水"),
    "道路积水": (4, "kerb", (7, 8), 8, "雨后道路积水"),
    "路面积雪": (1.6, "kerb", (1, 12), 8, "路面积雪结冰"),
    "树木倒伏": (1.2, "park", (7, 8), 9, "大风后树木倒伏"),
    "违法建设": (3, "homes", (4, 5), 10, "楼顶搭建构筑物"),
    "高空抛物": (1.5, "homes", (), 20, "楼上抛物"),
    "飞线充电": (4, "inside", (6, 7, 8), 20, "电动车飞线充电"),
    "邻里纠纷": (3, "homes", (2,), 20, "邻里噪声纠纷"),
    "物业服务投诉": (7, "homes", (1, 12), 19, "物业服务不到位"),
    "供暖不足": (7, "homes", (1, 2, 11, 12), 20, "室内温度不达标"),
    "流浪犬只": (2, "park", (4, 5), 18, "小区内有流浪犬"),
}
_CHANNELS: Final = (
    ("12345热线", 0.46),
    ("微信小程序", 0.22),
    ("网格员巡查", 0.2),
    ("手机APP", 0.08),
    ("视频发现", 0.04),
)
_STAGES: Final = ("发现上报", "指挥派遣", "处置反馈", "事件评价", "结案归档")


def event_classes() -> list[dict[str, str]]:
    """Rows of the event catalogue, in its order."""
    text = resources.files("data.standards").joinpath("event_classes.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _days(months: tuple[int, ...], count: int, rng: Rng) -> Ints:
    """Days of the year: busier in the peak months, quieter at weekends and over the New Year holiday."""
    day = np.arange(365)
    date = np.datetime64(f"{YEAR}-01-01") + day.astype("timedelta64[D]")
    month = date.astype("datetime64[M]").astype(np.int64) % 12 + 1
    weekday = (date.astype("datetime64[D]").astype(np.int64) + 3) % 7
    weight = 1 + 0.25 * np.sin(2 * np.pi * (day - 110) / 365)
    if months:
        weight = np.where(np.isin(month, months), weight * 4.0, weight * 0.55)
    weight = weight * np.where(weekday >= 5, 0.72, 1.0) * np.where((day >= 27) & (day <= 34), 0.4, 1.0)
    return rng.choice(365, count, p=weight / weight.sum())


def _seconds(hour: float, count: int, rng: Rng) -> Ints:
    """Second of the day: most near the typical hour, some in the two office peaks, few at night."""
    peak = rng.normal(hour, 1.8, count)
    office = np.where(rng.random(count) < 0.6, rng.normal(9.6, 1.2, count), rng.normal(15.6, 1.6, count))
    value = np.where(rng.random(count) < 0.62, peak, office)
    stray = rng.random(count) < 0.03
    value[stray] = rng.uniform(0, 24, int(stray.sum()))
    seconds: Ints = np.floor((value % 24) * 3600).astype(np.int64)
    return seconds


def _places(where: str, count: int, spots: Spots, shops: Geoms, homes: Geoms, heat: Floats, rng: Rng) -> Floats:
    source = {"shop": shops, "homes": homes}.get(where)
    if source is not None and len(source):
        weight = heat[: len(source)] if where == "shop" else heat[-len(source) :]
        pick = rng.choice(len(source), count, p=weight / weight.sum())
        box = shapely.bounds(source[pick])
        return np.column_stack(
            [rng.uniform(box[:, 0], box[:, 2]), rng.uniform(box[:, 1], box[:, 3])] if where == "homes"
            else [rng.uniform(box[:, 0] - 4, box[:, 2] + 4), box[:, 1] - rng.uniform(1, 6, count)]
        )  # fmt: skip
    return spots.at(where, count)[rng.permutation(count)]


def make_reports(sc: Scenario, city: City, households: Ints, rng: Rng) -> pd.DataFrame:
    """``sc.reports`` reports in order of time over the year 2025 (local time, +08:00)."""
    classes = event_classes()
    habits = [_HABITS[c["name"]] for c in classes]
    count = shares(sc.reports, np.array([h[0] for h in habits]))
    spots = Spots(city, rng)
    shops = city.stock.geometry[city.stock.kind == "commercial"]
    lived = households > 0
    homes = city.stock.geometry[lived]
    heat = np.concatenate(
        [rng.lognormal(0, 1.1, len(shops)), households[lived] * rng.lognormal(0, 0.7, int(lived.sum()))]
    )
    xy = np.concatenate(
        [_places(h[1], int(n), spots, shops, homes, heat, rng) for h, n in zip(habits, count, strict=True)]
    )
    when = np.concatenate(
        [86_400 * _days(h[2], int(n), rng) + _seconds(h[3], int(n), rng) for h, n in zip(habits, count, strict=True)]
    )
    row = np.repeat(np.arange(len(classes)), count)
    order = np.lexsort((xy[:, 1], xy[:, 0], when))
    xy, when, row = xy[order], when[order], row[order]
    n = len(row)
    accuracy = np.round(np.clip(rng.lognormal(2.6, 0.8, n), 2, 400), 1)
    blur = rng.normal(0, 1, (n, 2)) * np.minimum(accuracy, 30)[:, None] * 0.2
    moved = xy + blur
    moved = kept_inside(moved, xy, spots.core)
    age = 365 * 86_400 - when
    done = rng.exponential(4 * 86_400, n)
    stage = np.select([age > done * 1.6, age > done * 1.2, age > done * 0.5, age > done * 0.15], [4, 3, 2, 1], 0)
    stamp = np.datetime64(f"{YEAR}-01-01T00:00:00") + when.astype("timedelta64[s]")
    channels = np.array([c for c, _ in _CHANNELS], dtype=object)
    return pd.DataFrame(
        {
            "report_id": [f"{sc.code}R{YEAR}{k + 1:07d}" for k in range(n)],
            "reported_at": [f"{s}+08:00" for s in np.datetime_as_string(stamp, unit="s")],
            "major": np.array([c["major_name"] for c in classes], dtype=object)[row],
            "minor": np.array([c["name"] for c in classes], dtype=object)[row],
            "description": np.array([h[4] for h in habits], dtype=object)[row],
            "channel": channels[rng.choice(len(channels), n, p=[p for _, p in _CHANNELS])],
            "stage": np.array(_STAGES, dtype=object)[stage],
            "accuracy": accuracy,
            "geometry": shapely.points(moved),
        }
    )
