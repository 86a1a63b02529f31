"""Networks as bytes: small, exact to the last bit, and refused when they are not what this version wrote.

The form is a NumPy archive (``.npz``) that any NumPy opens. What follows from the rest is not kept (adjacency, node
places, the ends of every shape); numbers are kept as differences that are small where neighbours lie near each other
(nodes are in Hilbert order), and coordinates as the differences of their bit patterns, split into planes of bytes,
which the compression of the archive then finds mostly empty.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.errors import BadInput
from gisgrid.limits import NETWORK_MEMBER_BYTES_MAX
from planning.network.model import CLOSED, Bool, Float64, Int32, Int64, Network, half_edges
from planning.network.modes import MODES

FORMAT: Final = "gisgrid network"
VERSION: Final = 1

Array = NDArray[Any]


def save_network(network: Network) -> bytes:
    """A network as bytes; the same network gives the same bytes."""
    low = np.minimum(network.edge_from, network.edge_to)
    ends = _ends(network.offsets)
    shared = _same_bits(network.coords[ends], _places(network.x, network.y, network.edge_from, network.edge_to))
    meta = {
        "format": FORMAT,
        "version": VERSION,
        "crs": network.crs,
        "mode": network.mode,
        "unit": network.unit,
        "access_pace": float(network.access_pace),
        "nodes": network.nodes,
        "edges": network.edges,
        "ends_shared": shared,
        "stats": network.stats,
    }
    inner = np.ones(len(network.coords), bool)
    inner[ends] = not shared
    arrays: dict[str, Array] = {
        "x": _pack_floats(network.x),
        "y": _pack_floats(network.y),
        "low": _pack_ints(_steps(low)),
        "span": _pack_ints(np.maximum(network.edge_from, network.edge_to) - low),
        "turned": np.packbits(network.edge_from > network.edge_to),
        "cm": _pack_ints(network.edge_cm),
        "forward": _pack_ints(network.edge_forward - (network.edge_cm if network.unit == "cm" else 0)),
        "backward": _pack_ints(network.edge_backward - network.edge_forward),
        "street": _pack_ints(network.edge_street),
        "open": np.packbits(network.edge_open),
        "piece": _pack_ints(_steps(network.edge_component)),
        "piece_cm": network.component_cm.astype("<i8"),
        "piece_used": np.packbits(network.component_used),
        "shape": _pack_ints(np.diff(network.offsets)),
        "shape_x": _pack_floats(network.coords[inner, 0]),
        "shape_y": _pack_floats(network.coords[inner, 1]),
    }
    arrays["meta"] = np.frombuffer(json.dumps(meta, ensure_ascii=False).encode(), np.uint8)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, values in arrays.items():
            member = io.BytesIO()
            np.save(member, values, allow_pickle=False)
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy", (2000, 1, 1, 0, 0, 0)), member.getvalue(), zipfile.ZIP_DEFLATED, 6
            )
    return out.getvalue()


def load_network(data: bytes) -> Network:
    """The network `save_network` made bytes of, every array the same to the bit.

    Raises BadInput, in one line, for bytes that are no saved network, one of another version, or a damaged one.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            meta = json.loads(_member(archive, "meta").tobytes())
            if not isinstance(meta, dict) or meta.get("format") != FORMAT:
                raise BadInput("not a saved network; make one with gisgrid network STREETS --out FILE.npz")
            if meta.get("version") != VERSION:
                raise BadInput(
                    f"the network was saved as version {meta.get('version')}, and this program reads {VERSION}; "
                    "build it again from its streets"
                )
            return _network(meta, archive)
    except (
        zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, IndexError, EOFError, OverflowError, OSError,
        NotImplementedError, RuntimeError, MemoryError,
    ) as error:  # fmt: skip
        raise BadInput("not a saved network, or a damaged one; build it again from its streets") from error


