"""An index over the names of roads, compounds, areas and facilities that finds them in messy text.

Every name has patterns: its characters, its pinyin, its English form, its nicknames. Postings by syllable (characters)
or three letters (pinyin) give the patterns worth trying; `kernels.align` says how well each fits, and where.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gisgrid.address import kernels
from gisgrid.address.endings import LANE, Ending, ending_of, generic_end, usual_ends
from gisgrid.address.numbers import counted
from gisgrid.address.sound import plain_english, rough, spoken, syllable
from gisgrid.address.text import numerals
from gisgrid.address.words import (
    AREA,
    AREA_ENDS,
    COMPOUND,
    COMPOUND_ENDS,
    FACILITY,
    FACILITY_ENDS,
    ROAD,
    ROAD_ENDS,
)

MOST_TRIED: Final = 900
"""Patterns aligned with one text, at most."""
LEAST_SCORE: Final = 1.0
"""Names that fit worse are not worth keeping, in nats."""
STRONG: Final = 9.5
"""A name found letter by letter that weighs this much explains its stretch of the text, in nats."""
_CHAR_GAIN, _SOFT_GAIN, _NUMBER_GAIN, _LETTER_GAIN = 6.0, 0.7, 3.5, 1.8
_SYMBOL: Final = re.compile(r"\d{1,9}|.", re.DOTALL)
_WRITTEN: Final = re.compile(r"\d{1,9}|\S")
_LANE_SPOKEN: Final = re.compile("[一二三四五六七八九十百0-9]+(?:巷|弄|条|支弄|胡同)$")
_LANE_OF: Final = re.compile(
    r"(?:大道|大街|路|街|道|lu|jie|dadao)?\s?(?=(\d+\s?)(?:巷|弄|条|支弄|胡同|xiang|nong|tiao))"
)
_LETTER_LANE_OF: Final = re.compile("(?:lu|jie|dadao)?(?=\x01(?:xiang|nong|tiao))")
_SINGLE_OUT: Final = frozenset("城庭居园院湾轩邸阁寓郡里条坊线州盟旗屯庄道")
_AFTER_KIND: Final = {
    **dict.fromkeys(FACILITY_ENDS, 3), **dict.fromkeys(COMPOUND_ENDS, COMPOUND), **dict.fromkeys(ROAD_ENDS, ROAD),
    **dict.fromkeys(AREA_ENDS, AREA), "lu": ROAD, "jie": ROAD, "dadao": ROAD, "huayuan": COMPOUND, "xiaoqu": COMPOUND,
    "gongyu": COMPOUND, "jiayuan": COMPOUND, "xincun": COMPOUND, "jiedao": AREA, "shequ": AREA,
}  # fmt: skip
_GENERIC: Final = re.compile(
    "(?=(" + "|".join(sorted((w for w in _AFTER_KIND if w not in _SINGLE_OUT), key=len, reverse=True)) + "))"
)
_SOFT_WORDS: Final = (
    "huayuan", "xiaoqu", "gongyu", "jiayuan", "xincun", "jiedao", "shequ", "dadao", "xiang", "jie", "lu", "qu", "cun",
    "zhen", "guangchang", "dasha",
)  # fmt: skip
_DROP: Final = {ROAD: 3.3, COMPOUND: 3.3, AREA: 3.3, FACILITY: 5.5}
_DROP_SOFT: Final = {ROAD: 0.5, COMPOUND: 0.5, AREA: 0.5, FACILITY: 8.0}
_SWAP_SOFT: Final = {ROAD: 1.4, COMPOUND: 1.4, AREA: 1.4, FACILITY: 8.0}
"""Who drops 服务站 means another place; who drops 路 does not."""
Keys = Callable[["Query", Any], npt.NDArray[np.int64]]
_LATIN: Final = re.compile(r"[a-z]{2}")


@dataclass(frozen=True, slots=True)
class Name:
    """One name: ``text`` in plain form, ``spellings`` further forms in plain form (English, nicknames)."""

    kind: int
    text: str
    spellings: tuple[str, ...] = ()


@dataclass(slots=True)
class Query:
    """A text ready to be searched: symbols, and where each stands in ``text``."""

    text: str
    sym: npt.NDArray[np.int32]
    syl: npt.NDArray[np.int32]
    rough: npt.NDArray[np.int32]
    at: npt.NDArray[np.int32]
    upto: npt.NDArray[np.int32]
    key: npt.NDArray[np.int32]
    lane_after: npt.NDArray[np.bool_]
    kind_at: npt.NDArray[np.int8]
    inside: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Found:
    """Names found: row i says name ``name[i]`` scores ``score[i]`` nats and stands at text[first[i]:last[i]]."""

    name: npt.NDArray[np.int32]
    score: npt.NDArray[np.float64]
    first: npt.NDArray[np.int32]
    last: npt.NDArray[np.int32]


@dataclass(slots=True)
class _Patterns:
    """Patterns being collected."""

    sym: list[int] = field(default_factory=list)
    syl: list[int] = field(default_factory=list)
    rough: list[int] = field(default_factory=list)
    gain: list[float] = field(default_factory=list)
    drop: list[float] = field(default_factory=list)
    swap: list[float] = field(default_factory=list)
    start: list[int] = field(default_factory=lambda: [0])
    name: list[int] = field(default_factory=list)
    kind: list[int] = field(default_factory=list)
    lane: list[bool] = field(default_factory=list)
    need: list[int] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)
    keys: list[list[int]] = field(default_factory=list)


class NameIndex:
    """Names by sound and letter. ``names`` keep the order given: a name's id is its place."""

    def __init__(self, names: Sequence[Name]) -> None:
        self.names = tuple(names)
        self._syllables: dict[str, int] = {}
        self._learnt = usual_ends(name.text for name in names if name.kind == COMPOUND)
        self._endings: dict[int, Ending] = {}
        han, latin = _Patterns(), _Patterns()
        for number, name in enumerate(self.names):
            self._add(han, latin, number, name)
        self._han, self._latin = _Packed(han, len(self._syllables)), _Packed(latin, 27**3)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self._han.nbytes + self._latin.nbytes

    def ending(self, number: int) -> Ending:
        """What a name ends in; worked out when first asked for."""
        if (known := self._endings.get(number)) is None:
            name = self.names[number]
            known = self._endings[number] = ending_of(name.kind, name.text, name.spellings, self._learnt)
        return known

    def _id(self, said: str) -> int:
        return self._syllables.setdefault(said, len(self._syllables)) if said else -1

    def _add(self, han: _Patterns, latin: _Patterns, number: int, name: Name) -> None:
        letters: dict[str, tuple[str, str]] = {}
        for text in dict.fromkeys((name.text, *name.spellings)):
            if text.isascii():
                form = plain_english(text)
                letters.setdefault(_squeezed(form), (_soft_letters(form),) * 2)
                continue
            self._add_han(han, number, name.kind, text)
            for form in (text, numerals(text)):
                said = _spoken_by_parts(form)
                soft_at = self._soft_places(form, name.kind)
                chars = _by_char(form, said)
                soft = "".join("." * len(s) if i in soft_at else s for i, s in enumerate(chars))
                # a lane is looked for by the letters of its 街 too: with a slip few others are left
                keyed = soft if len(soft_at) < 2 or not _LANE_SPOKEN.search(form) else "".join(chars)
                letters.setdefault("".join(said), (soft, keyed))
        for text, (soft, keyed) in letters.items():
            _add_latin(latin, number, name.kind, text, soft, keyed)

    def _soft_places(self, form: str, kind: int) -> set[int]:
        """Places of the characters that only say what a name is: 街 and 巷 of 望波街四巷."""
        if kind == FACILITY:
            return set()
        lane = _LANE_SPOKEN.search(form)
        base = form[: lane.start()] if lane and lane.start() else form
        hard = len(base) - generic_end(base, kind, self._learnt)
        out = {i for i in range(hard, len(base)) if not form[i].isdigit()}
        if len(base) < len(form):
            out |= {i for i in range(len(base), len(form)) if form[i] in "巷弄条支胡同"}
        return out

    def _add_han(self, out: _Patterns, number: int, kind: int, original: str) -> None:
        text = numerals(original)
        lane = LANE.search(text)
        base = text[: lane.start()] if lane and lane.end() == len(text) else text
        hard = len(base) - generic_end(base, kind, self._learnt)
        keys = []
        for found in _SYMBOL.finditer(text):
            char, at = found[0], found.start()
            said = syllable(char)
            near = self._id("~" + rough(said)) if said else -1
            out.sym.append(_symbol(char))
            out.syl.append(self._id(said))
            out.rough.append(near)
            digit = char[0].isdigit()
            soft = at >= hard and not digit
            out.gain.append(_NUMBER_GAIN if digit else _SOFT_GAIN if soft else _CHAR_GAIN)
            out.drop.append(4.0 if digit else _DROP_SOFT[kind] if soft else _DROP[kind])
            out.swap.append(4.0 if digit else _SWAP_SOFT[kind] if soft else kernels.OTHER)
            if not soft and not digit:
                keys.append(near if near >= 0 else self._id("=" + char))
        if not keys:  # 一路 and 六巷 have nothing else to go by
            keys = [near if (near := self._id("~" + rough(syllable(c)))) >= 0 else self._id("=" + c) for c in base]
        _close(out, number, kind, bool(lane), keys, share=0.5, whole=1.0)

    def query(self, text: str) -> Query:
        """A text in plain form, ready for `find`."""
        symbols, at, upto = _symbols(text)
        known, said = self._syllables, [syllable(text[a : a + 1]) for a in at]
        near = [known.get("~" + rough(s), -2) if s else -2 for s in said]
        key = [n if s else known.get("=" + text[a], -2) for n, s, a in zip(near, said, at, strict=True)]
        return Query(
            text, np.array(symbols, np.int32), np.array([known.get(s, -2) if s else -2 for s in said], np.int32),
            np.array(near, np.int32), np.array(at, np.int32), np.array(upto, np.int32), np.array(key, np.int32),
            *_after(text, at, upto), np.zeros(len(at) + 1, np.bool_),
        )  # fmt: skip

    def find(self, text: str) -> Found:
        """The names that may stand in a text in plain form, each with its best place.

        Names found letter by letter come first; misspelt ones are looked for in what those leave unexplained.
        """
        query = self.query(text)
        open_ = np.ones(len(text) + 1, np.bool_)
        for item in counted(text):
            open_[item.start : item.end] = False
        parts = self._search(self._han, query, open_, self._syllable_keys)
        if _LATIN.search(text):
            parts += self._search(self._latin, _letters_of(text, query), open_, _letter_keys)
        name, score, first, last, _ = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        order = np.lexsort((first, -score, name))
        name = name[order]
        top = np.ones(len(name), np.bool_)
        top[1:] = name[1:] != name[:-1]
        kept = order[top]
        return Found(name[top], score[kept], first[kept], last[kept])

    def _search(self, packed: _Packed, query: Query, open_: Any, keys_of: Keys) -> list[tuple[Any, ...]]:
        whole = self._match(packed, query, keys_of(query, open_), packed.whole)
        left = open_.copy()
        strong = np.flatnonzero((whole[1] >= STRONG) & whole[4])
        for first, last in zip(whole[2][strong].tolist(), whole[3][strong].tolist(), strict=True):
            left[first:last] = False
        return [whole, self._match(packed, query, keys_of(query, left), packed.need)]

    def _syllable_keys(self, query: Query, open_: Any) -> npt.NDArray[np.int64]:
        use = query.key >= 0
        use &= open_[query.at]
        return np.unique(query.key[use]).astype(np.int64)

    def _match(self, packed: _Packed, query: Query, keys: npt.NDArray[np.int64], need: Any) -> tuple[Any, ...]:
        which = kernels.candidates(keys, packed.post_start, packed.post_items, need, MOST_TRIED)
        which, score, start, end = kernels.align_all(
            which, packed.start, packed.sym, packed.syl, packed.rough, packed.gain, packed.drop, packed.swap,
            packed.lane, packed.kind, query.sym, query.syl, query.rough, query.lane_after, query.kind_at, query.inside,
            LEAST_SCORE,
        )  # fmt: skip
        return packed.name[which], score, query.at[start], query.upto[end - 1], score >= packed.total[which] - 0.6


