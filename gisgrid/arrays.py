"""Coordinates as the compiled functions take them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gisgrid.errors import BadInput

Floats = npt.NDArray[np.float64]


def coordinate_arrays(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Two read-only, contiguous float64 arrays of one length. Raises BadInput."""
    arrays = []
    for axis, values in (("x", x), ("y", y)):
        try:
            array = np.ascontiguousarray(values, np.float64)
        except (TypeError, ValueError) as error:
            raise BadInput(f"{axis}: not all values are numbers ({error}); give numeric coordinates") from error
        if np.ndim(values) != 1:
            raise BadInput(f"{axis}: has {np.ndim(values)} dimensions; give a flat list of coordinates")
        view = array.view()
        view.flags.writeable = False
        arrays.append(view)
    if arrays[0].size != arrays[1].size:
        raise BadInput(f"{arrays[0].size} x and {arrays[1].size} y coordinates; give as many of one as of the other")
    return arrays[0], arrays[1]
