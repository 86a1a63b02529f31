"""What service circles are given: layers checked, put on the network, and told which place they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array

from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from gisgrid.limits import CIRCLE_METRES_MAX, SNAP_METRES_MAX
from planning.network import Network
from planning.places import counts, inner_points
from planning.reach import SegmentIndex, Snapped, snap

Bool = NDArray[np.bool_]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Objects = NDArray[np.object_]

ABOUT: Final = ("category", "tier", "minutes", "metres", "name_zh", "name_en")
"""Columns of the category table that go on to the coverage."""
DISTRICT_DIGITS: Final = 6


@dataclass(frozen=True)
class Places:
    """Points on the network: metres east and north in its CRS, and where they snap."""

    xy: Float64
    snapped: Snapped

    def points(self, crs: str) -> gpd.GeoSeries:
        """The points as a layer; None where a place has none."""
        return gpd.GeoSeries(np.where(self.known, shapely.points(np.nan_to_num(self.xy)), None), crs=crs)

    @property
    def known(self) -> Bool:
        """Which have a place at all: no empty geometry, no coordinates that are none."""
        return np.asarray(np.isfinite(self.xy).all(axis=1), bool)

    @property
    def ok(self) -> Bool:
        """Which are on the network; as residences: which can be assessed."""
        return self.snapped.ok


@dataclass(frozen=True)
class People:
    """Who lives in each residence: counts, zero where unknown. ``weight`` is what shares are weighted by."""

    residents: Float64
    elderly: Float64
    weight: Float64
    weighted_by: str

    @property
    def home(self) -> Bool:
        """Which residences somebody lives in; all of them where no residents are known at all."""
        return self.weight > 0


@dataclass(frozen=True)
class Members:
    """Which residences belong to which places of one kind ('district', 'community', 'grid').

    ``codes`` are in order; ``matrix`` is (places, residences), 1 where the residence lies in the place. Nested grids
    hold a residence once a level.
    """

    kind: str
    codes: Objects
    matrix: csr_array


def in_order(minutes: Sequence[float]) -> list[float]:
    """Minutes from the shortest up, each once, whole ones as whole numbers."""
    return sorted({int(value) if float(value).is_integer() else float(value) for value in minutes})


def check_layers(
    facilities: gpd.GeoDataFrame, residences: gpd.GeoDataFrame, categories: pd.DataFrame, minutes: Sequence[float]
) -> None:
    """Raise BadInput for empty layers, no minutes, and a category table that cannot be used."""
    if not len(residences):
        raise BadInput("the residences layer is empty; give buildings or points")
    if not len(facilities):
        raise BadInput("the facilities layer is empty; give points with a category column")
    if "category" not in facilities:
        raise BadInput(f"the facilities layer has no column category, only {', '.join(map(str, facilities.columns))}")
    if not minutes:
        raise BadInput("no minutes are given; give for example 5,10,15")
    absent = [name for name in ABOUT if name not in categories]
    if absent or not len(categories):
        raise BadInput(f"the table of facility categories lacks {', '.join(absent) or 'rows'}")
    twice = categories["category"].duplicated()
    if twice.any():
        raise BadInput(f"facility category {categories['category'][twice].iloc[0]} is given twice; keep one row")
    for name, metres in zip(categories["category"], categories["metres"], strict=True):
        if not 0 < float(metres) <= CIRCLE_METRES_MAX:
            raise BadInput(f"facility category {name}: metres={metres} is not over 0 and at most {CIRCLE_METRES_MAX:g}")


def placed(network: Network, index: SegmentIndex, rows: gpd.GeoDataFrame) -> Places:
    """Inner points of some rows on the network."""
    xy = inner_points(rows, network.crs)
    return Places(xy, snap(network, xy, index=index))


def check_snapped(snapped: Snapped, what: str, network: Network) -> None:
    """Raise BadInput when nothing of a layer lies near a street."""
    if not snapped.ok.any():
        raise BadInput(
            f"none of the {len(snapped)} {what} lies within {SNAP_METRES_MAX:g} m of a street; "
            f"do the layers belong together? (streets in {network.crs})"
        )


def people_of(residences: gpd.GeoDataFrame) -> People:
    """Residents (``population``) and people of 60 and over (``elderly``). Raises BadInput for what is no count."""
    residents, elderly = counts(residences, "population", "residences"), counts(residences, "elderly", "residences")
    if residents.any():
        return People(residents, elderly, residents, "residents")
    return People(residents, elderly, np.ones(len(residences)), "buildings")


def repeated(facilities: gpd.GeoDataFrame, places: Places) -> Bool:
    """Which facilities say again what an earlier row says: same category, same place and same name (or none)."""
    table = pd.DataFrame(
        {"category": facilities["category"].to_numpy(object), "x": places.xy[:, 0], "y": places.xy[:, 1]}
    )
    if "name" in facilities:
        table["name"] = facilities["name"].astype("string").fillna("").to_numpy(object)
    known = np.isfinite(places.xy).all(axis=1) & facilities["category"].notna().to_numpy(bool)
    out: Bool = table.duplicated().to_numpy(bool) & known
    return out


def whole(residences: gpd.GeoDataFrame, areas: gpd.GeoDataFrame | None) -> Members:
    """The district: every residence. Its code is the six digits its communities begin with, '' where they differ."""
    codes: list[str] = []
    if areas is not None and "code" in areas:
        codes = areas["code"].dropna().astype(str).tolist()
    elif "community" in residences:
        codes = residences["community"].dropna().astype(str).unique().tolist()
    heads = {code[:DISTRICT_DIGITS] for code in codes if len(code) >= DISTRICT_DIGITS}
    code = heads.pop() if len(heads) == 1 else ""
    return Members("district", np.array([code], object), csr_array(np.ones((1, len(residences)))))


def communities_of(residences: gpd.GeoDataFrame, inner: gpd.GeoSeries, areas: gpd.GeoDataFrame | None) -> Members:
    """Communities: those of the area layer, by where residences lie; without one, the residences' own column."""
    if areas is not None:
        return inside("community", inner, communities_in(areas))
    if "community" not in residences:
        return _members("community", np.empty(0, object), [np.full(len(residences), -1)])
    known = residences["community"].astype("string")
    place, codes = pd.factorize(known, sort=True)
    return _members("community", np.asarray(codes, object), [np.asarray(place, np.int64)])


