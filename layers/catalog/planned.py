"""Layers that follow plans and generations: grids, units, drafts, service circles."""

from __future__ import annotations

import sqlalchemy as sa

from data import tables as t
from data.plans import in_force
from data.tables import COMPREHENSIVE
from layers.catalog.base import lon_lat
from layers.catalog.model import Condition, Layer
from layers.catalog.words import attribute, attributes

GRID_ATTRIBUTES = (
    "code", "name", "level", "parent", "community", "kind", "households", "population", "compactness", "version",
    "system",
)  # fmt: skip

GRIDS = Layer(
    "grids", "网格", "Grids", t.grids, t.grids.c.code, attributes(t.grids, *GRID_ATTRIBUTES),
    ("system", "level", "community", "kind"),
    shape="polygon", reads=("grids", "generations"), at_generation=in_force, time="generation", label="name",
    style="grids", extras={"label_point": lon_lat(t.grids.c.label_point)},
    about_zh="现行版本的网格", about_en="Grids of the generation in force",
)  # fmt: skip


def _comprehensive_since(generation: int) -> sa.ScalarSelect[int]:
    """The generation that last changed the comprehensive grids, up to ``generation``."""
    g = t.generations
    found = sa.select(sa.func.max(g.c.id)).join(t.plans, t.plans.c.id == g.c.plan)
    return found.where(t.plans.c.system == COMPREHENSIVE, g.c.id <= generation).scalar_subquery()


def _units_of(generation: int) -> Condition:
    """Units the comprehensive grids of a generation are made of."""
    of_generation = t.generations.c.id == _comprehensive_since(generation)
    made_of = sa.select(t.plans.c.unit_set).join(t.generations, t.generations.c.plan == t.plans.c.id)
    return t.units.c.unit_set == made_of.where(of_generation).scalar_subquery()


UNITS = Layer(
    "units", "基本单元", "Units", t.units, t.units.c.id,
    attributes(
        t.units, "unit_id", "households", "population", "elderly", "priority", "buildings", "compound_id", "kind",
        "community", "block_id",
    ),
    ("unit_set", "community", "kind"),
    shape="polygon", reads=("units", "generations", "plans"), at_generation=_units_of, time="generation", style="units",
    scales=(None, 50_000),
    about_zh="划分网格的最小单元", about_en="The atomic pieces plans are made of",
)  # fmt: skip

_of_plan = t.grids.join(t.plans, t.plans.c.id == t.grids.c.plan)
DRAFTS = Layer(
    "drafts", "网格草案", "Draft grids", _of_plan, t.grids.c.id,
    (
        attribute("plan", t.grids.c.plan),
        attribute("plan_name", t.plans.c.name),
        *attributes(t.grids, *GRID_ATTRIBUTES),
    ),
    shape="polygon", shapes=t.grids, reads=("draft_grids", "draft_plans", "grids", "plans"),
    where=(t.plans.c.status == "draft",), label="code",
    style="drafts",
    restricted=True,
    about_zh="尚未发布的方案（需要密钥）", about_en="Plans not yet published (with a key)",
)  # fmt: skip


def _newest_runs(generation: int) -> Condition:
    """The newest run of each profile for the comprehensive grids of a generation."""
    runs = t.circle_runs.alias()
    theirs = runs.c.generation.between(_comprehensive_since(generation), generation)
    newest = sa.select(sa.func.max(runs.c.id)).where(theirs).group_by(runs.c.profile)
    return t.circle_runs.c.id.in_(newest)


_of_run = t.circle_polygons.join(t.circle_runs, t.circle_runs.c.id == t.circle_polygons.c.run)
CIRCLES = Layer(
    "circles", "服务圈", "Service circles", _of_run,
    sa.func.concat(t.circle_polygons.c.run, "-", t.circle_polygons.c.category, "-", t.circle_polygons.c.minutes),
    (
        attribute("category", t.circle_polygons.c.category),
        attribute("minutes", t.circle_polygons.c.minutes),
        attribute("profile", t.circle_runs.c.profile),
    ),
    shape="polygon", shapes=t.circle_polygons, reads=("circle_polygons", "circle_runs", "generations"),
    at_generation=_newest_runs, time="generation",
    style="circles",
    about_zh="5、10、15 分钟可达范围", about_en="What is reached within 5, 10 and 15 minutes",
)  # fmt: skip

_spots_of_run = t.circle_blind_spots.join(t.circle_runs, t.circle_runs.c.id == t.circle_blind_spots.c.run)
BLIND_SPOTS = Layer(
    "blind_spots", "服务盲区", "Blind spots", _spots_of_run,
    sa.func.concat(t.circle_blind_spots.c.run, "-", t.circle_blind_spots.c.category, "-", t.circle_blind_spots.c.rank),
    (
        attribute("category", t.circle_blind_spots.c.category),
        attribute("rank", t.circle_blind_spots.c.rank),
        attribute("profile", t.circle_runs.c.profile),
        *attributes(
            t.circle_blind_spots, "buildings", "residents", "elderly", "square_metres", "nearest", "seconds",
            "extra_seconds",
        ),
    ),
    shape="polygon", shapes=t.circle_blind_spots, reads=("circle_blind_spots", "circle_runs", "generations"),
    at_generation=_newest_runs, time="generation",
    label="rank", style="blind_spots",
    about_zh="步行时限内到不了设施的居民", about_en="Homes that reach no facility in time",
)  # fmt: skip

COMPREHENSIVE_GRIDS: Condition = t.grids.c.system == COMPREHENSIVE
