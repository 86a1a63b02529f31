"""What bodies of /api/v1/circles/… have in common: points given one by one, names, numbers in bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from apiflask.fields import Float, String
from apiflask.validators import OneOf

from api.locate.single import stored_point
from api.pages import Strict
from api.state import state
from data.code_tables import facility_categories
from gisgrid.errors import BadInput
from gisgrid.limits import CIRCLE_POINTS_MAX, CIRCLE_SECONDS_MAX, KEY_CHARS_MAX

FORMATS = ("zip", "json")
POINTS = f"points given: {{id, lon, lat}}, at most {CIRCLE_POINTS_MAX:,}"
CRS = "system of the points: wgs84, gcj02, bd09, cgcs2000 or EPSG:n"
TIME_LIMIT = f"seconds to look for the best, at most {CIRCLE_SECONDS_MAX:g}; then the best found, with its gap"
CATEGORIES = "facility categories, as /api/v1/facilities/categories lists them"


class PointBody(Strict):
    """One point given."""

    id = String(load_default="", metadata={"description": "what it is called; its row where it has no name"})
    lon = Float(required=True, metadata={"description": "longitude, or easting of a projected crs"})
    lat = Float(required=True, metadata={"description": "latitude, or northing of a projected crs"})


class FilesBody(Strict):
    """What file the job is to make."""

    format = String(
        load_default="zip",
        validate=OneOf(FORMATS),
        metadata={"description": "zip: a GeoPackage and report.json; json: layers as GeoJSON and the report in one"},
    )


def points_given(rows: Sequence[Mapping[str, Any]], crs: str) -> list[dict[str, Any]]:
    """Points in degrees of EPSG:4490, named. Raises BadInput that names the row."""
    if len(rows) > CIRCLE_POINTS_MAX:
        raise BadInput(f"points has {len(rows):,} rows; give at most {CIRCLE_POINTS_MAX:,}")
    out: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        name = row["id"] or str(number)
        if len(name) > KEY_CHARS_MAX or "\x00" in name:
            raise BadInput(f"points row {number}: id has to be 1 to {KEY_CHARS_MAX} characters without NUL")
        if name in seen:
            raise BadInput(f"points row {number}: id {name!r} is that of row {seen[name]} already")
        seen[name] = number
        try:
            lon, lat = stored_point(row["lon"], row["lat"], crs)
        except BadInput as error:
            raise BadInput(f"points row {number}: {error.message}", code=error.code) from error
        if not (math.isfinite(lon) and math.isfinite(lat)):
            raise BadInput(f"points row {number}: lon and lat are not finite numbers")
        out.append({"id": name, "lon": lon, "lat": lat})
    return out


def known_categories(names: Sequence[str]) -> list[str]:
    """Categories of the facility table, each once. Raises BadInput."""
    known = facility_categories(state().settings)["category"].tolist()
    for number, name in enumerate(names, start=1):
        if name not in known:
            raise BadInput(f"categories row {number}: {name!r} is not known; see /api/v1/facilities/categories")
        if names.index(name) != number - 1:
            raise BadInput(f"categories row {number}: {name!r} is given twice")
    return list(names)


def number_within(name: str, value: float | None, low: float, high: float, *, above: bool = False) -> None:
    """Raise BadInput for a number outside ``low`` … ``high``; ``above``: low itself is none either."""
    if value is None:
        return
    if not (low < value <= high if above else low <= value <= high):
        raise BadInput(f"{name}={value:g}: give {'more than ' if above else ''}{low:g} to {high:g}")


def by_category(name: str, given: Mapping[str, float], categories: Sequence[str], low: float) -> None:
    """Check numbers given by category. Raises BadInput."""
    for category, value in given.items():
        if category not in categories:
            raise BadInput(f"{name}: {category!r} is not among the categories asked for")
        if not (math.isfinite(value) and value >= low):
            raise BadInput(f"{name}: {category}={value:g} is not {low:g} or more")