class _Packed:
    """Patterns as arrays, with postings."""

    def __init__(self, made: _Patterns, keys: int) -> None:
        self.sym, self.syl, self.rough = (np.array(v, np.int32) for v in (made.sym, made.syl, made.rough))
        self.gain, self.drop, self.swap = (np.array(v, np.float64) for v in (made.gain, made.drop, made.swap))
        self.start, self.name = np.array(made.start, np.int64), np.array(made.name, np.int32)
        self.kind, self.lane = np.array(made.kind, np.int8), np.array(made.lane, np.bool_)
        self.need, self.whole = np.array(made.need, np.int16), np.array(made.whole, np.int16)
        self.total = np.add.reduceat(np.append(self.gain, 0.0), self.start[:-1]) if len(self.name) else np.empty(0)
        pattern = np.repeat(np.arange(len(made.keys), dtype=np.int32), [len(k) for k in made.keys])
        key = np.array([k for keys in made.keys for k in keys], np.int64)
        order = np.argsort(key, kind="stable")
        self.post_items = pattern[order]
        self.post_start = np.searchsorted(key[order], np.arange(keys + 1)).astype(np.int64)

    @property
    def nbytes(self) -> int:
        return sum(value.nbytes for value in vars(self).values())


def _symbol(text: str) -> int:
    return kernels.NUMBER_BASE + min(int(text), 1 << 28) if text[0].isdigit() and text.isascii() else ord(text)


