"""What a sheet shows, read from PostGIS: the community, its grids, the ground and the posts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pyproj
import sqlalchemy as sa

from data import tables as t
from data.loading import read_rows
from data.plans import Generation, PlanRow, communities_of, current_generation, generation_by_id, in_force, plan_row
from data.posts import stored_posts
from data.tables import COMPREHENSIVE
from gisgrid.crs import metric_crs
from gisgrid.errors import NotFound
from gisgrid.limits import SHEET_FEATURES_MAX

DETAIL: Final = {"buildings": 15_000, "lanes": 12_500, "paths": 5_000}
"""Smallest scale (1 : n) at which buildings, residential streets, and service and foot ways are drawn."""
SMALL: Final = {"residential": "lanes", "service": "paths", "foot": "paths"}


@dataclass(frozen=True, slots=True)
class Source:
    """Which grids are shown: those of a draft or of a generation."""

    plan: PlanRow | None
    generation: Generation | None

    @property
    def draft(self) -> bool:
        """Whether the grids are no more than proposed."""
        return self.plan is not None and self.plan.status == "draft"


@dataclass(frozen=True, slots=True)
class Community:
    """A community with the grids to show in it, in metres of its own Gauss–Krüger zone (``crs``).

    ``above``: names of street and district, Chinese and English.
    """

    code: str
    name: str
    name_en: str
    above: list[tuple[str, str]]
    outline: Any
    grids: gpd.GeoDataFrame
    posts: Mapping[str, list[dict[str, Any]]]
    source: Source
    attribution: str
    crs: pyproj.CRS
    made: date = field(default_factory=date.today)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the community and its grids, in metres."""
        boxes = np.vstack([np.asarray(self.outline.bounds), self.grids.total_bounds])
        low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


@dataclass(frozen=True, slots=True)
class Ground:
    """What lies in the map's window, in metres: lines with ``cls`` and ``name``, shapes with ``name``."""

    streets: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    water: gpd.GeoDataFrame
    neighbours: gpd.GeoDataFrame


def source_of(connection: sa.Connection, plan: int | None, generation: int | None) -> Source:
    """The plan asked for, else the generation, else the generation in force. Raises NotFound."""
    if plan is not None:
        return Source(plan_row(connection, plan), None)
    found = generation_by_id(connection, generation) if generation is not None else current_generation(connection)
    if found is None:
        raise NotFound("no plan is published yet; publish one first, or name a draft with plan=")
    return Source(None, found)


def codes_of(connection: sa.Connection, area: str, source: Source) -> list[str]:
    """Communities of an area that have grids to show, by code. Raises NotFound."""
    inside = communities_of(connection, area)["code"].astype(str).tolist()
    g = t.grids.c
    having = sa.select(g.community).distinct().where(_shown(source), g.community.in_(inside))
    found = sorted(connection.scalars(having))
    if not found:
        of = f"plan {source.plan.id}" if source.plan else f"generation {source.generation.id}"  # type: ignore[union-attr]
        raise NotFound(f"area {area} has no grids in {of}")
    return found


def _shown(source: Source) -> sa.ColumnElement[bool]:
    if source.plan is not None:
        return t.grids.c.plan == source.plan.id
    assert source.generation is not None
    return in_force(source.generation.id, system=COMPREHENSIVE)


def read_community(connection: sa.Connection, code: str, source: Source) -> Community:
    """A community, its grids of all levels in order of their codes, and the posts stored for them. Raises NotFound."""
    known = read_rows(connection, t.areas, where=[t.areas.c.code.in_([code, code[:9], code[:6]])]).set_index("code")
    if code not in known.index:
        raise NotFound(f"community {code!r} is not known here; /api/v1/areas lists those that are")
    grids = read_rows(connection, t.grids, where=[_shown(source), t.grids.c.community == code])
    if grids.empty:
        raise NotFound(f"community {code} has no grids to show; publish a plan for it, or name a draft with plan=")
    grids = grids.sort_values(["code"], kind="stable").reset_index(drop=True)
    row = known.loc[[code]]
    crs = metric_crs(row)
    above = [
        (str(known.at[up, "name"]), str(known.at[up, "name_en"])) for up in (code[:6], code[:9]) if up in known.index
    ]
    posts = stored_posts(connection).stored
    said = sa.select(t.imports.c.attribution).where(t.imports.c.attribution != "").distinct()
    return Community(
        code, str(row["name"].iloc[0]), str(row["name_en"].iloc[0]), above, row.to_crs(crs).geometry.iloc[0],
        grids.to_crs(crs), {place: posts[place] for place in grids["code"] if place in posts}, source,
        " · ".join(sorted(connection.scalars(said))), crs,
    )  # fmt: skip


def read_ground(
    connection: sa.Connection, community: Community, window: tuple[float, float, float, float], scale: int
) -> Ground:
    """Streets, buildings, water and neighbouring communities in a window (metres of ``community.crs``).

    Small streets and buildings are left out at small scales, and buildings beyond the community too where there are
    more than `SHEET_FEATURES_MAX`.
    """
    to_degrees = pyproj.Transformer.from_crs(community.crs, t.SRID, always_xy=True)
    west, south, east, north = to_degrees.transform_bounds(*window, densify_pts=21)

    def near(table: sa.Table) -> Any:
        return table.c.geometry.bool_op("&&")(sa.func.ST_MakeEnvelope(west, south, east, north, t.SRID))

    def read(table: sa.Table, columns: list[str], *where: Any) -> gpd.GeoDataFrame:
        return read_rows(connection, table, columns=columns, where=[near(table), *where]).to_crs(community.crs)

    classes = [cls for cls in _classes() if cls not in SMALL or scale <= DETAIL[SMALL[cls]]]
    own: list[sa.ColumnElement[bool]] = []
    if scale > DETAIL["buildings"]:
        own = [sa.false()]
    else:
        count = sa.select(sa.func.count()).select_from(t.buildings).where(near(t.buildings))
        if int(connection.scalar(count) or 0) > SHEET_FEATURES_MAX:
            own = [t.buildings.c.community == community.code]
    return Ground(
        read(t.streets, ["name", "cls", "tunnel"], t.streets.c.cls.in_(classes)),
        read(t.buildings, ["name", "kind", "compound_id"], *own),
        read(t.water, ["name", "kind"]),
        read(t.areas, ["code", "name", "name_en"], t.areas.c.level == "community", t.areas.c.code != community.code),
    )


def _classes() -> tuple[str, ...]:
    return ("foot", "service", "residential", "tertiary", "secondary", "primary", "rail")
