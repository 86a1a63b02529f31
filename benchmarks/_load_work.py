"""What the mixed load asks: owners of places, tiles of the map, and planners who paint borders of their drafts."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

import numpy as np

from planning.ground import read_ground

EDITORS = 12
"""Planners at work, each on a draft: one change after another, as people make them."""


@dataclass
class Editor:
    """One planner: gives a unit at a border to the other side, the next time back."""

    path: str
    version: int
    border: list[tuple[int, str, str]]
    """(unit, from, to)."""
    turn: int = 0

    def request(self) -> bytes:
        """The next change, made from the draft as it was last answered."""
        unit, giver, taker = self.border[self.turn // 2 % len(self.border)]
        if self.turn % 2:
            giver, taker = taker, giver
        change = {"op": "assign", "level": 1, "from": giver, "to": taker, "units": [unit]}
        return request("POST", self.path, {"base": self.version, "operations": [change]})

    def answered(self, status: int, body: bytes) -> None:
        """Go on from what was stored; after anything else the same change is sent again."""
        if status == 200:
            self.version = json.loads(body)["version"]
            self.turn += 1


def request(method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
    """A whole request."""
    told = json.dumps(body).encode() if body is not None else b""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
    if told:
        head += f"Content-Type: application/json\r\nContent-Length: {len(told)}\r\n"
    return head.encode() + b"\r\n" + told


def lookups(url: str) -> dict[str, list[bytes]]:
    """Requests that only read, made from what the server holds: places all over the grids, tiles at four scales."""
    grids = _ask(url, "/api/v1/grids?limit=5000")["features"]
    corners = np.array([at for one in grids for at in _corners(one["geometry"])])
    points = np.random.default_rng(1).uniform(corners.min(axis=0), corners.max(axis=0), (2_000, 2))
    tiles = set()
    for x, y in points[:200].tolist():
        for zoom in (13, 14, 15, 16):
            column = int((x + 180) / 360 * 2**zoom)
            row = int((1 - np.arcsinh(np.tan(np.radians(y))) / np.pi) / 2 * 2**zoom)
            tiles.add(f"/ogc/collections/grids/tiles/WebMercatorQuad/{zoom}/{row}/{column}")
    packed = b"\r\nAccept-Encoding: gzip\r\n\r\n"
    return {
        "locate": [request("GET", f"/api/v1/locate?lon={x:.6f}&lat={y:.6f}") for x, y in points.tolist()],
        "tiles": [request("GET", path).replace(b"\r\n\r\n", packed) for path in sorted(tiles)],
    }  # fmt: skip


def editors(url: str) -> list[Editor]:
    """`EDITORS` planners with a draft each of the grids in force, and the borders they paint, each in another order."""
    area = _ask(url, "/api/v1/plans?limit=1")["plans"][0]["area"]
    found = []
    for number in range(EDITORS):
        made = _ask(url, "/api/v1/plans", {"area": area, "from": "published", "name": f"load {number + 1}"})
        whose = _ask(url, f"/api/v1/plans/{made['id']}/assignment")
        border = _border(_bytes(url, f"/api/v1/unit-sets/{whose['unit_set']}/topology"), whose["levels"][0])
        order = np.random.default_rng(number).permutation(len(border))
        found.append(Editor(f"/api/v1/plans/{made['id']}/edits", whose["version"], [border[n] for n in order]))
    return found


def _border(topology: bytes, level: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Units beside another grid of their community, with the two grids; none is its grid's last."""
    ground = read_ground(topology)
    owner, codes = np.array(level["owner"]), [grid["code"] for grid in level["grids"]]
    left, right = ground.arcs.left, ground.arcs.right
    inner = (left >= 0) & (right >= 0)
    left, right = left[inner], right[inner]
    meets = (owner[left] != owner[right]) & (owner[left] >= 0) & (owner[right] >= 0)
    meets &= ground.community[left] == ground.community[right]
    large = np.bincount(owner[owner >= 0], minlength=len(codes)) > 3
    meets &= large[owner[left]]
    pairs = np.unique(np.stack([left[meets], owner[left[meets]], owner[right[meets]]], axis=1), axis=0)
    return [(unit, codes[giver], codes[taker]) for unit, giver, taker in pairs.tolist()]


def _corners(geometry: dict[str, Any]) -> list[list[float]]:
    parts = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    return [at[:2] for part in parts for ring in part for at in ring]


def _ask(url: str, path: str, body: dict[str, Any] | None = None) -> Any:
    return json.loads(_bytes(url, path, body))


def _bytes(url: str, path: str, body: dict[str, Any] | None = None) -> bytes:
    told = json.dumps(body).encode() if body is not None else None
    asked = urllib.request.Request(url + path, told, {"Content-Type": "application/json"} if told else {})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return bytes(answer.read())
