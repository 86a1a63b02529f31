"""Names found in messy text: the compiled alignment against a plain one, spans, kinds."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from gisgrid.address import kernels as k
from gisgrid.address.names import Name, NameIndex
from gisgrid.address.words import AREA, COMPOUND, ROAD


def slow_align(sym: list[int], gain: list[float], drop: list[float], swap: list[float], text: list[int]) -> float:
    """The score by recursion over prefixes, without sounds."""

    @cache
    def best(i: int, j: int) -> float:
        if i == 0:
            return 0.0
        options = [best(i - 1, j) - drop[i - 1]]
        if j:
            t = text[j - 1]
            number = sym[i - 1] >= k.NUMBER_BASE or t >= k.NUMBER_BASE
            step = gain[i - 1] if t == sym[i - 1] else -k.NUMBER_OTHER if number else -swap[i - 1]
            options.append(best(i - 1, j - 1) + step)
            options.append(best(i, j - 1) - (k.GAP if t < 48 else k.EXTRA))
        if i > 1 and j > 1 and text[j - 1] == sym[i - 2] and text[j - 2] == sym[i - 1] != text[j - 1]:
            options.append(best(i - 2, j - 2) + gain[i - 1] + gain[i - 2] - k.SWAPPED)
        return max(options)

    return max(best(len(sym), j) for j in range(len(text) + 1))


def test_alignment_equals_the_plain_recursion() -> None:
    rng = np.random.default_rng(3)
    for _ in range(400):
        m, n = int(rng.integers(1, 6)), int(rng.integers(1, 12))
        alphabet = np.array([32, 97, 98, 99, 0x4E00, 0x4E01, k.NUMBER_BASE + 3])
        sym, text = rng.choice(alphabet, m).astype(np.int32), rng.choice(alphabet, n).astype(np.int32)
        gain, drop, swap = rng.uniform(0.5, 6, m), rng.uniform(0.3, 5, m), rng.uniform(0.3, 5, m)
        none, no_text = np.full(m, -1, np.int32), np.full(n, -2, np.int32)
        flat, kinds = np.zeros(n + 1, np.bool_), np.full(n + 1, -1, np.int8)
        score, start, end = k.align(
            sym, none, none, gain, drop, swap, False, 0, text, no_text, no_text, flat, kinds, flat, -1e8,
            np.empty((3, n + 1)), np.empty((3, n + 1), np.int32),
        )  # fmt: skip
        expected = slow_align(sym.tolist(), gain.tolist(), drop.tolist(), swap.tolist(), tuple(text.tolist()))  # type: ignore[arg-type]
        assert score == pytest.approx(expected)
        assert 0 <= start <= end <= n


NAMES = [
    Name(ROAD, "文泉路", ("wenquan road",)),
    Name(ROAD, "文泉街"),
    Name(ROAD, "锦港路"),
    Name(ROAD, "锦港路二巷"),
    Name(ROAD, "锦港路三巷"),
    Name(COMPOUND, "云溪花园", ("yunxi garden", "老云溪")),
    Name(AREA, "桂羽街道", ("guiyu subdistrict",)),
    Name(ROAD, "桂羽路"),
]
INDEX = NameIndex(NAMES)


def best(text: str, kind: int | None = None) -> tuple[str, str]:
    found = INDEX.find(text)
    order = [i for i in np.argsort(-found.score) if kind is None or NAMES[found.name[i]].kind == kind]
    i = order[0]
    return NAMES[found.name[i]].text, text[found.first[i] : found.last[i]]


@pytest.mark.parametrize(
    ("text", "name", "span"),
    [
        ("在文泉路12号", "文泉路", "文泉路"),
        ("文全路12号", "文泉路", "文全路"),
        ("泉文路12号", "文泉路", "泉文路"),
        ("文x泉路12号", "文泉路", "文x泉路"),
        ("文泉街12号", "文泉街", "文泉街"),
        ("锦港路3巷5号", "锦港路三巷", "锦港路3巷"),
        ("锦港3巷5号", "锦港路三巷", "锦港3巷"),
        ("锦港路5号", "锦港路", "锦港路"),
        ("wenquan lu 12号", "文泉路", "wenquan lu"),
        ("wenqan lu 12号", "文泉路", "wenqan lu"),
        ("yunxi huayuan 3栋", "云溪花园", "yunxi huayuan"),
        ("老云溪3栋", "云溪花园", "老云溪"),
        ("桂羽街道8号", "桂羽街道", "桂羽街道"),
        ("桂羽路8号", "桂羽路", "桂羽路"),
    ],
)
def test_the_right_name_and_its_place(text: str, name: str, span: str) -> None:
    assert best(text) == (name, span)


def test_order_of_names_does_not_matter() -> None:
    turned = NameIndex(NAMES[::-1])
    for text in ("文全路12号", "锦港3巷", "yunxi huayuan"):
        a, b = INDEX.find(text), turned.find(text)
        first = sorted((NAMES[n].text, round(s, 9)) for n, s in zip(a.name, a.score, strict=True))
        second = sorted((NAMES[::-1][n].text, round(s, 9)) for n, s in zip(b.name, b.score, strict=True))
        assert first == second


def test_too_many_candidates_are_cut_to_the_best() -> None:
    need = np.ones(50, np.int16)
    start = np.array([0, 50, 60], np.int64)
    items = np.concatenate([np.arange(50), np.arange(10)]).astype(np.int32)
    kept = k.candidates(np.array([0, 1], np.int64), start, items, need, 20)
    assert len(kept) == len(set(kept.tolist())) == 20
    assert set(range(10)) <= set(kept.tolist())
