"""Features sent to be stored: the same rules as imports, one feature, one statement, no change by bad input.

Layers that may be edited are components and facilities (and their parts by class and category). The tag of a feature
is a hash of its row as stored: it needs no column of its own, and imports change it too.
"""

from __future__ import annotations

import math
import uuid
from typing import Any, Final

import geopandas as gpd
import pandas as pd
import shapely
import sqlalchemy as sa
from geoalchemy2 import Geometry

from data import tables as t
from data.importers import clean_layer
from gisgrid.errors import BadInput, Conflict, NotFound
from gisgrid.limits import DESCRIPTION_CHARS_MAX, FEATURE_VERTICES_MAX
from layers.catalog import Layer
from layers.collections.crs import Crs
from layers.collections.pages import has_key
from layers.filters.geometries import read_geojson, to_lonlat

TABLES: Final = {"components": t.components, "facilities": t.facilities}
SOURCE: Final = "ogc"
"""The source of what is made over OGC API Features; importing a source again leaves what has another one alone."""
_KEPT: Final = frozenset({"source"})
"""Attributes that say where a row came from: never sent."""
_LOCK: Final = 44900006
"""Codes are given one after the other."""

Feature = dict[str, Any]
Tag = str


def table_of(layer: Layer) -> sa.Table:
    """The table an editable layer's features are rows of."""
    return TABLES[layer.base or layer.name]


def written_names(layer: Layer) -> set[str]:
    """Names of the properties that may be sent; none for a layer that cannot be edited."""
    if not layer.editable:
        return set()
    columns = set(table_of(layer).columns)
    return {a.name for a in layer.attributes if a.column in columns and a.name not in _KEPT}


def row_tag(layer: Layer) -> sa.ColumnElement[str]:
    """A hash of all a feature tells and is stored as: differs whenever it may look different."""
    table = table_of(layer)
    computed = [a.column for a in layer.attributes if a.column not in set(table.columns)]
    row = sa.cast(sa.literal_column(table.name), sa.Text)
    return sa.func.md5(sa.func.concat(row, *computed), type_=sa.Text)


def stored_tag(connection: sa.Connection, layer: Layer, key: str) -> Tag:
    """The tag of a feature as it is now. Raises NotFound."""
    query = sa.select(row_tag(layer)).where(*layer.where, has_key(layer, key))
    found = connection.scalar(query)
    if found is None:
        raise NotFound(f"{layer.name} has no feature {key[:100]!r}")
    return str(found)


def insert(connection: sa.Connection, layer: Layer, sent: Any, crs: Crs) -> str:
    """Store a new feature; its key. Raises BadInput, or Conflict when its code is in use. The caller commits."""
    given = _properties(layer, sent)
    shape = _shape(sent, crs)
    table = table_of(layer)
    if table is t.components and given.get("component_code") is None:
        given["component_code"] = _next_code(connection, given, shape)
    if table is t.facilities and given.get("facility_id") is None:
        given["facility_id"] = f"f{uuid.uuid4().hex[:12]}"
    if table is t.components:
        _fill_class(connection, given)
    values = _checked(layer, given, shape) | {"source": SOURCE}
    key = _run(connection, sa.insert(table).values(values).returning(layer.key))
    _check_member(connection, layer, str(key))
    return str(key)


def replace(
    connection: sa.Connection, layer: Layer, key: str, sent: Any, crs: Crs, tag: Tag, *, place: bool = True
) -> bool:
    """Put a feature in place of the stored one; False when that is no longer the one of ``tag``.

    ``place`` False: the stored geometry stays, to its last digit.

    One statement compares and writes: of several who saw the same tag, one wins. Raises BadInput, Conflict. The
    caller commits.
    """
    given = _properties(layer, sent)
    table = table_of(layer)
    name = "component_code" if table is t.components else "facility_id"
    if given.get(name) is None:
        given[name] = connection.scalar(sa.select(table.c[name]).where(has_key(layer, key)))
    if table is t.components and given[name] != key:
        raise BadInput(f"component_code {given[name]!r} is not that of the address ({key}); delete and make it anew")
    if table is t.components:
        _fill_class(connection, given)
    values = _checked(layer, given, _shape(sent, crs))
    if not place:
        del values["geometry"]
    update = sa.update(table).where(has_key(layer, key), row_tag(layer) == tag).values(values).returning(layer.key)
    if _run(connection, update) is None:
        return False
    _check_member(connection, layer, key)
    return True


