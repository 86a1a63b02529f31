"""Grounds of unit sets a process keeps: made once, shared between processes as files, compressed once."""

from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import brotli
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from flask import current_app

from api.compression import compress
from api.etag import tag_of
from api.json import json_bytes
from api.state import state
from gisgrid.errors import BadInput
from planning.ground import Ground, packed, read_ground
from planning.workflow_ground import UnitSet, stored_counts, stored_ground, unit_keys

KEPT: Final = 4
"""Unit sets a process keeps in memory: a district of 20,000 units takes some 30 MB."""
BROTLI_QUALITY: Final = 5
"""The block is compressed once and read by many: worth more time than answers made anew each time."""


@dataclass
class HeldGround:
    """The ground of one unit set as it is now. ``keys``: database ids of its units, ascending."""

    unit_set: UnitSet
    tag: str
    ground: Ground
    keys: npt.NDArray[np.int64]
    block: bytes
    coded: dict[str, bytes] = field(default_factory=dict)
    counts: tuple[str, bytes] | None = None


class HeldGrounds:
    """Grounds by unit set; one of an older revision is made anew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._held: OrderedDict[int, HeldGround] = OrderedDict()

    def get(self, connection: sa.Connection, unit_set: UnitSet) -> HeldGround:
        """The ground of a unit set: from memory, from the file another process wrote, or made (a second or two)."""
        tag = tag_of("ground", unit_set.revision)
        with self._lock:
            held = self._held.get(unit_set.id)
            if held is None or held.tag != tag:
                held = self._read(connection, unit_set, tag)
                self._held[unit_set.id] = held
            self._held.move_to_end(unit_set.id)
            while len(self._held) > KEPT:
                self._held.popitem(last=False)
            return held

    def body(self, held: HeldGround, coding: str | None) -> bytes:
        """The block in a coding of HTTP, kept compressed."""
        if coding is None:
            return held.block
        with self._lock:
            if coding not in held.coded:
                held.coded[coding] = (
                    brotli.compress(held.block, quality=BROTLI_QUALITY)
                    if coding == "br"
                    else compress(held.block, coding)
                )
            return held.coded[coding]

    def counts(self, connection: sa.Connection, held: HeldGround, unit_set: UnitSet) -> bytes:
        """The counts of a unit set as JSON, as they are now."""
        with self._lock:
            if held.counts is None or held.counts[0] != unit_set.counted:
                found = stored_counts(connection, unit_set.id)
                body = {
                    "unit_set": unit_set.id, "since": found.since, "until": found.until,
                    "components": found.components, "reports_per_month": found.reports_per_month,
                }  # fmt: skip
                held.counts = (unit_set.counted, json_bytes(body))
            return held.counts[1]

    def _read(self, connection: sa.Connection, unit_set: UnitSet, tag: str) -> HeldGround:
        path = self._folder / f"{unit_set.id}-{tag.strip(chr(34))}.ggt"
        keys = unit_keys(connection, unit_set.id)
        block = _file(path)
        ground = _ground(block)
        if block is None or ground is None or ground.count != len(keys):
            block = packed(stored_ground(connection, unit_set), unit_set.id)
            ground = read_ground(block)  # the same numbers whether it was made here or read
            _write(path, block)
        return HeldGround(unit_set, tag, ground, keys, block)


def held_grounds() -> HeldGrounds:
    """Those of the application serving this request."""
    found = current_app.extensions.get("gisgrid.grounds")
    if not isinstance(found, HeldGrounds):
        found = current_app.extensions.setdefault("gisgrid.grounds", HeldGrounds(state().settings.home / "grounds"))
    assert isinstance(found, HeldGrounds)
    return found


def _file(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _ground(block: bytes | None) -> Ground | None:
    """The ground of a file's bytes; None for one that was cut short or belongs to another version."""
    try:
        return None if block is None else read_ground(block)
    except (BadInput, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, block: bytes) -> None:
    """Put a block where other processes find it, whole or not at all; older ones of the set go. Without a writable
    folder every process makes its own."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as out:
            out.write(block)
        Path(out.name).replace(path)
        for old in path.parent.glob(f"{path.name.split('-')[0]}-*.ggt"):
            if old != path:
                old.unlink(missing_ok=True)
    except OSError:
        return
