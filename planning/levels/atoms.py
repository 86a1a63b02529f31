"""The pieces nested levels are made of: units, some of them divided by entrance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gisgrid import topology
from gisgrid.errors import BadInput
from planning.graph import metric_units, noded_geometry

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

COVER_M2 = 1.0
"""Strips of a unit may miss or exceed its ground by so many square metres: rounding of a drawn file."""


@dataclass(frozen=True)
class Atoms:
    """n units and the m pieces they are made of, both exactly noded coverages in one metric CRS.

    ``unit`` (m): unit of each piece, ascending; ``first`` (n): first piece of each unit; ``split`` (n): whether it has
    several. ``households``, ``buildings`` (n); ``piece_households``, ``piece_population`` (m).
    """

    units: gpd.GeoDataFrame = field(repr=False)
    pieces: gpd.GeoDataFrame = field(repr=False)
    unit: Ints
    first: Ints
    split: npt.NDArray[np.bool_]
    households: Floats
    buildings: Floats
    piece_households: Floats
    piece_population: Floats


def atoms_of(units: gpd.GeoDataFrame, finer: gpd.GeoDataFrame | None) -> Atoms:
    """Units with the polygons of `finer` in place of those they divide. Raises BadInput naming unit and field."""
    whole = metric_units(units)
    for column in ("unit_id", "households"):
        if column not in whole:
            raise BadInput(f"the units layer has no {column} column; give the {column} of every unit")
    n = len(whole)
    if finer is None or not len(finer):
        pieces, unit = whole.set_geometry(noded_geometry(whole)), np.arange(n)
        whole = pieces
    else:
        pieces, unit = _with_strips(whole, finer)
        pieces = pieces.set_geometry(noded_geometry(pieces))
        whole = whole.set_geometry(topology.dissolve(pieces.geometry.to_numpy(), unit, n), crs=whole.crs)
    return Atoms(
        whole, pieces, unit, np.searchsorted(unit, np.arange(n)), np.bincount(unit, minlength=n) > 1,
        _numbers(whole, "households"), _numbers(whole, "buildings"), _numbers(pieces, "households"),
        _numbers(pieces, "population"),
    )  # fmt: skip


def _numbers(frame: gpd.GeoDataFrame, column: str) -> Floats:
    """A count column for sums; what is missing counts nothing (`partition` refuses households that are no numbers)."""
    if column not in frame:
        return np.zeros(len(frame))
    return np.asarray(pd.to_numeric(frame[column], errors="coerce").fillna(0.0), dtype=np.float64)


def _with_strips(whole: gpd.GeoDataFrame, finer: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, Ints]:
    strips = metric_units(finer).to_crs(whole.crs)
    for column in ("unit_id", "households", "building_unit"):
        if column not in strips:
            raise BadInput(f"the entrance layer has no {column} column; give the {column} of every entrance")
    ids = pd.Index(whole["unit_id"].astype(str))
    if not ids.is_unique:
        raise BadInput(f"unit_id {ids[ids.duplicated()][0]} is used twice; give every unit its own")
    of = ids.get_indexer(pd.Index(strips["building_unit"].astype(str))).astype(np.int64)
    if (of < 0).any():
        row = int(np.argmax(of < 0))
        raise BadInput(
            f"entrance {strips['unit_id'].iloc[row]}: building_unit {strips['building_unit'].iloc[row]!r} is no "
            f"unit_id of the units layer ({int((of < 0).sum())} such entrances)",
            row=row,
        )
    n = len(whole)
    divided = np.bincount(of, minlength=n) > 0
    _check_sums(whole, strips, of, divided)
    kept = np.flatnonzero(~divided)
    strips = strips.assign(building_unit=strips["building_unit"].astype(str))
    for column in [name for name in whole.columns if name not in strips.columns]:
        # a count that is not told by entrance is not repeated for each of them
        values: Any = whole[column].to_numpy()[of]
        numeric = pd.api.types.is_numeric_dtype(whole[column])
        strips[column] = np.where(_first_of(of), values, 0) if numeric else values
    rows = whole.iloc[kept].assign(building_unit=None)
    # what only the entrances have (their number) is kept; an empty frame must not decide the types of the other
    frames = [rows, strips] if len(rows) else [strips]
    both = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=whole.crs)
    unit = np.concatenate([kept, of])
    order = np.argsort(unit, kind="stable")
    both = both.iloc[order].reset_index(drop=True)
    twice = both["unit_id"].astype(str).duplicated()
    if twice.any():
        raise BadInput(
            f"unit_id {both['unit_id'][twice].iloc[0]} is on an entrance and on another piece; give each its own"
        )
    return both, unit[order]


def _first_of(of: Ints) -> npt.NDArray[np.bool_]:
    first = np.zeros(len(of), dtype=bool)
    first[np.unique(of, return_index=True)[1]] = True
    return first


def _check_sums(whole: gpd.GeoDataFrame, strips: gpd.GeoDataFrame, of: Ints, divided: npt.NDArray[np.bool_]) -> None:
    """Refuse strips that are not exactly their unit, in ground or in households."""
    n = len(whole)
    ground = np.bincount(of, shapely.area(strips.geometry.to_numpy()), minlength=n)
    homes = np.bincount(of, _numbers(strips, "households"), minlength=n)
    off = np.abs(ground - shapely.area(whole.geometry.to_numpy()))
    for wrong, what, have, want in (
        (divided & (off > COVER_M2), "m²", ground, shapely.area(whole.geometry.to_numpy())),
        (divided & (np.abs(homes - _numbers(whole, "households")) > 1e-6), "households", homes,
         _numbers(whole, "households")),
    ):  # fmt: skip
        if wrong.any():
            row = int(np.argmax(wrong))
            raise BadInput(
                f"the entrances of unit {whole['unit_id'].iloc[row]} have {have[row]:g} {what} and the unit "
                f"{want[row]:g}; divide it exactly ({int(wrong.sum())} such units)",
                row=row,
            )
