"""Taking a foreign layer in: columns, values, geometry and place are checked row by row, the sound rows
come out in our columns and EPSG:4490, the others in a report that says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from data.files import read_layer
from data.households import Factor, estimate_households
from data.import_report import ImportReport
from data.import_schema import SCHEMAS, Schema
from data.import_values import match_columns, read_column
from data.layer_rules import apply_rules
from data.osm_areas import community_of
from data.repair import REFUSED, REPAIRED, repair
from gisgrid.crs import (
    FAULT_OUTSIDE,
    FAULT_SWAPPED,
    FAULT_TEXT,
    FAULT_ZONE,
    STORAGE_CRS,
    lonlat_faults,
    normalise,
    points_to_storage,
    to_storage,
)
from gisgrid.errors import BadInput
from gisgrid.oneway import plain_oneway

__all__ = ["LAYER_KINDS", "ImportReport", "clean_layer", "import_layer"]

Geometries = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

LAYER_KINDS: Final = tuple(name for name in SCHEMAS if name != "professional")
"""What ``--as`` takes; professional grids come in as grids with a system."""
LINE_MARGIN: Final = 0.05
"""Streets, water and walls may lie this far (degrees) outside the area: they lead into it."""
ZONE_MARGIN: Final = 3.0
"""Degrees beyond a projected system's area of use before coordinates count as wrong."""


def import_layer(
    spec: str | Path,
    as_: str,
    *,
    crs: str | int | None = None,
    area: gpd.GeoDataFrame | None = None,
    factors: dict[str, Factor] | None = None,
) -> tuple[gpd.GeoDataFrame, ImportReport]:
    """`read_layer` and `clean_layer` in one: ``spec`` is ``FILE`` or ``FILE:layer``. Raises BadInput like
    both.
    """
    _schema(as_)
    return clean_layer(read_layer(spec, layer=as_, crs=crs), as_, area=area, factors=factors)


def clean_layer(
    gdf: gpd.GeoDataFrame,
    as_: str,
    *,
    crs: str | int | None = None,
    area: gpd.GeoDataFrame | None = None,
    factors: dict[str, Factor] | None = None,
) -> tuple[gpd.GeoDataFrame, ImportReport]:
    """The sound rows of a layer in our columns (EPSG:4490), and a report of the rest.

    ``as_`` is one of `LAYER_KINDS`, or ``professional`` for grids of a professional system. ``crs`` says
    or overrides the coordinate system, gcj02 and bd09 included (a frame that `read_layer` already shifted
    is not shifted again). ``area``: areas the rows must touch (lines may lie `LINE_MARGIN` outside);
    communities among them are given to rows without one. Refused: rows with a null, empty or irreparable
    geometry, the wrong kind of geometry, a duplicate geometry or id, a bad value (negative or text
    households), swapped or impossible coordinates, or a place outside the area. Repairable outlines are
    repaired and counted. Buildings without households get an estimate (``factors``, `data.households`).

    Raises BadInput when a required column is missing, no CRS is known, or no row at all can be taken,
    with the reason.
    """
    schema = _schema(as_)
    if len(gdf) == 0:
        raise BadInput("the layer is empty", code="empty_layer")
    ledger = _Ledger(len(gdf))
    names = match_columns([str(column) for column in gdf.columns if column != gdf.geometry.name], schema)
    gdf = _as_driven(gdf, names.get("oneway")) if as_ == "streets" else gdf
    columns = {
        field.name: read_column(field, gdf[names[field.name]], ledger.refuse)
        if field.name in names
        else np.full(len(gdf), None, dtype=object)
        for field in schema.fields
    }
    geometry = _place(gdf, crs, as_, area, ledger)
    geometry, repaired = _shape(geometry, schema, ledger)
    apply_rules(as_, columns, geometry, ledger.refuse)
    _make_ids(schema, columns)
    _refuse_duplicates(schema, columns, geometry, ledger)
    report = _report(gdf, as_, ledger, repaired)
    frame = _finish(schema, columns, geometry, ledger.sound)
    frame = _fill(frame, as_, area, factors, report)
    report.taken = int(ledger.sound.sum())
    return frame, report


