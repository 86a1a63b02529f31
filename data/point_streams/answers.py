"""What is written beside each point: its grid, or why it has none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, Self

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.in_force import InForce
from gisgrid.crs import STORAGE_CRS, normalise
from gisgrid.errors import BadInput
from gisgrid.locate import GridIndex, Located
from gisgrid.locate.points import NO_FAULT, REASONS, index_of

Rows = npt.NDArray[np.int32]

CODED: Final = pa.dictionary(pa.int32(), pa.string())
"""Text columns of few values: a number a row and the values once a row group, never a string a row."""
_REASONS: Final = pa.array(REASONS[1:], pa.string())


@dataclass(frozen=True, slots=True)
class Grids:
    """The grids points are located in: index, its CRS, and what is told of each of its rows.

    ``communities`` numbers the entries of ``community_names`` by index row; with ``generation`` both are written too.
    """

    index: GridIndex
    crs: str
    codes: pa.Array
    communities: Rows | None = None
    community_names: pa.Array | None = None
    generation: int | None = None

    @classmethod
    def of_layer(cls, grids: gpd.GeoDataFrame) -> Self:
        """The grids of a layer with a column ``code``. Raises BadInput when they cannot be indexed."""
        return cls.of_index(index_of(grids), normalise(grids.crs))

    @classmethod
    def of_index(
        cls,
        index: GridIndex,
        crs: str,
        *,
        communities: list[str] | None = None,
        generation: int | None = None,
    ) -> Self:
        """Grids of an index at hand; ``communities`` by index row."""
        codes = pa.array(index.codes_of(np.arange(len(index))), pa.string())
        if communities is None:
            return cls(index, crs, codes, generation=generation)
        if len(communities) != len(index):
            raise BadInput(f"{len(communities)} communities for {len(index)} grids; give one a grid")
        coded = pa.array(communities, pa.string()).dictionary_encode()
        numbers = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
        return cls(index, crs, codes, numbers, coded.dictionary, generation)

    @classmethod
    def of_generation(cls, found: InForce) -> Self:
        """The owners of a generation; answers tell the community and the generation too."""
        communities = [grid["community"] for grid in found.grids]
        return cls.of_index(found.index, STORAGE_CRS, communities=communities, generation=found.generation.id)

    @property
    def fields(self) -> list[pa.Field]:
        """The answer's columns."""
        more = [pa.field("community", CODED)] if self.communities is not None else []
        last = [pa.field("generation", pa.int64())] if self.generation is not None else []
        return [
            pa.field("grid", CODED), *more, pa.field("outside", pa.bool_()), pa.field("nearest", CODED),
            pa.field("metres", pa.float64()), pa.field("reason", CODED), *last,
        ]  # fmt: skip


def answer_columns(grids: Grids, found: Located) -> list[pa.Array]:
    """The columns of `Grids.fields` for one batch."""
    near = found.near_rows >= 0
    columns: list[Any] = [coded(found.rows, grids.codes)]
    if grids.communities is not None:
        owned = np.append(grids.communities, np.int32(-1))[found.rows]
        columns.append(coded(owned, grids.community_names))
    columns += [
        pa.array(found.outside),
        coded(found.near_rows, grids.codes),
        pa.array(found.metres, mask=~near),
        coded(found.faults.astype(np.int32) - 1, _REASONS),
    ]
    if grids.generation is not None:
        columns.append(pa.array(np.full(found.rows.size, grids.generation, np.int64)))
    return columns


def coded(rows: Rows, values: pa.Array) -> pa.DictionaryArray:
    """``values[rows]`` as numbers and values, null below zero; values nobody has are left out when they are many."""
    known = rows >= 0
    count = int(np.count_nonzero(known))
    if count == 0:
        return pa.DictionaryArray.from_arrays(pa.nulls(rows.size, pa.int32()), values.slice(0, 0))
    if 2 * count < len(values):
        used, numbers = np.unique(rows[known], return_inverse=True)
        rows = np.full(rows.size, -1, np.int32)
        rows[known] = numbers
        values = values.take(pa.array(used))
    indices = pa.array(rows) if count == rows.size else pa.array(rows, mask=~known)
    return pa.DictionaryArray.from_arrays(indices, values, safe=False)


@dataclass(slots=True)
class Tally:
    """Counts of a run so far."""

    points: int = 0
    located: int = 0
    outside: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, found: Located) -> None:
        """Count one batch."""
        self.points += found.rows.size
        self.located += int(np.count_nonzero(found.rows >= 0))
        self.outside += int(np.count_nonzero(found.outside))
        for fault, count in enumerate(np.bincount(found.faults, minlength=len(REASONS)).tolist()):
            if fault != NO_FAULT and count:
                self.reasons[str(REASONS[fault])] += count

    @property
    def unusable(self) -> int:
        """Rows that could not be used, for whatever reason."""
        return self.reasons.total()

    def facts(self) -> dict[str, Any]:
        """The counts, ready for JSON."""
        return {
            "points": self.points, "located": self.located, "outside": self.outside, "unusable": self.unusable,
            "reasons": dict(self.reasons.most_common()),
        }  # fmt: skip
