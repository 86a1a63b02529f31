"""The best plan so far of an engine run, as a map."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely
import sqlalchemy as sa
from apiflask.fields import Integer
from flask import Response

from api.etag import PRIVATE, tag_of, tagged, unchanged
from api.jobs import number_of_job, own_job
from api.json import json_bytes
from api.pages import GEOJSON, Strict
from api.plans.blueprint import KEY, bp
from api.plans.job import PLAN, order_of
from api.state import state
from data import jobs, previews
from data import tables as t
from gisgrid import topology
from gisgrid.errors import NotFound
from gisgrid.models import Band

DIGITS: Final = 7
"""Digits of degrees: a centimetre."""
SETS_HELD: Final = 2
_held: OrderedDict[tuple[str, int], tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]] = OrderedDict()
_guard = threading.Lock()


class PreviewQuery(Strict):
    """Parameters of a preview."""

    after = Integer(validate=KEY, metadata={"description": "revision seen last: 204 while there is no newer one"})


@bp.get("/api/v1/jobs/<job>/preview")
@bp.input(PreviewQuery, location="query", unknown=None)
def preview(job: str, query_data: dict[str, Any]) -> Response:
    """The best plan so far of a job of kind plan, as GeoJSON, with its figures and revision; for planners.

    204: there is none yet, or none newer than revision ``after``.
    """
    number, held = number_of_job(job), state()
    with held.engine.connect() as connection:
        row = own_job(connection, number)
        if row["kind"] != PLAN:
            raise NotFound(f"job {number} is of kind {row['kind']}; jobs of kind {PLAN} have a preview")
        revision = previews.revision_of(connection, number)
        if revision is None or query_data.get("after", -1) >= revision:
            return Response(status=204)
        tag = tag_of(number, revision)
        if (known := unchanged(tag, PRIVATE)) is not None:
            return known
        found = previews.read(connection, number)
        assert found is not None
        band = order_of(jobs.params_of(connection, number)).band
        shapes, households = _units(connection, found.unit_set)
    answer = Response(preview_text(found, shapes, households, band), mimetype=GEOJSON)
    return tagged(answer, tag_of(number, found.revision), PRIVATE)


def preview_text(
    found: previews.Preview, shapes: npt.NDArray[np.object_], households: npt.NDArray[np.int64], band: Band
) -> bytes:
    """GeoJSON of a plan: a feature a grid, of the polygons and households of its units (n) in id order, EPSG:4490."""
    used = found.label >= 0
    label = np.full(len(used), -1, dtype=np.int64)
    label[used] = np.unique(found.label[used], return_inverse=True)[1]
    k = int(label.max(initial=-1)) + 1
    total = np.bincount(label[used], households[used], minlength=k).astype(np.int64)
    outlines = topology.dissolve(shapes, label, k)
    outlines = shapely.transform(outlines, lambda xy: np.round(xy, DIGITS))
    features = [
        b'{"type":"Feature","properties":{"number":%d,"households":%d,"in_band":%s},"geometry":%s}'
        % (number, load, b"true" if band.low <= load <= band.high else b"false", text.encode())
        for number, (load, text) in enumerate(zip(total.tolist(), shapely.to_geojson(outlines).tolist(), strict=True))
    ]
    told = {
        "type": "FeatureCollection",
        "revision": found.revision,
        "unit_set": found.unit_set,
        "figures": found.figures,
    }
    return json_bytes(told)[:-1] + b',"features":[' + b",".join(features) + b"]}"


def _units(connection: sa.Connection, unit_set: int) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]:
    """Polygons and households of a unit set in id order; a set never changes, the last ones are held."""
    key = (str(connection.engine.url), unit_set)
    with _guard:
        known = _held.get(key)
    if known is None:
        u = t.units.c
        query = sa.select(sa.func.ST_AsBinary(u.geometry), u.households).where(u.unit_set == unit_set).order_by(u.id)
        rows = connection.execute(query).all()
        shapes = shapely.from_wkb(np.array([bytes(wkb) for wkb, _ in rows], dtype=object))
        known = (shapes, np.array([count for _, count in rows], dtype=np.int64))
        with _guard:
            _held[key] = known
            while len(_held) > SETS_HELD:
                _held.popitem(last=False)
    return known
