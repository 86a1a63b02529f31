"""What a MapIt client asked: its parameters, from the address or a posted form, split at & and ;."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from flask import Request

from data.mapit_types import Types, parse_types
from gisgrid.errors import BadInput
from gisgrid.limits import KEY_CHARS_MAX, MAPIT_BODY_BYTES_MAX, MAPIT_IDS_MAX

PARAMETERS = ("type", "generation", "min_generation", "country", "simplify_tolerance", "URL", "api_key")
"""Those MapIt knows. Keys to its service are taken and not looked at."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters of one request, read and checked when they are used."""

    given: Mapping[str, str]

    @property
    def types(self) -> Types | None:
        """Types asked for, None for all. Raises BadInput for an unknown one."""
        return parse_types(self.given.get("type", ""))

    @property
    def nowhere(self) -> bool:
        """Whether only areas of some country are wanted: areas have none here."""
        return bool(self.given.get("country", ""))

    def whole(self, name: str) -> int:
        """A whole number, 0 when not given. Raises BadInput."""
        text = self.given.get(name, "") or "0"
        if not text.removeprefix("-").isdecimal() or len(text) > 9 or not text.isascii():
            raise BadInput(f"{name}={text[:40]!r} is not the number of a generation")
        return int(text)

    @property
    def tolerance(self) -> float:
        """``simplify_tolerance``, 0 when not given. Raises BadInput."""
        text = self.given.get("simplify_tolerance", "") or "0"
        try:
            tolerance = float(text)
        except ValueError:
            tolerance = math.nan
        if not 0 <= tolerance < math.inf:
            raise BadInput(f"simplify_tolerance={text[:40]!r} is not a number from 0 up")
        return tolerance


def parameters(request: Request) -> Asked:
    """The parameters of a request. Raises BadInput for one that is unknown or given twice, and for a long form.

    MapIt's oldest client splits them with semicolons, and posts them as a form when the address would grow long.
    """
    text = request.query_string.decode("utf-8", "replace")
    if request.method == "POST":
        if (request.content_length or 0) > MAPIT_BODY_BYTES_MAX:
            raise BadInput(f"the form is larger than {MAPIT_BODY_BYTES_MAX} bytes; ask for fewer areas at a time")
        body = request.get_data(cache=False)
        try:
            text += "&" + body.decode()
        except UnicodeDecodeError:
            raise BadInput("the form is not UTF-8 text; post URL=… with its parameters") from None
    given: dict[str, str] = {}
    for name, value in parse_qsl(text.replace(";", "&"), keep_blank_values=True):
        if name not in PARAMETERS:
            raise BadInput(f"parameter {name[:40]!r} is not one of MapIt's ({', '.join(PARAMETERS)})")
        if name in given:
            raise BadInput(f"{name} is given twice; give it once, several values split by commas")
        if "\x00" in value:
            raise BadInput(f"parameter {name!r} holds a NUL character")
        given[name] = value
    return Asked(given)


def whole_id(text: str) -> int:
    """An area's number. Raises BadInput."""
    if not (text.isascii() and text.isdecimal() and len(text) <= KEY_CHARS_MAX):
        raise BadInput(f"area {text[:40]!r} is not the number of an area")
    return int(text)


def whole_ids(text: str) -> list[int]:
    """Numbers split by commas, each once, in their order. Raises BadInput for too many."""
    if text.count(",") >= MAPIT_IDS_MAX:
        raise BadInput(f"{text.count(',') + 1} areas are asked for; at most {MAPIT_IDS_MAX} go in one request")
    return list(dict.fromkeys(map(whole_id, text.split(","))))


def number(text: str, what: str) -> float:
    """A coordinate. Raises BadInput for what is no finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in text:
        raise BadInput(f"{what}={text[:40]!r} is not a number")
    return value
