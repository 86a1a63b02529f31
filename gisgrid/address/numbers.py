"""The numbers of an address and what they count: door, building, unit, floor, room.

Text is in the plain form of `gisgrid.address.text`. One text may be read in several ways (云溪路3-2 is door 3-2, or
door 3 building 2): every reading carries a penalty in nats, and the gazetteer decides.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, cast

from gisgrid.address.words import COMPOUND_ENDS, NAME_WORDS, ROAD_ENDS

NONE: Final = -1
"""Code of a number that is not told."""
_STEMS: Final = "甲乙丙丁戊己庚辛"


@dataclass(frozen=True, slots=True)
class Door:
    """A door number: 甲12-3号 is main 12, sub "甲-3"."""

    main: int
    sub: str = ""

    @property
    def code(self) -> int:
        """A whole number for the part after the main number; 0 for none."""
        return code_of(self.sub) if self.sub else 0

    def __str__(self) -> str:
        head, tail = (self.sub[0], self.sub[1:]) if self.sub[:1] in _STEMS and self.sub else ("", self.sub)
        return f"{head}{self.main}{tail}号"


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read the numbers; ``penalty`` in nats, ``lane`` the number of a 弄."""

    door: Door | None = None
    building: str = ""
    unit: str = ""
    floor: str = ""
    room: str = ""
    lane: int = NONE
    loose: bool = False
    """Whether the door is a number with nothing behind it; one with 号 takes its place."""
    penalty: float = 0.0


@lru_cache(maxsize=100_000)
def code_of(text: str) -> int:
    """A whole number for a building, unit or door suffix: its value where it is plain digits, else a checksum.

    Raises nothing; empty text is `NONE`.
    """
    if not text:
        return NONE
    if text.isascii() and text.isdigit() and len(text) < 7:
        return int(text)
    return (1 << 24) + zlib.crc32(text.encode()) % (1 << 30)


