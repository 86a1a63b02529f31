"""The audit log: what the tables went through, who did it, and a chain that shows every hand laid on it."""

from __future__ import annotations

import json
import threading
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from data import accounts, history
from data import tables as t
from data.audit import acting
from data.audit_chain import verify
from data.audit_state import compare
from data.past import read_past, rows_at
from gisgrid.access import Grant
from gisgrid.actors import Actor, working_as
from gisgrid.errors import BadInput

SQUARE = "SRID=4490;MULTIPOLYGON(((116 35,116.01 35,116.01 35.01,116 35)))"
COMPONENT = """
INSERT INTO components (component_code, standard, kind, major, minor, name, geometry)
SELECT to_char(n, 'FM0000000000000000'), c.standard, c.kind, c.major, c.minor, 'part ' || n,
  ST_SetSRID(ST_MakePoint(116 + n * 0.00001, 35), 4490)
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n,
  (SELECT * FROM component_classes ORDER BY standard, kind, major, minor LIMIT 1) AS c
"""


def _area(connection: sa.Connection, code: str = "370800", name: str = "湖区") -> None:
    connection.execute(
        sa.text("INSERT INTO areas (code, level, name, geometry) VALUES (:code, 'district', :name, :shape)"),
        {"code": code, "name": name, "shape": SQUARE},
    )


def _log(engine: sa.Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(sa.select(t.audit_log).order_by(t.audit_log.c.seq)))


def _check(engine: sa.Engine, since: str | None = None) -> Any:
    with engine.connect() as connection:
        return verify(connection, since)


