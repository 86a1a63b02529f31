"""What in a text speaks against an answer: another ending, another lane, a place outside.

Leaving 花园 or 路 out is how people talk; saying another word instead names another place. Such a name costs what a
wrong character costs or more, and is never sure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from gisgrid.address.endings import Ending
from gisgrid.address.names import LEAST_SCORE, Found, NameIndex
from gisgrid.address.sound import spoken
from gisgrid.address.words import (
    AREA,
    AREA_ENDS,
    COMPOUND,
    COMPOUND_ENDS,
    FACILITY,
    FACILITY_ENDS,
    OUTSIDE,
    OUTSIDE_ENGLISH,
    ROAD,
    ROAD_ENDS,
    SPOKEN_ENDS,
)

if TYPE_CHECKING:
    from gisgrid.address.scoring import Evidence

OTHER_WORD: Final = 4.0
"""Another ending of the same kind (家园 for 雅居), in nats."""
OTHER_KIND: Final = 9.0
"""An ending of another kind (医院, 路 for a compound), in nats."""
NAMED: Final = 8.0
"""An area named at least this well is believed about what lies above it, in nats."""
ANY_COMPOUND: Final = "小区"
"""People call every compound so."""
_WORDS: Final = {
    **dict.fromkeys(AREA_ENDS, AREA), **dict.fromkeys(COMPOUND_ENDS, COMPOUND), **dict.fromkeys(ROAD_ENDS, ROAD),
    **dict.fromkeys(FACILITY_ENDS, FACILITY),
}  # fmt: skip
_SAID: Final = re.compile(
    "(?=("
    + "|".join(
        # one character alone may begin the next name; 路, 街 and 苑 do not
        word if len(word) > 1 or word in "路街苑" else word + r"(?![^\W\da-z_])"
        for word in sorted(_WORDS, key=len, reverse=True)
    )
    + "))"
)
_SAID_LATIN: Final = re.compile(r"[a-z]{2,}")
_LANE: Final = re.compile(r"(\d+)\s?(?:巷|条|支弄|胡同|xiang|tiao)")
_HAN: Final = r"[^\W\da-z_]"
_AFAR: Final = re.compile(
    rf"{_HAN}{{2}}(?:省|自治区|特别行政区|自治州)|"
    rf"{_HAN}(?<![超菜夜门城花鸟鱼])市(?![场政民委医中立区])|"
    rf"{_HAN}(?<![社小校园厂景院库活宅属舍东西南北中矿地片])(?<!老城)区(?![域别间])|"
    rf"{_HAN}{{2}}(?:县|(?<![红国])旗)(?![医城政])|{_HAN}{{2}}街道|"
    rf"{_HAN}{{2}}(?<![城集])镇(?![政中医卫])|{_HAN}{{2}}(?<![老家同城])乡(?![政村镇])|"
    rf"(?:{'|'.join(OUTSIDE)})(?!{_HAN}?[路街巷道]|大[街道])"
)
_ABOVE: Final = re.compile(rf"{_HAN}{{2,3}}?(?:省|(?<![超菜夜门城])市(?![场政民委医中立]))")
_AFAR_LATIN: Final = re.compile(
    rf"[a-z]{{4,}}\s(?:qu|sheng|jiedao)\b|\b(?:{'|'.join(OUTSIDE_ENGLISH)})\b(?!\s(?:lu|jie))"
)


@dataclass(frozen=True, slots=True)
class Said:
    """``words`` said in place of the ending of a name (by number), ``alone`` those names whose stem no other has."""

    words: dict[int, str]
    alone: frozenset[int]


def without_other_endings(index: NameIndex, text: str, found: Found) -> tuple[Found, Said]:
    """Names found, those that the text gives another ending lowered; and which those are."""
    at = {m.start(): m[1] for m in _SAID.finditer(text)}
    latin = [(m.start(), m[0]) for m in _SAID_LATIN.finditer(text) if m[0] in SPOKEN_ENDS]
    above = [m.span() for m in _ABOVE.finditer(text)]
    if not at and not latin and not above:
        return found, Said({}, frozenset())
    score, words = found.score.copy(), {}
    for i, (number, first, last) in enumerate(
        zip(found.name.tolist(), found.first.tolist(), found.last.tolist(), strict=True)
    ):
        kind = index.names[number].kind
        if kind == FACILITY:
            continue
        if kind == AREA and score[i] < NAMED and any(first < b and a < last for a, b in above):
            score[i] = 0.0  # 济宁市 is no slip for 宁澜街道
            continue
        ending = index.ending(number)
        if text[first : first + 1].isascii():
            word, other = _latin_instead(ending, kind, latin, first, last)
        else:
            word, other = _instead(ending, kind, text, at, first, last)
        if word:
            words[number] = word
            score[i] -= other
    kept = score >= LEAST_SCORE
    alone = frozenset(n for n, word in words.items() if word == ANY_COMPOUND and _alone(index, found, n))
    return replace(found, name=found.name[kept], score=score[kept], first=found.first[kept], last=found.last[kept]), (
        Said(words, alone)
    )


def _alone(index: NameIndex, found: Found, number: int) -> bool:
    stem = index.ending(number).stem
    return not any(n != number and index.ending(n).stem == stem for n in found.name.tolist())


def _instead(ending: Ending, kind: int, text: str, at: dict[int, str], first: int, last: int) -> tuple[str, float]:
    """The word the text has where the name has its ending, and what that costs."""
    end, size = ending.end, len(ending.stem)
    if end and text.find(end, first + 1, last + len(end)) >= 0:
        return "", 0.0
    places = (size,) if text.startswith(ending.stem, first) else (size, size - 1, size + 1)
    word = next((at[first + p] for p in places if p > 0 and first + p in at), "")
    if not word or (end and end.endswith(word)) or (kind == ROAD and end and word.endswith(end)):
        return "", 0.0
    said = AREA if word == "村" and kind == COMPOUND else _WORDS[word]
    if word == ANY_COMPOUND and kind == COMPOUND:
        return (word, 0.0) if end else ("", 0.0)
    if said == kind:
        return ("", 0.0) if not end or kind == AREA or spoken(word) == spoken(end) else (word, OTHER_WORD)
    return word, OTHER_KIND


def _latin_instead(ending: Ending, kind: int, words: list[tuple[int, str]], first: int, last: int) -> tuple[str, float]:
    here = [word for start, word in words if first + 2 <= start <= last + 2]
    if not here or any(end.endswith(word) for word in here for end in ending.latin):
        return "", 0.0
    word = here[0]
    said = SPOKEN_ENDS[word]
    if word == "xiaoqu" and kind == COMPOUND:
        return ANY_COMPOUND, 0.0
    if said == kind:
        return ("", 0.0) if kind == AREA else (word, OTHER_WORD)
    return word, OTHER_KIND


def doubted(
    index: NameIndex, evidence: Evidence, names: tuple[int, ...], spans: tuple[tuple[str, int, int], ...],
    outer: frozenset[str], *, agreed: bool, door: bool = False,
) -> bool:  # fmt: skip
    """Whether the text contradicts an answer made of these names. ``agreed``: a number of it is registered so.

    ``door`` says that the road and its door are registered so: what the compound there is called hardly matters.
    """
    for name in names:
        word = evidence.said.words.get(name, "")
        if word and not (word == ANY_COMPOUND and (door or (name in evidence.said.alone and agreed))):
            return True
        if index.names[name].kind == ROAD and _other_lane(index.ending(name), evidence, name):
            return True
    return _elsewhere(index, evidence, spans, outer)


def _other_lane(ending: Ending, evidence: Evidence, name: int) -> bool:
    """Whether the text says a lane of this road by number, and not this one."""
    first, last = int(evidence.first[name]), int(evidence.last[name])
    told = [int(m[1]) for m in _LANE.finditer(evidence.text, first, last + 10) if m.start() <= last + 2]
    return bool(told) and ending.lane not in told


def _elsewhere(
    index: NameIndex, evidence: Evidence, spans: tuple[tuple[str, int, int], ...], outer: frozenset[str]
) -> bool:
    """Whether the text names a province, city, district or town that is not ours, and nothing of ours beneath it."""
    if not evidence.area_score.size and not outer:
        return False
    used = [(a, b) for part, a, b in spans if part not in ("district", "street", "community")]
    ours, covered = [], list(used)
    for area in evidence.areas:
        first, last = int(evidence.area_first[area]), int(evidence.area_last[area])
        if all(last <= a or first >= b for a, b in used):
            covered.append((first, last))
            if evidence.area_score[area] >= NAMED:
                ours.append(first)
    for name in np.concatenate([evidence.roads, evidence.compounds, evidence.facilities]).tolist():
        first, last = int(evidence.first[name]), int(evidence.last[name])
        if evidence.text[first:last] == index.ending(name).full:
            covered.append((first, last))
    text = list(evidence.text)
    for first, last in covered:
        text[first:last] = "|" * (last - first)
    masked = "".join(text)
    for afar in _AFAR.finditer(masked):
        known = masked[: afar.end()].endswith(tuple(outer)) if outer else False
        if not known and not any(first >= afar.end() - 1 for first in ours):
            return True
    return not ours and _AFAR_LATIN.search(masked) is not None
