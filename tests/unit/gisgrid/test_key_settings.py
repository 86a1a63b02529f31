"""Keys of those who may send reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from gisgrid.errors import BadInput
from gisgrid.settings import Settings


def keys(value: str) -> tuple[tuple[str, str], ...]:
    return Settings.from_env({"GISGRID_OPEN311_KEYS": value}).open311_keys


def test_keys_are_listed_with_or_without_names(tmp_path: Path) -> None:
    assert keys("") == ()
    assert keys("sesame") == (("", "sesame"),)
    assert keys(" fms:s3cret== , plain,") == (("fms", "s3cret=="), ("", "plain"))
    listed = tmp_path / "keys"
    listed.write_text("# who may send\nfms:a,b\n\n  desk:c\n", encoding="utf-8")
    assert keys(f"@{listed}") == (("fms", "a,b"), ("desk", "c")), "in a file a key may hold commas"


def test_keys_are_not_shown_with_the_settings() -> None:
    assert "sesame" not in repr(Settings.from_env({"GISGRID_OPEN311_KEYS": "sesame"}))


@pytest.mark.parametrize("value", [",", "@/none/such", "名:key", "name:", ":key"])
def test_what_cannot_be_keys_is_refused_without_telling_them(value: str) -> None:
    with pytest.raises(BadInput, match="GISGRID_OPEN311_KEYS") as refused:
        keys(value)
    assert value.startswith("@") or value not in str(refused.value) or value == ","


def test_an_empty_key_file_does_not_open_the_door(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("# nobody yet\n")
    with pytest.raises(BadInput, match="no key"):
        keys(f"@{tmp_path / 'keys'}")
