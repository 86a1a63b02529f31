"""Bodies meant to do harm."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

POINT = '{"type":"Point","coordinates":[112.9,35.5]}'


def nested_collections(depth: int) -> str:
    """A geometry of collections in each other."""
    return '{"type":"GeometryCollection","geometries":[' * depth + POINT + "]}" * depth


def features(*geometries: str, properties: str = "{}") -> bytes:
    """A FeatureCollection of geometries as texts."""
    rows = ",".join(f'{{"type":"Feature","properties":{properties},"geometry":{one}}}' for one in geometries)
    return f'{{"type":"FeatureCollection","features":[{rows}]}}'.encode()


def polygon(count: int) -> str:
    """A round polygon of so many vertices."""
    angle = np.linspace(0, 2 * np.pi, count)
    ring = np.column_stack((112.9 + 0.001 * np.cos(angle), 35.5 + 0.001 * np.sin(angle)))
    ring[-1] = ring[0]
    return json.dumps({"type": "Polygon", "coordinates": [ring.tolist()]})


def parquet(table: pa.Table, **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def growing_parquet() -> bytes:
    """90,000 rows that all name one text of 64 KB: kilobytes in the file, 6 GB written out."""
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(90_000, np.int32)), pa.array(["x" * 65_536]))
    places = {"lon": np.full(90_000, 112.9), "lat": np.full(90_000, 35.5)}
    return parquet(pa.table({"note": texts, **places}), compression="zstd")


def zeros_parquet() -> bytes:
    """90,000 rows of 100 columns of zeros, packed to kilobytes."""
    return parquet(pa.table({f"c{k}": np.zeros(90_000) for k in range(700)}), compression="zstd", use_dictionary=False)


def lying_parquet() -> bytes:
    """A sound table whose footer was changed byte by byte where numbers stand: rows, sizes, offsets."""
    sound = parquet(pa.table({"lon": np.full(100, 112.9), "lat": np.full(100, 35.5)}))
    length = int.from_bytes(sound[-8:-4], "little")
    footer = bytearray(sound[-8 - length : -8])
    for at in range(len(footer)):
        if footer[at] in (0xC8, 0x01):  # 100 as a zigzag number
            footer[at : at + 2] = b"\xff\x7f"
            break
    return sound[: -8 - length] + bytes(footer) + sound[-8:]


def damaged_parquets(count: int) -> list[bytes]:
    """Tables with random bytes changed anywhere behind the first four."""
    random = np.random.default_rng(1)
    sound = parquet(
        pa.table({"lon": np.full(1000, 112.9), "lat": np.full(1000, 35.5), "id": [f"p{k}" for k in range(1000)]})
    )
    made = []
    for _ in range(count):
        bytes_ = bytearray(sound)
        for at in random.integers(4, len(sound) - 4, 6).tolist():
            bytes_[at] = int(random.integers(0, 256))
        made.append(bytes(bytes_))
    return made
