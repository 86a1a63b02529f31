"""Numbers for whole layers of grids: fresh codes where old ones are taken, names by number, professional grids.

`gisgrid.codes` says what a code looks like; here codes are given to the grids of a plan, all levels at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gisgrid.codes import (
    COMMUNITY_DIGITS,
    DEFAULT,
    GridScheme,
    grid_codes,
    is_digits,
    parse_professional_code,
    professional_code,
    reading_order,
)
from gisgrid.errors import BadInput

Texts = Sequence[str] | NDArray[Any]

PROFESSIONAL_DIGITS: Final = 20
MERGED_FIRST: Final = 601
"""First community number of a professional grid that reaches over several communities (CJ/T 349-2010 5.6)."""
MERGED_LAST: Final = 999
SEQUENCE_LAST: Final = 99


def renumber(
    codes: Texts,
    parents: Texts,
    xs: ArrayLike,
    ys: ArrayLike,
    *,
    taken: Collection[str],
    kept: Collection[str] = (),
    afresh: bool = False,
    scheme: GridScheme = DEFAULT,
) -> NDArray[np.object_]:
    """Codes of a plan's grids in which no new grid bears a code that was given away before.

    codes: the grids' codes as they are, every level, shape (n,). parents: of each grid the code one level up, the
    12-digit community for the first level, shape (n,). xs, ys: a point of each grid, east and north, shape (n,).
    taken: codes in use or retired. kept: codes whose grids go on, they stay. afresh: where one grid of a parent needs
    another number all new grids of that parent are numbered again, in reading order; otherwise only those that must.

    A grid whose parent gets a new code keeps its number under it, so a deeper grid goes on only under a parent that
    does. Returns texts, shape (n,). Raises BadInput when a parent runs out of numbers.
    """
    old = np.asarray(codes, dtype=object)
    above = np.asarray(parents, dtype=object)
    x, y = np.asarray(xs, float), np.asarray(ys, float)
    gone, staying = set(taken), set(kept)
    result = old.copy()
    moved: dict[str, str] = {}
    digits = np.array([len(code) for code in old], dtype=np.int64)
    for width in np.unique(digits).tolist():  # parents have fewer digits than their children
        rows = np.flatnonzero(digits == width)
        carried = np.array([above[row] in moved and old[row].startswith(above[row]) for row in rows], dtype=bool)
        for row in rows[carried]:
            result[row] = moved[above[row]] + old[row][len(above[row]) :]
        rows = rows[~carried]
        clash = np.array([old[row] in gone and old[row] not in staying for row in rows], dtype=bool)
        if afresh:
            hit = {above[row] for row in rows[clash]}
            clash = np.array([above[row] in hit and old[row] not in staying for row in rows], dtype=bool)
        if clash.any():
            again = rows[clash]
            used = gone | set(old[rows[~clash]])
            result[again] = grid_codes(above[again], x[again], y[again], taken=used, scheme=scheme)
        moved |= {old[row]: result[row] for row in np.flatnonzero(digits == width) if old[row] != result[row]}
    return result


def grid_names(codes: Texts, parents: Texts, places: Mapping[str, str]) -> list[str]:
    """Names by number: 明凤社区第3网格, and of a grid inside it 明凤社区第3网格第2微网格.

    codes, parents: as for `renumber`. places: name of each community by code; an unknown one is left out.
    """
    named: dict[str, str] = dict(places)
    order = sorted(range(len(codes)), key=lambda row: (len(codes[row]), row))
    for row in order:
        code, above = str(codes[row]), str(parents[row])
        number = code[len(above) :] if code.startswith(above) else code[-3:]
        kind = "网格" if len(above) == COMMUNITY_DIGITS else "微网格"
        named[code] = f"{named.get(above, '')}第{int(number)}{kind}"
    return [named[str(code)] for code in codes]


def valid_professional_code(code: object) -> bool:
    """Whether a value is a professional grid code: 20 digits, its district not beginning with 0."""
    return isinstance(code, str) and is_digits(code) and len(code) == PROFESSIONAL_DIGITS and code[6] != "0"


def professional_home(code: str) -> str:
    """What a professional grid code is numbered in: its community (12 digits), or where communities were merged the
    street (9) or, over several streets, the district (6). Raises BadInput for anything but such a code."""
    parts = parse_professional_code(code)
    if int(parts.community) < MERGED_FIRST:
        return parts.community_code
    return parts.district if parts.street == "000" else parts.district + parts.street


def professional_names(codes: Texts, system: str, places: Mapping[str, str]) -> list[str]:
    """Names of professional grids by number: 明凤社区消防第2网格; 明凤社区消防网格 for a whole community.

    codes: shape (n,). places: name of each area by code; an unknown one is left out.
    """
    names = []
    for code in codes:
        home, parts = professional_home(str(code)), parse_professional_code(str(code))
        merged = len(home) < COMMUNITY_DIGITS
        number = f"{parts.community}{f'-{parts.sequence}' if parts.sequence else ''}" if merged else str(parts.sequence)
        which = "" if not merged and not parts.sequence else f"第{number}"
        names.append(f"{places.get(home, '')}{system}{which}网格")
    return names


def professional_codes(
    object_code: str,
    homes: Texts,
    xs: ArrayLike,
    ys: ArrayLike,
    *,
    undivided: ArrayLike | None = None,
    taken: Iterable[str] = (),
) -> NDArray[np.object_]:
    """20-digit codes of professional grids, in reading order per home (CJ/T 349-2010 5.2 to 5.7).

    object_code: managed object, 6 digits. homes: of each grid the community it lies in (12 digits), or the street (9)
    or district (6) when it reaches over several communities, shape (n,). xs, ys: a point of each grid, shape (n,).
    undivided: whether a grid is its whole community, which gets the sequence 00, shape (n,). taken: codes not to use.
    Grids over several communities get a community number of their own from 601 up, sequence 00.

    Returns texts, shape (n,). Raises BadInput for a home that is no area code, a point that is not finite, and when a
    home runs out of numbers.
    """
    areas = np.asarray(homes, dtype=object)
    x, y = np.asarray(xs, float), np.asarray(ys, float)
    if not (areas.shape == x.shape == y.shape) or areas.ndim != 1:
        raise BadInput(f"professional codes need one home, x and y a grid; got {areas.shape}, {x.shape}, {y.shape}")
    if not (np.isfinite(x) & np.isfinite(y)).all():
        row = int(np.flatnonzero(~(np.isfinite(x) & np.isfinite(y)))[0])
        raise BadInput(f"professional grid in row {row} has no centre; its geometry is empty")
    alone = np.zeros(areas.size, bool) if undivided is None else np.asarray(undivided, bool)
    used = {str(code) for code in taken}
    codes = np.empty(areas.size, dtype=object)
    for home in sorted({str(code) for code in areas}):
        rows = np.flatnonzero(areas == home)
        rows = rows[reading_order(x[rows], y[rows])]
        whole = len(rows) == 1 and bool(alone[rows[0]])
        free = _free_professional(object_code, home, used, whole=whole)
        for place in rows.tolist():
            code = next(free, None)
            if code is None:
                raise BadInput(f"{home} has no free number for another professional grid; make larger grids")
            codes[place] = code
    return codes


def _free_professional(object_code: str, home: str, used: set[str], *, whole: bool) -> Iterator[str]:
    """Codes of a home that are not used, in the order they are given."""
    for community, sequence in _numbers(home, whole=whole):
        code = professional_code(object_code, community, sequence)
        if code not in used:
            yield code


def _numbers(home: str, *, whole: bool) -> Iterator[tuple[str, int]]:
    if len(home) == COMMUNITY_DIGITS:
        yield from ((home, sequence) for sequence in range(0 if whole else 1, SEQUENCE_LAST + 1))
        return
    if len(home) not in (6, 9) or not is_digits(home):
        raise BadInput(f"{home!r} is not a 6, 9 or 12-digit area code; professional grids are numbered in one")
    street = home.ljust(9, "0")
    for sequence in range(SEQUENCE_LAST + 1):
        yield from ((f"{street}{number}", sequence) for number in range(MERGED_FIRST, MERGED_LAST + 1))
