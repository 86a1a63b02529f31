"""Points of any length read, located and written batch by batch, in bounded memory.

`open_points` turns a file into a `PointStream`, whose batches are Arrow record batches with the coordinates and the
faults of each row beside them; `locate_file` sends a stream through `gisgrid.locate.locate_batch` into another file.
No row is ever dropped and the order stays: what cannot be used is written with its reason.
"""

from __future__ import annotations

from data.point_streams.answers import Grids, Tally
from data.point_streams.locating import locate_file
from data.point_streams.readers import READABLE, open_points
from data.point_streams.stream import PointBatch, PointStream
from data.point_streams.writers import WRITABLE

__all__ = ["READABLE", "WRITABLE", "Grids", "PointBatch", "PointStream", "Tally", "locate_file", "open_points"]