def _as_driven(streets: gpd.GeoDataFrame, column: str | None) -> gpd.GeoDataFrame:
    """One-way streets that run against their drawing, drawn the way they run."""
    if column is None:
        return streets
    plain, against = plain_oneway(streets[column])
    shapes = streets.geometry.to_numpy().copy()
    shapes[against] = shapely.reverse(shapes[against])
    return streets.assign(**{column: plain}).set_geometry(gpd.GeoSeries(shapes, index=streets.index, crs=streets.crs))


def _schema(as_: str) -> Schema:
    schema = SCHEMAS.get(as_)
    if schema is None:
        raise BadInput(f"cannot import as {as_!r}; known are {', '.join(LAYER_KINDS)}")
    return schema


class _Ledger:
    """Which rows are refused, each with its first reason and the short form it is counted under."""

    def __init__(self, rows: int) -> None:
        self.reasons = np.full(rows, None, dtype=object)
        self.short = np.full(rows, None, dtype=object)
        self.sound = np.ones(rows, dtype=bool)

    def refuse(self, rows: Mask, sentence: Callable[[int], str], short: str) -> None:
        fresh = np.flatnonzero(rows & self.sound)
        self.reasons[fresh] = [sentence(int(row)) for row in fresh]
        self.short[fresh] = short
        self.sound[fresh] = False


def _place(
    gdf: gpd.GeoDataFrame, crs: str | int | None, as_: str, area: gpd.GeoDataFrame | None, ledger: _Ledger
) -> Geometries:
    """Geometries in EPSG:4490; rows with impossible coordinates are refused, and a layer full of them is
    bad input.
    """
    name = None if crs is None else normalise(crs)
    shifted = gdf.attrs.get("shifted_from")
    stored = to_storage(gdf, None if name is not None and name == shifted else name)
    geometry: Geometries = stored.geometry.to_numpy()
    boxes = shapely.bounds(geometry)
    known = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    within = None if area is None else _bounds(to_storage(area))
    lines = as_ in ("streets", "water", "walls")
    faults = np.zeros(len(geometry), dtype=np.int8)
    faults[known] = lonlat_faults(boxes[known], within, margin=LINE_MARGIN if lines else 0.0)
    source = name or (normalise(gdf.crs) if gdf.crs is not None else STORAGE_CRS)
    _zone_faults(gdf, source, boxes, known, faults)
    if area is not None and not lines:
        union = shapely.union_all(to_storage(area).geometry.to_numpy())
        shapely.prepare(union)
        live = known & (faults == 0)
        faults[live & ~shapely.intersects(union, geometry)] = FAULT_OUTSIDE
    for fault in np.unique(faults[faults > 0]):
        text = FAULT_TEXT[int(fault)]
        rows = faults == fault
        if rows[known].all() and known.any():
            raise BadInput(f"every row ({int(known.sum())}): {text} [read as {source}]", code="wrong_coordinates")
        ledger.refuse(rows, lambda row: f"{text} ({_where(gdf.geometry.iloc[row])})", text)  # noqa: B023
    return geometry


def _where(geometry: Any) -> str:
    x, y = shapely.get_coordinates(geometry)[0]
    return f"x {x:.7g}, y {y:.7g}"


def _bounds(gdf: gpd.GeoDataFrame) -> tuple[float, float, float, float]:
    west, south, east, north = (float(value) for value in gdf.total_bounds)
    return west, south, east, north


def _zone_faults(gdf: gpd.GeoDataFrame, source: str, boxes: Geometries, known: Mask, faults: Geometries) -> None:
    """Projected coordinates far outside the system's own zone: swapped when east and north exchanged fit,
    else wrong.
    """
    if source in ("gcj02", "bd09", STORAGE_CRS, "EPSG:4326"):
        return
    system = pyproj.CRS.from_user_input(source)
    use = system.area_of_use
    if not system.is_projected or use is None:
        return
    zone = (use.west, use.south, use.east, use.north)
    rows = np.flatnonzero(known)
    outside = rows[lonlat_faults(boxes[rows], zone, margin=ZONE_MARGIN) > 0]
    if len(outside) == 0:
        return
    raw = shapely.bounds(gdf.geometry.to_numpy()[outside])
    lon, lat = points_to_storage(raw[:, 1], raw[:, 0], source)
    turned = lonlat_faults(np.column_stack((lon, lat, lon, lat)), zone, margin=ZONE_MARGIN) == 0
    faults[outside] = np.where(turned, FAULT_SWAPPED, FAULT_ZONE)


