"""What readers yield and writers take, and the threads that let them work at the same time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Floats = npt.NDArray[np.float64]
Faults = npt.NDArray[np.int8]
T = TypeVar("T")

_POLL_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class PointBatch:
    """Rows of one batch: their columns as they came, coordinates (n) in the stream's CRS (NaN where there are none),
    ``faults`` as `gisgrid.locate.points.REASONS` numbers them, and the share of the input read so far.
    """

    table: pa.RecordBatch
    x: Floats
    y: Floats
    faults: Faults
    share: float


@dataclass(frozen=True, slots=True)
class PointStream:
    """A file of points, not read yet.

    ``schema`` is that of the batches' tables. ``shapes`` names its geometry column, ``encoding`` says how shapes are
    kept there (``WKB`` or a GeoArrow ``point``); None for tables with plain coordinate columns. ``derived`` columns
    hold the position as text and are left out where a geometry is written. ``plain``: a table that needs no geometry
    when it is written to Parquet again. ``crs`` is a name of `gisgrid.crs.normalise`, ``rows`` the number of rows where
    the file tells it at once, ``bom`` whether a text file began with a byte order mark.
    """

    path: Path
    schema: pa.Schema
    crs: str | None
    batches: Callable[[], Iterator[PointBatch]]
    rows: int | None = None
    shapes: str | None = None
    encoding: str = "WKB"
    geometry_type: str = "Point"
    derived: tuple[str, ...] = ()
    plain: bool = False
    bom: bool = False


def ahead(items: Iterator[T], depth: int = 1) -> Generator[T, None, None]:
    """The same items, made by a thread of their own up to ``depth`` before they are asked for.

    An error of the maker is raised here; closing the generator stops the maker and waits for it.
    """
    made: queue.Queue[Any] = queue.Queue(depth)
    stop, stopped = threading.Event(), threading.Event()
    end = object()

    def put(item: Any) -> None:
        while not stop.is_set():
            try:
                made.put(item, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return

    def make() -> None:
        try:
            for item in items:
                put(item)
                if stop.is_set():
                    return
            put(end)
        except BaseException as error:  # carried over to whoever reads
            put(error)
        finally:
            try:
                getattr(items, "close", lambda: None)()
            finally:
                stopped.set()

    maker = threading.Thread(target=make, name="points ahead", daemon=True)
    maker.start()
    try:
        while (item := made.get()) is not end:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        stopped.wait()  # not join: interrupted by a second Ctrl-C, it takes a running thread for ended
