"""Figures of the service's processes: requests counted and timed, and what else each process tells of itself.

Counted in this process under a lock, which costs a tenth of a microsecond; written once a second into a folder all
processes of a server share, so that whichever of them is asked tells the figures of all. A process that ended leaves
its counts, so that they never fall; what it told of itself goes with it.

Own code and not prometheus_client: that library's several-process mode keeps a memory-mapped file for each process and
metric type, and each of its counters and histograms takes a lock and writes through the map, which together cost as
much as a whole answer of locate.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper ends of the classes of seconds."""
SHARE_SECONDS: Final = 1.0
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Others are told as OTHER: whoever sends made-up methods must not make labels."""
log = logging.getLogger("gisgrid.api")
Key = tuple[str, str, int]
"""Method, route template, status."""


@dataclass(slots=True)
class Timed:
    """Requests of one key: their number, their seconds in all, their number by class of seconds."""

    seconds: float = 0.0
    classes: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))

    @property
    def number(self) -> int:
        """How many."""
        return sum(self.classes)

    def add(self, other: Timed) -> None:
        """Count the requests of another one too."""
        self.seconds += other.seconds
        self.classes = [a + b for a, b in zip(self.classes, other.classes, strict=True)]


@dataclass(slots=True)
class Totals:
    """The figures of all processes of a server."""

    requests: dict[Key, Timed] = field(default_factory=dict)
    processes: list[dict[str, float]] = field(default_factory=list)
    """What each process that lives tells of itself."""


class Measures:
    """The figures of this process, and through the folder they share those of the others."""

    def __init__(self, folder: Path | None = None, *, own: Callable[[], dict[str, float]] = dict) -> None:
        """``own`` tells this process's figures of the moment; without a ``folder`` there is one process only."""
        self._lock = threading.Lock()
        self._requests: dict[Key, Timed] = {}
        self._folder, self._own = folder, own
        if folder is not None:
            threading.Thread(target=self._share, name="measures", daemon=True).start()

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; ``method`` is one of `METHODS`, or OTHER."""
        key, place = (method, route, status), bisect_left(BUCKETS, seconds)
        with self._lock:
            timed = self._requests.get(key)
            if timed is None:
                timed = self._requests[key] = Timed()
            timed.seconds += seconds
            timed.classes[place] += 1

    def totals(self) -> Totals:
        """The figures of all processes; those of others as they were within the last second."""
        found = Totals()
        _merge(found, self._now(), alive=True)
        for path in sorted(self._folder.glob("*.json")) if self._folder is not None else []:
            pid = int(path.stem) if path.stem.isdigit() else 0
            if pid == os.getpid():
                continue
            try:
                _merge(found, json.loads(path.read_bytes()), alive=Path(f"/proc/{pid}").exists())
            except (OSError, ValueError) as error:
                log.warning("figures of process %s cannot be read: %s", path.stem, error)
        return found

    def _now(self) -> dict[str, object]:
        with self._lock:
            requests = [[*key, timed.seconds, *timed.classes] for key, timed in self._requests.items()]
        return {"requests": requests, "own": self._own()}

    def _share(self) -> None:
        assert self._folder is not None
        path = self._folder / f"{os.getpid()}.json"
        part, waiting = path.with_suffix(".part"), threading.Event()
        while self._folder.is_dir():
            waiting.wait(SHARE_SECONDS)
            try:
                part.write_text(json.dumps(self._now()))
                part.replace(path)
            except FileNotFoundError:
                return  # the server ended and took the folder along
            except OSError as error:
                log.warning("figures cannot be shared: %s", error.strerror)


def _merge(found: Totals, told: dict[str, object], *, alive: bool) -> None:
    requests = told.get("requests")
    assert isinstance(requests, list)
    for method, route, status, seconds, *classes in requests:
        if len(classes) == len(BUCKETS) + 1:
            found.requests.setdefault((method, route, status), Timed()).add(Timed(seconds, classes))
    own = told.get("own")
    if alive and isinstance(own, dict):
        found.processes.append(own)
