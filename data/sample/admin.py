"""Areas and the old grids of a sample district: connected unions of blocks with codes and names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely

from data.sample.base import Floats, Geoms, Ints, Name, Rng
from data.sample.city import City
from data.sample.names import stems
from data.sample.people import People
from data.sample.planar import polygonize
from data.sample.regions import BlockGraph, apportion, block_graph, connected, split, unions
from data.sample.scenarios import Scenario
from data.sample.uses import USE
from gisgrid.codes import grid_codes

_SPECIAL = {"school": "school", "middle_school": "school", "hospital": "hospital", "park": "park",
            "industrial": "industrial", "scenic": "scenic"}  # fmt: skip


@dataclass(frozen=True)
class Admin:
    """Areas and grids as tables (geometry in metres) and the community of each building."""

    areas: pd.DataFrame
    grids: pd.DataFrame
    building_street: Ints
    building_community: Ints
    community_codes: list[str]
    community_names: list[Name]
    street_names: list[Name]


def _rows_of(points: Geoms, polygons: Geoms) -> Ints:
    """Polygon row of each point, the nearest one for a point in none."""
    out = np.full(len(points), -1, dtype=np.int64)
    tree = shapely.STRtree(polygons)
    at, row = tree.query(points, predicate="intersects")
    out[at[::-1]] = row[::-1]
    lost = np.flatnonzero(out < 0)
    if len(lost):
        out[lost] = tree.nearest(points[lost])
    return out


def face_uses(city: City) -> Ints:
    """Use of each face of the finished city: that of the block it was cut from."""
    return city.use[_rows_of(shapely.point_on_surface(city.faces), city.layout.map.faces)]


def make_admin(sc: Scenario, city: City, people: People, rng: Rng) -> Admin:
    """Sub-districts, communities and old grids, each a connected union of blocks."""
    fine = len(sc.old_grids) > 1
    ground = city.edges if fine else city.edges[city.skeleton]
    cls = city.cls if fine else city.cls[city.skeleton]
    atoms = polygonize(ground) if fine else city.faces
    graph = block_graph(atoms, ground, cls)
    home = _rows_of(shapely.point_on_surface(city.stock.geometry), atoms)
    weight: Floats = np.bincount(home, weights=people.households, minlength=len(atoms)).astype(np.float64)
    block = _rows_of(shapely.point_on_surface(atoms), city.faces)
    face_use = face_uses(city)
    use = face_use[block]
    blocks = block_graph(city.faces, city.edges[city.skeleton], city.cls[city.skeleton])
    load = np.bincount(block[home], weights=people.households, minlength=len(city.faces))
    ground_share = shapely.area(city.faces) / shapely.area(city.faces).sum() * load.sum()
    load = load + 0.08 * ground_share
    scenic = np.flatnonzero(face_use == USE["scenic"])
    ground_rows = np.setdiff1d(np.arange(len(city.faces)), scenic)
    if not len(ground_rows) or not connected(blocks, ground_rows):
        scenic, ground_rows = scenic[:0], np.arange(len(city.faces))
    street = np.zeros(len(city.faces), dtype=np.int64)
    street[ground_rows] = split(blocks, ground_rows, load, np.ones(sc.streets), rng, trials=14, loose=1.6)
    street[scenic] = -1
    per_street: Floats = np.bincount(street[ground_rows], weights=load[ground_rows], minlength=sc.streets).astype(
        np.float64
    )
    count = apportion(sc.communities, per_street, np.bincount(street[ground_rows], minlength=sc.streets))
    community = np.full(len(city.faces), -1, dtype=np.int64)
    start = np.concatenate([[0], np.cumsum(count)])
    for k in range(sc.streets):
        rows = np.flatnonzero(street == k)
        community[rows] = start[k] + split(
            blocks, rows, load, rng.lognormal(0, 0.22, count[k]), rng, trials=10, loose=1.2
        )
    for row in scenic:  # a scenic block joins the community it shares most of its border with
        community[row] = _strongest(blocks, int(row), community)
    street[scenic] = np.searchsorted(start, community[scenic], side="right") - 1
    order, codes, parents = _area_codes(sc, city.faces, street, community, start)
    community = order[community]
    names = stems(rng, sc.communities + sc.streets)
    area_rows, street_names, community_names = _areas(sc, city.faces, community, codes, parents, names)
    grids = _grids(sc, graph, atoms, weight, use, home, people, community[block], codes, community_names, rng)
    community_of = community[block][home]
    street_of = np.array([int(p[6:]) - 1 for p in parents])[community_of]
    return Admin(area_rows, grids, street_of, community_of, codes, community_names, street_names)


def _strongest(graph: BlockGraph, row: int, label: Ints) -> int:
    """The label around a block that it shares the longest border with."""
    other = np.concatenate([graph.b[graph.a == row], graph.a[graph.b == row]])
    metres = np.concatenate([graph.metres[graph.a == row], graph.metres[graph.b == row]])
    known = label[other] >= 0
    return int(np.argmax(np.bincount(label[other[known]], weights=metres[known])))


def _reading_order(x: Floats, y: Floats, band: float) -> Ints:
    return np.lexsort((x, np.round(-y / band)))


def _area_codes(
    sc: Scenario, faces: Geoms, street: Ints, community: Ints, start: Ints
) -> tuple[Ints, list[str], list[str]]:
    """Number streets and communities from the north-west; returns new community rows, their codes and parents."""
    area = shapely.area(faces)
    xy = shapely.get_coordinates(shapely.centroid(faces))

    def centres(label: Ints, n: int) -> tuple[Floats, Floats]:
        total = np.bincount(label, weights=area, minlength=n)
        return (np.bincount(label, weights=area * xy[:, 0], minlength=n) / total,
                np.bincount(label, weights=area * xy[:, 1], minlength=n) / total)  # fmt: skip

    street_rank = np.argsort(_reading_order(*centres(street, sc.streets), band=sc.height / 3))
    owner = np.searchsorted(start, np.arange(sc.communities), side="right") - 1
    cx, cy = centres(community, sc.communities)
    order = np.lexsort((cx, np.round(-cy / 500), street_rank[owner]))
    new = np.argsort(order)
    codes: list[str] = []
    parents: list[str] = []
    seen: dict[str, int] = {}
    for row in order:
        parent = f"{sc.code}{street_rank[owner[row]] + 1:03d}"
        seen[parent] = seen.get(parent, 0) + 1
        codes.append(f"{parent}{seen[parent]:03d}")
        parents.append(parent)
    return new, codes, parents


def _areas(
    sc: Scenario, faces: Geoms, community: Ints, codes: list[str], parents: list[str], names: list[Name]
) -> tuple[pd.DataFrame, list[Name], list[Name]]:
    communities = unions(faces, community, sc.communities)
    parent_codes = sorted(set(parents))
    label = np.array([parent_codes.index(p) for p in parents], dtype=np.int64)
    streets = unions(faces, label[community], sc.streets)
    district = shapely.coverage_union_all(faces)
    end = ("镇", "Town") if sc.town else ("街道", "Subdistrict")
    own = (sc.title_zh[:2] + "示范", sc.title_en.split()[0] + " Demonstration")
    street_stems = [own] if sc.streets == 1 else names[: sc.streets]
    community_stems = [own] if sc.communities == 1 else names[sc.streets :]
    street_names = [(n[0] + end[0], f"{n[1]} {end[1]}") for n in street_stems]
    community_names = [(n[0] + "社区", f"{n[1]} Community") for n in community_stems]
    rows: list[tuple[Any, ...]] = [(sc.code, sc.title_zh, sc.title_en, "district", None, district)]
    rows += [(c, *n, "street", sc.code, g) for c, n, g in zip(parent_codes, street_names, streets, strict=True)]
    rows += [(c, *n, "community", p, g)
             for c, n, p, g in zip(codes, community_names, parents, communities, strict=True)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["code", "name", "name_en", "level", "parent", "geometry"])
    return table, street_names, community_names


def _grids(
    sc: Scenario,
    graph: BlockGraph,
    atoms: Geoms,
    weight: Floats,
    use: Ints,
    home: Ints,
    people: People,
    community: Ints,
    codes: list[str],
    names: list[Name],
    rng: Rng,
) -> pd.DataFrame:
    """The old grids: uneven, grown by hand over the years; deeper levels nest inside."""
    residents = np.bincount(home, weights=people.population, minlength=len(atoms))
    owner, owner_codes, owner_names, tables = community, list(codes), [n[0] for n in names], []
    community_of = np.arange(len(codes))
    for depth, total in enumerate(sc.old_grids):
        n = len(owner_codes)
        load: Floats = np.bincount(owner, weights=weight, minlength=n).astype(np.float64)
        count = apportion(total, load, np.bincount(owner, minlength=n))
        label = np.full(len(atoms), -1, dtype=np.int64)
        start = np.concatenate([[0], np.cumsum(count)])
        for k in range(n):
            rows = np.flatnonzero(owner == k)
            label[rows] = start[k] + _uneven(graph, rows, weight, use, int(count[k]), depth, rng)
        parent = np.repeat(np.arange(n), count)
        community_of = community_of[parent]
        shapes = unions(atoms, label, total)
        centre = shapely.get_coordinates(shapely.centroid(shapes))
        new_codes = grid_codes([owner_codes[p] for p in parent], centre[:, 0], centre[:, 1])
        hh = np.bincount(label, weights=weight, minlength=total).astype(np.int64)
        kind = _kinds(label, use, shapely.area(atoms), hh, total)
        new_names = [_grid_name(owner_names[p], code, depth) for p, code in zip(parent, new_codes, strict=True)]
        area, length = shapely.area(shapes), shapely.length(shapes)
        tables.append(
            pd.DataFrame(
                {
                    "code": new_codes,
                    "name": new_names,
                    "level": depth + 1,
                    "parent": [owner_codes[p] if depth else None for p in parent],
                    "community": [codes[c] for c in community_of],
                    "kind": kind,
                    "households": hh,
                    "population": np.bincount(label, weights=residents, minlength=total).astype(np.int64),
                    "compactness": np.round(4 * np.pi * area / length**2, 6),
                    "geometry": shapes,
                }
            ).sort_values("code", ignore_index=True)
        )
        owner, owner_codes, owner_names = label, list(new_codes), new_names
    return pd.concat(tables, ignore_index=True)


def _grid_name(owner: str, code: str, depth: int) -> str:
    if depth == 0:
        return f"{owner}第{int(code[-3:])}网格"
    return f"{owner}-{int(code[-2:])}" if depth > 1 else f"{owner}{int(code[-2:])}号微网格"


def _uneven(graph: BlockGraph, rows: Ints, weight: Floats, use: Ints, count: int, depth: int, rng: Rng) -> Ints:
    """Grid number of each block: a scenic block stands alone where the rest stays whole, the rest by random shares."""
    alone = use[rows] == USE["scenic"]
    wanted = rng.lognormal(0, 0.5 if depth == 0 else 0.25, count)
    own_grid = depth == 0 and count > 1 and alone.any() and not alone.all()
    if own_grid and connected(graph, rows[alone]) and connected(graph, rows[~alone]) and (~alone).sum() >= count - 1:
        label = np.full(len(rows), count - 1, dtype=np.int64)
        label[~alone] = split(graph, rows[~alone], weight, wanted[:-1], rng, trials=3, loose=0.2)
        return label
    return split(graph, rows, weight, wanted, rng, trials=3, loose=0.2)


def _kinds(label: Ints, use: Ints, area: Floats, households: Ints, total: int) -> list[str]:
    """``ordinary``, or what most of the land is when nobody lives there."""
    out = ["ordinary"] * total
    best = np.zeros(total)
    for name, kind in _SPECIAL.items():
        covered = np.bincount(label, weights=area * (use == USE[name]), minlength=total)
        for k in np.flatnonzero((households == 0) & (covered > best)):
            out[k], best[k] = kind, covered[k]
    return out
