"""Facilities of every category of the life-circle table, unevenly spread so that blind spots remain."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import shapely

from data.sample.admin import Admin
from data.sample.along import kept_inside, stations
from data.sample.base import PRIMARY, RESIDENTIAL, TERTIARY, Bools, Floats, Ints, Name, Rng
from data.sample.city import City
from data.sample.doors import StreetNumbers, doors
from data.sample.names import stems
from data.sample.scenarios import Scenario
from data.sample.uses import USE

# category: (residents for one facility, where it stands, metres between two of them, 中文 ending, English ending)
_RULES: Final[dict[str, tuple[float, str, float, str, str]]] = {
    "junior_school": (24_000, "middle_school", 500, "初级中学", "Junior Middle School"),
    "sports_centre": (45_000, "civic", 900, "全民健身中心", "Sports Centre"),
    "health_centre": (30_000, "civic", 900, "社区卫生服务中心", "Community Health Centre"),
    "clinic": (9_000, "shop", 260, "门诊部", "Clinic"),
    "nursing_home": (28_000, "civic", 600, "养老院", "Home for the Elderly"),
    "elderly_nursing": (48_000, "civic", 800, "老年养护院", "Nursing Home"),
    "culture_centre": (36_000, "civic", 800, "文化活动中心", "Cultural Centre"),
    "community_service_centre": (26_000, "civic", 700, "社区服务中心", "Community Service Centre"),
    "subdistrict_office": (0, "office_street", 0, "街道办事处", "Subdistrict Office"),
    "justice_office": (0, "office_street", 0, "司法所", "Justice Office"),
    "mall": (24_000, "large_shop", 500, "购物中心", "Shopping Mall"),
    "bank": (4_500, "shop", 110, "银行示范支行", "Bank Branch"),
    "post_office": (28_000, "shop", 600, "邮政所", "Post Office"),
    "bus_stop": (0, "bus", 0, "站", "Bus Stop"),
    "primary_school": (10_500, "school", 300, "小学", "Primary School"),
    "market": (9_500, "shop", 330, "菜市场", "Market"),
    "sports_field": (12_000, "open", 330, "多功能运动场", "Multi-purpose Sports Field"),
    "service_station": (0, "per_community", 0, "社区服务站", "Community Service Station"),
    "culture_station": (6_500, "homes", 240, "文化活动站", "Cultural Station"),
    "small_sports": (3_600, "homes", 190, "健身广场", "Small Sports Ground"),
    "outdoor_fitness": (2_300, "homes", 140, "健身点", "Fitness Point"),
    "kindergarten": (4_600, "homes", 220, "幼儿园", "Kindergarten"),
    "nursery": (11_000, "homes", 300, "托育园", "Nursery"),
    "elderly_day_care": (7_200, "homes", 280, "日间照料中心", "Elderly Day Care"),
    "health_station": (7_000, "homes", 300, "社区卫生服务站", "Health Station"),
    "canteen": (8_000, "homes", 260, "社区食堂", "Community Canteen"),
    "convenience_store": (700, "shop", 40, "便利店", "Convenience Store"),
    "recycling": (3_800, "homes", 200, "再生资源回收点", "Recycling Point"),
    "waste_collection": (2_400, "homes", 160, "生活垃圾收集站", "Waste Collection Point"),
    "toilet": (2_200, "street", 200, "公共厕所", "Public Toilet"),
}


def _field(xy: Floats, size: float, rng: Rng) -> Floats:
    """A smooth field about 0..1 that makes some quarters better served than others."""
    out = np.zeros(len(xy))
    for _ in range(3):
        heading, phase = rng.uniform(0, 2 * np.pi, 2)
        k = rng.uniform(1.6, 3.2) * 2 * np.pi / size
        out += np.sin(k * (np.cos(heading) * xy[:, 0] + np.sin(heading) * xy[:, 1]) + phase)
    return out / 6 + 0.5


def _choose(xy: Floats, weight: Floats, count: int, apart: float, rng: Rng) -> Ints:
    """Weighted draw of up to ``count`` points, none closer than ``apart`` metres to an earlier one."""
    if not len(xy) or count < 1:
        return np.empty(0, dtype=np.int64)
    order = np.argsort(rng.exponential(1.0, len(xy)) / np.maximum(weight, 1e-9), kind="stable")
    order = order[: max(60, 25 * count)]
    taken = np.full((count, 2), np.inf)
    rows: list[int] = []
    for row in order:
        if len(rows) == count:
            break
        if apart <= 0 or not rows or np.hypot(*(taken[: len(rows)] - xy[row]).T).min() > apart:
            taken[len(rows)] = xy[row]
            rows.append(int(row))
    if not rows:
        rows = [int(order[0])]
    return np.array(rows, dtype=np.int64)


def _street_points(city: City, cls: tuple[int, int], spacing: float, off: float, rng: Rng) -> Floats:
    """Points beside the streets of a class range, on alternating sides."""
    rows = np.flatnonzero(
        (city.cls >= cls[0]) & (city.cls <= cls[1]) & ~city.bridge & (shapely.length(city.edges) > 40)
    )
    total = float(shapely.length(city.edges[rows]).sum())
    if not len(rows):
        return np.empty((0, 2))
    middle, normal, _ = stations(city.edges[rows], np.arange(rng.uniform(0, spacing), total, spacing))
    side = np.where(np.arange(len(middle)) % 2 == 0, off, -off)
    return kept_inside(middle + normal * side[:, None], middle, shapely.buffer(city.layout.terrain.outline, -1.0))


def make_facilities(
    sc: Scenario, city: City, admin: Admin, households: Ints, numbers: StreetNumbers, rng: Rng
) -> pd.DataFrame:
    """Facilities with names and addresses. Those inside stand at a building, the others beside a street."""
    stock = city.stock
    xy = shapely.get_coordinates(shapely.point_on_surface(stock.geometry))
    use = city.use[stock.face]
    area = shapely.area(stock.geometry)
    size = min(sc.width, sc.height)
    names = iter(stems(rng, 600 + sc.population // 90))
    spots: list[Floats] = []
    cats: list[str] = []
    labels: list[Name] = []
    masks: dict[str, Bools] = {
        "school": use == USE["school"],
        "middle_school": use == USE["middle_school"],
        "civic": np.isin(use, [USE["public"], USE["office"], USE["hospital"]]) & (stock.rank < 9),
        "shop": stock.kind == "commercial",
        "large_shop": (stock.kind == "commercial") & (area > 900),
        "homes": households > 0,
        "open": np.isin(use, [USE["school"], USE["middle_school"], USE["park"]]),
    }
    for category, (per, where, apart, zh, en) in _RULES.items():
        count = max(1, round(sc.population / per)) if per else 0
        if where == "bus":
            points = _street_points(city, (PRIMARY, TERTIARY), 330.0, 11.0, rng)
            points = points[rng.random(len(points)) < 0.5 + 0.5 * _field(points, size, rng)]
        elif where == "street":
            points = _street_points(city, (TERTIARY, RESIDENTIAL), 120.0, 8.0, rng)
            points = points[_choose(points, _field(points, size, rng) ** 2, count, apart, rng)]
        elif where in ("office_street", "per_community"):
            points, given = _one_each(admin, where, xy, np.where(masks["civic"], 3.0, np.minimum(households, 1)), rng)
            spots.append(points)
            cats += [category] * len(points)
            if where == "per_community":
                labels += [(n[0] + "服务站", n[1] + " Service Station") for n in given]
            else:
                ends = ("办事处", " Office") if category == "subdistrict_office" else ("司法所", " Justice Office")
                labels += [(n[0] + ends[0], n[1] + ends[1]) for n in given]
            continue
        else:
            rows = np.flatnonzero(masks[where])
            if not len(rows):  # a small place has no such building: the largest public ones or any home serve
                rows = np.flatnonzero(masks["civic"] | (stock.kind == "commercial") | (households > 0))
            pull = 0.15 + _field(xy[rows], size, rng) ** 2
            if where == "homes":
                pull *= households[rows]
            points = xy[rows[_choose(xy[rows], pull, count, apart * min(1.0, sc.spacing / 560), rng)]]
        spots.append(points)
        cats += [category] * len(points)
        for _ in range(len(points)):
            stem = next(names)
            labels.append((stem[0] + zh, f"{stem[1]} {en}"))
    points = np.concatenate(spots)
    points = points + np.round(rng.uniform(-0.4, 0.4, points.shape), 2)
    street, door = doors(numbers, points)
    return pd.DataFrame(
        {
            "facility_id": [f"{sc.code}F{k + 1:05d}" for k in range(len(points))],
            "category": cats,
            "name": [n[0] for n in labels],
            "name_en": [n[1] for n in labels],
            "address": [f"{sc.title_zh}{numbers.names[s][0]}{d}号" for s, d in zip(street, door, strict=True)],
            "geometry": shapely.points(points),
        }
    )


def _one_each(admin: Admin, where: str, xy: Floats, weight: Floats, rng: Rng) -> tuple[Floats, list[Name]]:
    """One building for each sub-district or community; some communities have to do without a station."""
    owner = admin.building_street if where == "office_street" else admin.building_community
    names = admin.street_names if where == "office_street" else admin.community_names
    points, given = [], []
    for k, name in enumerate(names):
        rows = np.flatnonzero((owner == k) & (weight > 0))
        if len(rows) and (where == "office_street" or len(names) < 3 or rng.random() > 0.08):
            points.append(xy[rng.choice(rows, p=weight[rows] / weight[rows].sum())])
            given.append(name)
    return np.array(points).reshape(-1, 2), given
