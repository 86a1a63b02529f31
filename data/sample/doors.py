"""Street numbers and addresses: road + number, compound + building + unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from data.sample.admin import Admin
from data.sample.base import RESIDENTIAL, Floats, Ints, Name, Rng
from data.sample.city import City
from data.sample.fabric import FABRICS
from data.sample.names import COMPOUND_ENDS, stems, with_end
from data.sample.scenarios import Scenario
from data.sample.uses import USES


@dataclass(frozen=True)
class StreetNumbers:
    """The named streets, their edges, and where numbering starts on each (metres along its main axis)."""

    lines: np.ndarray[tuple[int], np.dtype[np.object_]]
    street: Ints
    names: list[Name]
    across: np.ndarray[tuple[int], np.dtype[np.bool_]]
    origin: Floats
    step: Floats


def street_numbers(city: City, *, lanes: bool = True) -> StreetNumbers:
    """Number all named streets: west to east or north to south."""
    named = np.array([bool(n[0]) for n in city.names]) & (city.cls <= RESIDENTIAL)
    if lanes:
        named |= np.array([n[0].endswith("巷") and n[0] != "" for n in city.names])
    rows = np.flatnonzero(named)
    label, names = pd.factorize(pd.Series([city.names[r][0] for r in rows]))
    english = dict(city.names[r] for r in rows)
    box = shapely.bounds(city.edges[rows])
    n = len(names)
    low = np.column_stack([_extreme(np.minimum, label, box[:, i], n, np.inf) for i in (0, 1)])
    high = np.column_stack([_extreme(np.maximum, label, box[:, i], n, -np.inf) for i in (2, 3)])
    across = (high - low)[:, 0] >= (high - low)[:, 1]
    origin = np.where(across, low[:, 0], -high[:, 1])
    step = np.where(pd.Series(names).str.endswith("巷"), 4.5, 9.0)
    return StreetNumbers(
        city.edges[rows], label.astype(np.int64), [(z, english[z]) for z in names], across, origin, step
    )


def _extreme(ufunc: np.ufunc, label: Ints, values: Floats, n: int, start: float) -> Floats:
    out = np.full(n, start)
    ufunc.at(out, label, values)
    return out


def doors(numbers: StreetNumbers, xy: Floats) -> tuple[Ints, Ints]:
    """Nearest named street and door number of points (n, 2): odd north and west of it, even south and east."""
    points = shapely.points(xy)
    nearest = shapely.STRtree(numbers.lines).nearest(points)
    street = numbers.street[nearest]
    foot = shapely.get_coordinates(
        shapely.line_interpolate_point(
            numbers.lines[nearest], shapely.line_locate_point(numbers.lines[nearest], points)
        )
    )
    across = numbers.across[street]
    along = np.where(across, foot[:, 0], -foot[:, 1]) - numbers.origin[street]
    even = np.where(across, xy[:, 1] < foot[:, 1], xy[:, 0] > foot[:, 0])
    return street, 2 * np.floor(along / numbers.step[street]).astype(np.int64) + 1 + even


@dataclass(frozen=True)
class Compounds:
    """Compounds 小区: one a walled residential block; ``of`` gives the compound row of each building, -1 for none."""

    ids: list[str]
    names: list[Name]
    of: Ints
    number: Ints
    """Number 栋 of a building inside its compound, from 1."""


def make_compounds(sc: Scenario, city: City, rng: Rng) -> Compounds:
    """Name the compounds and number their buildings in row order."""
    is_compound = np.array([u in FABRICS and FABRICS[u].compound for u in USES])
    lived = np.isin(city.stock.kind, ["residential", "apartments", "dormitory"])
    mine = is_compound[city.use[city.stock.face]] & lived
    faces, compact = np.unique(city.stock.face[mine], return_inverse=True)
    of = np.full(len(city.stock.face), -1, dtype=np.int64)
    of[mine] = compact
    number = pd.Series(of).groupby(of).cumcount().to_numpy() + 1
    ends = rng.integers(0, len(COMPOUND_ENDS), len(faces))
    names = [with_end(s, COMPOUND_ENDS[e]) for s, e in zip(stems(rng, len(faces)), ends, strict=True)]
    return Compounds([f"{sc.code}X{k + 1:04d}" for k in range(len(faces))], names, of, np.where(of >= 0, number, 0))


def make_addresses(
    sc: Scenario, city: City, admin: Admin, compounds: Compounds, numbers: StreetNumbers
) -> pd.DataFrame:
    """One address a door: a unit 单元 of a block of flats, else a building."""
    stock = city.stock
    xy = shapely.get_coordinates(shapely.point_on_surface(stock.geometry))
    street, number = doors(numbers, xy)
    inside = np.flatnonzero(compounds.of >= 0)
    if len(inside):  # a compound has one number on the street, that of its first building
        first = np.unique(compounds.of[inside], return_index=True)[1]
        street[inside] = street[inside[first]][compounds.of[inside]]
        number[inside] = number[inside[first]][compounds.of[inside]]
    loose = np.flatnonzero((compounds.of < 0) & (stock.rank < 9))
    again = pd.DataFrame({"s": street[loose], "n": number[loose]}).groupby(["s", "n"]).cumcount().to_numpy()
    suffix = np.zeros(len(xy), dtype=np.int64)
    suffix[loose] = again
    units = np.where(compounds.of >= 0, np.where(stock.kind == "apartments", 2, stock.stairs), 1)
    units[stock.rank >= 9] = 0
    row = np.repeat(np.arange(len(xy)), units)
    unit = np.arange(len(row)) - np.concatenate([[0], np.cumsum(units)])[:-1][row] + 1
    box = shapely.bounds(stock.geometry)
    share = (unit - 0.5) / units[row]
    x = np.where(units[row] > 1, box[row, 0] + share * (box[row, 2] - box[row, 0]), xy[row, 0])
    points = shapely.points(x, xy[row, 1])
    off = ~shapely.intersects(points, stock.geometry[row])
    points[off] = shapely.points(xy[row[off]])
    door = [f"{n}号" if s == 0 else f"{n}-{s}号" for n, s in zip(number, suffix, strict=True)]
    roads, roads_en = [n[0] for n in numbers.names], [n[1] for n in numbers.names]
    head = [f"{sc.title_zh}{admin.street_names[k][0]}" for k in admin.building_street]
    short, english = [], []
    for i, c in enumerate(compounds.of):
        if c >= 0:
            short.append(f"{head[i]}{roads[street[i]]}{door[i]}{compounds.names[c][0]}{compounds.number[i]}栋")
            english.append(
                f"Building {compounds.number[i]}, {compounds.names[c][1]}, {number[i]} {roads_en[street[i]]}"
            )
        else:
            short.append(f"{head[i]}{roads[street[i]]}{door[i]}")
            english.append(f"{door[i][:-1]} {roads_en[street[i]]}")
    many = compounds.of[row] >= 0
    return pd.DataFrame(
        {
            "address_id": [f"{sc.code}A{k + 1:06d}" for k in range(len(row))],
            "full": [f"{short[i]}{u}单元" if m else short[i] for i, u, m in zip(row, unit, many, strict=True)],
            "road": [roads[street[i]] for i in row],
            "door_number": [door[i] for i in row],
            "compound": [compounds.names[compounds.of[i]][0] if m else "" for i, m in zip(row, many, strict=True)],
            "building": [f"{compounds.number[i]}栋" if m else "" for i, m in zip(row, many, strict=True)],
            "unit": [f"{u}单元" if m else "" for u, m in zip(unit, many, strict=True)],
            "community": [admin.community_codes[k] for k in admin.building_community[row]],
            "name_en": [
                f"Unit {u}, {english[i]}" if m else english[i] for i, u, m in zip(row, unit, many, strict=True)
            ],
            "geometry": points,
        }
    )
