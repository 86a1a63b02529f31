"""Operations applied to a plan, one after another: what comes out, or what stands against it.

Nothing is half done: where a unit is not where the editor saw it, a grid is gone, changed or locked, all such places
are named and the plan stays. Deeper levels follow the first: a unit that moved joins the neighbouring grid inside its
new parent. Grids left without units end.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gisgrid import topology
from gisgrid.codes import DEFAULT, GridScheme
from gisgrid.errors import BadInput
from planning.edits.follow import follow, misplaced
from planning.edits.numbering import default_names, new_codes, refuse_code
from planning.edits.operations import NEW, Assign, Create, Operation, Remove, Renumber, Set
from planning.edits.sheet import GridFacts, Level, Sheet

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rules:
    """What edits are held to. ``community`` row of ``communities`` of each unit; ``point`` (n, 2) and ``area`` of the
    units; ``borders`` between them; ``taken`` codes no new grid may bear; ``retired`` codes no grid may; ``names`` of
    the communities by code."""

    community: npt.NDArray[Any]
    communities: Sequence[str]
    point: npt.NDArray[np.float64]
    area: npt.NDArray[np.float64]
    borders: topology.Borders
    taken: Collection[str] = ()
    retired: Collection[str] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    scheme: GridScheme = DEFAULT


@dataclass(frozen=True, slots=True)
class UnitConflict:
    """A unit that is not where the editor saw it: what was to be done, whose it is now."""

    level: int
    unit: int
    source: str | None
    target: str | None
    theirs: str | None


@dataclass(frozen=True, slots=True)
class GridConflict:
    """A grid that is gone, has been changed (``field``), is not empty, or whose new code is taken."""

    level: int
    grid: str
    what: str
    field: str | None = None
    yours: Any = None
    theirs: Any = None


@dataclass
class Outcome:
    """What operations came to. Without conflicts and locked grids: ``sheet`` the plan after, ``operations`` all that
    was done, what followed included, with the codes grids have now; ``codes`` of the new grids by their names in the
    edit."""

    sheet: Sheet
    operations: list[Operation] = field(default_factory=list)
    codes: dict[str, str] = field(default_factory=dict)
    units: list[UnitConflict] = field(default_factory=list)
    grids: list[GridConflict] = field(default_factory=list)
    locked: list[tuple[int, str]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing stands against it."""
        return not (self.units or self.grids or self.locked)


def apply(before: Sheet, operations: Sequence[Operation], rules: Rules) -> Outcome:
    """Apply an edit. Raises BadInput for what no state of the plan would allow."""
    work = _Work(before.copy(), before.copy(), rules)
    batch: list[Renumber] = []
    for one in operations:
        if isinstance(one, Renumber):
            batch.append(one)
            continue
        _renumber(work, batch)
        batch = []
        if isinstance(one, Assign):
            _assign(work, one)
        elif isinstance(one, Create):
            _create(work, one)
        elif isinstance(one, Remove):
            _remove(work, one)
        else:
            _set(work, one)
    _renumber(work, batch)
    _parents(work)
    if work.out.grids or work.out.units:
        return _finished(work)
    _follow(work)
    _ended(work)
    if not work.out.ok:
        return _finished(work)
    _name_new(work)
    return _finished(work)


