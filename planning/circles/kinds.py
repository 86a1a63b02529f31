"""Facilities told apart: their category by code or by name, their ids as texts."""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.errors import BadInput

Objects = NDArray[np.object_]

WORDS_MOST: Final = 5
"""Unknown categories that are named in a sentence."""


def with_codes(facilities: gpd.GeoDataFrame, categories: pd.DataFrame) -> gpd.GeoDataFrame:
    """The facilities with the code of their category where they give its ``name_zh`` or ``name_en``.

    A code goes before a name; names are compared without case and outer blanks. What the table does not know stays
    as it is. Raises BadInput when it knows none of them.
    """
    codes = categories["category"].astype(str)
    known: dict[str, str] = {}
    for column in ("category", "name_zh", "name_en"):
        for word, code in zip(categories[column], codes, strict=True):
            if pd.notna(word):
                known.setdefault(_plain(str(word)), code)
    given = facilities["category"].to_numpy(object)
    exact = set(codes)
    found = [word if pd.isna(word) or word in exact else known.get(_plain(str(word)), word) for word in given]
    if not exact.intersection(word for word in found if isinstance(word, str)):
        raise BadInput(
            f"no facility is of a category of the table: column category holds {named(unknown(given, categories))}; "
            f"write codes or names of the table ({', '.join(codes[:3])}, …), or give a table of your own"
        )
    return facilities.assign(category=pd.Series(found, index=facilities.index, dtype=object))


def unknown(given: Objects, categories: pd.DataFrame) -> list[str]:
    """Words for categories the table does not hold, most frequent first, then in order."""
    words = pd.Series([str(word) for word in given if pd.notna(word) and word != ""], dtype=object)
    counts = words[~words.isin(categories["category"].astype(str))].value_counts()
    return sorted(counts.index.tolist(), key=lambda word: (-int(counts[word]), word))


def named(words: list[str]) -> str:
    """The first few words, and how many more there are."""
    told = ", ".join(repr(word) for word in words[:WORDS_MOST]) or "nothing"
    return told + (f" and {len(words) - WORDS_MOST} more" if len(words) > WORDS_MOST else "")


def with_ids(facilities: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The facilities with a ``facility_id``: their own, or the number of the row."""
    if "facility_id" in facilities:
        return facilities
    return facilities.assign(facility_id=[str(row + 1) for row in range(len(facilities))])


def facility_ids(facilities: gpd.GeoDataFrame) -> Objects:
    """Ids by row, and None behind the last, so that row -1 has none."""
    return np.concatenate([texts(facilities, "facility_id"), np.full(1, None, object)])


def texts(rows: gpd.GeoDataFrame, column: str) -> Objects:
    """A column as texts, None where it says nothing."""
    if column not in rows:
        return np.full(len(rows), None, object)
    return np.array([str(value) if pd.notna(value) and value != "" else None for value in rows[column]], object)


def _plain(word: str) -> str:
    return word.strip().casefold()
