"""Networks of what is stored: built around a box, kept for all, made anew when streets change."""

from __future__ import annotations

import dataclasses
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
import sqlalchemy as sa

from data import networks
from data import tables as t
from data.intake import store_layers
from data.loading import read_rows
from data.networks import rows_around, streets_around
from data.osm import load_osm
from gisgrid.boxes import grown
from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from gisgrid.settings import Settings
from planning import workflow_networks
from planning.network import MODES, build_network
from planning.workflow_networks import stored_network


def box_of(planned) -> tuple[float, float, float, float]:
    west, south, east, north = planned.district.layers["areas"].total_bounds
    return float(west), float(south), float(east), float(north)


def test_boxes_grow_by_metres() -> None:
    for box in ((116.3, 39.9, 116.4, 40.0), (-1.0, -0.5, 1.0, 0.5), (10.0, 69.0, 11.0, 70.0)):
        wide = grown(box, 2000)
        small, large = (to_metric(gpd.GeoDataFrame(geometry=[shapely.box(*b)], crs=4490)) for b in (box, wide))
        gap = np.abs(large.to_crs(small.crs).total_bounds - small.total_bounds)
        assert gap.min() >= 1990
        assert gap.max() <= 2300
    for bad in ((1, 2, 0, 3), (0, 0, float("nan"), 1)):
        with pytest.raises(BadInput, match="no box"):
            grown(bad, 10)
    with pytest.raises(BadInput, match="zero or more"):
        grown((0, 0, 1, 1), -1)


def test_a_network_is_kept_and_found_again(planned, tmp_path: Path, monkeypatch) -> None:
    settings = dataclasses.replace(planned.settings, home=tmp_path)
    box = box_of(planned)
    with planned.engine.connect() as connection:
        first = stored_network(connection, settings, "walk", box)
        files = sorted((tmp_path / "networks").glob("*"))
        assert [file.suffix for file in files if not file.name.startswith(".")] == [".npz"]
        streets, barriers = streets_around(connection, box, 2_100.0)
        expected = build_network(streets, barriers=barriers)
        assert np.array_equal(first.coords, expected.coords)
        assert np.array_equal(first.edge_street, expected.edge_street)
        assert set(first.stats["streets_beyond"]) == {"west", "south", "east", "north"}

        with monkeypatch.context() as patch:
            patch.setattr(workflow_networks, "build_network", lambda *_a, **_k: pytest.fail("it is kept"))
            again = stored_network(connection, settings, "walk", box)
        assert again.weights.tobytes() == first.weights.tobytes()
        # a damaged file is made again
        kept = next((tmp_path / "networks").glob("*.npz"))
        kept.write_bytes(kept.read_bytes()[:500])
        assert stored_network(connection, settings, "walk", box).edges == first.edges
        assert stored_network(connection, settings, "drive", box).mode == "drive"
        with pytest.raises(BadInput, match="unknown network mode"):
            stored_network(connection, settings, "fly", box)
        with pytest.raises(BadInput, match="no streets are stored there"):
            stored_network(connection, settings, "walk", (10.0, 10.0, 10.1, 10.1))


def test_new_streets_and_gates_make_a_new_network(planned_copy, tmp_path: Path) -> None:
    settings = dataclasses.replace(planned_copy.settings, home=tmp_path)
    box = box_of(planned_copy)
    with planned_copy.engine.begin() as connection:
        before = stored_network(connection, settings, "drive", box)
        streets = read_rows(connection, t.streets)
        place = shapely.get_point(streets.geometry[streets["cls"] == "primary"].iloc[0], 0)
        gate = sa.func.ST_SetSRID(sa.func.ST_GeomFromWKB(shapely.to_wkb(place)), t.SRID)
        connection.execute(sa.insert(t.barriers).values(source="x", barrier_id="g1", car=False, geometry=gate))
        shut = stored_network(connection, settings, "drive", box)
        assert (before.stats["barriers_closed"], shut.stats["barriers_closed"]) == (0, 1)
        connection.execute(sa.update(t.streets).where(t.streets.c.cls == "residential").values(speed=5))
        slow = stored_network(connection, settings, "drive", box)
        assert slow.weights.sum() > shut.weights.sum()
        assert len(list((tmp_path / "networks").glob("*.npz"))) == 3


def test_streets_from_postgis_make_the_network_of_the_file(planned_copy, tmp_path: Path, shared_data: Path) -> None:
    settings = dataclasses.replace(planned_copy.settings, home=tmp_path)
    found = load_osm(shared_data / "beijing_tsinghua.osm")
    layers = {name: found.layers[name] for name in ("streets", "barriers")}
    store_layers(planned_copy.engine, layers, {name: found.reports[name] for name in layers}, source="tsinghua")
    west, south, east, north = (float(value) for value in layers["streets"].total_bounds)
    with planned_copy.engine.connect() as connection:
        for mode in MODES:
            stored = stored_network(connection, settings, mode, (west, south, east, north))
            filed = build_network(layers["streets"], mode=mode, barriers=layers["barriers"])
            for name in ("coords", "weights", "indptr", "edge_street", "edge_open", "edge_component"):
                assert np.array_equal(getattr(stored, name), getattr(filed, name)), (mode, name)
            assert stored.stats["barriers_closed"] == filed.stats["barriers_closed"] > 0


def test_many_ask_at_once_and_one_makes(planned, tmp_path: Path, monkeypatch) -> None:
    settings = dataclasses.replace(planned.settings, home=tmp_path)
    made: list[int] = []
    monkeypatch.setattr(workflow_networks, "build_network", lambda *a, **k: (made.append(1), build_network(*a, **k))[1])

    def ask(_: int) -> bytes:
        with planned.engine.connect() as connection:
            return stored_network(connection, settings, "walk", box_of(planned)).weights.tobytes()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    assert made == [1]


def test_what_was_not_asked_for_longest_goes(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(networks, "FILES_KEPT", 3)
    settings = Settings(home=tmp_path)
    for number in range(5):
        networks.kept_file(settings, {"n": number}, lambda number=number: b"%d" % number, lambda data: True)
        for path in (tmp_path / "networks").glob("*.npz"):
            os.utime(path, (path.stat().st_mtime - 10,) * 2)
    left = {path.read_bytes() for path in (tmp_path / "networks").glob("*.npz")}
    assert left == {b"2", b"3", b"4"}
    half = tmp_path / "networks" / ".x.1.part"
    half.write_bytes(b"half")
    os.utime(half, (1, 1))
    networks.kept_file(settings, {"n": 9}, lambda: b"9", lambda data: True)
    assert not half.exists()


def test_rows_around_a_box_are_whole_and_in_order(planned) -> None:
    west, south, east, north = box_of(planned)
    with planned.engine.connect() as connection:
        some = rows_around(connection, t.facilities, (west, south, (west + east) / 2, north))
        every = rows_around(connection, t.facilities, (west, south, east, north), 5_000)
    assert 0 < len(some) < len(every)
    assert every["id"].is_monotonic_increasing
