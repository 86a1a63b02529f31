"""Facility categories as OpenStreetMap tags: the little rule language of `facility_categories.csv`.

A rule is alternatives split by ``|``, each all-of by ``+``:
``amenity=school+name~(小学|Primary)|shop=mall``. ``key=value`` holds when the tag has the value, alone or
among several split by ``;``; ``key~PATTERN`` when the regular expression is found in the tag (``name~``
also looks at name:zh, name:en and official_name). Signs inside brackets belong to the pattern.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from io import StringIO
from typing import Final

import pandas as pd

from gisgrid.errors import BadInput

Tags = Mapping[str, str]
_NAME_KEYS: Final = ("name", "name:zh", "name:en", "official_name")


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition on one tag: equality, or a pattern when ``pattern`` is set."""

    key: str
    value: str
    pattern: re.Pattern[str] | None = None

    def holds(self, tags: Tags) -> bool:
        """Whether the tags meet it."""
        if self.pattern is None:
            given = tags.get(self.key)
            return given is not None and (given == self.value or self.value in given.split(";"))
        keys = _NAME_KEYS if self.key == "name" else (self.key,)
        return any(self.pattern.search(tags[key]) for key in keys if key in tags)


def parse_rule(rule: str) -> tuple[tuple[Clause, ...], ...]:
    """Alternatives of clauses. Raises BadInput for anything that is not the language."""
    return tuple(
        tuple(_clause(part, rule) for part in _split(alternative, "+", rule)) for alternative in _split(rule, "|", rule)
    )


def _clause(text: str, rule: str) -> Clause:
    match = re.fullmatch(r"\s*([^=~\s]+)\s*([=~])(.+)", text)
    if match is None:
        raise BadInput(f"facility rule {rule!r}: {text!r} is neither key=value nor key~PATTERN")
    key, sign, value = match[1], match[2], match[3].strip()
    if sign == "=":
        return Clause(key, value)
    try:
        return Clause(key, value, re.compile(value))
    except re.error as error:
        raise BadInput(f"facility rule {rule!r}: bad pattern {value!r}: {error}") from error


def _split(text: str, sign: str, rule: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == sign and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
    if depth != 0 or not all(part.strip() for part in parts):
        raise BadInput(f"facility rule {rule!r}: empty part or unbalanced bracket")
    return parts


def facility_table(text: str | None = None) -> pd.DataFrame:
    """The category table (category, tier, minutes, metres, name_zh, name_en, osm); ``text`` another in
    the same form.
    """
    if text is None:
        text = resources.files("data.standards").joinpath("facility_categories.csv").read_text(encoding="utf-8")
    return pd.read_csv(StringIO(text), comment="#", dtype={"category": str, "osm": str}, keep_default_na=False)


def compile_rules(rules: Sequence[tuple[str, str]]) -> Callable[[Tags], list[str]]:
    """A function tags → categories they belong to, in table order, from (category, rule) pairs.

    Alternatives are looked up by their first equality, so that tags meet only the few rules that can hold.
    """
    by_tag: dict[tuple[str, str], list[tuple[int, tuple[Clause, ...]]]] = defaultdict(list)
    names = [category for category, _ in rules]
    for rank, (_, rule) in enumerate(rules):
        for clauses in parse_rule(rule):
            anchor = next((clause for clause in clauses if clause.pattern is None), None)
            if anchor is None:
                raise BadInput(f"facility rule {rule!r}: needs at least one key=value beside the pattern")
            by_tag[(anchor.key, anchor.value)].append((rank, clauses))
    keys = {key for key, _ in by_tag}

    def categories(tags: Tags) -> list[str]:
        ranks: set[int] = set()
        for key, given in tags.items():
            if key not in keys:
                continue
            for value in {given, *given.split(";")}:
                for rank, clauses in by_tag.get((key, value), ()):
                    if all(clause.holds(tags) for clause in clauses):
                        ranks.add(rank)
        return [names[rank] for rank in sorted(ranks)]

    return categories
