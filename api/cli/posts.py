"""``gisgrid posts``: which posts answer for grids and areas."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.output import Output, output_options, table_lines
from data import db
from data.posts import read_posts, replace_posts, stored_posts, usual_posts
from gisgrid.settings import Settings


@click.group("posts")
def group() -> None:
    """Posts that answer for grids, communities, streets and districts: names of posts, never of people."""


@group.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@output_options
def import_posts(output: Output, file: Path) -> None:
    """Put the posts of a CSV file in place of all stored ones.

    Columns place (code of a grid or area), role, post; optional department and first (yes: reports reach it first).
    Places without a stored post keep the usual one of their level.
    """
    rows = read_posts(file)
    with db.database(Settings.from_env()) as engine, engine.begin() as connection:
        count = replace_posts(connection, rows)
    places = int(rows["place"].nunique())
    output.result({"posts": count, "places": places}, [f"{count} posts of {places} places are stored"])


@group.command("list")
@output_options
def list_posts(output: Output) -> None:
    """The stored posts, and the usual ones of every level."""
    with db.database(Settings.from_env()) as engine, engine.connect() as connection:
        stored = stored_posts(connection).stored
    rows = [
        (place, post["role"], post["post"], post["department"], "yes" if post["first"] else "")
        for place, posts in stored.items()
        for post in posts
    ]
    usual = [
        ("(any other " + level + ")", role, "", "", "yes" if first else "")
        for level, (role, first) in usual_posts().items()
    ]
    header = ("place", "role", "post", "department", "first")
    value = {
        "posts": [dict(zip(header, row, strict=True)) for row in rows],
        "usual": {k: v[0] for k, v in usual_posts().items()},
    }
    output.result(value, table_lines(header, [*rows, *usual]))


COMMANDS = (group,)
