"""Which layers a caller is offered, in every way layers go out: pages, tiles, maps, files."""

from __future__ import annotations

from collections.abc import Mapping

from api.access.principal import everywhere
from layers.catalog import Layer

REPORTS = "reports"


def holds_reports(layer: Layer) -> bool:
    """Whether single reports can be read from a layer, not only how many there are."""
    return REPORTS in (layer.name, layer.base) and not layer.picture_only


def sees(layer: Layer) -> bool:
    """Whether the caller is offered a layer. Layers are of the whole city: one who may see drafts or reports of some
    areas only finds them in the lists that know areas."""
    if layer.restricted:
        return everywhere("plan")
    return everywhere("see") if holds_reports(layer) else True


def seen(layers: Mapping[str, Layer]) -> dict[str, Layer]:
    """Those of the layers that the caller is offered."""
    return {name: layer for name, layer in layers.items() if sees(layer)}


def audience() -> str:
    """Tells callers apart who are offered different layers: part of the tag of what shows several."""
    return f"{everywhere('plan'):d}{everywhere('see'):d}"
