"""What a report is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import geopandas as gpd

from gisgrid.models import Band
from layers.report.words import Words

TITLE: Final = Words("网格划分报告", "Grid plan report")


@dataclass(frozen=True, slots=True)
class ReportData:
    """What a report shows. Layers in one metric CRS; ``figures`` and ``before`` as `planning.evaluate.figures` gives.

    ``grids``, ``grids_before``: ``code``, ``geometry`` and, where there are, ``level``, ``parent``, ``community``.
    ``streets``: lines with ``cls`` (one of `gisgrid.models.STREET_CLASSES`). ``reasons``: code, text, community, units.
    ``changes`` as `planning.compare.Comparison.changes_dict`; ``units`` with ``old``, ``grid``, ``moved``, households,
    for the map of ground that moves. ``settings``: how the plan was made, shown as given.
    """

    grids: gpd.GeoDataFrame
    figures: Mapping[str, Any]
    band: Band | None = None
    title: Words = TITLE
    streets: gpd.GeoDataFrame | None = None
    reasons: Sequence[Mapping[str, Any]] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    grids_before: gpd.GeoDataFrame | None = None
    before: Mapping[str, Any] | None = None
    changes: Mapping[str, Any] | None = None
    units: gpd.GeoDataFrame | None = None

    def same_level(self) -> bool:
        """Whether the finest grids of both plans are of one level, so that one band judges both."""
        return self.before is None or self.before["levels"][-1]["level"] == self.figures["levels"][-1]["level"]
