"""The top of the report: title, verdict, headline figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from layers.report import tables
from layers.report.data import ReportData
from layers.report.words import Words, both, count, decimal, length, percent, said


def head(data: ReportData) -> str:
    """Title, size of the plan and the language switch."""
    facts = data.figures["overall"]
    band = (
        ""
        if data.band is None
        else both(
            f"，每格 {data.band.low}–{data.band.high}\u00a0户", f", {data.band.low}–{data.band.high} households each"
        )
    )
    kinds = both(
        f"{count(facts['grids'])} 个网格（专属 {count(facts['special_grids'])} 个）",
        f"{count(facts['grids'])} grids ({count(facts['special_grids'])} special)",
    )
    people = []
    if facts["households"] is not None:
        people.append(both(f"{count(facts['households'])}\u00a0户", f"{count(facts['households'])} households"))
    if facts["population"]:
        people.append(both(f"{count(facts['population'])} 人", f"{count(facts['population'])} people"))
    line = " · ".join([kinds + band, *people])
    return header(data.title, line)


def header(title: Words, line: str) -> str:
    """Title of a page, a line of HTML below it, and the language switch."""
    switch = '<button id="language" type="button"><span class="zh">English</span><span class="en">中文</span></button>'
    return f'<header><div><h1>{said(title)}</h1><p class="sub">{line}</p></div>{switch}</header>'


def verdict(data: ReportData) -> str:
    """One line: sound and in band, or what is wrong."""
    problems, reasons = data.figures["overall"]["problems"], len(data.reasons)
    outside = len(tables.out_of_band(data.figures["grids"]))
    if not problems and not reasons and not outside:
        judged = data.figures["overall"]["in_band"] is not None
        text = both(
            "✓ 完整覆盖、互不重叠、各自连片" + ("，户数全部达标" if judged else ""),
            "✓ Full cover, no overlap, every grid in one piece" + (" and in band" if judged else ""),
        )
        return f'<p class="verdict good">{text}</p>'
    zh, en = [], []
    if problems:
        zh.append(f"{problems} 处图形或编码问题")
        en.append(f"{problems} problems of shape or code")
    if outside:
        zh.append(f"{outside} 个网格户数超出区间")
        en.append(f"{outside} grids out of band")
    if reasons:
        zh.append(f"{reasons} 条原因见下")
        en.append(f"{reasons} reasons below")
    return f'<p class="verdict bad">{both("⚠ " + "；".join(zh), "⚠ " + "; ".join(en))}</p>'


def cards(data: ReportData) -> str:
    """Headline figures, the other plan's below them."""
    now = data.figures["overall"]
    was = None if data.before is None else data.before["overall"]
    return card_list([*_plan_cards(now, was), *_change_cards(data.changes)])


def card_list(cards: Sequence[Card]) -> str:
    """Headline figures side by side."""
    found = [_card(*card) for card in cards]
    columns = len(found) if len(found) < 7 else (len(found) + 1) // 2
    return f'<ul class="cards" style="--columns:{columns}">{"".join(found)}</ul>'


Card = tuple[Words, str, Words, str | None]


def _plan_cards(now: Mapping[str, Any], was: Mapping[str, Any] | None) -> list[Card]:
    def before(key: str, shown: Callable[[Any], str]) -> str | None:
        return None if was is None else shown(was[key])

    found: list[Card] = []
    if now["in_band"] is not None:
        inside, ordinary = now["in_band_grids"], now["judged_grids"]
        of = Words(f"{inside} / {ordinary} 个一般网格", f"{inside} of {ordinary} ordinary")
        found.append((Words("户数达标", "in band"), percent(now["in_band"]), of, before("in_band", percent)))
    of = Words(f"共查出 {now['problems']} 处问题", f"{now['problems']} problems in all")
    found.append((Words("不连片网格", "not contiguous"), count(now["broken"]), of, before("broken", count)))
    of = Words(f"最低 {decimal(now['compactness_min'], 2)}", f"least {decimal(now['compactness_min'], 2)}")
    shape = decimal(now["compactness_mean"])
    found.append((Words("平均紧凑度", "mean compactness"), shape, of, before("compactness_mean", decimal)))
    if now["boundary_on_streets"] is not None:
        far = length(now["boundary_metres"])
        of = Words(f"内部界线共 {far.zh}", f"of {far.en} of boundary")
        share = percent(now["boundary_on_streets"])
        found.append(
            (Words("界线沿街道河流", "on streets or water"), share, of, before("boundary_on_streets", percent))
        )
    if now["compounds_fitting"] is not None:
        fitting = now["compounds_fitting"]
        of = Words(f"共 {fitting} 个可容于一格", f"of {fitting} that fit a grid")
        split = count(now["compounds_split"])
        found.append((Words("被拆分的小区", "compounds split"), split, of, before("compounds_split", count)))
    if now["grids_crossing_major"] is not None:
        name, of = Words("跨主次干路或河流", "across main roads"), Words("个网格", "grids")
        found.append((name, count(now["grids_crossing_major"]), of, before("grids_crossing_major", count)))
    return found


def _change_cards(changes: Mapping[str, Any] | None) -> list[Card]:
    if changes is None or not changes["households"]:
        return []
    moved, least = count(changes["moved_households"]), percent(changes["least_share"])
    of = Words(f"{moved} 户；至少需 {least}", f"{moved} households; least {least}")
    found: list[Card] = [(Words("更换网格的户", "households moving"), percent(changes["moved_share"]), of, None)]
    if changes["boundary_kept"] is not None:
        of = Words(f"{changes['grids_going_on']} 个网格延续", f"{changes['grids_going_on']} grids go on")
        found.append((Words("原界线保留", "old boundary kept"), percent(changes["boundary_kept"]), of, None))
    return found


def _card(name: Words, value: str, more: Words, before: str | None) -> str:
    was = f'<span class="was">{both(f"原：{before}", f"before: {before}")}</span>' if before else ""
    return f'<li><span class="name">{said(name)}</span><b>{value}</b><span class="of">{said(more)}</span>{was}</li>'
