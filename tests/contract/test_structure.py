"""The house keeps its shape: who may import whom, what lies at the top, how long a file may get."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("gisgrid", "data", "planning", "layers", "api")
MAY_IMPORT = {
    "gisgrid": set[str](),
    "data": {"gisgrid"},
    "planning": {"data", "gisgrid"},
    "layers": {"data", "gisgrid"},
    "api": {"planning", "layers", "data", "gisgrid"},
}
TOP_LEVEL = {
    "gisgrid", "api", "layers", "planning", "data", "tests", "pyproject.toml", "web", "benchmarks", "docs", "Makefile",
    "README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md", ".ci", ".gitignore", "deploy",
}  # fmt: skip


def sources(package: str) -> Iterator[Path]:
    yield from sorted((ROOT / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Top-level names a file imports, wherever in it the import stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_follow_the_dependency_direction(package: str) -> None:
    allowed = MAY_IMPORT[package] | {package}
    for path in sources(package):
        wrong = (imported(path) & set(PACKAGES)) - allowed
        assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}; {package} may import {sorted(allowed)}"


def test_the_core_knows_neither_web_nor_database() -> None:
    for path in sources("gisgrid"):
        assert not imported(path) & {"flask", "apiflask", "sqlalchemy", "geoalchemy2", "psycopg"}, path


def test_only_the_workflow_of_planning_touches_stored_data() -> None:
    touching = {path.relative_to(ROOT).as_posix() for path in sources("planning") if "data" in imported(path)}
    assert touching == {
        f"planning/workflow{of}.py"
        for of in (
            "", "_changes", "_circles", "_edits", "_fixes", "_force", "_ground", "_heat", "_networks", "_plans",
            "_publishing", "_seen", "_services", "_writing",
        )
    }  # fmt: skip


def test_the_top_level_is_as_agreed() -> None:
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    assert {line.split("/")[0] for line in listed.stdout.splitlines()} <= TOP_LEVEL


def test_pyproject_lists_every_package() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    present = {
        folder.relative_to(ROOT).as_posix().replace("/", ".")
        for package in PACKAGES
        for folder in [ROOT / package, *(ROOT / package).rglob("*")]
        if folder.is_dir() and (folder / "__init__.py").exists()
    }
    assert listed == present


@pytest.mark.parametrize("package", PACKAGES)
def test_files_stay_short(package: str) -> None:
    long = {p.relative_to(ROOT).as_posix(): n for p in sources(package) if (n := p.read_text().count("\n")) > 450}
    assert not {name: n for name, n in long.items() if "migrations" not in name}


def test_no_download_address_in_lock_files() -> None:
    lock = ROOT / "web" / "package-lock.json"
    assert '"resolved": "http' not in lock.read_text()
