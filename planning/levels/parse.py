"""What ``--levels`` says: a list of levels from coarse to fine."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from gisgrid.errors import BadInput
from gisgrid.models import Band

Floats = npt.NDArray[np.float64]
Kind = Literal["households", "building", "entrance"]

SPREAD: Final = 1 / 3
"""A number of grids alone stands for a band this far about their mean. With the top twice the bottom every total above
the bottom fits some number of grids; 300:500 leaves out 501 to 599, and many a parent has such a total."""


@dataclass(frozen=True, slots=True)
class Level:
    """What one level should be. ``band``: households of a grid; ``grids``: how many of them there are in all, special
    grids counted in. Levels of kind ``building`` and ``entrance`` have neither: one grid for each of them.
    """

    band: Band | None = None
    grids: int | None = None
    kind: Kind = "households"

    def __str__(self) -> str:
        if self.kind != "households":
            return self.kind
        return "@".join(str(part) for part in (self.grids, self.band) if part is not None)


def parse_levels(text: str) -> tuple[Level, ...]:
    """Read ``--levels``: items from coarse to fine, separated by ``/`` or ``,``.

    An item is a band ``MIN:MAX`` (households), a number of grids ``K``, both as ``K@MIN:MAX``, or one of the words
    ``building`` and ``entrance``, which come last. Raises BadInput naming the item.
    """
    items = [item.strip() for item in re.split(r"[/,]", text)]
    levels = tuple(_parse_item(item, text) for item in items)
    check_order(levels)
    return levels


def _parse_item(item: str, text: str) -> Level:
    if item in ("building", "entrance"):
        return Level(kind="building" if item == "building" else "entrance")
    count, at, band = item.partition("@")
    if not at and ":" in item:
        return Level(Band.parse(item))
    if not re.fullmatch(r"\d+\s*", count) or (at and not band):
        raise BadInput(
            f"levels {text!r}: {item!r} is no level; give MIN:MAX households, a number of grids K, K@MIN:MAX, "
            "building or entrance, from coarse to fine: 34/158/854"
        )
    if int(count) < 1:
        raise BadInput(f"levels {text!r}: {item!r} asks for no grid; give a number of at least 1")
    return Level(Band.parse(band) if at else None, int(count))


def check_order(levels: Sequence[Level]) -> None:
    """Refuse levels that do not go from coarse to fine. Raises BadInput."""
    if not levels or levels[0].kind != "households":
        raise BadInput("levels: the first one must be a band or a number of grids, for example 300:500/building")
    rank = {"households": 0, "building": 1, "entrance": 2}
    for number, (above, level) in enumerate(pairwise(levels), start=2):
        if rank[level.kind] < rank[above.kind] or level.kind == above.kind != "households":
            raise BadInput(f"level {number} ({level}) cannot lie below {above}: building and entrance come last, once")
        if level.grids is not None and above.grids is not None and level.grids < above.grids:
            raise BadInput(
                f"level {number} ({level}) has fewer grids than the level above ({above}); go from coarse to fine"
            )
        if level.band is not None and above.band is not None and level.band.low > above.band.high:
            raise BadInput(
                f"level {number} ({level}) wants larger grids than the level above ({above}); go from coarse to fine"
            )


def band_about(households: Floats, grids: int) -> Band:
    """The band a number of grids alone stands for: `SPREAD` about their mean, rounded outwards.

    Units too large for that band fill a grid of their own, so the mean is that of the others: in 854 grids of 12,306
    households, 236 are single blocks of flats, and the rest have 9 households each, not 14.
    """
    heavy = np.zeros(len(households), dtype=bool)
    while True:
        mean = float(households[~heavy].sum()) / max(grids - int(heavy.sum()), 1)
        more = heavy | (households > (1.0 + SPREAD) * mean)
        if (more == heavy).all() or int(more.sum()) >= grids:
            break
        heavy = more
    return Band(math.floor((1.0 - SPREAD) * mean), max(math.ceil((1.0 + SPREAD) * mean), 1))
