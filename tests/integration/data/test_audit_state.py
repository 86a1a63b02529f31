"""Rows held against the log: what went past it is found, what went through it is not blamed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from data.audit_state import Agreement, compare
from tests.conftest import Planned

pytestmark = pytest.mark.postgis


@contextmanager
def past_the_log(engine: sa.Engine, table: str) -> Iterator[sa.Connection]:
    """A transaction in which changes of a table go unseen, as with triggers switched off."""
    with engine.begin() as connection:
        connection.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        yield connection
        connection.execute(sa.text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))


def looked_at(engine: sa.Engine) -> Agreement:
    with engine.connect() as connection:
        return compare(connection)


def told(found: Agreement) -> list[tuple[str, str]]:
    return [(fault["subject"], fault["message"].split(": ", 1)[1]) for fault in found.faults]


def test_all_that_was_made_through_the_log_agrees(planned_copy: Planned) -> None:
    before = looked_at(planned_copy.engine)
    assert before.ok, before.faults
    with planned_copy.engine.begin() as connection:
        rows = sum(
            connection.scalar(sa.text(f"SELECT count(*) FROM {name}")) or 0
            for name in ("grids", "components", "facilities", "reports", "plans", "areas")
        )
        connection.execute(sa.text("UPDATE grids SET name = name || ' 东'"))
        connection.execute(sa.text("DELETE FROM components WHERE id % 3 = 0"))
        connection.execute(sa.text("UPDATE reports SET geometry = ST_Translate(geometry, 0.00001, 0) WHERE id % 2 = 0"))
    assert before.rows >= rows > 1000
    after = looked_at(planned_copy.engine)
    assert after.ok, after.faults


def test_changes_past_the_log_are_found(planned_copy: Planned) -> None:
    engine = planned_copy.engine
    with past_the_log(engine, "grids") as connection:
        connection.execute(sa.text("UPDATE grids SET name = '假网格' WHERE id = (SELECT min(id) FROM grids)"))
    with engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO webhooks (name, url, secret) VALUES ('seen', 'https://x.example', 's')")
        )
    with past_the_log(engine, "components") as connection:  # of a file's worth, which the log has as a digest
        connection.execute(sa.text("DELETE FROM components WHERE id = (SELECT max(id) FROM components)"))
    with past_the_log(engine, "webhooks") as connection:
        connection.execute(
            sa.text("INSERT INTO webhooks (name, url, secret) VALUES ('unseen', 'https://x.example', 's')")
        )
    found = looked_at(engine)
    assert ("grids", "is not as the log says in name") in told(found)
    assert ("webhooks", "came in past the log") in told(found)
    assert ("components", "is gone, and no entry of the log deleted it") in told(found)
    assert found.broken == len(found.faults) == 3


def test_rows_gone_and_rows_back_are_found(planned_copy: Planned) -> None:
    engine = planned_copy.engine
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO webhooks (name, url, secret) VALUES ('a', 'https://x.example', 's'), "
                                   "('b', 'https://x.example', 's')"))  # fmt: skip
        connection.execute(sa.text("CREATE TABLE kept AS SELECT * FROM webhooks WHERE name = 'b'"))
        connection.execute(sa.text("DELETE FROM webhooks WHERE name = 'b'"))
    assert looked_at(engine).ok
    with past_the_log(engine, "webhooks") as connection:
        connection.execute(sa.text("DELETE FROM webhooks WHERE name = 'a'"))
        connection.execute(sa.text("INSERT INTO webhooks OVERRIDING SYSTEM VALUE SELECT * FROM kept"))
        connection.execute(sa.text("DROP TABLE kept"))
    assert sorted(told(looked_at(engine))) == [
        ("webhooks", "is gone, and no entry of the log deleted it"),
        ("webhooks", "is there, and the log says it was deleted"),
    ]
