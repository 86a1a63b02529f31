"""``gisgrid user`` and ``gisgrid token``."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from api.cli import commands
from data.accounts import check_password, system_of
from gisgrid.access import Grant

pytestmark = pytest.mark.postgis
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Done:
    """What a command said."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(postgis_url: str, tmp_path: Path) -> Run:
    """A command with something on stdin, in this process: starting one costs seconds."""

    def made(*args: str, stdin: str = "") -> Done:
        env = {"GISGRID_HOME": str(tmp_path), "GISGRID_DATABASE_URL": postgis_url}
        result = CliRunner().invoke(commands.cli, args, input=stdin, env=env)
        if result.exception is None or isinstance(result.exception, SystemExit):
            return Done(result.exit_code, result.stdout, result.stderr)
        said = commands.explained(result.exception)
        assert said is not None, result.exception
        return Done(said[0], result.stdout, said[1] + "\n")

    return made


def test_people(run: Run, engine: sa.Engine, tmp_path: Path) -> None:
    added = run("user", "add", "Chief", "--name", "区网格办", "--role", "admin", stdin=PASSWORD + "\n")
    assert (added.returncode, added.stdout) == (0, "user chief added: admin\n"), added.stderr
    with engine.begin() as connection:
        assert check_password(connection, "chief", PASSWORD) is not None
    assert run("user", "remove", "chief").returncode == 2  # the last administrator
    file = tmp_path / "password"
    file.write_text("another password\n")
    options = ("--role", "planner:370811001", "--role", "dispatcher", "--password-file", str(file))
    assert run("user", "add", "planner", *options).returncode == 0
    changed = run("user", "change", "planner", "--role", "viewer", "--disable", "--json")
    assert json.loads(changed.stdout)["grants"] == [{"role": "viewer", "area": ""}]
    listed = run("user", "list").stdout
    assert "区网格办" in listed
    assert "disabled" in listed
    assert run("user", "remove", "planner").returncode == 0
    taken = run("user", "add", "chief", stdin=PASSWORD)
    assert (taken.returncode, "taken" in taken.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "stdin", "word"),
    [
        (("user", "add", "x1"), "", "no password"),
        (("user", "add", "x1"), "short", "10 to 200"),
        (("user", "add", "x1", "--role", "king"), PASSWORD, "king"),
        (("user", "change", "x1", "--disable"), "", "x1"),
        (("user", "change", "x1"), "", "nothing"),
        (("token", "create", "--name", "desk", "--role", "viewer", "--days", "3", "--never"), "", "--never"),
        (("token", "revoke", "7"), "", "token 7"),
    ],
)
def test_mistakes_are_one_line(run: Run, arguments: tuple[str, ...], stdin: str, word: str) -> None:
    done = run(*arguments, stdin=stdin)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert word in done.stderr


def test_tokens(run: Run, engine: sa.Engine) -> None:
    made = run("token", "create", "--name", "热线", "--role", "dispatcher:370811", "--days", "30", "-q")
    secret = made.stdout.strip()
    assert made.stdout == secret + "\n"
    assert secret.startswith("ggt_")
    with engine.connect() as connection:
        who = system_of(connection, secret)
    assert who is not None
    assert who.grants == (Grant("dispatcher", "370811"),)
    told = json.loads(run("token", "create", "--name", "gis", "--role", "viewer", "--never", "--json").stdout)
    assert told["expires_at"] is None
    listed = run("token", "list").stdout
    assert secret not in listed
    assert secret[:12] in listed
    assert run("token", "revoke", "1").returncode == 0
    with engine.connect() as connection:
        assert system_of(connection, secret) is None
    assert "revoked" in run("token", "list").stdout
