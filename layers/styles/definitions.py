"""The styles of the catalogue's layers. Colours and class limits come from `layers.styles.classes`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

from pygeofilter import ast

from gisgrid.models import Band
from layers.catalog.model import Layer
from layers.styles import classes as c
from layers.styles.model import Fill, Heat, Label, Marker, Rule, Shape, Stroke, Style, Symbol
from layers.styles.sld import own_style

LABELS: Final = (None, 25_000.0)
"""Scales at which names of small things are read."""
COMPONENT_SHAPES: Final[dict[str, Shape]] = {
    "01": "hexagon", "02": "sign", "03": "bin", "04": "tree", "05": "building", "06": "warning", "07": "plus",
}  # fmt: skip
STAGE_COLORS: Final = {
    "发现上报": ("Reported", "#d64545"),
    "指挥派遣": ("Dispatched", "#e08a2c"),
    "处置反馈": ("Being handled", "#c9b037"),
    "事件评价": ("Being reviewed", "#5b8db8"),
    "结案归档": ("Closed", "#6aa66a"),
}


def styles(band: Band) -> dict[str, Style]:
    """Every style by name. ``band``: households a grid should have; it decides the classes of grids."""
    made = (
        _areas(), _grids(band), _grids_outline(), _systems(), _units(), _drafts(), _streets(), _water(), _buildings(),
        _walls(), _barriers(), _addresses(), _components(), _facilities(), _reports(), _reports_heat(), _circles(),
        _blind_spots(), *_thematic(),
    )  # fmt: skip
    return {style.name: style for style in made}


def styles_of(layer: Layer, known: dict[str, Style]) -> tuple[Style, ...]:
    """The styles a layer may be drawn with, the usual one first."""
    others = [name for name in known if name.startswith(f"{layer.style}_") and name != "reports_heat"]
    return tuple(known[name] for name in (layer.style, *others))


def _equals(attribute: str, value: str | int) -> ast.Node:
    return ast.Equal(ast.Attribute(attribute), value)


def _within(attribute: str, low: float | None, high: float | None) -> ast.Node:
    """``low <= attribute < high``; an open end holds for all."""
    ends: list[ast.Node] = []
    if low is not None:
        ends.append(ast.GreaterEqual(ast.Attribute(attribute), low))
    if high is not None:
        ends.append(ast.LessThan(ast.Attribute(attribute), high))
    return ends[0] if len(ends) == 1 else ast.And(*ends)


def _by_value(
    style: c.Style, attribute: str, draw: Callable[[c.StyleClass], tuple[Symbol, ...]], *, whole: bool = False
) -> tuple[Rule, ...]:
    """One rule a class of single values. ``whole``: the values are numbers."""
    return tuple(
        Rule(item.label_zh, item.label_en, draw(item), _equals(attribute, int(item.value) if whole else item.value))
        for item in style.classes
        if item.value is not None
    )


def _label(attribute: str, *, scales: tuple[float | None, float | None] = LABELS, **look: object) -> Rule:
    return Rule("标注", "Labels", (Label(attribute, **look),), scales=scales, in_legend=False)  # type: ignore[arg-type]


def _areas() -> Style:
    def outline(level: str, zh: str, en: str, width: float, dash: tuple[float, ...]) -> Rule:
        return Rule(zh, en, (Stroke("#8a4f7d", width, dash=dash),), _equals("level", level))

    def name(level: str, size: float, scales: tuple[float | None, float | None], priority: int) -> Rule:
        symbol = Label("name", "#6b3a60", size, bold=True, priority=priority)
        return Rule("名称", "Name", (symbol,), _equals("level", level), scales, in_legend=False)

    return Style("areas", "行政区划", "Areas", (
        outline("community", "社区界", "Community boundary", 1.2, (6.0, 3.0)),
        outline("street", "街道界", "Street boundary", 1.8, (10.0, 3.0, 2.0, 3.0)),
        outline("district", "区县界", "District boundary", 2.6, ()),
        name("community", 13.0, (None, 60_000.0), 8), name("street", 15.0, (15_000.0, 200_000.0), 9),
        name("district", 18.0, (60_000.0, None), 10),
    ))  # fmt: skip


def _grids(band: Band) -> Style:
    source = c.grids_by_households(band)
    ordinary = ast.NotEqual(ast.Attribute("kind"), "special")
    rules = [
        Rule(
            item.label_zh, item.label_en, (Fill(item.color, 0.75),),
            _equals("kind", "special") if item.value == "special"
            else ast.And(ordinary, _within("households", item.min, item.max)),
        )
        for item in source.classes
    ]  # fmt: skip
    border = Rule("网格界", "Grid boundary", (Stroke("#4a5a50", 1.2),))
    return Style("grids", source.title_zh, source.title_en, (*rules, border, _label("name", scales=(None, 30_000.0))))


def _grids_outline() -> Style:
    border = Rule("网格界", "Grid boundary", (Stroke("#1f4e79", 1.6, casing="#ffffff"),))
    return Style("grids_outline", "网格界线", "Grid boundaries", (border, _label("name", scales=(None, 30_000.0))))


def _systems() -> Style:
    rule = Rule("专业网格", "Professional grid", (Fill("#6a51a3", 0.12), Stroke("#54278f", 1.6, dash=(8.0, 3.0))))
    return Style(
        "systems", "专业网格", "Professional grids", (rule, _label("name", scales=(None, 60_000.0), color="#3f1f70"))
    )


def _units() -> Style:
    return Style("units", "基本单元", "Units", (
        Rule("有住户", "With households", (Fill("#e8dcc0", 0.6),), ast.GreaterThan(ast.Attribute("households"), 0)),
        Rule("无住户", "Without households", (Fill("#dfe5e0", 0.5),), _equals("households", 0)),
        Rule("单元界", "Unit boundary", (Stroke("#9a8f78", 0.6),)),
    ))  # fmt: skip


def _drafts() -> Style:
    rule = Rule("草案网格", "Draft grid", (Fill("#f2b701", 0.15), Stroke("#b07d00", 1.6, dash=(5.0, 3.0))))
    return Style("drafts", "网格草案", "Draft grids", (rule, _label("code", color="#7a5600")))


def _streets() -> Style:
    def draw(item: c.StyleClass) -> tuple[Symbol, ...]:
        width = item.width or 1.0
        if item.value == "rail":
            return (Stroke(item.color, width, dash=(6.0, 3.0), cap="butt"),)
        if item.value == "foot":
            return (Stroke(item.color, width, dash=(3.0, 2.0), cap="butt"),)
        return (Stroke(item.color, width, casing="#c9bfae"),)

    # minor ones first, so that main roads lie on top
    rules = _by_value(c.STREETS, "cls", draw)[::-1]
    return Style(
        "streets", c.STREETS.title_zh, c.STREETS.title_en,
        (*rules, _label("name", scales=(None, 12_000.0), size=11.0, color="#5c5345")),
    )  # fmt: skip


def _plain(name: str, source: c.Style, *symbols: Symbol, label: Rule | None = None) -> Style:
    item = source.classes[0]
    rules = (Rule(item.label_zh, item.label_en, symbols),)
    return Style(name, source.title_zh, source.title_en, rules if label is None else (*rules, label))


def _water() -> Style:
    color = c.WATER.classes[0].color
    label = _label("name", size=12.0, color="#3c78a0")
    return _plain("water", c.WATER, Fill(color), Stroke(color, 1.5), label=label)


def _buildings() -> Style:
    color = c.BUILDINGS.classes[0].color
    return _plain(
        "buildings", c.BUILDINGS, Fill(color), Stroke("#b8ad9c", 0.6),
        label=_label("name", scales=(None, 4_000.0), size=11.0, color="#6b6153"),
    )  # fmt: skip


def _walls() -> Style:
    return _plain("walls", c.WALLS, Stroke(c.WALLS.classes[0].color, 1.0))


def _barriers() -> Style:
    rule = Rule("门禁路障", "Gate or bollard", (Marker("square", "#7a5c3e", 6.0),))
    return Style("barriers", "门禁路障", "Gates and bollards", (rule,))


def _addresses() -> Style:
    rule = Rule("地址点", "Address", (Marker("circle", "#7f7f7f", 4.0, outline=None),))
    return Style("addresses", "地址", "Addresses", (rule, _label("door_number", scales=(None, 2_500.0), size=10.0)))


def _components() -> Style:
    def draw(item: c.StyleClass) -> tuple[Symbol, ...]:
        return (Marker(COMPONENT_SHAPES[str(item.value)], item.color, 12.0),)

    rules = _by_value(c.COMPONENTS, "major", draw)
    return Style(
        "components", c.COMPONENTS.title_zh, c.COMPONENTS.title_en,
        (*rules, _label("name", scales=(None, 1_500.0), size=10.0)),
    )  # fmt: skip


def _facilities() -> Style:
    def draw(item: c.StyleClass) -> tuple[Symbol, ...]:
        return (Marker("drop", item.color, 16.0),)

    rules = _by_value(c.FACILITIES, "tier", draw, whole=True)
    return Style(
        "facilities", c.FACILITIES.title_zh, c.FACILITIES.title_en,
        (*rules, _label("name", scales=(None, 10_000.0), size=11.0)),
    )  # fmt: skip


def _reports() -> Style:
    rules = tuple(
        Rule(stage, title_en, (Marker("circle", color, 8.0),), _equals("stage", stage))
        for stage, (title_en, color) in STAGE_COLORS.items()
    )
    return Style("reports", "事件", "Reports", rules)


def _reports_heat() -> Style:
    return Style("reports_heat", "事件热力图", "Heat of reports", (Rule("事件密度", "Density of reports", (Heat(),)),))


def _circles() -> Style:
    def draw(item: c.StyleClass) -> tuple[Symbol, ...]:
        return (Fill(item.color, 0.35), Stroke(item.color, 1.2))

    # the widest first: the nearer lies on it
    rules = _by_value(c.ISOCHRONES, "minutes", draw, whole=True)[::-1]
    return Style("circles", c.ISOCHRONES.title_zh, c.ISOCHRONES.title_en, rules)


def _blind_spots() -> Style:
    rule = Rule("服务盲区", "Blind spot", (Fill("#c0392b", 0.35, hatch=6.0), Stroke("#a93226", 1.4)))
    return Style("blind_spots", "服务盲区", "Blind spots", (rule, _label("rank", color="#7b241c", bold=True)))


def _thematic() -> tuple[Style, ...]:
    """Of thematic layers, by what their shapes are; labels are drawn where the layer names an attribute for them."""
    color = "#5b7c99"
    area, line, point = Fill(color, 0.35), Stroke("#3d5a75", 1.4), Marker("circle", color, 8.0)
    forms: dict[str, tuple[Symbol, ...]] = {
        "polygon": (area, line), "line": (line,), "point": (point,), "mixed": (area, line, point),
    }  # fmt: skip
    return tuple(
        Style(f"thematic_{shape}", "专题图层", "Thematic layer", (Rule("要素", "Feature", symbols),))
        for shape, symbols in forms.items()
    )


def with_names(known: Mapping[str, Style], layers: Iterable[Layer]) -> dict[str, Style]:
    """The styles, and one of its own for every thematic layer that came with one or has an attribute to write."""
    made = dict(known)
    for layer in layers:
        if layer.style not in made and layer.sld:
            made[layer.style] = replace(own_style(layer.sld, layer), name=layer.style)
        elif layer.style not in made:
            plain = known[f"thematic_{layer.shape}"]
            rule = replace(plain.rules[0], title_zh=layer.title_zh, title_en=layer.title_en)
            label = _label(str(layer.label), scales=(None, None))
            made[layer.style] = Style(layer.style, layer.title_zh, layer.title_en, (rule, label))
    return made
