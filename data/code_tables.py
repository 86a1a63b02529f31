"""The code tables of the field, from CSV into PostGIS: component classes and facility categories."""

from __future__ import annotations

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from data import tables as t
from data.facility_categories import FACILITY_COLUMNS as FACILITY_COLUMNS
from data.facility_categories import checked, read_facility_categories
from data.standards import table as builtin
from gisgrid.settings import Settings


def facility_categories(settings: Settings) -> pd.DataFrame:
    """The life-circle facility table: built in, or the user's own. Minutes and metres are whole numbers.

    Raises BadInput as `data.facility_categories.read_facility_categories` does.
    """
    own = settings.facility_categories
    return read_facility_categories(own) if own else checked(builtin("facility_categories"), "facility_categories.csv")


def sync_code_tables(connection: sa.Connection, settings: Settings) -> None:
    """Bring the tables in the database to what the CSV files say; classes in use are never taken away."""
    classes = builtin("component_classes")
    classes["is_local"] = classes["is_local"].str.lower().isin(["true", "1", "yes"])
    _upsert(connection, t.component_classes, classes)
    _upsert(connection, t.facility_categories, facility_categories(settings))


def _upsert(connection: sa.Connection, table: sa.Table, rows: pd.DataFrame) -> None:
    names = [column.name for column in table.columns if column.name in rows.columns]
    wanted = [tuple(row) for row in rows[names].itertuples(index=False)]
    present = {tuple(row) for row in connection.execute(sa.select(*[table.c[name] for name in names]))}
    changed = [dict(zip(names, row, strict=True)) for row in wanted if row not in present]
    if not changed:
        return
    statement = insert(table)
    keys = [column.name for column in table.primary_key.columns]
    update = {name: statement.excluded[name] for name in names if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=update), changed)
