"""The questions of MapIt, one function each, on an open connection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from flask import Response, redirect, request

from api.mapit import answers
from api.mapit.asked import Asked, number, whole_id, whole_ids
from api.state import state
from data import mapit, mapit_shapes
from gisgrid.crs import check_lonlat, metric_crs, point_to_storage
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import KEY_CHARS_MAX

NO_POSTCODES = "there are no postcodes here; ask with a point, or an address at /api/v1/locate?address="


@dataclass(frozen=True, slots=True)
class Question:
    """One request: its parameters, the connection it is answered on, the generation in force."""

    asked: Asked
    connection: sa.Connection
    current: int | None

    def span(self) -> mapit.Span:
        """The generations it is about. Raises BadInput."""
        given, since = self.asked.whole("generation"), self.asked.whole("min_generation")
        return mapit.span(self.connection, current=self.current, generation=given, since=since)


def generations(question: Question) -> Response:
    """Every generation, by number."""
    return answers.plain({str(row["id"]): row for row in mapit.generations(question.connection)})


def point(question: Question, srid: str, x: str, y: str, box: str | None = None) -> Response:
    """Areas at a point; with ``box``, those whose bounding box holds it."""
    lon, lat = _lonlat(srid, x, y)
    when, types = question.span(), question.asked.types
    if question.asked.nowhere:
        return answers.plain({})
    owner = None if box else _owner(when, lon, lat)
    rows = mapit.at_point(question.connection, lon, lat, types, when, owner=owner, box=bool(box))
    return _listed(question, iter(rows))


def _owner(when: mapit.Span, lon: float, lat: float) -> str | None:
    """The owning grid by the index in memory, where it holds the generation asked for."""
    loaded = state().current.get()
    if loaded is None or not when.one or when.until != loaded.generation.id:
        return None
    row = loaded.index.row(lon, lat)
    return str(loaded.grids[row]["code"]) if row >= 0 else None


def _lonlat(srid: str, x: str, y: str) -> tuple[float, float]:
    system = whole_id(srid)
    lon, lat = point_to_storage(number(x, "x"), number(y, "y"), f"EPSG:{system}")
    if not np.isfinite([lon, lat]).all():
        raise BadInput(f"{x},{y} lies outside the area EPSG:{system} is made for")
    check_lonlat(lon, lat)
    return lon, lat


def point_latlon(question: Question, lat: str, lon: str, box: str | None = None) -> Response:
    """Latitude first: sent on to the address with longitude first."""
    x, y = number(lon, "lon"), number(lat, "lat")
    return _sent_on(f"point/4326/{x!r},{y!r}{'/box' if box else ''}")


def area(question: Question, area: str) -> Response:
    """One area by its number, whatever its generation; a code is sent on to its number."""
    key, _ = _known(question, area)
    if key != whole_id(area):
        return _sent_on(f"area/{key}")
    (found,) = mapit.by_ids(question.connection, [key], question.span().current)
    return answers.plain(answers.area(found, names=True))


def _known(question: Question, area: str) -> tuple[int, str]:
    """Number and code of an area given by either: they differ in length. Raises BadInput, NotFound."""
    key = whole_id(area)
    code = mapit.numbers(question.connection, [key]).get(key)
    if code is not None:
        return key, code
    number = mapit.number_of(question.connection, area)
    if number is None:
        raise NotFound(f"there is no area {area}; /mapit/areas/COM lists the communities, for example")
    return number, area


def children(question: Question, area: str) -> Response:
    """Areas right below one."""
    (_, code), types, when = _known(question, area), question.asked.types, question.span()
    return _listed(question, mapit.children(question.connection, code, types, when))


def related(question: Question, area: str, relation: str) -> Response:
    """Areas that lie to one in a certain way."""
    (_, code), types, when = _known(question, area), question.asked.types, question.span()
    return _listed(question, mapit.related(question.connection, code, relation, types, when))


def areas(question: Question, ids: str) -> Response:
    """Areas by number; those that do not exist are left out."""
    return _listed(question, mapit.by_ids(question.connection, whole_ids(ids), question.span().current))


def by_type(question: Question, types: str) -> Response:
    """Areas of some types."""
    chosen = Asked({"type": types.strip(",")}).types
    return _listed(question, mapit.by_type(question.connection, chosen, question.span()))


def by_name(question: Question, name: str) -> Response:
    """Areas whose name begins with a text."""
    if len(name) > KEY_CHARS_MAX or "\x00" in name:
        raise BadInput(f"a name begins with at most {KEY_CHARS_MAX} characters, none of them NUL")
    if name.endswith((".wkt", ".kml", ".geojson")):
        raise BadInput("outlines of several areas come by number, as .kml or .geojson")
    return _listed(question, mapit.by_name(question.connection, name, question.asked.types, question.span()))


def by_code(question: Question, code_type: str, code: str) -> Response:
    """The area with a code: sent on to its number."""
    if code_type != "gisgrid":
        raise NotFound(f"there are no codes of type {code_type[:40]!r}, only gisgrid (areas and grids)")
    number = mapit.number_of(question.connection, code)
    if number is None:
        raise NotFound(f"no area has the code {code[:40]}")
    return _sent_on(f"area/{number}")


def geometry(question: Question, area: str) -> Response:
    """Extent, centre and size of an area."""
    key, _ = _known(question, area)
    return answers.plain(mapit_shapes.extents(question.connection, [key], _metric)[key])


def geometries(question: Question, ids: str) -> Response:
    """Extent, centre and size of several areas; empty for those that do not exist."""
    keys = whole_ids(ids)
    found = mapit_shapes.extents(question.connection, keys, _metric)
    return answers.plain({str(key): found.get(key, {}) for key in keys})


def _metric(box: mapit_shapes.Box) -> int:
    return int(metric_crs(box).to_epsg() or 0)


def outline(question: Question, area: str, form: str, srid: str | None = None) -> Response:
    """The outline of an area as KML, GeoJSON or WKT."""
    key, _ = _known(question, area)
    system, tolerance = whole_id(srid or "4326"), question.asked.tolerance
    text = "geojson" if form == "json" else form
    ((row, shape),) = mapit_shapes.shapes(question.connection, [key], form=text, srid=system, tolerance=tolerance)
    return answers.outline(row, shape, form)


def outlines(question: Question, ids: str, form: str, srid: str | None = None) -> Response:
    """The outlines of several areas as KML or GeoJSON."""
    system, tolerance = whole_id(srid or "4326"), question.asked.tolerance
    found = mapit_shapes.shapes(question.connection, whole_ids(ids), form=form, srid=system, tolerance=tolerance)
    if not found:
        raise NotFound("there is no area of these numbers")
    return answers.outlines(found, form)


def no_postcodes(question: Question) -> Response:
    """What asks for postcodes finds none."""
    raise NotFound(NO_POSTCODES)


def _listed(question: Question, rows: Iterator[mapit.Row]) -> Response:
    if question.asked.nowhere:
        return answers.plain({})
    return answers.areas(rows)


def _sent_on(address: str) -> Response:
    query = request.query_string.decode("ascii", "replace")
    response = redirect(f"/mapit/{address}{'?' + query if query else ''}")
    response.content_type = answers.JSON
    response.set_data(b"{}")
    return response  # type: ignore[return-value]
