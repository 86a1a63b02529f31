"""GET …/surface and …/frames: reports per square kilometre and month over the area, at once or step by step."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from apiflask.fields import Boolean, Float, String
from apiflask.validators import OneOf
from flask import Response

from api.heat.blueprint import HeatQuery, about, bp, chosen, from_reports
from api.heat.held import held, revision_now
from api.heat.picture import colors_of, frame_of, paint
from api.json import json_response
from api.pages import GEOJSON
from gisgrid.errors import BadInput
from gisgrid.limits import HEAT_FRAMES_MAX
from layers.render.encoding import encode
from planning.heat import (
    KERNELS,
    STEPS,
    Events,
    Raster,
    Span,
    Surface,
    bandwidth_for,
    breaks_of,
    contours,
    frames_of,
    intensity,
    raster_for,
)
from planning.workflow_heat import WEIGHTS, Chosen, HeatSource, recent_weights

UNIT = "reports per km2 and month"


class KernelQuery(HeatQuery):
    """How the surface is made."""

    kernel = String(load_default="quartic", validate=OneOf(KERNELS), metadata={"description": "shape of the kernel"})
    bandwidth = String(
        load_default="silverman",
        metadata={"description": "metres (radius of quartic, deviation of gaussian), or silverman: by rule of thumb"},
    )
    adaptive = Boolean(load_default=False, metadata={"description": "narrower where reports are dense (Abramson 1982)"})
    edges = String(
        load_default="corrected",
        validate=OneOf(("corrected", "plain")),
        metadata={"description": "corrected: divided by the part of the kernel inside the area"},
    )
    cell = Float(load_default=None, metadata={"description": "metres of a cell; by the bandwidth when not given"})


class SurfaceQuery(KernelQuery):
    """A surface of a period."""

    weight = String(
        load_default="none", validate=OneOf(WEIGHTS), metadata={"description": "recent: halves every 30 days back"}
    )
    breaks = String(load_default="", metadata={"description": "lower bounds of the steps, split by commas, rising"})
    format = String(
        load_default="json",
        validate=OneOf(("json", "geojson", "png")),
        metadata={"description": "json: figures (and values); geojson: areas between the steps; png: a picture"},
    )
    values = Boolean(load_default=False, metadata={"description": "json with the value of every cell"})


class FramesQuery(KernelQuery):
    """A period cut into steps."""

    step = String(load_default="month", validate=OneOf(STEPS), metadata={"description": "month or week"})


@dataclass(frozen=True, slots=True)
class Kernel:
    """What the surfaces of a question share."""

    raster: Raster
    rule: str
    adaptive: bool

    def of(self, events: Events, span: Span, weight: Any = None) -> Surface:
        """The surface of some reports."""
        return intensity(self.raster, events.x, events.y, span, weight=weight, adaptive=self.adaptive)


@bp.get("/surface")
@bp.input(SurfaceQuery, location="query", unknown=None)
def surface(query_data: dict[str, Any]) -> Response:
    """Intensity of reports over the grids asked for: figures and values, areas between steps, or a picture.

    The picture is in Web Mercator; X-Gisgrid-Extent (metres) and X-Gisgrid-Bounds (degrees) say where it lies.
    """
    query = dict(query_data)
    given = _breaks(query["breaks"])

    def make(source: HeatSource) -> Response:
        asked = chosen(source, query)
        kernel = kernel_of(asked, query)
        weight = recent_weights(asked.events, asked.span) if query["weight"] == "recent" else None
        found = kernel.of(asked.events, asked.span, weight)
        breaks = given or breaks_of(found.peak)
        return _ANSWERS[query["format"]](asked, kernel, found, breaks, query)

    return from_reports(make)


@bp.get("/frames")
@bp.input(FramesQuery, location="query", unknown=None)
def frames(query_data: dict[str, Any]) -> Response:
    """Months or weeks of the period with their reports, and one scale for the surfaces of all of them.

    Ask /surface with ``from``, ``to`` of a frame and the ``breaks`` told here.
    """
    query = dict(query_data)

    def make(source: HeatSource) -> Response:
        asked = chosen(source, query)
        parts = frames_of(asked.span, query["step"])
        if len(parts) > HEAT_FRAMES_MAX:
            raise BadInput(f"the period has {len(parts)} {query['step']}s; at most {HEAT_FRAMES_MAX}: give from and to")
        kernel = kernel_of(asked, query)
        told: list[dict[str, Any]] = []
        peaks: list[float] = []
        for part in parts:
            events = asked.events.during(part.span)
            peak = kernel.of(events, part.span).peak
            peaks.append(peak if part.whole or len(parts) == 1 else 0.0)
            told.append({
                "from": part.span.first.isoformat(), "to": part.span.last.isoformat(), "whole": part.whole,
                "reports": len(events), "peak": peak,
            })  # fmt: skip
        top = max(peaks) or max(float(one["peak"]) for one in told)
        breaks = breaks_of(top)
        facts = {"step": query["step"], "peak": top, "breaks": breaks, "colors": colors_of(len(breaks)), "unit": UNIT}
        return json_response({**about(asked), **_kernel_facts(kernel), **facts, "frames": told})

    return from_reports(make)


def kernel_of(asked: Chosen, query: dict[str, Any]) -> Kernel:
    """The raster and bandwidth of a question. Raises BadInput."""
    text, kernel = query["bandwidth"], query["kernel"]
    rule = "given"
    if text == "silverman":
        rule = "silverman"
        wide = bandwidth_for(asked.events.x, asked.events.y, kernel) if len(asked.events) > 1 else 500.0
    else:
        try:
            wide = float(text)
        except ValueError:
            raise BadInput(f"bandwidth={text[:40]!r}: give metres, or silverman") from None
    correct = query["edges"] == "corrected"
    key = ("raster", asked.rows.tobytes(), kernel, wide, query["cell"], correct)
    raster = held().kept(
        revision_now(), key, lambda: raster_for(asked.area(), kernel, wide, cell=query["cell"], correct=correct)
    )
    return Kernel(raster, rule, query["adaptive"])


def _kernel_facts(kernel: Kernel) -> dict[str, Any]:
    raster = kernel.raster
    return {
        "kernel": raster.kernel, "bandwidth": round(raster.bandwidth, 1), "bandwidth_by": kernel.rule,
        "adaptive": kernel.adaptive, "edges": "corrected" if raster.corrected else "plain",
        "cell": round(raster.cell, 2),
    }  # fmt: skip


def _json(asked: Chosen, kernel: Kernel, found: Surface, breaks: tuple[float, ...], query: dict[str, Any]) -> Response:
    frame, raster = frame_of(found, asked.source.crs), found.raster
    rows, columns = raster.shape
    facts: dict[str, Any] = {
        "unit": UNIT, "weight": query["weight"], "peak": round(found.peak, 3), "breaks": breaks,
        "colors": colors_of(len(breaks)), "bounds": frame.bounds, "extent": frame.extent,
        "crs": asked.source.crs.to_string(), "x0": raster.x0, "y0": raster.y0, "rows": rows, "columns": columns,
        "values": np.round(found.values, 3).tolist() if query["values"] else None,
    }  # fmt: skip
    return json_response({**about(asked), **_kernel_facts(kernel), **facts})


def _geojson(
    asked: Chosen, kernel: Kernel, found: Surface, breaks: tuple[float, ...], _query: dict[str, Any]
) -> Response:
    shapes = contours(found, breaks, asked.source.crs, asked.area()).to_crs("EPSG:4490")
    features = [
        {
            "type": "Feature",
            "geometry": geometry.__geo_interface__,
            "properties": {
                "low": low, "high": None if high != high else high, "color": colors_of(len(breaks))[breaks.index(low)],
            },
        }
        for low, high, geometry in zip(shapes["low"], shapes["high"], shapes.geometry, strict=True)
    ]  # fmt: skip
    body = {"type": "FeatureCollection", **about(asked), **_kernel_facts(kernel), "unit": UNIT, "features": features}
    return json_response(body, mimetype=GEOJSON)


def _png(asked: Chosen, _kernel: Kernel, found: Surface, breaks: tuple[float, ...], _query: dict[str, Any]) -> Response:
    frame = frame_of(found, asked.source.crs)
    response = Response(encode(paint(found, breaks, asked.source.crs), "png"), mimetype="image/png")
    response.headers["X-Gisgrid-Extent"] = ",".join(f"{value:.3f}" for value in frame.extent)
    response.headers["X-Gisgrid-Bounds"] = ",".join(f"{value:.7f}" for value in frame.bounds)
    response.headers["X-Gisgrid-Breaks"] = ",".join(f"{value:g}" for value in breaks)
    return response


_ANSWERS = {"json": _json, "geojson": _geojson, "png": _png}


def _breaks(text: str) -> tuple[float, ...]:
    """Steps given. Raises BadInput unless they are one to seven rising numbers above 0."""
    if not text:
        return ()
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    rising = all(a < b for a, b in itertools.pairwise(found))
    if not 0 < len(found) <= len(colors_of(99)) or not rising or not found[0] > 0 or not found[-1] < 1e12:
        raise BadInput(f"breaks={text[:60]!r}: give 1 to {len(colors_of(99))} rising numbers above 0, split by commas")
    return found
