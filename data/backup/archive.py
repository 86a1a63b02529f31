"""The one file of a backup: a plain zip, nothing compressed twice, sealed by a digest of every byte of it.

Members: ``database.dump`` (pg_dump's custom format, so that pg_restore reads it without us), ``jobs/…`` (files of
jobs), ``manifest.json``. The zip's comment, its last bytes, is the SHA-256 of all bytes before it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from gisgrid.errors import BadInput, Broken
from gisgrid.models import Progress, no_progress

FORMAT = 1
DUMP = "database.dump"
MANIFEST = "manifest.json"
_SEAL = b"gisgrid backup sha256 "
_COMMENT_BYTES = len(_SEAL) + 64
_BLOCK = 1 << 20


class Writer:
    """Members of a backup being written."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.members: dict[str, dict[str, Any]] = {}

    @contextmanager
    def member(self, name: str) -> Iterator[IO[bytes]]:
        """A member to write to."""
        info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        info.external_attr = 0o600 << 16
        digest, size = hashlib.sha256(), 0
        with self._archive.open(info, "w", force_zip64=True) as out:

            class Counted:
                def write(self, block: bytes) -> int:
                    nonlocal size
                    digest.update(block)
                    size += len(block)
                    return out.write(block)

            yield Counted()  # type: ignore[misc]
        self.members[name] = {"bytes": size, "sha256": digest.hexdigest()}

    def add(self, name: str, path: Path) -> None:
        """A file as a member."""
        with path.open("rb") as source, self.member(name) as out:
            shutil.copyfileobj(source, out, _BLOCK)


def check_target(path: Path) -> None:
    """Raise BadInput for a file that is there already, or a folder that is not."""
    if path.exists() or path.is_symlink():
        raise BadInput(f"{path} is there already; a backup replaces no file, name another")
    if not path.parent.is_dir():
        raise BadInput(f"{path.parent} is no folder")


@contextmanager
def writing(path: Path) -> Iterator[tuple[Writer, dict[str, Any]]]:
    """A backup that is under its name when it is whole and on disk, and not at all before.

    Yields the writer and the manifest to fill in. Raises BadInput when the name is taken, Broken when it cannot be
    written.
    """
    check_target(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    manifest: dict[str, Any] = {"format": FORMAT}
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)  # it holds password hashes and reports
        with os.fdopen(descriptor, "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
                writer = Writer(archive)
                yield writer, manifest
                manifest["members"] = dict(writer.members)
                with writer.member(MANIFEST) as out:
                    out.write(json.dumps(manifest, ensure_ascii=False, indent=1).encode())
                archive.comment = _SEAL + b"0" * 64
            _seal(file)
            os.fsync(file.fileno())
        _into_place(part, path)
    except OSError as error:
        raise Broken(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def _seal(file: IO[bytes]) -> None:
    """Write the digest of all that is on disk into the last bytes."""
    file.flush()
    file.seek(0, os.SEEK_END)
    end = file.tell()
    digest = _digest(file, end - 64, no_progress)
    file.seek(end - 64)
    file.write(digest.encode())
    file.flush()


def _into_place(part: Path, path: Path) -> None:
    try:
        os.link(part, path)  # never over a file that came up meanwhile
    except FileExistsError:
        raise BadInput(f"{path} came to be meanwhile; a backup replaces no file, name another") from None
    except OSError:  # a file system without links
        check_target(path)
        part.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        with suppress(OSError):  # not every file system takes it for a folder
            os.fsync(folder)
    finally:
        os.close(folder)


def _digest(file: IO[bytes], length: int, progress: Progress) -> str:
    file.seek(0)
    digest, left = hashlib.sha256(), length
    while left > 0:
        block = file.read(min(_BLOCK, left))
        if not block:
            break
        digest.update(block)
        left -= len(block)
        progress(1 - left / max(length, 1), f"{(length - left) / 1e6:,.0f} MB read")
    return digest.hexdigest()


@dataclass(frozen=True)
class Archive:
    """A backup that was read through and is as it was written."""

    path: Path
    manifest: dict[str, Any]

    @classmethod
    def verified(cls, path: Path, *, progress: Progress = no_progress) -> Archive:
        """Read every byte of a backup. Raises BadInput for a file that is none, is cut short, or was altered."""
        if not path.is_file():
            raise BadInput(f"{path}: no such file")
        try:
            with path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _COMMENT_BYTES))
                comment = file.read()
                if not comment.startswith(_SEAL):
                    raise BadInput(f"{path} is no whole backup of gisgrid: its end is missing; nothing was changed")
                if _digest(file, size - 64, progress).encode() != comment[-64:]:
                    raise BadInput(f"{path} was altered since it was written: its digest differs; nothing was changed")
            with zipfile.ZipFile(path) as archive:
                manifest = json.loads(archive.read(MANIFEST))
                sizes = {info.filename: info.file_size for info in archive.infolist() if info.filename != MANIFEST}
        except (zipfile.BadZipFile, KeyError, ValueError, NotImplementedError) as error:
            raise BadInput(f"{path} is no backup of gisgrid; nothing was changed") from error
        except OSError as error:
            raise BadInput(f"{path} cannot be read: {error.strerror or error}") from error
        if manifest.get("format") != FORMAT:
            raise BadInput(
                f"{path} has format {manifest.get('format')}; a newer gisgrid made it, restore with that one"
            )
        if sizes != {name: about["bytes"] for name, about in manifest["members"].items()} or DUMP not in sizes:
            raise BadInput(f"{path} does not hold what its manifest lists; nothing was changed")
        return cls(path, manifest)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """A member to read from."""
        with zipfile.ZipFile(self.path) as archive, archive.open(name) as source:
            yield source

    def blocks(self, name: str) -> Iterator[bytes]:
        """A member block by block."""
        with self.open(name) as source:
            while block := source.read(_BLOCK):
                yield block
