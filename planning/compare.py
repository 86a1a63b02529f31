"""Two plans of one place side by side: the figures of both, who changes grid, and how much of that was forced."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gisgrid.coverage import row_names
from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from gisgrid.models import Band
from gisgrid.nesting import finest_column, levels_of
from planning.changes import Changes, boundary_kept, changes, least_churn
from planning.evaluate import ORDINARY_KINDS, at_level, figures, unit_borders_of
from planning.owners import LEAST_SHARE, owners, pieces

ANY: Final = Band(0, 2**31 - 1)
"""The band of a level that has none."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A plan (``figures``) against another (``before``): `planning.evaluate.figures` of each, and the changes.

    ``least_households`` must move whatever plan in band has these counts (`planning.changes.churn_bound` by community);
    ``boundary_kept`` the share of the old boundary that still is one (None without units that are a coverage).
    ``units``: those the households were counted by, with ``grid``, ``old`` and ``moved``, metric CRS. ``grids_before``:
    the other plan's grids on this plan's ground; ``left_out`` its other grids. ``estimated``: no plan had units,
    households were spread evenly over their grids' ground.
    """

    figures: dict[str, Any]
    before: dict[str, Any]
    changes: Changes
    least_households: float
    boundary_kept: float | None
    units: gpd.GeoDataFrame = field(repr=False)
    grids_before: gpd.GeoDataFrame = field(repr=False)
    left_out: int = 0
    estimated: bool = False

    def changes_dict(self) -> dict[str, Any]:
        """`Changes.as_dict` with the least that must move and the boundary kept."""
        moved, total = self.changes.moved_households, self.changes.households
        least = round(self.least_households, 3)
        return self.changes.as_dict() | {
            "least_households": int(least) if float(least).is_integer() else least,
            "least_share": round(self.least_households / total, 6) if total else 0.0,
            "over_least_share": round((moved - self.least_households) / total, 6) if total else 0.0,
            "boundary_kept": None if self.boundary_kept is None else round(self.boundary_kept, 6),
            "grids_left_out": self.left_out,
            "estimated": self.estimated,
        }

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready: ``figures``, ``before``, ``changes``."""
        return {"figures": self.figures, "before": self.before, "changes": self.changes_dict()}


def compare(
    grids: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame | None,
    other: gpd.GeoDataFrame,
    other_units: gpd.GeoDataFrame | None = None,
    streets: gpd.GeoDataFrame | None = None,
    *,
    band: Band | Mapping[int, Band],
    area: gpd.GeoDataFrame | None = None,
    old_codes: npt.ArrayLike | None = None,
    same_codes: bool = False,
) -> Comparison:
    """A plan (`grids`, its `units` with ``grid``) against the plan there was (`other`, `other_units`).

    Households are counted by the plan's units, else the other plan's, else (`estimated`) by the ground grids have in
    common. Each unit's grid in the other plan is ``old_codes`` where given (per row of units), else `planning.owners`.
    ``same_codes``: a grid goes on where its code does, see `planning.changes.changes`. Changes are those of the deepest
    level both plans have: a plan divided further than the other has not changed by that.
    Streets, area, band as in `planning.evaluate.figures`. Raises BadInput when the plans share no ground.
    """
    carrier, estimated = _carrier(grids, units, other, other_units)
    if old_codes is None:
        old = owners(carrier, other, other_units)
    else:
        codes = pd.Series(np.asarray(old_codes, dtype=object))
        if units is None or len(codes) != len(units):
            raise BadInput(f"{len(codes)} old codes for {0 if units is None else len(units)} units; give one for each")
        old = codes.where(codes.notna(), "").astype(str).to_numpy(object)
    if not (old != "").any():
        raise BadInput("the two plans share no ground; give two plans of one place")
    known = np.isin(row_names(other).astype(str), old.astype(str))
    other = other[levels_of(other) <= _depth(other[known])]
    carrier = carrier.assign(old=old)
    here = _on_ground(other, carrier)
    left = len(other) - len(here)
    graph = None if estimated else unit_borders_of(carrier, streets)
    now = figures(
        grids, None if estimated else carrier, streets, area=area, band=band, graph=graph,
        made_of_units=units is not None,
    )  # fmt: skip
    then = figures(
        here, carrier.assign(grid=old), streets, area=area, band=band, graph=graph, made_of_units=False
    )  # fmt: skip
    level = min(_depth(grids), _depth(other))
    new, old = _climb(carrier["grid"].to_numpy(object), grids, level), _climb(old, other, level)
    limits = band if isinstance(band, Band) else band.get(level, ANY)
    carrier = carrier.assign(grid=new, old=old)
    moved = changes(
        old, new, _column(carrier, "households"), _column(carrier, "population"),
        carrier.area.to_numpy(), same_codes=same_codes,
    )  # fmt: skip
    least = least_churn(
        old, new, _column(carrier, "households"), limits.low, limits.high, parts=_parts(carrier, grids),
        special=_special(grids),
    )  # fmt: skip
    kept = None
    if graph is not None:
        once = graph.sources < graph.indices
        kept = boundary_kept(old, new, graph.sources[once], graph.indices[once], graph.border[once])
    return Comparison(now, then, moved, least, kept, carrier.assign(moved=moved.moved), here, left, estimated)


