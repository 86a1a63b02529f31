"""Colours and classes of the layers: what styles are made from, and what the web map and its legend read.

Colours are ``#rrggbb``. A class holds where ``min <= value < max``; None leaves that end open.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from gisgrid.models import Band


@dataclass(frozen=True, slots=True)
class StyleClass:
    """One entry of a legend: what it means, its colour, and the values it stands for."""

    label_zh: str
    label_en: str
    color: str
    value: str | None = None
    min: float | None = None
    max: float | None = None
    width: float | None = None


@dataclass(frozen=True, slots=True)
class Style:
    """How a layer is drawn: the attribute that decides and its classes in order."""

    title_zh: str
    title_en: str
    attribute: str
    classes: tuple[StyleClass, ...]


def grids_by_households(band: Band) -> Style:
    """Grids by households against the band: blue below it, green inside, orange to red above; special grids violet."""
    low, high = band.low, band.high
    third = (high - low) / 3
    cut = [round(low + third), round(low + 2 * third)]
    far = max(round(high * 1.5), high + 2)
    classes = (
        StyleClass(f"少于 {low // 2}", f"below {low // 2}", "#7fa8d1", max=low // 2),
        StyleClass(f"{low // 2}–{low - 1}", f"{low // 2}–{low - 1}", "#b7d0e8", min=low // 2, max=low),
        StyleClass(f"{low}–{cut[0] - 1}", f"{low}–{cut[0] - 1}", "#d3ead0", min=low, max=cut[0]),
        StyleClass(f"{cut[0]}–{cut[1] - 1}", f"{cut[0]}–{cut[1] - 1}", "#a9d6a5", min=cut[0], max=cut[1]),
        StyleClass(f"{cut[1]}–{high}", f"{cut[1]}–{high}", "#7cbd7c", min=cut[1], max=high + 1),
        StyleClass(f"{high + 1}–{far - 1}", f"{high + 1}–{far - 1}", "#f0a868", min=high + 1, max=far),
        StyleClass(f"{far} 及以上", f"{far} and more", "#d9694f", min=far),
        StyleClass("专属网格", "special grid", "#cbbfe0", value="special"),
    )  # fmt: skip
    # a narrow or low band leaves some of them without any number
    kept = tuple(item for item in classes if item.max is None or item.max > (item.min or 0))
    return Style("网格户数", "Households per grid", "households", kept)


# brown to teal: told apart by readers who do not tell red from green
COVERAGE = Style(
    "居民覆盖率", "Residents covered", "residents_share",
    (
        StyleClass("0–20 %", "0–20 %", "#b5651d", min=0.0, max=0.2),
        StyleClass("20–40 %", "20–40 %", "#dfb26a", min=0.2, max=0.4),
        StyleClass("40–60 %", "40–60 %", "#f2ead3", min=0.4, max=0.6),
        StyleClass("60–80 %", "60–80 %", "#8ccbc0", min=0.6, max=0.8),
        StyleClass("80–100 %", "80–100 %", "#2f8f83", min=0.8, max=1.01),
        StyleClass("无居民", "no residents", "#d9d9d9", value="none"),
    ),
)  # fmt: skip

ISOCHRONES = Style(
    "步行时间", "Walking time", "minutes",
    (
        StyleClass("5 分钟", "5 minutes", "#1d6fa5", value="5"),
        StyleClass("10 分钟", "10 minutes", "#58a3cf", value="10"),
        StyleClass("15 分钟", "15 minutes", "#a3cde6", value="15"),
    ),
)  # fmt: skip

STREETS = Style(
    "街道", "Streets", "cls",
    (
        StyleClass("主干路", "primary", "#f3c77c", "primary", width=5.0),
        StyleClass("次干路", "secondary", "#f8e3ad", "secondary", width=4.0),
        StyleClass("支路", "tertiary", "#ffffff", "tertiary", width=3.0),
        StyleClass("居住区道路", "residential", "#ffffff", "residential", width=2.0),
        StyleClass("内部路", "service", "#f4f2ee", "service", width=1.2),
        StyleClass("步行道", "foot", "#e3d9cc", "foot", width=0.8),
        StyleClass("铁路", "railway", "#9a9a9a", "rail", width=1.5),
    ),
)  # fmt: skip

WATER = Style("水系", "Water", "kind", (StyleClass("水面", "water", "#a9cfe5"),))
BUILDINGS = Style("建筑", "Buildings", "kind", (StyleClass("建筑", "building", "#d8d0c4"),))
WALLS = Style("围墙", "Walls", "kind", (StyleClass("围墙", "wall", "#8d7f70", width=1.0),))

COMPONENTS = Style(
    "城市部件", "City components", "major",
    (
        StyleClass("公用设施", "public utilities", "#2f6db3", "01"),
        StyleClass("道路交通", "roads and traffic", "#c4622d", "02"),
        StyleClass("市容环境", "appearance and sanitation", "#8a6d3b", "03"),
        StyleClass("园林绿化", "parks and trees", "#3d8b4f", "04"),
        StyleClass("房屋土地", "buildings and land", "#7a5ba6", "05"),
        StyleClass("其他设施", "other facilities", "#5c6670", "06"),
        StyleClass("扩展", "local extension", "#b04a7a", "07"),
    ),
)  # fmt: skip

FACILITIES = Style(
    "设施", "Facilities", "tier",
    (
        StyleClass("5 分钟圈", "5-minute circle", "#b23a48", "5"),
        StyleClass("10 分钟圈", "10-minute circle", "#2b7a78", "10"),
        StyleClass("15 分钟圈", "15-minute circle", "#34508f", "15"),
    ),
)  # fmt: skip


def all_styles(band: Band) -> dict[str, dict[str, Any]]:
    """Every style as JSON-ready values, by layer name."""
    styles = {
        "grids": grids_by_households(band),
        "coverage": COVERAGE,
        "isochrones": ISOCHRONES,
        "streets": STREETS,
        "water": WATER,
        "buildings": BUILDINGS,
        "walls": WALLS,
        "components": COMPONENTS,
        "facilities": FACILITIES,
    }
    return {name: asdict(style) for name, style in styles.items()}
