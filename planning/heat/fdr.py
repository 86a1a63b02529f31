"""False discovery rate over many tests."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def adjusted(p: Floats) -> Floats:
    """q of every p (Benjamini and Hochberg 1995): flagging all with q at most a keeps the expected share of false ones
    among the flagged at most a. What is not a number stays so and is no test.
    """
    told = np.flatnonzero(~np.isnan(p))
    order = told[np.argsort(p[told], kind="stable")]
    ranked = p[order] * len(order) / np.arange(1, len(order) + 1)
    q = np.full(len(p), np.nan)
    q[order] = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1.0)
    return q
