"""Outlines and extents of MapIt's areas, written by PostGIS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from data.mapit import Row, by_ids, fitting
from gisgrid.errors import BadInput

Box = tuple[float, float, float, float]


def shapes(
    connection: sa.Connection, ids: Sequence[int], *, form: str, srid: int = 4326, tolerance: float = 0.0
) -> list[tuple[Row, str]]:
    """Outlines as text: ``form`` geojson, kml (always EPSG:4326) or wkt, in any EPSG system, thinned by ``tolerance``
    in its unit (Douglas–Peucker).

    Raises BadInput when PROJ does not know the system or nothing is left of an outline.
    """
    texts = {"geojson": "ST_AsGeoJSON(shape, 15, 0)", "kml": "ST_AsKML(shape, 15)", "wkt": "ST_AsText(shape)"}
    moved = _in_system(connection, 4326 if form == "kml" else srid)
    thinned = f"ST_Simplify({moved}, :tolerance)" if tolerance else moved
    rows = {row.id: row for row in by_ids(connection, ids, 0)}
    query = f"""WITH outlines AS ({_latest_shapes()}), made AS (SELECT id, {thinned} AS shape FROM outlines)
                SELECT id, CASE WHEN NOT ST_IsEmpty(shape) THEN {texts[form]} END AS text FROM made ORDER BY id"""
    try:
        found = connection.execute(sa.text(query), {"ids": list(ids), "tolerance": tolerance, "srid": srid}).all()
    except (sa.exc.InternalError, sa.exc.DataError) as error:
        raise BadInput(f"the outline cannot be written in EPSG:{srid}: {str(error.orig).splitlines()[0]}") from error
    for row in found:
        if row.text is None:
            name = rows[row.id].name
            raise BadInput(
                f"simplifying {name} with tolerance {tolerance:g} left no boundary at all; give a smaller one"
            )
    return [(rows[row.id], row.text) for row in found]


def extents(connection: sa.Connection, ids: Sequence[int], srid_of: Callable[[Box], int]) -> dict[int, dict[str, Any]]:
    """Parts, extent and centroid in degrees and in metres, area in square metres, by number.

    ``srid_of``: the metric EPSG number for a box minx, miny, maxx, maxy in degrees.
    """
    names = ("parts", "min_lon", "min_lat", "max_lon", "max_lat", "centre_lon", "centre_lat")
    degrees = f"""SELECT id, ST_NumGeometries(shape), {_box_and_centre("shape")} FROM ({_latest_shapes()}) o"""
    found: dict[int, dict[str, Any]] = {}
    for key, *values in connection.execute(sa.text(degrees), {"ids": list(ids)}):
        found[key] = dict(zip(names, values, strict=True))
    metres = f"""SELECT id, ST_Area(moved), {_box_and_centre("moved")} FROM (
                 SELECT id, ST_Transform(shape, CAST(:srid AS integer)) AS moved FROM ({_latest_shapes()}) o) m"""
    names = ("area", "min_e", "min_n", "max_e", "max_n", "centre_e", "centre_n")
    by_system: dict[int, list[int]] = {}
    for key, about in found.items():
        about["srid_en"] = srid_of(tuple(about[name] for name in ("min_lon", "min_lat", "max_lon", "max_lat")))
        by_system.setdefault(about["srid_en"], []).append(key)
    for srid, keys in by_system.items():
        for key, *values in connection.execute(sa.text(metres), {"ids": keys, "srid": srid}):
            found[key] |= dict(zip(names, values, strict=True))
    return found


def _box_and_centre(shape: str) -> str:
    corners = [f"ST_{corner}({shape})" for corner in ("XMin", "YMin", "XMax", "YMax")]
    return ", ".join([*corners, f"ST_X(ST_Centroid({shape}))", f"ST_Y(ST_Centroid({shape}))"])


def _in_system(connection: sa.Connection, srid: int) -> str:
    if srid in (4326, 4490):  # WGS 84 and CGCS2000 are one to the centimetre, and so they are taken everywhere here
        return f"ST_SetSRID(shape, {srid})"
    known = sa.text("SELECT count(*) FROM spatial_ref_sys WHERE srid = :srid AND auth_name = 'EPSG'")
    if not connection.scalar(known, {"srid": fitting(srid, "SRID")}):
        raise BadInput(f"SRID {srid} is not known; give the number of an EPSG system, for example 4326")
    return "ST_Transform(shape, CAST(:srid AS integer))"


def _latest_shapes() -> str:
    """The newest outline of every number of :ids."""
    return """SELECT DISTINCT ON (id) id, geometry AS shape FROM (
                  SELECT i.id, a.geometry, 0 AS since
                  FROM mapit_ids i JOIN areas a ON a.code = i.code WHERE i.id = ANY(:ids)
                  UNION ALL SELECT i.id, g.geometry, lower(g.generations)
                  FROM mapit_ids i JOIN grids g ON g.code = i.code WHERE i.id = ANY(:ids) AND g.generations IS NOT NULL
              ) drawn ORDER BY id, since DESC"""
