"""Arrays in one block of bytes that a browser reads without parsing: a header in JSON, then the arrays as they are.

Four letters that name the form, uint32 length of the header, the header (UTF-8 JSON, padded with blanks so that the
data begins at a multiple of 8), then the arrays one after another, each at a multiple of 8 from the data's begin.
All is little endian. ``header["arrays"]`` says of each its ``type`` (i1, i2, i4, u4, f4), ``offset``, ``length``.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson

from gisgrid.errors import BadInput

TYPES: Final = ("i1", "i2", "i4", "u4", "f4")
_ALIGN: Final = 8


def pack(magic: bytes, header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """One block of bytes. ``magic``: four bytes. Arrays are flattened; their types must be in `TYPES`."""
    told: dict[str, dict[str, Any]] = {}
    pieces: list[bytes] = []
    at = 0
    for name, values in arrays.items():
        kind = f"{values.dtype.kind}{values.dtype.itemsize}"
        if kind not in TYPES:
            raise TypeError(f"{name} is of type {values.dtype}; convert it to one of {', '.join(TYPES)}")
        data = np.ascontiguousarray(values).astype(f"<{kind}", copy=False).tobytes()
        told[name] = {"type": kind, "offset": at, "length": int(values.size)}
        pieces += [data, bytes(-len(data) % _ALIGN)]
        at += len(data) + (-len(data) % _ALIGN)
    text = orjson.dumps({**header, "arrays": told})
    text += b" " * (-(len(text) + 8) % _ALIGN)
    return b"".join([magic, struct.pack("<I", len(text)), text, *pieces])


def unpack(magic: bytes, block: bytes) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Header and arrays (flat, read only) of a block. Raises BadInput for anything else."""
    if block[:4] != magic or len(block) < 8:
        raise BadInput(f"this is no {magic.decode()} block; ask for it again")
    (length,) = struct.unpack("<I", block[4:8])
    header: dict[str, Any] = orjson.loads(block[8 : 8 + length])
    arrays = {
        name: np.frombuffer(block, f"<{one['type']}", one["length"], 8 + length + one["offset"])
        for name, one in header["arrays"].items()
    }
    return header, arrays
