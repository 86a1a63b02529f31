"""Charts of a circles report: bars a category, and residents by score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from layers.report.circles_data import CirclesData
from layers.report.words import Words, both, count, percent, said, short, svg_text

WIDE: Final = 1040
LEFT, RIGHT = 205, 250
ROW: Final = 25


def coverage_chart(data: CirclesData) -> str:
    """Bars a category in its tier: residents on foot, people of 60 and over below, the straight line as a mark."""
    parts: list[str] = []
    y = 8.0
    for tier in sorted(data.coverage["tier"].unique().tolist()):
        rows = data.coverage[data.coverage["tier"] == tier]
        words = Words(f"{tier} 分钟圈（{len(rows)} 类）", f"{tier}-minute circle ({len(rows)} categories)")
        parts.append(svg_text(0, y + 14, words, "title"))
        parts += _scale(y + 14, len(rows))
        y += 22
        for row in rows.to_dict("records"):
            parts += _bar(row, data.who, y)
            y += ROW
        y += 12
    return f'<svg class="chart" viewBox="0 0 {WIDE} {short(y)}" role="img">{"".join(parts)}</svg>'


def _x(value: float) -> float:
    return LEFT + value * (WIDE - LEFT - RIGHT)


def _scale(y: float, rows: int) -> list[str]:
    parts = []
    for tenth in range(0, 11, 2):
        x = _x(tenth / 10)
        parts.append(f'<path class="rule" d="M{short(x)} {short(y + 6)}v{short(rows * ROW + 2)}"/>')
        if tenth:  # the tier's title stands above 0 %
            parts.append(svg_text(x, y, f"{10 * tenth} %", "tiny", text_anchor="middle"))
    return parts


def _bar(row: Mapping[Any, Any], who: str, y: float) -> list[str]:
    name = Words(str(row["name_zh"]), str(row["name_en"]))
    parts = [svg_text(LEFT - 8, y + 15, name, text_anchor="end")]
    if not row["facilities"]:
        none = Words("区内及周边无此类设施", "no facility of this category")
        return [*parts, svg_text(LEFT + 6, y + 15, none, "small")]
    share = _share(row, f"{who}_covered", f"{who}_assessed")
    old = _share(row, "elderly_covered", "elderly_assessed")
    air = _share(row, f"straight_line_{who}_covered", f"{who}_assessed")
    if share is None:
        return parts
    parts.append(f'<rect class="bar" x="{LEFT}" y="{short(y + 4)}" width="{short(_x(share) - LEFT)}" height="10"/>')
    if old is not None:
        parts.append(
            f'<rect class="elder" x="{LEFT}" y="{short(y + 15)}" width="{short(_x(old) - LEFT)}" height="4.5"/>'
        )
    if air is not None:
        parts.append(f'<path class="air" d="M{short(_x(air))} {short(y + 1.5)}v20"/>')
    old_zh = "" if old is None else f" · 60+ {percent(old)}"
    old_en = "" if old is None else f" · 60+ {percent(old)}"
    told = Words(f"{percent(share)}{old_zh} · 直线 {percent(air)}", f"{percent(share)}{old_en} · line {percent(air)}")
    parts.append(svg_text(_x(1) + 12, y + 15, told, "small"))
    return parts


def _share(row: Mapping[Any, Any], part: str, whole: str) -> float | None:
    return row[part] / row[whole] if row[whole] else None


def coverage_keys(data: CirclesData) -> str:
    """What the bars mean."""
    key = '<svg class="key chart" viewBox="0 0 26 16">{}</svg>'
    entries = [
        (key.format('<rect class="bar" y="3" width="26" height="10"/>'), _who(data)),
        (
            key.format('<path class="air" d="M13 1v14"/>'),
            Words("直线距离（类别规定的米数）以内", "within the category's metres in a straight line"),
        ),
    ]
    if data.coverage["elderly_assessed"].any():
        elder = Words("60 岁以上，步行", "aged 60 and over, on foot")
        entries.insert(1, (key.format('<rect class="elder" y="6" width="26" height="4.5"/>'), elder))
    return f'<ul class="legend">{"".join(f"<li>{svg}{said(words)}</li>" for svg, words in entries)}</ul>'


def _who(data: CirclesData) -> Words:
    if data.who == "residents":
        return Words("居民，步行时限以内", "residents, on foot within the minutes")
    return Words("建筑，步行时限以内", "buildings, on foot within the minutes")


def score_chart(data: CirclesData) -> str:
    """Residents by the share of categories reached within 15 minutes."""
    heights = data.report["score"]["histogram"]
    wide, high, left, top = 520, 240, 10, 52
    most = max([*heights, 1])
    people = Words("居民（人）", "residents") if data.who == "residents" else Words("建筑（栋）", "buildings")
    title = Words("按 15 分钟内可达类别占比", "By share of categories within 15 minutes")
    parts = [svg_text(wide / 2, 14, title, "title", text_anchor="middle")]
    step = (wide - left - 10) / len(heights)
    for at, value in enumerate(heights):
        x, tall = left + at * step, (high - top - 40) * value / most
        y = high - 40 - tall
        parts.append(
            f'<rect class="bar" x="{short(x + 2)}" y="{short(y)}" width="{short(step - 4)}" height="{short(tall)}"/>'
        )
        if value:
            parts.append(svg_text(x + step / 2, y - 4, _brief(value), "tiny", text_anchor="middle"))
        label = "100 %" if at == len(heights) - 1 else f"{10 * at}–"
        parts.append(svg_text(x + step / 2, high - 24, label, "small", text_anchor="middle"))
    parts.append(f'<path class="axis" d="M{left} {high - 40}H{wide - 10}"/>')
    parts.append(svg_text(left, 34, people, "tiny"))
    return f'<svg class="chart" viewBox="0 0 {wide} {high}" role="img">{"".join(parts)}</svg>'


def _brief(value: int) -> str:
    return count(value) if value < 100_000 else f"{value / 1000:.0f}k"


def choice_chart(data: CirclesData) -> str:
    """How much choice people have, averaged over all categories: residents by number of facilities within reach."""
    levels: dict[str, float] = {}
    column = "opportunity" if data.who == "residents" else "opportunity_buildings"
    for row in pd.Series(data.coverage[column]):
        for name, value in row.items():
            levels[name] = levels.get(name, 0.0) + value
    whole = sum(levels.values())
    wide, row_high, left = 520, 32, 70
    title = Words("可选设施数（各类别平均）", "Facilities to choose from (mean of all categories)")
    parts = [svg_text(wide / 2, 14, title, "title", text_anchor="middle")]
    for at, (name, value) in enumerate(levels.items()):
        y, share = 30 + at * row_high, value / whole if whole else 0.0
        css = "bare" if name == "0" else "bar"
        parts.append(svg_text(left - 8, y + 15, name.replace("-", "–"), text_anchor="end"))
        long = share * (wide - left - 80)
        parts.append(f'<rect class="{css}" x="{left}" y="{y + 2}" width="{short(max(long, 1))}" height="17"/>')
        parts.append(svg_text(left + max(long, 1) + 6, y + 15, percent(share), "small"))
    high = 30 + row_high * len(levels) + 6
    return f'<svg class="chart" viewBox="0 0 {wide} {high}" role="img">{"".join(parts)}</svg>'


def figure(svg: str, keys: str = "", note: Words | None = None) -> str:
    """A chart with its legend and a note."""
    told = "" if note is None else f'<p class="note">{both(*note)}</p>'
    return f"<div>{svg}{keys}{told}</div>"
