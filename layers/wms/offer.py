"""What the capabilities tell of: layers with where and when their data are, gathered under what they belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from layers.catalog.model import Layer
from layers.styles import Style
from layers.wms.asked import Language
from layers.wms.systems import Box
from layers.wms.times import TimeAxis

WORLD: Box = (-180.0, -90.0, 180.0, 90.0)
"""Where data may be while there are none."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A layer with its styles (the usual one first), the box of its features in degrees (None: it has none) and its
    axis of time (None: it has none, or nothing lies on it yet)."""

    layer: Layer
    styles: tuple[Style, ...]
    box: Box | None
    time: TimeAxis | None


@dataclass(frozen=True, slots=True)
class Group:
    """Layers listed together; without a name, so that it is no layer itself. ``title``: Chinese and English."""

    title: tuple[str, str]
    layers: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """One capabilities document. ``address``: of the service, with the ``?`` behind which parameters go; ``sequence``:
    a number that grows with every change; ``legend_size``: width and height of a style's legend in pixels."""

    address: str
    language: Language
    sequence: str
    groups: tuple[Group | Shown, ...]
    box: Box | None
    legend_size: Callable[[Style], tuple[int, int]]
    crs: tuple[str, ...]


def worded(zh: str, en: str, language: Language) -> str:
    """A text in the language; in both, Chinese first."""
    if language == "both":
        return zh if zh == en else f"{zh} {en}".strip()
    return zh if language == "zh" else en


def grouped(shown: Iterable[Shown], catalogue: Mapping[str, Layer]) -> tuple[Group | Shown, ...]:
    """Layers with those of their group, at the place of the group's first; a group of one is that layer."""
    members: dict[str, list[Shown]] = {}
    for item in shown:
        members.setdefault(item.layer.group or item.layer.name, []).append(item)
    return tuple(_group(name, items, catalogue) for name, items in members.items())


def _group(name: str, items: Sequence[Shown], catalogue: Mapping[str, Layer]) -> Group | Shown:
    if len(items) == 1:
        return items[0]
    head = catalogue.get(name, items[0].layer)
    return Group((head.title_zh, head.title_en), tuple(items))
