"""One-way columns as other people's street layers write them.

Besides yes and no there is OpenStreetMap's ``-1`` (against the drawing), and the ``F``, ``T``, ``B`` of Geofabrik's
shapefiles (forward, against, both), told from a plain T and F by the B among them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_AGAINST = frozenset({"-1", "-1.0", "reverse"})


def plain_oneway(values: pd.Series[Any]) -> tuple[pd.Series[Any], NDArray[np.bool_]]:
    """(the column with ``yes`` and ``no`` in place of those words, which rows run against their drawing).

    Columns of true booleans, and every word not named above, come back as they are.
    """
    if pd.api.types.is_bool_dtype(values):
        return values, np.zeros(len(values), bool)
    words = values.astype("string").str.strip().str.lower().fillna("")
    against = words.isin(_AGAINST).to_numpy(bool)
    ahead = np.zeros(len(values), bool)
    both = ahead
    if (words == "b").any() and words.isin(["b", "f", "t", ""]).all():
        against, ahead, both = ((words == letter).to_numpy(bool) for letter in ("t", "f", "b"))
    if not (against | ahead | both).any():
        return values, against
    plain = values.astype(object)
    plain[against | ahead] = "yes"
    plain[both] = "no"
    return plain, against
