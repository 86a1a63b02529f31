"""What names end in: the words that only say what a thing is, the numbers of lanes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gisgrid.address.sound import plain_english, spoken
from gisgrid.address.text import numerals
from gisgrid.address.words import ENDS

LANE: Final = re.compile(r"\d+\s?(?:巷|弄|条|支弄|胡同|xiang|nong|tiao)")


@dataclass(frozen=True, slots=True)
class Ending:
    """A name taken apart: 丹昌大道2巷 is stem 丹昌, ending 大道, lane 2 (-1: none).

    ``latin`` are its endings in letters.
    """

    full: str
    stem: str
    end: str
    lane: int
    latin: frozenset[str]


def generic_end(text: str, kind: int, learnt: frozenset[str] = frozenset()) -> int:
    """How many characters at the end of a name only say what it is: 2 of 枫波新村, 1 of 云溪路."""
    for end in ENDS[kind]:
        if text.endswith(end) and len(text) > len(end):
            return len(end)
    for size in (2, 1):
        if len(text) > size and text[-size:] in learnt:
            return size
    return 0


def usual_ends(names: Iterable[str]) -> frozenset[str]:
    """Endings of one or two characters that very many compounds share though no table knows them."""
    texts = list(names)
    tally: dict[str, int] = {}
    for text in texts:
        for size in (1, 2):
            if len(text) > size + 1:
                tally[text[-size:]] = tally.get(text[-size:], 0) + 1
    return frozenset(end for end, count in tally.items() if count >= max(8, 0.03 * len(texts)))


def ending_of(kind: int, name: str, spellings: Iterable[str], learnt: frozenset[str]) -> Ending:
    """A name taken apart."""
    text = numerals(name)
    lane = LANE.search(text)
    lane = lane if lane and lane.end() == len(text) else None
    base = text[: lane.start()] if lane else text
    size = generic_end(base, kind, learnt)
    end = base[len(base) - size :]
    words = [LANE.sub("", plain_english(s)).split()[-1:] for s in spellings if s.isascii()]
    latin = {word for last in words for word in last} | ({"".join(spoken(end))} if end else set())
    number = int(re.match(r"\d+", lane[0])[0]) if lane else -1  # type: ignore[index]
    return Ending(text, base[: len(base) - size], end, number, frozenset(latin))
