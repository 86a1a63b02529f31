"""Is a grid layer a sound division? Gaps, overlaps, slivers, broken grids, codes and community borders.

`check` measures and says; `clean` (kept in `gisgrid.cleaning`) repairs. Both work in metres: a layer in degrees is
taken to the metric system of its place first. Levels are checked one by one, since micro-grids lie on their grid;
`gisgrid.nesting` looks at how they lie in each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid import codes, topology
from gisgrid.cleaning import clean as clean
from gisgrid.cleaning import node_coverage as node_coverage
from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from gisgrid.limits import COVER_SLIVER_M2
from gisgrid.models import Band
from gisgrid.nesting import grid_column, layer_scheme, levels_of, nesting_findings
from gisgrid.overlay import find_gaps, find_overlaps, sound_polygons

SLIVER_WIDTH: Final = 0.1
"""A grid, or a part of one, with a mean width (2A/P) below so many metres is a sliver."""
SIDE_DEGREES: Final = 0.0002
"""Longest side, in degrees, whose chord in metres is as good as the side itself (off by less than 0.1 mm)."""
MOST_CORNERS: Final = 5_000_000
"""A layer that would need more corners than this is judged by those it has."""
ID_COLUMNS: Final = ("code", "unit_id", "grid")
"""Columns a row may be named by, first found wins."""


class Problem(NamedTuple):
    """One finding: what it is, the grid it is about, a line of text, square metres where that says something."""

    kind: str
    code: str
    text: str
    m2: float


@dataclass(frozen=True)
class CoverageReport:
    """What `check` found. ``problems`` make a layer unsound; ``notes`` (household band, odd codes) do not."""

    grids: int
    gap_m2: float
    overlap_m2: float
    problems: list[Problem]
    notes: list[Problem]
    gaps: gpd.GeoDataFrame = field(repr=False)
    """Pieces of gaps: level, m2, Polygon, largest first, in the metric CRS used."""
    overlaps: gpd.GeoDataFrame = field(repr=False)
    """Pairs that overlap: level, code, other, m2, geometry, largest first."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def counts(self) -> dict[str, int]:
        """Number of problems by kind, in alphabetical order."""
        kinds = sorted(problem.kind for problem in self.problems)
        return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON-ready values, geometry left out."""
        return {
            "ok": self.ok,
            "grids": self.grids,
            "gap_m2": round(self.gap_m2, 4),
            "overlap_m2": round(self.overlap_m2, 4),
            "counts": self.counts(),
            "problems": [problem._asdict() for problem in self.problems],
            "notes": [note._asdict() for note in self.notes],
        }

    def lines(self, *, most: int = 20) -> list[str]:
        """The report for people: a verdict, then up to ``most`` findings, problems before notes."""
        verdict = "sound" if self.ok else "broken: " + ", ".join(f"{n} {kind}" for kind, n in self.counts().items())
        head = f"{self.grids} grids, gaps {self.gap_m2:.2f} m², overlaps {self.overlap_m2:.2f} m²: {verdict}"
        findings = [f"  {problem.text}" for problem in self.problems]
        findings += [f"  note: {note.text}" for note in self.notes]
        more = len(findings) - most
        return [head, *findings[:most], *([f"  … and {more} more"] if more > 0 else [])]


def check(
    grids: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame | None = None,
    *,
    units: gpd.GeoDataFrame | None = None,
    band: Band | None = None,
) -> CoverageReport:
    """Everything that keeps a grid layer from being a full, clean division.

    grids: polygons named by ``code`` (or ``unit_id``, ``grid``, else the row number); ``level``, ``parent``,
    ``community``, ``kind`` and ``households`` are used when there. area: what must be covered, and the communities no
    grid may cross; without it only holes enclosed by grids are gaps. units: polygons with a ``grid`` column the grids
    were made of (``grid_2`` … for deeper levels). band: household band; grids of the coarsest level out of it become
    notes.

    Gaps and overlaps up to COVER_SLIVER_M2 in total are let pass. Contiguity is by rook: a corner touch does not
    connect. Layers in degrees are judged as drawn: a straight side stays straight there, however many corners of
    others lie on it. Raises BadInput for an empty layer and for layers without a coordinate system.
    """
    if not len(grids):
        raise BadInput("the grid layer is empty: nothing to check")
    report = _check(grids, area, units, band)
    closer = _densified(grids), _densified(area)
    if report.ok or (closer[0] is grids and closer[1] is area):
        return report
    return _check(*closer, units, band)


def _densified(frame: Any) -> Any:
    """A layer in degrees with corners every SIDE_DEGREES; the very same frame where it has them already.

    Projecting moves corners only: a long side in degrees becomes a chord, and a corner of a neighbour on it comes to
    lie beside it (1 m² along 500 m at 40° north).
    """
    if frame is None or frame.crs is None or not frame.crs.is_geographic:
        return frame
    shapes = np.asarray(frame.geometry)
    if not topology.finite(shapes).all() or shapely.length(shapes).sum() > MOST_CORNERS * SIDE_DEGREES:
        return frame
    finer = shapely.segmentize(shapes, SIDE_DEGREES)
    same = bool((shapely.get_num_coordinates(finer) == shapely.get_num_coordinates(shapes)).all())
    return frame if same else frame.set_geometry(gpd.GeoSeries(finer, index=frame.index, crs=frame.crs))


def _check(
    grids: gpd.GeoDataFrame, area: gpd.GeoDataFrame | None, units: gpd.GeoDataFrame | None, band: Band | None
) -> CoverageReport:
    names = row_names(grids)
    problems = _geometry_problems(grids, names)
    metric = to_metric(grids)
    shapes = np.asarray(metric.geometry)
    polygonal = np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes) & topology.finite(shapes)
    metric, names_kept = metric[polygonal], names[polygonal]
    geoms = sound_polygons(metric.geometry)
    zone = None if area is None else lowest_areas(to_metric(area, metric.crs))
    ground = None if zone is None else sound_polygons(zone.geometry)
    levels = levels_of(metric)
    gap_rows, overlap_rows = [], []
    for level in sorted(set(levels.tolist())):
        rows = np.flatnonzero(levels == level)
        shaky, found = find_overlaps(geoms[rows])
        overlap_rows += [(level, names_kept[rows[i]], names_kept[rows[j]], m2, geom) for i, j, m2, geom in found]
        gap_rows += [(level, m2, geom) for m2, geom in find_gaps(geoms[rows], ground, valid=not shaky)]
    gaps = _frame(gap_rows, ["level", "m2", "geometry"], metric.crs)
    overlaps = _frame(overlap_rows, ["level", "code", "other", "m2", "geometry"], metric.crs)
    problems += _gap_problems(gaps) + _overlap_problems(overlaps)
    problems += _shape_problems(geoms, names_kept)
    problems += [Problem(*finding) for finding in nesting_findings(metric, geoms, names_kept)]
    code_problems, notes = _code_problems(grids, names)
    problems += code_problems
    if zone is not None:
        problems += _community_problems(metric, geoms, names_kept, zone)
    if units is not None:
        problems += _unit_problems(metric, geoms, names_kept, units)
    if band is not None and "households" in grids:
        notes += _band_notes(grids, names, band)
    return CoverageReport(
        len(grids), float(gaps["m2"].sum()), float(overlaps["m2"].sum()), problems, notes, gaps, overlaps
    )


def row_names(frame: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Name of each row for messages: its code, unit_id or grid, else its row number from 1; "" where null."""
    column = next((name for name in ID_COLUMNS if name in frame), None)
    if column is None:
        return np.array([f"row {number + 1}" for number in range(len(frame))], dtype=object)
    values = frame[column].astype(object).where(frame[column].notna(), "").astype(str)
    return np.asarray(values, dtype=object)


