"""Dividing units into balanced, contiguous grids. The energy is in `energy`, the entry point in `plan`."""

from __future__ import annotations

from planning.partition.energy import Weights
from planning.partition.keeping import old_grids_of
from planning.partition.plan import PlanResult, partition
from planning.partition.presets import PRESETS, parse_weights, preset_of
from planning.partition.reasons import Reason
from planning.partition.toy import warm

__all__ = [
    "PRESETS",
    "PlanResult",
    "Reason",
    "Weights",
    "old_grids_of",
    "parse_weights",
    "partition",
    "preset_of",
    "warm",
]
