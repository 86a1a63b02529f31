"""A map: layers from the ground up, rule by rule, then the labels of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import skia
from numba import njit
from numpy.typing import NDArray

from layers.held.view import View, Window
from layers.render.areas import paint_areas, senses
from layers.render.canvas import canvas_on, new_picture, rgb, skia_color, straight
from layers.render.labels import Wanted, paint_labels, wanted, worth_trying
from layers.render.lines import paint_lines
from layers.render.paths import path_of
from layers.render.points import paint_heat, paint_markers
from layers.render.shapes import anchor_of
from layers.styles.model import Fill, Heat, Label, Marker, Rule, Stroke, Style

if TYPE_CHECKING:
    from layers.held import HeldLayer

MARKERS_KEPT_FREE = 3_000
"""Labels leave markers free on pictures with up to so many features of a layer."""
Mask = NDArray[np.bool_]
_CAPS = {"butt": skia.Paint.kButt_Cap, "round": skia.Paint.kRound_Cap, "square": skia.Paint.kSquare_Cap}
_JOINS = {"miter": skia.Paint.kMiter_Join, "round": skia.Paint.kRound_Join, "bevel": skia.Paint.kBevel_Join}


def draw_map(
    pictured: Sequence[tuple[HeldLayer, Style]],
    view: View,
    *,
    background: str | None = None,
    chosen: Sequence[Mask | None] | None = None,
) -> NDArray[np.uint8]:
    """(h, w, 4) red, green, blue, alpha (not premultiplied) of layers drawn over each other, labels last.

    ``background`` ``#rrggbb`` or None: transparent. ``chosen``: of each layer the rows to draw, None: all. Whether a
    layer is drawn at the view's scale is the caller's to say; rules are left out at scales that are not theirs.
    Raises BadInput for a picture past the caps.
    """
    picture = new_picture(view.width, view.height, background)
    asked: list[Wanted] = []
    boxes: list[NDArray[np.float64]] = []
    for number, (held, style) in enumerate(pictured):
        rules = [rule for rule in style.rules if rule.drawn_at(view.scale)]
        if not rules:
            continue
        window = held.window(view, margin(rules) * view.ratio, rows=chosen[number] if chosen else None)
        if not len(window.rows):
            continue
        masks = [_mask(held, rule, window.rows) for rule in rules]
        _take_the_rest(rules, masks)
        paint_layer(picture, window, rules, masks, view)
        boxes += _marker_boxes(window, rules, masks, view.ratio)
        symbols = [symbol for rule in rules for symbol in rule.symbols]
        beside = max((symbol.size / 2 for symbol in symbols if isinstance(symbol, Marker)), default=0.0)
        for rule, mask in zip(rules, masks, strict=True):
            for symbol in rule.symbols:
                if isinstance(symbol, Label):
                    features = worth_trying(symbol, window, mask, view.ratio)
                    values = _values(held, symbol, window.rows[features])
                    asked.append(wanted(symbol, window, features, values, beside * view.ratio))
    paint_labels(picture, asked, view.ratio, np.concatenate(boxes) if boxes else None)
    return picture if background is not None else straight(picture)  # nothing is clear on a background


def margin(rules: Sequence[Rule]) -> float:
    """How far outside the picture a feature may lie and still be seen, in standard pixels."""
    far = 2.0
    for rule in rules:
        for symbol in rule.symbols:
            if isinstance(symbol, Stroke):
                far = max(far, symbol.width + 2.0)
            elif isinstance(symbol, Marker):
                far = max(far, symbol.size + 2.0 * symbol.outline_width)
            elif isinstance(symbol, Heat):
                far = max(far, 2.0 * symbol.radius)
    return far


def paint_layer(
    picture: NDArray[np.uint8], window: Window, rules: Sequence[Rule], masks: Sequence[Mask], view: View
) -> None:
    """Paint one layer but its labels: insides, then casings, then lines, markers and heat in the order of rules."""
    _paint_fills(picture, window, rules, masks, view)
    ringed = np.zeros(len(window.kinds), bool)
    ringed[window.kinds == 2] = True
    for casing in (True, False):
        for rule, mask in zip(rules, masks, strict=True):
            for symbol in rule.symbols:
                if isinstance(symbol, Stroke) and (symbol.casing is not None or not casing) and mask.any():
                    _paint_stroke(picture, window, mask, ringed, symbol, view.ratio, casing=casing)
    markers: list[tuple[NDArray[np.float32], Marker]] = []
    for rule, mask in zip(rules, masks, strict=True):
        for symbol in rule.symbols:
            if isinstance(symbol, Marker):
                markers.append((_places(window, mask), symbol))
            elif isinstance(symbol, Heat):
                paint_markers(picture, markers, view.ratio)
                markers = []
                paint_heat(picture, _places(window, mask), symbol, view.ratio)
    paint_markers(picture, markers, view.ratio)


def _mask(held: HeldLayer, rule: Rule, rows: NDArray[np.int64]) -> Mask:
    return np.ones(len(rows), bool) if rule.where is None else held.matches(rule.where, rows)


def _take_the_rest(rules: Sequence[Rule], masks: list[Mask]) -> None:
    """Give rules for everything else what none of the others takes."""
    if not any(rule.otherwise for rule in rules):
        return
    others = [mask for rule, mask in zip(rules, masks, strict=True) if not rule.otherwise]
    rest = ~np.logical_or.reduce(others) if others else np.ones(len(masks[0]), bool)
    for i, rule in enumerate(rules):
        if rule.otherwise:
            masks[i] = masks[i] & rest


def _marker_boxes(
    window: Window, rules: Sequence[Rule], masks: Sequence[Mask], ratio: float
) -> list[NDArray[np.float64]]:
    """(k, 4) boxes of markers, which labels leave free where there are few enough to be told apart."""
    if len(window.rows) > MARKERS_KEPT_FREE:
        return []
    found = []
    for rule, mask in zip(rules, masks, strict=True):
        for symbol in rule.symbols:
            if isinstance(symbol, Marker) and mask.any():
                places = _places(window, mask).astype(np.float64)
                places = places[np.isfinite(places).all(axis=1)]
                across, down = anchor_of(symbol.shape)
                size = symbol.size * ratio
                low = places - np.array([across, down]) * size
                found.append(np.concatenate([low, low + size], axis=1))
    return found


def _values(held: HeldLayer, label: Label, rows: NDArray[np.int64]) -> NDArray[Any]:
    column = held.columns.get(label.attribute)
    return np.full(len(rows), None, object) if column is None else np.asarray(column[rows], dtype=object)


# --- insides ----------------------------------------------------------------------------------


def _paint_fills(
    picture: NDArray[np.uint8], window: Window, rules: Sequence[Rule], masks: Sequence[Mask], view: View
) -> None:
    """Insides of one opacity are one coat, so that no ground shows through between neighbours of two classes. Within
    a coat later rules cover earlier ones; a feature that two rules paint is painted by a coat of each."""
    if not (window.kinds == 2).any():
        return
    turned = senses(window.coords, window.parts, window.features, window.kinds)
    coats: list[tuple[float, list[tuple[str, Mask]]]] = []
    for rule, mask in zip(rules, masks, strict=True):
        for symbol in rule.symbols:
            if not isinstance(symbol, Fill) or not mask.any():
                continue
            if symbol.hatch > 0:
                _paint_hatch(picture, window, mask, symbol, view)
            elif (
                coats and coats[-1][0] == symbol.opacity and not any((mask & other).any() for _, other in coats[-1][1])
            ):
                coats[-1][1].append((symbol.color, mask))
            else:
                coats.append((symbol.opacity, [(symbol.color, mask)]))
    sizes = np.diff(window.features)
    for opacity, coat in coats:
        colors = np.array([rgb(color) for color, _ in coat], np.float32)
        code = np.zeros(len(window.rows), np.int64)
        for number, (_, mask) in enumerate(coat, start=1):
            code[mask] = number
        paint_areas(picture, window.coords, window.parts, colors, np.repeat(code, sizes) * turned, opacity)


def _paint_hatch(picture: NDArray[np.uint8], window: Window, mask: Mask, fill: Fill, view: View) -> None:
    """Slanting lines that go on from picture to picture: they hang on the map's own origin."""
    coords, parts, closed = _chosen_parts(window, np.repeat(mask, np.diff(window.features)) & (window.kinds == 2))
    height, width = picture.shape[:2]
    step = max(2.0, fill.hatch * view.ratio) * 2.0**0.5
    per_x = (view.box[2] - view.box[0]) / view.width
    per_y = (view.box[3] - view.box[1]) / view.height
    phase = (view.box[0] / per_x - view.box[3] / per_y) % step
    canvas = canvas_on(picture)
    canvas.save()
    canvas.clipPath(path_of(coords, parts, closed), skia.ClipOp.kIntersect, True)
    paint = skia.Paint(
        AntiAlias=True, Color=skia_color(fill.color, fill.opacity), Style=skia.Paint.kStroke_Style,
        StrokeWidth=1.2 * view.ratio,
    )  # fmt: skip
    lines = skia.Path()
    for start in np.arange(-phase, width + height + step, step).tolist():
        lines.moveTo(start, 0.0)
        lines.lineTo(start - height, height)
    canvas.drawPath(lines, paint)
    canvas.restore()


