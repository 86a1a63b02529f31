"""Every reason a plan may give is worded in both languages and explained in the docs."""

from __future__ import annotations

import re
from pathlib import Path

from layers.report.words import REASON_CODES
from planning.partition.reasons import CODES

ROOT = Path(__file__).resolve().parents[2]


def test_every_reason_is_worded_and_explained() -> None:
    assert set(REASON_CODES) == set(CODES)
    page = (ROOT / "docs" / "partition.md").read_text(encoding="utf-8")
    table = page.partition("## Reasons")[2].partition("## ")[0]
    assert set(re.findall(r"`([a-z_]+)`", table)) == set(CODES)


def test_no_other_code_is_given() -> None:
    sources = [*(ROOT / "planning" / "partition").glob("*.py"), *(ROOT / "planning").glob("level*.py")]
    given = {
        code for path in sources for code in re.findall(r'Reason\(\s*"([a-z_]+)"', path.read_text(encoding="utf-8"))
    }
    assert given <= set(CODES)
    assert len(given) >= 9
