"""The page on service circles: headline figures, maps, bars, tables, and how it was made, in one file."""

from __future__ import annotations

import re
from html import escape
from typing import Any, Final

import pandas as pd

from layers.report import circles_tables as tables
from layers.report.circles_charts import choice_chart, coverage_chart, coverage_keys, figure, score_chart
from layers.report.circles_data import CirclesData
from layers.report.circles_maps import NUMBERED, CircleMaps, caption
from layers.report.head import Card, card_list, header
from layers.report.page import html_page
from layers.report.words import Words, both, count, decimal, percent

PROFILES: Final[dict[str, Words]] = {
    "adult": Words("成人步行", "adults on foot"),
    "elderly": Words("老年人步行", "the elderly on foot"),
    "frail": Words("行动不便者步行", "the frail on foot"),
    "bicycle": Words("自行车", "by bicycle"),
    "car": Words("驾车", "by car"),
}
BARE_MOST: Final = 3
"""Categories without facilities the headline names."""
NOTES: Final = (
    (r"no facility of category (.+): nobody is covered", r"无 \1 类设施：该类无人被覆盖"),
    (r"the residences have no column population: figures of residents are zero", r"居住建筑无人口字段：居民数均为零"),
    (r"no residence has any residents: figures of residents are zero", r"各建筑人口均为零或未知：居民数均为零"),
    (
        r"scores and blind spots count every building as one, because no residents are known",
        r"因人口未知，得分与盲区按每栋建筑计一",
    ),
    (
        r"the residences have no column elderly: figures of people of 60 and over are zero",
        r"居住建筑无老年人口字段：60 岁以上人数均为零",
    ),
    (
        r"(\d+) facilities are of no category in the table and are left out(?: \((.+)\))?",
        r"\1 处设施的类别不在表中，未计入 \2",
    ),
    (r"(\d+) facilities have no place .*", r"\1 处设施没有位置（几何为空），不计服务"),
    (r"(\d+) residences have no place .*", r"\1 栋建筑没有位置（几何为空），无法评估"),
    (r"(\d+) streets have no geometry and are left out", r"\1 条道路没有几何，未使用"),
    (r"(\d+) residences \((\d+) residents\) lie in no community", r"\1 栋建筑（\2 人）不在任何社区内"),
    (r"(\d+) residences \((\d+) residents\) lie in no grid", r"\1 栋建筑（\2 人）不在任何网格内"),
    (r"(\d+) facilities are given twice .*", r"\1 处设施重复（类别、位置、名称均相同），只计一次"),
    (r"(\d+) facilities stand exactly where another of their category stands", r"\1 处设施与同类另一设施位置完全相同"),
    (
        r"(\d+) facilities are over (\d+) m from every street and serve nobody",
        r"\1 处设施距任何道路超过 \2 米，不计服务",
    ),
    (
        r"(\d+) residences are over (\d+) m from every street and cannot be assessed",
        r"\1 栋建筑距任何道路超过 \2 米，无法评估",
    ),
    (r"(\d+) residences are near to a street piece cut off .*", r"\1 栋建筑只邻近与路网隔断的路段，无法评估"),
    (r"(\d+) facilities are nearest to a small street piece cut off .*", r"\1 处设施最近的道路是与路网隔断的小段"),
    (r"(\d+) residences are nearest to a small street piece cut off .*", r"\1 栋建筑最近的道路是与路网隔断的小段"),
    (r"(\d+) residences have more people of 60 and over than residents", r"\1 栋建筑的 60 岁以上人数多于居民数"),
)
"""Notes of `planning.circles` in Chinese."""


