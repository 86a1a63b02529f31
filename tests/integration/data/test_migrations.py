"""Every schema that was ever released goes up to the newest with what it held, and the newest goes down to nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from geoalchemy2 import alembic_helpers

from data import db, embedded, queue
from data.backup.contents import tables_of
from data.tables import metadata
from gisgrid.errors import Broken

pytestmark = pytest.mark.postgis
REVISIONS = db.known_schemas()
SQUARE = "SRID=4490;MULTIPOLYGON(((117 35,117.1 35,117.1 35.1,117 35.1,117 35)))"
LINE = "SRID=4490;LINESTRING(117 35,117.1 35.1)"
POINT = "SRID=4490;POINT(117.05 35.05)"
SHAPES = {"MULTIPOLYGON": SQUARE, "POLYGON": SQUARE.replace("MULTIPOLYGON(((", "POLYGON((").replace(")))", "))"),
          "LINESTRING": LINE, "POINT": POINT, "MULTILINESTRING": "SRID=4490;MULTILINESTRING((117 35,117.1 35.1))",
          "MULTIPOINT": "SRID=4490;MULTIPOINT((117.05 35.05))", "GEOMETRY": POINT}  # fmt: skip
STATEMENTS = (
    f"INSERT INTO areas (code, level, name, geometry) VALUES ('370000000001', 'community', '蓝湖社区', '{SQUARE}')",
    "INSERT INTO plans (area, name, band_low, band_high) VALUES ('370000000001', '方案', 300, 500)",
    "INSERT INTO unit_sets (area) VALUES ('370000000001')",
    "INSERT INTO units (unit_set, unit_id, community, households, geometry) "
    f"VALUES (1, 'u1', '370000000001', 12, '{SQUARE}')",
    f"INSERT INTO grids (plan, code, community, geometry) VALUES (1, '370000000001001', '370000000001', '{SQUARE}')",
    "INSERT INTO owners (plan, unit, grid) VALUES (1, 1, 1)",
    "INSERT INTO generations (plan, is_current, note) VALUES (1, true, 'first')",
    "UPDATE grids SET generations = '[1,)'",
    "INSERT INTO imports (source, layer) VALUES ('a file', 'buildings')",
    "INSERT INTO jobs (kind, params) VALUES ('locate', '{\"a\": 1}')",
    "INSERT INTO reports (description) VALUES ('a lamp is out')",
    "INSERT INTO webhooks (name, url, secret) VALUES ('desk', 'https://desk.example/', 'whsec_x')",
    "INSERT INTO plan_comments (plan, body) VALUES (1, 'why here')",
    "INSERT INTO publications (plan, version, effective_at) VALUES (1, 1, now())",
    "INSERT INTO thematic_layers (name, title_zh, shape) VALUES ('trees', '树', 'point')",
    "INSERT INTO users (login) VALUES ('li')",
    "INSERT INTO audit_log (subject, action, rows, changes) VALUES ('grids', 'update', 1, '{}')",
)
"""What people put in first, in the order it needs; a statement for what a schema does not have yet is passed over."""


@pytest.fixture(scope="module")
def schemas(cluster: embedded.Cluster) -> Iterator[sa.Engine]:
    """A database that is brought to one schema after another."""
    admins = sa.create_engine(cluster.url_of("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admins.connect() as admin:
        admin.exec_driver_sql("CREATE DATABASE schemas TEMPLATE template0")
        made = db.make_engine(cluster.url_of("schemas"))
        yield made
        made.dispose()
        admin.exec_driver_sql("DROP DATABASE schemas WITH (FORCE)")


def move(engine: sa.Engine, how: Any, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "data/migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        how(config, revision)


def differences(engine: sa.Engine) -> list[Any]:
    def ours(obj: object, name: str, kind: str, reflected: bool, other: object) -> bool:
        foreign = kind == "table" and reflected and name not in metadata.tables
        return not foreign and alembic_helpers.include_object(obj, name, kind, reflected, other)

    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"include_object": ours}), metadata))


def definitions(engine: sa.Engine) -> dict[str, str]:
    """Everything a schema consists of that compare_metadata does not look at: triggers, functions, constraints."""
    query = """
        SELECT 'trigger ' || tgrelid::regclass || ' ' || tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t
          WHERE NOT tgisinternal
        UNION ALL SELECT 'function ' || p.oid::regprocedure, prosrc FROM pg_proc p
          WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM pg_depend d
            WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
        UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname, pg_get_constraintdef(c.oid)
          FROM pg_constraint c WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
        UNION ALL SELECT 'index ' || indexrelid::regclass, pg_get_indexdef(indexrelid) FROM pg_index i
          JOIN pg_class k ON k.oid = indexrelid WHERE relnamespace = 'public'::regnamespace"""
    with engine.connect() as connection:
        return {str(name): str(text) for name, text in connection.exec_driver_sql(query)}


def fill(engine: sa.Engine) -> set[str]:
    """Put in what the schema of the time holds; the tables that have something then."""
    done = set()
    for statement in STATEMENTS:
        table = re.search(r"(?:INTO|UPDATE) (\w+)", statement)
        assert table is not None
        with engine.connect() as connection:
            if not sa.inspect(connection).has_table(table[1]):
                continue
            if table[1] == "audit_log" and connection.exec_driver_sql("SELECT to_regproc('audit_guard')").scalar():
                done.add(table[1])  # it is written by what the statements before it changed, and by nothing else
                continue
            try:
                connection.exec_driver_sql(_as_of_then(connection, table[1], statement))
                connection.commit()
            except sa.exc.DBAPIError as error:
                raise AssertionError(f"{statement}: {error.orig}") from error
        done.add(table[1])
    return done


def _as_of_then(connection: sa.Connection, table: str, statement: str) -> str:
    """The statement with something in every other column the schema of the time wants a value in."""
    if not statement.startswith("INSERT"):
        return statement
    given = re.search(r"\((.*?)\) VALUES \((.*)\)$", statement, re.DOTALL)
    assert given is not None
    named = {name.strip() for name in given[1].split(",")}
    columns = connection.exec_driver_sql(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attnotnull AND NOT atthasdef "
        "AND attidentity = '' AND attgenerated = ''", (table,)
    ).all()  # fmt: skip
    more = [(name, kind) for name, kind in columns if name not in named]
    known = {column["name"] for column in sa.inspect(connection).get_columns(table)}
    assert named <= known, (table, named - known)
    names = "".join(f', "{name}"' for name, _ in more)
    values = "".join(f", {_some(kind)}" for _, kind in more)
    return f"INSERT INTO {table} ({given[1]}{names}) VALUES ({given[2]}{values})"


def _some(kind: str) -> str:
    if kind.startswith("geometry"):
        shape = re.search(r"\((\w+)", kind)
        return f"'{SHAPES[shape[1].upper() if shape else 'GEOMETRY']}'"
    if kind.startswith("timestamp"):
        return "now()"
    if kind == "bytea":
        return "'x'"
    if kind in ("jsonb", "json"):
        return "'{}'"
    if kind == "boolean":
        return "false"
    return "'1'" if kind == "text" else "1"


def content(engine: sa.Engine, columns: dict[str, list[str]] | None = None) -> dict[str, tuple[list[str], list[Any]]]:
    """Columns and rows of every table as text; ``columns``: of those only."""
    found = {}
    with engine.connect() as connection:
        connection.exec_driver_sql("SET TimeZone = 'UTC'")
        for _, table in tables_of(connection):
            if table in ("alembic_version", "layer_changes") or (columns is not None and table not in columns):
                continue
            names = [c["name"] for c in sa.inspect(connection).get_columns(table)]
            names = names if columns is None else [name for name in columns[table] if name in names]
            listed = ", ".join(f'"{name}"::text' for name in names)
            rows = connection.exec_driver_sql(f'SELECT {listed} FROM "{table}" ORDER BY 1, 2') if len(names) > 1 else []
            found[table] = (names, [tuple(row) for row in rows])
    return found


@pytest.mark.parametrize("revision", REVISIONS)
def test_what_a_released_schema_held_is_there_in_the_newest(schemas: sa.Engine, revision: str) -> None:
    move(schemas, command.downgrade, "base")
    with schemas.begin() as connection:
        queue.drop_queue(connection)
    move(schemas, command.upgrade, revision)
    filled = fill(schemas)
    before = {table: told for table, told in content(schemas).items() if table in filled}
    assert {"areas", "plans", "units", "grids", "owners", "generations"} <= filled
    db.upgrade_schema(schemas)
    queue.keep_in_step(schemas)
    assert differences(schemas) == []
    after = content(schemas, {table: names for table, (names, _) in before.items()})
    for table, (names, rows) in before.items():
        kept_names, kept = after[table]
        gone = [names.index(name) for name in names if name not in kept_names]
        told = [tuple(value for place, value in enumerate(row) if place not in gone) for row in rows]
        assert kept == told, table
        assert not gone or table in ("reports",), f"{table} lost {gone}"
    with schemas.begin() as connection:  # and it is worked with
        connection.exec_driver_sql("UPDATE grids SET name = 'x'")
        assert connection.exec_driver_sql("SELECT system FROM plans").scalar() == "综合"


def test_down_step_by_step_and_up_again(schemas: sa.Engine) -> None:
    move(schemas, command.downgrade, "base")
    db.upgrade_schema(schemas)
    wanted, levels = definitions(schemas), []
    fill(schemas)
    for revision in [*REVISIONS[-2::-1], "base"]:
        levels.append(definitions(schemas))
        move(schemas, command.downgrade, revision)
        assert db.schema_version(schemas) == (None if revision == "base" else revision)
    with schemas.connect() as connection:
        left = {name for _, name in tables_of(connection)} - {"alembic_version"}
    assert not {name for name in left if not name.startswith("procrastinate_")}
    of_others = ("procrastinate", "alembic", "spatial_ref_sys")  # PostGIS's own table stays with PostGIS
    assert not {name for name in definitions(schemas) if not any(word in name for word in of_others)}
    for revision, then in zip(REVISIONS, reversed(levels), strict=True):
        move(schemas, command.upgrade, revision)
        now = definitions(schemas)
        assert {name: now.get(name) for name in then if "procrastinate" not in name} == {
            name: text for name, text in then.items() if "procrastinate" not in name
        }, revision
    assert differences(schemas) == []
    assert {name for name in wanted if "procrastinate" not in name} == {
        name for name in definitions(schemas) if "procrastinate" not in name
    }


def test_a_schema_newer_than_the_program_is_told_in_a_line(schemas: sa.Engine) -> None:
    db.upgrade_schema(schemas)
    with schemas.begin() as connection:
        there = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    try:
        with pytest.raises(Broken, match="schema 9999, this program knows") as caught:
            db.upgrade_schema(schemas)
        assert caught.value.code == "schema_too_new"
    finally:
        with schemas.begin() as connection:
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{there}'")
    db.upgrade_schema(schemas)
