"""Files of jobs: ``$GISGRID_HOME/jobs/<id>/input`` is what was sent, ``…/output/`` what the work makes."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from gisgrid.errors import BadInput, NotFound
from gisgrid.jobs import JobFiles
from gisgrid.limits import JOB_INPUT_BYTES_MAX, JOB_OUTPUT_BYTES_MAX

ORPHAN_SECONDS = 86_400.0
"""A folder without a job is removed when it is this old; a younger one may belong to a transaction still open."""


def folder_of(home: Path, job: int) -> Path:
    """The folder of one job."""
    return home / "jobs" / str(int(job))


def keep_input(home: Path, job: int, given: Path | bytes) -> None:
    """Put aside what was sent. A file is linked where that is possible, else copied. Raises BadInput when too large."""
    size = len(given) if isinstance(given, bytes) else given.stat().st_size
    if size > JOB_INPUT_BYTES_MAX:
        raise BadInput(f"the file of {size:,} bytes is over the {JOB_INPUT_BYTES_MAX:,} a job takes; split it")
    target = folder_of(home, job) / "input"
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if isinstance(given, bytes):
        target.write_bytes(given)
        return
    try:
        os.link(given, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(given, target)


def fresh(home: Path, job: int) -> JobFiles:
    """The files of a job about to run, its output folder empty: an earlier attempt may have left something."""
    folder = folder_of(home, job)
    output = folder / "output"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True, mode=0o700)
    given = folder / "input"
    return JobFiles(given if given.exists() else None, output)


def made(home: Path, job: int, name: object) -> Path:
    """The file a job made. Raises BadInput when ``name`` is no plain file in the output folder, or one too large."""
    folder = folder_of(home, job) / "output"
    path = folder / str(name)
    if path.parent != folder or path.is_symlink() or not path.is_file():
        raise BadInput(f"output {str(name)!r} is no file the job made in its folder")
    if path.stat().st_size > JOB_OUTPUT_BYTES_MAX:
        raise BadInput(
            f"the output of {path.stat().st_size:,} bytes is over the {JOB_OUTPUT_BYTES_MAX:,} a job may make"
        )
    return path


def output_of(home: Path, job: int, name: object) -> Path:
    """The file a job made, to be sent. Raises NotFound when it is gone."""
    try:
        return made(home, job, name)
    except BadInput:
        raise NotFound(
            f"the file of job {job} is no longer there; files are kept as long as GISGRID_KEEP_DAYS says"
        ) from None


def drop_input(home: Path, job: int) -> None:
    """Forget what was sent: the job has ended."""
    (folder_of(home, job) / "input").unlink(missing_ok=True)


def drop_output(home: Path, job: int) -> None:
    """Forget what was made: the job did not get to its end."""
    shutil.rmtree(folder_of(home, job) / "output", ignore_errors=True)


def drop(home: Path, job: int) -> None:
    """Forget all files of a job."""
    shutil.rmtree(folder_of(home, job), ignore_errors=True)


def orphans(home: Path, known: set[int], *, now: float | None = None) -> list[int]:
    """Jobs whose folder is there while they are not, and not just being submitted."""
    limit = (time.time() if now is None else now) - ORPHAN_SECONDS
    folder = home / "jobs"
    if not folder.is_dir():
        return []
    numbered = [path for path in folder.iterdir() if path.name.isdigit() and path.is_dir()]
    return sorted(int(path.name) for path in numbered if int(path.name) not in known and path.stat().st_mtime < limit)
