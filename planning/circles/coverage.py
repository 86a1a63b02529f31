"""Coverage: how many buildings, residents and people of 60 and over reach what, place by place.

Four counts go together everywhere, of buildings, residents and elderly alike: all; *assessed* (on the network);
*covered* (the nearest facility within the minutes, on foot); *straight* (a facility within the category's metres as
the crow flies, of those assessed, so that both figures are of the same people). Whoever is not assessed is neither
covered nor blind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from planning.circles.inputs import Members, People

Bool = NDArray[np.bool_]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

WHO: Final = ("buildings", "residents", "elderly")
WHICH: Final = ("", "_assessed", "_covered", "_straight")
FIGURES: Final = tuple(f"{who}{which}" for who in WHO for which in WHICH)
"""The counts of every coverage frame, in the order of its columns."""


def straight(facilities: Float64, homes: Float64, metres: float) -> Bool:
    """Which residences have a facility within ``metres`` as the crow flies."""
    sound = np.isfinite(facilities).all(axis=1)
    reached = np.zeros(len(homes), bool)
    usable = np.isfinite(homes).all(axis=1)
    if sound.any() and usable.any():
        away, _ = cKDTree(facilities[sound]).query(homes[usable], distance_upper_bound=metres * (1 + 1e-12))
        reached[usable] = away <= metres
    return reached


def counts(
    members: Members,
    people: People,
    assessed: Bool,
    covered: Bool,
    near: Bool,
    names: Sequence[Any],
    *,
    column: str = "category",
) -> pd.DataFrame:
    """`FIGURES` of every place and every column of ``covered`` and ``near`` (residences, names), names outermost.

    Places without buildings are there too.
    """
    size = (len(names), len(members.codes))
    frame = {"code": np.tile(members.codes, size[0]), column: np.repeat(np.array(list(names), object), size[1])}
    for who, weight in zip(WHO, (np.ones(len(assessed)), people.residents, people.elderly), strict=True):
        everybody, judged = sums(members, weight[:, None]), sums(members, (weight * assessed)[:, None])
        parts = (
            np.broadcast_to(everybody, size[::-1]),
            np.broadcast_to(judged, size[::-1]),
            sums(members, weight[:, None] * covered),
            sums(members, weight[:, None] * near),
        )
        for which, values in zip(WHICH, parts, strict=True):
            frame[f"{who}{which}"] = np.rint(values.T).astype(np.int64).ravel()
    return pd.DataFrame(frame, columns=["code", column, *FIGURES])


def sums(members: Members, values: Float64) -> Float64:
    """Sums of ``values`` (residences, k) over each place: (places, k)."""
    out: Float64 = np.asarray(members.matrix @ values)
    return out


def tier_counts(
    members: Members, people: People, assessed: Bool, covered: Bool, near: Bool, tiers: Int64
) -> pd.DataFrame:
    """Each tier as a whole: *covered* are those who reach every category of it within that category's own minutes.

    ``tiers``: the tier of each column of ``covered``. ``share`` is the part of the tier's categories the place's
    people reach on average (of assessed residents; of buildings where no residents are known), NaN where nobody is.
    """
    names = np.unique(tiers)
    every = np.stack([covered[:, tiers == tier].all(axis=1) for tier in names], axis=1)
    by_air = np.stack([near[:, tiers == tier].all(axis=1) for tier in names], axis=1)
    part = np.stack([covered[:, tiers == tier].mean(axis=1) for tier in names], axis=1)
    frame = counts(members, people, assessed, every, by_air, names.tolist(), column="tier")
    weight = people.weight * assessed
    whole = sums(members, weight[:, None])
    share = np.divide(
        sums(members, weight[:, None] * part), whole, out=np.full((len(members.codes), len(names)), np.nan),
        where=whole > 0,
    )  # fmt: skip
    size = {tier: int((tiers == tier).sum()) for tier in names.tolist()}
    frame.insert(0, "place", members.kind)
    frame.insert(3, "categories", frame["tier"].map(size).astype(np.int64))
    return frame.astype({"tier": np.int64}).assign(share=share.T.ravel())


def blind(frame: pd.DataFrame, who: str = "residents") -> pd.Series[Any]:
    """Assessed and not covered, of a coverage frame."""
    return frame[f"{who}_assessed"] - frame[f"{who}_covered"]
