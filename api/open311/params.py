"""What Open311 clients send: posted forms and query parameters, read strictly."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from gisgrid.errors import BadInput
from gisgrid.limits import FORM_BYTES_MAX, FORM_FIELDS_MAX, KEY_CHARS_MAX, REQUESTS_DEPTH_MAX

FORM: Final = "application/x-www-form-urlencoded"
COMMON: Final = ("jurisdiction_id", "api_key")
"""Parameters every address takes: this service is one jurisdiction, and only sending needs a key."""
_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class Form:
    """The fields of a posted form; an empty field counts as not sent (GeoReport v2, Optional Arguments)."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._fields: dict[str, list[str]] = {}
        for name, value in pairs:
            if value.strip():
                self._fields.setdefault(name, []).append(value)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field, also when it is written ``name[]``."""
        return tuple(self._fields.get(name, []) + self._fields.get(f"{name}[]", []))

    def text(self, name: str, default: str = "") -> str:
        """The value of a field. Raises BadInput when it is sent with several."""
        values = list(dict.fromkeys(self.all(name)))
        if len(values) > 1:
            raise BadInput(f"{name} is sent {len(values)} times with different values; send it once")
        return values[0] if values else default

    def number(self, name: str) -> float | None:
        """A finite number, None when not sent. Raises BadInput."""
        text = self.text(name).strip()
        if not text:
            return None
        if not _NUMBER.fullmatch(text):
            raise BadInput(f"{name}={text[:40]!r} is not a number")
        return float(text)

    def attribute(self, code: str) -> str:
        """``attribute[code]``: an answer to the service definition."""
        return self.text(f"attribute[{code}]")


def posted_form() -> Form:
    """The form of this request. Raises BadInput when it is none, too long or no UTF-8."""
    if request.mimetype != FORM:
        raise BadInput(f"the content type is {request.mimetype or 'missing'}; send {FORM}; charset=utf-8")
    try:
        body = _body().decode()
        pairs = parse_qsl(body, keep_blank_values=True, errors="strict", max_num_fields=FORM_FIELDS_MAX)
    except UnicodeDecodeError as error:
        raise BadInput("the form is not UTF-8; encode it as UTF-8") from error
    except ValueError as error:
        raise BadInput(f"the form has over {FORM_FIELDS_MAX} fields") from error
    for name, value in pairs:
        if "\x00" in name + value:
            raise BadInput(f"{name[:40]!r} holds a NUL character; leave it out")
    return Form(pairs)


def _body() -> bytes:
    if (request.content_length or 0) > FORM_BYTES_MAX or len(body := request.get_data(cache=False)) > FORM_BYTES_MAX:
        raise RequestEntityTooLarge(f"the form is longer than {FORM_BYTES_MAX} bytes")
    return body


def sent_key(form: Form) -> str | None:
    """The api_key of a post: in the form, or in the address as some clients send it."""
    return form.text("api_key") or request.args.get("api_key")


def query(known: Collection[str]) -> dict[str, str]:
    """The query parameters, empty ones left out.

    Raises BadInput for unknown ones: a filter nobody reads would give a wrong answer quietly.
    """
    names = (*known, *COMMON)
    for name in request.args:
        if name not in names:
            raise BadInput(f"{request.path} takes no parameter {name!r}; known: {', '.join(names)}")
    return {name: value for name, value in request.args.items() if value.strip()}


def moment(name: str, text: str) -> datetime:
    """A W3C date and time with its zone. Raises BadInput."""
    # a plus sign that was not escaped arrives as a space
    text = re.sub(r" (\d\d:\d\d)$", r"+\1", text.strip())
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or "T" not in text or found.tzinfo is None:
        raise BadInput(f"{name}={text[:40]!r} is no time with a zone; write 2026-03-01T08:00:00Z or …+08:00")
    if not 1900 <= found.year <= 9998:  # further ones leave the calendar when moved to another zone
        raise BadInput(f"{name}={text[:40]!r}: the year is out of range; give 1900 to 9998")
    return found


def span(given: dict[str, str], first: str, last: str, *, days: int) -> tuple[datetime | None, datetime | None]:
    """Start and end of a time range, the missing one ``days`` away. Raises BadInput when turned round or longer."""
    start = moment(first, given[first]) if first in given else None
    end = moment(last, given[last]) if last in given else None
    longest = timedelta(days=days)
    if start and end:
        if end < start:
            raise BadInput(f"{first} is after {last}; exchange them")
        if end - start > longest:
            raise BadInput(f"{first} to {last} is over {days} days; ask for shorter spans one after another")
    if start and not end:
        end = start + longest
    if end and not start:
        start = end - longest
    return start, end


def whole(given: dict[str, str], name: str, default: int, *, most: int) -> int:
    """A whole number from 1. Raises BadInput."""
    text = given.get(name, str(default)).strip()
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= most:
        raise BadInput(f"{name}={text[:40]!r}: give a whole number from 1 to {most}")
    return int(text)


def paging(given: dict[str, str], *, page_most: int) -> tuple[int, int]:
    """(limit, offset) of ``page`` and ``page_size``. Raises BadInput, also for a page too deep."""
    size = whole(given, "page_size", page_most, most=page_most)
    page = whole(given, "page", 1, most=REQUESTS_DEPTH_MAX)
    if page * size > REQUESTS_DEPTH_MAX:
        raise BadInput(f"page={page} is deeper than {REQUESTS_DEPTH_MAX} rows; narrow the question by dates")
    return size, (page - 1) * size


def flag(given: dict[str, str], name: str, *, default: bool) -> bool:
    """``true`` or ``false``. Raises BadInput."""
    text = given.get(name, str(default)).strip().lower()
    if text not in ("true", "false"):
        raise BadInput(f"{name}={text[:40]!r}: give true or false")
    return text == "true"


def numbers(name: str, text: str, *, most: int) -> list[int]:
    """Request numbers split by commas. Raises BadInput."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > most:
        raise BadInput(f"{name} lists {len(parts)} numbers; give at most {most}")
    for part in parts:
        if not re.fullmatch(r"[0-9]{1,18}", part):
            raise BadInput(f"{name}: {part[:KEY_CHARS_MAX]!r} is no request number")
    return [int(part) for part in parts]
