"""What must never stand in a log is taken out of every line: keys, passwords, tokens, cookies, rows a database quotes.

Nothing here is the first guard: our own lines name routes and numbers only, and SQLAlchemy is told to hide parameters.
It is for what libraries put into their messages and tracebacks.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from typing import Final

import sqlalchemy as sa

from gisgrid.settings import Settings

HIDDEN: Final = "***"
SECRET_CHARS_MIN: Final = 4
"""Shorter secrets of the settings are not looked for: they would be found in every other word."""
_TOKEN: Final = re.compile(r"gg([a-z])_[A-Za-z0-9_.~-]+")
_PATTERNS: Final = (
    # a password may itself hold a slash or an @: up to the last one of the word
    (re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^\s\"'<>]*@"), rf"\1{HIDDEN}@"),
    # a receiver's address may carry its key in path or query
    (re.compile(r"(https?://[^\s/\"'<>?#]+)[/?#][^\s\"'<>]*"), r"\1/…"),
    (re.compile(r"(?i)(authorization['\"]?\s*[:=,]\s*(?:b?['\"])?)(?:[a-z]+ +)?[^\s'\",;)]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b(bearer|basic) +[A-Za-z0-9+/=._~-]{8,}"), rf"\1 {HIDDEN}"),
    (
        re.compile(
            r"(?i)([\w-]*(?:api[_-]?key|passw(?:or)?d|passwd|secret|token|cookie|gisgrid_session|code_verifier)[\w-]*"
            r"['\"]?\s*[:=]\s*(?:b?['\"])?)[^\s'\"&,;)}\]]+"
        ),
        rf"\1{HIDDEN}",
    ),
    # PostgreSQL quotes the row that broke a rule, SQLAlchemy the values it sent
    (re.compile(r"(DETAIL|CONTEXT):.*"), rf"\1: {HIDDEN}"),
    (re.compile(r"\[parameters: .*"), f"[parameters: {HIDDEN}]"),
)


class Redactor:
    """Takes secrets out of text: those known by their form, and those the settings hold."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        longest_first = sorted({text for text in secrets if len(text) >= SECRET_CHARS_MIN}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def without_known(self, text: str) -> str:
        """The text without the secrets of the settings and without tokens of ours."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        return _TOKEN.sub(rf"gg\1_{HIDDEN}", text) if "gg" in text else text

    def clean(self, text: str) -> str:
        """The text without secrets."""
        text = self.without_known(text)
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        return text


def secrets_of(settings: Settings) -> Iterator[str]:
    """Texts of the settings that must not be told: every field hidden from ``repr``, the database's password."""
    for field in dataclasses.fields(settings):
        if not field.repr:
            yield from _texts(getattr(settings, field.name))
    if settings.database_url:
        try:
            password = sa.make_url(settings.database_url).password
        except (ValueError, sa.exc.ArgumentError):
            return
        if password:
            yield password


def _texts(value: object) -> Iterator[str]:
    """The secrets of ``KEY`` and of ``(NAME, KEY)`` entries; a name is none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple) and len(value) == 2 and all(isinstance(part, str) for part in value):
        yield value[1]
    elif isinstance(value, (tuple, list, frozenset, set)):
        for part in value:
            yield from _texts(part)