_LETTER: Final = "[a-z甲乙丙丁戊己庚辛东西南北中]"
_NUM: Final = r"(?:[a-z甲乙丙丁戊己庚辛]-?)?\d{1,6}(?:[a-z甲乙丙丁戊](?![a-z]))?(?:\s?[-之附/]\s?[a-z]?\d{1,5})*"
_COUNTED: Final = re.compile(
    rf"(?P<num>{_NUM})\s?"
    r"(?P<unit>号楼|栋楼|幢楼|#楼|号院|号房|号门|号附\d{1,4}号?|号之\d{1,4}|号[甲乙丙丁戊](?![区座栋幢])|号|弄|栋|幢|座|"
    r"楼栋|单元门|单元|门洞|门栋|门(?!口|前|卫|诊|店|面|市)|梯|层|楼(?!下|上|道|顶|梯)|室|户(?!外)|房间|房(?!子|屋|产)|#)?"
)
_LETTERED: Final = re.compile(rf"(?P<num>(?<![a-z]){_LETTER}\d{{0,2}})\s?(?P<unit>号楼|栋|幢|座|单元)")
_IN_NAME: Final = re.compile("|".join(NAME_WORDS))
_ROAD_BEFORE: Final = re.compile("(?:" + "|".join(ROAD_ENDS) + r"|lu|jie|dadao|xiang)\s?$")
_COMPOUND_BEFORE: Final = re.compile("(?:" + "|".join(COMPOUND_ENDS) + r"|村|社区)\s?$")
_PART: Final = {
    "号楼": "building", "栋楼": "building", "幢楼": "building", "#楼": "building", "栋": "building", "幢": "building",
    "座": "building", "楼栋": "building", "单元": "unit", "单元门": "unit", "门洞": "unit", "门栋": "unit",
    "门": "unit", "梯": "unit", "层": "floor", "室": "room", "户": "room", "号房": "room", "房间": "room",
    "房": "room", "号院": "door", "号门": "number", "号": "number", "弄": "lane", "楼": "storey", "#": "hash",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counted:
    """One number in the text: what it counts (``kind``), its text, its place, what stands before it."""

    kind: str
    value: str
    start: int
    end: int
    before: str
    latin: bool
    """Whether a Latin word follows: 12 Wenquan Road."""


def counted(text: str) -> list[Counted]:
    """The numbers of a text in order, those inside names (二巷, 三期) left out."""
    found: list[Counted] = []
    at = 0
    while at < len(text):
        match = _next(text, at)
        if match is None:
            break
        unit = match["unit"] or ""
        at = match.end()
        if not unit and _IN_NAME.match(text, at):
            continue
        value, kind = match["num"].replace(" ", ""), _PART.get(unit, "bare" if not unit else "number")
        if unit not in _PART and unit:  # 12号附3, 12号之3, 12号甲
            value += "-" + re.sub(r"\D", "", unit) if re.search(r"\d", unit) else unit[1:]
        found.append(Counted(kind, value, match.start(), at, _before(text, match.start()), _latin(text, at)))
    return found


def _next(text: str, at: int) -> re.Match[str] | None:
    number, letter = _COUNTED.search(text, at), _LETTERED.search(text, at)
    if number is None or (letter is not None and letter.start() < number.start()):
        return letter
    return number


def _before(text: str, at: int) -> str:
    """``road``, ``compound`` or nothing: the kind of name that ends right before the number."""
    head = text[max(0, at - 8) : at]
    if _ROAD_BEFORE.search(head):
        return "road"
    return "compound" if _COMPOUND_BEFORE.search(head) else ""


def _latin(text: str, at: int) -> bool:
    tail = text[at : at + 3].lstrip()
    return len(tail) > 1 and tail[:2].isascii() and tail[:2].isalpha()


def door_of(text: str) -> Door | None:
    """The door number a plain text says: 12, 12-1, 12附3, 甲12, 12a, 123弄5."""
    match = re.search(r"\d{1,6}", text)
    if match is None:
        return None
    head, tail = text[: match.start()].strip("- "), text[match.end() :]
    letter = re.match(r"\s*([a-z甲乙丙丁戊己庚辛])(?![a-z])", tail)
    subs = re.findall(r"\d+", tail)
    sub = head[-1:] if head[-1:].isalpha() and head[-1:] in _STEMS + "abcdefghijk" else ""
    sub += letter[1] if letter else ""
    return Door(int(match[0]), sub + "".join(f"-{int(number)}" for number in subs))


def plain_number(text: str) -> str:
    """A building, unit or room as compared: 3栋, 03号楼, 第三幢 → 3; A座 → a. Text in plain form."""
    core = re.sub(r"号楼|栋楼|楼栋|单元门|单元|门洞|号房|[栋幢座楼门梯层室户房号#第\s-]", "", text)
    return re.sub(r"(?<!\d)0+(?=\d)", "", core)


def readings(text: str) -> list[Reading]:
    """The ways to read the numbers of a text in plain form, likeliest first; at least one."""
    out = [Reading()]
    items = counted(text)
    for i, item in enumerate(items):
        follow = items[i + 1 :]
        out = [more for reading in out for more in _take(reading, item, follow)]
        out = sorted(out, key=lambda reading: reading.penalty)[:6]
    return out


def _take(reading: Reading, item: Counted, follow: list[Counted]) -> list[Reading]:
    """The readings that come of one more number."""
    value = plain_number(item.value)
    if item.kind in ("building", "unit", "room", "floor"):
        if item.kind == "building" and "-" in item.value:
            return _group(reading, item)
        return [replace(reading, **cast("dict[str, Any]", {item.kind: getattr(reading, item.kind) or value}))]
    if item.kind == "lane":
        door = door_of(item.value)
        if door is None:
            return [reading]
        return [replace(reading, lane=door.main, door=reading.door or door)]
    if item.kind == "door":
        return [replace(reading, door=reading.door or door_of(item.value))]
    if item.kind == "storey":
        later = any(other.kind in ("unit", "hash") for other in follow)
        if not reading.building and (later or item.before == "compound"):
            return [
                replace(reading, building=value),
                *([] if later else [replace(reading, floor=value, penalty=reading.penalty + 0.5)]),
            ]
        return [replace(reading, floor=reading.floor or value)]
    if item.kind == "number":
        return _number(reading, item, value)
    if item.kind == "hash":
        return _hash(reading, item, value)
    return _group(reading, item) if "-" in item.value or "/" in item.value else _bare(reading, item, value, follow)


def _number(reading: Reading, item: Counted, value: str) -> list[Reading]:
    """X号: a door; behind a compound perhaps a building, behind a lane 弄 a building, behind a unit a room."""
    door = door_of(item.value)
    if reading.loose:
        told = replace(reading, door=door, loose=False, penalty=reading.penalty + 0.1)
        return [told, *_number(replace(reading, loose=False, penalty=reading.penalty + 0.8), item, value)]
    if reading.door is None and item.before == "road":
        return [replace(reading, door=door)]
    if reading.unit or reading.floor or (reading.building and reading.door):
        return [replace(reading, room=reading.room or value)]
    as_building = replace(reading, building=reading.building or value)
    if reading.door is not None:
        if reading.building or reading.lane != NONE:
            return [as_building] if not reading.building else [replace(reading, room=reading.room or value)]
        return [replace(as_building, penalty=reading.penalty + (0.0 if item.before == "compound" else 0.7)), reading]
    as_door = replace(reading, door=door)
    if item.before == "compound" and not reading.building:
        return [replace(as_building, penalty=reading.penalty + 0.2), replace(as_door, penalty=reading.penalty + 0.4)]
    return [as_door]


def _hash(reading: Reading, item: Counted, value: str) -> list[Reading]:
    """3#: a building, or a door behind a road."""
    as_building = replace(reading, building=reading.building or value)
    as_door = replace(reading, door=reading.door or door_of(item.value))
    if reading.door is not None or item.before == "compound":
        return [as_building]
    late = 0.0 if item.before == "road" else 1.0
    return [
        replace(as_door, penalty=reading.penalty + late),
        replace(as_building, penalty=reading.penalty + 1.0 - late),
    ]


def _group(reading: Reading, item: Counted) -> list[Reading]:
    """Numbers joined by dashes: 3-2-501, 3-501, 3-2, or a door with its sub-number."""
    parts = [plain_number(part) for part in re.split("[-/]", re.sub("[之附]", "-", item.value)) if part]
    penalty = reading.penalty
    out: list[Reading] = []
    if reading.door is None and item.before != "compound" and len(parts) <= 3 and not reading.building:
        out.append(replace(reading, door=door_of(item.value), penalty=penalty + (0.1 if len(parts) == 2 else 1.5)))
        out.append(_house(replace(reading, door=door_of(parts[0])), parts[1:], penalty + 1.0))
    out.append(_house(reading, parts, penalty + (0.1 if item.before != "road" or reading.door else 0.8)))
    return out


def _house(reading: Reading, parts: list[str], penalty: float) -> Reading:
    """Building, unit, room in this order, those told already passed over; three digits are a room."""
    for part in parts:
        if len(part) >= 3 and part.isdigit() and (reading.building or reading.door):
            reading = replace(reading, room=reading.room or part)
        elif not reading.building:
            reading = replace(reading, building=part)
        elif not reading.unit:
            reading = replace(reading, unit=part)
        else:
            reading = replace(reading, room=reading.room or part)
    return replace(reading, penalty=penalty)


def _bare(reading: Reading, item: Counted, value: str, follow: list[Counted]) -> list[Reading]:
    """A number with nothing behind it."""
    if reading.building or reading.unit or reading.floor:
        if reading.door is None and (item.before == "road" or item.latin):
            return [replace(reading, door=door_of(item.value))]
        if reading.building and not reading.unit and len(value) < 3 and reading.door is not None:
            return [replace(reading, unit=value), replace(reading, room=value, penalty=reading.penalty + 0.7)]
        if reading.door is None and item.before != "compound":
            return [
                replace(reading, room=value),
                replace(reading, door=door_of(item.value), penalty=reading.penalty + 0.3),
            ]
        return [replace(reading, room=reading.room or value)]
    if reading.door is None:
        as_door = replace(reading, door=door_of(item.value), loose=True)
        if item.before == "compound":
            return [replace(reading, building=value), replace(as_door, penalty=reading.penalty + 0.7)]
        far = 0.0 if item.before == "road" or not follow else 0.3
        return [replace(as_door, penalty=reading.penalty + far)]
    if len(value) >= 3:
        return [replace(reading, room=value), replace(reading, building=value, penalty=reading.penalty + 1.5)]
    return [replace(reading, building=value), replace(reading, room=value, penalty=reading.penalty + 0.7)]