def lowest_areas(area: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows of the finest level of an area layer (communities when there are any), with a text ``code`` each.

    A layer without levels is taken whole. Areas without a code are numbered 990000000001, 990000000002 … so that
    grids can be numbered inside them. Raises BadInput when no row has a polygon, or two have one code.
    """
    found = area[~(area.geometry.isna() | area.geometry.is_empty)]
    found = found[found.geometry.geom_type.isin(["Polygon", "MultiPolygon", "GeometryCollection"])]
    if not len(found):
        raise BadInput("the area layer has no polygon; give the outline of the area to divide")
    if "level" in found:
        finest = next((name for name in ("community", "street", "district") if (found["level"] == name).any()), None)
        found = found if finest is None else found[found["level"] == finest]
    found = found.reset_index(drop=True).copy()
    given = found["code"] if "code" in found else pd.Series([None] * len(found), dtype=object)
    stand_in = pd.Series([f"99{number + 1:010d}" for number in range(len(found))], dtype=object)
    found["code"] = given.astype(object).where(given.notna(), stand_in).astype(str)
    twice = found["code"][found["code"].duplicated()]
    if len(twice):
        raise BadInput(f"area code {twice.iloc[0]} is on two areas of the same level; give each its own code")
    return found


def contiguous(geometries: Any) -> NDArray[np.bool_]:
    """Whether each geometry is one piece by rook contiguity: parts that touch at a corner only are apart.

    Parts below COVER_SLIVER_M2 are left out of account. shape (n,); metric CRS.
    """
    return np.asarray(_pieces(np.asarray(geometries, dtype=object)) == 1)


def _frame(rows: list[Any], columns: list[str], crs: Any) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry="geometry", crs=crs)
    return frame.sort_values("m2", ascending=False, kind="stable", ignore_index=True)


def _geometry_problems(grids: gpd.GeoDataFrame, names: NDArray[np.object_]) -> list[Problem]:
    geoms = np.asarray(grids.geometry)
    null = shapely.is_missing(geoms) | shapely.is_empty(geoms)
    problems = [
        Problem("null_geometry", names[i], f"grid {names[i]} has no geometry", 0.0) for i in np.flatnonzero(null)
    ]
    other = ~null & ~np.isin(shapely.get_type_id(geoms), (3, 6))
    for i in np.flatnonzero(other):
        text = f"grid {names[i]} is a {geoms[i].geom_type}, not a polygon"
        problems.append(Problem("invalid_geometry", names[i], text, 0.0))
    for i in np.flatnonzero(~null & ~other & ~shapely.is_valid(geoms)):
        # the reason is "Self-intersection[x y]", "Invalid Coordinate[NaN 0]" …
        text = f"grid {names[i]} has an invalid polygon: {shapely.is_valid_reason(geoms[i])}"
        problems.append(Problem("invalid_geometry", names[i], text, 0.0))
    return problems


def _gap_problems(gaps: gpd.GeoDataFrame) -> list[Problem]:
    if gaps["m2"].sum() <= COVER_SLIVER_M2:
        return []
    spots = shapely.point_on_surface(np.asarray(gaps.geometry))
    return [
        Problem("gap", "", f"gap of {m2:.2f} m² at x {shapely.get_x(spot):.2f}, y {shapely.get_y(spot):.2f}", m2)
        for m2, spot in zip(gaps["m2"], spots, strict=True)
    ]


def _overlap_problems(overlaps: gpd.GeoDataFrame) -> list[Problem]:
    if overlaps["m2"].sum() <= COVER_SLIVER_M2:
        return []
    return [
        Problem("overlap", code, f"grids {code} and {other} overlap by {m2:.2f} m²", m2)
        for code, other, m2 in zip(overlaps["code"], overlaps["other"], overlaps["m2"], strict=True)
    ]


def _shape_problems(geoms: NDArray[np.object_], names: NDArray[np.object_]) -> list[Problem]:
    parts, of = shapely.get_parts(geoms, return_index=True)
    m2, metres = shapely.area(parts), shapely.length(parts)
    thin = (m2 < COVER_SLIVER_M2) | (2 * m2 < SLIVER_WIDTH * metres)
    problems = [
        Problem("sliver", names[of[k]], f"grid {names[of[k]]} has a sliver of {m2[k]:.3f} m²", float(m2[k]))
        for k in np.flatnonzero(thin)
    ]
    pieces = _pieces(geoms)
    for i in np.flatnonzero(pieces > 1):
        text = f"grid {names[i]} is in {pieces[i]} pieces; a corner touch does not connect"
        problems.append(Problem("noncontiguous", names[i], text, float(shapely.area(geoms[i]))))
    return problems


def _pieces(geoms: NDArray[np.object_]) -> NDArray[np.int64]:
    # a valid polygon's inside is connected, so only geometries of several parts can be broken
    count = np.ones(len(geoms), np.int64)
    several = np.flatnonzero(shapely.get_num_geometries(geoms) > 1)
    if several.size:
        parts, of = shapely.get_parts(shapely.union_all(geoms[several][:, None], axis=1), return_index=True)
        count[several] = np.bincount(of[shapely.area(parts) >= COVER_SLIVER_M2], minlength=several.size)
    return count


def _code_problems(grids: gpd.GeoDataFrame, names: NDArray[np.object_]) -> tuple[list[Problem], list[Problem]]:
    if not any(column in grids for column in ID_COLUMNS):
        return [], []
    null = np.flatnonzero(names == "")
    problems = [Problem("null_code", "", f"the grid in row {row + 1} has no code", 0.0) for row in null]
    values, times = np.unique(names[names != ""].astype(str), return_counts=True)
    for value, n in zip(values[times > 1], times[times > 1], strict=True):
        problems.append(Problem("duplicate_code", str(value), f"code {value} is on {n} grids", 0.0))
    if "code" not in grids:
        return problems, []
    scheme = layer_scheme(grids)
    wrong = [name for name in names if name and not codes.valid_grid_code(name, scheme=scheme)]
    text = "grid code {} is not a 12-digit community and a number (15 digits, or 2 more per level)"
    odd = [Problem("invalid_code", str(name), text.format(repr(name)), 0.0) for name in wrong]
    if len(wrong) * 2 > len(grids):  # the layer follows a scheme of its own: worth a word, not a failure
        return problems, [Problem("own_codes", "", f"{len(wrong)} codes follow another scheme, e.g. {wrong[0]!r}", 0.0)]
    return problems + odd, []


def _community_problems(
    metric: gpd.GeoDataFrame, geoms: NDArray[np.object_], names: NDArray[np.object_], zone: gpd.GeoDataFrame
) -> list[Problem]:
    outlines = sound_polygons(zone.geometry)
    shapely.prepare(outlines)
    row, at = shapely.STRtree(outlines).query(geoms)
    inside = shapely.covers(outlines[at], geoms[row])
    m2 = np.where(inside, shapely.area(geoms)[row], 0.0)
    m2[~inside] = shapely.area(shapely.intersection(geoms[row[~inside]], outlines[at[~inside]]))
    own = _own_community(metric, names, zone, row, at, m2)
    problems = []
    for i in np.flatnonzero(own == -1):
        text = f"grid {names[i]} names a community that is not in the area layer"
        problems.append(Problem("unknown_community", names[i], text, float(shapely.area(geoms[i]))))
    foreign = np.bincount(row, np.where(at != own[row], m2, 0.0), minlength=len(geoms))
    for i in np.flatnonzero((foreign > COVER_SLIVER_M2) & (own >= 0)):
        # outlines drawn by hand overlap a little: ground its own community claims too is no trespass
        rest = shapely.difference(geoms[i], outlines[own[i]])
        others = outlines[at[(row == i) & (at != own[i])]]
        foreign[i] = shapely.area(shapely.intersection(rest, shapely.union_all(others)))
    for i in np.flatnonzero((foreign > COVER_SLIVER_M2) & (own >= 0)):
        text = f"grid {names[i]} crosses out of community {zone['code'].iloc[own[i]]} by {foreign[i]:.2f} m²"
        problems.append(Problem("crosses_community", names[i], text, float(foreign[i])))
    return problems


def _own_community(
    metric: gpd.GeoDataFrame,
    names: NDArray[np.object_],
    zone: gpd.GeoDataFrame,
    row: NDArray[np.int64],
    at: NDArray[np.int64],
    m2: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Zone row of each grid's community: by column, else by code, else where most of it lies; −1 for an unknown one."""
    order = np.lexsort((at, -m2, row))
    first = order[np.unique(row[order], return_index=True)[1]]
    most = np.full(len(metric), -2, np.int64)
    most[row[first]] = at[first]
    known = {code: number for number, code in enumerate(zone["code"])}
    if "community" in metric and metric["community"].notna().any():
        given = metric["community"].astype(object).to_numpy()
        return np.array([most[i] if pd.isna(code) else known.get(str(code), -1) for i, code in enumerate(given)])
    by_code = [known.get(name[: codes.COMMUNITY_DIGITS], -2) if len(name) > 12 else -2 for name in names]
    return np.where(np.array(by_code) >= 0, by_code, most)


def _unit_problems(
    metric: gpd.GeoDataFrame, geoms: NDArray[np.object_], names: NDArray[np.object_], units: gpd.GeoDataFrame
) -> list[Problem]:
    if "grid" not in units:
        raise BadInput("the unit layer has no column grid; give the units layer that gisgrid plan wrote")
    pieces = to_metric(units, metric.crs)
    levels = levels_of(metric)
    several = len(np.unique(levels)) > 1
    problems = []
    for level in np.unique(levels).tolist():
        column = grid_column(int(level)) if several else "grid"
        if column in pieces:
            rows = np.flatnonzero(levels == level)
            problems += _owner_problems(geoms[rows], names[rows], pieces, column)
    return problems


def _owner_problems(
    geoms: NDArray[np.object_], names: NDArray[np.object_], pieces: gpd.GeoDataFrame, column: str
) -> list[Problem]:
    """Units in no grid, and grids that are not the sum of their units, on one level."""
    grid = pieces[column].astype(object).where(pieces[column].notna(), "").astype(str)
    problems = []
    for name in sorted(set(grid) - set(names)):
        n = int((grid == name).sum())
        text = f"{n} units are in no grid" if not name else f"{n} units are in grid {name}, which is not there"
        problems.append(Problem("unassigned_units", name, text, float(pieces.area[grid == name].sum())))
    made = pieces.area.groupby(grid).sum().reindex(names).fillna(0.0).to_numpy()
    off = np.abs(made - shapely.area(geoms))
    for i in np.flatnonzero(off > COVER_SLIVER_M2):
        text = f"grid {names[i]} differs from its units by {off[i]:.2f} m²"
        problems.append(Problem("units_differ", names[i], text, float(off[i])))
    return problems


def _band_notes(grids: gpd.GeoDataFrame, names: NDArray[np.object_], band: Band) -> list[Problem]:
    households = pd.to_numeric(grids["households"], errors="coerce").fillna(0).to_numpy()
    kind = grids["kind"].fillna("ordinary") if "kind" in grids else pd.Series("ordinary", index=grids.index)
    judged = np.array(kind.isin(["ordinary", "residential", ""]))
    levels = levels_of(grids)
    judged &= levels == levels.min()  # deeper levels have bands of their own
    out = np.flatnonzero(((households < band.low) | (households > band.high)) & judged)
    text = "grid {} has {:.0f} households, outside {}"
    return [Problem("band", names[i], text.format(names[i], households[i], band), 0.0) for i in out]