def _symbols(text: str) -> tuple[list[int], list[int], list[int]]:
    """Symbols of a text with their places; spaces are no symbols, other marks are."""
    out, at, upto = [], [], []
    for found in _WRITTEN.finditer(text):
        first, last = found.span()
        out.append(ord(text[first]) if last - first == 1 and not "0" <= text[first] <= "9" else _symbol(found[0]))
        at.append(first)
        upto.append(last)
    return out, at, upto


def _after(text: str, at: list[int], upto: list[int]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int8]]:
    """For each gap between symbols: whether a lane number follows, and the kind of a generic word that follows."""
    lane = np.zeros(len(at) + 1, np.bool_)
    kind = np.full(len(at) + 1, -1, np.int8)
    place = {start: i for i, start in enumerate(at)}
    for found in _LANE_OF.finditer(text):
        for start in range(found.start(), found.end(1)):
            if start in place:
                lane[place[start]] = True
    for found in _GENERIC.finditer(text):
        if found.start() in place:
            kind[place[found.start()]] = _AFTER_KIND[found[1]]
    return lane, kind


def _close(out: _Patterns, number: int, kind: int, lane: bool, keys: list[int], *, share: float, whole: float) -> None:
    """End one pattern."""
    distinct = sorted(set(keys))
    out.start.append(len(out.sym))
    out.name.append(number)
    out.kind.append(kind)
    out.lane.append(lane)
    out.keys.append(distinct)
    out.need.append(max(1, int(np.ceil(share * len(distinct)))))
    out.whole.append(max(1, int(np.ceil(whole * len(distinct)))))


