"""The facility table of the life circle as data: read from CSV, every row checked."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Final

import pandas as pd

from data.osm_rules import compile_rules
from gisgrid.errors import BadInput

FACILITY_COLUMNS: Final = ("category", "tier", "minutes", "metres", "name_zh", "name_en")
MOST: Final = {"tier": 120, "minutes": 120, "metres": 20_000}
"""Largest number each column may hold; minutes are those of the longest journey a circle may be asked for."""
CODE_CHARS: Final = 60


def read_facility_categories(path: Path) -> pd.DataFrame:
    """A user's facility table (UTF-8 or GB 18030 CSV, ``#`` begins a comment): `FACILITY_COLUMNS` and, where facilities
    are to be found in OpenStreetMap extracts, ``osm``. Raises BadInput naming row and field.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = raw.decode("gb18030")
        except UnicodeDecodeError as error:
            raise BadInput(f"{path}: is neither UTF-8 nor GB 18030 text; give a CSV file") from error
    try:
        frame = pd.read_csv(StringIO(text), dtype=str, keep_default_na=False, comment="#", skip_blank_lines=True)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise BadInput(f"{path}: is no table: {' '.join(str(error).split())}") from error
    return checked(frame, str(path))


def checked(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """The table with whole numbers where numbers belong. Raises BadInput for the first row that cannot be used."""
    missing = [name for name in FACILITY_COLUMNS if name not in frame]
    if missing:
        raise BadInput(f"{where} lacks the column {missing[0]!r}; it needs {', '.join(FACILITY_COLUMNS)}")
    if not len(frame):
        raise BadInput(f"{where} has no rows; give a category a row")
    frame = frame.copy()
    for name in ("tier", "minutes", "metres"):
        numbers = pd.to_numeric(frame[name], errors="coerce")
        wrong = ~((numbers > 0) & (numbers % 1 == 0))
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise BadInput(f"{where} row {row + 1}: {name}={frame[name].iloc[row]!r} is not a positive whole number")
        if (numbers > MOST[name]).any():
            row = int((numbers > MOST[name]).to_numpy().argmax())
            raise BadInput(f"{where} row {row + 1}: {name}={frame[name].iloc[row]!r} is above {MOST[name]}")
        frame[name] = numbers.astype(int)
    _check_texts(frame, where)
    _check_rules(frame, where)
    return frame


def _check_texts(frame: pd.DataFrame, where: str) -> None:
    for name in ("category", "name_zh", "name_en"):
        empty = frame[name].isna() | (frame[name].astype(str).str.strip() == "")
        if empty.any():
            raise BadInput(f"{where} row {int(empty.to_numpy().argmax()) + 1}: {name} is empty")
    codes = frame["category"].astype(str)
    odd = ~codes.str.fullmatch(rf"[\w-]{{1,{CODE_CHARS}}}")
    if odd.any():
        row = int(odd.to_numpy().argmax())
        told = f"category={codes.iloc[row]!r} is not made of letters, digits, _ and - ({CODE_CHARS} at most)"
        raise BadInput(f"{where} row {row + 1}: {told}")
    twice = codes.duplicated()
    if twice.any():
        row = int(twice.to_numpy().argmax())
        raise BadInput(f"{where} row {row + 1}: category={codes.iloc[row]!r} is given twice; keep one row")


def _check_rules(frame: pd.DataFrame, where: str) -> None:
    if "osm" not in frame:
        return
    for row, (category, rule) in enumerate(zip(frame["category"], frame["osm"].fillna("").astype(str), strict=True)):
        if rule.strip():
            try:
                compile_rules([(category, rule)])
            except BadInput as error:
                raise BadInput(f"{where} row {row + 1}: osm: {error.message}") from error


def osm_rules_of(table: pd.DataFrame) -> pd.DataFrame | None:
    """The rows that tell how their facilities look in OpenStreetMap; None (the built-in rules) where none does."""
    if "osm" not in table:
        return None
    said = table[table["osm"].fillna("").astype(str).str.strip() != ""]
    return said if len(said) else None
