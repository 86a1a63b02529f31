"""Grids inside grids: what ``--levels`` says is read in `parse`, planned in `nested`, made into a layer in `rows`."""

from __future__ import annotations

from planning.levels.nested import SPECIAL_AREA, NestedPlan, partition_levels, split_options
from planning.levels.parse import Level, band_about, parse_levels
from planning.levels.reasons import LevelReason

__all__ = [
    "SPECIAL_AREA",
    "Level",
    "LevelReason",
    "NestedPlan",
    "band_about",
    "parse_levels",
    "partition_levels",
    "split_options",
]
