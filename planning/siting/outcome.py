"""What siting found, as layers, tables and figures: before and after."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array

from gisgrid.limits import SNAP_METRES_MAX
from planning.reach import Profile
from planning.siting.candidates import Candidates
from planning.siting.inputs import Homes
from planning.siting.problem import Choice

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]
_KEPT: Final = ("building_id", "name", "kind", "households", "population", "elderly", "community", "district")
_COUNTED: Final = ("residents", "elderly", "households", "buildings")


@dataclass(frozen=True)
class Found:
    """One category solved: ``today`` the cost to its nearest facility, ``columns`` the candidates chosen, ranked."""

    about: dict[str, Any]
    minutes: float
    limit: int
    today: Float64
    reach: csr_array
    columns: Int64
    cost: Float64
    choice: Choice
    together: bool = False
    extra: dict[str, Any] = field(default_factory=dict)
    unreachable: Int64 = field(default_factory=lambda: np.empty(0, np.int64))
    after: Float64 = field(default_factory=lambda: np.empty(0))
    """Cost to the nearest facility, the new ones included."""

    @property
    def name(self) -> str:
        """The category."""
        return str(self.about["category"])


@dataclass(frozen=True)
class SitingResult:
    """What `site_facilities` found.

    ``sites``: points with ``category, name_zh, name_en, rank, candidate, cost, newly_covered_residents`` (and elderly,
    households, buildings), which the site adds after those before it. ``residences``: with ``assessable`` and per
    category ``seconds_before_``, ``seconds_after_`` (NaN beyond what was searched), ``covered_before_``,
    ``covered_after_``. ``coverage``: a row a category and area (district, each community). ``unreachable``: residences
    that neither a facility nor any candidate reaches (``category``). ``report``: JSON-ready figures. Layers are in the
    residences' CRS.
    """

    sites: gpd.GeoDataFrame
    residences: gpd.GeoDataFrame
    coverage: pd.DataFrame
    unreachable: gpd.GeoDataFrame
    report: dict[str, Any]

    @property
    def proven(self) -> bool:
        """Whether nothing better exists."""
        return all(row["gap"] == 0.0 for row in self.report["categories"])


def result_of(
    found: list[Found], homes: Homes, residences: gpd.GeoDataFrame, spots: Candidates, crs: str,
    facts: dict[str, Any], mover: Profile, *, facilities_off: int,
) -> SitingResult:  # fmt: skip
    """Layers, tables and report of what was found."""
    sites: list[dict[str, Any]] = []
    columns: dict[str, Any] = {}
    lost: list[gpd.GeoDataFrame] = []
    coverage: list[pd.DataFrame] = []
    rows: list[dict[str, Any]] = []
    kept = residences[[name for name in _KEPT if name in residences]]
    for one in found:
        steps, after = _steps(one, homes), one.after
        for rank, (column, step) in enumerate(zip(one.columns.tolist(), steps, strict=True), 1):
            place = {"x": spots.xy[column, 0], "y": spots.xy[column, 1], "candidate": spots.ids[column]}
            names = {key: one.about[key] for key in ("category", "name_zh", "name_en")}
            sites.append({**names, "rank": rank, **step, "cost": float(one.cost[column]), **place})
        covered, reached = one.today <= one.limit, after <= one.limit
        columns |= {
            f"seconds_before_{one.name}": mover.seconds(one.today).astype(np.float32),
            f"seconds_after_{one.name}": mover.seconds(after).astype(np.float32),
            f"covered_before_{one.name}": covered, f"covered_after_{one.name}": reached,
        }  # fmt: skip
        table = _coverage(one, homes, residences, covered, reached)
        coverage.append(table)
        where = residences.geometry.iloc[one.unreachable]
        lost.append(kept.iloc[one.unreachable].assign(category=one.name, geometry=where))
        rows.append(
            _category(
                one, {str(key): value for key, value in table.iloc[0].items()}, homes, facts["unserved_minutes"], mover
            )
        )
    frame = pd.DataFrame(kept.assign(assessable=homes.snapped.ok), index=residences.index)
    layer = pd.concat([frame, pd.DataFrame(columns, index=residences.index)], axis=1)
    report = {
        **facts,
        "proven": all(row["gap"] == 0.0 for row in rows),
        "categories": rows,
        "sites": [{key: value for key, value in site.items() if key not in ("x", "y")} for site in sites],
        "coverage": pd.concat(coverage).astype(object).to_dict("records"),
        "notes": _notes(found, homes, facts, facilities_off),
    }
    return SitingResult(
        sites=_points(sites, crs, residences),
        residences=gpd.GeoDataFrame(layer, geometry=residences.geometry.to_numpy(), crs=residences.crs),
        coverage=pd.concat(coverage, ignore_index=True),
        unreachable=gpd.GeoDataFrame(pd.concat(lost), geometry="geometry", crs=residences.crs),
        report=report,
    )


def _points(sites: list[dict[str, Any]], crs: str, residences: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    empty = ["category", "name_zh", "name_en", "rank", "candidate", "cost", "x", "y"]
    frame = pd.DataFrame(sites, columns=None if sites else empty)
    points = shapely.points(frame.pop("x").to_numpy(float), frame.pop("y").to_numpy(float))
    return gpd.GeoDataFrame(frame, geometry=points, crs=crs).to_crs(residences.crs)


def _steps(one: Found, homes: Homes) -> list[dict[str, int]]:
    """Who is newly covered by each site, after those before it."""
    covered = one.today <= one.limit
    steps = []
    for column in one.columns:
        span = slice(one.reach.indptr[column], one.reach.indptr[column + 1])
        place, way = one.reach.indices[span], one.reach.data[span]
        new = place[(way <= one.limit) & ~covered[place]]
        steps.append({f"newly_covered_{name}": int(homes.counts[name][new].sum()) for name in _COUNTED})
        covered[new] = True
    return steps


def _coverage(one: Found, homes: Homes, residences: gpd.GeoDataFrame, covered: Bool, reached: Bool) -> pd.DataFrame:
    """Counts before and after for the district and each community a column names."""
    ok = homes.snapped.ok
    areas = [("district", "", np.zeros(len(ok), np.int64), np.array([""]))]
    if "community" in residences:
        named = residences["community"].fillna("").astype(str)
        code, labels = pd.factorize(named, sort=True)
        areas.append(("community", "community", code, labels.to_numpy()))
    out = []
    for level, _, code, labels in areas:
        table = pd.DataFrame({"category": one.name, "level": level, "area": labels})
        for name in _COUNTED:
            for key, mask in (("assessed", ok), ("before", covered & ok), ("after", reached & ok)):
                total = np.bincount(code[mask], homes.counts[name][mask], minlength=len(labels))
                table[f"{name}_{key}"] = np.rint(total).astype(np.int64)
        out.append(table)
    return pd.concat(out, ignore_index=True)


def _category(one: Found, figures: dict[str, Any], homes: Homes, unserved: float, mover: Profile) -> dict[str, Any]:
    """Figures of one category."""
    choice = one.choice
    return {
        **{key: one.about[key] for key in ("category", "name_zh", "name_en")},
        "minutes": one.minutes,
        "sites": len(one.columns),
        "value": choice.value, "bound": choice.bound, "gap": max(choice.gap, one.extra.get("mean_gap", 0.0)),
        "status": choice.status, "solved_together": one.together,
        **{key: value for key, value in figures.items() if key not in ("category", "level", "area")},
        "mean_minutes_before": _mean(one.today, homes.weight, unserved, mover),
        "mean_minutes_after": _mean(one.after, homes.weight, unserved, mover),
        "cost": float(one.cost[one.columns].sum()),
        "unreachable": len(one.unreachable),
        "unreachable_weight": float(homes.weight[one.unreachable].sum()),
        "work": choice.work,
        **{key: value for key, value in one.extra.items() if key not in ("mean_gap", "cost")},
    }  # fmt: skip


def _mean(cost: Float64, weight: Float64, unserved: float, mover: Profile) -> float | None:
    """Weighted mean minutes to the nearest facility; who has none within ``unserved`` minutes counts with these."""
    total = float(weight.sum())
    return float(np.fmin(mover.seconds(cost) / 60, unserved) @ weight) / total if total > 0 else None


def _notes(found: list[Found], homes: Homes, facts: dict[str, Any], facilities_off: int) -> list[str]:
    """What a reader of the figures should know, a sentence each."""
    notes = []
    off = int((~homes.snapped.ok).sum())
    counts = (
        (off, f"residences are over {SNAP_METRES_MAX:g} m from every street and cannot be assessed"),
        (facilities_off, f"facilities are over {SNAP_METRES_MAX:g} m from every street and serve nobody"),
        (facts["candidates"] - facts["candidates_on_network"], "candidates are off the network and were left out"),
    )
    notes += [f"{count} {text}" for count, text in counts if count]
    if not homes.weight.any():
        notes.append(f"no residence on the network has any {facts['weight']}: there is nobody to site for")
    for one in found:
        label = f"{one.about['name_zh']} {one.about['name_en']}"
        if not np.isfinite(one.today).any():
            notes.append(f"{label}: nobody reaches a facility of today")
        if len(one.unreachable):
            notes.append(
                f"{label}: full cover is impossible, {len(one.unreachable)} residences "
                f"({homes.weight[one.unreachable].sum():g} {facts['weight']}) are within {one.minutes:g} min of no "
                "facility and no candidate; all others are covered"
            )
        if one.choice.status != "optimal":
            notes.append(
                f"{label}: ended by {one.choice.status}; the best may be up to {100 * one.choice.gap:.2f} % better"
            )
    return notes
