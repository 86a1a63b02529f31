"""Layers with a fixed definition, by what they show: places, city components and facilities, reports."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from data import tables as t
from layers.catalog.model import Layer
from layers.catalog.words import attribute, attributes

AREAS = Layer(
    "areas", "行政区划", "Areas", t.areas, t.areas.c.code,
    attributes(t.areas, "code", "name", "name_en", "level", "parent"),
    ("level", "parent"),
    shape="polygon", reads=("areas",), label="name", style="areas",
    about_zh="区县、街道（乡镇）、社区（村）", about_en="Districts, streets (towns) and communities (villages)",
)  # fmt: skip

BUILDINGS = Layer(
    "buildings", "建筑", "Buildings", t.buildings, t.buildings.c.id,
    attributes(
        t.buildings, "building_id", "name", "kind", "levels", "households", "population", "elderly", "estimated",
        "compound_id", "community",
    ),
    ("kind", "community"),
    shape="polygon", reads=("buildings",), label="name", style="buildings", scales=(None, 25_000),
    about_zh="建筑轮廓及户数、人口（仅计数）",
    about_en="Outlines of buildings with households and residents (counts only)",
)  # fmt: skip

STREETS = Layer(
    "streets", "街道路网", "Streets", t.streets, t.streets.c.id,
    attributes(
        t.streets, "street_id", "name", "highway", "cls", "oneway", "bridge", "tunnel", "layer", "foot", "bicycle",
        "car", "oneway_bicycle", "speed",
    ),
    ("cls", "highway"),
    shape="line", reads=("streets",), label="name", style="streets",
    about_zh="道路中心线", about_en="Centrelines of streets and ways",
)  # fmt: skip

WATER = Layer(
    "water", "水系", "Water", t.water, t.water.c.id, attributes(t.water, "water_id", "name", "kind"), ("kind",),
    shape="mixed", reads=("water",), label="name", style="water",
    about_zh="河流与水面", about_en="Rivers and water areas",
)  # fmt: skip

WALLS = Layer(
    "walls", "围墙", "Walls", t.walls, t.walls.c.id, attributes(t.walls, "wall_id", "kind"),
    shape="line", reads=("walls",), style="walls", scales=(None, 25_000),
    about_zh="围墙与栅栏", about_en="Walls and fences",
)  # fmt: skip

BARRIERS = Layer(
    "barriers", "门禁路障", "Gates and bollards", t.barriers, t.barriers.c.id,
    attributes(t.barriers, "barrier_id", "kind", "foot", "bicycle", "car"), ("kind",),
    shape="point", reads=("barriers",), style="barriers", scales=(None, 10_000),
    about_zh="道路上的大门、路桩等", about_en="Gates, bollards and the like on streets",
)  # fmt: skip

ADDRESSES = Layer(
    "addresses", "地址", "Addresses", t.addresses, t.addresses.c.id,
    attributes(
        t.addresses, "address_id", "full", "road", "door_number", "compound", "building", "unit", "community",
        "name_en",
    ),
    ("community",),
    shape="point", reads=("addresses",), label="door_number", style="addresses", scales=(None, 5_000),
    about_zh="标准地址点", about_en="Points of standard addresses",
)  # fmt: skip

COMPONENTS = Layer(
    "components", "城市部件", "City components", t.components, t.components.c.component_code,
    attributes(
        t.components, "component_code", "standard", "kind", "major", "minor", "name", "dept_supervise", "dept_owner",
        "dept_maintain", "state", "first_date", "changed_date", "source", "note",
    ),
    ("major", "minor", "state"),
    shape="mixed", reads=("components",), label="name", style="components", editable=True,
    about_zh="井盖、路灯等城市管理部件，按大类分层",
    about_en="Manhole covers, lamps and other managed components, by major class",
)  # fmt: skip


def _tier() -> sa.ColumnElement[int]:
    """Minutes of the life circle a facility's category belongs to."""
    categories = t.facility_categories
    found = sa.select(categories.c.tier).where(categories.c.category == t.facilities.c.category).scalar_subquery()
    return sa.type_coerce(found, sa.SmallInteger)


FACILITIES = Layer(
    "facilities", "设施", "Facilities", t.facilities, t.facilities.c.id,
    (
        *attributes(t.facilities, "facility_id", "category", "name", "name_en", "address"),
        attribute("tier", _tier()),
    ),
    ("category",),
    shape="point", reads=("facilities", "facility_categories"), label="name", style="facilities", editable=True,
    about_zh="学校、卫生、商业等生活圈设施", about_en="Schools, clinics, shops and other life-circle facilities",
)  # fmt: skip

REPORTS = Layer(
    "reports", "事件", "Reports", t.reports, t.reports.c.id,
    attributes(
        t.reports, "source", "report_id", "reported_at", "updated_at", "expected_at", "major", "minor", "description",
        "channel", "stage", "status_notes", "accuracy", "grid_code", "generation", "address", "address_id",
        "component_code", "department", "media_url",
    ),
    ("source", "major", "minor", "stage", "grid_code", "department", "component_code"),
    shape="point", reads=("reports",), time="reported_at", style="reports",
    about_zh="居民诉求与巡查事件", about_en="What residents and patrols reported",
)  # fmt: skip

REPORTS_HEAT = REPORTS.part(
    "reports_heat", "事件热力图", "Heat of reports", style="reports_heat", picture_only=True, queryable=False,
    group="reports", about_zh="事件密度", about_en="Density of reports",
)  # fmt: skip


def lon_lat(point: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """[longitude, latitude] of a point column."""
    return sa.func.json_build_array(sa.func.ST_X(point), sa.func.ST_Y(point))
