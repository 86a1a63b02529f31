"""The operations an edit is made of, and how they are written in JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gisgrid.errors import BadInput
from gisgrid.limits import EDIT_OPERATIONS_MAX, LABEL_CHARS_MAX, PLAN_LEVELS_MAX
from gisgrid.models import SPECIAL_KINDS

Ints = npt.NDArray[np.int64]

KINDS: Final = ("ordinary", *sorted(SPECIAL_KINDS), "water", "other")
"""Kinds a grid may be given."""
NEW: Final = re.compile(r"new:[0-9]{1,9}")
"""What a grid is called in an edit before it has a code."""
_CODE: Final = re.compile(r"[0-9]{14,30}")


@dataclass(frozen=True, slots=True)
class Assign:
    """Units (rows, ascending) from one grid of a level to another; None: no grid."""

    level: int
    source: str | None
    target: str | None
    units: Ints


@dataclass(frozen=True, slots=True)
class Create:
    """A grid begins, under a name of the edit's own (``new:1``) or the code it had before it was removed."""

    level: int
    code: str
    community: str
    parent: str | None
    kind: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """A grid without units ends. ``was``: its facts, in what is stored."""

    level: int
    grid: str
    was: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Set:
    """Facts of a grid (name, kind, locked), each from what the editor saw to what it shall be."""

    level: int
    grid: str
    changes: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Renumber:
    """A grid gets another code; those that stand side by side in an edit happen at once, so that two may swap."""

    level: int
    grid: str
    to: str


Operation = Assign | Create | Remove | Set | Renumber

_FIELDS: Final[dict[str, tuple[set[str], set[str]]]] = {
    "assign": ({"level", "from", "to", "units"}, set()),
    "create": ({"code", "level", "community", "parent", "kind"}, {"name"}),
    "remove": ({"level", "grid"}, {"was"}),
    "set": ({"level", "grid"}, {"name", "kind", "locked"}),
    "renumber": ({"level", "grid", "to"}, {"from"}),
}


def parse_operations(given: Any, units: int) -> list[Operation]:
    """Operations from JSON, for a set of ``units`` units. Raises BadInput naming the operation and the field."""
    if not isinstance(given, list) or not given:
        raise BadInput("operations: give a list of at least one operation")
    if len(given) > EDIT_OPERATIONS_MAX:
        raise BadInput(f"operations: {len(given)} in one edit; send at most {EDIT_OPERATIONS_MAX}")
    return [_parsed(one, f"operations[{number}]", units) for number, one in enumerate(given)]


def _parsed(one: Any, where: str, units: int) -> Operation:
    if not isinstance(one, dict):
        raise BadInput(f"{where} is no object; give for example {{'op': 'assign', 'level': 1, …}}")
    kind = one.get("op")
    if not isinstance(kind, str) or kind not in _FIELDS:
        raise BadInput(f"{where}.op is {kind!r}; give one of {', '.join(_FIELDS)}")
    needed, optional = _FIELDS[kind]
    given = set(one) - {"op"}
    if missing := sorted(needed - given):
        raise BadInput(f"{where} ({kind}) has no {missing[0]}; give {', '.join(sorted(needed))}")
    if unknown := sorted(given - needed - optional):
        raise BadInput(f"{where} ({kind}) takes no {unknown[0]!r}")
    level = one["level"]
    if isinstance(level, bool) or not isinstance(level, int) or not 1 <= level <= PLAN_LEVELS_MAX:
        raise BadInput(f"{where}.level is {level!r}; give a whole number from 1 to {PLAN_LEVELS_MAX}")
    if kind == "assign":
        source, target = (_code(one[name], f"{where}.{name}", none=True) for name in ("from", "to"))
        return Assign(level, source, target, _units(one["units"], f"{where}.units", units))
    if kind == "create":
        return _create(one, level, where)
    grid = str(_code(one["grid"], f"{where}.grid"))
    if kind == "remove":
        return Remove(level, grid)
    if kind == "renumber":
        return Renumber(level, grid, str(_code(one["to"], f"{where}.to", new=False)))
    changes = {name: _change(one[name], name, f"{where}.{name}") for name in ("name", "kind", "locked") if name in one}
    if not changes:
        raise BadInput(f"{where} (set) changes nothing; give name, kind or locked as {{'from': …, 'to': …}}")
    return Set(level, grid, changes)


