"""Tables of a circles report: tiers, categories, communities, blind spots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

import pandas as pd

from layers.report.circles_data import CirclesData
from layers.report.circles_maps import NUMBERED
from layers.report.tables import Cell, code, table
from layers.report.words import Words, both, count, decimal, percent, said

PLACES_MOST: Final = 3
COMMUNITIES_MOST: Final = 60
"""Communities the table shows; the JSON report has all."""


def _share(row: Mapping[Any, Any], part: str, whole: str) -> float | None:
    return row[part] / row[whole] if row[whole] else None


def tier_table(data: CirclesData) -> str:
    """Each tier as a whole, for the district."""
    who = data.who
    rows = []
    for row in data.tiers[data.tiers["place"] == "district"].to_dict("records"):
        tier = int(row["tier"])
        rows.append(
            [
                both(f"{tier} 分钟圈", f"{tier} minutes"),
                count(row["categories"]),
                percent(_known(row["share"])),
                percent(_share(row, f"{who}_covered", f"{who}_assessed")),
                percent(_share(row, "buildings_covered", "buildings_assessed")),
                percent(_share(row, "elderly_covered", "elderly_assessed")),
                percent(_share(row, f"{who}_straight", f"{who}_assessed")),
            ]
        )
    header = [
        Words("圈层", "tier"), Words("类别数", "categories"), Words("人均可达类别占比", "mean share reached"),
        Words("全部类别均可达：居民", "all reached: residents"), Words("建筑", "buildings"), Words("60+", "60+"),
        Words("居民（直线）", "residents (line)"),
    ]  # fmt: skip
    return table(header, rows, numbers=range(1, 7))


def category_table(data: CirclesData) -> str:
    """Every category with all its shares."""
    rows = []
    for row in data.coverage.to_dict("records"):
        blind = row["residents_assessed"] - row["residents_covered"]
        choice = row["opportunity"] if data.who == "residents" else row["opportunity_buildings"]
        several = sum(value for name, value in choice.items() if name not in ("0", "1"))
        whole = sum(choice.values())
        rows.append(
            [
                both(str(row["name_zh"]), str(row["name_en"])),
                f"{row['minutes']:g}′ / {row['metres']:g} m",
                count(row["facilities"]),
                percent(_share(row, "buildings_covered", "buildings_assessed")),
                percent(_share(row, "residents_covered", "residents_assessed")),
                percent(_share(row, "elderly_covered", "elderly_assessed")),
                percent(_share(row, "residents_within_metres", "residents_assessed")),
                percent(_share(row, "straight_line_residents_covered", "residents_assessed")),
                percent(several / whole if whole else None),
                count(blind),
                count(row["blind_spots"]),
            ]
        )
    header = [
        Words("类别", "category"), Words("标准", "standard"), Words("设施", "facilities"), Words("建筑", "buildings"),
        Words("居民", "residents"), Words("60+", "60+"), Words("步行米数内", "walk in metres"),
        Words("直线米数内", "straight line"), Words("可选 ≥ 2 处", "2 or more"), Words("未覆盖居民", "residents blind"),
        Words("盲区", "blind spots"),
    ]  # fmt: skip
    return table(header, rows, numbers=range(1, 11))


def community_table(data: CirclesData) -> str:
    """Communities by mean score, the lowest first."""
    scored = data.community_scores.sort_values(["score", "code"], kind="stable")
    tiers = data.tiers[data.tiers["place"] == "community"]
    kinds = sorted(tiers["tier"].unique().tolist())
    shares = {(row.code, row.tier): row.share for row in tiers.itertuples(index=False)}
    rows = [
        [
            f"{escape(row['name'])} {code(row['code'])}" if isinstance(row["name"], str) else code(row["code"]),
            count(row["residents_assessed"]),
            percent(_known(row["score"])),
            percent(_known(row["score_own"])),
            decimal(_known(row["gini"]), 3),
            *(percent(_known(shares.get((row["code"], tier)))) for tier in kinds),
        ]
        for row in scored.head(COMMUNITIES_MOST).to_dict("records")
    ]
    if not rows:
        return ""
    header = [
        Words("社区", "community"), Words("居民", "residents"), Words("15 分钟得分", "15-minute score"),
        Words("各自时限得分", "own-minutes score"), Words("基尼系数", "Gini"),
        *(Words(f"{tier} 分钟圈", f"{tier}-minute tier") for tier in kinds),
    ]  # fmt: skip
    left = len(scored) - COMMUNITIES_MOST
    more = f'<p class="more">{both(f"另有 {left} 个社区，见 JSON", f"{left} more in the JSON report")}</p>'
    return table(header, rows, numbers=range(1, len(header))) + (more if left > 0 else "")


def spots_tables(data: CirclesData) -> str:
    """The blind spots of each category, of which one table is shown: that of the map."""
    chosen, parts = data.shown(), []
    for name, words in data.names().items():
        rows = data.blind_spots[data.blind_spots["category"] == name]
        on = " on" if name == chosen else ""
        total = both(f"{words.zh}：共 {len(rows)} 处盲区", f"{words.en}: {len(rows)} blind spots")
        body = _spots(rows.head(NUMBERED), data.community_names()) if len(rows) else ""
        left = len(rows) - NUMBERED
        more = both(f"另有 {left} 处较小，见成果图层", f"{left} smaller ones are in the layer blind_spots")
        body += f'<p class="more">{more}</p>' if left > 0 else ""
        parts.append(f'<div class="cat-table{on}" data-category="{escape(name)}"><h3>{total}</h3>{body}</div>')
    return "".join(parts)


def _spots(rows: pd.DataFrame, names: Mapping[str, str]) -> str:
    cells = [
        [
            f"<b>{row['rank']}</b>",
            count(row["residents"]),
            count(row["elderly"]),
            count(row["buildings"]),
            decimal(row["square_metres"] / 10_000, 1),
            _facility(row),
            _minutes(row["seconds"]),
            _minutes(row["extra_seconds"], plus=True),
            _places(row["communities"], names),
        ]
        for row in rows.to_dict("records")
    ]
    header = [
        Words("编号", "number"), Words("居民", "residents"), Words("60+", "60+"), Words("建筑", "buildings"),
        Words("公顷", "hectares"), Words("最近设施", "nearest facility"), Words("平均步行", "mean walk"),
        Words("超出", "too long by"), Words("社区", "communities"),
    ]  # fmt: skip
    return table(header, cells, numbers=[1, 2, 3, 4, 6, 7])


def largest_table(data: CirclesData) -> str:
    """One row a category: how many blind spots, who lives in them, and the largest."""
    rows = []
    names, places = data.names(), data.community_names()
    spots = data.blind_spots
    order = spots.groupby("category", sort=False)[["residents", "elderly", "buildings"]].sum()
    order = order.sort_values(["residents", "buildings"], ascending=False, kind="stable")
    first = spots[spots["rank"] == 1].set_index("category")
    for name in order.index:
        whole, most = order.loc[name], first.loc[name]
        rows.append(
            [
                said(names[name]),
                count((spots["category"] == name).sum()),
                count(whole["residents"]),
                count(whole["elderly"]),
                count(most["residents"]),
                _facility(most),
                _minutes(most["extra_seconds"], plus=True),
                _places(most["communities"], places),
            ]
        )
    if not rows:
        return ""
    header = [
        Words("类别", "category"), Words("盲区", "blind spots"), Words("居民", "residents"), Words("60+", "60+"),
        Words("最大一处居民", "largest: residents"), Words("其最近设施", "its nearest facility"),
        Words("超出", "too long by"), Words("社区", "communities"),
    ]  # fmt: skip
    return table(header, rows, numbers=[1, 2, 3, 4, 6])


def _facility(row: Mapping[Any, Any]) -> Cell:
    for value in (row["nearest_name"], row["nearest"]):
        if isinstance(value, str) and value:
            return escape(value)
    return both("两小时内无", "none within two hours")


def _minutes(seconds: Any, *, plus: bool = False) -> Cell:
    if seconds is None or pd.isna(seconds):
        return "–"
    text = f"{'+' if plus else ''}{float(seconds) / 60:.1f}"
    return both(f"{text} 分钟", f"{text} min")


def _places(codes: Sequence[str], names: Mapping[str, str]) -> Cell:
    """Names of communities, codes where there is none; the first few."""
    known = list(codes)
    shown = "、".join(escape(names[text]) if text in names else code(text) for text in known[:PLACES_MOST])
    left = len(known) - PLACES_MOST
    return shown + (both(f" 等 {len(known)} 个", f" and {left} more") if left > 0 else "") or "–"


def _known(value: Any) -> Any:
    return None if value is None or pd.isna(value) else value
