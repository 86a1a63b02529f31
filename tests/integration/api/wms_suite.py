"""What the items of the public WMS 1.3.0 test suite share: requests as it writes them, the capabilities taken apart.

Every request goes to the address the capabilities give for its operation, with names of parameters in mixed case.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from flask.testing import FlaskClient
from numpy.typing import NDArray
from PIL import Image
from werkzeug.test import TestResponse

WMS = "{http://www.opengis.net/wms}"
OGC = "{http://www.opengis.net/ogc}"
SLD = "{http://www.opengis.net/sld}"
HREF = "{http://www.w3.org/1999/xlink}href"
VICINITY = "-0.0025,-0.0025,0.0025,0.0025"
"""The box most items ask for: the middle of the Blue Lake data."""


def mixed(name: str) -> str:
    """``LAYERS`` as the suite writes it: ``LaYeRs``."""
    return "".join(letter.upper() if place % 2 == 0 else letter.lower() for place, letter in enumerate(name))


def media_type(answer: TestResponse) -> str:
    return answer.headers["Content-Type"].partition(";")[0].strip().lower()


def pixels(answer: TestResponse) -> NDArray[np.uint8]:
    """An answer's picture, (height, width, 4) RGBA."""
    assert media_type(answer).startswith("image/"), answer.get_data(as_text=True)[:400]
    return np.asarray(Image.open(io.BytesIO(answer.data)).convert("RGBA"))


