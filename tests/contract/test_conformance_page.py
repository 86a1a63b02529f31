"""docs/conformance.md says what the tests of conformance check, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
WMS = r"\b(?:basic_elements|getcapabilities|getmap|getfeatureinfo|basic|queryable|recommendations|interactive):[\w-]+"


@pytest.mark.parametrize(
    ("chapter", "file", "item"),
    [
        ("## WMS 1.3.0", "test_wms_conformance.py", WMS),
        ("## OGC API Features", "test_features_conformance.py", r"/conf/[a-z]+/[\w-]+"),
    ],
)
def test_the_page_lists_what_is_checked(chapter: str, file: str, item: str) -> None:
    told = PAGE.partition(f"\n{chapter}\n")[2].partition("\n## ")[0]
    passes = told.partition("### Passes")[2].partition("\n\nChecked")[0].partition("\n\nItems with")[0]
    others = told.partition("### Not applicable")[2]
    source = (ROOT / "tests" / "integration" / "api" / file).read_text(encoding="utf-8")
    checked = set(re.findall(item, source))
    assert set(re.findall(item, passes)) <= checked
    assert checked <= set(re.findall(item, passes)) | set(re.findall(item, others))
    assert len(checked) > 30
