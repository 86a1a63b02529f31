"""The page on report heat: surface, hot spots, patterns, rises, and how they were found, in one file."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, Final

import numpy as np
import pandas as pd

from layers.report.circles_maps import caption
from layers.report.head import Card, card_list, header
from layers.report.heat_data import HeatData
from layers.report.maps import DEFS, map_of
from layers.report.page import html_page
from layers.report.shapes import FINE, Frame, frame_of, path_of, simple_coverage
from layers.report.words import Words, both, count, decimal, said, short, svg_text

SPOTS: Final[dict[str, tuple[str, Words]]] = {
    "hot99": ("#a50f26", Words("热点 99%", "hot, 99%")),
    "hot95": ("#de5a47", Words("热点 95%", "hot, 95%")),
    "hot90": ("#f4b49a", Words("热点 90%", "hot, 90%")),
    "none": ("#ece7de", Words("不显著", "not significant")),
    "cold90": ("#a9cbe4", Words("冷点 90%", "cold, 90%")),
    "cold95": ("#5794c5", Words("冷点 95%", "cold, 95%")),
    "cold99": ("#1f5a99", Words("冷点 99%", "cold, 99%")),
    "not_rated": ("#bcc2c8", Words("无住户，不评价", "no households, not rated")),
}
WEEKDAYS: Final = "一二三四五六日"
ROWS_MOST: Final = 30
CHART: Final = (520, 190)


def render_heat(data: HeatData) -> str:
    """The page as HTML text. The same data give the same bytes."""
    about = data.about
    frame = frame_of([data.grids.geometry.to_numpy()])
    line = both(
        f"{about['from']} 至 {about['to']}，{count(about['days'])} 天 · {count(about['reports'])} 件事件",
        f"{about['from']} to {about['to']}, {count(about['days'])} days · {count(about['reports'])} reports",
    )
    parts = [
        header(data.title, line),
        _cards(data),
        f"<h2>{both('事件密度', 'Density of reports')}</h2>",
        _surface(data, frame),
        f"<h2>{both('冷热点网格', 'Hot and cold spots')}</h2>",
        _spots(data, frame),
        f"<h2>{both('时间规律', 'Patterns in time')}</h2>",
        _patterns(data),
        f"<h2>{both('异常增多', 'Unusual rises')}</h2>",
        _rises(data),
        _method(data),
    ]
    return html_page(data.title, "".join(parts), defs=f"<svg width='0' height='0'><defs>{DEFS}</defs></svg>")


def _cards(data: HeatData) -> str:
    spots, flagged = data.grids["spot"].astype(str), int(data.rises["flagged"].sum()) if len(data.rises) else 0
    mean = data.spots["mean_rate"]
    cards: list[Card] = [
        (
            Words("月均", "a month"),
            count(round(data.about["reports"] / data.about["months"], 1)),
            Words("件", "reports"),
            None,
        ),
        (
            Words("全区比率", "rate"),
            decimal(mean, 1) if mean is not None else "–",
            Words("件/千户·月", "per 1,000 households and month"),
            None,
        ),
        (
            Words("热点网格", "hot grids"),
            count(int(spots.str.startswith("hot").sum())),
            Words("q ≤ 0.1", "q ≤ 0.1"),
            None,
        ),
        (
            Words("冷点网格", "cold grids"),
            count(int(spots.str.startswith("cold").sum())),
            Words("q ≤ 0.1", "q ≤ 0.1"),
            None,
        ),
        (
            Words("异常增多", "unusual rises"),
            count(flagged),
            Words(f"最近 {data.risen.get('days', '–')} 天", f"last {data.risen.get('days', '–')} days"),
            None,
        ),
    ]
    return card_list(cards)


def _surface(data: HeatData, frame: Frame) -> str:
    shapes: Any = frame.drawn(data.surface.geometry.to_numpy()) if len(data.surface) else []
    parts = [_grounds(data, frame, "#f7f7f5")]
    keys = []
    for shape, low, high in zip(shapes, data.surface["low"], data.surface["high"], strict=True):
        color = data.colors[float(low)]
        parts.append(f'<path fill="{color}" fill-opacity=".85" fill-rule="evenodd" d="{path_of(shape)}"/>')
        top = Words("以上", "and more") if pd.isna(high) else Words(f"–{high:g}", f"–{high:g}")
        keys.append(
            _key(color, Words(f"{low:g}{top.zh}", f"{low:g} {top.en}" if pd.isna(high) else f"{low:g}{top.en}"))
        )
    parts.append(_borders(data, frame))
    unit = Words("件/平方公里·月。", "Reports per square kilometre and month.")
    return map_of(frame, parts) + f'<ul class="legend">{"".join(keys)}</ul>' + caption(unit)


def _spots(data: HeatData, frame: Frame) -> str:
    shapes = simple_coverage(data.grids.geometry.to_numpy(), frame)
    parts = []
    for shape, row in zip(shapes, data.grids.to_dict("records"), strict=True):
        figures = f"{_said(row['rate'], 1)} / 1,000 · z {_said(row['z'], 2)} · q {_said(row['q'], 3)}"
        told = f"{row['name'] or row['code']}\n{figures}"
        color = SPOTS[str(row["spot"])][0]
        parts.append(f'<path fill="{color}" d="{path_of(shape)}"><title>{escape(told)}</title></path>')
    parts.append(_borders(data, frame))
    present = set(data.grids["spot"].astype(str))
    keys = "".join(_key(color, words) for name, (color, words) in SPOTS.items() if name in present)
    hot = data.grids[data.grids["spot"].astype(str).str.startswith("hot")].sort_values("z", ascending=False)
    rows = [
        (
            str(row["name"] or row["code"]),
            count(int(row["reports"])),
            count(int(row["households"])),
            _said(row["rate"], 1),
            _said(row["z"], 2),
            _said(row["q"], 4),
            said(SPOTS[str(row["spot"])][1]),
        )
        for row in hot.head(ROWS_MOST).to_dict("records")
    ]
    heads = (
        Words("网格", "grid"),
        Words("件", "reports"),
        Words("户", "households"),
        Words("件/千户·月", "per 1,000 hh, month"),
        Words("z", "z"),
        Words("q", "q"),
        Words("级别", "level"),
    )
    none = f'<p class="note">{both("没有显著的热点网格。", "No grid is significantly hot.")}</p>'
    return map_of(frame, parts) + f'<ul class="legend">{keys}</ul>' + (_table(heads, rows) if rows else none)


def _patterns(data: HeatData) -> str:
    named = {
        "month": (Words("月份", "Month"), [str(k + 1) for k in range(12)], [str(k + 1) for k in range(12)]),
        "weekday": (Words("星期", "Weekday"), list(WEEKDAYS), ["M", "T", "W", "T", "F", "S", "S"]),
        "hour": (Words("时刻", "Hour"), [str(k) for k in range(24)], [str(k) for k in range(24)]),
    }
    charts = "".join(
        f"<div><h3>{said(title)}</h3>{_chart(data.patterns[name], zh, en)}</div>"
        for name, (title, zh, en) in named.items()
    )
    note = Words(
        f"日均件数，按时段内实有天数计（{data.about['timezone']}）；竖线为 95% 区间，虚线为平均。",
        f"Reports a day, over the days there were of each ({data.about['timezone']}); lines: 95% ranges; dashed: mean.",
    )
    return f'<div class="charts">{charts}</div>{caption(note)}'


def _chart(table: pd.DataFrame, zh: list[str], en: list[str]) -> str:
    wide, high = CHART
    top = max(float(table["high"].max(skipna=True) or 0), 1e-9)
    base, step = high - 26, (wide - 44) / len(table)

    def y(value: float) -> float:
        return base - (base - 12) * value / top

    parts = [
        svg_text(36, 16, f"{top:.3g}", "tick", text_anchor="end"),
        svg_text(36, base + 4, "0", "tick", text_anchor="end"),
    ]
    for at, row in enumerate(table.to_dict("records")):
        middle = 42 + step * (at + 0.5)
        if row["rate"] == row["rate"]:
            parts.append(
                f'<rect x="{short(middle - step * 0.35)}" y="{short(y(row["rate"]))}" width="{short(step * 0.7)}" '
                f'height="{short(base - y(row["rate"]))}" fill="#7fa6cc"><title>{row["rate"]:.2f}</title></rect>'
                f'<path d="M{short(middle)} {short(y(row["low"]))}V{short(y(row["high"]))}" stroke="#33404d"/>'
            )
        if len(table) <= 12 or at % 3 == 0:
            parts.append(svg_text(middle, high - 8, Words(zh[at], en[at]), "tick", text_anchor="middle"))
    exposed = float(table["exposure"].sum())
    mean = float(table["reports"].sum()) / exposed if exposed else 0.0
    parts.append(f'<path d="M42 {short(y(mean))}H{wide - 2}" stroke="#33404d" stroke-dasharray="4 3"/>')
    parts.append(f'<path d="M42 {base}H{wide - 2}" stroke="#9aa5b1"/>')
    return f'<svg class="chart" viewBox="0 0 {wide} {high}" role="img">{"".join(parts)}</svg>'


def _rises(data: HeatData) -> str:
    if data.risen.get("reason"):
        return f'<p class="note">{escape(str(data.risen["reason"]))}</p>'
    heads = (
        Words("网格", "grid"),
        Words("类别", "class"),
        Words("件", "reports"),
        Words("预期", "expected"),
        Words("p", "p"),
        Words("q", "q"),
        Words("", ""),
    )
    flagged = data.rises[data.rises["flagged"]]
    shown = flagged.head(ROWS_MOST) if len(flagged) else data.rises.head(5)
    rows = [
        (
            escape(row["place"]) if row["place"] else both("全区", "whole area"),
            escape(row["class"] or "–"),
            count(int(row["observed"])),
            f"{row['expected']:.1f}",
            f"{row['p']:.2g}",
            f"{row['q']:.2g}",
            both("异常", "unusual") if row["flagged"] else both("未达阈值", "below threshold"),
        )
        for row in shown.to_dict("records")
    ]
    calm = (
        "" if len(flagged) else f'<p class="note">{both("没有达到阈值的增多。", "No rise reaches the threshold.")}</p>'
    )
    return calm + _table(heads, rows, escaped=True)


def _method(data: HeatData) -> str:
    about, spots, risen = data.about, data.spots, data.risen
    items = [
        both(
            f"密度：{about['kernel']} 核，带宽 {about['bandwidth']:.0f} 米（{about['rule']}）；"
            "边缘按核在区内的部分校正（Diggle 1985）。",
            f"Density: {about['kernel']} kernel, bandwidth {about['bandwidth']:.0f} m ({about['rule']}); "
            "edges divided by the part of the kernel inside (Diggle 1985).",
        ),
        both(
            f"冷热点：Getis-Ord Gi*（PySAL esda），相邻网格（共边或共点）及自身，"
            f"双侧置换检验 {count(spots['permutations'])} 次，"
            f"种子 {spots['seed']}，Benjamini–Hochberg 校正；{spots['not_rated']} 个无住户网格不评价。",
            f"Hot spots: Getis-Ord Gi* (PySAL esda), queen neighbours and itself, two-sided, "
            f"{count(spots['permutations'])} permutations, "
            f"seed {spots['seed']}, Benjamini-Hochberg; {spots['not_rated']} grids without households not rated.",
        ),
    ]
    if not risen.get("reason"):
        items.append(
            both(
                f"异常增多：{risen['window']} 与此前 {risen['windows']} 个窗口相比；"
                "预期 = 本网格此前件数 × 其他网格同期增减。"
                f"两泊松率精确条件检验（C 检验），计数除以离散度（Rao–Scott）；{count(risen['tests'])} 次检验，"
                f"Benjamini–Hochberg，q ≤ {risen['alpha']:g} 且不少于 {risen['least']} 件。",
                f"Rises: {risen['window']} against the {risen['windows']} windows before; "
                f"expected: the grid's earlier reports times how the others changed. "
                f"{risen['test']}; {count(risen['tests'])} tests, {risen['correction']}, "
                f"q ≤ {risen['alpha']:g} and at least {risen['least']} reports.",
            )
        )
    body = "".join(f"<li>{item}</li>" for item in items)
    made = f"<footer><p>{escape(data.version)} · {escape(str(about['crs']))}</p></footer>"
    return f"<h2>{both('方法', 'Method')}</h2><ul class='plain'>{body}</ul>{made}"


def _grounds(data: HeatData, frame: Frame, color: str) -> str:
    shapes = simple_coverage(data.grids.geometry.to_numpy(), frame)
    return f'<path fill="{color}" d="{"".join(path_of(shape) for shape in shapes)}"/>'


def _borders(data: HeatData, frame: Frame) -> str:
    shapes = simple_coverage(data.grids.geometry.to_numpy(), frame)
    path = "".join(path_of(shape) for shape in shapes)
    return f'<path fill="none" stroke="#33404d" stroke-opacity=".6" stroke-width="{FINE * 0.6:.0f}" d="{path}"/>'


def _key(color: str, words: Words) -> str:
    swatch = f'<svg class="key" viewBox="0 0 26 16"><rect fill="{color}" width="26" height="16"/></svg>'
    return f"<li>{swatch}{said(words)}</li>"


def _table(heads: tuple[Words, ...], rows: Sequence[tuple[str, ...]], *, escaped: bool = False) -> str:
    head = "".join(f"<th>{said(words)}</th>" for words in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{cell if escaped or '<' in cell else escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _said(value: Any, digits: int) -> str:
    return "–" if value is None or np.isnan(value) else f"{value:.{digits}f}"