def render_circles(data: CirclesData) -> str:
    """The page as HTML text. The same data give the same bytes."""
    maps = CircleMaps(data)
    parts = [
        _head(data),
        _verdict(data),
        _cards(data),
        f"<h2>{both('各建筑 15 分钟可达类别', 'What each building reaches within 15 minutes')}</h2>",
        maps.score(),
        caption(
            Words(
                "颜色：15 分钟内可达的设施类别占全部类别的比例。",
                "Colour: share of all categories with a facility within 15 minutes.",
            )
        ),
        f'<div class="charts">{score_chart(data)}{choice_chart(data)}</div>',
        f'<h2 class="whole">{both("各类设施覆盖率", "Coverage by category")}</h2>',
        figure(coverage_chart(data), coverage_keys(data), _bar_note(data)),
        f"<h2>{both('各圈层', 'By tier')}</h2>{tables.tier_table(data)}",
        _communities(data),
        f'<h2 class="whole">{both("盲区", "Blind spots")}</h2>{maps.category()}{tables.spots_tables(data)}',
        _largest(data),
        f"<h2>{both('分类明细', 'All categories')}</h2>{tables.category_table(data)}",
        _method(data),
    ]
    return html_page(data.title, "".join(parts), defs=maps.defs(), css=("circles.css",), scripts=("circles.js",))


def _head(data: CirclesData) -> str:
    report = data.report
    name = PROFILES.get(report["profile"], Words(report["profile"], report["profile"]))
    speed = report["metres_per_second"]
    speed_zh = "" if speed is None else f" {speed:g} 米/秒"
    speed_en = "" if speed is None else f" at {speed:g} m/s"
    if report["factor"] != 1:
        speed_zh, speed_en = speed_zh + f" × {report['factor']:g}", speed_en + f" × {report['factor']:g}"
    totals = report["totals"]
    facts = [
        both(name.zh + speed_zh, name.en + speed_en),
        both(f"{count(totals['buildings']['all'])} 栋建筑", f"{count(totals['buildings']['all'])} buildings"),
    ]
    if totals["residents"]["all"]:
        facts.append(both(f"{count(totals['residents']['all'])} 人", f"{count(totals['residents']['all'])} people"))
    if totals["elderly"]["all"]:
        facts.append(
            both(f"60 岁以上 {count(totals['elderly']['all'])} 人", f"{count(totals['elderly']['all'])} aged 60+")
        )
    kinds, places = len(data.coverage), int(data.coverage["facilities"].sum())
    bare = int((data.coverage["facilities"] == 0).sum())
    facts.append(
        both(
            f"{kinds} 类 {count(places)} 处设施" + (f"（{bare} 类没有设施）" if bare else ""),
            f"{count(places)} facilities of {kinds} categories" + (f" ({bare} have none)" if bare else ""),
        )
    )
    return header(data.title, " · ".join(facts))


def _shares(data: CirclesData) -> list[tuple[float, dict[str, Any]]]:
    """(share covered, row) of every category, lowest first."""
    who = data.who
    rows = data.coverage[data.coverage[f"{who}_assessed"] > 0].to_dict("records")
    found = [(row[f"{who}_covered"] / row[f"{who}_assessed"], {str(k): v for k, v in row.items()}) for row in rows]
    return sorted(found, key=lambda item: item[0])


def _verdict(data: CirclesData) -> str:
    """One sentence an official can quote."""
    mean = data.report["score"]["mean"]
    if mean is None:
        return f'<p class="verdict bad">{both("⚠ 没有可评估的建筑", "⚠ no building could be assessed")}</p>'
    people_zh = "居民" if data.who == "residents" else "建筑"
    people_en = "resident" if data.who == "residents" else "building"
    weak = [row for share, row in _shares(data) if row["facilities"]][:3]
    zh = f"平均每位{people_zh}" if data.who == "residents" else "平均每栋建筑"
    zh += f"步行 15 分钟可达 {percent(mean)} 的设施类别"
    en = f"The average {people_en} reaches {percent(mean)} of the categories within 15 minutes"
    if data.report["profile"] in ("bicycle", "car"):
        zh = zh.replace("步行 ", "")
    bare = data.coverage[data.coverage["facilities"] == 0]
    if len(bare):
        zh += f"；{len(bare)} 类没有设施（{_first(bare['name_zh'], '、', ' 等')}）"
        en += f"; {len(bare)} categories have no facility ({_first(bare['name_en'].str.lower(), ', ', ', …')})"
    if weak:
        zh += ("；其余" if len(bare) else "；") + "最薄弱的是" + "、".join(str(row["name_zh"]) for row in weak)
        en += "; of the others the weakest are " if len(bare) else "; the weakest are "
        en += ", ".join(str(row["name_en"]).lower() for row in weak)
    css = "good" if mean >= 0.8 else "bad"
    return f'<p class="verdict {css}">{both(zh + "。", en + ".")}</p>'


