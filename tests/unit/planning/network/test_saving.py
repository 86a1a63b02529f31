"""A saved network comes back to the bit, is small, and nothing else is taken for one."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import pickle
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from data.osm import read_osm
from gisgrid.errors import BadInput
from planning.network import MODES, Network, build_network, load_network, save_network

SMALL = gpd.GeoDataFrame(
    {"oneway": [True, False, False]},
    geometry=[shapely.LineString(line) for line in ([(0, 0), (9, 1), (50, 3)], [(50, 3), (50, 90)], [(0, 0), (50, 90)])],
    crs="EPSG:4548",
)  # fmt: skip


def same(one: Network, other: Network) -> None:
    for field in dataclasses.fields(Network):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            assert (a.dtype, a.shape) == (b.dtype, b.shape), field.name
            assert a.tobytes() == b.tobytes(), field.name
        else:
            assert a == b, field.name


@pytest.mark.parametrize("name", ["beijing_tsinghua.osm", "shenzhen_longgang.osm"])
def test_real_networks_come_back_to_the_bit_and_are_small(name: str, shared_data: Path) -> None:
    layers = read_osm(shared_data / name)
    for mode in MODES:
        network = build_network(layers["streets"], mode=mode, barriers=layers["barriers"])
        data = save_network(network)
        same(load_network(data), network)
        assert save_network(load_network(data)) == data
        assert len(data) < 0.4 * len(pickle.dumps(network))


@pytest.mark.parametrize("mode", list(MODES))
def test_small_networks_come_back(mode: str) -> None:
    network = build_network(SMALL, mode=mode)
    same(load_network(save_network(network)), network)
    odd = dataclasses.replace(network, coords=network.coords + 1e-9, x=np.nextafter(network.x, np.inf))
    same(load_network(save_network(odd)), odd)


def test_other_bytes_are_refused_in_one_line() -> None:
    data = save_network(build_network(SMALL))
    other = io.BytesIO()
    np.savez(other, a=np.arange(3))
    for bad in (b"", b"hello", data[:-30], data[: len(data) // 2], other.getvalue(), b"\x80" + data[1:400]):
        with pytest.raises(BadInput, match="not a saved network") as caught:
            load_network(bad)
        assert "\n" not in caught.value.message


def test_other_versions_are_refused() -> None:
    data = save_network(build_network(SMALL))
    for change, words in (
        ({"version": 0}, "version 0"),
        ({"format": "other"}, "not a saved"),
        ({"nodes": 2}, "damaged"),
    ):
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                if name == "meta.npy":
                    meta = json.loads(np.load(io.BytesIO(content)).tobytes()) | change
                    member = io.BytesIO()
                    np.save(member, np.frombuffer(json.dumps(meta).encode(), np.uint8))
                    content = member.getvalue()
                new.writestr(name, content)
        with pytest.raises(BadInput, match=words):
            load_network(out.getvalue())


def test_a_flipped_byte_is_noticed_or_harmless() -> None:
    network = build_network(SMALL)
    data = bytearray(save_network(network))
    for at in range(0, len(data), 13):
        data[at] ^= 0x55
        with contextlib.suppress(BadInput):
            same(load_network(bytes(data)), network)
        data[at] ^= 0x55
