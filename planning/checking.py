"""Is a whole plan sound? Every level inside the one above, or a professional layer by its own rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import geopandas as gpd
import pandas as pd

from gisgrid.coverage import CoverageReport, Problem, check
from gisgrid.models import Band

FATAL_PROFESSIONAL: Final = frozenset({"overlap", "null_geometry", "invalid_geometry", "null_code", "duplicate_code"})
"""What makes a professional layer useless. Ground left out, pieces apart and odd codes are its department's matter."""


def check_levels(grids: gpd.GeoDataFrame, communities: gpd.GeoDataFrame, *, band: Band | None = None) -> CoverageReport:
    """`gisgrid.coverage.check` for grids of several levels, in one report.

    The first level must cover the communities. A deeper level need not be everywhere, but the grids that are divided
    must be covered by their children, and no child may leave its parent. `band` is the first level's. Raises BadInput
    for an empty layer.
    """
    if "level" not in grids:
        return check(grids, communities, band=band)
    level = pd.to_numeric(grids["level"], errors="coerce").fillna(1)
    report = check(grids[level == 1], communities, band=band)
    for deeper in sorted(level[level > 1].unique()):
        children = grids[level == deeper]
        above = grids[(level == deeper - 1) & grids["code"].isin(children["parent"])]
        outlines = gpd.GeoDataFrame({"code": above["code"]}, geometry=above.geometry, crs=grids.crs)
        found = check(children.assign(community=children["parent"]), outlines)
        report = _joined(report, found)
    return report


def check_professional(grids: gpd.GeoDataFrame, *, band: Band | None = None) -> CoverageReport:
    """`gisgrid.coverage.check` for a professional layer: only what is in `FATAL_PROFESSIONAL` makes it unsound.

    Raises BadInput for an empty layer.
    """
    report = check(grids, band=band)
    fatal = [problem for problem in report.problems if problem.kind in FATAL_PROFESSIONAL]
    mild = [problem for problem in report.problems if problem.kind not in FATAL_PROFESSIONAL]
    notes = [note for note in report.notes if note.kind != "own_codes"]  # 20 digits are no comprehensive code
    return replace(report, problems=fatal, notes=[*mild, *notes])


def _joined(report: CoverageReport, deeper: CoverageReport) -> CoverageReport:
    problems = [_about_parent(problem) for problem in deeper.problems]
    return replace(
        report,
        grids=report.grids + deeper.grids,
        gap_m2=report.gap_m2 + deeper.gap_m2,
        overlap_m2=report.overlap_m2 + deeper.overlap_m2,
        problems=[*report.problems, *problems],
        notes=[*report.notes, *deeper.notes],
        gaps=_stacked(report.gaps, deeper.gaps),
        overlaps=_stacked(report.overlaps, deeper.overlaps),
    )


def _stacked(first: gpd.GeoDataFrame, second: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    if first.empty or second.empty:
        return second if first.empty else first
    return gpd.GeoDataFrame(pd.concat([first, second.to_crs(first.crs)], ignore_index=True), crs=first.crs)


def _about_parent(problem: Problem) -> Problem:
    if problem.kind not in ("crosses_community", "unknown_community"):
        return problem
    text = problem.text.replace("crosses out of community", "crosses out of its parent grid")
    text = text.replace("names a community that is not in the area layer", "names a parent that is not there")
    return problem._replace(kind=problem.kind.replace("community", "parent"), text=text)
