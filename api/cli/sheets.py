"""``gisgrid sheet``: the grid map of a community to print and hang up."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from api.cli.output import Output, output_options
from data import db
from gisgrid.errors import BadInput
from gisgrid.settings import Settings
from layers.sheets import SheetRequest, check, count_pages, sheet
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
    written = []
    with output.stage("sheet"), db.database(Settings.from_env()) as engine, engine.connect() as connection:
        pages = count_pages(connection, asked)
        for page in range(1, (pages if form == "png" else 1) + 1):
            target = out if page == 1 else out.with_name(f"{out.stem}-{page}{out.suffix}")
            one = SheetRequest(
                asked.area, form, plan, generation, scale, paper, orientation, asked.lang, dpi, page, None
            )
            target.write_bytes(sheet(connection, one))
            written.append(str(target))
    output.result({"files": written, "pages": pages}, [f"{name}" for name in written] + [f"{pages} pages"])


COMMANDS = (command,)
