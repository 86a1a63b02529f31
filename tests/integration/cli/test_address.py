"""``gisgrid address`` on files and on PostGIS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from data.exporters import write_layers
from tests.integration.cli.conftest import Run, fingerprint


@pytest.fixture(scope="session")
def package(small_district: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("address") / "district.gpkg"
    write_layers(path, {n: small_district.layers[n] for n in ("addresses", "streets", "areas", "facilities", "grids")})
    return path


def test_files(run: Run, package: Path, small_district: Any, tmp_path: Path) -> None:
    row = small_district.layers["addresses"].iloc[11]
    done = run("address", "search", row["full"], "--addresses", package, "--grids", package, "--json")
    assert done.code == 0, done.err
    match = done.json["matches"][0]
    assert match["address_id"] == row["address_id"]
    assert match["grid"] in set(small_district.layers["grids"]["code"])
    assert row["full"] in run("address", "search", row["full"], "--addresses", package).out
    suggested = run("address", "suggest", row["road"][:2], "--addresses", package, "--json").json["suggestions"]
    assert any(row["road"] in s["text"] for s in suggested)
    reverse = run("address", "reverse", str(row.geometry.x), str(row.geometry.y), "--addresses", package, "--json")
    assert reverse.json["addresses"][0]["address_id"] == row["address_id"]
    aliases = tmp_path / "aliases.csv"
    aliases.write_text(f"别名,标准名\n老供销社,{row['full']}\n", encoding="utf-8-sig")
    found = run("address", "search", "老供销社", "--addresses", package, "--aliases", aliases, "--json")
    assert found.json["matches"][0]["address_id"] == row["address_id"]
    assert "nothing here" in run("address", "search", "xyzzy", "--addresses", package).out


def test_parse_needs_nothing(run: Run) -> None:
    done = run("address", "parse", "云溪街9号", "枫波新村4栋", "--json")
    assert done.json["parts"] == {"road": "云溪街", "door": "9号", "compound": "枫波新村", "building": "4栋"}


@pytest.mark.postgis
def test_stored(run: Run, planned: Any) -> None:
    before = fingerprint(planned.engine)
    row = planned.district.layers["addresses"].iloc[3]
    done = run("address", "search", row["full"], "--json", settings=planned.settings)
    assert done.code == 0, done.err
    match = done.json["matches"][0]
    assert match["address_id"] == row["address_id"]
    assert match["confident"]
    assert match["grid"]
    reverse = run("address", "reverse", str(row.geometry.x), str(row.geometry.y), settings=planned.settings)
    assert row["full"] in reverse.out
    assert fingerprint(planned.engine) == before


@pytest.mark.postgis
def test_an_empty_database_is_said_so(run: Run, settings: Any) -> None:
    done = run("address", "search", "文泉路1号", settings=settings)
    assert done.code == 2
    assert "no addresses are stored" in done.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("search", ""), "is empty"),
        (("search", "路" * 501), "501 characters"),
        (("search", "文泉路", "--limit", "0"), "--limit"),
        (("reverse", "116", "nan"), "lat nan"),
        (("reverse", "35", "116"), "swapped"),
    ],
)
def test_bad_input(run: Run, package: Path, arguments: tuple[str, ...], told: str) -> None:
    done = run("address", *arguments, "--addresses", package)
    assert done.code == 2
    assert told in done.err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("alias,name\na,\n", "row 1: name is empty"),
        ("a,b\n", "lacks the column 'alias'"),
        ("alias,name\nx,文泉路\nx,柳溪街\n", "row 2: alias 'x' stands for"),
        ("", "not a CSV table"),
    ],
)
def test_alias_tables_that_cannot_be_used(run: Run, package: Path, tmp_path: Path, content: str, told: str) -> None:
    aliases = tmp_path / "aliases.csv"
    aliases.write_text(content, encoding="utf-8")
    done = run("address", "search", "文泉路", "--addresses", package, "--aliases", aliases)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


def test_streets_without_addresses_are_refused(run: Run, package: Path) -> None:
    done = run("address", "search", "文泉路", "--streets", package)
    assert done.code == 2
    assert "--addresses FILE" in done.err
