"""The report page: one HTML file that needs nothing else, Chinese first with a switch to English, ready for A4."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any

from layers.report import tables
from layers.report.charts import boundary_chart, compactness_chart, households_chart
from layers.report.data import ReportData
from layers.report.head import cards, head, verdict
from layers.report.plates import Plates
from layers.report.shapes import frame_of
from layers.report.words import Words, both, count, percent


def render_report(data: ReportData) -> str:
    """The page as HTML text. The same data give the same bytes."""
    layers = [data.grids.geometry.to_numpy()]
    if data.grids_before is not None:
        layers.append(data.grids_before.geometry.to_numpy())
    frame = frame_of(layers)
    plates = Plates(data, frame)
    body = [
        head(data),
        verdict(data),
        cards(data),
        plates.plan(),
        plates.pair(),
        _charts(data),
        _measures(data),
        _findings(data),
        _changes(data, plates),
        _all_grids(data),
        _settings(data),
        _foot(),
    ]
    return html_page(data.title, "".join(body), defs=plates.defs())


def html_page(title: Words, body: str, *, defs: str = "", css: Sequence[str] = (), scripts: Sequence[str] = ()) -> str:
    """A whole report page: one file with its style sheets and scripts inside; ``defs`` are shapes its maps share."""
    styles = "".join(_asset(name) for name in ("report.css", *css))
    code = "".join(_asset(name) for name in ("report.js", *scripts))
    return (
        f'<!doctype html>\n<html lang="zh-CN" data-lang="zh" data-title-zh="{escape(title.zh)}" '
        f'data-title-en="{escape(title.en)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title.zh)}</title><style>{styles}</style></head>\n<body>{defs}<main>"
        f"{body}</main><script>{code}</script></body></html>\n"
    )


def _asset(name: str) -> str:
    """Style sheet or script of the page, from this package."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8").strip()


# --- charts and tables ------------------------------------------------------------------


def _charts(data: ReportData) -> str:
    now, was = data.figures, data.before
    parts = []
    loads = _loads(now)
    if loads:
        before = None if was is None or not data.same_level() else _loads(was)
        parts.append(households_chart(loads, before, data.band))
    shapes = None if was is None else _values(was, "compactness")
    parts.append(compactness_chart(_values(now, "compactness"), shapes))
    classes = now["overall"]["boundary_by_class"]
    if classes is not None:
        parts.append(boundary_chart(classes, None if was is None else was["overall"]["boundary_by_class"]))
    keys = ""
    if was is not None:
        key = '<svg class="key" viewBox="0 0 26 16">{}</svg>'
        after = key.format('<rect class="bar" width="26" height="16"/>')
        outline = key.format('<path class="outline" d="M1 14V4H25V14"/>')
        was_key, now_key = both("调整前", "before"), both("调整后", "after")
        keys = f'<ul class="legend"><li>{after}{now_key}</li><li>{outline}{was_key}</li></ul>'
    return f'<h2>{both("分布", "Distributions")}</h2>{keys}<div class="charts">{"".join(parts)}</div>'


def _values(figures: Mapping[str, Any], column: str) -> list[float]:
    return [row[column] for row in figures["grids"] if row[column] is not None]


def _loads(figures: Mapping[str, Any]) -> list[float]:
    """Households of the ordinary grids of the finest level, which is the one drawn."""
    last = figures["levels"][-1]["level"]
    rows = [row for row in figures["grids"] if row["level"] == last and not row["special"]]
    return [row["households"] for row in rows if row["households"] is not None]


def _measures(data: ReportData) -> str:
    columns: list[tuple[Words, Mapping[str, Any]]] = [(Words("调整后", "after"), data.figures["overall"])]
    if data.before is not None:
        columns.insert(0, (Words("调整前", "before"), data.before["overall"]))
    else:
        columns = [(Words("本方案", "this plan"), data.figures["overall"])]
    parts = [f"<h2>{both('各项指标', 'All measures')}</h2>", tables.measures_table(columns)]
    levels = data.figures["levels"]
    if len(levels) > 1:
        parts.append(f"<h3>{both('各级网格', 'By level')}</h3>")
        parts.append(
            tables.measures_table(
                [(Words(f"第 {level['level']} 级", f"level {level['level']}"), level) for level in levels]
            )
        )
    return "".join(parts)


