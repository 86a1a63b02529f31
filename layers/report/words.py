"""Texts of the report in Chinese and English, and the numbers in them. Everything leaves here escaped."""

from __future__ import annotations

from html import escape
from typing import Any, Final, NamedTuple

from gisgrid.codes import COMMUNITY_DIGITS, is_digits


class Words(NamedTuple):
    """One text in both languages, not yet escaped."""

    zh: str
    en: str


def both(zh: str, en: str) -> str:
    """HTML of a text of which the reader's language is shown."""
    if zh == en:
        return escape(zh)
    return f'<span class="zh" lang="zh-CN">{escape(zh)}</span><span class="en" lang="en">{escape(en)}</span>'


def said(words: Words) -> str:
    """HTML of `Words`."""
    return both(*words)


def svg_text(x: float, y: float, words: Words | str, css: str = "", **attributes: Any) -> str:
    """SVG text at a point, in both languages where they differ."""
    extra = "".join(f' {name.replace("_", "-")}="{escape(str(value))}"' for name, value in attributes.items())

    def one(text: str, language: str) -> str:
        names = " ".join(filter(None, (css, language)))
        shown = f' class="{names}"' if names else ""
        return f'<text x="{short(x)}" y="{short(y)}"{shown}{extra}>{escape(text)}</text>'

    if isinstance(words, str) or words.zh == words.en:
        return one(words if isinstance(words, str) else words.zh, "")
    return one(words.zh, "zh") + one(words.en, "en")


def short(value: float) -> str:
    """A coordinate with one decimal, none when whole."""
    return f"{value:.1f}".removesuffix(".0")


def count(value: Any) -> str:
    """12,345 or 12,345.6; – when unknown."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def percent(value: Any, digits: int = 1) -> str:
    """Share as 84.5 %; – when unknown. Only all is 100 % and only nothing 0 %, whatever rounding says."""
    if value is None:
        return "–"
    shown = round(100 * value, digits)
    if shown in (0, 100) and value not in (0, 1):
        shown = 100 - 10**-digits if shown == 100 else 10**-digits
    return f"{shown:.0f} %" if shown in (0, 100) else f"{shown:.{digits}f} %"


def decimal(value: Any, digits: int = 3) -> str:
    """0.685; – when unknown."""
    return "–" if value is None else f"{value:.{digits}f}"


def length(metres: Any) -> Words:
    """Metres or kilometres; – when unknown."""
    if metres is None:
        return Words("–", "–")
    if metres < 1000:
        return Words(f"{metres:.0f} 米", f"{metres:.0f} m")
    digits = 2 if metres < 10_000 else 1
    return Words(f"{metres / 1000:.{digits}f} 公里", f"{metres / 1000:.{digits}f} km")


STREET_CLASSES: Final[dict[str, Words]] = {
    "river": Words("河流", "river"),
    "primary": Words("主干路、铁路", "primary, rail"),
    "secondary": Words("次干路", "secondary"),
    "tertiary": Words("支路", "tertiary"),
    "residential": Words("居住区道路", "residential"),
    "wall": Words("围墙、内部路", "wall, service"),
    "none": Words("无依托", "nothing"),
}

GRID_KINDS: Final[dict[str, Words]] = {
    "ordinary": Words("一般网格", "ordinary"),
    "residential": Words("一般网格", "ordinary"),
    "school": Words("学校", "school"),
    "hospital": Words("医院", "hospital"),
    "park": Words("公园", "park"),
    "industrial": Words("产业园区", "industrial"),
    "scenic": Words("景区", "scenic area"),
}

PROBLEM_KINDS: Final[dict[str, Words]] = {
    "gap": Words("空隙", "gap"),
    "overlap": Words("重叠", "overlap"),
    "sliver": Words("碎片", "sliver"),
    "noncontiguous": Words("不连片", "not contiguous"),
    "null_geometry": Words("无图形", "no geometry"),
    "invalid_geometry": Words("图形无效", "invalid geometry"),
    "null_code": Words("无编码", "no code"),
    "duplicate_code": Words("编码重复", "duplicate code"),
    "invalid_code": Words("编码不合规", "invalid code"),
    "own_codes": Words("自有编码规则", "codes of another scheme"),
    "crosses_community": Words("跨社区", "crosses its community"),
    "unknown_community": Words("社区不明", "unknown community"),
    "unassigned_units": Words("单元未归属", "units in no grid"),
    "units_differ": Words("与单元不符", "differs from its units"),
    "band": Words("户数超限", "out of band"),
}

REASON_CODES: Final[dict[str, Words]] = {
    "unit_above_band": Words("单个单元的户数已超过上限，需先拆分单元", "one unit alone is above the band"),
    "unit_above_limit": Words("单个单元的某项指标已超过上限，需先拆分单元", "one unit alone is above a limit"),
    "piece_below_band": Words("与其余部分隔断的片区户数不足下限", "a piece cut off from the rest is below the band"),
    "total_fits_no_count": Words("总户数无法整除为若干个达标网格", "the total fits no number of grids in band"),
    "weights_fit_no_count": Words("各项指标所需的网格数互相冲突", "no number of grids suits every weight"),
    "locks_block": Words("被锁定网格隔断的片区户数不足下限", "locked grids cut a piece off that is below the band"),
    "locked_outside": Words("锁定的网格本身户数不达标", "a locked grid is itself outside the band"),
    "locked_broken": Words("锁定的网格本身不连续或跨社区", "a locked grid falls apart or lies in several communities"),
    "pocket_cut_off": Words("只能经由一个大单元相连的片区户数不足", "a pocket hangs on one large unit only"),
    "forced_count": Words("指定的网格数无法满足", "the number of grids asked for cannot be met"),
    "unit_in_parts": Words("单元本身由分离的几块组成", "units are drawn in separate parts"),
    "not_found": Words("未找到户数全部达标的划分", "no division in band was found"),
}

SETTINGS: Final[dict[str, Words]] = {
    "preset": Words("方案预设", "preset"),
    "weights": Words("权重", "weights"),
    "band": Words("户数区间", "household band"),
    "seed": Words("随机种子", "seed"),
    "seconds": Words("计算用时（秒）", "seconds"),
    "cut_by_time": Words("因时限提前结束", "cut by time limit"),
    "time_limit": Words("时限（秒）", "time limit (s)"),
    "units": Words("单元数", "units"),
    "cells": Words("屏障分区数", "barrier cells"),
    "runs": Words("搜索次数", "runs"),
    "pool": Words("候选网格数", "pool of grids"),
    "plan": Words("本方案", "this plan"),
    "other": Words("对比方案", "compared with"),
    "streets": Words("道路资料", "streets"),
    "area": Words("范围", "area"),
    "made": Words("生成时间", "made"),
    "version": Words("软件版本", "version"),
}


def word_of(table: dict[str, Words], key: str) -> Words:
    """The words for a key; the key itself where there are none."""
    return table.get(key, Words(key, key))


def grid_number(code: str, community: str | None) -> str:
    """What a map calls a grid: its number inside its community, 003 → 3, micro-grids 3-02; short codes as they are."""
    if not community and is_digits(code) and len(code) > COMMUNITY_DIGITS:
        community = code[:COMMUNITY_DIGITS]
    if community and code.startswith(community) and is_digits(code[len(community) :]):
        rest = code[len(community) :]
        if len(rest) <= 4:
            return str(int(rest))
        deeper = [rest[at : at + 2] for at in range(3, len(rest), 2)]
        return "-".join([str(int(rest[:3])), *deeper])
    return code if len(code) <= 6 else f"…{code[-4:]}"