def _create(one: dict[str, Any], level: int, where: str) -> Create:
    community = one["community"]
    if not isinstance(community, str) or not re.fullmatch(r"[0-9]{12}", community):
        raise BadInput(f"{where}.community is {community!r}; give the 12-digit code of a community")
    parent = _code(one["parent"], f"{where}.parent", none=True)
    if (parent is None) != (level == 1):
        wanted = "null on the first level" if level == 1 else f"the code of a grid of level {level - 1}"
        raise BadInput(f"{where}.parent is {parent!r}; give {wanted}")
    name = one.get("name")
    return Create(
        level, str(_code(one["code"], f"{where}.code")), community, parent, _fact(one["kind"], "kind", f"{where}.kind"),
        None if name is None else _fact(name, "name", f"{where}.name"),
    )  # fmt: skip


def _code(value: Any, where: str, *, none: bool = False, new: bool = True) -> str | None:
    if value is None and none:
        return None
    if isinstance(value, str) and (_CODE.fullmatch(value) or (new and NEW.fullmatch(value))):
        return value
    kinds = ["a grid code of 14 to 30 digits", *(["new:N"] if new else []), *(["null"] if none else [])]
    raise BadInput(f"{where} is {str(value)[:40]!r}; give {' or '.join(kinds)}")


def _units(value: Any, where: str, count: int) -> Ints:
    if not isinstance(value, list) or not value:
        raise BadInput(f"{where}: give a list of at least one unit, by its place in the topology")
    if len(value) > count:
        raise BadInput(f"{where}: {len(value)} units are named and there are {count}; name each once")
    if not all(type(one) is int for one in value):
        wrong = next(one for one in value if type(one) is not int)
        raise BadInput(f"{where}: {str(wrong)[:40]!r} is no unit; give whole numbers")
    rows = np.unique(np.array(value, dtype=object)).astype(np.float64)
    if rows[0] < 0 or rows[-1] >= count:
        wrong = int(rows[0] if rows[0] < 0 else rows[-1])
        raise BadInput(f"{where}: there is no unit {wrong}; they go from 0 to {count - 1}")
    if len(rows) < len(value):
        raise BadInput(f"{where}: a unit is named twice; name each once")
    return rows.astype(np.int64)


def storable(text: str) -> bool:
    """Whether a text can be kept: no NUL, no half of a character."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _change(value: Any, name: str, where: str) -> tuple[Any, Any]:
    if not isinstance(value, dict) or set(value) != {"from", "to"}:
        raise BadInput(f"{where}: give {{'from': what you saw, 'to': what it shall be}}")
    return _fact(value["from"], name, f"{where}.from", seen=True), _fact(value["to"], name, f"{where}.to")


def _fact(value: Any, name: str, where: str, *, seen: bool = False) -> Any:
    if name == "locked":
        if not isinstance(value, bool):
            raise BadInput(f"{where} is {str(value)[:40]!r}; give true or false")
        return value
    if not isinstance(value, str) or not storable(value):
        raise BadInput(f"{where} is {str(value)[:40]!r}; give a text")
    if name == "kind" and not seen and value not in KINDS:
        raise BadInput(f"{where} is {value[:40]!r}; give one of {', '.join(KINDS)}")
    if name == "name" and not seen and len(value) > LABEL_CHARS_MAX:
        raise BadInput(f"{where} has {len(value)} characters; give at most {LABEL_CHARS_MAX}")
    return value


def operation_json(one: Operation) -> dict[str, Any]:
    """An operation as JSON has it."""
    if isinstance(one, Assign):
        return {
            "op": "assign", "level": one.level, "from": one.source, "to": one.target, "units": one.units.tolist()
        }  # fmt: skip
    if isinstance(one, Create):
        made: dict[str, Any] = {
            "op": "create", "code": one.code, "level": one.level, "community": one.community, "parent": one.parent,
            "kind": one.kind,
        }  # fmt: skip
        return made if one.name is None else made | {"name": one.name}
    if isinstance(one, Remove):
        ended: dict[str, Any] = {"op": "remove", "level": one.level, "grid": one.grid}
        return ended if one.was is None else ended | {"was": dict(one.was)}
    if isinstance(one, Renumber):
        return {"op": "renumber", "level": one.level, "grid": one.grid, "to": one.to}
    changes = {name: {"from": before, "to": after} for name, (before, after) in one.changes.items()}
    return {"op": "set", "level": one.level, "grid": one.grid, **changes}