def _findings(data: ReportData) -> str:
    parts = []
    if data.reasons:
        parts.append(
            f"<h3>{both('不可行的原因', 'Why the plan is not feasible')}</h3>{tables.reasons_table(data.reasons)}"
        )
    problems = tables.problems_table(data.figures["check"])
    if problems:
        parts.append(f"<h3>{both('图形与编码检查', 'Check of shapes and codes')}</h3>{problems}")
    outside = tables.out_of_band(data.figures["grids"])
    if outside:
        parts.append(
            f"<h3>{both('户数超出区间的网格', 'Grids out of band')}</h3>"
            f"{tables.grids_table(outside)}{tables.cut(outside)}"
        )
    return f"<h2>{both('问题与原因', 'Problems and reasons')}</h2>{''.join(parts)}" if parts else ""


def _changes(data: ReportData, plates: Plates) -> str:
    changes = data.changes
    if changes is None:
        return ""
    moved, share = count(changes["moved_households"]), percent(changes["moved_share"])
    least, least_share = count(changes["least_households"]), percent(changes["least_share"])
    line = both(
        f"{moved} 户（{share}）更换网格；按新的网格数，任何达标方案至少需 {least} 户（{least_share}）。"
        f"{changes['grids_going_on']} 个网格延续，新设 {len(changes['births'])} 个，撤销 {len(changes['ends'])} 个。",
        f"{moved} households ({share}) change grid; with these counts no plan in band does with less than {least} "
        f"({least_share}). {changes['grids_going_on']} grids go on, {len(changes['births'])} are new, "
        f"{len(changes['ends'])} end.",
    )
    parts = [f"<h2>{both('变动', 'Changes')}</h2><p>{line}</p>"]
    if changes["estimated"]:
        told = both(
            "两个方案均无单元资料，户数按面积分摊估算。",
            "Neither plan has units: households are spread by area, an estimate.",
        )
        parts.append(f'<p class="note">{told}</p>')
    heirs = changes["heirs"]
    if any(old != new and old in heirs.values() for old, new in heirs.items()):
        told = both(
            "两个方案各自编号：编码相同的未必是同一网格，以延续关系为准。",
            "Each plan has its own numbers: one code need not be one grid; what goes on as what decides.",
        )
        parts.append(f'<p class="note">{told}</p>')
    parts.append(plates.moved())
    for title, text in (
        (both("户数最多的变动", "Largest moves"), tables.moves_table(changes)),
        (
            both("拆分的网格（粗体为延续）", "Grids split (bold: goes on)"),
            tables.parted_table(changes["splits"], "old", "into", "new", heirs),
        ),
        (
            both("合并的网格（粗体为延续）", "Grids merged (bold: goes on)"),
            tables.parted_table(changes["merges"], "new", "from", "old", heirs),
        ),
        (both("新设的网格", "New grids"), tables.codes_list(changes["births"])),
        (both("撤销的网格", "Grids that end"), tables.codes_list(changes["ends"])),
    ):
        if text:
            parts.append(f"<h3>{title}</h3>{text}")
    return "".join(parts)


def _all_grids(data: ReportData) -> str:
    rows = data.figures["grids"]
    title = both(f"全部 {len(rows)} 个网格", f"All {len(rows)} grids")
    body = tables.grids_table(rows, all_rows=True)
    return f"<h2>{both('网格清单', 'List of grids')}</h2><details><summary>{title}</summary>{body}</details>"


def _settings(data: ReportData) -> str:
    text = tables.settings_table(data.settings)
    return f"<h2>{both('计算设置', 'How it was made')}</h2>{text}" if text else ""


def _foot() -> str:
    text = both(
        "紧凑度为 4πA/P²（Polsby–Popper，1991）。界线距道路中心线 2 米以内视为沿街；围墙与内部路不计为街道。",
        "Compactness is 4πA/P² (Polsby–Popper, 1991). A boundary within 2 m of a street's line runs on it; walls and "
        "service roads are no streets.",
    )
    return f"<footer><p>{text}</p></footer>"
