"""Histograms and bars as inline SVG; another plan's figures as an outline over them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from gisgrid.models import Band
from layers.report.words import STREET_CLASSES, Words, count, length, percent, short, svg_text

Scale = Callable[[float], float]

WIDTH: Final = 520
HEIGHT: Final = 250
LEFT, RIGHT, TOP, BOTTOM = 40, 14, 30, 42
BINS_LEAST, BINS_MOST = 18, 40
STEPS: Final = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000, 100_000, 1_000_000)


def households_chart(after: Sequence[float], before: Sequence[float] | None, band: Band | None) -> str:
    """Ordinary grids by households, the band shaded, the other plan's as a dashed outline."""
    values = np.asarray([*after, *(before or [])], float)
    if band is not None:
        values = np.append(values, [band.low, band.high])
    if not values.size:
        return ""
    step = _step(float(values.max() - values.min()), int(np.clip(2 * np.sqrt(len(after)), BINS_LEAST, BINS_MOST)))
    low = math.floor(values.min() / step) * step
    high = max((math.floor(_settled(values.tolist(), band).max() / step) + 1) * step, low + step)
    edges = np.arange(low, high + step / 2, step)
    title = Words("每个网格的户数", "Households per grid")
    return _histogram(title, edges, after, before, Words("户", "households"), band=band)


def compactness_chart(after: Sequence[float], before: Sequence[float] | None) -> str:
    """Grids by compactness (Polsby–Popper); a line marks the square."""
    title = Words("紧凑度（1 为圆，正方形 0.785）", "Compactness (1 is a circle, a square 0.785)")
    edges = np.linspace(0, 1, 21)
    return _histogram(title, edges, after, before, Words("紧凑度", "compactness"), mark=math.pi / 4)


def boundary_chart(after: dict[str, float], before: dict[str, float] | None) -> str:
    """Boundary by what it runs along, a bar per class; the other plan's as a thinner bar below it."""
    classes = [name for name in after if after[name] > 0 or (before or {}).get(name, 0) > 0]
    if not classes:
        return ""
    row = 34 if before else 27
    top, left, room = 30, 128, 150
    height = top + row * len(classes) + 10
    totals = [max(sum(after.values()), 1e-9), max(sum((before or {}).values()), 1e-9)]
    most = max(max(after[n] / totals[0], (before or {}).get(n, 0) / totals[1]) for n in classes)
    scale = (WIDTH - left - room) / max(most, 1e-9)
    parts = [_title(Words("网格界线的依托", "What boundaries run along"))]
    for at, name in enumerate(classes):
        y = top + row * at
        words = STREET_CLASSES.get(name, Words(name, name))
        share = after[name] / totals[0]
        parts.append(svg_text(left - 8, y + 14, words, text_anchor="end"))
        css = "bare" if name in ("none", "wall") else "bar"
        parts.append(f'<rect class="{css}" x="{left}" y="{y + 3}" width="{short(max(share * scale, 1))}" height="14"/>')
        far = length(after[name])
        told = Words(f"{percent(share)}　{far.zh}", f"{percent(share)}  {far.en}")
        parts.append(svg_text(left + max(share * scale, 1) + 6, y + 14, told, "small"))
        if before:
            other = before.get(name, 0) / totals[1]
            wide = short(max(other * scale, 1))
            parts.append(f'<rect class="was" x="{left}" y="{y + 19}" width="{wide}" height="6"/>')
            parts.append(svg_text(left + other * scale + 6, y + 26, percent(other), "tiny"))
    return _figure(parts, height)


# --- drawing ----------------------------------------------------------------------------


def _step(span: float, most: int) -> float:
    """Smallest round width that gives at most so many bins."""
    return next((float(step) for step in STEPS if span <= step * (most - 1)), max(span, 1.0))


