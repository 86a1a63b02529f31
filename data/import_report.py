"""What an import took, mended and refused, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd

from gisgrid.crs import STORAGE_CRS


def no_rows() -> gpd.GeoDataFrame:
    """An empty frame of refused rows."""
    return gpd.GeoDataFrame({"row": [], "reason": []}, geometry=[], crs=STORAGE_CRS)


@dataclass(slots=True)
class ImportReport:
    """Counts of one layer's import.

    ``reasons`` counts refused and repaired rows by short reason; ``refused_rows`` holds each refused row
    as it came, with ``row`` (1 = first data row) and ``reason``, ready to be written to a file.
    """

    layer: str
    read: int = 0
    taken: int = 0
    repaired: int = 0
    refused: int = 0
    estimated: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    refused_rows: gpd.GeoDataFrame = field(default_factory=no_rows)

    def count(self, reason: str, rows: int) -> None:
        """Add rows under a reason; none adds nothing."""
        if rows:
            self.reasons[reason] = self.reasons.get(reason, 0) + int(rows)

    def lines(self) -> list[str]:
        """The report as readable lines."""
        head = f"{self.layer}: {self.read:,} read, {self.taken:,} taken"
        for word, number in (("repaired", self.repaired), ("estimated", self.estimated), ("refused", self.refused)):
            head += f", {number:,} {word}" if number else ""
        return [head, *(f"  {number:,} × {reason}" for reason, number in self.reasons.items())]

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON-ready values, without the rows themselves."""
        return {
            "layer": self.layer,
            "read": self.read,
            "taken": self.taken,
            "repaired": self.repaired,
            "refused": self.refused,
            "estimated": self.estimated,
            "reasons": dict(self.reasons),
        }
