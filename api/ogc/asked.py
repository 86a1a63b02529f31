"""What a request for features asks: parameters into a `Question`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from flask import request
from pygeofilter import ast

from api.catalogue import Offer
from api.state import state
from data.plans import generation_at
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import FEATURE_SORTS_MAX, PAGE_DEFAULT, PAGE_MAX
from layers.catalog import Attribute, Layer
from layers.collections.crs import CRS84, Crs, crs_named
from layers.collections.cursor import Order
from layers.collections.pages import Question, in_boxes
from layers.collections.schemas import sortable
from layers.filters import nodes
from layers.filters.geometries import boxes_of
from layers.filters.parse import parse_filter
from layers.filters.sql import to_sql
from layers.times import Period, during, parse_datetime, time_name

CHOOSING: Final = ("bbox", "bbox-crs", "datetime", "filter", "filter-lang", "filter-crs")
SHOWING: Final = ("limit", "after", "sortby", "properties", "crs", "skipGeometry")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and the page of its answer. ``choice`` tells apart what decides which features match."""

    question: Question
    limit: int
    after: str | None
    choice: tuple[tuple[str, str], ...]


def items_asked(offer: Offer, layer: Layer) -> Asked:
    """The question of a request for items. Raises BadInput for anything that cannot be meant."""
    given = {name: value for name, value in request.args.items() if name not in ("f", "lang")}
    own = {name: value for name, value in given.items() if name not in (*CHOOSING, *SHOWING)}
    for name in own:
        if (found := layer.attribute(name)) is None or found.kind == "array":
            raise BadInput(f"{layer.name} takes no parameter {name[:60]!r}; see its queryables and docs/features.md")
    generation, conditions = _when(offer, layer, given.get("datetime"))
    if "bbox" in given:
        conditions.append(_bbox(layer, given["bbox"], given.get("bbox-crs")))
    elif "bbox-crs" in given:
        crs_named(given["bbox-crs"], parameter="bbox-crs")
    conditions += [to_sql(_equal(layer, name, value), layer, _zone()) for name, value in own.items()]
    conditions += _filter(layer, given)
    question = Question(
        layer, generation, tuple(conditions), _chosen(layer, given.get("properties")),
        _order(layer, given.get("sortby")), asked_crs(), _geometry(given.get("skipGeometry")),
    )  # fmt: skip
    choice = tuple(sorted((name, value) for name, value in given.items() if name not in SHOWING))
    return Asked(question, _limit(given.get("limit")), given.get("after"), choice)


def asked_crs() -> Crs:
    """The system of the answer. Raises BadInput."""
    given = request.args.get("crs")
    return CRS84 if given is None else crs_named(given)


def _zone() -> Any:
    return state().settings.timezone


def _when(offer: Offer, layer: Layer, text: str | None) -> tuple[int | None, list[sa.ColumnElement[bool]]]:
    """The generation asked and conditions on time. Grids: those in force when the period ends."""
    if text is None:
        return offer.generation, []
    period = parse_datetime(text, _zone())
    if time_name(layer) != "generation":
        return offer.generation, during(layer, period, _zone())
    return _generation(offer, period), []


def _generation(offer: Offer, period: Period) -> int | None:
    if period.end is None:
        return offer.generation
    with state().engine.connect() as connection:
        try:
            return generation_at(connection, period.end).id
        except NotFound:
            return None


def _bbox(layer: Layer, text: str, crs: str | None) -> sa.ColumnElement[bool]:
    system = CRS84 if crs is None else crs_named(crs, parameter="bbox-crs")
    try:
        corners = [float(part) for part in text.split(",")]
    except ValueError:
        raise BadInput(f"bbox={text[:80]!r} is not four or six numbers split by commas") from None
    return in_boxes(layer, boxes_of(list(corners), system, where=f"bbox={text[:80]}"))


def _filter(layer: Layer, given: dict[str, str]) -> list[sa.ColumnElement[bool]]:
    crs = crs_named(given["filter-crs"], parameter="filter-crs") if "filter-crs" in given else CRS84
    text = given.get("filter")
    if text is None:
        if "filter-lang" in given:
            raise BadInput("filter-lang is given without filter")
        return []
    language = given.get("filter-lang") or ("cql2-json" if text.lstrip().startswith("{") else "cql2-text")
    return [to_sql(parse_filter(text, language, crs), layer, _zone())]


def _equal(layer: Layer, name: str, text: str) -> ast.Equal:
    """``name=text`` with the text as the property's type. Raises BadInput."""
    found = layer.attribute(name)
    assert found is not None
    try:
        return ast.Equal(ast.Attribute(name), _VALUES.get(found.kind, str)(text))
    except (ValueError, KeyError, OverflowError):
        raise BadInput(f"{name}={text[:80]!r} is no {found.kind}") from None


def _number(text: str) -> int | float:
    if not text.isascii() or "_" in text or len(text) > 60:
        raise ValueError(text)
    return nodes.number(text) if not text.removeprefix("-").isdecimal() else int(text)


_VALUES: Final[dict[str, Any]] = {
    "integer": _number, "number": _number, "date": nodes.day, "date-time": nodes.moment,
    "boolean": lambda text: {"true": True, "false": False}[text.lower()],
}  # fmt: skip


def _limit(text: str | None) -> int:
    """Features a page; more than the most is taken for the most, as the standard wants. Raises BadInput."""
    if text is None:
        return PAGE_DEFAULT
    if not (text.isascii() and text.isdecimal()) or len(text) > 18 or int(text) < 1:
        raise BadInput(f"limit={text[:40]!r}: give a whole number, 1 to {PAGE_MAX}")
    return min(int(text), PAGE_MAX)


def _chosen(layer: Layer, text: str | None) -> tuple[Attribute, ...] | None:
    if text is None:
        return None
    names = [name for name in text.split(",") if name]
    for name in names:
        if layer.attribute(name) is None:
            raise BadInput(f"properties: {layer.name} has no property {name[:60]!r}; see its schema")
    return tuple(a for a in layer.attributes if a.name in names)


def _order(layer: Layer, text: str | None) -> Order:
    if text is None:
        return ()
    known = {a.name: a for a in sortable(layer)}
    order = []
    for part in text.split(","):
        name = part.strip().removeprefix("+").removeprefix("-")  # a + that was not escaped came as a space
        if name not in known:
            raise BadInput(f"sortby: {layer.name} cannot be sorted by {name[:60]!r}; see its sortables")
        order.append((known[name], part.strip().startswith("-")))
    if len(order) > FEATURE_SORTS_MAX or len({a.name for a, _ in order}) < len(order):
        raise BadInput(f"sortby: give 1 to {FEATURE_SORTS_MAX} different properties")
    return tuple(order)


def _geometry(text: str | None) -> bool:
    if text not in (None, "true", "false"):
        raise BadInput(f"skipGeometry={text[:40]!r}: give true or false")
    return text != "true"
