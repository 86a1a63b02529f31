"""Grids taken over to other units, and grids drawn from who owns which unit: how a draft begins from what there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gisgrid import topology
from gisgrid.codes import grid_codes
from gisgrid.crs import to_metric
from gisgrid.metrics import compactness_of
from gisgrid.models import SPECIAL_KINDS
from gisgrid.nesting import grid_column
from gisgrid.numbering import grid_names
from gisgrid.overlay import TOUCH_M2, overlaps, sound_polygons
from planning.changes import heirs

Ints = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Texts = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Carried:
    """``owner``: row of the grids of each unit on each level, −1 for none, int64 (n, L). ``same``: whether the units
    are the very ones the grids were made of."""

    owner: Ints
    same: bool = field(default=False)


def carried(units: gpd.GeoDataFrame, grids: gpd.GeoDataFrame, known: gpd.GeoDataFrame | None = None) -> Carried:
    """Which of the grids each unit belongs to, on every level.

    units: polygons with ``community``; grids: rows of all levels with ``code level parent community``; known: units
    the grids were made of, with ``grid`` (``grid_2`` …). A unit whose polygon is among these, to the last vertex, takes
    their grid; any other the grid of its community, and on deeper levels of its grid one level up, that covers most of
    it (ties: the smaller code; none does: the nearest). Layers in one CRS.
    """
    n = len(units)
    level_of = grids["level"].to_numpy(np.int64)
    levels = int(level_of.max(initial=1))
    row = _same_units(units, known)
    codes = grids["code"].astype(str).to_numpy(object)
    above = np.where(level_of > 1, grids["parent"], grids["community"]).astype(str)
    parent_of_unit = units["community"].astype(str).to_numpy(object)
    owner = np.full((n, levels), -1, dtype=np.int64)
    metric: Any = None
    for level in range(1, levels + 1):
        here = np.flatnonzero(level_of == level)
        name = grid_column(level)
        if known is not None and len(known) and name in known:
            at = pd.Index(codes[here]).get_indexer(pd.Index(known[name].to_numpy(object)[row]))
            settled = (row >= 0) & (at >= 0)
            owner[settled, level - 1] = here[at[settled]]
        divided = np.isin(parent_of_unit.astype(str), above[here])
        open_units = np.flatnonzero((owner[:, level - 1] < 0) & divided & ((row < 0) | (level == 1)))
        if len(open_units):
            metric = metric or _Metric(units, grids)
            owner[open_units, level - 1] = metric.owners(open_units, here, parent_of_unit[open_units], above[here])
        parent_of_unit = np.where(owner[:, level - 1] >= 0, codes[owner[:, level - 1]], "")
    return Carried(owner, known is not None and len(known) == n and bool((row >= 0).all()))


def _same_units(units: gpd.GeoDataFrame, known: gpd.GeoDataFrame | None) -> Ints:
    """Row of ``known`` with the very polygon of each unit, −1 for none."""
    if known is None or not len(known):
        return np.full(len(units), -1, dtype=np.int64)
    if "id" in units and "id" in known:
        found = pd.Index(known["id"]).get_indexer(units["id"])
        if (found >= 0).all():
            return np.asarray(found, dtype=np.int64)
    shapes = pd.Index([bytes(one) for one in shapely.to_wkb(known.geometry.to_numpy())])
    if not shapes.is_unique:
        return np.full(len(units), -1, dtype=np.int64)
    own = pd.Index([bytes(one) for one in shapely.to_wkb(units.geometry.to_numpy())])
    return np.asarray(shapes.get_indexer(own), dtype=np.int64)


class _Metric:
    """Both layers in metres, made once when a unit must be held against the ground."""

    def __init__(self, units: gpd.GeoDataFrame, grids: gpd.GeoDataFrame) -> None:
        metric = to_metric(units)
        self.units = sound_polygons(metric.geometry.to_numpy())
        self.grids = sound_polygons(grids.geometry.to_crs(metric.crs).to_numpy())

    def owners(self, unit: Ints, grid: Ints, parent: Texts, above: Texts) -> Ints:
        """Row of the grids of each unit: most common ground among those under its parent, else the nearest of them."""
        found = overlaps(self.units[unit], self.grids[grid])
        mine = (above[found.at] == parent[found.row].astype(str)) & (found.m2 > TOUCH_M2)
        row, of, m2 = (values[mine] for values in found[:3])
        order = np.lexsort((of, -m2, row))
        first = order[np.unique(row[order], return_index=True)[1]]
        result = np.full(len(unit), -1, dtype=np.int64)
        result[row[first]] = grid[of[first]]
        for left in np.flatnonzero(result < 0).tolist():  # the few that lie beside the grids
            near = np.flatnonzero(above == parent[left])
            if len(near):
                metres = shapely.distance(self.units[unit[left]], self.grids[grid[near]])
                result[left] = grid[near[int(np.argmin(metres))]]
        return result


def drawn(units: gpd.GeoDataFrame, owner: Ints, table: pd.DataFrame) -> tuple[gpd.GeoDataFrame, Ints]:
    """Grids as the union of their units, with the figures these add up to; and ``owner`` by row of that layer.

    units: an exactly noded coverage in a metric CRS with ``households population``; owner (n, L): row of ``table`` on
    each level or −1; table: what else is known of the grids. Grids without any unit are left out.
    """
    k = len(table)
    geometry = np.full(k, None, dtype=object)
    sums = {name: np.zeros(k, dtype=np.int64) for name in ("households", "population")}
    shapes = units.geometry.to_numpy()
    for level in range(owner.shape[1]):
        label = owner[:, level]
        used = label >= 0
        mine = np.unique(label[used])
        geometry[mine] = topology.dissolve(shapes, label, k)[mine]
        for name, total in sums.items():
            total += np.bincount(label[used], units[name].to_numpy(np.float64)[used], minlength=k).astype(np.int64)
    there = np.array([shape is not None for shape in geometry], dtype=bool)
    place = np.cumsum(there) - 1
    rows = table[there].reset_index(drop=True)
    shape = geometry[there]
    made = rows.drop(columns="geometry", errors="ignore").assign(
        **{name: total[there] for name, total in sums.items()},
        compactness=compactness_of(shapely.area(shape), shapely.length(shape)),
    )
    return gpd.GeoDataFrame(made, geometry=shape, crs=units.crs), np.append(place, -1)[owner]


def grids_by_number(
    units: gpd.GeoDataFrame,
    label: Int32s,
    *,
    old_code: Sequence[str | None] | None = None,
    taken: Sequence[str] = (),
    places: dict[str, str] | None = None,
) -> tuple[gpd.GeoDataFrame, Ints, list[str]]:
    """A plan from grid numbers: grids with codes and names of the first level, owners, codes of old grids that go on.

    units: metric, ``community kind households population``; label (n): number of the unit's grid or −1; old_code: of
    each unit's old grid. An old grid goes on, under its code, as the grid that most of its households are in
    (`planning.changes.heirs`); codes ``taken`` are given to no other. places: names of communities.
    """
    used = label >= 0
    number = np.full(len(label), -1, dtype=np.int64)
    number[used] = np.unique(label[used], return_inverse=True)[1]
    k = int(number.max(initial=-1)) + 1
    first = np.unique(number[used], return_index=True)[1]
    community = units["community"].astype(str).to_numpy(object)[used][first]
    area = shapely.area(units.geometry.to_numpy())
    centre = shapely.get_coordinates(shapely.centroid(units.geometry.to_numpy()))
    ground = np.maximum(np.bincount(number[used], area[used], minlength=k), 1e-9)
    x, y = (np.bincount(number[used], (area * centre[:, axis])[used], minlength=k) / ground for axis in (0, 1))
    codes = np.full(k, "", dtype=object)
    if old_code is not None:
        codes = _going_on(units, number, k, old_code, community)
    new = np.flatnonzero(codes == "")
    retired = sorted({*taken, *codes} - {""})
    codes[new] = grid_codes(community[new], x[new], y[new], taken=retired)
    order = np.argsort(codes.astype(str), kind="stable")
    rank = np.empty(k, dtype=np.int64)
    rank[order] = np.arange(k)
    owner = np.append(rank, -1)[number].reshape(-1, 1)
    table = pd.DataFrame(
        {
            "code": codes[order], "name": grid_names(codes[order], community[order], places or {}),
            "level": np.ones(k, dtype=np.int64), "parent": np.full(k, None, dtype=object),
            "community": community[order], "kind": grid_kinds(
                units["kind"].astype(str).to_numpy(object), units["households"].to_numpy(np.float64), area,
                owner[:, 0], k,
            ),
        }
    )  # fmt: skip
    grids, owner = drawn(units, owner, table)
    going = set() if old_code is None else {str(code) for code in old_code if code} & set(codes)
    return grids, owner, sorted(going)


def _going_on(units: gpd.GeoDataFrame, number: Ints, k: int, old_code: Sequence[str | None], community: Texts) -> Texts:
    olds = np.array([code or "" for code in old_code], dtype=str)
    known, row = np.unique(olds, return_inverse=True)
    both = (number >= 0) & (olds != "")
    shape = (len(known), k)
    homes, ground = np.zeros(shape), np.zeros(shape)
    np.add.at(homes, (row[both], number[both]), units["households"].to_numpy(np.float64)[both])
    np.add.at(ground, (row[both], number[both]), shapely.area(units.geometry.to_numpy())[both])
    codes = np.full(k, "", dtype=object)
    for old, grid in enumerate(heirs(homes, ground).tolist()):
        if grid >= 0 and str(known[old]).startswith(community[grid]):
            codes[grid] = str(known[old])
    return codes


def grid_kinds(
    kind: Texts, households: npt.NDArray[np.floating[Any]], area: npt.NDArray[np.float64], owner: Ints, k: int
) -> Texts:
    """Kind of the largest special unit of each grid nobody lives in; all others are ordinary.

    kind, households, area, owner (n): of the units, −1 for no grid; (k) kinds of the grids.
    """
    used = owner >= 0
    lived = np.bincount(owner[used], households[used], minlength=k) > 0
    result = np.full(k, "ordinary", dtype=object)
    special = np.flatnonzero(used & np.isin(kind.astype(str), sorted(SPECIAL_KINDS)))
    special = special[np.argsort(area[special], kind="stable")]  # the largest is written last
    special = special[~lived[owner[special]]]
    result[owner[special]] = kind[special]
    return result


def with_inner_levels(
    grids: gpd.GeoDataFrame, owner: Ints, inside: npt.NDArray[np.bool_], deeper: gpd.GeoDataFrame, codes: Texts
) -> tuple[gpd.GeoDataFrame, Ints]:
    """A plan in which some units keep the grids below the first level that they have in another one.

    grids, owner (n, L): the plan; inside (n): units of whole grids of the first level; deeper: the other plan's grids
    below that level, any CRS; codes (n, D): the units' grids there on levels 2 to D + 1, None for none.
    """
    depth = max(owner.shape[1], 1 + codes.shape[1])
    full = np.full((len(owner), depth), -1, dtype=np.int64)
    full[:, : owner.shape[1]] = owner
    full[inside, 1:] = -1
    stay = (grids["level"] == 1).to_numpy() | np.isin(np.arange(len(grids)), full[:, 1:])
    place = np.append(np.cumsum(stay) - 1, -1)
    full = np.asarray(place[full], dtype=np.int64)
    names = [name for name in grids.columns if name in deeper.columns]
    used = {code for code in codes[inside].ravel() if code is not None}
    brought = deeper.loc[deeper["code"].isin(used), names].to_crs(grids.crs)
    known = pd.Index(brought["code"].to_numpy(object))
    for column in range(codes.shape[1]):
        at = known.get_indexer(pd.Index(codes[inside, column]))
        full[inside, column + 1] = np.where(at >= 0, at + int(stay.sum()), -1)
    parts = [grids.loc[stay, names], brought] if len(brought) else [grids.loc[stay, names]]
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=grids.crs), full
