"""CQL2 JSON (OGC 21-065r2, clause 8): objects with op and args."""

from __future__ import annotations

import math
from typing import Any

import orjson
from pygeofilter import ast

from gisgrid.errors import BadInput
from gisgrid.limits import FILTER_DEPTH_MAX
from layers.collections.crs import Crs
from layers.filters import nodes
from layers.filters.geometries import from_box, from_geojson
from layers.filters.nodes import ARITHMETIC, COMPARISONS, FOLDS, MORE_ARITHMETIC, SPATIAL, TEMPORAL, Node


def parse_json(text: str, crs: Crs) -> Node:
    """The tree of a CQL2 JSON text; geometries are in ``crs``. Raises BadInput."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"filter: is no JSON: {error.msg} (character {error.pos + 1})") from None
    return _read(value, crs, 0)


def _read(value: Any, crs: Crs, depth: int) -> Node:
    if depth > FILTER_DEPTH_MAX:
        raise BadInput(f"filter: nested more than {FILTER_DEPTH_MAX} deep; make it flatter")
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        if not math.isfinite(value):
            raise BadInput("filter: holds a number that is not finite")
        return value
    if not isinstance(value, dict):
        told = "a list" if isinstance(value, list) else "null"  # not what is in it: it may be nested beyond telling
        raise BadInput(f"filter: {told} is no value or condition")
    if "op" in value:
        return _operation(value, crs, depth)
    if isinstance(value.get("property"), str):
        return ast.Attribute(value["property"])
    if "date" in value:
        return nodes.day(value["date"])
    if "timestamp" in value:
        return nodes.moment(value["timestamp"])
    if isinstance(value.get("interval"), list):
        return nodes.span([_read(end, crs, depth + 1) for end in value["interval"]])
    if isinstance(value.get("bbox"), list):
        return from_box(value["bbox"], crs)
    if "type" in value:
        return from_geojson(value, crs)
    raise BadInput(f"filter: an object with {', '.join(map(str, value))[:80] or 'nothing'} means nothing here")


def _operation(value: dict[str, Any], crs: Crs, depth: int) -> Node:
    op, args = value["op"], value.get("args")
    if not isinstance(op, str) or not isinstance(args, list) or not args:
        raise BadInput("filter: an operation needs op, a text, and args, a list")
    if op in ("and", "or"):
        if len(args) < 2:
            raise BadInput(f"filter: {op!r} takes 2 or more args")
        return nodes.combined(ast.And if op == "and" else ast.Or, [_read(arg, crs, depth + 1) for arg in args])
    if op == "in":
        _count(op, args, 2)
        listed = args[1] if isinstance(args[1], list) and args[1] else _listed(op)
        return ast.In(_read(args[0], crs, depth + 1), [_read(item, crs, depth + 1) for item in listed], False)
    if op == "between" and len(args) == 2 and isinstance(args[1], list):
        args = [args[0], *args[1]]
    given = [_read(arg, crs, depth + 1) for arg in args]
    return _made(op, given)


def _made(op: str, given: list[Node]) -> Node:
    if op in COMPARISONS:
        return nodes.compared(op, *_count(op, given, 2))
    if op in ARITHMETIC or op in MORE_ARITHMETIC:
        return nodes.reckoned(op, *_count(op, given, 2))
    if op in SPATIAL or op in TEMPORAL or op == "t_intersects":
        return nodes.related(op, given)
    if op in FOLDS:
        return nodes.folded(op, given)
    if op == "not":
        return ast.Not(*_count(op, given, 1))
    if op == "isNull":
        return ast.IsNull(*_count(op, given, 1), False)
    if op == "like":
        return nodes.liked(*_count(op, given, 2))
    if op == "between":
        return ast.Between(*_count(op, given, 3), False)
    raise BadInput(f"filter: there is no operation {op[:60]!r}; docs/features.md lists them")


def _count(op: str, given: list[Any], wanted: int) -> list[Any]:
    if len(given) != wanted:
        raise BadInput(f"filter: {op!r} takes {wanted} args, not {len(given)}")
    return given


def _listed(op: str) -> list[Any]:
    raise BadInput(f"filter: the second of the args of {op!r} is a list that is not empty")
