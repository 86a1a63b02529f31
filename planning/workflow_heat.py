"""Heat of reports on stored data: reports and grids in force become arrays, a question chooses among them.

A report counts for the grid in force now that covers it (`gisgrid.locate`), whoever owned it when it came: rates and
rises compare grids as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pyproj
import shapely
import sqlalchemy as sa
from shapely.geometry.base import BaseGeometry

from data import tables as t
from data.event_classes import class_of, event_classes
from data.plans import generation_of, grids_in_force
from gisgrid.crs import STORAGE_CRS, metric_crs
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import HEAT_REPORTS_MAX
from gisgrid.locate import GridIndex
from planning.heat import Events, Span, make_events

WEIGHTS: Final = ("none", "recent")
HALF_LIFE: Final = 30.0
"""Days after which a report counts half where the recent ones are to count more."""
AREA_DIGITS: Final = (6, 9, 12)


@dataclass(frozen=True, slots=True)
class HeatSource:
    """All reports and the grids in force. ``grids``: metres in ``crs``; ``code``, ``name``, ``community``, ``kind``,
    ``households``, ``population``. ``names``: English names of major classes, where the code table has them."""

    events: Events
    grids: gpd.GeoDataFrame
    crs: pyproj.CRS
    generation: int
    zone: tzinfo
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a question is about. ``rows``: grids of the area asked; ``events``: reports of its classes in the period,
    in the area, and ``known``: of its classes in the area at any time; ``outside``: those in no grid at all."""

    source: HeatSource
    span: Span
    rows: np.ndarray[Any, np.dtype[np.int64]]
    events: Events
    known: Events
    outside: int

    def area(self) -> BaseGeometry:
        """The ground asked about, in metres."""
        return shapely.coverage_union_all(self.source.grids.geometry.to_numpy()[self.rows])


