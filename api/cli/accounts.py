"""``gisgrid user`` and ``gisgrid token``: who may come in, what they may do where."""

from __future__ import annotations

import datetime as dt
import getpass
import sys
from pathlib import Path
from typing import Any

import click

from api.cli.output import Output, output_options, table_lines
from data import db, people, system_tokens
from data.accounts import PASSWORD_CHARS, revoke_token
from gisgrid.access import ROLES, Grant, read_grant
from gisgrid.errors import BadInput
from gisgrid.limits import TOKEN_DAYS, TOKEN_DAYS_MAX
from gisgrid.settings import Settings

ROLE_HELP = f"ROLE or ROLE:AREA, AREA the code of a district, street or community; again for more. {', '.join(ROLES)}."
role_option = click.option("--role", "roles", multiple=True, metavar="ROLE[:AREA]", help=ROLE_HELP)
password_option = click.option(
    "--password-file", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE",
    help="Read the password from the first line of a file, - for stdin, instead of asking for it.",
)  # fmt: skip


@click.group("user")
def user() -> None:
    """People who sign in with a login and a password, and what they may do where."""


@user.command("add")
@click.argument("login")
@click.option("--name", default="", help="What people know them by.")
@role_option
@password_option
@output_options
def add_user(output: Output, login: str, name: str, roles: tuple[str, ...], password_file: Path | None) -> None:
    """Let somebody in. Their password is asked for, or read from stdin or --password-file; never an argument."""
    grants, password = [read_grant(role) for role in roles], _password(password_file)
    with db.database(Settings.from_env()) as engine, engine.begin() as connection:
        made = people.add(connection, login, name=name, password=password, grants=grants)
    lines = [f"user {login.lower()} added: {_rights(grants)}"]
    output.result({"id": made, "login": login.lower(), "grants": _as_json(grants)}, lines)


@user.command("list")
@output_options
def list_users(output: Output) -> None:
    """Show people, whether they may sign in, and their roles."""
    with db.database(Settings.from_env()) as engine, engine.connect() as connection:
        rows = people.listing(connection)
    table = [(row["login"], row["name"], _state(row), _rights(row["grants"])) for row in rows]
    lines = table_lines(("login", "name", "state", "roles"), table) if rows else [
        "nobody; 'gisgrid user add LOGIN --role admin' adds an administrator"
    ]  # fmt: skip
    output.result({"users": [row | {"grants": _as_json(row["grants"])} for row in rows]}, lines)


@user.command("change")
@click.argument("login")
@click.option("--name", help="Another name.")
@role_option
@click.option("--no-role", is_flag=True, help="Take all roles away.")
@click.option("--password", "ask", is_flag=True, help="Ask for a new password; it ends their sessions.")
@password_option
@click.option("--disable/--enable", "disabled", default=None, help="Whether they may sign in.")
@output_options
def change_user(
    output: Output, login: str, name: str | None, roles: tuple[str, ...], no_role: bool, ask: bool,
    password_file: Path | None, disabled: bool | None,
) -> None:  # fmt: skip
    """Change a person. --role replaces all their roles."""
    if roles and no_role:
        raise BadInput("--role and --no-role exclude each other; give one of them")
    password = _password(password_file) if ask or password_file is not None else None
    grants = [read_grant(role) for role in roles] if roles or no_role else None
    if name is None and password is None and disabled is None and grants is None:
        raise BadInput("nothing is to be changed; give --name, --role, --no-role, --password, --disable or --enable")
    with db.database(Settings.from_env()) as engine, engine.begin() as connection:
        number = people.number_of(connection, login)
        people.change(connection, number, name=name, password=password, disabled=disabled, grants=grants)
        row = people.person(connection, number)
    answer = {"id": number, "login": row["login"], "grants": _as_json(row["grants"]), "disabled": row["disabled"]}
    output.result(answer, [f"user {row['login']} is changed: {_state(row)}, {_rights(row['grants'])}"])


@user.command("remove")
@click.argument("login")
@output_options
def remove_user(output: Output, login: str) -> None:
    """Forget a person; they are signed out at once. What they did stays under their name."""
    with db.database(Settings.from_env()) as engine, engine.begin() as connection:
        people.remove(connection, people.number_of(connection, login))
    output.result({"login": login.lower()}, [f"user {login.lower()} removed"])


