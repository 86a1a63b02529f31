"""The page of what was changed has a word for every table and column the log tells of, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

from data.tables import AUDITED, NOT_TOLD, metadata

WORDS = Path(__file__).parents[2] / "web" / "src" / "i18n" / "history.ts"
UNNAMED = {"id", "geometry"}
"""Told otherwise: by the row's own label, as a shape that changed."""


def test_every_audited_column_has_a_word() -> None:
    zh, en = WORDS.read_text(encoding="utf-8").split("const en")
    for text in (zh, en):
        named = set(re.findall(r"'history\.f\.(\w+)'", text))
        for table in AUDITED:
            told = {column.name for column in metadata.tables[table].columns if column.computed is None}
            assert told - set(NOT_TOLD.get(table, ())) - UNNAMED <= named, table
        assert set(AUDITED) <= set(re.findall(r"'history\.s\.(\w+)'", text))
