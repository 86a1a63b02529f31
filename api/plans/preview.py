"""The best plan so far of an engine run, as a map."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, Final, NamedTuple

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
from planning.carry import grid_kinds

DIGITS: Final = 7
"""Digits of degrees: a centimetre."""
SETS_HELD: Final = 2


class Ground(NamedTuple):
    """Units in id order: polygons (EPSG:4490), households and kinds, each (n)."""

    shapes: npt.NDArray[np.object_]
    households: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.object_]


_held: OrderedDict[tuple[str, int], Ground] = OrderedDict()
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
        ground = _units(connection, found.unit_set)
    answer = Response(preview_text(found, ground, band), mimetype=GEOJSON)
    return tagged(answer, tag_of(number, found.revision), PRIVATE)


def preview_text(found: previews.Preview, ground: Ground, band: Band) -> bytes:
    """GeoJSON of a plan: a feature a grid, EPSG:4490; the band is not about special grids."""
    used = found.label >= 0
    label = np.full(len(used), -1, dtype=np.int64)
    label[used] = np.unique(found.label[used], return_inverse=True)[1]
    k = int(label.max(initial=-1)) + 1
    total = np.bincount(label[used], ground.households[used], minlength=k).astype(np.int64)
    area = shapely.area(ground.shapes)
    kinds = grid_kinds(ground.kinds, ground.households.astype(np.float64), area, label, k)
    outlines = topology.dissolve(ground.shapes, label, k)
    outlines = shapely.transform(outlines, lambda xy: np.round(xy, DIGITS))
    texts = shapely.to_geojson(outlines).tolist()
    features = [
        b'{"type":"Feature","properties":%s,"geometry":%s}'
        % (json_bytes(_facts(number, load, kind, band)), text.encode())
        for number, (load, kind, text) in enumerate(zip(total.tolist(), kinds.tolist(), texts, strict=True))
    ]
    told = {
        "type": "FeatureCollection",
        "revision": found.revision,
        "unit_set": found.unit_set,
        "figures": found.figures,
    }
    return json_bytes(told)[:-1] + b',"features":[' + b",".join(features) + b"]}"


def _facts(number: int, load: int, kind: str, band: Band) -> dict[str, Any]:
    inside = band.low <= load <= band.high if kind == "ordinary" else None
    return {"number": number, "kind": kind, "households": load, "in_band": inside}


def _units(connection: sa.Connection, unit_set: int) -> Ground:
    """The units of a set, which never changes; the last ones are held."""
    key = (str(connection.engine.url), unit_set)
    with _guard:
        known = _held.get(key)
    if known is None:
        u = t.units.c
        columns = sa.func.ST_AsBinary(u.geometry).label("wkb"), u.households, u.kind
        rows = connection.execute(sa.select(*columns).where(u.unit_set == unit_set).order_by(u.id)).all()
        known = Ground(
            shapely.from_wkb(np.array([bytes(row.wkb) for row in rows], dtype=object)),
            np.array([row.households for row in rows], dtype=np.int64),
            np.array([str(row.kind) for row in rows], dtype=object),
        )
        with _guard:
            _held[key] = known
            while len(_held) > SETS_HELD:
                _held.popitem(last=False)
    return known