def _first(names: pd.Series[Any], split: str, more: str) -> str:
    """The first few names, and that there are more."""
    told = split.join(str(name) for name in names[:BARE_MOST])
    return told + (more if len(names) > BARE_MOST else "")


def _cards(data: CirclesData) -> str:
    score, totals, who = data.report["score"], data.report["totals"], data.who
    cards: list[Card] = []
    if score["mean"] is not None:
        of = Words(f"共 {score['categories']} 类，15 分钟", f"of {score['categories']} categories, 15 minutes")
        cards.append((Words("可达类别", "categories reached"), percent(score["mean"]), of, None))
        of = Words("各类自身的 5 / 10 / 15 分钟", "each in its own 5, 10 or 15 min")
        cards.append((Words("标准时限内可达", "within own minutes"), percent(score["mean_own"]), of, None))
        of = Words("0 为完全均衡", "0 is perfectly even")
        cards.append((Words("基尼系数", "Gini of the score"), decimal(score["gini"]), of, None))
    district = data.tiers[data.tiers["place"] == "district"]
    for row in district.to_dict("records"):
        tier = int(row["tier"])
        if row["share"] == row["share"]:
            of = Words(f"{row['categories']} 类，人均可达", f"mean of {row['categories']} categories")
            cards.append((Words(f"{tier} 分钟圈", f"{tier}-minute circle"), percent(row["share"]), of, None))
    cards.append(
        (
            Words("盲区", "blind spots"), count(len(data.blind_spots)),
            Words("各类合计", "of all categories"), None,
        )
    )  # fmt: skip
    lost = totals[who]["all"] - totals[who]["assessed"]
    unit = Words("人，不计入覆盖率", "residents, in no figure") if who == "residents" else Words("栋", "buildings")
    cards.append((Words("无法评估", "cannot be assessed"), count(lost), unit, None))
    return card_list(cards)


def _bar_note(data: CirclesData) -> Words:
    speed = data.report["metres_per_second"]
    if speed is None:
        return Words("直线半径为标准规定的米数。", "The straight-line radius is the standard's metres.")
    walks = [round(minutes * 60 * speed * data.report["factor"]) for minutes in (5, 10, 15)]
    return Words(
        f"步行按时限：5、10、15 分钟合 {walks[0]}、{walks[1]}、{walks[2]} 米；"
        "直线按标准规定的半径（如 300、500、1000 米）。"
        "两把尺子各自独立，故直线未必总是更大；同一米数下，直线总不小于步行（见分类明细）。",
        f"On foot by the minutes: 5, 10 and 15 minutes are {walks[0]}, {walks[1]} and {walks[2]} m. "
        "The straight line by the standard's radius (300, 500, 1000 m). "
        "They are two yardsticks, so the line is not always the longer; for the "
        "same metres it always is (table of all categories).",
    )


def _communities(data: CirclesData) -> str:
    text = tables.community_table(data)
    if not text:
        return ""
    note = Words(
        "得分低者在前；圈层一栏为人均可达类别占比。",
        "Lowest first; tier columns are mean shares of categories reached.",
    )
    return f"<h2>{both('各社区', 'By community')}</h2>{caption(note)}{text}"


def _largest(data: CirclesData) -> str:
    text = tables.largest_table(data)
    return f"<h3>{both('各类盲区一览', 'Blind spots of every category')}</h3>{text}" if text else ""


