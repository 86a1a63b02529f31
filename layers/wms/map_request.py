"""What a GetMap (and the map of a GetFeatureInfo) asks for, brought together with what is offered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from xml.etree.ElementTree import Element

from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import WMS_LAYERS_MAX
from layers.catalog.model import Layer
from layers.held import View
from layers.styles import Style, styles_of
from layers.styles.sld import Styled, read_sld, read_sld_element
from layers.wms.asked import INVALID, Asked
from layers.wms.picture import Part
from layers.wms.times import Chosen, Days, Generations, TimeAxis, choose_generation, choose_spans


@dataclass(frozen=True, slots=True)
class Offered:
    """What requests are held against: layers the caller may see, known styles, axes of time and revisions of layers,
    the generation in force, the zone of times without one."""

    layers: Mapping[str, Layer]
    styles: Mapping[str, Style]
    times: Mapping[str, TimeAxis | None]
    revisions: Mapping[str, str]
    generation: int | None
    zone: tzinfo


def layer_of(name: str, layers: Mapping[str, Layer], parameter: str = "LAYERS") -> Layer:
    """The layer of that name. Raises NotFound (LayerNotDefined)."""
    found = layers.get(name)
    if found is None:
        shown = name[:60]
        raise NotFound(f"{parameter}: there is no layer {shown!r}; the capabilities list them", code="LayerNotDefined")
    return found


def style_of(layer: Layer, name: str, known: Mapping[str, Style]) -> Style:
    """The layer's style of that name, the usual one for an empty name. Raises BadInput (StyleNotDefined)."""
    styles = styles_of(layer, dict(known))
    if name in ("", "default"):
        return styles[0]
    found = next((style for style in styles if style.name == name), None)
    if found is None:
        has = ", ".join(style.name for style in styles)
        raise BadInput(f"layer {layer.name} has no style {name[:60]!r}; it has {has}", code="StyleNotDefined")
    return found


def styled_layers(asked: Asked, offered: Offered, *, sld: Element | None = None) -> list[tuple[Layer, Style]]:
    """Layers with styles in drawing order, from LAYERS and STYLES, from an SLD, or from both: then the SLD's styles
    stand in for ours of the layers it names (02-070, 6.4). Raises BadInput, NotFound with their codes."""
    names = asked.names("LAYERS")
    if len(names) > WMS_LAYERS_MAX:
        raise BadInput(f"LAYERS names {len(names)} layers; at most {WMS_LAYERS_MAX} make a picture", code=INVALID)
    body = asked.text("SLD_BODY")
    sent = read_sld_element(sld, offered.layers) if sld is not None else (
        read_sld(body, offered.layers) if body else []
    )  # fmt: skip
    if sent and not names:
        return _of_sld(sent, offered)
    if not names:
        asked.needed("LAYERS")
    layers = [layer_of(name, offered.layers) for name in names]
    styles = _style_names(asked, len(layers))
    own = {item.layer: item for item in sent}
    return [
        (layer, sent_style(own[layer.name], name, layer, offered) if layer.name in own
         else style_of(layer, name, offered.styles))
        for layer, name in zip(layers, styles, strict=True)
    ]  # fmt: skip


def _style_names(asked: Asked, count: int) -> Sequence[str]:
    styles = asked.names("STYLES")
    if not styles:
        return [""] * count
    if len(styles) != count:
        raise BadInput(f"STYLES names {len(styles)} styles for {count} layers; leave it empty or name one for each",
                       code="StyleNotDefined")  # fmt: skip
    return styles


def _of_sld(sent: Sequence[Styled], offered: Offered) -> list[tuple[Layer, Style]]:
    """Every layer of the document with every style it gives it, in its order."""
    found = []
    for item in sent:
        layer = offered.layers[item.layer]
        found += [
            (layer, style_of(layer, style, offered.styles) if isinstance(style, str) else style)
            for style in item.styles or ("",)
        ]
    if len(found) > WMS_LAYERS_MAX:
        raise BadInput(f"SLD: {len(found)} styled layers; at most {WMS_LAYERS_MAX} make a picture", code=INVALID)
    return found


def sent_style(item: Styled, name: str, layer: Layer, offered: Offered) -> Style:
    """The document's style of that name, its default one for an empty name, else ours."""
    for style in item.styles:
        if isinstance(style, Style) and name and style.name == name:
            return style
    if not name and item.styles:
        style = item.styles[item.default]
        return style if isinstance(style, Style) else style_of(layer, style, offered.styles)
    return style_of(layer, name, offered.styles)


def parts_of(
    layers: Sequence[tuple[Layer, Style]], asked: Asked, offered: Offered, view: View
) -> tuple[list[Part], list[str]]:
    """What is drawn at this scale, and the warnings about times used (06-042, C.4.2 and C.4.3)."""
    parts, warnings = [], []
    for layer, style in layers:
        chosen = _chosen(layer, asked.text("TIME"), offered)
        if chosen.warning:
            kind, value = chosen.warning
            warnings.append(f"99 {kind} value used: time={value} ISO8601 ({layer.name})")
        if in_scale(layer, view):
            parts.append(Part(layer.name, style, chosen.generation, offered.revisions.get(layer.name), chosen.spans))
    return parts, list(dict.fromkeys(warnings))


def _chosen(layer: Layer, text: str, offered: Offered) -> Chosen:
    axis = offered.times.get(layer.name)
    if layer.time is None or (layer.time == "generation" and axis is None):
        return Chosen(offered.generation)
    if isinstance(axis, Generations):
        return choose_generation(text, axis, offered.zone)
    return choose_spans(text, axis if isinstance(axis, Days) else None, offered.zone)


def in_scale(layer: Layer, view: View) -> bool:
    """Whether the layer is drawn at the picture's scale."""
    low, high = layer.scales
    return (low is None or view.scale >= low) and (high is None or view.scale < high)
