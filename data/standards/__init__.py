"""Code tables of the field as CSV files: component classes, facility categories, household factors."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import pandas as pd


@cache
def _read(name: str) -> pd.DataFrame:
    with files(__package__).joinpath(f"{name}.csv").open("rb") as handle:
        return pd.read_csv(handle, dtype=str, keep_default_na=False, comment="#")


def table(name: str) -> pd.DataFrame:
    """The code table ``name`` (file ``data/standards/<name>.csv``), every column as text.

    Raises FileNotFoundError when there is no such table.
    """
    return _read(name).copy()