def _shape(geometry: Geometries, schema: Schema, ledger: _Ledger) -> tuple[Geometries, Mask]:
    """Geometries of the layer's kind, repaired where that is safe; also which rows were repaired."""
    result = geometry.copy()
    dimension = shapely.get_dimensions(result)
    sound = ledger.sound
    wanted = schema.geometry
    if wanted == "point":
        outline = sound & (dimension > 0) & shapely.is_valid(result)
        result[outline] = shapely.point_on_surface(result[outline])
    elif wanted == "line":
        outline = sound & (dimension == 2)
        result[outline] = shapely.boundary(result[outline])
        several = sound & (shapely.get_type_id(result) == 5)
        result[several] = shapely.line_merge(result[several])
    result, status, reasons = repair(result, "any" if wanted == "water" else wanted)
    if wanted == "water":
        points = (shapely.get_dimensions(result) == 0) & (status != REFUSED)
        ledger.refuse(points, lambda row: "the geometry is a point, not a line or polygon", "wrong kind of geometry")
    short = np.array([str(reason).split(" at ")[0] for reason in reasons], dtype=object)
    for kind in dict.fromkeys(short[status == REFUSED]):
        ledger.refuse((short == kind) & (status == REFUSED), lambda row: str(reasons[row]), str(kind))
    return result, (status == REPAIRED) & ledger.sound


def _make_ids(schema: Schema, columns: dict[str, Geometries]) -> None:
    ids = columns[schema.key[0]]
    if schema.prefix:
        taken = {value for value in ids if value is not None}
        for row in np.flatnonzero([value is None for value in ids]):
            made = f"{schema.prefix}{row + 1}"
            ids[row] = made if made not in taken else f"{made}-made"


def _refuse_duplicates(schema: Schema, columns: dict[str, Geometries], geometry: Geometries, ledger: _Ledger) -> None:
    keys = pd.MultiIndex.from_arrays([columns[name].astype(str) for name in schema.key])
    shown = "+".join(schema.key)
    first = _first_of(keys, ledger.sound)
    again = ledger.sound & (first != np.arange(len(geometry)))
    ledger.refuse(
        again,
        lambda row: f"{shown} {'+'.join(str(v) for v in keys[row])} is already used by row {first[row] + 1}",
        f"duplicate {shown}",
    )
    if schema.twins is None:
        return
    shapes = np.full(len(geometry), None, dtype=object)
    shapes[ledger.sound] = shapely.to_wkb(shapely.normalize(geometry[ledger.sound]))
    parts = [shapes, *(columns[name].astype(str) for name in schema.twins)]
    first_shape = _first_of(pd.MultiIndex.from_arrays(parts), ledger.sound)
    twins = ledger.sound & (first_shape != np.arange(len(geometry)))
    ledger.refuse(twins, lambda row: f"the same geometry as row {first_shape[row] + 1}", "duplicate geometry")


def _first_of(keys: pd.MultiIndex, sound: Mask) -> npt.NDArray[np.int64]:
    """For each row the first sound row with its key; rows that are not sound point at themselves."""
    numbers = np.arange(len(keys))
    first = numbers.copy()
    rows = np.flatnonzero(sound)
    groups = pd.factorize(keys[rows])[0]
    starts = np.full(groups.max(initial=-1) + 1, len(keys))
    np.minimum.at(starts, groups, rows)
    first[rows] = starts[groups]
    return first


