"""``gisgrid webhooks``: which systems are told of reports, and how that goes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import click

from api.cli.output import Output, output_options, table_lines
from data import db, deliveries, dispatch, webhooks
from data.tables import DELIVERY_STATES
from gisgrid.errors import EXIT_CHECK_FAILED
from gisgrid.settings import Settings


@click.group("webhooks")
def group() -> None:
    """Tell dispatch systems of reports by signed HTTP messages; 'gisgrid worker' sends them."""


@group.command("add")
@click.argument("name")
@click.argument("url")
@click.option("--events", default="", help=f"Events to tell, split by commas: {', '.join(webhooks.EVENTS)}; else all.")
@click.option("--area", default="", help="Code of an area or grid whose reports are told; else all.")
@click.option(
    "--secret-file", type=click.File("r"), help="File with the secret (whsec_…), - for stdin; else one is made."
)
@click.option("--allow-http", is_flag=True, help="Take http outside private networks: reports can be read on the way.")
@output_options
def add(output: Output, name: str, url: str, events: str, area: str, secret_file: Any, allow_http: bool) -> None:
    """Tell the system at URL of reports from now on. Prints the secret of its messages, once."""
    given = secret_file.read().strip() if secret_file else None
    wanted = [part.strip() for part in events.split(",") if part.strip()]
    with db.database(Settings.from_env()) as engine, engine.begin() as connection:
        secret = webhooks.add(connection, name, url, events=wanted, area=area, secret=given, allow_http=allow_http)
    lines = [f"webhook {name} added: {url}"]
    if given is None:
        lines.append(f"secret (give it to the receiver; it is not shown again): {secret}")
    output.result({"name": name, "url": url} | ({} if given else {"secret": secret}), lines)


@group.command("list")
@output_options
def listing(output: Output) -> None:
    """Show webhooks, what they want, and how many deliveries wait or were given up."""
    with db.database(Settings.from_env()) as engine, engine.connect() as connection:
        rows = webhooks.listing(connection)
    header = ("name", "state", "events", "area", "waiting", "given up", "url")
    table = [
        (
            row["name"], _state(row), ",".join(row["events"]) or "all", row["area"] or "all", row["waiting"],
            row["given_up"], row["url"],
        )
        for row in rows
    ]  # fmt: skip
    lines = table_lines(header, table) if rows else ["no webhooks; 'gisgrid webhooks add NAME URL' adds one"]
    output.result({"webhooks": [row | {"state": _state(row)} for row in rows]}, lines)


@group.command("remove")
@click.argument("name")
@click.option("--force", is_flag=True, help="Even if deliveries still wait; they are lost.")
@output_options
def remove(output: Output, name: str, force: bool) -> None:
    """Forget a webhook and its deliveries."""
    with db.database(Settings.from_env()) as engine, engine.begin() as connection:
        waiting = webhooks.remove(connection, name, force=force)
    output.result({"name": name, "lost": waiting}, [f"webhook {name} removed, {waiting} waiting deliveries with it"])


@group.command("pause")
@click.argument("name")
@output_options
def pause(output: Output, name: str) -> None:
    """Send nothing for now; events go on being queued."""
    with db.database(Settings.from_env()) as engine, engine.begin() as connection:
        webhooks.pause(connection, name)
    output.result({"name": name, "state": "paused"}, [f"webhook {name} is paused; 'resume' sends what was queued"])


@group.command("resume")
@click.argument("name")
@output_options
def resume(output: Output, name: str) -> None:
    """Send again after a pause, or after the receiver had answered 410 Gone."""
    with db.database(Settings.from_env()) as engine, engine.begin() as connection:
        waiting = webhooks.resume(connection, name)
    output.result({"name": name, "state": "active", "waiting": waiting}, [f"webhook {name} sends; {waiting} wait"])


@group.command("rotate")
@click.argument("name")
@click.option("--drop-old", is_flag=True, help="The receiver has the new secret: stop signing with the old one.")
@output_options
def rotate(output: Output, name: str, drop_old: bool) -> None:
    """Make a new secret; messages are signed with both until --drop-old."""
    with db.database(Settings.from_env()) as engine, engine.begin() as connection:
        secret = webhooks.rotate(connection, name, drop_old=drop_old)
    if drop_old:
        output.result({"name": name}, [f"webhook {name} signs with its newest secret only"])
        return
    lines = [f"new secret (give it to the receiver, then --drop-old): {secret}"]
    output.result({"name": name, "secret": secret}, lines)


@group.command("deliveries")
@click.argument("name", required=False)
@click.option(
    "--state", "states", multiple=True, type=click.Choice(list(DELIVERY_STATES)), help="Only those in a state."
)
@click.option("--report", type=int, help="Only those of one report (its number in the database).")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--before", type=int, help="Go on below this number.")
@output_options
def deliveries_command(
    output: Output, name: str | None, states: tuple[str, ...], report: int | None, limit: int, before: int | None
) -> None:
    """Show deliveries, newest first: what waits and why, what was delivered, what was given up."""
    with db.database(Settings.from_env()) as engine, engine.connect() as connection:
        rows = deliveries.listing(connection, webhook=name, states=states, report=report, limit=limit, before=before)
    header = ("id", "webhook", "report", "event", "state", "tries", "next try", "answer")
    table = [
        (
            row["id"], row["webhook"], row["report"], row["event"], row["state"], row["attempts"],
            _time(row["next_at"]) if row["state"] == "waiting" else "",
            f"{row['answer_status'] or ''} {row['fault']}".strip(),
        )
        for row in rows
    ]  # fmt: skip
    output.result({"deliveries": rows}, table_lines(header, table) if rows else ["no deliveries"])


@group.command("retry")
@click.argument("name")
@click.option("--delivery", "only", multiple=True, type=int, help="Only this one; may be given several times.")
@output_options
def retry(output: Output, name: str, only: tuple[int, ...]) -> None:
    """Put given-up deliveries back, in their old order."""
    with db.database(Settings.from_env()) as engine, engine.begin() as connection:
        count = deliveries.retry(connection, name, only=only)
    output.result({"name": name, "put_back": count}, [f"{count} deliveries to {name} are tried again"])


@group.command("test")
@click.argument("name")
@output_options
def test(output: Output, name: str) -> int:
    """Send one message of type webhook.test now; exit 1 when the receiver does not take it."""
    with db.database(Settings.from_env()) as engine, engine.connect() as connection:
        hook, secrets = webhooks.find(connection, name), webhooks.secrets_of(connection, name)
    message = deliveries.Delivery(
        id=0, webhook=hook["id"], name=name, url=hook["url"], secrets=tuple(secrets), report=0, event="webhook.test",
        payload={"webhook": name}, attempts=0, created_at=dt.datetime.now(dt.UTC),
    )  # fmt: skip
    with dispatch.session() as http:
        answer = dispatch.send(http, message)
    told = f"{answer.status or ''} {answer.fault}".strip()
    word = "taken" if answer.taken else "not taken"
    output.result(
        {"name": name, "taken": answer.taken, "status": answer.status, "fault": answer.fault}, [f"{word}: {told}"]
    )
    return 0 if answer.taken else EXIT_CHECK_FAILED


def _state(row: dict[str, Any]) -> str:
    if not row["active"]:
        return "gone"
    return "paused" if row["paused"] else "active"


def _time(value: dt.datetime) -> str:
    return value.astimezone().strftime("%m-%d %H:%M:%S")


COMMANDS = (group,)