# --- letters ------------------------------------------------------------------------------


def _squeezed(text: str) -> str:
    return re.sub(
        r"[^a-z0-9\u3400-\u9fff]", "", text.replace("巷", "xiang").replace("弄", "nong").replace("栋", "dong")
    )


def _spoken_by_parts(form: str) -> tuple[str, ...]:
    """Pinyin of a name; lanes share that of their road."""
    lane = _LANE_SPOKEN.search(form)
    if lane is None:
        return spoken(form)
    return spoken(form[: lane.start()]) + spoken(lane[0])


def _by_char(text: str, said: tuple[str, ...]) -> list[str]:
    return list(said) if len(said) == len(text) else ["".join(said)]


def _soft_letters(text: str) -> str:
    """The same letters with those of generic words as dots."""
    words = re.sub(
        r"[^a-z0-9 ]", " ", text.replace("巷", " xiang").replace("弄", " nong").replace("栋", " dong")
    ).split()
    return "".join("." * len(word) if i and word in _SOFT_WORDS else word for i, word in enumerate(words))


def _add_latin(out: _Patterns, number: int, kind: int, text: str, soft: str, keyed: str) -> None:
    """A pattern of letters; ``soft`` has dots for letters that say what it is, ``keyed`` where they give no key."""
    if len(soft) != len(text) or not text:
        soft = keyed = text
    stem: list[int] = []
    for found in _SYMBOL.finditer(text):
        char, at = found[0], found.start()
        digit, dotted = char[0].isdigit(), soft[at] == "."
        tail = at > 0 and text[at - 1 : at + 1] in ("ng", "zh", "ch", "sh")
        out.sym.append(_symbol(char))
        out.syl.append(-1)
        out.rough.append(-1)
        out.gain.append(_NUMBER_GAIN if digit else 0.2 if dotted else _LETTER_GAIN)
        out.drop.append(4.0 if digit else 0.12 if dotted else 1.4 if tail else _DROP[kind])
        out.swap.append(4.0 if digit else 0.5 if dotted else max(3.5, _DROP[kind]))
        stem.append(0 if keyed[at] == "." or digit else _symbol(char))
    letters = np.array([s for s in stem if s], np.int32)
    keys = [int(k) for k in _trigrams(letters if len(letters) else np.array([ord(c) for c in text], np.int32))]
    _close(out, number, kind, bool(LANE.search(text)), keys, share=0.25, whole=0.85)


