"""Parameters of a request: names in any case, values strictly read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from gisgrid.errors import BadInput
from gisgrid.limits import (
    PICTURE_DPI_MAX,
    PICTURE_DPI_MIN,
    PICTURE_SIDE_MAX,
    WMS_COORDINATE_MAX,
    WMS_FEATURES_MAX,
    WMS_LAYERS_MAX,
)
from layers.held import View
from layers.held.view import STANDARD_DPI
from layers.wms.systems import Box, Version, drawn_as, in_order, north_first, system

Manner = Literal["XML", "INIMAGE", "BLANK"]
Language = Literal["zh", "en", "both"]

MISSING: Final = "MissingParameterValue"
INVALID: Final = "InvalidParameterValue"
_NUMBER: Final = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?", re.ASCII)
_WHOLE: Final = re.compile(r"\d{1,9}", re.ASCII)
_MANNERS: Final[dict[str, Manner]] = {
    "": "XML",
    "XML": "XML",
    "INIMAGE": "INIMAGE",
    "BLANK": "BLANK",
    "TEXT/XML": "XML",
    "APPLICATION/VND.OGC.SE_XML": "XML",
    "APPLICATION/VND.OGC.SE_INIMAGE": "INIMAGE",
    "APPLICATION/VND.OGC.SE_BLANK": "BLANK",
}
REFUSED: Final = ("SLD", "REMOTE_OWS_TYPE", "REMOTE_OWS_URL")
"""Parameters that name something to fetch. Nothing is ever fetched."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters of one request by their names in capitals."""

    given: Mapping[str, str]

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Asked:
        """From names and values. Raises BadInput for one given twice and for a NUL character."""
        given: dict[str, str] = {}
        for name, value in pairs:
            known = name.upper()
            if known in given:
                raise BadInput(f"{known[:60]!r} is given twice; give it once, several values split by commas")
            if "\x00" in name + value:
                raise BadInput(f"parameter {known[:60]!r} holds a NUL character")
            given[known] = value
        return cls(given)

    def text(self, name: str) -> str:
        """A parameter's value, empty when it is not given."""
        return self.given.get(name, "").strip()

    def needed(self, *names: str) -> str:
        """The value of the first parameter of these names that is given. Raises BadInput (MissingParameterValue)."""
        for name in names:
            if value := self.text(name):
                return value
        raise BadInput(f"the parameter {' or '.join(names)} is missing", code=MISSING)

    def names(self, name: str) -> list[str]:
        """A value split at its commas; of no value, nothing."""
        value = self.given.get(name, "")
        if value.count(",") >= 100 * WMS_LAYERS_MAX:  # not worth splitting: far over every cap
            raise BadInput(f"{name} names too many values; at most {WMS_LAYERS_MAX}", code=INVALID)
        return [part.strip() for part in value.split(",")] if value.strip() else []

    def flag(self, name: str) -> bool:
        """TRUE or FALSE. Raises BadInput."""
        value = self.text(name).upper()
        if value not in ("", "TRUE", "FALSE"):
            raise BadInput(f"{name}={value[:40]!r} is neither TRUE nor FALSE", code=INVALID)
        return value == "TRUE"


# --- what every request says ------------------------------------------------------------------


def version_of(asked: Asked) -> Version:
    """The version to answer in: the highest of ours up to the one asked for, else our lowest (06-042, 6.2.4).

    Without VERSION (or WMTVER): 1.3.0, but 1.1.1 when the request says SRS and not CRS, as only 1.1.1 does.
    Raises BadInput for what is no version number.
    """
    text = asked.text("VERSION") or asked.text("WMTVER")
    if not text:
        old = asked.text("SRS") and not asked.text("CRS")
        return "1.1.1" if old else "1.3.0"
    if not re.fullmatch(r"\d{1,2}(\.\d{1,2}){1,2}", text, re.ASCII):
        raise BadInput(f"VERSION={text[:40]!r} is no version; ask 1.3.0 or 1.1.1", code=INVALID)
    numbers = tuple(int(part) for part in text.split("."))
    return "1.3.0" if numbers >= (1, 3, 0)[: len(numbers)] else "1.1.1"


def manner_of(asked: Asked) -> Manner:
    """How errors are told: EXCEPTIONS, in either version's spelling. Raises BadInput."""
    text = asked.text("EXCEPTIONS")
    manner = _MANNERS.get(text.upper())
    if manner is None:
        raise BadInput(f"EXCEPTIONS={text[:60]!r} is not offered; ask XML, INIMAGE or BLANK", code=INVALID)
    return manner


def language_of(asked: Asked, accepted: Sequence[str]) -> Language:
    """The language of titles: LANGUAGE, else the best of the languages the client accepts, else both.

    Raises BadInput.
    """
    text = asked.text("LANGUAGE").lower()
    if text:
        for known in ("zh", "en"):
            if text.split("-")[0] in (known, {"zh": "chi", "en": "eng"}[known]):
                return known
        raise BadInput(f"LANGUAGE={text[:40]!r} is not offered; ask zh or en", code=INVALID)
    for tag in accepted:
        if tag.lower().split("-")[0] in ("zh", "en"):
            return tag.lower().split("-")[0]  # type: ignore[return-value]
    return "both"