def test_a_change_is_told_with_who_why_and_from_where(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        acting(connection, "user:3", "Blue Lake desk", "the new name", "PUT /here 1")
        _area(connection)
    with working_as(Actor("token:5", "Inlet")), engine.begin() as connection:
        connection.execute(sa.update(t.areas).values(name="新湖区"))
    with engine.begin() as connection:
        connection.execute(sa.delete(t.areas))
    made, renamed, gone = _log(engine)
    assert (made.principal, made.name, made.reason, made.origin) == (
        "user:3", "Blue Lake desk", "the new name", "PUT /here 1",
    )  # fmt: skip
    assert (made.subject, made.action, made.rows, made.ids, made.areas) == (
        "areas",
        "insert",
        1,
        ["370800"],
        ["370800"],
    )
    assert (renamed.principal, renamed.name, renamed.reason) == ("token:5", "Inlet", "")
    assert renamed.changes == [
        {"id": "370800", "area": "370800", "before": {"name": "湖区"}, "after": {"name": "新湖区"}}
    ]
    assert gone.principal.startswith("sql:")
    assert gone.changes[0]["before"] == made.changes[0]["after"] | {"name": "新湖区"}
    assert gone.changes[0]["after"] is None
    assert _check(engine).whole


def test_what_changes_nothing_or_is_taken_back_leaves_no_entry(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        _area(connection)
    with engine.begin() as connection:
        connection.execute(sa.update(t.areas).values(name=t.areas.c.name))
        connection.execute(sa.delete(t.areas).where(t.areas.c.code == "1"))
    with engine.connect() as connection:
        connection.execute(sa.delete(t.areas))
        connection.rollback()
    assert [entry.action for entry in _log(engine)] == ["insert"]
    assert _check(engine).whole


def test_many_rows_at_once_are_a_digest_that_the_rows_can_be_held_to(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text(COMPONENT), {"first": 1, "last": 1200})
    (entry,) = _log(engine)
    assert entry.rows == 1200
    assert set(entry.changes) == {"digest"}
    with engine.connect() as connection:
        again = connection.scalar(sa.text(DIGEST), {"ids": entry.changes["digest"]["ids"]})
        assert again == entry.changes["digest"]["sha256"]
        connection.execute(sa.text("UPDATE components SET name = 'other' WHERE component_code LIKE '%77'"))
        assert connection.scalar(sa.text(DIGEST), {"ids": entry.changes["digest"]["ids"]}) != again
        connection.rollback()
    with engine.begin() as connection:
        connection.execute(sa.update(t.components).values(note="seen"))
        connection.execute(sa.delete(t.components))
    assert [(one.action, one.rows) for one in _log(engine)][1:] == [
        ("update", 500), ("update", 500), ("update", 200), ("delete", 500), ("delete", 500), ("delete", 200),
    ]  # fmt: skip


DIGEST = """
SELECT encode(sha256(string_agg(sha256(convert_to(to_jsonb((SELECT x FROM (SELECT r.id, r.source, r.component_code,
  r.standard, r.kind, r.major, r.minor, r.name, r.dept_supervise, r.dept_owner, r.dept_maintain, r.state, r.first_date,
  r.changed_date, r.note, encode(ST_AsBinary(r.geometry), 'hex') AS geometry) AS x))::text, 'UTF8')), ''::bytea
  ORDER BY r.id)), 'hex')
FROM components AS r WHERE CAST(:ids AS int8multirange) @> r.id
""".replace("::", "\\:\\:")


def test_the_log_is_only_added_to(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        _area(connection)
    for statement in (
        "UPDATE audit_log SET name = 'x'", "UPDATE audit_log SET seq = 9, hash = NULL", "DELETE FROM audit_log",
        "TRUNCATE audit_log", "UPDATE audit_head SET seq = seq + 1", "DELETE FROM audit_head", "TRUNCATE audit_head",
        "INSERT INTO audit_log (subject, action, rows, changes) VALUES ('areas', 'insert', 1, '[]')",
        "INSERT INTO audit_head (one, hash) VALUES (false, '')",
    ):  # fmt: skip
        with pytest.raises(sa.exc.ProgrammingError, match="only ever added to"), engine.begin() as connection:
            connection.execute(sa.text(statement))
    assert _check(engine).whole


def test_emptying_a_table_is_told_as_well(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text(COMPONENT), {"first": 1, "last": 3})
        connection.execute(sa.text("TRUNCATE components"))
    assert [(entry.action, entry.rows) for entry in _log(engine)] == [("insert", 3), ("delete", 3)]


TAMPERED = {
    "at": "at + interval '1 second'", "principal": "'somebody'", "name": "'Somebody'", "subject": "'plans'",
    "action": "'delete'", "rows": "rows + 1", "changes": "jsonb_set(changes, '{0,after,name}', '\"x\"')",
    "reason": "'because'", "origin": "'elsewhere'", "previous": "sha256('x')", "hash": "sha256('x')",
    "ids": "'{1}'", "areas": "'{1}'", "seq": "seq + 100", "id": "id + 100",
}  # fmt: skip


def _six(engine: sa.Engine) -> list[str]:
    """Six entries; the hashes noted after each."""
    noted = []
    for number in range(6):
        with engine.begin() as connection:
            _area(connection, f"37080{number}")
        with engine.connect() as connection:
            noted.append(history.head(connection)["hash"])
    return noted


def _tamper(engine: sa.Engine, *statements: str) -> None:
    """As a superuser can who turns the triggers off."""
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            connection.execute(sa.text(statement.replace(":", "\\:")))


@pytest.mark.parametrize("column", TAMPERED)
def test_every_column_that_is_changed_is_found(engine: sa.Engine, column: str) -> None:
    _six(engine)
    always = "OVERRIDING SYSTEM VALUE" if column == "id" else ""
    if always:  # numbers given by the database cannot be updated, only inserted
        names = ", ".join(c.name for c in t.audit_log.columns)
        values = names.replace("id, seq", "id + 100, seq", 1)
        _tamper(
            engine,
            "CREATE TEMP TABLE taken AS SELECT * FROM audit_log WHERE seq = 3",
            "DELETE FROM audit_log WHERE seq = 3",
            f"INSERT INTO audit_log ({names}) {always} SELECT {values} FROM taken",
        )
    else:
        _tamper(engine, f"UPDATE audit_log SET {column} = {TAMPERED[column]} WHERE seq = 3")
    found = _check(engine)
    assert not found.whole
    assert found.faults[0]["seq"] == 3


@pytest.mark.parametrize(
    ("statements", "seq", "fault"),
    [
        (["DELETE FROM audit_log WHERE seq = 3"], 3, "missing"),
        (["DELETE FROM audit_log WHERE seq = 1"], 1, "missing"),
        (["DELETE FROM audit_log WHERE seq > 4"], 5, "cut off"),
        (["DELETE FROM audit_log"], 1, "cut off"),
        (
            [
                "UPDATE audit_log SET seq = -seq WHERE seq IN (3, 4)",
                "UPDATE audit_log SET seq = 7 + seq WHERE seq < 0",
            ],
            3,
            "reordered",
        ),
        (["UPDATE audit_head SET hash = sha256('x')"], 6, "head"),
        (["UPDATE audit_head SET seq = 5"], 5, "head"),
        (["DELETE FROM audit_head"], None, "head"),
        (
            ["INSERT INTO audit_log (subject, action, rows, changes) VALUES ('areas', 'insert', 1, '[]')"],
            None,
            "outside",
        ),
    ],
)
def test_rows_removed_swapped_cut_off_or_put_in_are_found(
    engine: sa.Engine, statements: list[str], seq: int | None, fault: str
) -> None:
    _six(engine)
    _tamper(engine, *statements)
    found = _check(engine)
    assert not found.whole
    assert (found.faults[0]["seq"], found.faults[0]["fault"]) == (seq, fault)


def test_a_log_written_anew_is_found_by_a_hash_noted_elsewhere(engine: sa.Engine) -> None:
    noted = _six(engine)
    assert _check(engine, noted[3]).whole
    assert _check(engine, noted[3]).entries == 2
    _tamper(
        engine,
        "DELETE FROM audit_log WHERE seq > 3",
        f"UPDATE audit_head SET seq = 3, hash = decode('{noted[2]}', 'hex')",
    )
    assert _check(engine).whole  # in itself
    assert [fault["fault"] for fault in _check(engine, noted[3]).faults] == ["rewritten"]
    for wrong in ("", "zz", "12"):
        if wrong:
            with pytest.raises(BadInput, match="no hash"):
                _check(engine, wrong)


def test_eight_that_commit_at_once_make_one_chain(engine: sa.Engine) -> None:
    start = threading.Barrier(8)
    faults: list[BaseException] = []

    def work(number: int) -> None:
        try:
            start.wait()
            for turn in range(12):
                with working_as(Actor(f"user:{number}")), engine.begin() as connection:
                    connection.execute(sa.text(COMPONENT), {"first": number * 100 + turn, "last": number * 100 + turn})
                    connection.execute(
                        sa.update(t.components)
                        .where(t.components.c.component_code == f"{number * 100 + turn:016d}")
                        .values(note=f"by {number}")
                    )
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    found = _check(engine)
    assert found.whole
    assert found.entries == found.head_seq == 8 * 12 * 2
    assert all(entry.changes[0]["after"]["note"] == f"by {entry.principal[5:]}" for entry in _log(engine) if
               entry.action == "update")  # fmt: skip


def test_nothing_secret_is_written_down(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        accounts.add_user(
            connection, "blue.lake", name="Desk", password="a long and winding secret", grants=[Grant("admin")]
        )
        secret = accounts.add_token(connection, "inlet", grants=[Grant("reporter")])
        connection.execute(
            sa.insert(t.webhooks).values(name="hook", url="https://example.invalid/in", secret="hush-hush-hush")
        )
        stored = [
            *connection.scalars(sa.select(t.users.c.password_hash)),
            *[bytes(value).hex() for value in connection.scalars(sa.select(t.tokens.c.secret_hash))],
        ]
    kept = json.dumps([entry.changes for entry in _log(engine)])
    assert {entry.subject for entry in _log(engine)} == {"users", "tokens", "grants", "webhooks"}
    for hidden in (*stored, str(secret).rpartition("ggt_")[2], "hush-hush-hush", "a long and winding secret"):
        assert str(hidden) not in kept


# --- the log against the tables ---

NAMES = st.text("甲乙丙 \"\\'ab{},:\n\t\x01", max_size=6)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), st.integers(0, 9), NAMES),
        st.tuples(st.just("rename"), st.integers(0, 9), NAMES),
        st.tuples(st.just("move"), st.integers(0, 9), st.integers(0, 9)),
        st.tuples(st.just("clear"), st.integers(0, 9), st.just("")),
        st.tuples(st.just("delete"), st.integers(0, 9), st.just("")),
        st.tuples(st.just("undo"), st.integers(0, 9), st.just("")),
    ),
    min_size=1,
    max_size=12,
)
STATE = sa.text(
    "SELECT component_code AS code, id, name, note, first_date, encode(ST_AsBinary(geometry), 'hex') AS geometry,"
    " encode(ST_AsBinary(mercator), 'hex') AS mercator FROM components"
)


