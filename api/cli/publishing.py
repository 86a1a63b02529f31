"""``gisgrid publish | generations | restore``: what is in force, from when on, and going back."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime

import click

from api.cli.output import Output, output_options, table_lines
from data import db, plan_pages, publications
from gisgrid.actors import operator, set_at_work
from gisgrid.moments import coming_moment
from gisgrid.settings import Settings
from planning import workflow_publishing

SHOWN = 50


@click.command("publish")
@click.argument("plan", type=int)
@click.option("--note", default="", help="Why, for the record.")
@click.option(
    "--effective",
    metavar="WHEN",
    help="When it comes into force: 2026-12-01 or 2026-12-01T06:00+08:00. A worker does it.",
)
@click.option("--override", metavar="REASON", default="", help="Publish though the check fails; the reason is kept.")
@click.option("--cancel", is_flag=True, help="Call off the publication the plan waits for.")
@output_options
def publish(output: Output, plan: int, note: str, effective: str | None, override: str, cancel: bool) -> None:
    """Put a stored draft plan in force as a new generation, now or at a time to come."""
    set_at_work(operator("publish", note))
    settings = Settings.from_env()
    if cancel:
        with db.database(settings) as engine, engine.begin() as connection:
            done = publications.cancel(connection, plan)
        output.result({"plan": plan, "cancelled": done["id"]}, [f"plan {plan} will not be published"])
        return
    when = coming_moment(effective, name="--effective", zone=settings.timezone, now=datetime.now(UTC))
    if when is not None:
        with db.database(settings) as engine, output.stage("checking"), engine.begin() as connection:
            row = workflow_publishing.publish_at(connection, plan, when, note=note, override=override.strip())
        local = when.astimezone(settings.timezone).isoformat(timespec="minutes")
        facts = {"plan": plan, "publication": row["id"], "effective_at": when.isoformat()}
        output.result(facts, [f"plan {plan} comes into force at {local}, if it stays as it is and a worker runs"])
        return
    with db.database(settings) as engine, output.stage("publishing"):
        published = workflow_publishing.publish(engine, plan, note=note, override=override.strip())
    facts = {"generation": published.generation.id, "plan": plan, "check": published.report.as_dict()}
    grids = published.report.grids
    lines = [f"generation {published.generation.id} is in force ({grids} grids of plan {plan})"]
    if published.generation.override:
        lines.append(f"its check failed: {published.report.lines()[1].strip()} (published all the same: {override})")
    output.result(facts, lines)


@click.command("generations")
@output_options
def generations(output: Output) -> None:
    """List what was published, newest first."""
    with db.database(Settings.from_env()) as engine, engine.connect() as connection:
        rows, _ = plan_pages.generations(connection, limit=SHOWN)
    header = ("generation", "published", "plan", "area", "system", "born", "ended", "restored", "note")
    table = [
        (
            row["id"], row["published_at"].isoformat(timespec="seconds"), row["plan"], row["area"], row["system"],
            row["born"], row["ended"], row["restored"] or "–", row["note"],
        )
        for row in rows
    ]  # fmt: skip
    facts = [row | {"published_at": row["published_at"].isoformat()} for row in rows]
    output.result({"generations": facts}, table_lines(header, table))


@click.command("restore")
@click.argument("generation", type=int)
@click.option("--note", default="", help="Why, for the record.")
@output_options
def restore(output: Output, generation: int, note: str) -> None:
    """Bring back the grids that were in force in an earlier GENERATION, under their codes, as a new one."""
    set_at_work(operator("restore", note))
    with db.database(Settings.from_env()) as engine, output.stage("restoring"):
        made = workflow_publishing.restore(engine, generation, note=note)
    facts = {"generation": made.id, "restored": generation, "plan": made.plan}
    output.result(facts, [f"generation {made.id} is in force: the grids of generation {generation}"])


@click.command("undo")
@click.option("--note", required=True, help="Why, for the record.")
@click.option("--generation", type=int, help="The generation to be undone, so that no newer one is by mistake.")
@output_options
def undo(output: Output, note: str, generation: int | None) -> int:
    """Undo the last publication: the grids in force before it come back, as a new generation."""
    set_at_work(operator("undo", note))
    with db.database(Settings.from_env()) as engine, output.stage("undoing"):
        made = workflow_publishing.undo(engine, generation, note=note, author=getpass.getuser())
    facts = {"generation": made.id, "restored": made.restored, "plan": made.plan}
    output.result(facts, [f"generation {made.id} is in force: the grids of generation {made.restored}"])
    return 0


COMMANDS = (publish, generations, restore, undo)
