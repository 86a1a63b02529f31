"""GetMap as an XML document (02-070 annex F, 05-078r4 clause 8): the same parameters, the style inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final
from xml.etree.ElementTree import Element

from gisgrid.errors import BadInput
from layers.xml import local, parse_xml


def posted_map(body: bytes) -> tuple[list[tuple[str, str]], Element]:
    """Parameters and the ``StyledLayerDescriptor`` element of a posted GetMap. Raises BadInput."""
    root = parse_xml(body, name="the body")
    if local(root) != "GetMap":
        raise BadInput(
            f"the body is a {local(root)[:60]!r}; post a GetMap document or a form", code="OperationNotSupported"
        )
    descriptor = next((child for child in root if local(child) == "StyledLayerDescriptor"), None)
    if descriptor is None:
        raise BadInput("GetMap has no StyledLayerDescriptor that names its layers", code="MissingParameterValue")
    pairs = [("SERVICE", "WMS"), ("REQUEST", "GetMap"), ("VERSION", root.get("version", ""))]
    for child in root:
        name = local(child)
        if name != "StyledLayerDescriptor":
            if name not in _READ:
                raise BadInput(f"GetMap: the element {name[:60]} is not supported here; docs/wms.md lists what is")
            pairs += _READ[name](child)
    return pairs, descriptor


def _plain(parameter: str) -> Callable[[Element], Iterator[tuple[str, str]]]:
    def read(element: Element) -> Iterator[tuple[str, str]]:
        yield parameter, (element.text or "").strip()

    return read


def _system(element: Element) -> Iterator[tuple[str, str]]:
    text = (element.text or "").strip()
    yield from _named_system(text)


def _named_system(text: str) -> Iterator[tuple[str, str]]:
    """A CRS in any of its spellings, for both versions: ``EPSG:4490``, a URN, the address of GML 2's list."""
    number = text.replace("#", ":").rpartition(":")[2]
    name = "CRS:84" if number.upper() in ("CRS84", "84") else f"EPSG:{number}"
    yield "CRS", name
    yield "SRS", name


def _box(element: Element) -> Iterator[tuple[str, str]]:
    """Corners as GML 3 writes them (lowerCorner, upperCorner), or GML 2 (coord or coordinates)."""
    if element.get("srsName"):
        yield from _named_system(element.get("srsName", ""))
    texts: list[str] = []
    for child in element:
        if local(child) == "coord":
            texts += [(axis.text or "").strip() for axis in child]
        elif local(child) in ("lowerCorner", "upperCorner", "coordinates"):
            texts += (child.text or "").replace(",", " ").split()
        else:
            raise BadInput(f"GetMap: {local(child)[:60]} is no corner of a BoundingBox")
    yield "BBOX", ",".join(texts)


def _output(element: Element) -> Iterator[tuple[str, str]]:
    for child in element:
        name = local(child)
        if name == "Size":
            for side in child:
                yield local(side).upper(), (side.text or "").strip()
        elif name in ("Format", "Transparent", "BGcolor", "BGColor", "Exceptions"):
            text = (child.text or "").strip()
            if name == "Transparent":
                text = {"1": "TRUE", "0": "FALSE"}.get(text, text)
            yield name.upper(), text
        else:
            raise BadInput(f"GetMap: the element {name[:60]} of Output is not supported here")


_READ: Final[dict[str, Callable[[Element], Iterator[tuple[str, str]]]]] = {
    "BoundingBox": _box,
    "CRS": _system,
    "SRS": _system,
    "Output": _output,
    "Exceptions": _plain("EXCEPTIONS"),
    "Time": _plain("TIME"),
}