@dataclass
class _Work:
    """An edit half applied. ``moved``: per level the units some operation named; ``parents``: codes of parents told
    before they need be there, by level and slot; ``ended``: removed slots and what they were."""

    before: Sheet
    sheet: Sheet
    rules: Rules
    out: Outcome = field(init=False)
    done: list[Operation] = field(default_factory=list)
    removes: list[Remove] = field(default_factory=list)
    parents: dict[tuple[int, int], str] = field(default_factory=dict)
    ended: dict[tuple[int, int], GridFacts] = field(default_factory=dict)
    named: dict[int, npt.NDArray[np.bool_]] = field(default_factory=dict)
    against: dict[tuple[int, int], int] = field(default_factory=dict)
    fresh: dict[tuple[int, int], str] = field(default_factory=dict)
    unnamed: set[tuple[int, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.out = Outcome(self.sheet)

    def level(self, number: int) -> Level:
        if number > len(self.sheet.levels):
            raise BadInput(f"the plan has no level {number}; its deepest is {len(self.sheet.levels)}")
        return self.sheet.levels[number - 1]

    def find(self, number: int, code: str) -> int | None:
        """Slot of a grid; None, and a conflict, when it is gone."""
        slot = self.level(number).slots().get(code)
        if slot is None:
            if NEW.fullmatch(code):
                raise BadInput(f"grid {code} of level {number} is not created in this edit; create it first")
            self.out.grids.append(GridConflict(number, code, "gone"))
        return slot

    def guard(self, number: int, slot: int) -> None:
        """Note a locked grid that would change."""
        facts = self.sheet.levels[number - 1].grids[slot] if slot >= 0 else None
        if facts is not None and facts.locked and (number, facts.code) not in self.out.locked:
            self.out.locked.append((number, facts.code))

    def shown(self, number: int, slot: int) -> str | None:
        """Code of a slot for messages, of one just removed too."""
        ended = self.ended.get((number, slot))
        return ended.code if ended else self.level(number).code(slot)


def _assign(work: _Work, one: Assign) -> None:
    level = work.level(one.level)
    source = level.slots().get(one.source, -2) if one.source is not None else -1
    target = -1 if one.target is None else work.find(one.level, one.target)
    stands = level.owner[one.units]
    for unit in one.units[stands != source].tolist():
        _against(work, one, unit)
    if target is None:
        return
    for slot in (source, target):
        work.guard(one.level, slot)
    if target >= 0:
        _same_community(work, level.facts(target), one)
    free = one.units[stands == source]
    level.owner[free] = target
    work.named.setdefault(one.level, np.zeros(len(level.owner), dtype=bool))[one.units] = True
    if source != target:
        work.done.append(one)


def _against(work: _Work, one: Assign, unit: int) -> None:
    """Note a unit that is not where the editor saw it; of several operations on it, where it was to go in the end."""
    known = work.against.get((one.level, unit))
    if known is not None:
        work.out.units[known] = replace(work.out.units[known], target=one.target)
        return
    level = work.level(one.level)
    work.against[one.level, unit] = len(work.out.units)
    theirs = work.shown(one.level, int(level.owner[unit]))
    work.out.units.append(UnitConflict(one.level, unit, one.source, one.target, theirs))


def _same_community(work: _Work, facts: GridFacts, one: Assign) -> None:
    rules = work.rules
    home = rules.communities.index(facts.community) if facts.community in rules.communities else -1
    outside = one.units[rules.community[one.units] != home]
    if outside.size:
        other = rules.communities[int(rules.community[outside[0]])]
        raise BadInput(
            f"unit {outside[0]} lies in community {other} and grid {facts.code} belongs to {facts.community}; a grid "
            "lies in one community",
            code="other_community",
        )


def _create(work: _Work, one: Create) -> None:
    sheet, rules = work.sheet, work.rules
    if one.level == len(sheet.levels) + 1:
        sheet.levels.append(Level([], np.full(len(rules.community), -1, dtype=np.int32)))
        work.before.levels.append(Level([], np.full(len(rules.community), -1, dtype=np.int32)))
    level = work.level(one.level)
    if one.community not in rules.communities:
        raise BadInput(f"community {one.community} has no units in this plan; create the grid where its units are")
    new = bool(NEW.fullmatch(one.code))
    if one.code in level.slots():
        if new:
            raise BadInput(f"grid {one.code} is created twice in this edit; give each its own number")
        work.out.grids.append(GridConflict(one.level, one.code, "taken"))
        return
    if any(number == one.level and facts.code == one.code for (number, _), facts in work.ended.items()):
        raise BadInput(f"grid {one.code} is removed and created in one edit; leave it as it is")
    slot = len(level.grids)
    if not new:
        refuse_code(one.code, one.parent or one.community, rules.retired)
    level.grids.append(GridFacts(one.code, one.name or "", one.kind, -1, one.community))
    if one.parent is not None:
        work.parents[one.level, slot] = one.parent
    if new:
        work.fresh[one.level, slot] = one.code
    if one.name is None:
        work.unnamed.add((one.level, slot))
    work.done.append(one)


def _remove(work: _Work, one: Remove) -> None:
    slot = work.find(one.level, one.grid)
    if slot is None:
        return
    work.guard(one.level, slot)
    level = work.level(one.level)
    if (one.level, slot) in work.fresh:
        raise BadInput(f"grid {one.grid} is created and removed in one edit; leave it out")
    facts = level.facts(slot)
    work.ended[one.level, slot] = facts
    level.grids[slot] = None


def _set(work: _Work, one: Set) -> None:
    slot = work.find(one.level, one.grid)
    if slot is None:
        return
    level = work.level(one.level)
    facts = level.facts(slot)
    for name, (seen, wanted) in one.changes.items():
        now = getattr(facts, name)
        if now != seen:
            work.out.grids.append(GridConflict(one.level, one.grid, "changed", name, {"from": seen, "to": wanted}, now))
    if one.changes.get("locked", (False, True))[1]:  # unlocking goes before all else
        beyond = set(one.changes) - {"locked"}
        if beyond:
            work.guard(one.level, slot)
    level.change(slot, **{name: wanted for name, (_, wanted) in one.changes.items()})
    work.unnamed -= {(one.level, slot)} if "name" in one.changes else set()
    work.done.append(one)


def _renumber(work: _Work, batch: Sequence[Renumber]) -> None:
    """Give grids other codes, all at once; the grids inside follow."""
    wanted: dict[tuple[int, int], str] = {}
    for one in batch:
        slot = work.find(one.level, one.grid)
        if slot is None:
            continue
        if (one.level, slot) in work.fresh:
            raise BadInput(f"grid {one.grid} is created in this edit; it gets its number when it is stored")
        work.guard(one.level, slot)
        wanted[one.level, slot] = one.to
    if not wanted:
        return
    before = default_names(work.sheet, work.rules.names)
    old = {place: work.level(place[0]).facts(place[1]).code for place in wanted}
    for number, level in enumerate(work.sheet.levels[1:], start=2):
        for slot, facts in enumerate(level.grids):
            above = (number - 1, facts.parent if facts else -1)
            if facts is None or above not in wanted or (number, slot) in wanted:
                continue
            if facts.code.startswith(old[above]):
                wanted[number, slot] = wanted[above] + facts.code[len(old[above]) :]
                old[number, slot] = facts.code
                work.guard(number, slot)
    for (number, slot), code in wanted.items():
        work.level(number).change(slot, code=code)
    _check_codes(work, wanted)
    after = default_names(work.sheet, work.rules.names)
    for (number, slot), code in wanted.items():
        if work.level(number).facts(slot).name == before[number, slot]:
            work.level(number).change(slot, name=after[number, slot])
        work.done.append(Renumber(number, old[number, slot], code))


def _check_codes(work: _Work, wanted: Mapping[tuple[int, int], str]) -> None:
    for (number, slot), code in wanted.items():
        level = work.level(number)
        facts = level.facts(slot)
        above = facts.community if number == 1 else str(work.level(number - 1).code(facts.parent))
        refuse_code(code, above, work.rules.retired)
        if sum(grid is not None and grid.code == code for grid in level.grids) > 1:
            work.out.grids.append(GridConflict(number, code, "taken"))


def _parents(work: _Work) -> None:
    """Find the parents of new grids, which may have come after them."""
    for (number, slot), code in work.parents.items():
        above = work.level(number - 1)
        parent = above.slots().get(code)
        if parent is None:
            work.out.grids.append(GridConflict(number - 1, code, "gone"))
            continue
        facts = work.level(number).facts(slot)
        if above.facts(parent).community != facts.community:
            raise BadInput(f"grid {facts.code} and its parent {code} belong to different communities; name one")
        work.level(number).change(slot, parent=parent)


def _follow(work: _Work) -> None:
    for number in range(2, len(work.sheet.levels) + 1):
        upper, level = work.sheet.levels[number - 2], work.sheet.levels[number - 1]
        told = work.named.get(number, np.zeros(len(level.owner), dtype=bool))
        moved = (upper.owner != work.before.levels[number - 2].owner) & ~told
        was = level.owner.copy()
        level.owner = follow(upper, level, moved, work.rules.borders)
        changed = np.flatnonzero(level.owner != was)
        for slot in np.unique(np.concatenate([was[changed], level.owner[changed]])).tolist():
            work.guard(number, int(slot))
        work.done += _assigns(work, number, was, level.owner, changed)
        if (wrong := misplaced(upper, level)) is not None:
            code = work.shown(number, int(level.owner[wrong]))
            raise BadInput(
                f"unit {wrong} would be in grid {code} of level {number} but not in that grid's parent; assign it on "
                f"level {number - 1} as well"
            )


def _assigns(work: _Work, number: int, was: Any, now: Any, changed: Ints) -> list[Operation]:
    pairs = np.stack([was[changed], now[changed]], axis=1) if changed.size else np.zeros((0, 2), np.int32)
    kinds, which = np.unique(pairs, axis=0, return_inverse=True)
    return [
        Assign(number, work.shown(number, int(one)), work.shown(number, int(two)), changed[which.ravel() == row])
        for row, (one, two) in enumerate(kinds.tolist())
    ]


def _ended(work: _Work) -> None:
    """End the grids left without units, children first; refuse to end those that have some, and new ones without."""
    for number in range(len(work.sheet.levels), 0, -1):
        level = work.sheet.levels[number - 1]
        size = np.bincount(level.owner[level.owner >= 0], minlength=len(level.grids))
        had = np.bincount(
            work.before.levels[number - 1].owner[work.before.levels[number - 1].owner >= 0], minlength=len(level.grids)
        )
        for slot in np.flatnonzero(size == 0).tolist():
            facts = level.grids[slot]
            if facts is not None and slot >= len(work.before.levels[number - 1].grids):
                raise BadInput(f"grid {facts.code} has no units; assign it some in the edit that creates it")
            if facts is not None and had[slot]:
                work.guard(number, slot)
                work.ended[number, slot] = facts
                level.grids[slot] = None
        for slot in np.flatnonzero(size > 0).tolist():
            if level.grids[slot] is None:
                work.out.grids.append(
                    GridConflict(number, work.ended[number, slot].code, "not_empty", theirs=int(size[slot]))
                )
    for number, slot in sorted(work.ended, key=lambda place: (-place[0], place[1])):
        facts = work.ended[number, slot]
        parent = work.shown(number - 1, facts.parent) if number > 1 else None
        was = {"name": facts.name, "kind": facts.kind, "parent": parent, "community": facts.community}
        work.removes.append(Remove(number, facts.code, was))


def _name_new(work: _Work) -> None:
    """Codes and names of the grids that begin."""
    found = new_codes(work.before, work.sheet, work.fresh, work.rules)
    for (number, slot), code in found.items():
        work.out.codes[work.fresh[number, slot]] = code
        work.sheet.levels[number - 1].change(slot, code=code)
    if work.unnamed:
        names = default_names(work.sheet, work.rules.names)
        for number, slot in work.unnamed:
            work.sheet.levels[number - 1].change(slot, name=names[number, slot])


def _finished(work: _Work) -> Outcome:
    out = work.out
    if out.ok:
        out.operations = [_final(work, one) for one in [*work.done, *work.removes]]
    return out


def _final(work: _Work, one: Operation) -> Operation:
    """An operation under the codes its grids have now."""
    codes = work.out.codes
    if isinstance(one, Assign):
        return replace(
            one, source=codes.get(str(one.source), one.source), target=codes.get(str(one.target), one.target)
        )
    if isinstance(one, Create):
        code = codes.get(one.code, one.code)
        parent = None if one.parent is None else codes.get(one.parent, one.parent)
        level = work.sheet.levels[one.level - 1]
        slot = level.slots().get(code)
        name = one.name if slot is None else (one.name or level.facts(slot).name)
        return replace(one, code=code, parent=parent, name=name)
    if isinstance(one, Set):
        return replace(one, grid=codes.get(one.grid, one.grid))
    return one
