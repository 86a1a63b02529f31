"""Reading the columns of a foreign layer: every value becomes ours, a default, or a reason why its row is
refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta, timezone
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.import_schema import Field, Schema
from data.osm_access import speed_value
from gisgrid.errors import BadInput

Values = npt.NDArray[Any]
Refuse = Callable[[npt.NDArray[np.bool_], Callable[[int], str], str], None]
"""Called with rows, the sentence for a row, and the short reason to count them under."""

CHINA: Final = timezone(timedelta(hours=8))
_OFFSET: Final = r"(?:Z|[+-]\d\d:?\d\d)$"
_TRUE: Final = frozenset({"true", "t", "yes", "y", "1", "1.0", "是", "-1", "b"})
_FALSE: Final = frozenset({"false", "f", "no", "n", "0", "0.0", "否", ""})


def match_columns(columns: list[str], schema: Schema) -> dict[str, str]:
    """Our column → theirs. Names match whatever their case; our own name first, then the further names in
    order, then the ten letters a shapefile leaves of our name. Raises BadInput when a required column is
    missing."""
    theirs: dict[str, str] = {}
    for column in columns:
        theirs.setdefault(column.strip().lower(), column)
    found: dict[str, str] = {}
    for field in schema.fields:
        for name in (field.name, *field.names, field.name[:10]):
            known_as = theirs.get(name.lower())
            if known_as is not None and known_as not in found.values():
                found[field.name] = known_as
                break
        if field.required and field.name not in found:
            known = ", ".join((field.name, *field.names))
            there = ", ".join(columns) or "none"
            raise BadInput(
                f"the layer has no column for {field.name} (known names: {known}); it has: {there}", field=field.name
            )
    return found


def read_column(field: Field, source: pd.Series[Any], refuse: Refuse) -> Values:
    """One column as an object array of our values, None where nothing is given; faults go to ``refuse``."""
    text = np.array([_text(value) for value in source], dtype=object)
    blank = np.array([value == "" for value in text], dtype=bool)
    if field.required:
        refuse(blank, lambda row: f"{field.name} is empty", f"{field.name} is empty")
    if field.type in ("count", "int", "number"):
        return _numbers(field, text, blank, refuse)
    if field.type == "speed":
        return _speeds(field, text, blank, refuse)
    if field.type == "bool":
        return _bools(field, text, blank, refuse)
    if field.type == "choice":
        return _choices(field, text, blank, refuse)
    if field.type == "time":
        return _times(field, text, blank, refuse)
    return _or_none(text, blank)


def _or_none(values: Values, blank: npt.NDArray[np.bool_]) -> Values:
    result = values.astype(object)
    result[blank] = None
    return result


def _text(value: Any) -> str:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))  # an id or a count that went through a float column
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return str(value).replace("\x00", "").strip()


def _numbers(field: Field, text: Values, blank: npt.NDArray[np.bool_], refuse: Refuse) -> Values:
    numbers = np.asarray(pd.to_numeric(_or_none(text, blank), errors="coerce"), dtype=float)
    no_number = ~blank & ~np.isfinite(numbers)
    refuse(no_number, lambda row: f"{field.name} {text[row]!r} is not a number", f"{field.name} is not a number")
    if field.type == "count":
        refuse(numbers < 0, lambda row: f"{field.name} {text[row]} is negative", f"{field.name} is negative")
        huge = numbers > field.most
        refuse(huge, lambda row: f"{field.name} {text[row]} is above {field.most}", f"{field.name} is too large")
    if field.type in ("count", "int"):
        broken = np.isfinite(numbers) & (numbers != np.rint(numbers))
        refuse(
            broken,
            lambda row: f"{field.name} {text[row]} is not a whole number",
            f"{field.name} is not a whole number",
        )
    return _or_none(numbers, ~np.isfinite(numbers))


def _speeds(field: Field, text: Values, blank: npt.NDArray[np.bool_], refuse: Refuse) -> Values:
    """Whole km/h; 0 and the words of OpenStreetMap that are no speed say nothing."""
    below = np.array([value.startswith("-") for value in text], dtype=bool)
    refuse(below, lambda row: f"{field.name} {text[row]} is negative", f"{field.name} is negative")
    return _or_none(np.array([speed_value(value) for value in text], dtype=object), blank)


def _bools(field: Field, text: Values, blank: npt.NDArray[np.bool_], refuse: Refuse) -> Values:
    lower = [value.lower() for value in text]
    unknown = np.array([value not in _TRUE and value not in _FALSE for value in lower], dtype=bool)
    refuse(unknown, lambda row: f"{field.name} {text[row]!r} is neither yes nor no", f"{field.name} is not yes or no")
    return _or_none(np.array([value in _TRUE for value in lower], dtype=object), blank)


def _choices(field: Field, text: Values, blank: npt.NDArray[np.bool_], refuse: Refuse) -> Values:
    if not field.choices:
        return _or_none(text, blank)
    found = np.array([field.choices.get(value, field.choices.get(value.lower())) for value in text], dtype=object)
    unknown = np.array([value is None for value in found], dtype=bool) & ~blank
    if field.other is not None:
        found[unknown] = field.other
        return found
    ours = ", ".join(dict.fromkeys(field.choices.values()))
    refuse(unknown, lambda row: f"{field.name} {text[row]!r} is unknown; known are {ours}", f"{field.name} is unknown")
    return found


def _times(field: Field, text: Values, blank: npt.NDArray[np.bool_], refuse: Refuse) -> Values:
    """ISO 8601 in China's time, +08:00, to the second; a time without an offset is China's. ``…_date``
    columns: dates.
    """
    plain: Any = pd.Series(text, dtype="str")
    offset = plain.str.contains(_OFFSET, regex=True).to_numpy(bool)
    moments: Any = pd.to_datetime(plain.where(offset), format="ISO8601", errors="coerce", utc=True)
    local = pd.to_datetime(plain.where(~offset & ~blank), format="ISO8601", errors="coerce")
    moments = moments.dt.tz_convert(CHINA).where(offset, local.dt.tz_localize(CHINA))
    odd = np.flatnonzero(moments.isna().to_numpy() & ~blank)  # 2024-5-1 8:00, 2024年5月1日 and the like
    moments.iloc[odd] = [_moment(value) or pd.NaT for value in text[odd]]
    bad = moments.isna().to_numpy() & ~blank
    refuse(bad, lambda row: f"{field.name} {text[row]!r} is not a date or time", f"{field.name} is not a date or time")
    form = "%Y-%m-%d" if field.name.endswith("date") else "%Y-%m-%dT%H:%M:%S+08:00"
    return _or_none(moments.dt.strftime(form).to_numpy(object), blank | bad)


def _moment(value: str) -> pd.Timestamp | None:
    try:
        moment = pd.Timestamp(re.sub(r"[/年月]", "-", value).replace("日", " ").strip())
    except ValueError:
        return None
    return moment.tz_convert(CHINA) if moment.tzinfo else moment.tz_localize(CHINA)