@click.group("token")
def token() -> None:
    """Tokens by which systems come in."""


@token.command("create")
@click.option("--name", required=True, help="The system that will have it.")
@click.option("--role", "roles", multiple=True, required=True, metavar="ROLE[:AREA]", help=ROLE_HELP)
@click.option("--days", type=click.IntRange(1, TOKEN_DAYS_MAX), help=f"How long it lasts; {TOKEN_DAYS} if not said.")
@click.option("--never", is_flag=True, help="It never expires; instead of --days.")
@output_options
def create_token(output: Output, name: str, roles: tuple[str, ...], days: int | None, never: bool) -> None:
    """Make a token and print its secret, once. With -q the secret is all that is printed."""
    if never and days is not None:
        raise BadInput("--days and --never exclude each other; give one of them")
    lasts = None if never else days or TOKEN_DAYS
    grants = [read_grant(role) for role in roles]
    with db.database(Settings.from_env()) as engine, engine.begin() as connection:
        made = system_tokens.add(connection, name, grants=grants, days=lasts, author=f"cli:{getpass.getuser()}")
        row = system_tokens.token(connection, made.id)
    if output.quiet and not output.as_json:
        click.echo(made.secret)
        return
    until = "for ever" if row["expires_at"] is None else f"until {_day(row['expires_at'])}"
    lines = [f"token {made.id} ({name}) made, {until}: {_rights(grants)}", "its secret, which is not shown again:"]
    answer = {"id": made.id, "name": row["name"], "expires_at": row["expires_at"], "grants": _as_json(grants)}
    output.result(answer | {"secret": made.secret}, [*lines, made.secret])


@token.command("list")
@output_options
def list_tokens(output: Output) -> None:
    """Show tokens, newest first: never their secrets, only how they begin."""
    with db.database(Settings.from_env()) as engine, engine.connect() as connection:
        rows = system_tokens.listing(connection)
    table = [
        (row["id"], row["name"], f"{row['hint']}…", row["state"], _day(row["expires_at"], "never"),
         _day(row["used_at"], "never"), _rights(row["grants"]))
        for row in rows
    ]  # fmt: skip
    header = ("id", "name", "begins", "state", "expires", "last used", "roles")
    lines = table_lines(header, table) if rows else ["no tokens; 'gisgrid token create' makes one"]
    output.result({"tokens": [row | {"grants": _as_json(row["grants"])} for row in rows]}, lines)


@token.command("revoke")
@click.argument("number", type=click.IntRange(1, 2**62), metavar="ID")
@output_options
def revoke(output: Output, number: int) -> None:
    """End a token for good."""
    with db.database(Settings.from_env()) as engine, engine.begin() as connection:
        revoke_token(connection, number)
    output.result({"id": number}, [f"token {number} is revoked"])


def _password(file: Path | None) -> str:
    """A password, never from the arguments, which other people of the machine can read. Raises BadInput."""
    if file is None and sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    try:
        with click.open_file("-" if file is None else str(file), encoding="utf-8") as held:
            line = str(held.readline(4 * PASSWORD_CHARS[1])).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"--password-file {file}: cannot be read ({type(error).__name__}); give a text file") from None
    if not line:
        raise BadInput("no password is given; type it when asked, or send it on stdin or by --password-file")
    return line


def _rights(grants: tuple[Grant, ...] | list[Grant]) -> str:
    return ", ".join(f"{one.role}:{one.area}" if one.area else one.role for one in grants) or "no role"


def _as_json(grants: tuple[Grant, ...] | list[Grant]) -> list[dict[str, str]]:
    return [{"role": one.role, "area": one.area} for one in grants]


def _state(row: dict[str, Any]) -> str:
    if row["disabled"]:
        return "disabled"
    if row["provider"]:
        return "by the provider"
    return "active" if row["password"] else "no password"


def _day(value: dt.datetime | None, never: str = "") -> str:
    return never if value is None else value.astimezone().strftime("%Y-%m-%d %H:%M")


COMMANDS = (user, token)