def _carrier(
    grids: gpd.GeoDataFrame, units: gpd.GeoDataFrame | None, other: gpd.GeoDataFrame,
    other_units: gpd.GeoDataFrame | None,
) -> tuple[gpd.GeoDataFrame, bool]:  # fmt: skip
    """Units households are counted by, with the plan's code in ``grid``, metric CRS; whether they are made up."""
    if units is not None:
        if "grid" not in units:
            raise BadInput("the unit layer has no column grid; give the units layer that gisgrid plan wrote")
        metric = to_metric(units).reset_index(drop=True)
        grid = metric[finest_column(metric, grids)].astype(object)
        grid = grid.where(grid.notna(), "").astype(str)
        # columns of deeper levels are the new plan's: they must not stand in for the old one's
        flat = metric.drop(columns=[name for name in metric if re.fullmatch(r"grid_\d+", name)])
        return flat.assign(grid=grid), False
    if other_units is not None:
        metric = to_metric(other_units).reset_index(drop=True)
        return metric.assign(grid=owners(metric, grids)), False
    return pieces(grids, other), True


def _on_ground(other: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Grids of the other plan, of all levels, that lie on the units' ground."""
    metric = to_metric(other, units.crs)
    shapes, ground = metric.geometry.to_numpy(), units.geometry.to_numpy()
    row, unit = shapely.STRtree(ground).query(shapes, predicate="intersects")
    common = shapely.area(shapely.intersection(shapes[row], ground[unit]))
    share = np.bincount(row, common, minlength=len(shapes)) / np.maximum(shapely.area(shapes), 1e-9)
    # an old grid may lose slivers to units drawn differently; one that only reaches in is another place's
    held = np.isin(row_names(metric).astype(str), units["old"].unique().astype(str))
    return metric[(share > 0.5) | (held & (share > LEAST_SHARE))]


def _column(units: gpd.GeoDataFrame, name: str) -> npt.NDArray[np.float64]:
    if name not in units:
        return np.zeros(len(units))
    return np.asarray(pd.to_numeric(units[name], errors="coerce").fillna(0), dtype=np.float64)


def _depth(grids: gpd.GeoDataFrame) -> int:
    """The deepest level of a grid layer."""
    return int(levels_of(grids).max(initial=1))


def _climb(codes: npt.NDArray[np.object_], grids: gpd.GeoDataFrame, level: int) -> npt.NDArray[np.object_]:
    """The grids of a level that hold those the codes name; codes with none above them stay as they are."""
    above = at_level(codes, grids, level)
    return np.asarray(np.where(above == "", codes, above), dtype=object)


def _parts(units: gpd.GeoDataFrame, grids: gpd.GeoDataFrame) -> npt.NDArray[np.object_] | None:
    """Community (or parent grid) of each unit's grid: plans exchange nothing between them."""
    last = grids[np.isin(row_names(grids).astype(str), units["grid"].astype(str))]
    column = next((name for name in ("parent", "community") if name in last and last[name].notna().all()), None)
    if column is None:
        return None
    above = dict(zip(row_names(last), last[column].astype(str), strict=True))
    return np.asarray(units["grid"].map(above).fillna("").to_numpy(object), dtype=object)


def _special(grids: gpd.GeoDataFrame) -> list[str]:
    """Codes of grids the band does not apply to."""
    if "kind" not in grids:
        return []
    special = ~grids["kind"].fillna("").isin(ORDINARY_KINDS).to_numpy()
    return [str(name) for name in row_names(grids)[special]]
