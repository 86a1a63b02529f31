"""The generator's own algorithms: apportioning, connected regions, noding, the provincial lattice, the code tables."""

from __future__ import annotations

import csv
from importlib import resources

import numpy as np
import pytest
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from data.sample.base import shares
from data.sample.names import numeral, stems
from data.sample.planar import build
from data.sample.province import lattice
from data.sample.regions import apportion, block_graph, connected, split


def _board(side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces, edges and edge classes of a chess board of 100 m squares."""
    lines = []
    for k in range(side + 1):
        lines += [shapely.LineString([(100 * k, 0), (100 * k, 100 * side)])]
        lines += [shapely.LineString([(0, 100 * k), (100 * side, 100 * k)])]
    pm = build(np.array(lines, dtype=object), np.full(len(lines), 3))
    return pm.faces, pm.edges, pm.cls


def test_noding_finds_every_block_and_both_its_sides() -> None:
    faces, edges, cls = _board(4)
    assert len(faces) == 16
    assert len(edges) == 40
    graph = block_graph(faces, edges, cls)
    assert len(graph.a) == 24
    assert graph.metres == pytest.approx(100.0)


@pytest.mark.parametrize(("parts", "seed"), [(2, 0), (5, 1), (9, 2), (36, 3)])
def test_regions_are_connected_complete_and_roughly_balanced(parts: int, seed: int) -> None:
    faces, edges, cls = _board(6)
    graph = block_graph(faces, edges, cls)
    rng = np.random.default_rng(seed)
    weight = np.ones(len(faces))
    label = split(graph, np.arange(len(faces)), weight, np.ones(parts), rng, trials=6, loose=0.1)
    assert set(label) == set(range(parts))
    for k in range(parts):
        inside = (label[graph.a] == k) & (label[graph.b] == k)
        links = coo_array((np.ones(inside.sum()), (graph.a[inside], graph.b[inside])), shape=(36, 36))
        _, piece = connected_components(links, directed=False)
        assert len(set(piece[label == k])) == 1
    assert np.bincount(label).max() <= 2.5 * 36 / parts


def test_shares_sum_exactly_and_stay_within_one_of_the_quota() -> None:
    rng = np.random.default_rng(5)
    weights = rng.uniform(0, 9, 700)
    for total in (0, 1, 699, 54_321):
        out = shares(total, weights)
        assert out.sum() == total
        assert np.abs(out - total * weights / weights.sum()).max() < 1
    assert shares(5, np.zeros(3)).tolist() == [0, 0, 0]


def test_apportion_keeps_one_each_and_the_ceiling() -> None:
    out = apportion(20, np.array([1.0, 50.0, 0.0, 9.0]), np.array([9, 12, 9, 9]))
    assert out.sum() == 20
    assert (out >= 1).all()
    assert out[1] == 12


def test_provincial_lattice_is_a_coverage() -> None:
    rng = np.random.default_rng(2)
    u, v = np.meshgrid(np.linspace(0, 13, 14), np.linspace(0, 9, 10))
    corners = np.stack([u, v], axis=2) + rng.uniform(-0.15, 0.15, (10, 14, 2))
    shapes = lattice(13, 9, corners, rng)
    assert len(shapes) == 117
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    assert shapely.get_num_coordinates(shapes).mean() > 38


def test_names_do_not_repeat_and_numerals_read_right() -> None:
    names = stems(np.random.default_rng(0), 5_000)
    assert len({n[0] for n in names}) == 5_000
    assert [numeral(n) for n in (1, 10, 11, 20, 35, 99)] == ["一", "十", "十一", "二十", "三十五", "九十九"]


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("data.standards").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_component_catalogue_has_the_classes_of_the_standard_in_order() -> None:
    rows = _rows("component_classes.csv")
    counts = {
        m: sum(r["major"] == m and r["is_local"] == "0" for r in rows) for m in ("01", "02", "03", "04", "05", "06")
    }
    assert counts == {"01": 38, "02": 17, "03": 11, "04": 10, "05": 3, "06": 6}
    named = {(r["major"], r["minor"]): r["name"] for r in rows}
    assert named["01", "01"] == "上水井盖"
    assert named["01", "38"] == "治安岗亭"
    assert named["02", "08"] == "跨河桥"
    assert named["04", "02"] == "行道树"
    assert named["06", "06"] == "防汛墙"
    assert all(r["is_local"] == "1" for r in rows if r["major"] == "07")


def test_event_catalogue_has_the_six_majors() -> None:
    rows = _rows("event_classes.csv")
    majors = list(dict.fromkeys(r["major_name"] for r in rows))
    assert majors == ["市容环境", "宣传广告", "施工管理", "街面秩序", "突发事件", "扩展"]
    assert len({r["name"] for r in rows}) == len(rows)


def test_a_crumb_of_ground_is_linked_to_the_face_it_lies_along() -> None:
    ground = [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)]
    crumb = shapely.Polygon([(20, 5), (20.05, 5.02), (20, 5.05)])
    faces = np.array([*ground, crumb], dtype=object)
    edges = np.array([shapely.LineString([(10, 0), (10, 10)])], dtype=object)  # the crumb's own sides went unseen
    graph = block_graph(faces, edges, np.array([3]))
    assert connected(graph, np.arange(3))
    assert {(0, 1), (1, 2)} == {(min(a, b), max(a, b)) for a, b in zip(graph.a.tolist(), graph.b.tolist(), strict=True)}
