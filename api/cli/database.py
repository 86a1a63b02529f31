"""``gisgrid db``: the private database."""

from __future__ import annotations

from dataclasses import asdict

import click

from api.cli import backups
from api.cli.output import Output, output_options
from data import audit_chain, audit_state, db, embedded
from gisgrid.errors import BadInput
from gisgrid.settings import Settings
from planning import workflow_force


@click.group("db")
def group() -> None:
    """Start, stop and look at the private PostGIS under GISGRID_HOME; back up and restore the database in use."""


def _own_cluster() -> tuple[Settings, embedded.Cluster]:
    settings = Settings.from_env()
    if settings.database_url:
        raise BadInput("GISGRID_DATABASE_URL names another database; unset it to use the private one")
    return settings, embedded.cluster_at(settings.home)


@group.command("up")
@output_options
def up(output: Output) -> None:
    """Start the private database (made on first use) and leave it running."""
    settings, cluster = _own_cluster()
    started = embedded.start(cluster)
    with db.database(settings):
        pass
    word = "started" if started else "already running"
    output.result({"running": True, "started": started, "url": cluster.url}, [f"{word}: {cluster.url}"])


@group.command("down")
@output_options
def down(output: Output) -> None:
    """Stop the private database."""
    _, cluster = _own_cluster()
    stopped = embedded.stop(cluster)
    output.result({"running": False, "stopped": stopped}, ["stopped" if stopped else "was not running"])


@group.command("status")
@output_options
def status(output: Output) -> int:
    """Tell whether the database answers and which schema it has; exit 1 when it does not."""
    settings = Settings.from_env()
    if settings.database_url:
        with db.database(settings, upgrade=False) as engine:
            version = db.schema_version(engine)
        where = engine.url.render_as_string(hide_password=True)
        output.result({"running": True, "url": where, "schema": version}, [f"answers: {where} (schema {version})"])
        return 0
    cluster = embedded.cluster_at(settings.home)
    if not embedded.is_running(cluster):
        output.result({"running": False, "data": str(cluster.data)}, [f"not running: {cluster.data}"])
        return 1
    with db.database(settings, upgrade=False) as engine:
        version = db.schema_version(engine)
    facts = {"running": True, "url": cluster.url, "data": str(cluster.data), "schema": version}
    output.result(facts, [f"running: {cluster.url} (schema {version}, data {cluster.data})"])
    return 0


@group.command("upgrade")
@output_options
def upgrade(output: Output) -> None:
    """Bring the schema to the newest version."""
    with db.database(Settings.from_env()) as engine:
        version = db.schema_version(engine)
    output.result({"schema": version}, [f"schema {version}"])


@group.command("verify")
@click.option(
    "--since", metavar="HASH", default=None, help="A hash noted elsewhere; only what came after is looked at."
)
@output_options
def verify(output: Output, since: str | None) -> int:
    """Look whether the audit log, and the grids in force, are whole; exit 1 when they are not.

    Prints the hash the log ends with: note it outside this machine, and give it to --since the next time.
    """
    with db.database(Settings.from_env()) as engine, output.stage("verifying"), engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        found = audit_chain.verify(connection, since)
        rows = audit_state.compare(connection)
        force = workflow_force.check_force(connection)
    rate = found.entries / max(found.seconds, 1e-9)
    lines = [
        f"audit log: {found.entries:,} entries looked at, {rate:,.0f}/s; {'whole' if found.whole else 'BROKEN'}",
        *[f"  {fault['message']}" for fault in found.faults],
        *([f"  and {found.broken - len(found.faults)} more"] if found.broken > len(found.faults) else []),
        f"rows as the log has them: {rows.rows:,} looked at; {'whole' if rows.ok else 'BROKEN'}",
        *[f"  {fault['message']}" for fault in rows.faults],
        *([f"  and {rows.broken - len(rows.faults)} more"] if rows.broken > len(rows.faults) else []),
        f"grids in force: {force.grids:,} of generation {force.generation or '–'}; {'whole' if force.ok else 'BROKEN'}",
        *[f"  {problem}" for problem in force.problems],
        f"head: {found.head_seq} {found.head_hash}",
    ]
    facts = {
        "ok": found.whole and rows.ok and force.ok, "log": asdict(found) | {"whole": found.whole},
        "rows": asdict(rows) | {"ok": rows.ok}, "force": asdict(force),
    }  # fmt: skip
    output.result(facts | {"head": {"seq": found.head_seq, "hash": found.head_hash}}, lines)
    return 0 if facts["ok"] else 1


group.add_command(backups.back_up)
group.add_command(backups.restore)

COMMANDS = (group,)
