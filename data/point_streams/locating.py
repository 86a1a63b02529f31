"""A file of points in, the same points with their owners out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from data.point_streams.answers import Grids, Tally
from data.point_streams.layout import fill, layout_for
from data.point_streams.stream import PointBatch, PointStream, ahead
from data.point_streams.writers import check_output, write_batches
from gisgrid.limits import OUTSIDE_METRES_MAX
from gisgrid.locate import Located, locate_batch
from gisgrid.models import Progress, no_progress


def locate_file(
    stream: PointStream,
    out: Path,
    grids: Grids,
    *,
    max_metres: float = OUTSIDE_METRES_MAX,
    layer: str = "points",
    progress: Progress = no_progress,
) -> Tally:
    """Write every point of the stream with its owner to ``out`` (format by its ending), in the order they came.

    Added columns: grid, outside, nearest, metres, reason as `gisgrid.locate.locate_points` has them, and community
    and generation where ``grids`` knows them. Reading, locating and writing run side by side; a handful of batches are
    in memory at a time. The file appears when it is complete. Raises BadInput and Broken, see `write_batches`.
    """
    check_output(out, stream.path)
    layout = layout_for(stream, grids, out.suffix.lower())
    tally = Tally()
    with closing(ahead(_located(stream, grids, max_metres, tally, progress))) as answered:
        records = (fill(layout, batch, found) for batch, found in answered)
        write_batches(out, layout, records, layer)
    progress(1.0, "")
    return tally


def _located(
    stream: PointStream, grids: Grids, max_metres: float, tally: Tally, progress: Progress
) -> Iterator[tuple[PointBatch, Located]]:
    begun = time.monotonic()
    source = str(stream.crs)
    with closing(ahead(stream.batches())) as batches:
        for batch in batches:
            found = locate_batch(
                grids.index, batch.x, batch.y, source=source, target=grids.crs, faults=batch.faults,
                max_metres=max_metres,
            )  # fmt: skip
            tally.add(found)
            speed = tally.points / max(time.monotonic() - begun, 1e-3)
            progress(batch.share, f"{tally.points:,} points, {speed / 1e6:.2g} M/s")
            yield batch, found
