"""Zip archives, looked at before they are inflated and counted while they are."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath
from typing import Final

from gisgrid.errors import BadInput
from gisgrid.limits import (
    ARCHIVE_BYTES_MAX,
    ARCHIVE_ENTRIES_MAX,
    ARCHIVE_RATIO_FROM_BYTES,
    ARCHIVE_RATIO_MAX,
    ENTRY_NAME_BYTES_MAX,
)

MAPS: Final = (".shp", ".gpkg", ".geojson", ".fgb")
_SIDES: Final = (".shx", ".dbf", ".prj", ".cpg")
_CHUNK: Final = 1 << 20
_UTF8: Final = 0x800
_ENCRYPTED: Final = 0x1


def unpack(path: Path, folder: Path, *, about: str) -> list[Path]:
    """The map files of a zip inflated below ``folder``, by their names in the archive.

    Only map files and what belongs to a shapefile are inflated, archives in the archive are not. Raises BadInput for an
    archive that is damaged or encrypted, has too many entries, names that lead out of it, links, two files of one name,
    or more bytes than its directory says, than a file may have, or than so short a file plausibly holds.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = _checked(archive.infolist(), about)
            chosen = {name: info for name, info in members.items() if _wanted(name)}
            _check_sizes(list(chosen.values()), about)
            left, made = ARCHIVE_BYTES_MAX, []
            for name, info in sorted(chosen.items()):
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                left -= _inflate(archive, info, target, left, about)
                if target.suffix.lower() in MAPS:
                    made.append(target)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, NotImplementedError, EOFError, ValueError) as error:
        raise BadInput(f"{about}: is no sound zip archive", path=about) from error
    except RuntimeError as error:  # what zipfile says of a password
        raise BadInput(f"{about}: is encrypted; send it without a password", path=about) from error
    return made


def _checked(entries: list[zipfile.ZipInfo], about: str) -> dict[str, zipfile.ZipInfo]:
    """Files by name. Raises BadInput for entries no map archive has."""
    if len(entries) > ARCHIVE_ENTRIES_MAX:
        raise BadInput(f"{about}: holds {len(entries):,} entries; at most {ARCHIVE_ENTRIES_MAX:,} are taken")
    found: dict[str, zipfile.ZipInfo] = {}
    for info in entries:
        name = _name_of(info)
        parts = PurePosixPath(name).parts
        if name.startswith("/") or ".." in parts or "\\" in name or ":" in name or "\0" in name:
            raise BadInput(f"{about}: entry {name[:80]!r} leads out of the archive; pack the files without paths")
        if len(name.encode("utf-8", "replace")) > ENTRY_NAME_BYTES_MAX:
            raise BadInput(f"{about}: an entry's name is longer than {ENTRY_NAME_BYTES_MAX} bytes")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise BadInput(f"{about}: entry {name[:80]!r} is a link or device; pack the files themselves")
        if info.flag_bits & _ENCRYPTED:
            raise BadInput(f"{about}: is encrypted; send it without a password")
        if info.is_dir():
            continue
        if name in found:
            raise BadInput(f"{about}: holds {name[:80]!r} twice")
        found[name] = info
    return found


def _name_of(info: zipfile.ZipInfo) -> str:
    """An entry's name; where the archive does not say that it is UTF-8 it may be that, or GB 18030 as from Windows."""
    if info.flag_bits & _UTF8:
        return info.filename
    try:
        raw = info.filename.encode("cp437")
    except UnicodeEncodeError:
        return info.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def _wanted(name: str) -> bool:
    return Path(name).suffix.lower() in MAPS + _SIDES and not name.startswith("__MACOSX/")


def _check_sizes(entries: list[zipfile.ZipInfo], about: str) -> None:
    total = sum(info.file_size for info in entries)
    packed = max(sum(info.compress_size for info in entries), 1)
    if total > ARCHIVE_BYTES_MAX:
        raise BadInput(f"{about}: unfolds to {total >> 20:,} MB; at most {ARCHIVE_BYTES_MAX >> 20:,} MB are taken")
    if total > ARCHIVE_RATIO_FROM_BYTES and total > ARCHIVE_RATIO_MAX * packed:
        raise BadInput(f"{about}: unfolds to {total // packed:,} times its size; at most {ARCHIVE_RATIO_MAX} is taken")


def _inflate(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, left: int, about: str) -> int:
    """Bytes written. Raises BadInput beyond what the directory says or ``left``."""
    written = 0
    with archive.open(info) as source, target.open("xb") as out:
        while block := source.read(_CHUNK):
            written += len(block)
            if written > min(info.file_size, left):
                raise BadInput(f"{about}: an entry is longer than the archive says")
            out.write(block)
    return written
