"""Writing what is known about a plan to a report: JSON for scripts, one HTML page for people, by the ending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import geopandas as gpd
import numpy.typing as npt

from api.json import json_bytes
from gisgrid import __version__
from gisgrid.crs import to_metric
from gisgrid.models import Band
from layers.report import ReportData, Words, render_report
from planning.compare import Comparison, compare
from planning.evaluate import figures
from planning.graph import CLASSES, street_classes
from planning.partition import Reason
from planning.workflow import reason_json

REPORT_ENDINGS: Final = (".json", ".html")
"""What ``--report`` files may end in."""
SETTINGS: Final = (
    "preset",
    "weights",
    "seed",
    "seconds",
    "time_limit",
    "cut_by_time",
    "units",
    "cells",
    "runs",
    "pool",
)
"""Figures of the search that a report shows as how the plan was made."""


class Before(NamedTuple):
    """The plan there was: its grids, and its code ("" or null for none) for each row of the new plan's units."""

    grids: gpd.GeoDataFrame
    codes: npt.ArrayLike


def write_report(
    path: Path,
    *,
    grids: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None,
    band: Band | Mapping[int, Band],
    reasons: Sequence[Reason | Mapping[str, Any]] = (),
    stats: Mapping[str, Any] | None = None,
    before: Before | None = None,
    area: gpd.GeoDataFrame | None = None,
    feasible: bool | None = None,
    same_codes: bool = False,
    settings: Mapping[str, Any] | None = None,
    title: Words | None = None,
) -> None:
    """Report a plan to ``path`` (`REPORT_ENDINGS`): figures, reasons, and the changes against ``before``.

    grids, units (with ``grid``, the code of each) as `gisgrid plan` writes them; streets: lines with ``cls`` or
    ``highway``. ``same_codes``: kept grids carry their old code. ``settings`` are shown before those in ``stats``.
    ``band``: one, or one a level, as of `gisgrid plan --levels`; the page draws grids against the finest level's.
    The JSON has ``feasible``, ``reasons``, ``stats``, ``figures``, ``grids`` and, with ``before``, ``before`` and
    ``changes``. Raises BadInput as `planning.evaluate.figures` does.
    """
    told = [reason_json(reason) if isinstance(reason, Reason) else dict(reason) for reason in reasons]
    found = None
    if before is not None:
        found = compare(
            grids, units, before.grids, streets=streets, band=band, area=area, old_codes=before.codes,
            same_codes=same_codes,
        )  # fmt: skip
    now = figures(grids, units, streets, area=area, band=band) if found is None else found.figures
    numbers = dict(stats or {})
    if path.suffix.lower() == ".json":
        facts = {"feasible": not told if feasible is None else feasible, "reasons": told, "stats": numbers}
        write_whole(path, json_bytes(facts | report_facts(now, found)))
        return
    shown = dict(settings or {}) | {key: numbers[key] for key in SETTINGS if key in numbers}
    drawn = _finest_band(now, band)
    write_whole(
        path, report_page(grids, now, streets, drawn, found, reasons=told, settings=shown, title=title).encode()
    )


def report_facts(now: Mapping[str, Any], found: Comparison | None) -> dict[str, Any]:
    """``figures`` and ``grids`` of a plan; ``before``, ``grids_before`` and ``changes`` of a comparison."""
    facts: dict[str, Any] = {"figures": _without_rows(now), "grids": now["grids"]}
    if found is not None:
        facts |= {
            "before": _without_rows(found.before), "grids_before": found.before["grids"],
            "changes": found.changes_dict(),
        }  # fmt: skip
    return facts


def report_page(
    grids: gpd.GeoDataFrame,
    now: Mapping[str, Any],
    streets: gpd.GeoDataFrame | None,
    band: Band | None,
    found: Comparison | None,
    *,
    reasons: Sequence[Mapping[str, Any]] = (),
    settings: Mapping[str, Any] | None = None,
    title: Words | None = None,
) -> str:
    """The HTML page of a plan or a comparison."""
    metric = to_metric(grids)
    lines = None
    if streets is not None and len(streets):
        classes = street_classes(streets)
        lines = streets.to_crs(metric.crs)[["geometry"]].assign(cls=[CLASSES[number] for number in classes])
    optional: dict[str, Any] = {} if title is None else {"title": title}
    if found is not None:
        optional |= {
            "grids_before": found.grids_before.to_crs(metric.crs), "before": found.before,
            "changes": found.changes_dict(), "units": found.units.to_crs(metric.crs),
        }  # fmt: skip
    shown = {"band": now["band"], **(settings or {}), "version": f"gisgrid {__version__}"}
    return render_report(
        ReportData(metric, now, band, streets=lines, reasons=reasons, settings=shown, **optional)
    )  # fmt: skip


def write_comparison(
    path: Path, grids: gpd.GeoDataFrame, streets: gpd.GeoDataFrame | None, band: Band | Mapping[int, Band],
    found: Comparison,
    settings: Mapping[str, Any],
) -> None:  # fmt: skip
    """Report a comparison of two plan files to ``path`` (`REPORT_ENDINGS`)."""
    if path.suffix.lower() == ".json":
        write_whole(path, json_bytes(dict(settings) | report_facts(found.figures, found)))
        return
    title = Words("网格方案对比", "Two grid plans compared")
    page = report_page(
        grids, found.figures, streets, _finest_band(found.figures, band), found, settings=settings, title=title
    )
    write_whole(path, page.encode())


def _finest_band(now: Mapping[str, Any], band: Band | Mapping[int, Band]) -> Band | None:
    """The band of the level that is drawn."""
    return band if isinstance(band, Band) else band.get(max(level["level"] for level in now["levels"]))


def _without_rows(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in figures.items() if key != "grids"}


def write_whole(path: Path, content: bytes) -> None:
    """All of it or nothing: a report cut short would look like a finished one."""
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
