"""Posts 岗位 that answer for grids and areas: names of posts, never of people."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa

from data import tables as t
from data.loading import copy_rows
from data.standards import table
from gisgrid.errors import BadInput

_TRUTH = {"": False, "0": False, "no": False, "否": False, "1": True, "yes": True, "是": True}
COLUMNS = ("place", "role", "post", "department", "first")


@dataclass(frozen=True, slots=True)
class Posts:
    """Stored posts by place; a place without any has the usual post of its level."""

    stored: dict[str, list[dict[str, Any]]]

    def of(self, level: str, code: str, name: str) -> list[dict[str, Any]]:
        """Posts of one link of a chain, those a report reaches first in front."""
        found = self.stored.get(code)
        if found is not None:
            return [{"level": level, "place": code, **post} for post in found]
        usual = usual_posts().get(level)
        if usual is None:
            return []
        role, first = usual
        return [
            {"level": level, "place": code, "role": role, "post": f"{name} {role}", "department": "", "first": first}
        ]


@cache
def usual_posts() -> dict[str, tuple[str, bool]]:
    """Role of the usual post of every level of the chain, and whether a report reaches it first."""
    return {row["level"]: (row["role"], row["first"] == "1") for row in table("posts").to_dict("records")}


def stored_posts(connection: sa.Connection) -> Posts:
    """Every stored post."""
    p = t.posts.c
    rows = connection.execute(
        sa.select(p.place, p.role, p.post, p.department, p.first).order_by(p.place, p.first.desc(), p.id)
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows.mappings():
        found.setdefault(row["place"], []).append({name: row[name] for name in COLUMNS[1:]})
    return Posts(found)


def read_posts(path: Path) -> pd.DataFrame:
    """Posts of a CSV file: ``place`` (code of a grid or area), ``role``, ``post``; optional ``department``, ``first``.

    Raises BadInput naming the row for a missing value, a place that is no code and a ``first`` that is not yes or no.
    """
    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", comment="#")
    except FileNotFoundError as error:
        raise BadInput(f"{path}: no such file") from error
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: is no CSV file in UTF-8 ({error})") from error
    missing = [name for name in ("place", "role", "post") if name not in rows]
    if missing:
        raise BadInput(f"{path}: has no column {missing[0]}; it needs place, role and post")
    for name in ("department", "first"):
        if name not in rows:
            rows[name] = ""
    rows = pd.DataFrame({name: rows[name].str.strip() for name in COLUMNS})
    _refuse(path, rows, ~rows["place"].str.fullmatch(r"[0-9]{6,30}"), "place", "is no code of a grid or an area")
    for name in ("role", "post"):
        _refuse(path, rows, rows[name] == "", name, "is empty")
    truth = (
        rows["first"]
        .str.lower()
        .map({"": False, "0": False, "no": False, "1": True, "yes": True, "是": True, "否": False})
    )
    _refuse(path, rows, truth.isna(), "first", "is neither yes nor no")
    twice = rows.duplicated(["place", "role", "post"])
    _refuse(path, rows, twice, "post", "is given twice for its place")
    rows["first"] = truth.astype(bool)
    return rows


def _refuse(path: Path, rows: pd.DataFrame, wrong: pd.Series[bool], column: str, why: str) -> None:
    if wrong.any():
        at = int(wrong.to_numpy().argmax())
        raise BadInput(f"{path} row {at + 1}: {column} {rows[column].iloc[at]!r} {why}", row=at + 1, field=column)


def replace_posts(connection: sa.Connection, rows: pd.DataFrame) -> int:
    """Put these posts in place of all stored ones; how many there are now."""
    connection.execute(sa.delete(t.posts))
    copy_rows(connection, t.posts, rows)
    return len(rows)