def white(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray((picture[..., :3] == 255).all(axis=-1))


@dataclass(frozen=True)
class Chain:
    """A layer and the layers it lies in, outermost first."""

    layers: tuple[ET.Element, ...]

    @property
    def layer(self) -> ET.Element:
        return self.layers[-1]

    @property
    def name(self) -> str | None:
        return self.layer.findtext(f"{WMS}Name")

    @property
    def title(self) -> str | None:
        return self.layer.findtext(f"{WMS}Title")

    @property
    def queryable(self) -> bool:
        return self.layer.get("queryable", "0") in ("1", "true")

    def all(self, element: str) -> list[ET.Element]:
        """Children of that name, inherited ones first."""
        return [found for layer in self.layers for found in layer.findall(f"{WMS}{element}")]

    @property
    def crs(self) -> list[str]:
        return [str(element.text) for element in self.all("CRS")]

    def box(self, crs: str) -> str:
        """BBOX of the layer in a system, as its nearest BoundingBox has it."""
        found = [box for box in self.all("BoundingBox") if box.get("CRS") == crs]
        return ",".join(str(found[-1].get(end)) for end in ("minx", "miny", "maxx", "maxy")) if found else ""


class Suite:
    """The service under test."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client
        first = client.get("/wms?SERVICE=WMS&REQUEST=GetCapabilities&VERSION=1.3.0")
        assert first.status_code == 200, first.get_data(as_text=True)[:400]
        self.root = ET.fromstring(first.data)

    def fetch(self, address: str) -> TestResponse:
        """An address the service itself gave."""
        parts = urlsplit(address)
        return self._client.get(f"{parts.path}?{parts.query}")

    def formats(self, operation: str) -> list[str]:
        return [
            str(form.text) for form in self.root.findall(f"{WMS}Capability/{WMS}Request/{WMS}{operation}/{WMS}Format")
        ]

    def address(self, operation: str) -> str:
        way = f"{WMS}Capability/{WMS}Request/{WMS}{operation}/{WMS}DCPType/{WMS}HTTP/{WMS}Get/{WMS}OnlineResource"
        found = self.root.find(way)
        assert found is not None, f"{operation} has no address"
        return str(found.get(HREF))

    def get(self, operation: str, **parameters: Any) -> TestResponse:
        given = {"VERSION": "1.3.0", "REQUEST": operation} | {k: v for k, v in parameters.items() if v is not None}
        parts = urlsplit(self.address(operation))
        assert not parts.query
        return self._client.get(parts.path, query_string={mixed(name): str(value) for name, value in given.items()})

    def capabilities(self, **parameters: Any) -> TestResponse:
        return self.get("GetCapabilities", **{"SERVICE": "WMS"} | parameters)

    def map(self, **parameters: Any) -> TestResponse:
        """GetMap; what is not given is as in most items."""
        usual = {
            "LAYERS": "cite:Lakes", "STYLES": "", "CRS": "CRS:84", "BBOX": VICINITY, "WIDTH": 100, "HEIGHT": 100,
            "FORMAT": "image/png",
        }  # fmt: skip
        return self.get("GetMap", **usual | parameters)

    def info(self, **parameters: Any) -> TestResponse:
        usual = {
            "LAYERS": "cite:Lakes", "QUERY_LAYERS": "cite:Lakes", "STYLES": "", "CRS": "CRS:84",
            "BBOX": "0,-0.0020,0.0040,0", "WIDTH": 200, "HEIGHT": 100, "I": 60, "J": 60, "FORMAT": "image/png",
            "INFO_FORMAT": self.formats("GetFeatureInfo")[0],
        }  # fmt: skip
        return self.get("GetFeatureInfo", **usual | parameters)

    @cached_property
    def chains(self) -> list[Chain]:
        """Every layer, in the order of the document."""
        root = self.root.find(f"{WMS}Capability/{WMS}Layer")
        assert root is not None

        def below(chain: tuple[ET.Element, ...]) -> Iterator[Chain]:
            yield Chain(chain)
            for child in chain[-1].findall(f"{WMS}Layer"):
                yield from below((*chain, child))

        return list(below((root,)))

    @cached_property
    def named(self) -> list[Chain]:
        return [chain for chain in self.chains if chain.name]

    def titled(self, title: str) -> Chain:
        """The layer of a title, as the suite finds those of its data."""
        (found,) = [chain for chain in self.named if chain.title == title]
        return found


def fault(answer: TestResponse) -> str:
    """The code of a service exception in XML, empty when it has none; fails for anything else.

    Held to exceptions_1_3_0.xsd: a ServiceExceptionReport of version 1.3.0 with ServiceException children of text.
    """
    assert media_type(answer) == "text/xml", f"{answer.headers['Content-Type']}: {answer.data[:200]!r}"
    report = ET.fromstring(answer.data)
    assert report.tag == f"{OGC}ServiceExceptionReport"
    assert report.get("version") == "1.3.0"
    assert len(report) >= 1
    assert {child.tag for child in report} == {f"{OGC}ServiceException"}
    assert all(not list(child) and set(child.attrib) <= {"code", "locator"} for child in report)
    assert str(report[0].text).strip()
    return report[0].get("code", "")


# --- the shape of the document: element contents of capabilities_1_3_0.xsd (06-042, annex E.1) ---

_CONTENTS = {
    "WMS_Capabilities": "Service Capability",
    "Service": "Name Title Abstract? KeywordList? OnlineResource ContactInformation? Fees? AccessConstraints? "
    "LayerLimit? MaxWidth? MaxHeight?",
    "KeywordList": "Keyword*",
    "ContactInformation": "ContactPersonPrimary? ContactPosition? ContactAddress? ContactVoiceTelephone? "
    "ContactFacsimileTelephone? ContactElectronicMailAddress?",
    "Capability": "Request Exception _ExtendedCapabilities* Layer?",
    "Request": "GetCapabilities GetMap GetFeatureInfo? _ExtendedOperation*",
    "GetCapabilities": "Format+ DCPType+",
    "GetMap": "Format+ DCPType+",
    "GetFeatureInfo": "Format+ DCPType+",
    "DCPType": "HTTP",
    "HTTP": "Get Post?",
    "Get": "OnlineResource",
    "Post": "OnlineResource",
    "Exception": "Format+",
    "Layer": "Name? Title Abstract? KeywordList? CRS* EX_GeographicBoundingBox? BoundingBox* Dimension* Attribution? "
    "AuthorityURL* Identifier* MetadataURL* DataURL* FeatureListURL* Style* MinScaleDenominator? "
    "MaxScaleDenominator? Layer*",
    "EX_GeographicBoundingBox": "westBoundLongitude eastBoundLongitude southBoundLatitude northBoundLatitude",
    "Style": "Name Title Abstract? LegendURL* StyleSheetURL? StyleURL?",
    "LegendURL": "Format OnlineResource",
    "MetadataURL": "Format OnlineResource",
    "DataURL": "Format OnlineResource",
    "FeatureListURL": "Format OnlineResource",
}
_ATTRIBUTES = {
    "WMS_Capabilities": {"version", "updateSequence"},
    "Layer": {"queryable", "cascaded", "opaque", "noSubsets", "fixedWidth", "fixedHeight"},
    "BoundingBox": {"CRS", "minx", "miny", "maxx", "maxy", "resx", "resy"},
    "Dimension": {"name", "units", "unitSymbol", "default", "multipleValues", "nearestValue", "current"},
    "LegendURL": {"width", "height"},
    "MetadataURL": {"type"},
    "AuthorityURL": {"name"},
    "Identifier": {"authority"},
    "Keyword": {"vocabulary"},
}
_EXTENSIONS = {f"{SLD}GetLegendGraphic", f"{SLD}DescribeLayer"}
_STYLING = f"{SLD}UserDefinedSymbolization"


def _known(child: ET.Element) -> str:
    if child.tag in _EXTENSIONS:
        return "_ExtendedOperation"
    if child.tag == _STYLING:
        return "_ExtendedCapabilities"
    return child.tag.removeprefix(WMS)


def ill_formed(root: ET.Element) -> list[str]:
    """Elements whose children or attributes the schema does not allow."""
    wrong = []
    for element in root.iter():
        if not element.tag.startswith(WMS):
            continue
        name = element.tag.removeprefix(WMS)
        children = [_known(child) for child in element]
        pattern = "".join(
            f"(?:{word.rstrip('?*+')} ){word[len(word.rstrip('?*+')) :]}" for word in _CONTENTS.get(name, "").split()
        )
        if not re.fullmatch(pattern, "".join(f"{child} " for child in children)):
            wrong.append(f"{name} has {children}")
        plain = {attribute for attribute in element.attrib if not attribute.startswith("{")}
        if plain - _ATTRIBUTES.get(name, set()):
            wrong.append(f"{name} has attributes {sorted(plain)}")
    return wrong
