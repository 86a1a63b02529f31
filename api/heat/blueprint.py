"""What every view of heat shares: the blueprint, the filters, what they choose, tags; and the overview."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from apiflask import APIBlueprint
from apiflask.fields import Date, String
from flask import Response

from api.etag import answered, request_tag
from api.heat.held import held, revision_now
from api.json import json_response
from api.pages import Strict, no_parameters
from data.event_classes import class_of
from gisgrid.errors import BadInput
from gisgrid.limits import HEAT_VALUES_MAX
from planning.workflow_heat import Chosen, HeatSource, choose

bp = APIBlueprint("heat", __name__, url_prefix="/api/v1/heat", tag="Report heat")
YEARS: Final = (1900, 2999)


class HeatQuery(Strict):
    """Which reports."""

    class_ = String(
        data_key="class",
        load_default="",
        metadata={"description": "class by name or code (04, 0403); several by commas"},
    )
    first = Date(
        data_key="from", load_default=None, metadata={"description": "first day; that of the first report else"}
    )
    last = Date(data_key="to", load_default=None, metadata={"description": "last day; that of the last report else"})
    area = String(load_default="", metadata={"description": "code of a district, street or community"})
    grid = String(load_default="", metadata={"description": "code of a grid in force; several split by commas"})


def chosen(source: HeatSource, query: dict[str, Any], *, grids: bool = True) -> Chosen:
    """What a query asks for. Raises BadInput, NotFound. ``grids``: whether only the grids named are looked at."""
    for name in ("first", "last"):
        day: date | None = query[name]
        if day is not None and not YEARS[0] <= day.year <= YEARS[1]:
            told = "from" if name == "first" else "to"
            raise BadInput(f"{told}={day}: the year is out of range; give {YEARS[0]} to {YEARS[1]}")
    return choose(
        source, classes=split("class", query["class_"]), first=query["first"], last=query["last"], area=query["area"],
        grids=split("grid", query["grid"]) if grids else (),
    )  # fmt: skip


def split(name: str, text: str) -> list[str]:
    """Values split by commas. Raises BadInput for too many."""
    values = [value.strip() for value in text.split(",") if value.strip()]
    if len(values) > HEAT_VALUES_MAX:
        raise BadInput(f"{name} has {len(values)} values; at most {HEAT_VALUES_MAX}")
    return values


def about(asked: Chosen) -> dict[str, Any]:
    """What every answer says of the reports it is made of."""
    return {
        "generation": asked.source.generation, "timezone": str(asked.source.zone),
        "from": asked.span.first.isoformat(), "to": asked.span.last.isoformat(), "days": asked.span.days,
        "reports": len(asked.events), "outside": asked.outside, "grids_asked": len(asked.rows),
    }  # fmt: skip


def from_reports(make: Callable[[HeatSource], Response]) -> Response:
    """304, or what is made of the reports of this moment, with its tag."""
    revision = revision_now()
    return answered(request_tag(revision), lambda: make(held().source(revision)))


def grid_facts(asked: Chosen, row: int) -> dict[str, Any]:
    """Code, name and community of a grid."""
    grid = asked.source.grids.iloc[row]
    return {"grid": str(grid["code"]), "name": str(grid["name"] or ""), "community": str(grid["community"])}


def number(value: Any) -> float | None:
    """A number for JSON; None for none."""
    return None if value is None or value != value else float(value)


@bp.get("")
@no_parameters
def overview() -> Response:
    """What there is to ask about: classes with their reports, the period they are of, the time zone of days."""

    def make(source: HeatSource) -> Response:
        asked = choose(source)
        counts = Counter(asked.events.kind.tolist())
        majors: dict[str, list[dict[str, Any]]] = {}
        for kind, (major, minor) in enumerate(source.events.kinds):
            if counts[kind]:
                known = class_of(major, minor)
                told = {"code": known.code if known else "", "name": known.minor if known else minor}
                name = known.major if known else major
                majors.setdefault(name, []).append({**told, "reports": counts[kind]})
        listed = [
            {
                "name": name, "name_en": source.names.get(name, name), "code": minors[0]["code"][:2],
                "reports": sum(one["reports"] for one in minors), "minors": minors,
            }
            for name, minors in majors.items()
        ]  # fmt: skip
        listed.sort(key=lambda one: (one["code"] or "99", one["name"]))
        return json_response({**about(asked), "classes": listed})

    return from_reports(make)
