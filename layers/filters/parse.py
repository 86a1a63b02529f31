"""Filters as they are sent, in text or JSON, into checked trees."""

from __future__ import annotations

from typing import Final

from gisgrid.errors import BadInput
from gisgrid.limits import FILTER_CHARS_MAX
from layers.collections.crs import CRS84, Crs
from layers.filters.json_form import parse_json
from layers.filters.nodes import Node, checked
from layers.filters.text import parse_text

LANGUAGES: Final = ("cql2-text", "cql2-json")


def parse_filter(text: str, language: str = "cql2-text", crs: Crs = CRS84) -> Node:
    """The tree of a filter (see `layers.filters.nodes`), its geometries brought from ``crs`` to storage.

    Raises BadInput for an unknown language, what cannot be read, and what is too long, too deep or too large.
    """
    if language not in LANGUAGES:
        raise BadInput(f"filter-lang={language[:40]!r}: give {' or '.join(LANGUAGES)}")
    if len(text) > FILTER_CHARS_MAX:
        raise BadInput(f"filter: {len(text)} characters are more than {FILTER_CHARS_MAX}")
    if not text.strip():
        raise BadInput("filter: is empty; leave it out")
    if "\x00" in text:
        raise BadInput("filter: holds a NUL character")
    return checked(parse_text(text, crs) if language == "cql2-text" else parse_json(text, crs))
