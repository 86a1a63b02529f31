"""Layers in and out of PostGIS in bulk: COPY in, WKB out.

Rows carry the ``source`` they came from. Loading a source again replaces its rows, in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import shapely
import sqlalchemy as sa
from geoalchemy2 import Geometry

from data import tables
from gisgrid.crs import to_storage
from gisgrid.errors import BadInput, Broken


def replace_layer(connection: sa.Connection, layer: str, rows: gpd.GeoDataFrame, *, source: str) -> int:
    """Put ``rows`` in place of what ``source`` gave to ``layer`` before; the number of rows now there.

    ``rows`` carry the layer's columns; columns a table does not have are left out, missing ones take their default.
    """
    table = tables.metadata.tables[layer]
    if layer == "areas":
        return _upsert_areas(connection, rows, source)
    connection.execute(sa.delete(table).where(table.c.source == source))
    copy_rows(connection, table, rows.assign(source=source))
    return len(rows)


def copy_rows(connection: sa.Connection, table: sa.Table, rows: gpd.GeoDataFrame | pd.DataFrame) -> None:
    """COPY rows into a table; geometry is brought to EPSG:4490 and to the column's type.

    A missing value takes the column's default where the column must have one. Raises BadInput when a row breaks a rule
    of the table (the transaction is then to be rolled back), Broken when the connection is lost on the way.
    """
    names = [column.name for column in table.columns if column.name in rows.columns and not column.computed]
    columns = [_as_text(table.c[name], rows) for name in names]
    listed = ", ".join(f'"{name}"' for name in names)
    raw = connection.connection.driver_connection
    try:
        with raw.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({listed}) FROM STDIN') as copy:  # type: ignore[union-attr]
            for row in zip(*columns, strict=True):
                copy.write_row(row)
    except psycopg.OperationalError as error:
        raise Broken(f"the database went away: {why(error)}; nothing was stored", code="database_down") from error
    except (psycopg.IntegrityError, psycopg.DataError) as error:
        # COPY goes past SQLAlchemy, and so past its exceptions
        raise BadInput(f"the database refused a row of {table.name}: {why(error)}; nothing was stored") from error


def why(error: Exception) -> str:
    """What PostgreSQL said, in one line: the message and its first explanation, without the row itself."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return "; ".join(line for line in lines[:2] if "Failing row" not in line) or type(error).__name__


def insert_one(connection: sa.Connection, table: sa.Table, **values: Any) -> int:
    """Insert a row and return its id."""
    return int(connection.execute(sa.insert(table).values(**values).returning(table.c.id)).scalar_one())


def stored_names(table: sa.Table) -> list[str]:
    """Names of the columns that are given, not computed by the database."""
    return [column.name for column in table.columns if column.computed is None]


def read_rows(
    connection: sa.Connection, table: sa.Table, *, columns: Sequence[str] | None = None, where: Iterable[Any] = ()
) -> gpd.GeoDataFrame:
    """Rows of a table as a GeoDataFrame in EPSG:4490, in primary-key order."""
    names = [name for name in stored_names(table) if name != "geometry" and (columns is None or name in columns)]
    shape = sa.func.ST_AsBinary(table.c.geometry).label("geometry")
    query = sa.select(*[table.c[name] for name in names], shape).where(*where).order_by(*table.primary_key.columns)
    found = connection.execute(query).all()
    frame = pd.DataFrame(found, columns=[*names, "geometry"])
    geometry = shapely.from_wkb(np.array([bytes(value) for value in frame["geometry"]], dtype=object))
    return gpd.GeoDataFrame(frame.drop(columns="geometry"), geometry=geometry, crs=f"EPSG:{tables.SRID}")


def _upsert_areas(connection: sa.Connection, rows: gpd.GeoDataFrame, source: str) -> int:
    """Areas are referred to by code, so a newer outline takes the place of the older one in the same row."""
    names = stored_names(tables.areas)
    connection.exec_driver_sql("CREATE TEMP TABLE incoming_areas (LIKE areas) ON COMMIT DROP")
    incoming = sa.Table(
        "incoming_areas", sa.MetaData(), *[sa.Column(name, tables.areas.c[name].type) for name in names]
    )
    copy_rows(connection, incoming, rows.assign(source=source))
    update = ", ".join(f"{name} = EXCLUDED.{name}" for name in names if name != "code")
    # a parent that is neither here nor on its way would break the reference: such an area stands on top
    parent = "CASE WHEN parent IN (SELECT code FROM incoming_areas UNION SELECT code FROM areas) THEN parent END"
    values = ", ".join(parent if name == "parent" else name for name in names)
    connection.exec_driver_sql(
        f"INSERT INTO areas ({', '.join(names)}) SELECT {values} FROM incoming_areas "
        f"ON CONFLICT (code) DO UPDATE SET {update}"
    )
    connection.exec_driver_sql("DROP TABLE incoming_areas")
    return len(rows)


def _as_text(column: sa.Column[Any], rows: gpd.GeoDataFrame | pd.DataFrame) -> list[Any]:
    """Values of one column as COPY wants them: None for missing, EWKB hex for geometry."""
    if isinstance(column.type, Geometry):
        shapes = to_storage(gpd.GeoDataFrame(geometry=rows.geometry)).geometry.to_numpy()
        shapes = shapely.set_srid(_of_type(shapes, str(column.type.geometry_type)), tables.SRID)
        return list(shapely.to_wkb(shapes, hex=True, include_srid=True))
    values = rows[column.name]
    missing = values.isna().to_numpy()
    if isinstance(column.type, sa.Integer):
        values = values.astype("Int64")
    plain = values.astype(object).to_numpy()
    default = None if column.nullable else _default_of(column)
    return [default if gone else value for value, gone in zip(plain, missing, strict=True)]


def _default_of(column: sa.Column[Any]) -> Any:
    """What a column that must hold something holds when nothing is given: its plain default, or empty text."""
    given = column.server_default.arg if isinstance(column.server_default, sa.DefaultClause) else None
    if isinstance(given, str):
        return given
    return "" if isinstance(column.type, sa.Text) else None


def _of_type(shapes: np.ndarray[Any, Any], kind: str) -> np.ndarray[Any, Any]:
    """Single polygons become multi-polygons where the column is of that type."""
    if kind != "MULTIPOLYGON":
        return shapes
    single = shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON
    wrapped = shapes.copy()
    wrapped[single] = shapely.multipolygons(shapes[single], indices=np.arange(single.sum()))
    return wrapped
