"""/api/v1/layers: the catalogue for programs, and whole layers to take away."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote

import sqlalchemy as sa
from apiflask import APIBlueprint
from apiflask.fields import Boolean, String
from apiflask.validators import OneOf
from flask import Response, request

from api.access.layers import audience, seen, sees
from api.access.principal import everywhere
from api.catalogue import Offer
from api.errors import error_response
from api.etag import keeping, request_tag, tagged, unchanged
from api.json import json_response
from api.pages import Strict, no_parameters
from api.state import state
from gisgrid.errors import NotFound
from gisgrid.limits import DOWNLOADS_AT_ONCE
from layers.catalog import Layer
from layers.downloads import FORMS, Form, Selection, check_system, csv_text, geojson_text, select, write_file
from layers.qgis import Place, extent_of, project
from layers.styles import styles_of

bp = APIBlueprint("downloads", __name__, url_prefix="/api/v1/layers", tag="Layers")
CHUNK: Final = 256 * 1024
WAIT_SECONDS: Final = 5.0
"""So long a download waits for its turn."""
STALE_SECONDS: Final = 24 * 3600.0
"""A file of a download this old belongs to a process that was killed."""
_free = threading.BoundedSemaphore(DOWNLOADS_AT_ONCE)


class DownloadQuery(Strict):
    """Parameters of a download."""

    format = String(load_default="geojson", validate=OneOf(list(FORMS)), metadata={"description": ", ".join(FORMS)})
    bbox = String(metadata={"description": "minx,miny,maxx,maxy in degrees, longitude first"})
    crs = String(
        metadata={"description": "cgcs2000 (the default), wgs84 or EPSG:n; of geojson and csv also gcj02 and bd09"}
    )
    datetime = String(
        metadata={"description": "time, day or interval from/to: of grids, the generation in force at its end"}
    )
    filter = String(metadata={"description": "CQL2, geometries in degrees with the longitude first"})
    filter_lang = String(
        data_key="filter-lang",
        load_default="cql2-text",
        validate=OneOf(["cql2-text", "cql2-json"]),
        metadata={"description": "cql2-text or cql2-json"},
    )
    properties = String(metadata={"description": "attributes, split by commas; all when not given"})
    lang = String(
        load_default="en", validate=OneOf(["zh", "en"]), metadata={"description": "language of titles: zh or en"}
    )
    bom = Boolean(load_default=False, metadata={"description": "csv: begin with the mark Excel knows UTF-8 by"})


@bp.get("")
@no_parameters
def list_layers() -> Response:
    """The layers offered now: what each tells, how it is drawn, in which formats it can be taken."""
    offer = state().catalogue.now()
    tag = request_tag("".join(map(str, (offer.generation, *offer.layers))), audience(), offer.band)
    cache = keeping(restricted=everywhere("plan"))
    shown = [layer_json(layer, offer) for layer in seen(offer.layers).values()]
    return unchanged(tag, cache) or tagged(json_response({"layers": shown}), tag, cache)


class ProjectQuery(Strict):
    """Parameters of a QGIS project."""

    lang = String(
        load_default="zh", validate=OneOf(["zh", "en"]), metadata={"description": "language of titles: zh or en"}
    )
    source = String(
        load_default="wfs",
        validate=OneOf(["wfs", "wms"]),
        metadata={"description": "wfs: features over OGC API Features; wms: pictures"},
    )


@bp.get("/qgis")
@bp.input(ProjectQuery, location="query", unknown=None)
def qgis_project(query_data: dict[str, Any]) -> Response:
    """A QGIS project that opens every layer, drawn as the map draws them."""
    offer = state().catalogue.now()
    layers = list(seen(offer.layers).values())
    with state().engine.connect() as connection:
        box = extent_of(connection)
    title = "网格地图" if query_data["lang"] == "zh" else "Grid maps"
    place = Place(request.host_url.rstrip("/"), box, title)
    made = project(layers, offer.styles, place, source=query_data["source"], language=query_data["lang"])
    response = Response(made, mimetype="application/x-qgis-project")
    response.headers["Content-Disposition"] = disposition("gisgrid", ".qgs")
    response.headers["Cache-Control"] = keeping(restricted=everywhere("plan"))
    return response


@bp.get("/<name>")
@no_parameters
def one_layer(name: str) -> Response:
    """One layer of the catalogue."""
    offer = state().catalogue.now()
    return json_response(layer_json(visible(offer, name), offer))


@bp.get("/<name>/download")
@bp.input(DownloadQuery, location="query", unknown=None)
def download(name: str, query_data: dict[str, Any]) -> Response:
    """A whole layer, or the part a filter chooses, as a file."""
    offer, form = state().catalogue.now(), FORMS[query_data["format"]]
    layer = visible(offer, name)
    tag = request_tag(offer.revision(layer), audience(), weak=True)  # rows may come in another order
    cache = keeping(restricted=layer.restricted)
    if (known := unchanged(tag, cache)) is not None:
        return known
    if not _free.acquire(timeout=WAIT_SECONDS):
        return error_response(503, "busy", "other downloads are being made; try again in a moment")
    with ExitStack() as stack:
        stack.callback(_free.release)
        connection = stack.enter_context(state().engine.connect())
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        chosen = _selection(connection, layer, query_data)
        check_system(form, chosen.crs)
        title = layer.title_zh if query_data["lang"] == "zh" else layer.title_en
        made = _answer(stack.pop_all(), connection, chosen, form, title, bom=query_data["bom"])
    made.headers["Content-Disposition"] = disposition(_file_name(layer, chosen, query_data["lang"]), form.ending)
    made.headers["Accept-Ranges"] = "none"
    return tagged(made, tag, cache)


def visible(offer: Offer, name: str) -> Layer:
    """A layer of that name the caller may see. Raises NotFound."""
    layer = offer.layers.get(name)
    if layer is None or not sees(layer):
        raise NotFound(f"there is no layer {name[:100]!r}; /api/v1/layers lists those there are")
    return layer


def layer_json(layer: Layer, offer: Offer) -> dict[str, Any]:
    """A layer as the catalogue tells it."""
    base = f"/api/v1/layers/{layer.name}/download"
    return {
        "name": layer.name,
        "title_zh": layer.title_zh, "title_en": layer.title_en,
        "about_zh": layer.about_zh, "about_en": layer.about_en,
        "group": layer.group, "base": layer.base, "shape": layer.shape, "crs": "EPSG:4490",
        "attributes": [
            {"name": a.name, "type": a.kind, "title_zh": a.title_zh, "title_en": a.title_en, "unit": a.unit}
            for a in layer.attributes
        ],
        "label": layer.label, "style": layer.style,
        "styles": [style.name for style in styles_of(layer, dict(offer.styles))],
        "min_scale": layer.scales[0], "max_scale": layer.scales[1],
        "time": layer.time, "queryable": layer.queryable, "editable": layer.editable,
        "restricted": layer.restricted, "picture_only": layer.picture_only,
        "downloads": {} if layer.picture_only else {name: f"{base}?format={name}" for name in FORMS},
    }  # fmt: skip


def disposition(stem: str, ending: str) -> str:
    """``Content-Disposition`` of a file whose name may be in any script (RFC 6266)."""
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "_" for char in stem)
    plain = plain if plain.strip("_") else "layer"
    return f"attachment; filename=\"{plain}{ending}\"; filename*=UTF-8''{quote(stem + ending, safe='')}"


def _file_name(layer: Layer, chosen: Selection, language: str) -> str:
    stem = layer.title_zh.replace("/", "_") if language == "zh" else layer.name
    return stem if chosen.degrees else f"{stem}-{chosen.crs.replace(':', '')}"


def _selection(connection: sa.Connection, layer: Layer, query: dict[str, Any]) -> Selection:
    return select(
        connection, layer, crs=query.get("crs"), bbox=query.get("bbox"), when=query.get("datetime"),
        properties=query.get("properties"), filter_text=query.get("filter"), filter_language=query["filter_lang"],
        zone=state().settings.timezone,
    )  # fmt: skip


def _answer(
    held: ExitStack, connection: sa.Connection, chosen: Selection, form: Form, title: str, *, bom: bool
) -> Response:
    """The answer; what is held for it is let go when it has been sent, or will not be."""
    with held:
        if request.method == "HEAD":
            return Response(mimetype=form.media)
        if form.text:
            csv = form.name == "csv"
            parts = csv_text(connection, chosen, bom=bom) if csv else geojson_text(connection, chosen, title=title)
            first = list(itertools.islice(parts, 2))  # what is wrong with the question shows before the answer begins
            held.callback(parts.close)  # type: ignore[attr-defined]
            return Response(_Body(itertools.chain(first, parts), held.pop_all().close), mimetype=form.media)
        file = _made(connection, chosen, form, title)
        held.close()  # neither cursor nor turn is needed to send it
        size = file.seek(0, 2)
        file.seek(0)
        response = Response(_Body(iter(lambda: file.read(CHUNK), b""), file.close), mimetype=form.media)
        response.content_length = size
        return response


class _Body:
    """A body that lets go of what it holds at its end, or when it is closed, even when nobody has begun to read it."""

    def __init__(self, parts: Iterator[bytes], close: Callable[[], object]) -> None:
        self._parts, self._close = parts, close

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._parts
        finally:
            self._close()

    def close(self) -> None:
        self._close()


def _made(connection: sa.Connection, chosen: Selection, form: Form, title: str) -> IO[bytes]:
    """A file of the features, open for reading and gone from its folder: nothing is left whatever happens to us."""
    shelf = state().settings.home / "downloads"
    shelf.mkdir(parents=True, exist_ok=True)
    tidy(shelf)
    folder = Path(tempfile.mkdtemp(dir=shelf))
    try:
        path = folder / f"{chosen.layer.name}{form.ending}"
        write_file(connection, chosen, path, title=title)
        return path.open("rb")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def tidy(shelf: Path) -> None:
    """Remove what processes left that were killed while they wrote."""
    for left in shelf.iterdir():
        try:
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
        except FileNotFoundError:  # another process was quicker
            continue