def delete(connection: sa.Connection, layer: Layer, key: str, tag: Tag) -> bool:
    """Delete the feature of ``tag``; False when it is no longer that one. The caller commits."""
    table = table_of(layer)
    gone = sa.delete(table).where(has_key(layer, key), row_tag(layer) == tag).returning(layer.key)
    return _run(connection, gone) is not None


def merged(stored: Any, patch: Any) -> Any:
    """RFC 7396: the stored feature with what the patch says; null takes a property away."""
    if not isinstance(patch, dict):
        return patch
    result = dict(stored) if isinstance(stored, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif name == "geometry":  # a geometry of another type is a new one, not a mixture
            result[name] = value
        else:
            result[name] = merged(result.get(name), value)
    return result


def _properties(layer: Layer, sent: Any) -> Feature:
    """The properties that are stored. Raises BadInput."""
    if not isinstance(sent, dict) or sent.get("type") != "Feature":
        raise BadInput("the body is no GeoJSON Feature; send one with type, geometry and properties")
    properties = sent.get("properties")
    if properties is None:
        properties = {}
    if not isinstance(properties, dict):
        raise BadInput("properties is no object")
    writable = written_names(layer)
    for name, value in properties.items():
        if layer.attribute(name) is None:
            raise BadInput(f"{layer.name} has no property {name[:60]!r}; its schema lists them")
        if name in writable and value is not None:
            _check_text(name, value)
    return {name: properties.get(name) for name in writable}


def _check_text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise BadInput(f"{name}={str(value)[:60]!r} is no text; put it in quotes")
    if len(value) > DESCRIPTION_CHARS_MAX:
        raise BadInput(f"{name} has {len(value)} characters, more than {DESCRIPTION_CHARS_MAX}")
    if any((c < " " and c not in "\n\t") or "\ud800" <= c <= "\udfff" for c in value):
        raise BadInput(f"{name} holds a character that cannot be stored")


def _shape(sent: Feature, crs: Crs) -> Any:
    """The geometry in degrees. Raises BadInput."""
    shape = read_geojson(sent.get("geometry"), where="the feature")
    count = int(shapely.get_num_coordinates(shape))
    if count == 0 or count > FEATURE_VERTICES_MAX:
        raise BadInput(f"the geometry has {count} vertices; give 1 to {FEATURE_VERTICES_MAX}")
    if not all(math.isfinite(value) for value in shapely.bounds(shape)):
        raise BadInput("the geometry has coordinates that are not finite")
    return to_lonlat(shape, crs, where="the feature")


def _checked(layer: Layer, given: Feature, shape: Any) -> Feature:
    """The row as the rules of imports make it. Raises BadInput with the rule it breaks."""
    name = layer.base or layer.name
    frame = gpd.GeoDataFrame(
        pd.DataFrame({key: pd.Series([value], dtype=object) for key, value in given.items()}),
        geometry=[shape], crs=f"EPSG:{t.SRID}",
    )  # fmt: skip
    try:
        rows, report = clean_layer(frame, name)
    except BadInput as error:
        raise BadInput(error.message.rpartition("first: row 1: ")[2]) from None
    if len(rows) != 1:
        raise BadInput("the geometry has several parts; a facility is one point")
    if report.repaired:
        raise BadInput("the outline of the geometry is not valid (it crosses itself); repair it")
    row = rows.iloc[0]
    values = {key: None if pd.isna(row[key]) else row[key] for key in given}
    if name == "components":
        code = str(values["component_code"])
        if code[6:10] != f"{values['major']}{values['minor']}":
            told = f"major {values['major']} and minor {values['minor']}"
            raise BadInput(f"component_code {code} is not of {told} (its digits 7 to 10)")
    columns = table_of(layer).c
    plain = {key: "" if value is None and not columns[key].nullable else value for key, value in values.items()}
    wkb = shapely.to_wkb(row.geometry)
    kind = Geometry("GEOMETRY", srid=t.SRID)
    return plain | {"geometry": sa.func.ST_GeomFromWKB(sa.literal(wkb, sa.LargeBinary), t.SRID, type_=kind)}


def _next_code(connection: sa.Connection, given: Feature, shape: Any) -> str:
    """A component's 16 digits: district, major, minor, the next number. Raises BadInput."""
    major, minor = given.get("major"), given.get("minor")
    for name, value in (("major", major), ("minor", minor)):
        if not (isinstance(value, str) and len(value) == 2 and value.isascii() and value.isdecimal()):
            raise BadInput(f"{name}={value!r}: give its two digits, or the whole component_code")
    inner = sa.func.ST_GeomFromWKB(sa.literal(shapely.to_wkb(shapely.point_on_surface(shape)), sa.LargeBinary), t.SRID)
    inside = sa.func.ST_Covers(t.areas.c.geometry, inner, type_=sa.Boolean)
    area = connection.scalar(sa.select(sa.func.min(t.areas.c.code)).where(inside))
    if area is None:
        raise BadInput("the component lies in no stored area, so its code cannot be made; give component_code")
    stem = f"{area[:6]}{major}{minor}"
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    code = t.components.c.component_code
    newest = connection.scalar(sa.select(sa.func.max(code)).where(code >= stem, code <= stem + "999999"))
    number = int(newest[10:]) + 1 if newest else 1
    if number > 999_999:
        raise Conflict(f"all numbers of components {stem} are in use; give component_code")
    return f"{stem}{number:06d}"


def _fill_class(connection: sa.Connection, given: Feature) -> None:
    """Standard and kind of a component that leaves them out, from its class. Raises BadInput for an unknown class."""
    code = given.get("component_code")
    for name, digits in (("major", slice(6, 8)), ("minor", slice(8, 10))):
        given[name] = given.get(name) or (code or "")[digits]
    columns = t.component_classes.c
    told = {name: given[name] for name in ("standard", "kind", "major", "minor") if given.get(name)}
    query = sa.select(columns.standard, columns.kind).where(*[columns[name] == value for name, value in told.items()])
    found = connection.execute(query.order_by(columns.is_local, columns.standard, columns.kind).limit(1)).first()
    if found is None:
        shown = ", ".join(f"{name} {value}" for name, value in told.items())
        raise BadInput(f"there is no component class with {shown[:200]}; /api/v1/components/classes lists them")
    given["standard"], given["kind"] = found


def _check_member(connection: sa.Connection, layer: Layer, key: str) -> None:
    """What is stored must be a feature of this layer. Raises BadInput; the caller rolls back."""
    if connection.scalar(sa.select(sa.true()).where(*layer.where, has_key(layer, key))) is None:
        raise BadInput(f"this would be no feature of {layer.name}; send it to {layer.base or layer.name}")


def _run(connection: sa.Connection, statement: Any) -> Any:
    """The key a statement returns, None for no row. Raises Conflict for a key in use, BadInput for a broken rule."""
    try:
        return connection.execute(statement).scalar()
    except sa.exc.IntegrityError as error:
        lines = str(error.orig).splitlines()
        if getattr(error.orig, "sqlstate", "") == "23505":
            raise Conflict("a feature with this code is stored already; change it with PUT") from None
        raise BadInput(f"the database refused the feature: {lines[0][:160]}") from None
    except sa.exc.DataError as error:
        raise BadInput(f"the database refused the feature: {str(error.orig).splitlines()[0][:160]}") from None
