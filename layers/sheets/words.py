"""What a sheet says, in Chinese, English or both."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Language = Literal["zh", "en", "both"]
LANGUAGES: Final = ("zh", "en", "both")


class Words(NamedTuple):
    """A text in both languages."""

    zh: str
    en: str

    def said(self, lang: Language, between: str = " ") -> str:
        """The text in the language asked for; both beside each other where they differ."""
        if lang == "both" and self.zh and self.en and self.zh != self.en:
            return f"{self.zh}{between}{self.en}"
        return (self.en or self.zh) if lang == "en" else (self.zh or self.en)

    def lines(self, lang: Language) -> tuple[str, ...]:
        """One line a language."""
        if lang == "both" and self.zh and self.en and self.zh != self.en:
            return (self.zh, self.en)
        return (self.said(lang),)


TITLE: Final = Words("网格图", "Grid Map")
LEGEND: Final = Words("图例", "Legend")
TABLE: Final = Words("网格一览表", "Table of grids")
GOES_ON: Final = Words("网格一览表（续）", "Table of grids, continued")
TURN_OVER: Final = Words("续表见第 {page} 页", "goes on at page {page}")
TOTAL: Final = Words("合计", "Total")
NORTH: Final = Words("北", "N")
HEADS: Final = (
    Words("编码", "Code"),
    Words("名称", "Name"),
    Words("类型", "Kind"),
    Words("户数", "Households"),
    Words("人口", "People"),
)
GRID: Final = Words("网格界", "Grid boundary")
MICRO: Final = Words("微网格界", "Micro-grid boundary")
COMMUNITY: Final = Words("社区界", "Community boundary")
GROUND: Final = Words("网格（邻色不同）", "Grid")
SPECIAL: Final = Words("专属网格", "Special grid")
BUILDING: Final = Words("建筑物", "Building")
MAIN: Final = Words("主、次干路", "Main road")
MINOR: Final = Words("支路、街巷", "Street, lane")
FOOT: Final = Words("步行道", "Footway")
RAIL: Final = Words("铁路", "Railway")
WATER: Final = Words("水域", "Water")
OUTSIDE: Final = Words("相邻社区", "Neighbouring ground")
DRAFT: Final = Words("草案 · 方案 {plan}", "DRAFT of plan {plan}")
IN_FORCE: Final = Words("第 {generation} 代方案，{date} 发布", "generation {generation}, published {date}")
MADE: Final = Words("制图日期 {date}", "made {date}")
SYSTEM: Final = Words(
    "{crs}；指北针指向真北，子午线收敛角 {angle}", "{crs}; the arrow points to true north, convergence {angle}"
)
SOURCE: Final = Words("数据：{owners}", "Data: {owners}")
PAGE: Final = Words("第 {page} 页，共 {pages} 页", "page {page} of {pages}")
POSTS: Final = Words("岗位：{posts}", "Posts: {posts}")
KINDS: Final = {
    "ordinary": Words("普通", "ordinary"),
    "special": Words("专属", "special"),
    "school": Words("学校", "school"),
    "hospital": Words("医院", "hospital"),
    "park": Words("公园", "park"),
    "scenic": Words("景区", "scenic"),
    "industrial": Words("工业", "industrial"),
    "water": Words("水域", "water"),
    "other": Words("其他", "other"),
    "micro": Words("微网格", "micro"),
}


def filled(words: Words, **values: object) -> Words:
    """The words with their ``{marks}`` filled."""
    return Words(words.zh.format(**values), words.en.format(**values))


def kind_words(kind: str, level: int) -> Words:
    """What kind of grid it is; one below the first level is a micro-grid unless it is of a kind of its own."""
    if level > 1 and kind == "ordinary":
        return KINDS["micro"]
    return KINDS.get(kind, Words(kind, kind))


def short_name(code: str, name: str, above: tuple[str, str], lang: Language) -> str:
    """What is written of a grid inside its community or parent: the name without that of ``above`` (code, name)."""
    number = code[len(above[0]) :] if code.startswith(above[0]) and len(code) > len(above[0]) else code[-3:]
    rest = name.removeprefix(above[1]).strip() if above[1] else name
    if lang == "en" and (not rest or not rest.isascii()):
        return f"Grid {number}"
    return rest or f"网格 {number}"