@examples(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_log_played_again_gives_the_tables_at_every_moment(engine: sa.Engine, steps: list[Any]) -> None:
    with engine.begin() as connection:
        connection.execute(sa.delete(t.components))
        last = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(t.audit_log.c.id), 0)))
    moments: list[tuple[datetime, dict[int, Any]]] = []
    for kind, number, value in steps:
        with engine.connect() as connection:
            _step(connection, kind, number, value)
            (connection.rollback if kind == "undo" else connection.commit)()
        with engine.connect() as connection:
            now = connection.scalar(sa.text("SELECT clock_timestamp()"))
            moments.append((now, {row["id"]: dict(row) for row in connection.execute(STATE).mappings()}))
    with engine.connect() as connection:
        entries = connection.execute(
            sa.select(t.audit_log).where(t.audit_log.c.id > last, t.audit_log.c.subject == "components")
            .order_by(t.audit_log.c.seq)
        ).all()  # fmt: skip
        played = _played(entries)
        assert played == {
            row.id: dict(row.state) for row in connection.execute(sa.text(
                "SELECT id, to_jsonb((SELECT x FROM (SELECT r.id, r.source, r.component_code, r.standard, r.kind,"
                " r.major, r.minor, r.name, r.dept_supervise, r.dept_owner, r.dept_maintain, r.state, r.first_date,"
                " r.changed_date, r.note, encode(ST_AsBinary(r.geometry), 'hex') AS geometry) AS x)) AS state"
                " FROM components AS r"
            ))
        }  # fmt: skip
        for moment, state in moments:
            cte = rows_at(t.components, moment)
            query = STATE.columns(
                *[sa.column(name) for name in ("code", "id", "name", "note", "first_date", "geometry", "mercator")]
            )
            found = connection.execute(sa.select(query.subquery()).add_cte(cte)).mappings()
            assert {row["id"]: dict(row) for row in found} == state
        with engine.connect() as past:
            read_past(past, moments[0][0])
            assert past.scalar(sa.select(sa.func.count()).select_from(t.components)) == len(moments[0][1])
            with pytest.raises(TypeError, match="only selects"):
                past.execute(sa.text("SELECT count(*) FROM components"))
        assert verify(connection).whole
        assert compare(connection).ok


