"""``gisgrid db backup`` and ``db restore`` as people and scripts use them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from data import audit_chain, audit_state, tables
from data.backup import contents
from tests.conftest import Cli, Planned

pytestmark = pytest.mark.postgis


def test_backup_refusal_and_restore(planned_copy: Planned, cli: Cli, tmp_path: Path) -> None:
    env = {"GISGRID_DATABASE_URL": str(planned_copy.settings.database_url), "GISGRID_HOME": str(tmp_path / "home")}
    file, short = tmp_path / "a.gisgrid", tmp_path / "short.gisgrid"
    taken = cli("db", "backup", file, "--json", env=env)
    assert taken.returncode == 0, taken.stderr
    told = json.loads(taken.stdout)
    assert told["bytes"] == file.stat().st_size
    assert cli("db", "backup", file, env=env).returncode == 2  # it is there
    short.write_bytes(file.read_bytes()[:-1000])
    with planned_copy.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE areas SET name_en = 'renamed'")
    with planned_copy.engine.begin() as connection:
        replaced = audit_chain.verify(connection).head_hash
        connection.exec_driver_sql("UPDATE buildings SET households = households + 1")
        before = contents.figures(connection)
    planned_copy.engine.dispose()
    for given, words in ((short, "its end is missing"), (file, "--replace")):
        refused = cli("db", "restore", given, env=env)
        assert (refused.returncode, words in refused.stderr) == (2, True), refused.stderr
    with planned_copy.engine.connect() as connection:
        assert contents.figures(connection) == before
    planned_copy.engine.dispose()
    done = cli("db", "restore", file, "--replace", "--json", env=env)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert Path(answer["kept"]).is_file()
    assert (answer["rows"], answer["other_owners"]) == (told["rows"], 0)
    with planned_copy.engine.connect() as connection:
        after = contents.figures(connection)
        newest = connection.execute(sa.select(tables.audit_log).order_by(tables.audit_log.c.seq.desc()).limit(1)).one()
        assert (newest.subject, newest.action) == ("database", "restore")
        assert newest.principal.startswith("cli:")
        assert newest.changes[0]["before"]["head"].endswith(replaced)
        assert audit_chain.verify(connection).whole
        assert audit_state.compare(connection).ok
        # what was done since the backup is gone, and a hash noted then says so
        assert not audit_chain.verify(connection, since=replaced).whole
    assert after["public.buildings"] != before["public.buildings"]
    planned_copy.engine.dispose()
    drilled = cli("db", "restore", answer["kept"], "--drill", "--json", env=env)
    assert (drilled.returncode, json.loads(drilled.stdout)["drill"]["ok"]) == (0, True), drilled.stderr
