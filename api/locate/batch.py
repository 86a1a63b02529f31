"""POST /api/v1/locate: many points at once, answered in the format they came in or another; very many as a job."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from apiflask import APIBlueprint
from apiflask.fields import Float, String
from flask import Response, current_app, request
from werkzeug.exceptions import NotAcceptable, UnsupportedMediaType

from api.access.principal import require
from api.downloads import tidy
from api.json import json_response
from api.locate import rows as locate_rows
from api.locate.answers import checked_within
from api.locate.rows import Rows
from api.locate.words import place_addresses
from api.moments import AT_GENERATION, moment_or_generation
from api.pages import Strict
from api.state import state
from data import jobs
from data.bounded import call, for_file
from data.files import not_a_map
from data.in_force import InForce
from data.point_streams import Grids, PointStream
from data.point_streams.csv_reader import open_csv
from data.point_streams.csv_text import count_rows, look_at
from data.point_streams.parquet_reader import open_parquet
from data.retrying import retried
from gisgrid.crs import STORAGE_CRS, normalise
from gisgrid.errors import BadInput, Broken
from gisgrid.limits import (
    BODY_BYTES_MAX,
    LOCATE_BODY_BYTES_MAX,
    LOCATE_DECODED_BYTES_MAX,
    LOCATE_JOB_ROWS_MAX,
    LOCATE_ROWS_MAX,
    OUTSIDE_METRES_MAX,
    UPLOAD_MEMORY_BYTES_MAX,
    UPLOAD_SECONDS_MAX,
)
from gisgrid.locate.points import check_systems

bp = APIBlueprint("locate_batch", __name__, url_prefix="/api/v1/locate", tag="Locate")

JSON, GEOJSON, CSV, PARQUET = "json", "geojson", "csv", "parquet"
MEDIA: Final = {
    "application/json": JSON,
    "application/geo+json": GEOJSON,
    "application/vnd.geo+json": GEOJSON,
    "text/csv": CSV,
    "application/csv": CSV,
    "text/tab-separated-values": CSV,
    "application/vnd.apache.parquet": PARQUET,
    "application/x-parquet": PARQUET,
}
TYPES: Final = {
    JSON: "application/json", GEOJSON: "application/geo+json", CSV: "text/csv",
    PARQUET: "application/vnd.apache.parquet",
}  # fmt: skip
_CHUNK: Final = 1 << 20


class BatchQuery(Strict):
    """Parameters of a batch."""

    crs = String(
        load_default="wgs84",
        metadata={"description": "system of rows that name none: wgs84, gcj02, bd09, cgcs2000 or EPSG:n"},
    )
    format = String(
        metadata={"description": "json, geojson, csv or parquet; by default what Accept asks for, or as sent"}
    )
    columns = String(metadata={"description": "two column names of a table, longitude first, such as lng,lat"})
    within = Float(
        load_default=OUTSIDE_METRES_MAX,
        metadata={"description": "how far outside every grid the nearest one is still told, in metres; 0: do not look"},
    )
    at = String(metadata={"description": f"{AT_GENERATION}; of what is answered at once"})


@bp.post("")
@bp.input(BatchQuery, location="query", unknown=None)
def locate_batch(query_data: dict[str, Any]) -> Response:
    """The grid of each of many points (JSON, GeoJSON, CSV or Parquet), one answer a point in the order they came.

    A point that cannot be used keeps its row, with the reason. More points than one request may locate become a job:
    202, and its address. Ids given twice, an empty batch and a body that cannot be read are refused.
    """
    sent = _sent_format()
    wanted = _wanted_format(query_data.get("format"), sent)
    crs = normalise(query_data["crs"])
    check_systems(crs, STORAGE_CRS)
    columns = _columns(query_data.get("columns"))
    within, at = checked_within(query_data["within"]), query_data.get("at")
    asked = grids_in_force() if at is None else Grids.of_generation(state().current.at(moment_or_generation(at)))
    params = {"sent": sent, "wanted": wanted, "crs": crs, "columns": columns, "max_metres": within}
    if sent in (JSON, GEOJSON):
        body = request.get_data(cache=False)
        rows = (locate_rows.parse_json if sent == JSON else locate_rows.parse_geojson)(body, crs)
        rows = place_addresses(rows, state().addresses, state().current.need())
        if len(rows.ids) > LOCATE_ROWS_MAX:
            _only_now(at)
            return _as_job(params, body, len(rows.ids))
        return _answered(rows, wanted, within, None, asked)
    with _spooled(f".{sent}") as path:
        path, count = looked_through(path) if sent == PARQUET else (path, rows_of(path))
        if count > LOCATE_ROWS_MAX or path.stat().st_size > BODY_BYTES_MAX:
            if count > LOCATE_JOB_ROWS_MAX:
                raise BadInput(f"{count:,} rows are more than {LOCATE_JOB_ROWS_MAX:,}; send them in parts")
            if wanted == JSON:
                raise BadInput("so large a table is answered as csv, parquet or geojson; ask with format=")
            _only_now(at)
            return _as_job(params, path, count)
        stream = open_table(path, crs, columns, typed=wanted == PARQUET)
        return _answered(locate_rows.parse_table(stream), wanted, within, stream, asked)


def _only_now(at: str | None) -> None:
    if at is not None:
        raise BadInput("at goes with batches that are answered at once; send this one in parts")


def open_table(path: Path, crs: str, columns: tuple[str, str] | None, *, typed: bool) -> PointStream:
    """What was sent as CSV or Parquet. Raises BadInput that names no file of ours."""
    try:
        if path.suffix == ".csv":
            return open_csv(path, crs, columns, typed=typed)
        return open_parquet(path, crs, columns, coded=True)
    except BadInput as error:
        raise without_path(error, path) from error


def looked_through(path: Path) -> tuple[Path, int]:
    """A Parquet table rewritten by a child that may fail in our place, and its rows; as it is when it is for a job.

    Raises BadInput.
    """
    sound = path.with_name(f"sound{path.suffix}")
    limits = for_file(path, memory=UPLOAD_MEMORY_BYTES_MAX, seconds=UPLOAD_SECONDS_MAX)
    whole = path.stat().st_size <= BODY_BYTES_MAX
    try:
        told = call(
            "parquet", limits, about="the body", path=str(path), out=str(sound),
            rows_max=LOCATE_ROWS_MAX if whole else 0, bytes_max=LOCATE_DECODED_BYTES_MAX,
        )  # fmt: skip
    except BadInput as error:
        raise without_path(not_a_map(path), path) if error.code == "no_map" else error from None
    return sound if sound.exists() else path, int(told["rows"])


def rows_of(path: Path) -> int:
    """Rows of a CSV file, counted. Raises BadInput."""
    try:
        return count_rows(look_at(path))
    except BadInput as error:
        raise without_path(error, path) from error


def grids_in_force() -> Grids:
    """The grids answers are made from: one generation, prepared once for each that comes into force."""
    found = state().current.need()
    kept: tuple[InForce, Grids] | None = current_app.extensions.get("gisgrid_locate_batch")
    if kept is None or kept[0].index is not found.index:
        kept = current_app.extensions["gisgrid_locate_batch"] = (found, Grids.of_generation(found))
    return kept[1]


# --- the request ------------------------------------------------------------------------


def _sent_format() -> str:
    known = MEDIA.get(request.mimetype)
    if known is None:
        given = request.mimetype[:60] or "missing"
        raise UnsupportedMediaType(f"Content-Type is {given}; send {', '.join(TYPES.values())}")
    return known


def _wanted_format(asked: str | None, sent: str) -> str:
    """By ``format=``, else the best of Accept, where what was sent goes first among equals."""
    if asked is not None:
        if asked not in TYPES:
            raise BadInput(f"format={asked!r} is not known; give {', '.join(TYPES)}")
        return asked
    accept = request.accept_mimetypes
    if not accept.provided:
        return sent
    best = max([sent, *TYPES], key=lambda name: accept.quality(TYPES[name]))  # the first of equals
    if accept.quality(TYPES[best]) <= 0:
        raise NotAcceptable(f"Accept asks for none of {', '.join(TYPES.values())}")
    return best


def _columns(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    x, _, y = text.partition(",")
    if not x or not y or "," in y:
        raise BadInput(f"columns={text!r} are not two column names; give for example lng,lat")
    return x, y


@contextmanager
def _spooled(ending: str) -> Iterator[Path]:
    """The body as a file, which is gone afterwards."""
    request.max_content_length = LOCATE_BODY_BYTES_MAX
    home = state().settings.home / "uploads"
    try:
        home.mkdir(parents=True, exist_ok=True)
        tidy(home)  # what killed processes left
        folder = tempfile.TemporaryDirectory(dir=home, ignore_cleanup_errors=True)
    except OSError as error:
        raise Broken(f"uploads cannot be kept: {error.strerror}") from error
    with folder as made:
        path = Path(made) / f"points{ending}"
        with path.open("wb") as out:
            while chunk := request.stream.read(_CHUNK):
                out.write(chunk)
        if path.stat().st_size == 0:
            raise BadInput("the body is empty; send at least one point", code="empty_batch")
        yield path


def without_path(error: BadInput, path: Path) -> BadInput:
    """The same in words of the interface: no file of ours, no option of the command line."""
    details = {name: value for name, value in error.details.items() if name != "path"}
    said = error.message.replace(f"{path}: ", "").replace(str(path), "the body").replace("--", "")
    return BadInput(said, code=error.code, **details)


# --- the answer -------------------------------------------------------------------------


def _answered(rows: Rows, wanted: str, within: float, source: PointStream | None, grids: Grids) -> Response:
    found = locate_rows.locate_rows(rows, grids, within)
    if wanted == JSON:
        return Response(locate_rows.as_json(rows, found, grids), mimetype=TYPES[JSON])
    if wanted == GEOJSON:
        return Response(locate_rows.as_geojson(rows, found, grids), mimetype=TYPES[GEOJSON])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"points.{wanted}"
        locate_rows.write_table(path, rows, found, grids, source)
        response = Response(path.read_bytes(), mimetype=TYPES[wanted])
    response.headers["Content-Disposition"] = f'attachment; filename="located.{wanted}"'
    return response


@retried
def _as_job(params: dict[str, Any], body: Path | bytes, rows: int) -> Response:
    grids_in_force()  # before the first publish there is nothing a job could do
    held, owner = state(), require("analyse").key
    with held.engine.begin() as connection:
        number = jobs.submit(connection, "locate", params, home=held.settings.home, input=body, owner=owner)
    here = f"/api/v1/jobs/{number}"
    told = {
        "id": number, "kind": "locate", "state": "queued", "points": rows,
        "links": [{"rel": "self", "href": here, "type": "application/json"}],
    }  # fmt: skip
    response = json_response(told, status=202)
    response.headers["Location"] = here
    return response
