"""What long work that runs beside the service is given: its parameters, its files, and whom to tell how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gisgrid.models import Progress


@dataclass(frozen=True, slots=True)
class JobFiles:
    """Files of one job: what was sent, and a folder for what it makes."""

    input: Path | None
    folder: Path
    job: int = 0
    """The job's number; 0 for work done outside the queue."""


JobWork = Callable[[dict[str, Any], JobFiles, Progress], dict[str, Any]]
"""Does the work: parameters, files, progress → result facts (JSON-ready; ``output`` names a file made in the folder).

``progress`` raises `Cancelled` when somebody asked the job to stop.
"""


class Cancelled(Exception):
    """The job was asked to stop; not an error."""
