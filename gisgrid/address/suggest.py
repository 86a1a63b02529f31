"""Typing ahead: names that begin as typed (characters, pinyin, initials, English), then their doors and buildings."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

import numpy as np

from gisgrid.address.model import Suggestion
from gisgrid.address.sound import initials, plain_english, spoken
from gisgrid.address.table import from_plane
from gisgrid.address.text import check_text, numerals, simplified
from gisgrid.address.words import AREA, COMPOUND, FACILITY, KINDS, ROAD

if TYPE_CHECKING:
    from gisgrid.address.gazetteer import Gazetteer

_LOOKED_AT: Final = 4_000
"""Names beginning alike that are compared by their number of addresses, at most."""
_END: Final = "\U0010ffff"
_TAIL: Final = re.compile(r"(?P<name>.*?[^\d])(?P<number>\d{0,5})(?P<unit>号楼?|栋|幢|座|楼|#|hao|dong)?")
_BREAKS: Final = re.compile(r"[\s,，、;；'’.()（）-]+")


class Prefixes:
    """The names of a gazetteer by how they may begin."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        parts = gazetteer.parts
        self._gazetteer = gazetteer
        entries: list[tuple[str, int]] = []
        self._exact: dict[str, list[int]] = {}
        for number, name in enumerate(parts.names.names):
            forms = {numerals(name.text), name.text, "".join(spoken(name.text)), "".join(spoken(numerals(name.text)))}
            forms |= {squeezed(text) for text in name.spellings} | {squeezed(plain_english(t)) for t in name.spellings}
            for form in forms:
                self._exact.setdefault(form, []).append(number)
            entries += [(form, number) for form in forms | {initials(name.text)} if form]
        entries.sort()
        self._keys = [key for key, _ in entries]
        self._name = np.array([number for _, number in entries], np.int32)
        self._count = np.diff(parts.by_name.start) + np.diff(parts.facilities.start)
        areas = np.zeros(len(parts.areas) + 1, np.int64)
        for column in parts.rows.area.T:
            areas[: len(parts.areas)] += np.bincount(column[column >= 0], minlength=len(parts.areas))[
                : len(parts.areas)
            ]
        for number, places in parts.areas_of.items():
            self._count[number] = int(areas[places].sum())
        self._area_longest = max((len(f) for f, ns in self._exact.items() if parts.kinds[ns[0]] == AREA), default=0)

    def suggest(self, text: str, limit: int) -> list[Suggestion]:
        """See `Gazetteer.suggest`."""
        typed = squeezed(numerals(simplified(unicodedata.normalize("NFKC", check_text(text))).lower()))
        if not typed:
            return []
        areas, rest = self._areas(typed)
        if not rest:
            return self._begin(typed, limit, [])
        out = self._begin(rest, limit, areas)
        if len(out) < limit:
            out += self._numbers(rest, limit - len(out), areas)
        if not out and rest != typed:
            out = self._begin(typed, limit, [])
        return _distinct(out)[:limit] or self._search(text, limit)

    def _areas(self, typed: str) -> tuple[list[int], str]:
        """Areas the text begins with, and the rest of it."""
        kinds, areas = self._gazetteer.parts.kinds, []
        while True:
            for size in range(min(len(typed), self._area_longest), 1, -1):
                numbers = [n for n in self._exact.get(typed[:size], ()) if kinds[n] == AREA]
                if numbers:
                    areas += [a for n in numbers for a in self._gazetteer.parts.areas_of.get(n, ())]
                    typed = typed[size:]
                    break
            else:
                return areas, typed

    def _begin(self, typed: str, limit: int, areas: list[int]) -> list[Suggestion]:
        """Names that begin as typed, those with most addresses first."""
        low = bisect_left(self._keys, typed)
        high = bisect_left(self._keys, typed + _END, low)
        names = np.unique(self._name[low : min(high, low + _LOOKED_AT)])
        if areas and len(names):
            names = names[[self._in_areas(int(n), areas) for n in names[:500]] + [False] * max(0, len(names) - 500)]
        names = names[np.argsort(-self._count[names], kind="stable")]
        whole = [n for n in self._exact.get(typed, ()) if n in set(names.tolist())]
        ordered = list(dict.fromkeys([*whole, *names[: 2 * limit].tolist()]))
        return [s for n in ordered[:limit] for s in self._told(int(n), areas)][:limit]

    def _in_areas(self, name: int, areas: list[int]) -> bool:
        rows = self._gazetteer.parts.by_name.of(name)[:2_000]
        return bool(len(rows)) and bool(np.isin(self._gazetteer.parts.rows.area[rows], areas).any())

    def _told(self, name: int, areas: list[int]) -> list[Suggestion]:
        """A name as suggestions: one for each place of that name."""
        parts, kind = self._gazetteer.parts, int(self._gazetteer.parts.kinds[name])
        shown, count = parts.shown[name], int(self._count[name])
        if kind == AREA:
            return [
                Suggestion(
                    shown,
                    ("district", "street", "community")[parts.areas[a].level],
                    parts.areas[a].lon,
                    parts.areas[a].lat,
                    count,
                )
                for a in parts.areas_of.get(name, ())
            ]
        if kind == FACILITY:
            rows = parts.facilities.of(name)[:3].tolist()
            return [
                Suggestion(shown, KINDS[kind], float(parts.facility_lon[r]), float(parts.facility_lat[r]), 1)
                for r in rows
            ]
        places = parts.places_of.of(name)[:5].tolist()
        out = []
        for place in places:
            rows = parts.by_place.of(place)
            if not len(rows):
                if middle := self._gazetteer.roads.middle(place):
                    out.append(Suggestion(shown, KINDS[kind], *from_plane(middle[0], middle[1], parts.middle), 0))
                continue
            if areas and not np.isin(parts.rows.area[rows], areas).any():
                continue
            row = rows[len(rows) // 2]
            where = self._area_name(int(row)) if len(places) > 1 else ""
            out.append(
                Suggestion(
                    where + shown, KINDS[kind], float(parts.rows.lon[row]), float(parts.rows.lat[row]), len(rows)
                )
            )
        return out

    def _area_name(self, row: int) -> str:
        parts = self._gazetteer.parts
        area = int(parts.rows.area[row, 1])
        return parts.areas[area].name if area >= 0 else ""

    def _numbers(self, typed: str, limit: int, areas: list[int]) -> list[Suggestion]:
        """Doors or buildings of a name typed whole: 云溪街1 → 云溪街1号, 10号, 11号 …"""
        found = _TAIL.fullmatch(typed)
        if found is None or not found["number"]:
            return []
        parts, number, out = self._gazetteer.parts, int(found["number"]), []
        for name in self._exact.get(found["name"], ()):
            rows = parts.by_name.of(name)
            if areas:
                rows = rows[np.isin(parts.rows.area[rows], areas).any(axis=1)]
            values = parts.rows.door[rows] if parts.kinds[name] == ROAD else parts.rows.building[rows]
            if parts.kinds[name] not in (ROAD, COMPOUND):
                continue
            hit = values == number
            if not found["unit"]:
                for more in (10, 100, 1000):
                    hit |= (values >= number * more) & (values < (number + 1) * more)
            rows, values = rows[hit], values[hit]
            for value in np.unique(values)[:limit].tolist():
                mine = rows[values == value]
                row = int(mine[0])
                single = len(mine) == 1
                text = (
                    str(parts.rows.full[row])
                    if single
                    else parts.shown[name] + (f"{value}号" if parts.kinds[name] == ROAD else f"{value}栋")
                )
                out.append(
                    Suggestion(
                        text, "door" if parts.kinds[name] == ROAD else "building", float(parts.rows.lon[row]),
                        float(parts.rows.lat[row]), len(mine), str(parts.rows.address_id[row]) if single else "",
                    )
                )  # fmt: skip
        return out[:limit]

    def _search(self, text: str, limit: int) -> list[Suggestion]:
        """Nothing begins so: what a search would take it for."""
        found = self._gazetteer.search(text, limit=limit)
        return [Suggestion(m.full, m.how, m.lon, m.lat, 1, m.address_id) for m in found]


def squeezed(text: str) -> str:
    """Typed text without spaces and marks."""
    return _BREAKS.sub("", text)


def _distinct(found: list[Suggestion]) -> list[Suggestion]:
    return list({(s.text, s.kind, s.lon, s.lat): s for s in found}.values())