# --- lines ------------------------------------------------------------------------------------


def _paint_stroke(
    picture: NDArray[np.uint8], window: Window, mask: Mask, ringed: Mask, stroke: Stroke, ratio: float, *, casing: bool
) -> None:
    coords, parts, closed = _chosen_parts(
        window, (window.kinds != 0) if mask.all() else np.repeat(mask, np.diff(window.features)) & (window.kinds != 0),
        ringed,
    )  # fmt: skip
    if len(parts) < 2:
        return
    color = stroke.casing if casing and stroke.casing else stroke.color
    width = (stroke.width + 2.0 * casing) * ratio
    if not stroke.dash and stroke.cap == "round" and stroke.join == "round":
        paint_lines(picture, coords, parts, closed, rgb(color), width, stroke.opacity)
        return
    paint = skia.Paint(
        AntiAlias=True, Color=skia_color(color, stroke.opacity), Style=skia.Paint.kStroke_Style, StrokeWidth=width,
        StrokeCap=_CAPS[stroke.cap], StrokeJoin=_JOINS[stroke.join],
    )  # fmt: skip
    if stroke.dash and not casing:
        dashes = list(stroke.dash) * (1 + len(stroke.dash) % 2)
        paint.setPathEffect(skia.DashPathEffect.Make([dash * ratio for dash in dashes], 0.0))
    canvas_on(picture).drawPath(path_of(coords, parts, closed), paint)


