"""Codes of areas, grids, professional grids and city components.

Area codes have 6 (district), 9 (street) or 12 (community) digits. A grid code is the code of its parent followed by a
sequence number whose width a `GridScheme` gives: 12+3 by default (15 digits, 6+3+3+3 of Beijing DB11) and two more
digits per deeper level; the older 14-digit form (6+3+3+2) is a scheme as well. Professional grids have 20 digits
(CJ/T 349-2010), components 16 (CJ/T 214-2007: 6+2+2+6).

Numbering runs in reading order, west→east inside a row, rows north→south (CJ/T 349-2010 5.7: "从左到右、从上到下");
`reading_order` says how rows are found among irregular grids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gisgrid.errors import BadInput

AREA_LEVELS: Final[dict[int, str]] = {6: "district", 9: "street", 12: "community"}
"""Level of an area by the number of digits of its code."""

COMMUNITY_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class GridScheme:
    """How many digits each grid level adds to the 12-digit community; ``deeper`` digits for every level after."""

    name: str
    widths: tuple[int, ...]
    deeper: int = 0

    def width(self, level: int) -> int:
        """Digits level ``level`` (1 = grid) adds. Raises BadInput when the scheme has no such level."""
        if 1 <= level <= len(self.widths):
            return self.widths[level - 1]
        if level > len(self.widths) and self.deeper:
            return self.deeper
        raise BadInput(f"grid code scheme {self.name} has no level {level}; use the scheme 'default' for deeper levels")

    def length(self, level: int) -> int:
        """Digits of a whole code of ``level``; level 0 is the community itself."""
        return COMMUNITY_DIGITS + sum(self.width(step) for step in range(1, level + 1))

    def level(self, code: str) -> int:
        """Level of a grid code by its length (1 = grid). Raises BadInput when no level has that length."""
        level = 1
        while is_digits(code):
            try:
                length = self.length(level)
            except BadInput:
                break
            if length == len(code):
                return level
            if length > len(code):
                break
            level += 1
        raise BadInput(
            f"grid code {code!r} does not fit the scheme {self.name}: expected {self.length(1)} digits"
            f"{f' plus {self.deeper} for each deeper level' if self.deeper else ''}"
        )


DEFAULT: Final = GridScheme("default", (3,), deeper=2)
"""12 + 3, + 2 per deeper level."""
DB11_15: Final = GridScheme("15-digit", (3,))
"""6+3+3+3 (Beijing DB11)."""
OLDER_14: Final = GridScheme("14-digit", (2,))
"""6+3+3+2, the older form."""
SCHEMES: Final[dict[str, GridScheme]] = {scheme.name: scheme for scheme in (DEFAULT, DB11_15, OLDER_14)}


def is_digits(code: object) -> bool:
    """Whether a value is a non-empty text of ASCII digits."""
    return isinstance(code, str) and code.isascii() and code.isdigit()


def valid_area_code(code: object) -> bool:
    """Whether a value is an area code: text of 6, 9 or 12 digits that does not begin with 0."""
    return isinstance(code, str) and is_digits(code) and len(code) in AREA_LEVELS and code[0] != "0"


def area_level(code: str) -> str:
    """``district``, ``street`` or ``community``. Raises BadInput for anything but an area code."""
    if not valid_area_code(code):
        raise BadInput(f"area code {code!r} is not 6 (district), 9 (street) or 12 (community) digits")
    return AREA_LEVELS[len(code)]


def community_code(area_code: str) -> str:
    """12-digit code under which grids of an area are numbered: a street or district code is filled with zeros.

    Lets a place whose communities are not mapped still be divided. Raises BadInput for anything but an area code.
    """
    area_level(area_code)
    return area_code.ljust(COMMUNITY_DIGITS, "0")


def parent_code(code: str, *, scheme: GridScheme = DEFAULT) -> str | None:
    """Code one level up of an area or grid; None for a district. Raises BadInput when the code fits nothing."""
    if valid_area_code(code):
        return code[:-3] if len(code) > 6 else None
    level = scheme.level(code)
    return code[: -scheme.width(level)]


def level_name(code: str, *, scheme: GridScheme = DEFAULT) -> str:
    """district, street, community, grid or micro-grid (all deeper levels). Raises BadInput when nothing fits."""
    if valid_area_code(code):
        return area_level(code)
    return "grid" if scheme.level(code) == 1 else "micro-grid"


def code_chain(code: str, *, scheme: GridScheme = DEFAULT) -> list[tuple[str, str]]:
    """(level name, code) from the grid up to its district; level names are grid, micro-grid, community, street …

    Raises BadInput when the code fits nothing.
    """
    chain: list[tuple[str, str]] = []
    here: str | None = code
    while here is not None:
        chain.append((level_name(here, scheme=scheme), here))
        here = parent_code(here, scheme=scheme)
    return chain


def reading_order(xs: ArrayLike, ys: ArrayLike) -> NDArray[np.int64]:
    """Order of points as one reads them: rows north→south, west→east inside a row.

    Rows of irregular grids are found from their centroids alone. With n points in a box of w × h, the spacing d of
    a lattice that would have them is the positive root of (w + d)(h + d) = n·d²; rows are d apart, the first at the
    northernmost point, and a point belongs to the nearest row. On a true lattice the rows are the lattice's own. Ties
    inside a row go by x, then north first, then by place in the input. Moving or scaling the whole changes nothing.

    xs, ys: east and north in any one unit, shape (n,). Returns indices, shape (n,).
    """
    x, y = np.asarray(xs, float), np.asarray(ys, float)
    if x.size < 2:
        return np.arange(x.size)
    width, height = float(np.ptp(x)), float(np.ptp(y))
    spread = width + height
    row = np.zeros(x.size, np.int64)
    if height > 0:
        spacing = (spread + np.sqrt(spread**2 + 4 * (x.size - 1) * width * height)) / (2 * (x.size - 1))
        # the lattice has whole rows: stretch the spacing so that they end at the southernmost point
        gaps = max(int(np.floor(height / spacing + 0.5)), 0)
        if gaps:
            row = np.floor((y.max() - y) / (height / gaps) + 0.5).astype(np.int64)
    return np.lexsort((np.arange(x.size), -y, x, row))


def grid_codes(
    community_codes: Sequence[str] | NDArray[Any],
    xs: ArrayLike,
    ys: ArrayLike,
    *,
    taken: Iterable[str] = (),
    scheme: GridScheme = DEFAULT,
) -> NDArray[np.object_]:
    """Codes of new grids: their parent's code and the next free sequence numbers, in `reading_order` per parent.

    community_codes: 12-digit community of each grid, or the code of the parent grid for deeper levels, shape (n,).
    xs, ys: a point of each grid (centroid), east and north in any one unit, shape (n,).
    taken: codes in use or retired; their numbers are skipped, so a retired code never comes back.
    Returns texts, shape (n,). Raises BadInput for a parent that is neither a community nor a grid of the scheme, for
    a point that is not finite, and when a parent runs out of numbers.
    """
    parents = np.asarray(community_codes, dtype=object)
    x, y = np.asarray(xs, float), np.asarray(ys, float)
    if not (parents.shape == x.shape == y.shape) or parents.ndim != 1:
        raise BadInput(f"grid codes need one community, x and y a grid; got {parents.shape}, {x.shape}, {y.shape}")
    wrong = ~(np.isfinite(x) & np.isfinite(y))
    if wrong.any():
        raise BadInput(f"grid in row {int(np.flatnonzero(wrong)[0])} has no centre; its geometry is empty")
    used = {str(code) for code in taken}
    codes = np.empty(parents.size, dtype=object)
    for parent in sorted({str(code) for code in parents}):
        rows = np.flatnonzero(parents == parent)
        rows = rows[reading_order(x[rows], y[rows])]
        codes[rows] = _next_codes(parent, rows.size, used, scheme)
    return codes


def _next_codes(parent: str, count: int, used: set[str], scheme: GridScheme) -> list[str]:
    width = scheme.width(child_level(parent, scheme=scheme))
    most = 10**width - 1
    numbers = (code for number in range(1, most + 1) if (code := f"{parent}{number:0{width}d}") not in used)
    free = list(islice(numbers, count))  # no further: wide schemes have a million numbers
    if len(free) < count:
        raise BadInput(
            f"{parent} has {len(free)} free grid numbers of {most} and needs {count}; "
            "divide it into more communities or use a scheme with wider numbers"
        )
    return free


def child_level(parent: str, *, scheme: GridScheme = DEFAULT) -> int:
    """Level of the grids right under a community (1) or a grid. Raises BadInput when the parent is neither."""
    if is_digits(parent) and len(parent) == COMMUNITY_DIGITS:
        return 1
    if is_digits(parent) and len(parent) > COMMUNITY_DIGITS:
        return scheme.level(parent) + 1
    raise BadInput(f"{parent!r} is not a 12-digit community code nor a grid code; grids belong to one community")


def valid_grid_code(code: object, *, community: str | None = None, scheme: GridScheme = DEFAULT) -> bool:
    """Whether a value is a grid code of the scheme, with a sequence number above 0, and inside ``community``."""
    if not isinstance(code, str) or not is_digits(code):
        return False
    try:
        width = scheme.width(scheme.level(code))
    except BadInput:
        return False
    return int(code[-width:]) > 0 and (community is None or code.startswith(community))


class ProfessionalCode(NamedTuple):
    """A professional grid code, 20 digits (CJ/T 349-2010 5.2)."""

    subject: str
    """Managed or served object, 6 digits (CJ/T 348)."""
    district: str
    """6 digits (GB/T 2260)."""
    street: str
    """3 digits (GB/T 10114)."""
    community: str
    """3 digits; from 601 upwards when communities were merged for this profession."""
    sequence: int
    """Number inside the community; 0 when the community is not divided."""

    @property
    def community_code(self) -> str:
        """The 12-digit community."""
        return f"{self.district}{self.street}{self.community}"


def professional_code(subject: str, community: str, sequence: int = 0) -> str:
    """20-digit code of a professional grid: object 6 + community 12 + sequence 2. Raises BadInput."""
    if not (is_digits(subject) and len(subject) == 6):
        raise BadInput(f"object code {subject!r} of a professional grid is not 6 digits")
    if not (is_digits(community) and len(community) == COMMUNITY_DIGITS):
        raise BadInput(f"community code {community!r} of a professional grid is not 12 digits")
    if not 0 <= sequence <= 99:
        raise BadInput(f"sequence {sequence} of a professional grid is not in 0..99")
    return f"{subject}{community}{sequence:02d}"


def parse_professional_code(code: str) -> ProfessionalCode:
    """Parts of a 20-digit professional grid code. Raises BadInput."""
    if not (is_digits(code) and len(code) == 20):
        raise BadInput(f"professional grid code {code!r} is not 20 digits (object 6 + community 12 + sequence 2)")
    return ProfessionalCode(code[:6], code[6:12], code[12:15], code[15:18], int(code[18:]))


@dataclass(frozen=True, slots=True)
class ComponentScheme:
    """Digits of a component code: district, major, minor, sequence."""

    name: str
    district: int
    major: int
    minor: int
    sequence: int

    @property
    def length(self) -> int:
        """Digits of the whole code."""
        return self.district + self.major + self.minor + self.sequence


CJT_214: Final = ComponentScheme("CJ/T 214-2007", 6, 2, 2, 6)
"""16 digits, 6+2+2+6; the 2013 edition keeps it."""
GBT_47678_5: Final = ComponentScheme("GB/T 47678.5-2026", 6, 2, 3, 6)
"""Reported by an unofficial source: the minor class grows to 3 digits. Not the default for that reason."""


class ComponentCode(NamedTuple):
    """Parts of a component code; classes stay text because their zeros count."""

    district: str
    major: str
    minor: str
    sequence: int


def component_codes(
    district: str,
    majors: Sequence[str] | NDArray[Any],
    minors: Sequence[str] | NDArray[Any],
    sequences: ArrayLike,
    *,
    scheme: ComponentScheme = CJT_214,
) -> NDArray[np.object_]:
    """Component codes of one district from arrays of class codes and sequence numbers, shape (n,). Raises BadInput."""
    numbers = np.asarray(sequences, np.int64)
    head = np.char.add(np.asarray(majors, str), np.asarray(minors, str))
    if not (is_digits(district) and len(district) == scheme.district):
        raise BadInput(f"district {district!r} of a component code is not {scheme.district} digits")
    widths_ok = np.char.str_len(np.asarray(majors, str)) == scheme.major
    widths_ok &= np.char.str_len(np.asarray(minors, str)) == scheme.minor
    widths_ok &= np.char.isdigit(head) & (numbers >= 1) & (numbers < 10**scheme.sequence)
    if not widths_ok.all():
        row = int(np.flatnonzero(~widths_ok)[0])
        raise BadInput(
            f"component in row {row}: class {head[row]!r} number {int(numbers[row])} does not fit {scheme.name} "
            f"({scheme.major}+{scheme.minor} digits, number 1..{10**scheme.sequence - 1})"
        )
    tails = np.char.zfill(numbers.astype(str), scheme.sequence)
    return np.char.add(np.char.add(district, head), tails).astype(object)


def component_code(district: str, major: str, minor: str, sequence: int, *, scheme: ComponentScheme = CJT_214) -> str:
    """One component code, for example 370811 + 01 + 06 + 000123. Raises BadInput."""
    return str(component_codes(district, [major], [minor], [sequence], scheme=scheme)[0])


def parse_component_code(code: str, *, scheme: ComponentScheme = CJT_214) -> ComponentCode:
    """Parts of a component code. Raises BadInput when its length or characters do not fit the scheme."""
    if not (is_digits(code) and len(code) == scheme.length):
        raise BadInput(f"component code {code!r} is not {scheme.length} digits ({scheme.name})")
    major = scheme.district
    minor = major + scheme.major
    sequence = minor + scheme.minor
    return ComponentCode(code[:major], code[major:minor], code[minor:sequence], int(code[sequence:]))
