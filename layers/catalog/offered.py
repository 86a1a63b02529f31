"""The layers a service offers now: the fixed ones, and those that follow what is stored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa
from pypinyin import lazy_pinyin

from data import tables as t
from data.grid_systems import grid_systems
from data.plans import current_generation
from data.tables import COMPREHENSIVE
from gisgrid.errors import NotFound
from layers.catalog.base import (
    ADDRESSES,
    AREAS,
    BARRIERS,
    BUILDINGS,
    COMPONENTS,
    FACILITIES,
    REPORTS,
    REPORTS_HEAT,
    STREETS,
    WALLS,
    WATER,
)
from layers.catalog.model import Layer
from layers.catalog.planned import BLIND_SPOTS, CIRCLES, COMPREHENSIVE_GRIDS, DRAFTS, GRIDS, UNITS
from layers.catalog.thematic import thematic

LEVELS_ZH: Final = {"district": "区县", "street": "街道", "community": "社区"}
LEVELS_EN: Final = {"district": "Districts", "street": "Streets and towns", "community": "Communities"}
READS: Final = ("grids", "generations", "plans", "components", "facility_categories", "circle_runs", "thematic_layers")
"""Tables the list itself depends on."""


def offered(connection: sa.Connection) -> dict[str, Layer]:
    """Every layer by name, in the order they are listed: from the ground up, as they are drawn over each other."""
    found = [WATER, BUILDINGS, STREETS, WALLS, BARRIERS, *_areas(), *_circles(connection), UNITS, *_grids(connection)]
    found += [DRAFTS, *_components(connection), *_facilities(connection), REPORTS_HEAT, REPORTS, ADDRESSES]
    own = {layer.name for layer in found}
    found += [layer for layer in thematic(connection) if layer.name not in own]
    return {layer.name: layer for layer in found}


def layer_named(layers: dict[str, Layer], name: str) -> Layer:
    """The layer of that name. Raises NotFound (404), which lists nothing: names may be many."""
    found = layers.get(name)
    if found is None:
        raise NotFound(f"there is no layer {name[:100]!r}; the catalogue lists them")
    return found


def _areas() -> Iterator[Layer]:
    yield AREAS
    for level, title in LEVELS_ZH.items():
        yield AREAS.part(f"areas_{level}", title, LEVELS_EN[level], t.areas.c.level == level)


def _grids(connection: sa.Connection) -> Iterator[Layer]:
    """Comprehensive grids: the first level, each deeper one that was ever published; then every professional system."""
    g = t.grids.c
    published = sa.select(g.system, g.level).where(g.generations.is_not(None)).distinct()
    stored = sorted(tuple(row) for row in connection.execute(published))
    deeper = [level for system, level in stored if system == COMPREHENSIVE and level > 1]
    professional = sorted({system for system, _ in stored if system != COMPREHENSIVE})
    systems = {system.name: system for system in grid_systems().values()}
    for system in professional:
        known = systems.get(system)
        key = known.key if known else _letters(system)
        name_en = known.name_en if known else system
        yield GRIDS.part(f"grids_{key}", f"{system}网格", f"Grids: {name_en}", g.system == system, style="systems")
    for level in sorted(deeper, reverse=True):
        yield GRIDS.part(
            f"grids_{level}", f"{level} 级网格", f"Grids of level {level}", COMPREHENSIVE_GRIDS, g.level == level,
            scales=(None, 50_000.0),
        )  # fmt: skip
    yield GRIDS.part(
        "grids", GRIDS.title_zh, GRIDS.title_en, COMPREHENSIVE_GRIDS, g.level == 1, base=None, group="grids"
    )


def _letters(name: str) -> str:
    """A system's own name in letters a layer name may have: pinyin for Chinese."""
    return re.sub(r"[^a-z0-9]+", "_", "".join(lazy_pinyin(name)).lower()).strip("_") or "other"


def _components(connection: sa.Connection) -> Iterator[Layer]:
    classes = t.component_classes.c
    majors = sa.select(classes.major, sa.func.min(classes.major_name), sa.func.min(classes.major_name_en))
    yield COMPONENTS
    for major, name, name_en in connection.execute(majors.group_by(classes.major).order_by(classes.major)):
        yield COMPONENTS.part(f"components_{major}", name, name_en or name, t.components.c.major == major)


def _facilities(connection: sa.Connection) -> Iterator[Layer]:
    yield FACILITIES
    for category, name_zh, name_en in _categories(connection):
        yield FACILITIES.part(f"facilities_{category}", name_zh, name_en, t.facilities.c.category == category)


def _circles(connection: sa.Connection) -> Iterator[Layer]:
    """Circles and blind spots, whole and by the categories of the runs there are."""
    yield CIRCLES
    yield BLIND_SPOTS
    if current_generation(connection) is None:
        return
    table, spots = t.circle_polygons, t.circle_blind_spots
    with_circles = set(connection.scalars(sa.select(table.c.category).distinct()))
    with_spots = set(connection.scalars(sa.select(spots.c.category).distinct()))
    for category, name_zh, name_en in _categories(connection):
        if category in with_circles:
            where = table.c.category == category
            yield CIRCLES.part(f"circles_{category}", f"服务圈：{name_zh}", f"Service circles: {name_en}", where)
        if category in with_spots:
            where = spots.c.category == category
            yield BLIND_SPOTS.part(f"blind_spots_{category}", f"盲区：{name_zh}", f"Blind spots: {name_en}", where)


def _categories(connection: sa.Connection) -> list[tuple[str, str, str]]:
    c = t.facility_categories.c
    rows = connection.execute(sa.select(c.category, c.name_zh, c.name_en).order_by(c.tier, c.category))
    return [(category, name_zh or category, name_en or category) for category, name_zh, name_en in rows]