def read_heat(connection: sa.Connection, zone: tzinfo) -> HeatSource:
    """Every stored report, located in the grids in force. Raises NotFound before the first publish, BadInput where
    there are more reports than `HEAT_REPORTS_MAX`."""
    generation = generation_of(connection)
    if generation is None:
        raise NotFound("no plan is published yet, so there are no grids to tell the heat of; publish one first")
    grids = grids_in_force(connection, generation.id)
    stored = int(connection.scalar(sa.select(sa.func.count()).select_from(t.reports)) or 0)
    if stored > HEAT_REPORTS_MAX:
        raise BadInput(f"{stored:,} reports are stored; at most {HEAT_REPORTS_MAX:,} are looked at")
    r = t.reports.c
    place = (sa.func.ST_X(r.geometry), sa.func.ST_Y(r.geometry))
    when = sa.cast(sa.func.floor(sa.extract("epoch", r.reported_at)), sa.BigInteger)
    rows = connection.execute(sa.select(*place, when, r.major, r.minor).order_by(r.id)).all()
    columns: list[Sequence[Any]] = [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * 5
    lon, lat = (np.array(column, dtype=np.float64) for column in columns[:2])
    pairs = list(zip(columns[3], columns[4], strict=True))
    return heat_source(lon, lat, np.array(columns[2], dtype=np.int64), pairs, grids, zone, generation.id)


def heat_source(
    lon: np.ndarray[Any, Any],
    lat: np.ndarray[Any, Any],
    seconds: np.ndarray[Any, Any],
    pairs: Sequence[tuple[str, str]],
    grids: gpd.GeoDataFrame,
    zone: tzinfo,
    generation: int,
    *,
    weight: np.ndarray[Any, Any] | None = None,
) -> HeatSource:
    """Reports at lon, lat (EPSG:4490), in seconds since 1970 UTC, of pairs of major and minor class, over ``grids``
    (EPSG:4490)."""
    kinds = sorted(set(pairs))
    number = {pair: row for row, pair in enumerate(kinds)}
    kind = np.fromiter((number[pair] for pair in pairs), np.int64, len(pairs))
    index = GridIndex.build(grids.geometry.to_numpy(), grids["code"].astype(str).to_numpy())
    row = np.asarray(index.rows(lon, lat), dtype=np.int64)
    crs = metric_crs(grids)
    x, y = pyproj.Transformer.from_crs(STORAGE_CRS, crs, always_xy=True).transform(lon, lat)
    events = make_events(x, y, seconds, kind, kinds, row, zone, weight=weight)
    english = {one.major: one.major_en for one in event_classes().values()}
    return HeatSource(events, grids.to_crs(crs).reset_index(drop=True), crs, generation, zone, english)


def choose(
    source: HeatSource,
    *,
    classes: Sequence[str] = (),
    first: date | None = None,
    last: date | None = None,
    area: str = "",
    grids: Sequence[str] = (),
) -> Chosen:
    """What a question is about; days not given are those of the first and the last report stored.

    ``classes``: names of majors or minors, or codes of the event table (``04``, ``0403``). Raises BadInput for a class
    nobody reported and no table knows, and a period turned round; NotFound for an area without grids, an unknown grid.
    """
    everything = source.events.span()
    if everything is None:
        raise NotFound("no report is stored yet, so there is no heat to tell of; import or send some first")
    begin = first or (everything.first if last is None else min(everything.first, last))
    span = Span(begin, last or max(everything.last, begin))
    rows = _rows(source.grids, area, grids)
    among = np.zeros(len(source.grids) + 1, bool)  # the last for reports in no grid
    among[rows] = True
    wanted = wanted_kinds(source.events.kinds, classes)
    of_kind = wanted[source.events.kind] if len(wanted) else np.zeros(0, bool)
    known = source.events.take(of_kind & among[source.events.grid])
    stray = source.events.take(of_kind & (source.events.grid < 0)).during(span)
    return Chosen(source, span, rows, known.during(span), known, len(stray))


def wanted_kinds(kinds: Sequence[tuple[str, str]], classes: Sequence[str]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which of the pairs are asked for; all where nothing is. Raises BadInput for an unknown class."""
    chosen = np.full(len(kinds), not classes)
    table = event_classes().values()
    for text in classes:
        fits = np.array([text in _words(*pair) for pair in kinds], dtype=bool)
        if not fits.any() and not any(text in (one.code, one.code[:2], one.major, one.minor) for one in table):
            raise BadInput(f"class {text[:60]!r} is not known; give a name or code of /api/v1/heat, split by commas")
        chosen |= fits if len(fits) else False
    return chosen


def recent_weights(events: Events, span: Span) -> np.ndarray[Any, np.dtype[np.float64]]:
    """1 for a report of the last day, half of it `HALF_LIFE` days before; with mean 1, so that sums stay counts."""
    found = np.asarray(0.5 ** ((span.numbers[1] - events.day) / HALF_LIFE), dtype=np.float64)
    return found / found.mean() if len(found) else found


def _words(major: str, minor: str) -> tuple[str, ...]:
    known = class_of(major, minor)
    return (major, minor) if known is None else (major, minor, known.code, known.code[:2], known.major, known.minor)


def _rows(grids: gpd.GeoDataFrame, area: str, codes: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    inside = np.ones(len(grids), bool)
    if area:
        if not (area.isascii() and area.isdigit() and len(area) in AREA_DIGITS):
            raise BadInput(f"area {area[:40]!r} is no code of an area; give 6, 9 or 12 digits")
        inside = grids["community"].astype(str).str.startswith(area).to_numpy(bool)
        if not inside.any():
            raise NotFound(f"area {area} has no grids in force")
    if codes:
        known = grids["code"].astype(str)
        missing = [code for code in codes if not (known == code).any()]
        if missing:
            raise NotFound(f"there is no grid {missing[0][:40]} in force on the first level")
        inside &= known.isin(list(codes)).to_numpy(bool)
        if not inside.any():
            raise NotFound(f"none of the grids asked for lies in area {area}")
    return np.flatnonzero(inside)
