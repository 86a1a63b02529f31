"""The sheet that hangs in a community office: map, legend and table on pages of PDF, or one page as a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
import skia
import sqlalchemy as sa

from gisgrid import __version__
from gisgrid.errors import BadInput
from gisgrid.limits import SHEET_DPI_MAX, SHEET_PAGES_MAX, SHEET_PIXELS_MAX
from layers.render.canvas import canvas_on, straight
from layers.render.encoding import encode
from layers.render.fonts import need_font
from layers.sheets import furniture, grids, ground
from layers.sheets.data import Community, Ground, codes_of, read_community, read_ground, source_of
from layers.sheets.frame import Frame, frame_of, north_of
from layers.sheets.paper import PAPERS, Box, Layout, fitting
from layers.sheets.pen import INK, Pen, path
from layers.sheets.placing import Taken
from layers.sheets.table import Row, draw_table, rows_of
from layers.sheets.words import LANGUAGES, TITLE, Language

DPI_MIN: Final = 36
INCH: Final = 72.0


@dataclass(frozen=True, slots=True)
class SheetRequest:
    """What is asked for: a community or another area (an atlas), of a plan or a generation (None: in force)."""

    area: str
    form: str
    plan: int | None = None
    generation: int | None = None
    scale: int | None = None
    paper: str = "A3"
    orientation: str | None = None
    lang: Language = "zh"
    dpi: int = 150
    page: int = 1
    most: int | None = SHEET_PAGES_MAX
    """Most communities; None: no limit."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet made: its file, how many pages it has, and the scale (1 : n) of its first map."""

    content: bytes
    pages: int
    scale: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its size in points, the scale of its map, and what draws it, told its number and how many there are."""

    layout: Layout
    scale: int
    draw: Callable[[Pen, int, int], None]


def check(asked: SheetRequest) -> None:
    """Refuse what no sheet can be made of, before anything is read or drawn. Raises BadInput."""
    if asked.paper not in PAPERS:
        raise BadInput(f"paper={asked.paper!r}: give {', '.join(PAPERS)}", field="paper")
    if asked.lang not in LANGUAGES:
        raise BadInput(f"lang={asked.lang!r}: give {', '.join(LANGUAGES)}", field="lang")
    if asked.orientation not in (None, "portrait", "landscape"):
        raise BadInput(f"orientation={asked.orientation!r}: give portrait or landscape", field="orientation")
    if asked.plan is not None and asked.generation is not None:
        raise BadInput("plan and generation are given; give one of them", field="generation")
    if not DPI_MIN <= asked.dpi <= SHEET_DPI_MAX:
        raise BadInput(f"dpi={asked.dpi}: give {DPI_MIN} to {SHEET_DPI_MAX}", field="dpi")
    if asked.page < 1:
        raise BadInput(f"page={asked.page}: pages count from 1", field="page")
    if asked.form == "png":
        short, long = PAPERS[asked.paper]
        pixels = short * long / 25.4**2 * asked.dpi**2
        if pixels > SHEET_PIXELS_MAX:
            most = int(asked.dpi * (SHEET_PIXELS_MAX / pixels) ** 0.5)
            raise BadInput(
                f"dpi={asked.dpi}: {asked.paper} would have {pixels / 1e6:.0f} million pixels; give dpi up to {most}, "
                "or take the PDF, which is sharp at any size", field="dpi",
            )  # fmt: skip


def make_sheet(held: Any, _layers: Any, asked: SheetRequest) -> Sheet:
    """A sheet; a task of the processes that draw (``held``: their held layers)."""
    with held.engine.connect() as connection:
        return sheet(connection, asked)


def sheet(connection: sa.Connection, asked: SheetRequest) -> Sheet:
    """The sheet as PDF (all pages) or PNG (one page). Raises BadInput, NotFound, Broken (no font)."""
    check(asked)
    need_font()
    pages, title = _pages(connection, asked)
    if asked.form == "png":
        if asked.page > len(pages):
            raise BadInput(f"page={asked.page}: the sheet has {len(pages)}", field="page", pages=len(pages))
        content = _picture(pages[asked.page - 1], asked.page, len(pages), asked.dpi)
    else:
        content = _document(pages, title)
    return Sheet(content, len(pages), pages[0].scale)


def _pages(connection: sa.Connection, asked: SheetRequest) -> tuple[list[Page], str]:
    source = source_of(connection, asked.plan, asked.generation)
    codes = codes_of(connection, asked.area, source)
    if asked.most is not None and len(codes) > asked.most:
        raise BadInput(
            f"area {asked.area} has {len(codes)} communities and an atlas here up to {asked.most}; ask for its streets "
            "one by one, or use 'gisgrid sheet --area'", field="area", communities=len(codes),
        )  # fmt: skip
    pages: list[Page] = []
    title = ""
    for code in codes:
        community = read_community(connection, code, source)
        pages += _of_community(connection, community, asked, len(pages) + 1)
        title = title or f"{community.name}{TITLE.zh} {community.name_en} {TITLE.en}"
    return pages, title if len(codes) == 1 else f"{asked.area} {TITLE.zh} {TITLE.en}"


def _of_community(connection: sa.Connection, community: Community, asked: SheetRequest, number: int) -> list[Page]:
    """The map's page, and those the table runs on to."""
    west, south, east, north = community.bounds
    plan, scale = fitting((east - west, north - south), asked.paper, asked.orientation, asked.scale)
    frame = frame_of(community, plan.map, scale)
    shown = read_ground(connection, community, frame.window, scale)
    drawing = _Drawing(community, plan, frame, scale, shown, asked.lang)
    further: list[list[Row]] = []
    rows = drawing.left_over(number + 1)
    blank = Pen(_nothing())
    while rows:
        further.append(rows)
        rows = drawing.draw_rows(blank, rows, number + len(further) + 1)
    return [
        Page(plan, scale, drawing.draw_map_page),
        *[
            Page(plan, scale, lambda pen, page, pages, rows=rows: drawing.draw_rows_page(pen, rows, page, pages))  # type: ignore[misc]
            for rows in further
        ],
    ]