def _trigrams(sym: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Distinct numbers of three letters in a row."""
    value = np.where((sym >= 97) & (sym <= 122), sym - 96, 0).astype(np.int64)
    if len(value) < 3:
        value = np.pad(value, (0, 3 - len(value)))
    return np.unique(value[:-2] * 729 + value[1:-1] * 27 + value[2:])


def _letter_keys(query: Query, open_: Any) -> npt.NDArray[np.int64]:
    return _trigrams(query.sym[open_[query.at]])


def _letters_of(text: str, query: Query) -> Query:
    """The text as letters: characters by their pinyin, every letter with the place it came from."""
    sym: list[int] = []
    at: list[int] = []
    upto: list[int] = []
    for symbol, first, last in zip(query.sym.tolist(), query.at.tolist(), query.upto.tolist(), strict=True):
        said = syllable(text[first : first + 1])
        for s in (ord(c) for c in said) if said else (symbol,):
            if s >= kernels.NUMBER_BASE or s >= 97:
                sym.append(s)
                at.append(first)
                upto.append(last)
    joined = "".join(chr(s) if s < kernels.NUMBER_BASE else "\x01" for s in sym)
    lane = np.zeros(len(sym) + 1, np.bool_)
    kind = np.full(len(sym) + 1, -1, np.int8)
    for found in _LETTER_LANE_OF.finditer(joined):
        lane[found.start() : found.end() + 2] = True
    for found in _GENERIC.finditer(joined):
        kind[found.start()] = _AFTER_KIND[found[1]]
    nothing = np.full(len(sym), -2, np.int32)
    inside = np.zeros(len(sym) + 1, np.bool_)
    letter = (np.array(sym) >= 97) & (np.array(sym) <= 122)
    place = np.array(at, np.int64)
    # a word begun in the middle; a character's own letters always hang together
    inside[1:-1] = letter[1:] & letter[:-1] & (np.diff(place) <= 1)
    return Query(
        text,
        np.array(sym, np.int32),
        nothing,
        nothing,
        np.array(at, np.int32),
        np.array(upto, np.int32),
        nothing,
        lane,
        kind,
        inside,
    )


def spellings_of(english: str) -> tuple[str, ...]:
    """Further forms of a name given in English."""
    plain = english.strip().lower()
    return (plain,) if plain else ()


def merged(names: Mapping[tuple[int, str], list[str]]) -> list[Name]:
    """Names with their further spellings, in the order given."""
    return [Name(kind, text, tuple(dict.fromkeys(more))) for (kind, text), more in names.items()]