def _step(connection: sa.Connection, kind: str, number: int, value: Any) -> None:
    code = f"{number:016d}"
    c = t.components.c
    if kind == "insert":
        connection.execute(sa.text(COMPONENT + "ON CONFLICT (component_code) DO UPDATE SET note = components.note || '+'"),
                           {"first": number, "last": number + len(value)})  # fmt: skip
    elif kind == "rename":
        connection.execute(sa.update(t.components).where(c.component_code >= code).values(name=value))
    elif kind == "move":
        connection.execute(
            sa.update(t.components)
            .where(c.component_code == code)
            .values(geometry=f"SRID=4490;POINT({100 + value} 30.1)", first_date=f"2026-01-0{value or 1}")
        )
    elif kind == "clear":
        connection.execute(sa.update(t.components).where(c.component_code <= code).values(first_date=None, note=""))
    else:
        connection.execute(sa.delete(t.components).where(c.component_code == code))


def _played(entries: list[Any]) -> dict[int, Any]:
    rows: dict[int, Any] = {}
    for entry in entries:
        for change in entry.changes:
            if change["after"] is None:
                assert rows.pop(change["id"]) == change["before"]
            elif change["before"] is None:
                assert change["id"] not in rows
                rows[change["id"]] = change["after"]
            else:
                assert change["before"].items() <= rows[change["id"]].items()
                rows[change["id"]] = rows[change["id"]] | change["after"]
    return rows
