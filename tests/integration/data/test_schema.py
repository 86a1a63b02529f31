"""The migrated schema is the one `data.tables` describes, and the database keeps the rules by itself."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from geoalchemy2 import alembic_helpers

from data import db
from data.tables import metadata

pytestmark = pytest.mark.postgis

SQUARE = "SRID=4490;MULTIPOLYGON(((0 0,1 0,1 1,0 1,0 0)))"
FIRE = (
    "INSERT INTO plans (area, system, band_low, band_high) VALUES ('370000000001', '消防', 1, 2); "
    "INSERT INTO grids (plan, system, code, community, geometry)"
)
BOW_TIE = "SRID=4490;MULTIPOLYGON(((0 0,1 1,1 0,0 1,0 0)))"


def test_migrations_end_where_the_tables_are(engine: sa.Engine) -> None:
    def ours(obj: object, name: str, kind: str, reflected: bool, other: object) -> bool:
        foreign = kind == "table" and reflected and name not in metadata.tables
        return not foreign and alembic_helpers.include_object(obj, name, kind, reflected, other)

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours})
        assert compare_metadata(context, metadata) == []


def test_migrations_go_down_and_up_again(engine: sa.Engine) -> None:
    config = Config()
    config.set_main_option("script_location", "data/migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert db.schema_version(engine) is None
    db.upgrade_schema(engine)
    assert db.schema_version(engine) is not None
    assert set(metadata.tables) <= set(sa.inspect(engine).get_table_names())


@pytest.fixture
def community(engine: sa.Engine) -> sa.Engine:
    with engine.begin() as c:
        c.execute(
            sa.text("INSERT INTO areas (code, level, geometry) VALUES ('370000000001', 'community', :g)"), {"g": SQUARE}
        )
        c.execute(sa.text("INSERT INTO plans (area, band_low, band_high) VALUES ('370000000001', 300, 500)"))
        c.execute(sa.text("INSERT INTO unit_sets (area) VALUES ('370000000001')"))
        c.execute(
            sa.text("INSERT INTO units (unit_set, unit_id, community, geometry) VALUES (1, 'u1', '370000000001', :g)"),
            {"g": SQUARE},
        )
        for code in ("370000000001001", "370000000001002"):
            c.execute(
                sa.text("INSERT INTO grids (plan, code, community, geometry) VALUES (1, :code, '370000000001', :g)"),
                {"g": SQUARE, "code": code},
            )
        c.execute(sa.text("INSERT INTO owners (plan, unit, grid) VALUES (1, 1, 1)"))
        c.execute(sa.text("INSERT INTO generations (plan, is_current) VALUES (1, true)"))
        c.execute(sa.text("UPDATE grids SET generations = '[1,)'"))
    return engine


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        (
            f"INSERT INTO areas (code, level, geometry) VALUES ('370000000002', 'community', '{BOW_TIE}')",
            "geometry_valid",
        ),
        (f"INSERT INTO areas (code, level, geometry) VALUES ('37', 'district', '{SQUARE}')", "areas_code"),
        (f"INSERT INTO areas (code, level, geometry) VALUES ('370000000', 'district', '{SQUARE}')", "code_fits_level"),
        (
            "INSERT INTO areas (code, level, geometry) VALUES ('370001', 'district', "
            "'SRID=4326;MULTIPOLYGON(((0 0,1 0,1 1,0 1,0 0)))')",
            "SRID",
        ),
        ("INSERT INTO owners (plan, unit, grid) VALUES (1, 1, 2)", "owners_pkey"),
        (
            f"INSERT INTO grids (plan, code, community, geometry) VALUES (1, '370000000001001', '370000000001', '{SQUARE}')",
            "grids_plan_system_level_code_key",
        ),
        (
            "INSERT INTO plans (area, band_low, band_high) VALUES ('370000000001', 1, 2); "
            "INSERT INTO grids (plan, code, community, geometry, generations) "
            f"VALUES (2, '370000000001001', '370000000001', '{SQUARE}', '[1,2)')",
            "grids_code_once_a_generation",
        ),
        (
            f"INSERT INTO grids (plan, code, community, geometry) VALUES (1, '380000000001001', '370000000001', '{SQUARE}')",
            "code_in_community",
        ),
        (
            f"INSERT INTO grids (plan, code, geometry) VALUES (1, '370000000001009', '{SQUARE}')",
            "code_in_community",
        ),
        (
            "INSERT INTO grids (plan, system, code, community, geometry) "
            f"VALUES (1, '消防', '99020037000000000101', '370000000001', '{SQUARE}')",
            "grids_plan_system_fkey",
        ),
        (f"{FIRE} VALUES (2, '消防', '370000000001009', NULL, '{SQUARE}')", "professional_code"),
        (f"{FIRE} VALUES (2, '消防', '99020037000000000201', '370000000001', '{SQUARE}')", "professional_code"),
        (
            f"{FIRE} VALUES (2, '消防', '99020037000000000101', NULL, '{SQUARE}'); "
            "UPDATE grids SET level = 2 WHERE plan = 2",
            "professional_code",
        ),
        (
            f"{FIRE} VALUES (2, '消防', '99020037000000000101', NULL, '{SQUARE}'); "
            f"UPDATE grids SET generations = '[1,)' WHERE plan = 2; "
            "INSERT INTO plans (area, system, band_low, band_high) VALUES ('370000000001', '公安', 1, 2); "
            "INSERT INTO grids (plan, system, code, geometry, generations) "
            f"VALUES (3, '公安', '99020037000000000101', '{SQUARE}', '[1,)')",
            "grids_code_once_a_generation",
        ),
        ("INSERT INTO generations (plan, is_current) VALUES (1, true)", "generations_one_current"),
        ("INSERT INTO plans (area, band_low, band_high) VALUES ('370000000001', 500, 300)", "band_ordered"),
        ("UPDATE units SET households = -1", "households_not_negative"),
    ],
)
def test_the_database_refuses(community: sa.Engine, statement: str, rule: str) -> None:
    with pytest.raises(sa.exc.DBAPIError, match=rule), community.begin() as c:
        c.exec_driver_sql(statement)


def test_a_code_may_return_in_a_later_generation_of_the_same_grid(community: sa.Engine) -> None:
    with community.begin() as c:
        c.exec_driver_sql("UPDATE grids SET generations = '[1,2)' WHERE code = '370000000001001'")
        c.exec_driver_sql("INSERT INTO plans (area, band_low, band_high) VALUES ('370000000001', 1, 2)")
        c.exec_driver_sql(
            "INSERT INTO grids (plan, code, community, geometry, generations) "
            f"VALUES (2, '370000000001001', '370000000001', '{SQUARE}', '[2,)')"
        )


def test_the_second_schema_takes_over_what_the_first_one_held(engine: sa.Engine) -> None:
    config = Config()
    config.set_main_option("script_location", "data/migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        connection.execute(
            sa.text("INSERT INTO areas (code, level, geometry) VALUES ('370000000001', 'community', :g)"), {"g": SQUARE}
        )
        connection.exec_driver_sql("INSERT INTO plans (area, band_low, band_high) VALUES ('370000000001', 300, 500)")
        connection.execute(
            sa.text(
                "INSERT INTO grids (plan, code, community, geometry, generations) "
                "VALUES (1, '370000000001001', '370000000001', :g, '[1,)')"
            ),
            {"g": SQUARE},
        )
    db.upgrade_schema(engine)
    with engine.connect() as connection:
        row = connection.execute(
            sa.text("SELECT p.system, g.system, g.continues FROM grids g JOIN plans p ON p.id = g.plan")
        ).one()
    assert tuple(row) == ("综合", "综合", False)
