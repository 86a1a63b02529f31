"""Editing a plan: operations on who owns which unit, pure functions over arrays."""

from __future__ import annotations

from planning.edits.apply import Outcome, Rules, apply
from planning.edits.inverse import inverse
from planning.edits.numbering import proposed
from planning.edits.operations import (
    Assign,
    Create,
    Operation,
    Remove,
    Renumber,
    Set,
    operation_json,
    parse_operations,
)
from planning.edits.sheet import GridFacts, Level, Sheet, sheet_of

__all__ = [
    "Assign", "Create", "GridFacts", "Level", "Operation", "Outcome", "Remove", "Renumber", "Rules", "Set", "Sheet",
    "apply", "inverse", "operation_json", "parse_operations", "proposed", "sheet_of",
]  # fmt: skip
