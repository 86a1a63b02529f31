"""Settings from the environment, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from gisgrid.errors import BadInput
from gisgrid.settings import Settings


def test_nothing_set_gives_the_private_database_in_an_absolute_home() -> None:
    settings = Settings.from_env({})
    assert settings.home.is_absolute()
    assert settings.database_url is None
    assert settings.household_factors is None
    assert settings.facility_categories is None


def test_home_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings.from_env({"GISGRID_HOME": "here"}).home == tmp_path / "here"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings.from_env({"GISGRID_HOME": "~/there"}).home == tmp_path / "there"


@pytest.mark.parametrize("url", ["postgresql://u@h/d", "postgres://u@h/d", "postgresql+psycopg://u@h/d"])
def test_postgresql_addresses_are_taken(url: str) -> None:
    assert Settings.from_env({"GISGRID_DATABASE_URL": f" {url} "}).database_url == url


def test_other_addresses_are_refused() -> None:
    with pytest.raises(BadInput, match="no PostgreSQL address"):
        Settings.from_env({"GISGRID_DATABASE_URL": "mysql://u@h/d"})


@pytest.mark.parametrize("name", ["GISGRID_HOUSEHOLD_FACTORS", "GISGRID_FACILITY_CATEGORIES"])
def test_a_table_of_ones_own_must_be_there(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=f"{name}.*no such file"):
        Settings.from_env({name: str(tmp_path / "none.csv")})
    own = tmp_path / "own.csv"
    own.write_text("x\n")
    assert own in (getattr(Settings.from_env({name: str(own)}), name.removeprefix("GISGRID_").lower()),)