def communities_in(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The rows of an area layer that are communities: ``level`` says so, or else all of them."""
    if not len(areas):
        raise BadInput("the areas layer is empty; leave it out, or give polygons with a column code")
    if "level" not in areas:
        return areas
    found = areas[(areas["level"] == "community").to_numpy(bool)]
    if not len(found):
        raise BadInput("no row of the areas layer has level community; give the communities' outlines")
    return found


def grids_of(inner: gpd.GeoSeries, grids: gpd.GeoDataFrame | None) -> Members:
    """The grids of every level; none where no layer is given."""
    if grids is None:
        return _members("grid", np.empty(0, object), [np.full(len(inner), -1)])
    return inside("grid", inner, grids)


def check_places(layer: str, places: gpd.GeoDataFrame | None) -> None:
    """Raise BadInput for a layer of polygons that is empty, without codes, or with a code given twice."""
    if places is None:
        return
    if not len(places):
        raise BadInput(f"the {layer} layer is empty; leave it out, or give polygons with a column code")
    if "code" not in places:
        raise BadInput(f"the {layer} layer has no column code, only {', '.join(map(str, places.columns))}")
    twice = places["code"].duplicated()
    if twice.any():
        row = int(np.asarray(twice).argmax())
        raise BadInput(f"{layer} row {row + 1}: code {places['code'].iloc[row]} is given twice")
    to_metric(places)  # says what is wrong with its coordinate system


def inside(kind: str, inner: gpd.GeoSeries, places: gpd.GeoDataFrame) -> Members:
    """Residences by where their inner point lies: of several places of one level that cover it the smallest code.

    places: polygons with ``code`` and, where nested, ``level``.
    """
    ordered = to_metric(places).sort_values("code")
    points = inner.to_crs(ordered.crs).to_numpy()
    found, cell = shapely.STRtree(ordered.geometry.to_numpy()).query(points, predicate="intersects")
    order = np.lexsort((-cell, found))  # the smallest code is written last
    found, cell = found[order], cell[order]
    nested = kind == "grid" and "level" in ordered
    level = pd.factorize(ordered["level"])[0] if nested else np.zeros(len(ordered), np.int64)
    of_level = []
    for number in np.unique(level):
        place = np.full(len(inner), -1, np.int64)
        mine = level[cell] == number
        place[found[mine]] = cell[mine]
        of_level.append(place)
    return _members(kind, ordered["code"].to_numpy(dtype=object), of_level)


def _members(kind: str, codes: Objects, of_level: list[Int64]) -> Members:
    """From the place of every residence on each level, -1 for none."""
    count = len(of_level[0])
    place, row = np.concatenate(of_level), np.tile(np.arange(count), len(of_level))
    belongs = place >= 0
    entries = (np.ones(int(belongs.sum())), (place[belongs], row[belongs]))
    return Members(kind, codes, csr_array(entries, shape=(len(codes), count)))
