"""The gazetteer: registered addresses with the roads, compounds and areas around them, ready to be asked."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import unquote

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from gisgrid.address.along import Roads
from gisgrid.address.build import build
from gisgrid.address.model import GridRows, Match, Nearby, Suggestion
from gisgrid.address.numbers import counted, readings
from gisgrid.address.reverse import WITHIN, Surroundings
from gisgrid.address.scoring import only_roads, weigh
from gisgrid.address.search import crossing_matches, plate_match, ranked
from gisgrid.address.sound import plain_english
from gisgrid.address.suggest import Prefixes
from gisgrid.address.table import Parts, plain_name
from gisgrid.address.text import check_text, clean, numerals
from gisgrid.address.words import CROSSING_ENGLISH, CROSSING_WORDS, ROAD
from gisgrid.errors import BadInput
from gisgrid.limits import ADDRESS_HITS_MAX

_CODE: Final = re.compile(r"(?<![0-9A-Za-z])(?=[0-9]*[A-Za-z]|[0-9]{12})(?=\D*\d)[0-9A-Za-z_-]{8,64}(?![0-9A-Za-z])")
"""What may be a plate's code among other words: a telephone number or a word is not."""
_WEB: Final = re.compile(r"(?:[a-z]{2,10}://|www\.)", re.IGNORECASE)
_CROSSING: Final = re.compile("|".join((*CROSSING_WORDS, *(rf"\b{word}\b" for word in CROSSING_ENGLISH))))
_JOINED: Final = re.compile(r"(?<=[路街道巷])\s*(?:[与和/&、+]|\band\b)|\band\b|&")
_LATIN: Final = re.compile("[a-z]{2}")


