"""An address taken apart by its own words alone, without a gazetteer.

Follows the order of GB/T 23705-2009 and GB/T 39609-2020 (region, street or lane, door, compound, building, unit, room)
but takes parts in any order and any of them missing. What a name really is only a gazetteer knows: `Gazetteer.search`.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, cast

from gisgrid.address.numbers import Reading, counted, readings
from gisgrid.address.sound import plain_english
from gisgrid.address.text import clean
from gisgrid.address.words import COMPOUND_ENDS, CROSSING_WORDS, FACILITY_ENDS

_HAN: Final = r"[^\W\da-z_]"
_AREA_STEPS: Final = (
    ("province", rf"{_HAN}{{2,7}}?(?:省|特别行政区|自治区)"),
    ("city", rf"{_HAN}{{1,7}}?(?:市|自治州|地区|盟)"),
    ("district", rf"{_HAN}{{1,8}}?(?:示范区|开发区|高新区|新区|(?<![社小校园厂景院库])区(?!域)|县|旗|市)"),
    ("street", rf"{_HAN}{{1,7}}?(?:街道|(?<!城)镇|乡)"),
    ("community", rf"{_HAN}{{1,7}}?(?:社区|(?<!新)村(?![路街巷道大东西南北]))"),
)
_STEPS: Final = tuple((name, re.compile(pattern)) for name, pattern in _AREA_STEPS)
_ROAD: Final = re.compile(
    rf"(?P<road>(?:{_HAN}|\d{{1,3}}(?=[路街里条]))(?:{_HAN}|\d(?!\d{{3}}))*?(?:大道|大街|胡同|公路|支路|环路|路|街(?!道)|(?<!\d)巷|(?<!\d)道)"
    rf"(?:[东西南北中]段)?(?:\d{{1,3}}(?:巷|弄(?!\d)|条|支路|支弄|胡同))?|{_HAN}{{1,8}}?\d{{1,3}}(?:巷|条|胡同))"
)
_COMPOUND_END: Final = "|".join(end for end in COMPOUND_ENDS if len(end) > 1)
_COMPOUND: Final = re.compile(
    rf"(?:{_HAN}|\d(?=期|村))+?(?:{_COMPOUND_END}|苑|府)(?!大道|大街|[路街巷道])(?:\d期|[东西南北]区|[a-z]区)?"
)
_PLACE: Final = re.compile(rf"{_HAN}{{2,14}}?(?:{'|'.join(FACILITY_ENDS)})")
_NAME: Final = re.compile(rf"{_HAN}{{2,14}}")
_CROSSING: Final = re.compile("|".join(CROSSING_WORDS))


@dataclass(frozen=True, slots=True)
class Parsed:
    """The parts of an address; an empty part was not told. ``text`` is the plain form that was read."""

    text: str
    province: str = ""
    city: str = ""
    district: str = ""
    street: str = ""
    community: str = ""
    road: str = ""
    crossing_road: str = ""
    door: str = ""
    compound: str = ""
    building: str = ""
    unit: str = ""
    floor: str = ""
    room: str = ""
    facility: str = ""
    near: bool = False

    def parts(self) -> dict[str, str]:
        """The parts that were told, in order."""
        return {name: value for name, value in asdict(self).items() if name not in ("text", "near") and value}


def parse(text: str) -> Parsed:
    """Take an address apart. Raises BadInput where the text cannot be one (see `gisgrid.address.text.check_text`)."""
    cleaned = clean(text)
    return parse_plain(plain_english(cleaned.text), near=cleaned.vague)


def parse_plain(text: str, *, near: bool = False) -> Parsed:
    """`parse` for text already in plain form."""
    reading = readings(text)[0]
    out = Parsed(
        text, door=_door(reading), building=_with(reading.building, "栋"),
        unit=_with(reading.unit, "单元"), floor=_with(reading.floor, "层"), room=_with(reading.room, "室"), near=near,
    )  # fmt: skip
    return _names(out, text) if re.search(_HAN, _counts_cut(text)) else _latin_names(out, text)


def _door(reading: Reading) -> str:
    if reading.door is None:
        return ""
    return f"{reading.lane}弄" if reading.door.main == reading.lane else str(reading.door)


def _with(value: str, word: str) -> str:
    return value + word if value else ""


def _counts_cut(text: str) -> str:
    """The text with numbers and what they count as bars."""
    for item in reversed(counted(text)):
        text = text[: item.start] + "|" + text[item.end :]
    return re.sub(r"[\s,,;;、/&+]+", "|", text)


def _names(out: Parsed, text: str) -> Parsed:
    """Area, road, compound and facility names between the numbers."""
    rest = _counts_cut(text)
    crossing = _CROSSING.search(rest) is not None
    found: dict[str, list[str]] = {}
    for piece in re.split(r"\||(?<=[路街道巷])[与和]", _CROSSING.sub("|", rest)):
        while len(piece) > 1:
            part, size = _first_name(piece)
            found.setdefault(part, []).append(piece[:size])
            piece = piece[size:]
    roads = list(dict.fromkeys(found.pop("road", [])))
    others = found.pop("name", [])
    if others and "compound" not in found:
        found["compound"] = others[:1]
    told = {part: "".join(dict.fromkeys(names)) if part == "district" else names[0] for part, names in found.items()}
    out = replace(out, **cast("dict[str, Any]", told))
    if roads:
        out = replace(out, road=roads[0])
    if len(roads) > 1 and (crossing or not out.door):
        out = replace(out, crossing_road=roads[1])
    return out


def _first_name(piece: str) -> tuple[str, int]:
    """What the text between two numbers begins with, and how long that is."""
    for part, pattern in _STEPS:
        if found := pattern.match(piece):
            return part, found.end()
    road, compound = _ROAD.match(piece), _COMPOUND.match(piece)
    if compound and not (road and road.end() <= compound.end()):
        return "compound", compound.end()
    if road:
        return "road", road.end()
    if place := _PLACE.match(piece):
        return "facility", place.end()
    return "name", len(piece)


def _latin_names(out: Parsed, text: str) -> Parsed:
    """The same for English and pinyin: parts between commas, the road is the one that ends in lu, jie, dadao."""
    pieces = [p.strip() for p in re.split(r"[|,;]", re.sub(r"\d+\s?(?:[^\W\da-z_]+)?", "|", text)) if p.strip()]
    for piece in pieces:
        words = piece.split()
        if words[-1] in ("lu", "jie", "dadao", "xiang") or re.search("(?:lu|jie|dadao)$", piece):
            out = replace(out, road=out.road or piece)
        elif words[-1] in ("qu", "jiedao", "shequ", "shi", "sheng"):
            part = {"qu": "district", "jiedao": "street", "shequ": "community", "shi": "city", "sheng": "province"}
            out = replace(out, **cast("dict[str, Any]", {part[words[-1]]: piece}))
        else:
            out = replace(out, compound=out.compound or piece)
    return out