def refuse_fetching(asked: Asked) -> None:
    """Refuse parameters that name an address to fetch from. Raises BadInput."""
    for name in REFUSED:
        if asked.text(name):
            raise BadInput(f"{name} is refused: nothing is fetched from elsewhere; send the style itself as SLD_BODY")


# --- numbers ----------------------------------------------------------------------------------


def number(text: str, name: str) -> float:
    """A finite number. Raises BadInput."""
    if not _NUMBER.fullmatch(text):
        raise BadInput(f"{name}={text[:40]!r} is no number", code=INVALID)
    value = float(text)
    if not abs(value) <= WMS_COORDINATE_MAX:
        raise BadInput(f"{name}={text[:40]!r} is too large; at most {WMS_COORDINATE_MAX:g}", code=INVALID)
    return value


def whole(text: str, name: str, low: int, high: int) -> int:
    """A whole number from ``low`` to ``high``. Raises BadInput."""
    if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
        raise BadInput(f"{name}={text[:40]!r}: give a whole number from {low} to {high}", code=INVALID)
    return int(text)


def box_of(asked: Asked, crs: str, version: Version) -> Box:
    """BBOX with x east first. Raises BadInput unless it is four numbers, the smaller ones first."""
    text = asked.needed("BBOX")
    if text.count(",") != 3:
        raise BadInput("BBOX is not four numbers split by commas: minx,miny,maxx,maxy", code=INVALID)
    first, second, third, fourth = (number(part.strip(), "BBOX") for part in text.split(","))
    if first >= third or second >= fourth:
        order = "south,west,north,east" if north_first(crs, version) else "west,south,east,north"
        raise BadInput(
            f"BBOX={text[:100]!r} is turned round or empty; {version} with {crs} writes {order}", code=INVALID
        )
    return in_order((first, second, third, fourth), crs, version)


def dpi_of(asked: Asked) -> float:
    """Dots an inch: DPI, MAP_RESOLUTION or FORMAT_OPTIONS=dpi:n, the spellings of QGIS, MapServer and GeoServer.

    Several may be sent together (QGIS sends all), then they agree. Raises BadInput.
    """
    told = {name: asked.text(name) for name in ("DPI", "MAP_RESOLUTION") if asked.text(name)}
    for option in asked.text("FORMAT_OPTIONS").split(";"):
        name, _, value = option.partition(":")
        if name.strip().lower() == "dpi":
            told["FORMAT_OPTIONS dpi"] = value.strip()
    values = {number(value, name) for name, value in told.items()}
    if len(values) > 1:
        raise BadInput(f"{', '.join(told)} name different resolutions; give one", code=INVALID)
    dpi = values.pop() if values else STANDARD_DPI
    if not PICTURE_DPI_MIN <= dpi <= PICTURE_DPI_MAX:
        raise BadInput(f"DPI={dpi:g}: give {PICTURE_DPI_MIN:g} to {PICTURE_DPI_MAX:g}", code=INVALID)
    return dpi


def size_of(asked: Asked) -> tuple[int, int]:
    """WIDTH and HEIGHT in pixels. Raises BadInput."""
    width = whole(asked.needed("WIDTH"), "WIDTH", 1, PICTURE_SIDE_MAX)
    return width, whole(asked.needed("HEIGHT"), "HEIGHT", 1, PICTURE_SIDE_MAX)


def view_of(asked: Asked, version: Version) -> View:
    """Frame of the picture asked for. Raises BadInput with the codes of the version."""
    width, height = size_of(asked)
    crs = system(asked.needed("CRS") if version == "1.3.0" else asked.needed("SRS"), version)
    box = box_of(asked, crs, version)
    if min((box[2] - box[0]) / width, (box[3] - box[1]) / height) < 1e-12:
        raise BadInput("BBOX is too small to be told apart from a point", code=INVALID)
    return View(drawn_as(crs), box, width, height, dpi_of(asked))


def background_of(asked: Asked) -> str:
    """BGCOLOR as ``#rrggbb``; white when not given. Raises BadInput."""
    text = asked.text("BGCOLOR")
    if text and not re.fullmatch(r"0[xX][0-9A-Fa-f]{6}", text):
        raise BadInput(f"BGCOLOR={text[:40]!r} is no colour; give 0xRRGGBB", code=INVALID)
    return f"#{text[2:].lower()}" if text else "#ffffff"


def count_of(asked: Asked) -> int:
    """FEATURE_COUNT: most features a layer may tell; 1 when not given. Raises BadInput."""
    text = asked.text("FEATURE_COUNT")
    return min(whole(text, "FEATURE_COUNT", 1, 999_999_999), WMS_FEATURES_MAX) if text else 1


def pixel_of(asked: Asked, version: Version, view: View) -> tuple[int, int]:
    """The pixel asked about: I and J of 1.3.0, X and Y of 1.1.1. Raises BadInput (InvalidPoint)."""
    pixel = []
    for names, side in ((("I", "X"), view.width), (("J", "Y"), view.height)):
        text = asked.needed(*(names if version == "1.3.0" else reversed(names)))
        if not _WHOLE.fullmatch(text) or int(text) >= side:
            raise BadInput(f"{names[0]}={text[:40]!r} lies outside the picture, 0 to {side - 1}", code="InvalidPoint")
        pixel.append(int(text))
    return pixel[0], pixel[1]