def _chosen_parts(
    window: Window, which: Mask, ringed: Mask | None = None
) -> tuple[NDArray[np.float32], NDArray[np.int64], Mask]:
    """(coords, parts, closed) of some parts of a window; ``ringed``: which parts are rings (None: all)."""
    closed = np.ones(len(which), bool) if ringed is None else ringed
    if which.all():
        return window.coords, window.parts, closed
    parts = np.concatenate([[0], np.cumsum(np.diff(window.parts)[which])])
    coords = np.empty((int(parts[-1]), 2), np.float32)
    _gather(window.coords, window.parts, which, coords)
    return coords, parts.astype(np.int64), closed[which]


@njit(cache=True, nogil=True)
def _gather(coords: Any, parts: Any, which: Any, out: Any) -> None:
    at = 0
    for part in range(len(which)):
        if which[part]:
            for i in range(parts[part], parts[part + 1]):
                out[at, 0], out[at, 1] = coords[i, 0], coords[i, 1]
                at += 1


def _places(window: Window, mask: Mask) -> NDArray[np.float32]:
    """(n, 2) where symbols stand: every point of point features, the anchor of all others."""
    if not (window.kinds != 0).any():
        if mask.all():
            return window.coords
        return _chosen_parts(window, np.repeat(mask, np.diff(window.features)))[0]
    single = np.ones(len(window.rows), bool)
    first = window.features[:-1]
    filled = np.diff(window.features) > 0
    single[filled] = window.kinds[first[filled]] != 0
    points = _chosen_parts(window, np.repeat(mask & ~single, np.diff(window.features)))[0]
    return np.concatenate([points, window.anchors[mask & single].astype(np.float32)])
