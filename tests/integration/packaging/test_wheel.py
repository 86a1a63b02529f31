"""The wheel holds exactly the five packages with their data files, and works in an empty virtual environment."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = {"gisgrid", "api", "layers", "planning", "data"}
DATA_FILES = {".html", ".py", ".csv", ".sql", ".mako", ".ini", ".typed", ".css", ".js"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    # the build tools of this environment: an isolated build would download them anew
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return next(out.glob("gisgrid-*.whl"))


def test_wheel_holds_the_five_packages_and_their_data(wheel: Path) -> None:
    names = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    assert {name.split("/")[0] for name in names} == PACKAGES
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and (path.suffix in DATA_FILES or "static" in path.parts)
    }
    assert set(names) == expected
    assert "data/standards/component_classes.csv" in names
    assert "api/static/index.html" in names, "the web map is built before the wheel"


def test_wheel_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    """Only the wheel is installed; its dependencies are lent from this environment by path, not its own sources."""
    venv.create(tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel]
    subprocess.run(install, check=True, capture_output=True)
    site = Path(
        subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    )
    lent = tmp_path / "lent"
    lent.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "gisgrid" not in entry.name.lower() and entry.suffix != ".pth":
            (lent / entry.name).symlink_to(entry)
    (site / "lent.pth").write_text(f"{lent}\n")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GISGRID_HOME": str(tmp_path / "home")}
    code = "import gisgrid, api, layers, planning, data; print(*(m.__file__ for m in (gisgrid, api, layers, planning, data)))"
    found = subprocess.run(
        [python, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=env, check=True
    ).stdout
    assert all(str(site) in path for path in found.split())
    tool = tmp_path / "venv" / "bin" / "gisgrid"
    made = subprocess.run(
        [tool, "sample", "district", "--scenario", "nanjian", "--json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=env,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "district" / "district.gpkg").exists()
    page = "from api.app import create_app; from importlib.resources import files; assert (files('api')/'static'/'index.html').is_file()"
    assert subprocess.run([python, "-c", page], cwd=tmp_path, env=env, check=False).returncode == 0
