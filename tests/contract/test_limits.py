"""Every cap is in gisgrid/limits.py, tells what it bounds, and is used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("gisgrid", "data", "planning", "layers", "api")
LIMITS = ROOT / "gisgrid" / "limits.py"
CAP = re.compile(r"_?[A-Z][A-Z0-9_]*_(MAX|CAP)")


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def constants(path: Path) -> Iterator[str]:
    """Names given a value at the top of a module."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def test_no_cap_lives_elsewhere() -> None:
    elsewhere = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources()
        if path != LIMITS
        for name in constants(path)
        if CAP.fullmatch(name)
    }
    assert not elsewhere, "move them to gisgrid/limits.py"


def test_every_cap_tells_what_it_bounds() -> None:
    body = ast.parse(LIMITS.read_text(encoding="utf-8")).body
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            told = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            assert told, f"{node.target.id} has no docstring"


def test_every_cap_is_used_and_named_once() -> None:
    names = list(constants(LIMITS))
    assert len(names) == len(set(names))
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources() if path != LIMITS)
    used = set(re.findall(r"[A-Z][A-Z0-9_]+", text))
    unused = set(names) - used
    assert not unused