def _method(data: CirclesData) -> str:
    report = data.report
    network, snap = report["network"], report["snap_metres_max"]
    lost = report["residences_far"], report["residences_cut_off"]
    whole, lost_km = (count(round(network[name] / 1000, 1)) for name in ("metres", "metres_not_used"))
    pieces = count(network["pieces_not_used"])
    items = [
        both(
            f"路网：{count(network['edges'])} 段、{whole} 公里；互不相连的小片 {pieces} 处（{lost_km} 公里）不予使用。",
            f"Network: {count(network['edges'])} edges, {whole} km; {pieces} small pieces cut off ({lost_km} km) "
            "are not used.",
        ),
        both(
            f"建筑与设施接到最近道路上的最近点，直线段计入路程；"
            f"距道路超过 {snap:g} 米（{count(lost[0])} 栋）或只邻近隔断路段（{count(lost[1])} 栋）"
            "的建筑“无法评估”，既不算覆盖也不算盲区。",
            "Buildings and facilities are joined to the nearest point of the nearest street, the straight leg counted. "
            f"Buildings over {snap:g} m from a street ({count(lost[0])}) or near to a cut-off piece only "
            f"({count(lost[1])}) cannot be assessed: they are neither covered nor blind.",
        ),
        both(
            "覆盖：到最近设施的路程不超过该类别自身的时限。"
            "得分：15 分钟内可达类别数 ÷ 全部类别数，无设施的类别按不可达计。",
            "Covered: the way to the nearest facility takes no more than the category's own minutes. Score: categories "
            "within 15 minutes over all categories; one without facilities counts as not reached.",
        ),
        both(
            "基尼系数按居民加权：Σᵢ Σⱼ wᵢwⱼ|xᵢ−xⱼ| ÷ (2W²x̄)（Gini 1912；Lerman 与 Yitzhaki 1989）。",
            "Gini, weighted by residents: Σᵢ Σⱼ wᵢwⱼ|xᵢ−xⱼ| / (2W²x̄) (Gini 1912; Lerman & Yitzhaki 1989).",
        ),
        both(
            "盲区：未覆盖的有人居住建筑，沿路 300 米以内者相连成片；面积为离这些建筑最近的地面。居民最多者编号为 1；"
            f"图上标出前 {NUMBERED} 处。",
            "Blind spots: inhabited buildings not covered, joined where the walk along the streets between two is "
            "300 m at most; the area is the ground nearest to them. Number 1 has the most residents; "
            f"the map numbers the first {NUMBERED}.",
        ),
        both(
            "局限：结果取决于道路与设施资料是否完整；未计候时、爬坡、过街等待和设施容量；等时圈仅供示意，数字以各建筑自身路程为准。",
            "Limits: figures are as complete as the streets and facilities given; waiting, slopes, crossings and the "
            "capacity of facilities are not counted. Polygons are for maps: figures come from each building's own way.",
        ),
    ]
    body = "".join(f"<li>{item}</li>" for item in items)
    notes = "".join(f"<li>{_note(text, data)}</li>" for text in report.get("notes", []))
    told = f"<h3>{both('数据提示', 'Notes on the data')}</h3><ul class='plain'>{notes}</ul>" if notes else ""
    made = f"<footer><p>{escape(data.version)} · {escape(str(report['crs']))}</p></footer>"
    return f"<h2>{both('方法与局限', 'Method and limits')}</h2><ul class='plain'>{body}</ul>{told}{made}"


def _note(text: str, data: CirclesData) -> str:
    """A note in both languages; categories by name."""
    for pattern, chinese in NOTES:
        found = re.fullmatch(pattern, text)
        if found:
            zh, en = found.expand(chinese), text
            for code, words in data.names().items():
                if found.groups() and found[1] == code:
                    zh, en = zh.replace(code, words.zh), en.replace(code, words.en)
            return both(zh, en)
    return escape(text)
