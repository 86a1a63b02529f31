"""Tables of the report as HTML: problems, reasons, grids out of band, and what the plan changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from gisgrid.codes import COMMUNITY_DIGITS, is_digits
from layers.report.words import (
    GRID_KINDS,
    PROBLEM_KINDS,
    REASON_CODES,
    SETTINGS,
    Words,
    both,
    count,
    decimal,
    percent,
    said,
    word_of,
)

ROWS_MOST: Final = 30
"""Rows a table shows; the JSON report has all."""
UNITS_MOST: Final = 12
Cell = str
"""HTML of one cell, escaped."""


def table(header: Sequence[Words], rows: Sequence[Sequence[Cell]], *, numbers: Sequence[int] = ()) -> str:
    """An HTML table; ``numbers`` are the columns set to the right."""
    css = ['class="n"' if at in numbers else "" for at in range(len(header))]
    head = "".join(f"<th {css[at]}>{said(words)}</th>" for at, words in enumerate(header))
    body = "".join(f"<tr>{''.join(f'<td {css[at]}>{cell}</td>' for at, cell in enumerate(row))}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def cut(rows: Sequence[Any], total: int | None = None) -> str:
    """A line below a table that shows its first rows only."""
    left = (len(rows) if total is None else total) - ROWS_MOST
    if left <= 0:
        return ""
    return f'<p class="more">{both(f"另有 {left} 行，见 JSON 报告", f"{left} more rows in the JSON report")}</p>'


def code(text: Any) -> Cell:
    """A code or an id in fixed width, the community's part of a grid code pale; – when there is none."""
    if not text:
        return "–"
    known = str(text)
    if is_digits(known) and len(known) > COMMUNITY_DIGITS:
        return f'<code><span class="prefix">{known[:COMMUNITY_DIGITS]}</span>{known[COMMUNITY_DIGITS:]}</code>'
    return f"<code>{escape(known)}</code>"


def problems_table(check: Mapping[str, Any]) -> str:
    """What `gisgrid check` found; "" when nothing."""
    found = list(check["problems"])
    rows = [
        [said(word_of(PROBLEM_KINDS, p["kind"])), code(p["code"]), escape(p["text"]), count(round(p["m2"], 1))]
        for p in found[:ROWS_MOST]
    ]
    header = [Words("问题", "problem"), Words("网格", "grid"), Words("说明", "details"), Words("平方米", "m²")]
    return table(header, rows, numbers=[3]) + cut(found) if rows else ""


def reasons_table(reasons: Sequence[Mapping[str, Any]]) -> str:
    """Why the plan is not feasible, with the units concerned; "" when it is."""
    rows = []
    for reason in reasons[:ROWS_MOST]:
        units = list(reason.get("units") or [])
        shown = " ".join(code(unit) for unit in units[:UNITS_MOST])
        more = both(f" 等 {len(units)} 个", f" and {len(units) - UNITS_MOST} more") if len(units) > UNITS_MOST else ""
        words = word_of(REASON_CODES, reason["code"])
        text = f'<span class="zh">{escape(words.zh)}</span><span class="en">{escape(reason["text"])}</span>'
        rows.append([text, code(reason.get("community")), shown + more or "–"])
    header = [Words("原因", "reason"), Words("社区", "community"), Words("涉及单元", "units")]
    return table(header, rows) + cut(reasons) if rows else ""


def grids_table(rows: Sequence[Mapping[str, Any]], *, all_rows: bool = False) -> str:
    """Grids with their figures."""
    shown = rows if all_rows else rows[:ROWS_MOST]
    with_major = any(row["major_metres_inside"] for row in shown)
    header = [
        Words("网格", "grid"), Words("名称", "name"), Words("类型", "kind"), Words("户数", "households"),
        Words("超出", "outside"), Words("紧凑度", "compactness"), Words("沿街", "on streets"),
        *([Words("内部主路河流", "major inside")] if with_major else []), Words("问题", "problems"),
    ]  # fmt: skip
    body = [
        [
            code(row["code"]),
            escape(row["name"] or "–"),
            said(word_of(GRID_KINDS, row["kind"] or "ordinary")),
            count(row["households"]),
            _signed(row["outside_band"]),
            decimal(row["compactness"], 2),
            percent(row["boundary_on_streets"], 0),
            *([f"{row['major_metres_inside']:.0f} m" if row["major_metres_inside"] else "–"] if with_major else []),
            "、".join(said(word_of(PROBLEM_KINDS, kind)) for kind in row["problems"]) or "–",
        ]
        for row in shown
    ]
    return table(header, body, numbers=[3, 4, 5, 6, 7] if with_major else [3, 4, 5, 6])