def _histogram(
    title: Words, edges: np.ndarray, after: Sequence[float], before: Sequence[float] | None, unit: Words, *,
    band: Band | None = None, mark: float | None = None,
) -> str:  # fmt: skip
    # a bin leaves out its upper end, but nothing may fall off the last
    values = np.minimum(_settled(after, band), np.nextafter(edges[-1], -np.inf))
    heights = np.histogram(values, edges)[0]
    others = None if not before else np.histogram(_settled(before, band), edges)[0]
    most = max(int(heights.max(initial=0)), 0 if others is None else int(others.max(initial=0)), 1)
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    rise = _tick_step(most, 5)
    top = rise * math.ceil(most / rise)

    def x(value: float) -> float:
        return LEFT + wide * float((value - edges[0]) / (edges[-1] - edges[0]))

    def y(number: float) -> float:
        return TOP + high * (1 - number / top)

    parts = [_title(title)]
    if band is not None:
        start, end = x(max(band.low, edges[0])), x(min(band.high, edges[-1]))
        parts.append(
            f'<rect class="inband" x="{short(start)}" y="{TOP}" width="{short(end - start)}" height="{high}"/>'
        )
    for tick in range(0, top + 1, rise):
        parts.append(f'<path class="rule" d="M{LEFT} {short(y(tick))}H{WIDTH - RIGHT}"/>')
        parts.append(svg_text(LEFT - 6, y(tick) + 4, count(tick), "small", text_anchor="end"))
    for at in np.flatnonzero(heights).tolist():
        parts += _bar(values, float(edges[at]), float(edges[at + 1]), x, y, band)
    if others is not None:
        parts.append(f'<path class="outline" d="{_outline(others.tolist(), [x(edge) for edge in edges], y)}"/>')
    if mark is not None:
        parts.append(f'<path class="mark" d="M{short(x(mark))} {TOP}V{short(y(0))}"/>')
    parts += _axis(edges, x, y(0), band)
    parts.append(svg_text(WIDTH - RIGHT, HEIGHT - 4, unit, "small", text_anchor="end"))
    parts.append(svg_text(LEFT - 6, TOP - 8, Words("网格数", "grids"), "tiny", text_anchor="end"))
    return _figure(parts, HEIGHT)


def _settled(values: Sequence[float], band: Band | None) -> np.ndarray:
    """Values for bins that leave out their upper end: the end of the band belongs to the band's last bin."""
    numbers = np.asarray(values, float)
    return numbers if band is None else np.where(numbers == band.high, band.high - 1e-6, numbers)


def _bar(
    values: np.ndarray, low: float, high: float, x: Scale, y: Scale, band: Band | None
) -> list[str]:  # fmt: skip
    """One bin, stacked where the end of the band lies inside it: in band below, the rest above."""
    inside = values[(values >= low) & (values < high)]
    kinds = {"bar": np.ones(len(inside), bool)}
    if band is not None:
        kinds = {
            "bar": (inside >= band.low) & (inside <= band.high),
            "below": inside < band.low,
            "above": inside > band.high,
        }
    left, right, base, parts = x(low) + 0.5, x(high) - 0.5, 0, []
    for css, of_kind in kinds.items():
        number = int(of_kind.sum())
        if number:
            parts.append(
                f'<rect class="{css}" x="{short(left)}" y="{short(y(base + number))}" '
                f'width="{short(max(right - left, 1))}" height="{short(y(base) - y(base + number))}">'
                f"<title>{low:g}–{high:g}: {number}</title></rect>"
            )
            base += number
    return parts


def _axis(edges: np.ndarray, x: Scale, base: float, band: Band | None) -> list[str]:
    """Round numbers below the bars; the ends of the band are set in bold and take precedence over their neighbours."""
    span = float(edges[-1] - edges[0])
    step = _tick_step(span, 7) if span > 2 else 0.2
    numbers = np.arange(math.ceil(edges[0] / step - 1e-9) * step, edges[-1] + step / 1e3, step)
    ends = [] if band is None else [float(band.low), float(band.high)]
    parts = [f'<path class="axis" d="M{LEFT} {short(base)}H{WIDTH - RIGHT}"/>']
    parts += [svg_text(x(end), base + 17, count(end), "small strong", text_anchor="middle") for end in ends]
    for number in numbers.tolist():
        if all(abs(x(number) - x(end)) > 30 for end in ends):
            text = f"{number:.1f}" if span <= 2 else count(round(number, 6))
            parts.append(svg_text(x(number), base + 17, text, "small", text_anchor="middle"))
    return parts


def _tick_step(span: float, most: int) -> int:
    """Round step of at least 1 with at most ``most`` steps in ``span``."""
    for power in range(12):
        for step in (1, 2, 5):
            if span / (step * 10**power) <= most:
                return int(step * 10**power)
    return max(int(span), 1)


def _outline(numbers: list[int], edges: list[float], y: Scale) -> str:
    """Steps over the bins that hold something."""
    path, base = "", short(y(0))
    for at, number in enumerate(numbers):
        if number:
            start = f"M{short(edges[at])} {base}" if not at or not numbers[at - 1] else ""
            end = f"V{base}" if at + 1 == len(numbers) or not numbers[at + 1] else ""
            path += f"{start}V{short(y(number))}H{short(edges[at + 1])}{end}"
    return path


def _title(words: Words) -> str:
    return svg_text(WIDTH / 2, 14, words, "title", text_anchor="middle")


def _figure(parts: list[str], height: float) -> str:
    return f'<svg class="chart" viewBox="0 0 {WIDTH} {short(height)}" role="img">{"".join(parts)}</svg>'
