"""The code tables of the field, from CSV into PostGIS: component classes and facility categories."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from data import tables as t
from data.standards import table as builtin
from gisgrid.errors import BadInput
from gisgrid.settings import Settings

FACILITY_COLUMNS = ("category", "tier", "minutes", "metres", "name_zh", "name_en")


def facility_categories(settings: Settings) -> pd.DataFrame:
    """The life-circle facility table: built in, or the user's own. Minutes and metres are whole numbers.

    Raises BadInput when a column is missing or a number is not positive.
    """
    own = settings.facility_categories
    frame = _read(own) if own else builtin("facility_categories")
    where = str(own) if own else "facility_categories.csv"
    missing = [name for name in FACILITY_COLUMNS if name not in frame]
    if missing:
        raise BadInput(f"{where} lacks the column {missing[0]!r}; it needs {', '.join(FACILITY_COLUMNS)}")
    for name in ("tier", "minutes", "metres"):
        numbers = pd.to_numeric(frame[name], errors="coerce")
        wrong = ~((numbers > 0) & (numbers % 1 == 0))
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise BadInput(f"{where} row {row + 1}: {name}={frame[name].iloc[row]!r} is not a positive whole number")
        frame[name] = numbers.astype(int)
    return frame


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False, comment="#")


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
