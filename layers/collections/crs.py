"""The coordinate systems of OGC API Features, by URI, with the order of their axes.

OGC API Features Part 2 (18-058r1) wants coordinates in the order of the CRS's own axes: north first in EPSG:4326,
EPSG:4490 and the three-degree zones of CGCS2000; longitude first in CRS84 and Web Mercator.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Self

from gisgrid.errors import BadInput


@dataclass(frozen=True, slots=True)
class Crs:
    """A system: its URI, EPSG number (what PostGIS and PROJ transform by), and how its axes run."""

    uri: str
    srid: int
    north_first: bool
    projected: bool

    @property
    def name(self) -> str:
        """Its short name."""
        return "CRS84" if self.uri == CRS84_URI else f"EPSG:{self.srid}"

    @property
    def authority(self) -> str:
        """What `gisgrid.crs` calls it."""
        return f"EPSG:{self.srid}"

    @property
    def digits(self) -> int:
        """Decimals written: millimetres for metres, centimetres for degrees."""
        return 3 if self.projected else 7

    def east_first(self) -> Self:
        """The same with x first."""
        return replace(self, north_first=False)


CRS84_URI: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG_URI: Final = "http://www.opengis.net/def/crs/EPSG/0/"


def _epsg(number: int) -> Crs:
    return Crs(f"{EPSG_URI}{number}", number, number != 3857, number not in (4326, 4490))


CRS84: Final = Crs(CRS84_URI, 4326, False, False)
STORAGE: Final = _epsg(4490)
SYSTEMS: Final[dict[str, Crs]] = {
    crs.uri: crs for crs in (CRS84, STORAGE, _epsg(4326), _epsg(3857), *(_epsg(number) for number in range(4513, 4555)))
}
"""Every system served, by URI, the default first. 4513 to 4533: zone number before the easting; 4534 to 4554: plain."""
_SHORT: Final = re.compile(r"(?:urn:ogc:def:crs:EPSG:[0-9.]*:|EPSG:|\[EPSG:)(\d{4,5})\]?", re.IGNORECASE)


def crs_named(text: str, *, parameter: str = "crs") -> Crs:
    """The system of a URI; also of ``EPSG:4490``, its URN and ``[EPSG:4490]``. Raises BadInput."""
    plain = text.strip().removeprefix("<").removesuffix(">").replace("https://", "http://", 1)
    found = SYSTEMS.get(plain)
    if found is None and (short := _SHORT.fullmatch(plain)):
        found = SYSTEMS.get(EPSG_URI + short[1])
    if found is None and plain.upper() in ("CRS84", "OGC:CRS84", "URN:OGC:DEF:CRS:OGC:1.3:CRS84"):
        found = CRS84
    if found is None:
        raise BadInput(f"{parameter}={text[:120]!r} is not served; the collections list their systems under crs")
    return found
