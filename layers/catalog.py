"""The layers the service offers: one definition each, read by every kind of output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from data import tables as t


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of features. ``properties`` names what a feature tells, as SQL; ``filters`` the query parameters."""

    name: str
    title_zh: str
    title_en: str
    table: sa.Table
    key: sa.ColumnElement[Any]
    properties: Mapping[str, sa.ColumnElement[Any]]
    filters: Mapping[str, sa.ColumnElement[Any]] = field(default_factory=dict)


def _columns(table: sa.Table, *names: str) -> dict[str, sa.ColumnElement[Any]]:
    return {name: table.c[name] for name in names}


def _lon_lat(point: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """[longitude, latitude] of a point column."""
    return sa.func.json_build_array(sa.func.ST_X(point), sa.func.ST_Y(point))


AREAS = Layer(
    "areas", "行政区划", "Areas", t.areas, t.areas.c.code,
    _columns(t.areas, "code", "name", "name_en", "level", "parent"),
    _columns(t.areas, "level", "parent"),
)  # fmt: skip

GRIDS = Layer(
    "grids", "网格", "Grids", t.grids, t.grids.c.code,
    {
        **_columns(
            t.grids, "code", "name", "level", "parent", "community", "kind", "households", "population",
            "compactness", "version", "system",
        ),
        "label_point": _lon_lat(t.grids.c.label_point),
    },
    _columns(t.grids, "system", "level", "community", "kind"),
)  # fmt: skip

COMPONENTS = Layer(
    "components", "城市部件", "City components", t.components, t.components.c.component_code,
    _columns(
        t.components, "component_code", "standard", "kind", "major", "minor", "name", "dept_supervise", "dept_owner",
        "dept_maintain", "state", "first_date", "changed_date", "source", "note",
    ),
    _columns(t.components, "major", "minor", "state"),
)  # fmt: skip

FACILITIES = Layer(
    "facilities", "设施", "Facilities", t.facilities, t.facilities.c.id,
    _columns(t.facilities, "facility_id", "category", "name", "name_en", "address"),
    _columns(t.facilities, "category"),
)  # fmt: skip

BUILDINGS = Layer(
    "buildings", "建筑", "Buildings", t.buildings, t.buildings.c.id,
    _columns(
        t.buildings, "building_id", "name", "kind", "levels", "households", "population", "elderly", "estimated",
        "compound_id", "community",
    ),
    _columns(t.buildings, "kind", "community"),
)  # fmt: skip

STREETS = Layer(
    "streets", "街道路网", "Streets", t.streets, t.streets.c.id,
    _columns(
        t.streets, "street_id", "name", "highway", "cls", "oneway", "bridge", "tunnel", "layer", "foot", "bicycle",
        "car", "oneway_bicycle", "speed",
    ),
    _columns(t.streets, "cls", "highway"),
)  # fmt: skip

WATER = Layer(
    "water", "水系", "Water", t.water, t.water.c.id, _columns(t.water, "water_id", "name", "kind"),
    _columns(t.water, "kind"),
)  # fmt: skip

WALLS = Layer("walls", "围墙", "Walls", t.walls, t.walls.c.id, _columns(t.walls, "wall_id", "kind"))

BARRIERS = Layer(
    "barriers", "门禁路障", "Gates and bollards", t.barriers, t.barriers.c.id,
    _columns(t.barriers, "barrier_id", "kind", "foot", "bicycle", "car"), _columns(t.barriers, "kind"),
)  # fmt: skip

ADDRESSES = Layer(
    "addresses", "地址", "Addresses", t.addresses, t.addresses.c.id,
    _columns(
        t.addresses, "address_id", "full", "road", "door_number", "compound", "building", "unit", "community",
        "name_en",
    ),
    _columns(t.addresses, "community"),
)  # fmt: skip

REPORTS = Layer(
    "reports", "事件", "Reports", t.reports, t.reports.c.id,
    _columns(
        t.reports, "source", "report_id", "reported_at", "updated_at", "expected_at", "major", "minor", "description",
        "channel", "stage", "status_notes", "accuracy", "grid_code", "generation", "address", "address_id",
        "component_code", "department", "media_url",
    ),
    _columns(t.reports, "source", "major", "minor", "stage", "grid_code", "department", "component_code"),
)  # fmt: skip

UNITS = Layer(
    "units", "基本单元", "Units", t.units, t.units.c.id,
    _columns(
        t.units, "unit_id", "households", "population", "elderly", "priority", "buildings", "compound_id", "kind",
        "community", "block_id",
    ),
    _columns(t.units, "unit_set", "community", "kind"),
)  # fmt: skip

LAYERS: dict[str, Layer] = {
    layer.name: layer
    for layer in (
        AREAS, GRIDS, UNITS, COMPONENTS, FACILITIES, BUILDINGS, STREETS, BARRIERS, WATER, WALLS, ADDRESSES, REPORTS,
    )
}  # fmt: skip