class Owners:
    """The grid of every address of a gazetteer, and of any other point."""

    def __init__(self, grids: GridRows, lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> None:
        self._grids = grids
        self.rows = np.asarray(grids.rows(lon, lat), np.int64)

    def at(self, lon: Sequence[float], lat: Sequence[float]) -> npt.NDArray[np.int64]:
        """Rows of the grids of points in degrees, -1 outside all."""
        return np.asarray(self._grids.rows(np.asarray(lon, float), np.asarray(lat, float)), np.int64)


class Gazetteer:
    """Search, typing ahead and reverse search over one set of addresses. Safe to share between threads."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.roads = Roads(parts)
        kind = parts.kinds[parts.place_name] if len(parts.place_name) else np.empty(0, np.int8)
        self.road_places = int((kind == ROAD).sum())
        hashed = _hashed(parts.rows.address_id.to_numpy(zero_copy_only=False))
        self._ids_order = np.argsort(hashed, kind="stable").astype(np.int32)
        self._ids = hashed[self._ids_order]
        self.areas_at = np.bincount([area.level for area in parts.areas], minlength=3).tolist()
        self._lock = threading.Lock()
        self._typing: Prefixes | None = None
        self._about: Surroundings | None = None
        self._replaced = dict(parts.replaced)
        self._there: dict[str, bool] = {}
        self._alias = re.compile("|".join(re.escape(a) for a, _ in parts.replaced)) if parts.replaced else None

    @classmethod
    def build(
        cls,
        addresses: gpd.GeoDataFrame,
        *,
        streets: gpd.GeoDataFrame | None = None,
        areas: gpd.GeoDataFrame | None = None,
        facilities: gpd.GeoDataFrame | None = None,
        aliases: Mapping[str, str] | None = None,
    ) -> Gazetteer:
        """A gazetteer of an address layer.

        ``addresses`` are points with ``full`` and, where known, ``address_id``, ``road``, ``door_number``,
        ``compound``, ``building``, ``unit``, ``community`` (code), ``name_en``; parts that are missing are read from
        ``full``. ``streets`` (lines with ``name``) let door numbers be reckoned along them, ``areas`` give the names
        of communities, sub-districts and districts, ``facilities`` (``name``) are places people go by, ``aliases``
        other names of any of them. All in any CRS. Raises BadInput where the layer cannot be used.
        """
        return cls(build(addresses, streets=streets, areas=areas, facilities=facilities, aliases=aliases))

    def __len__(self) -> int:
        return len(self.parts.rows.lon)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays that hold addresses and names."""
        rows = self.parts.rows
        held = [getattr(rows, name) for name in rows.__slots__] + [self._ids, self._ids_order]
        held += [part for pair in (self.parts.by_name, self.parts.by_place) for part in (pair.start, pair.rows)]
        return sum(int(array.nbytes) for array in held) + self.parts.names.nbytes

    def owners(self, grids: GridRows) -> Owners:
        """The grid of every address: give it to `search`, and ``confident`` speaks of the grid and not of metres."""
        return Owners(grids, self.parts.rows.lon, self.parts.rows.lat)

    def search(self, text: str, *, limit: int = 10, owners: Owners | None = None) -> list[Match]:
        """The places a text may mean, likeliest first; empty where it names nothing known here.

        At most one match is ``confident``, and it is the first. Raises BadInput for a text that cannot be an address
        (`gisgrid.address.text.check_text`) and for a limit outside 1..`ADDRESS_HITS_MAX`.
        """
        check_limit(limit)
        check_text(text)
        if plates := self._plates(text):
            return plate_match(self, plates[1], plates[0], limit)
        cleaned = clean(text)
        plain = self.spelled_out(cleaned.text)
        evidence = weigh(self.parts, plain, self.parts.names.find(plain), readings(plain))
        joined = _CROSSING.search(plain) or (evidence.readings[0].door is None and _JOINED.search(plain))
        if joined and (found := crossing_matches(self, evidence, limit, owners)):
            return found
        if _CROSSING.search(plain) and not counted(plain):  # roads that do not meet: nothing but the roads is meant
            roads = ranked(self, only_roads(evidence), limit, owners, cleaned.vague)
            return [replace(match, confident=False) for match in roads]
        return ranked(self, evidence, limit, owners, cleaned.vague)

    def suggest(self, text: str, *, limit: int = 10) -> list[Suggestion]:
        """Ways to go on typing, those with most addresses first.

        Takes characters, pinyin, initials (wql → 文泉路) and English; names of areas in front narrow the choice, a
        number behind a road or compound asks for its doors or buildings. Raises BadInput as `search`.
        """
        check_limit(limit)
        return self._prefixes().suggest(text, limit)

    def reverse(self, lon: float, lat: float, *, limit: int = 5, within: float = WITHIN) -> list[Nearby]:
        """The registered addresses nearest to a point (EPSG:4490), with metres on the ellipsoid, nearest first.

        When none is within ``within`` metres, the nearest named road with the number a house here would have comes
        first. Raises BadInput for a point that is no longitude and latitude.
        """
        check_limit(limit)
        return self._surroundings().near(lon, lat, limit, within)

    def _prefixes(self) -> Prefixes:
        if self._typing is None:
            with self._lock:
                self._typing = self._typing or Prefixes(self)
        return self._typing

    def _surroundings(self) -> Surroundings:
        if self._about is None:
            with self._lock:
                self._about = self._about or Surroundings(self)
        return self._about

    def spelled_out(self, plain: str) -> str:
        """Plain text with nicknames replaced and English words in the form stored names take."""
        if self._alias is not None:
            plain = self._alias.sub(lambda found: self._meant(found[0]), plain)
        return plain_english(plain) if _LATIN.search(plain) else plain

    def _meant(self, alias: str) -> str:
        """What an alias stands for; the alias itself where that is not in the gazetteer: a guess would be worse."""
        target = self._replaced[alias]
        if target not in self._there:
            self._there[target] = self._holds(target)
        return target if self._there[target] else alias

    def _holds(self, target: str) -> bool:
        """Whether an address in plain form is registered: names letter by letter, numbers agreeing."""
        plain = plain_english(target) if _LATIN.search(target) else target
        evidence = weigh(self.parts, plain, self.parts.names.find(plain), readings(plain))
        for match in ranked(self, evidence, 3, None, vague=False):
            full = numerals(plain_name(match.full))
            if match.how == "interpolated":
                continue
            named = [match.matched[part] for part in ("road", "compound", "facility") if part in match.matched]
            if plain in full or full in plain or (match.confident and named and all(name in full for name in named)):
                return True
        return False

    def _plates(self, text: str) -> tuple[str, npt.NDArray[Any]] | None:
        """A registered code that is the whole text, or stands in an address of the web or among words: (code, rows)."""
        whole = text.strip()
        if len(whole) <= 64 and (found := self._registered(whole)):
            return found
        if _WEB.match(whole):
            words = re.split(r"[^0-9A-Za-z_.-]+", unquote(whole))
            return next((hit for word in reversed(words) if word and (hit := self._registered(word))), None)
        return next((hit for code in _CODE.findall(text) if (hit := self._registered(code))), None)

    def _registered(self, code: str) -> tuple[str, npt.NDArray[Any]] | None:
        """Rows whose address_id is the code, in capitals too."""
        for each in dict.fromkeys((code, code.upper())):
            key = _hashed(np.array([each], object))[0]
            low, high = np.searchsorted(self._ids, key, "left"), np.searchsorted(self._ids, key, "right")
            rows = [r for r in self._ids_order[low:high].tolist() if str(self.parts.rows.address_id[r]) == each]
            if rows and each:
                return each, np.array(rows, np.int32)
        return None


def _hashed(codes: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    return np.asarray(pd.util.hash_array(codes.astype(object), categorize=False), np.uint64)


def check_limit(limit: int) -> None:
    """Raise BadInput unless the limit is 1..`ADDRESS_HITS_MAX`."""
    if not 1 <= limit <= ADDRESS_HITS_MAX:
        raise BadInput(f"limit={limit}: give 1 to {ADDRESS_HITS_MAX}")


def warm() -> None:
    """Compile everything here and leave it in numba's cache, so that no first question waits (set-up calls this)."""
    point = gpd.GeoDataFrame({"full": ["云溪路1号"]}, geometry=gpd.points_from_xy([116.0], [35.0]), crs="EPSG:4490")
    Gazetteer.build(point).search("yunxi lu 云溪路1号")
