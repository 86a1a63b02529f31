"""What drawers can do, and what they do it with."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

import sqlalchemy as sa

from api.catalogue import Catalogue

TASKS: Final[Mapping[str, str]] = {
    "held": "layers.held:HeldLayers",
    "picture": "layers.wms.picture:picture",
    "found": "layers.wms.picture:found_at",
    "sheet": "layers.sheets:make_sheet",
}
"""Tasks by name, ``module:function``: functions of the held layers, the layers offered and a request; and ``held``,
what makes the held layers of an engine."""
REGISTRY: Final = "api.drawing.tasks:TASKS"


class Desk:
    """What the tasks of a process share: the layers held in memory and the catalogue."""

    def __init__(self, engine: sa.Engine, catalogue: Catalogue, registry: str = REGISTRY) -> None:
        self._engine, self._catalogue = engine, catalogue
        self._tasks: Mapping[str, str] = named(registry)
        self._held: Any = None
        self._lock = threading.Lock()

    def do(self, task: str, request: Any) -> Any:
        """Do one of `TASKS`; raises what it raises."""
        work: Callable[..., Any] = named(self._tasks[task])
        return work(self.held(), self._catalogue.recent().layers, request)

    def held(self) -> Any:
        """The layers in memory, made at first use."""
        with self._lock:
            if self._held is None:
                # not before: it brings compiled kernels, which most workers never need
                self._held = named(self._tasks["held"])(self._engine)
            return self._held


def named(place: str) -> Any:
    """What ``module:NAME`` names."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)