def out_of_band(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Grids outside the band, the farthest first."""
    found = [row for row in rows if row["outside_band"]]
    return sorted(found, key=lambda row: (-abs(row["outside_band"]), row["code"]))


def _signed(value: Any) -> Cell:
    if not value:
        return "–"
    return f"▼ −{count(-value)}" if value < 0 else f"▲ +{count(value)}"


# --- changes ----------------------------------------------------------------------------


def moves_table(changes: Mapping[str, Any]) -> str:
    """Largest moves between grids, those of households only."""
    births = set(changes["births"])
    moves = [move for move in changes["moves"] if move["households"]]
    with_people = any(move["population"] for move in moves)
    rows = [
        [
            code(move["old"]),
            code(move["new"]) + (f' <span class="tag">{both("新设", "new")}</span>' if move["new"] in births else ""),
            count(move["households"]),
            *([count(move["population"])] if with_people else []),
            count(move["units"]),
        ]
        for move in moves[:ROWS_MOST]
    ]
    header = [
        Words("原网格", "old grid"), Words("现网格", "new grid"), Words("户数", "households"),
        *([Words("人口", "population")] if with_people else []), Words("单元", "units"),
    ]  # fmt: skip
    return table(header, rows, numbers=range(2, len(header))) + cut(moves) if rows else ""


def parted_table(
    items: Sequence[Mapping[str, Any]], whole: str, into: str, part: str, goes_on: Mapping[str, str]
) -> str:
    """Splits (old → new) or merges (new ← old); the part that goes on under the grid's code is in bold."""
    rows = []
    for item in items[:ROWS_MOST]:
        parts = []
        for piece in item[into]:
            pair = (item["old"], piece["new"]) if whole == "old" else (piece["old"], item["new"])
            text = f"{code(piece[part])} {count(piece['households'])} ({percent(piece['share'], 0)})"
            parts.append(f"<b>{text}</b>" if goes_on.get(pair[0]) == pair[1] else text)
        rows.append([code(item[whole]), "<br>".join(parts)])
    words = {"old": Words("原网格", "old grid"), "new": Words("现网格", "new grid")}
    titles = {
        "old": Words("由以下网格并成：户数（占比）", "made of: households (share)"),
        "new": Words("分入：户数（占比）", "divided among: households (share)"),
    }
    return table([words[whole], titles[part]], rows) + cut(items) if rows else ""


def codes_list(codes: Sequence[str]) -> str:
    """Codes one after the other."""
    shown = " ".join(code(text) for text in codes[: 3 * ROWS_MOST])
    left = len(codes) - 3 * ROWS_MOST
    return shown + (both(f" 等 {len(codes)} 个", f" and {left} more") if left > 0 else "")


# --- two plans, settings ----------------------------------------------------------------


def measures(figures: Mapping[str, Any]) -> list[tuple[Words, Cell]]:
    """Every overall figure with its name, in reading order."""
    even = figures["balance"] or {}
    fitting, split = figures["compounds_fitting"], figures["compounds_split"]
    judged, total = figures["in_band_grids"], figures["judged_grids"]
    compounds = "–" if fitting is None else f"{split} / {fitting}"
    return [
        (Words("网格数", "grids"), count(figures["grids"])),
        (Words("其中专属网格", "special grids"), count(figures["special_grids"])),
        (Words("户数", "households"), count(figures["households"])),
        (Words("人口", "population"), count(figures["population"] or None)),
        (Words("户数达标网格", "grids in band"), "–" if judged is None else f"{judged} / {total}"),
        (Words("区间外户数", "households outside the band"), count(figures["households_outside_band"])),
        (Words("平均户数", "mean households"), count(round(even["mean"], 1)) if even else "–"),
        (Words("最少—最多", "least–most"), f"{count(even['least'])}–{count(even['most'])}" if even else "–"),
        (Words("平均偏差", "mean deviation"), percent(even.get("mean_deviation"))),
        (Words("最大偏差", "largest deviation"), percent(even.get("max_deviation"))),
        (Words("平均紧凑度", "mean compactness"), decimal(figures["compactness_mean"])),
        (Words("最低紧凑度", "least compactness"), decimal(figures["compactness_min"])),
        (Words("内部界线总长", "internal boundary"), _metres(figures["boundary_metres"])),
        (Words("沿街道河流", "on streets or rivers"), percent(figures["boundary_on_streets"])),
        (Words("被拆分的小区（可容于一格者）", "fitting compounds split"), compounds),
        (Words("跨主干路或河流的网格", "grids crossing main roads or rivers"), count(figures["grids_crossing_major"])),
        (Words("不连片网格", "grids not contiguous"), count(figures["broken"])),
        (Words("空隙面积", "gaps"), f"{count(round(figures['gap_m2'], 1))} m²"),
        (Words("重叠面积", "overlaps"), f"{count(round(figures['overlap_m2'], 1))} m²"),
        (Words("碎片", "slivers"), count(figures["slivers"])),
        (Words("检查出的问题", "problems found"), count(figures["problems"])),
    ]


def _metres(value: Any) -> Cell:
    return "–" if value is None else f"{count(round(value))} m"


def measures_table(columns: Sequence[tuple[Words, Mapping[str, Any]]]) -> str:
    """Overall figures of one or more plans or levels side by side; rows nobody can fill are left out."""
    lists = [measures(figures) for _, figures in columns]
    rows = [
        [said(lists[0][at][0]), *(column[at][1] for column in lists)]
        for at in range(len(lists[0]))
        if any(column[at][1] != "–" for column in lists)
    ]
    header = [Words("指标", "measure"), *(words for words, _ in columns)]
    return f'<div class="narrow">{table(header, rows, numbers=range(1, len(columns) + 1))}</div>'


def settings_table(settings: Mapping[str, Any]) -> str:
    """How the plan was made: one row per setting."""
    rows = [
        [said(word_of(SETTINGS, key)), _setting(value)] for key, value in settings.items() if value not in (None, "")
    ]
    if not rows:
        return ""
    return f'<div class="narrow">{table([Words("设置", "setting"), Words("值", "value")], rows)}</div>'


def _setting(value: Any) -> Cell:
    if isinstance(value, bool):
        return both("是", "yes") if value else both("否", "no")
    if isinstance(value, Mapping):
        return escape(
            ", ".join(f"{key}={item:g}" if isinstance(item, float) else f"{key}={item}" for key, item in value.items())
        )
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else count(value)
    return escape(str(value))
