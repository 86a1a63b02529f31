"""Errors as the Web Map Service tells them: one document in the form of the version asked in."""

from __future__ import annotations

from typing import Final

from layers.wms.systems import Version
from layers.xml import Markup, element

CODES: Final[dict[Version, frozenset[str]]] = {
    # 01-068r3, table A.1
    "1.1.1": frozenset({
        "InvalidFormat", "InvalidSRS", "LayerNotDefined", "StyleNotDefined", "LayerNotQueryable",
        "CurrentUpdateSequence", "InvalidUpdateSequence", "MissingDimensionValue", "InvalidDimensionValue",
    }),
    # 06-042, table E.1
    "1.3.0": frozenset({
        "InvalidFormat", "InvalidCRS", "LayerNotDefined", "StyleNotDefined", "LayerNotQueryable", "InvalidPoint",
        "CurrentUpdateSequence", "InvalidUpdateSequence", "MissingDimensionValue", "InvalidDimensionValue",
        "OperationNotSupported",
    }),
}  # fmt: skip
"""Codes each version defines."""
OURS: Final = frozenset({
    "MissingParameterValue", "InvalidParameterValue", "InvalidPoint", "OperationNotSupported", "NoApplicableCode",
})  # fmt: skip
"""Codes told besides: OWS Common's (06-121r9, table 27) where a version has none."""
SENT_AS: Final[dict[Version, str]] = {"1.1.1": "application/vnd.ogc.se_xml", "1.3.0": "text/xml"}


def report(message: str, code: str, version: Version) -> bytes:
    """A ServiceExceptionReport; a code that says nothing to clients of the version is left out."""
    known = code if code in CODES[version] | OURS else None
    told = element("ServiceException", message, attributes={"code": known})
    if version == "1.1.1":
        head = '<!DOCTYPE ServiceExceptionReport SYSTEM "http://schemas.opengis.net/wms/1.1.1/exception_1_1_1.dtd">\n'
        body = element("ServiceExceptionReport", told, attributes={"version": version})
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{body}\n'.encode()
    schema = "http://www.opengis.net/ogc http://schemas.opengis.net/wms/1.3.0/exceptions_1_3_0.xsd"
    body = element("ServiceExceptionReport", Markup(told), attributes={
        "version": version, "xmlns": "http://www.opengis.net/ogc",
        "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance", "xsi:schemaLocation": schema,
    })  # fmt: skip
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'.encode()
