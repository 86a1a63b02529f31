"""The job ``locate``: a batch too large for one request."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from api.locate import rows as locate_rows
from api.locate.batch import CSV, GEOJSON, JSON, PARQUET, open_table, without_path
from data import db
from data.in_force import read_current
from data.point_streams import Grids, locate_file
from gisgrid.errors import BadInput
from gisgrid.jobs import JobFiles
from gisgrid.models import Progress
from gisgrid.settings import Settings


def locate_points_file(params: dict[str, Any], files: JobFiles, progress: Progress) -> dict[str, Any]:
    """Locate what was sent and write ``located.…``; parameters as `api.locate.batch` makes them.

    Tables go through in bounded memory. Facts: counts as the request's answer has them, generation, output. Raises
    BadInput, and NotFound when nothing is published any more.
    """
    if files.input is None:
        raise BadInput("the job has no points; send them again")
    grids = _grids_in_force()
    sent, wanted = params["sent"], params["wanted"]
    out = files.folder / f"located.{wanted}"
    if sent in (JSON, GEOJSON):
        body = files.input.read_bytes()
        rows = (locate_rows.parse_json if sent == JSON else locate_rows.parse_geojson)(body, params["crs"])
        found = locate_rows.locate_rows(rows, grids, params["max_metres"])
        progress(0.7, f"{len(rows.ids):,} points")
        if wanted in (CSV, PARQUET):
            locate_rows.write_table(out, rows, found, grids, None)
        else:
            write = locate_rows.as_json if wanted == JSON else locate_rows.as_geojson
            out.write_bytes(write(rows, found, grids))
        facts = locate_rows.tally_of(found).facts()
        progress(1.0, "")
    else:
        with tempfile.TemporaryDirectory(dir=files.folder) as folder:
            path = Path(folder) / f"points.{sent}"  # the format goes by the ending
            path.symlink_to(files.input.absolute())
            try:
                facts = _table(path, out, wanted, params, grids, progress)
            except BadInput as error:
                raise without_path(error, path) from error
    return facts | {"generation": grids.generation, "output": out.name}


def _table(
    path: Path, out: Path, wanted: str, params: dict[str, Any], grids: Grids, progress: Progress
) -> dict[str, Any]:
    columns = (params["columns"][0], params["columns"][1]) if params["columns"] else None
    stream = open_table(path, params["crs"], columns, typed=wanted != CSV)
    return locate_file(stream, out, grids, max_metres=params["max_metres"], progress=progress).facts()


def _grids_in_force() -> Grids:
    settings = Settings.from_env()
    with db.database(settings) as engine, engine.connect() as connection:
        return Grids.of_generation(read_current(connection, settings.home))
