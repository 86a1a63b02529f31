"""What every part of the search shares: limits, weights, schedule, when to stop, how far it is; and its threads."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from gisgrid.interrupts import held
from gisgrid.models import Progress, no_progress
from planning.partition.anneal import Schedule
from planning.partition.energy import Weights
from planning.partition.limits import Limits
from planning.partition.state import Rates

T = TypeVar("T")
Int32s = npt.NDArray[np.int32]

Preview = Callable[[Int32s, dict[str, Any]], None]
"""Takes the best plan so far: grid number of every unit in the order given (−1: none yet), int32 (n), and its figures
``grids``, ``in_band`` (both of ordinary grids), ``energy`` (a grid) and ``units_left``."""
PREVIEW_SECONDS = 1.0
"""A preview is told no more often than this."""


class Found(NamedTuple):
    """The best division of a cell so far: units, labels 0…grids-1, grids that keep every limit, energy."""

    rows: npt.NDArray[np.int64]
    label: Int32s
    grids: int
    inside: int
    energy: float


@dataclass(slots=True)
class Control:
    """Shared by the threads: when to stop, how much is done, and the best of every cell so far."""

    deadline: float | None = None
    cancelled: bool = False
    cut: bool = False
    interruptible: bool = False
    interrupted: bool = False
    done: float = 0.0
    total: float = 1.0
    lock: threading.Lock = field(default_factory=threading.Lock)
    best: dict[Hashable, Found] = field(default_factory=dict)
    past: list[Found] = field(default_factory=list)
    """Divisions of cells that are searched again in others: shown until these have one."""
    revision: int = 0
    """Counts every change of ``best``."""
    apart: npt.NDArray[np.int64] | None = None
    """Number of the special or locked grid of every unit, or −1 (n)."""
    shown: int = 0
    shown_at: float = -PREVIEW_SECONDS

    def stopped(self) -> bool:
        """Whether the time is over or the caller gave up; remembers that the search was cut short by it."""
        late = self.deadline is not None and time.monotonic() >= self.deadline
        self.cut = self.cut or late
        return self.cancelled or late

    def advance(self, work: float) -> None:
        """Book finished work."""
        with self.lock:
            self.done += work

    def found(self, cell: Hashable, found: Found) -> None:
        """Book the best division of a cell."""
        with self.lock:
            self.best[cell] = found
            self.revision += 1

    def forget(self, cell: Hashable) -> None:
        """Leave out a cell that is searched again in another one."""
        with self.lock:
            gone = self.best.pop(cell, None)
            self.past += [] if gone is None else [gone]

    def note(self) -> str:
        """The best plan so far in a few words, for the progress bar."""
        with self.lock:
            figures = list(self.best.values())
        grids = sum(found.grids for found in figures)
        if not grids:
            return "search"
        inside = sum(found.inside for found in figures)
        return f"{inside} of {grids} grids in band, energy {sum(found.energy for found in figures) / grids:.3f} a grid"

    def show(self, preview: Preview) -> None:
        """Tell the best plan so far where it is a new one and the last was told a while ago."""
        now = time.monotonic()
        with self.lock:
            if self.apart is None or self.revision == self.shown or now - self.shown_at < PREVIEW_SECONDS:
                return
            self.shown, layers = self.revision, [*self.past, *self.best.values()]
        label = self.apart.astype(np.int32)
        ends = int(label.max(initial=-1)) + 1 + np.cumsum([0, *(found.grids for found in layers)])
        for found, first in zip(layers, ends[:-1].tolist(), strict=True):
            label[found.rows] = found.label + first
        seen = [f for f, end in zip(layers, ends[1:].tolist(), strict=True) if end - f.grids <= label[f.rows[0]] < end]
        grids = sum(found.grids for found in seen)
        told = {
            "grids": grids, "in_band": sum(found.inside for found in seen),
            "energy": round(sum(found.energy for found in seen) / max(grids, 1), 4),
            "units_left": int((label < 0).sum()),
        }  # fmt: skip
        preview(label, told)
        self.shown_at = time.monotonic()


@dataclass(frozen=True, slots=True)
class Search:
    """One run: what every grid may hold, what is made small, how long it is searched."""

    limits: Limits
    weights: Weights
    schedule: Schedule
    control: Control
    progress: Progress = no_progress
    preview: Preview | None = None

    def rates(self, target: float, ramp: float = 1.0) -> Rates:
        """The energy's weights for grids of a load of `target`, the band's scaled by `ramp`."""
        return self.weights.rates(self.limits, target, ramp)

    def of_length(self, share: float) -> Search:
        """The same search, `share` times as long."""
        usual = self.schedule
        if share == 1.0:
            return self
        return self.with_schedule(unit_tries=usual.unit_tries * share, split_tries=usual.split_tries * share)

    def with_schedule(self, **changes: float | int | bool) -> Search:
        """The same search by another schedule."""
        return replace(self, schedule=replace(self.schedule, **changes))  # type: ignore[arg-type]


def in_threads(calls: Sequence[Callable[[], T]], search: Search) -> list[T]:
    """Answers of all calls, made on all cores in the order given, the progress shown meanwhile.

    Where the search is `interruptible` the first Ctrl-C makes it stop with the best it has; a second one breaks off.
    """
    control = search.control
    # Ctrl-C is asked for, not waited for: amid the book-keeping of the futures' locks it would leave one taken
    with held() as signals, ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        try:
            futures = [pool.submit(call) for call in calls]
            waiting = set(futures)
            while waiting:
                _, waiting = wait(waiting, timeout=0.25, return_when=FIRST_COMPLETED)
                stops = control.interruptible and not control.interrupted
                try:
                    search.progress(min(control.done / control.total, 0.99), control.note())
                    if search.preview is not None:
                        control.show(search.preview)
                    pressed = stops and signals.take()
                except KeyboardInterrupt:
                    if not stops:
                        raise
                    pressed = True
                if pressed:
                    control.cancelled = control.interrupted = True
                elif signals.came:
                    raise KeyboardInterrupt  # told again at the end of the block, by whoever heeds the signal
        except BaseException:
            control.cancelled = True
            raise
        return [future.result() for future in futures]
