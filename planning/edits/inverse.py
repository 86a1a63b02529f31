"""Taking an edit back: operations that, applied to what it made, bring back what there was."""

from __future__ import annotations

from collections.abc import Sequence

from planning.edits.operations import Assign, Create, Operation, Remove, Renumber, Set


def inverse(operations: Sequence[Operation]) -> list[Operation]:
    """The way back from an edit as it was stored (`planning.edits.Outcome.operations`, codes final)."""
    return [_inverse(one) for one in reversed(operations)]


def _inverse(one: Operation) -> Operation:
    if isinstance(one, Assign):
        return Assign(one.level, one.target, one.source, one.units)
    if isinstance(one, Create):
        return Remove(one.level, one.code)
    if isinstance(one, Remove):
        was = dict(one.was or {})
        return Create(one.level, one.grid, was["community"], was["parent"], was["kind"], was["name"])
    if isinstance(one, Renumber):
        return Renumber(one.level, one.to, one.grid)
    return Set(one.level, one.grid, {name: (after, before) for name, (before, after) in one.changes.items()})
