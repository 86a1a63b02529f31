"""Do the levels of a grid layer nest? Every deeper grid lies in its parent, and the children of a grid fill it."""

from __future__ import annotations

from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.codes import COMMUNITY_DIGITS, DEFAULT, GridScheme, is_digits
from gisgrid.limits import COVER_SLIVER_M2


class Finding(NamedTuple):
    """One thing wrong: its kind, the grid it is about, a line of text, square metres where that says something."""

    kind: str
    code: str
    text: str
    m2: float


def levels_of(grids: pd.DataFrame) -> NDArray[np.float64]:
    """Level of each row, 1 where nothing is said, shape (n,); levels told in words are numbered by the alphabet."""
    if "level" not in grids:
        return np.ones(len(grids))
    given = grids["level"]
    if _in_words(grids):
        words = given.astype(object).where(given.isna(), given.astype(str))
        return np.asarray(1 + np.maximum(pd.factorize(words, sort=True)[0], 0), dtype=np.float64)
    return np.asarray(pd.to_numeric(given).fillna(1), dtype=np.float64)


def _in_words(grids: pd.DataFrame) -> bool:
    """Whether levels are no numbers, so that nothing says which is above which."""
    return bool((pd.to_numeric(grids["level"], errors="coerce").isna() & grids["level"].notna()).any())


def grid_column(level: int) -> str:
    """Column of a units layer that holds the grid of a level: grid, grid_2, grid_3 …"""
    return "grid" if level == 1 else f"grid_{level}"


def finest_column(units: pd.DataFrame, grids: pd.DataFrame) -> str:
    """Column of `units` that holds their grid on the finest level of `grids`; ``grid`` where that is the only one.

    A column deeper than the grids go is left over from another plan.
    """
    deep = len(np.unique(levels_of(grids)))
    return next((name for name in map(grid_column, range(deep, 1, -1)) if name in units), "grid")


def layer_scheme(grids: gpd.GeoDataFrame) -> GridScheme:
    """The code scheme a layer of several levels follows by the lengths of its codes; DEFAULT where they tell none.

    A level whose parents have more than 99 children has wider numbers than usual, all of it.
    """
    if "code" not in grids or "level" not in grids:
        return DEFAULT
    levels = levels_of(grids)
    present = np.unique(levels)
    if len(present) < 2 or not np.array_equal(present, np.arange(1, len(present) + 1)):
        return DEFAULT
    codes = grids["code"].astype(object).to_numpy()
    widths, before = [], COMMUNITY_DIGITS
    for level in present.tolist():
        lengths = {len(code) for code in codes[levels == level] if is_digits(code)}
        if len(lengths) != 1 or (length := lengths.pop()) <= before:
            return DEFAULT
        widths.append(length - before)
        before = length
    return GridScheme("of the layer", tuple(widths), deeper=2)


def nesting_findings(grids: gpd.GeoDataFrame, geoms: NDArray[np.object_], names: NDArray[np.object_]) -> list[Finding]:
    """What keeps the levels of a layer from nesting, in row order; metric CRS, ``geoms`` valid polygons of the rows.

    Needs the columns ``level`` and ``parent``; the coarsest level present needs no parents. A grid without any
    children is not divided, which is fine.
    """
    if "level" not in grids or "parent" not in grids or _in_words(grids):
        return []
    levels = levels_of(grids)
    deeper = np.flatnonzero(levels > levels.min()) if len(levels) else np.empty(0, np.int64)
    if not deeper.size:
        return []
    given = grids["parent"].astype(object).where(grids["parent"].notna(), "").astype(str).to_numpy()[deeper]
    texts = names.astype(str)
    known = pd.Series(np.arange(len(names)), index=texts)
    known = known[~known.index.duplicated()]
    parent = np.array(known.reindex(given).fillna(-1), dtype=np.int64)
    parent[given == ""] = -1
    found = []
    for at in np.flatnonzero(parent < 0):
        name = texts[deeper[at]]
        text = f"names a parent {given[at]} that is not there" if given[at] else "has no parent"
        found.append(Finding("unknown_parent", name, f"grid {name} of level {levels[deeper[at]]:g} {text}", 0.0))
    has = parent >= 0
    below = has & (levels[np.maximum(parent, 0)] >= levels[deeper])
    for at in np.flatnonzero(below):
        name = texts[deeper[at]]
        text = f"grid {name} of level {levels[deeper[at]]:g} has the parent {given[at]}, which is not of a level above"
        found.append(Finding("unknown_parent", name, text, 0.0))
    use = np.flatnonzero(has & ~below)
    return found + _ground(geoms, texts, deeper[use], parent[use])


def _ground(
    geoms: NDArray[np.object_], names: NDArray[np.str_], child: NDArray[np.int64], parent: NDArray[np.int64]
) -> list[Finding]:
    """Children that leave their parent, and parents their children do not fill."""
    over = geoms[parent]
    shapely.prepare(over)
    outside = np.zeros(len(child))
    loose = np.flatnonzero(~shapely.covers(over, geoms[child]))
    outside[loose] = shapely.area(shapely.difference(geoms[child[loose]], over[loose]))
    found = []
    for at in np.flatnonzero(outside > COVER_SLIVER_M2):
        text = f"grid {names[child[at]]} lies outside its parent {names[parent[at]]} by {outside[at]:.2f} m²"
        found.append(Finding("outside_parent", str(names[child[at]]), text, float(outside[at])))
    inside = np.bincount(parent, shapely.area(geoms[child]) - outside, minlength=len(geoms))
    rest = np.where(np.bincount(parent, minlength=len(geoms)) > 0, shapely.area(geoms) - inside, 0.0)
    for row in np.flatnonzero(rest > COVER_SLIVER_M2):
        text = f"the grids inside {names[row]} leave {rest[row]:.2f} m² of it uncovered"
        found.append(Finding("parent_not_filled", str(names[row]), text, float(rest[row])))
    return found
