"""``gisgrid sheet``: the grid map of a community to print and hang up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import click

from api.cli.output import Output, output_options
from api.cli.reporting import write_whole
from data import db
from gisgrid.errors import BadInput
from gisgrid.settings import Settings
from layers.sheets import SheetRequest, check, sheet
from layers.sheets.paper import PAPERS
from layers.sheets.words import LANGUAGES, Language


@click.command("sheet")
@click.argument("community", required=False)
@click.option("--area", help="Code of a street or district instead: an atlas, one sheet a community.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="FILE.pdf or FILE.png.")
@click.option(
    "--plan", type=int, help="Grids of this plan, marked as a draft while it is one. Default: those in force."
)
@click.option("--generation", type=int, help="Grids of an earlier generation.")
@click.option("--scale", type=int, help="2500 means 1:2500. Default: the largest round scale that fits the paper.")
@click.option("--paper", type=click.Choice(list(PAPERS)), default="A3", show_default=True)
@click.option(
    "--orientation", type=click.Choice(["portrait", "landscape"]), help="Default: what shows the ground larger."
)
@click.option("--lang", type=click.Choice(LANGUAGES), default="zh", show_default=True)
@click.option("--dpi", type=int, default=200, show_default=True, help="Dots an inch of a picture.")
@output_options
def command(
    output: Output, community: str | None, area: str | None, out: Path, plan: int | None, generation: int | None,
    scale: int | None, paper: str, orientation: str | None, lang: str, dpi: int,
) -> None:  # fmt: skip
    """Write the grid map of COMMUNITY (its 12-digit code) with title, legend, scale bar, north arrow and table.

    A PNG shows one page; where there are more, they are written beside it as FILE-2.png, FILE-3.png …
    """
    if (community is None) == (area is None):
        raise BadInput("give the code of a community, or --area with the code of a street or district")
    form = out.suffix.lower().removeprefix(".")
    if form not in ("pdf", "png"):
        raise BadInput(f"{out}: a sheet is written to a file that ends in .pdf or .png")
    asked = SheetRequest(
        str(community or area), form, plan, generation, scale, paper, orientation, cast(Language, lang), dpi, most=None
    )
    check(asked)
    written: list[str] = []
    with output.stage("sheet"), db.database(Settings.from_env()) as engine, engine.connect() as connection:
        made = sheet(connection, asked)
        for page in range(1, (made.pages if form == "png" else 1) + 1):
            if page > 1:
                made = sheet(connection, replace(asked, page=page))
            target = out if page == 1 else out.with_name(f"{out.stem}-{page}{out.suffix}")
            write_whole(target, made.content)
            written.append(str(target))
    told = [*written, f"1:{made.scale}, {made.pages} page{'s' if made.pages > 1 else ''}"]
    output.result({"files": written, "pages": made.pages, "scale": made.scale}, told)


COMMANDS = (command,)
