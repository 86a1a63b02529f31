"""After a publish: open reports whose owner changed are listed, and given their new owners when asked."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import click
import psycopg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from api.cli.moving import moved, moved_options
from api.cli.output import MapFile, Output, output_options
from data import db, embedded
from data.reports import CLOSED, REOPENED, Change, NewReport, add_report, add_update, apply_moves, moved_reports
from data.tables import STAGES
from gisgrid.errors import NotFound
from gisgrid.models import Band
from gisgrid.settings import Settings
from planning import workflow

pytestmark = pytest.mark.postgis
OWNER = """
    SELECT r.id, r.grid_code, (
        SELECT min(g.code COLLATE "C") FROM grids g
        WHERE upper_inf(g.generations) AND g.level = 1 AND g.system = '综合' AND ST_Covers(g.geometry, r.geometry)
    ) AS owner
    FROM reports r WHERE {} ORDER BY r.id
"""


@pytest.fixture(scope="module")
def republished(planned: Any, cluster: embedded.Cluster) -> Iterator[Settings]:
    """The district with every sample report located in generation 1, and a second plan in force."""
    planned.engine.dispose()  # a template must have no connections
    with psycopg.connect(host=str(cluster.socket), user=embedded.ROLE, dbname="postgres", autocommit=True) as admin:
        admin.execute("CREATE DATABASE moved TEMPLATE planned")
        settings = Settings(home=planned.settings.home, database_url=cluster.url_of("moved"))
        with db.database(settings) as engine:
            with engine.begin() as connection:
                connection.execute(sa.text("UPDATE reports SET stage = '指挥派遣' WHERE id % 2 = 0"))
                located = OWNER.format("true")
                connection.execute(
                    sa.text(
                        f"UPDATE reports SET grid_code = o.owner, generation = 1 FROM ({located}) o WHERE o.id = reports.id"
                    )
                )
            plan, _, _ = workflow.plan_for_area(engine, planned.area, band=Band(450, 750))
            workflow.publish(engine, plan)
        admin.execute("CREATE DATABASE moved_work TEMPLATE moved")
        yield Settings(home=settings.home, database_url=cluster.url_of("moved_work"))
        for name in ("moved_work", "moved"):
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


@pytest.fixture
def connection(republished: Settings) -> Iterator[sa.Connection]:
    """Everything done on it is undone."""
    engine = sa.create_engine(db.sqlalchemy_url(str(republished.database_url)))
    with engine.connect() as made:
        yield made
        made.rollback()
    engine.dispose()


def expected(
    connection: sa.Connection, where: str = f"stage <> '{CLOSED}'"
) -> dict[int, tuple[str | None, str | None]]:
    rows = connection.execute(sa.text(OWNER.format(where)))
    return {row.id: (row.grid_code, row.owner) for row in rows if row.grid_code != row.owner}


def test_moved_are_those_the_rule_gives_another_owner(connection: sa.Connection) -> None:
    found = list(moved_reports(connection))
    assert {move.id: (move.old, move.new) for move in found} == expected(connection)
    assert [move.id for move in found] == sorted(move.id for move in found)
    assert len(found) > 50
    assert {(move.generation, move.now) for move in found} == {(1, 2)}
    assert {move.stage for move in found} <= set(STAGES) - {CLOSED}
    assert all(move.community == str(move.new)[:12] and move.grid_name for move in found if move.new)


def test_archived_and_newly_located_reports_are_left_out(connection: sa.Connection) -> None:
    whole = {move.id for move in moved_reports(connection)}
    closed, fresh = sorted(whole)[:2]
    connection.execute(sa.text("UPDATE reports SET stage = :s WHERE id = :i"), {"s": CLOSED, "i": closed})
    connection.execute(sa.text("UPDATE reports SET generation = 2 WHERE id = :i"), {"i": fresh})
    assert {move.id for move in moved_reports(connection)} == whole - {closed, fresh}


def test_reports_that_were_never_located_are_listed_when_asked(connection: sa.Connection) -> None:
    connection.execute(sa.text("UPDATE reports SET grid_code = NULL, generation = NULL WHERE id % 10 = 0"))
    found = {move.id: (move.old, move.new) for move in moved_reports(connection, unlocated=True)}
    assert found == expected(connection)
    assert all(number % 10 for number in {move.id for move in moved_reports(connection)})


def test_reading_them_needs_little_memory(connection: sa.Connection) -> None:
    """The reports stream: the first moves are there while nearly all rows are still to be fetched."""
    copies = "INSERT INTO reports (source, report_id, reported_at, stage, grid_code, generation, geometry) SELECT 's' || n, report_id, reported_at, stage, grid_code, generation, geometry FROM reports, generate_series(1, 60) n"
    connection.execute(sa.text(copies))
    found = moved_reports(connection)
    assert len(list(islice(found, 5))) == 5
    cursors = connection.scalar(sa.text("SELECT count(*) FROM pg_cursors"))
    assert cursors == 1, "a cursor of the database holds the rest"
    assert sum(1 for _ in found) + 5 == 61 * len(expected(connection, f"stage <> '{CLOSED}' AND source = 'sample'"))


def test_applying_changes_owners_and_tells_it(connection: sa.Connection) -> None:
    connection.execute(sa.text("INSERT INTO webhooks (name, url, secret) VALUES ('all', 'http://x', 's')"))
    wanted = expected(connection)
    before = dict(connection.execute(sa.text("SELECT id, generation FROM reports")).all())
    done = list(apply_moves(connection, moved_reports(connection), channel="test"))
    assert {move.id: (move.old, move.new) for move in done} == wanted
    assert list(moved_reports(connection)) == []
    for row in connection.execute(sa.text("SELECT id, grid_code, generation, located FROM reports")):
        if row.id in wanted:
            assert (row.grid_code, row.generation) == (wanted[row.id][1], 2)
            assert row.located["community"] == (row.grid_code or "")[:12]
        else:
            assert row.generation == before[row.id], "a report keeps the generation it was located in"
    updates = connection.execute(sa.text("SELECT report, grid_code, generation, channel FROM report_updates")).all()
    assert {row.report: row.grid_code for row in updates} == {number: new for number, (_, new) in wanted.items()}
    assert {(row.generation, row.channel) for row in updates} == {(2, "test")}
    told = connection.execute(sa.text("SELECT report, event, payload FROM webhook_deliveries")).all()
    assert {row.report for row in told} == set(wanted)
    assert {row.event for row in told} == {"report.moved"}
    payload = next(row.payload for row in told if row.report == done[0].id)
    assert payload["moved"] == {
        "from": {"grid": done[0].old, "generation": 1},
        "to": {"grid": done[0].new, "generation": 2},
    }
    assert payload["grid"] == done[0].new


def test_a_report_changed_meanwhile_is_left_alone(connection: sa.Connection) -> None:
    moves = list(moved_reports(connection))
    add_update(connection, moves[0].id, Change(stage=CLOSED))
    connection.execute(sa.text("UPDATE reports SET grid_code = 'x' WHERE id = :i"), {"i": moves[1].id})
    assert list(apply_moves(connection, moves[:3])) == [moves[2]]


def test_before_the_first_publish_there_are_no_owners(engine: sa.Engine) -> None:
    with engine.connect() as connection, pytest.raises(NotFound, match="no plan is published"):
        list(moved_reports(connection))


def test_numbers_are_our_own_and_a_reopened_report_goes_on(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        new = NewReport(source="open311", lon=116.5, lat=35.4, major="市容环境", minor="暴露垃圾", token="a")
        row, made = add_report(connection, new)
        again, made_again = add_report(connection, new)
        assert (made, made_again) == (True, False)
        assert row == again
        assert row["report_id"] == str(row["id"])
        assert (row["lon"], row["lat"]) == (116.5, 35.4)
        add_update(connection, row["id"], Change(stage=CLOSED))
        _, after, _ = add_update(connection, row["id"], Change(reopen=True))
        assert after["stage"] == REOPENED


# --- the command -------------------------------------------------------------------------------


@click.command()
@click.option("--out", type=MapFile(".csv"))
@moved_options
@output_options
def command(output: Output, moved: bool, out: Path | None, apply: bool, unlocated: bool) -> None:
    """As ``gisgrid locate`` hands over."""
    assert moved
    run(output, out=out, apply=apply, unlocated=unlocated)


run = moved


@pytest.fixture
def database(republished: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("GISGRID_DATABASE_URL", str(republished.database_url))
    return str(republished.database_url)


def test_the_command_lists_writes_and_applies(database: str, connection: sa.Connection, tmp_path: Path) -> None:
    wanted = expected(connection)
    connection.rollback()
    out = tmp_path / "moved.csv"
    shown = CliRunner().invoke(command, ["--moved", "--out", str(out)], catch_exceptions=False)
    assert shown.exit_code == 0
    assert f"{len(wanted)} open reports have another owner now" in shown.output
    assert "--apply" in shown.output
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {int(row["id"]): (row["old"] or None, row["new"] or None) for row in rows} == wanted
    assert sorted(path.name for path in tmp_path.iterdir()) == ["moved.csv"]
    applied = CliRunner().invoke(command, ["--moved", "--apply", "--json"], catch_exceptions=False)
    told = json.loads(applied.output)
    assert (told["moved"], told["applied"]) == (len(wanted), True)
    assert {row["id"]: (row["old"], row["new"]) for row in told["reports"]} == wanted
    again = CliRunner().invoke(command, ["--moved", "--json"], catch_exceptions=False)
    assert json.loads(again.output)["moved"] == 0