def _report(gdf: gpd.GeoDataFrame, as_: str, ledger: _Ledger, repaired: Mask) -> ImportReport:
    sound = ledger.sound
    report = ImportReport(as_, read=len(gdf), refused=int((~sound).sum()), repaired=int((repaired & sound).sum()))
    report.count("repaired: the outline was invalid", report.repaired)
    for short, rows in pd.Series(ledger.short[~sound], dtype=object).value_counts(sort=False).items():
        report.count(str(short), int(rows))
    refused = gdf.loc[~sound].drop(columns=["row", "reason"], errors="ignore")
    refused.attrs = {}
    refused.insert(0, "row", np.flatnonzero(~sound) + 1)
    refused.insert(1, "reason", ledger.reasons[~sound])
    report.refused_rows = refused.reset_index(drop=True)
    if not sound.any():
        first = ledger.reasons[0]
        counted = "; ".join(f"{number} × {reason}" for reason, number in report.reasons.items())
        raise BadInput(
            f"no row can be taken as {as_}: {counted}; first: row 1: {first}",
            code="all_refused",
            report=report.as_dict(),
        )
    return report


def _finish(schema: Schema, columns: dict[str, Geometries], geometry: Geometries, sound: Mask) -> gpd.GeoDataFrame:
    """Sound rows with defaults and types; lines and water in parts become a row a part."""
    data: dict[str, Any] = {}
    for field in schema.fields:
        values = columns[field.name][sound]
        missing = np.array([value is None for value in values], dtype=bool)
        values = np.where(missing, field.default, values) if field.default is not None else values
        if field.type == "int" or (field.type == "count" and field.required):
            data[field.name] = values.astype(np.int64)
        elif field.type in ("count", "number", "speed"):
            data[field.name] = np.array([np.nan if value is None else value for value in values], dtype=float)
        elif field.type == "bool" and missing.any() and field.default is None:
            data[field.name] = pd.array(values, dtype="boolean")  # null: not told
        elif field.type == "bool":
            data[field.name] = values.astype(bool)
        else:
            data[field.name] = values
    frame = gpd.GeoDataFrame(data, geometry=geometry[sound], crs=STORAGE_CRS)
    if schema.geometry in ("line", "water", "point"):
        frame = _explode(frame, schema.key[0])
    return frame


def _explode(frame: gpd.GeoDataFrame, key: str) -> gpd.GeoDataFrame:
    parts, owner = shapely.get_parts(frame.geometry.to_numpy(), return_index=True)
    counts = np.bincount(owner, minlength=len(frame))
    if (counts == 1).all():
        return frame.set_geometry(gpd.GeoSeries(parts, index=frame.index, crs=frame.crs))
    result = frame.iloc[owner].reset_index(drop=True)
    nth = np.arange(len(owner)) - np.concatenate(([0], np.cumsum(counts)))[owner] + 1
    ids = result[key].astype(str).to_numpy(object)
    result[key] = [f"{i}-{n}" if counts[o] > 1 else i for i, n, o in zip(ids, nth, owner, strict=True)]
    return result.set_geometry(gpd.GeoSeries(parts, index=result.index, crs=frame.crs))


def _fill(
    frame: gpd.GeoDataFrame,
    as_: str,
    area: gpd.GeoDataFrame | None,
    factors: dict[str, Factor] | None,
    report: ImportReport,
) -> gpd.GeoDataFrame:
    """What follows from the rest: estimated households, communities, outlines of areas as multipolygons."""
    if as_ == "areas":
        shapes = frame.geometry.to_numpy()
        single = shapely.get_type_id(shapes) == 3
        shapes[single] = [shapely.MultiPolygon([shape]) for shape in shapes[single]]
        frame = frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))
    if as_ == "buildings":
        frame = estimate_households(frame, factors=factors)
        report.estimated = int(frame["estimated"].sum())
    else:
        for column in ("households", "population", "elderly", "priority", "buildings"):
            if column in frame.columns:
                frame[column] = frame[column].fillna(0).astype(np.int64)
    if area is not None and "community" in frame.columns and {"code", "level"} <= set(area.columns):
        found = community_of(shapely.point_on_surface(frame.geometry.to_numpy()), to_storage(area))
        given = frame["community"].to_numpy(object)
        frame["community"] = np.where(pd.isna(given), found, given)
    return frame
