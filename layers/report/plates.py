"""The maps on the page with their legends and notes."""

from __future__ import annotations

from typing import Final

from layers.report import maps
from layers.report.data import ReportData
from layers.report.shapes import Frame, path_of
from layers.report.words import Words, both, said

SLIDE: Final = f'<p class="note slide">{both("↔ 左右滑动查看全图", "↔ slide the map sideways")}</p>'
"""Shown on narrow screens only."""


class Plates:
    """The maps of one report; their shapes are written once and drawn by all."""

    def __init__(self, data: ReportData, frame: Frame) -> None:
        self.data, self.frame, self.band = data, frame, data.band
        self.now = maps.picture_of(data.grids, data.figures["grids"], frame)
        self.was, self.band_was = None, self.band
        if data.grids_before is not None and data.before is not None:
            # the band of one level says nothing about the grids of another
            self.band_was = self.band if data.same_level() else None
            self.was = maps.picture_of(data.grids_before, data.before["grids"], frame)
        self.streets = maps.street_paths(data.streets, frame)

    def defs(self) -> str:
        """Shapes, hatches and streets the maps share."""
        groups = maps.grid_group(self.now, self.band, "now")
        if self.was is not None:
            groups += maps.grid_group(self.was, self.band_was, "was")
        return (
            '<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>'
            f'{maps.DEFS}{groups}<g id="streets" pointer-events="none">{self.streets}</g></defs></svg>'
        )

    def plan(self) -> str:
        """The plan, large, with the number of every grid."""
        few = len(self.now.rows) <= 60
        labels = maps.labels(self.now, self.band, size=15 if few else 11, least=7)
        picture = maps.map_of(self.frame, [*self._layers("now"), labels])
        return (
            f'<h2>{both("网格图", "Map of grids")}</h2><figure><div class="wide">{picture}</div>{SLIDE}'
            f"{self._legend(self.now)}{self._note(labels)}</figure>"
        )

    def pair(self) -> str:
        """Before and after side by side in the same colours."""
        if self.was is None:
            return ""
        both_maps = []
        for key, picture, band, words in (
            ("was", self.was, self.band_was, Words("调整前", "Before")),
            ("now", self.now, self.band, Words("调整后", "After")),
        ):
            labels = maps.labels(picture, band, size=26, least=18) if len(picture.rows) <= 150 else ""
            drawn = maps.map_of(self.frame, [*self._layers(key), labels], size=22)
            both_maps.append(f"<figure><figcaption>{said(words)}</figcaption>{drawn}</figure>")
        title, pair = both("调整前后", "Before and after"), "".join(both_maps)
        legend = self._legend(*([self.was] if self.band_was == self.band else []), self.now)
        return f'<section class="page"><h2>{title}</h2><div class="pair">{pair}</div>{legend}</section>'

    def moved(self) -> str:
        """Ground that changes grid, old limits dashed below the new ones."""
        if self.was is None or self.data.units is None or self.data.changes is None:
            return ""
        shapes = maps.moved_shapes(self.data.units, set(self.data.changes["births"]), self.frame)
        quiet = f'<path class="stays" d="{"".join(path_of(shape) for shape in self.now.shapes)}"/>'
        old = maps.given_up(self.was, self.now)
        labels = maps.labels(self.now, None, size=15 if len(self.now.rows) <= 60 else 11, least=7, loads=False)
        picture = maps.map_of(self.frame, [quiet, shapes, maps.use("streets"), maps.use("now-limits"), old, labels])
        keys = maps.legend(maps.MOVED_FILLS if "to-none" in shapes else maps.MOVED_FILLS[:-1])
        title = both("更换网格的范围", "Ground that changes grid")
        faint = both("颜色浅的地方无人居住。", "Pale ground has no households.") if "empty" in shapes else ""
        return (
            f'<figure><figcaption>{title}</figcaption><div class="wide">{picture}</div>{SLIDE}{keys}'
            f'{maps.line_legend(bool(self.streets), old=True)}<p class="note">{faint}</p></figure>'
        )

    def _layers(self, key: str) -> list[str]:
        return [maps.use(f"{key}-fill"), maps.use("streets"), maps.use(f"{key}-limits")]

    def _legend(self, *pictures: maps.Picture) -> str:
        present = {maps.fill_of(row, self.band) for picture in pictures for row in picture.rows}
        judged = bool(present - {"unknown", maps.HATCHED})
        known = maps.fills(self.band if judged else None)
        entries = [entry for entry in known if entry.css in present or entry.css.startswith("in")]
        return maps.legend(entries) + maps.line_legend(bool(self.streets))

    def _note(self, labels: str) -> str:
        bare = len(self.now.rows) - labels.count('class="number"')
        if bare <= 0:
            return ""
        text = both(
            f"{bare} 个网格太小未标号，指向可见编码。",
            f"{bare} grids are too small for a number; point at them for the code.",
        )
        return f'<p class="note">{text}</p>'
