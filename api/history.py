"""/api/v1/history: who changed what, when and why."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from apiflask import APIBlueprint
from apiflask.fields import Integer, String
from apiflask.validators import Range
from flask import Response, request

from api.access.principal import caller, may, require
from api.json import json_response
from api.pages import Strict, no_parameters
from api.state import state
from data import history
from data.tables import AUDITED
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import HISTORY_PAGE_DEFAULT, HISTORY_PAGE_MAX, HISTORY_SEQ_MAX, KEY_CHARS_MAX
from gisgrid.moments import parse_moment

bp = APIBlueprint("history", __name__, url_prefix="/api/v1/history", tag="History")


class HistoryQuery(Strict):
    """Parameters of pages of the history."""

    subject = String(metadata={"description": f"what was changed, split by commas: {', '.join(AUDITED)}"})
    id = String(metadata={"description": "one row of the subject, by the number the history gives it (areas: code)"})
    area = String(metadata={"description": "code of an area; changes in it and in everything inside it"})
    principal = String(metadata={"description": "who: the key, such as user:3, or the name"})
    since = String(data_key="from", metadata={"description": "date or time; a date means the beginning of that day"})
    until = String(data_key="to", metadata={"description": "date or time; a date means the end of that day"})
    before = Integer(
        validate=Range(1, HISTORY_SEQ_MAX), metadata={"description": "seq of the last one of the page before"}
    )
    limit = Integer(
        load_default=HISTORY_PAGE_DEFAULT,
        validate=Range(1, HISTORY_PAGE_MAX),
        metadata={"description": f"entries a page, 1 to {HISTORY_PAGE_MAX}"},
    )


@bp.get("")
@bp.input(HistoryQuery, location="query", unknown=None)
def list_history(query_data: dict[str, Any]) -> Response:
    """Entries of the audit log, newest first, of the areas the caller may read the history of.

    Each tells its rows with what was before and after, 50 at most (``rows``: how many there are); a geometry by its
    size and hash. Changes of people, tokens, rights and webhooks are for administrators.
    """
    sight = _sight()
    wanted = history.Wanted(
        subjects=tuple(query_data["subject"].split(",")) if "subject" in query_data else (),
        id=_text(query_data, "id") or None,
        area=_area(query_data.get("area", "")),
        principal=_text(query_data, "principal"),
        since=_moment(query_data, "since", "from"),
        until=_moment(query_data, "until", "to"),
    )
    with state().engine.connect() as connection:
        rows, last = history.page(
            connection, wanted, sight, limit=query_data["limit"], before=query_data.get("before")
        )  # fmt: skip
    links = [{"rel": "self", "href": request.full_path.rstrip("?"), "type": "application/json"}]
    if last is not None:
        parameters = urlencode({**request.args.to_dict(), "before": last})
        links.append({"rel": "next", "href": f"{request.path}?{parameters}", "type": "application/json"})
    return json_response({"entries": [_told(row) for row in rows], "links": links})


@bp.get("/head")
@no_parameters
def history_head() -> Response:
    """Where the log ends: number and hash of its last entry. A hash noted elsewhere is what the log is held to."""
    require("history")
    with state().engine.connect() as connection:
        found = history.head(connection)
    return json_response(found | {"since": _utc(found["since"])})


@bp.get("/<seq>")
@no_parameters
def history_entry(seq: str) -> Response:
    """One entry with all its rows; geometry is hexadecimal WKB in EPSG:4490."""
    sight = _sight()
    if not re.fullmatch(r"[0-9]{1,18}", seq):
        raise NotFound(f"the history has no entry {seq[:40]!r}; entries are numbered")
    with state().engine.connect() as connection:
        return json_response(_told(history.entry(connection, int(seq), sight)))


def _sight() -> history.Sight:
    require("history")
    return history.Sight(caller().areas("history"), may("admin"))


def _told(row: history.Entry) -> dict[str, Any]:
    return row | {"at": _utc(row["at"])}


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _text(query: dict[str, Any], name: str) -> str:
    value = str(query.get(name, "")).strip()
    if len(value) > KEY_CHARS_MAX:
        raise BadInput(f"{name} has over {KEY_CHARS_MAX} characters; give what the history shows")
    return value


def _area(code: str) -> str:
    if not re.fullmatch(r"([0-9]{6}|[0-9]{9}|[0-9]{12})?", code, re.ASCII):
        raise BadInput(f"area={code[:40]!r} is no area code; give 6, 9 or 12 digits")
    return code


def _moment(query: dict[str, Any], name: str, called: str) -> datetime | None:
    if name not in query:
        return None
    text = query[name].strip()
    if name == "since" and re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        text += "T00:00:00"
    return parse_moment(text, name=called, zone=state().settings.timezone)
