"""What every view of plans shares: the blueprint, who sees which plan, a plan as JSON, its tag."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import Response
from marshmallow import pre_load
from marshmallow.validate import Range
from werkzeug.http import quote_etag

from api.access.principal import may, require
from api.etag import PRIVATE, check_match
from api.json import json_response
from api.pages import Strict
from data import plan_pages, plans
from data.plans import PlanRow
from data.tables import COMPREHENSIVE
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import PAGE_MAX

bp = APIBlueprint("plans", __name__, tag="Plans")

HERE: Final = "/api/v1/plans"
JSON: Final = "application/json"
KEY: Final = Range(min=0, max=2**31 - 1)
"""Numbers of rows, as parameters."""
_KEPT: Final = (
    "id", "name", "area", "area_name", "area_name_en", "system", "status", "levels", "seed", "feasible", "reasons",
    "version", "author", "source", "note", "unit_set", "generation",
)  # fmt: skip


class Body(Strict):
    """What is sent as JSON; text that cannot be stored is refused."""

    @pre_load
    def check_texts(self, data: Any, **_: Any) -> Any:
        """Raises BadInput for a NUL character, and for half of a pair of surrogates."""
        if any(letter == "\x00" or "\ud800" <= letter <= "\udfff" for text in _texts(data) for letter in text):
            raise BadInput("the body holds a character that is none (NUL, or half of a surrogate pair); leave it out")
        return data


def _texts(value: Any) -> Iterator[str]:
    """All texts in what was sent, names of members included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from (str(name), *_texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def number_of(text: str, what: str) -> int:
    """The number in an address. Raises NotFound for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound(f"there is no {what} {text[:20]!r}; a {what} has a number")
    return int(text)


def seen_plan(connection: sa.Connection, text: str) -> PlanRow:
    """A plan the caller may see: published ones all, drafts the planners of their area. Raises NotFound."""
    row = plans.plan_row(connection, number_of(text, "plan"))
    if row.status != "published" and not may("plan", row.area):
        raise NotFound(f"plan {row.id} does not exist; 'gisgrid plans' lists those that do")
    return row


def own_plan(connection: sa.Connection, text: str, permission: str = "plan") -> PlanRow:
    """A plan the caller may work on. Raises NotFound, and 401 or 403 for a published one of another area."""
    row = seen_plan(connection, text)
    require(permission, row.area)
    return row


def tag_of(version: int) -> str:
    """The tag of a plan: its version."""
    return quote_etag(str(version))


def check_version(connection: sa.Connection, row: PlanRow) -> None:
    """Raises PreconditionRequired (428) without ``If-Match``, PreconditionFailed (412) for another version; both tell
    the plan as it is now."""
    check_match(tag_of(row.version), lambda: plan_told(connection, row.id)[1])


def checked_limit(limit: int) -> int:
    """A page's length. Raises BadInput."""
    if not 1 <= limit <= PAGE_MAX:
        raise BadInput(f"limit={limit}: give a number from 1 to {PAGE_MAX}")
    return limit


def utc(value: dt.datetime | None) -> dt.datetime | None:
    """A stored moment in UTC."""
    return value and value.astimezone(dt.UTC)


def plan_json(row: dict[str, Any], *, planner: bool, past: bool = False) -> dict[str, Any]:
    """What is told of a plan; ``row`` as `data.plan_pages.described` gives it, ``past``: of a moment that has been."""
    here = f"{HERE}/{row['id']}"
    draft = row["status"] == "draft"
    links = [{"rel": "self", "href": here, "type": JSON}]
    links += [
        {"rel": name, "href": f"{here}/{name}", "type": kind}
        for name, kind in (("grids", "application/geo+json"), ("comments", JSON), ("publication", JSON))
        if planner or name != "publication"
    ]
    return {name: row[name] for name in _KEPT} | {
        "band": {"low": row["band_low"], "high": row["band_high"]},
        "stats": row["stats"] | row["counts"],
        "created_at": utc(row["created_at"]),
        "updated_at": utc(row["updated_at"]),
        "editable": planner and draft and not past and row["unit_set"] is not None and row["system"] == COMPREHENSIVE,
        "publication": publication_json(row["publication"]) if planner and row["publication"] else None,
        "links": links,
    }


def publication_json(row: dict[str, Any]) -> dict[str, Any]:
    """What is told of a publication at a time to come."""
    kept = ("id", "plan", "version", "author", "note", "override", "state", "generation", "fault")
    return {name: row[name] for name in kept} | {name: utc(row[name]) for name in ("effective_at", "asked_at")}


def generation_json(generation: plans.Generation) -> dict[str, Any]:
    """What is told of a generation that was just made."""
    return {
        "id": generation.id, "plan": generation.plan, "published_at": utc(generation.published_at),
        "is_current": generation.is_current, "note": generation.note, "author": generation.author,
        "restored": generation.restored, "override": generation.override, "problems": generation.problems,
    }  # fmt: skip


def respond_plan(connection: sa.Connection, plan: int, *, status: int = 200) -> Response:
    """A plan with its tag; where it was just made, with its address."""
    row, answer = plan_told(connection, plan)
    response = tagged(json_response(answer, status=status), row)
    if status == 201:
        response.headers["Location"] = f"{HERE}/{plan}"
    return response


def plan_told(connection: sa.Connection, plan: int, *, past: bool = False) -> tuple[PlanRow, dict[str, Any]]:
    """A plan's row and what is told of it; of the past without the units left, whose owners the log does not hold."""
    row, found = plan_pages.one(connection, plan)
    answer = plan_json(found, planner=may("plan", row.area), past=past)
    left = None if past else plan_pages.units_left(connection, row)
    if left is not None:
        answer["stats"] |= {"units_left": left[0], "households_left": left[1]}
    return row, answer


def tagged(response: Response, row: PlanRow) -> Response:
    """An answer made of one version of a plan."""
    response.headers["ETag"] = tag_of(row.version)
    return private(response)


def private(response: Response) -> Response:
    """An answer for one caller: what is shown of plans depends on who asks."""
    response.headers["Cache-Control"] = PRIVATE
    response.vary.add("Authorization")
    return response