def _nothing() -> Any:
    """A canvas nothing is kept of."""
    return skia.Canvas(np.zeros((1, 1, 4), np.uint8), skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType)


class _Drawing:
    """What the pages of one community share."""

    def __init__(
        self, community: Community, plan: Layout, frame: Frame, scale: int, shown: Ground, lang: Language
    ) -> None:  # fmt: skip
        self._community, self._plan, self._frame, self._scale, self._lang = community, plan, frame, scale, lang
        self._shown, self._north = shown, north_of(community, frame)
        self._drawn = ground.drawn_ground(shown, frame)
        self._cells = grids.cells_of(community, frame)
        self._rows = rows_of(self._cells, community.posts, lang, plan.unit)

    def left_over(self, further: int) -> list[Row]:
        """The rows that find no room beside the map."""
        return self._table(Pen(_nothing()), further)

    def draw_map_page(self, pen: Pen, page: int, pages: int) -> None:
        """The first page."""
        furniture.draw_title(pen, self._plan, self._community, self._lang)
        self._draw_map(pen)
        head, legend, _ = self._sides()
        furniture.draw_scale_and_north(pen, self._plan, head, self._frame, self._scale, self._north, self._lang)
        furniture.draw_legend(pen, self._plan, legend, self._drawn, self._cells, self._lang)
        self._table(pen, page + 1)
        self._foot(pen, page, pages)

    def draw_rows_page(self, pen: Pen, rows: list[Row], page: int, pages: int) -> None:
        """A page of the table alone."""
        furniture.draw_title(pen, self._plan, self._community, self._lang)
        self.draw_rows(pen, rows, page + 1)
        self._foot(pen, page, pages)

    def draw_rows(self, pen: Pen, rows: list[Row], further: int) -> list[Row]:
        """Rows on a page of their own; those left over."""
        plan = self._plan
        box = Box(plan.map.left, plan.map.top, plan.foot.right, plan.foot.top - 1.5 * plan.unit)
        return draw_table(pen, box, rows, self._lang, plan.unit, further=further, on=True)

    def _foot(self, pen: Pen, page: int, pages: int) -> None:
        furniture.draw_foot(pen, self._plan, self._community, self._scale, self._north, (page, pages), self._lang)

    def _table(self, pen: Pen, further: int) -> list[Row]:
        table = self._sides()[2]
        return draw_table(pen, table, self._rows, self._lang, self._plan.unit, further=further, on=False)

    def _sides(self) -> tuple[Box, Box, Box]:
        """Boxes of north arrow and scale bar, of the legend, of the table: below each other, or, under the map, in two
        columns."""
        box, unit = self._plan.side, self._plan.unit
        head = furniture.HEAD * unit
        if not self._plan.below:
            high = furniture.legend_height(self._drawn, self._cells, self._plan, box.width, self._lang)
            legend = Box(box.left, box.top + head, box.right, box.top + head + high)
            return (
                Box(box.left, box.top, box.right, legend.top), legend,
                Box(box.left, legend.bottom + 3.0 * unit, box.right, box.bottom),
            )  # fmt: skip
        columns = 2 if self._plan.orientation == "landscape" else 1
        wide = max(furniture.COLUMN[self._lang] * columns, 56.0) * unit
        return (
            Box(box.left, box.top, box.left + wide, box.top + head),
            Box(box.left, box.top + head, box.left + wide, box.bottom),
            Box(box.left + wide + 5.0 * unit, box.top, box.right, box.bottom),
        )

    def _draw_map(self, pen: Pen) -> None:
        plan, frame, community = self._plan, self._frame, self._community
        unit, canvas = plan.unit, pen.canvas
        own = frame.drawn([community.outline])[0]
        covered = shapely.union_all([own, *[cell.shape for cell in self._cells if cell.level == 1]])
        canvas.save()
        canvas.clipRect(skia.Rect.MakeLTRB(*plan.map))
        pen.box(plan.map, ground.GREY.land)
        ground.draw_ground(pen, self._drawn, frame, unit, ground.GREY)
        canvas.save()
        canvas.clipPath(path(covered), True)
        pen.box(plan.map, ground.OWN.land)
        grids.draw_fills(pen, self._cells, unit)
        ground.draw_ground(pen, self._drawn, frame, unit, ground.OWN)
        canvas.restore()
        taken = Taken(plan.map.inset(1.0 * unit))
        grids.draw_borders(pen, self._cells, own, unit)
        grids.label_grids(pen, self._cells, self._lang, unit, taken)
        grids.name_neighbours(pen, self._shown.neighbours, frame, self._lang, unit, taken)
        ground.name_streets(pen, self._shown, frame, unit, taken, covered)
        ground.name_buildings(pen, self._shown, frame, unit, taken, covered)
        furniture.watermark(pen, plan.map, community, self._lang, unit)
        canvas.restore()
        pen.box(plan.map, edge=INK, width=0.35 * unit)
        pen.box(plan.map.inset(-0.9 * unit), edge=INK, width=0.12 * unit)


# --- files ------------------------------------------------------------------------------


def _document(pages: Sequence[Page], title: str) -> bytes:
    stream = skia.DynamicMemoryWStream()
    about = skia.PDF.Metadata()
    about.fTitle, about.fCreator, about.fProducer = title, f"gisgrid {__version__}", f"gisgrid {__version__} (skia)"
    document = skia.PDF.MakeDocument(stream, about)
    for number, page in enumerate(pages, start=1):
        size = page.layout.page
        page.draw(Pen(document.beginPage(size.width, size.height)), number, len(pages))
        document.endPage()
    document.close()
    return bytes(stream.detachAsData())


def _picture(page: Page, number: int, pages: int, dpi: int) -> bytes:
    size = page.layout.page
    wide, high = round(size.width * dpi / INCH), round(size.height * dpi / INCH)
    picture = np.full((high, wide, 4), 255, np.uint8)
    canvas = canvas_on(picture)
    canvas.scale(dpi / INCH, dpi / INCH)
    page.draw(Pen(canvas), number, pages)
    return encode(straight(picture), "png24", dpi=float(dpi))