def _network(meta: dict[str, Any], archive: zipfile.ZipFile) -> Network:
    nodes, edges = int(meta["nodes"]), int(meta["edges"])
    x, y = (_unpack_floats(_member(archive, name)) for name in ("x", "y"))
    low, span = _sums(_ints(archive, "low", edges)), _ints(archive, "span", edges)
    turned = _bits(archive, "turned", edges)
    high = low + span
    edge_from, edge_to = np.where(turned, high, low).astype(np.int32), np.where(turned, low, high).astype(np.int32)
    edge_cm = _ints(archive, "cm", edges)
    forward = _ints(archive, "forward", edges) + (edge_cm if meta["unit"] == "cm" else np.int32(0))
    backward = _ints(archive, "backward", edges) + forward
    component_cm = _member(archive, "piece_cm").astype(np.int64)
    component = _sums(_ints(archive, "piece", edges))
    offsets = np.zeros(edges + 1, np.int64)
    np.cumsum(_ints(archive, "shape", edges), out=offsets[1:])
    _check(
        len(x) == nodes == len(y) and edges > 0,
        meta["mode"] in MODES and meta["unit"] == MODES[meta["mode"]].unit,
        low.min() >= 0 and span.min() >= 0 and high.max() < nodes,
        component.min() >= 0 and component.max() < len(component_cm),
        np.diff(offsets).min() >= 2,
        edge_cm.min() >= 0 and min(forward.min(), backward.min()) >= CLOSED,
    )
    coords = np.empty((int(offsets[-1]), 2))
    inner = np.ones(len(coords), bool)
    if meta["ends_shared"]:
        ends = _ends(offsets)
        inner[ends] = False
        coords[ends] = _places(x, y, edge_from, edge_to)
    for axis, name in enumerate(("shape_x", "shape_y")):
        coords[inner, axis] = _unpack_floats(_member(archive, name))
    indptr, neighbours, weights, half_edge = half_edges(edge_from, edge_to, forward, backward, nodes)
    return Network(
        crs=str(meta["crs"]),
        mode=meta["mode"],
        unit=meta["unit"],
        x=x,
        y=y,
        indptr=indptr,
        neighbours=neighbours,
        weights=weights,
        half_edge=half_edge,
        edge_from=edge_from,
        edge_to=edge_to,
        edge_cm=edge_cm,
        edge_forward=forward,
        edge_backward=backward,
        edge_street=_ints(archive, "street", edges),
        edge_open=_bits(archive, "open", edges),
        edge_component=component,
        coords=coords,
        offsets=offsets,
        component_cm=component_cm,
        component_used=_bits(archive, "piece_used", len(component_cm)),
        access_pace=float(meta["access_pace"]),
        stats=dict(meta["stats"]),
    )


def _check(*sound: Any) -> None:
    if not all(bool(holds) for holds in sound):
        raise ValueError("the arrays of the network contradict each other")


def _ends(offsets: Int64) -> Int64:
    """Rows of ``coords`` where edges begin, then those where they end."""
    return np.concatenate([offsets[:-1], offsets[1:] - 1])


def _places(x: Float64, y: Float64, edge_from: Int32, edge_to: Int32) -> Float64:
    nodes = np.concatenate([edge_from, edge_to])
    return np.column_stack([x[nodes], y[nodes]])


def _same_bits(one: Float64, other: Float64) -> bool:
    return bool(np.array_equal(one.view(np.int64), np.ascontiguousarray(other).view(np.int64)))


def _steps(values: Int32) -> Int32:
    return np.diff(values, prepend=np.int32(0)).astype(np.int32)


def _sums(steps: Int32) -> Int32:
    return np.cumsum(steps, dtype=np.int64).astype(np.int32)


def _pack_ints(values: Array) -> NDArray[np.uint8]:
    """Whole numbers of 32 bits as four planes of bytes, small numbers of either sign having empty high planes."""
    wide = values.astype(np.int32)
    folded = ((wide << 1) ^ (wide >> 31)).astype("<u4")
    return np.ascontiguousarray(folded.view(np.uint8).reshape(-1, 4).T)


def _ints(archive: zipfile.ZipFile, name: str, count: int) -> Int32:
    planes = _member(archive, name)
    _check(planes.shape == (4, count))
    folded = np.ascontiguousarray(planes.T).view("<u4").ravel()
    return ((folded >> np.uint32(1)).astype(np.int32) ^ -(folded & np.uint32(1)).astype(np.int32)).astype(np.int32)


def _bits(archive: zipfile.ZipFile, name: str, count: int) -> Bool:
    packed = _member(archive, name)
    _check(len(packed) == (count + 7) // 8)
    return np.unpackbits(packed, count=count).astype(bool)


def _pack_floats(values: Float64) -> NDArray[np.uint8]:
    """Doubles as eight planes of bytes of the differences of their bit patterns (exact: integers wrap around)."""
    bits = np.ascontiguousarray(values, "<f8").view("<i8")
    steps = np.diff(bits, prepend=np.int64(0))
    folded = (steps << 1) ^ (steps >> 63)
    return np.ascontiguousarray(folded.astype("<i8").view(np.uint8).reshape(-1, 8).T)


def _unpack_floats(planes: Array) -> Float64:
    _check(planes.ndim == 2 and planes.shape[0] == 8)
    folded = np.ascontiguousarray(planes.T).view("<u8").ravel()
    steps = (folded >> np.uint64(1)).astype(np.int64) ^ -(folded & np.uint64(1)).astype(np.int64)
    out: Float64 = np.cumsum(steps, dtype=np.int64).view(np.float64)
    return out


def _member(archive: zipfile.ZipFile, name: str) -> Array:
    info = archive.getinfo(f"{name}.npy")
    if info.file_size > NETWORK_MEMBER_BYTES_MAX:
        raise ValueError("the array is too large to be one of a network")
    values: Array = np.load(io.BytesIO(archive.read(info)), allow_pickle=False)
    return values
