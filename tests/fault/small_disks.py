"""Small disks that can be filled: tmpfs where the test may mount, which it may as root on most machines."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

BALLAST = "ballast"


@contextmanager
def small_disk(where: Path, mebibytes: int) -> Iterator[Path]:
    """A disk of so many MiB mounted at a folder; skips the test where that may not be."""
    where.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0755", "tmpfs", str(where)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no small disk can be mounted here (root may): {done.stderr.strip()}")
    try:
        yield where
    finally:
        subprocess.run(["umount", "-l", str(where)], check=False)


def fill(disk: Path, *, leave: int = 0) -> None:
    """Use up the disk to the last byte but ``leave``."""
    free = os.statvfs(disk)
    wanted = free.f_bavail * free.f_frsize - leave
    with (disk / BALLAST).open("wb", buffering=0) as out, suppress(OSError):
        if leave:
            os.posix_fallocate(out.fileno(), 0, max(wanted, 1))
            return
        os.posix_fallocate(out.fileno(), 0, max(wanted, 1))
        out.seek(0, os.SEEK_END)
        while True:
            out.write(bytes(4096))


def relieve(disk: Path) -> None:
    """Free the space."""
    (disk / BALLAST).unlink()
