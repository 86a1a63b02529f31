"""Every setting is documented."""

from __future__ import annotations

import re
from pathlib import Path

from gisgrid.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def test_settings_are_documented() -> None:
    source = (ROOT / "gisgrid" / "settings.py").read_text(encoding="utf-8")
    names = set(re.findall(r"GISGRID_[A-Z_]+", source))
    assert len(names) == len(Settings.__dataclass_fields__)
    documented = set(re.findall(r"GISGRID_[A-Z_]+", (ROOT / "docs" / "data.md").read_text(encoding="utf-8")))
    assert names <= documented
