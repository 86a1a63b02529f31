"""Every setting is read in one place and documented."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from gisgrid.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ROOT / "gisgrid" / "settings.py"
PACKAGES = ("gisgrid", "data", "planning", "layers", "api")
NAME = re.compile(r"(?<![A-Z_])GISGRID_[A-Z0-9]+(?:_[A-Z0-9]+)*")
HANDS_ON = {
    "data/embedded.py": "PATH for PostgreSQL's programs",
    "data/backup/programs.py": "PATH for PostgreSQL's programs",
    "api/cli/serving.py": "what the demo opens is told to the server's processes",
}
"""Files beside settings.py that touch the environment, and what for; none of them reads a setting from it."""


OF_TESTS = {"GISGRID_BENCH_PEERS", "GISGRID_EXAMPLES", "GISGRID_SCREENSHOTS", "GISGRID_SHARED_DATA", "GISGRID_TEST_URL"}
"""Read by tests and benchmarks only."""


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def documented() -> set[str]:
    """Settings with a row of their own in a table of docs/data.md."""
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `(GISGRID_[A-Z0-9_]+)` \| \S", text, re.MULTILINE))


def touches_environment(path: Path) -> bool:
    """Whether a file names os.environ, os.environb, os.getenv or os.putenv, under whatever alias of os."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {"environ", "environb", "getenv", "putenv"}
    imports = [alias for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    ours = {alias.asname or alias.name for alias in imports if alias.name == "os"}
    return any(
        (
            isinstance(node, ast.Attribute)
            and node.attr in names
            and isinstance(node.value, ast.Name)
            and node.value.id in ours
        )
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and names & {alias.name for alias in node.names})
        for node in ast.walk(tree)
    )


def test_every_field_names_its_variable_and_is_documented() -> None:
    source = SETTINGS.read_text(encoding="utf-8")
    names = set(NAME.findall(source))
    assert len(names) == len(Settings.__dataclass_fields__)
    assert names == documented()


def test_the_environment_is_read_in_one_place() -> None:
    found = {path.relative_to(ROOT).as_posix() for path in sources() if path != SETTINGS and touches_environment(path)}
    assert found <= set(HANDS_ON), "read it in gisgrid/settings.py, document it in docs/data.md"


def test_no_setting_is_named_that_is_not_documented() -> None:
    known = documented()
    for path in sources():
        unknown = set(NAME.findall(path.read_text(encoding="utf-8"))) - known
        assert not unknown, f"{path.relative_to(ROOT)} names {sorted(unknown)}"


def test_whoever_hands_on_reads_no_setting() -> None:
    """`os.environ["X"]` and `.get("X")` of a setting would go round the checks of settings.py."""
    reads = re.compile(r"environ(?:\.get\(|\[)\s*[\"'](GISGRID_[A-Z0-9_]+)[\"'](?!\]\s*=[^=])")
    for name in HANDS_ON:
        assert not reads.findall((ROOT / name).read_text(encoding="utf-8")), name


def test_the_documents_name_no_setting_that_is_none() -> None:
    known = documented()
    for path in [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", *sorted((ROOT / "deploy").iterdir())]:
        if path.is_file():
            unknown = set(NAME.findall(path.read_text(encoding="utf-8"))) - known
            assert not unknown - OF_TESTS, f"{path.relative_to(ROOT)} names {sorted(unknown)}"
