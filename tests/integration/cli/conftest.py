"""Running commands in process against a scratch database."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from api.cli import main
from data.tables import metadata
from gisgrid.settings import Settings


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """``run("plan", ...)`` in file mode; ``settings=`` lets it use a database."""

    def command(*arguments: str | Path, settings: Settings | None = None, env: dict[str, str] | None = None) -> Done:
        monkeypatch.setenv("GISGRID_HOME", str(tmp_path / "home"))
        monkeypatch.delenv("GISGRID_DATABASE_URL", raising=False)
        if settings is not None:
            monkeypatch.setenv("GISGRID_DATABASE_URL", str(settings.database_url))
        for name, value in (env or {}).items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Done(int(stop.value.code or 0), printed.out, printed.err)

    return command


def fingerprint(engine: sa.Engine) -> dict[str, str]:
    """A digest of every table's rows, to prove that nothing changed."""
    with engine.connect() as connection:
        return {
            name: str(
                connection.scalar(
                    sa.text(
                        f"SELECT md5(coalesce(string_agg(md5(r::text), '' ORDER BY md5(r::text)), '')) FROM {name} r"
                    )
                )
            )
            for name in sorted(metadata.tables)
        }
