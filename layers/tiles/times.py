"""The time a tile is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

import sqlalchemy as sa

from layers.catalog import Layer
from layers.times import Period, during


@dataclass(frozen=True, slots=True)
class Moment:
    """What of a layer is asked for: a generation, or features of a period whose days are those of ``zone``."""

    generation: int | None = None
    period: Period | None = None
    zone: tzinfo | None = None

    def conditions(self, layer: Layer) -> list[sa.ColumnElement[bool]]:
        """What holds for the features of that time; a generation is chosen otherwise."""
        return [] if self.period is None or self.zone is None else during(layer, self.period, self.zone)
